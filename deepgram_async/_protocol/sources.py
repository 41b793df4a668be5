"""What audio may be handed in as."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable
from os import PathLike
from typing import Protocol, runtime_checkable

__all__ = ["AudioChunks", "AudioSource", "BinaryReader", "ProgressHook", "SizedAudio", "TextSource"]


@runtime_checkable
class BinaryReader(Protocol):
    """A file object opened for reading bytes."""

    def read(self, size: int, /) -> bytes:
        """Return at most ``size`` bytes; none at the end."""
        ...


@runtime_checkable
class SizedAudio(Protocol):
    """Audio of known length that every iteration reads anew, such as an object in a store.

    Its length is told to the service beforehand, and the request may be repeated.
    """

    @property
    def content_length(self) -> int:
        """The number of its bytes."""
        ...

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Begin to read it."""
        ...


AudioSource = (
    str
    | PathLike[str]
    | bytes
    | bytearray
    | memoryview
    | BinaryReader
    | Iterable[bytes]
    | AsyncIterable[bytes]
)
"""Audio to transcribe: a path, bytes, a file object, an iterable of bytes (perhaps `SizedAudio`),
or a URL (``str``)."""

AudioChunks = AsyncIterable[bytes] | Iterable[bytes] | BinaryReader
"""Audio for a live stream: chunks as they come, or a file object, read as fast as it goes."""

ProgressHook = Callable[[int, int | None], None]
"""Called with the bytes handed to the network so far, and the total where it is known."""

TextSource = str | Iterable[str] | AsyncIterable[str]
"""Text to speak: at once, or part by part, such as the tokens of a language model."""
