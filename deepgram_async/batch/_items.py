"""What a batch transcribes: recordings that can be named, recognised again, and opened anew."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import AsyncGenerator, AsyncIterable, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Final, Protocol, runtime_checkable
from urllib.parse import unquote, urlsplit

import anyio.to_thread

from deepgram_async import AudioSource
from deepgram_async.errors import AudioSourceError, ConfigurationError

__all__ = [
    "STORE_SCHEMES",
    "BatchSource",
    "BatchSources",
    "BytesItem",
    "FileItem",
    "Item",
    "UrlItem",
    "as_item",
    "checked_name",
    "is_in_store",
    "is_url",
]

STORE_SCHEMES: Final = ("s3://", "gs://", "az://")
_URL_SCHEMES: Final = ("http://", "https://")
# What Python has for the bytes of a path that are no UTF-8, and no file or database takes as text.
_UNDECODED: Final = re.compile(r"[\ud800-\udfff]")
# What every file system takes in a name.
_UNUSUAL: Final = re.compile(r"[^\w.\-/ ]")


@runtime_checkable
class Item(Protocol):
    """One recording of a batch.

    An item is small and says where the audio is; the audio itself is read when its turn comes, and
    read again when the request is repeated.
    """

    @property
    def source(self) -> str:
        """What people call it: a path or an address, without anything secret."""
        ...

    @property
    def name(self) -> str:
        """Where its results belong: a relative path with ``/`` between its parts.

        Two items of one batch must not share a name.
        """
        ...

    @property
    def content_type(self) -> str | None:
        """Media type of the audio; ``None`` to find out by suffix and first bytes."""
        ...

    async def identity(self) -> str:
        """Return a text that is another one when the content is another one.

        It is asked once, before the item is taken, and should be cheap: size and time of the last
        change, or an ETag. It may hold secrets: only its hash is kept.

        Raises:
            Exception: The item cannot be reached; it fails without a request.
        """
        ...

    def open(self) -> AbstractAsyncContextManager[AudioSource]:
        """Return what opens the audio, anew for every attempt, and closes it.

        Whatever it raises is the failure of this item.
        """
        ...


BatchSource = Item | str | os.PathLike[str] | bytes
"""A recording of a batch: an item, a path, an ``http(s)`` URL, or the audio itself."""

BatchSources = Iterable[BatchSource] | AsyncIterable[BatchSource]
"""The recordings of a batch. They are taken one by one, as they are needed."""


@dataclass(frozen=True, slots=True)
class FileItem:
    """A file on this machine, recognised again by its path, size and time of the last change.

    Args:
        path: Where it is.
        name: Where its results belong; the path itself if left out, from the root on if it is
            absolute. Bytes that are no UTF-8 become ``%FF`` and the like.
    """

    path: str
    name: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "path", os.fspath(self.path))
        object.__setattr__(self, "name", _as_text(self.name or _name_of_path(self.path)))

    @property
    def source(self) -> str:
        """The path, with ``%FF`` and the like for bytes that are no UTF-8."""
        return _as_text(self.path)

    @property
    def content_type(self) -> str | None:
        """Always ``None``: found out by suffix and first bytes."""
        return None

    async def identity(self) -> str:
        """Return path, size and time of the last change."""
        return await anyio.to_thread.run_sync(self._identity)

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[AudioSource]:
        """Leave opening to the request, which reads the file in a thread."""
        yield Path(self.path)

    def _identity(self) -> str:
        try:
            found = os.stat(self.path)
        except FileNotFoundError:
            raise AudioSourceError(f"there is no file {self.path!r}") from None
        except (OSError, ValueError) as error:
            raise AudioSourceError(f"cannot read {self.path!r}: {error}") from None
        return f"file:{os.path.abspath(self.path)}:{found.st_size}:{found.st_mtime_ns}"


@dataclass(frozen=True, slots=True)
class UrlItem:
    """A recording that the service fetches by itself.

    Args:
        url: Its ``http(s)`` address.
        name: Where its results belong; host and path of the address if left out, with a part of
            a hash where the address has a query.
        version: Changes with the content, such as an ETag. Where it is given it takes the place
            of the query of the address in the identity: a signed address is another one each time.
    """

    url: str = field(repr=False)
    name: str = ""
    version: str | None = None

    def __post_init__(self) -> None:
        if not self.name:
            object.__setattr__(self, "name", _name_of_url(self.url))

    @property
    def source(self) -> str:
        """The address without its query and password."""
        return _shown(self.url)

    @property
    def content_type(self) -> str | None:
        """Always ``None``: the service finds out."""
        return None

    async def identity(self) -> str:
        """Return the address, or the address without its query and the version."""
        if self.version is None:
            return f"url:{self.url}"
        return f"url:{_shown(self.url)}:{self.version}"

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[AudioSource]:
        """Hand on the address."""
        yield self.url


@dataclass(frozen=True, slots=True)
class BytesItem:
    """A recording in memory, recognised again by its hash.

    Args:
        data: The audio.
        name: Where its results belong; a part of the hash if left out.
        content_type: Media type of the audio; found out by its first bytes if left out.
    """

    data: bytes = field(repr=False)
    name: str = ""
    content_type: str | None = None

    def __post_init__(self) -> None:
        if not self.name:
            object.__setattr__(self, "name", hashlib.sha256(self.data).hexdigest()[:16])

    @property
    def source(self) -> str:
        """The name."""
        return self.name

    async def identity(self) -> str:
        """Return the hash of the audio."""
        return f"sha256:{hashlib.sha256(self.data).hexdigest()}"

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[AudioSource]:
        """Hand on the bytes."""
        yield self.data


def as_item(source: BatchSource) -> Item:
    """Return the item for a source.

    Raises:
        ConfigurationError: It is of an unknown kind, or a place in an object store.
    """
    if is_in_store(source):
        raise ConfigurationError(
            f"{source!r} has to be looked up first: pass recordings({source!r})"
        )
    if isinstance(source, str):
        return UrlItem(source) if is_url(source) else FileItem(source)
    if isinstance(source, os.PathLike):
        return FileItem(os.fspath(source))
    if isinstance(source, bytes):
        return BytesItem(source)
    # Whether anything else has all the methods takes a while to find out.
    if isinstance(source, FileItem | UrlItem | BytesItem) or isinstance(source, Item):
        return source
    # For callers without a type checker.
    raise ConfigurationError(
        f"a batch cannot take {type(source).__name__!r}: pass paths, URLs, bytes, or objects with "
        "the methods of Item"
    )


def is_url(source: object) -> bool:
    """Whether a source is the address of a recording."""
    return isinstance(source, str) and source.startswith(_URL_SCHEMES)


def is_in_store(source: object) -> bool:
    """Whether a source is a place in an object store."""
    return isinstance(source, str) and source.startswith(STORE_SCHEMES)


def checked_name(item: Item) -> str:
    """Return the name of an item.

    Raises:
        AudioSourceError: It is empty or leads out of the directory of the results.
    """
    path = PurePosixPath(item.name)
    if not path.name or path.is_absolute() or ".." in path.parts or "\0" in item.name:
        raise AudioSourceError(f"{item.name!r} is no name for results: give a relative path")
    return item.name


def _as_text(path: str) -> str:
    return _UNDECODED.sub(lambda found: f"%{ord(found[0]) & 0xFF:02X}", path)


def _name_of_path(path: str) -> str:
    relative = os.path.normpath(path)
    if relative.startswith(os.pardir):
        relative = os.path.abspath(path)
    parts = Path(relative)
    return parts.relative_to(parts.anchor).as_posix()


def _name_of_url(url: str) -> str:
    parts = urlsplit(url)
    path = PurePosixPath("/", *(part for part in unquote(parts.path).split("/") if part != ".."))
    name = _UNUSUAL.sub("_", f"{parts.hostname or ''}{path}".rstrip("/"))
    if parts.query:
        name += "-" + hashlib.sha256(url.encode()).hexdigest()[:8]
    return name


def _shown(url: str) -> str:
    parts = urlsplit(url)
    shown = parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="")
    return _as_text(shown.geturl())
