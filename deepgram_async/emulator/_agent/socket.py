"""`GET /v1/agent/converse` as a WebSocket: a voice agent that listens, thinks and speaks.

Per conversation there is a reader (the handler itself), one worker that takes audio and messages in
the order they came, a watch for its age, and a task for the answer under way. A failure in any of
them ends the conversation with its `Error`.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import urlsplit

import msgspec
from aiohttp import WSMsgType

from deepgram_async.emulator._audio import UndecodableAudioError
from deepgram_async.emulator._calls import accept, route
from deepgram_async.emulator._errors import Refusal
from deepgram_async.emulator._flux.listener import TurnListener
from deepgram_async.emulator._flux.query import raw_format
from deepgram_async.emulator._flux.socket import decode_every_s
from deepgram_async.emulator._flux.turns import TurnTaking
from deepgram_async.emulator._inbox import Inbox
from deepgram_async.emulator._peer import GoneError, Peer
from deepgram_async.emulator._recognizers import Hints
from deepgram_async.emulator._speech.synthesizers import SynthesizerUnavailableError
from deepgram_async.models.agent_settings import Agent, DeepgramListenProviderV2

from . import messages as says
from .dialogue import Dialogue
from .failures import AgentFailure
from .settings import (
    SettingsError,
    hears_turns,
    read_listen,
    read_settings,
    read_speak,
    read_think,
    read_think_live,
    speech_format,
)
from .stored import stored_agent

if TYPE_CHECKING:
    from aiohttp import web

    from deepgram_async.emulator._calls import Call
    from deepgram_async.emulator._faulty_socket import FaultySocket
    from deepgram_async.emulator._flux.turns import Turn
    from deepgram_async.emulator._services import Services
    from deepgram_async.models.agent_settings import Listen, Settings, Think

    from .messages import ClientMessage

__all__ = ["routes"]

_log: Final = logging.getLogger(__name__)

# Of the prompt of a managed model; what is longer is cut (Deepgram docs, "Configure the Voice
# Agent").
_LONGEST_PROMPT: Final = 25_000
# Injected messages that wait for the agent.
_MOST_WAITING: Final = 100


def routes(services: Services) -> list[web.RouteDef]:
    """Return the route of voice agents."""

    async def converse(request: web.Request, call: Call) -> web.StreamResponse:
        async with accept(request, call) as socket:
            peer = Peer(request, socket, services.settings)
            await _Session(services, call, peer, socket).run()
        return socket

    return [
        route(services, "GET", "/v1/agent/converse", converse, product="agent", is_streaming=True)
    ]


class _Session:
    """One client's conversation, from handshake to close."""

    def __init__(self, services: Services, call: Call, peer: Peer, socket: FaultySocket) -> None:
        self._services = services
        self._settings = services.settings
        self._call = call
        self._peer = peer
        self._socket = socket
        self._clock = asyncio.get_running_loop().time
        self._inbox: Inbox[bytes | ClientMessage | AgentFailure] = Inbox(
            self._settings.max_backlog_bytes
        )
        self._is_user_speaking = False

    async def run(self) -> None:
        """Serve until either side has closed the socket."""
        opened_at = self._clock()
        failures: list[BaseException] = []
        try:
            await self._peer.say({"type": "Welcome", "request_id": self._call.request_id})
            async with asyncio.TaskGroup() as group:
                await self._converse(group)
        except* GoneError:
            self._peer.abort()
        except* (AgentFailure, SettingsError, UndecodableAudioError) as errors:
            failures += _leaves(errors)
        except* Exception as errors:  # a defect here must not look like the client's
            failures += _leaves(errors)
            _log.exception("request %s: the agent failed", self._call.request_id)
        self._call.used.agent_s = self._clock() - opened_at
        if failures:
            await self._fail(_failure_of(failures[0]))

    async def _converse(self, group: asyncio.TaskGroup) -> None:
        watch = group.create_task(self._watch_age())
        settings = await self._receive_settings()
        if settings is not None:
            agent = await self._agent_of(settings)
            dialogue = Dialogue(self._services, self._call, self._peer, settings, agent, group)
            listener = self._listener(settings, agent)
            try:
                await self._peer.say({"type": "SettingsApplied"})
                dialogue.greet()
                worker = group.create_task(self._work(dialogue, listener))
                await self._read()
                worker.cancel()
                await dialogue.close()
            finally:
                await listener.close()
        watch.cancel()

    async def _fail(self, failure: AgentFailure) -> None:
        try:
            await self._peer.say(
                {"type": "Error", "code": failure.code, "description": failure.description}
            )
            await self._peer.close(failure.close_code)
        except GoneError:
            self._peer.abort()

    async def _watch_age(self) -> None:
        longest_s, warning_s = self._settings.agent_longest_s, self._settings.agent_warning_s
        await asyncio.sleep(max(longest_s - warning_s, 0.0))
        await self._warn(
            "MAXIMUM_SESSION_LENGTH_APPROACHING", f"The session ends in {warning_s:g} seconds."
        )
        await asyncio.sleep(min(warning_s, longest_s))
        raise AgentFailure(
            "MAXIMUM_SESSION_LENGTH_REACHED", "The maximum length of a session was reached."
        )

    # The beginning.

    async def _receive_settings(self) -> Settings | None:
        """Return the settings, which have to come first; None when the client leaves."""
        frame = await self._receive()
        if frame is None:
            return None
        said = None if isinstance(frame, bytes) else says.parse(frame)
        if not isinstance(said, says.SettingsMessage):
            raise AgentFailure(
                "NON_SETTINGS_MESSAGE_BEFORE_SETTINGS", "The first message has to be Settings."
            )
        fields = said.fields
        if isinstance(fields.get("agent"), str):
            found = stored_agent(
                self._services.account, self._call.caller.project_id, str(fields["agent"])
            )
            fields = {**fields, "agent": found}
        settings = read_settings(fields)
        speech_format(settings.audio.output)
        try:
            await self._services.voice.synthesizer()
        except SynthesizerUnavailableError as error:
            raise AgentFailure("FAILED_TO_SPEAK", str(error)) from None
        return settings

    async def _agent_of(self, settings: Settings) -> Agent:
        agent = settings.agent
        assert isinstance(agent, Agent), "a stored agent was put in its place"
        self._call.used.tags = settings.tags or ()
        for think in _all(agent.think):
            for function in think.functions or ():
                if function.endpoint is not None:
                    await self._resolve(function.endpoint.url)
        return await self._cut_prompt(agent)

    async def _resolve(self, url: str) -> None:
        loop = asyncio.get_running_loop()
        try:
            parts = urlsplit(url)
            await loop.getaddrinfo(parts.hostname or "", parts.port or 443)
        except (OSError, ValueError):
            raise AgentFailure("INVALID_SETTINGS", f"Failed to resolve endpoint: {url}") from None

    async def _cut_prompt(self, agent: Agent) -> Agent:
        think = agent.think
        if all(len(one.prompt or "") <= _LONGEST_PROMPT or one.endpoint for one in _all(think)):
            return agent
        await self._warn("PROMPT_TOO_LONG", f"The prompt is cut to {_LONGEST_PROMPT} characters.")
        shorter = [
            msgspec.structs.replace(one, prompt=(one.prompt or "")[:_LONGEST_PROMPT])
            for one in _all(think)
        ]
        return msgspec.structs.replace(agent, think=shorter)

    def _listener(self, settings: Settings, agent: Agent) -> TurnListener:
        audio = settings.audio.input
        try:
            raw = raw_format(audio.encoding, audio.sample_rate)
        except Refusal as refusal:
            raise AgentFailure("USER_AUDIO_FORMAT", refusal.message) from None
        taking = TurnTaking(
            decode_every_s=decode_every_s(self._services),
            longest_segment_s=self._settings.longest_segment_s,
        )
        listener = TurnListener(self._services.engine, self._settings, raw, taking, Hints())
        if agent.listen is not None:
            _listen_as_told(listener, agent.listen)
        return listener

    # The reader.

    async def _receive(self) -> bytes | str | None:
        """Return the next frame; None when the client has left."""
        try:
            async with asyncio.timeout(self._settings.agent_timeout_s):
                message = await self._socket.receive()
        except TimeoutError:
            raise AgentFailure(
                "CLIENT_MESSAGE_TIMEOUT", "No message was received within the timeout window."
            ) from None
        if message.type not in (WSMsgType.BINARY, WSMsgType.TEXT):
            return None
        frame: bytes | str = message.data
        return frame

    async def _read(self) -> None:
        while (frame := await self._receive()) is not None:
            await self._inbox.put(self._clock(), _understood(frame))

    # The worker.

    async def _work(self, dialogue: Dialogue, listener: TurnListener) -> None:
        while True:
            received_at, said = await self._inbox.get()
            match said:
                case bytes():
                    async for turn in listener.hear(said, received_at):
                        await self._follow(turn, dialogue)
                case says.ForceEndTurn():
                    await self._force_end(dialogue, listener)
                case says.UpdateListen(fields):
                    listen = read_listen(fields)
                    _listen_as_told(listener, listen)
                    dialogue.agent = msgspec.structs.replace(dialogue.agent, listen=listen)
                    await self._peer.say({"type": "ListenUpdated"})
                case says.InjectAgentMessage():
                    await self._inject(said, dialogue)
                case says.InjectUserMessage(content):
                    await dialogue.hear(content)
                case says.FunctionCallResponse():
                    dialogue.take_response(said)
                case says.KeepAlive() | says.CustomToThinkProvider():
                    pass
                case AgentFailure():
                    raise said
                case _:
                    await self._update(said, dialogue)

    async def _follow(self, turn: Turn, dialogue: Dialogue) -> None:
        self._call.used.audio_s = turn.window_end
        if turn.event == "StartOfTurn":
            self._is_user_speaking = True
            await self._peer.say({"type": "UserStartedSpeaking"})
            await dialogue.interrupt()
        elif turn.event == "EndOfTurn":
            self._is_user_speaking = False
            if hears_turns(dialogue.agent):
                await self._peer.say({"type": "EndOfTurn"})
            await dialogue.hear(" ".join(word.text for word in turn.words))

    async def _force_end(self, dialogue: Dialogue, listener: TurnListener) -> None:
        if not hears_turns(dialogue.agent):
            await self._warn("FORCE_END_TURN_UNSUPPORTED", "Only Flux models end turns on demand.")
            return
        async for turn in listener.force_end():
            await self._follow(turn, dialogue)

    async def _inject(self, asked: says.InjectAgentMessage, dialogue: Dialogue) -> None:
        refusal = self._why_not(asked, dialogue)
        if refusal is not None:
            await self._peer.say({"type": "InjectionRefused", "message": refusal})
            return
        if asked.is_dynamic:
            await dialogue.find_words()
            return
        if asked.behavior == "interrupt":
            await dialogue.interrupt()
        dialogue.say(asked.message or "")

    def _why_not(self, asked: says.InjectAgentMessage, dialogue: Dialogue) -> str | None:
        if asked.is_dynamic and dialogue.agent.think_live is None:
            return "Dynamic messages need agent.think_live."
        if asked.behavior == "interrupt":
            return None
        if self._is_user_speaking:
            return "The user is speaking."
        if asked.behavior == "default" and dialogue.is_answering:
            return "The agent is speaking."
        if dialogue.waiting >= _MOST_WAITING:
            return "Too many messages wait."
        return None

    async def _update(
        self,
        said: says.UpdatePrompt | says.UpdateThink | says.UpdateSpeak | says.UpdateThinkLive,
        dialogue: Dialogue,
    ) -> None:
        change: dict[str, Any]
        agent = dialogue.agent
        match said:
            case says.UpdatePrompt(prompt):
                longer = [_with_prompt(one, prompt) for one in _all(agent.think)]
                name, change = "PromptUpdated", {"think": longer}
            case says.UpdateThink(fields):
                has_think_live = agent.think_live is not None
                think = read_think(fields, has_think_live=has_think_live)
                name, change = "ThinkUpdated", {"think": think}
            case says.UpdateSpeak(fields):
                speak = read_speak(fields, dialogue.settings.audio.output)
                name, change = "SpeakUpdated", {"speak": speak}
            case says.UpdateThinkLive(fields):
                name, change = "ThinkLiveUpdated", {"think_live": read_think_live(fields)}
        dialogue.agent = await self._cut_prompt(msgspec.structs.replace(agent, **change))
        await self._peer.say({"type": name})

    async def _warn(self, code: str, description: str) -> None:
        await self._peer.say({"type": "Warning", "code": code, "description": description})


def _understood(frame: bytes | str) -> bytes | ClientMessage | AgentFailure:
    """Return what a client says, or why that ends the conversation when its turn has come."""
    if isinstance(frame, bytes):
        return frame
    try:
        said = says.parse(frame)
    except SettingsError as error:
        return AgentFailure(error.code, str(error))
    if isinstance(said, says.SettingsMessage):
        return AgentFailure("SETTINGS_ALREADY_APPLIED", "There are settings already.")
    return said


def _listen_as_told(listener: TurnListener, listen: Listen) -> None:
    provider = listen.provider
    listener.hints = Hints(keyterms=tuple(provider.keyterms or ()))
    default = TurnTaking()
    changes: dict[str, float] = {
        "eot_threshold": default.eot_threshold,
        "eot_timeout_s": default.eot_timeout_s,
    }
    if isinstance(provider, DeepgramListenProviderV2):
        if provider.eot_threshold is not None:
            changes["eot_threshold"] = provider.eot_threshold
        if provider.eot_timeout_ms is not None:
            changes["eot_timeout_s"] = provider.eot_timeout_ms / 1000
    listener.taking = replace(listener.taking, **changes)


def _all(think: Think | list[Think]) -> list[Think]:
    return think if isinstance(think, list) else [think]


def _with_prompt(think: Think, more: str) -> Think:
    return msgspec.structs.replace(think, prompt="\n".join(filter(None, (think.prompt, more))))


def _leaves(group: BaseExceptionGroup[BaseException]) -> list[BaseException]:
    leaves: list[BaseException] = []
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            leaves += _leaves(cast("BaseExceptionGroup[BaseException]", error))
        else:
            leaves.append(error)
    return leaves


def _failure_of(error: BaseException) -> AgentFailure:
    match error:
        case AgentFailure():
            return error
        case SettingsError():
            return AgentFailure(error.code, str(error))
        case UndecodableAudioError():
            return AgentFailure("USER_AUDIO_FORMAT", "The audio could not be decoded.")
        case _:
            return AgentFailure("INTERNAL_SERVER_ERROR", "Internal server error.")
