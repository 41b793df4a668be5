"""Options of the service as command-line options."""

import types
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, Final, TypedDict, TypeVar, Union, get_args, get_origin, get_type_hints

import click
import msgspec

from deepgram_async.cli._values import complete_models, complete_params

__all__ = [
    "RecognitionFlags",
    "SpeechFlags",
    "collect_options",
    "collect_query",
    "emulator_flag",
    "options_of",
    "param_flags",
    "query_of",
    "recognition_flags",
    "speech_flags",
]

_Command = TypeVar("_Command", bound=Callable[..., object])
_Options = TypeVar("_Options", bound=Mapping[str, object])


class RecognitionFlags(TypedDict):
    """What `recognition_flags` adds to a command."""

    model: str
    language: str | None
    smart_format: bool
    diarize: bool
    keyterms: Sequence[str]
    params: Sequence[str]
    extra_query: Sequence[str]
    emulator: bool


class SpeechFlags(RecognitionFlags):
    """What `speech_flags` adds to a command."""

    as_json: bool


_PARAMS: Final = (
    click.option(
        "-p",
        "--param",
        "params",
        multiple=True,
        metavar="NAME=VALUE",
        shell_complete=complete_params,
        help="Any other option of the service. Repeatable.",
    ),
    click.option(
        "--extra-query",
        multiple=True,
        metavar="NAME=VALUE",
        help="An option newer than this release, sent unchecked. Repeatable.",
    ),
)


def emulator_flag(command: _Command) -> _Command:
    """Add the flag that takes a local service instead."""
    return click.option(
        "--emulator", is_flag=True, help="Use a local service: no key, no internet."
    )(command)


_FLAGS: Final = (
    click.option(
        "-m",
        "--model",
        default="nova-3",
        show_default=True,
        metavar="NAME",
        shell_complete=complete_models,
        help="The speech model.",
    ),
    click.option("-l", "--language", metavar="TAG", help="BCP-47 tag, or 'multi'."),
    click.option(
        "--smart-format/--no-smart-format",
        default=True,
        show_default=True,
        help="Format the text for reading.",
    ),
    click.option("--diarize", is_flag=True, help="Tell speakers apart."),
    click.option(
        "--keyterm", "keyterms", multiple=True, metavar="TERM", help="Listen for it. Repeatable."
    ),
    emulator_flag,
)


def param_flags(command: _Command) -> _Command:
    """Add the flags for options that have no flag of their own."""
    for flag in reversed(_PARAMS):
        command = flag(command)
    return command


def recognition_flags(command: _Command) -> _Command:
    """Add the flags that say how speech is recognised, and where."""
    for flag in reversed(_FLAGS):
        command = flag(command)
    return param_flags(command)


def speech_flags(command: _Command) -> _Command:
    """Add the flags that the transcription of recordings and of live audio have in common."""
    json = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
    return recognition_flags(json(command))


def collect_options(
    kind: type[_Options], flags: RecognitionFlags, **more: bool | str | int | None
) -> _Options:
    """Return the options of a call: those with a flag of their own, and ``--param``, converted.

    Args:
        kind: The TypedDict of the call; a parameter is converted to the type of its key.
        flags: The common flags as given.
        more: Options that only this command has a flag for; ``None`` and ``False`` are not sent.

    Raises:
        click.BadParameter: A parameter is unknown, malformed, repeated in vain, or of a wrong type.
    """
    return options_of(
        kind,
        flags["params"],
        model=flags["model"],
        language=flags["language"],
        smart_format=flags["smart_format"],
        # The option `diarize` is deprecated in favour of naming a model.
        diarize_model="latest" if flags["diarize"] else None,
        keyterm=list(flags["keyterms"]),
        **more,
    )


def options_of(kind: type[_Options], params: Sequence[str], **given: object) -> _Options:
    """Return the options of a call.

    Args:
        kind: The TypedDict of the call; a parameter is converted to the type of its key.
        params: What ``--param`` brought; it wins.
        given: Options with a flag of their own; ``None``, ``False`` and empty lists are not sent.

    Raises:
        click.BadParameter: A parameter is unknown, malformed, repeated in vain, or of a wrong type.
    """
    options = {name: value for name, value in given.items() if value not in (None, False, [], ())}
    hints = get_type_hints(kind)
    for name, values in _grouped(params, "--param").items():
        if name not in hints:
            near = get_close_matches(name, hints, n=1)
            advice = f"did you mean {near[0]!r}?" if near else "--extra-query sends newer ones"
            raise _bad(f"unknown option {name!r}: {advice}")
        options[name] = _converted(name, values, hints[name])
    return msgspec.convert(options, kind)


def collect_query(flags: RecognitionFlags) -> dict[str, str | Sequence[str]]:
    """Return the query keys that are sent without a check."""
    return query_of(flags["extra_query"])


def query_of(items: Sequence[str], flag: str = "--extra-query") -> dict[str, str | Sequence[str]]:
    """Return query keys as given, a list for one that was given several times.

    Raises:
        click.BadParameter: One is not of the form ``NAME=VALUE``.
    """
    return {
        name: values[0] if len(values) == 1 else values
        for name, values in _grouped(items, flag).items()
    }


def _grouped(items: Sequence[str], flag: str) -> dict[str, list[str]]:
    grouped: dict[str, list[str]] = {}
    for item in items:
        name, equals, value = item.partition("=")
        if not name or not equals:
            raise _bad(f"{item!r} is not of the form NAME=VALUE", flag)
        grouped.setdefault(name.replace("-", "_"), []).append(value)
    return grouped


def _converted(name: str, values: list[str], hint: Any) -> object:
    if len(values) > 1 and not _is_repeatable(hint):
        raise _bad(f"{name!r} takes one value")
    value = values[0] if len(values) == 1 else values
    try:
        # Not strict: everything on a command line is text.
        return msgspec.convert(value, hint, strict=False)
    except msgspec.ValidationError as exc:
        raise _bad(f"{name!r}: {exc}") from None


def _is_repeatable(hint: Any) -> bool:
    members = get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)
    return any(get_origin(member) is Sequence for member in members)


def _bad(message: str, flag: str = "--param") -> click.BadParameter:
    return click.BadParameter(message, param_hint=flag)
