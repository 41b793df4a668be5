"""What the protocols of all sockets that take audio have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from deepgram_async._protocol.audio_clocks import bytes_per_s_of
from deepgram_async._protocol.core import SocketCore
from deepgram_async._protocol.sockets import MessageDecoder
from deepgram_async.errors import AudioSourceError

__all__ = ["AudioCore", "frame_of"]

E = TypeVar("E")


class AudioCore(SocketCore[E]):
    """A protocol whose client sends binary frames of audio."""

    def __init__(
        self,
        decoder: MessageDecoder[Any],
        options: Mapping[str, object],
        *,
        now: float,
        keepalive_s: float | None = None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(decoder, now=now, keepalive_s=keepalive_s, request_id=request_id)
        self.audio_bytes_sent = 0
        self.bytes_per_s = bytes_per_s_of(options)

    def follow(self, previous: SocketCore[E], sent_bytes: int) -> None:
        """Go on where the protocol of the connection before was."""
        self.audio_bytes_sent = sent_bytes

    def frame_sent(self, frame: str | bytes, now: float) -> None:
        """Note that a frame was written."""
        if isinstance(frame, str):
            self._last_sent_at = now
            return
        if self.first_audio_at is None:
            self.first_audio_at = now
        self.audio_sent(len(frame), now)

    @property
    def audio_sent_s(self) -> float | None:
        """Seconds of audio sent, or ``None`` where the format does not tell."""
        if self.bytes_per_s is None:
            return None
        return self.audio_bytes_sent / self.bytes_per_s


def frame_of(chunk: bytes | bytearray | memoryview) -> bytes:
    """Return the frame for a chunk of audio; a buffer that may change is copied.

    Raises:
        AudioSourceError: The chunk is not made of bytes.
    """
    if not isinstance(chunk, bytes | bytearray | memoryview):
        # For callers without a type checker.
        kind = type(chunk).__name__  # type: ignore[unreachable]
        raise AudioSourceError(f"a chunk of audio must be bytes, not {kind}")
    return bytes(chunk)
