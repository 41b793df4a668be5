"""What is known of a stream while it runs."""

import msgspec

__all__ = ["StreamStats"]


class StreamStats(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """How a stream is doing, at the moment at which it was asked.

    Seconds are those of the stream, whichever connection carried it. ``None`` says that a number
    has no meaning for this kind of stream, that the format of the audio does not tell (only raw
    audio with ``encoding`` and ``sample_rate`` does), or that it is not known yet.

    Attributes:
        request_id: The id to quote to Deepgram's support; of the latest connection.
        open_s: How long it is open, or was.
        queued_bytes: What waits to be sent.
        queued_s: The same in seconds of audio.
        audio_sent_s: Audio sent, with what was left out before it.
        transcribed_s: Up to where final results go; for Flux, up to where turns have ended or
            nobody has spoken.
        lag_s: What was sent and is not transcribed yet.
        first_result_s: From the first audio to the first words.
        reconnects: How many connections were replaced.
        dropped_chunks: Chunks of audio that nobody will hear, because the queue was full: they
            were left out, or refused by ``push``.
        dropped_bytes: The same in bytes.
        dropped_s: The same in seconds, with what was lost with connections.
        dropped_interims: Interim results that were dropped because nobody took them.
        waiting_events: Events that nobody has taken yet.
    """

    request_id: str | None
    open_s: float
    queued_bytes: int
    queued_s: float | None = None
    audio_sent_s: float | None = None
    transcribed_s: float | None = None
    lag_s: float | None = None
    first_result_s: float | None = None
    reconnects: int = 0
    dropped_chunks: int = 0
    dropped_bytes: int = 0
    dropped_s: float | None = None
    dropped_interims: int = 0
    waiting_events: int = 0
