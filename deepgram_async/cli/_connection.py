"""Which service a command talks to."""

import os
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Final

import click

if TYPE_CHECKING:
    from deepgram_async import DeepgramSession

__all__ = ["Connection", "is_debugging", "open_session"]

# The local service accepts any key; a real one stays at home.
_EMULATOR_KEY: Final = "local"


class Connection:
    """The global options of the command line; ``None`` leaves it to the environment."""

    def __init__(self, *, api_key: str | None, base_url: str | None, allow_insecure: bool) -> None:
        self.api_key = api_key
        self.base_url = base_url
        self.allow_insecure = allow_insecure


def is_debugging() -> bool:
    """Whether the environment asks for details of a failure."""
    return os.environ.get("DEEPGRAM_LOG", "").lower() == "debug"


@asynccontextmanager
async def open_session(
    connection: Connection, *, emulator: bool, keep_raw: bool = False
) -> AsyncGenerator["DeepgramSession", None]:
    """Open a session with the service, or with a local one that lives as long as the session.

    Raises:
        click.UsageError: Both a base URL and the local service were asked for.
        ConfigurationError: A setting is wrong, or the local service cannot recognise speech.
    """
    from deepgram_async import DeepgramSession  # loads asyncio, which --help does without

    async with AsyncExitStack() as stack:
        if not emulator:
            session = DeepgramSession(
                api_key=connection.api_key,
                base_url=connection.base_url,
                allow_insecure=connection.allow_insecure,
                keep_raw=keep_raw,
            )
        else:
            if connection.base_url is not None:
                raise click.UsageError("--emulator and --base-url exclude each other")
            from deepgram_async.emulator import Emulator  # slow to load, with a web server in it

            local = await stack.enter_async_context(Emulator())
            session = DeepgramSession(
                api_key=_EMULATOR_KEY, base_url=local.base_url, keep_raw=keep_raw
            )
        yield await stack.enter_async_context(session)
