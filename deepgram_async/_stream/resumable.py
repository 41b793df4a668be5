"""What the streams have in common whose lost connections are replaced."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from deepgram_async._protocol.core import SocketCore
from deepgram_async._protocol.memory import Memory
from deepgram_async._protocol.reconnect import ReconnectPolicy
from deepgram_async._protocol.settings import StreamSettings
from deepgram_async._stream.connection import Carrier, Sink
from deepgram_async._stream.resuming import ResumingConnection, Resumption
from deepgram_async._stream.stream import Connector, SocketStream
from deepgram_async.models.events import Reconnected, Reconnecting, Stalled

if TYPE_CHECKING:
    from deepgram_async._io.sockets import WebSocket

__all__ = ["ConnectorMaker", "ResumableStream"]

ConnectorMaker = Callable[[Mapping[str, object]], Connector]
"""Returns what makes the connections of a stream with some options."""

C = TypeVar("C", bound=SocketCore[Any])
E = TypeVar("E")


class ResumableStream(SocketStream[C, E]):
    """A stream that outlives its connections, where the settings have a policy for it."""

    def __init__(
        self,
        connector: ConnectorMaker,
        options: Mapping[str, object],
        make_core: Callable[[float, str | None], C],
        is_expendable: Callable[[E], bool],
        settings: StreamSettings,
    ) -> None:
        """Prepare a stream.

        Args:
            connector: Returns what connects with some options.
            options: The options of the first connection.
            make_core: Makes the protocol of a connection from the time and the request id.
            is_expendable: Whether a later event supersedes this one.
            settings: Behaviour of the stream.
        """
        super().__init__(connector(options), make_core, is_expendable, settings)
        self._connector = connector
        self._options = options

    @property
    def _policy(self) -> ReconnectPolicy | None:
        """How lost connections are replaced; ``None`` for not at all."""
        return self._settings.reconnect

    @property
    def _longest_s(self) -> float | None:
        """How long the service keeps a connection; ``None`` for no limit."""
        return None

    @abstractmethod
    def _make_memory(self, policy: ReconnectPolicy) -> Memory[E]:
        """Return what another connection goes on from."""

    def _carried(self, core: C, websocket: WebSocket, sink: Sink[E]) -> Carrier:
        policy = self._policy
        if policy is None:
            return super()._carried(core, websocket, sink)

        connector = self._connector  # alone: the stream itself must stay free to be forgotten

        async def connect(options: Mapping[str, object]) -> WebSocket:
            return await connector(options)()

        resumption = Resumption(
            policy=policy,
            connect=connect,
            make_core=self._make_core,
            memory=self._make_memory(policy),
            longest_s=self._longest_s,
        )
        # The events of these streams have the kinds that it adds; a type variable cannot say so.
        shown = cast("Sink[E | Reconnecting | Reconnected | Stalled]", sink)
        return ResumingConnection(core, websocket, self._settings, shown, resumption)
