"""Which service a command talks to, and as whom."""

import os
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, TypeVar, cast

import click

from deepgram_async.cli._config import Profile

if TYPE_CHECKING:
    from deepgram_async import DeepgramSession

__all__ = ["Connection", "Place", "Region", "call", "is_debugging", "open_session", "project_of"]

T = TypeVar("T")

Region = Literal["global", "eu", "au", "in"]

# The local service accepts any key; a real one stays at home.
_EMULATOR_KEY: Final = "local"


class Place(NamedTuple):
    """Where the service is; without a base URL and a region the session decides."""

    base_url: str | None
    region: Region | None
    allow_insecure: bool


class Connection:
    """The global options of the command line, and the profile that they are missing from.

    A flag wins over the environment, which wins over the profile.
    """

    def __init__(
        self,
        *,
        api_key: str | None,
        base_url: str | None,
        region: Region | None,
        allow_insecure: bool,
        project_id: str | None,
        profile: Profile,
    ) -> None:
        self.base_url = base_url
        self.region: Region | None = region
        self.profile = profile
        self._api_key = api_key
        self._allow_insecure = allow_insecure
        self._project_id = project_id

    @property
    def place(self) -> Place:
        """Where the service is."""
        if self.base_url or self.region or os.environ.get("DEEPGRAM_BASE_URL"):
            return Place(self.base_url, self.region, self._allow_insecure)
        profile = self.profile
        insecure = self._allow_insecure or bool(profile.allow_insecure)
        # The session checks what is written in a file.
        return Place(profile.base_url, cast("Region | None", profile.region), insecure)

    @property
    def project_id(self) -> str | None:
        """The project, or ``None`` if nobody has named one."""
        named = self._project_id or os.environ.get("DEEPGRAM_PROJECT_ID")
        return named or self.profile.project_id

    @property
    def key_source(self) -> str | None:
        """Where the key comes from, in words, or ``None`` if there is none."""
        if self._api_key is not None:
            return "--api-key"
        for name in ("DEEPGRAM_API_KEY", "DEEPGRAM_ACCESS_TOKEN"):
            if os.environ.get(name):
                return name
        source = self.profile.api_key_env or self.profile.api_key_file
        return source and f"{source} (profile {self.profile.name!r})"

    def api_key(self) -> str | None:
        """Return the key for the session; ``None`` leaves it to the environment.

        Raises:
            ConfigurationError: The profile refers to a key that is not there.
        """
        if self._api_key is not None:
            return self._api_key
        if os.environ.get("DEEPGRAM_API_KEY") or os.environ.get("DEEPGRAM_ACCESS_TOKEN"):
            return None
        return self.profile.api_key()


def is_debugging() -> bool:
    """Whether the environment asks for details of a failure."""
    return os.environ.get("DEEPGRAM_LOG", "").lower() == "debug"


@asynccontextmanager
async def open_session(
    connection: Connection, *, emulator: bool = False, keep_raw: bool = False, pool_limit: int = 100
) -> AsyncGenerator["DeepgramSession", None]:
    """Open a session with the service, or with a local one that lives as long as the session.

    Raises:
        click.UsageError: Both another place and the local service were asked for.
        ConfigurationError: A setting is wrong, or the local service cannot recognise speech.
    """
    from deepgram_async import DeepgramSession  # loads asyncio, which --help does without

    async with AsyncExitStack() as stack:
        if not emulator:
            base_url, region, allow_insecure = connection.place
            session = DeepgramSession(
                api_key=connection.api_key(),
                base_url=base_url,
                region=region,
                allow_insecure=allow_insecure,
                project_id=connection.project_id,
                keep_raw=keep_raw,
                pool_limit=pool_limit,
            )
        else:
            for flag, value in (("base-url", connection.base_url), ("region", connection.region)):
                if value is not None:
                    raise click.UsageError(f"--emulator and --{flag} exclude each other")
            from deepgram_async.emulator import Emulator  # slow to load, with a web server in it

            local = await stack.enter_async_context(Emulator())
            session = DeepgramSession(
                api_key=_EMULATOR_KEY,
                base_url=local.base_url,
                project_id=connection.project_id,
                keep_raw=keep_raw,
                pool_limit=pool_limit,
            )
        yield await stack.enter_async_context(session)


def call(
    connection: Connection,
    work: Callable[["DeepgramSession"], Awaitable[T]],
    *,
    emulator: bool = False,
    keep_raw: bool = False,
    pool_limit: int = 100,
) -> T:
    """Open a session, let it work, and return what came of it."""
    import asyncio  # slow to load

    async def run() -> T:
        async with open_session(
            connection, emulator=emulator, keep_raw=keep_raw, pool_limit=pool_limit
        ) as session:
            return await work(session)

    return asyncio.run(run())


async def project_of(connection: Connection, session: "DeepgramSession") -> str:
    """Return the project that was named, or the only one that the key can see.

    Raises:
        click.UsageError: The key sees none or several, and none was named.
    """
    if connection.project_id is not None:
        return connection.project_id
    projects = (await session.projects.list()).projects
    if len(projects) == 1:
        return projects[0].project_id
    if not projects:
        raise click.UsageError("the key can see no project")
    seen = "".join(f"\n  {project.project_id}  {project.name or ''}" for project in projects)
    raise click.UsageError(f"the key can see several projects, choose one with --project:{seen}")
