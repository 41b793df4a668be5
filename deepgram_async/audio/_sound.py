"""The devices of this machine, and the libraries that speak to them."""

import importlib
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Literal, Protocol, TypeAlias

from deepgram_async.audio._formats import PcmFormat
from deepgram_async.audio._threads import in_daemon_thread
from deepgram_async.errors import AudioDeviceError, MissingDependencyError, OptionError

__all__ = [
    "INPUT_PERIOD_MS",
    "OUTPUT_PERIOD_MS",
    "AudioDevice",
    "Direction",
    "OpenDevice",
    "SoundBackend",
    "SoundLibrary",
    "StreamRequest",
    "check_seconds",
    "device_for",
    "input_devices",
    "load_backend",
    "output_devices",
]

SoundBackend: TypeAlias = Literal["miniaudio", "sounddevice", "null"]
"""What speaks to the sound card: a library, or ``null``, which is silence that keeps time."""

# How often devices call back. Stopping a microphone is exact to one of these; clearing a speaker to
# one or two of its own, which are longer, because a program that is held up for one makes a gap.
INPUT_PERIOD_MS: Final = 20.0
OUTPUT_PERIOD_MS: Final = 40.0

Direction: TypeAlias = Literal["input", "output"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioDevice:
    """A microphone or a speaker of this machine.

    Attributes:
        name: What people call it.
        id: What the system calls it; the same after the next start of the program.
        is_default: Whether it is taken where none is asked for.
        backend: What found it.
    """

    name: str
    id: str
    is_default: bool
    backend: SoundBackend


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamRequest:
    """What a device is opened for: linear16 in this format, every so many milliseconds."""

    format: PcmFormat
    period_ms: float
    device: AudioDevice | str | None


class OpenDevice(Protocol):
    """A device that runs."""

    name: str
    latency_s: float

    def close(self) -> None:
        """Stop it, and return when none of its callbacks runs any more. It may block."""
        ...


class SoundLibrary(Protocol):
    """A library that speaks to sound devices. Its calls block; callbacks come in its threads."""

    def devices(self, direction: Direction) -> list[AudioDevice]:
        """Return what there is now."""
        ...

    def record(
        self,
        request: StreamRequest,
        on_audio: Callable[[bytes, bool], None],
        on_stop: Callable[[], None],
    ) -> OpenDevice:
        """Hand over audio as it is recorded, and whether the driver lost some before it."""
        ...

    def play(
        self,
        request: StreamRequest,
        on_request: Callable[[int], bytes],
        on_stop: Callable[[], None],
    ) -> OpenDevice:
        """Ask for a number of frames whenever the device wants them."""
        ...


async def input_devices(*, backend: SoundBackend | None = None) -> list[AudioDevice]:
    """Return the microphones of this machine, and what else can be recorded from.

    Args:
        backend: ``miniaudio``, ``sounddevice``, or the first of them that is installed.

    Raises:
        MissingDependencyError: Neither library is installed, or not the one that was named.
        AudioDeviceError: The sound system does not answer.
    """
    return await in_daemon_thread(lambda: load_backend(backend).devices("input"))


async def output_devices(*, backend: SoundBackend | None = None) -> list[AudioDevice]:
    """Return the speakers of this machine, and what else can be played to.

    Args:
        backend: ``miniaudio``, ``sounddevice``, or the first of them that is installed.

    Raises:
        MissingDependencyError: Neither library is installed, or not the one that was named.
        AudioDeviceError: The sound system does not answer.
    """
    return await in_daemon_thread(lambda: load_backend(backend).devices("output"))


def load_backend(backend: SoundBackend | None) -> SoundLibrary:
    """Import a library that speaks to sound devices. It blocks.

    Raises:
        MissingDependencyError: It is not installed.
        OptionError: There is none of this name.
    """
    if backend not in (None, "miniaudio", "sounddevice", "null"):
        raise OptionError(
            f"there is no sound backend {backend!r}; there are miniaudio, sounddevice and null",
            option="backend",
        )
    if backend != "sounddevice" and (library := _imported("miniaudio")) is not None:
        from deepgram_async.audio._backend_miniaudio import MiniaudioLibrary

        return MiniaudioLibrary(library, is_null=backend == "null")
    if backend in (None, "sounddevice") and (library := _imported("sounddevice")) is not None:
        from deepgram_async.audio._backend_sounddevice import SounddeviceLibrary

        return SounddeviceLibrary(library)
    if backend == "sounddevice":
        raise MissingDependencyError(
            "backend='sounddevice' takes that package: pip install sounddevice"
        )
    raise MissingDependencyError(
        "microphone and speaker take miniaudio: pip install 'deepgram-async[mic]'"
    )


def _imported(name: str) -> Any:
    """Return a module without type information, or ``None`` when it is not installed."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as exc:
        if exc.name != name:
            raise
        return None
    except OSError as exc:
        # sounddevice brings PortAudio along for Windows and macOS only.
        raise MissingDependencyError(
            f"{name} is installed, and what it stands on is not: {exc}",
            hint="on Debian and Ubuntu: apt install libportaudio2; "
            "or pip install 'deepgram-async[mic]', which needs no library of the system",
        ) from None


def device_for(
    devices: list[AudioDevice], wanted: AudioDevice | str | None, direction: Direction
) -> AudioDevice:
    """Return the device that is meant: by its id, its name, or a part of the name.

    Raises:
        AudioDeviceError: There is none, or more than one.
    """
    kind = "microphone" if direction == "input" else "speaker"
    if not devices:
        raise AudioDeviceError(
            f"this machine has no {kind}", hint="docs/audio.md tells how to try without one"
        )
    if wanted is None:
        return next((device for device in devices if device.is_default), devices[0])
    text = wanted.id if isinstance(wanted, AudioDevice) else wanted
    exact = [device for device in devices if text in (device.id, device.name)]
    found = exact or [device for device in devices if text.casefold() in device.name.casefold()]
    if len(found) == 1:
        return found[0]
    names = ", ".join(repr(device.name) for device in found or devices)
    if found:
        raise AudioDeviceError(f"{text!r} may be any of these: {names}")
    raise AudioDeviceError(f"there is no {kind} {text!r}; there are {names}")


def check_seconds(name: str, value: float) -> None:
    """Raise where a length of time is not positive and finite.

    Raises:
        OptionError: It is not.
    """
    if not 0 < value < math.inf:
        raise OptionError(f"{name} must be positive, not {value!r}", option=name)
