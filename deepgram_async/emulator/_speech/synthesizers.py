"""What a synthesiser is to the local Deepgram, and one that needs nothing but a tone."""

from __future__ import annotations

from array import array
from math import pi, sin
from typing import TYPE_CHECKING, Final, Protocol, runtime_checkable
from zlib import crc32

from deepgram_async.emulator._pcm import little_endian
from deepgram_async.errors import ConfigurationError

from .sentences import sentences

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["Synthesizer", "SynthesizerUnavailableError", "ToneSynthesizer", "load_synthesizer"]


class SynthesizerUnavailableError(ConfigurationError):
    """A synthesiser cannot be used here; the message says what to install."""


@runtime_checkable
class Synthesizer(Protocol):
    """Text to speech, with one voice.

    The emulator calls `synthesize` for each text and takes one piece after the other, in a thread
    of its own if the synthesiser is blocking; texts of several streams take turns.
    """

    @property
    def name(self) -> str:
        """Name that the id of the voice is made from."""
        ...

    @property
    def version(self) -> str:
        """Version reported in `model_version`."""
        ...

    @property
    def rate(self) -> int:
        """Samples per second in which the voice was made."""
        ...

    @property
    def blocking(self) -> bool:
        """Whether a piece needs a thread; False promises it within microseconds."""
        ...

    def synthesize(self, text: str, *, rate: int, speed: float) -> Iterable[bytes]:
        """Yield the speech of `text`, sentence by sentence; the caller may stop early.

        Args:
            text: Plain text of any length.
            rate: Samples per second wanted.
            speed: Factor on the pace, 1.0 for that of the voice.

        Returns:
            Samples of one channel, 16 bit little-endian; nothing for a text without words.
        """
        ...


# As loud as speech, of 32768.
_AMPLITUDE: Final = 8000
_PITCHES: Final = (220, 247, 262, 294, 330, 349, 392, 440)


class ToneSynthesizer:
    """Hums a text, for deterministic tests: a tone for each word, silence between the words.

    A text lasts as long as it has characters. The same text sounds the same always.

    Args:
        character_s: How long each character takes, in seconds.
    """

    def __init__(self, *, character_s: float = 0.05) -> None:
        self._character_s = character_s

    @property
    def name(self) -> str:
        """Always `tone`."""
        return "tone"

    @property
    def version(self) -> str:
        """The version of the melody."""
        return "1"

    @property
    def rate(self) -> int:
        """Always 24000."""
        return 24000

    @property
    def blocking(self) -> bool:
        """Never: a tone is made of one period."""
        return False

    def synthesize(self, text: str, *, rate: int, speed: float) -> Iterator[bytes]:
        """Yield the tones of each sentence."""
        character = round(rate * self._character_s / speed)
        for sentence in sentences(text):
            hummed = bytearray()
            for word in sentence.split():
                hummed += _tone(word, character * len(word), rate)
            hummed += bytes(2 * character * sum(map(str.isspace, sentence)))
            yield bytes(hummed)


def _tone(word: str, samples: int, rate: int) -> bytes:
    period = rate // _PITCHES[crc32(word.encode()) % len(_PITCHES)]
    wave = array("h", [round(_AMPLITUDE * sin(2 * pi * at / period)) for at in range(period)])
    return (little_endian(wave) * (samples // period + 1))[: samples * 2]


def load_synthesizer(name: str) -> Synthesizer:
    """Return the synthesiser called `name`; this may take a second, better not in the event loop.

    Args:
        name: `"hibari"` for real speech, `"tone"` for a hum.

    Raises:
        SynthesizerUnavailableError: The optional packages are missing.
        ValueError: No synthesiser has that name.
    """
    if name == "hibari":
        from .hibari import HibariSynthesizer

        return HibariSynthesizer()
    if name == "tone":
        return ToneSynthesizer()
    msg = f"no synthesizer is called {name!r}; there are 'hibari' and 'tone'"
    raise ValueError(msg)
