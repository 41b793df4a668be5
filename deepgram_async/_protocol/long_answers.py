"""The transcription of a long recording, decoded step by step.

An hour of speech is an answer of three megabytes. Decoded at once it stops everything else for as
long as that takes, also from a thread, because the decoder keeps the interpreter for itself. So a
first step finds out where the long lists are, and further ones decode them.
"""

from __future__ import annotations

from collections.abc import Generator
from functools import cache
from typing import Any, TypeVar

import msgspec
from msgspec import UNSET, Raw, UnsetType

from deepgram_async.models.common import Word
from deepgram_async.models.prerecorded import (
    Alternative,
    Channel,
    Results,
    Transcription,
    Utterance,
)

__all__ = ["decoding_steps"]

S = TypeVar("S", bound=msgspec.Struct)


def decoding_steps(body: bytes) -> Generator[None, None, Transcription]:
    """Return a generator that pauses between the steps, and returns the transcription.

    The result is that of decoding at once, which takes a little less time in all.

    Raises:
        msgspec.DecodeError: The body is no transcription; the place in the message may be one in
            a part of it.
        UnicodeDecodeError: The body is no UTF-8.
        RecursionError: Values are nested without end.
    """
    found: Any = _outline().decode(body)
    yield
    channels = list[Channel]()
    for channel in found.results.channels:
        alternatives = list[Alternative]()
        for alternative in channel.alternatives or ():
            words = yield from _decoded(alternative.words, list[Word])
            alternatives.append(_made(Alternative, alternative, words=words))
        is_given = channel.alternatives is not UNSET
        channels.append(_made(Channel, channel, alternatives=alternatives if is_given else UNSET))
    utterances = yield from _decoded(found.results.utterances, list[Utterance] | None)
    results = _made(Results, found.results, channels=channels, utterances=utterances)
    return _made(Transcription, found, results=results)


@cache
def _outline() -> msgspec.json.Decoder[Any]:
    """Return the decoder for a transcription whose words and utterances stay as they came."""
    alternative = _raw(Alternative, words=Raw)
    channel = _raw(Channel, alternatives=list[alternative])  # type: ignore[valid-type] # made here
    results = _raw(Results, channels=list[channel], utterances=Raw)  # type: ignore[valid-type] # made here
    return msgspec.json.Decoder(_raw(Transcription, results=results))


def _raw(kind: type[msgspec.Struct], **types: Any) -> type[msgspec.Struct]:
    """Return a struct like another one in which some fields have other types."""
    fields = list[Any]()
    for field in msgspec.structs.fields(kind):
        of_field = types.get(field.name, field.type)
        if field.required:
            fields.append((field.name, of_field))
        else:
            fields.append((field.name, of_field | UnsetType, UNSET))
    return msgspec.defstruct(kind.__name__, fields, kw_only=True)


def _made(kind: type[S], found: msgspec.Struct, **decoded: Any) -> S:
    """Return the real struct for an outline, with what was decoded since."""
    values = {name: getattr(found, name) for name in found.__struct_fields__} | decoded
    return kind(**{name: value for name, value in values.items() if value is not UNSET})


def _decoded(raw: Raw | UnsetType, kind: Any) -> Generator[None, None, Any]:
    if raw is UNSET:
        return UNSET
    decoded = _decoder(kind).decode(raw)
    yield
    return decoded


@cache
def _decoder(kind: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(kind)
