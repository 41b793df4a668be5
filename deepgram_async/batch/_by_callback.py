"""Answers of a batch that Deepgram brings to a callback URL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from deepgram_async import DeepgramSession
from deepgram_async.batch._items import Item
from deepgram_async.batch._requests import ItemRequests, Transcriber
from deepgram_async.models.prerecorded import Transcription

if TYPE_CHECKING:
    from deepgram_async.callbacks import CallbackInbox

__all__ = ["callback_transcriber"]

# The longest work on one request, and the ten attempts to bring its answer (Deepgram docs, "Limits"
# and "STT Callback"), with as much again for what waits in between.
_PATIENCE_S: Final = 3600.0


def callback_transcriber(
    inbox: CallbackInbox, url: str, *, timeout_s: float = _PATIENCE_S
) -> Transcriber:
    """Return a transcriber for `Batch` whose answers come to a callback URL.

    No connection stays open while Deepgram works. An item keeps its place in the gate until its
    answer is here: whether the service counts a request against the limit of the project while its
    callback is due, it does not document.

    ::

        inbox = CallbackInbox(CallbackAuth.new())
        by_callback = callback_transcriber(inbox, "https://example.com:8443/deepgram")
        async with CallbackServer(inbox, port=8080):
            await Batch(dg, sources, transcriber=by_callback, model="nova-3").run()

    A callback that does not come in time is a failure of its item, and is not repeated: the
    work is perhaps done and paid.

    Args:
        inbox: Where the answers arrive.
        url: What leads to it from outside, on port 80, 443, 8080 or 8443. The credentials that the
            inbox wants are added to what Deepgram is given.
        timeout_s: The longest time to wait for an answer, in seconds.

    Raises:
        ValueError: It is no ``http`` or ``https`` URL, or carries credentials already.
    """
    auth = inbox.auth
    address = url if auth is None else auth.url(url)
    secret = [] if auth is None else auth.extra

    async def transcribe(item: Item, requests: ItemRequests) -> Transcription:
        options: Any = dict(requests.options)
        if secret:
            given: str | Sequence[str] = options.get("extra") or ()
            options["extra"] = [*([given] if isinstance(given, str) else given), *secret]

        async def call(session: DeepgramSession) -> Transcription:
            async with item.open() as source:
                accepted = await session.listen.submit(
                    source,
                    address,
                    content_type=item.content_type,
                    extra_query=requests.extra_query,
                    **options,
                )
            return await inbox.wait(accepted.request_id, timeout_s=timeout_s)

        return await requests.send(call)

    return transcribe
