"""TLS for connections that are many and mostly quiet: no buffers beyond what waits.

That of asyncio holds 256 KiB for each connection, from its beginning to its end.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from typing import Final, Generic, TypeVar, cast

from deepgram_async._io.shared_buffer import BufferedReader

__all__ = ["TlsConnection"]

# More than one record never comes out at once.
_RECORD_BYTES: Final = 16 << 10
_BROKEN: Final = "the TLS handshake was broken off"

P = TypeVar("P", bound=BufferedReader)


class TlsConnection(BufferedReader, asyncio.Transport, Generic[P]):
    """Encrypts what a protocol writes and decrypts what it is to read.

    To the network it is a protocol, to ``inner`` a transport.
    """

    inner: P

    def __init__(
        self, make_inner: Callable[[], P], context: ssl.SSLContext, server_hostname: str
    ) -> None:
        asyncio.Transport.__init__(self)
        self.inner = make_inner()
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._ssl = context.wrap_bio(
            self._incoming, self._outgoing, server_hostname=server_hostname
        )
        self._network: asyncio.Transport
        self._shaken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._is_established = False

    async def handshake(self) -> P:
        """Return the protocol when both sides trust each other.

        Raises:
            ssl.SSLError: They do not; the certificate may be one that nobody vouches for.
            OSError: The connection ended before.
        """
        try:
            await self._shaken
        except BaseException:
            self.abort()
            raise
        return self.inner

    # What the network calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin the handshake."""
        self._network = cast("asyncio.Transport", transport)
        self._shake()

    def data_received(self, data: bytes | memoryview) -> None:
        """Decrypt what has come."""
        self._incoming.write(data)
        if self._is_established:
            self._read()
        else:
            self._shake()

    def eof_received(self) -> None:
        """Take the end of what comes; the network closes then."""
        if self._is_established:
            self.inner.eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        """Take the end of the connection."""
        if self._is_established:
            self.inner.connection_lost(exc)
        else:
            self._settle(exc or ConnectionResetError(_BROKEN))

    def pause_writing(self) -> None:
        """Take that the peer is slower than what is written."""
        if self._is_established:
            self.inner.pause_writing()

    def resume_writing(self) -> None:
        """Take that it has caught up."""
        if self._is_established:
            self.inner.resume_writing()

    # What the inner protocol calls.

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Encrypt and write."""
        view = memoryview(data)
        try:
            while view:
                view = view[self._ssl.write(view) :]
        except ssl.SSLError:  # such as a peer that has said goodbye already
            self._network.abort()
        else:
            self._flush()

    def close(self) -> None:
        """Say goodbye and close when all is written."""
        if not self._network.is_closing():
            try:
                self._ssl.unwrap()
            except ssl.SSLError:
                pass  # the goodbye of the peer is not waited for
            self._flush()
        self._network.close()

    def abort(self) -> None:
        """Close at once."""
        self._network.abort()

    def is_closing(self) -> bool:
        """Return whether it closes or is closed."""
        return self._network.is_closing()

    def can_write_eof(self) -> bool:
        """Return that one direction cannot be closed alone."""
        return False

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Bound what waits for the network."""
        self._network.set_write_buffer_limits(high, low)

    def get_write_buffer_size(self) -> int:
        """Return how much waits for the network."""
        return self._network.get_write_buffer_size()

    # TLS.

    def _shake(self) -> None:
        try:
            self._ssl.do_handshake()
        except ssl.SSLWantReadError:
            self._flush()
            return
        except ssl.SSLError as error:
            self._flush()  # the peer is told what is wrong
            self._settle(error)
            self._network.close()
            return
        self._flush()
        self._is_established = True
        self.inner.connection_made(self)
        self._settle(None)
        self._read()

    def _settle(self, error: Exception | None) -> None:
        if self._shaken.done():
            return
        if error is None:
            self._shaken.set_result(None)
        else:
            self._shaken.set_exception(error)
            self._shaken.exception()  # seen: a caller that was cancelled never asks

    def _read(self) -> None:
        try:
            while data := self._ssl.read(_RECORD_BYTES):
                self.inner.data_received(data)
        except ssl.SSLWantReadError:
            self._flush()
        except ssl.SSLError:
            # Neither can be read on: a goodbye, or bytes that were changed on the way.
            self._end()
        else:
            self._end()

    def _end(self) -> None:
        self.inner.eof_received()
        self._network.close()

    def _flush(self) -> None:
        if self._outgoing.pending:
            self._network.write(self._outgoing.read())
