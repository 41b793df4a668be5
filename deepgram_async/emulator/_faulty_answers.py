"""REST answers, and refused handshakes, that went wrong on purpose."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final, cast

import msgspec
from aiohttp import web

from ._errors import Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ._faults import ServiceFault
    from ._watch import Body

__all__ = ["FaultyBody", "answer_wrongly", "disturb", "with_unknown_field"]

# How many writes a slow body gets in a second.
_WRITES_PER_S: Final = 20
_MOST_DRAINED: Final = 64 * 1024 * 1024
_UNKNOWN_FIELD: Final = "field_of_tomorrow"
_NO_CREDIT: Final = (
    "Project does not have enough credits for an ASR request and does not have an overage"
    " agreement."
)
_MESSAGES: Final[dict[int, tuple[str, str]]] = {
    400: ("Bad Request", "Bad Request"),
    401: ("INVALID_AUTH", "Invalid credentials."),
    402: ("ASR_PAYMENT_REQUIRED", _NO_CREDIT),
    403: ("INSUFFICIENT_PERMISSIONS", "Project does not have access to the requested model."),
    404: ("PROJECT_NOT_FOUND", "Project not found."),
    422: ("ASR_UNPROCESSABLE_ENTITY", "Unable to read the entire client request."),
    429: ("TOO_MANY_REQUESTS", "Too many requests. Please try again later"),
}
_PAGE: Final = (
    "<html>\r\n<head><title>{0}</title></head>\r\n<body>\r\n<center><h1>{0}</h1></center>\r\n"
    "<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
)


class _WrongAnswer(Refusal):
    """The answer that a fault wants."""

    is_on_purpose = True

    def __init__(self, fault: ServiceFault) -> None:
        reason = web.Response(status=fault.status).reason or "Error"
        code, message = _MESSAGES.get(fault.status, (reason, reason))
        super().__init__(fault.status, code, message)
        self._fault = fault
        self._title = f"{fault.status} {reason}"

    def response(self, request_id: str) -> web.Response:
        answer = super().response(request_id)
        if self._fault.is_html:
            answer = web.Response(
                status=self.status, text=_PAGE.format(self._title), content_type="text/html"
            )
        if self._fault.retry_after is not None:
            answer.headers["Retry-After"] = self._fault.retry_after
        return answer


async def answer_wrongly(
    request: web.Request, faults: Sequence[ServiceFault], *, is_socket: bool
) -> None:
    """Do what comes before an answer or a handshake.

    Raises:
        Refusal: The fault is the answer.
    """
    for fault in faults:
        if fault.kind == "delay":
            await asyncio.sleep(fault.delay_s)
        elif fault.kind == "answer":
            await _drain(request)
            raise _WrongAnswer(fault)
        elif fault.kind == "stall" and not is_socket:
            # Until the client leaves.
            await asyncio.Event().wait()


async def _drain(request: web.Request) -> None:
    """Read what is sent, as gateways do: else the client is cut off before it has the answer."""
    left = _MOST_DRAINED
    async for chunk in request.content.iter_any():
        left -= len(chunk)
        if left < 0:
            return


async def disturb(
    request: web.Request,
    answer: web.StreamResponse,
    faults: Sequence[ServiceFault],
    written: Body | None,
) -> web.StreamResponse:
    """Return a finished answer with everything wrong that its faults want."""
    if not faults or answer.prepared or not isinstance(answer, web.Response):
        return answer
    body = answer.body
    if not isinstance(body, bytes):
        return answer
    for fault in faults:
        if fault.kind == "unknown_field":
            body = with_unknown_field(body)
        elif fault.kind == "malformed":
            body = body[: len(body) // 2]
    headers = {name: value for name, value in answer.headers.items() if name != "Content-Length"}
    wrong = FaultyBody(
        faults, status=answer.status, headers=headers, length=len(body), written=written
    )
    await wrong.prepare(request)
    await wrong.write(body)
    await wrong.write_eof()
    return wrong


class FaultyBody(web.StreamResponse):
    """An answer written in pieces, slowly or not to its end where a fault wants it so."""

    def __init__(
        self,
        faults: Sequence[ServiceFault],
        *,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        length: int | None = None,
        written: Body | None = None,
    ) -> None:
        super().__init__(status=status, headers=headers)
        self.content_length = length
        self._slow = next((it for it in faults if it.kind == "slow"), None)
        self._cut = next((it for it in faults if it.kind == "cut"), None)
        self._left: int | None = None
        self._asked: web.BaseRequest | None = None
        self.written = written
        """What was written, where somebody watches."""

    async def prepare(self, request: web.BaseRequest) -> Any:
        self._asked = request
        return await super().prepare(request)

    async def write(self, data: bytes | bytearray | memoryview[int] | memoryview[bytes]) -> None:
        """Write the next piece.

        Raises:
            ConnectionResetError: The client has left, or the fault has cut the connection.
        """
        piece = bytes(data)
        if self._cut is not None:
            if self._left is None:
                half = len(piece) // 2
                self._left = half if self._cut.after_bytes is None else self._cut.after_bytes
            is_last = self._left <= len(piece)
            piece = piece[: self._left]
            self._left -= len(piece)
            await self._write(piece)
            if is_last:
                self._hang_up()
        else:
            await self._write(piece)

    async def _write(self, piece: bytes) -> None:
        if self.written is not None:
            self.written.add(piece)
        if self._slow is None:
            await super().write(piece)
            return
        step = max(int(self._slow.bytes_per_s / _WRITES_PER_S), 1)
        for at in range(0, len(piece), step):
            part = piece[at : at + step]
            await super().write(part)
            await asyncio.sleep(len(part) / self._slow.bytes_per_s)

    def _hang_up(self) -> None:
        transport = None if self._asked is None else self._asked.transport
        if transport is not None:
            # What is buffered goes out first, and then nothing.
            transport.close()
        raise ConnectionResetError("the connection was cut on purpose")


def with_unknown_field(body: bytes) -> bytes:
    """Add a field to a JSON object and to the objects right below it; other bodies stay."""
    try:
        content: object = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return body
    if not isinstance(content, dict):
        return body
    fields = cast("dict[str, object]", content)
    for value in fields.values():
        children = cast("list[object]", value) if isinstance(value, list) else [value]
        for child in children:
            if isinstance(child, dict):
                child[_UNKNOWN_FIELD] = {"of": "tomorrow"}
    fields[_UNKNOWN_FIELD] = ["of", "tomorrow"]
    return msgspec.json.encode(fields)
