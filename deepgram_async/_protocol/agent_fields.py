"""The settings of a voice agent as the fields that are sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from deepgram_async.errors import OptionError
from deepgram_async.models import Model
from deepgram_async.models.agent_settings import Function, Settings, Think

__all__ = [
    "Fields",
    "audio_input",
    "fields_of",
    "settings_fields",
    "text_frame",
    "think_fields",
]

Fields = dict[str, object]

_OPTION: Final = "settings"


def fields_of(value: Model | Mapping[str, object], option: str) -> Fields:
    """Return the fields of a struct, checked against their types; a mapping stays as it is.

    The service refuses a whole conversation for one field of the wrong type, and does not say
    what was wrong with it.

    Raises:
        OptionError: A field has the wrong type.
    """
    if not isinstance(value, Model):
        return dict(value)
    try:
        fields = value.to_dict()
        msgspec.convert(fields, type(value))
    except (TypeError, msgspec.ValidationError) as error:
        raise OptionError(f"{option}: {error}", option=option) from None
    return fields


def settings_fields(
    settings: Settings | Mapping[str, object], functions: Sequence[Function]
) -> Fields:
    """Return the message ``Settings``, with functions added to every language model in it.

    A stored agent has its functions with it, so none are added there.

    Raises:
        OptionError: A field has the wrong type, or no language model takes the functions.
    """
    fields = {"type": "Settings", **fields_of(settings, _OPTION)}
    agent = fields.get("agent")
    if not functions or isinstance(agent, str):
        return fields
    inner = _object(agent, "agent")
    if inner.get("think") is None:
        raise OptionError("tools need agent.think in the settings", option="tools")
    return {**fields, "agent": {**inner, "think": _with_functions(inner["think"], functions)}}


def audio_input(settings: Settings | Mapping[str, object]) -> Mapping[str, object]:
    """Return the format of the user's audio; nothing where the settings do not tell it."""
    try:
        return _object(_object(fields_of(settings, _OPTION)["audio"], "audio")["input"], "input")
    except (KeyError, OptionError):
        return {}


def think_fields(
    think: Think | Sequence[Think] | Mapping[str, object], functions: Sequence[Function]
) -> Fields | list[Fields]:
    """Return one language model or several, with functions added to each.

    Raises:
        OptionError: A field has the wrong type.
    """
    if isinstance(think, Think | Mapping):
        return _one_with_functions(fields_of(think, "think"), functions)
    return [_one_with_functions(fields_of(one, "think"), functions) for one in think]


def text_frame(message: Mapping[str, object], option: str) -> str:
    """Return the text frame of a message.

    Raises:
        OptionError: It holds what JSON cannot.
    """
    try:
        return msgspec.json.encode(message).decode()
    except (TypeError, ValueError) as error:
        raise OptionError(f"{option}: {error}", option=option) from None


def _with_functions(think: object, functions: Sequence[Function]) -> object:
    if isinstance(think, list | tuple):
        several = msgspec.convert(think, list[object])
        return [_one_with_functions(_object(one, "think"), functions) for one in several]
    return _one_with_functions(_object(think, "think"), functions)


def _one_with_functions(think: Fields, functions: Sequence[Function]) -> Fields:
    """Add functions to a language model, except those that it describes by itself."""
    if not functions:
        return think
    given = think.get("functions")
    try:
        own = [] if given is None else msgspec.convert(given, list[Fields])
    except msgspec.ValidationError as error:
        raise OptionError(f"functions: {error}", option=_OPTION) from None
    names = {function.get("name") for function in own}
    added = [fields_of(one, "tools") for one in functions if one.name not in names]
    return {**think, "functions": [*own, *added]}


def _object(value: object, name: str) -> Fields:
    if isinstance(value, Model):
        return fields_of(value, name)
    try:
        return msgspec.convert(value, Fields)
    except msgspec.ValidationError as error:
        raise OptionError(f"{name}: {error}", option=_OPTION) from None
