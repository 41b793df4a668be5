"""Thinking without a language model: functions are called by the words that describe them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, cast

import msgspec

from .arguments import find_arguments, in_words
from .thinking import Thought, ToolCall

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from deepgram_async.models.agent import History, HistoryFunctionCall
    from deepgram_async.models.agent_settings import Function

    from .thinking import ThinkRequest

__all__ = ["think_by_rules"]

_WORD: Final = re.compile(r"[A-Za-z']+")
# Words that tell nothing about what a function is for.
_COMMON: Final = frozenset(
    "a an and are as ask at be by can call check current do find for from get give given has "
    "have how i in is it its look make me my need of on or please return returns set should "
    "show something take tell that the their them this to up use user value want was what "
    "when which who will with would you your".split()
)
# A word of the name says more than one of the description.
_NAME_WEIGHT: Final = 2
_ENOUGH: Final = 2
_GREETINGS: Final = frozenset({"hello", "hi", "hey", "greetings"})
_FAREWELLS: Final = frozenset({"bye", "goodbye", "thanks", "thank"})
_QUESTION: Final = "Which {}?"


async def think_by_rules(request: ThinkRequest) -> AsyncIterator[str | ToolCall | Thought]:
    """Answer without a language model.

    The function whose name and description share most words with what the user said is called, with
    arguments found in those words by its JSON Schema. When a required one is missing, the agent
    asks for it. Responses of functions are read out. Anything else is answered with what was
    heard, so that a listener can tell that it was heard right.
    """
    last = request.messages[-1] if request.messages else None
    if last is not None and last.function_calls:
        for call in last.function_calls:
            yield _told(call)
        return
    said, context = _said(request.messages)
    function = _meant(request.functions, context)
    if function is None:
        yield _small_talk(said)
        return
    arguments, missing = find_arguments(function.parameters or {}, context, function.name)
    if missing is not None:
        yield _QUESTION.format(in_words(missing))
        return
    yield Thought(f"The user wants {in_words(function.name)}.")
    yield ToolCall(function.name, msgspec.json.encode(arguments).decode())


def _said(messages: Sequence[History]) -> tuple[str, str]:
    """Return what the user said last, and together with what led to a question about it."""
    texts: list[str] = []
    for message in reversed(messages):
        if message.function_calls:
            break
        if message.role == "user":
            texts.append(message.content or "")
        elif texts and not (message.content or "").startswith(_QUESTION.split("{")[0]):
            break
    return (texts[0] if texts else ""), " ".join(reversed(texts))


def _meant(functions: Sequence[Function], text: str) -> Function | None:
    spoken = _stems(text)

    def score(function: Function) -> int:
        name = _stems(in_words(function.name))
        described = _stems(function.description or "") - name
        return _NAME_WEIGHT * len(name & spoken) + len(described & spoken)

    best = max(functions, key=score, default=None)
    return best if best is not None and score(best) >= _ENOUGH else None


def _stems(text: str) -> set[str]:
    words = (word.lower() for word in _WORD.findall(text))
    return {
        re.sub(r"(ies|es|s|ing|ed)$", "", word) or word for word in words if word not in _COMMON
    }


def _small_talk(said: str) -> str:
    words = {word.lower() for word in _WORD.findall(said)}
    if words & _FAREWELLS:
        return "You're welcome. Goodbye!"
    if words & _GREETINGS and len(words) <= 4:
        return "Hello! How can I help you?"
    return f"You said: {said}" if said else "I did not hear anything."


def _told(call: HistoryFunctionCall) -> str:
    """Return a response as it can be read out."""
    try:
        value: object = msgspec.json.decode(call.response)
    except msgspec.DecodeError:
        value = call.response
    text = _spoken(value)
    return text if text.endswith((".", "!", "?")) else f"{text}. "


def _spoken(value: Any) -> str:
    match value:
        case dict():
            pairs = cast("dict[str, object]", value).items()
            return ", ".join(f"{in_words(key)} is {_spoken(item)}" for key, item in pairs)
        case list():
            return ", ".join(map(_spoken, cast("list[object]", value))) or "nothing"
        case None:
            return "nothing"
        case bool():
            return "yes" if value else "no"
        case _:
            return str(value)
