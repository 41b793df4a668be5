"""How the streams with options come by their connections."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from deepgram_async._protocol.core import SocketCore
from deepgram_async._protocol.query import QueryValue
from deepgram_async._resources.sender import Sender
from deepgram_async._stream.resumable import ConnectorMaker
from deepgram_async._stream.stream import Connector

__all__ = ["connector_maker"]


def connector_maker(
    sender: Sender,
    core: type[SocketCore[Any]],
    kind: type[Any],
    check: Callable[[Mapping[str, object]], None],
    extra_query: Mapping[str, QueryValue] | None,
) -> ConnectorMaker:
    """Return what checks options, and returns what connects with them.

    Args:
        sender: The session.
        core: The protocol of the socket.
        kind: The TypedDict of its options.
        check: Refuses what breaks a documented rule.
        extra_query: Query keys that are newer than this release.
    """

    def connector(current: Mapping[str, object]) -> Connector:
        query = sender.query(current, kind, extra_query)
        if sender.validate:
            check(current)
        return sender.connector(core.PATH, query, core.OPERATION)

    return connector
