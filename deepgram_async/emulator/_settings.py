"""What can be set on the local Deepgram."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from pathlib import Path

    from ._faults import ServiceFault

__all__ = ["EmulatorSettings"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EmulatorSettings:
    """Timers, limits and accepted credentials of an `Emulator`.

    The defaults are those of the service where it documents one. Every timer is in seconds and may
    be as small as a test needs. Timers named after the recognition (`interim_every_s` and the
    following four) count seconds of audio, the others count seconds of the clock.
    """

    keys: Collection[str] | None = field(default=None, repr=False)
    """API keys accepted as `Token`, besides those created through the API; None accepts any, but
    still refuses a missing one, and one created through the API that was deleted or has expired."""
    access_tokens: Collection[str] = field(default=(), repr=False)
    """Tokens accepted as `Bearer` when `keys` is given. An API key sent as `Bearer` is refused."""

    state: Path | None = None
    """SQLite file that keeps projects, keys, the request log and all else that the management
    endpoints know; None keeps them in memory, until the emulator stops."""
    faults: Sequence[ServiceFault] = ()
    """What goes wrong from the beginning; `Emulator.inject` adds more."""
    strict: bool = False
    """Whether every way in which clients leave Deepgram's specification is written down, in
    `Emulator.deviations` and in the log."""
    record: Path | None = None
    """File that gets everything that passes, without secrets, for `Replay`; made anew."""
    record_audio: bool = True
    """Whether sound goes into that file; otherwise only how much there was."""
    fault_seed: int = 0
    """Beginning of the random numbers for faults with a `probability`."""
    clock: Callable[[], float] = time.time
    """Tells the time, in seconds since 1970, by which keys and tokens expire."""

    inactivity_timeout_s: float = 10.0
    """A stream that receives neither audio nor text for so long is closed with NET-0001."""
    no_audio_timeout_s: float = 30.0
    """A stream kept open by KeepAlive alone, that never got audio, is closed with NET-0002."""

    interim_every_s: float = 1.0
    """Distance of interim results."""
    default_endpointing_s: float = 0.01
    """Silence that ends an utterance when the client does not say `endpointing`."""
    shortest_endpointing_s: float = 0.3
    """Floor under any `endpointing`: on less silence the local recogniser would hear cut words."""
    longest_segment_s: float = 12.0
    """Speech without a pause is finalised in pieces of at most this length."""
    longest_silence_s: float = 5.0
    """Silence is finalised, with an empty transcript, after so much of it."""

    longest_lag_s: float = 0.25
    """Interim results are skipped while a stream's recognition is further behind than this. One of
    a recogniser that does not block is never skipped."""
    workers: int = 2
    """Threads that recognise, shared by all requests and streams."""

    flux_timeout_s: float = 60.0
    """A stream of `/v2/listen` or `/v2/speak` that receives no frame for so long, not even a ping,
    is ended."""
    speak_longest_s: float = 3600.0
    """A stream of speech that is so old is ended with NET-0003."""
    speak_window_s: float = 60.0
    """The limits on characters and flushes of `/v1/speak` hold for this time."""
    speech_lead_s: float | None = None
    """How far a stream of speech runs ahead of being played; None sends it as fast as it is made.
    A number leaves something to clear and to interrupt."""
    agent_timeout_s: float = 12.0
    """A conversation in which the client sends nothing for so long is ended."""
    agent_longest_s: float = 7200.0
    """A conversation that is so old is ended."""
    agent_warning_s: float = 300.0
    """So long before that end, the client is warned."""
    agent_lead_s: float | None = 0.5
    """So long before a sentence has been played, an agent says the next one; None waits for
    nothing. What an agent has not said yet is not said any more when the user interrupts it."""
    slow_think_s: float = 5.0
    """An agent that thinks for so long has its client warned, and again each time."""

    max_requests: int | None = None
    """REST requests to one product (listen, speak, read) served at a time for each project; one
    more is answered with 429. None sets no limit."""
    max_streams: int | None = None
    """WebSockets of one product (listen, speak, agent) open at a time for each project; one more
    is refused with 429. None sets no limit."""
    max_upload_bytes: int = 512 * 1024 * 1024
    """Largest recording accepted, posted or fetched; a larger one is answered with 413."""
    max_text_bytes: int = 4 * 1024 * 1024
    """Largest JSON body or text accepted, posted or fetched; a larger one is answered with 413."""
    max_frame_bytes: int = 16 * 1024 * 1024
    """Largest WebSocket frame accepted; a larger one closes the stream with 1009."""
    max_backlog_bytes: int = 1024 * 1024
    """Audio held per stream while recognition is behind; beyond it the socket is not read."""

    fetch_timeout_s: float = 30.0
    """Time for fetching a recording given by URL."""
    callback_attempts: int = 3
    """How often an answer is offered to a callback URL that does not say 2xx."""
    callback_retry_s: float = 1.0
    """Pause between two such attempts."""
    peer_timeout_s: float = 30.0
    """Time a client has to take a message; then its connection is aborted."""
    close_timeout_s: float = 2.0
    """Time a client has to answer a close frame, and running work has to end when it stops."""
