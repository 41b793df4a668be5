"""The voice agent socket, ``/v1/agent/converse``, without I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from functools import cache
from typing import Any, ClassVar, Final, get_args

import msgspec

from deepgram_async._protocol import agent_fields
from deepgram_async._protocol.audio_core import AudioCore, frame_of
from deepgram_async._protocol.sockets import Close, Fatal, MessageDecoder, State, step
from deepgram_async.errors import AgentError, AudioSourceError, InvalidStateError
from deepgram_async.models.agent import (
    AgentEvent,
    AgentMessage,
    Audio,
    Error,
    FunctionCall,
    FunctionCallCancelled,
    FunctionCallRequest,
    FunctionCallResponse,
    SettingsApplied,
    Welcome,
)
from deepgram_async.models.agent_settings import Function, Listen, Settings, Speak, Think, ThinkLive

__all__ = ["PASSING", "AgentCore", "Stage"]

_KEEP_ALIVE: Final = '{"type":"KeepAlive"}'
_FORCE_END_TURN: Final = '{"type":"ForceEndTurn"}'

PASSING: Final = frozenset(
    {
        "ASR_CONNECTION_CLOSED",
        "FAILED_TO_START_LISTENING",
        "INTERNAL_SERVER_ERROR",
        "MAXIMUM_SESSION_LENGTH_REACHED",
        "SERVER_GOING_AWAY",
    }
)
"""Errors after which a new connection is worth it: the service or something behind it failed, or
the time of a conversation is over. All other codes are mistakes of the client or of a provider
(Deepgram docs, "Errors & Warnings" of the voice agent)."""
_HINTS: Final = {
    "CLIENT_MESSAGE_TIMEOUT": "send audio, or leave agent_keepalive_s in StreamSettings on",
    "FAILED_TO_SPEAK": "check the provider and the endpoint of agent.speak",
    "FAILED_TO_THINK": "check the provider and the endpoint of agent.think",
    "MAXIMUM_SESSION_LENGTH_REACHED": (
        "begin a new conversation with the History messages in agent.context"
    ),
    "NON_EXISTENT_FUNCTION_CALLED": "check agent.think.functions",
    "USER_AUDIO_FORMAT": "audio.input must tell the format of the audio that is sent",
}


class Stage(Enum):
    """Where a conversation stands; the value is how a message calls it."""

    CONNECTED = "waiting for the welcome"
    WELCOMED = "without settings"
    CONFIGURING = "waiting for its settings to be applied"
    OPEN = "open"
    CLOSING = "closing"
    CLOSED = "closed"


_CONVERSING: Final = (
    "send_audio",
    "keep_alive",
    "update_prompt",
    "update_think",
    "update_speak",
    "update_listen",
    "update_think_live",
    "inject_user_message",
    "inject_agent_message",
    "answer_function_call",
    "force_end_turn",
    "send_to_think_provider",
)


class AgentCore(AudioCore[AgentEvent]):
    """The protocol of one conversation with a voice agent.

    The service begins with ``Welcome``. The client answers with ``Settings``, once, and waits for
    ``SettingsApplied``; nothing else may be sent before. From then on both sides send binary
    frames of audio, and JSON beside it. In pauses of the user's audio a ``KeepAlive`` is due every
    eight seconds. ``Error`` ends the conversation whatever it says. There is no closing message:
    the client closes the WebSocket, and nothing is owed after that.
    """

    PATH = "/v1/agent/converse"
    OPERATION = "WebSocket /v1/agent/converse"
    TRANSITIONS: ClassVar[Mapping[tuple[State, str], State]] = {
        (State.OPEN, "close"): State.CLOSING,
    }
    STAGES: ClassVar[Mapping[tuple[Stage, str], Stage]] = {
        (Stage.CONNECTED, "Welcome"): Stage.WELCOMED,
        (Stage.WELCOMED, "send_settings"): Stage.CONFIGURING,
        (Stage.CONFIGURING, "SettingsApplied"): Stage.OPEN,
        **{(Stage.OPEN, operation): Stage.OPEN for operation in _CONVERSING},
    }
    """What may happen at which stage of an open socket, and the stage after it."""
    KEEP_ALIVE = _KEEP_ALIVE

    def __init__(
        self,
        audio_input: Mapping[str, object] | None = None,
        *,
        now: float,
        keepalive_s: float | None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(
            _decoder(),
            audio_input or {},
            now=now,
            keepalive_s=keepalive_s,
            request_id=request_id,
        )
        self._stage = Stage.CONNECTED
        self._waiting_calls: dict[str, FunctionCall] = {}

    # Public methods for sending.

    def send_settings(
        self, settings: Settings | Mapping[str, object], functions: Sequence[Function] = ()
    ) -> str:
        """Return the frame that begins the conversation.

        Raises:
            OptionError: A field has the wrong type.
            InvalidStateError: The service has not welcomed yet, or has settings already.
        """
        return self._send("send_settings", agent_fields.settings_fields(settings, functions))

    def send_audio(self, chunk: bytes | bytearray | memoryview) -> bytes:
        """Return the frame for a chunk of audio; a buffer that may change is copied.

        Raises:
            AudioSourceError: The chunk is empty, or not made of bytes.
            InvalidStateError: The settings are not in force, or the stream has ended.
        """
        frame = chunk if type(chunk) is bytes else frame_of(chunk)
        if not frame:
            raise AudioSourceError("a chunk of audio is empty")
        self._advance("send_audio")
        return frame

    def keep_alive(self) -> str:
        """Return the frame that keeps a silent conversation open."""
        self._advance("keep_alive")
        return _KEEP_ALIVE

    def update_prompt(self, prompt: str) -> str:
        """Return the frame that gives the language model another prompt."""
        return self._send("update_prompt", {"type": "UpdatePrompt", "prompt": prompt})

    def update_think(
        self,
        think: Think | Sequence[Think] | Mapping[str, object],
        functions: Sequence[Function] = (),
    ) -> str:
        """Return the frame that replaces the language model."""
        fields = agent_fields.think_fields(think, functions)
        return self._send("update_think", {"type": "UpdateThink", "think": fields})

    def update_speak(self, speak: Speak | Sequence[Speak] | Mapping[str, object]) -> str:
        """Return the frame that replaces the voice."""
        if isinstance(speak, Speak | Mapping):
            return self._send("update_speak", _update("Speak", speak))
        fields = [agent_fields.fields_of(one, "speak") for one in speak]
        return self._send("update_speak", {"type": "UpdateSpeak", "speak": fields})

    def update_listen(self, listen: Listen | Mapping[str, object]) -> str:
        """Return the frame that changes how the agent hears."""
        return self._send("update_listen", _update("Listen", listen))

    def update_think_live(self, think_live: ThinkLive | Mapping[str, object]) -> str:
        """Return the frame that changes what the agent does between the turns."""
        fields = agent_fields.fields_of(think_live, "think_live")
        message = {"type": "UpdateThink_Live", "think_live": fields}
        return self._send("update_think_live", message)

    def inject_user_message(self, content: str) -> str:
        """Return the frame that lets the user say something."""
        message = {"type": "InjectUserMessage", "content": content}
        return self._send("inject_user_message", message)

    def inject_agent_message(self, message: str | None, behavior: str | None) -> str:
        """Return the frame that lets the agent say something; ``None`` lets it find the words."""
        fields: dict[str, object] = {"type": "InjectAgentMessage"}
        fields |= {"is_dynamic": True} if message is None else {"message": message}
        if behavior is not None:
            fields["behavior"] = behavior
        return self._send("inject_agent_message", fields)

    def force_end_turn(self) -> str:
        """Return the frame that ends the user's turn."""
        self._advance("force_end_turn")
        return _FORCE_END_TURN

    def send_to_think_provider(self, content: object) -> str:
        """Return the frame with a value for a language model of one's own."""
        message = {"type": "__customToThinkProvider", "content": content}
        return self._send("send_to_think_provider", message)

    def is_waiting(self, call: FunctionCall) -> bool:
        """Return whether a call is neither answered nor cancelled."""
        return self.state is State.OPEN and self._waiting_calls.get(call.id) is call

    def answer_function_call(self, call_id: str, content: str) -> str:
        """Return the frame that answers a call, once.

        Raises:
            InvalidStateError: No such call waits: it was answered or cancelled, or never came.
        """
        call = self._waiting_calls.get(call_id)
        if call is None:
            raise InvalidStateError(f"no function call {call_id!r} waits for an answer")
        response = FunctionCallResponse(
            id=call.id, name=call.name, content=content, thought_signature=call.thought_signature
        )
        frame = self._send("answer_function_call", response.to_dict())
        del self._waiting_calls[call_id]
        return frame

    def end(self) -> None:
        """Note that the client closes; the protocol has no message for it.

        Raises:
            InvalidStateError: It was done before, or the stream has ended.
        """
        self._step("close")
        self._all_was_said = True
        self._waiting_calls.clear()

    def frame_sent(self, frame: str | bytes, now: float) -> None:
        """Note that a frame was written; what is said beside the audio does not count as sound."""
        if not isinstance(frame, str) or frame == _KEEP_ALIVE or self.stage is not Stage.OPEN:
            super().frame_sent(frame, now)

    # Public methods for another connection of the same conversation.

    def said(self, frame: str | bytes) -> None:
        """Note that a frame, which the protocol of another connection made, goes out here.

        What follows the welcome are the settings.
        """
        if self.stage is Stage.WELCOMED:
            self._advance("send_settings")

    # Public methods for time.

    @property
    def deadline(self) -> float | None:
        """When ``on_deadline`` wants to be called; ``None`` for never."""
        return super().deadline if self.stage is Stage.OPEN else None

    # Public methods for receiving.

    def receive(self, frame: str | bytes) -> AgentEvent:
        """Return the event in a frame of the service; never raises."""
        if not isinstance(frame, str):
            return Audio(bytes(frame))
        event = super().receive(frame)
        self.note(event)
        return event

    def note(self, event: AgentEvent) -> None:
        """Follow an event that was received here, or on another connection for this stream."""
        match event:
            case Welcome() | SettingsApplied():
                self._stage = self.STAGES.get((self._stage, type(event).__name__), self._stage)
                if isinstance(event, Welcome) and event.request_id is not None:
                    self.request_id = event.request_id
            case FunctionCallRequest():
                calls = {call.id: call for call in event.functions if call.client_side}
                self._waiting_calls |= calls
            case FunctionCallCancelled():
                for cancelled in event.functions:
                    self._waiting_calls.pop(cancelled.id, None)
            case Error() if self.state is State.OPEN:
                reason = event.description or event.message
                self._fatal = Fatal(event.code, reason, event.code in PASSING)
            case _:
                pass

    def receive_close(self, close: Close, *, is_all_sent: bool = True) -> None:
        """Settle how the stream ended: ``close_error`` is ``None`` if it was asked for."""
        super().receive_close(close, is_all_sent=is_all_sent)
        self._waiting_calls.clear()

    def error_of(self, error: Error) -> AgentError:
        """Return what the service's ``Error`` is for the user: the end of the conversation."""
        return AgentError(
            error.description or error.message or "the service gave no reason",
            operation=self.OPERATION,
            code=error.code,
            request_id=self.request_id,
            retryable=error.code in PASSING,
            hint=_HINTS.get(error.code or ""),
        )

    @staticmethod
    def is_expendable(event: AgentEvent) -> bool:
        """Return whether a later event supersedes this one: none does."""
        return False

    # Public attributes.

    @property
    def stage(self) -> Stage:
        """Where the conversation stands."""
        if self.state is State.CLOSED:
            return Stage.CLOSED
        return Stage.CLOSING if self.state is State.CLOSING else self._stage

    # Helpers.

    def _advance(self, operation: str) -> None:
        self._stage = step(self.STAGES, self.stage, operation)

    def _send(self, operation: str, message: Mapping[str, object]) -> str:
        frame = agent_fields.text_frame(message, operation)
        self._advance(operation)
        return frame


def _update(name: str, value: Listen | Speak | Mapping[str, object]) -> dict[str, object]:
    key = name.lower()
    return {"type": f"Update{name}", key: agent_fields.fields_of(value, key)}


@cache
def _decoder() -> MessageDecoder[Any]:
    kinds: tuple[type[msgspec.Struct], ...] = get_args(AgentMessage)
    names = frozenset(str(kind.__struct_config__.tag) for kind in kinds)
    return MessageDecoder(AgentMessage, names)
