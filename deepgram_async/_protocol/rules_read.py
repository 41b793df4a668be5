"""What the documentation says that the analysis of a text refuses."""

from __future__ import annotations

from collections.abc import Mapping, Sized
from typing import Final

from deepgram_async.errors import OptionError

__all__ = ["check"]

_MOST_TOPICS: Final = 100


def check(options: Mapping[str, object]) -> None:
    """Check a request to `/v1/read`.

    Raises:
        OptionError: The service refuses it; the message has the rule in words.
    """
    topics = options.get("custom_topic")
    count = len(topics) if isinstance(topics, Sized) and not isinstance(topics, str) else 1
    if count > _MOST_TOPICS:
        raise OptionError(
            f"custom_topic has {count} topics, and takes at most {_MOST_TOPICS}",
            option="custom_topic",
        )
