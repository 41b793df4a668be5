"""Where the answers of a batch are kept."""

from __future__ import annotations

from typing import Protocol

from deepgram_async.batch._outcomes import Done

__all__ = ["Sink"]


class Sink(Protocol):
    """Keeps answers."""

    async def write(self, outcome: Done) -> None:
        """Keep an answer; it survives a crash of the machine once this has returned.

        Called for many items at the same time. Whatever it raises ends the batch: nothing more is
        paid for what cannot be kept.
        """
        ...
