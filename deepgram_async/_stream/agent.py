"""A conversation with a voice agent as its user sees it."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing
from functools import partial
from typing import Final, Literal, TypeVar

import msgspec

from deepgram_async._protocol import agent_fields, rules_agent
from deepgram_async._protocol.agent import AgentCore
from deepgram_async._protocol.settings import StreamSettings
from deepgram_async._protocol.sockets import State
from deepgram_async._protocol.sources import AudioChunks
from deepgram_async._stream.pump import chunks_of
from deepgram_async._stream.stream import Connector, SocketStream
from deepgram_async._stream.tools import ToolFunction, Tools
from deepgram_async.errors import InvalidStateError, OperationTimeoutError
from deepgram_async.models.agent import (
    AgentEvent,
    Audio,
    ConversationText,
    Error,
    FunctionCall,
    FunctionCallCancelled,
    FunctionCallRequest,
    InjectionRefused,
    ListenUpdated,
    PromptUpdated,
    SettingsApplied,
    SpeakUpdated,
    ThinkLiveUpdated,
    ThinkUpdated,
    UserStartedSpeaking,
    Welcome,
)
from deepgram_async.models.agent import Warning as AgentWarning
from deepgram_async.models.agent_settings import (
    Agent,
    Listen,
    Output,
    Settings,
    Speak,
    Think,
    ThinkLive,
)

__all__ = ["AgentStream", "Behavior", "Injection"]

_log = logging.getLogger("deepgram_async")

F = TypeVar("F", bound=ToolFunction)

# What a service says that ignores an injected message.
_REFUSALS: Final = frozenset(
    {"INJECT_AGENT_MESSAGE_DURING_AGENT_SPEECH", "INJECT_AGENT_MESSAGE_DURING_USER_SPEECH"}
)

Behavior = Literal["default", "queue", "interrupt"]
"""What an injected message does while somebody speaks: it is refused, waits, or interrupts."""


class Injection(msgspec.Struct, frozen=True):
    """What became of a message that the agent was to say.

    Attributes:
        outcome: ``spoken`` when the agent began to say it.
        reason: Why it was refused, in the words of the service.
    """

    outcome: Literal["spoken", "refused", "timed_out"]
    reason: str | None = None


class AgentStream(SocketStream[AgentCore, AgentEvent]):
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

    Attributes:
        tools: The functions that the agent may call; to be complete before the stream is opened.
    """

    tools: Tools

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
            return AgentCore(now=now, keepalive_s=settings.agent_keepalive_s, request_id=request_id)

        super().__init__(connect, make_core, AgentCore.is_expendable, settings)
        if validate and isinstance(agent_settings, Settings):
            rules_agent.check_settings(agent_settings)
        self.tools = tools
        self._agent_settings = agent_settings
        self._validate = validate
        self._configured = asyncio.Event()
        self._has_source = False
        self._calls: dict[str, asyncio.Task[None]] = {}
        self._updating = asyncio.Lock()
        self._unclaimed: Counter[type] = Counter()
        """Confirmations that nobody waits for any more, but will still come."""
        self._stale: AgentEvent | None = None

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

        Cancelling it while it waits sends nothing of the chunk.

        Raises:
            AudioSourceError: The chunk is empty, or not made of bytes.
            AgentError: The service ended the conversation.
            ConnectionLostError: The connection ended unasked.
            InvalidStateError: The stream is not open.
        """
        self._ready()
        await self._configured.wait()
        core, connection = self._ready()
        await connection.wait_for_room()
        self._ready()
        connection.put(core.send_audio(chunk))

    async def keep_alive(self) -> None:
        """Send a KeepAlive now; pauses need none by hand.

        Raises:
            InvalidStateError: The stream is not open.
        """
        core, connection = self._ready()
        connection.put(core.keep_alive())

    # Public methods for changing the agent. Each returns when the service has confirmed, and
    # raises OperationTimeoutError when it does not within `confirm_timeout_s`. A change that is
    # wrong ends the conversation, as every error does.

    async def update_prompt(self, prompt: str) -> None:
        """Give the language model more instructions, and return when they are in force.

        Whether they replace the prompt or are added to it, Deepgram's pages contradict each
        other; ``update_think`` replaces it for certain.

        Raises:
            AgentError: The service refused it, and ended the conversation.
            OperationTimeoutError: The service did not confirm it.
            InvalidStateError: The stream is not open.
        """
        await self._update(PromptUpdated, lambda core: core.update_prompt(prompt))

    async def update_think(self, think: Think | Sequence[Think] | Mapping[str, object]) -> None:
        """Replace the language model with its prompt, and return when the new one is in force.

        The functions of the tools are added.

        Raises:
            AgentError: The service refused it, and ended the conversation.
            OperationTimeoutError: The service did not confirm it.
            OptionError: A field has the wrong type, or a documented rule is broken.
            InvalidStateError: The stream is not open.
        """
        if self._validate and not isinstance(think, Mapping):
            rules_agent.check_think(think, has_think_live=self._has_think_live)
        functions = self.tools.functions
        await self._update(ThinkUpdated, lambda core: core.update_think(think, functions))

    async def update_speak(self, speak: Speak | Sequence[Speak] | Mapping[str, object]) -> None:
        """Replace the voice, and return when the new one is in force.

        Raises:
            AgentError: The service refused it, and ended the conversation.
            OperationTimeoutError: The service did not confirm it.
            OptionError: A field has the wrong type, or a documented rule is broken.
            InvalidStateError: The stream is not open.
        """
        if self._validate and not isinstance(speak, Mapping):
            rules_agent.check_speak(speak, self._output)
        await self._update(SpeakUpdated, lambda core: core.update_speak(speak))

    async def update_listen(self, listen: Listen | Mapping[str, object]) -> None:
        """Change how the agent hears, and return when it is in force.

        What is left out stays, except ``language_hints``, which are cleared.

        Raises:
            AgentError: The service refused it, and ended the conversation.
            OperationTimeoutError: The service did not confirm it.
            OptionError: A field has the wrong type, or a documented rule is broken.
            InvalidStateError: The stream is not open.
        """
        if self._validate and isinstance(listen, Listen):
            rules_agent.check_listen(listen)
        await self._update(ListenUpdated, lambda core: core.update_listen(listen))

    async def update_think_live(self, think_live: ThinkLive | Mapping[str, object]) -> None:
        """Change what the agent does between the turns, and return when it is in force.

        Raises:
            AgentError: The service refused it, and ended the conversation.
            OperationTimeoutError: The service did not confirm it.
            OptionError: A field has the wrong type, or a documented rule is broken.
            InvalidStateError: The stream is not open.
        """
        if self._validate and isinstance(think_live, ThinkLive):
            rules_agent.check_think_live(think_live)
        await self._update(ThinkLiveUpdated, lambda core: core.update_think_live(think_live))

    # Public methods for speaking in somebody's place.

    async def inject_user_message(self, content: str) -> None:
        """Let the agent hear a sentence as if the user had said it.

        Raises:
            InvalidStateError: The stream is not open.
        """
        core, connection = self._ready()
        connection.put(core.inject_user_message(content))

    async def inject_agent_message(
        self, message: str, behavior: Behavior | None = None, *, timeout_s: float = 10.0
    ) -> Injection:
        """Let the agent say a sentence, and return what became of it.

        Args:
            message: What to say.
            behavior: What it does while somebody speaks: by default it is refused, ``queue``
                waits for the agent to end, ``interrupt`` does not wait.
            timeout_s: How long to wait for the agent to begin.

        Raises:
            AgentError: The service ended the conversation.
            InvalidStateError: The stream is not open.
        """
        return await self._inject(message, behavior, timeout_s)

    async def inject_dynamic_message(
        self, behavior: Behavior | None = None, *, timeout_s: float = 10.0
    ) -> Injection:
        """Let the agent say something of its own; only with ``think_live``.

        Args:
            behavior: As for ``inject_agent_message``.
            timeout_s: As for ``inject_agent_message``.

        Raises:
            AgentError: The service ended the conversation.
            InvalidStateError: The stream is not open.
        """
        return await self._inject(None, behavior, timeout_s)

    async def force_end_turn(self) -> None:
        """End the user's turn; only where a Flux model listens, else a ``Warning`` comes.

        Raises:
            InvalidStateError: The stream is not open.
        """
        core, connection = self._ready()
        connection.put(core.force_end_turn())

    async def answer_function_call(self, call_id: str, content: str) -> None:
        """Answer a call of a function by hand, once.

        Args:
            call_id: Of the call in a ``FunctionCallRequest``.
            content: What the language model gets to read.

        Raises:
            InvalidStateError: No such call waits, or the stream is not open.
        """
        core, connection = self._ready()
        connection.put(core.answer_function_call(call_id, content))

    async def send_to_think_provider(self, content: object) -> None:
        """Hand any JSON value to a language model of one's own (experimental).

        Raises:
            InvalidStateError: The stream is not open.
            OptionError: JSON cannot hold the value.
        """
        core, connection = self._ready()
        connection.put(core.send_to_think_provider(content))

    # Opening.

    def _check(self) -> None:
        """Refuse before anything is sent what would be refused later."""
        agent_fields.settings_fields(self._agent_settings, self.tools.functions)
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

    @property
    def _has_think_live(self) -> bool:
        settings = self._agent_settings
        if not isinstance(settings, Settings) or not isinstance(settings.agent, Agent):
            return True  # unknown here: the service decides
        return settings.agent.think_live is not None

    @property
    def _output(self) -> Output | None:
        settings = self._agent_settings
        return settings.audio.output if isinstance(settings, Settings) else None

    # Changes and injections.

    async def _update(
        self, confirmation: type[AgentEvent], make_frame: Callable[[AgentCore], str]
    ) -> None:
        async with self._updating:  # confirmations have no ids: one change is under way at a time
            core, connection = self._ready()
            frame = make_frame(core)
            confirmed = self._waiters.expect(
                lambda event: isinstance(event, confirmation) and event is not self._stale
            )
            connection.put(frame)
            try:
                await self._waiters.wait(
                    confirmed, self._settings.confirm_timeout_s, core.OPERATION
                )
            except asyncio.CancelledError:
                if confirmed.cancelled():  # it will still come, and is not that of the next change
                    self._unclaimed[confirmation] += 1
                raise

    async def _inject(
        self, message: str | None, behavior: Behavior | None, timeout_s: float
    ) -> Injection:
        def is_outcome(event: AgentEvent) -> bool:
            match event:
                case ConversationText(role="assistant"):
                    return message is None or _begins(message, event.content)
                case InjectionRefused():
                    return behavior != "interrupt"
                case AgentWarning():
                    return event.code in _REFUSALS and behavior != "interrupt"
                case _:
                    return False

        core, connection = self._ready()
        frame = core.inject_agent_message(message, behavior)
        outcome = self._waiters.expect(is_outcome)
        connection.put(frame)
        try:
            event = await self._waiters.wait(outcome, timeout_s, core.OPERATION)
        except OperationTimeoutError:
            return Injection("timed_out")
        match event:
            case InjectionRefused():
                return Injection("refused", event.message)
            case AgentWarning():
                return Injection("refused", event.description)
            case _:
                return Injection("spoken")

    # What is done about events before the user sees them.

    def _received(self, event: AgentEvent) -> None:
        self._stale = None
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
                if self._core is not None and self._core.state is State.OPEN:
                    raise self._core.error_of(event)
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
                    await connection.wait_for_room()
                    if core.state is not State.OPEN:
                        return
                    connection.put(core.send_audio(chunk))
        except Exception as error:  # the source is the caller's: its error is the caller's to see
            self._fail(error)
            await self._drain()


def _begins(message: str, content: str) -> bool:
    """Return whether a text is the beginning of a message, or all of it."""
    said = " ".join(content.split())
    return bool(said) and " ".join(message.split()).startswith(said)
