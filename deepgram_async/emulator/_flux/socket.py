"""`GET /v2/listen` as a WebSocket: a conversation, turn by turn.

Per stream there is a reader (the handler itself) and one worker, with a bounded inbox between them.
The worker takes audio and messages in the order they came, and is the only one that sends.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec
from aiohttp import WSMsgType

from deepgram_async._protocol import rules_flux
from deepgram_async.emulator._audio import UndecodableAudioError
from deepgram_async.emulator._calls import accept, route
from deepgram_async.emulator._formatting import Formatting, format_words
from deepgram_async.emulator._inbox import Inbox
from deepgram_async.emulator._live_messages import DATA_0000, NET_0001
from deepgram_async.emulator._models import used_model
from deepgram_async.emulator._peer import GoneError, Peer
from deepgram_async.emulator._recognizers import Hints
from deepgram_async.errors import OptionError

from .listener import TurnListener
from .messages import (
    CloseStream,
    Configure,
    FluxAnswers,
    ForceEndTurn,
    Thresholds,
    Unparsable,
    parse,
)
from .query import MULTILINGUAL, read_query
from .turns import TurnTaking

if TYPE_CHECKING:
    from aiohttp import web

    from deepgram_async.emulator._calls import Call
    from deepgram_async.emulator._faulty_socket import FaultySocket
    from deepgram_async.emulator._services import Services

    from .messages import ClientMessage
    from .query import FluxQuery
    from .turns import Turn

__all__ = ["decode_every_s", "routes"]

_log: Final = logging.getLogger(__name__)


def routes(services: Services) -> list[web.RouteDef]:
    """Return the route of Flux."""

    async def listen(request: web.Request, call: Call) -> web.StreamResponse:
        query = read_query(request.query)
        call.used.models = (used_model(query.model, "en", services.engine.recognizer),)
        call.used.tags = query.tag
        async with accept(request, call) as socket:
            peer = Peer(request, socket, services.settings)
            await _FluxStream(services, call, query, peer, socket).run()
        return socket

    return [route(services, "GET", "/v2/listen", listen, product="listen", is_streaming=True)]


def decode_every_s(services: Services) -> float:
    """Return how often the words of an open turn are asked for: rarely where that costs much."""
    every_s = services.settings.interim_every_s
    return every_s if services.engine.recognizer.blocking else TurnTaking().decode_every_s


class _Failure(NamedTuple):
    """An `Error`, and the close behind it."""

    code: str
    description: str
    close_code: int
    reason: str = ""


_TOO_SILENT: Final = _Failure("NET-0001", NET_0001.reason, NET_0001.code, NET_0001.reason)
_NO_AUDIO: Final = _Failure("DATA-0000", DATA_0000.reason, DATA_0000.code, DATA_0000.reason)
_DEFECT: Final = _Failure("INTERNAL_SERVER_ERROR", "Internal server error.", 1011)


class _FluxStream:
    """One client's stream, from handshake to close."""

    def __init__(
        self,
        services: Services,
        call: Call,
        query: FluxQuery,
        peer: Peer,
        socket: FaultySocket,
    ) -> None:
        self._settings = settings = services.settings
        self._call = call
        self._query = query
        self._peer = peer
        self._socket = socket
        self._clock = asyncio.get_running_loop().time
        self._inbox: Inbox[bytes | ClientMessage | Unparsable | _Failure] = Inbox(
            settings.max_backlog_bytes
        )
        self._answers = FluxAnswers(query, call.request_id)
        taking = TurnTaking(
            eot_threshold=query.eot_threshold,
            eager_eot_threshold=query.eager_eot_threshold,
            eot_timeout_s=query.eot_timeout_ms / 1000,
            decode_every_s=decode_every_s(services),
            longest_segment_s=settings.longest_segment_s,
        )
        hints = Hints(keyterms=query.keyterm)
        self._listener = TurnListener(services.engine, settings, query.raw, taking, hints)
        self._language_hints = query.language_hint
        self._numerals = query.numerals

    async def run(self) -> None:
        """Serve until either side has closed the socket."""
        async with asyncio.TaskGroup() as group:
            worker = group.create_task(self._work())
            await self._read()
            worker.cancel()

    # The reader.

    async def _read(self) -> None:
        is_over = False
        while True:
            silent_at = self._socket.heard_at + self._settings.flux_timeout_s
            try:
                async with asyncio.timeout_at(None if is_over else silent_at):
                    message = await self._socket.receive()
            except TimeoutError:
                if self._clock() >= self._socket.heard_at + self._settings.flux_timeout_s:
                    is_over = True
                    await self._inbox.put(self._clock(), _TOO_SILENT)
                continue
            if message.type not in (WSMsgType.BINARY, WSMsgType.TEXT):
                return
            if is_over:
                continue
            content = parse(message.data) if message.type is WSMsgType.TEXT else message.data
            is_over = isinstance(content, CloseStream | Unparsable)
            await self._inbox.put(self._clock(), content)

    # The worker.

    async def _work(self) -> None:
        try:
            await self._peer.say(self._answers.connected())
            failure = await self._serve()
            if failure is None:
                await self._peer.close_without_code()
            else:
                await self._peer.say(self._answers.error(failure.code, failure.description))
                await self._peer.close(failure.close_code, failure.reason)
            # The client has to answer the goodbye, which the reader waits for.
            await asyncio.sleep(self._settings.close_timeout_s)
            self._peer.abort()
        except GoneError:
            self._peer.abort()
        finally:
            await self._listener.close()

    async def _serve(self) -> _Failure | None:
        """Work the inbox off until the stream ends; return why, or None if it was asked for."""
        try:
            while True:
                received_at, content = await self._inbox.get()
                match content:
                    case bytes():
                        async for turn in self._listener.hear(content, received_at):
                            await self._tell(turn)
                    case ForceEndTurn():
                        await self._force_end()
                    case Configure():
                        await self._configure(content)
                    case CloseStream():
                        async for turn in self._listener.finish():
                            await self._tell(turn)
                        return None
                    case Unparsable(why):
                        return _Failure("UNPARSABLE_CLIENT_MESSAGE", why, 1008)
                    case _Failure():
                        return content
        except UndecodableAudioError as error:
            _log.info("request %s: %s", self._call.request_id, error)
            return _NO_AUDIO
        except GoneError:
            raise
        except Exception:  # a recogniser's defect must not look like the client's
            _log.exception("request %s: recognition failed", self._call.request_id)
            return _DEFECT

    async def _tell(self, turn: Turn) -> None:
        self._call.used.audio_s = turn.window_end
        formatting = Formatting(
            numerals=self._numerals,
            profanity_filter=self._query.profanity_filter,
            redact=() if self._query.redact is None else (self._query.redact,),
        )
        words = format_words(turn.words, formatting)
        await self._peer.say(self._answers.turn(turn, words, self._language_hints))

    async def _force_end(self) -> None:
        if not self._listener.has_turn:
            await self._peer.say(
                self._answers.warning("FORCE_END_TURN_NO_ACTIVE_TURN", "There is no active turn.")
            )
        async for turn in self._listener.force_end():
            await self._tell(turn)

    async def _configure(self, change: Configure) -> None:
        asked = change.thresholds or Thresholds()
        current = self._listener.taking
        thresholds = Thresholds(
            eager_eot_threshold=_either(asked.eager_eot_threshold, current.eager_eot_threshold),
            eot_threshold=_either(asked.eot_threshold, current.eot_threshold),
            eot_timeout_ms=_either(asked.eot_timeout_ms, current.eot_timeout_s * 1000),
        )
        try:
            rules_flux.check_change({**_given(asked), "keyterms": change.keyterms})
            rules_flux.check_change(_given(thresholds))
        except OptionError as error:
            is_threshold = error.option in _given(thresholds)
            code = "INVALID_THRESHOLD" if is_threshold else "KEYTERM_LIMIT_EXCEEDED"
            await self._peer.say(self._answers.configure_failure(code, error.message))
            return
        if change.language_hints and self._query.model != MULTILINGUAL:
            description = f"language_hints are for {MULTILINGUAL} only"
            await self._peer.say(
                self._answers.configure_failure("INVALID_LANGUAGE_HINTS", description)
            )
            return
        self._apply(change, thresholds)
        await self._peer.say(
            self._answers.configure_success(
                thresholds,
                self._listener.hints.keyterms,
                self._language_hints,
                numerals=self._numerals,
            )
        )

    def _apply(self, change: Configure, thresholds: Thresholds) -> None:
        current = self._listener.taking
        timeout_ms = thresholds.eot_timeout_ms
        self._listener.taking = replace(
            current,
            eot_threshold=thresholds.eot_threshold or current.eot_threshold,
            eager_eot_threshold=thresholds.eager_eot_threshold,
            eot_timeout_s=current.eot_timeout_s if timeout_ms is None else timeout_ms / 1000,
        )
        if change.keyterms is not None:
            self._listener.hints = msgspec.structs.replace(
                self._listener.hints, keyterms=tuple(change.keyterms)
            )
        if change.language_hints is not None:
            self._language_hints = tuple(change.language_hints)
        if change.numerals is not None:
            self._numerals = change.numerals


def _either(asked: float | None, current: float | None) -> float | None:
    return current if asked is None else asked


def _given(thresholds: Thresholds) -> dict[str, float]:
    fields: dict[str, float] = msgspec.to_builtins(thresholds)
    return fields
