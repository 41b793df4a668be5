"""Sound devices by sounddevice, which stands on PortAudio."""

from collections.abc import Callable
from typing import Any

from deepgram_async.audio._sound import (
    AudioDevice,
    Direction,
    OpenDevice,
    StreamRequest,
    device_for,
)
from deepgram_async.errors import AudioDeviceError

__all__ = ["SounddeviceLibrary"]


class SounddeviceLibrary:
    """The devices that PortAudio found when it was loaded."""

    def __init__(self, sounddevice: Any) -> None:
        self._sounddevice = sounddevice

    def devices(self, direction: Direction) -> list[AudioDevice]:
        """Return what there was when PortAudio was loaded."""
        systems = self._sounddevice.query_hostapis()
        default = self._sounddevice.default.device[0 if direction == "input" else 1]
        return [
            AudioDevice(
                name=device["name"],
                id=f"{device['name']}, {systems[device['hostapi']]['name']}",
                is_default=device["index"] == default,
                backend="sounddevice",
            )
            for device in self._sounddevice.query_devices()
            if device[f"max_{direction}_channels"] > 0
        ]

    def record(
        self,
        request: StreamRequest,
        on_audio: Callable[[bytes, bool], None],
        on_stop: Callable[[], None],
    ) -> OpenDevice:
        """Hand over audio as it is recorded, and whether the driver lost some before it."""

        def receive(recorded: Any, frames: int, time: object, status: Any) -> None:
            on_audio(bytes(recorded), bool(status.input_overflow))

        make = self._sounddevice.RawInputStream
        return self._started("input", request, make, receive, on_stop)

    def play(
        self,
        request: StreamRequest,
        on_request: Callable[[int], bytes],
        on_stop: Callable[[], None],
    ) -> OpenDevice:
        """Ask for a number of frames whenever the device wants them."""

        def provide(played: Any, frames: int, time: object, status: object) -> None:
            played[:] = on_request(frames)

        make = self._sounddevice.RawOutputStream
        return self._started("output", request, make, provide, on_stop)

    def _started(
        self,
        direction: Direction,
        request: StreamRequest,
        make: Callable[..., Any],
        callback: Callable[..., None],
        on_stop: Callable[[], None],
    ) -> OpenDevice:
        chosen = device_for(self.devices(direction), request.device, direction)
        opened = _Opened(chosen.name, on_stop)
        try:
            opened.stream = make(
                samplerate=request.format.sample_rate,
                channels=request.format.channels,
                dtype="int16",
                blocksize=max(1, round(request.format.sample_rate * request.period_ms / 1000)),
                device=chosen.id,
                callback=callback,
                finished_callback=opened.finished,
            )
            opened.stream.start()
        except (self._sounddevice.PortAudioError, ValueError) as exc:
            opened.close()
            raise AudioDeviceError(f"cannot open {chosen.name!r}: {exc.args[0]}") from exc
        opened.latency_s = opened.stream.latency
        return opened


class _Opened:
    """A stream of PortAudio that runs."""

    def __init__(self, name: str, on_stop: Callable[[], None]) -> None:
        self.name = name
        self.latency_s = 0.0
        self.stream: Any = None
        self._on_stop = on_stop
        self._is_closing = False

    def finished(self) -> None:
        """Pass on that the stream has ended, unless it was to."""
        if not self._is_closing:
            self._on_stop()

    def close(self) -> None:
        """Stop it at once."""
        self._is_closing = True
        stream, self.stream = self.stream, None
        if stream is not None:
            stream.close()
