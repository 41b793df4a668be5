"""What can be made to go wrong, as values."""

from __future__ import annotations

from typing import Final, Literal, get_args

import msgspec

__all__ = ["ServiceFault", "ServiceFaultKind"]

ServiceFaultKind = Literal[
    "answer",
    "close",
    "cut",
    "delay",
    "malformed",
    "slow",
    "stall",
    "unknown_field",
    "unknown_message",
]
"""See `ServiceFault`."""

_KINDS: Final[tuple[ServiceFaultKind, ...]] = get_args(ServiceFaultKind)


class ServiceFault(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One thing that the local Deepgram does wrong, and to whom.

    REST requests, and handshakes of WebSockets:

    - `answer`: it is answered with `status`, and with `retry_after` as the header of that name.
      The body is the documented one for the status, or a page of HTML if `is_html`.
    - `delay`: it is answered `delay_s` later.

    Bodies of REST answers, and WebSockets that are open:

    - `slow`: a body arrives with `bytes_per_s`; of a WebSocket, each message `delay_s` later.
    - `cut`: the connection ends without a goodbye, in the middle of a body (after `after_bytes`,
      by default half of it), or of a WebSocket.
    - `stall`: nothing is said any more, and nothing ended.
    - `malformed`: the JSON of a body ends too early; a WebSocket says one thing that is no JSON.
    - `unknown_field`: objects have a field that nobody knows.

    WebSockets that are open:

    - `close`: it is closed with `code` and `reason`.
    - `unknown_message`: one message of a type that nobody knows is said.

    What happens to an open WebSocket happens right after the handshake, or after `after_s`,
    `after_messages` or `after_audio_bytes`, whichever comes first.

    Attributes:
        kind: What happens.
        path: Only this path, such as `/v1/listen`; None means every one.
        method: Only this HTTP method; handshakes are `GET`.
        project_id: Only requests with a credential of this project.
        times: How many requests are met before the fault is over; None never ends it.
        skip: How many requests that it would meet are spared first.
        probability: How likely each of them is met.
        status: For `answer`.
        retry_after: For `answer`: the value of the `Retry-After` header, as it is written there.
        is_html: For `answer`: whether the body is the page of a gateway.
        delay_s: For `delay`, and for `slow` on WebSockets.
        bytes_per_s: For `slow`.
        after_bytes: For `cut`: how much of a REST body is sent first.
        code: For `close`. By default 1008 for a reason that begins with `DATA-`, else 1011.
        reason: For `close`: text, or one of `DATA-0000`, `NET-0000`, `NET-0001` and `NET-0002`,
            which become the sentences of the service.
        after_s: Seconds since the handshake.
        after_messages: How many messages the client has got.
        after_audio_bytes: How many bytes of audio the client has sent.
    """

    kind: ServiceFaultKind
    path: str | None = None
    method: str | None = None
    project_id: str | None = None
    times: int | None = 1
    skip: int = 0
    probability: float = 1.0
    status: int = 503
    retry_after: str | None = None
    is_html: bool = False
    delay_s: float = 0.1
    bytes_per_s: float = 1000.0
    after_bytes: int | None = None
    code: int | None = None
    reason: str = "NET-0000"
    after_s: float | None = None
    after_messages: int | None = None
    after_audio_bytes: int | None = None

    def __post_init__(self) -> None:
        if self.kind not in _KINDS:
            raise ValueError(f"kind must be one of {', '.join(_KINDS)}, not {self.kind!r}")
        if not 0 <= self.probability <= 1:
            raise ValueError(f"probability is from 0 to 1, not {self.probability}")
        if self.bytes_per_s <= 0:
            raise ValueError("bytes_per_s must be above 0; stall lets nothing pass")
        if not 400 <= self.status <= 599:
            raise ValueError(f"status is from 400 to 599, not {self.status}")
        if self.code is not None and not (
            self.code in (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014)
            or 3000 <= self.code <= 4999
        ):
            raise ValueError(f"{self.code} is no close code that may be sent")
        if len(self.reason.encode()) > 123:
            raise ValueError("reason has at most 123 bytes")

    @classmethod
    def parse(cls, text: str) -> ServiceFault:
        """Read a fault in one line, such as `kind=answer, status=429, retry_after=2`.

        `null` stands for None.

        Raises:
            ValueError: It is none.
        """
        parts = (part.partition("=") for part in text.split(","))
        fields = {name.strip(): value.strip() for name, _, value in parts}
        return msgspec.convert(fields, cls, strict=False)

    @property
    def is_for_sockets(self) -> bool:
        """Whether it can only happen to a WebSocket, so that it waits for one."""
        return self.kind in ("close", "unknown_message")

    @property
    def happens_at_once(self) -> bool:
        """Whether it waits for nothing on an open WebSocket."""
        return self.after_s is self.after_messages is self.after_audio_bytes is None
