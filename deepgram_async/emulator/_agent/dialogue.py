"""What is said in a conversation: turns of the user, answers of the agent, interruptions."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TYPE_CHECKING, Final, cast

from deepgram_async._protocol.speech_text import SentenceBuffer
from deepgram_async.emulator._peer import GoneError
from deepgram_async.emulator._speech.formats import encoder
from deepgram_async.emulator._speech.frames import Pace, cut
from deepgram_async.emulator._speech.markup import MarkError, read_script
from deepgram_async.emulator._speech.sentences import LONGEST_PIECE
from deepgram_async.models.agent import History

from .failures import AgentFailure
from .functions import Functions
from .settings import speech_format, speed_of
from .thinking import ThinkRequest, Thought, ToolCall

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine

    from deepgram_async.emulator._calls import Call
    from deepgram_async.emulator._peer import Peer
    from deepgram_async.emulator._services import Services
    from deepgram_async.emulator._speech.formats import Encoder
    from deepgram_async.emulator._speech.markup import Script
    from deepgram_async.emulator._wire import Json
    from deepgram_async.models.agent_settings import Agent, Function, Settings, Think

    from .messages import FunctionCallResponse

__all__ = ["Dialogue"]

_log: Final = logging.getLogger(__name__)

# Who thinks calls functions again and again: somewhere this has to end.
_MOST_ROUNDS: Final = 10
_RAW: Final = ("linear16", "mulaw", "alaw")


class Dialogue:
    """One conversation, once its settings are known.

    Attributes:
        settings: As the client sent them.
        agent: The agent in force; replaced when the client changes it.

    At any time there is at most one answer under way, in a task of its own.
    """

    def __init__(
        self,
        services: Services,
        call: Call,
        peer: Peer,
        settings: Settings,
        agent: Agent,
        group: asyncio.TaskGroup,
    ) -> None:
        self.settings = settings
        self.agent = agent
        self._services = services
        self._call = call
        self._peer = peer
        self._group = group
        self._clock = asyncio.get_running_loop().time
        self._has_history = settings.flags is None or settings.flags.history is not False
        self._form = speech_format(settings.audio.output)
        self._pace = Pace(services.settings.agent_lead_s)
        self._functions = Functions(peer, services.http, services.settings.fetch_timeout_s)
        self._messages = list(agent.context.messages) if agent.context is not None else []
        self._answering: asyncio.Task[None] | None = None
        self._queue: deque[str] = deque()
        # Of an answer that is spoken: from its first sentence to its end.
        self._encoding: Encoder | None = None

    @property
    def waiting(self) -> int:
        """How many messages wait to be said."""
        return len(self._queue)

    @property
    def is_answering(self) -> bool:
        """Whether the agent thinks or speaks."""
        return self._answering is not None and not self._answering.done()

    # What the client does.

    def greet(self) -> None:
        """Say the greeting, if there is one."""
        if self.agent.greeting:
            self.say(self.agent.greeting)

    def say(self, text: str) -> None:
        """Say something behind what is being said; nobody has to think for it."""
        self._queue.append(text)
        if not self.is_answering:
            self._start(self._say_queued())

    async def hear(self, text: str) -> None:
        """Take what the user has said, and answer it; an answer under way ends."""
        was_speaking = await self._stop()
        heard_at = self._clock()
        await self._tell("user", text)
        await self._peer.say({"type": "EndOfThought"})
        if was_speaking:
            await self._peer.say({"type": "AgentAudioDone"})
        self._start(self._answer(heard_at))

    async def find_words(self) -> None:
        """Say something that the agent has to think of itself; an answer under way ends."""
        await self.interrupt()
        self._start(self._answer(self._clock()))

    async def interrupt(self) -> None:
        """End the answer under way, because the user speaks or something else is to be said."""
        if await self._stop():
            await self._peer.say({"type": "AgentAudioDone"})

    def take_response(self, response: FunctionCallResponse) -> None:
        """Take the response of a function that the client has called."""
        self._functions.answer(response)

    async def close(self) -> None:
        """End everything without a word."""
        if self._answering is not None:
            self._answering.cancel()
            await asyncio.wait([self._answering])

    # Answers.

    def _start(self, work: Coroutine[None, None, None]) -> None:
        self._answering = self._group.create_task(work)

    async def _stop(self) -> bool:
        """End the answer; return whether some of it was spoken."""
        await self.close()
        self._queue.clear()
        self._pace.stop()
        await self._functions.cancel()
        was_speaking, self._encoding = self._encoding is not None, None
        return was_speaking

    async def _answer(self, heard_at: float) -> None:
        answer = _Answer(heard_at)
        for _ in range(_MOST_ROUNDS):
            calls = await self._think(answer)
            if not calls:
                break
            for call in await self._functions.call(calls, answer.functions):
                self._messages.append(History(function_calls=[call]))
                await self._tell_history(function_calls=[cast("Json", call.to_dict())])
        await self._say_queued()

    async def _say_queued(self) -> None:
        is_first = True
        # More may come while the end is told.
        while self._queue or is_first:
            is_first = False
            while self._queue:
                await self._speak(self._queue.popleft(), None)
            encoding, self._encoding = self._encoding, None
            if encoding is not None:
                await self._play(encoding.finish())
                await self._peer.say({"type": "AgentAudioDone"})

    # Thinking.

    def _think_settings(self) -> list[Think]:
        think = self.agent.think
        return think if isinstance(think, list) else [think]

    async def _think(self, answer: _Answer) -> list[ToolCall]:
        """Think and speak what comes of it; return the functions to be called."""
        for think in self._think_settings():
            answer.functions = think.functions or []
            request = ThinkRequest(think=think, messages=tuple(self._messages))
            try:
                return await self._follow(self._services.think(request), answer)
            except (GoneError, AgentFailure):
                raise
            except Exception as error:  # whatever a function of the user's raises, it failed
                name = type(error).__name__
                _log.warning(
                    "request %s: thinking failed: %s: %s", self._call.request_id, name, error
                )
                await self._warn("THINK_REQUEST_FAILED", "A request to the provider failed.")
        raise AgentFailure("FAILED_TO_THINK", "No provider of agent.think gave an answer.")

    async def _follow(
        self, parts: AsyncIterator[str | ToolCall | Thought], answer: _Answer
    ) -> list[ToolCall]:
        calls: list[ToolCall] = []
        buffer = SentenceBuffer(LONGEST_PIECE)
        async with aclosing(self._patiently(parts)) as patient:
            async for part in patient:
                if answer.thought_after_s is None:
                    answer.thought_after_s = self._clock() - answer.heard_at
                match part:
                    case str():
                        for sentence in buffer.add(part):
                            await self._speak(sentence, answer)
                    case ToolCall():
                        calls.append(part)
                    case Thought(content):
                        await self._peer.say({"type": "AgentThinking", "content": content})
        for sentence in buffer.rest():
            await self._speak(sentence, answer)
        return calls

    async def _patiently(
        self, parts: AsyncIterator[str | ToolCall | Thought]
    ) -> AsyncGenerator[str | ToolCall | Thought]:
        """Yield the parts; warn each time that one takes long."""
        try:
            while (part := await self._next(parts)) is not None:
                yield part
        finally:
            if isinstance(parts, AsyncGenerator):
                await parts.aclose()

    async def _next(
        self, parts: AsyncIterator[str | ToolCall | Thought]
    ) -> str | ToolCall | Thought | None:
        slow_s = self._services.settings.slow_think_s
        part = asyncio.ensure_future(_next(parts))
        try:
            while not (await asyncio.wait([part], timeout=slow_s))[0]:
                await self._warn("SLOW_THINK_REQUEST", "The provider takes long to answer.")
            return part.result()
        finally:
            if not part.done():
                part.cancel()
                await asyncio.wait([part])

    # Speaking.

    async def _speak(self, text: str, answer: _Answer | None) -> None:
        text = text.strip()
        if not text:
            return
        await self._pace.wait()
        if self._encoding is None:
            self._encoding = encoder(self._form)
        await self._tell("assistant", text)
        try:
            script = read_script(text)
        except MarkError as error:
            await self._warn("SPEAK_REQUEST_FAILED", str(error))
            return
        self._call.used.characters += script.billable_characters
        try:
            await self._pronounce(script, self._encoding, answer)
        except GoneError:
            raise
        except Exception:  # a synthesiser's defect is none of who thinks
            _log.exception("request %s: speech failed", self._call.request_id)
            raise AgentFailure("FAILED_TO_SPEAK", "The voice of the agent failed.") from None

    async def _pronounce(self, script: Script, encoding: Encoder, answer: _Answer | None) -> None:
        began_at = self._clock()
        speech = self._services.voice.speak(
            script, encoding, rate=self._form.sample_rate, speed=speed_of(self.agent)
        )
        async with aclosing(speech) as pieces:
            async for piece in pieces:
                if answer is not None and not answer.is_announced:
                    answer.is_announced = True
                    await self._announce(answer, self._clock() - began_at)
                await self._play(piece.audio)
                self._pace.add(piece.seconds)

    async def _play(self, audio: bytes) -> None:
        if self._form.encoding not in _RAW or self._form.container != "none":
            if audio:
                await self._peer.play(audio)
            return
        for frame in cut(audio, self._form.bytes_per_second):
            await self._peer.play(frame)
            await asyncio.sleep(0)

    async def _announce(self, answer: _Answer, tts_s: float) -> None:
        total_s = self._clock() - answer.heard_at
        latencies: dict[str, Json] = {
            "total_latency": round(total_s, 9),
            "tts_latency": round(tts_s, 9),
        }
        thought_s = round(answer.thought_after_s or 0.0, 9)
        await self._peer.say(
            {"type": "AgentStartedSpeaking", **latencies, "ttt_latency": thought_s}
        )
        await self._peer.say({"type": "LatencyReport", **latencies, "ttt_text_latency": thought_s})

    # Telling.

    async def _tell(self, role: str, text: str) -> None:
        self._messages.append(History(role=role, content=text))
        await self._peer.say({"type": "ConversationText", "role": role, "content": text})
        await self._tell_history(role=role, content=text)

    async def _tell_history(self, **fields: Json) -> None:
        if self._has_history:
            await self._peer.say({"type": "History", **fields})

    async def _warn(self, code: str, description: str) -> None:
        await self._peer.say({"type": "Warning", "code": code, "description": description})


class _Answer:
    """What is known of an answer: how long it takes, what it may call, whether it was announced."""

    def __init__(self, heard_at: float) -> None:
        self.heard_at = heard_at
        self.functions: list[Function] = []
        self.thought_after_s: float | None = None
        self.is_announced = False


async def _next(
    parts: AsyncIterator[str | ToolCall | Thought],
) -> str | ToolCall | Thought | None:
    return await anext(parts, None)
