"""A conversation with a voice agent as its user sees it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from contextlib import aclosing
from functools import partial
from typing import Final, TypeVar

from msgspec.structs import replace

from deepgram_async._protocol import agent_fields, rules_agent
from deepgram_async._protocol.agent import AgentCore
from deepgram_async._protocol.conversation import ConversationMemory
from deepgram_async._protocol.reconnect import ReconnectPolicy
from deepgram_async._protocol.settings import StreamSettings
from deepgram_async._protocol.sockets import State
from deepgram_async._protocol.sources import AudioChunks
from deepgram_async._stream.agent_messages import AgentMessages
from deepgram_async._stream.pump import chunks_of
from deepgram_async._stream.stream import Connector
from deepgram_async._stream.tools import ToolFunction, Tools
from deepgram_async.errors import InvalidStateError
from deepgram_async.models.agent import (
    AgentEvent,
    Audio,
    Error,
    FunctionCall,
    FunctionCallCancelled,
    FunctionCallRequest,
    SettingsApplied,
    UserStartedSpeaking,
    Welcome,
)
from deepgram_async.models.agent import Warning as AgentWarning
from deepgram_async.models.agent_settings import Settings
from deepgram_async.models.events import Reconnected, Reconnecting

__all__ = ["AgentStream"]

_log = logging.getLogger("deepgram_async")

F = TypeVar("F", bound=ToolFunction)

# In a conversation, late speech is worse than none.
_LONGEST_REPLAY_S: Final = 10.0


class AgentStream(AgentMessages):
    """A conversation with a voice agent, made by ``dg.agent.converse(...)``.

    ::

        async with dg.agent.converse(settings, tools=[get_weather]) as agent:
            agent.start(microphone)
            async for event in agent:
                match event:
                    case Audio():
                        player.play(event.data)
                    case UserStartedSpeaking():
                        player.stop()
                    case ConversationText():
                        print(f"{event.role}: {event.content}")

    ``async with`` connects, sends the settings and returns when they are in force; it raises
    ``AgentError`` when the service refuses them. Audio that another task hands in before that
    waits. The iteration yields what the service says, in order, with the agent's speech among it
    as ``Audio``. When the user begins to speak, speech that was not taken yet is dropped at once,
    and ``UserStartedSpeaking`` tells to stop playing the rest. ``Warning`` is an event; ``Error``
    ends the conversation and is raised as ``AgentError``.

    Speech may come faster than it is played: hand it on and take the next event, because at most
    ``event_buffer`` events of ``StreamSettings`` may wait.

    With tools, every call of a function on this side is answered by them. Without, answer
    ``FunctionCallRequest`` events by ``answer_function_call``.

    The protocol has no closing message: leaving the ``async with`` closes the connection when
    what was queued is sent, and cuts off an agent that is still speaking. While no audio is sent,
    a KeepAlive is sent every ``agent_keepalive_s`` of ``StreamSettings``.

    A connection that is lost is replaced: ``Reconnecting`` and ``Reconnected`` tell of it, and
    ``StreamSettings.reconnect`` how hard that is tried. A new connection is a new agent: it is
    given the settings with all that was said, without the greeting, then the changes that were
    made, and the words that were not answered. It goes on from there; what the lost one had begun
    to say and did not is lost, and so is what it thought. Calls of functions that are not answered
    within five seconds are cancelled: ``FunctionCallCancelled``. Of the user's audio at most ten
    seconds are kept. An agent that the settings name by an id begins anew with each connection,
    with its greeting. The same happens, without a gap, before the service ends a conversation for
    its age. Compressed audio in a container (``flac``, ``ogg-opus``) cannot go on elsewhere.

    Attributes:
        tools: The functions that the agent may call; to be complete before the stream is opened.
    """

    def __init__(
        self,
        connect: Connector,
        agent_settings: Settings | Mapping[str, object],
        tools: Tools,
        settings: StreamSettings,
        *,
        validate: bool,
    ) -> None:
        def make_core(now: float, request_id: str | None) -> AgentCore:
            return AgentCore(
                audio_input,
                now=now,
                keepalive_s=settings.agent_keepalive_s,
                request_id=request_id,
            )

        audio_input = agent_fields.audio_input(agent_settings)
        quiet = replace(settings, stalled_after_s=settings.agent_stalled_after_s)
        super().__init__(connect, make_core, agent_settings, tools, quiet, validate=validate)
        if validate and isinstance(agent_settings, Settings):
            rules_agent.check_settings(agent_settings)
        self._configured = asyncio.Event()
        self._has_source = False
        self._calls: dict[str, asyncio.Task[None]] = {}

    # Public methods for opening.

    def tool(self, function: F) -> F:
        """Add a function that the agent may call and return it unchanged: ``@agent.tool``.

        To be used before the stream is opened. ``tools.tool`` takes a name and settings too.

        Raises:
            OptionError: It is not async, its name is taken, or its type hints are missing or have
                no JSON Schema.
            InvalidStateError: The agent has its settings already.
        """
        if self._core is not None:
            raise InvalidStateError("a tool must be added before the stream is opened")
        return self.tools.tool(function)

    async def open(self) -> None:
        """Connect and return when the settings are in force; ``async with`` does it by itself.

        Raises:
            AgentError: The service refused the settings.
            ApiError: The service refused the handshake; the class tells why.
            OptionError: The settings have a field of the wrong type.
            TransportError: The connection could not be made, or ended, or the service was silent.
            InvalidStateError: The stream was opened before.
        """
        self._check()
        # Asked for before there is a connection: the service speaks first, and at once.
        welcome = self._waiters.expect(lambda event: isinstance(event, Welcome))
        applied = self._waiters.expect(lambda event: isinstance(event, SettingsApplied))
        await super().open()
        try:
            await self._configure(welcome, applied)
        except BaseException:
            await self.aclose()
            raise
        finally:
            self._configured.set()

    # Public methods for sending audio.

    def start(self, source: AudioChunks) -> None:
        """Send a source in the background; after its end the conversation goes on in silence.

        Args:
            source: Async or plain iterable of ``bytes``, or a file object, in the format of
                ``audio.input`` and at the pace of speech. What it raises ends the conversation
                and is raised by the iteration.

        Raises:
            InvalidStateError: The stream is not open, or has a source already.
        """
        self._ready()
        if self._has_source:
            raise InvalidStateError("the stream has a source already")
        self._has_source = True
        self._start_task(self._send_all(source), "pump")

    async def send_audio(self, chunk: bytes | bytearray | memoryview) -> None:
        """Queue a chunk of audio, waiting for the settings to be in force and for room.

        Cancelling it while it waits sends nothing of the chunk. For room it does not wait where
        ``when_full`` in ``StreamSettings`` says so.

        Raises:
            AudioSourceError: The chunk is empty, or not made of bytes.
            SendBufferFullError: The queue is full and ``when_full`` is ``fail``.
            AgentError: The service ended the conversation.
            ConnectionLostError: The connection ended unasked.
            InvalidStateError: The stream is not open.
        """
        self._ready()
        await self._configured.wait()
        core, connection = self._ready()
        if not connection.has_room:
            await self._make_room(connection)
            self._ready()
        self._put_audio(connection, core.send_audio(chunk))

    async def keep_alive(self) -> None:
        """Send a KeepAlive now; pauses need none by hand.

        Raises:
            InvalidStateError: The stream is not open.
        """
        core, connection = self._ready()
        connection.put(core.keep_alive())

    # Opening.

    @property
    def _takes_audio(self) -> bool:
        return super()._takes_audio and self._configured.is_set()

    @property
    def _longest_s(self) -> float | None:
        return self._settings.agent_longest_s

    def _make_memory(self, policy: ReconnectPolicy) -> ConversationMemory:
        return ConversationMemory(
            agent_fields.settings_fields(self._agent_settings, self.tools.functions),
            replay_speed=policy.replay_speed,
            audio_s=min(policy.replay_s, _LONGEST_REPLAY_S),
        )

    def _check(self) -> None:
        """Refuse before anything is sent what would be refused later."""
        fields = agent_fields.settings_fields(self._agent_settings, self.tools.functions)
        agent_fields.text_frame(fields, "settings")
        if self._validate:
            for function in self.tools.functions:
                rules_agent.check_function(function, has_think_live=self._has_think_live)

    async def _configure(
        self, welcome: asyncio.Future[AgentEvent], applied: asyncio.Future[AgentEvent]
    ) -> None:
        core, connection = self._opened()
        patience = self._settings.open_timeout_s
        await self._waiters.wait(welcome, patience, core.OPERATION)
        connection.put(core.send_settings(self._agent_settings, self.tools.functions))
        await self._waiters.wait(applied, patience, core.OPERATION)

    # What is done about events before the user sees them.

    def _received(self, event: AgentEvent) -> None:
        self._stale = None
        core = self._core
        if core is not None:
            core.note(event)
        match event:
            case UserStartedSpeaking():
                self._buffer.discard(lambda waiting: isinstance(waiting, Audio))
            case FunctionCallRequest():
                if len(self.tools):
                    self._run_all(event)
            case FunctionCallCancelled():
                for cancelled in event.functions:
                    if cancelled.id in self._calls:
                        self._calls[cancelled.id].cancel()
            case AgentWarning():
                _log.warning("%s: warning %s", AgentCore.OPERATION, event.code)
            case Error():
                if core is not None and core.state is State.OPEN:
                    raise core.error_of(event)
            case Reconnecting():
                self._waiters.hold()
            case Reconnected():
                self._waiters.release()
            case _:
                if self._unclaimed[type(event)]:
                    self._unclaimed[type(event)] -= 1
                    self._stale = event

    # Functions.

    def _run_all(self, request: FunctionCallRequest) -> None:
        for call in request.functions:
            if call.client_side:
                task = self._start_task(self._run(call), f"tool {call.name}")
                self._calls[call.id] = task
                task.add_done_callback(partial(self._forget, call.id))

    def _forget(self, call_id: str, task: asyncio.Task[None]) -> None:
        if self._calls.get(call_id) is task:
            del self._calls[call_id]

    async def _run(self, call: FunctionCall) -> None:
        answer = await self.tools.run(call)
        core, connection = self._core, self._connection
        if core is not None and connection is not None and core.is_waiting(call):
            connection.put(core.answer_function_call(call.id, answer))

    # The task that sends.

    async def _send_all(self, source: AudioChunks) -> None:
        core, connection = self._opened()
        try:
            async with aclosing(chunks_of(source)) as chunks:
                async for chunk in chunks:
                    await self._configured.wait()
                    if not connection.has_room:
                        await self._make_room(connection)
                    if core.state is not State.OPEN:
                        return
                    self._put_audio(connection, core.send_audio(chunk))
        except Exception as error:  # the source is the caller's: its error is the caller's to see
            self._fail(error)
            await self._drain()
