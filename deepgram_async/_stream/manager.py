"""The streams of one session: made, counted and closed in one place."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from weakref import WeakSet

from deepgram_async._protocol.settings import StreamSettings
from deepgram_async._stream.live import LiveStream
from deepgram_async._stream.stream import Connector
from deepgram_async.errors import DeepgramError

__all__ = ["SocketManager"]


class SocketManager:
    """Makes the streams of a session and closes those that are left when it ends."""

    def __init__(self) -> None:
        self._streams: WeakSet[LiveStream] = WeakSet()

    def live(
        self, connect: Connector, options: Mapping[str, object], settings: StreamSettings
    ) -> LiveStream:
        """Return a new stream, not yet connected."""
        stream = LiveStream(connect, options, settings)
        self._streams.add(stream)
        return stream

    @property
    def streams(self) -> tuple[LiveStream, ...]:
        """The streams that are open now."""
        return tuple(stream for stream in self._streams if stream.is_open)

    async def aclose(self, timeout_s: float) -> None:
        """Finish all open streams at the same time; after the timeout drop what is left."""
        await asyncio.gather(*(_end(stream, timeout_s) for stream in self.streams))


async def _end(stream: LiveStream, timeout_s: float) -> None:
    try:
        async with asyncio.timeout(timeout_s):
            await stream.finish()
    except (TimeoutError, DeepgramError):
        pass  # whoever iterates over the stream is told; here it only has to end
    finally:
        await stream.aclose()
