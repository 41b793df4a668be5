"""Messages of a socket that this release cannot read: they are handed over, never dropped."""

import msgspec

__all__ = ["Malformed", "Unknown"]

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


def _size(raw: bytes) -> str:
    return f"<{len(raw)} bytes>"


def _shortened(text: str) -> str:
    return text if len(text) <= _SHOWN_CHARACTERS else text[: _SHOWN_CHARACTERS - 1] + "…"
