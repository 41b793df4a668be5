"""Answers and messages of the service, one module per product area.

The classes have Deepgram's names and the module is their namespace, so that `live.Metadata` and
`prerecorded.Metadata` are two things. `common` has what they share, `events` what a socket may
yield beside the documented messages.
"""

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
)
from deepgram_async.models._base import Answer, Model

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
]
