"""What became of an item."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from deepgram_async.batch._items import Item
from deepgram_async.errors import DeepgramError
from deepgram_async.models.prerecorded import Transcription

__all__ = ["Done", "Failed", "Outcome", "reason_of"]

_ADDRESS: Final = re.compile(r"(https?://)(?:[^\s/?#@]*@)?([^\s?#'\"]*)(?:[?#][^\s'\"]*)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """An item with its answer, which every sink has written and the journal has noted.

    Attributes:
        item: What was transcribed.
        key: The item and the options, as a hash: the same in every run.
        position: Place among the sources, from 0.
        answer: The transcript.
        attempts: Requests sent for it.
        took_s: Seconds from taking the item until the answer was there, waiting included.
    """

    item: Item
    key: str
    position: int
    answer: Transcription
    attempts: int
    took_s: float

    @property
    def request_id(self) -> str:
        """The id to quote to Deepgram's support."""
        return self.answer.request_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """An item without an answer.

    Attributes:
        item: What was to be transcribed.
        key: The item and the options, as a hash: the same in every run.
        position: Place among the sources, from 0.
        error: Why: a ``DeepgramError``, or what the item raised when it was read.
        attempts: Requests sent for it; 0 when it could not be read.
        took_s: Seconds from taking the item until it was given up, waiting included.
    """

    item: Item
    key: str
    position: int
    error: Exception
    attempts: int
    took_s: float

    @property
    def request_id(self) -> str | None:
        """The id to quote to Deepgram's support, if the service answered."""
        return self.error.request_id if isinstance(self.error, DeepgramError) else None

    @property
    def reason(self) -> str:
        """Why, without the hint, and without query and password of any address.

        What the service says may repeat the address it was given, and a signed one is a secret.
        """
        return reason_of(self.error)


Outcome = Done | Failed
"""What became of an item."""


def reason_of(error: Exception) -> str:
    """Return what went wrong, as `Failed.reason` tells it."""
    hint = error.hint if isinstance(error, DeepgramError) else None
    story = str(error).removesuffix(f" Hint: {hint}")
    return _ADDRESS.sub(r"\1\2", story) or type(error).__name__
