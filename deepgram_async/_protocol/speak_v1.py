"""The speaking socket of the Aura voices, ``/v1/speak``, without I/O."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, ClassVar, Final, get_args

import msgspec

from deepgram_async._protocol.core import SocketCore
from deepgram_async._protocol.sockets import MessageDecoder, State
from deepgram_async._protocol.speech_text import require_text
from deepgram_async.models.speak import Metadata, SpeakEvent, SpeakMessage

__all__ = ["MOST_CHARACTERS", "MOST_FLUSHES", "SpeakV1Core"]

# What one connection takes in a minute (Deepgram docs, "TTS WebSocket limits").
MOST_FLUSHES: Final = 20
"""More are ignored."""
MOST_CHARACTERS: Final = 2400
"""More of them end the connection."""

_FLUSH: Final = '{"type":"Flush"}'
_CLEAR: Final = '{"type":"Clear"}'
_CLOSE: Final = '{"type":"Close"}'


class SpeakV1Core(SocketCore[SpeakEvent]):
    """The protocol of one stream of speech.

    The service begins with ``Metadata``. ``Speak`` adds text to a buffer, and audio comes as
    binary frames when there is enough of it. ``Flush`` asks for the audio of all that waits and is
    answered by ``Flushed`` behind that audio; ``Clear`` drops what waits and is answered by
    ``Cleared``, behind which nothing of it follows. ``Close`` flushes, and the service closes when
    the last audio is sent. There is no KeepAlive.
    """

    PATH = "/v1/speak"
    OPERATION = "WebSocket /v1/speak"
    CLOSING = _CLOSE
    TRANSITIONS: ClassVar[Mapping[tuple[State, str], State]] = {
        (State.OPEN, "send_text"): State.OPEN,
        (State.OPEN, "flush"): State.OPEN,
        (State.OPEN, "clear"): State.OPEN,
        (State.OPEN, "close"): State.CLOSING,
    }

    def __init__(self, *, now: float, request_id: str | None = None) -> None:
        super().__init__(_decoder(), now=now, request_id=request_id)

    # Public methods for sending.

    def send_text(self, text: str) -> str:
        """Return the frame that adds text to the buffer.

        Raises:
            OptionError: There is no text.
            InvalidStateError: The closing message was sent, or the stream has ended.
        """
        require_text(text)
        self._step("send_text")
        return msgspec.json.encode({"type": "Speak", "text": text}).decode()

    def flush(self) -> str:
        """Return the frame that asks for the audio of all text sent so far.

        Raises:
            InvalidStateError: The closing message was sent, or the stream has ended.
        """
        self._step("flush")
        return _FLUSH

    def clear(self) -> str:
        """Return the frame that drops text and audio that have not been sent.

        Raises:
            InvalidStateError: The closing message was sent, or the stream has ended.
        """
        self._step("clear")
        return _CLEAR

    def end(self) -> str:
        """Return the frame that asks for the remaining audio and the close.

        Raises:
            InvalidStateError: It was sent before, or the stream has ended.
        """
        self._step("close")
        return _CLOSE

    # Public methods for receiving.

    def receive(self, frame: str | bytes) -> SpeakEvent:
        """Return the event in a frame, which is the frame itself for audio; never raises."""
        if not isinstance(frame, str):
            return frame
        event = super().receive(frame)
        if type(event) is Metadata and self.request_id is None:
            self.request_id = event.request_id
        return event

    @staticmethod
    def is_expendable(event: SpeakEvent) -> bool:
        """Return whether a later event supersedes this one: none does."""
        return False


@cache
def _decoder() -> MessageDecoder[Any]:
    names = frozenset(kind.__name__ for kind in get_args(SpeakMessage))
    return MessageDecoder(SpeakMessage, names)
