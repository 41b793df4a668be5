"""What a client did that Deepgram's documentation does not allow, as values."""

from __future__ import annotations

from typing import Final, Literal

import msgspec

__all__ = ["PAGES", "Deviation", "DeviationRule"]

DeviationRule = Literal[
    "after-close",
    "audio-before-settings",
    "binary-message",
    "body-type",
    "empty-frame",
    "flux-chunk",
    "headerless-audio",
    "left-without-close",
    "message-field",
    "message-json",
    "message-type",
    "option-name",
    "option-rule",
    "option-value",
    "refused",
    "settings-order",
    "sound-where-none-is",
    "timeout",
    "unknown-path",
]
"""See the table in `docs/testing.md`."""

_DOCS: Final = "https://developers.deepgram.com"

PAGES: Final = {
    "POST /v1/listen": f"{_DOCS}/reference/speech-to-text/listen-pre-recorded",
    "GET /v1/listen": f"{_DOCS}/reference/speech-to-text/listen-streaming",
    "GET /v2/listen": f"{_DOCS}/reference/speech-to-text/listen-flux",
    "POST /v1/speak": f"{_DOCS}/reference/text-to-speech/speak-request",
    "GET /v1/speak": f"{_DOCS}/reference/text-to-speech/speak-streaming",
    "GET /v1/agent/converse": f"{_DOCS}/reference/voice-agent/voice-agent",
    "POST /v1/read": f"{_DOCS}/reference/text-intelligence/analyze-text",
    "KeepAlive": f"{_DOCS}/docs/audio-keep-alive",
    "CloseStream": f"{_DOCS}/docs/close-stream",
    "CloseStream of Flux": f"{_DOCS}/docs/flux/close-stream",
    "encoding": f"{_DOCS}/docs/encoding",
    "Flux": f"{_DOCS}/docs/flux/configuration",
    "": f"{_DOCS}/reference",
}
"""Pages of Deepgram's documentation, by what they are about."""


class Deviation(msgspec.Struct, frozen=True, kw_only=True):
    """One way in which a client left the specification.

    Attributes:
        rule: Which rule it is about.
        what: What the client did, in words.
        where: Method and path, and the number of the frame on a WebSocket, counted from 1.
        page: The page of Deepgram's documentation that has the rule.
        request_id: The request, as in its `dg-request-id`.
        is_note: Whether the service takes it all the same, as with chunks of an unusual length.
    """

    rule: DeviationRule
    what: str
    where: str
    page: str
    request_id: str
    is_note: bool = False

    def __str__(self) -> str:
        kind = "note" if self.is_note else "deviation"
        return f"{self.where}: {self.what} ({kind} {self.rule}, see {self.page})"
