"""What every answer and message of the service has in common."""

import msgspec
from msgspec.structs import force_setattr

__all__ = ["Answer", "Model", "attach_raw"]


class Model(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    gc=False,
    omit_defaults=True,
    repr_omit_defaults=True,
):
    """A value as the service sent it: immutable, with Deepgram's own field names.

    Fields that this release does not know are dropped on reading; fields that the service left out
    are ``None`` (or an empty list where a list is the normal case).
    """

    # Models are frozen and built from JSON, so they cannot be part of a reference cycle: `gc=False`
    # spares the garbage collector the thousands of words of a long transcript.
    #
    # `omit_defaults` is what leaves out ``None`` when writing. It knows plain defaults only, so
    # every other default is a factory: an empty list or a false flag was perhaps sent, and is kept.

    def to_dict(self) -> dict[str, object]:
        """Return plain dicts, lists and numbers, leaving out at any depth what is ``None``."""
        fields: dict[str, object] = msgspec.to_builtins(self)
        return fields

    def to_json(self) -> str:
        """Return the JSON text of what `to_dict` returns."""
        return msgspec.json.encode(self).decode()


class Answer(Model, frozen=True, kw_only=True, dict=True, gc=True):
    """The whole body of one answer, optionally together with the bytes it was read from.

    A copied or unpickled answer has the fields, not the bytes.
    """

    @property
    def raw(self) -> bytes | None:
        """The body as received, or ``None`` unless the session was asked to keep it."""
        raw: bytes | None = self.__dict__.get("_raw")
        return raw

    def to_dict(self) -> dict[str, object]:
        """Return the answer as plain dicts and lists.

        With `raw` this is all that the service said, fields unknown to this release included.
        Without, it is the known fields, leaving out what is ``None``.
        """
        if self.raw is None:
            return super().to_dict()
        return msgspec.json.decode(self.raw, type=dict[str, object])

    def to_json(self) -> str:
        """Return the JSON text: `raw` to the letter where it was kept, else that of `to_dict`."""
        return super().to_json() if self.raw is None else self.raw.decode()


def attach_raw(answer: Answer, body: bytes) -> None:
    """Keep the body that an answer was decoded from, once, right after decoding it."""
    force_setattr(answer, "_raw", body)
