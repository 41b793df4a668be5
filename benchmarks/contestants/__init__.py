"""The same few operations with this package, with deepgram-sdk, and with the plain libraries."""

from __future__ import annotations

from typing import Final

from benchmarks.contestants.base import Contestant, Stream
from benchmarks.contestants.official import Official
from benchmarks.contestants.ours import Ours
from benchmarks.contestants.plain import Plain

__all__ = ["CONTESTANTS", "Contestant", "Stream"]

CONTESTANTS: Final[dict[str, type[Contestant]]] = {
    "ours": Ours,
    "official": Official,
    "plain": Plain,
}
