"""A file that appears when it is complete."""

from __future__ import annotations

import secrets
from io import BufferedWriter
from os import PathLike
from pathlib import Path

__all__ = ["GrowingFile"]


class GrowingFile:
    """A file that is written under another name beside its place, and moved there at the end.

    A device or a pipe is written to directly. All methods block.
    """

    def __init__(self, path: str | PathLike[str]) -> None:
        """Create the file.

        Raises:
            OSError: That is not possible there.
        """
        self._target = Path(path).resolve()
        self._is_moved = self._target.is_file() or not self._target.exists()
        name = f".{self._target.name}.{secrets.token_hex(4)}"
        self._written = self._target.with_name(name) if self._is_moved else self._target
        self._file: BufferedWriter = self._written.open("wb")

    def write(self, data: bytes) -> None:
        """Add bytes at the end."""
        self._file.write(data)

    def finish(self) -> None:
        """Close the file and put it in its place."""
        self._file.close()
        if self._is_moved:
            self._written.replace(self._target)

    def abandon(self) -> None:
        """Close the file and remove it."""
        self._file.close()
        if self._is_moved:
            self._written.unlink(missing_ok=True)
