"""A conversation with Flux as its user sees it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable, Mapping
from typing import Final

from deepgram_async._protocol import rules_flux
from deepgram_async._protocol.listen_v2 import ListenV2Core
from deepgram_async._protocol.settings import StreamSettings
from deepgram_async._protocol.sockets import State
from deepgram_async._protocol.timelines import FluxTimeline
from deepgram_async._stream.connection import Carrier
from deepgram_async._stream.listening import ListeningStream
from deepgram_async._stream.resumable import ConnectorMaker
from deepgram_async.errors import InvalidStateError
from deepgram_async.models.flux import (
    ConfigureFailure,
    ConfigureSuccess,
    FluxEvent,
    Irregularity,
    TurnInfo,
    TurnTrigger,
    Warning,  # noqa: A004 - the name on the wire
    Word,
)

__all__ = ["FluxStream", "Turn"]

# What decides about a draft; an update leaves it open.
_DECIDES: Final = frozenset({"StartOfTurn", "EagerEndOfTurn", "TurnResumed", "EndOfTurn"})
# Less than the shortest word, more than a rounding error.
_TOLERANCE_S: Final = 0.005


class FluxStream(ListeningStream[ListenV2Core, FluxEvent]):
    """A conversation with Flux, made by ``dg.listen.flux(...)`` and opened by ``async with``.

    The simplest way are its turns, each of them once, when it has ended::

        async with dg.listen.flux(model="flux-general-en") as flux:
            async for turn in flux.transcribe(chunks).turns():
                print(turn.transcript)

    Iterating over the stream itself yields every message: ``TurnInfo`` with the whole text of the
    turn so far, about four times for each second of audio, and the rest. ``start(chunks)`` sends
    audio in the background; ``send_audio`` and ``close_stream`` do it by hand. One task iterates;
    any task may send.

    The clock of a turn is the audio: while none is sent, no turn ends. Send silence, or call
    ``force_end_turn``. There is no KeepAlive; pings of the WebSocket hold the connection.

    Leaving the ``async with`` regularly ends the audio, waits for what is still owed, and closes;
    it can be iterated over afterwards. Leaving it with an exception closes at once.

    A connection that is lost is replaced: ``Reconnecting`` and ``Reconnected`` tell of it, a turn
    that was under way begins anew under its number, and the times run on.
    ``StreamSettings.reconnect`` tells how hard that is tried.

    The iteration ends after a close that was asked for, and raises ``ConnectionLostError`` on any
    other that could not be healed: there is no silent end.
    """

    def __init__(
        self,
        connector: ConnectorMaker,
        options: Mapping[str, object],
        settings: StreamSettings,
        *,
        validate: bool,
    ) -> None:
        def make_core(now: float, request_id: str | None) -> ListenV2Core:
            return ListenV2Core(options, now=now, request_id=request_id)

        super().__init__(
            connector, options, make_core, ListenV2Core.is_expendable, FluxTimeline(), settings
        )
        self._validate = validate
        self._heard_s = 0.0
        self._forced_the_end = False

    # Public methods for sending.

    async def configure(
        self,
        *,
        eot_threshold: float | None = None,
        eager_eot_threshold: float | None = None,
        eot_timeout_ms: int | None = None,
        keyterms: str | Iterable[str] | None = None,
        language_hints: str | Iterable[str] | None = None,
        numerals: bool | None = None,
    ) -> ConfigureSuccess:
        """Change the configuration of the running stream, and return all of it as it is then.

        What is left out stays. The change holds for the audio that is sent after it, and is made
        as a whole or not at all. The answer is an event of the iteration, too. A call that is
        cancelled may take effect nevertheless.

        Args:
            eot_threshold: How sure the model must be to end a turn, 0.5 to 1.
            eager_eot_threshold: How sure it must be for an early draft, 0.3 to 0.9.
            eot_timeout_ms: Silence that ends a turn in any case, 500 to 60000 ms.
            keyterms: Words to listen for instead of those so far; none for an empty list.
            language_hints: Languages to expect instead of those so far; none for an empty list.
                ``flux-general-multi`` only.
            numerals: Whether to write numbers as digits.

        Raises:
            ConfigureError: The service refused; nothing has changed. ``code`` tells why.
            OptionError: An argument has the wrong type, or a value that the service refuses.
            OperationTimeoutError: The service did not answer in ``confirm_timeout_s``.
            ConnectionLostError: The stream has ended unasked.
            InvalidStateError: The closing message was sent, or the stream is not open.
        """

        def make_frame(core: ListenV2Core) -> str:
            return core.configure(
                eot_threshold=eot_threshold,
                eager_eot_threshold=eager_eot_threshold,
                eot_timeout_ms=eot_timeout_ms,
                keyterms=keyterms,
                language_hints=language_hints,
                numerals=numerals,
            )

        if self._validate:
            rules_flux.check_change(
                {
                    "eot_threshold": eot_threshold,
                    "eager_eot_threshold": eager_eot_threshold,
                    "eot_timeout_ms": eot_timeout_ms,
                    "keyterms": keyterms,
                }
            )
        answer = await self._configure(make_frame)
        if isinstance(answer, ConfigureFailure):
            raise self._refused(answer.code, answer.description)
        assert isinstance(answer, ConfigureSuccess), "the core takes nothing else for an answer"
        return answer

    async def force_end_turn(self) -> None:
        """End the current turn now; an ``EndOfTurn`` with the trigger ``manual`` follows.

        Between two turns the service answers with a ``Warning`` instead.

        Raises:
            ConnectionLostError: The stream has ended unasked.
            InvalidStateError: The closing message was sent, or the stream is not open.
        """
        core, connection = self._ready()
        self._take_handed()
        connection.put(core.force_end_turn())

    # Public methods for receiving.

    async def turns(self) -> AsyncGenerator[Turn]:
        """Iterate over the turns instead of the messages.

        Every turn comes once, when it has ended; if the stream ends within a turn, what was said
        of it comes last. With ``eager_eot_threshold`` a turn comes as soon as it has *perhaps*
        ended, so that an answer can be prepared meanwhile; ``confirmed`` tells how it came out.
        A turn that was resumed comes again, with more text::

            async for turn in flux.turns():
                answer = asyncio.create_task(think(turn.transcript))
                if await turn.confirmed():
                    await say(await answer)
                else:
                    answer.cancel()

        Raises:
            ConnectionLostError: The stream ended unasked.
        """
        latest: TurnInfo | None = None
        draft: Turn | None = None
        async for event in self:
            if not isinstance(event, TurnInfo):
                continue
            latest = event
            if event.event == "EagerEndOfTurn":
                draft = self._draft_of(event)
                yield draft
            elif event.event == "EndOfTurn":
                if draft is None or not _ends(event, draft.info):
                    yield Turn(event)
                latest = draft = None
            elif event.event in _DECIDES:
                draft = None
        if draft is None and latest is not None and latest.transcript:
            yield Turn(latest)

    # Public attributes.

    @property
    def irregularities(self) -> tuple[Irregularity, ...]:
        """Messages that the documented order of turns does not allow, the last hundred.

        The stream goes on and yields them as they are; a faultless service leaves this empty.
        """
        return () if self._core is None else tuple(self._core.turns.irregularities)

    # What happens beside the iteration.

    def _received(self, event: FluxEvent) -> None:
        super()._received(event)
        if isinstance(event, TurnInfo):
            self._heard_s = event.audio_window_end

    def _draft_of(self, event: TurnInfo) -> Turn:
        """Return a draft whose outcome is among the events that wait, or comes later."""
        decision = self._buffer.find(_decides)
        if decision is None:
            outcome = self._waiters.expect(_decides)
        else:
            outcome = asyncio.get_running_loop().create_future()
            outcome.set_result(decision)
        return Turn(event, outcome, self._end)

    def _take(self, event: FluxEvent) -> None:
        if (
            self._forced_the_end
            and isinstance(event, Warning)
            and event.code == "FORCE_END_TURN_NO_ACTIVE_TURN"
        ):
            return  # nobody spoke at the end of the audio; the user did not ask
        super()._take(event)

    def _before_the_end(self, core: ListenV2Core, connection: Carrier) -> None:
        # The end of the audio does not end the turn, so its last words would stay an update
        # (Deepgram docs, "Flux: CloseStream").
        if core.state is State.OPEN and (core.has_open_turn or not self._is_all_heard(connection)):
            self._forced_the_end = True
            connection.put(core.force_end_turn())

    def _is_all_heard(self, connection: Carrier) -> bool:
        """Return whether the service has told of all audio; until then a turn may begin."""
        if connection.is_behind or connection.waiting_bytes:
            return False
        sent_s = connection.audio_sent_s
        return sent_s is not None and sent_s <= self._heard_s + _TOLERANCE_S


class Turn:
    """What one speaker said until the other may answer, or a draft of it.

    Attributes:
        info: The message that it was made of.
    """

    info: TurnInfo

    def __init__(
        self,
        info: TurnInfo,
        outcome: asyncio.Future[FluxEvent] | None = None,
        end: asyncio.Future[None] | None = None,
    ) -> None:
        self.info = info
        self._outcome = outcome
        self._end = end

    async def confirmed(self) -> bool:
        """Return whether the speaker has finished with this text; wait while it is open.

        It is at once ``True`` for everything but a draft. A draft that was never withdrawn before
        a regular end of the stream stands. Any task may call it, also more than once; cancelling
        it is safe.

        Raises:
            ConnectionLostError: The stream ended unasked before it was known.
            InvalidStateError: The stream was closed at once before it was known.
        """
        if self._outcome is None:
            return True
        await asyncio.wait([self._outcome])
        try:
            event = self._outcome.result()
        except InvalidStateError:
            if self._end is not None and self._end.cancelled():
                raise
            return True
        return _ends(event, self.info)

    @property
    def transcript(self) -> str:
        """The text of the turn."""
        return self.info.transcript

    @property
    def words(self) -> list[Word]:
        """The words of the turn."""
        return self.info.words

    @property
    def index(self) -> int:
        """Number of the turn in its stream, counted from 0; the drafts of a turn share it."""
        return self.info.turn_index

    @property
    def is_draft(self) -> bool:
        """Whether the turn had only perhaps ended when it came."""
        return self._outcome is not None

    @property
    def trigger(self) -> TurnTrigger | None:
        """Why the turn ended; ``None`` for a draft, and when the stream ended first."""
        return self.info.trigger

    def __repr__(self) -> str:
        kind = " draft" if self.is_draft else ""
        return f"<Turn {self.index}{kind} {self.transcript!r}>"


def _decides(event: FluxEvent) -> bool:
    return isinstance(event, TurnInfo) and event.event in _DECIDES


def _ends(event: FluxEvent, draft: TurnInfo) -> bool:
    return (
        isinstance(event, TurnInfo)
        and event.event == "EndOfTurn"
        and event.transcript == draft.transcript
    )
