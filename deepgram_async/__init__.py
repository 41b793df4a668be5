"""Asyncio-first SDK for the Deepgram speech API.

::

    import asyncio
    from deepgram_async import DeepgramSession

    async def main():
        async with DeepgramSession() as dg:
            answer = await dg.listen.transcribe("meeting.mp3", model="nova-3")
            print(answer.transcript)

    asyncio.run(main())
"""

from deepgram_async._protocol.endpoints import Region
from deepgram_async._protocol.query import QueryValue
from deepgram_async._protocol.retry import RetryPolicy
from deepgram_async._protocol.settings import StreamSettings, Timeouts
from deepgram_async._protocol.sources import (
    AudioChunks,
    AudioSource,
    BinaryReader,
    ProgressHook,
)
from deepgram_async._resources.listen import Listen
from deepgram_async._session import DeepgramSession
from deepgram_async._stream.live import LiveStream
from deepgram_async._stream.stream import SocketStream
from deepgram_async._version import __version__
from deepgram_async.errors import DeepgramError
from deepgram_async.models.events import Malformed, Unknown
from deepgram_async.models.live import Results, SpeechStarted, UtteranceEnd
from deepgram_async.models.prerecorded import Transcription

__all__ = [
    "AudioChunks",
    "AudioSource",
    "BinaryReader",
    "DeepgramError",
    "DeepgramSession",
    "Listen",
    "LiveStream",
    "Malformed",
    "ProgressHook",
    "QueryValue",
    "Region",
    "Results",
    "RetryPolicy",
    "SocketStream",
    "SpeechStarted",
    "StreamSettings",
    "Timeouts",
    "Transcription",
    "Unknown",
    "UtteranceEnd",
    "__version__",
]
