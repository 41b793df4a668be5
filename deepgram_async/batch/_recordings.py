"""Recordings found in directories, by patterns and in lists."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator
from pathlib import Path, PurePath

import msgspec

from deepgram_async.batch._items import FileItem, Item, UrlItem, is_in_store, is_url
from deepgram_async.batch._stored import Stores
from deepgram_async.batch._suffixes import is_recording
from deepgram_async.errors import AudioSourceError

__all__ = ["listed_recordings", "recordings"]


def recordings(
    *places: str | os.PathLike[str], presigned_for_s: float | None = None
) -> Iterator[Item]:
    """Yield what is found at some places, in a fixed order; blocks while they are looked through.

    ::

        Batch(dg, recordings("calls/2026"), model="nova-3")
        Batch(dg, recordings("calls/*/in.wav", "https://example.com/a.mp3"), model="nova-3")
        Batch(dg, recordings("s3://calls/2026/"), model="nova-3")

    Names of files are their paths from the directory on that all places have in common; for a
    single directory that is the directory itself.

    Args:
        *places: A directory, of which every audio and video file counts, those in its directories
            too, and nothing whose name begins with a dot; a pattern with ``*``, ``?``, ``[...]``
            or ``**``; a file of whatever kind; an ``http(s)`` URL; or a place in an object store
            (``s3://``, ``gs://``, ``az://``), as for `stored_recordings`.
        presigned_for_s: As for `stored_recordings`.

    Raises:
        AudioSourceError: There is nothing at a place, or a directory cannot be looked into; raised
            when its turn comes.
        MissingDependencyError: For an object store the extra ``cloud`` is not installed.
    """
    stores = Stores(presigned_for_s)
    local = [os.fspath(place) for place in places if not is_url(place) and not is_in_store(place)]
    base = os.path.commonpath([os.path.abspath(_root(place)) for place in local]) if local else ""
    for place in places:
        if is_url(place):
            yield UrlItem(os.fspath(place))
            continue
        if is_in_store(place):
            yield from stores.recordings(os.fspath(place))
            continue
        for path in _files_at(os.fspath(place)):
            name = os.path.relpath(os.path.abspath(path), base)
            yield FileItem(path, PurePath(name).as_posix())


def listed_recordings(
    path: str | os.PathLike[str], *, presigned_for_s: float | None = None
) -> Iterator[Item]:
    """Yield the recordings of a list; blocks while it is read.

    A file that ends in ``.jsonl`` has an object on each line, with ``source`` (a path, a URL or a
    place in an object store) and perhaps ``name`` (where its results belong). Any other has a
    source on each line; empty lines and those that begin with ``#`` do not count. Paths start where
    the list is.

    Args:
        path: The list.
        presigned_for_s: As for `stored_recordings`.

    Raises:
        AudioSourceError: It cannot be read, or a line is not as it should be; the message tells
            which.
    """
    file_path = Path(path)
    stores = Stores(presigned_for_s)
    try:
        with file_path.open("rb") as file:
            for number, line in enumerate(file, 1):
                try:
                    listed = _read(line.strip(), file_path.suffix == ".jsonl")
                except (msgspec.DecodeError, UnicodeDecodeError) as error:
                    raise AudioSourceError(f"line {number} of {file_path}: {error}") from None
                if listed is None:
                    continue
                if is_in_store(listed.source):
                    yield from stores.recordings(listed.source, name=listed.name)
                else:
                    yield _item(listed, file_path.parent)
    except OSError as error:
        raise AudioSourceError(f"cannot read the list {file_path}: {error.strerror}") from None


class _Listed(msgspec.Struct):
    source: str
    name: str = ""


def _read(line: bytes, is_json: bool) -> _Listed | None:
    if not line or (line.startswith(b"#") and not is_json):
        return None
    return msgspec.json.decode(line, type=_Listed) if is_json else _Listed(line.decode())


def _item(listed: _Listed, directory: Path) -> Item:
    if is_url(listed.source):
        return UrlItem(listed.source, listed.name)
    name = listed.name or FileItem(listed.source).name
    return FileItem(str(directory / listed.source), name)


def _files_at(place: str) -> Iterator[str]:
    if os.path.isdir(place):
        yield from _walk(place)
    elif os.path.exists(place):
        yield place
    elif glob.has_magic(place):
        found = sorted(path for path in glob.iglob(place, recursive=True) if os.path.isfile(path))
        if not found:
            raise AudioSourceError(f"nothing is like {place!r}")
        yield from found
    else:
        raise AudioSourceError(f"there is no file or directory {place!r}")


def _walk(directory: str) -> Iterator[str]:
    """Yield the audio and video files below a directory, one directory in memory at a time."""
    try:
        with os.scandir(directory) as scan:
            entries = sorted(scan, key=lambda entry: entry.name)
    except OSError as error:
        raise AudioSourceError(f"cannot look into {directory!r}: {error.strerror}") from None
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(entry.path)
        elif entry.is_file() and is_recording(entry.name):
            yield entry.path


def _root(place: str) -> str:
    """Return the directory that a place is in, or is."""
    if os.path.isdir(place):
        return place
    if not os.path.exists(place):
        while glob.has_magic(place):
            place = os.path.dirname(place)
        return place
    return os.path.dirname(place)
