"""The query strings of `/v1/listen`, read as strictly as the service reads them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import msgspec

from ._errors import INVALID_QUERY, NO_STREAMING_MODEL, NO_SUCH_MODEL, Refusal, bad_request
from ._fields import Fields
from ._formatting import NUMBER_REDACTIONS, Formatting
from ._pcm import FORMATS
from ._recognizers import Hints
from ._wav import MOST_CHANNELS

if TYPE_CHECKING:
    from multidict import MultiMapping

    from ._callbacks import Callback
    from ._read.analysis import Wanted
    from ._recognizers import Recognizer

__all__ = [
    "LONGEST_KEYTERMS",
    "MODELS",
    "BatchQuery",
    "LiveQuery",
    "RawFormat",
    "read_batch_query",
    "read_live_query",
]


LONGEST_KEYTERMS: Final = 500
"""Tokens in all keyterms together; a word is taken for a token here."""


class RawFormat(msgspec.Struct, frozen=True):
    """Headerless samples."""

    encoding: str
    sample_rate: int
    channels: int


class _ListenQuery(msgspec.Struct, frozen=True, kw_only=True):
    model: str
    hints: Hints
    raw: RawFormat | None
    punctuate: bool
    smart_format: bool
    formatting: Formatting
    multichannel: bool
    search: tuple[str, ...]
    extra: dict[str, str]

    @property
    def punctuated(self) -> bool:
        """Whether the transcript keeps case and punctuation."""
        return self.punctuate or self.smart_format


class BatchQuery(_ListenQuery, frozen=True, kw_only=True):
    """Options of a prerecorded request."""

    paragraphs: bool
    utterances: bool
    utt_split_s: float
    tags: tuple[str, ...]
    callback: Callback | None
    wanted: Wanted
    is_legacy_summary: bool
    """Whether the summary goes where it went before it had a version."""
    unsupported: tuple[str, ...]
    """Valid options given that the local recogniser cannot honour."""


class LiveQuery(_ListenQuery, frozen=True, kw_only=True):
    """Options of a live stream."""

    interim_results: bool
    endpointing_s: float | None
    """None when switched off."""
    utterance_end_s: float | None
    vad_events: bool


_FLAGS: Final = frozenset(
    "punctuate smart_format paragraphs utterances dictation numerals measurements filler_words"
    " profanity_filter multichannel detect_entities sentiment topics intents mip_opt_out diarize"
    " interim_results vad_events no_delay".split()
)
# Flags and options without an effect here, so that an answer can say so.
_UNSUPPORTED: Final = (
    "alternatives",
    "detect_entities",
    "detect_language",
    "detect_topics",
    "diarize",
    "diarize_model",
    "filler_words",
)
_ENCODINGS: Final = frozenset(
    "linear16 linear32 flac alaw mulaw amr-nb amr-wb opus ogg-opus speex g729".split()
)
# Encodings whose bytes announce themselves: read like a container.
_SELF_DESCRIBING: Final = frozenset({"flac", "ogg-opus"})
MODELS: Final = frozenset(
    [
        *"nova-3 nova-3-general nova-3-medical nova-3-pharma".split(),
        "nova-2",
        *(
            f"nova-2-{use}"
            for use in "general meeting finance conversationalai voicemail video medical drivethru"
            " automotive phonecall atc".split()
        ),
        *"nova nova-general nova-phonecall nova-medical".split(),
        *"enhanced enhanced-general enhanced-meeting enhanced-phonecall enhanced-finance".split(),
        "base",
        *(
            f"base-{use}"
            for use in "general meeting phonecall finance conversationalai voicemail video".split()
        ),
        *"general meeting phonecall finance conversationalai voicemail video".split(),
        *"whisper whisper-tiny whisper-base whisper-small whisper-medium whisper-large".split(),
    ]
)
# No sound has others.
_RATES: Final = range(1000, 384_001)
_CHANNELS: Final = range(1, MOST_CHANNELS + 1)
_LANGUAGE_TAG: Final = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*\Z")


def read_batch_query(query: MultiMapping[str], recognizer: Recognizer) -> BatchQuery:
    """Read the options of a prerecorded request.

    Raises:
        Refusal: A value is invalid, or no such model or language is served.
    """
    fields = _ListenFields(query, _FLAGS)
    fields.refuse_conflicting_diarization(streaming=False)
    smart_format = fields.flag("smart_format")
    paragraphs = fields.flag("paragraphs")
    return BatchQuery(
        model=fields.model(streaming=False),
        hints=fields.hints(recognizer),
        raw=fields.raw(),
        punctuate=fields.flag("punctuate") or paragraphs,
        smart_format=smart_format,
        formatting=fields.formatting(),
        multichannel=fields.flag("multichannel"),
        search=fields.all("search"),
        extra=fields.extra(),
        paragraphs=paragraphs or smart_format,
        utterances=fields.flag("utterances"),
        utt_split_s=fields.number("utt_split", 0.8),
        tags=fields.all("tag"),
        callback=fields.callback(),
        wanted=fields.wanted(),
        is_legacy_summary=query.get("summarize") == "true",
        unsupported=fields.unsupported(),
    )


def read_live_query(
    query: MultiMapping[str], recognizer: Recognizer, *, default_endpointing_s: float
) -> LiveQuery:
    """Read the options of a live stream.

    Raises:
        Refusal: A value is invalid, or no such model or language is served.
    """
    fields = _ListenFields(query, _FLAGS)
    fields.refuse_conflicting_diarization(streaming=True)
    if "callback" in query:
        raise bad_request("Bad Request: streaming callbacks are not served by the local emulator")
    return LiveQuery(
        model=fields.model(streaming=True),
        hints=fields.hints(recognizer),
        raw=fields.raw(),
        punctuate=fields.flag("punctuate") or fields.flag("detect_entities"),
        smart_format=fields.flag("smart_format"),
        formatting=fields.formatting(),
        multichannel=fields.flag("multichannel"),
        search=fields.all("search"),
        extra=fields.extra(),
        interim_results=fields.flag("interim_results"),
        endpointing_s=fields.endpointing(default_endpointing_s),
        utterance_end_s=fields.milliseconds("utterance_end_ms"),
        vad_events=fields.flag("vad_events"),
    )


class _ListenFields(Fields):
    """The query string of `/v1/listen`."""

    def endpointing(self, default_s: float) -> float | None:
        value = self.query.get("endpointing")
        if value is None or value == "true":
            return default_s
        return None if value == "false" else self.milliseconds("endpointing")

    def model(self, *, streaming: bool) -> str:
        name = self.query.get("model", "base-general")
        if name not in MODELS:
            raise Refusal(*NO_SUCH_MODEL)
        if streaming and name.startswith("whisper"):
            raise Refusal(*NO_STREAMING_MODEL)
        return name

    def hints(self, recognizer: Recognizer) -> Hints:
        language = self.query.get("language", "en")
        known = recognizer.languages
        if language != "multi" and not _LANGUAGE_TAG.match(language):
            raise Refusal(*NO_SUCH_MODEL)
        primary = language.partition("-")[0].lower()
        if known is not None and primary not in known:
            raise Refusal(*NO_SUCH_MODEL)
        terms = self.all("keyterm")
        if sum(len(term.split()) for term in terms) > LONGEST_KEYTERMS:
            raise bad_request("Bad Request: Keyterm limit exceeded.")
        weighted = (keyword.partition(":")[0] for keyword in self.all("keywords"))
        return Hints(primary, (*terms, *weighted))

    def raw(self) -> RawFormat | None:
        rate, channels = self.integer("sample_rate"), self.integer("channels")
        encoding = self.query.get("encoding")
        if encoding is None or encoding in _SELF_DESCRIBING:
            return None
        channels = 1 if channels is None else channels
        if encoding not in _ENCODINGS or channels not in _CHANNELS:
            raise Refusal(*INVALID_QUERY)
        if rate is None or rate not in _RATES:
            raise Refusal(*INVALID_QUERY)
        if encoding not in FORMATS:
            raise bad_request(f"Bad Request: {encoding} is not decoded by the local emulator")
        return RawFormat(encoding, rate, channels)

    def formatting(self) -> Formatting:
        pairs = (item.partition(":") for item in self.all("replace"))
        return Formatting(
            # Documented: dictation needs punctuation.
            dictation=self.flag("dictation") and self.flag("punctuate"),
            numerals=self.flag("numerals"),
            smart_format=self.flag("smart_format"),
            measurements=self.flag("measurements"),
            replace=tuple((found.lower(), written) for found, _, written in pairs),
            profanity_filter=self.flag("profanity_filter"),
            redact=self.all("redact"),
        )

    def unsupported(self) -> tuple[str, ...]:
        names = [n for n in _UNSUPPORTED if self.query.get(n, "false") != "false"]
        if not {*self.all("redact")} <= {"false", *NUMBER_REDACTIONS}:
            names.append("redact")
        return tuple(names)

    def refuse_conflicting_diarization(self, *, streaming: bool) -> None:
        version = self.query.get("diarize_model")
        known = ("latest", "v1") if streaming else ("latest", "v1", "v2")
        if version is not None and (version not in known or "diarize" in self.query):
            raise Refusal(*INVALID_QUERY)
