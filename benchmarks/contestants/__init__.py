"""The same few operations with this package, with deepgram-sdk, and with the plain libraries."""

from __future__ import annotations

from typing import Final

from benchmarks.contestants.base import Contestant, Stream

__all__ = ["NAMES", "Contestant", "Stream", "contestant"]

NAMES: Final = ("ours", "official", "plain")


def contestant(name: str, url: str) -> Contestant:
    """Return a contestant that is to use a server; nothing of the others is imported."""
    match name:
        case "ours":
            from benchmarks.contestants.ours import Ours

            return Ours(url)
        case "official":
            from benchmarks.contestants.official import Official

            return Official(url)
        case "plain":
            from benchmarks.contestants.plain import Plain

            return Plain(url)
        case _:
            raise LookupError(name)
