"""What clients of a voice agent say, as values."""

from __future__ import annotations

from typing import Final, Literal, get_args

import msgspec

from deepgram_async.emulator._wire import read_message

from .settings import SettingsError

__all__ = [
    "ClientMessage",
    "CustomToThinkProvider",
    "ForceEndTurn",
    "FunctionCallResponse",
    "InjectAgentMessage",
    "InjectUserMessage",
    "KeepAlive",
    "MESSAGES",
    "SettingsMessage",
    "UpdateListen",
    "UpdatePrompt",
    "UpdateSpeak",
    "UpdateThink",
    "UpdateThinkLive",
    "parse",
]


class SettingsMessage(msgspec.Struct, frozen=True):
    """Everything about the conversation, not looked at yet."""

    fields: dict[str, object]


class KeepAlive(msgspec.Struct, frozen=True, tag=True):
    """Nothing to say, but still there."""


class UpdatePrompt(msgspec.Struct, frozen=True, tag=True):
    """More about who the agent is."""

    prompt: str


class UpdateThink(msgspec.Struct, frozen=True, tag=True):
    """Another way to think."""

    think: object


class UpdateSpeak(msgspec.Struct, frozen=True, tag=True):
    """Another voice."""

    speak: object


class UpdateListen(msgspec.Struct, frozen=True, tag=True):
    """Another way to listen."""

    listen: object


class UpdateThinkLive(msgspec.Struct, frozen=True, tag="UpdateThink_Live"):
    """Another behaviour between the turns."""

    think_live: object


class InjectUserMessage(msgspec.Struct, frozen=True, tag=True):
    """The user says something."""

    content: str


class InjectAgentMessage(msgspec.Struct, frozen=True, tag=True):
    """The agent says something; it finds the words itself if there is no message."""

    message: str | None = None
    behavior: Literal["default", "queue", "interrupt"] = "default"
    is_dynamic: bool = False


class FunctionCallResponse(msgspec.Struct, frozen=True, tag=True):
    """A function was called."""

    name: str
    content: str
    id: str | None = None
    thought_signature: str | None = None


class ForceEndTurn(msgspec.Struct, frozen=True, tag=True):
    """The user's turn ends now."""


class CustomToThinkProvider(msgspec.Struct, frozen=True, tag="__customToThinkProvider"):
    """Something for a language model of the client's own."""

    content: object = None


ClientMessage = (
    KeepAlive
    | UpdatePrompt
    | UpdateThink
    | UpdateSpeak
    | UpdateListen
    | UpdateThinkLive
    | InjectUserMessage
    | InjectAgentMessage
    | FunctionCallResponse
    | ForceEndTurn
    | CustomToThinkProvider
)
MESSAGES: Final[tuple[type[msgspec.Struct], ...]] = get_args(ClientMessage)
"""All of them."""

_envelope: Final = msgspec.json.Decoder(dict[str, object])


def parse(text: str) -> ClientMessage | SettingsMessage:
    """Read a text message of a client.

    Raises:
        SettingsError: It is none.
    """
    try:
        fields = read_message(_envelope, text)
        if fields.get("type") == "Settings":
            return SettingsMessage(fields)
        message: ClientMessage = msgspec.convert(fields, ClientMessage)
        return message
    except msgspec.DecodeError as error:
        code = "UNPARSABLE_CLIENT_MESSAGE"
        raise SettingsError(code, f"Error parsing client message. {error}") from None
