"""Short-lived access tokens: ``dg.auth``."""

from __future__ import annotations

from typing import Final

from deepgram_async._protocol import rules_management as rules
from deepgram_async._protocol.requests import Route
from deepgram_async._resources.sender import Sender
from deepgram_async.models.manage import Grant

__all__ = ["Auth"]

_GRANT: Final = Route("POST", "/v1/auth/grant", Grant)


class Auth:
    """Short-lived access tokens."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    async def grant(self, *, ttl_seconds: float | None = None) -> Grant:
        """Return a token that a browser or device can use instead of the API key.

        It opens transcription, speech, text analysis and agents, not the management calls. A
        stream that was opened with it goes on when it ends
        (Deepgram docs, "Token-based authentication").

        Args:
            ttl_seconds: How long it lives, from 1 to 3600; 30 if left out.

        Raises:
            OptionError: The time is out of range.
            PermissionDeniedError: The session has no API key of a member or higher role.
        """
        body: dict[str, object] = {} if ttl_seconds is None else {"ttl_seconds": ttl_seconds}
        if self._sender.validate:
            rules.check(body)
        return await self._sender.send(_GRANT, body=body)
