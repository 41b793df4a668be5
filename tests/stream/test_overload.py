"""However a network stutters and breaks, every word has the time at which it was spoken."""

import asyncio
import json
import random
import struct

import pytest

from deepgram_async import ReconnectPolicy, Results, StreamSettings
from deepgram_async._protocol.sockets import Close
from deepgram_async._stream.live import LiveStream
from tests.support.fake_websocket import FakeNetwork

RATE = 100
OPTIONS = {"encoding": "linear16", "sample_rate": RATE}


class Service:
    """Hears samples that tell their numbers; says each as a word."""

    def __init__(self, network: FakeNetwork) -> None:
        self.network = network
        self.settled = 0
        self.connection = 0

    def heard(self) -> list[int]:
        audio = b"".join(frame for frame in self.network.latest.frames if isinstance(frame, bytes))
        return list(struct.unpack(f"<{len(audio) // 2}H", audio))

    def say(self, share: float) -> None:
        """Settle a share of what was heard on the present connection and not settled yet."""
        if self.connection != len(self.network.connections):
            self.connection, self.settled = len(self.network.connections), 0
        heard = self.heard()
        end = self.settled + int((len(heard) - self.settled) * share)
        words = [
            {
                "word": str(heard[at]),
                "start": at / RATE,
                "end": (at + 1) / RATE,
                "confidence": 1,
            }
            for at in range(self.settled, end)
        ]
        if words:
            message = {
                "type": "Results",
                "channel_index": [0, 1],
                "start": self.settled / RATE,
                "duration": (end - self.settled) / RATE,
                "is_final": True,
                "channel": {
                    "alternatives": [{"transcript": "words", "confidence": 1, "words": words}]
                },
                "metadata": {"request_id": "r-1"},
            }
            self.settled = end
            self.network.service.frame_received(json.dumps(message))


async def replaced(network: FakeNetwork, seen: int) -> None:
    async with asyncio.timeout(5):
        while len(network.connections) == seen or network.latest.receiver is None:
            await asyncio.sleep(0)


@pytest.mark.parametrize("seed", range(30))
async def test_words_have_their_times_whatever_was_left_out(seed: int) -> None:
    chance = random.Random(seed)
    network = FakeNetwork()
    service = Service(network)
    settings = StreamSettings(
        when_full="drop_oldest",
        send_buffer_bytes=chance.choice([40, 100]),
        keepalive_s=None,
        reconnect=ReconnectPolicy(
            attempts=1000, first_delay_s=0.0, replay_speed=None, replay_bytes=1000
        ),
    )
    live = LiveStream(network, OPTIONS, settings)
    await live.open()
    samples = 0
    for _ in range(200):
        match chance.choice(["talk", "talk", "talk", "push", "block", "unblock", "say", "lose"]):
            case "talk":
                size = chance.randint(1, 15)
                await live.send_audio(struct.pack(f"<{size}H", *range(samples, samples + size)))
                samples += size
            case "push":
                size = chance.randint(1, 15)
                live.push(struct.pack(f"<{size}H", *range(samples, samples + size)))
                samples += size
                for _ in range(chance.choice([0, 1])):
                    live.push(struct.pack("<H", samples))
                    samples += 1
                await asyncio.sleep(0)
            case "block":
                network.latest.is_writable = False
            case "unblock":
                if network.latest.aborted is None:
                    network.latest.is_writable = True
                    network.service.room_came()
            case "say":
                service.say(chance.random())
            case _:
                if chance.random() < 0.3:
                    seen = len(network.connections)
                    network.service.socket_ended(Close(1011, "NET-0001"))
                    if chance.random() < 0.5:
                        size = chance.randint(1, 15)
                        more = struct.pack(f"<{size}H", *range(samples, samples + size))
                        await live.send_audio(more)
                        samples += size
                    await replaced(network, seen)
        await asyncio.sleep(0)
    network.latest.is_writable = True
    network.service.room_came()
    async with asyncio.timeout(5):
        while live.stats().queued_bytes:
            await asyncio.sleep(0)
    service.say(1.0)
    stats = live.stats()
    assert stats.audio_sent_s == pytest.approx(samples / RATE)
    await live.aclose()
    told: list[int] = []
    async for event in live:
        if isinstance(event, Results):
            for word in event.words:
                assert word.start == pytest.approx(int(word.word) / RATE)
                assert word.end == pytest.approx((int(word.word) + 1) / RATE)
                told.append(int(word.word))
    assert told == sorted(set(told))
    assert told
    # Nothing is missing that was not counted.
    assert stats.dropped_s is not None
    assert samples - len(told) <= round(stats.dropped_s * RATE)
