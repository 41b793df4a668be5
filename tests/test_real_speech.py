"""The whole way: a recording, the SDK, a server, a real recogniser, and its words."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from deepgram_async import DeepgramSession, Results, StreamSettings
from deepgram_async.audio import paced
from deepgram_async.emulator import Emulator, WhisperRecognizer
from deepgram_async.models.live import Metadata
from tests.support.speech import RECORDING, WORST, word_error_rate

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def recognizer() -> WhisperRecognizer:
    pytest.importorskip("faster_whisper")
    return WhisperRecognizer()


@pytest_asyncio.fixture
async def dg(recognizer: WhisperRecognizer) -> AsyncIterator[DeepgramSession]:
    async with (
        Emulator(recognizer) as emulator,
        # The last utterance may take long to recognise on a busy machine.
        DeepgramSession(
            "any-key",
            base_url=emulator.base_url,
            stream=StreamSettings(drain_timeout_s=60),
        ) as session,
    ):
        yield session


async def test_a_recording_comes_back_as_its_text(dg: DeepgramSession) -> None:
    answer = await dg.listen.transcribe(RECORDING, model="nova-3", smart_format=True)

    assert word_error_rate(answer.transcript) <= WORST
    times = [time for word in answer.words for time in (word.start, word.end)]
    assert 0 <= min(times)
    assert max(times) <= answer.duration


async def test_live_speech_comes_back_as_its_text(dg: DeepgramSession) -> None:
    async with (
        # Twice as fast as spoken, to be done sooner; the recogniser keeps up.
        paced(RECORDING, realtime=2.0) as audio,
        dg.listen.live(
            model="nova-3", smart_format=True, interim_results=True, **audio.options
        ) as live,
    ):
        events = [event async for event in live.transcribe(audio)]

    results = [event for event in events if isinstance(event, Results)]
    finals = [event for event in results if event.is_final]
    assert word_error_rate(" ".join(event.transcript for event in finals)) <= WORST
    assert len(results) > len(finals), "text is shown before it is final"
    # The finals cover the audio without a gap, and Metadata ends the stream.
    ends = [0.0, *(event.end for event in finals)]
    assert [event.start for event in finals] == pytest.approx(ends[:-1], abs=0.01)
    assert isinstance(events[-1], Metadata)
    assert live.audio_sent_s == pytest.approx(events[-1].duration, abs=0.1)
    assert not live.drain_timed_out
