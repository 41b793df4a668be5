"""Query options of text to speech."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias, TypedDict

from deepgram_async.models.voices import AuraVoice, FluxVoice

__all__ = [
    "FluxSpeakLiveOptions",
    "FluxSpeakOptions",
    "SpeakContainer",
    "SpeakEncoding",
    "SpeakLiveOptions",
    "SpeakOptions",
    "SpeakStreamEncoding",
]

SpeakEncoding: TypeAlias = Literal["linear16", "flac", "mulaw", "alaw", "mp3", "opus", "aac"]
"""Encodings of spoken answers."""

SpeakStreamEncoding: TypeAlias = Literal["linear16", "mulaw", "alaw"]
"""Encodings of a stream of speech, which is always raw audio."""

SpeakContainer: TypeAlias = Literal["none", "wav", "ogg"]
"""File formats around spoken answers."""


class _SharedOptions(TypedDict, total=False):
    """What all ways of speaking have in common."""

    mip_opt_out: bool
    """Keep the text out of Deepgram's Model Improvement Program, which changes the price. Default:
    off."""


class _FileOptions(_SharedOptions, total=False):
    """The form of an answer that is one piece of audio."""

    encoding: SpeakEncoding | str
    """How the audio is written. Default: ``mp3``."""

    container: SpeakContainer | str
    """The file format around the audio: ``"wav"`` (default) or ``"none"`` for linear16, mulaw and
    alaw, ``"ogg"`` for opus; the others have none."""

    bit_rate: int
    """Bits per second of mp3 (48000 by default; Aura also 32000, Flux also 8000, 16000, 24000,
    32000 and 40000), opus or aac."""

    tag: str | Sequence[str]
    """Labels for usage reports, at most 128 characters each."""


class SpeakOptions(_FileOptions, total=False):
    """Options of a spoken answer with an Aura voice."""

    model: AuraVoice | str
    """The voice. Default: ``aura-asteria-en``, an old one, so always give one."""

    sample_rate: int
    """Samples per second: 8000, 16000, 24000 (default), 32000 or 48000 for linear16, 8000 (default)
    or 16000 for mulaw and alaw; mp3 has 22050 and opus 48000."""

    speed: float
    """How fast to speak, 0.7 to 1.5, for English and Spanish Aura-2 voices. Default: 1."""


class SpeakLiveOptions(_SharedOptions, total=False):
    """Options of a stream of speech with an Aura voice."""

    model: AuraVoice | str
    """The voice. Default: ``aura-asteria-en``, an old one, so always give one."""

    encoding: SpeakStreamEncoding | str
    """How the raw audio is written. Default: ``linear16``."""

    sample_rate: int
    """Samples per second: 8000, 16000, 24000 (default), 32000 or 48000 for linear16, 8000 (default)
    or 16000 for mulaw and alaw."""

    speed: float
    """How fast to speak, 0.7 to 1.5, for English and Spanish Aura-2 voices. Default: 1."""


class _FluxOptions(_SharedOptions, total=False):
    """What all ways of speaking with a Flux voice have in common."""

    model: FluxVoice | str
    """The voice, such as ``"flux-alexis-en"``. There is no default."""

    speed: float
    """How fast to speak, 0.5 to 1.5 in steps of 0.05; at most 1.15 with pauses in the text, and 1
    with pronunciations. Default: 1."""

    expressivity: int
    """How lively to speak, from -2 to 2. Default: 0."""


class FluxSpeakOptions(_FileOptions, _FluxOptions, total=False):
    """Options of a spoken answer with a Flux voice."""

    sample_rate: int
    """Samples per second: 8000, 16000, 24000 (default), 32000, 44100 or 48000 for linear16, 8000 or
    16000 for mulaw and alaw, 8000, 16000, 22050, 32000 or 48000 for flac."""


class FluxSpeakLiveOptions(_FluxOptions, total=False):
    """Options of a stream of speech with a Flux voice."""

    encoding: SpeakStreamEncoding | str
    """How the raw audio is written. Default: ``linear16``."""

    sample_rate: int
    """Samples per second: 8000, 16000, 24000, 32000, 44100 or 48000 for linear16, 8000 or 16000 for
    mulaw and alaw. Default: what the voice was made with."""

    tag: str | Sequence[str]
    """Labels for usage reports, at most 128 characters each."""
