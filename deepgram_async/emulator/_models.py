"""The names of models that are served here, and what a request to one is logged as."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Final

from ._manage.records import UsedModel

if TYPE_CHECKING:
    from ._recognizers import Recognizer

__all__ = ["family_of", "model_id_of", "used_model"]

# Stable, so that the id of a model is the same in every run.
_IDS: Final = uuid.UUID("7d0d9c77-4d8c-4a0e-8f4f-0e1e5d5f5b1c")


def model_id_of(name: str) -> str:
    """Return the id of a model by its name."""
    return str(uuid.uuid5(_IDS, name))


def used_model(name: str, language: str, recognizer: Recognizer) -> UsedModel:
    """Return a model that was asked for, with the version of what has served it."""
    version = f"{recognizer.name}-{recognizer.version}"
    return UsedModel(name, model_id_of(name), version, language)


def family_of(model: str) -> str:
    """Return the first words of a model's name: `nova-3-medical` is one of `nova-3`."""
    parts = model.split("-")
    return "-".join(parts[:2] if len(parts) > 1 and parts[1].isdecimal() else parts[:1])
