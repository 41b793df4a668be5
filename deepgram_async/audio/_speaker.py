"""Speech through a speaker, as it comes."""

import asyncio
import threading
import time
from collections import deque
from collections.abc import AsyncIterable
from typing import Final, Literal, Self, TypeAlias

from deepgram_async.audio._formats import PcmFormat, pcm_format
from deepgram_async.audio._g711 import decode_g711
from deepgram_async.audio._holder import SILENT_LIMIT_S, DeviceHolder
from deepgram_async.audio._sound import (
    OUTPUT_PERIOD_MS,
    AudioDevice,
    OpenDevice,
    SoundBackend,
    StreamRequest,
    check_seconds,
    load_backend,
)
from deepgram_async.errors import AudioDeviceError, AudioSourceError, OptionError

__all__ = ["Speaker", "SpeakerEncoding"]

SpeakerEncoding: TypeAlias = Literal["linear16", "mulaw", "alaw"]
"""What a speaker can be given; other encodings have to be decoded before."""

# What files begin with that are no raw samples.
_CONTAINERS: Final = {b"RIF": "a WAV file", b"Ogg": "Ogg", b"fLa": "FLAC", b"ID3": "MP3"}

# Audio that comes later than this after the queue ran dry belongs to what is said next.
_PAUSE_S: Final = 1.0


class Speaker:
    """A speaker that plays speech as it comes, and knows how much of it was heard.

        async with (
            DeepgramSession() as dg,
            Speaker(sample_rate=24000) as speaker,
            dg.speak.live(encoding="linear16", sample_rate=24000) as speech,
        ):
            await speaker.play(speech.speak("Hello. How are you?"))

    Leaving the ``async with`` regularly waits until all is played; leaving it with an exception
    cuts it short.

    Args:
        sample_rate: Samples a second in each channel of the audio that it is given.
        channels: Interleaved channels.
        encoding: How a sample is written: ``linear16``, ``mulaw`` or ``alaw``, without a container.
        device: One of `output_devices`, its id, its name, or a part of the name that no other has;
            the default device when left out.
        buffer_s: Seconds of audio that may wait to be played. Services speak faster than real time;
            the events of a voice agent are seen in time only if its longest answer fits in.
        open_timeout_s: Seconds until the device takes audio.
        backend: ``miniaudio``, ``sounddevice``, or the first of them that is installed; ``null``
            for a device that plays to nobody and keeps time, where there is no sound card.

    Raises:
        OptionError: There is no such encoding, a length of time is not positive, or, on entering,
            there is no such backend.
        AudioSourceError: Sample rate or channels are not positive.
        AudioDeviceError: On entering: there is no such device, or it does not start in time.
        MissingDependencyError: On entering: no library for sound devices is installed.
    """

    def __init__(
        self,
        *,
        sample_rate: int = 24000,
        channels: int = 1,
        encoding: SpeakerEncoding = "linear16",
        device: AudioDevice | str | None = None,
        buffer_s: float = 60.0,
        open_timeout_s: float = 10.0,
        backend: SoundBackend | None = None,
    ) -> None:
        if encoding not in ("linear16", "mulaw", "alaw"):
            raise OptionError(
                f"a speaker takes linear16, mulaw or alaw, not {encoding!r}: see audio.decode",
                option="encoding",
            )
        check_seconds("buffer_s", buffer_s)
        check_seconds("open_timeout_s", open_timeout_s)
        pcm = pcm_format("linear16", sample_rate, channels)
        self._encoding: SpeakerEncoding = encoding
        self._request = StreamRequest(format=pcm, period_ms=OUTPUT_PERIOD_MS, device=device)
        self._backend: SoundBackend | None = backend
        self._open_timeout_s = open_timeout_s
        self._playback = _Playback(pcm, buffer_s=buffer_s)
        self._holder = DeviceHolder("speaker")
        self._turn = asyncio.Lock()

    # Public methods for playing.

    async def play(self, audio: bytes | bytearray | memoryview | AsyncIterable[bytes]) -> None:
        """Queue audio to be played, and return when all of it is queued.

        It waits while the buffer is full. Calls of several tasks play one after the other. Where
        `clear` is called meanwhile, it returns without the rest: for an iterable, with the next
        chunk of it. A call that is cancelled leaves in the queue what it has put there.

        Args:
            audio: A chunk of any length, or an asynchronous iterable of such.

        Raises:
            AudioDeviceError: The device went away.
            AudioSourceError: It is not raw audio.
            InvalidStateError: The speaker is not open.
        """
        _ = self._holder.device
        cleared = self._playback.cleared
        async with self._turn:
            if not isinstance(audio, AsyncIterable):
                await self._playback.put(self._samples(audio), cleared)
                return
            async for chunk in audio:
                if not await self._playback.put(self._samples(chunk), cleared):
                    return

    def push(self, chunk: bytes | bytearray | memoryview) -> bool:
        """Queue a chunk at once, from any thread, and return whether there was room for it.

        Raises:
            AudioSourceError: It is not raw audio.
            InvalidStateError: The speaker is not open.
        """
        _ = self._holder.device
        return self._playback.put_now(self._samples(chunk))

    def clear(self) -> float:
        """Drop all that was not played yet, and return how many seconds that were.

        For a listener who begins to speak. What the device has already, some hundredths of a
        second, is still heard, and counts as played.
        """
        return self._playback.clear()

    async def drain(self) -> None:
        """Return when all that was queued has been heard.

        Raises:
            AudioDeviceError: The device went away.
            InvalidStateError: The speaker is not open.
        """
        _ = self._holder.device
        await self._playback.drain()

    async def aclose(self) -> None:
        """Stop at once and let go of the device; closing twice is fine."""
        self._playback.clear()
        await self._holder.close()

    # Public attributes.

    @property
    def played_s(self) -> float:
        """Seconds of audio that were heard since the device was opened.

        It counts what the device has played, as far as its driver tells how much it holds back,
        and no silence in between. ``round(1000 * speaker.played_s)`` is what ``interrupt`` of a
        Flux speech stream takes, where all the audio of the stream is played here.
        """
        return self._playback.played_s

    @property
    def pending_s(self) -> float:
        """Seconds of audio that wait to be heard, in the queue and in the device."""
        return self._playback.pending_s

    @property
    def underruns(self) -> int:
        """How often the queue ran dry within speech, which is heard as a gap.

        That is: more audio came within a second, and neither `drain` nor `clear` was called
        before it.
        """
        return self._playback.underruns

    @property
    def device_name(self) -> str:
        """What people call the device that is open.

        Raises:
            InvalidStateError: None is.
        """
        return self._holder.device.name

    async def __aenter__(self) -> Self:
        self._playback.loop = asyncio.get_running_loop()
        # Neither of the two knows this object, so that it can be forgotten.
        playback, request, backend = self._playback, self._request, self._backend

        def open_device() -> OpenDevice:
            return load_backend(backend).play(request, playback.fill, playback.device_stopped)

        await self._holder.open(open_device, playback.runs, timeout_s=self._open_timeout_s)
        playback.latency_s = self._holder.device.latency_s
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None and self._holder.is_open:
                await self.drain()
        finally:
            await self.aclose()

    def __del__(self) -> None:
        # It may be that the constructor raised.
        holder: DeviceHolder | None = getattr(self, "_holder", None)
        if holder is not None:
            holder.close_forgotten(self)

    def _samples(self, chunk: bytes | bytearray | memoryview) -> bytes:
        if not isinstance(chunk, bytes | bytearray | memoryview):
            raise AudioSourceError(f"a speaker plays bytes, not {type(chunk).__name__}")
        audio = bytes(chunk)
        if (container := _CONTAINERS.get(audio[:3])) is not None:
            raise AudioSourceError(
                f"this is {container}, and would be heard as noise",
                hint="ask the service for container='none', or play audio.decode(...) of it",
            )
        return audio if self._encoding == "linear16" else decode_g711(audio, self._encoding)


class _Playback:
    """Audio on its way from the event loop to the thread of the device."""

    def __init__(self, pcm: PcmFormat, *, buffer_s: float) -> None:
        self.loop: asyncio.AbstractEventLoop | None = None
        self.latency_s = 0.0
        self.cleared = 0
        """How often the queue was cleared."""
        self.underruns = 0
        self._frame_bytes = pcm.frame_bytes
        self._bytes_per_second = pcm.bytes_per_second
        self._most_bytes = max(pcm.frame_bytes, round(pcm.sample_rate * buffer_s) * pcm.frame_bytes)
        self._lock = threading.Lock()
        self._queue = bytearray()
        self._torn = b""
        """The beginning of a frame whose rest has not come."""
        self._taken_bytes = 0
        self._in_device: deque[tuple[float, int]] = deque()
        """When the device took how many bytes of audio, as long as it may hold them."""
        self._is_speaking = False
        self._dry_since: float | None = None
        """When the queue ran dry within speech."""
        self._asked_at: float | None = None
        self._runs = False
        self._is_lost = False
        self._waiters = 0
        self._progress = asyncio.Event()

    # In the thread of the device.

    def fill(self, frames: int) -> bytes:
        """Return so many frames: of audio as long as there is any, then of silence."""
        now = time.monotonic()
        wanted = frames * self._frame_bytes
        with self._lock:
            # Devices ask several times at once in the beginning, to fill themselves.
            if self._asked_at is not None and now - self._asked_at > OUTPUT_PERIOD_MS / 2000:
                self._runs = True
            self._asked_at = now
            audio = bytes(self._queue[:wanted])
            del self._queue[:wanted]
            if len(audio) == wanted:
                self._is_speaking = True
            elif audio or self._is_speaking:
                self._is_speaking = False
                self._dry_since = now
            if audio:
                self._taken_bytes += len(audio)
                self._in_device.append((now, len(audio)))
            self._forget_heard(now)
            must_call = self._waiters > 0
        if must_call:
            self._call()
        return audio + bytes(wanted - len(audio))

    def device_stopped(self) -> None:
        """Know that the device takes no more audio, although nobody asked for that."""
        self._is_lost = True
        self._call()

    def _call(self) -> None:
        assert self.loop is not None, "set before the device is opened"
        try:
            self.loop.call_soon_threadsafe(self._progress.set)
        except RuntimeError:  # the loop is closed, and nobody waits any more
            pass

    def _forget_heard(self, now: float) -> None:
        while self._in_device and self._in_device[0][0] + self.latency_s <= now:
            self._in_device.popleft()

    # In the event loop, and in any other thread.

    def put_now(self, audio: bytes) -> bool:
        """Queue audio if there is room for all of it."""
        with self._lock:
            if len(self._queue) + len(audio) > self._most_bytes:
                return False
            self._append(audio)
            return True

    async def put(self, audio: bytes, cleared: int) -> bool:
        """Queue audio as there is room for it, and return whether no clear was called meanwhile."""
        start = 0
        while True:
            with self._lock:
                if self.cleared != cleared:
                    return False
                room = max(0, self._most_bytes - len(self._queue))
                self._append(audio[start : start + room])
            start += room
            if start >= len(audio):
                return True
            await self._next_fill()

    def _append(self, audio: bytes) -> None:
        if self._torn:
            audio, self._torn = self._torn + audio, b""
        if rest := len(audio) % self._frame_bytes:
            audio, self._torn = audio[:-rest], audio[-rest:]
        if not audio:
            return
        dry_since, self._dry_since = self._dry_since, None
        if dry_since is not None and time.monotonic() - dry_since <= _PAUSE_S:
            self.underruns += 1
        self._queue += audio

    def clear(self) -> float:
        """Drop what the device has not taken, and return how many seconds that were."""
        with self._lock:
            self.cleared += 1
            dropped = len(self._queue)
            self._queue.clear()
            self._torn = b""
            self._end_speech()
        self._progress.set()
        return dropped / self._bytes_per_second

    async def drain(self) -> None:
        """Return when the queue and the device are empty."""
        while self._queue:
            await self._next_fill()
        with self._lock:
            last_at = self._in_device[-1][0] if self._in_device else None
        if last_at is not None:
            await asyncio.sleep(max(0.0, last_at + self.latency_s - time.monotonic()))
        with self._lock:
            self._end_speech()

    async def runs(self) -> None:
        """Return when the device takes audio at its pace."""
        while not self._runs:
            await self._next_call()

    async def _next_fill(self) -> None:
        """Return when the device has asked for audio, or the queue was cleared.

        Raises:
            AudioDeviceError: It does not ask any more.
        """
        try:
            async with asyncio.timeout(SILENT_LIMIT_S):
                await self._next_call()
        except TimeoutError:
            raise AudioDeviceError(
                f"the speaker went away: it has taken nothing for {SILENT_LIMIT_S:g} s"
            ) from None

    async def _next_call(self) -> None:
        if self._is_lost:
            raise AudioDeviceError("the speaker went away")
        self._progress.clear()
        with self._lock:
            self._waiters += 1
        try:
            await self._progress.wait()
        finally:
            with self._lock:
                self._waiters -= 1

    def _end_speech(self) -> None:
        """Know that a silence from here on is no gap in speech."""
        self._is_speaking = False
        self._dry_since = None

    @property
    def played_s(self) -> float:
        """Seconds that were heard."""
        with self._lock:
            self._forget_heard(time.monotonic())
            return (self._taken_bytes - self._held_bytes()) / self._bytes_per_second

    @property
    def pending_s(self) -> float:
        """Seconds that will be heard."""
        with self._lock:
            self._forget_heard(time.monotonic())
            return (len(self._queue) + self._held_bytes()) / self._bytes_per_second

    def _held_bytes(self) -> int:
        return sum(size for _, size in self._in_device)
