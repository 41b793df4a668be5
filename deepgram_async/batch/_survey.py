"""What is to be transcribed, before it is: how much, what is large, and what is odd."""

from __future__ import annotations

import heapq
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import msgspec

from deepgram_async.audio import read_wav_format
from deepgram_async.batch._items import FileItem, Item
from deepgram_async.batch._stored import StoredItem
from deepgram_async.errors import AudioSourceError, ConfigurationError

__all__ = ["PRICES", "Measured", "Survey", "measure", "price_per_minute", "read_prices"]

# Larger files are refused (Deepgram docs, "Limits" of prerecorded audio).
_LARGEST_BYTES: Final = 2_000_000_000
_MOST_ODD: Final = 1000

PRICES: Final[Mapping[str, float]] = MappingProxyType(
    {"nova-3": 0.0043, "nova-3/multi": 0.0052, "nova-2": 0.0043}
)
"""US dollars for a minute of prerecorded audio by model, or by model and language.

A model stands for those whose names begin with it. These are list prices without a contract, and
they change (https://deepgram.com/pricing): `read_prices` reads yours.
"""

_EMPTY: Final = "empty"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What can be known of an item without sending it.

    Attributes:
        source: What people call it.
        bytes: Its size; ``None`` for what is neither a file nor in an object store.
        audio_s: Seconds of audio, if its header tells.
        channels: Channels of audio, if its header tells.
        oddity: What is odd about it, in a few words; ``None`` for nothing.
    """

    source: str
    bytes: int | None = None
    audio_s: float | None = None
    channels: int | None = None
    oddity: str | None = None


@dataclass(slots=True)
class Survey:
    """Sums over what was measured.

    Attributes:
        items: Items in all.
        bytes: Bytes in all, where they are known.
        audio_s: Seconds of audio, where it is known.
        channel_s: The same, each channel counted on its own.
        unknown: Items whose length is not known.
        odd: The items that are odd, at most a thousand of them.
        odd_items: How many are odd.
    """

    items: int = 0
    bytes: int = 0
    audio_s: float = 0.0
    channel_s: float = 0.0
    unknown: int = 0
    odd: list[Measured] = field(default_factory=list[Measured])
    odd_items: int = 0
    _largest: list[tuple[int, int, Measured]] = field(
        default_factory=list[tuple[int, int, Measured]], init=False, repr=False
    )

    @property
    def largest(self) -> list[Measured]:
        """The five largest files, the largest first."""
        return [measured for _, _, measured in sorted(self._largest, reverse=True)]

    def add(self, measured: Measured) -> None:
        """Add an item."""
        self.items += 1
        if measured.bytes is not None:
            self.bytes += measured.bytes
            keep = heapq.heappush if len(self._largest) < 5 else heapq.heappushpop
            keep(self._largest, (measured.bytes, -self.items, measured))
        if measured.audio_s is None:
            self.unknown += 1
        else:
            self.audio_s += measured.audio_s
            self.channel_s += measured.audio_s * (measured.channels or 1)
        if measured.oddity is not None:
            self.odd_items += 1
            if len(self.odd) < _MOST_ODD:
                self.odd.append(measured)


def measure(item: Item) -> Measured:
    """Return what the header of a file tells; blocks, and reads the beginning of it.

    WAV needs nothing, every other format PyAV (``pip install 'deepgram-async[audio]'``); without
    it, and for what is not a file here, the length is not known; of an object store the size is.
    """
    if isinstance(item, StoredItem):
        return Measured(source=item.source, bytes=item.size, oddity=_oddity_of(item.size))
    if not isinstance(item, FileItem):
        return Measured(source=item.source)
    try:
        size = os.stat(item.path).st_size
    except OSError as error:
        return Measured(source=item.source, oddity=f"cannot be read: {error.strerror}")
    oddity = _oddity_of(size)
    if oddity == _EMPTY:
        return Measured(source=item.source, bytes=0, oddity=oddity)
    audio_s, channels, odd_length = _length_of(Path(item.path))
    return Measured(
        source=item.source,
        bytes=size,
        audio_s=audio_s,
        channels=channels,
        oddity=oddity or odd_length,
    )


def _oddity_of(size: int) -> str | None:
    if size > _LARGEST_BYTES:
        return "larger than the 2 GB that Deepgram takes"
    return None if size else _EMPTY


def _length_of(path: Path) -> tuple[float | None, int | None, str | None]:
    try:
        with path.open("rb") as file:
            if file.read(4) in (b"RIFF", b"RF64"):
                file.seek(0)
                wav = read_wav_format(file)
                if wav.duration_s is not None:
                    oddity = None if wav.duration_s else "without audio"
                    return wav.duration_s, wav.channels, oddity
    except AudioSourceError as error:
        return None, None, error.message
    except OSError as error:
        return None, None, f"cannot be read: {error.strerror}"
    return _length_by_ffmpeg(path)


def _length_by_ffmpeg(path: Path) -> tuple[float | None, int | None, str | None]:
    try:
        av: Any = import_module("av")
    except ImportError:
        return None, None, None
    try:
        with av.open(str(path)) as container:
            if not container.streams.audio:
                return None, None, "without audio"
            track = container.streams.audio[0]
            if container.duration is not None:
                return container.duration / av.time_base, track.channels, None
            return None, track.channels, None
    except (av.error.FFmpegError, OSError, ValueError):
        return None, None, "not audio that FFmpeg knows"


def read_prices(path: str | os.PathLike[str]) -> dict[str, float]:
    """Return `PRICES` with those of a TOML file in their places, such as ``"nova-3" = 0.004``.

    Raises:
        ConfigurationError: It cannot be read, or a price is no number.
    """
    try:
        found = msgspec.toml.decode(Path(path).read_bytes(), type=dict[str, float])
    except (OSError, msgspec.DecodeError) as error:
        raise ConfigurationError(f"cannot read the prices in {os.fspath(path)}: {error}") from None
    return {**PRICES, **found}


def price_per_minute(
    prices: Mapping[str, float], model: str, language: str | None = None
) -> float | None:
    """Return the US dollars for a minute of audio, or ``None`` if the prices do not tell.

    ``nova-3/multi`` is the price of a model with a language; without one of its own, that of the
    longest name which the model begins with counts.
    """
    own = prices.get(f"{model}/{language}")
    if own is not None:
        return own
    names = [name for name in prices if model == name or model.startswith(f"{name}-")]
    return prices[max(names, key=len)] if names else None
