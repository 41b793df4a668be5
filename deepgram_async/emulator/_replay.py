"""A service that says what was recorded."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Final, Self

import msgspec
from aiohttp import WSMsgType, web

from ._errors import NOT_FOUND, Refusal
from ._listening import listen
from ._recording import RecordedClose, RecordedFrame, read_recording
from ._wire import new_request_id

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from ._recording import Exchange

__all__ = ["Replay"]

_LAST_WORDS: Final = ("Close", "CloseStream")
# Their number depends on the clock.
_PASSED_OVER: Final = "KeepAlive"
_LARGEST_FRAME: Final = 16 * 1024 * 1024
_LARGEST_BODY: Final = 512 * 1024 * 1024


class Replay:
    """Serves a recording again: the same answers and messages, to any client.

        async with Replay("session.jsonl") as replay:
            ...  # talk to replay.base_url

    A request gets the answer to the recorded one with the same method and path; of several, the
    one with the same options, and then the one that was served least. On a WebSocket each recorded
    message comes when the client has said as much as the recorded client had: as many messages,
    KeepAlives aside, and as many bytes of audio. It may say other words.

    Args:
        path: The recording; `EmulatorSettings.record` makes one.
        host: Address to listen on.
        port: Port to listen on; 0 takes a free one.
    """

    def __init__(self, path: Path, *, host: str = "127.0.0.1", port: int = 0) -> None:
        self._path = path
        self._host = host
        self._wanted_port = port
        self._exchanges: list[Exchange] = []
        self._served: Counter[int] = Counter()
        self._sockets: set[web.WebSocketResponse] = set()
        self._runner: web.AppRunner | None = None

    @property
    def base_url(self) -> str:
        """The address, as in `http://127.0.0.1:8080`.

        Raises:
            RuntimeError: It is not started.
        """
        if self._runner is None or not self._runner.addresses:
            raise RuntimeError("the replay is not started")
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self._runner.addresses[0][1]}"

    async def start(self) -> None:
        """Read the recording and begin to listen.

        Raises:
            OSError: The file cannot be read, or the address cannot be listened on.
            ValueError: The file is no recording.
        """
        self._exchanges = await asyncio.to_thread(read_recording, self._path)
        app = web.Application(client_max_size=_LARGEST_BODY)
        app.router.add_route("*", "/{path:.*}", self._answer)
        app.on_shutdown.append(self._hang_up)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await listen(runner, self._host, self._wanted_port)
        self._runner = runner

    async def stop(self) -> None:
        """Close every stream and stop listening; twice is fine."""
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.stop()

    async def _hang_up(self, _: web.Application) -> None:
        goodbyes = (socket.close(code=1001) for socket in tuple(self._sockets))
        await asyncio.gather(*goodbyes, return_exceptions=True)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        exchange = self._find(request)
        if exchange is None or exchange.status is None:
            return Refusal(*NOT_FOUND).response(new_request_id())
        if exchange.status == 101:
            return await self._talk(request, exchange)
        await request.read()
        left_out = ("content-length", "transfer-encoding")
        headers = {k: v for k, v in exchange.headers.items() if k.lower() not in left_out}
        return web.Response(status=exchange.status, headers=headers, body=exchange.body)

    def _find(self, request: web.Request) -> Exchange | None:
        query = frozenset(request.query.items())
        found = [
            (exchange.query != query, self._served[at], at)
            for at, exchange in enumerate(self._exchanges)
            if (exchange.method, exchange.path) == (request.method, request.path)
        ]
        if not found:
            return None
        *_, at = min(found)
        self._served[at] += 1
        return self._exchanges[at]

    async def _talk(self, request: web.Request, exchange: Exchange) -> web.StreamResponse:
        offered = request.headers.get("Sec-WebSocket-Protocol", "").split(",")[0].strip()
        socket = web.WebSocketResponse(
            protocols=(offered,) if offered else (),
            max_msg_size=_LARGEST_FRAME,
            timeout=1.0,
            compress=False,
        )
        if not socket.can_prepare(request):
            return Refusal(*NOT_FOUND).response(new_request_id())
        socket.headers["dg-request-id"] = exchange.headers.get("dg-request-id", new_request_id())
        await socket.prepare(request)
        self._sockets.add(socket)
        heard = _Heard()
        try:
            async with asyncio.TaskGroup() as group:
                speaker = group.create_task(_speak(socket, exchange, heard))
                await heard.read(socket)
                speaker.cancel()
        finally:
            self._sockets.discard(socket)
        return socket


class _Heard:
    """How much a client has said."""

    def __init__(self) -> None:
        self._messages = 0
        self._audio_bytes = 0
        self._is_over = False
        self._changed = asyncio.Condition()

    async def read(self, socket: web.WebSocketResponse) -> None:
        """Count until the client leaves."""
        async for message in socket:
            async with self._changed:
                if message.type is WSMsgType.BINARY:
                    self._audio_bytes += len(message.data)
                elif message.type is WSMsgType.TEXT:
                    kind = _kind_of(message.data)
                    self._messages += kind != _PASSED_OVER
                    self._is_over = self._is_over or kind in _LAST_WORDS
                self._changed.notify_all()

    async def wait(self, messages: int, audio_bytes: int) -> None:
        """Wait until the client has said as much, or nothing any more."""
        async with self._changed:
            await self._changed.wait_for(
                lambda: (
                    self._is_over
                    or (self._messages >= messages and self._audio_bytes >= audio_bytes)
                )
            )


async def _speak(socket: web.WebSocketResponse, exchange: Exchange, heard: _Heard) -> None:
    messages = audio_bytes = 0
    try:
        for step in exchange.frames:
            if step.sender == "client":
                if isinstance(step, RecordedFrame):
                    if isinstance(step.data, bytes):
                        audio_bytes += len(step.data)
                    else:
                        messages += _kind_of(step.data) != _PASSED_OVER
                continue
            await heard.wait(messages, audio_bytes)
            match step:
                case RecordedClose(_, None, _):
                    await socket.send_frame(b"", WSMsgType.CLOSE)
                case RecordedClose(_, int(code), reason):
                    await socket.close(code=code, message=reason.encode())
                case RecordedFrame(_, str(text)):
                    await socket.send_str(text)
                case RecordedFrame(_, bytes(audio)):
                    await socket.send_bytes(audio)
                case _:
                    pass
    except ConnectionError:  # the client has gone, which the reader sees
        pass


def _kind_of(text: str) -> str:
    try:
        return _envelope.decode(text).type
    except msgspec.DecodeError:
        return ""


class _Envelope(msgspec.Struct):
    type: str = ""


_envelope: Final[msgspec.json.Decoder[_Envelope]] = msgspec.json.Decoder(_Envelope)
