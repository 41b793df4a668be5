"""What a user says to a voice agent beside the audio."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Final, Literal

import msgspec

from deepgram_async._protocol import agent_fields, rules_agent
from deepgram_async._protocol.agent import AgentCore
from deepgram_async._protocol.settings import StreamSettings
from deepgram_async._stream.audio_stream import AudioStream
from deepgram_async._stream.stream import Connector
from deepgram_async._stream.tools import Tools
from deepgram_async.errors import OperationTimeoutError
from deepgram_async.models.agent import (
    AgentEvent,
    ConversationText,
    InjectionRefused,
    ListenUpdated,
    PromptUpdated,
    SpeakUpdated,
    ThinkLiveUpdated,
    ThinkUpdated,
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

__all__ = ["AgentMessages", "Behavior", "Injection"]

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


class AgentMessages(AudioStream[AgentCore, AgentEvent]):
    """The messages of a conversation: changes of the agent, injected words, answers to calls."""

    tools: Tools

    def __init__(
        self,
        connect: Connector,
        make_core: Callable[[float, str | None], AgentCore],
        agent_settings: Settings | Mapping[str, object],
        tools: Tools,
        settings: StreamSettings,
        *,
        validate: bool,
    ) -> None:
        audio_input = agent_fields.audio_input(agent_settings)
        super().__init__(
            lambda _: connect,  # the socket has no options: all is in the settings
            {},
            make_core,
            AgentCore.is_expendable,
            settings,
            audio_input,
        )
        self.tools = tools
        self._agent_settings = agent_settings
        self._validate = validate
        self._updating = asyncio.Lock()
        self._unclaimed: Counter[type] = Counter()
        """Confirmations that nobody waits for any more, but will still come."""
        self._stale: AgentEvent | None = None

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


def _begins(message: str, content: str) -> bool:
    """Return whether a text is the beginning of a message, or all of it."""
    said = " ".join(content.split())
    return bool(said) and " ".join(message.split()).startswith(said)
