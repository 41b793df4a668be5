"""What requests cost here: round figures that stand in for the service's price list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from deepgram_async.emulator._models import family_of

if TYPE_CHECKING:
    from .records import LoggedRequest

__all__ = ["CREDIT_USD", "line_item", "line_item_name", "usd"]

CREDIT_USD: Final = 200.0
"""What a project begins with."""

_PER_MINUTE: Final = {"sync": 0.005, "async": 0.005, "streaming": 0.008}
_PER_AGENT_MINUTE: Final = 0.08
_PER_CHARACTER: Final = 0.00003
_PER_TOKEN_IN: Final = 0.0000003
_PER_TOKEN_OUT: Final = 0.0000006


def usd(request: LoggedRequest) -> float:
    """Return the price of a request; one that failed costs nothing."""
    if request.status >= 400:
        return 0.0
    minutes = request.audio_s * request.channels / 60
    audio = minutes * _PER_MINUTE[request.method] if request.product == "listen" else 0.0
    return (
        audio
        + request.agent_s / 60 * _PER_AGENT_MINUTE
        + request.characters * _PER_CHARACTER
        + request.tokens_in * _PER_TOKEN_IN
        + request.tokens_out * _PER_TOKEN_OUT
    )


def line_item(request: LoggedRequest) -> str:
    """Return what a request is billed as, such as `streaming::nova-3`."""
    method = "streaming" if request.method == "streaming" else "sync"
    what = family_of(request.models[0].name) if request.models else request.product
    return f"{method}::{what}"


def line_item_name(item: str) -> str:
    """Return the name of a line item for people, such as `Nova-3 (Stream)`."""
    method, _, what = item.partition("::")
    return f"{what.title()} ({'Stream' if method == 'streaming' else 'Batch'})"
