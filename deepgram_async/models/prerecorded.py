"""Answers of the transcription of prerecorded audio."""

from typing import Literal, Unpack

from msgspec import field

from deepgram_async._documented import takes_options
from deepgram_async.models import common
from deepgram_async.models._base import Answer, Model
from deepgram_async.models.common import (
    DiarizeInfo,
    Entity,
    IntelligenceInfo,
    Intents,
    ModelInfo,
    ParameterWarning,
    Search,
    Sentiment,
    Sentiments,
    Topics,
    Word,
    WordIndex,
)
from deepgram_async.options import TranscriptOptions

__all__ = [
    "Accepted",
    "Alternative",
    "AlternativeSummary",
    "AlternativeTopics",
    "Channel",
    "Metadata",
    "Paragraph",
    "Paragraphs",
    "Results",
    "Sentence",
    "Summary",
    "Transcription",
    "Translation",
    "Utterance",
]


class Transcription(Answer, frozen=True, kw_only=True):
    """The finished transcript of one recording.

    The properties look at the first alternative of every channel, which is all there is unless the
    option ``alternatives`` asked for more.
    """

    metadata: "Metadata"
    results: "Results"

    @property
    def transcript(self) -> str:
        """The text, one line per channel; channels in which nobody spoke have no line."""
        lines = (alternative.transcript for alternative in self._best())
        return "\n".join(line for line in lines if line)

    @property
    def words(self) -> list[Word]:
        """The words with their times, channel after channel."""
        return [word for alternative in self._best() for word in alternative.words]

    @property
    def confidence(self) -> float:
        """The confidence of the first channel, 0.0 if there is none."""
        return next((alternative.confidence for alternative in self._best()), 0.0)

    @property
    def duration(self) -> float:
        """Length of the audio in seconds."""
        return self.metadata.duration

    @property
    def request_id(self) -> str:
        """The id that Deepgram's support asks for."""
        return self.metadata.request_id

    # Public methods for writing; `deepgram_async.transcript` has more formats.

    @takes_options(TranscriptOptions)
    def to_srt(self, **options: Unpack[TranscriptOptions]) -> str:
        """Return captions as SubRip (SRT), for video players.

        Raises:
            OptionError: An option is unknown, has the wrong type or makes no sense.
        """
        return self._rendered("srt", options)

    @takes_options(TranscriptOptions)
    def to_vtt(self, **options: Unpack[TranscriptOptions]) -> str:
        """Return captions as WebVTT, for web pages.

        Raises:
            OptionError: An option is unknown, has the wrong type or makes no sense.
        """
        return self._rendered("vtt", options)

    @takes_options(TranscriptOptions)
    def to_text(self, **options: Unpack[TranscriptOptions]) -> str:
        """Return paragraphs, with the names of speakers where these are told apart.

        Raises:
            OptionError: An option is unknown, has the wrong type or makes no sense.
        """
        return self._rendered("text", options)

    @takes_options(TranscriptOptions)
    def to_html(self, **options: Unpack[TranscriptOptions]) -> str:
        """Return a page that shows the words as they play, in one file.

        Raises:
            OptionError: An option is unknown, has the wrong type or makes no sense.
        """
        return self._rendered("html", options)

    @takes_options(TranscriptOptions)
    def to_markdown(self, **options: Unpack[TranscriptOptions]) -> str:
        """Return paragraphs as Markdown, with the names of speakers and times above them.

        Raises:
            OptionError: An option is unknown, has the wrong type or makes no sense.
        """
        return self._rendered("markdown", options)

    def _repr_html_(self) -> str:
        from deepgram_async.transcript import Transcript
        from deepgram_async.transcript._transcript import in_notebook

        return in_notebook(Transcript.from_answer(self))

    def _rendered(
        self,
        format_name: Literal["html", "markdown", "srt", "text", "vtt"],
        options: TranscriptOptions,
    ) -> str:
        # Transcripts are made of models: they can be imported only when one is wanted.
        from deepgram_async.transcript import render

        return render(self, format_name, **options)

    def _best(self) -> list["Alternative"]:
        channels = self.results.channels
        return [channel.alternatives[0] for channel in channels if channel.alternatives]


class Accepted(Answer, frozen=True, kw_only=True):
    """The acknowledgement of a request with a callback; the result goes to the callback.

    Attributes:
        request_id: The id that the metadata of the result will carry too.
    """

    request_id: str


class Metadata(Model, frozen=True, kw_only=True, gc=False):
    """What was transcribed, and by which models.

    Attributes:
        sha256: Hash of the audio as it was received, in hexadecimal digits.
        created: ISO 8601 time, ending in ``Z`` or an offset, as sent.
        duration: Length of the audio in seconds.
        channels: Number of channels of the audio.
        models: Ids of the speech models; keys of `model_info`.
        tags: The values of the option ``tag``.
        extra: The pairs of the option ``extra``.
        warnings: Options that were not applied as asked.
        transaction_key: The word ``deprecated``.
    """

    request_id: str
    sha256: str
    created: str
    duration: float
    channels: int
    models: list[str] = field(default_factory=list[str])
    model_info: dict[str, ModelInfo] = field(default_factory=dict[str, ModelInfo])
    diarize_info: DiarizeInfo | None = None
    summary_info: IntelligenceInfo | None = None
    sentiment_info: IntelligenceInfo | None = None
    topics_info: IntelligenceInfo | None = None
    intents_info: IntelligenceInfo | None = None
    tags: list[str] | None = None
    extra: dict[str, str] | None = None
    warnings: list[ParameterWarning] | None = None
    transaction_key: str | None = None


class Results(Model, frozen=True, kw_only=True, gc=False):
    """What was said.

    Attributes:
        channels: One per channel of the audio with ``multichannel``, else one.
        utterances: With ``utterances``, ordered by time.
        summary: With ``summarize="v2"``.
    """

    channels: list["Channel"]
    utterances: list["Utterance"] | None = None
    summary: "Summary | None" = None
    topics: Topics | None = None
    intents: Intents | None = None
    sentiments: Sentiments | None = None


class Channel(Model, frozen=True, kw_only=True, gc=False):
    """What was said in one channel.

    Attributes:
        alternatives: The best one first.
        detected_language: BCP-47 tag, with ``detect_language``.
        search: With ``search``, one per phrase.
    """

    alternatives: list["Alternative"] = field(default_factory=list["Alternative"])
    detected_language: str | None = None
    language_confidence: float | None = None
    search: list[Search] | None = None


class Alternative(common.Alternative, frozen=True, kw_only=True, gc=False):
    """One reading of a channel, with what was made of it.

    Attributes:
        paragraphs: With ``paragraphs`` or ``smart_format``.
        entities: With ``detect_entities``.
        summaries: With the old ``summarize=True``.
        topics: With the old ``detect_topics``.
    """

    paragraphs: "Paragraphs | None" = None
    entities: list[Entity] | None = None
    summaries: list["AlternativeSummary"] | None = None
    topics: list["AlternativeTopics"] | None = None
    translations: list["Translation"] | None = None


class Paragraphs(Model, frozen=True, kw_only=True, gc=False):
    """The transcript split into paragraphs.

    Attributes:
        transcript: The text with an empty line between paragraphs, and speaker labels where known.
    """

    transcript: str
    paragraphs: list["Paragraph"]


class Paragraph(Model, frozen=True, kw_only=True, gc=False):
    """One paragraph: a run of sentences of one speaker."""

    sentences: list["Sentence"]
    start: float
    end: float
    num_words: int | None = None
    speaker: int | None = None
    sentiment: Sentiment | None = None
    sentiment_score: float | None = None


class Sentence(Model, frozen=True, kw_only=True, gc=False):
    """One sentence of a paragraph."""

    text: str
    start: float
    end: float
    sentiment: Sentiment | None = None
    sentiment_score: float | None = None


class Utterance(Model, frozen=True, kw_only=True, gc=False):
    """A stretch of speech between two pauses, by one speaker in one channel.

    Attributes:
        id: A UUID.
        channel: Number of the channel, counted from 0.
        speaker: Number of the speaker, counted from 0, with diarization.
    """

    transcript: str
    start: float
    end: float
    confidence: float
    channel: int
    words: list[Word] = field(default_factory=list[Word])
    id: str | None = None
    speaker: int | None = None
    languages: list[str] | None = None
    sentiment: Sentiment | None = None
    sentiment_score: float | None = None


class Summary(Model, frozen=True, kw_only=True, gc=False):
    """The summary of the whole recording.

    Attributes:
        result: ``"success"``, or what went wrong.
        short: The summary.
    """

    result: str | None = None
    short: str | None = None


class AlternativeSummary(Model, frozen=True, kw_only=True, gc=False):
    """A summary of some of the words, from the old ``summarize=True``."""

    summary: str
    start_word: WordIndex | None = None
    end_word: WordIndex | None = None


class AlternativeTopics(Model, frozen=True, kw_only=True, gc=False):
    """The topics of some of the words, from the old ``detect_topics``."""

    text: str
    topics: list[str]
    start_word: WordIndex | None = None
    end_word: WordIndex | None = None


class Translation(Model, frozen=True, kw_only=True, gc=False):
    """The transcript in another language."""

    language: str
    translation: str
