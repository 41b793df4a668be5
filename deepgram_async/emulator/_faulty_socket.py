"""A WebSocket of the local Deepgram, on which things go wrong where a fault wants it so."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from aiohttp import WSMessage, WSMsgType, web

from ._faulty_answers import with_unknown_field
from ._live_messages import DATA_0000, NET_0000, NET_0001, NET_0002

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterable, Sequence

    from ._faults import ServiceFault
    from ._watch import Watch

__all__ = ["FaultySocket"]

_REASONS: Final = {
    "DATA-0000": DATA_0000.reason,
    "NET-0000": NET_0000.reason,
    "NET-0001": NET_0001.reason,
    "NET-0002": NET_0002.reason,
}
_UNKNOWN_MESSAGE: Final = '{"type":"MessageOfTomorrow","says":["nobody","knows"]}'
_NO_JSON: Final = '{"type":"Results","channel_index":[0,'


class FaultySocket(web.WebSocketResponse):
    """A WebSocket that does what it is told, except for its faults."""

    def __init__(
        self,
        faults: Sequence[ServiceFault],
        watch: Watch,
        request_id: str,
        path: str,
        *,
        protocols: Iterable[str],
        timeout: float,
        max_msg_size: int,
        compress: bool,
    ) -> None:
        super().__init__(
            protocols=protocols, timeout=timeout, max_msg_size=max_msg_size, compress=compress
        )
        self._watch = watch
        self.request_id = request_id
        self.path = path
        """Path and query, without secrets."""
        self._waiting_faults = [it for it in faults if it.kind not in ("answer", "delay")]
        self._messages = 0
        self._audio_bytes = 0
        self._lag_s = 0.0
        self._is_stalled = False
        self._adds_fields = False
        self._link: asyncio.Transport | None = None
        self.heard_at = asyncio.get_running_loop().time()
        """When the last frame came, a ping included, on the clock of the loop."""

    @asynccontextmanager
    async def disturbed(self, request: web.Request) -> AsyncGenerator[None]:
        """Let the faults happen while the block talks to the client."""
        self._link = request.transport
        for fault in [it for it in self._waiting_faults if it.happens_at_once]:
            await self._happen(fault)
        timed = [it for it in self._waiting_faults if it.after_s is not None]
        clock = asyncio.create_task(self._watch_clock(timed)) if timed else None
        try:
            yield
        finally:
            if clock is not None:
                clock.cancel()
                await asyncio.gather(clock, return_exceptions=True)

    async def receive(self, timeout: float | None = None) -> WSMessage:
        message = await super().receive(timeout)
        self.heard_at = asyncio.get_running_loop().time()
        if self._watch.observers:
            self._show(message)
        if message.type == WSMsgType.BINARY and self._waiting_faults:
            self._audio_bytes += len(message.data)
            await self._happen_after_counting()
        return message

    def _show(self, message: WSMessage) -> None:
        if message.type in (WSMsgType.BINARY, WSMsgType.TEXT):
            self._watch.passed(self.request_id, message.data, from_client=True)
        elif message.type in (WSMsgType.CLOSE, WSMsgType.CLOSED, WSMsgType.ERROR):
            is_said = message.type is WSMsgType.CLOSE
            code = (message.data or None) if is_said else None
            reason = (message.extra or "") if is_said else ""
            self._watch.closed(self.request_id, code, reason, from_client=True)

    def say_goodbye(self, code: int | None, reason: str) -> None:
        """Tell those who watch that the service closes the stream."""
        self._watch.closed(self.request_id, code, reason, from_client=False)

    async def pong(self, message: bytes = b"") -> None:
        self.heard_at = asyncio.get_running_loop().time()
        await super().pong(message)

    async def send_str(self, data: str, compress: int | None = None) -> None:
        if self._adds_fields:
            data = with_unknown_field(data.encode()).decode()
        await self._lag()
        if not self._is_stalled:
            if self._watch.observers:
                self._watch.passed(self.request_id, data, from_client=False)
            await super().send_str(data, compress)
            await self._count_message()

    async def send_bytes(self, data: bytes, compress: int | None = None) -> None:
        await self._lag()
        if not self._is_stalled:
            if self._watch.observers:
                self._watch.passed(self.request_id, data, from_client=False)
            await super().send_bytes(data, compress)
            await self._count_message()

    async def _lag(self) -> None:
        if self._lag_s:
            await asyncio.sleep(self._lag_s)

    async def _count_message(self) -> None:
        self._messages += 1
        if self._waiting_faults:
            await self._happen_after_counting()

    async def _happen_after_counting(self) -> None:
        for fault in tuple(self._waiting_faults):
            said, heard = fault.after_messages, fault.after_audio_bytes
            if (said is not None and self._messages >= said) or (
                heard is not None and self._audio_bytes >= heard
            ):
                await self._happen(fault)

    async def _watch_clock(self, faults: Sequence[ServiceFault]) -> None:
        clock = asyncio.get_running_loop().time
        opened = clock()
        for fault in sorted(faults, key=lambda it: it.after_s or 0.0):
            await asyncio.sleep(opened + (fault.after_s or 0.0) - clock())
            await self._happen(fault)

    async def _happen(self, fault: ServiceFault) -> None:
        if fault not in self._waiting_faults:
            return
        self._waiting_faults.remove(fault)
        match fault.kind:
            case "close":
                reason = _REASONS.get(fault.reason, fault.reason)
                default = 1008 if fault.reason.startswith("DATA-") else 1011
                await self.close(code=fault.code or default, message=reason.encode())
            case "cut":
                if self._link is not None:
                    self._link.abort()
            case "stall":
                self._is_stalled = True
            case "slow":
                self._lag_s = fault.delay_s
            case "unknown_field":
                self._adds_fields = True
            case "unknown_message":
                await super().send_str(_UNKNOWN_MESSAGE)
            case "malformed":
                await super().send_str(_NO_JSON)
            case "answer" | "delay":
                pass
