"""The frames of a WebSocket, held against what Deepgram documents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeAlias, cast

import msgspec

from deepgram_async.emulator import _live_messages as live
from deepgram_async.emulator._agent import messages as agent
from deepgram_async.emulator._flux import messages as flux
from deepgram_async.emulator._speech import flux as speak_flux
from deepgram_async.emulator._speech import live as speak

from .deviations import PAGES
from .sounds import says_what_it_is

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from multidict import MultiMapping

    from .deviations import DeviationRule

__all__ = ["JUDGES", "OF_EMULATOR", "SocketJudge"]

Fields = dict[str, Any]
Messages: TypeAlias = "Sequence[type[msgspec.Struct]]"

OF_EMULATOR: Final = "by the local emulator"
"""Refusals with these words are about what is not served here."""

_TIMEOUTS: Final = frozenset({"CLIENT_MESSAGE_TIMEOUT", "NET-0001", "NET-0004"})
# What went wrong at the service or at a provider, or took its time.
_OF_SERVICE: Final = frozenset(
    {
        "ASR_CONNECTION_CLOSED",
        "ASR_DRIVER_TIMEOUT",
        "FAILED_TO_SPEAK",
        "FAILED_TO_START_LISTENING",
        "FAILED_TO_THINK",
        "INTERNAL_SERVER_ERROR",
        "MAXIMUM_SESSION_LENGTH_REACHED",
        "NET-0000",
        "NET-0002",
        "NET-0003",
        "NON_EXISTENT_FUNCTION_CALLED",
        "SERVER_GOING_AWAY",
    }
)
_BYTES_PER_SAMPLE: Final = {"linear16": 2, "linear32": 4, "mulaw": 1, "alaw": 1}


class SocketJudge:
    """Follows one WebSocket; what is the same on all of them is here.

    Args:
        query: The options of the handshake.
        complain: Called with a rule, what is wrong, the page that says so, and whether it is a
            note.
    """

    page: ClassVar[str]
    messages: ClassVar[Messages]
    bad_ends: ClassVar[Sequence[int]] = (1008, 1009)
    """Close codes that blame the client."""
    silence_page: ClassVar[str | None] = None
    """What says how to be silent, if it is not `page`."""
    last_words: ClassVar[Sequence[str]] = ()
    """Messages after which the client says nothing any more."""

    def __init__(
        self,
        query: MultiMapping[str],
        complain: Callable[[DeviationRule, str, str, bool], None],
    ) -> None:
        self.query = query
        self.is_closing = False
        self.has_audio = False
        self._has_timed_out = False
        self._complain = complain
        self._kinds: Mapping[str, type[msgspec.Struct]] = {
            str(kind.__struct_config__.tag): kind for kind in self.messages
        }

    def complain(
        self, rule: DeviationRule, what: str, page: str | None = None, *, is_note: bool = False
    ) -> None:
        """Complain, with the page of the socket if no other has the rule."""
        self._complain(rule, what, page or self.page, is_note)

    # What the client says.

    def hear_text(self, text: str) -> None:
        """Look at a text frame of the client."""
        try:
            fields: object = msgspec.json.decode(text)
        except (msgspec.DecodeError, RecursionError):
            self.complain("message-json", "a text frame is no JSON")
            return
        said = cast("Fields", fields) if isinstance(fields, dict) else {}
        kind = said.get("type")
        if not isinstance(kind, str):
            self.complain("message-json", "a text frame is no object with a type")
            return
        if self.is_closing:
            self.complain("after-close", f"{kind} comes behind the message that closes the stream")
        self.hear_message(kind, said)
        self.is_closing = self.is_closing or kind in self.last_words

    def hear_message(self, kind: str, said: Fields) -> None:
        """Look at a message of the client."""
        form = self._kinds.get(kind)
        if form is None:
            known = ", ".join(sorted(self._kinds))
            self.complain("message-type", f"there is no message {kind!r}, only {known}")
            return
        try:
            msgspec.convert(said, form)
        except msgspec.ValidationError as error:
            self.complain("message-field", f"{kind}: {error}")
        for place in _unknown_fields(said, form):
            self.complain("message-field", f"{kind} has no field {place!r}")

    def hear_audio(self, data: bytes) -> None:
        """Look at a binary frame of the client."""
        if not data:
            self.complain(
                "empty-frame", "an empty binary frame ends the stream; CloseStream does so by name"
            )
        elif self.is_closing:
            self.complain("after-close", "audio comes behind the message that closes the stream")
        elif _is_message(data):
            page = PAGES["KeepAlive"] if b"KeepAlive" in data else None
            self.complain("binary-message", "a message comes in a binary frame, as audio", page)
        elif not self.has_audio:
            self.has_audio = True
            self.begin(data)

    def begin(self, data: bytes) -> None:
        """Look at the first audio."""
        if "encoding" not in self.query and not says_what_it_is(data):
            self.complain(
                "headerless-audio",
                "raw audio comes without encoding and sample_rate",
                PAGES["encoding"],
            )

    # What the service says, and how it ends.

    def tell(self, said: Fields) -> None:
        """Look at a message of the service."""
        if said.get("type") != "Error":
            return
        code, description = said.get("code") or said.get("variant"), said.get("description", "")
        if code in _TIMEOUTS:
            self._note_timeout(f"{code}: {description}")
        elif code not in _OF_SERVICE and OF_EMULATOR not in description:
            self.complain("refused", f"{code}: {description}")

    def leave(self) -> None:
        """Look at a client that has ended the connection."""

    def dismiss(self, code: int | None, reason: str, *, is_wrong: bool) -> None:
        """Look at how the service ends the connection.

        Args:
            code: Close code.
            reason: Close reason.
            is_wrong: Whether the client has left the specification before.
        """
        if any(word in reason for word in ("net0001", "net0002")):
            self._note_timeout(reason)
        elif code in self.bad_ends and not is_wrong:
            self.complain("refused", f"closed with {code}: {reason}")

    def _note_timeout(self, what: str) -> None:
        if not self._has_timed_out:
            self._has_timed_out = True
            self.complain("timeout", what, self.silence_page)


class _Listening(SocketJudge):
    page = PAGES["GET /v1/listen"]
    messages: ClassVar[Messages] = (live.KeepAlive, live.Finalize, live.CloseStream, live.Configure)
    last_words = ("CloseStream",)
    silence_page: ClassVar[str | None] = PAGES["KeepAlive"]
    closing_page: ClassVar[str] = PAGES["CloseStream"]

    def leave(self) -> None:
        if self.has_audio and not self.is_closing:
            self.complain(
                "left-without-close",
                "the client left without CloseStream, and without its last results",
                self.closing_page,
                is_note=True,
            )


class _Flux(_Listening):
    page = PAGES["GET /v2/listen"]
    messages = (flux.Configure, flux.ForceEndTurn, flux.CloseStream)
    silence_page = None
    closing_page = PAGES["CloseStream of Flux"]
    # Advised are 80 ms.
    shortest_s: ClassVar[float] = 0.04
    longest_s: ClassVar[float] = 0.16

    def __init__(
        self,
        query: MultiMapping[str],
        complain: Callable[[DeviationRule, str, str, bool], None],
    ) -> None:
        super().__init__(query, complain)
        size = _BYTES_PER_SAMPLE.get(query.get("encoding", ""), 0)
        rate = query.get("sample_rate", "")
        self._bytes_per_s = size * int(rate) if rate.isdecimal() else 0
        self._odd: str | None = None

    def hear_audio(self, data: bytes) -> None:
        # The last chunk of a recording is what is left of it: only one that is followed counts.
        if self._odd is not None and self._bytes_per_s:
            self.complain("flux-chunk", self._odd, PAGES["Flux"], is_note=True)
            self._bytes_per_s = 0
        super().hear_audio(data)
        if data and self._bytes_per_s:
            length_s = len(data) / self._bytes_per_s
            if not self.shortest_s <= length_s <= self.longest_s:
                self._odd = f"chunks of {length_s * 1000:g} ms, where 80 ms are advised"


class _Speaking(SocketJudge):
    page = PAGES["GET /v1/speak"]
    messages: ClassVar[Messages] = (speak.Speak, speak.Flush, speak.Clear, speak.Close)
    last_words = ("Close",)

    def hear_audio(self, data: bytes) -> None:
        self.complain("sound-where-none-is", "a binary frame, where only messages are taken")


class _SpeakingFlux(_Speaking):
    messages = (
        speak_flux.Speak,
        speak_flux.Flush,
        speak_flux.Interrupt,
        speak_flux.Configure,
        speak_flux.Close,
    )


class _Conversing(SocketJudge):
    page = PAGES["GET /v1/agent/converse"]
    messages = agent.MESSAGES
    # What it blames the client for is in an Error.
    bad_ends = ()

    def __init__(
        self,
        query: MultiMapping[str],
        complain: Callable[[DeviationRule, str, str, bool], None],
    ) -> None:
        super().__init__(query, complain)
        self._has_settings = False
        self._is_ready = False

    def hear_message(self, kind: str, said: Fields) -> None:
        if kind == "Settings":
            if self._has_settings:
                self.complain("settings-order", "Settings come a second time; there are updates")
            self._has_settings = True
            return
        if not self._has_settings:
            self.complain("settings-order", f"{kind} comes before Settings")
        super().hear_message(kind, said)

    def hear_audio(self, data: bytes) -> None:
        if not self._is_ready:
            self.complain("audio-before-settings", "audio comes before SettingsApplied")
        super().hear_audio(data)

    def begin(self, data: bytes) -> None:
        """The settings have a default for everything."""

    def tell(self, said: Fields) -> None:
        if said.get("type") == "SettingsApplied":
            self._is_ready = True
        else:
            super().tell(said)


JUDGES: Final[Mapping[str, type[SocketJudge]]] = {
    "/v1/listen": _Listening,
    "/v2/listen": _Flux,
    "/v1/speak": _Speaking,
    "/v2/speak": _SpeakingFlux,
    "/v1/agent/converse": _Conversing,
}
"""Who judges the sockets of a path."""


def _unknown_fields(said: Fields, form: type[msgspec.Struct]) -> list[str]:
    fields = msgspec.structs.fields(form)
    unknown = sorted(said.keys() - {field.encode_name for field in fields} - {"type"})
    for field in fields:
        inner, kinds = said.get(field.encode_name), (field.type, *_options(field.type))
        for kind in kinds:
            if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
                if isinstance(inner, dict):
                    below = _unknown_fields(cast("Fields", inner), kind)
                    unknown += [f"{field.encode_name}.{name}" for name in below]
    return unknown


def _options(kind: object) -> tuple[object, ...]:
    options: tuple[object, ...] = getattr(kind, "__args__", ())
    return options


def _is_message(data: bytes) -> bool:
    if data[:1] != b"{" or data[-1:] != b"}":
        return False
    try:
        fields: object = msgspec.json.decode(data)
    except msgspec.DecodeError:
        return False
    return isinstance(fields, dict) and "type" in fields
