"""What options make of recognised words."""

from __future__ import annotations

from typing import Any

import pytest

from deepgram_async.emulator import RecognizedWord, ScriptedRecognizer
from deepgram_async.emulator._formatting import Formatting, format_words

from .helpers import of_type, serving, silence, text, wav


def written(spoken: str, **options: Any) -> str:
    words = [
        RecognizedWord(word, float(at), at + 1.0, 0.5 + at / 100)
        for at, word in enumerate(spoken.split())
    ]
    return " ".join(word.text for word in format_words(words, Formatting(**options)))


@pytest.mark.parametrize(
    ("spoken", "expected"),
    [
        ("I have one dog.", "I have 1 dog."),
        ("Twenty five cats, and forty-two mice.", "25 cats, and 42 mice."),
        ("one two three four", "1 2 3 4"),
        ("seven, eight, nine", "7, 8, 9"),
        ("nine hundred", "900"),
        ("nine hundred and five", "905"),
        ("two thousand and twenty six", "2026"),
        ("three million two hundred thousand and one", "3200001"),
        ("nineteen ninety-five was a year", "1995 was a year"),
        ("ten eleven twelve", "10 11 12"),
        ("three point one four is pi", "3.14 is pi"),
        ("one hundred and then some", "100 and then some"),
        ("a hundred and no point", "a hundred and no point"),
        ("(twelve)", "(12)"),
        ("zero", "0"),
    ],
)
def test_numerals(spoken: str, expected: str) -> None:
    assert written(spoken, numerals=True) == expected


@pytest.mark.parametrize(
    ("spoken", "expected"),
    [
        ("one of twelve", "one of 12"),
        ("five percent of twenty dollars.", "five percent of $20."),
        ("Twenty percent, or 3 dollars", "20%, or $3"),
        ("nine point five", "9.5"),
    ],
)
def test_smart_format_leaves_small_numbers_and_writes_signs(spoken: str, expected: str) -> None:
    assert written(spoken, smart_format=True) == expected


def test_words_that_become_one_keep_their_span_and_the_least_confidence() -> None:
    words = [RecognizedWord("twenty", 1.0, 1.5, 0.9), RecognizedWord("five", 1.5, 2.0, 0.7)]
    (number,) = format_words(words, Formatting(numerals=True))
    assert number == RecognizedWord("25", 1.0, 2.0, 0.7)


def test_dictated_punctuation_is_put_to_the_word_before() -> None:
    spoken = "Hello comma world, question mark Full stop exclamation point"
    assert written(spoken, dictation=True) == "Hello, world!"
    assert written("Comma first period", dictation=True) == "Comma first."


def test_units_after_numbers_are_abbreviated() -> None:
    spoken = "It is 25 kilometers, or some miles. Five pounds"
    assert written(spoken, measurements=True) == "It is 25 km, or some miles. Five pounds"
    assert written("five pounds", measurements=True, numerals=True) == "5 lb"


def test_terms_and_phrases_are_replaced_or_deleted() -> None:
    pairs = (("monika jon", "Monica John"), ("monika", "Monica"), ("um", ""))
    spoken = "Um, monika! And Monika Jon, not monikas."
    assert written(spoken, replace=pairs) == "Monica! And Monica John, not monikas."


@pytest.mark.parametrize("word", ["Shit!", "bullshit.", "FUCKING", "bastards", "damn,"])
def test_profanity_becomes_asterisks(word: str) -> None:
    masked = written(f"oh {word} well", profanity_filter=True).split()[1]
    assert masked.rstrip("!.,") == "****"


@pytest.mark.parametrize("word", ["class", "cockpit", "Scunthorpe", "assume", "prickly", "dam"])
def test_words_that_only_look_profane_stay(word: str) -> None:
    assert written(word, profanity_filter=True) == word


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("numbers", "call * * *, in 12, or **** **** **** ****. Then ***-**-**** or"),
        ("true", "call * * *, in 12, or **** **** **** ****. Then ***-**-**** or"),
        ("aggressive_numbers", "call * * *, in **, or **** **** **** ****. Then ***-**-**** or"),
        ("pci", "call 1 2 3, in 12, or **** **** **** ****. Then 123-45-6789 or"),
        ("ssn", "call 1 2 3, in 12, or 4111 1111 1111 1111. Then ***-**-**** or"),
    ],
)
def test_digits_are_redacted_by_how_many_are_in_a_row(kind: str, expected: str) -> None:
    spoken = "call one two three, in 12, or 4111 1111 1111 1111. Then 123-45-6789 or"
    assert written(spoken, redact=(kind,)) == expected


def test_names_that_are_not_honoured_change_nothing() -> None:
    assert written("Ada has 12345", redact=("pii", "name")) == "Ada has 12345"


# Through the endpoints.


async def test_a_recording_is_formatted_as_the_query_says() -> None:
    script = ScriptedRecognizer.from_text("Oh damn, twenty five monikas.")
    async with serving(script) as client:
        _, answer, _ = await client.post(
            wav(silence(4.0)),
            punctuate="true",
            numerals="true",
            profanity_filter="true",
            replace="monikas:Monicas",
        )
        (alternative,) = answer["results"]["channels"][0]["alternatives"]
        assert alternative["transcript"] == "Oh ****, 25 Monicas."
        assert [word["word"] for word in alternative["words"]] == ["oh", "****,", "25", "monicas"]
        assert "warnings" not in answer["metadata"]


async def test_a_stream_is_formatted_and_its_numerals_are_switched_in_mid_stream() -> None:
    script = ScriptedRecognizer([("five", 0.2, 0.5), ("five", 3.2, 3.5)])
    async with serving(script) as client, client.live(endpointing="300") as live:
        await live.say(type="Configure", features={"numerals": False})
        await live.socket.send_bytes(silence(2.0))
        await live.say(type="Finalize")
        await live.say(type="Configure", features={"numerals": True})
        messages = await live.transcribe(silence(3.0))
        said = "".join(text(message) for message in of_type(messages, "Results"))
        assert said == "five5"
