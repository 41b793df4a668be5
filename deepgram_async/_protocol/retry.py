"""When a failed request is sent again, and after how long."""

from __future__ import annotations

import msgspec

from deepgram_async.errors import (
    ApiError,
    ConnectError,
    ConnectionLostError,
    DeepgramError,
)

__all__ = ["RetryPolicy"]


class RetryPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """How often and how soon a REST request is repeated.

    Only what is safe is repeated: a connection that was never made, a pooled connection that
    turned out to be stale, and the statuses below. A processing timeout (504) is not one of them:
    the work is done, and billed, again. A request whose body cannot be read a second time is
    never repeated.

    Attributes:
        attempts: How many times a request is sent at most; 1 switches repeating off.
        statuses: Answers after which the request is sent again.
        first_delay_s: Upper bound of the pause before the second attempt, in seconds; it doubles
            with each further one.
        longest_delay_s: No pause is longer. When the service asks for more (``Retry-After``), the
            error is raised at once and carries ``retry_after``.
    """

    attempts: int = 3
    statuses: frozenset[int] = frozenset({429, 502, 503})
    first_delay_s: float = 0.5
    longest_delay_s: float = 60.0

    def next_delay(
        self,
        attempt: int,
        error: DeepgramError,
        *,
        body_is_replayable: bool,
        connection_was_stale: bool,
        jitter: float,
    ) -> float | None:
        """Return the seconds to wait before the next attempt, or ``None`` to give up.

        Args:
            attempt: Number of the attempt that failed, from 1.
            error: How it failed.
            body_is_replayable: Whether the same body can be sent again.
            connection_was_stale: Whether a pooled connection ended before any answer.
            jitter: Random number from 0 to 1: the share of the pause that is taken, so that
                many callers do not return at the same moment.
        """
        if attempt >= self.attempts or not body_is_replayable:
            return None
        if connection_was_stale and isinstance(error, ConnectionLostError):
            return 0.0  # the next connection is a new one
        repeats = (isinstance(error, ConnectError) and error.retryable) or (
            isinstance(error, ApiError) and error.status in self.statuses
        )
        if not repeats:
            return None
        if error.retry_after is not None:
            # A little later than asked, never sooner.
            wait = error.retry_after * (1 + 0.1 * jitter)
            return wait if error.retry_after <= self.longest_delay_s else None
        return min(self.longest_delay_s, self.first_delay_s * 2.0 ** (attempt - 1)) * jitter
