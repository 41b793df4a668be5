"""The Flux socket, ``/v2/listen``, without I/O."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, ClassVar, Final, get_args

import msgspec

from deepgram_async._protocol.core import SocketCore
from deepgram_async._protocol.listening import ListeningCore, terms, written
from deepgram_async._protocol.sockets import Fatal, MessageDecoder, State
from deepgram_async._protocol.turns import Turns, TurnState
from deepgram_async.models.flux import (
    ConfigureFailure,
    ConfigureSuccess,
    Error,
    FluxEvent,
    FluxMessage,
    TurnInfo,
)

__all__ = ["ListenV2Core"]

_FORCE_END_TURN: Final = '{"type":"ForceEndTurn"}'


class ListenV2Core(ListeningCore[FluxEvent]):
    """The protocol of one conversation with Flux.

    The service sends ``Connected`` at once, then a ``TurnInfo`` about four times for each second
    of audio; ``Turns`` knows their order. Every message has a number. A ``Configure`` is answered
    by one ``ConfigureSuccess`` or ``ConfigureFailure``, in order with the audio. A ``Warning``
    changes nothing; an ``Error`` is fatal, and a close follows. There is no KeepAlive: pings of
    the WebSocket hold the connection. After ``CloseStream`` come the updates that were still owed
    and a close without a code; there is no last message, and a turn that is under way does not
    end: ``ForceEndTurn`` ends it.
    """

    PATH = "/v2/listen"
    OPERATION = "WebSocket /v2/listen"
    TRANSITIONS: ClassVar[Mapping[tuple[State, str], State]] = {
        **ListeningCore.LISTENING,
        (State.OPEN, "force_end_turn"): State.OPEN,
    }

    turns: Turns

    def __init__(
        self, options: Mapping[str, object], *, now: float, request_id: str | None = None
    ) -> None:
        super().__init__(_decoder(), options, now=now, request_id=request_id)
        self.turns = Turns()

    def follow(self, previous: SocketCore[FluxEvent], sent_bytes: int) -> None:
        """Go on where the protocol of the connection before was."""
        super().follow(previous, sent_bytes)
        assert isinstance(previous, ListenV2Core), "a stream speaks one protocol"
        self.turns = previous.turns
        self.turns.restart()

    # Public methods for sending.

    def configure(
        self,
        *,
        eot_threshold: float | None = None,
        eager_eot_threshold: float | None = None,
        eot_timeout_ms: int | None = None,
        keyterms: str | Iterable[str] | None = None,
        language_hints: str | Iterable[str] | None = None,
        numerals: bool | None = None,
    ) -> str:
        """Return the frame that changes the configuration; ``None`` changes nothing.

        Raises:
            OptionError: An argument has the wrong type; the service would end the stream.
            InvalidStateError: The closing message was sent, or the stream has ended.
        """
        thresholds = _Thresholds(
            eot_threshold=eot_threshold,
            eager_eot_threshold=eager_eot_threshold,
            eot_timeout_ms=eot_timeout_ms,
        )
        message = _Configure(
            thresholds=None if thresholds == _Thresholds() else thresholds,
            keyterms=terms(keyterms),
            language_hints=terms(language_hints),
            numerals=numerals,
        )
        frame = written(message)
        self._step("configure")
        return frame

    def force_end_turn(self) -> str:
        """Return the frame that ends the current turn now.

        Raises:
            InvalidStateError: The closing message was sent, or the stream has ended.
        """
        self._step("force_end_turn")
        return _FORCE_END_TURN

    # Public methods for receiving.

    def receive(self, frame: str | bytes) -> FluxEvent:
        """Return the event in a frame of the service; never raises."""
        event = super().receive(frame)
        if isinstance(event, FluxMessage):
            self.turns.see(event)
        else:
            self.turns.skip()
        if isinstance(event, Error):
            retryable = event.code != "UNPARSABLE_CLIENT_MESSAGE"
            self._fatal = Fatal(event.code, event.description, retryable)
        return event

    @staticmethod
    def is_expendable(event: FluxEvent) -> bool:
        """Return whether a later event supersedes this one: an update within a turn."""
        return isinstance(event, TurnInfo) and event.event == "Update"

    @staticmethod
    def is_verdict(event: FluxEvent, frame: str) -> bool:
        """Return whether an event answers a ``Configure`` frame."""
        return isinstance(event, ConfigureSuccess | ConfigureFailure)

    # Public attributes.

    @property
    def has_open_turn(self) -> bool:
        """Whether a turn has started and not ended, as far as the service has told."""
        return self.turns.state is not TurnState.IDLE


class _Thresholds(msgspec.Struct, omit_defaults=True):
    eager_eot_threshold: float | None = None
    eot_threshold: float | None = None
    eot_timeout_ms: int | None = None


class _Configure(msgspec.Struct, tag="Configure", omit_defaults=True):
    thresholds: _Thresholds | None = None
    keyterms: list[str] | None = None
    language_hints: list[str] | None = None
    numerals: bool | None = None


@cache
def _decoder() -> MessageDecoder[Any]:
    names = frozenset(kind.__name__ for kind in get_args(FluxMessage))
    return MessageDecoder(FluxMessage, names)
