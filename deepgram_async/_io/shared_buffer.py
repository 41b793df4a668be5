"""One buffer for all that is read from the network, instead of a new one for each read."""

from __future__ import annotations

import asyncio
import threading
from abc import abstractmethod
from typing import Final

__all__ = ["BufferedReader"]

# As much as asyncio asks the system for at a time.
_BYTES: Final = 256 << 10


class _Buffers(threading.local):
    """The buffer of each thread: a loop reads one connection at a time."""

    def __init__(self) -> None:
        self.view = memoryview(bytearray(_BYTES))


_buffers: Final = _Buffers()


class BufferedReader(asyncio.BufferedProtocol):
    """A protocol that sees what has come only while it is called.

    The transport would otherwise allocate as much for each read as could come, give nearly all of
    it back, and let the system fill it with zeros each time.
    """

    __slots__ = ()

    @abstractmethod
    def data_received(self, data: bytes | memoryview) -> None:
        """Take what has come; what is kept of a view has to be copied."""

    def get_buffer(self, sizehint: int) -> memoryview:
        """Return where the next bytes go."""
        return _buffers.view

    def buffer_updated(self, nbytes: int) -> None:
        """Take that so many have come."""
        self.data_received(_buffers.view[:nbytes])
