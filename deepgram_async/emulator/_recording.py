"""Recordings, as they are read again."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import msgspec
from yarl import URL

from ._recorder import VERSION

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["Exchange", "RecordedClose", "RecordedFrame", "read_recording"]

Sender = Literal["client", "service"]


class RecordedFrame(NamedTuple):
    """A frame of a WebSocket; sound that was left out is silence of the same length."""

    sender: Sender
    data: str | bytes


class RecordedClose(NamedTuple):
    """How a WebSocket was closed."""

    sender: Sender
    code: int | None
    reason: str


@dataclass(slots=True)
class Exchange:
    """A request with all that followed."""

    method: str
    path: str
    query: frozenset[tuple[str, str]]
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: bytes = b""
    frames: list[RecordedFrame | RecordedClose] = field(
        default_factory=list["RecordedFrame | RecordedClose"]
    )


class _Line(msgspec.Struct):
    type: Literal["recording", "request", "frame", "close", "answer"]
    version: int = VERSION
    id: str = ""
    method: str = ""
    path: str = ""
    headers: dict[str, str] = {}
    sender: Sender = "client"
    text: str | None = None
    audio: str | None = None
    audio_bytes: int = 0
    code: int | None = None
    reason: str = ""
    status: int | None = None

    @property
    def content(self) -> str | bytes:
        if self.text is not None:
            return self.text
        return bytes(self.audio_bytes) if self.audio is None else base64.b64decode(self.audio)


def read_recording(path: Path) -> list[Exchange]:
    """Read a recording; requests are in the order they came.

    Raises:
        OSError: The file cannot be read.
        ValueError: It is no recording, or one of a later version.
    """
    exchanges: dict[str, Exchange] = {}
    decoder: msgspec.json.Decoder[_Line] = msgspec.json.Decoder(_Line)
    number = 0
    with path.open("rb") as file:
        for number, raw in enumerate(file, 1):
            try:
                line = decoder.decode(raw)
                _take(line, exchanges, is_first=number == 1)
            except (ValueError, KeyError) as error:
                raise ValueError(f"{path}, line {number}: {error}") from None
    if not number:
        raise ValueError(f"{path} is empty")
    return list(exchanges.values())


def _take(line: _Line, exchanges: dict[str, Exchange], *, is_first: bool) -> None:
    if is_first and (line.type != "recording" or line.version != VERSION):
        raise ValueError(f"it is no recording of version {VERSION}")
    match line.type:
        case "recording":
            pass
        case "request":
            url = URL(line.path)
            exchanges[line.id] = Exchange(line.method, url.path, frozenset(url.query.items()))
        case "frame" | "close":
            exchange = exchanges[line.id]
            # It is open, also if the recording ends before it does.
            exchange.status = 101
            exchange.frames.append(
                RecordedFrame(line.sender, line.content)
                if line.type == "frame"
                else RecordedClose(line.sender, line.code, line.reason)
            )
        case "answer":
            content: Any = line.content
            exchange = exchanges[line.id]
            exchange.status, exchange.headers = line.status or exchange.status, line.headers
            exchange.body = content.encode() if isinstance(content, str) else content
