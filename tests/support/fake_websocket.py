"""A WebSocket without a network, for tests that decide when it takes something."""

from collections.abc import Mapping, Sequence

from deepgram_async._io.sockets import Receiver, WebSocket
from deepgram_async._stream.stream import Connector

__all__ = ["FakeNetwork", "FakeWebSocket"]


class FakeWebSocket(WebSocket):
    """Keeps what is written, and takes nothing while a test wants it to."""

    def __init__(self) -> None:
        self.request_id = None
        self.is_writable = True
        self.was_heard = self.was_used = False
        self.writes: list[list[str | bytes]] = []
        self.pings = 0
        self.is_closing = False
        self.aborted: str | None = None
        self.receiver: Receiver | None = None
        self.untaken = 0

    @property
    def frames(self) -> list[str | bytes]:
        return [frame for write in self.writes for frame in write]

    def attach(self, receiver: Receiver) -> None:
        self.receiver = receiver

    def write(self, frames: Sequence[str | bytes]) -> None:
        assert self.is_writable
        self.was_used = True
        self.writes.append(list(frames))

    def ping(self) -> None:
        self.pings += 1
        self.was_used = True

    def start_closing(self) -> None:
        self.is_closing = True

    async def aclose(self, timeout_s: float) -> None:
        self.is_closing = True

    def abort(self, reason: str) -> None:
        self.aborted = reason
        self.is_writable = False

    @property
    def taken_bytes(self) -> int:
        return sum(map(len, self.frames)) - self.untaken

    @property
    def waiting_bytes(self) -> int:
        return self.untaken


class FakeNetwork:
    """Makes the connections of a stream.

    Attributes:
        connections: All that were made, in their order.
    """

    def __init__(self) -> None:
        self.connections: list[FakeWebSocket] = []

    def __call__(self, options: Mapping[str, object]) -> Connector:
        return self.connect

    async def connect(self) -> WebSocket:
        """Make a connection that takes everything."""
        self.connections.append(FakeWebSocket())
        return self.connections[-1]

    @property
    def latest(self) -> FakeWebSocket:
        """The connection that was made last."""
        return self.connections[-1]

    @property
    def service(self) -> Receiver:
        """Whoever hears what the service says on it."""
        receiver = self.latest.receiver
        assert receiver is not None
        return receiver
