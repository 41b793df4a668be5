"""The live transcription socket, ``/v1/listen``, without I/O."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, ClassVar, Final, get_args

import msgspec

from deepgram_async._protocol.core import SocketCore
from deepgram_async._protocol.listening import ListeningCore, terms, written
from deepgram_async._protocol.sockets import Close, MessageDecoder, State
from deepgram_async.models.live import (
    ConfigureFailure,
    ConfigureSuccess,
    Error,
    ListenEvent,
    ListenMessage,
    Metadata,
    Results,
)

__all__ = ["ListenV1Core"]

_KEEP_ALIVE: Final = '{"type":"KeepAlive"}'
_FINALIZE: Final = '{"type":"Finalize"}'


class ListenV1Core(ListeningCore[ListenEvent]):
    """The protocol of one live transcription.

    The client sends binary frames of audio and text frames of JSON. The service says nothing
    before audio has arrived; then it sends ``Results``, interim ones that are rewritten and final
    ones that stay, and on request ``SpeechStarted`` and ``UtteranceEnd``. A stream without any
    frame for ten seconds is closed by the service, so a ``KeepAlive`` is due in every longer
    pause. A ``Configure`` is answered by one ``ConfigureSuccess`` or ``ConfigureFailure``. An
    ``Error`` means that one message of the client was not understood; the stream goes on. After
    ``CloseStream`` come the results that were still owed, one ``Metadata``, and the close. An
    empty binary frame is an older way to say ``CloseStream`` and is never sent here.

    A connection of several that ends after ``CloseStream`` and before ``Metadata`` is lost, however
    politely it was closed: results may be missing. If the next one ends like that too, the service
    has no such message, and it was the end. In formats that tell nothing about time, which may not
    be resumable, the first such end is believed.
    """

    PATH = "/v1/listen"
    OPERATION = "WebSocket /v1/listen"
    TRANSITIONS: ClassVar[Mapping[tuple[State, str], State]] = {
        **ListeningCore.LISTENING,
        (State.OPEN, "finalize"): State.OPEN,
        (State.OPEN, "keep_alive"): State.OPEN,
    }
    KEEP_ALIVE = _KEEP_ALIVE

    ended_early: bool
    """Whether a connection of the stream has ended before its last message."""

    def __init__(
        self,
        options: Mapping[str, object],
        *,
        now: float,
        keepalive_s: float | None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(
            _decoder(), options, now=now, keepalive_s=keepalive_s, request_id=request_id
        )
        self.ended_early = False
        self._stream: ListenV1Core | None = None

    def follow(self, previous: SocketCore[ListenEvent], sent_bytes: int) -> None:
        """Go on where the protocol of the connection before was."""
        super().follow(previous, sent_bytes)
        assert isinstance(previous, ListenV1Core), "a stream speaks one protocol"
        self._stream = previous

    # Public methods for sending.

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

    def configure(
        self,
        keyterms: str | Iterable[str] | None = None,
        features: Mapping[str, bool] | None = None,
    ) -> str:
        """Return the frame that changes the configuration; ``None`` changes nothing.

        Raises:
            OptionError: An argument has the wrong type.
            InvalidStateError: The closing message was sent, or the stream has ended.
        """
        changes = None if features is None else dict(features)
        frame = written(_Configure(keyterms=terms(keyterms), features=changes))
        self._step("configure")
        return frame

    # Public methods for receiving.

    def receive(self, frame: str | bytes) -> ListenEvent:
        """Return the event in a frame of the service; never raises."""
        event = super().receive(frame)
        if type(event) is Metadata:
            self._all_was_said = True
        return event

    def receive_close(self, close: Close, *, is_all_sent: bool = True) -> None:
        """Settle how the connection ended; see the base class."""
        stream = self._stream
        is_early = self.state is State.CLOSING and is_all_sent and not self._all_was_said
        if stream is not None and is_early and self.audio_sent_s:
            is_all_sent, stream.ended_early = stream.ended_early, True
        super().receive_close(close, is_all_sent=is_all_sent)

    @staticmethod
    def is_expendable(event: ListenEvent) -> bool:
        """Return whether a later event supersedes this one: an interim result."""
        return isinstance(event, Results) and event.is_final is not True

    @staticmethod
    def is_verdict(event: ListenEvent, frame: str) -> bool:
        """Return whether an event answers a ``Configure`` frame.

        An older service does not know the message, and quotes what it does not understand.
        """
        if isinstance(event, Error):
            return event.message == frame
        return isinstance(event, ConfigureSuccess | ConfigureFailure)


class _Configure(msgspec.Struct, tag="Configure", omit_defaults=True):
    keyterms: list[str] | None = None
    features: dict[str, bool] | None = None


@cache
def _decoder() -> MessageDecoder[Any]:
    names = frozenset(kind.__name__ for kind in get_args(ListenMessage))
    return MessageDecoder(ListenMessage, names)
