"""What Deepgram says to an audio of ``speech.Speech``, live and with Flux, without I/O."""

from __future__ import annotations

import math
import random
from abc import ABC, abstractmethod
from typing import Any, Final

from benchmarks.soak.speech import WORD_S, Ear, Speech

__all__ = ["FluxRecognizer", "ListenRecognizer", "Message", "Recognizer"]

Message = dict[str, Any]

# A border between two words lies where nothing is said: so far at most from the middle of the gap.
_LEEWAY_S: Final = 0.015
_INTERIM_S: Final = 1.0
_UPDATE_S: Final = 0.25
_SILENCE_THAT_ENDS_S: Final = 0.7
# Somebody has to speak for so long before Flux notices.
_ONSET_S: Final = 1.2


class Recognizer(ABC):
    """One connection of the service: hears audio and answers messages.

    Attributes:
        keyterms: What it listens for in particular.
    """

    def __init__(self, speech: Speech, numbers: random.Random) -> None:
        self.keyterms: list[str] = []
        self._speech = speech
        self._numbers = numbers
        self._ear = Ear(speech)

    @property
    def heard_s(self) -> float:
        """Seconds of audio on this connection."""
        return self._on_wire(self._ear.heard)

    def hear(self, chunk: bytes) -> list[Message]:
        """Hear a chunk and return what is said to it.

        Raises:
            MisheardError: It is not what follows.
        """
        is_new = self._ear.heard == 0 == self._ear.begin
        self._ear.hear(chunk)
        if is_new and self._ear.heard:
            self._began()
        return self._said()

    @abstractmethod
    def greeting(self) -> list[Message]:
        """Return what is said before there is audio."""

    @abstractmethod
    def answer(self, message: Message) -> list[Message]:
        """Return what is said to a message of the client."""

    @abstractmethod
    def _began(self) -> None:
        """Take note of where the audio begins."""

    @abstractmethod
    def _said(self) -> list[Message]:
        """Return what is said after more audio."""

    def _on_wire(self, sample: float) -> float:
        """Return the time of a sample on this connection, as the service writes it."""
        return round((sample - self._ear.begin) / self._speech.rate, 3)

    def _border(self, word: int) -> int:
        """Return a sample before a word and after the one before."""
        leeway_s = self._numbers.uniform(-_LEEWAY_S, _LEEWAY_S)
        sample = round((word * WORD_S + leeway_s) * self._speech.rate)
        return max(self._ear.begin, sample)

    def _last_border(self, sample: int) -> int:
        """Return the last border up to a sample."""
        # The gap behind a word is a border already.
        word = int(sample / self._speech.word_samples + 0.2)
        return min(self._border(word), sample)

    def _word(self, word: int, text: str) -> Message:
        rate, begin_s = self._speech.rate, self._ear.begin / self._speech.rate
        start, end = self._speech.begin_of(word), self._speech.end_of(word)
        return {
            "word": text,
            "start": self._on_wire((start - begin_s) * rate + self._ear.begin),
            "end": self._on_wire((end - begin_s) * rate + self._ear.begin),
            "confidence": 0.9,
        }


class ListenRecognizer(Recognizer):
    """Live transcription: interim results every second, final ones of random lengths."""

    def __init__(self, speech: Speech, numbers: random.Random) -> None:
        super().__init__(speech, numbers)
        channels = range(speech.channels)
        self._settled = [0 for _ in channels]
        self._next_final = [0 for _ in channels]
        self._shown = [0 for _ in channels]
        self._followed = 0
        """Words whose beginning and end were looked for."""

    def greeting(self) -> list[Message]:
        return []

    def answer(self, message: Message) -> list[Message]:
        match message["type"]:
            case "Finalize":
                only = message.get("channel")
                channels = range(self._speech.channels) if only is None else [only]
                border = self._last_border(self._ear.heard)
                return self._all_up_to(border, channels, from_finalize=True)
            case "CloseStream":
                said = self._all_up_to(self._ear.heard, range(self._speech.channels))
                return [*said, self._metadata()]
            case "Configure":
                self.keyterms = message.get("keyterms", self.keyterms)
                return [{"type": "ConfigureSuccess", "request_id": "r", "keyterms": self.keyterms}]
            case "KeepAlive":
                return []
            case _:
                return [{"type": "Error", "variant": "SchemaError", "message": str(message)}]

    def _began(self) -> None:
        for channel in range(self._speech.channels):
            self._settled[channel] = self._shown[channel] = self._ear.begin
            self._choose(channel)
        self._followed = math.ceil(self._ear.begin / self._speech.word_samples - 0.2) + 1

    def _said(self) -> list[Message]:
        said = [*self._events()]
        for channel in range(self._speech.channels):
            while self._ear.heard >= self._next_final[channel] > 0:
                said.append(self._final(channel, self._next_final[channel]))
            heard = self._ear.heard
            if heard - max(self._shown[channel], self._settled[channel]) >= (
                _INTERIM_S * self._speech.rate
            ):
                self._shown[channel] = heard
                said.append(self._result(channel, heard, is_final=False))
        return said

    def _events(self) -> list[Message]:
        speech, said = self._speech, list[Message]()
        while (self._followed + 1) * speech.word_samples <= self._ear.heard:
            word = self._followed
            self._followed += 1
            silent = speech.is_silent(word)
            if silent == speech.is_silent(word - 1):
                continue
            for channel in range(speech.channels):
                place = [channel, speech.channels]
                if silent:
                    end = self._word(word - 1, "")["end"]
                    said.append({"type": "UtteranceEnd", "channel": place, "last_word_end": end})
                else:
                    start = self._word(word, "")["start"]
                    said.append({"type": "SpeechStarted", "channel": place, "timestamp": start})
        return said

    def _choose(self, channel: int) -> None:
        word = self._settled[channel] // self._speech.word_samples
        border = self._border(word + self._numbers.randint(5, 80))
        self._next_final[channel] = max(border, self._settled[channel] + 1)

    def _all_up_to(
        self, sample: int, channels: range | list[int], *, from_finalize: bool = False
    ) -> list[Message]:
        return [
            self._final(channel, sample, from_finalize=from_finalize)
            for channel in channels
            if sample > self._settled[channel]
        ]

    def _final(self, channel: int, end: int, *, from_finalize: bool = False) -> Message:
        result = self._result(channel, end, is_final=True, from_finalize=from_finalize)
        self._settled[channel] = end
        self._choose(channel)
        return result

    def _result(
        self, channel: int, end: int, *, is_final: bool, from_finalize: bool = False
    ) -> Message:
        start = self._settled[channel]
        words = [self._word(n, f"c{channel}w{n}") for n in self._speech.words(start, end)]
        alternative = {
            "transcript": " ".join(word["word"] for word in words),
            "confidence": 0.9,
            "words": words,
        }
        start_s, end_s = self._on_wire(start), self._on_wire(end)
        return {
            "type": "Results",
            "channel_index": [channel, self._speech.channels],
            "start": start_s,
            "duration": round(end_s - start_s, 3),
            "is_final": is_final,
            "speech_final": False,
            "from_finalize": from_finalize,
            "channel": {"alternatives": [alternative]},
            "metadata": {"request_id": "r"},
        }

    def _metadata(self) -> Message:
        return {
            "type": "Metadata",
            "request_id": "r",
            "sha256": "",
            "created": "",
            "duration": self.heard_s,
            "channels": self._speech.channels,
        }


class FluxRecognizer(Recognizer):
    """A conversation with Flux: turns of random lengths, with drafts and false ends."""

    def __init__(self, speech: Speech, numbers: random.Random) -> None:
        super().__init__(speech, numbers)
        self._sequence_id = 0
        self._turn_index = 0
        self._turn_began = 0
        self._looked_at = 0
        self._has_started = False
        self._draft_end: int | None = None
        self._length = 0
        """Words after which the turn ends."""

    def greeting(self) -> list[Message]:
        return [self._message("Connected")]

    def answer(self, message: Message) -> list[Message]:
        match message["type"]:
            case "ForceEndTurn":
                if not self._has_started:
                    code = "FORCE_END_TURN_NO_ACTIVE_TURN"
                    return [self._message("Warning", code=code, description="no turn")]
                return [self._end_of_turn("manual")]
            case "Configure":
                self.keyterms = message.get("keyterms", self.keyterms)
                fields = {"thresholds": message.get("thresholds", {}), "keyterms": self.keyterms}
                return [self._message("ConfigureSuccess", **fields)]
            case "CloseStream":
                end = self._draft_end or self._ear.heard
                return [self._turn("Update", end)] if self._has_started else []
            case kind:
                return [self._message("Error", code="UNPARSABLE_CLIENT_MESSAGE", description=kind)]

    def _began(self) -> None:
        self._turn_began = self._looked_at = self._ear.begin
        self._choose()

    def _said(self) -> list[Message]:
        said: list[Message] = []
        step = round(_UPDATE_S * self._speech.rate)
        while self._looked_at + step <= self._ear.heard:
            self._looked_at += step
            said.append(self._look(self._looked_at))
        return said

    def _look(self, now: int) -> Message:
        words = list(self._speech.words(self._turn_began, now))
        if not self._has_started:
            is_noticed = words and now / self._speech.rate - self._speech.begin_of(words[0]) >= (
                self._numbers.uniform(0.1, _ONSET_S)
            )
            if not is_noticed:
                return self._turn("Update", now, words=[])
            self._has_started = True
            return self._turn("StartOfTurn", now)
        if self._draft_end is not None:
            if self._numbers.random() < 0.3:
                return self._turn("Update", self._draft_end)
            if self._numbers.random() < 0.4:
                return self._end_of_turn("model")
            self._draft_end = None
            return self._turn("TurnResumed", now)
        is_over = len(words) >= self._length or (
            now / self._speech.rate - self._speech.end_of(words[-1]) >= _SILENCE_THAT_ENDS_S
        )
        if is_over or self._numbers.random() < 0.05:
            if is_over and self._numbers.random() < 0.5:
                return self._end_of_turn("model")
            self._draft_end = max(self._turn_began, self._last_border(now))
            if any(self._speech.words(self._turn_began, self._draft_end)):
                return self._turn("EagerEndOfTurn", self._draft_end)
            self._draft_end = None
        return self._turn("Update", now)

    def _end_of_turn(self, trigger: str) -> Message:
        end = self._draft_end
        if end is None:
            end = max(self._turn_began, self._last_border(self._looked_at))
        ended = self._turn("EndOfTurn", end, trigger=trigger)
        self._turn_index += 1
        self._turn_began = end
        self._has_started, self._draft_end = False, None
        self._choose()
        return ended

    def _choose(self) -> None:
        self._length = self._numbers.randint(3, 120)

    def _turn(
        self, event: str, end: int, *, words: list[int] | None = None, **fields: Any
    ) -> Message:
        if words is None:
            words = list(self._speech.words(self._turn_began, end))
        said = [self._word(number, f"w{number}") for number in words]
        return self._message(
            "TurnInfo",
            event=event,
            turn_index=self._turn_index,
            audio_window_start=self._on_wire(self._turn_began),
            audio_window_end=self._on_wire(end),
            transcript=" ".join(word["word"] for word in said),
            words=said,
            end_of_turn_confidence=0.5,
            **fields,
        )

    def _message(self, kind: str, **fields: Any) -> Message:
        numbered = {"type": kind, "request_id": "r", "sequence_id": self._sequence_id}
        self._sequence_id += 1
        return numbered | fields
