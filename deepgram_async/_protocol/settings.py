"""Settings of a session, as values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

import msgspec

from deepgram_async._protocol.endpoints import Endpoints
from deepgram_async._protocol.query import QueryValue
from deepgram_async._protocol.reconnect import ReconnectPolicy
from deepgram_async._protocol.retry import RetryPolicy
from deepgram_async.errors import ConfigurationError

if TYPE_CHECKING:
    import ssl

__all__ = ["CallSettings", "NetworkSettings", "StreamSettings", "Timeouts", "WhenFull"]

WhenFull = Literal["wait", "drop_oldest", "fail"]
"""What becomes of audio while as much waits to be sent as may wait."""


class Timeouts(msgspec.Struct, frozen=True, kw_only=True):
    """Deadlines of REST calls, in seconds. There is no total: a two-hour upload is legitimate.

    Attributes:
        connect_s: Until TCP and TLS stand.
        upload_idle_s: Without any progress of the upload.
        response_s: From the end of the upload until the answer begins; ``None`` takes the limit
            of the operation (21 minutes for a transcription, one for the rest).
        download_idle_s: Between two pieces of the answer.
    """

    connect_s: float = 10.0
    upload_idle_s: float = 60.0
    response_s: float | None = None
    download_idle_s: float = 60.0


class StreamSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How a live stream behaves; times in seconds.

    Attributes:
        open_timeout_s: Until the handshake is answered.
        keepalive_s: Pause in the audio after which a KeepAlive is sent; ``None`` sends none.
            Deepgram closes a silent stream after ten seconds (Deepgram docs, "Audio Keep Alive").
        agent_keepalive_s: The same for a voice agent, which may wait longer (Deepgram docs, "Agent
            Keep Alive").
        agent_longest_s: Deepgram ends a conversation after two hours (Deepgram docs, "Voice Agent
            API limits"); ``handover_s`` of the policy before that it goes on over another
            connection. ``None`` knows no limit, for a self-hosted service.
        dead_peer_s: A peer that answers no ping, or takes no data, for this long is given up, a
            quarter of it later at most. Time in which the machine sleeps does not count.
        stalled_after_s: Audio is sent so long and the service says nothing: a live transcription
            or a conversation with Flux yields ``Stalled``; ``None`` for never. Both services tell
            of silence, too, so it means that something is wrong.
        agent_stalled_after_s: The same for a voice agent, which says nothing while nobody speaks:
            only for an agent that is spoken to without a pause.
        drain_timeout_s: After the closing message, the longest silence of the service that is
            waited for before the connection is dropped.
        finish_timeout_s: After the closing message was written, the longest time that a service is
            waited for which goes on talking. What is sent faster than it is spoken is also heard
            for longer than it took to send: raise it where long compressed recordings are sent
            at once.
        close_timeout_s: Bound of every other way to close.
        confirm_timeout_s: Longest wait for the service to confirm what it was asked, such as a
            change of the configuration. On a stream of speech its silence counts, and the time in
            which a connection is replaced does not.
        speak_window_s: Time in which Aura voices take 20 flushes and 2400 characters on one stream
            (Deepgram docs, "TTS WebSocket limits"); a sender waits when the window is full.
            ``None`` never waits, for a self-hosted service without these limits.
        speak_longest_s: Time after which the service ends a stream of speech (Deepgram docs, "TTS
            WebSocket limits"); the connection is replaced before, as the policy in ``reconnect``
            says. ``None`` for a service without this limit.
        send_buffer_bytes: Audio or text waiting to be sent. For audio, while a lost connection is
            replaced, it is ``replay_s`` and ``replay_bytes`` of the policy instead.
        join_audio_s: Chunks of audio are held back so long and sent as one, for sources of small
            chunks: every frame costs a call of the system. 0.1 takes a fifth of the calls of
            chunks of 20 ms; results come up to so much later. Deepgram advises frames of 20 to
            250 ms. Messages do not wait.
        when_full: What becomes of audio while so much waits. ``wait`` lets the sender wait;
            ``fail`` raises ``SendBufferFullError``. ``drop_oldest`` leaves out the oldest audio
            that was not sent, so that results stay close to the present: for sources in real
            time. Times count what was left out, and ``stats()`` tells how much it was. It needs
            raw audio (``encoding`` and ``sample_rate``): in a container nobody knows where audio
            can be left out. With ``reconnect=None``, too, a stream remembers then what no final
            result has covered. Messages are never left out.
        audio_buffer_bytes: Spoken audio waiting for the consumer, eleven minutes of it at 24 kHz;
            when it is full the stream ends with ``SlowConsumerError``.
        event_buffer: Events waiting for the consumer. When it is full, interim results are
            dropped, the oldest first; finals never are: with nothing left to drop the stream
            ends with ``SlowConsumerError``.
        strict: Raise ``ProtocolError`` for a message that cannot be decoded, instead of
            delivering it as ``Malformed``.
        reconnect: How a stream replaces a connection that was lost; ``None`` ends it with
            ``ConnectionLostError``.
    """

    open_timeout_s: float = 10.0
    keepalive_s: float | None = 4.0
    agent_keepalive_s: float | None = 8.0
    agent_longest_s: float | None = 7200.0
    dead_peer_s: float = 15.0
    stalled_after_s: float | None = 10.0
    agent_stalled_after_s: float | None = None
    drain_timeout_s: float = 5.0
    finish_timeout_s: float = 300.0
    close_timeout_s: float = 1.0
    confirm_timeout_s: float = 10.0
    # A second more than the minute of the service: frames may arrive closer than they were sent.
    speak_window_s: float | None = 61.0
    speak_longest_s: float | None = 3600.0
    send_buffer_bytes: int = 1 << 20
    join_audio_s: float = 0.0
    when_full: WhenFull = "wait"
    audio_buffer_bytes: int = 32 << 20
    event_buffer: int = 4096
    strict: bool = False
    reconnect: ReconnectPolicy | None = ReconnectPolicy()


class CallSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What every call of a session shares; credentials are kept apart."""

    endpoints: Endpoints
    timeouts: Timeouts = Timeouts()
    retry: RetryPolicy = RetryPolicy()
    stream: StreamSettings = StreamSettings()
    extra_headers: Mapping[str, str] = {}
    extra_query: Mapping[str, QueryValue] = {}
    keep_raw: bool = False
    validate: bool = True
    project_id: str | None = None

    def __post_init__(self) -> None:
        _check("timeouts", self.timeouts, Timeouts)
        _check("retry", self.retry, RetryPolicy)
        _check("stream", self.stream, StreamSettings)


class NetworkSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What cannot change while the connections live."""

    pool_limit: int = 100
    pool_limit_per_host: int = 0
    proxy: str | None = None
    trust_env: bool = False
    ssl_context: ssl.SSLContext | None = None

    def __repr__(self) -> str:
        # The URL of a proxy may carry a password.
        return f"NetworkSettings(pool_limit={self.pool_limit}, proxy={self.proxy and '***'!r})"


def _check(name: str, settings: object, kind: type[msgspec.Struct]) -> None:
    if not isinstance(settings, kind):
        given = type(settings).__name__
        raise ConfigurationError(f"{name}= takes {kind.__name__}(...), not {given}")
    values = msgspec.structs.asdict(settings)
    try:
        msgspec.convert(values, kind)
    except msgspec.ValidationError as error:
        raise ConfigurationError(f"{name}=: {error}") from None
    for field in msgspec.structs.fields(kind):
        value = values[field.name]
        if isinstance(value, bool) or not isinstance(value, int | float):
            continue
        # What is counted has one at least; a time may be nothing, and is never NaN.
        least = 1 if field.type is int else 0.0
        if not value >= least:
            raise ConfigurationError(f"{name}=: {field.name}={value} is below {least}")
