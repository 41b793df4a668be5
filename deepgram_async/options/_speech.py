"""Query options of speech to text and of text analysis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias, TypedDict

__all__ = [
    "Encoding",
    "FluxEncoding",
    "FluxModel",
    "FluxOptions",
    "IntelligenceOptions",
    "ListenModel",
    "ListenOptions",
    "LiveOptions",
    "ReadOptions",
    "Redaction",
]

ListenModel: TypeAlias = Literal[
    "nova-3",
    "nova-3-general",
    "nova-3-medical",
    "nova-3-pharma",
    "nova-2",
    "nova-2-general",
    "nova-2-meeting",
    "nova-2-finance",
    "nova-2-conversationalai",
    "nova-2-voicemail",
    "nova-2-video",
    "nova-2-medical",
    "nova-2-drivethru",
    "nova-2-automotive",
    "nova",
    "nova-general",
    "nova-phonecall",
    "nova-medical",
    "enhanced",
    "enhanced-general",
    "enhanced-meeting",
    "enhanced-phonecall",
    "enhanced-finance",
    "base",
    "meeting",
    "phonecall",
    "finance",
    "conversationalai",
    "voicemail",
    "video",
    "custom",
    "whisper",
    "whisper-tiny",
    "whisper-base",
    "whisper-small",
    "whisper-medium",
    "whisper-large",
]
"""Public speech models. Whisper is for prerecorded audio only, ``custom`` for live audio only."""

Encoding: TypeAlias = Literal[
    "linear16",
    "linear32",
    "flac",
    "alaw",
    "mulaw",
    "amr-nb",
    "amr-wb",
    "opus",
    "ogg-opus",
    "speex",
    "g729",
]
"""Encodings of raw audio. ``linear32``, ``alaw`` and ``ogg-opus`` are for live audio only."""

FluxModel: TypeAlias = Literal["flux-general-en", "flux-general-multi"]
"""Speech models that hear turns, in English or in several languages."""

FluxEncoding: TypeAlias = Literal["linear16", "linear32", "mulaw", "alaw", "opus", "ogg-opus"]
"""Encodings of raw audio that Flux reads."""

Redaction: TypeAlias = Literal["pci", "pii", "phi", "numbers", "aggressive_numbers", "ssn"]
"""Groups of entities that can be redacted together."""


class IntelligenceOptions(TypedDict, total=False):
    """What to find out about the meaning of a text. English only."""

    summarize: bool | Literal["v2"]
    """Write a summary: ``"v2"`` fills `results.summary`, the older ``True`` fills the `summaries`
    of each alternative. Default: off."""

    sentiment: bool
    """Rate text as positive, neutral or negative, in segments and on average. Default: off."""

    topics: bool
    """Find the topics, segment by segment. Default: off."""

    custom_topic: str | Sequence[str]
    """Topics to look for, at most 100, together with `topics`."""

    custom_topic_mode: Literal["extended", "strict"]
    """``"extended"`` (default) finds the service's own topics beside `custom_topic`, ``"strict"``
    only those of `custom_topic`."""

    intents: bool
    """Find what the speakers intend, segment by segment. Default: off."""

    custom_intent: str | Sequence[str]
    """Intentions to look for, together with `intents`."""

    custom_intent_mode: Literal["extended", "strict"]
    """``"extended"`` (default) finds the service's own intentions beside `custom_intent`,
    ``"strict"`` only those of `custom_intent`."""


class _SpeechOptions(TypedDict, total=False):
    """What prerecorded and live transcription have in common."""

    model: ListenModel | str
    """The speech model, by name, or the id of a custom one. Default: ``base-general``, an old
    model, so always give one. Unknown names, and models the project may not use, are refused."""

    version: str
    """The release of the model. Default: ``latest``."""

    language: str
    """BCP-47 tag of the language spoken, or ``"multi"`` for speakers who switch languages (Nova-3
    and Nova-2). Default: ``en``. Languages that the model does not know are refused."""

    language_hint: str | Sequence[str]
    """BCP-47 tags of the languages to expect, with Nova-3 and ``language="multi"``; ignored with
    another `language`. Unknown tags are refused."""

    encoding: Encoding | str
    """The encoding of raw audio. Leave it out for audio with a header, such as WAV, MP3 or Ogg; raw
    audio cannot be read without it."""

    sample_rate: int
    """Samples per second of raw audio. Needed with `encoding`, and only read with it."""

    channels: int
    """Number of interleaved channels of raw audio. Default: 1."""

    multichannel: bool
    """Transcribe every channel on its own instead of mixing them. Default: off."""

    smart_format: bool
    """Format the text for reading: dates, amounts, addresses and the like. Implies punctuation and,
    for prerecorded audio, paragraphs. Default: off."""

    punctuate: bool
    """Add punctuation and capital letters. Default: off."""

    dictation: bool
    """Turn spoken commands such as "comma" into punctuation. English only, and only with
    `punctuate`. Default: off."""

    numerals: bool
    """Write numbers as digits. Default: off."""

    filler_words: bool
    """Keep hesitations such as "uh" and "um". Default: off."""

    profanity_filter: bool
    """Replace or remove profanity. Default: off."""

    detect_entities: bool
    """Find names, numbers and other entities; live audio has them in final results, and with
    punctuation turned on. Default: off."""

    diarize: bool
    """Tell speakers apart: words get a `speaker`. Deprecated in favour of `diarize_model`; refused
    beside it. Default: off."""

    diarize_model: Literal["latest", "v1", "v2"] | str
    """Tell speakers apart with this model. ``"latest"`` is v2 for prerecorded and v1 for live
    audio, where ``"v2"`` is refused. Refused beside `diarize`. Default: off."""

    keyterm: str | Sequence[str]
    """Words or phrases to listen for, without weights, with Nova-3. At most 500 tokens in one
    request."""

    keywords: str | Sequence[str]
    """Words to listen for, as ``"word"`` or ``"word:weight"``, a negative weight suppressing the
    word. For Nova-2 and older models; use `keyterm` with Nova-3."""

    search: str | Sequence[str]
    """Phrases to search for by sound; `channel.search` lists where they were found."""

    replace: str | Sequence[str]
    """Words to replace, as ``"from:to"``, or to remove, as ``"from"``."""

    redact: bool | Redaction | str | Sequence[Redaction | str]
    """Blank out sensitive text: groups of entities, or, in prerecorded audio, the names of single
    entities. ``True`` is ``"numbers"``. Default: off."""

    tag: str | Sequence[str]
    """Labels for usage reports, at most 128 characters each."""

    extra: str | Sequence[str]
    """Pairs to get back as `metadata.extra`, as ``"key:value"``, at most 2048 characters each."""

    mip_opt_out: bool
    """Keep the audio out of Deepgram's Model Improvement Program, which changes the price. Default:
    off."""

    alternatives: int
    """Number of alternative transcripts. Legacy: no longer documented, models may ignore it.
    Default: 1."""

    tier: str
    """Family of models to choose `model` from. Legacy: no longer documented, now a part of
    `model`."""


class ListenOptions(_SpeechOptions, IntelligenceOptions, total=False):
    """Options of the transcription of prerecorded audio."""

    detect_language: bool | str | Sequence[str]
    """Find out the dominant language; BCP-47 tags restrict the choice to these. Default: off."""

    paragraphs: bool
    """Split the transcript into paragraphs and sentences. Default: off."""

    utterances: bool
    """Split the speech where the speakers pause or change. Default: off."""

    utt_split: float
    """Seconds of silence that separate `utterances`; ignored without them. Default: 0.8."""

    measurements: bool
    """Abbreviate units of measurement: "milligram" becomes "mg". English only. Default: off."""

    detect_topics: bool
    """Find topics in each alternative. Legacy: no longer documented, use `topics`. Default: off."""

    diarize_version: str
    """Release of the diarizer. Legacy: no longer documented, use `diarize_model`."""


class LiveOptions(_SpeechOptions, total=False):
    """Options of the transcription of live audio.

    Summaries, topics, intents, sentiment, language detection, utterances and paragraphs exist for
    prerecorded audio only.
    """

    interim_results: bool
    """Send preliminary text, about once a second, while a slice of the audio is not settled yet.
    Default: off: only final results."""

    endpointing: int | bool
    """Milliseconds of silence after which the speaker is taken to have paused and the result is
    marked `speech_final`; ``False`` never marks. Advised are 10 for voice bots, 300 to 500 for
    conversations and 100 for ``language="multi"``. Default: 10."""

    utterance_end_ms: int
    """Milliseconds without a word after which `UtteranceEnd` is sent; use 1000 or more. Needs
    `interim_results`. Default: off."""

    vad_events: bool
    """Send `SpeechStarted` when somebody begins to speak. Default: off."""

    no_delay: bool
    """Do not hold final results back for better formatting. Not in the reference of the service,
    but accepted. Default: off."""

    callback: str
    """URL (http, https, ws or wss) to send the results to instead of this stream. Ports 80, 443,
    8080 and 8443 only. A ws or wss connection that breaks ends the whole stream."""

    callback_method: Literal["POST", "GET", "PUT", "DELETE"]
    """HTTP method of `callback`. Default: ``POST``."""


class FluxOptions(TypedDict, total=False):
    """Options of a conversation with Flux."""

    model: FluxModel | str
    """The speech model, always needed."""

    encoding: FluxEncoding | str
    """The encoding of raw mono audio. Leave it out for WAV, Ogg and WebM."""

    sample_rate: Literal[8000, 16000, 24000, 44100, 48000] | int
    """Samples per second of raw audio; 16000 is advised. Needed with `encoding`."""

    eot_threshold: float
    """How sure the model must be that the speaker has finished to end a turn, 0.5 to 1.0; with 1.0
    it never ends one by itself. Default: 0.7."""

    eager_eot_threshold: float
    """How sure the model must be for `EagerEndOfTurn`, 0.3 to 0.9 and not above `eot_threshold`.
    Default: off, no `EagerEndOfTurn` and no `TurnResumed`."""

    eot_timeout_ms: int
    """Milliseconds of silence after speech that end a turn in any case, 500 to 60000. Default:
    5000."""

    keyterm: str | Sequence[str]
    """Words or phrases to listen for, without weights, at most 100."""

    language_hint: str | Sequence[str]
    """BCP-47 tags of the languages to expect, with ``flux-general-multi`` only."""

    profanity_filter: bool
    """Replace or remove profanity in all turns. Default: off."""

    numerals: bool
    """Write numbers as digits; `configure` can change it. Default: off."""

    redact: Literal["numbers", "aggressive_numbers"] | str
    """Put an asterisk in the place of numbers. Default: off."""

    mip_opt_out: bool
    """Keep the audio out of Deepgram's Model Improvement Program. Default: off."""

    tag: str | Sequence[str]
    """Labels of the conversation for usage reports."""


class ReadOptions(IntelligenceOptions, total=False):
    """Options of the analysis of a text."""

    language: str
    """BCP-47 tag of the text. English only so far. Default: ``en``."""

    tag: str | Sequence[str]
    """Labels for usage reports, at most 128 characters each."""
