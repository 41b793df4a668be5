"""What a stream of speech has said and nothing has settled, to be said again elsewhere."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from typing import Final, Generic, TypeVar

import msgspec

from deepgram_async._protocol.memory import Memory, Rewind
from deepgram_async._protocol.pacing import Pacer
from deepgram_async._protocol.speak_v1 import MOST_CHARACTERS, MOST_FLUSHES
from deepgram_async.models.speak import Cleared, Flushed, SpeakEvent

__all__ = ["Entry", "Segment", "SpeakV1Memory", "SpeechMemory", "Spoken"]

E = TypeVar("E")

# More text than anybody listens to in half a day: who gets there does not hear that the service
# is gone, and has to wait.
_MOST_UNSENT_BYTES: Final = 1 << 20


class _Offset(msgspec.Struct, gc=False):
    value: float


class Spoken(msgspec.Struct, gc=False):
    """A message of the client, as far as a memory has to know it."""

    type: str
    text: str = ""
    speed: float | None = None
    playback_offset: _Offset | None = None


class Segment(msgspec.Struct, gc=False):
    """Text whose audio comes as one, up to the confirmation behind it.

    Attributes:
        is_complete: Whether no more text is added.
        was_said: Whether the present connection has any of it.
        had: Bytes of its audio that the user has.
        came: Bytes of its audio that came on the present connection, known ones among them.
    """

    is_complete: bool = False
    was_said: bool = False
    had: int = 0
    came: int = 0


S = TypeVar("S", bound=Segment)


class Entry(msgspec.Struct, gc=False):
    """A frame in the log.

    Attributes:
        frame: What is sent.
        spoken: The message in it.
        segment: The text that it belongs to; ``None`` for a message with a life of its own.
        size: Bytes of the frame.
        is_known: Whether the user has seen its answer.
        is_answered: Whether the present connection has answered it.
    """

    frame: str | bytes
    spoken: Spoken
    segment: Segment | None
    size: int
    is_known: bool = False
    is_answered: bool = False


class SpeechMemory(Memory[E], Generic[E, S]):
    """The frames of a stream of speech that nothing has settled, in their order.

    The service speaks one segment of text after the other, so its audio and its confirmations are
    those of the oldest that is left. A segment is let go when it is confirmed. After a loss the
    others are said again from their beginning, and as much audio as the user has of the oldest is
    swallowed: what follows goes on where it stopped, because the same text takes the same time.

    A frame that must not go out as it is, or not yet, leaves the memory *behind* when it is added,
    on a connection that had everything else; ``next`` returns it in its time.
    """

    def __init__(self, options: Mapping[str, object], make_segment: Callable[[], S]) -> None:
        """Prepare a memory.

        Args:
            options: The options of the stream.
            make_segment: Makes an empty segment.
        """
        self.is_behind = False
        self._options = dict(options)
        self._make_segment = make_segment
        self._segments: deque[S] = deque()
        """The texts that are not confirmed, the oldest first."""
        self._log: list[Entry] = []
        self._sent = 0
        """Number of entries, from the first on, that the present connection has."""
        self._unsent_bytes = 0

    # What each protocol answers for itself.

    def _delay(self, entry: Entry, now: float) -> float:
        """Return the seconds until an entry may go out."""
        return 0.0

    def _goes_out(self, entry: Entry, now: float) -> None:
        """Note that an entry goes out on the present connection."""
        if entry.segment is not None:
            entry.segment.was_said = True

    # From one connection to the next.

    def rewind(self) -> Rewind:
        for segment in self._segments:
            segment.was_said = False
            segment.came = 0
        self._sent = 0
        self._keep(lambda entry: True)
        self.is_behind = True
        return Rewind(offset_s=0.0, dropped_s=0.0)

    def wait_s(self, now: float) -> float:
        if self._sent == len(self._log):
            return 0.0
        return self._delay(self._log[self._sent], now)

    def next(self, now: float) -> str | bytes | None:
        frame: str | bytes | None = None
        if self._sent < len(self._log):
            entry = self._log[self._sent]
            frame = entry.frame
            self._sent += 1
            self._unsent_bytes -= entry.size
            self._goes_out(entry, now)
        self.is_behind = self._sent < len(self._log)
        return frame

    def change(self, options: Mapping[str, object]) -> None:
        self._options |= options

    # Public attributes.

    @property
    def options(self) -> Mapping[str, object]:
        return self._options

    @property
    def unsent_bytes(self) -> int:
        return self._unsent_bytes

    @property
    def unsent_s(self) -> float:
        return 0.0

    @property
    def is_full(self) -> bool:
        return self.is_behind and self.unsent_bytes >= _MOST_UNSENT_BYTES

    @property
    def is_quiet(self) -> bool:
        return not self._log and not self._segments

    # Helpers of the protocols.

    @property
    def _current(self) -> S | None:
        """The segment whose audio comes, or comes next."""
        return self._segments[0] if self._segments else None

    def _open_segment(self) -> S:
        """Return the segment that text is added to now."""
        if not self._segments or self._segments[-1].is_complete:
            self._segments.append(self._make_segment())
        return self._segments[-1]

    def _remember(
        self, frame: str | bytes, spoken: Spoken, segment: Segment | None, now: float
    ) -> None:
        entry = Entry(frame, spoken, segment, _size(frame))
        self._log.append(entry)
        if self.is_behind or self._delay(entry, now) > 0:
            self.is_behind = True
            self._unsent_bytes += entry.size
        else:
            self._sent += 1
            self._goes_out(entry, now)

    def _settle(self) -> None:
        """Let go of the oldest segment: it is confirmed."""
        settled = self._segments.popleft()
        self._keep(lambda entry: entry.segment is not settled)

    def _let_go(self, entry: Entry) -> None:
        self._keep(lambda kept: kept is not entry)

    def _keep(self, is_kept: Callable[[Entry], bool]) -> None:
        """Let go of all entries but some."""
        sent = [entry for entry in self._log[: self._sent] if is_kept(entry)]
        unsent = [entry for entry in self._log[self._sent :] if is_kept(entry)]
        self._log = sent + unsent
        self._sent = len(sent)
        self._unsent_bytes = sum(entry.size for entry in unsent)

    def _fresh(self, audio: bytes) -> bytes | None:
        """Return what the user does not have of a frame of audio."""
        if not self._segments:
            return audio
        segment, size = self._segments[0], len(audio)
        known = segment.had - segment.came
        segment.came = came = segment.came + size
        if known >= size:
            return None
        segment.had = came
        return audio[known:] if known else audio


class SpeakV1Memory(SpeechMemory[SpeakEvent, Segment]):
    """What was said to an Aura voice and not settled: texts, flushes, clears and the close.

    A segment is the texts up to their flush, confirmed by ``Flushed``; a close flushes, too. A
    clear lets go of all text before it and stays itself until it is confirmed; what comes until
    then is of the text that is gone, and passes as it is: the stream drops it. The close stays to
    the end. ``Metadata`` of a further connection passes: it tells the request and the voice that
    the user has from there on.

    The limits of the service are those of a connection. What is said again counts anew, together
    with what follows it.
    """

    def __init__(self, options: Mapping[str, object], *, window_s: float | None) -> None:
        """Prepare a memory.

        Args:
            options: The options of the stream.
            window_s: Time in which a connection takes so many flushes and characters, as in
                ``StreamSettings.speak_window_s``; ``None`` for no limits.
        """
        super().__init__(options, Segment)
        self._window_s = window_s
        self._pace()

    def add(self, frame: str | bytes, now: float) -> None:
        spoken = msgspec.json.decode(frame, type=Spoken)
        segment: Segment | None = None
        match spoken.type:
            case "Speak":
                segment = self._open_segment()
            case "Flush":
                segment = self._open_segment()
                segment.is_complete = True
            case "Clear":
                self._segments.clear()
                self._keep(_is_clear)
            case _:
                if self._segments:
                    self._segments[-1].is_complete = True
        self._remember(frame, spoken, segment, now)

    def place(self, event: SpeakEvent) -> SpeakEvent | None:
        log = self._log
        if log and log[0].spoken.type == "Clear":
            if isinstance(event, Cleared) and self._sent:
                self._let_go(log[0])
            return event
        if type(event) is bytes:
            return self._fresh(event)
        if isinstance(event, Flushed):
            current = self._current
            if current is not None and current.is_complete:
                self._settle()
        return event

    def is_progress(self, event: SpeakEvent) -> bool:
        return isinstance(event, bytes | Flushed | Cleared)

    def restart(self, now: float) -> None:
        self._pace()

    def _pace(self) -> None:
        self._flush_pacer = Pacer(MOST_FLUSHES, self._window_s)
        self._text_pacer = Pacer(MOST_CHARACTERS, self._window_s)

    def _delay(self, entry: Entry, now: float) -> float:
        match entry.spoken.type:
            case "Speak":
                return self._text_pacer.delay(len(entry.spoken.text), now)
            case "Flush":
                return self._flush_pacer.delay(1, now)
            case _:
                return 0.0

    def _goes_out(self, entry: Entry, now: float) -> None:
        super()._goes_out(entry, now)
        match entry.spoken.type:
            case "Speak":
                self._text_pacer.note(len(entry.spoken.text), now)
            case "Flush":
                self._flush_pacer.note(1, now)
            case _:
                pass


def _is_clear(entry: Entry) -> bool:
    return entry.spoken.type == "Clear"


def _size(frame: str | bytes) -> int:
    return len(frame.encode()) if isinstance(frame, str) else len(frame)
