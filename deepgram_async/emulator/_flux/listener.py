"""Audio of a client to turns: decoded, listened to and recognised."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from deepgram_async.emulator._audio import live_decoder

from .turns import Turn, TurnDetector, TurnTaking

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from deepgram_async.emulator._engine import Engine
    from deepgram_async.emulator._query import RawFormat
    from deepgram_async.emulator._recognizers import Hints, RecognizedWord
    from deepgram_async.emulator._settings import EmulatorSettings

    from .turns import TurnSteps

__all__ = ["TurnListener"]

# A large frame is worked off in pieces, between which other streams get their turn.
_PIECE: Final = 64 * 1024


class TurnListener:
    """Hears the turns of one stream, on one channel.

    Attributes:
        hints: What is known about the speech; may be replaced at any time.
    """

    def __init__(
        self,
        engine: Engine,
        settings: EmulatorSettings,
        raw: RawFormat | None,
        taking: TurnTaking,
        hints: Hints,
    ) -> None:
        self.hints = hints
        self._engine = engine
        self._longest_lag_s = settings.longest_lag_s
        self._clock = asyncio.get_running_loop().time
        self._decoder = live_decoder(raw, separate=False)
        self._taking = taking
        self._turns: TurnDetector | None = None

    @property
    def has_turn(self) -> bool:
        """Whether somebody speaks, or has perhaps finished."""
        return self._turns is not None and self._turns.has_turn

    @property
    def taking(self) -> TurnTaking:
        """When turns end; may be replaced at any time."""
        return self._taking

    @taking.setter
    def taking(self, taking: TurnTaking) -> None:
        self._taking = taking
        if self._turns is not None:
            self._turns.taking = taking

    async def hear(self, data: bytes, received_at: float) -> AsyncGenerator[Turn]:
        """Yield what happens in some audio.

        Raises:
            UndecodableAudioError: It is no audio.
        """
        for at in range(0, len(data), _PIECE):
            blocks = await self._decoder.feed(data[at : at + _PIECE])
            async for turn in self._listen(blocks, received_at):
                yield turn
            await asyncio.sleep(0)

    async def force_end(self) -> AsyncGenerator[Turn]:
        """Yield the end of the turn, if there is one."""
        if self._turns is not None:
            async for turn in self._run(self._turns.force_end(), self._clock()):
                yield turn

    async def finish(self) -> AsyncGenerator[Turn]:
        """Yield what was not told yet, as the stream ends."""
        now = self._clock()
        async for turn in self._listen(await self._decoder.finish(), now):
            yield turn
        if self._turns is not None:
            async for turn in self._run(self._turns.finish(), now):
                yield turn

    async def close(self) -> None:
        """Give up what is held; safe to call at any time."""
        await self._decoder.close()

    async def _listen(
        self, blocks: Sequence[tuple[bytes, ...]], received_at: float
    ) -> AsyncGenerator[Turn]:
        rate = self._decoder.rate
        # A tenth of a second at a time, so that the loop goes on between.
        step = max(rate // 10, 1) * 2
        for (samples,) in blocks:
            if self._turns is None:
                detector = self._engine.recognizer.voice_detector(rate, 0)
                self._turns = TurnDetector(self._taking, detector, rate=rate)
            for at in range(0, len(samples), step):
                steps = self._turns.feed(samples[at : at + step])
                async for turn in self._run(steps, received_at):
                    yield turn
                await asyncio.sleep(0)

    async def _run(self, steps: TurnSteps, received_at: float) -> AsyncGenerator[Turn]:
        words: list[RecognizedWord] | None = None
        while True:
            try:
                step = steps.send(words)
            except StopIteration:
                return
            words = None
            if isinstance(step, Turn):
                yield step
                continue
            is_behind = self._clock() - received_at > self._longest_lag_s
            words = await self._engine.decode(step, self.hints, is_behind=is_behind)
