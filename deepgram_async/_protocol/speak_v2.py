"""The speaking socket of the Flux voices, ``/v2/speak``, without I/O."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, ClassVar, Final, get_args

import msgspec

from deepgram_async._protocol.core import SocketCore
from deepgram_async._protocol.sockets import Fatal, MessageDecoder, State
from deepgram_async._protocol.speech_text import require_text
from deepgram_async.errors import OptionError
from deepgram_async.models.speak_flux import (
    Connected,
    Error,
    FluxSpeakEvent,
    FluxSpeakMessage,
    SessionMetadata,
)

__all__ = ["SpeakV2Core"]

_FLUSH: Final = '{"type":"Flush"}'
_CLOSE: Final = '{"type":"Close"}'
# Messages of this client that the next connection would refuse too.
_FAULTS_OF_THE_CLIENT: Final = ("BIG-", "DATA-", "MESSAGE-")


class SpeakV2Core(SocketCore[FluxSpeakEvent]):
    """The protocol of one stream of speech in turns.

    The service begins with ``Connected``. The first ``Speak`` opens a turn, further ones add to
    it to the letter, and ``Flush`` ends its text. The audio of a turn lies between its
    ``SpeechStarted`` and its ``SpeechMetadata``; a turn that was opened meanwhile waits for that.
    ``Interrupt`` ends the turn that is being spoken, with ``SpeechInterrupted`` instead;
    ``Configure`` changes the speed. After ``Close`` comes all audio that is still owed,
    ``SessionMetadata``, and the close. An ``Error`` is followed by a close too. A stream without
    any frame for sixty seconds is closed by the service; the pings of the connection prevent it.
    """

    PATH = "/v2/speak"
    OPERATION = "WebSocket /v2/speak"
    CLOSING = _CLOSE
    TRANSITIONS: ClassVar[Mapping[tuple[State, str], State]] = {
        (State.OPEN, "send_text"): State.OPEN,
        (State.OPEN, "flush"): State.OPEN,
        (State.OPEN, "interrupt"): State.OPEN,
        (State.OPEN, "configure"): State.OPEN,
        (State.OPEN, "close"): State.CLOSING,
    }

    def __init__(self, *, now: float, request_id: str | None = None) -> None:
        super().__init__(_decoder(), now=now, request_id=request_id)
        self._played_ms = -1

    # Public methods for sending.

    def send_text(self, text: str) -> str:
        """Return the frame that adds text to the turn, or opens one.

        Raises:
            OptionError: There is no text.
            InvalidStateError: The closing message was sent, or the stream has ended.
        """
        require_text(text)
        self._step("send_text")
        return msgspec.json.encode({"type": "Speak", "text": text}).decode()

    def flush(self) -> str:
        """Return the frame that ends the text of the turn.

        Raises:
            InvalidStateError: The closing message was sent, or the stream has ended.
        """
        self._step("flush")
        return _FLUSH

    def interrupt(self, played_ms: int | None = None) -> str:
        """Return the frame that ends the turn that is being spoken.

        Args:
            played_ms: Audio that the listener has heard since the stream was opened.

        Raises:
            OptionError: ``played_ms`` is not more than at the interruption before.
            InvalidStateError: The closing message was sent, or the stream has ended.
        """
        message: dict[str, object] = {"type": "Interrupt"}
        if played_ms is not None:
            if played_ms <= self._played_ms:
                raise OptionError(
                    f"played_ms={played_ms}: it counts from the start of the stream and grows, "
                    f"so it must be more than {self._played_ms}",
                    option="played_ms",
                )
            message["playback_offset"] = {"type": "time_ms", "value": played_ms}
        self._step("interrupt")
        if played_ms is not None:
            self._played_ms = played_ms
        return msgspec.json.encode(message).decode()

    def configure(self, *, speed: float | None = None) -> str:
        """Return the frame that changes settings from the next segment on.

        Raises:
            InvalidStateError: The closing message was sent, or the stream has ended.
        """
        self._step("configure")
        message: dict[str, object] = {"type": "Configure"}
        if speed is not None:
            message["speed"] = speed
        return msgspec.json.encode(message).decode()

    def end(self) -> str:
        """Return the frame that asks for the remaining audio and the close.

        Raises:
            InvalidStateError: It was sent before, or the stream has ended.
        """
        self._step("close")
        return _CLOSE

    # Public methods for receiving.

    def receive(self, frame: str | bytes) -> FluxSpeakEvent:
        """Return the event in a frame, which is the frame itself for audio; never raises."""
        if not isinstance(frame, str):
            return frame
        event = super().receive(frame)
        match event:
            case Connected() if self.request_id is None:
                self.request_id = event.request_id
            case SessionMetadata():
                self._all_was_said = True
            case Error():
                self._fatal = Fatal(
                    event.code,
                    event.description,
                    retryable=not event.code.startswith(_FAULTS_OF_THE_CLIENT),
                )
            case _:
                pass
        return event

    @staticmethod
    def is_expendable(event: FluxSpeakEvent) -> bool:
        """Return whether a later event supersedes this one: none does."""
        return False


@cache
def _decoder() -> MessageDecoder[Any]:
    names = frozenset(kind.__name__ for kind in get_args(FluxSpeakMessage))
    return MessageDecoder(FluxSpeakMessage, names)
