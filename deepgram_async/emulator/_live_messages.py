"""The messages of the live socket, as values: what clients say, and what the service answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import msgspec

from . import _wire
from ._formatting import format_words
from ._query import LONGEST_KEYTERMS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ._query import LiveQuery
    from ._recognizers import Recognizer
    from ._segmenter import Slice
    from ._wire import Json

__all__ = [
    "CLOSE_STREAM",
    "DATA_0000",
    "NET_0000",
    "NET_0001",
    "NET_0002",
    "ClientMessage",
    "CloseStream",
    "Configure",
    "Ending",
    "Finalize",
    "KeepAlive",
    "LiveAnswers",
    "Unparsable",
    "parse",
]


# What clients say.


class KeepAlive(msgspec.Struct, frozen=True, tag=True):
    """Nothing to say, but still there."""


class Finalize(msgspec.Struct, frozen=True, tag=True):
    """Turn what is buffered into a final result."""

    channel: int | None = None


class CloseStream(msgspec.Struct, frozen=True, tag=True):
    """No more audio: finish and close."""


class Configure(msgspec.Struct, frozen=True, tag=True):
    """Change keyterms or formatting in mid-stream."""

    keyterms: list[str] | None = None
    features: dict[str, bool] | None = None


ClientMessage = KeepAlive | Finalize | CloseStream | Configure


@dataclass(frozen=True, slots=True)
class Unparsable:
    """A text message that is none of the above."""

    text: str
    why: str


_decoder: Final[msgspec.json.Decoder[ClientMessage]] = msgspec.json.Decoder(ClientMessage)


def parse(text: str) -> ClientMessage | Unparsable:
    """Read a text message of a client."""
    try:
        return _wire.read_message(_decoder, text)
    except msgspec.DecodeError as error:
        return Unparsable(text, str(error))


# How streams end.


@dataclass(frozen=True, slots=True)
class Ending:
    """A close frame, and whether Metadata goes before it."""

    code: int
    reason: str = ""
    with_metadata: bool = False


CLOSE_STREAM: Final = Ending(1000, with_metadata=True)
DATA_0000: Final = Ending(
    1008, "Deepgram could not decode the payload as audio. See https://dpgr.am/data0000"
)
NET_0000: Final = Ending(
    1011,
    "Deepgram did not provide a response message within the timeout window."
    " See https://dpgr.am/net0000",
)
NET_0001: Final = Ending(
    1011,
    "Deepgram did not receive audio data or a text message within the timeout window."
    " See https://dpgr.am/net0001",
    with_metadata=True,
)
NET_0002: Final = Ending(
    1011,
    "Deepgram did not receive audio data within the no_audio_timeout window."
    " See https://dpgr.am/net0002",
    with_metadata=True,
)


# What the service answers.


class LiveAnswers:
    """Builds the messages of one stream."""

    def __init__(self, query: LiveQuery, recognizer: Recognizer, request_id: str) -> None:
        self._query = query
        self._request_id = request_id
        self._features = {"punctuate": query.punctuate, "smart_format": query.smart_format}
        self._formatting = query.formatting
        self._model_id, self._model_info = _wire.model(recognizer)

    def toggle(self, features: Mapping[str, bool]) -> None:
        """Switch formatting on or off; features without an effect here are kept silently."""
        self._features |= features
        known = features.keys() & {"numerals", "profanity_filter", "smart_format", "measurements"}
        self._formatting = msgspec.structs.replace(
            self._formatting, **{name: features[name] for name in known}
        )

    def results(self, piece: Slice, place: tuple[int, int]) -> dict[str, Json]:
        """Return the Results of a slice on one of so many channels."""
        punctuated = self._features["punctuate"] or self._features["smart_format"]
        channel: dict[str, Json] = {
            "alternatives": [
                _wire.alternative(
                    format_words(piece.words, self._formatting), punctuated=punctuated
                )
            ]
        }
        if self._query.search:
            channel["search"] = _wire.search(piece.words, self._query.search)
        metadata: dict[str, Json] = {
            "request_id": self._request_id,
            "model_info": self._model_info,
            "model_uuid": self._model_id,
        }
        if self._query.extra:
            metadata["extra"] = self._query.extra
        return {
            "type": "Results",
            "channel_index": place,
            "duration": piece.duration,
            "start": piece.start,
            "is_final": piece.is_final,
            "speech_final": piece.speech_final,
            "channel": channel,
            "metadata": metadata,
            "from_finalize": piece.from_finalize,
        }

    def speech_started(self, timestamp: float, place: tuple[int, int]) -> dict[str, Json]:
        """Return a SpeechStarted."""
        return {"type": "SpeechStarted", "channel": place, "timestamp": round(timestamp, 6)}

    def utterance_end(self, last_word_end: float, place: tuple[int, int]) -> dict[str, Json]:
        """Return an UtteranceEnd."""
        return {"type": "UtteranceEnd", "channel": place, "last_word_end": last_word_end}

    def metadata(self, sha256: str, *, duration_s: float, channels: int) -> dict[str, Json]:
        """Return the last message; a stream without audio has no channels and no model."""
        message: dict[str, Json] = {
            "type": "Metadata",
            "transaction_key": "deprecated",
            "request_id": self._request_id,
            "sha256": sha256,
            "created": _wire.now(),
            "duration": round(duration_s, 6),
            "channels": channels,
        }
        if channels:
            message["models"] = [self._model_id]
            message["model_info"] = {self._model_id: self._model_info}
        if self._query.extra:
            message["extra"] = self._query.extra
        return message

    def schema_error(self, message: Unparsable) -> dict[str, Json]:
        """Return the Error for a text that is no message."""
        return {
            "type": "Error",
            "variant": "SchemaError",
            "description": f"Could not parse the client message: {message.why}",
            "message": message.text,
        }

    def configure_success(self, keyterms: Sequence[str] | None) -> dict[str, Json]:
        """Return a ConfigureSuccess, which repeats the keyterms only if they were replaced."""
        message: dict[str, Json] = {"type": "ConfigureSuccess", "request_id": self._request_id}
        if keyterms is not None:
            message["keyterms"] = keyterms
        return message

    def configure_failure(self, code: str) -> dict[str, Json]:
        """Return a ConfigureFailure with its documented description."""
        return {
            "type": "ConfigureFailure",
            "request_id": self._request_id,
            "code": code,
            "description": _CONFIGURE_FAILURES[code],
        }


_CONFIGURE_FAILURES: Final = {
    "CONFIGURE_KEYTERMS_NOT_SUPPORTED": "Keyterms can be replaced with Nova-3 only.",
    "CONFIGURE_KEYTERM_LIMIT_EXCEEDED": f"Keyterms exceed {LONGEST_KEYTERMS} tokens.",
}
