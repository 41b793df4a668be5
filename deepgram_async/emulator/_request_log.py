"""The log of what was asked of the products."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._manage.account import Account
    from ._manage.records import LoggedRequest

__all__ = ["RequestLog"]

# The oldest are forgotten beyond this.
_LONGEST: Final = 20_000


class RequestLog:
    """Keeps what every endpoint tells when a request is over."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def record(self, request: LoggedRequest) -> None:
        """Note a request that is over."""
        requests = self._account.requests
        requests.put(request.request_id, request)
        if len(requests) > _LONGEST:
            requests.forget_oldest()

    def note_callback(self, request_id: str, *, attempts: int, status: int | None) -> None:
        """Note how the delivery of an answer ended; without a status, nobody answered."""
        request = self._account.requests.get(request_id)
        if request is not None:
            self.record(
                msgspec.structs.replace(
                    request,
                    callback_attempts=attempts,
                    callback_status=status,
                    callback_completed=self._account.clock(),
                )
            )

    def of_project(self, project_id: str) -> Iterator[LoggedRequest]:
        """Return the requests of a project, the oldest first."""
        return (it for it in self._account.requests if it.project_id == project_id)

    def find(self, project_id: str, request_id: str) -> LoggedRequest | None:
        """Return one request of a project."""
        request = self._account.requests.get(request_id)
        return request if request is not None and request.project_id == project_id else None
