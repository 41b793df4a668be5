"""Analysis of text: ``dg.read``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, Unpack

from deepgram_async._documented import takes_options
from deepgram_async._protocol import rules_read
from deepgram_async._protocol.query import QueryValue
from deepgram_async._protocol.requests import Route
from deepgram_async._resources.sender import Sender
from deepgram_async.errors import OptionError
from deepgram_async.models.prerecorded import Accepted
from deepgram_async.models.read import Analysis
from deepgram_async.options import ReadOptions

__all__ = ["Read"]

# A long text takes a while; the service gives up after ten minutes.
_ANALYZE: Final = Route("POST", "/v1/read", Analysis, response_s=660.0)
_SUBMIT: Final = Route("POST", "/v1/read", Accepted)


class Read:
    """Summary, topics, intents and sentiment of a text."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    @takes_options(ReadOptions)
    async def analyze(
        self,
        text: str | None = None,
        *,
        url: str | None = None,
        extra_query: Mapping[str, QueryValue] | None = None,
        **options: Unpack[ReadOptions],
    ) -> Analysis:
        """Return what the service finds out about a text.

        Args:
            text: The text, in English; or else ``url``.
            url: Address of a text that the service fetches by itself.
            extra_query: Query keys that are newer than this release, sent as they are.
            **options: What to find out, listed below; ``None`` is not sent.

        Raises:
            OptionError: An option is unknown or has the wrong type, or not exactly one of ``text``
                and ``url`` is given.
            ApiError: The service refused; the class tells why.
            TransportError: No complete answer arrived.
        """
        query = self._query(options, extra_query)
        return await self._sender.send(_ANALYZE, query=query, body=_body(text, url))

    @takes_options(ReadOptions)
    async def submit(
        self,
        text: str | None = None,
        *,
        callback: str,
        url: str | None = None,
        callback_method: Literal["POST", "PUT"] | None = None,
        extra_query: Mapping[str, QueryValue] | None = None,
        **options: Unpack[ReadOptions],
    ) -> Accepted:
        """Hand in a text whose analysis the service sends to a URL when it is done.

        Args:
            text: The text, in English; or else ``url``.
            callback: URL that takes the analysis.
            url: Address of a text that the service fetches by itself.
            callback_method: HTTP method of the delivery, ``POST`` if left out.
            extra_query: Query keys that are newer than this release, sent as they are.
            **options: What to find out, listed below; ``None`` is not sent.

        Raises:
            OptionError: An option is unknown or has the wrong type, or not exactly one of ``text``
                and ``url`` is given.
            ApiError: The service refused; the class tells why.
            TransportError: No complete answer arrived.
        """
        extra: dict[str, QueryValue] = {"callback": callback}
        if callback_method is not None:
            extra["callback_method"] = callback_method
        query = self._query(options, extra | dict(extra_query or {}))
        return await self._sender.send(_SUBMIT, query=query, body=_body(text, url))

    def _query(
        self, options: Mapping[str, object], extra_query: Mapping[str, QueryValue] | None
    ) -> str:
        query = self._sender.query(options, ReadOptions, extra_query)
        if self._sender.validate:
            rules_read.check(options)
        return query


def _body(text: str | None, url: str | None) -> dict[str, str]:
    if text is not None and url is None:
        return {"text": text}
    if url is not None and text is None:
        return {"url": url}
    raise OptionError("exactly one of text and url is needed", option="text")
