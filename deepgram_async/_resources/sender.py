"""What a resource needs of a session."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, TypeVar

from deepgram_async._protocol.query import QueryValue
from deepgram_async._protocol.requests import Route
from deepgram_async._protocol.sources import AudioSource, ProgressHook
from deepgram_async._stream.live import LiveStream

__all__ = ["Sender"]

T = TypeVar("T")


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

    async def send(self, route: Route[T], *, query: str = "", body: object = None) -> T:
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

    def live(self, options: Mapping[str, object], query: str) -> LiveStream:
        """Return a live transcription, not yet connected."""
        ...
