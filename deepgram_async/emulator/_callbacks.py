"""Answers that are delivered to a URL of the client's, instead of being returned."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final, NamedTuple

import aiohttp
from yarl import URL

if TYPE_CHECKING:
    from ._services import Services

__all__ = ["Callback", "deliver"]

_log: Final = logging.getLogger(__name__)


class Callback(NamedTuple):
    """Where an answer is delivered, and how."""

    url: str
    method: str


async def deliver(
    services: Services, callback: Callback, body: bytes, *, content_type: str, request_id: str
) -> None:
    """Offer an answer until it is accepted, or there were enough attempts; never raises."""
    settings = services.settings
    headers = {"Content-Type": content_type, "dg-request-id": request_id}
    timeout = aiohttp.ClientTimeout(total=settings.fetch_timeout_s)
    status: int | None = None
    for attempt in range(settings.callback_attempts):
        if attempt:
            await asyncio.sleep(settings.callback_retry_s)
        try:
            async with services.http.request(
                callback.method, URL(callback.url), data=body, headers=headers, timeout=timeout
            ) as response:
                status = response.status
        except (aiohttp.ClientError, TimeoutError):
            status = None
        if status is not None and 200 <= status < 300:
            services.log.note_callback(request_id, attempts=attempt + 1, status=status)
            return
    services.log.note_callback(request_id, attempts=settings.callback_attempts, status=status)
    # The URL itself may carry credentials.
    _log.warning("request %s: the callback was not accepted", request_id)
