"""Recordings found in directories, by patterns and in lists."""

from __future__ import annotations

import glob
import mimetypes
import os
from collections.abc import Iterator
from pathlib import Path, PurePath
from typing import Final

import msgspec

from deepgram_async.batch._items import FileItem, Item, UrlItem, is_url
from deepgram_async.errors import AudioSourceError

__all__ = ["is_recording", "listed_recordings", "recordings"]

# Formats that Deepgram takes and the table of media types of a system may not know.
_AUDIO: Final = frozenset(
    ".3gp .aac .ac3 .aif .aiff .alac .amr .caf .flac .m4a .m4b .mka .mkv .mp2 .mp3 .mp4 .mpga .oga "
    ".ogg .opus .spx .wav .weba .webm .wma".split()
)


def recordings(*places: str | os.PathLike[str]) -> Iterator[Item]:
    """Yield what is found at some places, in a fixed order; blocks while directories are read.

    ::

        Batch(dg, recordings("calls/2026"), model="nova-3")
        Batch(dg, recordings("calls/*/in.wav", "https://example.com/a.mp3"), model="nova-3")

    Names of files are their paths from the directory on that all places have in common; for a
    single directory that is the directory itself.

    Args:
        *places: A directory, of which every audio and video file counts, those in its directories
            too, and nothing whose name begins with a dot; a pattern with ``*``, ``?``, ``[...]``
            or ``**``; a file of whatever kind; or an ``http(s)`` URL.

    Raises:
        AudioSourceError: There is nothing at a place; raised when its turn comes.
    """
    local = [os.fspath(place) for place in places if not is_url(place)]
    base = os.path.commonpath([os.path.abspath(_root(place)) for place in local]) if local else ""
    for place in places:
        if is_url(place):
            yield UrlItem(os.fspath(place))
            continue
        for path in _files_at(os.fspath(place)):
            name = os.path.relpath(os.path.abspath(path), base)
            yield FileItem(path, PurePath(name).as_posix())


def listed_recordings(path: str | os.PathLike[str]) -> Iterator[Item]:
    """Yield the recordings of a list; blocks while it is read.

    A file that ends in ``.jsonl`` has an object on each line, with ``source`` (a path or URL) and
    perhaps ``name`` (where its results belong). Any other has a path or URL on each line; empty
    lines and those that begin with ``#`` do not count. Paths start where the list is.

    Args:
        path: The list.

    Raises:
        AudioSourceError: It cannot be read, or a line is not as it should be; the message tells
            which.
    """
    file_path = Path(path)
    try:
        with file_path.open("rb") as file:
            for number, line in enumerate(file, 1):
                try:
                    listed = _read(line.strip(), file_path.suffix == ".jsonl")
                except (msgspec.DecodeError, UnicodeDecodeError) as error:
                    raise AudioSourceError(f"line {number} of {file_path}: {error}") from None
                if listed is not None:
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
    with os.scandir(directory) as scan:
        entries = sorted(scan, key=lambda entry: entry.name)
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(entry.path)
        elif entry.is_file() and is_recording(entry.name):
            yield entry.path


def is_recording(name: str) -> bool:
    """Whether a file with this name, or path, is audio or video."""
    if os.path.splitext(name)[1].lower() in _AUDIO:
        return True
    kind = mimetypes.guess_type(name)[0] or ""
    return kind.startswith(("audio/", "video/"))


def _root(place: str) -> str:
    """Return the directory that a place is in, or is."""
    if os.path.isdir(place):
        return place
    if not os.path.exists(place):
        while glob.has_magic(place):
            place = os.path.dirname(place)
        return place
    return os.path.dirname(place)
