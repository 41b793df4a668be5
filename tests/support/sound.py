"""A sound server without a sound card: what is played to its sink is what its microphone hears."""

import math
import os
import shutil
import signal
import subprocess
import time
from array import array
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

__all__ = [
    "RATE",
    "VirtualSound",
    "breaks_in_tone",
    "has_pulseaudio",
    "needs_pulseaudio",
    "sine",
    "virtual_sound",
]

RATE = 48000
"""Samples a second of the sink."""


def has_pulseaudio() -> bool:
    """Whether the programs are installed."""
    return all(shutil.which(program) for program in ("pulseaudio", "paplay", "parec"))


needs_pulseaudio = pytest.mark.skipif(
    not has_pulseaudio(), reason="needs pulseaudio and pulseaudio-utils"
)


class VirtualSound:
    """A server with one sink, ``vmic``, and the monitor of it."""

    def __init__(self, server: subprocess.Popen[bytes], environment: dict[str, str]) -> None:
        self.environment = environment
        """What makes programs and libraries use this server."""
        self._server = server

    def play(self, file: Path) -> subprocess.Popen[bytes]:
        """Begin to play a WAV file."""
        return subprocess.Popen(
            ["paplay", "--device=vmic", str(file)], env={**os.environ, **self.environment}
        )

    def kill(self) -> None:
        """End the server without a word to anybody."""
        self._server.send_signal(signal.SIGKILL)
        self._server.wait()


@contextmanager
def virtual_sound() -> Generator[VirtualSound, None, None]:
    """Run a server with a socket of its own; it is ready when this is."""
    with TemporaryDirectory(prefix="sound-") as home:
        socket = f"{home}/native"
        environment = {
            "HOME": home,
            "XDG_RUNTIME_DIR": home,
            "PULSE_SERVER": f"unix:{socket}",
        }
        everything = {**os.environ, **environment}
        server = subprocess.Popen(
            [
                *("pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1"),
                *("--realtime=no", "--high-priority=no", "--no-cpu-limit=yes", "-L"),
                f"module-native-protocol-unix auth-anonymous=1 socket={socket}",
                *("-L", f"module-null-sink sink_name=vmic rate={RATE} channels=1"),
            ],
            env=everything,
            stderr=subprocess.DEVNULL,
        )
        listener: subprocess.Popen[bytes] | None = None
        try:
            # A sink that nobody listens to works in blocks of two seconds.
            heard = Path(home, "heard")
            for _ in range(2000):
                if listener is None or listener.poll() is not None:  # the server was not ready
                    listener = subprocess.Popen(
                        [
                            *("parec", "--device=vmic.monitor", "--latency-msec=20"),
                            *("--rate=8000", str(heard)),
                        ],
                        env=everything,
                        stderr=subprocess.DEVNULL,
                    )
                time.sleep(0.01)
                if heard.exists() and heard.stat().st_size:
                    break
            else:
                raise AssertionError("the sound server does not start")
            yield VirtualSound(server, environment)
        finally:
            for process in (listener, server):
                if process is not None:
                    process.kill()
                    process.wait()


def sine(seconds: float, *, rate: int = RATE, hertz: float = 440.0, peak: int = 12000) -> bytes:
    """Return a tone as linear16."""
    step = 2 * math.pi * hertz / rate
    samples = [round(peak * math.sin(step * number)) for number in range(round(seconds * rate))]
    return array("h", samples).tobytes()


def breaks_in_tone(audio: bytes, rate: int, *, hertz: float = 440.0) -> int:
    """Count where a tone does not go on as a tone does: each sample follows from the two before.

    A sample that was lost or put in makes a difference of thousands, rounding one of a few.
    """
    samples = array("h", audio)
    factor = 2 * math.cos(2 * math.pi * hertz / rate)
    return sum(
        abs(third - factor * second + first) > 100
        for first, second, third in zip(samples, samples[1:], samples[2:], strict=False)
    )
