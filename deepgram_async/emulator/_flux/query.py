"""The query string of `/v2/listen`, read as strictly as the service reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, get_type_hints

import msgspec

from deepgram_async._protocol import rules_flux
from deepgram_async.emulator._errors import INVALID_QUERY, Refusal, bad_request
from deepgram_async.emulator._fields import Fields
from deepgram_async.emulator._pcm import FORMATS
from deepgram_async.emulator._query import RawFormat
from deepgram_async.errors import OptionError
from deepgram_async.options import FluxOptions

if TYPE_CHECKING:
    from multidict import MultiMapping

__all__ = ["MULTILINGUAL", "FluxQuery", "raw_format", "read_query"]

MULTILINGUAL: Final = "flux-general-multi"
_MODELS: Final = ("flux-general-en", MULTILINGUAL)
_LISTS: Final = ("keyterm", "language_hint", "tag")
_NUMBERS: Final = ("eager_eot_threshold", "eot_threshold", "eot_timeout_ms")
_FLAGS: Final = ("mip_opt_out", "numerals", "profanity_filter")


class FluxQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Options of a Flux stream."""

    model: str
    raw: RawFormat | None
    """None for audio that tells what it is."""
    eot_threshold: float = 0.7
    eager_eot_threshold: float | None = None
    eot_timeout_ms: float = 5000.0
    keyterm: tuple[str, ...] = ()
    language_hint: tuple[str, ...] = ()
    tag: tuple[str, ...] = ()
    numerals: bool = False
    profanity_filter: bool = False
    redact: str | None = None


def read_query(query: MultiMapping[str]) -> FluxQuery:
    """Read the options of a stream.

    Raises:
        Refusal: A name or a value is invalid.
    """
    unknown = query.keys() - get_type_hints(FluxOptions).keys()
    if unknown:
        raise bad_request(f"Bad Request: unknown parameter {min(unknown)}.")
    options = _typed(query)
    try:
        rules_flux.check(options)
    except OptionError as error:
        raise bad_request(f"Bad Request: {error.message}.") from None
    if options["model"] not in _MODELS:
        raise bad_request(f"Bad Request: there is no model {options['model']}.")
    rate = options.pop("sample_rate", None)
    encoding = options.pop("encoding", None)
    options.pop("mip_opt_out", None)
    raw = raw_format(encoding, rate) if isinstance(encoding, str) else None
    return msgspec.convert({**options, "raw": raw}, FluxQuery)


def raw_format(encoding: str, rate: object) -> RawFormat | None:
    """Return the format of mono audio; None when it tells what it is.

    Raises:
        Refusal: It cannot be decoded here.
    """
    if encoding in ("flac", "ogg-opus"):
        return None
    if encoding not in FORMATS or not isinstance(rate, int):
        raise bad_request(f"Bad Request: {encoding} is not decoded by the local emulator")
    return RawFormat(encoding, rate, 1)


def _typed(query: MultiMapping[str]) -> dict[str, object]:
    options: dict[str, object] = dict(query)
    for name in _LISTS:
        if name in query:
            options[name] = tuple(query.getall(name))
    try:
        options |= {name: float(query[name]) for name in _NUMBERS if name in query}
        if "sample_rate" in query:
            options["sample_rate"] = int(query["sample_rate"])
    except ValueError:
        raise Refusal(*INVALID_QUERY) from None
    fields = Fields(query)
    options |= {name: fields.flag(name) for name in _FLAGS if name in query}
    return options
