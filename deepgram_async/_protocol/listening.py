"""What both sockets that listen to audio have in common."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Final, TypeVar

import msgspec

from deepgram_async._protocol.audio_clocks import bytes_per_s_of
from deepgram_async._protocol.core import SocketCore
from deepgram_async._protocol.sockets import MessageDecoder, State
from deepgram_async.errors import AudioSourceError, OptionError

__all__ = ["CLOSE_STREAM", "ListeningCore", "terms", "written"]

E = TypeVar("E")

CLOSE_STREAM: Final = '{"type":"CloseStream"}'


class ListeningCore(SocketCore[E]):
    """A protocol whose client sends binary frames of audio and ends them with ``CloseStream``."""

    LISTENING: ClassVar[Mapping[tuple[State, str], State]] = {
        (State.OPEN, "send_audio"): State.OPEN,
        (State.OPEN, "configure"): State.OPEN,
        (State.OPEN, "close_stream"): State.CLOSING,
    }
    """The steps of ``TRANSITIONS`` that these protocols share."""

    CLOSING = CLOSE_STREAM

    audio_bytes_sent: int

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
        self._bytes_per_s = bytes_per_s_of(options)

    # What each protocol answers for itself.

    @staticmethod
    @abstractmethod
    def is_verdict(event: E, frame: str) -> bool:
        """Return whether an event answers a ``Configure`` frame."""

    def follow(self, previous: SocketCore[E], sent_bytes: int) -> None:
        """Go on where the protocol of the connection before was."""
        self.audio_bytes_sent = sent_bytes

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

    def end(self) -> str:
        """Return the frame that ends the audio.

        Raises:
            InvalidStateError: It was sent before, or the stream has ended.
        """
        self._step("close_stream")
        return CLOSE_STREAM

    def frame_sent(self, frame: str | bytes, now: float) -> None:
        """Note that a frame was written."""
        super().frame_sent(frame, now)
        if not isinstance(frame, str):
            self.audio_bytes_sent += len(frame)

    # Public attributes.

    @property
    def audio_sent_s(self) -> float | None:
        """Seconds of audio sent, or ``None`` where the format does not tell."""
        if self._bytes_per_s is None:
            return None
        return self.audio_bytes_sent / self._bytes_per_s


def written(message: msgspec.Struct) -> str:
    """Return the text frame of a message of the client, checked against the types of its fields.

    Raises:
        OptionError: A field has the wrong type; some services end a stream for that.
    """
    frame = msgspec.json.encode(message)
    try:
        msgspec.json.decode(frame, type=type(message))
    except msgspec.ValidationError as error:
        reason, _, place = str(error).rpartition(" - at `$.")
        name = place.rstrip("`").partition("[")[0].rpartition(".")[2]
        raise OptionError(f"{name}: {reason}", option=name) from None
    return frame.decode()


def terms(given: str | Iterable[str] | None) -> list[str] | None:
    """Return what repeats as a list: one string is one term, and ``None`` stays.

    Raises:
        OptionError: It is neither a string nor iterable.
    """
    if given is None:
        return None
    if not isinstance(given, Iterable):
        # For callers without a type checker.
        kind = type(given).__name__  # type: ignore[unreachable]
        raise OptionError(f"terms are a str or several, not {kind}", option="keyterms")
    return [given] if isinstance(given, str) else list(given)
