"""What a microphone hears, as an asynchronous iterator."""

import asyncio
import threading
from collections import deque
from typing import Final, Literal, Self

from deepgram_async.audio._formats import AudioOptions, PcmFormat, pcm_format
from deepgram_async.audio._holder import SILENT_LIMIT_S, DeviceHolder
from deepgram_async.audio._levels import Level, level_of
from deepgram_async.audio._sound import (
    INPUT_PERIOD_MS,
    AudioDevice,
    OpenDevice,
    SoundBackend,
    StreamRequest,
    check_seconds,
    load_backend,
)
from deepgram_async.errors import AudioDeviceError, InvalidStateError

__all__ = ["Microphone"]

# Short enough to follow syllables, long enough not to flicker.
_METER_S: Final = 0.1


class Microphone:
    """What a microphone hears, in chunks of linear16: a source for every stream that listens.

        async with (
            DeepgramSession() as dg,
            Microphone() as microphone,
            dg.listen.live(model="nova-3", **microphone.options) as live,
        ):
            async for event in live.transcribe(microphone):
                ...

    The device runs from entering the ``async with`` to leaving it; entering returns when the first
    audio has come, which takes up to two seconds with some sound servers. Chunks that nobody takes
    wait, at most ``buffer_s`` of them: then the oldest is dropped, and counted in ``dropped_s``. A
    request for a chunk that is cancelled loses nothing.

    Audio comes in the asked format whatever the device has: miniaudio resamples by itself; with
    ``sounddevice`` the sound system has to, and an error tells when it does not.

    Args:
        sample_rate: Samples a second in each channel.
        channels: Interleaved channels.
        device: One of `input_devices`, its id, its name, or a part of the name that no other has;
            the default device when left out.
        chunk_ms: Milliseconds of audio in a chunk. Deepgram advises 20 to 250, and 80 for Flux.
        buffer_s: Seconds of audio that may wait to be taken.
        open_timeout_s: Seconds until the first audio has come.
        backend: ``miniaudio``, ``sounddevice``, or the first of them that is installed; ``null``
            for silence that keeps time, where there is no sound card.

    Attributes:
        encoding: How a sample is written, in Deepgram's spelling.
        sample_rate: Samples a second in each channel.
        channels: Interleaved channels.

    Raises:
        OptionError: A length of time is not positive, or, on entering, there is no such backend.
        AudioSourceError: Sample rate or channels are not positive.
        AudioDeviceError: On entering: there is no such device, or it gives no audio in time.
        MissingDependencyError: On entering: no library for sound devices is installed.
    """

    encoding: Literal["linear16"]
    sample_rate: int
    channels: int

    def __init__(
        self,
        *,
        sample_rate: int = 16000,
        channels: int = 1,
        device: AudioDevice | str | None = None,
        chunk_ms: float = 20.0,
        buffer_s: float = 10.0,
        open_timeout_s: float = 10.0,
        backend: SoundBackend | None = None,
    ) -> None:
        check_seconds("chunk_ms", chunk_ms)
        check_seconds("buffer_s", buffer_s)
        check_seconds("open_timeout_s", open_timeout_s)
        self.encoding = "linear16"
        self.sample_rate = sample_rate
        self.channels = channels
        self._format = pcm_format("linear16", sample_rate, channels)
        self._request = StreamRequest(
            format=self._format, period_ms=min(chunk_ms, INPUT_PERIOD_MS), device=device
        )
        self._backend: SoundBackend | None = backend
        self._open_timeout_s = open_timeout_s
        self._recording = _Recording(self._format, chunk_ms=chunk_ms, buffer_s=buffer_s)
        self._holder = DeviceHolder("microphone")

    @property
    def options(self) -> AudioOptions:
        """Encoding, sample rate and channels as options of ``dg.listen.live``."""
        return {
            "encoding": self.encoding,
            "sample_rate": self.sample_rate,
            "channels": self.channels,
        }

    @property
    def device_name(self) -> str:
        """What people call the device that is open.

        Raises:
            InvalidStateError: None is.
        """
        return self._holder.device.name

    @property
    def recorded_s(self) -> float:
        """Seconds of audio that the device has delivered since it was opened."""
        return self._recording.recorded_bytes / self._format.bytes_per_second

    @property
    def dropped_s(self) -> float:
        """Seconds of audio that were dropped because nobody took them."""
        return self._recording.dropped_bytes / self._format.bytes_per_second

    @property
    def overruns(self) -> int:
        """How often the driver says that it lost audio; only ``sounddevice`` tells."""
        return self._recording.overruns

    @property
    def level(self) -> Level:
        """How loud the last tenth of a second was, also while muted.

        It is computed when it is asked for, in a fraction of a millisecond.
        """
        return level_of(self._recording.recent())

    @property
    def is_muted(self) -> bool:
        """Whether silence is delivered instead of what is heard."""
        return self._recording.is_muted

    def mute(self) -> None:
        """Deliver silence instead of what is heard from now on; time goes on."""
        self._recording.is_muted = True

    def unmute(self) -> None:
        """Deliver what is heard again."""
        self._recording.is_muted = False

    def stop(self) -> None:
        """End the audio here: what was recorded so far still comes, and then the iteration ends.

        A live stream that is fed from it then finishes and delivers its last results. To be called
        in the event loop, as by a signal handler of it.
        """
        self._recording.end()

    async def aclose(self) -> None:
        """Stop, and let go of the device; closing twice is fine. ``async with`` does it."""
        self._recording.end()
        await self._holder.close()

    async def __aenter__(self) -> Self:
        self._recording.loop = asyncio.get_running_loop()
        # Neither of the two knows this object, so that it can be forgotten.
        recording, request, backend = self._recording, self._request, self._backend

        def open_device() -> OpenDevice:
            return load_backend(backend).record(request, recording.feed, recording.device_stopped)

        await self._holder.open(open_device, recording.first_audio, timeout_s=self._open_timeout_s)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        """Return the next chunk.

        Raises:
            AudioDeviceError: The device went away.
            InvalidStateError: The microphone was never opened.
        """
        if self._recording.loop is None:
            raise InvalidStateError("the microphone is not open: use `async with`")
        while (chunk := self._recording.take()) is None:
            if self._recording.is_ended:
                raise StopAsyncIteration
            await self._recording.more()
        return chunk

    def __del__(self) -> None:
        # It may be that the constructor raised.
        holder: DeviceHolder | None = getattr(self, "_holder", None)
        if holder is not None:
            holder.close_forgotten(self)


class _Recording:
    """Audio on its way from the thread of the device to the event loop.

    What the device's thread does here takes microseconds, whatever the event loop is busy with.
    """

    def __init__(self, pcm: PcmFormat, *, chunk_ms: float, buffer_s: float) -> None:
        chunk_bytes = pcm.frame_bytes * max(1, round(pcm.sample_rate * chunk_ms / 1000))
        self.loop: asyncio.AbstractEventLoop | None = None
        self.is_muted = False
        self.is_ended = False
        self.recorded_bytes = 0
        self.dropped_bytes = 0
        self.overruns = 0
        self._chunk_bytes = chunk_bytes
        self._most_chunks = max(1, round(pcm.bytes_per_second * buffer_s / chunk_bytes))
        self._meter_bytes = round(pcm.sample_rate * _METER_S) * pcm.frame_bytes
        self._lock = threading.Lock()
        self._chunks: deque[bytes] = deque()
        self._partial = bytearray()
        self._heard = bytearray()
        self._is_lost = False
        self._is_called = False
        self._arrived = asyncio.Event()

    # In the thread of the device.

    def feed(self, audio: bytes, is_after_loss: bool) -> None:
        """Take what was recorded."""
        with self._lock:
            if self.is_ended:
                return
            self.recorded_bytes += len(audio)
            self.overruns += is_after_loss
            self._heard += audio
            del self._heard[: -self._meter_bytes]
            self._partial += bytes(len(audio)) if self.is_muted else audio
            while len(self._partial) >= self._chunk_bytes:
                self._append(bytes(self._partial[: self._chunk_bytes]))
                del self._partial[: self._chunk_bytes]
            must_call, self._is_called = not self._is_called, True
        if must_call:
            self._call()

    def device_stopped(self) -> None:
        """Know that there will be no more audio, although nobody asked for that."""
        self._is_lost = True
        self._call()

    def _append(self, chunk: bytes) -> None:
        if len(self._chunks) >= self._most_chunks:
            self.dropped_bytes += len(self._chunks.popleft())
        self._chunks.append(chunk)

    def _call(self) -> None:
        assert self.loop is not None, "set before the device is opened"
        try:
            self.loop.call_soon_threadsafe(self._arrived.set)
        except RuntimeError:  # the loop is closed, and nobody listens any more
            pass

    # In the event loop.

    def take(self) -> bytes | None:
        """Return the oldest chunk, if there is one."""
        with self._lock:
            return self._chunks.popleft() if self._chunks else None

    def recent(self) -> bytes:
        """Return the last tenth of a second that was heard."""
        with self._lock:
            return bytes(self._heard)

    async def first_audio(self) -> None:
        """Return when something was recorded."""
        while not (self.recorded_bytes or self.is_ended):
            await self._next_call()

    async def more(self) -> None:
        """Return when something may have come since `take` said no.

        Raises:
            AudioDeviceError: The device has stopped.
        """
        try:
            async with asyncio.timeout(SILENT_LIMIT_S):
                await self._next_call()
        except TimeoutError:
            raise AudioDeviceError(
                f"the microphone went away: it has delivered nothing for {SILENT_LIMIT_S:g} s"
            ) from None

    async def _next_call(self) -> None:
        if self._is_lost:
            raise AudioDeviceError("the microphone went away")
        with self._lock:
            if self._chunks or self.is_ended:
                return
            self._arrived.clear()
            self._is_called = False
        await self._arrived.wait()

    def end(self) -> None:
        """Take no more, and let what is there be the end."""
        with self._lock:
            if not self.is_ended and self._partial:
                self._append(bytes(self._partial))
            self._partial.clear()
            self.is_ended = True
        self._arrived.set()
