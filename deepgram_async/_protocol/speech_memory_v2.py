"""What a stream of speech in turns has said and nothing has settled."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from typing import Final

import msgspec
from msgspec.structs import replace

from deepgram_async._protocol.memory import Rewind
from deepgram_async._protocol.speech_memory import Entry, Segment, SpeechMemory, Spoken
from deepgram_async.models.speak_flux import (
    ConfigureFailure,
    ConfigureSuccess,
    Flushed,
    FluxSpeakEvent,
    InterruptedSpeech,
    SessionMetadata,
    SpeechInterrupted,
    SpeechMetadata,
    SpeechStarted,
    Warning,  # noqa: A004 - the name on the wire
)

__all__ = ["SpeakV2Memory"]

_INTERRUPT: Final = '{"type":"Interrupt"}'
_NOTHING_ACTIVE: Final = "NO_ACTIVE_SPEECH"
# How the service says that it did not interrupt (Deepgram docs, "Interruption Handling").
_REFUSALS: Final = frozenset(
    {
        _NOTHING_ACTIVE,
        "NO_AUDIO_GENERATED",
        "INTERRUPT_IN_PROGRESS",
        "INVALID_INTERRUPT_OFFSET",
    }
)
# Bytes of a sample, and samples in a second where the options do not tell.
_G711: Final = ("mulaw", "alaw")
_LINEAR: Final = (2, 24_000)
_TELEPHONE: Final = (1, 8_000)


class _Turn(Segment, gc=False):
    """A turn.

    Attributes:
        speech_id: Its name, from the connection that began to speak it first.
        is_flushed: Whether the user has ended its text.
        is_flush_known: Whether the user has seen its ``Flushed``.
        is_cut: Whether an interruption is under way that was meant for it.
    """

    speech_id: str | None = None
    is_flushed: bool = False
    is_flush_known: bool = False
    is_cut: bool = False


class _Interrupt(msgspec.Struct, gc=False):
    frame: str | bytes
    played_ms: float | None


class _Totals(msgspec.Struct, gc=False):
    """Sums over the turns that ended on a connection, or on several."""

    audio_ms: float = 0.0
    characters: float = 0.0
    billable: float = 0.0

    def add(self, account: SpeechMetadata | InterruptedSpeech) -> None:
        self.audio_ms += account.audio_duration_ms or 0.0
        self.characters += account.input_character_count or 0.0
        self.billable += account.billable_character_count or 0.0


class SpeakV2Memory(SpeechMemory[FluxSpeakEvent, _Turn]):
    """What was said to a Flux voice and not settled: turns, interruptions, changes, the close.

    A turn is settled by ``SpeechMetadata`` or ``SpeechInterrupted``. One that is said again keeps
    the ``speech_id`` it had, and what the user has seen of it does not come again. A flush that
    ends no turn is not remembered.

    An interruption is meant for the turn that is spoken. It is said before everything that waits,
    and on a connection that is behind, nothing follows it until it is answered. A turn that was
    interrupted is not said again: a further connection is only asked so that there is an answer.
    As that is about no speech, ``SpeechInterrupted`` is made here; nobody knows its texts. A
    refused interruption stays with its turn to the end of it.

    A change of the speed has its place between the texts. It is said again, without an answer for
    a user who has it, as long as text before it is; then ``options`` has it.

    The clock of a connection is moved to that of the stream: audio that the user has, counted from
    where the last interruption has put it. An offset before the connection, or on one that has not
    been told what is interrupted, is left out. The totals of ``SessionMetadata`` are summed up;
    connections that were lost count with the turns that ended on them. ``Connected`` of a further
    connection passes: it tells the request and the voice that the user has from there on.
    """

    def __init__(self, options: Mapping[str, object]) -> None:
        """Prepare a memory.

        Args:
            options: The options of the stream.
        """
        super().__init__(options, _Turn)
        self._bytes_per_ms = _bytes_per_ms(options)
        self._interrupts: deque[_Interrupt] = deque()
        """Those without an answer, the oldest first."""
        self._interrupts_sent = 0
        """How many of them the present connection has."""
        self._was_refused = False
        """Whether the turn goes on to its end though it was interrupted."""
        self._repeated: tuple[str, _Turn] | None = None
        """A turn that was begun before, and its name on the present connection."""
        self._is_resumed = False
        self._clock_ms = 0.0
        """Time of the stream behind the audio that the user has."""
        self._base_ms = 0.0
        """Time of the stream at which the clock of the present connection begins."""
        self._totals = _Totals()
        self._earlier = _Totals()

    # What the user says.

    def add(self, frame: str | bytes, now: float) -> None:
        spoken = msgspec.json.decode(frame, type=Spoken)
        match spoken.type:
            case "Speak":
                self._remember(frame, spoken, self._open_segment(), now)
            case "Flush":
                if self._segments and not self._segments[-1].is_flushed:
                    turn = self._segments[-1]
                    turn.is_flushed = turn.is_complete = True
                    self._remember(frame, spoken, turn, now)
            case "Interrupt":
                self._interrupt(frame, spoken)
            case _:
                self._remember(frame, spoken, None, now)

    def _interrupt(self, frame: str | bytes, spoken: Spoken) -> None:
        turn = self._current
        if turn is not None:
            turn.is_cut = turn.is_complete = True
        told = spoken.playback_offset
        interrupt = _Interrupt(frame, None if told is None else told.value)
        self._interrupts.append(interrupt)
        if self.is_behind or self._translated(interrupt) != frame:
            self.is_behind = True
        else:
            self._interrupts_sent += 1

    def _translated(self, interrupt: _Interrupt) -> str | bytes:
        """Return the frame of an interruption for the present connection."""
        if interrupt.played_ms is None or not self._is_resumed:
            return interrupt.frame
        turn = self._current
        offset_ms = round(interrupt.played_ms - self._base_ms)
        if turn is None or not turn.was_said or offset_ms < 0:
            return _INTERRUPT
        offset = {"type": "time_ms", "value": offset_ms}
        return msgspec.json.encode({"type": "Interrupt", "playback_offset": offset}).decode()

    # What the service says.

    def place(self, event: FluxSpeakEvent) -> FluxSpeakEvent | None:
        if isinstance(event, bytes):
            audio = self._fresh(event)
            if audio is not None:
                self._clock_ms += len(audio) / self._bytes_per_ms
            return audio
        match event:
            case SpeechStarted():
                return self._started(event)
            case Flushed():
                return self._flushed(event)
            case SpeechMetadata():
                return self._spoken(event)
            case SpeechInterrupted():
                return self._interrupted(event)
            case ConfigureSuccess() | ConfigureFailure():
                return self._configured(event)
            case Warning() if event.code in _REFUSALS and self._interrupts_sent:
                return self._refused(event)
            case SessionMetadata():
                return self._summed(event)
            case _:
                return event

    def is_progress(self, event: FluxSpeakEvent) -> bool:
        return isinstance(
            event,
            bytes
            | Flushed
            | SpeechMetadata
            | SpeechInterrupted
            | ConfigureSuccess
            | ConfigureFailure,
        )

    def _started(self, event: SpeechStarted) -> SpeechStarted | None:
        turn = self._current
        if turn is None:
            return event
        if turn.speech_id is None:
            turn.speech_id = event.speech_id
            return event
        self._repeated = event.speech_id, turn
        return None

    def _flushed(self, event: Flushed) -> Flushed | None:
        turn = self._current
        if self._repeated is not None and event.speech_id == self._repeated[0]:
            turn = self._repeated[1]
            event = replace(event, speech_id=turn.speech_id)
        if turn is not None and event.speech_id in {None, turn.speech_id}:
            if turn.is_flush_known:
                return None
            turn.is_flush_known = True
        return event

    def _spoken(self, event: SpeechMetadata) -> SpeechMetadata:
        self._totals.add(event)
        self._end_turn()
        if self._was_refused:
            self._answered()
            self._was_refused = False
        return replace(event, speech_id=self._name(event.speech_id))

    def _interrupted(self, event: SpeechInterrupted) -> SpeechInterrupted:
        self._end_turn()
        if self._interrupts_sent:
            self._answered()
        if event.metadata is not None:
            self._totals.add(event.metadata)
            name = self._name(event.metadata.speech_id)
            event = replace(event, metadata=replace(event.metadata, speech_id=name))
        if event.audio_played_ms is not None:
            self._clock_ms = event.audio_played_ms + self._base_ms
            event = replace(event, audio_played_ms=round(self._clock_ms, 3))
        return event

    def _refused(self, event: Warning) -> Warning | SpeechInterrupted:
        turn = self._current
        if turn is None or not turn.was_said:
            # The connection has nothing to speak, whatever it says.
            interrupt = self._answered()
            if turn is not None and turn.is_cut:
                return self._ended_unsaid(turn, interrupt)
            return replace(event, code=_NOTHING_ACTIVE) if self._is_resumed else event
        if event.code == _NOTHING_ACTIVE:
            turn.is_cut = False
            self._answered()
        else:
            self._was_refused = True
        return event

    def _ended_unsaid(self, turn: _Turn, interrupt: _Interrupt) -> SpeechInterrupted:
        if interrupt.played_ms is not None:
            self._clock_ms = interrupt.played_ms
        self._base_ms = self._clock_ms
        self._end_turn()
        return SpeechInterrupted(
            audio_played_ms=round(self._clock_ms, 3),
            metadata=InterruptedSpeech(speech_id=turn.speech_id),
        )

    def _configured(
        self, event: ConfigureSuccess | ConfigureFailure
    ) -> ConfigureSuccess | ConfigureFailure | None:
        sent = self._log[: self._sent]
        asked = next((entry for entry in sent if _is_change(entry) and not entry.is_answered), None)
        if asked is None:
            return event
        was_known = asked.is_known
        asked.is_known = asked.is_answered = True
        if isinstance(event, ConfigureFailure):
            self._let_go(asked)
        self._take_over(lambda entry: entry.is_answered)
        return None if was_known else event

    def _summed(self, event: SessionMetadata) -> SessionMetadata:
        earlier = self._earlier
        return replace(
            event,
            total_audio_duration_ms=_sum(event.total_audio_duration_ms, earlier.audio_ms),
            total_input_character_count=_sum(event.total_input_character_count, earlier.characters),
            total_billable_character_count=_sum(
                event.total_billable_character_count, earlier.billable
            ),
        )

    # From one connection to the next.

    def rewind(self) -> Rewind:
        rewind = super().rewind()
        for entry in self._log:
            entry.is_answered = False
        self._take_over(lambda entry: entry.is_known)
        self._interrupts_sent = 0
        self._was_refused = False
        self._repeated = None
        self._earlier.audio_ms += self._totals.audio_ms
        self._earlier.characters += self._totals.characters
        self._earlier.billable += self._totals.billable
        self._totals = _Totals()
        return rewind

    def restart(self, now: float) -> None:
        turn = self._current
        known = 0 if turn is None else turn.had
        self._base_ms = self._clock_ms - known / self._bytes_per_ms
        self._is_resumed = True

    def next(self, now: float) -> str | bytes | None:
        if self.is_behind:
            if self._interrupts_sent and not self._was_refused:
                self.is_behind = self._has_unsent
                return None
            if self._interrupts_sent < len(self._interrupts):
                interrupt = self._interrupts[self._interrupts_sent]
                self._interrupts_sent += 1
                self.is_behind = self._has_unsent
                return self._translated(interrupt)
        return super().next(now)

    # Public attributes.

    @property
    def unsent_bytes(self) -> int:
        waiting = list(self._interrupts)[self._interrupts_sent :]
        return super().unsent_bytes + sum(len(interrupt.frame) for interrupt in waiting)

    @property
    def is_quiet(self) -> bool:
        return super().is_quiet and not self._interrupts

    # Helpers.

    @property
    def _has_unsent(self) -> bool:
        return self._sent < len(self._log) or self._interrupts_sent < len(self._interrupts)

    def _end_turn(self) -> None:
        if self._segments:
            self._settle()
            self._take_over(lambda entry: entry.is_answered)

    def _answered(self) -> _Interrupt:
        """Let go of the oldest interruption that was sent."""
        self._interrupts_sent -= 1
        if not self._interrupts_sent:
            self._was_refused = False
        return self._interrupts.popleft()

    def _name(self, speech_id: str | None) -> str | None:
        """Return the name that the user knows a turn by."""
        if self._repeated is not None and speech_id == self._repeated[0]:
            return self._repeated[1].speech_id
        return speech_id

    def _take_over(self, is_settled: Callable[[Entry], bool]) -> None:
        """Let go of changes that no text is before, into the options of the next connection."""
        while self._log and _is_change(self._log[0]) and is_settled(self._log[0]):
            speed = self._log[0].spoken.speed
            self._let_go(self._log[0])
            if speed is not None:
                self._options["speed"] = speed


def _is_change(entry: Entry) -> bool:
    return entry.spoken.type == "Configure"


def _bytes_per_ms(options: Mapping[str, object]) -> float:
    sample_bytes, rate = _TELEPHONE if options.get("encoding") in _G711 else _LINEAR
    asked = options.get("sample_rate")
    return sample_bytes * (asked if isinstance(asked, int) else rate) / 1000


def _sum(total: float | None, earlier: float) -> float | None:
    return None if total is None else total + earlier
