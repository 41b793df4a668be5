"""The command that finds out what stands in the way."""

import asyncio
import ssl
import time
from collections.abc import AsyncGenerator, Awaitable
from importlib.metadata import PackageNotFoundError, version
from platform import python_version
from typing import Any, Final, Literal, NamedTuple
from urllib.parse import urlsplit

import click

from deepgram_async import DeepgramSession, __version__
from deepgram_async.audio import Microphone, SoundBackend
from deepgram_async.cli._connection import Connection, open_session
from deepgram_async.cli._devices import sound_flag
from deepgram_async.cli._output import print_json, printable
from deepgram_async.errors import (
    AudioDeviceError,
    ConfigurationError,
    DeepgramError,
    MissingDependencyError,
    NotFoundError,
    PermissionDeniedError,
)

__all__ = ["doctor"]

Status = Literal["ok", "warning", "failed", "skipped"]

_COLORS: Final[dict[Status, str]] = {
    "ok": "green",
    "warning": "yellow",
    "failed": "red",
    "skipped": "bright_black",
}
_CORE: Final = ("aiohttp", "websockets", "msgspec")
_EXTRAS: Final = ("av", "miniaudio", "sounddevice", "faster-whisper")
_LONGEST_S: Final = 15.0
# Long enough to tell a microphone that is muted by a switch from a quiet room.
_LISTEN_S: Final = 0.5
_SECONDS_A_DAY: Final = 86400


class Check(NamedTuple):
    """What a look at one thing has shown, and what to do about it."""

    name: str
    status: Status
    words: str
    advice: str | None = None


@click.command()
@sound_flag
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of lines.")
@click.pass_obj
def doctor(connection: Connection, sound: SoundBackend | None, as_json: bool) -> int:
    """Check key, network, service and microphone.

    Each check is a line, with what to do where something is wrong. The exit code is 1 if a check
    failed; a warning, such as for a missing microphone, is no failure. The key is never shown.
    """

    async def run() -> list[Check]:
        found: list[Check] = []
        async for check in _checks(connection, sound):
            found.append(check)
            if not as_json:
                _print(check)
        return found

    found = asyncio.run(run())
    if as_json:
        print_json([check._asdict() for check in found])
    return int(any(check.status == "failed" for check in found))


def _print(check: Check) -> None:
    status = click.style(f"{check.status:8}", fg=_COLORS[check.status])
    advice = f" - {check.advice}" if check.advice else ""
    click.echo(f"{status} {check.name:11} {printable(check.words + advice)}")


async def _checks(connection: Connection, sound: SoundBackend | None) -> AsyncGenerator[Check]:
    yield _versions()
    yield _profile(connection)
    async for check in _network(connection):
        yield check
    try:
        async with open_session(connection) as session:
            yield _key(connection)
            yield await _checked("service", _service(session), "check address and key")
            yield await _checked(
                "websocket", _websocket(session), "let the firewall or the proxy pass WebSockets"
            )
    except ConfigurationError as error:
        yield Check("key", "failed", error.message, error.hint or "see deepgram-async --help")
        for name in ("service", "websocket"):
            yield Check(name, "skipped", "there is no session without a key")
    yield await _microphone(sound)


async def _network(connection: Connection) -> AsyncGenerator[Check]:
    base_url, region, allow_insecure = connection.place
    try:
        # For its address, and never opened: any key will do.
        address = DeepgramSession(
            "none", base_url=base_url, region=region, allow_insecure=allow_insecure
        ).base_url
    except ConfigurationError as error:
        yield Check("dns", "failed", error.message, error.hint or "correct the address")
        return
    url = urlsplit(address)
    host, port = url.hostname or "", url.port or (443 if url.scheme == "https" else 80)
    yield await _checked("dns", _dns(host, port), "check the network, and the name of the host")
    if url.scheme == "https":
        advice = "check the clock, the proxy and the certificates"
        yield await _checked("tls", _tls(host, port), advice)
    else:
        yield Check("tls", "skipped", f"{address} is not encrypted")


async def _checked(name: str, work: Awaitable[str], advice: str) -> Check:
    """Return what a check shows; what it raises is its failure."""
    try:
        async with asyncio.timeout(_LONGEST_S):
            return Check(name, "ok", await work)
    except DeepgramError as error:
        story = str(error).removesuffix(f" Hint: {error.hint}")
        return Check(name, "failed", story, error.hint or advice)
    except TimeoutError:
        return Check(name, "failed", f"no answer for {_LONGEST_S:g} s", advice)
    except OSError as error:
        return Check(name, "failed", error.strerror or str(error), advice)


def _versions() -> Check:
    words = [f"deepgram-async {__version__}", f"Python {python_version()}"]
    words += [f"{name} {version(name)}" for name in _CORE]
    for name in _EXTRAS:
        try:
            words.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            words.append(f"no {name}")
    return Check("versions", "ok", ", ".join(words))


def _profile(connection: Connection) -> Check:
    name = connection.profile.name
    return Check("profile", "ok", f"{name!r}" if name else "none")


def _key(connection: Connection) -> Check:
    source = connection.key_source
    if source is None:
        return Check("key", "warning", "there is none", "set DEEPGRAM_API_KEY")
    return Check("key", "ok", f"from {source}")


async def _dns(host: str, port: int) -> str:
    found = await asyncio.get_running_loop().getaddrinfo(host, port)
    return f"{host} is {', '.join(dict.fromkeys(str(item[4][0]) for item in found))}"


async def _tls(host: str, port: int) -> str:
    started_at = time.monotonic()
    _, writer = await asyncio.open_connection(host, port, ssl=ssl.create_default_context())
    try:
        elapsed_s = time.monotonic() - started_at
        connection: ssl.SSLObject = writer.get_extra_info("ssl_object")
        certificate: dict[str, Any] = writer.get_extra_info("peercert")
        left_s = ssl.cert_time_to_seconds(certificate["notAfter"]) - time.time()
    finally:
        writer.close()
    return (
        f"{connection.version()} in {elapsed_s * 1000:.0f} ms, "
        f"the certificate is good for {left_s / _SECONDS_A_DAY:.0f} days"
    )


async def _service(session: DeepgramSession) -> str:
    """Find out whether the key is taken, and how long an answer takes."""
    started_at = time.monotonic()
    words = await _ask(session)
    again_at = time.monotonic()
    await _ask(session)
    first_ms, second_ms = (again_at - started_at) * 1000, (time.monotonic() - again_at) * 1000
    return f"{words}; {first_ms:.0f} ms for the first answer, {second_ms:.0f} ms for the next"


async def _ask(session: DeepgramSession) -> str:
    try:
        count = len((await session.projects.list()).projects)
    except PermissionDeniedError:
        return "the key is accepted, and may not list projects"
    except NotFoundError:
        return "it answers, and knows no projects"
    return f"the key is accepted, and can see {count} project{'s' * (count != 1)}"


async def _websocket(session: DeepgramSession) -> str:
    """Open a stream, and close it without audio."""
    started_at = time.monotonic()
    async with session.listen.live(model="nova-3", encoding="linear16", sample_rate=16000):
        elapsed_s = time.monotonic() - started_at
    return f"a stream opens in {elapsed_s * 1000:.0f} ms"


async def _microphone(sound: SoundBackend | None) -> Check:
    try:
        async with asyncio.timeout(_LONGEST_S), Microphone(backend=sound) as microphone:
            await asyncio.sleep(_LISTEN_S)
            level, name = microphone.level, microphone.device_name
    except (AudioDeviceError, MissingDependencyError, TimeoutError) as error:
        words = str(error) or "it does not answer"
        return Check("microphone", "warning", words, "only --mic and agent need one")
    if level.peak == 0:
        words = f"{name} hears nothing at all"
        return Check("microphone", "warning", words, "is it muted, or not permitted?")
    return Check("microphone", "ok", f"{name}, {level.peak_dbfs:.0f} dBFS")
