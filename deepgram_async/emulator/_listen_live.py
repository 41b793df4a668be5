"""`GET /v1/listen` as a WebSocket: live transcription.

Per stream there is a reader (the handler itself) and one worker, with a bounded inbox between them.
The reader watches the clock and puts everything into the inbox in the order it came; the worker
decodes, asks the segmenters, waits for the recogniser and is the only one that sends. A stream
whose recognition is behind is read no further than its inbox is large; it holds up no other.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from typing import TYPE_CHECKING, Final

import msgspec
from aiohttp import WSMsgType, web

from ._audio import UndecodableAudioError, live_decoder
from ._calls import accept, route
from ._inbox import Inbox
from ._live_messages import (
    CLOSE_STREAM,
    DATA_0000,
    NET_0000,
    NET_0001,
    NET_0002,
    CloseStream,
    Configure,
    Ending,
    Finalize,
    KeepAlive,
    LiveAnswers,
    Unparsable,
    parse,
)
from ._models import used_model
from ._peer import GoneError, Peer
from ._query import LONGEST_KEYTERMS, LiveQuery, read_live_query
from ._segmenter import Decode, Segmentation, Segmenter, Slice, SpeechStarted, UtteranceEnd

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ._audio import Block
    from ._calls import Call
    from ._faulty_socket import FaultySocket
    from ._live_messages import ClientMessage
    from ._recognizers import RecognizedWord
    from ._segmenter import Steps
    from ._services import Services

__all__ = ["routes"]

_log: Final = logging.getLogger(__name__)

# A large frame is worked off in pieces, between which other streams get their turn.
_PIECE: Final = 64 * 1024


def routes(services: Services) -> list[web.RouteDef]:
    """Return the routes of live transcription."""

    async def listen(request: web.Request, call: Call) -> web.StreamResponse:
        query = read_live_query(
            request.query,
            services.engine.recognizer,
            default_endpointing_s=services.settings.default_endpointing_s,
        )
        async with accept(request, call) as socket:
            await _LiveStream(call, query, request, socket).run()
        return socket

    return [route(services, "GET", "/v1/listen", listen, product="listen", is_streaming=True)]


class _LiveStream:
    """One client's stream, from handshake to close."""

    def __init__(
        self,
        call: Call,
        query: LiveQuery,
        request: web.Request,
        socket: FaultySocket,
    ) -> None:
        self._call = call
        self._engine = call.services.engine
        self._settings = call.services.settings
        self._query = query
        self._hints = query.hints
        self._peer = Peer(request, socket, self._settings)
        self._socket = socket
        self._answers = LiveAnswers(query, self._engine.recognizer, call.request_id)
        self._clock = asyncio.get_running_loop().time
        self._inbox: Inbox[bytes | ClientMessage | Unparsable | Ending] = Inbox(
            self._settings.max_backlog_bytes
        )
        self._decoder = live_decoder(query.raw, separate=query.multichannel)
        self._segmenters: list[Segmenter] = []
        self._sha256 = hashlib.sha256()

    async def run(self) -> None:
        """Serve until either side has closed the socket."""
        try:
            async with asyncio.TaskGroup() as group:
                worker = group.create_task(self._work())
                await self._read()
                worker.cancel()
        finally:
            self._note_usage()

    def _note_usage(self) -> None:
        query, used = self._query, self._call.used
        used.models = [used_model(query.model, query.hints.language, self._engine.recognizer)]
        if self._segmenters:
            used.audio_s = self._segmenters[0].position_s
            used.channels = len(self._segmenters)

    # The reader.

    async def _read(self) -> None:
        opened = last_received = self._clock()
        has_audio = False
        ending: Ending | None = None
        while True:
            deadlines = {NET_0001: last_received + self._settings.inactivity_timeout_s}
            if not has_audio:
                deadlines[NET_0002] = opened + self._settings.no_audio_timeout_s
            first = min(deadlines, key=deadlines.__getitem__)
            try:
                async with asyncio.timeout_at(deadlines[first] if ending is None else None):
                    message = await self._socket.receive()
            except TimeoutError:
                ending = first
                await self._inbox.put(self._clock(), ending)
                continue
            if message.type not in (WSMsgType.BINARY, WSMsgType.TEXT):
                return
            if ending is not None:
                continue
            content: bytes | ClientMessage | Unparsable | Ending
            if message.type == WSMsgType.TEXT:
                content = parse(message.data)
            else:
                content = message.data or CLOSE_STREAM
                has_audio = True
            if isinstance(content, CloseStream):
                content = CLOSE_STREAM
            if isinstance(content, Ending):
                ending = content
            await self._inbox.put(self._clock(), content)
            # Counted from here: waiting for room in the inbox is not the client's silence.
            last_received = self._clock()

    # The worker.

    async def _work(self) -> None:
        try:
            await self._end(await self._serve())
        except GoneError:
            self._peer.abort()
        finally:
            await self._decoder.close()

    async def _serve(self) -> Ending:
        """Work the inbox off until something in it, or what it leads to, ends the stream."""
        try:
            while True:
                received_at, content = await self._inbox.get()
                if isinstance(content, Ending):
                    if content is CLOSE_STREAM:
                        await self._finish(received_at)
                    return content
                if isinstance(content, bytes):
                    await self._hear(content, received_at)
                else:
                    await self._obey(content, received_at)
        except UndecodableAudioError as error:
            _log.info("request %s: %s", self._call.request_id, error)
            return DATA_0000
        except GoneError:
            raise
        except Exception:  # a recogniser's defect must not look like the client's
            _log.exception("request %s: recognition failed", self._call.request_id)
            return NET_0000

    async def _end(self, ending: Ending) -> None:
        if ending.with_metadata:
            audio_s = self._segmenters[0].position_s if self._segmenters else 0.0
            await self._peer.say(
                self._answers.metadata(
                    self._sha256.hexdigest(), duration_s=audio_s, channels=len(self._segmenters)
                )
            )
        await self._peer.close(ending.code, ending.reason)

    async def _hear(self, data: bytes, received_at: float) -> None:
        for at in range(0, len(data), _PIECE):
            piece = data[at : at + _PIECE]
            self._sha256.update(piece)
            await self._segment(await self._decoder.feed(piece), received_at)
            await asyncio.sleep(0)

    async def _finish(self, received_at: float) -> None:
        await self._segment(await self._decoder.finish(), received_at)
        for channel, segmenter in enumerate(self._segmenters):
            await self._advance(segmenter.finish(), channel, received_at)

    async def _obey(self, message: ClientMessage | Unparsable, received_at: float) -> None:
        match message:
            case Finalize(channel):
                for index, segmenter in enumerate(self._segmenters):
                    if channel is None or channel == index:
                        await self._advance(segmenter.finalize(), index, received_at)
            case Configure():
                await self._configure(message)
            case Unparsable():
                await self._peer.say(self._answers.schema_error(message))
            case KeepAlive() | CloseStream():
                pass

    async def _configure(self, change: Configure) -> None:
        if change.keyterms is not None:
            if not self._query.model.startswith("nova-3"):
                await self._peer.say(
                    self._answers.configure_failure("CONFIGURE_KEYTERMS_NOT_SUPPORTED")
                )
                return
            if sum(len(term.split()) for term in change.keyterms) > LONGEST_KEYTERMS:
                await self._peer.say(
                    self._answers.configure_failure("CONFIGURE_KEYTERM_LIMIT_EXCEEDED")
                )
                return
            self._hints = msgspec.structs.replace(self._hints, keyterms=tuple(change.keyterms))
        self._answers.toggle(change.features or {})
        await self._peer.say(self._answers.configure_success(change.keyterms))

    # Audio to results.

    async def _segment(self, blocks: Sequence[Block], received_at: float) -> None:
        for block in blocks:
            if not self._segmenters:
                self._segmenters = self._make_segmenters(len(block))
            # A tenth of a second at a time, so that the channels' results come by time.
            step = max(self._decoder.rate // 10, 1) * 2
            for at in range(0, len(block[0]), step):
                for channel, samples in enumerate(block):
                    steps = self._segmenters[channel].feed(samples[at : at + step])
                    await self._advance(steps, channel, received_at)
                await asyncio.sleep(0)

    def _make_segmenters(self, channels: int) -> list[Segmenter]:
        settings, query, rate = self._settings, self._query, self._decoder.rate
        pause_s = query.endpointing_s
        config = Segmentation(
            interim_every_s=settings.interim_every_s if query.interim_results else None,
            endpointing_s=None
            if pause_s is None
            else max(pause_s, settings.shortest_endpointing_s),
            utterance_end_s=query.utterance_end_s,
            longest_segment_s=settings.longest_segment_s,
            longest_silence_s=settings.longest_silence_s,
        )
        detector = self._engine.recognizer.voice_detector
        return [
            Segmenter(config, detector(rate, channel), rate=rate, channel=channel)
            for channel in range(channels)
        ]

    async def _advance(self, steps: Steps, channel: int, received_at: float) -> None:
        """Do what a segmenter says, step by step."""
        words: list[RecognizedWord] | None = None
        place = (channel, len(self._segmenters))
        while True:
            try:
                step = steps.send(words)
            except StopIteration:
                return
            words = None
            match step:
                case Decode():
                    lag_s = self._clock() - received_at
                    words = await self._engine.decode(
                        step, self._hints, is_behind=lag_s > self._settings.longest_lag_s
                    )
                case Slice():
                    await self._peer.say(self._answers.results(step, place))
                case SpeechStarted(timestamp):
                    if self._query.vad_events:
                        await self._peer.say(self._answers.speech_started(timestamp, place))
                case UtteranceEnd(last_word_end):
                    await self._peer.say(self._answers.utterance_end(last_word_end, place))
