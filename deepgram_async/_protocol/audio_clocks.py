"""Where in a stream of audio a moment is: what a resumed stream has to know of a format."""

from __future__ import annotations

import struct
from abc import ABC, abstractmethod
from bisect import bisect_right
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from deepgram_async._protocol.media import UNKNOWN_AUDIO, content_type_of_bytes

__all__ = [
    "AudioClock",
    "OggClock",
    "RawClock",
    "UnknownClock",
    "bytes_per_s_of",
    "clock_for",
    "frame_bytes_of",
]

# Bytes of one sample; the other encodings are compressed and tell nothing about time.
_SAMPLE_BYTES: Final = {"linear16": 2, "linear32": 4, "mulaw": 1, "alaw": 1}

# Formats of a WAV file whose bytes run evenly: PCM, float, A-law, mu-law, and the extended header.
_EVEN_WAV: Final = frozenset({1, 3, 6, 7, 0xFFFE})
_WAV_CHUNK: Final = struct.Struct("<4sI")
_WAV_FORMAT: Final = struct.Struct("<HHIIHH")

_OGG_PAGE: Final = struct.Struct("<4sBBqIIIB")
_OGG_CONTINUED: Final = 1
# Opus counts in samples of 48 kHz, whatever the rate of the input was (RFC 7845, section 4).
_OPUS_RATE: Final = 48000
# A decoder that starts in the middle is not right at once (RFC 7845, section 4.6).
_PREROLL_S: Final = 0.08

# A time that went through JSON may miss the border of a sample or a page by so much.
_ROUNDING_S: Final = 1e-6
# The type of the audio is known by then; the longest header of a page or a file is far shorter.
_ENOUGH_TO_TELL: Final = 16
_LONGEST_HEADER: Final = 1 << 16


class AudioClock(ABC):
    """Maps bytes of a stream to seconds of audio and back.

    Attributes:
        header: What a new connection has to hear before audio from the middle of the stream.
        reason: Why a stream of this format cannot be resumed, or ``None`` if it can.
        lead_s: Audio at the start of a connection that the decoder leaves out.
    """

    header: bytes = b""
    reason: str | None = None
    lead_s: float = 0.0

    def learn(self, chunk: bytes) -> AudioClock:
        """Read the next bytes of the stream; return the clock that fits from now on."""
        return self

    def forget(self, position: int) -> None:  # noqa: B027 - most formats learn nothing
        """Let go of what was learned about the bytes before a position."""

    @abstractmethod
    def time_at(self, position: int) -> float:
        """Return the seconds of audio in the bytes before a position."""

    @abstractmethod
    def position_of(self, time_s: float) -> int:
        """Return the last position from which a decoder hears all that comes after a time."""

    @abstractmethod
    def start_from(self, position: int) -> int:
        """Return the first position at which a decoder may start and that is not before another."""

    @property
    def bytes_per_s(self) -> float | None:
        """How fast the bytes run, where that is always the same."""
        return None


class RawClock(AudioClock):
    """Audio whose every second has the same number of bytes, after a header or without one."""

    def __init__(self, bytes_per_s: float, frame_bytes: int, header: bytes = b"") -> None:
        self.header = header
        self._bytes_per_s = bytes_per_s
        self.frame_bytes = frame_bytes
        """The bytes of one sample of all channels."""
        self._begin = len(header)

    def time_at(self, position: int) -> float:
        return max(0, position - self._begin) / self._bytes_per_s

    def position_of(self, time_s: float) -> int:
        frames = int((time_s + _ROUNDING_S) * self._bytes_per_s / self.frame_bytes)
        return self._begin + frames * self.frame_bytes if frames > 0 else 0

    def start_from(self, position: int) -> int:
        if position <= self._begin:
            return self._begin if position else 0
        return self._begin - -(position - self._begin) // self.frame_bytes * self.frame_bytes

    @property
    def bytes_per_s(self) -> float:
        return self._bytes_per_s


class UnknownClock(AudioClock):
    """Audio that tells nothing about time, or nothing yet: it can only be said again as a whole."""

    def __init__(self, reason: str) -> None:
        self.reason = reason

    def time_at(self, position: int) -> float:
        return 0.0

    def position_of(self, time_s: float) -> int:
        return 0

    def start_from(self, position: int) -> int:
        return position


class _Undecided(UnknownClock):
    """Audio without a declared encoding: its first bytes tell what it is."""

    def __init__(self) -> None:
        super().__init__("too little of it has come to tell its format")
        self._start = b""

    def learn(self, chunk: bytes) -> AudioClock:
        self._start += chunk
        if len(self._start) < _ENOUGH_TO_TELL:
            return self
        kind = content_type_of_bytes(self._start)
        if kind == "audio/ogg":
            return OggClock().learn(self._start)
        if kind == "audio/wav":
            return self._wav() or self
        if kind == UNKNOWN_AUDIO:
            return UnknownClock(
                "its format is not known: raw audio needs encoding= and sample_rate="
            )
        return UnknownClock(f"{kind} cannot be continued in the middle")

    def _wav(self) -> AudioClock | None:
        """Return the clock of a WAV file, or ``None`` while its header is not complete."""
        start, place = self._start, 12
        bytes_per_s = frame_bytes = kind = 0
        while place + 8 <= len(start):
            name, size = _WAV_CHUNK.unpack_from(start, place)
            place += 8
            if name == b"data":
                if kind in _EVEN_WAV and bytes_per_s and frame_bytes:
                    return RawClock(float(bytes_per_s), frame_bytes, start[:place])
                return UnknownClock("this kind of WAV cannot be continued in the middle")
            if name == b"fmt " and place + _WAV_FORMAT.size <= len(start):
                kind, _, _, bytes_per_s, frame_bytes, _ = _WAV_FORMAT.unpack_from(start, place)
            place += size + size % 2
        if len(start) > _LONGEST_HEADER:
            return UnknownClock("its WAV header has no end")
        return None


class OggClock(AudioClock):
    """Ogg pages: the first ones are the header, each of the others tells its time.

    A decoder can start at any page that begins a packet (RFC 3533, section 6).
    """

    def __init__(self) -> None:
        self.reason = "too little of it has come to tell its format"
        self._rest = b""
        self._end = 0
        """Position of the first byte that is in no complete page yet."""
        self._rate = 0
        self._skip = 0
        self._in_header = True
        # Pages at which a decoder may start, with the time of all audio before them.
        self._positions: list[int] = [0]
        self._times: list[float] = [0.0]
        self._time_s = 0.0

    def learn(self, chunk: bytes) -> AudioClock:
        self._rest += chunk
        while (page := self._next_page()) is not None:
            kind, granule, body = page
            if self._in_header and not self._read_header(granule, body):
                return UnknownClock("only Opus and Vorbis in Ogg can be continued in the middle")
            self._note(kind, granule, len(body))
        if len(self._rest) > 2 * _LONGEST_HEADER:
            return UnknownClock("it is not the Ogg that it began as")
        return self

    def forget(self, position: int) -> None:
        keep = bisect_right(self._positions, position) - 1
        if keep > 0:
            del self._positions[:keep]
            del self._times[:keep]

    def time_at(self, position: int) -> float:
        index = bisect_right(self._positions, position) - 1
        if index < 0:
            return self._times[0]
        if self._positions[index] == position:
            return self._times[index]
        # Within a page: its share of the way to the next one.
        last = index + 1 == len(self._positions)
        following = self._end if last else self._positions[index + 1]
        until = self._time_s if last else self._times[index + 1]
        begin, since = self._positions[index], self._times[index]
        if position >= following:
            return until
        return since + (until - since) * (position - begin) / (following - begin)

    def position_of(self, time_s: float) -> int:
        early_enough_s = time_s - max(_PREROLL_S, self.lead_s)
        index = bisect_right(self._times, early_enough_s + _ROUNDING_S) - 1
        return self._positions[max(index, 0)]

    def start_from(self, position: int) -> int:
        index = bisect_right(self._positions, position - 1)
        return self._positions[index] if index < len(self._positions) else self._end

    def _next_page(self) -> tuple[int, int, bytes] | None:
        rest = self._rest
        if len(rest) < _OGG_PAGE.size:
            return None
        magic, _, kind, granule, _, _, _, segments = _OGG_PAGE.unpack_from(rest)
        begin = _OGG_PAGE.size + segments
        if len(rest) < begin or magic != b"OggS":
            return None
        size = begin + sum(rest[_OGG_PAGE.size : begin])
        if len(rest) < size:
            return None
        self._rest = rest[size:]
        return kind, granule, rest[:size]

    def _read_header(self, granule: int, page: bytes) -> bool:
        """Take a page into the header while it is one; return whether the codec is known."""
        if not self._rate:
            body = page[_OGG_PAGE.size + page[_OGG_PAGE.size - 1] :]
            if body.startswith(b"OpusHead") and len(body) >= 12:
                self._rate, self._skip = _OPUS_RATE, int.from_bytes(body[10:12], "little")
                self.lead_s = self._skip / _OPUS_RATE
            elif body.startswith(b"\x01vorbis") and len(body) >= 16:
                self._rate = int.from_bytes(body[12:16], "little")
            if not self._rate:
                return False
        # A page of a long comment on which no packet ends has -1 instead of a time.
        self._in_header = granule in (0, -1)
        if self._in_header:
            self.header += page
        else:
            self.reason = None
        return True

    def _note(self, kind: int, granule: int, size: int) -> None:
        begin, self._end = self._end, self._end + size
        if self._in_header:
            self._positions[-1] = self._end
            return
        if not kind & _OGG_CONTINUED and begin > self._positions[-1]:
            self._positions.append(begin)
            self._times.append(self._time_s)
        if granule > 0:
            self._time_s = max(self._time_s, (granule - self._skip) / self._rate)


def bytes_per_s_of(options: Mapping[str, object]) -> float | None:
    """Return how fast the bytes of raw audio run, or ``None`` for another format."""
    clock = _raw_clock(options)
    return None if clock is None else clock.bytes_per_s


def frame_bytes_of(options: Mapping[str, object]) -> int | None:
    """Return the bytes of one sample of all channels, or ``None`` if the audio is not raw."""
    clock = _raw_clock(options)
    return None if clock is None else clock.frame_bytes


def clock_for(options: Mapping[str, object]) -> AudioClock:
    """Return the clock of the audio that the options of a stream declare."""
    encoding = options.get("encoding")
    if encoding is None:
        return _Undecided()
    if encoding == "ogg-opus":
        return OggClock()
    raw = _raw_clock(options)
    if raw is not None:
        return raw
    if encoding in _SAMPLE_BYTES:
        return UnknownClock("raw audio needs sample_rate=")
    return UnknownClock(f"{encoding} cannot be continued in the middle")


def _raw_clock(options: Mapping[str, object]) -> RawClock | None:
    return _clock_of(
        options.get("encoding"), options.get("sample_rate"), options.get("channels") or 1
    )


@lru_cache(maxsize=64)  # asked for several times by each stream; a clock of raw audio never changes
def _clock_of(encoding: object, rate: object, channels: object) -> RawClock | None:
    width = _SAMPLE_BYTES.get(str(encoding))
    if width is None or not isinstance(rate, int) or not isinstance(channels, int):
        return None
    if rate <= 0 or channels <= 0:
        return None
    return RawClock(float(width * rate * channels), width * channels)
