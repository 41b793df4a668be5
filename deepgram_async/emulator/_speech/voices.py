"""The voices of the service, which all sound like the one there is here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deepgram_async.emulator._manage.records import UsedModel
from deepgram_async.emulator._models import model_id_of

if TYPE_CHECKING:
    from .synthesizers import Synthesizer

__all__ = ["used_voice", "version_of"]


def version_of(synthesizer: Synthesizer) -> str:
    """Return the version of every voice: what it is made with."""
    return f"{synthesizer.name}-{synthesizer.version}"


def used_voice(model: str, synthesizer: Synthesizer) -> UsedModel:
    """Return a voice for the log of requests."""
    language = model.rpartition("-")[2]
    return UsedModel(model, model_id_of(model), version_of(synthesizer), language)
