"""Files that are there completely, or not at all."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from io import FileIO
from pathlib import Path

__all__ = ["keep_others_out", "make_directory", "sync_directory", "write_all", "write_durably"]


def write_durably(
    files: Iterable[tuple[Path, bytes]], threads: ThreadPoolExecutor | None = None
) -> None:
    """Write files that survive a crash of the machine once this has returned; blocks.

    Each is written beside its place and renamed: whoever looks sees the old file or the new one,
    and never a part.

    Args:
        files: Places, and what belongs there.
        threads: Wait for the disk: what it has to promise for several files at the same time, it
            promises together.
    """
    written: list[tuple[Path, Path]] = []
    try:
        with ExitStack() as stack:
            opened: list[FileIO] = []
            for path, data in files:
                make_directory(path.parent)
                part = path.with_name(f".{path.name}.part")
                file = stack.enter_context(open(part, "wb", buffering=0))
                written.append((part, path))
                write_all(file, data)
                opened.append(file)
            _sync_files([file.fileno() for file in opened], threads)
        for part, path in written:
            os.replace(part, path)
    except BaseException:
        for part, _ in written:
            part.unlink(missing_ok=True)  # a disk that is full needs the room
        raise
    for directory in {path.parent for _, path in written}:
        sync_directory(directory)


def _sync_files(descriptors: list[int], threads: ThreadPoolExecutor | None) -> None:
    if threads is not None and len(descriptors) > 1:
        list(threads.map(os.fsync, descriptors))  # waits for all, and raises
        return
    for descriptor in descriptors:
        os.fsync(descriptor)


def write_all(file: FileIO, data: bytes) -> None:
    """Write bytes to a file without a buffer, which may take them in parts; blocks."""
    left = memoryview(data)
    while left:
        left = left[file.write(left) :]


def make_directory(path: Path) -> None:
    """Make a directory and those above it, as durable as the files in it; blocks."""
    if path.is_dir():
        return
    make_directory(path.parent)
    path.mkdir(exist_ok=True)
    sync_directory(path.parent)


def sync_directory(path: Path) -> None:
    """Make the names in a directory survive a crash of the machine; blocks."""
    if os.name == "nt":
        return  # Windows opens no directories, and needs no such call
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def keep_others_out(descriptor: int, path: Path) -> None:
    """Lock a file or a directory until its descriptor is closed, if only by a crash.

    Windows, and file systems without locks, lock nothing.

    Raises:
        BlockingIOError: Another batch has locked it.
    """
    if sys.platform == "win32":
        return
    import fcntl  # Windows has none

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise BlockingIOError(errno.EAGAIN, "another batch writes to it", str(path)) from None
    except OSError:
        pass  # some network file systems
