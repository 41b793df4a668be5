"""The messages of the Flux socket, as values: what clients say, and what the service answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from deepgram_async.emulator._wire import read_message

from .query import MULTILINGUAL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from deepgram_async.emulator._recognizers import RecognizedWord
    from deepgram_async.emulator._wire import Json

    from .query import FluxQuery
    from .turns import Turn

__all__ = [
    "ClientMessage",
    "CloseStream",
    "Configure",
    "FluxAnswers",
    "ForceEndTurn",
    "Thresholds",
    "Unparsable",
    "parse",
]


class Thresholds(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """When turns end; None changes nothing."""

    eager_eot_threshold: float | None = None
    eot_threshold: float | None = None
    eot_timeout_ms: float | None = None


class Configure(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Change the configuration in mid-stream; what is None stays."""

    thresholds: Thresholds | None = None
    keyterms: list[str] | None = None
    language_hints: list[str] | None = None
    numerals: bool | None = None


class ForceEndTurn(msgspec.Struct, frozen=True, tag=True):
    """End the turn now."""


class CloseStream(msgspec.Struct, frozen=True, tag=True):
    """No more audio: finish and close."""


class Unparsable(msgspec.Struct, frozen=True):
    """A text that is none of the above."""

    why: str


ClientMessage = Configure | ForceEndTurn | CloseStream
_decoder: Final[msgspec.json.Decoder[ClientMessage]] = msgspec.json.Decoder(ClientMessage)


def parse(text: str) -> ClientMessage | Unparsable:
    """Read a text message of a client."""
    try:
        return read_message(_decoder, text)
    except msgspec.DecodeError as error:
        return Unparsable(str(error))


class FluxAnswers:
    """Builds and numbers the messages of one stream."""

    def __init__(self, query: FluxQuery, request_id: str) -> None:
        self._is_multilingual = query.model == MULTILINGUAL
        self._request_id = request_id
        self._next_id = 0

    def connected(self) -> dict[str, Json]:
        """Return the first message."""
        return self._message("Connected")

    def turn(
        self, turn: Turn, words: Sequence[RecognizedWord], hints: Sequence[str]
    ) -> dict[str, Json]:
        """Return a TurnInfo with words as they are to be written."""
        message = self._message(
            "TurnInfo",
            event=turn.event,
            turn_index=turn.index,
            audio_window_start=turn.window_start,
            audio_window_end=turn.window_end,
            transcript=" ".join(word.text for word in words),
            words=[
                {
                    "word": word.text,
                    "confidence": round(word.confidence, 4),
                    "start": word.start,
                    "end": word.end,
                }
                for word in words
            ],
            end_of_turn_confidence=turn.confidence,
        )
        if turn.trigger is not None:
            message["trigger"] = turn.trigger
        if self._is_multilingual:
            if words:
                message["languages"] = ["en"]
            if hints:
                message["languages_hinted"] = hints
        return message

    def configure_success(
        self,
        thresholds: Thresholds,
        keyterms: Sequence[str],
        hints: Sequence[str],
        *,
        numerals: bool,
    ) -> dict[str, Json]:
        """Return a ConfigureSuccess with all that is in force."""
        message = self._message(
            "ConfigureSuccess",
            thresholds=msgspec.to_builtins(thresholds),
            keyterms=keyterms,
            numerals=numerals,
        )
        if self._is_multilingual:
            message["language_hints"] = hints
        return message

    def configure_failure(self, code: str, description: str) -> dict[str, Json]:
        """Return a ConfigureFailure."""
        return self._message("ConfigureFailure", code=code, description=description)

    def warning(self, code: str, description: str) -> dict[str, Json]:
        """Return a Warning."""
        return self._message("Warning", code=code, description=description)

    def error(self, code: str, description: str) -> dict[str, Json]:
        """Return an Error; a close has to follow."""
        return self._message("Error", code=code, description=description)

    def _message(self, kind: str, **fields: Json) -> dict[str, Json]:
        number = self._next_id
        self._next_id += 1
        return {
            "type": kind,
            "request_id": self._request_id,
            "sequence_id": number,
            **fields,
        }
