"""Conversations on lines that break anywhere, with an agent that forgets everything each time."""

import json
from collections import Counter, deque
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from deepgram_async._protocol.conversation import ConversationMemory
from deepgram_async._protocol.dialogue import UNANSWERED
from deepgram_async.models.agent import (
    AgentAudioDone,
    AgentEvent,
    CancelledFunction,
    ConversationText,
    EndOfThought,
    FunctionCall,
    FunctionCallCancelled,
    FunctionCallRequest,
    History,
    HistoryFunctionCall,
    ListenUpdated,
    PromptUpdated,
    SettingsApplied,
    SpeakUpdated,
    ThinkUpdated,
    Welcome,
)

SETTINGS: dict[str, object] = {"type": "Settings", "agent": {"greeting": "greeting"}}
CONFIRMATIONS: dict[str, AgentEvent] = {
    "UpdateListen": ListenUpdated(),
    "UpdatePrompt": PromptUpdated(),
    "UpdateSpeak": SpeakUpdated(),
    "UpdateThink": ThinkUpdated(),
}


class Configuration:
    """What updates make of an agent, by the documented meaning of each."""

    def __init__(self) -> None:
        self.think: list[str] = []
        self.speak: str | None = None
        self.listen: dict[str, str] = {}

    def apply(self, message: dict[str, Any]) -> None:
        match message["type"]:
            case "UpdateThink":
                self.think = [message["think"]["prompt"]]
            case "UpdatePrompt":
                self.think = [*self.think, message["prompt"]]
            case "UpdateSpeak":
                self.speak = message["speak"]["model"]
            case _:
                self.listen.pop("language_hints", None)
                self.listen |= message["listen"]["provider"]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Configuration) and vars(self) == vars(other)

    __hash__ = None  # type: ignore[assignment]  # it changes


class Agent:
    """One connection of a service: it refuses what the protocol forbids and knows what it heard.

    Attributes:
        wire: Events on their way to the client.
        words: The words of both sides, each with who said it.
        calls: The answers to all calls; ``None`` for those that wait.
        own: The calls that this agent made.
    """

    def __init__(self) -> None:
        self.wire: deque[AgentEvent] = deque([Welcome()])
        self.is_welcomed = self.is_configured = False
        self.words: list[tuple[str, str]] = []
        self.calls: dict[str, str | None] = {}
        self.own: set[str] = set()
        self.configuration = Configuration()

    def receive(self, frame: str | bytes) -> None:
        message: dict[str, Any] = json.loads(frame)
        kind = message["type"]
        if kind == "Settings":
            assert self.is_welcomed
            assert not self.is_configured
            self.configure(message["agent"])
            return
        assert self.is_configured
        assert not any(isinstance(event, SettingsApplied) for event in self.wire)
        match kind:
            case "InjectUserMessage":
                self.hear("user", message["content"])
            case "InjectAgentMessage":
                self.hear("assistant", message["message"])
            case "FunctionCallResponse":
                call_id = message["id"]
                assert call_id in self.own
                if call_id in self.calls:  # it was perhaps cancelled meanwhile
                    assert self.calls[call_id] is None
                    self.calls[call_id] = message["content"]
            case _:
                self.configuration.apply(message)
                self.wire.append(CONFIRMATIONS[kind])

    def configure(self, agent: dict[str, Any]) -> None:
        self.is_configured = True
        for entry in agent.get("context", {}).get("messages", []):
            assert entry["type"] == "History"
            for call in entry.get("function_calls", []):
                assert call["id"] not in self.calls
                self.calls[call["id"]] = call["response"]
            self.words += [(entry["role"], word) for word in entry.get("content", "").split()]
        self.wire.append(SettingsApplied())

    def hear(self, role: str, word: str) -> None:
        self.words.append((role, word))
        self.wire.append(ConversationText(role=role, content=word))
        self.wire.append(History(role=role, content=word))
        if role == "user":
            self.wire.append(EndOfThought())

    def call(self, call_id: str) -> None:
        self.calls[call_id] = None
        self.own.add(call_id)
        call = FunctionCall(id=call_id, name="f", arguments="{}", client_side=True)
        self.wire.append(FunctionCallRequest(functions=[call]))

    def cancel(self, call_id: str) -> None:
        del self.calls[call_id]
        self.wire.append(FunctionCallCancelled(functions=[CancelledFunction(id=call_id)]))


@settings(max_examples=80, stateful_step_count=80, deadline=None)
class Conversation(RuleBasedStateMachine):
    """A user, a service whose agents know only what they are told, and a line that breaks.

    Whenever nothing is on its way, the present agent knows every word and every call that the
    user knows of, once each, and is configured as the user wants it; and the user was told
    everything once.
    """

    def __init__(self) -> None:
        super().__init__()
        self.memory = ConversationMemory(SETTINGS, replay_speed=None, call_patience_s=0.0)
        self.agent = Agent()
        self.told: list[AgentEvent] = []
        self.injected: set[str] = set()
        self.waiting: set[str] = set()
        """Calls that the user may answer."""
        self.answered: dict[str, str] = {}
        self.gone: set[str] = set()
        self.wanted = Configuration()
        self.updates = 0
        self.count = 0
        self.is_connected = True
        self.deliver(1)
        self.put({**SETTINGS})
        self.deliver(1)

    # Helpers.

    def name(self, letter: str) -> str:
        self.count += 1
        return f"{letter}{self.count}"

    def put(self, message: dict[str, object]) -> None:
        frame = json.dumps(message, separators=(",", ":"))
        self.memory.add(frame, 0.0)
        if not self.memory.is_behind:
            self.agent.receive(frame)

    def follow(self, event: AgentEvent) -> None:
        """Do as the core of the stream does."""
        match event:
            case FunctionCallRequest():
                self.waiting |= {call.id for call in event.functions}
            case FunctionCallCancelled():
                cancelled = {call.id for call in event.functions}
                self.waiting -= cancelled
                self.gone |= cancelled
            case _:
                pass

    @property
    def is_open(self) -> bool:
        """Whether the agent may act: the client knows that its settings are applied."""
        return self.is_connected and self.agent.is_configured and not self.is_applying

    @property
    def is_applying(self) -> bool:
        return any(isinstance(event, SettingsApplied) for event in self.agent.wire)

    # What the user does.

    @rule(kind=st.sampled_from(["User", "Agent"]))
    def inject(self, kind: str) -> None:
        word = self.name("i")
        self.injected.add(word)
        field = "content" if kind == "User" else "message"
        self.put({"type": f"Inject{kind}Message", field: word})

    @precondition(lambda self: self.waiting)
    @rule()
    def answer(self) -> None:
        call_id = min(self.waiting)
        self.waiting.remove(call_id)
        self.answered[call_id] = self.name("r")
        message: dict[str, object] = {"id": call_id, "name": "f"}
        content = self.answered[call_id]
        self.put({"type": "FunctionCallResponse", **message, "content": content})

    @precondition(lambda self: self.updates < 16)
    @rule(kind=st.sampled_from(sorted(CONFIRMATIONS)), key=st.sampled_from(["a", "b", "hints"]))
    def update(self, kind: str, key: str) -> None:
        self.updates += 1
        name = self.name("u")
        fields: dict[str, dict[str, object]] = {
            "UpdateListen": {
                "listen": {"provider": {key.replace("hints", "language_hints"): name}}
            },
            "UpdatePrompt": {"prompt": name},
            "UpdateSpeak": {"speak": {"model": name}},
            "UpdateThink": {"think": {"prompt": name}},
        }
        message = {"type": kind, **fields[kind]}
        self.wanted.apply(message)
        self.put(message)

    # What the service does.

    @precondition(lambda self: self.is_open)
    @rule(role=st.sampled_from(["user", "assistant"]))
    def speak(self, role: str) -> None:
        self.agent.hear(role, self.name("w"))

    @precondition(lambda self: self.is_open)
    @rule()
    def end_answer(self) -> None:
        self.agent.wire.append(AgentAudioDone())

    @precondition(lambda self: self.is_open)
    @rule()
    def call(self) -> None:
        self.agent.call(self.name("c"))

    @precondition(lambda self: self.is_open)
    @rule()
    def report(self) -> None:
        for call_id in sorted(self.agent.own):
            response = self.agent.calls.get(call_id)
            if response is not None:
                call = HistoryFunctionCall(
                    id=call_id, name="f", arguments="{}", client_side=True, response=response
                )
                self.agent.wire.append(History(function_calls=[call]))

    @precondition(lambda self: self.is_open)
    @rule()
    def cancel(self) -> None:
        for call_id in sorted(self.agent.own):
            if self.agent.calls.get(call_id, "gone") is None:
                self.agent.cancel(call_id)
                return

    # What the line does.

    @rule(count=st.integers(1, 6))
    def deliver(self, count: int) -> None:
        for _ in range(min(count, len(self.agent.wire)) if self.is_connected else 0):
            event = self.agent.wire.popleft()
            self.agent.is_welcomed = self.agent.is_welcomed or isinstance(event, Welcome)
            placed = self.memory.place(event)
            if placed is not None:
                self.told.append(placed)
                self.follow(placed)

    @precondition(lambda self: self.is_connected)
    @rule(count=st.integers(1, 6))
    def say(self, count: int) -> None:
        for _ in range(count):
            assert self.memory.wait_s(0.0) == 0.0
            frame = self.memory.next(0.0)
            if frame is None:
                return
            self.agent.receive(frame)

    @rule()
    def lose(self) -> None:
        self.memory.rewind()
        self.is_connected = False

    @precondition(lambda self: not self.is_connected)
    @rule()
    def connect(self) -> None:
        self.agent = Agent()
        self.memory.restart(0.0)
        self.is_connected = True

    @rule()
    def come_to_rest(self) -> None:
        if not self.is_connected:
            self.connect()
        for _ in range(1000):
            if self.is_at_rest:
                return
            self.deliver(1)
            self.say(1)
        raise AssertionError("the conversation does not go on")

    # What has to be true.

    @property
    def is_at_rest(self) -> bool:
        return self.is_connected and not self.memory.is_behind and not self.agent.wire

    @invariant()
    def everything_is_told_once(self) -> None:
        texts = [event.content for event in self.told if isinstance(event, ConversationText)]
        assert len(texts) == len(set(texts))
        kinds = Counter(type(event) for event in self.told)
        assert kinds[Welcome] <= 1
        assert kinds[SettingsApplied] <= 1
        confirmed = sum(kinds[type(event)] for event in CONFIRMATIONS.values())
        assert confirmed <= self.updates
        if self.is_at_rest:
            assert confirmed == self.updates

    @invariant()
    def the_agent_knows_every_word_once(self) -> None:
        if not self.is_at_rest:
            return
        told = [
            (event.role, event.content)
            for event in self.told
            if isinstance(event, ConversationText)
        ]
        assert sorted(told) == sorted(self.agent.words)
        assert {word for _, word in told} >= self.injected
        spoken = [word for role, word in told if role == "assistant"]
        assert [word for role, word in self.agent.words if role == "assistant"] == spoken

    @invariant()
    def the_agent_knows_every_call(self) -> None:
        if not self.is_at_rest:
            return
        for call_id, response in self.agent.calls.items():
            if response == UNANSWERED:
                assert call_id in self.gone
            elif response is None:
                assert call_id in self.waiting
            else:
                assert self.answered[call_id] == response
        assert set(self.agent.calls) >= (set(self.answered) | self.waiting) - self.gone

    @invariant()
    def the_agent_is_what_the_user_wants(self) -> None:
        if self.is_at_rest:
            assert self.agent.configuration == self.wanted


TestConversation = Conversation.TestCase
