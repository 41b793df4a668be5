"""The options of a transcript, checked."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, Final, Self

import msgspec
from msgspec import field

from deepgram_async.errors import OptionError

__all__ = ["Style"]

_POSITIVE: Final = ("line_length", "lines_per_cue", "max_duration_s", "characters_per_second")
_NOT_NEGATIVE: Final = ("min_duration_s", "min_gap_s", "pause_s")


class Style(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The fields of `TranscriptOptions` with their defaults."""

    speakers: bool = True
    speaker_names: Mapping[int, str] = field(default_factory=dict[int, str])
    channel_names: Mapping[int, str] = field(default_factory=dict[int, str])
    line_length: int = 42
    lines_per_cue: int = 2
    min_duration_s: float = 1.0
    max_duration_s: float = 7.0
    characters_per_second: float = 20.0
    min_gap_s: float = 0.08
    pause_s: float = 1.0
    title: str = "Transcript"
    audio_url: str | None = None
    audio_data: bytes | None = None
    uncertain_below: float = 0.7

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Self:
        """Check options.

        Raises:
            OptionError: One is unknown, has the wrong type or makes no sense.
        """
        options = {name: value for name, value in options.items() if value is not None}
        for name in options:
            if name not in cls.__struct_fields__:
                near = get_close_matches(name, cls.__struct_fields__, n=1)
                hint = f"; did you mean {near[0]!r}?" if near else ""
                raise OptionError(f"transcripts have no option {name!r}{hint}", option=name)
        for name, value in options.items():
            try:
                style = msgspec.convert({name: value}, cls)
            except msgspec.ValidationError as exc:
                raise OptionError(f"{name}: {exc}", option=name) from None
            number = getattr(style, name)
            # Written so that it refuses what is no number, too.
            if (name in _POSITIVE and not number > 0) or (
                name in _NOT_NEGATIVE and not number >= 0
            ):
                raise OptionError(f"{name} cannot be {value!r}", option=name)
        style = cls(**options)
        if style.min_duration_s > style.max_duration_s:
            raise OptionError("min_duration_s is above max_duration_s", option="min_duration_s")
        return style

    def name_of(self, *, speaker: int | None, channel: int, channels: int) -> str | None:
        """Return how a speaker is called, ``None`` where nobody is told apart.

        Args:
            speaker: Number of the speaker, ``None`` without diarization.
            channel: Number of the channel.
            channels: How many there are; one is not worth a name.
        """
        if not self.speakers:
            return None
        names: list[str] = []
        if channels > 1:
            names.append(self.channel_names.get(channel) or f"Channel {channel}")
        if speaker is not None:
            names.append(self.speaker_names.get(speaker) or f"Speaker {speaker}")
        return ", ".join(" ".join(name.split()) for name in names) or None
