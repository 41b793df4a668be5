"""The voices of the service, which all sound like the one there is here."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Final

from deepgram_async.emulator._manage.records import UsedModel

if TYPE_CHECKING:
    from .synthesizers import Synthesizer

__all__ = ["used_voice", "voice_id"]

# Stable, so that the id of a voice is the same in every run.
_VOICES: Final = uuid.UUID("0d9b9a52-3f4c-4b3e-9a67-54a7b9f1c2d4")


def voice_id(model: str, synthesizer: str) -> str:
    """Return the id of a voice as it sounds here."""
    return str(uuid.uuid5(_VOICES, f"{model} {synthesizer}"))


def used_voice(model: str, synthesizer: Synthesizer) -> UsedModel:
    """Return a voice for the log of requests."""
    language = model.rpartition("-")[2]
    return UsedModel(model, voice_id(model, synthesizer.name), synthesizer.version, language)
