"""The client at the other end of a WebSocket, which may be slow, silent or gone."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec
from aiohttp import WSMsgType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiohttp import web

    from ._faulty_socket import FaultySocket
    from ._settings import EmulatorSettings
    from ._wire import Json

__all__ = ["GoneError", "Peer"]


class GoneError(Exception):
    """The client is not there any more."""


class Peer:
    """Sends to a client, which has to take what it is sent in bounded time."""

    def __init__(
        self, request: web.Request, socket: FaultySocket, settings: EmulatorSettings
    ) -> None:
        self._request = request
        self._socket = socket
        self._timeout_s = settings.peer_timeout_s

    async def say(self, message: Mapping[str, Json]) -> None:
        """Send a message.

        Raises:
            GoneError: The client has left, or takes nothing for too long.
        """
        await self._deliver(msgspec.json.encode(message).decode())

    async def play(self, audio: bytes) -> None:
        """Send audio.

        Raises:
            GoneError: The client has left, or takes nothing for too long.
        """
        await self._deliver(audio)

    async def close(self, code: int, reason: str = "") -> None:
        """Say goodbye, and wait for the answer to it in bounded time."""
        self._socket.say_goodbye(code, reason)
        await self._socket.close(code=code, message=reason.encode())

    async def close_without_code(self) -> None:
        """Say goodbye without a reason, which clients see as 1005."""
        self._socket.say_goodbye(None, "")
        try:
            await self._socket.send_frame(b"", WSMsgType.CLOSE)
        except ConnectionError:
            raise GoneError from None

    def abort(self) -> None:
        """End the connection without a goodbye."""
        transport = self._request.transport
        if transport is not None:
            transport.abort()

    async def _deliver(self, frame: str | bytes) -> None:
        try:
            async with asyncio.timeout(self._timeout_s):
                if isinstance(frame, str):
                    await self._socket.send_str(frame)
                else:
                    await self._socket.send_bytes(frame)
        except (ConnectionError, TimeoutError):
            raise GoneError from None
