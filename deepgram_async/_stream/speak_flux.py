"""A stream of speech with a Flux voice as its user sees it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping
from contextlib import aclosing
from typing import Final

from deepgram_async._protocol import rules_speak
from deepgram_async._protocol.reconnect import ReconnectPolicy
from deepgram_async._protocol.rules_speak import LONGEST_TEXT
from deepgram_async._protocol.settings import StreamSettings
from deepgram_async._protocol.sockets import State
from deepgram_async._protocol.sources import TextSource
from deepgram_async._protocol.speak_v2 import SpeakV2Core
from deepgram_async._protocol.speech_memory_v2 import SpeakV2Memory
from deepgram_async._protocol.speech_text import require_text, split_text
from deepgram_async._stream.connection import Carrier
from deepgram_async._stream.owed import Owed
from deepgram_async._stream.resumable import ConnectorMaker
from deepgram_async._stream.speaking import KEPT_WARNINGS, SpeakingStream, Utterance
from deepgram_async._stream.texts import texts_of
from deepgram_async.errors import ConfigureError, OperationTimeoutError
from deepgram_async.models.events import Reconnected
from deepgram_async.models.speak_flux import (
    ConfigureFailure,
    ConfigureSuccess,
    Connected,
    FluxSpeakEvent,
    SessionMetadata,
    SpeechInterrupted,
    SpeechMetadata,
    Warning,  # noqa: A004 - the name on the wire
)

__all__ = ["FluxSpeakStream"]

# Warnings that answer an interruption which the service did not make. The second comes if nothing
# of the session was spoken yet (Deepgram docs, "Interruption Handling").
_REFUSALS: Final = ("INTERRUPT_IN_PROGRESS", "NO_AUDIO_GENERATED", "INVALID_INTERRUPT_OFFSET")


class FluxSpeakStream(
    SpeakingStream[SpeakV2Core, FluxSpeakEvent, SpeechMetadata, SpeechInterrupted]
):
    """A stream of speech in turns, made by ``dg.speak.flux.live(...)``, opened by ``async with``.

    The simplest way is one turn after the other, each as it is written::

        async with dg.speak.flux.live(model="flux-alexis-en") as stream:
            async for audio in stream.speak(tokens):
                player.write(audio)

    By hand there are ``send_text``, ``flush`` and ``interrupt``, and ``async for event in
    stream`` yields audio as ``bytes`` beside the messages of the service. One task iterates; any
    task may send. Audio is raw: mono, with the encoding and the sample rate of the options.

    Leaving the ``async with`` regularly asks for the remaining audio, waits for it, and closes;
    it can be iterated over afterwards. Leaving it with an exception closes at once.

    A connection that is lost is replaced: ``Reconnecting`` and ``Reconnected`` tell of it, a turn
    that was not spoken to its end is said again and keeps its name, and audio that has come is not
    repeated. So is one that the service would soon end for its age. The iteration ends after a
    close that was asked for, and raises ``ConnectionLostError`` on any other that cannot be
    healed: there is no silent end.
    """

    def __init__(
        self,
        connector: ConnectorMaker,
        options: Mapping[str, object],
        settings: StreamSettings,
        *,
        validate: bool,
    ) -> None:
        def make_core(now: float, request_id: str | None) -> SpeakV2Core:
            return SpeakV2Core(now=now, request_id=request_id)

        super().__init__(connector, options, make_core, SpeakV2Core.is_expendable, settings)
        self._validate = validate
        self._verdicts: Owed[ConfigureSuccess | ConfigureFailure] = Owed()
        self._turn_has_text = False
        self._warnings: deque[Warning] = deque(maxlen=KEPT_WARNINGS)
        self._cut_was_refused = False
        self._connected: Connected | None = None
        self._totals: SessionMetadata | None = None

    # Public methods for sending.

    async def send_text(self, text: str) -> None:
        """Add text to the turn, or open one; ``flush`` ends it.

        The texts of a turn are joined to the letter, so they bring their own spaces. More than
        2000 characters are sent in pieces. Text that still waits when ``interrupt`` is called is
        not sent any more.

        Raises:
            OptionError: There is no text, or it has a pause, which would end the stream.
            ConnectionLostError: The stream has ended unasked.
            InvalidStateError: The closing message was sent, or the stream is not open.
        """
        self._ready()
        require_text(text)
        if self._validate:
            rules_speak.check_flux_text(text)
        was_cut = self._was_cut
        async with self._sending:
            await self._put_text(text, was_cut)

    async def flush(self) -> SpeechMetadata | None:
        """End the text of the turn, and return when all its audio has come.

        The audio is in the iteration, before the ``SpeechMetadata`` that is returned. A call that
        is cancelled may take effect nevertheless.

        Returns:
            The account of the turn, or ``None`` if there was none, or it was interrupted.

        Raises:
            OperationTimeoutError: The service was silent for ``confirm_timeout_s``.
            ConnectionLostError: The stream has ended unasked.
            InvalidStateError: The closing message was sent, or the stream is not open.
        """
        self._ready()
        was_cut = self._was_cut
        async with self._sending:
            future = await self._put_flush(was_cut)
        return None if future is None else await self._confirmed_flush(future)

    async def interrupt(self, played_ms: int | None = None) -> SpeechInterrupted | None:
        """End the turn that is being spoken, and return when the service has done so.

        From the call on, no older audio of it is yielded. Text that is sent from then on waits for
        the confirmation. A turn that was already waiting behind this one is spoken next. If the
        service does not confirm, the stream is given up.

        Args:
            played_ms: Audio that the listener has heard since the stream was opened; with it the
                service tells which text was heard. It grows from call to call.

        Returns:
            What was spoken and what not, or ``None`` if nothing was being spoken any more.

        Raises:
            OptionError: ``played_ms`` is not more than at the interruption before.
            OperationTimeoutError: The service was silent for ``confirm_timeout_s``.
            ConnectionLostError: The stream has ended unasked.
            InvalidStateError: The closing message was sent, or the stream is not open.
        """
        while (pending := self._cuts.last) is not None:  # the service takes one at a time
            await self._confirmed_cut(pending)
        return await self._confirmed_cut(self._cut(played_ms))

    async def configure(self, *, speed: float) -> ConfigureSuccess:
        """Change the speed from the next segment on, and return the settings then in force.

        A call that is cancelled may take effect nevertheless.

        Args:
            speed: From 0.5 to 1.5, in steps of 0.05.

        Raises:
            ConfigureError: The service refused; nothing has changed. ``code`` tells why.
            OptionError: The service has no such speed.
            OperationTimeoutError: The service was silent for ``confirm_timeout_s``.
            ConnectionLostError: The stream has ended unasked.
            InvalidStateError: The closing message was sent, or the stream is not open.
        """
        if self._validate:
            rules_speak.check_speed(speed)
        core, connection = self._ready()
        connection.put(core.configure(speed=speed))
        future = self._verdicts.expect()
        try:
            verdict = await self._confirmed(future)
        except OperationTimeoutError:
            self._verdicts.forget(future)
            raise
        if isinstance(verdict, ConfigureFailure):
            raise ConfigureError(
                verdict.description or "the service refused the configuration",
                operation=core.OPERATION,
                code=verdict.code,
                request_id=self.request_id,
            )
        return verdict

    # Public attributes.

    @property
    def connected(self) -> Connected | None:
        """The voice, as the present connection tells it at its beginning; ``None`` until then."""
        return self._connected

    @property
    def session_metadata(self) -> SessionMetadata | None:
        """The account of the whole stream; ``None`` before its regular end."""
        return self._totals

    @property
    def warnings(self) -> tuple[Warning, ...]:
        """The last hundred warnings of the service, the newest at the end."""
        return tuple(self._warnings)

    # What this protocol answers.

    def _received(self, event: FluxSpeakEvent) -> None:
        match event:
            case SpeechMetadata():
                self._settle_flush(event)
                if self._cut_was_refused:
                    self._cut_was_refused = False
                    self._settle_cut(None)
            case SpeechInterrupted():
                # The turn that was spoken is the oldest; without a flush it was still open.
                if self._flushes:
                    self._settle_flush(None)
                else:
                    self._turn_has_text = False
                self._cut_was_refused = False
                self._settle_cut(event)
            case ConfigureSuccess() | ConfigureFailure():
                self._verdicts.settle(event)
            case Warning():
                self._warnings.append(event)
                if event.code == "NO_ACTIVE_SPEECH":
                    self._settle_cut(None)
                elif event.code in _REFUSALS and self._cuts:
                    self._go_on_unheard()
            case Connected():
                self._connected = event
            case Reconnected():
                self._cut_was_refused = False  # the interruption is made again, and answered anew
            case SessionMetadata():
                self._totals = event
            case _:
                pass

    def _make_memory(self, policy: ReconnectPolicy) -> SpeakV2Memory:
        return SpeakV2Memory(self._options)

    def _go_on_unheard(self) -> None:
        """See to it that the turn that was not interrupted ends, if there is one."""
        core, connection = self._core, self._connection
        if self._turn_has_text and not self._flushes and core is not None:
            if connection is not None and core.state is State.OPEN:  # the closing message flushes
                self._end_turn(core, connection)
        self._cut_was_refused = self._turn_has_text or bool(self._flushes)
        if not self._cut_was_refused:
            self._settle_cut(None)

    def _cut_frame(self, core: SpeakV2Core, played_ms: int | None) -> str:
        return core.interrupt(played_ms)

    async def _say(self, utterance: Utterance, source: TextSource) -> bool:
        was_cut = self._was_cut
        said = False
        try:
            async with aclosing(texts_of(source)) as parts:
                async for part in parts:
                    if self._validate:
                        rules_speak.check_flux_text(part)
                    async with self._sending:
                        said = await self._put_text(part, was_cut) or said
        except Exception as error:  # of the source; what it has said before is spoken
            utterance.error = error
        if said:
            async with self._sending:
                utterance.last_flush = await self._put_flush(was_cut)
        if utterance.last_flush is not None:
            await self._confirmed_flush(utterance.last_flush, in_background=True)
        return utterance.last_flush is not None

    async def _put_text(self, text: str, was_cut: asyncio.Event) -> bool:
        for piece in split_text(text, LONGEST_TEXT):
            turn = await self._turn(was_cut)
            if turn is None:
                return False
            core, connection = turn
            connection.put(core.send_text(piece))
            self._turn_has_text = True
        return True

    async def _put_flush(
        self, was_cut: asyncio.Event
    ) -> asyncio.Future[SpeechMetadata | None] | None:
        turn = await self._turn(was_cut)
        if turn is None or not self._turn_has_text:
            return None
        return self._end_turn(*turn)

    def _end_turn(
        self, core: SpeakV2Core, connection: Carrier
    ) -> asyncio.Future[SpeechMetadata | None]:
        connection.put(core.flush())
        self._turn_has_text = False
        return self._flushes.expect()
