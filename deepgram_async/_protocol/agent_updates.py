"""The changes of a voice agent that are in force, and so have to be made on every connection."""

from __future__ import annotations

from typing import Final

import msgspec

from deepgram_async.models.agent import (
    AgentEvent,
    ListenUpdated,
    PromptUpdated,
    SpeakUpdated,
    ThinkLiveUpdated,
    ThinkUpdated,
)

__all__ = ["UPDATES", "Updates"]

UPDATES: Final = frozenset(
    {"UpdateListen", "UpdatePrompt", "UpdateSpeak", "UpdateThink", "UpdateThink_Live"}
)
"""The types of messages that change an agent."""

_CONFIRMED: Final[dict[type, str]] = {
    ListenUpdated: "UpdateListen",
    PromptUpdated: "UpdatePrompt",
    SpeakUpdated: "UpdateSpeak",
    ThinkLiveUpdated: "UpdateThink_Live",
    ThinkUpdated: "UpdateThink",
}

# Prompts may add up, so one does not replace another; the service cuts them off at some length.
_MOST_PROMPTS: Final = 16
# What the service did not confirm on so many connections, it never will.
_MOST_ATTEMPTS: Final = 3


class _Update(msgspec.Struct, kw_only=True):
    kind: str
    frame: str
    is_known: bool = False
    """Whether it was confirmed, on any connection."""
    is_said: bool
    """Whether the present connection has it; so with the next one."""
    is_in_force: bool = False
    attempts: int


class Updates:
    """The messages that change the agent, from the first that still has an effect on.

    An ``UpdateThink`` replaces the language model with its prompt, so it takes the place of all
    of its kind and of every ``UpdatePrompt`` before. ``UpdateSpeak`` and ``UpdateThink_Live`` take
    the place of their kind. ``UpdateListen`` changes what it names: it takes the place of those
    that name nothing else.
    """

    def __init__(self) -> None:
        self._updates: list[_Update] = []

    # Public methods.

    def add(self, kind: str, frame: str, *, is_said: bool) -> None:
        """Keep an update."""
        self._updates.append(
            _Update(kind=kind, frame=frame, is_said=is_said, attempts=int(is_said))
        )

    def place(self, event: AgentEvent) -> AgentEvent | None:
        """Return a confirmation if it is news: that of an update that is made again is none."""
        kind = _CONFIRMED.get(type(event))
        for update in self._updates:
            if update.kind == kind and update.is_said and not update.is_in_force:
                is_news = not update.is_known
                update.is_known = update.is_in_force = True
                self._supersede(update)
                return event if is_news else None
        return event

    def rewind(self) -> None:
        """Begin anew, for another connection."""
        self._updates = [
            update
            for update in self._updates
            if update.is_known or update.attempts < _MOST_ATTEMPTS
        ]
        for update in self._updates:
            update.is_said = update.is_in_force = False

    def next(self) -> str | None:
        """Return the next update to make; ``None`` to wait for the confirmation of the last.

        Those that were never confirmed are not waited for.
        """
        if any(update.is_known and update.is_said for update in self._pending):
            return None
        update = next(update for update in self._pending if not update.is_said)
        update.is_said = True
        update.attempts += 1
        return update.frame

    # Public attributes.

    @property
    def has_unsaid(self) -> bool:
        """Whether the present connection lacks some."""
        return any(not update.is_said for update in self._updates)

    @property
    def is_settled(self) -> bool:
        """Whether all are in force."""
        return not self._pending

    @property
    def unsaid_bytes(self) -> int:
        """Size of those that the present connection lacks."""
        return sum(len(update.frame) for update in self._updates if not update.is_said)

    # Helpers.

    @property
    def _pending(self) -> list[_Update]:
        return [update for update in self._updates if not update.is_in_force]

    def _supersede(self, latest: _Update) -> None:
        place = self._updates.index(latest)
        before = [update for update in self._updates[:place] if not _replaces(latest, update)]
        self._updates[:place] = before
        prompts = [update for update in self._updates if update.kind == "UpdatePrompt"]
        for update in prompts[:-_MOST_PROMPTS]:
            self._updates.remove(update)


def _replaces(latest: _Update, earlier: _Update) -> bool:
    if latest.kind == "UpdateThink":
        return earlier.kind in ("UpdateThink", "UpdatePrompt")
    if latest.kind == "UpdateListen" == earlier.kind:
        # Hints that are left out are cleared.
        return _named(earlier) - {"language_hints"} <= _named(latest)
    return latest.kind == earlier.kind != "UpdatePrompt"


def _named(update: _Update) -> set[str]:
    listen: dict[str, object] = msgspec.json.decode(update.frame)["listen"]
    provider = listen.get("provider")
    return {*listen, *(msgspec.convert(provider, dict[str, object]) if provider else {})}
