"""What a local Deepgram hears and what its agents reply, as a test wants it."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

from deepgram_async.emulator import (
    RecognizedWord,
    ScriptedRecognizer,
    Thought,
    ToolCall,
    think_by_rules,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator, Mapping

    from deepgram_async.emulator import Hints, Pcm, ThinkRequest, VoiceDetector

__all__ = ["Script", "ScriptedEar"]

# A turn has ended after it, whatever its last word.
_LONGEST_SILENCE_S: Final = 3.0


class Script:
    """Decides what a `LocalDeepgram` hears and what its voice agents reply.

    It may be changed at any time, from any thread; streams that are open go on with the change.
    """

    def __init__(self) -> None:
        self._heard = ScriptedRecognizer()
        self._duration_s = 0.0
        self._replies: deque[tuple[str | ToolCall | Thought, ...]] = deque()
        self._requests: list[ThinkRequest] = []

    @property
    def recognizer(self) -> ScriptedRecognizer:
        """Who hears at the moment."""
        return self._heard

    @property
    def duration_s(self) -> float:
        """How many seconds of audio it takes until everything is heard, and turns have ended."""
        return self._duration_s

    @property
    def requests(self) -> list[ThinkRequest]:
        """What the agents were asked so far, with prompts, functions and everything said."""
        return list(self._requests)

    def hear(
        self,
        *sentences: str,
        start_s: float = 0.5,
        word_s: float = 0.3,
        pause_s: float = 3.0,
        confidence: float = 0.99,
    ) -> None:
        """Let all audio from now on be heard as these sentences, whatever is in it.

        Between sentences there is silence, long enough to end an utterance and a turn of Flux or of
        an agent. Audio that is shorter is heard as far as it goes.

        Args:
            sentences: What is heard, with case and punctuation.
            start_s: When the first word begins, in seconds of audio.
            word_s: How long each word takes.
            pause_s: The silence between sentences.
            confidence: The confidence of each word.
        """
        words: list[RecognizedWord] = []
        at = start_s
        for sentence in sentences:
            for word in sentence.split():
                words.append(RecognizedWord(word, round(at, 6), round(at + word_s, 6), confidence))
                at += word_s
            at += pause_s
        self.hear_words(words)

    def hear_words(
        self,
        words: Iterable[RecognizedWord | tuple[str, float, float]]
        | Mapping[int, Iterable[RecognizedWord | tuple[str, float, float]]],
    ) -> None:
        """Let all audio from now on be heard as these words at their times.

        Args:
            words: Word, beginning and end in seconds, on every channel; or a mapping from the
                index of a channel to its words.

        Raises:
            ValueError: The words do not run forward in time.
        """
        heard = ScriptedRecognizer(words)
        self._heard, self._duration_s = heard, heard.end_s + _LONGEST_SILENCE_S

    def reply(self, *parts: str | ToolCall | Thought) -> None:
        """Let agents reply so when they are asked next, one reply for each question.

        A reply that calls functions is asked for again when they have answered, which takes the
        next reply. When there is none left, an agent thinks by rules (`think_by_rules`).

        Args:
            parts: Text is spoken, a `ToolCall` calls a function, a `Thought` is told only.
        """
        self._replies.append(parts)

    async def think(self, request: ThinkRequest) -> AsyncIterator[str | ToolCall | Thought]:
        """Reply as scripted; this is what the emulator asks."""
        self._requests.append(request)
        if not self._replies:
            async for part in think_by_rules(request):
                yield part
            return
        for part in self._replies.popleft():
            yield part


class ScriptedEar:
    """Hears what a script says at the moment."""

    blocking = False
    languages = None

    def __init__(self, script: Script) -> None:
        self._script = script
        self.name = script.recognizer.name
        self.version = script.recognizer.version
        self.architecture = script.recognizer.architecture

    def recognize(self, audio: Pcm, hints: Hints) -> Iterator[RecognizedWord]:
        """Yield the words of a piece."""
        return self._script.recognizer.recognize(audio, hints)

    def voice_detector(self, rate: int, channel: int) -> VoiceDetector:
        """Return a detector that finds speech where the words are."""
        return _Detector(self._script, rate, channel)


class _Detector:
    """Finds speech where the words are, also when others take their places."""

    def __init__(self, script: Script, rate: int, channel: int) -> None:
        self._script = script
        self._rate = rate
        self._channel = channel
        self._of = script.recognizer
        self._detector = self._of.voice_detector(rate, channel)

    def is_speech(self, frame: bytes, start_s: float) -> bool:
        if self._of is not self._script.recognizer:
            self._of = self._script.recognizer
            self._detector = self._of.voice_detector(self._rate, self._channel)
        return self._detector.is_speech(frame, start_s)
