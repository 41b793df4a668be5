import json

import pytest

from deepgram_async._protocol.speech_text import MARK
from deepgram_async.errors import OptionError
from deepgram_async.markup import pause, pronounce


def test_a_pronunciation_is_json_between_escaped_braces() -> None:
    mark = pronounce("dupilumab", "duːˈpɪljuːmæb")  # noqa: RUF001 - the phonetic alphabet
    assert mark == r'\{"word":"dupilumab","pronounce":"duːˈpɪljuːmæb"\}'  # noqa: RUF001 - as above


def test_quotes_are_escaped() -> None:
    mark = pronounce('the "x"', "eks")
    found = MARK.fullmatch(mark)
    assert found is not None
    assert json.loads(f"{{{found.group(1)}}}") == {"word": 'the "x"', "pronounce": "eks"}


@pytest.mark.parametrize(("word", "ipa", "name"), [("", "x", "word"), ("x", " ", "ipa")])
def test_an_empty_pronunciation_is_refused(word: str, ipa: str, name: str) -> None:
    with pytest.raises(OptionError, match=name):
        pronounce(word, ipa)


@pytest.mark.parametrize("duration_ms", [500, 1200, 3000])
def test_a_pause_tells_its_length(duration_ms: int) -> None:
    assert pause(duration_ms) == f"\\{{pause:{duration_ms}ms\\}}"


@pytest.mark.parametrize("duration_ms", [0, 400, 550, 3100, -500])
def test_a_pause_that_the_service_does_not_know_is_refused(duration_ms: int) -> None:
    with pytest.raises(OptionError, match="500 to 3000"):
        pause(duration_ms)
