"""What a conversation with a voice agent remembers, so that another connection can go on."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from enum import Enum
from typing import Any, Final

import msgspec

from deepgram_async._protocol.agent import PASSING
from deepgram_async._protocol.agent_fields import text_frame
from deepgram_async._protocol.agent_updates import UPDATES, Updates
from deepgram_async._protocol.audio_clocks import bytes_per_s_of
from deepgram_async._protocol.backlog import Backlog
from deepgram_async._protocol.dialogue import Dialogue
from deepgram_async._protocol.memory import CannotResume, Memory, Rewind
from deepgram_async.models.agent import (
    AgentAudioDone,
    AgentEvent,
    AgentStartedSpeaking,
    AgentThinking,
    Audio,
    CancelledFunction,
    ConversationText,
    Error,
    FunctionCall,
    FunctionCallCancelled,
    FunctionCallRequest,
    FunctionCallResponse,
    History,
    InjectionRefused,
    SettingsApplied,
    UserStartedSpeaking,
    Welcome,
)
from deepgram_async.models.agent import Warning as AgentWarning
from deepgram_async.models.agent_settings import Audio as AudioSettings

__all__ = ["ConversationMemory"]

# What is said in between is no answer, and means nothing to the next agent.
_ASIDES: Final = frozenset({"backchannel", "filler"})
# What a service says that ignores an injected message.
_REFUSALS: Final = frozenset(
    {"INJECT_AGENT_MESSAGE_DURING_AGENT_SPEECH", "INJECT_AGENT_MESSAGE_DURING_USER_SPEECH"}
)
_ENDS_SOON: Final = "MAXIMUM_SESSION_LENGTH_APPROACHING"
_INJECTIONS: Final = frozenset({"InjectAgentMessage", "InjectUserMessage"})
# A KeepAlive means this moment only, and the settings are written anew.
_NOT_KEPT: Final = frozenset({"KeepAlive", "Settings"})

# Containers whose header a decoder has to hear first.
_NEED_A_HEADER: Final = frozenset({"flac", "ogg-opus"})

_SIGNS_OF_LIFE: Final = (
    AgentStartedSpeaking,
    AgentThinking,
    Audio,
    ConversationText,
    FunctionCallRequest,
    UserStartedSpeaking,
)

# An agent that has said nothing for so long does not mean to answer.
_ANSWER_S: Final = 30.0
# Words that end every connection on which they are said are not said for ever, nor are the
# functions called for them again.
_MOST_REPEATS: Final = 2


class _Stage(Enum):
    CONNECTED = "waiting for the welcome"
    WELCOMED = "without settings"
    CONFIGURING = "waiting for its settings to be applied"
    OPEN = "open"


class _Said(msgspec.Struct):
    """What is of interest in a message of the client."""

    type: str
    content: object = None
    id: str | None = None
    name: str = ""
    message: str | None = None


class _Formats(msgspec.Struct):
    audio: AudioSettings = msgspec.field(default_factory=AudioSettings)


class ConversationMemory(Memory[AgentEvent]):
    """What makes a new agent go on where the last one was lost.

    A new connection is a new agent that knows nothing. It gets the settings with everything that
    was said as ``agent.context``, and without the greeting; then the updates that were in force,
    one after the other; then what nobody has reacted to:

    - The user's last words, if the agent had not begun to answer them, or had called functions
      and not said what came of them: they are taken out of the context and injected. The calls
      stay in it, before them. Of an answer that had begun, what was said stays in the context;
      the rest is lost, until the user says something.
    - Injected messages of which there is no sign, and messages and audio that were not sent.
    - Audio that has not become text, within its bound.

    A call that is open when the settings are written can be answered no more: the agent reads
    that the connection was lost, and the user gets a ``FunctionCallCancelled``. Before that, the
    functions get a little time; an answer that comes in time stands in the context. ``Welcome``,
    ``SettingsApplied``, confirmations of updates and the echo of repeated words are told to the
    user once, not for every connection.

    An agent that is stored with Deepgram, whose id stands in place of ``agent``, can be given no
    context. It begins anew, with its greeting, and is told the user's last words only if no
    function was called for them.
    """

    def __init__(
        self,
        settings: Mapping[str, object],
        *,
        replay_speed: float | None = 1.25,
        audio_s: float = 10.0,
        call_patience_s: float = 5.0,
        most_characters: int = 100_000,
    ) -> None:
        """Prepare the memory of a conversation whose first settings are said by the stream.

        Args:
            settings: The message ``Settings`` of the first connection.
            replay_speed: How much faster than real time audio is said again; ``None`` for at once.
            audio_s: Seconds of audio to keep. Older audio is dropped.
            call_patience_s: How long a new connection waits for open calls of functions; the
                service closes one that is silent for about ten seconds.
            most_characters: How much of what was said is remembered; the oldest turns go first.

        Raises:
            OptionError: The settings hold what JSON cannot.
        """
        self.is_behind = False
        self._settings: dict[str, Any] = msgspec.json.decode(text_frame(settings, "settings"))
        self._call_patience_s = call_patience_s
        self._dialogue = Dialogue(most_characters)
        self._updates = Updates()
        self._encoding, bytes_per_s, sample_bytes = _format_of(self._settings)
        self._backlog = Backlog(
            bytes_per_s=bytes_per_s,
            sample_bytes=sample_bytes,
            longest_s=audio_s,
            speed=replay_speed,
        )
        self._stage = _Stage.CONNECTED
        self._has_begun = False
        """Whether the settings were applied on any connection."""
        self._has_audio = False
        self._was_spoken = False
        """Whether anybody has said anything."""
        self._agent_speaks = False
        self._now = 0.0
        """The last time that was told."""
        self._owed_since = 0.0
        """When the user spoke, or the agent called functions for it."""
        self._is_owed = False
        """Whether an answer was owed when the last connection was lost."""
        self._repeats = 0
        """How often the words that wait for an answer were said again."""
        self._repeated: str | None = None
        """What is still to be said again."""
        self._echo = ""
        self._echoes: set[type] = set()
        """Messages with the repeated words that will come."""
        self._call_ids: set[str] = set()
        """The calls that the present connection knows."""
        self._answers: deque[str] = deque()
        """Answers to them that are not sent."""
        self._abandoned: list[FunctionCall] = []
        self._patient_until = 0.0

    # What the user says.

    def add(self, frame: str | bytes, now: float) -> None:
        self._now = now
        is_sent = not self.is_behind
        if isinstance(frame, bytes):
            self._has_audio = True
            self._backlog.add_audio(frame, now, is_sent=is_sent)
            return
        said = msgspec.json.decode(frame, type=_Said)
        if said.type in UPDATES:
            self._updates.add(said.type, frame, is_said=is_sent)
        elif said.type == "FunctionCallResponse":
            self._dialogue.answer(str(said.content), call_id=said.id, name=said.name)
            if not is_sent and said.id in self._call_ids:
                self._answers.append(frame)
        elif said.type not in _NOT_KEPT:
            is_lasting = said.type in _INJECTIONS
            self._backlog.add_message(frame, now, is_sent=is_sent, needs_effect=is_lasting)

    # What the service says.

    def place(self, event: AgentEvent) -> AgentEvent | None:
        match event:
            case Audio():
                self._agent_speaks = self._was_spoken = True
            case AgentStartedSpeaking():
                self._agent_speaks = True
                self._backlog.is_speech = False
            case ConversationText():
                return self._heard(event)
            case History():
                return self._recalled(event)
            case Welcome() | SettingsApplied():
                return self._begun(event)
            case UserStartedSpeaking():
                self._agent_speaks = False
                self._backlog.is_speech = True
            case AgentAudioDone():
                self._agent_speaks = False
                self._dialogue.end_turn()
            case FunctionCallRequest() | FunctionCallResponse() | FunctionCallCancelled():
                self._called(event)
            case InjectionRefused():
                self._backlog.settle(_is_agent_message)
            case AgentWarning():
                self.wants_handover = self.wants_handover or event.code == _ENDS_SOON
                if event.code in _REFUSALS:
                    self._backlog.settle(_is_agent_message)
            case Error():
                self.is_over = self._has_begun and event.code in PASSING
                return None if self.is_over else event
            case _:
                return self._updates.place(event)
        return event

    def is_progress(self, event: AgentEvent) -> bool:
        return self._stage is _Stage.OPEN and isinstance(event, _SIGNS_OF_LIFE)

    # From one connection to the next.

    def rewind(self) -> Rewind:
        if not self._has_begun:
            raise CannotResume("its settings were never applied")
        if self._has_audio and self._encoding in _NEED_A_HEADER:
            reason = f"{self._encoding} cannot be continued in the middle"
            raise CannotResume(reason, "send raw audio to have lost connections replaced")
        self._is_owed = self._owes_answer
        self.is_behind = True
        self._stage = _Stage.CONNECTED
        self._agent_speaks = False
        self._repeated = None
        self._echoes.clear()
        self._call_ids.clear()
        self._answers.clear()
        self._updates.rewind()
        self._backlog.rewind(self._now)
        return Rewind(self._backlog.sent_s, self._backlog.dropped_s)

    def restart(self, now: float) -> None:
        self._now = now
        if self._is_owed:
            self._owed_since = now
        self.wants_handover = self.is_over = False
        self._patient_until = now + self._call_patience_s

    def wait_s(self, now: float) -> float:
        if self._stage is _Stage.WELCOMED and self.open_calls:
            return max(0.0, self._patient_until - now)
        if self._stage is _Stage.OPEN and not self._has_more_urgent:
            return self._backlog.wait_s(now)
        return 0.0

    def next(self, now: float) -> str | bytes | None:
        self._now = now
        if not self.is_behind:
            return None
        if self._stage is _Stage.WELCOMED:
            self._stage = _Stage.CONFIGURING
            return self._renewed_settings()
        if self._stage is not _Stage.OPEN:
            return None
        if self._answers:
            return self._answers.popleft()
        if self._updates.has_unsaid:
            return self._updates.next()
        if self._repeated is not None:
            return self._repeat(self._repeated)
        frame = self._backlog.next(now)
        self.is_behind = frame is not None
        return frame

    def change(self, options: Mapping[str, object]) -> None:
        """Take nothing: the options of a conversation are its settings."""

    # Public attributes.

    @property
    def options(self) -> Mapping[str, object]:
        return {}

    @property
    def unsent_bytes(self) -> int:
        waiting = [*self._answers, *([] if self._repeated is None else [self._repeated])]
        messages = sum(len(frame) for frame in waiting) + self._updates.unsaid_bytes
        return self._backlog.unsent_bytes + messages

    @property
    def unsent_s(self) -> float:
        return self._backlog.unsent_s

    @property
    def is_full(self) -> bool:
        # More than may be kept takes the place of the oldest.
        return False

    @property
    def is_quiet(self) -> bool:
        return not (
            self.is_behind
            or self._agent_speaks
            or self._backlog.is_speech
            or self._backlog.awaits_effect(self._now)
            or self._dialogue.open_calls
            or self._owes_answer
        ) and (self._stage is _Stage.OPEN and self._updates.is_settled)

    @property
    def sent_bytes(self) -> int:
        return self._backlog.sent_bytes

    @property
    def dropped_s(self) -> float:
        return self._backlog.dropped_s

    @property
    def open_calls(self) -> list[FunctionCall]:
        """The calls of functions on this side that are not answered."""
        return [call for call in self._dialogue.open_calls if call.client_side]

    # The beginning of a connection.

    def _begun(self, event: Welcome | SettingsApplied) -> AgentEvent | None:
        if isinstance(event, Welcome):
            self._stage = _Stage.WELCOMED
            return None if self._has_begun else event
        self._stage = _Stage.OPEN
        if not self._has_begun:
            self._has_begun = True
            return event
        if not self._abandoned:
            return None
        cancelled = [CancelledFunction(id=call.id, name=call.name) for call in self._abandoned]
        self._abandoned = []
        return FunctionCallCancelled(functions=cancelled)

    def _renewed_settings(self) -> str:
        self._abandoned += self._dialogue.abandon_calls()
        settings = self._settings
        agent: dict[str, Any] | str = settings.get("agent") or {}
        is_stored = isinstance(agent, str)
        # A stored agent would not know of the calls, and make them again.
        is_repeatable = self._repeats < _MOST_REPEATS and not (
            is_stored and self._dialogue.has_called
        )
        self._repeated = self._dialogue.repeat() if self._is_owed and is_repeatable else None
        if isinstance(agent, str):
            return _frame(settings)
        said = self._dialogue.messages()
        if self._repeated is not None:
            said.pop()
        context: dict[str, Any] = agent.get("context") or {}
        earlier: list[object] = context.get("messages") or []
        renewed: dict[str, Any] = {
            **agent,
            "context": {**context, "messages": [*earlier, *said]},
        }
        if self._was_spoken:
            renewed.pop("greeting", None)
        return _frame({**settings, "agent": renewed})

    def _repeat(self, content: str) -> str:
        self._repeated = None
        self._repeats += 1
        self._echo, self._echoes = _plain(content), {ConversationText, History}
        return _frame({"type": "InjectUserMessage", "content": content})

    @property
    def _has_more_urgent(self) -> bool:
        return bool(self._answers or self._updates.has_unsaid or self._repeated is not None)

    @property
    def _owes_answer(self) -> bool:
        return self._dialogue.owes_answer and (
            bool(self.open_calls) or self._now - self._owed_since < _ANSWER_S
        )

    # The conversation.

    def _heard(self, text: ConversationText) -> ConversationText | None:
        self._was_spoken = True
        if text.role == "user":
            return self._heard_user(text)
        is_injected = self._backlog.settle(lambda frame: _is_agent_message(frame, text.content))
        if is_injected or text.conversational_behavior not in _ASIDES:
            self._dialogue.say(text.role, text.content)
            self._repeats = 0
            self._echoes.clear()
        return text

    def _heard_user(self, text: ConversationText) -> ConversationText | None:
        self._owed_since = self._now
        if self._is_echo(text):
            return None
        if not self._backlog.settle(lambda frame: _is_user_message(frame, text.content)):
            self._backlog.settle_audio()
        self._dialogue.say(text.role, text.content)
        self._repeats = 0
        return text

    def _recalled(self, entry: History) -> History | None:
        for call in entry.function_calls or ():
            self._dialogue.report(call)
        return None if self._is_echo(entry) else entry

    def _is_echo(self, message: ConversationText | History) -> bool:
        kind = type(message)
        if kind not in self._echoes or message.role != "user":
            return False
        if _plain(message.content or "") != self._echo:
            return False
        self._echoes.remove(kind)
        return True

    def _called(
        self, event: FunctionCallRequest | FunctionCallResponse | FunctionCallCancelled
    ) -> None:
        self._owed_since = self._now
        match event:
            case FunctionCallRequest():
                self._dialogue.call(event.functions)
                self._call_ids.update(call.id for call in event.functions)
            case FunctionCallResponse():
                self._dialogue.answer(event.content, call_id=event.id, name=event.name)
            case FunctionCallCancelled():
                self._dialogue.cancel({call.id for call in event.functions})


def _format_of(settings: Mapping[str, Any]) -> tuple[str, float | None, int]:
    """Return encoding, bytes in a second, and bytes of a sample of the user's audio."""
    try:
        declared = msgspec.convert(settings, _Formats).audio.input
    except msgspec.ValidationError:
        return "", None, 1
    options = {"encoding": declared.encoding, "sample_rate": declared.sample_rate}
    bytes_per_s = bytes_per_s_of(options)
    sample_bytes = 1 if bytes_per_s is None else round(bytes_per_s / declared.sample_rate)
    return declared.encoding, bytes_per_s, sample_bytes


def _is_user_message(frame: str, content: str) -> bool:
    said = msgspec.json.decode(frame, type=_Said)
    return said.type == "InjectUserMessage" and _plain(str(said.content)) == _plain(content)


def _is_agent_message(frame: str, content: str | None = None) -> bool:
    """Return whether a message is one for the agent to say, and content the beginning of it."""
    said = msgspec.json.decode(frame, type=_Said)
    if said.type != "InjectAgentMessage":
        return False
    return (
        content is None or said.message is None or _plain(said.message).startswith(_plain(content))
    )


def _plain(text: str) -> str:
    return " ".join(text.split())


def _frame(message: Mapping[str, object]) -> str:
    return msgspec.json.encode(message).decode()
