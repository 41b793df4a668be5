"""Recordings in object stores and on web servers, read in streams or handed on as signed URLs."""

from __future__ import annotations

import importlib
import re
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

from deepgram_async import AudioSource
from deepgram_async.batch._items import STORE_SCHEMES, Item
from deepgram_async.batch._suffixes import is_recording
from deepgram_async.errors import AudioSourceError, ConfigurationError, MissingDependencyError

if TYPE_CHECKING:
    from obstore import ObjectMeta
    from obstore.store import ObjectStore

__all__ = ["StoredItem", "Stores", "stored_recordings"]

_WEB_SCHEMES: Final = ("http://", "https://")

# What is read from the store at once; the upload sends it in pieces of this size.
_PIECE: Final = 256 * 1024
# Objects told in one answer of a store.
_LISTED_AT_ONCE: Final = 1000
_LONGEST_STORY: Final = 300
# Where the identity of a machine in a cloud is asked for, when there are no other credentials.
_METADATA: Final = ("/latest/api/token", "metadata.google.internal", "/metadata/identity")
_NO_CREDENTIALS: Final = (
    "there are no credentials, and this machine has no identity in the cloud: set them, such as "
    "AWS_ACCESS_KEY_ID; AWS_SKIP_SIGNATURE=true does without for what is public"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredItem:
    """A recording in an object store, recognised again by its ETag, or by size and time.

    Its bytes are streamed from the store to Deepgram, with their length told beforehand; or, with
    ``presigned_for_s``, Deepgram is given a signed URL and fetches them by itself. The URL is
    signed anew for every attempt, which needs no request.

    Args:
        store: A store of the package ``obstore``.
        path: Where the recording is in the store.
        size: Its bytes.
        version: Its ETag, or what else changes with the content.
        root: What ``path`` is appended to for people, such as ``s3://bucket/``.
        name: Where its results belong; ``path`` if left out.
        presigned_for_s: For how many seconds the URL is valid that Deepgram gets; the longest are
            seven days with S3. ``None`` streams the bytes.
    """

    store: ObjectStore = field(repr=False)
    path: str
    size: int
    version: str
    root: str = ""
    name: str = ""
    presigned_for_s: float | None = None

    def __post_init__(self) -> None:
        if not self.name:
            object.__setattr__(self, "name", self.path)

    @property
    def source(self) -> str:
        """Root and path."""
        return f"{self.root}{self.path}"

    @property
    def content_type(self) -> str | None:
        """Always ``None``: found out by the service."""
        return None

    async def identity(self) -> str:
        """Return source, size and version; no request is made."""
        return f"stored:{self.source}:{self.size}:{self.version}"

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[AudioSource]:
        """Hand on a signed URL, or the bytes, read while they are sent.

        Raises:
            AudioSourceError: The object cannot be read, or is another one by now.
            ConfigurationError: The store cannot sign URLs.
        """
        if self.presigned_for_s is None:
            yield _StoredAudio(self)
            return
        obstore = _obstore()
        lifetime = timedelta(seconds=self.presigned_for_s)
        try:
            url: str = await obstore.sign_async(self.store, "GET", self.path, lifetime)
        except ValueError:
            kind = type(self.store).__name__
            raise ConfigurationError(
                f"a {kind} signs no URLs: stream its recordings (leave out presigned_for_s)"
            ) from None
        except obstore.exceptions.BaseError as error:
            raise AudioSourceError(
                f"cannot sign a URL for {self.source!r}: {_story(error)}"
            ) from None
        yield url


class _StoredAudio:
    """The bytes of an object, from the beginning for each iteration."""

    def __init__(self, item: StoredItem) -> None:
        self.content_length: int = item.size
        self._item = item

    async def __aiter__(self) -> AsyncIterator[bytes]:
        item = self._item
        with _told(item.source):
            found = await _obstore().get_async(item.store, item.path)
            meta: ObjectMeta = found.meta
            if meta["size"] != item.size or _version(meta) != item.version:
                raise AudioSourceError(f"{item.source!r} has changed since it was listed")
            async for piece in found.stream(min_chunk_size=_PIECE):
                yield bytes(piece)


def stored_recordings(
    place: str, *, store: ObjectStore | None = None, presigned_for_s: float | None = None
) -> Iterator[Item]:
    """Yield the recordings at a place in an object store, as they are listed; blocks meanwhile.

    ::

        Batch(dg, stored_recordings("s3://calls/2026/"), model="nova-3")
        Batch(dg, stored_recordings("gs://calls/", presigned_for_s=3600), model="nova-3")

    Nothing is downloaded to look for them, and at most a thousand are in memory. Names of results
    are bucket and path. Credentials, region and endpoint are those that ``obstore`` finds: the
    usual variables (``AWS_ACCESS_KEY_ID``, ``AWS_REGION``, ``AWS_ENDPOINT_URL``,
    ``GOOGLE_SERVICE_ACCOUNT``, ``AZURE_STORAGE_ACCOUNT_NAME``, ...), and the identity of the
    machine in the cloud. Needs the extra ``pip install 'deepgram-async[cloud]'``.

    Args:
        place: ``s3://bucket/path``, ``gs://bucket/path`` or ``az://container/path``: an object, or
            everything below it, of which audio and video files count. An ``http(s)`` URL is one
            recording, which passes through this machine: for servers that Deepgram cannot reach.
        store: A store of the package ``obstore`` with settings of its own; ``place`` is a path in
            it then.
        presigned_for_s: Give Deepgram signed URLs that are valid for so many seconds, so that no
            audio passes through this machine; ``None`` streams the bytes.

    Raises:
        AudioSourceError: There is nothing at the place, or it cannot be read.
        ConfigurationError: The place has a scheme that is not known.
        MissingDependencyError: The extra ``cloud`` is not installed.
    """
    if store is None:
        return Stores(presigned_for_s).recordings(place)
    return _found_at(place, store, "", place, presigned_for_s)


class Stores:
    """The stores of several places, each opened once.

    Args:
        presigned_for_s: As for `stored_recordings`.
    """

    def __init__(self, presigned_for_s: float | None) -> None:
        self._presigned_for_s = presigned_for_s
        self._open: dict[str, ObjectStore] = {}

    def recordings(self, place: str, *, name: str = "") -> Iterator[Item]:
        """Yield the recordings at a place, as `stored_recordings` does.

        Args:
            place: Where they are.
            name: Where the results of the only one belong.
        """
        root, path = _split(place)
        if root not in self._open:
            with _told(place):
                self._open[root] = _store_at(root)
        for item in _found_at(place, self._open[root], root, path, self._presigned_for_s):
            yield replace(item, name=name) if name else item


def _found_at(
    place: str, store: ObjectStore, root: str, path: str, presigned_for_s: float | None
) -> Iterator[StoredItem]:
    obstore = _obstore()
    # A port is no part of a name that every file system takes.
    bucket = root.partition("://")[2].replace(":", "_")

    def item(meta: ObjectMeta) -> StoredItem:
        return StoredItem(
            store=store,
            path=meta["path"],
            size=meta["size"],
            version=_version(meta),
            root=root,
            name=f"{bucket}{meta['path']}",
            presigned_for_s=presigned_for_s,
        )

    is_empty = True
    with _told(place):
        if path and not path.endswith("/"):
            try:
                yield item(obstore.head(store, path))
                return
            except FileNotFoundError:
                pass  # perhaps there is something below it
        for listed in obstore.list(store, path or None, chunk_size=_LISTED_AT_ONCE):
            for meta in listed:
                if is_recording(meta["path"]):
                    is_empty = False
                    yield item(meta)
    if is_empty:
        raise AudioSourceError(f"there are no recordings at {place!r}")


def _version(meta: ObjectMeta) -> str:
    return meta["e_tag"] or meta["last_modified"].isoformat()


def _split(place: str) -> tuple[str, str]:
    """Return where the store is, with a slash at its end, and the path in it."""
    scheme, _, rest = place.partition("://")
    if not place.startswith((*STORE_SCHEMES, *_WEB_SCHEMES)):
        raise ConfigurationError(
            f"{place!r} is in no store that is known: write s3://, gs://, az:// or http(s)://"
        )
    bucket, _, path = rest.partition("/")
    if not bucket:
        raise ConfigurationError(f"{place!r} names no bucket")
    if place.startswith(_WEB_SCHEMES):
        if "?" in path or "@" in bucket:
            raise ConfigurationError(
                "a web address with a query or a password is only fetched by Deepgram itself"
            )
        path = unquote(path)
    return f"{scheme}://{bucket}/", path


def _store_at(root: str) -> ObjectStore:
    obstore = _obstore()
    if root.startswith(_WEB_SCHEMES):
        options = {"allow_http": root.startswith("http://")}
        web: ObjectStore = obstore.store.HTTPStore.from_url(root, client_options=options)
        return web
    found: ObjectStore = obstore.store.from_url(root)
    return found


@contextmanager
def _told(place: str) -> Generator[None]:
    """Turn what the package raises into an error of ours, without the details it adds."""
    try:
        yield
    except FileNotFoundError:
        raise AudioSourceError(f"there is no object {place!r}") from None
    except (OSError, ValueError, _obstore().exceptions.BaseError) as error:
        story = _story(error)
        hint = _NO_CREDENTIALS if any(part in story for part in _METADATA) else None
        raise AudioSourceError(f"cannot read {place!r}: {story}", hint=hint) from None


def _story(error: BaseException) -> str:
    """Return the first line: the others tell of the inside of the package."""
    story = str(error).partition("\n")[0].strip()
    # A signature in an address is a secret.
    return re.sub(r"\?\S+", "?...", story)[:_LONGEST_STORY] or type(error).__name__


def _obstore() -> Any:
    """Return the package, whose types are partly those of packages that need not be there.

    Raises:
        MissingDependencyError: The extra is not installed.
    """
    try:
        obstore = importlib.import_module("obstore")
        for part in ("exceptions", "store"):
            importlib.import_module(f"obstore.{part}")
    except ModuleNotFoundError as error:
        if error.name != "obstore":
            raise
        raise MissingDependencyError(
            "object stores need an extra: pip install 'deepgram-async[cloud]'"
        ) from None
    return obstore
