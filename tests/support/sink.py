"""A WebSocket server in a process of its own that reads all and says nothing.

It can be stopped by a signal, as a machine that hangs or a network that swallows packets.
"""

import asyncio
import signal
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from websockets.asyncio.server import ServerConnection, serve

__all__ = ["Sink", "sink_process"]


class Sink:
    """The process, seen from outside."""

    def __init__(self, process: asyncio.subprocess.Process, port: int) -> None:
        self._process = process
        self.url = f"http://127.0.0.1:{port}"

    def stop(self) -> None:
        """Freeze it: its sockets stay open and nobody reads them."""
        self._process.send_signal(signal.SIGSTOP)


@asynccontextmanager
async def sink_process() -> AsyncGenerator[Sink]:
    """Run the server; yield it when it listens."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.support.sink", stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        yield Sink(process, int(await process.stdout.readline()))
    finally:
        process.kill()
        await process.communicate()


async def _read_all(connection: ServerConnection) -> None:
    async for _ in connection:
        pass


async def _main() -> None:
    async with serve(_read_all, "127.0.0.1", 0, max_size=None) as server:
        sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
        sys.stdout.flush()
        await asyncio.get_running_loop().create_future()


if __name__ == "__main__":
    asyncio.run(_main())
