"""Receive the transcripts that Deepgram sends to the callback URL of ``dg.listen.submit``.

`receive` is a plain function for a web application of your own: headers and body in, the answer
out. `CallbackInbox` joins answers to requests, deals with repeats and waits with a deadline;
`asgi_app` and `aiohttp_handler` put it into a web application, and `CallbackServer` serves it::

    auth = CallbackAuth.new()
    async with DeepgramSession() as dg, CallbackServer(CallbackInbox(auth), port=8080) as server:
        url = auth.url("https://example.com:8443/deepgram")  # what leads to this server
        accepted = await dg.listen.submit("meeting.mp3", url, model="nova-3")
        answer = await server.inbox.wait(accepted.request_id, timeout_s=3600)

A callback is the only delivery of its transcript: there is no way to ask for it again. Deepgram
offers it up to ten times, thirty seconds apart, until it is answered with 2xx (Deepgram docs, "STT
Callback").
"""

from deepgram_async.callbacks._asgi import asgi_app
from deepgram_async.callbacks._auth import CallbackAuth
from deepgram_async.callbacks._inbox import CallbackInbox, Keeper
from deepgram_async.callbacks._receive import Delivery, receive
from deepgram_async.callbacks._server import CallbackServer, aiohttp_handler

__all__ = [
    "CallbackAuth",
    "CallbackInbox",
    "CallbackServer",
    "Delivery",
    "Keeper",
    "aiohttp_handler",
    "asgi_app",
    "receive",
]
