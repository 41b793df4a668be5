"""Where the audio of a live command comes from."""

import http.client
import threading
import urllib.error
import urllib.request
from collections.abc import AsyncGenerator, AsyncIterator, Generator
from contextlib import asynccontextmanager, closing, contextmanager
from typing import Final, Protocol, TypedDict

import click

from deepgram_async import __version__
from deepgram_async.audio import AudioOptions, ByteReader, Microphone, SoundBackend, paced
from deepgram_async.cli._texts import URL_SCHEMES, named, open_stdin
from deepgram_async.errors import AudioSourceError

__all__ = ["AudioFlags", "Source", "open_source"]

# A station sends all the time: one that is silent for so long is gone.
_SILENT_S: Final = 20.0
_MICROPHONE_RATE: Final = 16000
# Deepgram advises 80 ms for Flux, and 20 to 250 ms for the others.
_CHUNK_MS: Final = 80.0


class AudioFlags(TypedDict):
    """What tells about the audio of a live command."""

    mic: bool
    device: str | None
    sound: SoundBackend | None
    encoding: str | None
    sample_rate: int | None
    channels: int
    realtime: float


class Source(Protocol):
    """Audio as it is recorded, which can be told to end."""

    @property
    def options(self) -> AudioOptions:
        """What it is made of."""
        ...

    def stop(self) -> None:
        """End it here."""
        ...

    def __aiter__(self) -> AsyncIterator[bytes]: ...


@asynccontextmanager
async def open_source(source: str | None, flags: AudioFlags) -> AsyncGenerator[Source, None]:
    """Open a microphone, or a file, a URL or standard input at the pace of the recording.

    Raises:
        AudioSourceError: It cannot be read.
        AudioDeviceError: There is no such microphone.
        MissingDependencyError: It takes an extra.
    """
    if source is None:
        async with Microphone(
            sample_rate=flags["sample_rate"] or _MICROPHONE_RATE,
            channels=flags["channels"],
            device=flags["device"],
            chunk_ms=_CHUNK_MS,
            backend=flags["sound"],
        ) as microphone:
            click.echo(f"Listening to {microphone.device_name}. Ctrl-C ends it.", err=True)
            yield microphone
        return
    with _opened(source) as file:
        async with paced(
            file,
            realtime=flags["realtime"],
            encoding=flags["encoding"],
            sample_rate=flags["sample_rate"],
            channels=flags["channels"],
        ) as audio:
            yield audio


@contextmanager
def _opened(source: str) -> Generator[str | ByteReader, None, None]:
    if source == "-":
        with open_stdin() as file:
            yield file
    elif source.startswith(URL_SCHEMES):
        with closing(Download(source)) as download:
            yield download
    else:
        yield source


class Download:
    """What comes from a URL, as a file that is read forwards, in a thread that may wait."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._response: http.client.HTTPResponse | None = None
        self._reading = threading.Lock()
        self._is_closing = False

    def read(self, size: int = -1, /) -> bytes:
        """Return what has come, at most so many bytes, or nothing at the end.

        Raises:
            AudioSourceError: It cannot be fetched.
        """
        try:
            with self._reading:
                if self._response is None:
                    self._response = self._open()
                return self._response.read1(size)
        except urllib.error.HTTPError as exc:
            with exc:
                raise AudioSourceError(
                    f"cannot fetch {named(self._url)}: {exc.code} {exc.reason}"
                ) from None
        except (OSError, ValueError, http.client.HTTPException) as exc:
            reason = str(getattr(exc, "reason", exc)) or type(exc).__name__
            raise AudioSourceError(f"cannot fetch {named(self._url)}: {reason}") from None
        finally:
            self._close_when_wanted()

    def close(self) -> None:
        """Close the connection, as soon as a read that is under way comes back."""
        self._is_closing = True
        self._close_when_wanted()

    def _open(self) -> http.client.HTTPResponse:
        request = urllib.request.Request(
            self._url, headers={"User-Agent": f"deepgram-async/{__version__}"}
        )
        response: http.client.HTTPResponse = urllib.request.urlopen(request, timeout=_SILENT_S)
        return response

    def _close_when_wanted(self) -> None:
        if self._is_closing and self._reading.acquire(blocking=False):
            try:
                if self._response is not None:
                    self._response.close()
            finally:
                self._reading.release()
