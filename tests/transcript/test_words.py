import pytest
from msgspec.structs import replace

from deepgram_async.models import flux
from deepgram_async.models.common import Word
from deepgram_async.transcript import Word as TranscriptWord
from deepgram_async.transcript._words import joined_text, split_words, spoken_words, turn_words
from tests.support.transcripts import spoken, turn


def spaced(transcript: str, *texts: str) -> str:
    """Return the words as they are put together again."""
    words = [
        Word(word=text, punctuated_word=text, start=0.0, end=1.0, confidence=1.0) for text in texts
    ]
    return joined_text(
        spoken_words(transcript, words, start=0.0, end=1.0, channel=0, confidence=1.0)
    )


@pytest.mark.parametrize(
    ("transcript", "texts"),
    [
        ("We, the people.", ("We,", "the", "people.")),
        ("今日はいい天気", ("今日", "は", "いい", "天気")),
        ("at 3:30 sharp", ("at", "3", ":30", "sharp")),
        ("Hello 世界 again", ("Hello", "世", "界", "again")),
    ],
)
def test_spaces_stand_where_the_transcript_has_them(
    transcript: str, texts: tuple[str, ...]
) -> None:
    assert spaced(transcript, *texts) == transcript


def test_a_transcript_of_several_lines_becomes_one() -> None:
    assert spaced("One.\n\nTwo.", "One.", "Two.") == "One. Two."


def test_words_that_the_transcript_does_not_have_are_not_lost() -> None:
    assert spaced("Ask $5 please", "ask", "five", "dollars", "please") == "ask five dollars please"
    assert spaced("", "今", "日", "then", "日") == "今日 then 日"


def test_results_in_a_writing_without_spaces_are_joined_without_one() -> None:
    said = [
        *spoken_in("今日は"),
        *spoken_in("いい天気"),
        *spoken_in("OK then"),
        *spoken_in("世 界"),
    ]
    assert joined_text(said) == "今日はいい天気 OK then 世 界"


def spoken_in(transcript: str) -> list[TranscriptWord]:
    return spoken_words(transcript, [], start=0.0, end=1.0, channel=0, confidence=1.0)


def test_a_word_that_is_far_away_is_not_looked_for() -> None:
    far = "x " * 100 + "end"
    assert spaced(far, "end", "x") == "end x"


def test_a_word_without_punctuation_is_written_as_it_was_heard() -> None:
    heard = [Word(word="well", start=0.0, end=0.5, confidence=0.5, language="en")]
    (word,) = spoken_words("well", heard, start=0.0, end=1.0, channel=1, confidence=0.5)
    assert (word.text, word.channel, word.language) == ("well", 1, "en")


def test_empty_words_are_left_out_and_line_breaks_in_words_too() -> None:
    blank, broken = spoken("a b")
    heard = [replace(blank, punctuated_word=" "), replace(broken, punctuated_word="b\nc")]
    (word,) = spoken_words("b c", heard, start=0.0, end=1.0, channel=0, confidence=0.5)
    assert word.text == "b c"


def test_a_transcript_without_words_is_split_over_its_time() -> None:
    words = split_words("ab cdef", start=1.0, end=4.0, channel=0, confidence=0.7)
    assert [(word.text, word.start, word.end) for word in words] == [
        ("ab", 1.0, 2.0),
        ("cdef", 2.0, 4.0),
    ]


def test_a_writing_without_spaces_is_split_between_its_characters() -> None:
    words = split_words("天気です。 OK สวัสดี 한국어", start=0.0, end=1.0, channel=0, confidence=1.0)
    assert [word.text for word in words] == [
        "天", "気", "で", "す。", "OK", "ส", "วั", "ส", "ดี", "한국어",
    ]  # fmt: skip
    assert joined_text(words) == "天気です。 OK สวัสดี 한국어"


def test_silence_has_no_words() -> None:
    assert spoken_words("", [], start=0.0, end=1.0, channel=0, confidence=0.0) == []


def test_words_of_a_turn_without_times_share_its_time() -> None:
    info = turn("Update", "Hi I", 2.0)
    untimed = [flux.Word(word=word.word, confidence=0.5) for word in info.words]
    assert [
        (word.text, round(word.start, 3)) for word in turn_words(replace(info, words=untimed))
    ] == [
        ("Hi", 0.0),
        ("I", 1.333),
    ]


def test_words_of_a_turn_keep_their_times() -> None:
    assert [
        (word.text, word.start, word.end) for word in turn_words(turn("Update", "Hi I", 2.0))
    ] == [
        ("Hi", 1.2, 1.6),
        ("I", 1.6, 2.0),
    ]


def test_a_turn_without_words_is_split() -> None:
    info = replace(turn("Update", "Hi I", 2.0), words=[])
    assert [word.text for word in turn_words(info)] == ["Hi", "I"]
