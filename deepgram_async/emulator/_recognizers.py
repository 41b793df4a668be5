"""What a recogniser is to the local Deepgram, and one whose words are written down beforehand."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Protocol, cast, runtime_checkable

import msgspec

from deepgram_async.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._vad import VoiceDetector

__all__ = [
    "Hints",
    "Pcm",
    "RecognizedWord",
    "Recognizer",
    "RecognizerUnavailableError",
    "ScriptedRecognizer",
    "load_recognizer",
]


class RecognizerUnavailableError(ConfigurationError):
    """A recogniser cannot be used here; the message says what to install or to set."""


class Pcm(msgspec.Struct, frozen=True, gc=False):
    """A piece of one channel, as 16 bit little-endian samples."""

    samples: bytes
    rate: int
    start_s: float = 0.0
    """Where in the recording or stream the piece begins."""
    channel: int = 0

    @property
    def duration_s(self) -> float:
        """Length of the piece in seconds."""
        return len(self.samples) / 2 / self.rate

    def __repr__(self) -> str:
        return f"Pcm({self.duration_s:.3f} s at {self.rate} Hz from {self.start_s:.3f} s)"


class Hints(msgspec.Struct, frozen=True):
    """What the client said about the speech."""

    language: str = "en"
    keyterms: tuple[str, ...] = ()
    """Terms to listen for, without weights."""


class RecognizedWord(msgspec.Struct, frozen=True, gc=False):
    """One word as it was heard: written form, times and how sure the recogniser is."""

    text: str
    """With case and punctuation, as in a sentence: `"Hello,"`."""
    start: float
    """Seconds; relative to the beginning of the recognised piece."""
    end: float
    confidence: float = 1.0


@runtime_checkable
class Recognizer(Protocol):
    """Speech to words.

    The emulator calls `recognize` for whole recordings, and again and again for the growing open
    utterance of a live stream. Implementations may be called from several threads at a time.
    """

    @property
    def name(self) -> str:
        """Name reported in `model_info`."""
        ...

    @property
    def version(self) -> str:
        """Version reported in `model_info`."""
        ...

    @property
    def architecture(self) -> str:
        """Architecture reported in `model_info`."""
        ...

    @property
    def languages(self) -> frozenset[str] | None:
        """Primary language subtags understood (`"en"`); None for any."""
        ...

    @property
    def blocking(self) -> bool:
        """Whether `recognize` needs a thread; False promises an answer within microseconds."""
        ...

    def recognize(self, audio: Pcm, hints: Hints) -> Iterable[RecognizedWord]:
        """Yield the words of `audio` in order; the caller may stop early."""
        ...

    def voice_detector(self, rate: int, channel: int) -> VoiceDetector:
        """Return a fresh detector of speech for one channel of a live stream."""
        ...


Script = Iterable[RecognizedWord | tuple[str, float, float]]


class ScriptedRecognizer:
    """A recogniser that hears what it was told to hear, for deterministic tests.

    Whatever audio comes, each word appears at its time. Speech is where the words are, so pauses in
    the script make endpoints; the samples themselves are ignored. Words without a confidence get
    1.0.

    Args:
        words: The words with times in seconds of the recording or stream, on every channel; or a
            mapping from the channel's index to its words.
        languages: Primary language subtags understood; None for any.
    """

    def __init__(
        self,
        words: Script | Mapping[int, Script] = (),
        *,
        languages: Iterable[str] | None = None,
    ) -> None:
        self._channels: dict[int, tuple[RecognizedWord, ...]] | None = None
        self._words: tuple[RecognizedWord, ...] = ()
        if isinstance(words, Mapping):
            # A mapping is an iterable too; what it maps from tells which of the two was meant.
            by_channel = cast("Mapping[int, Script]", words)
            self._channels = {index: _script(script) for index, script in by_channel.items()}
        else:
            self._words = _script(words)
        self._languages = None if languages is None else frozenset(languages)

    @classmethod
    def from_text(
        cls, text: str, *, start_s: float = 0.5, word_s: float = 0.3, confidence: float = 0.99
    ) -> ScriptedRecognizer:
        """Build a script of evenly spoken words, without pauses.

        Args:
            text: The words, with case and punctuation, separated by white space.
            start_s: When the first word begins.
            word_s: How long each word takes.
            confidence: The confidence of every word.
        """
        return cls(
            RecognizedWord(
                word,
                round(start_s + i * word_s, 6),
                round(start_s + (i + 1) * word_s, 6),
                confidence,
            )
            for i, word in enumerate(text.split())
        )

    @property
    def end_s(self) -> float:
        """When the last word of all channels ends, in seconds; 0.0 without words."""
        scripts = (self._words,) if self._channels is None else self._channels.values()
        return max((words[-1].end for words in scripts if words), default=0.0)

    @property
    def name(self) -> str:
        """Always `scripted`."""
        return "scripted"

    @property
    def version(self) -> str:
        """The version of the scripts' form."""
        return "1"

    @property
    def architecture(self) -> str:
        """Always `script`."""
        return "script"

    @property
    def languages(self) -> frozenset[str] | None:
        """The languages given, None for any."""
        return self._languages

    @property
    def blocking(self) -> bool:
        """Never: the words are there already."""
        return False

    def recognize(self, audio: Pcm, hints: Hints) -> Iterator[RecognizedWord]:
        """Yield the words whose middle lies in `audio`, so that a word cut in two comes once."""
        del hints
        end_s = audio.start_s + audio.duration_s
        words = self._of(audio.channel)
        # A script may be hours long, and a live stream asks again and again.
        for at in range(bisect_left(words, audio.start_s, key=_middle), len(words)):
            word = words[at]
            if _middle(word) >= end_s:
                return
            start = max(word.start - audio.start_s, 0.0)
            end = min(word.end - audio.start_s, audio.duration_s)
            yield RecognizedWord(word.text, start, end, word.confidence)

    def voice_detector(self, rate: int, channel: int) -> VoiceDetector:
        """Return a detector that finds speech exactly where the channel's words are."""
        return _ScriptedDetector(self._of(channel), rate)

    def _of(self, channel: int) -> tuple[RecognizedWord, ...]:
        if self._channels is None:
            return self._words
        return self._channels.get(channel, ())


class _ScriptedDetector:
    def __init__(self, words: tuple[RecognizedWord, ...], rate: int) -> None:
        self._words = words
        self._rate = rate
        self._next = 0

    def is_speech(self, frame: bytes, start_s: float) -> bool:
        end_s = start_s + len(frame) / 2 / self._rate
        while self._next < len(self._words) and self._words[self._next].end <= start_s:
            self._next += 1
        return self._next < len(self._words) and self._words[self._next].start < end_s


def _middle(word: RecognizedWord) -> float:
    return (word.start + word.end) / 2


def _script(words: Script) -> tuple[RecognizedWord, ...]:
    script = tuple(w if isinstance(w, RecognizedWord) else RecognizedWord(*w) for w in words)
    for before, word in zip((RecognizedWord("", 0.0, 0.0), *script), script, strict=False):
        # Times that were computed meet only nearly.
        if not before.end - 1e-6 <= word.start < word.end:
            times = f"from {word.start} to {word.end}"
            msg = f"the script must run forward in time: {word.text!r} {times}"
            raise ValueError(msg)
    return script


def load_recognizer(name: str) -> Recognizer:
    """Return the recogniser called `name`; this may take a second, better not in the event loop.

    Args:
        name: `"whisper"` for real recognition, `"scripted"` for one that hears only silence.

    Raises:
        RecognizerUnavailableError: The optional packages or the model are missing.
        ValueError: No recogniser has that name.
    """
    if name == "whisper":
        from ._whisper import WhisperRecognizer

        return WhisperRecognizer()
    if name == "scripted":
        return ScriptedRecognizer()
    msg = f"no recogniser is called {name!r}; there are 'whisper' and 'scripted'"
    raise ValueError(msg)
