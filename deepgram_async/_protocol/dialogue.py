"""What was said in a conversation with a voice agent, so that another agent can go on."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Final

import msgspec

from deepgram_async.models.agent import FunctionCall, History, HistoryFunctionCall

__all__ = ["UNANSWERED", "Dialogue"]

UNANSWERED: Final = "The connection was lost before the function answered."
"""What the language model reads where an answer should be."""

_ROLES: Final = frozenset({"user", "assistant"})

# About what the JSON around the words takes; so the bound is one of the entries, too.
_ENTRY_CHARACTERS: Final = 50


class _Words(msgspec.Struct):
    role: str
    content: str

    @property
    def size(self) -> int:
        return _ENTRY_CHARACTERS + len(self.content)

    @property
    def message(self) -> History:
        return History(role=self.role, content=self.content)


class _Call(msgspec.Struct):
    request: FunctionCall
    response: str | None = None

    @property
    def size(self) -> int:
        return _ENTRY_CHARACTERS + len(self.request.arguments) + len(self.response or "")

    @property
    def message(self) -> HistoryFunctionCall:
        request = self.request
        return HistoryFunctionCall(
            id=request.id,
            name=request.name,
            client_side=request.client_side,
            arguments=request.arguments,
            response=UNANSWERED if self.response is None else self.response,
            thought_signature=request.thought_signature,
        )


class _Calls(msgspec.Struct):
    calls: list[_Call]

    @property
    def size(self) -> int:
        return sum(call.size for call in self.calls)

    @property
    def is_open(self) -> bool:
        return any(call.response is None for call in self.calls)

    @property
    def message(self) -> History:
        return History(function_calls=[call.message for call in self.calls])


class Dialogue:
    """The words of both sides and the calls of functions, in order.

    An answer of the agent comes sentence by sentence; it is one entry until its turn ends. When
    there is more than the bound allows, the oldest turns go first, each with its calls. What is
    under way stays: the user's words that wait for an answer, and open calls.
    """

    def __init__(self, most_characters: int) -> None:
        """Prepare a dialogue.

        Args:
            most_characters: How much to remember.
        """
        self._most_characters = most_characters
        self._entries: list[_Words | _Calls] = []
        self._is_turn_over = False

    # Public methods for what is said.

    def say(self, role: str, content: str) -> None:
        """Remember words; those of the agent end the calls that the service made for them."""
        if role not in _ROLES or not content.strip():
            return
        if role == "assistant":
            self.cancel({call.id for call in self.open_calls if not call.client_side})
        last = self._entries[-1] if self._entries else None
        if isinstance(last, _Words) and role == last.role == "assistant" and not self._is_turn_over:
            last.content = f"{last.content} {content}"[-self._most_characters :]
        else:
            self._entries.append(_Words(role, content[-self._most_characters :]))
        self._is_turn_over = False
        self._trim()

    def end_turn(self) -> None:
        """Note that the agent has said all of its answer."""
        self._is_turn_over = True

    def call(self, requests: Iterable[FunctionCall]) -> None:
        """Remember calls; they are open until they are answered."""
        calls = [_Call(request) for request in requests]
        if calls:
            self._entries.append(_Calls(calls))
            self._trim()

    def answer(self, response: str, *, call_id: str | None, name: str) -> None:
        """Remember the answer to a call; without an id, to the oldest open one of a name."""
        call = self._waiting(call_id, name)
        if call is not None:
            call.response = response
            self._trim()

    def report(self, call: HistoryFunctionCall) -> None:
        """Remember a call that is over, with its answer."""
        if all(known.request.id != call.id for known in self._calls()):
            request = FunctionCall(
                id=call.id,
                name=call.name,
                arguments=call.arguments,
                client_side=call.client_side,
                thought_signature=call.thought_signature,
            )
            self.call([request])
        self.answer(call.response, call_id=call.id, name=call.name)

    def cancel(self, call_ids: Collection[str]) -> None:
        """Forget open calls."""
        if not call_ids:
            return
        for entry in self._entries:
            if isinstance(entry, _Calls):
                entry.calls = [
                    call
                    for call in entry.calls
                    if call.response is not None or call.request.id not in call_ids
                ]
        self._entries = [
            entry for entry in self._entries if isinstance(entry, _Words) or entry.calls
        ]

    # Public methods for going on with another agent.

    def abandon_calls(self) -> list[FunctionCall]:
        """Give up the open calls, and return those of this side.

        An answer that comes all the same is remembered in the place of `UNANSWERED`.
        """
        abandoned = [call for call in self._calls() if call.response is None]
        for call in abandoned:
            call.response = UNANSWERED
        return [call.request for call in abandoned if call.request.client_side]

    def repeat(self) -> str | None:
        """Move the user's words that wait for an answer to the end, and return them."""
        index = self._unanswered()
        if index is None:
            return None
        words = self._entries.pop(index)
        self._entries.append(words)
        return words.content if isinstance(words, _Words) else None

    def messages(self) -> list[dict[str, object]]:
        """Return the entries as the messages of ``agent.context`` in the settings."""
        return [entry.message.to_dict() for entry in self._entries]

    # Public attributes.

    @property
    def open_calls(self) -> list[FunctionCall]:
        """The calls that nobody has answered yet."""
        return [call.request for call in self._calls() if call.response is None]

    @property
    def owes_answer(self) -> bool:
        """Whether the agent has neither answered the user nor said what came of its calls."""
        return self._unanswered() is not None

    @property
    def has_called(self) -> bool:
        """Whether functions were called for the words that wait for an answer."""
        index = self._unanswered()
        return index is not None and index < len(self._entries) - 1

    # Helpers.

    def _calls(self) -> Iterator[_Call]:
        for entry in self._entries:
            if isinstance(entry, _Calls):
                yield from entry.calls

    def _waiting(self, call_id: str | None, name: str) -> _Call | None:
        for call in self._calls():
            is_meant = call.request.name == name if call_id is None else call.request.id == call_id
            if is_meant and call.response is None:
                return call
        for call in self._calls():
            if call.request.id == call_id and call.response == UNANSWERED:
                return call
        return None

    def _unanswered(self) -> int | None:
        """Return where the user's words are that wait for an answer.

        An agent that has announced something, and then called functions, still owes the rest.
        """
        if not self._entries or _is_of(self._entries[-1], "assistant"):
            return None
        places = reversed(range(len(self._entries)))
        return next((place for place in places if _is_of(self._entries[place], "user")), None)

    def _trim(self) -> None:
        excess = sum(entry.size for entry in self._entries) - self._most_characters
        if excess <= 0:
            return
        owed, last = self._unanswered(), len(self._entries) - 1
        places = [place for place, entry in enumerate(self._entries) if _is_of(entry, "user")]
        last_user = places[-1] if places else -1
        kept: list[_Words | _Calls] = []
        is_begun = False
        for place, entry in enumerate(self._entries):
            # Without the user's words, what followed them makes no sense.
            is_begun = is_begun or (excess <= 0 and (place > last_user or _is_of(entry, "user")))
            is_open = isinstance(entry, _Calls) and entry.is_open
            if is_begun or is_open or place in (owed, last):
                kept.append(entry)
            else:
                excess -= entry.size
        self._entries = kept


def _is_of(entry: _Words | _Calls, role: str) -> bool:
    return isinstance(entry, _Words) and entry.role == role
