"""What a user says in a conversation and nobody has reacted to: the part to say again."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final

import msgspec

__all__ = ["Backlog"]

# Speech may have begun so long before the service says so; what is older was silence.
_ONSET_S: Final = 1.0
# A message that had no effect within this time will have none.
_EFFECT_S: Final = 30.0
# Audio that tells nothing about time is compressed: a minute of it is far smaller.
_MOST_BYTES: Final = 1 << 20


class _Piece(msgspec.Struct, gc=False):
    frame: str | bytes
    at: float
    """When it was added; for a message that was sent, when it was sent."""
    position: int = 0
    """Of audio: where in all that was said it begins."""
    needs_effect: bool = False


class Backlog:
    """The audio and the messages of a conversation that may have to be said again.

    What was sent is kept while it is of use: a message until it had its effect, audio until it
    has become text. Of silence only the last second is kept, of speech as much as the bound
    allows. What was not sent is kept too, with the same bound: the oldest audio is dropped,
    because late speech is worse than none in a conversation.

    Compressed audio is not said again; what was not sent is.

    Attributes:
        is_speech: Whether the user is speaking, as far as the service has said.
        dropped_s: Seconds of audio since the loss of the last connection that nobody will hear.
    """

    is_speech: bool
    dropped_s: float

    def __init__(
        self,
        *,
        bytes_per_s: float | None,
        sample_bytes: int,
        longest_s: float,
        speed: float | None,
    ) -> None:
        """Prepare a backlog.

        Args:
            bytes_per_s: How fast the bytes of raw audio run; ``None`` for compressed audio.
            sample_bytes: Size of a sample, which is never cut.
            longest_s: Seconds of audio to keep.
            speed: How much faster than real time audio is said again; ``None`` for at once.
        """
        self.is_speech = False
        self.dropped_s = 0.0
        self._bytes_per_s = bytes_per_s
        self._sample_bytes = sample_bytes
        self._longest_s = longest_s
        self._speed = speed
        self._sent: deque[_Piece] = deque()
        self._unsent: deque[_Piece] = deque()
        self._sent_audio = 0
        """Bytes of audio that were sent and are kept."""
        self._unsent_audio = 0
        self._end = 0
        """Bytes of all audio so far."""
        self._heard = 0
        """Position up to which the present connection has it."""
        self._forgotten = 0
        """Bytes of speech that were sent, have not become text, and are kept no more."""
        self._paced_from = 0.0
        self._paced = 0
        """Bytes of audio that were said to the present connection while it was behind."""

    # Public methods for what the user says.

    def add_audio(self, chunk: bytes, now: float, *, is_sent: bool) -> None:
        """Keep a chunk."""
        piece = _Piece(chunk, now, self._end)
        self._end += len(chunk)
        if is_sent:
            self._keep(piece)
        else:
            self._unsent.append(piece)
            self._unsent_audio += len(chunk)
            self._drop_late()

    def add_message(self, frame: str, now: float, *, is_sent: bool, needs_effect: bool) -> None:
        """Keep a message.

        Args:
            frame: The message.
            now: The time.
            is_sent: Whether it goes out now.
            needs_effect: Whether it is kept until ``settle``, and not only until it is sent.
        """
        piece = _Piece(frame, now, needs_effect=needs_effect)
        if not is_sent:
            self._unsent.append(piece)
        elif needs_effect:
            self._sent.append(piece)

    # Public methods for what the service says.

    def settle(self, has_effect: Callable[[str], bool]) -> bool:
        """Let go of the first message that was sent and had its effect; return if there is one."""
        for piece in self._sent:
            if isinstance(piece.frame, str) and has_effect(piece.frame):
                self._sent.remove(piece)
                return True
        return False

    def awaits_effect(self, now: float) -> bool:
        """Return whether a message was sent that may still have its effect."""
        return any(
            isinstance(piece.frame, str) and now - piece.at < _EFFECT_S for piece in self._sent
        )

    def settle_audio(self) -> None:
        """Let go of the audio that was sent: it has become text."""
        self._sent = deque(piece for piece in self._sent if isinstance(piece.frame, str))
        self._sent_audio = self._forgotten = 0
        self.is_speech = False

    # Public methods for saying it again.

    def rewind(self, now: float) -> None:
        """Go back to what had no effect, for a new connection."""
        again = [
            piece
            for piece in self._sent
            if isinstance(piece.frame, bytes) or now - piece.at < _EFFECT_S
        ]
        self._unsent.extendleft(reversed(again))
        self._unsent_audio += self._sent_audio
        self.dropped_s = self._seconds(self._forgotten)
        self._sent.clear()
        self._sent_audio = self._forgotten = self._heard = self._paced = 0
        self._drop_late()

    def wait_s(self, now: float) -> float:
        """Return the seconds until the next frame may go out."""
        if self._speed is None or not self._unsent or isinstance(self._unsent[0].frame, str):
            return 0.0
        ahead_s = self._seconds(self._paced) / self._speed - (now - self._paced_from)
        return max(0.0, ahead_s) if self._paced else 0.0

    def next(self, now: float) -> str | bytes | None:
        """Return the next frame; ``None`` when all is said."""
        while self._unsent:
            piece = self._unsent.popleft()
            if isinstance(piece.frame, str):
                if piece.needs_effect:
                    piece.at = now
                    self._sent.append(piece)
                return piece.frame
            self._unsent_audio -= len(piece.frame)
            # A sample that was begun is ended, and one whose beginning was dropped is not begun.
            missing = (self._heard - piece.position) % self._sample_bytes
            chunk = piece.frame[missing:]
            if chunk:
                if not self._paced:
                    self._paced_from = now
                self._paced += len(chunk)
                self._keep(_Piece(chunk, piece.at, piece.position + missing))
                return chunk
        return None

    # Public attributes.

    @property
    def unsent_bytes(self) -> int:
        """Bytes that the present connection has not got yet."""
        messages = sum(len(piece.frame) for piece in self._unsent if isinstance(piece.frame, str))
        return self._unsent_audio + messages

    @property
    def sent_bytes(self) -> int:
        """Bytes of all audio before what it has not got yet."""
        return self._end - self._unsent_audio

    @property
    def unsent_s(self) -> float:
        """Seconds of audio that it has not got yet; 0 for compressed audio."""
        return self._seconds(self._unsent_audio)

    @property
    def sent_s(self) -> float:
        """Seconds of all audio before what it has not got yet; 0 for compressed audio."""
        return self._seconds(self.sent_bytes)

    # Helpers.

    def _seconds(self, size: int) -> float:
        return 0.0 if self._bytes_per_s is None else round(size / self._bytes_per_s, 6)

    def _keep(self, piece: _Piece) -> None:
        self._heard = piece.position + len(piece.frame)
        if self._bytes_per_s is None:
            return
        self._sent.append(piece)
        self._sent_audio += len(piece.frame)
        window_s = self._longest_s if self.is_speech else min(_ONSET_S, self._longest_s)
        while self._sent_audio > window_s * self._bytes_per_s:
            dropped = _drop_audio(self._sent)
            if not dropped:
                return
            self._sent_audio -= dropped
            self._forgotten += dropped if self.is_speech else 0

    def _drop_late(self) -> None:
        while self._is_late():
            dropped = _drop_audio(self._unsent)
            if not dropped:
                return
            self._unsent_audio -= dropped
            self.dropped_s = round(self.dropped_s + self._seconds(dropped), 6)

    def _is_late(self) -> bool:
        if self._bytes_per_s is not None:
            return self._unsent_audio > self._longest_s * self._bytes_per_s
        times = [piece.at for piece in self._unsent if isinstance(piece.frame, bytes)]
        is_long = len(times) > 1 and times[-1] - times[0] > self._longest_s
        return is_long or self._unsent_audio > _MOST_BYTES


def _drop_audio(pieces: deque[_Piece]) -> int:
    """Drop the oldest audio, unless it is the youngest too, and return its size."""
    places = (place for place, piece in enumerate(pieces) if isinstance(piece.frame, bytes))
    oldest, second = next(places, None), next(places, None)
    if oldest is None or second is None:
        return 0
    size = len(pieces[oldest].frame)
    del pieces[oldest]
    return size
