# ruff: noqa: RUF002 - the phonetic alphabet has letters that look like others
"""Marks inside a text that is to be spoken: how a word sounds, and where to pause.

::

    text = f"Take {pronounce('azathioprine', 'ˌæzəˈθaɪəpriːn')} daily.{pause(500)} With water."

Which voice understands which mark, and together with what, is decided by the service: Aura-2 and
Flux voices take pronunciations, Flux voices take pauses, in requests only and not on the socket
(Deepgram docs, "TTS pronunciation", "TTS pauses").
"""

from __future__ import annotations

from typing import Final

import msgspec

from deepgram_async.errors import OptionError

__all__ = ["pause", "pronounce"]

_SHORTEST_MS: Final = 500
_LONGEST_MS: Final = 3000
_STEP_MS: Final = 100


def pronounce(word: str, ipa: str) -> str:
    r"""Return the mark that speaks a word as it is written in the phonetic alphabet.

    ``pronounce("data", "ˈdɑːtə")`` is ``\{"word":"data","pronounce":"ˈdɑːtə"\}``.

    Args:
        word: The word; it stands in the text by this mark alone.
        ipa: Its sound in the International Phonetic Alphabet.

    Raises:
        OptionError: Either is empty.
    """
    for name, value in (("word", word), ("ipa", ipa)):
        if not value.strip():
            raise OptionError(f"{name} is empty", option=name)
    fields = msgspec.json.encode({"word": word, "pronounce": ipa}).decode()
    return "\\" + fields[:-1] + "\\}"


def pause(duration_ms: int) -> str:
    r"""Return the mark for a pause, such as ``\{pause:500ms\}``.

    Args:
        duration_ms: From 500 to 3000 milliseconds, in steps of 100.

    Raises:
        OptionError: The service has no such pause.
    """
    if not _SHORTEST_MS <= duration_ms <= _LONGEST_MS or duration_ms % _STEP_MS:
        raise OptionError(
            f"a pause takes {_SHORTEST_MS} to {_LONGEST_MS} ms in steps of {_STEP_MS}, "
            f"not {duration_ms!r}",
            option="duration_ms",
        )
    return f"\\{{pause:{duration_ms}ms\\}}"
