"""The answer to a prerecorded request, made of recognised words."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Final

from . import _wire
from ._read.analysis import sentiment_of
from ._read.passage import ends_sentence

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ._query import BatchQuery
    from ._read.analysis import Analysis
    from ._recognizers import RecognizedWord, Recognizer
    from ._wire import Json

__all__ = ["answer"]

_SENTENCES_PER_PARAGRAPH: Final = 5
# A pause that begins a paragraph, after the end of a sentence.
_PARAGRAPH_PAUSE_S: Final = 2.0

Words = list["RecognizedWord"]
# The sentiment of words, if it was wanted.
Feelings = dict["RecognizedWord", float]


def answer(
    query: BatchQuery,
    channels: Sequence[Words],
    *,
    analysis: Analysis,
    recognizer: Recognizer,
    request_id: str,
    sha256: str,
    duration_s: float,
) -> dict[str, Json]:
    """Return the whole answer as it goes over the wire.

    Args:
        query: What was asked for.
        channels: The recognised words of each channel.
        analysis: What was found out about the words of the first channel.
        recognizer: Who has recognised.
        request_id: Id of the request.
        sha256: Hash of the recording.
        duration_s: Length of the recording.
    """
    model_id, model_info = _wire.model(recognizer)
    metadata: dict[str, Json] = {
        "transaction_key": "deprecated",
        "request_id": request_id,
        "sha256": sha256,
        "created": _wire.now(),
        "duration": round(duration_s, 6),
        "channels": len(channels),
        "models": [model_id],
        "model_info": {model_id: model_info},
        **analysis.metadata,
    }
    if query.tags:
        metadata["tags"] = query.tags
    if query.extra:
        metadata["extra"] = query.extra
    if query.unsupported:
        metadata["warnings"] = [_warning(name) for name in query.unsupported]
    feelings: Feelings = {}
    if channels and analysis.word_scores:
        feelings = dict(zip(channels[0], analysis.word_scores, strict=True))
    summaries: Json = None
    if analysis.summary is not None and query.is_legacy_summary:
        end_word = len(channels[0])
        summaries = [{"summary": analysis.summary, "start_word": 0, "end_word": end_word}]
    results: dict[str, Json] = {
        "channels": [
            _channel(query, words, feelings, None if number else summaries)
            for number, words in enumerate(channels)
        ]
    }
    if analysis.summary is not None and not query.is_legacy_summary:
        results["summary"] = {"result": "success", "short": analysis.summary}
    if query.utterances:
        results["utterances"] = _utterances(query, channels, feelings)
    return {"metadata": metadata, "results": {**results, **analysis.results}}


def _warning(parameter: str) -> Json:
    return {
        "parameter": parameter,
        "type": "unsupported_by_emulator",
        "message": f"The local recogniser has no {parameter}; it was ignored.",
    }


def _channel(query: BatchQuery, words: Words, feelings: Feelings, summaries: Json) -> Json:
    alternative = _wire.alternative(words, punctuated=query.punctuated)
    alternative["words"] = _words(query, words, feelings)
    if query.paragraphs:
        alternative["paragraphs"] = _paragraphs(words, feelings)
    if summaries is not None:
        alternative["summaries"] = summaries
    channel: dict[str, Json] = {}
    if query.search:
        channel["search"] = _wire.search(words, query.search)
    channel["alternatives"] = [alternative]
    return channel


def _words(query: BatchQuery, words: Words, feelings: Feelings) -> list[dict[str, Json]]:
    entries = _wire.words(words, punctuated=query.punctuated)
    for word, entry in zip(words, entries, strict=True):
        entry |= _feeling([word], feelings)
    return entries


def _feeling(words: Words, feelings: Feelings) -> dict[str, Json]:
    """Return the sentiment of some words, which are of the analysed channel or not."""
    scores = [feelings[word] for word in words if word in feelings]
    return sentiment_of(scores) if scores else {}


def _paragraphs(words: Words, feelings: Feelings) -> Json:
    paragraphs: list[list[Words]] = []
    for sentence in _sentences(words):
        last: list[Words] = paragraphs[-1] if paragraphs else []
        if (
            not last
            or len(last) >= _SENTENCES_PER_PARAGRAPH
            or sentence[0].start - last[-1][-1].end >= _PARAGRAPH_PAUSE_S
        ):
            last = []
            paragraphs.append(last)
        last.append(sentence)
    texts = [" ".join(_text(sentence) for sentence in sentences) for sentences in paragraphs]
    return {
        "transcript": "\n" + "\n\n".join(texts) if texts else "",
        "paragraphs": [
            {
                "sentences": [
                    {
                        "text": _text(sentence),
                        "start": round(sentence[0].start, 6),
                        "end": round(sentence[-1].end, 6),
                        **_feeling(sentence, feelings),
                    }
                    for sentence in sentences
                ],
                "start": round(sentences[0][0].start, 6),
                "end": round(sentences[-1][-1].end, 6),
                "num_words": sum(map(len, sentences)),
                **_feeling([word for sentence in sentences for word in sentence], feelings),
            }
            for sentences in paragraphs
        ],
    }


def _sentences(words: Words) -> Iterator[Words]:
    sentence: Words = []
    for word in words:
        sentence.append(word)
        if ends_sentence(word.text):
            yield sentence
            sentence = []
    if sentence:
        yield sentence


def _text(words: Words) -> str:
    return _wire.transcript(words, punctuated=True)


def _utterances(query: BatchQuery, channels: Sequence[Words], feelings: Feelings) -> Json:
    utterances = [
        (channel, utterance)
        for channel, words in enumerate(channels)
        for utterance in _split(words, query.utt_split_s)
    ]
    utterances.sort(key=lambda item: (item[1][0].start, item[0]))
    return [
        {
            "start": round(words[0].start, 6),
            "end": round(words[-1].end, 6),
            "confidence": round(sum(word.confidence for word in words) / len(words), 7),
            "channel": channel,
            "transcript": _wire.transcript(words, punctuated=query.punctuated),
            "words": _words(query, words, feelings),
            "id": str(uuid.uuid4()),
            **_feeling(words, feelings),
        }
        for channel, words in utterances
    ]


def _split(words: Words, pause_s: float) -> Iterator[Words]:
    utterance: Words = []
    for word in words:
        if utterance and word.start - utterance[-1].end >= pause_s:
            yield utterance
            utterance = []
        utterance.append(word)
    if utterance:
        yield utterance
