"""The recognisers as a server on loopback, which closes and refuses when it is told to."""

from __future__ import annotations

import asyncio
import json
import logging
import random
from collections import deque
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from http import HTTPStatus
from typing import Final, NamedTuple
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed, InvalidState
from websockets.http11 import Request, Response

from benchmarks.soak.containers import Decoder, Raw
from benchmarks.soak.recognizers import FluxRecognizer, ListenRecognizer, Message, Recognizer
from benchmarks.soak.speech import MisheardError, Speech

__all__ = ["Refusal", "Service", "serving"]

# Deepgram closes a stream that it hears nothing of for ten seconds.
_NOTHING_FOR_S: Final = 10.0
_NOTHING_HEARD: Final = "Deepgram did not receive audio data. See https://dpgr.am/net0001"
_LATENCY_S: Final = (0.05, 0.6)


class Refusal(NamedTuple):
    """How a handshake is refused."""

    status: int
    retry_after_s: int | None = None


class Service:
    """Hears every sample of every connection.

    Attributes:
        complaints: What no client may do: audio that does not go on where it was.
        refusals: How the next handshakes are refused.
        connections: How many connections there were.
        hearing: The connections that have heard audio.
        last: The youngest recogniser.
    """

    def __init__(
        self,
        speech: Speech,
        seed: int,
        *,
        container: type[Decoder] = Raw,
        is_damaged: Callable[[], bool] = lambda: False,
    ) -> None:
        """Prepare a service.

        Args:
            speech: What it is going to hear.
            seed: Beginning of its random numbers.
            container: How it is written.
            is_damaged: Whether bytes were damaged on their way.
        """
        self.complaints: list[str] = []
        self.refusals: deque[Refusal] = deque()
        self.connections = 0
        self.hearing: set[ServerConnection] = set()
        self.last: Recognizer | None = None
        """Who was told last that the audio had ended."""
        self._speech = speech
        self._numbers = random.Random(seed)
        self._container = container
        self._is_damaged = is_damaged

    def admit(self, connection: ServerConnection, request: Request) -> Response | None:
        """Refuse a handshake, or do not."""
        if not self.refusals:
            return None
        refusal = self.refusals.popleft()
        response = connection.respond(HTTPStatus(refusal.status), "not now")
        if refusal.retry_after_s is not None:
            response.headers["Retry-After"] = str(refusal.retry_after_s)
        return response

    async def __call__(self, connection: ServerConnection) -> None:
        """Talk to one connection until it ends."""
        recognizer = self._recognizer(connection)
        self.connections += 1
        mouth = _Mouth(connection, self._numbers)
        speaking = asyncio.create_task(mouth.speak())
        try:
            with suppress(ConnectionClosed):
                await self._listen(connection, recognizer, mouth, speaking)
        finally:
            self.hearing.discard(connection)
            speaking.cancel()
            await asyncio.gather(speaking, return_exceptions=True)

    def _recognizer(self, connection: ServerConnection) -> Recognizer:
        path = urlsplit(connection.request.path if connection.request else "")
        kind = FluxRecognizer if path.path.startswith("/v2") else ListenRecognizer
        recognizer = kind(self._speech, random.Random(self._numbers.random()))
        recognizer.keyterms = parse_qs(path.query).get("keyterm", [])
        return recognizer

    async def _listen(
        self,
        connection: ServerConnection,
        recognizer: Recognizer,
        mouth: _Mouth,
        speaking: asyncio.Task[None],
    ) -> None:
        decoder = self._container(self._speech)
        mouth.say(recognizer.greeting())
        while True:
            try:
                async with asyncio.timeout(_NOTHING_FOR_S):
                    frame = await connection.recv()
            except TimeoutError:
                if isinstance(recognizer, ListenRecognizer):
                    await connection.close(1011, _NOTHING_HEARD)
                    return
                continue
            try:
                if isinstance(frame, bytes):
                    mouth.say(recognizer.hear(decoder.decode(frame)))
                    self.hearing.add(connection)
                    continue
                message: Message = json.loads(frame)
                mouth.say(recognizer.answer(message))
            except (MisheardError, ValueError) as error:
                if not self._is_damaged():
                    self.complaints.append(str(error))
                await connection.close(1011, "this is no audio")
                return
            if message["type"] == "CloseStream":
                self.last = recognizer
                mouth.end()
                await speaking
                await _close_regularly(connection, recognizer)
                return


class _Mouth:
    """Says messages in their order, each a while after it was thought of."""

    def __init__(self, connection: ServerConnection, numbers: random.Random) -> None:
        self._connection = connection
        self._latency_s = numbers.uniform(*_LATENCY_S)
        self._waiting: deque[tuple[float, str | None]] = deque()
        self._has_some = asyncio.Event()

    def say(self, messages: list[Message]) -> None:
        """Say messages after the latency."""
        due_at = asyncio.get_running_loop().time() + self._latency_s
        for message in messages:
            self._waiting.append((due_at, json.dumps(message)))
        self._has_some.set()

    def end(self) -> None:
        """Say no more."""
        self._waiting.append((0.0, None))
        self._has_some.set()

    async def speak(self) -> None:
        """Return when the end was reached."""
        loop = asyncio.get_running_loop()
        while True:
            while not self._waiting:
                self._has_some.clear()
                await self._has_some.wait()
            due_at, text = self._waiting.popleft()
            if text is None:
                return
            if due_at > loop.time():
                await asyncio.sleep(due_at - loop.time())
            with suppress(ConnectionClosed):
                await self._connection.send(text)


async def _close_regularly(connection: ServerConnection, recognizer: Recognizer) -> None:
    if isinstance(recognizer, ListenRecognizer):
        await connection.close()
        return
    await close_without_code(connection)


async def close_without_code(connection: ServerConnection) -> None:
    """End a connection as Flux does; it arrives as 1005."""
    with suppress(InvalidState):  # it has ended already
        connection.protocol.send_close()
    for data in connection.protocol.data_to_send():
        connection.transport.write(data)
    await connection.wait_closed()


@asynccontextmanager
async def serving(service: Service) -> AsyncGenerator[str]:
    """Serve on loopback and yield the base URL."""
    quiet = logging.Logger("quiet", logging.CRITICAL + 1)
    async with serve(
        service,
        "127.0.0.1",
        0,
        process_request=service.admit,
        compression=None,
        ping_interval=None,
        close_timeout=1.0,
        logger=quiet,
        max_queue=64,
        backlog=1024,
    ) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
