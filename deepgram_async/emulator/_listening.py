"""Where what is served here can be reached."""

from __future__ import annotations

from aiohttp import web

__all__ = ["listen"]


async def listen(runner: web.AppRunner, host: str, port: int) -> None:
    """Set up a runner and let it listen; one that cannot is cleaned up.

    Raises:
        OSError: The address cannot be listened on.
    """
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
    except BaseException:
        await runner.cleanup()
        raise
