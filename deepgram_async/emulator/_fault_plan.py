"""Which request meets which fault."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ._errors import bad_request
from ._faults import ServiceFault

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from multidict import MultiMapping

__all__ = ["FAULT_HEADER", "FaultPlan"]

FAULT_HEADER: Final = "X-Emulator-Fault"
"""A request that carries this meets the fault in it: `kind=answer, status=429`."""


@dataclass(slots=True)
class _Planned:
    fault: ServiceFault
    to_skip: int
    left: int | None

    def meets(self, path: str, method: str, project_id: str, *, is_socket: bool) -> bool:
        fault = self.fault
        return (
            (is_socket or not fault.is_for_sockets)
            and fault.path in (None, path)
            and fault.method in (None, method)
            and fault.project_id in (None, project_id)
        )


class FaultPlan:
    """The faults that wait for requests.

    Args:
        faults: What is planned from the beginning.
        seed: Beginning of the random numbers; the same seed fails the same requests.
    """

    def __init__(self, faults: Iterable[ServiceFault] = (), seed: int = 0) -> None:
        self._numbers = random.Random(seed)
        self._planned: list[_Planned] = []
        self.add(faults)

    @property
    def waiting(self) -> list[ServiceFault]:
        """The faults that are not over."""
        return [planned.fault for planned in self._planned]

    def add(self, faults: Iterable[ServiceFault]) -> None:
        """Plan more."""
        self._planned += [_Planned(fault, fault.skip, fault.times) for fault in faults]

    def clear(self) -> None:
        """Plan nothing any more; what has begun goes on."""
        self._planned.clear()

    def take(
        self,
        path: str,
        method: str,
        project_id: str,
        headers: MultiMapping[str],
        *,
        is_socket: bool,
    ) -> Sequence[ServiceFault]:
        """Return what happens to one request, and count it.

        Args:
            path: Its path.
            method: Its HTTP method.
            project_id: The project of its credential.
            headers: Its headers, which may carry a fault of its own.
            is_socket: Whether it asks for a WebSocket.

        Raises:
            Refusal: Its header has a fault that is none.
        """
        met = [_read(text) for text in headers.getall(FAULT_HEADER, [])]
        for planned in tuple(self._planned):
            if not planned.meets(path, method, project_id, is_socket=is_socket):
                continue
            if planned.to_skip:
                planned.to_skip -= 1
                continue
            if self._numbers.random() >= planned.fault.probability:
                continue
            met.append(planned.fault)
            if planned.left is not None:
                planned.left -= 1
                if planned.left <= 0:
                    self._planned.remove(planned)
        return met


def _read(text: str) -> ServiceFault:
    try:
        return ServiceFault.parse(text)
    except ValueError as error:
        raise bad_request(f"{FAULT_HEADER}: {error}") from None
