"""Asyncio-first SDK for the Deepgram speech API.

::

    import asyncio
    from deepgram_async import DeepgramSession

    async def main():
        async with DeepgramSession() as dg:
            answer = await dg.listen.transcribe("meeting.mp3", model="nova-3")
            print(answer.transcript)

    asyncio.run(main())
"""

from typing import TYPE_CHECKING

from deepgram_async._lazy import lazy_names as _lazy_names
from deepgram_async._version import __version__

if TYPE_CHECKING:
    from deepgram_async._protocol.dates import When
    from deepgram_async._protocol.endpoints import Region
    from deepgram_async._protocol.query import QueryValue
    from deepgram_async._protocol.reconnect import (
        ConnectionLoss,
        ReconnectHook,
        ReconnectPolicy,
    )
    from deepgram_async._protocol.retry import RetryPolicy
    from deepgram_async._protocol.settings import StreamSettings, Timeouts, WhenFull
    from deepgram_async._protocol.sources import (
        AudioChunks,
        AudioSource,
        BinaryReader,
        ProgressHook,
        SizedAudio,
        TextSource,
    )
    from deepgram_async._resources.agent import (
        Agent,
        AgentConfigurations,
        AgentVariables,
        ThinkModels,
    )
    from deepgram_async._resources.auth import Auth
    from deepgram_async._resources.billing import Balances, Billing
    from deepgram_async._resources.invites import Invites
    from deepgram_async._resources.keys import Keys
    from deepgram_async._resources.listen import Listen
    from deepgram_async._resources.members import Members
    from deepgram_async._resources.models import Models, ProjectModels
    from deepgram_async._resources.projects import Projects
    from deepgram_async._resources.read import Read
    from deepgram_async._resources.requests import Requests
    from deepgram_async._resources.scopes import Scopes
    from deepgram_async._resources.self_hosted import SelfHosted
    from deepgram_async._resources.speak import FluxSpeak, Speak
    from deepgram_async._resources.tokens import GrantedTokens
    from deepgram_async._resources.usage import Usage
    from deepgram_async._session import DeepgramSession
    from deepgram_async._stream.agent import AgentStream
    from deepgram_async._stream.agent_messages import Behavior, Injection
    from deepgram_async._stream.flux import FluxStream, Turn
    from deepgram_async._stream.live import LiveStream
    from deepgram_async._stream.speak import SpeakStream
    from deepgram_async._stream.speak_flux import FluxSpeakStream
    from deepgram_async._stream.speech import Speech
    from deepgram_async._stream.stream import SocketStream
    from deepgram_async._stream.tools import ToolFunction, Tools
    from deepgram_async.errors import DeepgramError
    from deepgram_async.models.events import (
        Malformed,
        Reconnected,
        Reconnecting,
        Stalled,
        Unknown,
    )
    from deepgram_async.models.flux import TurnInfo
    from deepgram_async.models.live import Results, SpeechStarted, UtteranceEnd
    from deepgram_async.models.prerecorded import Transcription
    from deepgram_async.models.stats import StreamStats
else:  # a type checker would take any name to exist
    # Nothing is loaded before it is used: most programs need a part of this.
    __getattr__, __dir__ = _lazy_names(
        __name__,
        {
            "_protocol.dates": ("When",),
            "_protocol.endpoints": ("Region",),
            "_protocol.query": ("QueryValue",),
            "_protocol.reconnect": ("ConnectionLoss", "ReconnectHook", "ReconnectPolicy"),
            "_protocol.retry": ("RetryPolicy",),
            "_protocol.settings": ("StreamSettings", "Timeouts", "WhenFull"),
            "_protocol.sources": (
                "AudioChunks",
                "AudioSource",
                "BinaryReader",
                "ProgressHook",
                "SizedAudio",
                "TextSource",
            ),
            "_resources.agent": ("Agent", "AgentConfigurations", "AgentVariables", "ThinkModels"),
            "_resources.auth": ("Auth",),
            "_resources.billing": ("Balances", "Billing"),
            "_resources.invites": ("Invites",),
            "_resources.keys": ("Keys",),
            "_resources.listen": ("Listen",),
            "_resources.members": ("Members",),
            "_resources.models": ("Models", "ProjectModels"),
            "_resources.projects": ("Projects",),
            "_resources.read": ("Read",),
            "_resources.requests": ("Requests",),
            "_resources.scopes": ("Scopes",),
            "_resources.self_hosted": ("SelfHosted",),
            "_resources.speak": ("FluxSpeak", "Speak"),
            "_resources.tokens": ("GrantedTokens",),
            "_resources.usage": ("Usage",),
            "_session": ("DeepgramSession",),
            "_stream.agent": ("AgentStream",),
            "_stream.agent_messages": ("Behavior", "Injection"),
            "_stream.flux": ("FluxStream", "Turn"),
            "_stream.live": ("LiveStream",),
            "_stream.speak": ("SpeakStream",),
            "_stream.speak_flux": ("FluxSpeakStream",),
            "_stream.speech": ("Speech",),
            "_stream.stream": ("SocketStream",),
            "_stream.tools": ("ToolFunction", "Tools"),
            "errors": ("DeepgramError",),
            "models.events": ("Malformed", "Reconnected", "Reconnecting", "Stalled", "Unknown"),
            "models.flux": ("TurnInfo",),
            "models.live": ("Results", "SpeechStarted", "UtteranceEnd"),
            "models.prerecorded": ("Transcription",),
            "models.stats": ("StreamStats",),
        },
        modules=(
            "audio",
            "callbacks",
            "emulator",
            "errors",
            "markup",
            "models",
            "options",
            "testing",
            "transcript",
        ),
    )

__all__ = [
    "Agent",
    "AgentConfigurations",
    "AgentStream",
    "AgentVariables",
    "AudioChunks",
    "AudioSource",
    "Auth",
    "Balances",
    "Behavior",
    "Billing",
    "BinaryReader",
    "ConnectionLoss",
    "DeepgramError",
    "DeepgramSession",
    "FluxSpeak",
    "FluxSpeakStream",
    "FluxStream",
    "GrantedTokens",
    "Injection",
    "Invites",
    "Keys",
    "Listen",
    "LiveStream",
    "Malformed",
    "Members",
    "Models",
    "ProgressHook",
    "ProjectModels",
    "Projects",
    "QueryValue",
    "Read",
    "ReconnectHook",
    "ReconnectPolicy",
    "Reconnected",
    "Reconnecting",
    "Region",
    "Requests",
    "Results",
    "RetryPolicy",
    "Scopes",
    "SelfHosted",
    "SizedAudio",
    "SocketStream",
    "Speak",
    "SpeakStream",
    "Speech",
    "SpeechStarted",
    "Stalled",
    "StreamSettings",
    "StreamStats",
    "TextSource",
    "ThinkModels",
    "Timeouts",
    "ToolFunction",
    "Tools",
    "Transcription",
    "Turn",
    "TurnInfo",
    "Unknown",
    "Usage",
    "UtteranceEnd",
    "When",
    "WhenFull",
    "__version__",
]
