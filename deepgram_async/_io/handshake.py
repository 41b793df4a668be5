"""The opening handshake of a WebSocket, for answers that are as they should be."""

from __future__ import annotations

import base64
import logging
import os
from collections.abc import Mapping
from typing import Final

from websockets.client import ClientProtocol
from websockets.headers import build_host
from websockets.uri import WebSocketURI
from websockets.utils import accept_key

__all__ = ["Handshake"]

_GRANTED: Final = b"HTTP/1.1 101 "
_FORBIDDEN: Final = frozenset("\r\n\0")


class Handshake:
    """Asks for a WebSocket and knows the answer that grants it.

    Any other answer is left to websockets, which tells what is wrong with it.
    """

    __slots__ = ("_key", "_uri", "request")

    request: bytes
    """What is to be sent."""

    def __init__(self, uri: WebSocketURI, headers: Mapping[str, str]) -> None:
        """Prepare a handshake.

        Raises:
            ValueError: A header would be more than one line.
        """
        self._uri = uri
        self._key = base64.b64encode(os.urandom(16)).decode()
        lines = [
            f"GET {uri.resource_name} HTTP/1.1",
            f"Host: {build_host(uri.host, uri.port, uri.secure)}",
            "Upgrade: websocket",
            "Connection: Upgrade",
            f"Sec-WebSocket-Key: {self._key}",
            "Sec-WebSocket-Version: 13",
        ]
        for name, value in headers.items():
            if not _FORBIDDEN.isdisjoint(name + value):
                raise ValueError(f"the header {name!r} has a line break")
            lines.append(f"{name}: {value}")
        self.request = "\r\n".join([*lines, "", ""]).encode()

    def granted(self, head: bytes) -> Mapping[str, str] | None:
        """Return the headers of an answer that grants the WebSocket; ``None`` for any other.

        Args:
            head: The answer up to the empty line behind its headers.
        """
        if not head.startswith(_GRANTED):
            return None
        headers: dict[str, str] = {}
        for line in head.decode("latin-1").split("\r\n")[1:-2]:
            name, colon, value = line.partition(":")
            name = name.lower()
            if not colon or name in headers or name != name.strip():
                return None
            headers[name] = value.strip()
        is_granted = (
            headers.get("upgrade", "").lower() == "websocket"
            and headers.get("connection", "").lower() == "upgrade"
            and headers.get("sec-websocket-accept") == accept_key(self._key)
            and "sec-websocket-extensions" not in headers
            and "sec-websocket-protocol" not in headers
        )
        return headers if is_granted else None

    def judge(self, max_size: int, logger: logging.Logger) -> ClientProtocol:
        """Return the protocol of websockets, waiting for the answer."""
        protocol = ClientProtocol(self._uri, max_size=max_size, logger=logger)
        protocol.key = self._key
        return protocol
