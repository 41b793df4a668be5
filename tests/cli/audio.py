"""Audio for the commands; what it holds does not matter to a scripted recogniser."""

import wave
from pathlib import Path


def write_wav(path: Path, *, seconds: float = 3.0, channels: int = 1) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(16000)
        file.writeframes(bytes(int(seconds * 16000) * 2 * channels))
    return path
