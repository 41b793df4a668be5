"""The settings of a conversation, read as strictly as the service reads them."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

import msgspec
from msgspec import inspect

from deepgram_async._protocol import rules_agent
from deepgram_async.emulator._speech.formats import SpeechFormat
from deepgram_async.errors import OptionError
from deepgram_async.models.agent_settings import (
    Agent,
    DeepgramListenProviderV2,
    DeepgramSpeakProvider,
    Listen,
    Settings,
    Speak,
    Think,
    ThinkLive,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from deepgram_async.models.agent_settings import Output

__all__ = [
    "SettingsError",
    "first",
    "hears_turns",
    "read_listen",
    "read_settings",
    "read_speak",
    "read_think",
    "read_think_live",
    "speech_format",
    "speed_of",
]

T = TypeVar("T")
Fields = dict[str, Any]

_UNPARSABLE: Final = "UNPARSABLE_CLIENT_MESSAGE"
_INVALID: Final = "INVALID_SETTINGS"
_PLACE: Final = re.compile(r" - at `\$\.?(.*)`$")
_MISSING: Final = re.compile(r"missing required field `(\w+)`")


class SettingsError(Exception):
    """The service refuses these settings; `code` and `str()` are what its `Error` says."""

    def __init__(self, code: str, description: str) -> None:
        super().__init__(description)
        self.code = code


def read_settings(message: Mapping[str, object]) -> Settings:
    """Read a `Settings` message.

    Raises:
        SettingsError: A field is unknown, missing or of the wrong type, or fields do not go
            together.
    """
    fields = _with_versions(message)
    settings = _read(fields, Settings, "")
    _check(lambda: rules_agent.check_settings(settings))
    return settings


def read_listen(fields: object) -> Listen:
    """Read what an `UpdateListen` carries.

    Raises:
        SettingsError: As for `read_settings`.
    """
    listen = _read(_with_version(fields), Listen, "listen")
    _check(lambda: rules_agent.check_listen(listen))
    return listen


def read_think(fields: object, *, has_think_live: bool) -> Think | list[Think]:
    """Read what an `UpdateThink` carries.

    Raises:
        SettingsError: As for `read_settings`.
    """
    think: Think | list[Think] = _read(fields, cast("Any", Think | list[Think]), "think")
    _check(lambda: rules_agent.check_think(think, has_think_live=has_think_live))
    return think


def read_speak(fields: object, output: Output) -> Speak | list[Speak]:
    """Read what an `UpdateSpeak` carries.

    Raises:
        SettingsError: As for `read_settings`.
    """
    speak: Speak | list[Speak] = _read(fields, cast("Any", Speak | list[Speak]), "speak")
    _check(lambda: rules_agent.check_speak(speak, output))
    return speak


def read_think_live(fields: object) -> ThinkLive:
    """Read what an `UpdateThink_Live` carries.

    Raises:
        SettingsError: As for `read_settings`.
    """
    think_live = _read(fields, ThinkLive, "think_live")
    _check(lambda: rules_agent.check_think_live(think_live))
    return think_live


_DEFAULT_RATES: Final = {
    "linear16": 24000,
    "mulaw": 8000,
    "alaw": 8000,
    "mp3": 22050,
    "opus": 48000,
    "flac": 48000,
    "aac": 22050,
}


def speech_format(output: Output) -> SpeechFormat:
    """Return the form of the agent's audio.

    Raises:
        SettingsError: There is no such encoding.
    """
    rate = _DEFAULT_RATES.get(output.encoding)
    if rate is None:
        raise SettingsError(_INVALID, f"audio.output.encoding {output.encoding} is not supported")
    container = "ogg" if output.encoding == "opus" else output.container
    return SpeechFormat(output.encoding, output.sample_rate or rate, container, output.bitrate)


def first(providers: Sequence[T] | T) -> T:
    """Return the first choice of what may be a list of choices."""
    return cast("T", providers[0] if isinstance(providers, list) else providers)


def speed_of(agent: Agent) -> float:
    """Return the pace of the agent's first voice."""
    if agent.speak is None:
        return 1.0
    provider = first(agent.speak).provider
    return (provider.speed if isinstance(provider, DeepgramSpeakProvider) else None) or 1.0


def hears_turns(agent: Agent) -> bool:
    """Tell whether a Flux model listens."""
    return agent.listen is not None and isinstance(agent.listen.provider, DeepgramListenProviderV2)


def _check(rule: Any) -> None:
    try:
        rule()
    except OptionError as error:
        raise SettingsError(_INVALID, error.message) from None


def _read(fields: object, kind: type[T], place: str) -> T:
    unknown = _unknown_field(fields, _type_of(cast("Any", kind)), place)
    if unknown is not None:
        raise _unparsable(unknown)
    try:
        return msgspec.convert(fields, kind)
    except msgspec.ValidationError as error:
        found = _PLACE.search(str(error))
        missing = _MISSING.search(str(error))
        parts = (place, found[1] if found else "", missing[1] if missing else "")
        raise _unparsable(".".join(filter(None, parts))) from None


def _unparsable(place: str) -> SettingsError:
    return SettingsError(
        _UNPARSABLE,
        f"Error parsing client message. Check the {place} field against the API spec.",
    )


# The version of a listening provider tells its kind, and may be left out.


def _with_versions(message: Mapping[str, object]) -> Fields:
    agent = message.get("agent")
    if not isinstance(agent, dict) or "listen" not in agent:
        return dict(message)
    fields = cast("Fields", agent)
    return {**message, "agent": {**fields, "listen": _with_version(fields["listen"])}}


def _with_version(listen: object) -> object:
    if not isinstance(listen, dict):
        return listen
    fields = cast("Fields", listen)
    provider = fields.get("provider")
    if not isinstance(provider, dict):
        return fields
    return {**fields, "provider": {"version": "v1", **cast("Fields", provider)}}


# Unknown fields, which msgspec lets pass.


@cache
def _type_of(kind: Any) -> inspect.Type:
    return inspect.type_info(kind)


def _unknown_field(value: object, kind: inspect.Type, place: str) -> str | None:
    """Return the place of the first field that the type does not have."""
    kinds = kind.types if isinstance(kind, inspect.UnionType) else (kind,)
    if isinstance(value, list):
        items = next((k for k in kinds if isinstance(k, inspect.ListType)), None)
        if items is None:
            return None
        found = (
            _unknown_field(item, items.item_type, f"{place}[{at}]")
            for at, item in enumerate(cast("list[object]", value))
        )
        return next(filter(None, found), None)
    if not isinstance(value, dict):
        return None
    fields = cast("Fields", value)
    structs = [k for k in kinds if isinstance(k, inspect.StructType)]
    struct = structs[0] if len(structs) == 1 else _by_tag(structs, fields)
    return None if struct is None else _unknown_of(fields, struct, place)


def _by_tag(structs: Sequence[inspect.StructType], fields: Fields) -> inspect.StructType | None:
    return next((k for k in structs if fields.get(k.tag_field or "") == k.tag), None)


def _unknown_of(fields: Fields, struct: inspect.StructType, place: str) -> str | None:
    known = {field.encode_name: field.type for field in struct.fields}
    for name, value in fields.items():
        inner = f"{place}.{name}" if place else name
        if name == struct.tag_field:
            continue
        if name not in known:
            return inner
        unknown = _unknown_field(value, known[name], inner)
        if unknown is not None:
            return unknown
    return None
