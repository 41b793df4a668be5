"""The whole way: a recording, a sound server, the microphone, a recogniser, and its words."""

import asyncio
from subprocess import Popen

import pytest

from deepgram_async import DeepgramSession, Results, StreamSettings
from deepgram_async.audio import Microphone
from deepgram_async.emulator import Emulator, WhisperRecognizer
from tests.support.sound import VirtualSound, needs_pulseaudio
from tests.support.speech import RECORDING, WORST, word_error_rate


async def stop_after(player: "Popen[bytes]", microphone: Microphone) -> None:
    """Stop the microphone a second after the last word."""
    await asyncio.to_thread(player.wait)
    ended_at = microphone.recorded_s
    while microphone.recorded_s < ended_at + 1:
        await asyncio.sleep(0.05)
    microphone.stop()


@pytest.mark.real
@needs_pulseaudio
async def test_speech_into_the_microphone_comes_back_as_its_text(sound: VirtualSound) -> None:
    pytest.importorskip("faster_whisper")
    pytest.importorskip("miniaudio")
    async with (
        Emulator(WhisperRecognizer()) as emulator,
        DeepgramSession(
            "any-key",
            base_url=emulator.base_url,
            # The last utterance may take long to recognise on a busy machine.
            stream=StreamSettings(drain_timeout_s=60),
        ) as dg,
        Microphone() as microphone,
        dg.listen.live(model="nova-3", smart_format=True, **microphone.options) as live,
    ):
        player = sound.play(RECORDING)
        stopping = asyncio.create_task(stop_after(player, microphone))
        heard = [
            event.transcript
            async for event in live.transcribe(microphone)
            if isinstance(event, Results)
        ]
        await stopping
        assert microphone.dropped_s == 0
        assert live.audio_sent_s == pytest.approx(microphone.recorded_s, abs=0.05)
    assert word_error_rate(" ".join(heard)) <= WORST
