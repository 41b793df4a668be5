"""Who speaks, and in which forms, alone."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

import pytest

from deepgram_async.emulator import (
    HibariSynthesizer,
    Synthesizer,
    SynthesizerUnavailableError,
    ToneSynthesizer,
    load_synthesizer,
)
from deepgram_async.emulator._speech.formats import SpeechFormat, encoder
from deepgram_async.emulator._speech.markup import read_script
from deepgram_async.emulator._speech.voice import Voice

from .helpers import DEADLINE_S

if TYPE_CHECKING:
    from collections.abc import Iterator


def spoken(synthesizer: Synthesizer, text: str, rate: int = 8000, speed: float = 1.0) -> bytes:
    return b"".join(synthesizer.synthesize(text, rate=rate, speed=speed))


def test_a_hum_lasts_as_long_as_the_text_has_characters() -> None:
    hum = ToneSynthesizer(character_s=0.1)
    assert len(spoken(hum, "Hello, world.")) == 13 * 0.1 * 8000 * 2
    assert len(spoken(hum, "Hello, world.", speed=2.0)) == 13 * 0.05 * 8000 * 2
    assert spoken(hum, "") == b""


def test_a_hum_is_the_same_always_and_differs_between_words() -> None:
    hum = ToneSynthesizer()
    assert spoken(hum, "one two") == spoken(ToneSynthesizer(), "one two")
    assert spoken(hum, "one") != spoken(hum, "two")


def test_a_hum_comes_sentence_by_sentence() -> None:
    pieces = list(ToneSynthesizer().synthesize("One. Two. Three", rate=8000, speed=1.0))
    assert len(pieces) == 3


def test_synthesizers_are_loaded_by_name() -> None:
    assert isinstance(load_synthesizer("tone"), ToneSynthesizer)
    with pytest.raises(ValueError, match="'hibari' and 'tone'"):
        load_synthesizer("siri")


def test_a_missing_package_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "hibari", None)
    with pytest.raises(SynthesizerUnavailableError, match=r"deepgram-async\[emulator\]"):
        load_synthesizer("hibari")


def test_a_damaged_voice_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    voices = pytest.importorskip("hibari.voices")
    monkeypatch.setitem(voices.VOICES["heart"], "sha256", "0" * 64)
    with pytest.raises(SynthesizerUnavailableError, match=r"damaged.*deepgram-async\[emulator\]"):
        HibariSynthesizer()


def test_a_missing_codec_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(SynthesizerUnavailableError, match=r"deepgram-async\[emulator\]"):
        encoder(SpeechFormat("mp3", 22050))


@pytest.mark.real
def test_real_speech_is_the_same_each_time_and_faster_at_speed() -> None:
    pytest.importorskip("hibari")
    voice = HibariSynthesizer()
    text = "Hello there. How are you?"
    once = spoken(voice, text, 16000)
    assert once == spoken(voice, text, 16000)
    assert 1.0 < len(once) / 32000 < 4.0
    assert len(spoken(voice, text, 16000, 1.5)) < 0.8 * len(once)
    assert len(spoken(voice, text, 24000)) == pytest.approx(len(once) * 1.5, rel=0.01)


@pytest.mark.parametrize("encoding", ["mp3", "opus", "flac", "aac"])
def test_compressed_audio_comes_while_it_is_made(encoding: str) -> None:
    encoding_of = encoder(SpeechFormat(encoding, 48000, "ogg" if encoding == "opus" else "none"))
    second = spoken(ToneSynthesizer(), "x" * 20, 48000)
    first, *more = [encoding_of.encode(second) for _ in range(3)]
    assert sum(map(len, more)) > 0
    assert encoding_of.finish()
    assert isinstance(first, bytes)


async def test_texts_take_turns_sentence_by_sentence() -> None:
    class Watched(ToneSynthesizer):
        @property
        def blocking(self) -> bool:
            return True

        def synthesize(self, text: str, *, rate: int, speed: float) -> Iterator[bytes]:
            for number, piece in enumerate(super().synthesize(text, rate=rate, speed=speed)):
                order.append(f"{text[0]}{number}")
                yield piece

    order: list[str] = []
    voice = Voice(Watched())
    form = SpeechFormat("linear16", 8000)

    async def speak(text: str) -> int:
        parts = voice.speak(read_script(text), encoder(form), rate=8000, speed=1.0)
        return sum([len(part.audio) async for part in parts])

    async with asyncio.timeout(DEADLINE_S):
        sizes = await asyncio.gather(speak("Aa. Aa. Aa. Aa."), speak("Bb. Bb. Bb. Bb."))
    voice.close()
    assert sizes[0] == sizes[1] == 15 * 0.05 * 16000
    assert order.index("B0") < order.index("A3")
    assert order.index("A0") < order.index("B3")
