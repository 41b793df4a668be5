"""Short-lived tokens instead of the API key, granted and renewed as they are needed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from deepgram_async._resources.auth import Auth
from deepgram_async.errors import DeepgramError

__all__ = ["GrantedTokens"]


class GrantedTokens:
    """A token provider that has short-lived tokens granted by an API key.

    ::

        async with DeepgramSession(api_key) as account:
            tokens = GrantedTokens(account.auth)
            async with DeepgramSession(token_provider=tokens) as dg:
                answer = await dg.listen.transcribe("meeting.mp3", model="nova-3")

    A token is used until it is about to end; then the next call has a new one granted. Callers that
    come meanwhile wait for the same grant, and for its error if there is one. The tokens are good
    for transcription, speech, text analysis and agents, not for the management calls.

    Args:
        auth: ``auth`` of the session that has the API key; that session must stay in use.
        ttl_seconds: How long each token lives, from 1 to 3600.
        renew_before_s: Seconds before its end from which a token is not handed out any more; at
            most half of its life.
        clock: Source of the time in seconds.
    """

    def __init__(
        self,
        auth: Auth,
        *,
        ttl_seconds: float = 60.0,
        renew_before_s: float = 10.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._auth = auth
        self._ttl_seconds = ttl_seconds
        self._renew_before_s = renew_before_s
        self._clock = clock
        self._token = ""
        self._good_until = float("-inf")
        self._grant_in_flight: asyncio.Future[str | DeepgramError | None] | None = None

    async def __call__(self) -> str:
        """Return a token that is good for the next seconds; safe to cancel.

        Raises:
            DeepgramError: The grant failed.
        """
        while self._clock() >= self._good_until:
            if self._grant_in_flight is None:
                return await self._renew()
            match await asyncio.shield(self._grant_in_flight):
                case str(token):
                    return token
                case DeepgramError() as error:
                    raise error
                case None:
                    pass  # who asked was cancelled: ask anew
        return self._token

    async def _renew(self) -> str:
        landed = asyncio.get_running_loop().create_future()
        self._grant_in_flight = landed
        # The life of the token is counted from before the request, so that it is never too long.
        asked_at = self._clock()
        try:
            granted = await self._auth.grant(ttl_seconds=self._ttl_seconds)
            life = granted.expires_in or self._ttl_seconds
            self._token = granted.access_token
            self._good_until = asked_at + life - min(self._renew_before_s, life / 2)
            landed.set_result(self._token)
        except DeepgramError as error:
            landed.set_result(error)
            raise
        finally:
            self._grant_in_flight = None
            if not landed.done():
                landed.set_result(None)
        return self._token
