"""What a resource needs of a session."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, TypeVar

from deepgram_async._protocol.query import QueryValue
from deepgram_async._protocol.requests import Route
from deepgram_async._protocol.settings import StreamSettings
from deepgram_async._protocol.sources import AudioSource, ProgressHook
from deepgram_async._stream.speech import Opener
from deepgram_async._stream.stream import Connector, SocketStream

__all__ = ["Sender"]

T = TypeVar("T")
S = TypeVar("S", bound=SocketStream[Any, Any])


class Sender(Protocol):
    """Sends calls and makes streams with the settings of one session."""

    def query(
        self,
        options: Mapping[str, object],
        kind: type[Any],
        extra: Mapping[str, QueryValue] | None = None,
    ) -> str:
        """Return the query string for options, those of the session included."""
        ...

    def project(self, project_id: str | None) -> str:
        """Return the project of a call: the one given, or the default of the session."""
        ...

    async def send(
        self,
        route: Route[T],
        *,
        ids: Mapping[str, str] | None = None,
        query: str = "",
        body: object = None,
    ) -> T:
        """Send a call with a JSON body or none."""
        ...

    async def upload(
        self,
        route: Route[T],
        source: AudioSource,
        *,
        query: str,
        content_type: str | None,
        progress: ProgressHook | None,
    ) -> T:
        """Send a call whose body is audio."""
        ...

    def opener(self, route: Route[bytes], *, query: str, body: object) -> Opener:
        """Return what sends a call whose answer is audio, to be read while it comes."""
        ...

    @property
    def validate(self) -> bool:
        """Whether documented rules are checked before anything is sent."""
        ...

    @property
    def stream_settings(self) -> StreamSettings:
        """How the streams of the session behave."""
        ...

    def connector(
        self, path: str, query: str, operation: str, *, is_agent: bool = False
    ) -> Connector:
        """Return what makes the connections of one stream."""
        ...

    def track(self, stream: S) -> S:
        """Let the session know a stream, so that it is counted and closed with it."""
        ...
