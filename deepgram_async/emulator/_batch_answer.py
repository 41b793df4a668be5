"""The answer to a prerecorded request, made of recognised words."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Final

from . import _wire

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ._query import BatchQuery
    from ._recognizers import RecognizedWord, Recognizer
    from ._wire import Json

__all__ = ["answer"]

_SENTENCES_PER_PARAGRAPH: Final = 5
# A pause that begins a paragraph, after the end of a sentence.
_PARAGRAPH_PAUSE_S: Final = 2.0
_SENTENCE_ENDS: Final = (".", "?", "!")

Words = list["RecognizedWord"]


def answer(
    query: BatchQuery,
    channels: Sequence[Words],
    *,
    recognizer: Recognizer,
    request_id: str,
    sha256: str,
    duration_s: float,
) -> dict[str, Json]:
    """Return the whole answer as it goes over the wire."""
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
    }
    if query.tags:
        metadata["tags"] = query.tags
    if query.extra:
        metadata["extra"] = query.extra
    if query.unsupported:
        metadata["warnings"] = [_warning(name) for name in query.unsupported]
    results: dict[str, Json] = {"channels": [_channel(query, words) for words in channels]}
    if query.utterances:
        results["utterances"] = _utterances(query, channels)
    return {"metadata": metadata, "results": results}


def _warning(parameter: str) -> Json:
    return {
        "parameter": parameter,
        "type": "unsupported_by_emulator",
        "message": f"The local recogniser has no {parameter}; it was ignored.",
    }


def _channel(query: BatchQuery, words: Words) -> Json:
    alternative = _wire.alternative(words, punctuated=query.punctuated)
    if query.paragraphs:
        alternative["paragraphs"] = _paragraphs(words)
    channel: dict[str, Json] = {}
    if query.search:
        channel["search"] = _wire.search(words, query.search)
    channel["alternatives"] = [alternative]
    return channel


def _paragraphs(words: Words) -> Json:
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
                    }
                    for sentence in sentences
                ],
                "start": round(sentences[0][0].start, 6),
                "end": round(sentences[-1][-1].end, 6),
                "num_words": sum(map(len, sentences)),
            }
            for sentences in paragraphs
        ],
    }


def _sentences(words: Words) -> Iterator[Words]:
    sentence: Words = []
    for word in words:
        sentence.append(word)
        # A title is no end of a sentence: "Mr." and "Dr." come before a name.
        if word.text.endswith(_SENTENCE_ENDS) and word.text not in ("Mr.", "Mrs.", "Ms.", "Dr."):
            yield sentence
            sentence = []
    if sentence:
        yield sentence


def _text(words: Words) -> str:
    return _wire.transcript(words, punctuated=True)


def _utterances(query: BatchQuery, channels: Sequence[Words]) -> Json:
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
            "words": _wire.words(words, punctuated=query.punctuated),
            "id": str(uuid.uuid4()),
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
