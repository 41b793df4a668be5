"""Real speech: one American English voice through hibari."""

from __future__ import annotations

import hashlib
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from .synthesizers import SynthesizerUnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["HibariSynthesizer"]

_INSTALL: Final = "pip install 'deepgram-async[emulator]'"
# The only voice inside the package; hibari would download any other.
_VOICE: Final = "heart"
# The model was trained with these.
_SLOWEST: Final = 0.5
_FASTEST: Final = 2.0


class HibariSynthesizer:
    """Speaks English with the voice `heart` of hibari, on the CPU and offline.

    Every voice of Deepgram sounds like this one. A text sounds the same each time. Nothing is
    downloaded.

    Building one loads the model, which takes about a second: do it in a thread.

    Raises:
        SynthesizerUnavailableError: The packages of the extra `emulator` are missing, or the model
            in the package is damaged.
    """

    def __init__(self) -> None:
        try:
            import av
            from hibari import Hibari, voices
        except ImportError:
            msg = f"real speech needs hibari-tts and PyAV: {_INSTALL}"
            raise SynthesizerUnavailableError(msg) from None
        # The package has no types.
        registry: Any = voices
        try:
            path = Path(registry.voice_path(_VOICE, download_missing=False))
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
        except OSError as error:
            msg = f"the voice of hibari-tts cannot be read: {error}; {_INSTALL}"
            raise SynthesizerUnavailableError(msg) from None
        if digest != registry.VOICES[_VOICE]["sha256"]:
            msg = f"the voice in {path} is damaged: {_INSTALL} --force-reinstall"
            raise SynthesizerUnavailableError(msg)
        # What resamples; better missed now than in mid-sentence.
        self._library: Any = av
        self._voice: Any = Hibari(voice=_VOICE, threads=1)
        self._rate = int(self._voice.sample_rate)
        # The first text loads the dictionaries.
        list(self._voice.stream("Ready.", seed=0))

    @property
    def name(self) -> str:
        """The voice, as in `hibari-heart`."""
        return f"hibari-{_VOICE}"

    @property
    def version(self) -> str:
        """The version of the engine."""
        return f"hibari-tts-{version('hibari-tts')}"

    @property
    def rate(self) -> int:
        """Always 24000."""
        return self._rate

    @property
    def blocking(self) -> bool:
        """Always: a sentence takes some tens of milliseconds."""
        return True

    def synthesize(self, text: str, *, rate: int, speed: float) -> Iterator[bytes]:
        """Yield the speech of each sentence as it is ready."""
        import numpy as np

        speed = min(max(speed, _SLOWEST), _FASTEST)
        resample = _Resampler(self._library, self._rate, rate)
        for piece in self._voice.stream(text, speed=speed, seed=0):
            yield resample((np.clip(piece, -1.0, 1.0) * 32767.0).astype("<i2"))
        if rest := resample.rest():
            yield rest


class _Resampler:
    def __init__(self, library: Any, source: int, target: int) -> None:
        self._library = library
        self._source = source
        self._resampler: Any = None
        if source != target:
            self._resampler = library.AudioResampler(format="s16", layout="mono", rate=target)

    def __call__(self, samples: Any) -> bytes:
        if self._resampler is None or not len(samples):
            return cast("bytes", samples.tobytes())
        frame = self._library.AudioFrame.from_ndarray(samples[None, :], format="s16", layout="mono")
        frame.sample_rate = self._source
        return _joined(self._resampler.resample(frame))

    def rest(self) -> bytes:
        return b"" if self._resampler is None else _joined(self._resampler.resample(None))


def _joined(frames: list[Any]) -> bytes:
    return b"".join(bytes(frame.planes[0])[: frame.samples * 2] for frame in frames)
