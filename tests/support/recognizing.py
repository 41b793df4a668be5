"""A live transcription server that hears every sample, and breaks where it is told to."""

import asyncio
import json
from collections.abc import Awaitable, Callable

from websockets.asyncio.server import ServerConnection

from tests.support.listen import metadata

__all__ = ["RATE", "Recognizer", "audio", "breaking"]

RATE = 100
"""Samples of one byte a second; each is one word, spoken as its number."""

Break = Callable[[ServerConnection], Awaitable[None]]


def audio(seconds: float, *, first: int = 0) -> bytes:
    """Return audio in which no two samples near each other are the same."""
    return bytes((first + number) % 251 for number in range(round(seconds * RATE)))


async def breaking(connection: ServerConnection) -> None:
    """Break a connection without a word."""
    connection.transport.abort()
    await connection.wait_closed()


class Recognizer:
    """Hears ``mulaw`` at ``RATE``; says every tenth of a second as one word.

    Attributes:
        heard: The audio of each connection.
        said: The text frames of the client on each connection.
    """

    def __init__(self, *, final_s: float = 1.0, interims: bool = True, skip: int = 0) -> None:
        """Prepare a server.

        Args:
            final_s: Length of a final result.
            interims: Whether interim results come in between, every half second.
            skip: Bytes at the start of a connection that are no audio.
        """
        self.heard: list[bytes] = []
        self.said: list[list[str]] = []
        self.paths: list[str] = []
        self.began: list[float] = []
        self._final = round(final_s * RATE)
        self._interims = interims
        self._skip = skip
        self._breaks: dict[int, tuple[int, Break]] = {}

    def break_after(self, connection: int, seconds: float, how: Break = breaking) -> None:
        """End a connection, counted from 0, when it has heard so much."""
        self._breaks[connection] = (round(seconds * RATE) + self._skip, how)

    async def __call__(self, connection: ServerConnection) -> None:
        number = len(self.heard)
        self.heard.append(b"")
        self.said.append([])
        self.began.append(asyncio.get_running_loop().time())
        self.paths.append(connection.request.path if connection.request else "")
        settled = shown = 0
        limit, how = self._breaks.get(number, (None, breaking))
        async for frame in connection:
            if isinstance(frame, str):
                self.said[number].append(json.loads(frame)["type"])
                kind = self.said[number][-1]
                if kind in ("CloseStream", "Finalize") and self._length(number) > settled:
                    settled = await self._say(connection, number, settled, kind=kind)
                if kind == "CloseStream":
                    await connection.send(metadata())
                    return
                continue
            self.heard[number] += frame
            if limit is not None and len(self.heard[number]) >= limit:
                await how(connection)
                return
            while self._length(number) - settled >= self._final:
                settled = await self._say(connection, number, settled, end=settled + self._final)
            if self._interims and self._length(number) - max(settled, shown) >= RATE // 2:
                shown = self._length(number)
                await self._say(connection, number, settled, is_final=False)

    def _length(self, number: int) -> int:
        return max(0, len(self.heard[number]) - self._skip)

    async def _say(
        self,
        connection: ServerConnection,
        number: int,
        start: int,
        *,
        end: int | None = None,
        is_final: bool = True,
        kind: str = "",
    ) -> int:
        end = self._length(number) if end is None else end
        heard = self.heard[number][self._skip :]
        words = [
            {
                "word": str(heard[place]),
                "start": place / RATE,
                "end": min(place + RATE // 10, end) / RATE,
                "confidence": 0.9,
            }
            for place in range(start, end, RATE // 10)
        ]
        text = " ".join(str(word["word"]) for word in words)
        await connection.send(
            json.dumps(
                {
                    "type": "Results",
                    "channel_index": [0, 1],
                    "start": start / RATE,
                    "duration": (end - start) / RATE,
                    "is_final": is_final,
                    "speech_final": False,
                    "from_finalize": kind == "Finalize",
                    "channel": {
                        "alternatives": [{"transcript": text, "confidence": 0.9, "words": words}]
                    },
                    "metadata": {"request_id": f"r-{number}"},
                }
            )
        )
        return end if is_final else start
