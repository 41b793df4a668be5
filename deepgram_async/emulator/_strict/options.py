"""Query strings, held against the options that Deepgram documents."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, get_args, get_origin
from typing import get_type_hints as hints_of

from deepgram_async import options as documented
from deepgram_async._protocol import rules_listen
from deepgram_async.errors import OptionError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from multidict import MultiMapping

    from .deviations import DeviationRule

__all__ = ["Complaint", "complaints"]

# What the calls of the session set themselves.
_CALLBACK: Final = {"callback": str, "callback_method": str}
_PERIOD: Final = {"start": str, "end": str}
_PROJECT: Final = "/v1/projects/{project_id}"
_LONGEST_SHOWN: Final = 60


class Complaint(NamedTuple):
    """What is wrong with an option."""

    rule: DeviationRule
    what: str
    is_note: bool = False


class _Documented(NamedTuple):
    kind: type[Any] | None = None
    more: Mapping[str, Any] = {}
    check: Callable[[Mapping[str, object]], None] | None = None


_OPTIONS: Final = {
    "POST /v1/listen": _Documented(
        documented.ListenOptions, _CALLBACK, rules_listen.check_prerecorded
    ),
    "GET /v1/listen": _Documented(documented.LiveOptions, _CALLBACK, rules_listen.check_live),
    "GET /v2/listen": _Documented(documented.FluxOptions),
    "POST /v1/speak": _Documented(documented.SpeakOptions, _CALLBACK),
    "GET /v1/speak": _Documented(documented.SpeakLiveOptions),
    "POST /v2/speak": _Documented(documented.FluxSpeakOptions, {**_CALLBACK, "priority": str}),
    "GET /v2/speak": _Documented(documented.FluxSpeakLiveOptions),
    "POST /v1/read": _Documented(documented.ReadOptions, _CALLBACK),
    "GET /v1/agent/converse": _Documented(),
    f"GET {_PROJECT}/requests": _Documented(documented.RequestsOptions, _PERIOD),
    f"GET {_PROJECT}/usage": _Documented(documented.UsageOptions, _PERIOD),
    f"GET {_PROJECT}/usage/breakdown": _Documented(documented.UsageBreakdownOptions, _PERIOD),
    f"GET {_PROJECT}/billing/breakdown": _Documented(documented.BillingBreakdownOptions, _PERIOD),
}


def complaints(operation: str, query: MultiMapping[str]) -> Iterator[Complaint]:
    """Yield what is wrong with a query string.

    Args:
        operation: Method and path, with the names of its parameters in braces.
        query: The query string.
    """
    known = _OPTIONS.get(operation)
    if known is None:
        return
    hints = _hints(operation)
    given: dict[str, object] = {}
    for name in dict.fromkeys(query):
        values = query.getall(name)
        if name in hints:
            try:
                given[name] = _value(name, values, hints[name])
            except ValueError as error:
                yield Complaint("option-value", str(error))
        else:
            yield Complaint("option-name", f"there is no option {_shown(name)}")
    for name in ("sample_rate", "channels"):
        if name in given and "encoding" not in query and "encoding" in hints:
            yield Complaint("option-rule", f"{name} is read with encoding only", is_note=True)
    if known.check is not None:
        try:
            known.check(given)
        except OptionError as error:
            yield Complaint("option-rule", error.message)


@cache
def _hints(operation: str) -> Mapping[str, Any]:
    known = _OPTIONS[operation]
    return {**({} if known.kind is None else hints_of(known.kind)), **known.more}


def _value(name: str, values: list[str], hint: Any) -> object:
    """Return an option with its type.

    Raises:
        ValueError: It has none of its types.
    """
    kinds = set(_kinds(hint))
    if len(values) > 1:
        if Sequence not in kinds:
            raise ValueError(f"{name} is given {len(values)} times, and no list")
        return [_scalar(name, value, kinds) for value in values]
    return _scalar(name, values[0], kinds)


def _scalar(name: str, value: str, kinds: set[Any]) -> object:
    if bool in kinds and value in ("true", "false"):
        return value == "true"
    if int in kinds and re.fullmatch(r"-?[0-9]{1,15}", value, re.ASCII):
        return int(value)
    if float in kinds and re.fullmatch(r"-?[0-9]{1,15}(\.[0-9]{1,15})?", value, re.ASCII):
        return float(value)
    if str in kinds or value in kinds:
        return value
    words = [kind.__name__ if isinstance(kind, type) else str(kind) for kind in kinds]
    expected = ", ".join(sorted({*words} - {"Sequence"}))
    raise ValueError(f"{name}={_shown(value)} is none of: {expected}")


def _kinds(hint: Any) -> Iterator[Any]:
    """Yield the types of a hint, the values of its literals, and `Sequence` for lists."""
    origin = get_origin(hint)
    if origin is Literal:
        yield from get_args(hint)
    elif origin is None:
        # A date is written as text.
        yield hint if hint in (bool, int, float) else str
    else:
        if origin is Sequence:
            yield Sequence
        for inner in get_args(hint):
            yield from _kinds(inner)


def _shown(text: str) -> str:
    return repr(text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}\u2026")
