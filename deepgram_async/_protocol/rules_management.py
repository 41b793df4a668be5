"""What the documentation of the management calls rules out (Deepgram docs, "API reference")."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from deepgram_async.errors import OptionError

__all__ = ["check"]

_RANGES: Final = {"limit": (1, 1000), "ttl_seconds": (1, 3600)}
_VARIABLE: Final = "DG_"


def check(options: Mapping[str, object]) -> None:
    """Check the options and body fields of one call by their names; ``None`` is not sent.

    Raises:
        OptionError: The service refuses this; the message is the rule.
    """
    for name, (least, most) in _RANGES.items():
        value = options.get(name)
        if isinstance(value, int | float) and not least <= value <= most:
            raise OptionError(f"{name} is from {least} to {most}, not {value}", option=name)
    if _given(options, "expiration_date") and _given(options, "time_to_live_in_seconds"):
        raise OptionError(
            "a key ends at its expiration_date or after time_to_live_in_seconds: give one of them",
            option="time_to_live_in_seconds",
        )
    key = options.get("key")
    if isinstance(key, str) and (not key.startswith(_VARIABLE) or key == _VARIABLE):
        raise OptionError(f"the name of a variable is DG_ and more, not {key!r}", option="key")


def _given(options: Mapping[str, object], name: str) -> bool:
    return options.get(name) is not None
