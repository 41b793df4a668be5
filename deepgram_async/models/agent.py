"""Messages of a voice agent (the `/v1/agent/converse` socket).

What arrives is matched by class:

    match event:
        case Audio():
            await play(event.data)
        case UserStartedSpeaking():
            stop_playing()
        case ConversationText():
            print(f"{event.role}: {event.content}")
"""

from typing import Literal, TypeAlias

import msgspec

from deepgram_async.models._base import Model
from deepgram_async.models.events import Malformed, Reconnected, Reconnecting, Stalled, Unknown

__all__ = [
    "AgentAudioDone",
    "AgentEvent",
    "AgentMessage",
    "AgentStartedSpeaking",
    "AgentThinking",
    "Audio",
    "CancelledFunction",
    "ConversationText",
    "CustomFromThinkProvider",
    "EndOfThought",
    "EndOfTurn",
    "Error",
    "FrustrationDetected",
    "FunctionCall",
    "FunctionCallCancelled",
    "FunctionCallRequest",
    "FunctionCallResponse",
    "History",
    "HistoryFunctionCall",
    "InjectionRefused",
    "LatencyReport",
    "ListenUpdated",
    "PromptUpdated",
    "SettingsApplied",
    "SpeakUpdated",
    "ThinkLiveUpdated",
    "ThinkUpdated",
    "UserStartedSpeaking",
    "Warning",
    "Welcome",
]

Role: TypeAlias = Literal["user", "assistant"] | str


class _Message(Model, frozen=True, kw_only=True, gc=False, tag_field="type"):
    """A message whose field ``type`` is the name of its class."""


class Audio(msgspec.Struct, frozen=True, gc=False):
    """A piece of the agent's speech, in the format of ``audio.output`` of the settings.

    Attributes:
        data: The bytes as received; `repr` shows only how many.
    """

    data: bytes

    def __repr__(self) -> str:
        return f"Audio(data=<{len(self.data)} bytes>)"

    def __rich_repr__(self) -> list[tuple[str, str]]:
        return [("data", f"<{len(self.data)} bytes>")]


class Welcome(_Message, frozen=True, kw_only=True, gc=False):
    """The service is there; the first message of every conversation."""

    request_id: str | None = None


class SettingsApplied(_Message, frozen=True, kw_only=True, gc=False):
    """The settings are in force and the conversation has begun."""


class PromptUpdated(_Message, frozen=True, kw_only=True, gc=False):
    """A new prompt is in force."""


class ThinkUpdated(_Message, frozen=True, kw_only=True, gc=False):
    """A new language model is in force."""


class SpeakUpdated(_Message, frozen=True, kw_only=True, gc=False):
    """A new voice is in force."""


class ListenUpdated(_Message, frozen=True, kw_only=True, gc=False):
    """A new way of listening is in force."""


class ThinkLiveUpdated(_Message, frozen=True, kw_only=True, gc=False):
    """A new behaviour between the turns is in force."""


class ConversationText(_Message, frozen=True, kw_only=True, gc=False):
    """Something that was said; an answer of the agent comes sentence by sentence.

    Attributes:
        role: Who said it.
        content: The words.
        conversational_behavior: Whether it is part of an answer, or said in between.
        languages: Languages of the user's words, the most used first; with
            ``flux-general-multi``.
        languages_hinted: Language hints in force; with ``flux-general-multi``.
    """

    role: Role
    content: str
    conversational_behavior: (
        Literal["default", "backchannel", "presence_check", "filler"] | str | None
    ) = None
    languages: list[str] | None = None
    languages_hinted: list[str] | None = None


class HistoryFunctionCall(Model, frozen=True, kw_only=True, gc=False):
    """A call of a function that has been answered.

    Attributes:
        client_side: Whether this side ran it; otherwise the service called its endpoint.
        arguments: JSON text.
        response: The answer, as text.
        thought_signature: Mark of some Gemini models.
    """

    id: str
    name: str
    client_side: bool
    arguments: str
    response: str
    thought_signature: str | None = None


class History(_Message, frozen=True, kw_only=True, gc=False):
    """One entry of the conversation so far: words, or answered calls of functions.

    A conversation is resumed by giving these messages back as ``agent.context.messages`` of the
    settings. They stay away with ``flags.history=False``.

    Attributes:
        role: Who said the words of `content`.
        content: Words; absent in an entry of calls.
        function_calls: Answered calls; absent in an entry of words.
    """

    role: Role | None = None
    content: str | None = None
    function_calls: list[HistoryFunctionCall] | None = None


class EndOfThought(_Message, frozen=True, kw_only=True, gc=False):
    """The agent has taken in what the user said. Deepgram does not document it."""


class EndOfTurn(_Message, frozen=True, kw_only=True, gc=False):
    """The user's turn is over; seen with Flux models. Deepgram does not document it."""


class UserStartedSpeaking(_Message, frozen=True, kw_only=True, gc=False):
    """The user begins to speak, perhaps over the agent: playback has to stop now.

    Audio of the agent that was received and not yet taken is gone when this arrives.
    """


class AgentThinking(_Message, frozen=True, kw_only=True, gc=False):
    """A thought of the agent that is not spoken; not sent on every turn.

    Attributes:
        content: The thought.
    """

    content: str


class AgentStartedSpeaking(_Message, frozen=True, kw_only=True, gc=False):
    """The agent's answer begins; injected messages come without.

    Attributes:
        total_latency: Seconds from the end of the user's words to the answer.
        tts_latency: The part of it that speech synthesis took.
        ttt_latency: The part of it that the language model took.
    """

    total_latency: float | None = None
    tts_latency: float | None = None
    ttt_latency: float | None = None


class AgentAudioDone(_Message, frozen=True, kw_only=True, gc=False):
    """The last audio of an answer was sent; playing it may take longer."""


class LatencyReport(_Message, frozen=True, kw_only=True, gc=False):
    """How long the parts of an answer took, in seconds; each may come in a message of its own.

    Attributes:
        stt_latency: Speech recognition.
        ttt_token_latency: Until the first token of the language model, of any kind.
        ttt_text_latency: Until its first token of text.
        ttt_tool_latency: Until its first token of a function call.
        ttt_thinking_latency: Until its first token of a thought.
        tts_latency: From the first token of text to the first audio.
        total_latency: From the end of the user's words to the first audio.
    """

    stt_latency: float | None = None
    ttt_token_latency: float | None = None
    ttt_text_latency: float | None = None
    ttt_tool_latency: float | None = None
    ttt_thinking_latency: float | None = None
    tts_latency: float | None = None
    total_latency: float | None = None


class FrustrationDetected(_Message, frozen=True, kw_only=True, gc=False):
    """The user sounds annoyed; only with ``think_live``.

    Attributes:
        count: How many times so far.
        escalated: Whether the limit of the settings is reached.
    """

    count: int
    escalated: bool


class FunctionCall(Model, frozen=True, kw_only=True, gc=False):
    """A call of a function that the language model wants.

    Attributes:
        id: What the answer has to repeat.
        name: Name of the function.
        arguments: JSON text.
        client_side: Whether this side has to run it; otherwise the service calls its endpoint.
        thought_signature: Mark of some Gemini models; the answer repeats it.
    """

    id: str
    name: str
    arguments: str
    client_side: bool
    thought_signature: str | None = None


class FunctionCallRequest(_Message, frozen=True, kw_only=True, gc=False):
    """Functions are to be called. It may come before the user's turn is settled.

    Attributes:
        functions: The calls; those with `client_side` wait for an answer.
    """

    functions: list[FunctionCall]


class FunctionCallResponse(_Message, frozen=True, kw_only=True, gc=False):
    """The answer to a call that the service made by itself, for information.

    Attributes:
        id: Of the call; the service may leave it out.
        name: Name of the function.
        content: What it returned.
        thought_signature: Mark of some Gemini models.
    """

    name: str
    content: str
    id: str | None = None
    thought_signature: str | None = None


class CancelledFunction(Model, frozen=True, kw_only=True, gc=False):
    """A call that is not wanted any more."""

    id: str
    name: str | None = None


class FunctionCallCancelled(_Message, frozen=True, kw_only=True, gc=False):
    """Calls are not wanted any more, and must not be answered.

    Attributes:
        functions: The calls.
    """

    functions: list[CancelledFunction]


class InjectionRefused(_Message, frozen=True, kw_only=True, gc=False):
    """The agent did not say an injected message.

    Attributes:
        message: Why not.
    """

    message: str | None = None


class Warning(_Message, frozen=True, kw_only=True, gc=False):  # noqa: A001 - Deepgram's name
    """Something went wrong and the conversation goes on.

    Attributes:
        code: For programs.
        description: For people.
    """

    code: (
        Literal[
            "FORCE_END_TURN_UNSUPPORTED",
            "FUNCTION_CALL_FAILED",
            "GPT_4O_STREAM_END_ERROR",
            "INJECT_AGENT_MESSAGE_DURING_AGENT_SPEECH",
            "INJECT_AGENT_MESSAGE_DURING_USER_SPEECH",
            "MAXIMUM_SESSION_LENGTH_APPROACHING",
            "PROMPT_TOO_LONG",
            "SLOW_SPEAK_REQUEST",
            "SLOW_THINK_REQUEST",
            "SPEAK_REQUEST_FAILED",
            "THINK_REQUEST_FAILED",
            "VOICE_PROMPT_ADDED",
        ]
        | str
        | None
    ) = None
    description: str | None = None


class Error(_Message, frozen=True, kw_only=True, gc=False):
    """The conversation is over; a stream raises it as `deepgram_async.errors.AgentError`.

    Attributes:
        code: For programs.
        description: For people.
        message: Sent by older servers.
    """

    code: (
        Literal[
            "AGENT_ID_NOT_SUPPORTED",
            "ASR_CONNECTION_CLOSED",
            "ASR_DRIVER_TIMEOUT",
            "CLIENT_MESSAGE_TIMEOUT",
            "FAILED_TO_SPEAK",
            "FAILED_TO_START_LISTENING",
            "FAILED_TO_THINK",
            "INTERNAL_SERVER_ERROR",
            "INVALID_AGENT_ID",
            "INVALID_SETTINGS",
            "MAXIMUM_SESSION_LENGTH_REACHED",
            "NON_EXISTENT_FUNCTION_CALLED",
            "NON_SETTINGS_MESSAGE_BEFORE_SETTINGS",
            "SERVER_GOING_AWAY",
            "SETTINGS_ALREADY_APPLIED",
            "UNPARSABLE_CLIENT_MESSAGE",
            "USER_AUDIO_FORMAT",
        ]
        | str
        | None
    ) = None
    description: str | None = None
    message: str | None = None


class CustomFromThinkProvider(
    _Message, frozen=True, kw_only=True, gc=False, tag="__customFromThinkProvider"
):
    """A message of a language model of one's own, passed on as it is; experimental.

    Attributes:
        content: Any JSON value.
    """

    content: object = None


AgentMessage: TypeAlias = (
    Welcome
    | SettingsApplied
    | PromptUpdated
    | ThinkUpdated
    | SpeakUpdated
    | ListenUpdated
    | ThinkLiveUpdated
    | ConversationText
    | History
    | EndOfThought
    | EndOfTurn
    | UserStartedSpeaking
    | AgentThinking
    | AgentStartedSpeaking
    | AgentAudioDone
    | LatencyReport
    | FrustrationDetected
    | FunctionCallRequest
    | FunctionCallResponse
    | FunctionCallCancelled
    | InjectionRefused
    | Warning
    | Error
    | CustomFromThinkProvider
)
"""Every message that this release knows, told apart by the field ``type`` when decoding."""

AgentEvent: TypeAlias = (
    AgentMessage | Audio | Unknown | Malformed | Reconnecting | Reconnected | Stalled
)
"""Everything that iterating over a conversation can yield; an `Error` is raised instead."""
