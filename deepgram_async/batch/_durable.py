"""Files that are there completely, or not at all."""

from __future__ import annotations

import os
from io import FileIO
from pathlib import Path

__all__ = ["make_directory", "sync_directory", "write_all", "write_durably"]


def write_durably(path: Path, data: bytes) -> None:
    """Write a file that survives a crash of the machine once this has returned; blocks.

    It is written beside its place and renamed: whoever looks sees the old file or the new one,
    and never a part.
    """
    make_directory(path.parent)
    part = path.with_name(f".{path.name}.part")
    with open(part, "wb", buffering=0) as file:
        write_all(file, data)
        os.fsync(file.fileno())
    os.replace(part, path)
    sync_directory(path.parent)


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
