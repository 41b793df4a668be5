import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepgram_async.transcript._lines import Unit, balanced_lines, filled_lines, text_width
from deepgram_async.transcript._sentences import Joint, ends_sentence, joint_after
from deepgram_async.transcript._words import split_words


def units(text: str) -> list[Unit]:
    return [
        Unit.of(word) for word in split_words(text, start=0.0, end=1.0, channel=0, confidence=1.0)
    ]


@pytest.mark.parametrize(
    ("text", "width"),
    [
        ("", 0),
        ("plain", 5),
        ("über", 4),
        ("u\u0308ber", 4),
        ("한국어", 6),
        ("天気。", 6),
        ("ﾃｽﾄ", 3),
        ("👍", 2),
        ("👍🏽", 2),
        ("👩‍👩‍👧", 2),
        ("❤", 1),
        ("❤️", 2),
        ("🇩🇪🇫🇷", 4),
        ("สวัสดี", 4),
        ("क्\u200dष", 2),
        ("a\u200bb", 2),
    ],
)
def test_a_text_takes_so_many_columns(text: str, width: int) -> None:
    assert text_width(text) == width


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("It fits.", ["It fits."]),
        # After a clause rather than where the lines would be equal.
        ("Yes, of course I have seen it.", ["Yes, of course", "I have seen it."]),
        ("When it rains, nobody comes here.", ["When it rains,", "nobody comes here."]),
        # A short word begins a line rather than ends one.
        ("We walked down to the river bank", ["We walked down", "to the river bank"]),
        ("今日はとてもいい天気ですね。", ["今日はとてもい", "い天気ですね。"]),
        ("extraordinarilylongwords do occur", ["extraordinarilylongwords", "do occur"]),
    ],
)
def test_lines_are_broken_where_the_text_allows(text: str, lines: list[str]) -> None:
    assert balanced_lines(units(text), 20) == lines


def test_a_line_never_begins_with_punctuation() -> None:
    words = split_words("ああああ", start=0.0, end=1.0, channel=0, confidence=1.0)
    assert balanced_lines([Unit.of(word) for word in words], 4) == ["ああ", "ああ"]
    # The units are made so that a mark has no unit of its own.
    assert [unit.text for unit in units("そう。そう")] == ["そ", "う。", "そ", "う"]


@given(
    st.lists(st.sampled_from("a to and river, extraordinarily. 天気".split()), min_size=1),
    st.integers(3, 30),
)
def test_lines_are_as_few_as_possible_and_none_is_too_long(texts: list[str], length: int) -> None:
    text = " ".join(texts)
    made = units(text)
    lines = balanced_lines(made, length)
    assert " ".join(lines).replace("天 気", "天気") == text
    assert len(lines) == list(filled_lines(made, length))[-1]
    for line in lines:
        assert text_width(line) <= length or " " not in line


@pytest.mark.parametrize(
    "text", ["end.", "end?", "end!", 'end."', "(end.)", "wait...", "終わり。", "I.", "है।", "42."]
)
def test_a_sentence_ends_with(text: str) -> None:
    assert ends_sentence(text)


@pytest.mark.parametrize(
    "text", ["end", "end,", "Mr.", "Dr.", "(St.", "J.", "U.S.", "p.m.", "e.g.", "Ph.D.", "3.5"]
)
def test_a_sentence_does_not_end_with(text: str) -> None:
    assert not ends_sentence(text)


def test_what_stands_behind_a_word_tells_how_well_a_text_is_broken_there() -> None:
    assert [joint_after(text) for text in ("end.", "end,", "river", "the", "天気", "9:35")] == [
        Joint.SENTENCE,
        Joint.CLAUSE,
        Joint.WORD,
        Joint.CLINGING,
        Joint.WORD,
        Joint.CLINGING,
    ]
