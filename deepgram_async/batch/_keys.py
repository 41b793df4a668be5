"""How an item with its options is recognised again."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import msgspec

from deepgram_async import QueryValue
from deepgram_async.batch._items import Item
from deepgram_async.options import ListenOptions

__all__ = ["fingerprint", "item_key", "key_of"]


async def item_key(
    item: Item,
    options: ListenOptions,
    extra_query: Mapping[str, QueryValue] | None = None,
) -> str:
    """Return the key that a batch with these options gives an item: 32 hexadecimal digits.

    Raises:
        Exception: The item cannot be reached.
    """
    return key_of(await item.identity(), fingerprint(options, extra_query or {}))


def fingerprint(options: ListenOptions, extra_query: Mapping[str, QueryValue]) -> bytes:
    """Return the options as bytes; those that are ``None`` are not sent and do not count."""
    sent = {name: value for name, value in {**options, **extra_query}.items() if value is not None}
    return msgspec.json.encode(sent, order="deterministic")


def key_of(identity: str, options: bytes) -> str:
    """Return the key of an item with this identity, for options as bytes."""
    return hashlib.sha256(identity.encode("utf-8", "surrogatepass") + b"\0" + options).hexdigest()[
        :32
    ]
