"""Answers and messages of the service, one module per product area.

The classes have Deepgram's names and the module is their namespace, so that `live.Metadata` and
`prerecorded.Metadata` are two things. `common` has what they share, `events` what a socket may
yield beside the documented messages, `stats` what is known of one that runs.
"""

from typing import TYPE_CHECKING

from deepgram_async._lazy import lazy_names as _lazy_names
from deepgram_async.models._base import Answer, Model

if TYPE_CHECKING:
    from deepgram_async.models import (
        agent,
        agent_settings,
        common,
        events,
        flux,
        live,
        manage,
        manage_agents,
        manage_billing,
        manage_models,
        manage_self_hosted,
        manage_usage,
        prerecorded,
        read,
        speak,
        speak_flux,
        stats,
        voices,
    )
else:  # a type checker would take any name to exist
    __getattr__, __dir__ = _lazy_names(
        __name__,
        modules=(
            "agent",
            "agent_settings",
            "common",
            "events",
            "flux",
            "live",
            "manage",
            "manage_agents",
            "manage_billing",
            "manage_models",
            "manage_self_hosted",
            "manage_usage",
            "prerecorded",
            "read",
            "speak",
            "speak_flux",
            "stats",
            "voices",
        ),
    )

__all__ = [
    "Answer",
    "Model",
    "agent",
    "agent_settings",
    "common",
    "events",
    "flux",
    "live",
    "manage",
    "manage_agents",
    "manage_billing",
    "manage_models",
    "manage_self_hosted",
    "manage_usage",
    "prerecorded",
    "read",
    "speak",
    "speak_flux",
    "stats",
    "voices",
]
