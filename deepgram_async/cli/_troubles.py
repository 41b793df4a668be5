"""What is out of the ordinary about the events of streams, in words."""

from deepgram_async.models import agent, flux, live
from deepgram_async.models.events import Malformed, Reconnected, Reconnecting, Stalled, Unknown
from deepgram_async.transcript import TranscriptEvent

__all__ = ["trouble_of"]


def trouble_of(event: TranscriptEvent | agent.AgentEvent) -> str | None:
    """Return what is out of the ordinary about an event, or ``None``."""
    match event:
        case live.Error():
            return f"the service says: {event.description or event.message or event.variant}"
        case flux.Error() | flux.Warning() | agent.Warning():
            return f"the service says: {event.description or event.code}"
        case agent.InjectionRefused():
            return f"the service did not take the words: {event.message}"
        case Unknown():
            return f"message of the unknown type {event.type!r}"
        case Malformed():
            return f"unreadable message: {event.reason}"
        case Reconnecting():
            return f"the connection was lost, attempt {event.attempt} follows: {event.reason}"
        case Reconnected() if not event.is_planned or event.dropped_s:
            lost = f", {event.dropped_s:.1f} s of audio were lost" if event.dropped_s else ""
            return f"connected again after {event.gap_s:.1f} s{lost}"
        case Stalled():
            return f"the service has said nothing for {event.silent_s:.0f} s"
        case _:
            return None
