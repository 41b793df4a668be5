"""What both sockets that listen to audio have in common."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping
from typing import ClassVar, Final, TypeVar

import msgspec

from deepgram_async._protocol.audio_core import AudioCore, frame_of
from deepgram_async._protocol.sockets import State
from deepgram_async.errors import AudioSourceError, OptionError

__all__ = ["CLOSE_STREAM", "ListeningCore", "terms", "written"]

E = TypeVar("E")

CLOSE_STREAM: Final = '{"type":"CloseStream"}'


class ListeningCore(AudioCore[E]):
    """A protocol whose client sends binary frames of audio and ends them with ``CloseStream``."""

    LISTENING: ClassVar[Mapping[tuple[State, str], State]] = {
        (State.OPEN, "send_audio"): State.OPEN,
        (State.OPEN, "configure"): State.OPEN,
        (State.OPEN, "close_stream"): State.CLOSING,
    }
    """The steps of ``TRANSITIONS`` that these protocols share."""

    CLOSING = CLOSE_STREAM

    # What each protocol answers for itself.

    @staticmethod
    @abstractmethod
    def is_verdict(event: E, frame: str) -> bool:
        """Return whether an event answers a ``Configure`` frame."""

    # Public methods for sending.

    def send_audio(self, chunk: bytes | bytearray | memoryview) -> bytes:
        """Return the frame for a chunk of audio; a buffer that may change is copied.

        Raises:
            AudioSourceError: The chunk is empty, or not made of bytes.
            InvalidStateError: The closing message was sent, or the stream has ended.
        """
        frame = chunk if type(chunk) is bytes else frame_of(chunk)
        if not frame:
            raise AudioSourceError("a chunk of audio is empty: it would end the stream")
        if self.state is not State.OPEN:  # the table allows it while open; it is asked often
            self._step("send_audio")
        return frame

    def end(self) -> str:
        """Return the frame that ends the audio.

        Raises:
            InvalidStateError: It was sent before, or the stream has ended.
        """
        self._step("close_stream")
        return CLOSE_STREAM


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
