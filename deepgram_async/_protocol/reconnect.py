"""Which ends of a live stream are healed, how soon, and when it is given up."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

import msgspec

from deepgram_async._protocol.memory import CannotResume
from deepgram_async.errors import (
    ApiError,
    ConnectError,
    ConnectionLostError,
    DeepgramError,
    OperationTimeoutError,
)

__all__ = [
    "FINAL_CLOSES",
    "ConnectionLoss",
    "ReconnectHook",
    "ReconnectPolicy",
    "given_up",
    "stopped",
    "unresumable",
]

FINAL_CLOSES: Final = frozenset({1002, 1003, 1007, 1008, 1009})
"""Ends that the same stream would meet again: a broken protocol, data that cannot be decoded, a
frame that is too large (Deepgram docs, "Errors": WebSocket close codes). All others are worth
another connection."""


class ConnectionLoss(msgspec.Struct, frozen=True):
    """A connection that ended unasked, or an attempt to replace it that failed.

    Attributes:
        error: How it ended; for a further attempt, how the one before failed.
        attempt: Number of the attempt that is about to be made, from 1.
        options: The options of the stream as they were last used.
    """

    error: DeepgramError
    attempt: int
    options: Mapping[str, object]


ReconnectHook = Callable[[ConnectionLoss], Awaitable[Mapping[str, object] | None]]
"""Asked before every attempt. It returns options to change, or ``None``; an error that it raises
ends the stream."""


class ReconnectPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """How a stream replaces a connection that was lost.

    Streams that listen send the audio again that no final result has covered, those that speak
    say the text again whose audio has not come, and a conversation with an agent is told to the
    next one.

    Retried are all closes but those in ``final_closes``, handshakes that are refused with one of
    ``statuses``, and connections that could not be made in time; for an agent also errors of the
    service that pass. Only what the service hears or speaks counts as success: the attempts begin
    anew when a result or speech has come, or somebody speaks in a conversation, not when a
    connection stands.

    Attributes:
        attempts: How many connections are tried in a row without a result.
        first_delay_s: Upper bound of the pause before the first attempt; it doubles with each
            further one, and a random share of it is taken.
        longest_delay_s: No pause is longer, except for one that the service asks for
            (``Retry-After``).
        give_up_s: Longest time without a connection.
        final_closes: Close codes that end the stream.
        statuses: Refusals of a handshake that may pass.
        replay_s: Seconds of audio to keep for saying them again. No more is needed than the
            longest time without a final result, or for Flux the longest turn. A conversation
            with an agent keeps ten seconds at most: in it, late speech is worse than none.
        replay_bytes: The same in bytes; not for an agent.
        replay_speed: How much faster than real time kept audio is sent; ``None`` sends it at
            once. Deepgram takes up to 1.25 (Deepgram docs, "Recovering from connection errors").
        handover_s: So long before the service would end a connection for its age it is replaced by
            another, in the first moment in which nothing is owed; after half of that time in any
            case. The service ends a stream of speech after an hour and a conversation with an
            agent after two (Deepgram docs, "TTS WebSocket limits", "Voice Agent API limits").
        on_loss: Asked before every attempt; see ``ReconnectHook``. A conversation with an agent
            has no options to change.
    """

    attempts: int = 10
    first_delay_s: float = 0.5
    longest_delay_s: float = 15.0
    give_up_s: float = 180.0
    final_closes: frozenset[int] = FINAL_CLOSES
    statuses: frozenset[int] = frozenset({408, 429, 500, 502, 503, 504})
    replay_s: float = 120.0
    replay_bytes: int = 16 << 20
    replay_speed: float | None = 1.25
    handover_s: float = 300.0
    on_loss: ReconnectHook | None = None

    def heals(self, error: DeepgramError) -> bool:
        """Return whether another connection may succeed after this end or refusal."""
        if isinstance(error, ConnectionLostError):
            if error.close_code in self.final_closes:
                return False
            # What the core calls final by its code alone was taken out of the list on purpose.
            return error.retryable or error.close_code in FINAL_CLOSES
        if isinstance(error, ApiError):
            return error.status in self.statuses
        if isinstance(error, ConnectError):
            return error.retryable
        return isinstance(error, OperationTimeoutError)

    def next_delay(
        self, attempt: int, error: DeepgramError, *, elapsed_s: float, jitter: float
    ) -> float | None:
        """Return the seconds to wait before an attempt, or ``None`` to give up.

        Args:
            attempt: Number of the attempt, from 1.
            error: How the connection ended, or how the attempt before failed.
            elapsed_s: Time without a connection so far.
            jitter: Random number from 0 to 1: the share of the pause that is taken, so that
                many streams do not return at the same moment.
        """
        if attempt > self.attempts or not self.heals(error):
            return None
        delay = self.pause_s(attempt, jitter)
        if error.retry_after is not None:
            # A little later than asked, never sooner.
            delay = max(delay, error.retry_after * (1 + 0.1 * jitter))
        return None if elapsed_s + delay > self.give_up_s else delay

    def pause_s(self, attempt: int, jitter: float) -> float:
        """Return the seconds before an attempt: a share of a bound that doubles each time."""
        return min(self.longest_delay_s, self.first_delay_s * 2.0 ** (attempt - 1)) * jitter


def given_up(lost: DeepgramError, last: DeepgramError, attempts: int) -> ConnectionLostError:
    """Return the error for a stream that could not be healed.

    Args:
        lost: How the last connection ended.
        last: How the last attempt to replace it failed.
        attempts: How many there were.
    """
    tries = "1 attempt" if attempts == 1 else f"{attempts} attempts"
    error = _varied(
        lost,
        f"{lost.message}; {tries} to reconnect failed, the last one with: {last.message}",
        retryable=last.retryable,
        hint=last.hint or lost.hint,
    )
    error.status = last.status
    error.code = last.code or lost.code
    error.details = last.details
    error.attempts = attempts
    return error


def unresumable(lost: DeepgramError, reason: CannotResume) -> ConnectionLostError:
    """Return the error for a stream that no other connection can go on with."""
    return _varied(
        lost,
        f"{lost.message}; it cannot be resumed on another connection: {reason}",
        retryable=lost.retryable,
        hint=reason.hint or lost.hint,
    )


def stopped(lost: DeepgramError, reason: BaseException | None) -> ConnectionLostError:
    """Return the error for a stream whose user did not want another connection."""
    error = _varied(
        lost,
        f"{lost.message}; reconnecting was stopped by {type(reason).__name__}",
        retryable=lost.retryable,
        hint=lost.hint,
    )
    error.__cause__ = reason
    return error


def _varied(
    lost: DeepgramError, message: str, *, retryable: bool, hint: str | None
) -> ConnectionLostError:
    close = lost if isinstance(lost, ConnectionLostError) else None
    varied = ConnectionLostError(
        message,
        operation=lost.operation,
        request_id=lost.request_id,
        retryable=retryable,
        hint=hint,
        close_code=None if close is None else close.close_code,
        close_reason="" if close is None else close.close_reason,
        net_code=None if close is None else close.net_code,
        audio_sent_s=None if close is None else close.audio_sent_s,
    )
    varied.code = lost.code
    return varied
