"""Events that every socket can have: messages that nobody can read, and how the connection is.

What this release cannot read is handed over, never dropped.
"""

import msgspec

__all__ = ["Malformed", "Reconnected", "Reconnecting", "Stalled", "Unknown"]

# Enough to recognise a type or a reason, however long the text is that a server put there.
_SHOWN_CHARACTERS = 200


class Unknown(msgspec.Struct, frozen=True, gc=False):
    """A message of a type that is newer than this release.

    Attributes:
        type: The field ``type`` of the message.
        raw: The whole message as received; `repr` shows only its size.
    """

    type: str
    raw: bytes

    def __repr__(self) -> str:
        return f"Unknown(type={_shortened(self.type)!r}, raw={_size(self.raw)})"

    def __rich_repr__(self) -> list[tuple[str, str]]:
        return [("type", _shortened(self.type)), ("raw", _size(self.raw))]


class Malformed(msgspec.Struct, frozen=True, gc=False):
    """A message that is not what its type promises, or no JSON object at all.

    Attributes:
        raw: The whole message as received; `repr` shows only its size.
        reason: What is wrong, and where in the message.
    """

    raw: bytes
    reason: str

    def __repr__(self) -> str:
        return f"Malformed(raw={_size(self.raw)}, reason={_shortened(self.reason)!r})"

    def __rich_repr__(self) -> list[tuple[str, str]]:
        return [("raw", _size(self.raw)), ("reason", _shortened(self.reason))]


class Reconnecting(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The connection was lost, or could not be replaced; another attempt follows after a pause.

    What was said is kept meanwhile, and more can be said.

    Attributes:
        attempt: Number of the attempt that follows, counted from 1 since the last result.
        delay_s: Seconds until it is made.
        reason: How the connection ended, or how the attempt before failed.
    """

    attempt: int
    delay_s: float
    reason: str


class Reconnected(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The stream goes on over another connection, on the same clock.

    Final results that came before stay and are not repeated. Interim results since the last final
    one, or the turn that was under way, come anew. Speech goes on where its audio stopped. In a
    conversation with an agent another agent goes on, and what the user knows already is not told
    again.

    Attributes:
        gap_s: Seconds without a connection.
        replayed_s: Seconds of audio that are said now to catch up, again or for the first time;
            0 where the format does not tell, and for text.
        dropped_s: Seconds of audio that no final result covers and nobody will hear, because
            more had to be kept than the settings allow. What is dropped later, before all is
            caught up, is told by the next event.
        attempts: How many connections were tried.
        request_id: The id of the new connection.
        is_planned: Whether a connection that worked was replaced, because the service would have
            ended it soon for its age.
    """

    gap_s: float
    replayed_s: float
    dropped_s: float
    attempts: int
    request_id: str | None
    is_planned: bool = False


class Stalled(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Audio is sent, the connection stands, and the service says nothing; the stream goes on.

    It comes once, and again only after another event has come. It is never dropped to make room
    for others.

    Attributes:
        silent_s: Seconds since the last event, or since the beginning; to a quarter of the
            setting.
        audio_s: Seconds of audio that were sent since; ``None`` where the format does not tell.
    """

    silent_s: float
    audio_s: float | None


def _size(raw: bytes) -> str:
    return f"<{len(raw)} bytes>"


def _shortened(text: str) -> str:
    return text if len(text) <= _SHOWN_CHARACTERS else text[: _SHOWN_CHARACTERS - 1] + "…"
