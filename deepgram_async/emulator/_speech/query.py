"""The query strings of `/v1/speak` and `/v2/speak`, read as strictly as the service reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, get_args

import msgspec

from deepgram_async._protocol.rules_speak import AURA_FORMATS, FLUX_FORMATS, RAW_ENCODINGS
from deepgram_async.emulator._callbacks import Callback
from deepgram_async.emulator._errors import (
    INVALID_QUERY,
    NO_SUCH_MODEL,
    Refusal,
    bad_request,
)
from deepgram_async.emulator._fields import Fields
from deepgram_async.models.voices import AuraVoice, FluxVoice

from .formats import SpeechFormat

if TYPE_CHECKING:
    from collections.abc import Mapping

    from multidict import MultiMapping

    from deepgram_async._protocol.rules_speak import Format

__all__ = ["SpeechQuery", "check_flux_speed", "read_aura", "read_flux"]


class SpeechQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Options of speech."""

    model: str
    form: SpeechFormat
    speed: float
    tags: tuple[str, ...]
    callback: Callback | None


_AURA_VOICES: Final = frozenset(get_args(AuraVoice))
_FLUX_VOICES: Final = frozenset(get_args(FluxVoice))
_DEFAULT_VOICE: Final = "aura-asteria-en"
_DEFAULT_RATES: Final = {"mulaw": 8000, "alaw": 8000, "opus": 48000, "flac": 48000, "aac": 22050}
# What the codecs can, where the service documents no list.
_RATES: Final = {
    "mp3": (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000),
    "opus": (8000, 12000, 16000, 24000, 48000),
    "flac": (8000, 16000, 22050, 24000, 32000, 44100, 48000),
    "aac": (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000),
}
_BIT_RATES: Final = {"opus": (4000, 650_000), "aac": (4000, 192_000)}
_SHARED: Final = ("model", "encoding", "sample_rate", "speed", "expressivity", "mip_opt_out", "tag")
_OF_SOCKETS: Final = frozenset(_SHARED)
_OF_REQUESTS: Final = frozenset(
    (*_SHARED, "container", "bit_rate", "priority", "callback", "callback_method")
)


def read_aura(query: MultiMapping[str], *, is_socket: bool) -> SpeechQuery:
    """Read the options of `/v1/speak`.

    Raises:
        Refusal: A value is invalid, or there is no such voice.
    """
    model = query.get("model", _DEFAULT_VOICE)
    if model not in _AURA_VOICES:
        raise Refusal(*NO_SUCH_MODEL)
    speed = Fields(query).number("speed", 1.0)
    if not 0.7 <= speed <= 1.5:
        raise bad_request("Bad Request: speed is from 0.7 to 1.5.")
    return _read(query, model, AURA_FORMATS, speed, is_socket=is_socket)


def read_flux(query: MultiMapping[str], *, is_socket: bool) -> SpeechQuery:
    """Read the options of `/v2/speak`.

    Raises:
        Refusal: A name or a value is invalid, or there is no such voice.
    """
    unknown = query.keys() - (_OF_SOCKETS if is_socket else _OF_REQUESTS)
    if unknown:
        raise bad_request(f"Bad Request: unknown parameter {min(unknown)}.")
    model = query.get("model")
    if model is None:
        raise bad_request("Bad Request: model is required.")
    if model not in _FLUX_VOICES:
        raise Refusal(*NO_SUCH_MODEL)
    speed = Fields(query).number("speed", 1.0)
    problem = check_flux_speed(speed)
    if problem is not None:
        raise Refusal(400, *problem)
    _check_expressivity(query.get("expressivity", "0"))
    return _read(query, model, FLUX_FORMATS, speed, is_socket=is_socket)


def check_flux_speed(speed: float) -> tuple[str, str] | None:
    """Return code and words for a speed that Flux voices do not have."""
    if not 0.5 <= speed <= 1.5:
        return "SPEED_OUT_OF_RANGE", "speed is from 0.5 to 1.5."
    if abs(speed * 20 - round(speed * 20)) > 1e-6:
        return "SPEED_INCREMENT_INVALID", "speed is a multiple of 0.05."
    return None


def _check_expressivity(value: str) -> None:
    try:
        number = float(value)
    except ValueError:
        raise Refusal(*INVALID_QUERY) from None
    if number != int(number):
        raise Refusal(400, "EXPRESSIVITY_INCREMENT_INVALID", "expressivity is a whole number.")
    if not -2 <= number <= 2:
        raise Refusal(400, "EXPRESSIVITY_OUT_OF_RANGE", "expressivity is from -2 to 2.")


def _read(
    query: MultiMapping[str],
    model: str,
    formats: Mapping[str, Format],
    speed: float,
    *,
    is_socket: bool,
) -> SpeechQuery:
    fields = Fields(query, ("mip_opt_out",))
    callback = None if is_socket else fields.callback()
    if callback is None and "priority" in query:
        raise bad_request("Bad Request: priority goes with a callback only.")
    encoding = query.get("encoding", "linear16" if is_socket else "mp3")
    allowed = formats.get(encoding)
    if allowed is None or (is_socket and encoding not in RAW_ENCODINGS):
        raise bad_request(f"Bad Request: unsupported encoding {encoding}.")
    return SpeechQuery(
        model=model,
        form=SpeechFormat(
            encoding,
            _sample_rate(fields, encoding, allowed),
            "none" if is_socket else _container(fields, encoding, allowed),
            _bit_rate(fields, encoding, allowed),
        ),
        speed=speed,
        tags=fields.all("tag"),
        callback=callback,
    )


def _container(fields: Fields, encoding: str, allowed: Format) -> str:
    container = fields.query.get("container", allowed.containers[0])
    if container not in allowed.containers:
        raise _mismatch("container", container, encoding)
    return container


def _sample_rate(fields: Fields, encoding: str, allowed: Format) -> int:
    rates = allowed.sample_rates or _RATES[encoding]
    default = rates[0] if len(rates) == 1 else _DEFAULT_RATES.get(encoding, 24000)
    rate = fields.integer("sample_rate") or default
    if rate not in rates:
        raise _mismatch("sample_rate", rate, encoding)
    return rate


def _bit_rate(fields: Fields, encoding: str, allowed: Format) -> int | None:
    rate = fields.integer("bit_rate")
    if rate is None:
        return None
    low, high = _BIT_RATES.get(encoding, (0, 0))
    if rate not in (allowed.bit_rates or ()) and not low <= rate <= high:
        raise _mismatch("bit_rate", rate, encoding)
    return rate


def _mismatch(name: str, value: object, encoding: str) -> Refusal:
    return bad_request(f"Bad Request: {name} {value} does not go with encoding {encoding}.")
