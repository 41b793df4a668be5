from typing import Any

import pytest

from deepgram_async.models.common import Word
from deepgram_async.models.prerecorded import Transcription
from deepgram_async.transcript import AudioGap, Segment, Transcript, Utterance
from tests.support.transcripts import answer, recorded, spoken


def utterance(words: list[Word], channel: int = 0) -> dict[str, Any]:
    return {
        "transcript": "",
        "start": words[0].start,
        "end": words[-1].end,
        "confidence": 0.9,
        "channel": channel,
        "words": [word.to_dict() for word in words],
    }


def paragraphs(*starts: float) -> dict[str, Any]:
    made: list[dict[str, object]] = [
        {"sentences": [], "start": start, "end": start} for start in starts
    ]
    return {"transcript": "", "paragraphs": made}


def texts(segments: tuple[Utterance, ...] | list[Segment]) -> list[str]:
    return [segment.text for segment in segments]


@pytest.mark.parametrize("found", recorded())
def test_a_recorded_answer_keeps_its_words_and_times(found: Transcription) -> None:
    made = Transcript.from_answer(found)
    assert made.text == found.transcript
    assert [(word.text, word.start, word.end, word.confidence) for word in made.words] == [
        (word.punctuated_word, word.start, word.end, word.confidence) for word in found.words
    ]
    assert (made.duration, made.channels, made.request_id) == (
        found.duration,
        1,
        found.request_id,
    )


# Utterances.


def test_utterances_end_at_pauses_where_the_service_was_not_asked() -> None:
    made = Transcript.from_answer(answer(spoken("Yes. ~0.7 I do. ~0.8 Do you?")))
    assert texts(made.utterances) == ["Yes. I do.", "Do you?"]


def test_utterances_are_those_of_the_service_where_it_was_asked() -> None:
    words = spoken("Yes. ~3 I do. Do you?")
    made = Transcript.from_answer(
        answer(words, utterances=[utterance(words[:2]), utterance(words[2:])])
    )
    assert texts(made.utterances) == ["Yes. I", "do. Do you?"]


def test_a_word_that_no_utterance_has_is_not_lost() -> None:
    words = spoken("one two three four")
    made = Transcript.from_answer(answer(words, utterances=[utterance(words[:2])]))
    assert texts(made.utterances) == ["one two", "three four"]


def test_an_utterance_ends_where_another_speaker_begins() -> None:
    words = [*spoken("Ready?", speaker=3), *spoken("Yes.", start=0.4, speaker=0)]
    made = Transcript.from_answer(answer(words))
    assert [(said.speaker, said.text) for said in made.utterances] == [(3, "Ready?"), (0, "Yes.")]
    assert made.has_speakers


def test_channels_are_merged_by_time() -> None:
    made = Transcript.from_answer(answer(spoken("A ~4 C"), spoken("~2 B"), []))
    assert [(said.channel, said.text) for said in made.utterances] == [
        (0, "A"),
        (1, "B"),
        (0, "C"),
    ]
    assert [word.text for word in made.words] == ["A", "B", "C"]
    assert (made.channels, made.has_speakers) == (3, True)


def test_an_utterance_knows_its_time_and_confidence() -> None:
    (said,) = Transcript.from_answer(answer(spoken("~1 one two"))).utterances
    assert (said.start, said.end) == (1.0, 1.8)
    assert said.confidence == pytest.approx(0.9)


def test_a_segment_has_words() -> None:
    with pytest.raises(ValueError, match="words"):
        Segment.of([])


def test_a_recording_of_silence_has_no_words() -> None:
    made = Transcript.from_answer(answer([]))
    assert (made.text, made.words, made.turns, made.paragraphs) == ("", [], [], [])
    assert not made.has_speakers


# Turns and paragraphs.


def test_a_turn_goes_on_over_pauses_until_another_speaker_begins() -> None:
    words = [
        *spoken("One. ~5 Two.", speaker=0),
        *spoken("Three.", start=6.0, speaker=1),
        *spoken("Four.", start=7.0, speaker=0),
    ]
    made = Transcript.from_answer(answer(words))
    assert texts(made.turns) == ["One. Two.", "Three.", "Four."]


def test_paragraphs_are_those_of_the_service() -> None:
    words = spoken("One. Two. ~5 Three.")
    made = Transcript.from_answer(answer(words, paragraphs=paragraphs(0.0, 0.4)))
    assert texts(made.paragraphs) == ["One.", "Two. Three."]


def test_a_paragraph_of_its_own_ends_at_a_pause_behind_a_sentence() -> None:
    made = Transcript.from_answer(answer(spoken("One ~2 and two. ~1.9 Three. ~2 Four.")))
    assert texts(made.paragraphs) == ["One and two. Three.", "Four."]


def test_a_long_paragraph_ends_with_its_sentence() -> None:
    sentence = "this is a sentence of forty characters. "
    made = Transcript.from_answer(answer(spoken(sentence * 30)))
    assert [len(found.text) for found in made.paragraphs] == [519, 519, 159]


def test_a_long_paragraph_without_sentences_ends_at_a_pause() -> None:
    words = spoken("word " * 120 + "~2 " + "word " * 10)
    made = Transcript.from_answer(answer(words))
    assert [len(found.words) for found in made.paragraphs] == [120, 10]


def test_a_paragraph_does_not_go_on_behind_a_gap() -> None:
    said = Utterance.of(Transcript.from_answer(answer(spoken("one two three"))).words)
    made = Transcript(
        duration=2.0,
        channels=1,
        utterances=(said,),
        gaps=(AudioGap(start=0.4, duration=0.0),),
    )
    assert texts(made.paragraphs) == ["one", "two three"]
