"""A stream of speech with an Aura voice as its user sees it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping
from contextlib import aclosing
from typing import Final

from deepgram_async._protocol.pacing import Pacer
from deepgram_async._protocol.reconnect import ReconnectPolicy
from deepgram_async._protocol.rules_speak import LONGEST_TEXT
from deepgram_async._protocol.settings import StreamSettings
from deepgram_async._protocol.sources import TextSource
from deepgram_async._protocol.speak_v1 import MOST_CHARACTERS, MOST_FLUSHES, SpeakV1Core
from deepgram_async._protocol.speech_memory import SpeakV1Memory
from deepgram_async._protocol.speech_text import SentenceBuffer, require_text, split_text
from deepgram_async._stream.resumable import ConnectorMaker
from deepgram_async._stream.speaking import KEPT_WARNINGS, SpeakingStream, Utterance
from deepgram_async._stream.texts import texts_of
from deepgram_async.models.speak import (
    Cleared,
    Error,
    Flushed,
    Metadata,
    SpeakEvent,
    Warning,  # noqa: A004 - the name on the wire
)

__all__ = ["SpeakStream"]

# Flushes that are kept for the ends of texts, and not spent on the sentences inside.
_RESERVED_FLUSHES: Final = 5


class SpeakStream(SpeakingStream[SpeakV1Core, SpeakEvent, Flushed, Cleared]):
    """A stream of speech, made by ``dg.speak.live(...)`` and opened by ``async with``.

    The simplest way is one text after the other, each as it is written::

        async with dg.speak.live(model="aura-2-thalia-en") as stream:
            async for audio in stream.speak(tokens):
                player.write(audio)

    By hand there are ``send_text``, ``flush`` and ``clear``, and ``async for event in stream``
    yields audio as ``bytes`` beside the messages of the service. One task iterates; any task may
    send. Audio is raw: mono, with the encoding and the sample rate of the options.

    A stream takes 20 flushes and 2400 characters a minute; what would be more waits its turn.

    Leaving the ``async with`` regularly asks for the remaining audio, waits for it, and closes;
    it can be iterated over afterwards. Leaving it with an exception closes at once.

    A connection that is lost is replaced: ``Reconnecting`` and ``Reconnected`` tell of it, text
    whose audio has not come is said again, and audio that has come is not repeated. So is one that
    the service would soon end for its age. The iteration ends after a close that was asked for,
    and raises ``ConnectionLostError`` on any other that cannot be healed: there is no silent end.
    """

    def __init__(
        self, connector: ConnectorMaker, options: Mapping[str, object], settings: StreamSettings
    ) -> None:
        def make_core(now: float, request_id: str | None) -> SpeakV1Core:
            return SpeakV1Core(now=now, request_id=request_id)

        super().__init__(connector, options, make_core, SpeakV1Core.is_expendable, settings)
        self._flush_pacer = Pacer(MOST_FLUSHES, settings.speak_window_s)
        self._text_pacer = Pacer(MOST_CHARACTERS, settings.speak_window_s)
        self._warnings: deque[Warning | Error] = deque(maxlen=KEPT_WARNINGS)
        self._metadata: Metadata | None = None

    # Public methods for sending.

    async def send_text(self, text: str) -> None:
        """Add text to what is to be spoken; ``flush`` asks for its audio.

        More than 2000 characters are sent in pieces that end with a sentence where possible.
        Text that still waits when ``clear`` is called is not sent any more.

        Raises:
            OptionError: There is no text.
            ConnectionLostError: The stream has ended unasked.
            InvalidStateError: The closing message was sent, or the stream is not open.
        """
        self._ready()
        require_text(text)
        was_cut = self._was_cut
        async with self._sending:
            for piece in split_text(text, LONGEST_TEXT):
                await self._put_text(piece, was_cut)

    async def flush(self) -> Flushed | None:
        """Ask for the audio of all text so far, and return when it has come.

        The audio is in the iteration, before the ``Flushed`` that is returned. A call that is
        cancelled may take effect nevertheless.

        Returns:
            The confirmation, or ``None`` if ``clear`` was called meanwhile.

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

    async def clear(self) -> Cleared | None:
        """Drop all text and audio, and return when the service has done so, too.

        From the call on, no older audio is yielded. Text that is sent from then on waits for the
        confirmation. If the service does not confirm, the stream is given up.

        Raises:
            OperationTimeoutError: The service was silent for ``confirm_timeout_s``.
            ConnectionLostError: The stream has ended unasked.
            InvalidStateError: The closing message was sent, or the stream is not open.
        """
        return await self._confirmed_cut(self._cut())

    # Public attributes.

    @property
    def metadata(self) -> Metadata | None:
        """The voice, as the present connection tells it at its beginning; ``None`` until then."""
        return self._metadata

    @property
    def warnings(self) -> tuple[Warning | Error, ...]:
        """The last hundred warnings of the service, the newest at the end."""
        return tuple(self._warnings)

    # What this protocol answers.

    def _received(self, event: SpeakEvent) -> None:
        match event:
            case Flushed():
                self._settle_flush(event)
            case Cleared():
                self._settle_cut(event)
                if not self._cuts:
                    self._flushes.settle_all(None)
            case Metadata():
                self._metadata = event
            case Warning() | Error():
                self._warnings.append(event)
            case _:
                pass

    def _make_memory(self, policy: ReconnectPolicy) -> SpeakV1Memory:
        return SpeakV1Memory(self._options, window_s=self._settings.speak_window_s)

    def _cut_frame(self, core: SpeakV1Core, played_ms: int | None) -> str:
        return core.clear()

    async def _say(self, utterance: Utterance, source: TextSource) -> bool:
        was_cut = self._was_cut
        sentences = SentenceBuffer(LONGEST_TEXT)
        said = False
        try:
            async with aclosing(texts_of(source)) as parts:
                async for part in parts:
                    for sentence in sentences.add(part):
                        said = await self._say_sentence(sentence, was_cut) or said
        except Exception as error:  # of the source; what it has said before is spoken
            utterance.error = error
        async with self._sending:
            for piece in sentences.rest():
                if piece.strip():
                    said = await self._put_text(piece, was_cut) or said
            if said:
                utterance.last_flush = await self._put_flush(was_cut)
        if utterance.last_flush is not None:
            await self._confirmed_flush(utterance.last_flush, in_background=True)
        return utterance.last_flush is not None

    async def _say_sentence(self, sentence: str, was_cut: asyncio.Event) -> bool:
        """Send a sentence, with a flush for early audio while there are flushes to spare."""
        if not sentence.strip():
            return False
        async with self._sending:
            was_sent = await self._put_text(sentence, was_cut)
            if was_sent and not self._flush_pacer.delay(1 + _RESERVED_FLUSHES, _now()):
                await self._put_flush(was_cut)
        return was_sent

    # Sending at the pace of the service.

    async def _put_text(self, piece: str, was_cut: asyncio.Event) -> bool:
        while delay := self._text_pacer.delay(len(piece), _now()):
            if await self._turn(was_cut) is None:
                return False
            await self._pause(delay, was_cut)
        turn = await self._turn(was_cut)
        if turn is None:
            return False
        core, connection = turn
        connection.put(core.send_text(piece))
        self._text_pacer.note(len(piece), _now())
        return True

    async def _put_flush(self, was_cut: asyncio.Event) -> asyncio.Future[Flushed | None] | None:
        while delay := self._flush_pacer.delay(1, _now()):
            if await self._turn(was_cut) is None:
                return None
            await self._pause(delay, was_cut)
        turn = await self._turn(was_cut)
        if turn is None:
            return None
        core, connection = turn
        connection.put(core.flush())
        self._flush_pacer.note(1, _now())
        return self._flushes.expect()


def _now() -> float:
    return asyncio.get_running_loop().time()
