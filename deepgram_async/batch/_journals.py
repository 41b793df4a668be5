"""What a batch remembers from one run to the next."""

from __future__ import annotations

from typing import Literal, Protocol

from deepgram_async.batch._items import Item
from deepgram_async.batch._outcomes import Outcome
from deepgram_async.errors import DeepgramError

__all__ = ["Claim", "Journal", "JournalError", "Redo"]

Redo = Literal["unfinished", "failed", "everything"]
"""Which items of earlier runs are sent (again): those that have no outcome, those that failed as
well, or all."""

Claim = Literal["open", "done", "failed", "repeated"]
"""What a journal says about an item: to be sent now; done or failed in an earlier run and not to be
sent again; or taken in this run already."""


class JournalError(DeepgramError):
    """A journal cannot be used: another batch writes to it, or its file has a fault."""


class Journal(Protocol):
    """Notes each item when it is taken and when it has an outcome, so that none is paid twice.

    One batch at a time writes to a journal.
    """

    async def claim(self, key: str, item: Item, redo: Redo) -> Claim:
        """Note that an item is about to be sent, unless it shall not be.

        Args:
            key: The item and the options, as a hash.
            item: The item.
            redo: Which items of earlier runs are open.

        Raises:
            AudioSourceError: Another item of this run has the same name, and would overwrite its
                results.
        """
        ...

    async def settle(self, outcome: Outcome) -> None:
        """Note the outcome of an item; it has survived a crash of the machine on return."""
        ...
