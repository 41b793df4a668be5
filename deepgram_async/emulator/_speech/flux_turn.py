"""One turn of a Flux voice: its text as it comes, what was said of it, and its account."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from deepgram_async._protocol.speech_text import SentenceBuffer

from .sentences import LONGEST_PIECE

if TYPE_CHECKING:
    from deepgram_async.emulator._wire import Json

    from .markup import Script

__all__ = ["FluxTurn"]


@dataclass(slots=True)
class _Spoken:
    text: str
    milliseconds: float = 0.0


@dataclass(slots=True)
class FluxTurn:
    """A turn, from its first text to its account.

    Attributes:
        starts_at_ms: How much audio of the session comes before it.
        is_flushed: Whether its text is complete.
        is_interrupted: Whether it is to end now.
        played_ms: How much audio of the session was played when it was interrupted, if told.
    """

    speech_id: str = field(default_factory=lambda: f"dg_sp_{os.urandom(6).hex()}")
    starts_at_ms: float = 0.0
    is_flushed: bool = False
    is_interrupted: bool = False
    played_ms: int | None = None
    characters: int = 0
    billable_characters: int = 0
    _buffer: SentenceBuffer = field(default_factory=lambda: SentenceBuffer(LONGEST_PIECE))
    _waiting: list[str] = field(default_factory=list[str])
    _spoken: list[_Spoken] = field(default_factory=list[_Spoken])
    _pronunciations: int = 0
    _warnings: int = 0

    # Its text.

    def add(self, text: str) -> None:
        """Take more text."""
        self.characters += len(text)
        self._waiting += self._buffer.add(text)

    def flush(self) -> None:
        """Take the text for complete."""
        self.is_flushed = True
        self._waiting += self._buffer.rest()

    def next_sentence(self) -> str | None:
        """Return what is to be spoken next, or None when nothing is for now."""
        return self._waiting.pop(0) if self._waiting else None

    # What was said of it.

    def begin(self, sentence: str, script: Script) -> None:
        """Note that a sentence begins."""
        self.billable_characters += script.billable_characters
        self._pronunciations += script.pronunciations
        self._warnings += len(script.warnings)
        self._spoken.append(_Spoken(sentence))

    def spoke(self, milliseconds: float) -> None:
        """Note that so much of the sentence was sent."""
        self._spoken[-1].milliseconds += milliseconds

    @property
    def audio_ms(self) -> float:
        """How much was sent."""
        return sum(spoken.milliseconds for spoken in self._spoken)

    # Its account.

    def account(self) -> dict[str, Json]:
        """Return what `SpeechMetadata` tells."""
        return {
            "speech_id": self.speech_id,
            "audio_duration_ms": round(self.audio_ms),
            "input_character_count": self.characters,
            "billable_character_count": self.billable_characters,
            "controls_applied": {
                "pronunciations_applied": self._pronunciations,
                "breaks_applied": 0,
                "pronunciation_warnings": self._warnings,
            },
        }

    def interruption(self) -> dict[str, Json]:
        """Return what `SpeechInterrupted` tells."""
        if self.played_ms is None:
            return {"audio_played_ms": round(self.audio_ms), "metadata": self.account()}
        played = min(max(self.played_ms - self.starts_at_ms, 0.0), self.audio_ms)
        heard, rest = self._heard(played)
        return {
            "audio_played_ms": round(played),
            "text_spoken": heard,
            "text_remaining": rest,
            "metadata": self.account(),
        }

    def _heard(self, played_ms: float) -> tuple[str, str]:
        """Part the text where the audio was played to, between two words."""
        heard, rest = "", ""
        for spoken in self._spoken:
            if rest or played_ms < spoken.milliseconds:
                share = 0.0 if rest else played_ms / spoken.milliseconds
                at = spoken.text.rfind(" ", 0, int(len(spoken.text) * share) + 1) + 1
                heard += spoken.text[:at]
                rest += spoken.text[at:]
            else:
                heard += spoken.text
            played_ms -= spoken.milliseconds
        unsaid = "".join((*self._waiting, *self._buffer.rest()))
        return heard, rest + unsaid
