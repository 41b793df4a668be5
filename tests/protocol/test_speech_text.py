from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepgram_async._protocol.speech_text import SentenceBuffer, split_text
from deepgram_async.markup import pause, pronounce

TEXT = st.text(alphabet="ab .,!?;\n\\{}。、", max_size=200)


@given(TEXT, st.integers(min_value=1, max_value=50))
def test_the_pieces_are_the_text_and_fit(text: str, limit: int) -> None:
    pieces = split_text(text, limit)
    assert "".join(pieces) == text
    assert all(0 < len(piece) <= limit for piece in pieces)


@given(st.lists(TEXT, max_size=10), st.integers(min_value=1, max_value=50))
def test_a_buffer_gives_out_all_that_it_took(parts: list[str], limit: int) -> None:
    buffer = SentenceBuffer(limit)
    pieces = [piece for part in parts for piece in buffer.add(part)] + buffer.rest()
    assert "".join(pieces) == "".join(parts)
    assert all(0 < len(piece) <= limit for piece in pieces)
    assert buffer.rest() == []


@pytest.mark.parametrize(
    ("text", "limit", "pieces"),
    [
        ("", 10, []),
        ("Short.", 10, ["Short."]),
        ("One. Two. Three.", 12, ["One. Two. ", "Three."]),
        ("One, two and three", 12, ["One, ", "two and ", "three"]),
        ("one two three", 9, ["one two ", "three"]),
        ("abcdefghij", 4, ["abcd", "efgh", "ij"]),
        ("Really?! Yes… No.", 10, ["Really?! ", "Yes… No."]),
        ('He said "No." Then', 15, ['He said "No." ', "Then"]),
        ("一二三。四五六。七", 8, ["一二三。四五六。", "七"]),
        ("Line one\nline two", 12, ["Line one\n", "line two"]),
    ],
)
def test_text_is_cut_where_a_speaker_would_pause(text: str, limit: int, pieces: list[str]) -> None:
    assert split_text(text, limit) == pieces


def test_a_mark_stays_whole() -> None:
    mark = pronounce("St. Ives. Or so", "sent aivz")
    text = f"We went to {mark} today"
    assert split_text(text, len(mark) + 2) == ["We went to ", f"{mark} ", "today"]
    assert split_text(f"aaaa{pause(500)}", 10)[0] == "aaaa"


@pytest.mark.parametrize(
    ("tokens", "sentences", "rest"),
    [
        (["He", "llo. ", "How"], ["Hello. "], ["How"]),
        (["One. Two. ", "Three"], ["One. ", "Two. "], ["Three"]),
        (["3.", "14 is pi"], [], ["3.14 is pi"]),
        (["Dr. ", "Who and J. S. Bach"], [], ["Dr. Who and J. S. Bach"]),
        (["1. First\n", "2. Second"], ["1. First\n"], ["2. Second"]),
        (["\\{pause:", "500ms\\} now. Then"], ["\\{pause:500ms\\} now. "], ["Then"]),
        (['\\{"word":"a. b', '"\\} x'], [], ['\\{"word":"a. b"\\} x']),
    ],
)
def test_sentences_come_out_when_they_are_complete(
    tokens: list[str], sentences: list[str], rest: list[str]
) -> None:
    buffer = SentenceBuffer(2000)
    assert [piece for token in tokens for piece in buffer.add(token)] == sentences
    assert buffer.rest() == rest


def test_a_long_text_is_split_in_no_time() -> None:
    text = "One more sentence, Dr. Who. " * 10_000
    began = perf_counter()
    assert "".join(split_text(text, 2000)) == text
    assert len(SentenceBuffer(2000).add(text)) == 10_000
    assert perf_counter() - began < 2


def test_a_text_without_sentences_does_not_wait_for_ever() -> None:
    buffer = SentenceBuffer(10)
    assert buffer.add("one two three four") == ["one two "]
