"""The live transcription socket, ``/v1/listen``, without I/O."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, ClassVar, Final, get_args

import msgspec

from deepgram_async._protocol.core import SocketCore
from deepgram_async._protocol.sockets import MessageDecoder, State
from deepgram_async.errors import AudioSourceError
from deepgram_async.models.live import ListenEvent, ListenMessage, Metadata, Results

__all__ = ["ListenV1Core"]

# Bytes of one sample; the other encodings are compressed and tell nothing about time.
_SAMPLE_BYTES: Final = {"linear16": 2, "linear32": 4, "mulaw": 1, "alaw": 1}
_KEEP_ALIVE: Final = '{"type":"KeepAlive"}'
_FINALIZE: Final = '{"type":"Finalize"}'
_CLOSE_STREAM: Final = '{"type":"CloseStream"}'


class ListenV1Core(SocketCore[ListenEvent]):
    """The protocol of one live transcription.

    The client sends binary frames of audio and text frames of JSON. The service says nothing
    before audio has arrived; then it sends ``Results``, interim ones that are rewritten and final
    ones that stay, and on request ``SpeechStarted`` and ``UtteranceEnd``. A stream without any
    frame for ten seconds is closed by the service, so a ``KeepAlive`` is due in every longer
    pause. After ``CloseStream`` come the results that were still owed, one ``Metadata``, and the
    close. An empty binary frame is an older way to say ``CloseStream`` and is never sent here.
    """

    PATH = "/v1/listen"
    OPERATION = "WebSocket /v1/listen"
    TRANSITIONS: ClassVar[Mapping[tuple[State, str], State]] = {
        (State.OPEN, "send_audio"): State.OPEN,
        (State.OPEN, "finalize"): State.OPEN,
        (State.OPEN, "keep_alive"): State.OPEN,
        (State.OPEN, "close_stream"): State.CLOSING,
    }
    KEEP_ALIVE = _KEEP_ALIVE

    audio_bytes_sent: int

    def __init__(
        self,
        options: Mapping[str, object],
        *,
        now: float,
        keepalive_s: float | None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(_decoder(), now=now, keepalive_s=keepalive_s, request_id=request_id)
        self.audio_bytes_sent = 0
        self._bytes_per_s = _bytes_per_s(options)

    # Public methods for sending.

    def send_audio(self, chunk: bytes | bytearray | memoryview) -> bytes:
        """Return the frame for a chunk of audio; a buffer that may change is copied.

        Raises:
            AudioSourceError: The chunk is empty, or not made of bytes.
            InvalidStateError: The closing message was sent, or the stream has ended.
        """
        if not isinstance(chunk, bytes | bytearray | memoryview):
            # For callers without a type checker.
            kind = type(chunk).__name__  # type: ignore[unreachable]
            raise AudioSourceError(f"a chunk of audio must be bytes, not {kind}")
        if not chunk:
            raise AudioSourceError("a chunk of audio is empty: it would end the stream")
        self._step("send_audio")
        return bytes(chunk)

    def finalize(self, channel: int | None = None) -> str:
        """Return the frame that asks for the results of all audio sent so far.

        Raises:
            InvalidStateError: The closing message was sent, or the stream has ended.
        """
        self._step("finalize")
        if channel is None:
            return _FINALIZE
        return msgspec.json.encode({"type": "Finalize", "channel": channel}).decode()

    def keep_alive(self) -> str:
        """Return the frame that keeps a silent stream open.

        Raises:
            InvalidStateError: The closing message was sent, or the stream has ended.
        """
        self._step("keep_alive")
        return _KEEP_ALIVE

    def end(self) -> str:
        """Return the frame that ends the audio.

        Raises:
            InvalidStateError: It was sent before, or the stream has ended.
        """
        self._step("close_stream")
        return _CLOSE_STREAM

    def frame_sent(self, frame: str | bytes, now: float) -> None:
        """Note that a frame was written."""
        self._last_sent_at = now
        if not isinstance(frame, str):
            self.audio_bytes_sent += len(frame)

    # Public methods for receiving.

    def receive(self, frame: str | bytes) -> ListenEvent:
        """Return the event in a frame of the service; never raises."""
        event = super().receive(frame)
        if type(event) is Metadata:
            self._all_was_said = True
        return event

    @staticmethod
    def is_expendable(event: ListenEvent) -> bool:
        """Return whether a later event supersedes this one: an interim result."""
        return isinstance(event, Results) and event.is_final is not True

    # Public attributes.

    @property
    def audio_sent_s(self) -> float | None:
        """Seconds of audio sent, or ``None`` where the format does not tell."""
        if self._bytes_per_s is None:
            return None
        return self.audio_bytes_sent / self._bytes_per_s


@cache
def _decoder() -> MessageDecoder[Any]:
    names = frozenset(kind.__name__ for kind in get_args(ListenMessage))
    return MessageDecoder(ListenMessage, names)


def _bytes_per_s(options: Mapping[str, object]) -> float | None:
    width = _SAMPLE_BYTES.get(str(options.get("encoding")))
    rate = options.get("sample_rate")
    channels = options.get("channels") or 1
    if width is None or not isinstance(rate, int) or not isinstance(channels, int):
        return None
    return float(width * rate * channels)
