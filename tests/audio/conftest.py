import importlib
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.sound import VirtualSound, virtual_sound


@pytest.fixture(scope="session")
def shared_sound() -> Iterator[VirtualSound]:
    with virtual_sound() as sound:
        yield sound


@pytest.fixture
def sound(shared_sound: VirtualSound, monkeypatch: pytest.MonkeyPatch) -> VirtualSound:
    """A sound server that this test uses, and perhaps others did before."""
    for name, value in shared_sound.environment.items():
        monkeypatch.setenv(name, value)
    return shared_sound


@pytest.fixture
def portaudio(sound: VirtualSound) -> Iterator[None]:
    """PortAudio looks for devices when it is loaded, and is made to look again."""
    try:
        sounddevice: Any = importlib.import_module("sounddevice")
    except (ImportError, OSError):
        pytest.skip("needs sounddevice and PortAudio")
    sounddevice._terminate()
    sounddevice._initialize()
    yield
    sounddevice._terminate()
    sounddevice._initialize()
