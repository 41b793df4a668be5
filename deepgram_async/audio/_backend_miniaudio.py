"""Sound devices by miniaudio, which needs no library of the system."""

from collections.abc import Callable, Generator
from typing import Any, Final

from deepgram_async.audio._alsa import quiet_alsa
from deepgram_async.audio._sound import (
    AudioDevice,
    Direction,
    OpenDevice,
    SoundBackend,
    StreamRequest,
    device_for,
)
from deepgram_async.errors import AudioDeviceError

__all__ = ["MiniaudioLibrary"]

# How much of a ring lies between miniaudio and the system. A recording waits half a second there
# for a program that is held up, and comes no later for it; what is played comes later by all of it.
_PERIODS: Final[dict[Direction, int]] = {"input": 25, "output": 2}


class MiniaudioLibrary:
    """The devices that miniaudio finds, or its device that only keeps time."""

    def __init__(self, miniaudio: Any, *, is_null: bool) -> None:
        self._miniaudio = miniaudio
        self._name: SoundBackend = "null" if is_null else "miniaudio"
        kinds = miniaudio.Backend
        # Without this list it would take the silent device where there is no other.
        self._kinds = (
            [kinds.NULL]
            if is_null
            else [kind for kind in kinds if kind not in (kinds.NULL, kinds.CUSTOM)]
        )

    def devices(self, direction: Direction) -> list[AudioDevice]:
        """Return what there is now."""
        with _Context(self._miniaudio, self._kinds) as context:
            return [device for device, _ in context.devices(direction, self._name)]

    def record(
        self,
        request: StreamRequest,
        on_audio: Callable[[bytes, bool], None],
        on_stop: Callable[[], None],
    ) -> OpenDevice:
        """Hand over audio as it is recorded; whether the driver lost some is not known here."""

        def receive() -> Generator[None, bytearray, None]:
            while True:
                data = yield
                on_audio(bytes(data), False)

        return self._started("input", request, receive(), on_stop)

    def play(
        self,
        request: StreamRequest,
        on_request: Callable[[int], bytes],
        on_stop: Callable[[], None],
    ) -> OpenDevice:
        """Ask for a number of frames whenever the device wants them."""

        def provide() -> Generator[bytes, int, None]:
            frames = yield b""
            while True:
                frames = yield on_request(frames)

        return self._started("output", request, provide(), on_stop)

    def _started(
        self,
        direction: Direction,
        request: StreamRequest,
        callbacks: Generator[Any, Any, None],
        on_stop: Callable[[], None],
    ) -> OpenDevice:
        miniaudio = self._miniaudio
        with _Context(miniaudio, self._kinds) as context:
            found = context.devices(direction, self._name)
        chosen = device_for([device for device, _ in found], request.device, direction)
        handle = next(handle for device, handle in found if device is chosen)
        # Without a sound card ALSA lists plugins and marks none of them as its default.
        is_known = request.device is not None or chosen.is_default
        name = repr(chosen.name) if is_known else f"the default {direction} device"
        is_input = direction == "input"
        make = miniaudio.CaptureDevice if is_input else miniaudio.PlaybackDevice
        period_ms = max(1, round(request.period_ms))
        periods = _PERIODS[direction]
        try:
            with quiet_alsa():
                device = make(
                    miniaudio.SampleFormat.SIGNED16,
                    request.format.channels,
                    request.format.sample_rate,
                    period_ms,
                    # The silent device has an empty id, and the default needs none.
                    device_id=None if request.device is None or self._name == "null" else handle,
                    callback_periods=periods,
                    backends=self._kinds,
                    app_name="deepgram_async",
                )
        except miniaudio.MiniaudioError as exc:
            raise AudioDeviceError(
                f"cannot open {name}: {exc.args[0]}",
                hint="docs/audio.md tells how to try without a sound card",
            ) from exc
        opened = _Opened(miniaudio, device, chosen.name, period_ms * periods / 1000)
        device.stop_callback = on_stop
        next(callbacks)
        try:
            device.start(callbacks)
        except miniaudio.MiniaudioError as exc:
            opened.close()
            raise AudioDeviceError(f"cannot start {name}: {exc.args[0]}") from exc
        return opened


class _Context:
    """A connection to the system's sound; miniaudio's own class hides which device is default."""

    def __init__(self, miniaudio: Any, kinds: list[Any]) -> None:
        self._miniaudio = miniaudio
        self._kinds = kinds

    def __enter__(self) -> "_Context":
        try:
            self._devices = self._miniaudio.Devices(self._kinds)
        except self._miniaudio.MiniaudioError as exc:
            raise AudioDeviceError(f"this machine has no sound system: {exc.args[0]}") from exc
        return self

    def __exit__(self, *_: object) -> None:
        # It ends the connection when it is forgotten, and only then.
        del self._devices

    def devices(self, direction: Direction, backend: SoundBackend) -> list[tuple[AudioDevice, Any]]:
        """Return the devices with what miniaudio knows them by."""
        ffi, lib = self._miniaudio.ffi, self._miniaudio.lib
        infos, count = ffi.new("ma_device_info **"), ffi.new("ma_uint32 *")
        arguments = (
            (ffi.NULL, ffi.NULL, infos, count)
            if direction == "input"
            else (infos, count, ffi.NULL, ffi.NULL)
        )
        context = self._devices._context  # noqa: SLF001 - there is no other way to it
        if lib.ma_context_get_devices(context, *arguments) != lib.MA_SUCCESS:
            raise AudioDeviceError("the sound system does not tell which devices there are")
        found: list[tuple[AudioDevice, Any]] = []
        for number in range(count[0]):
            info = infos[0][number]
            handle = ffi.new("ma_device_id *", info.id)
            device = AudioDevice(
                name=ffi.string(info.name).decode(errors="replace"),
                id=_text_of(bytes(ffi.buffer(handle))),
                is_default=bool(info.isDefault),
                backend=backend,
            )
            found.append((device, handle))
        return found


def _text_of(raw: bytes) -> str:
    """Return an id as text: it is a name, as wide characters on Windows, or a number."""
    if raw[1:2] == b"\0" and raw[2:4] != b"\0\0":
        return raw.decode("utf-16-le", errors="replace").partition("\0")[0]
    text = raw.partition(b"\0")[0].decode(errors="replace")
    return text if text.isprintable() else raw.rstrip(b"\0").hex()


class _Opened:
    """A device of miniaudio that runs."""

    def __init__(self, miniaudio: Any, device: Any, name: str, latency_s: float) -> None:
        self.name = name
        self.latency_s = latency_s
        self._miniaudio = miniaudio
        self._device: Any = device

    def close(self) -> None:
        """Stop it and end the connection to the system's sound, which miniaudio would keep."""
        device, self._device = self._device, None
        if device is not None:
            device.stop_callback = None
            device.close()
            self._miniaudio.lib.ma_context_uninit(device._context)  # noqa: SLF001 - as above
