"""The live transcription socket, ``/v1/listen``, without I/O."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Final, get_args

import msgspec

from deepgram_async._protocol.sockets import Close, MessageDecoder, State, lost, step
from deepgram_async.errors import AudioSourceError, ConnectionLostError
from deepgram_async.models.live import ListenEvent, ListenMessage, Metadata, Results

__all__ = ["OPERATION", "PATH", "ListenV1Core"]

PATH: Final = "/v1/listen"
OPERATION: Final = "WebSocket /v1/listen"

_TRANSITIONS: Final[Mapping[tuple[State, str], State]] = {
    (State.OPEN, "send_audio"): State.OPEN,
    (State.OPEN, "finalize"): State.OPEN,
    (State.OPEN, "keep_alive"): State.OPEN,
    (State.OPEN, "close_stream"): State.CLOSING,
}
# Bytes of one sample; the other encodings are compressed and tell nothing about time.
_SAMPLE_BYTES: Final = {"linear16": 2, "linear32": 4, "mulaw": 1, "alaw": 1}
# Ends that the same stream would meet again: audio that cannot be decoded, a broken protocol, a
# frame that is too large (Deepgram docs, "Errors": WebSocket close codes). All others are worth
# another connection.
_FINAL_CLOSES: Final = frozenset({1002, 1003, 1007, 1008, 1009})
_KEEP_ALIVE: Final = '{"type":"KeepAlive"}'
_FINALIZE: Final = '{"type":"Finalize"}'
_CLOSE_STREAM: Final = '{"type":"CloseStream"}'


class ListenV1Core:
    """The protocol of one live transcription.

    The client sends binary frames of audio and text frames of JSON. The service says nothing
    before audio has arrived; then it sends ``Results``, interim ones that are rewritten and final
    ones that stay, and on request ``SpeechStarted`` and ``UtteranceEnd``. A stream without any
    frame for ten seconds is closed by the service, so a ``KeepAlive`` is due in every longer
    pause. After ``CloseStream`` come the results that were still owed, one ``Metadata``, and the
    close. An empty binary frame is an older way to say ``CloseStream`` and is never sent here.

    Every method that sends returns the frame to write. Time comes in as an argument, in seconds
    of any clock that runs evenly.
    """

    __slots__ = (
        "_bytes_per_s",
        "_decoder",
        "_keepalive_s",
        "_last_sent_at",
        "_metadata_came",
        "audio_bytes_sent",
        "close_error",
        "request_id",
        "state",
    )

    state: State
    audio_bytes_sent: int
    close_error: ConnectionLostError | None
    """Why the stream ended, if nobody asked for it; set by ``receive_close``."""
    request_id: str | None

    def __init__(
        self,
        options: Mapping[str, object],
        *,
        now: float,
        keepalive_s: float | None,
        request_id: str | None = None,
    ) -> None:
        self.state = State.OPEN
        self.audio_bytes_sent = 0
        self.close_error = None
        self.request_id = request_id
        self._bytes_per_s = _bytes_per_s(options)
        self._decoder = _decoder()
        self._keepalive_s = keepalive_s
        self._last_sent_at = now
        self._metadata_came = False

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
        self.state = step(_TRANSITIONS, self.state, "send_audio")
        return bytes(chunk)

    def finalize(self, channel: int | None = None) -> str:
        """Return the frame that asks for the results of all audio sent so far.

        Raises:
            InvalidStateError: The closing message was sent, or the stream has ended.
        """
        self.state = step(_TRANSITIONS, self.state, "finalize")
        if channel is None:
            return _FINALIZE
        return _json({"type": "Finalize", "channel": channel})

    def keep_alive(self) -> str:
        """Return the frame that keeps a silent stream open.

        Raises:
            InvalidStateError: The closing message was sent, or the stream has ended.
        """
        self.state = step(_TRANSITIONS, self.state, "keep_alive")
        return _KEEP_ALIVE

    def close_stream(self) -> str:
        """Return the frame that ends the audio.

        Raises:
            InvalidStateError: It was sent before, or the stream has ended.
        """
        self.state = step(_TRANSITIONS, self.state, "close_stream")
        return _CLOSE_STREAM

    def frame_sent(self, frame: str | bytes, now: float) -> None:
        """Note that a frame was written."""
        self._last_sent_at = now
        if not isinstance(frame, str):
            self.audio_bytes_sent += len(frame)

    # Public methods for time.

    @property
    def deadline(self) -> float | None:
        """When ``on_deadline`` wants to be called; ``None`` for never."""
        if self._keepalive_s is None or self.state is not State.OPEN:
            return None
        return self._last_sent_at + self._keepalive_s

    def on_deadline(self, now: float) -> str | None:
        """Return the KeepAlive that is due, or ``None`` if something was sent meanwhile."""
        deadline = self.deadline
        if deadline is None or now < deadline:
            return None
        return self.keep_alive()

    # Public methods for receiving.

    def receive(self, frame: str | bytes) -> ListenEvent:
        """Return the event in a frame of the service; never raises."""
        event = self._decoder.decode(frame)
        if type(event) is Metadata:
            self._metadata_came = True
        return event

    def receive_close(self, close: Close) -> None:
        """Settle how the stream ended: ``close_error`` is ``None`` if it was asked for.

        After the closing message a close with 1000, 1001 or without a code is the regular end. So
        is any close once ``Metadata`` came after it: the service had said everything.
        """
        asked = self.state is State.CLOSING and (
            self._metadata_came or close.code in (1000, 1001, 1005)
        )
        if not asked and self.close_error is None and self.state is not State.CLOSED:
            self.close_error = lost(
                close,
                operation=OPERATION,
                request_id=self.request_id,
                audio_sent_s=self.audio_sent_s,
                retryable=close.code not in _FINAL_CLOSES,
            )
        self.state = State.CLOSED

    # Public attributes.

    @property
    def audio_sent_s(self) -> float | None:
        """Seconds of audio sent, or ``None`` where the format does not tell."""
        if self._bytes_per_s is None:
            return None
        return self.audio_bytes_sent / self._bytes_per_s

    @staticmethod
    def is_expendable(event: ListenEvent) -> bool:
        """Return whether a later event supersedes this one: an interim result."""
        return isinstance(event, Results) and event.is_final is not True


def _json(message: Mapping[str, object]) -> str:
    return msgspec.json.encode(message).decode()


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
