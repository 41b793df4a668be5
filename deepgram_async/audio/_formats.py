"""What raw audio is made of: the values that Deepgram needs to know about headerless samples."""

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, TypedDict, cast

from deepgram_async.errors import AudioSourceError

__all__ = ["AudioOptions", "PacedEncoding", "PcmFormat", "pcm_format"]

PacedEncoding: TypeAlias = Literal["linear16", "linear32", "mulaw", "alaw"]
"""Encodings with a constant byte rate, the only ones that can be paced without decoding."""

_SAMPLE_BYTES: Final = {"linear16": 2, "linear32": 4, "mulaw": 1, "alaw": 1}


class AudioOptions(TypedDict):
    """The options of a live stream that describe raw audio: ``dg.listen.live(**audio.options)``."""

    encoding: PacedEncoding
    """How one sample is written, in Deepgram's spelling."""
    sample_rate: int
    """Samples a second in each channel."""
    channels: int
    """Interleaved channels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PcmFormat:
    """A checked description of raw audio."""

    encoding: PacedEncoding
    sample_rate: int
    channels: int

    @property
    def frame_bytes(self) -> int:
        """Bytes of one sample in all channels."""
        return _SAMPLE_BYTES[self.encoding] * self.channels

    @property
    def bytes_per_second(self) -> int:
        """Bytes of one second of audio."""
        return self.frame_bytes * self.sample_rate


def pcm_format(encoding: str, sample_rate: int | None, channels: int) -> PcmFormat:
    """Check what a caller says about raw audio.

    Raises:
        AudioSourceError: The encoding has no constant byte rate, or a number is missing or not
            positive.
    """
    if encoding not in _SAMPLE_BYTES:
        raise AudioSourceError(
            f"cannot pace raw {encoding!r} audio: only {', '.join(_SAMPLE_BYTES)} have a constant "
            "byte rate; put it into a container such as Ogg"
        )
    if sample_rate is None or sample_rate <= 0:
        raise AudioSourceError(
            f"raw {encoding} audio needs a positive sample_rate, not {sample_rate!r}"
        )
    if channels <= 0:
        raise AudioSourceError(f"channels must be positive, not {channels!r}")
    # The look-up above is what makes the narrower type true.
    narrowed = cast("PacedEncoding", encoding)
    return PcmFormat(encoding=narrowed, sample_rate=sample_rate, channels=channels)
