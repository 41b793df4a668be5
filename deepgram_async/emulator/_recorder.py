"""Who watches everything that passes and writes it to a file, line by line."""

from __future__ import annotations

import base64
import os
import time
from typing import IO, TYPE_CHECKING, Any, Final

import msgspec
from aiohttp import web

from ._faulty_answers import FaultyBody
from ._secrets import Redactor
from ._watch import BODY, Answered, Asked, Closed, Frame
from ._wire import now

if TYPE_CHECKING:
    from pathlib import Path

    from ._watch import Body, Seen

__all__ = ["VERSION", "Recorder"]

VERSION: Final = 1
"""The version of the format; `docs/testing.md` describes it."""

# A body that is longer is a recording.
_LONGEST_TEXT: Final = 4 * 1024 * 1024


class Recorder:
    """Writes a recording; secrets stay out of it.

    Args:
        path: The file, which is made anew and readable for its owner alone.
        with_audio: Whether sound is kept, also in memory while it comes; otherwise only how much
            there was.

    Raises:
        OSError: The file cannot be written.
    """

    def __init__(self, path: Path, *, with_audio: bool) -> None:
        self.body_limit = None if with_audio else _LONGEST_TEXT
        self._with_audio = with_audio
        self._redactor = Redactor()
        self._began = time.time()
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        self._file: IO[bytes] = os.fdopen(descriptor, "wb")
        self._write(type="recording", version=VERSION, created=now())

    def close(self) -> None:
        """Finish the file."""
        self._file.close()

    def notice(self, seen: Seen) -> None:
        """Write a line."""
        match seen:
            case Asked(at, request_id, request):
                self._redactor.meet(request)
                self._write(
                    type="request",
                    id=request_id,
                    at=self._since(at),
                    method=request.method,
                    path=self._redactor.url(request.rel_url),
                    headers=self._redactor.headers(request.headers),
                )
            case Frame(at, request_id, from_client, data):
                self._write(
                    type="frame",
                    id=request_id,
                    at=self._since(at),
                    sender="client" if from_client else "service",
                    **self._content(data),
                )
            case Closed(at, request_id, from_client, code, reason):
                self._write(
                    type="close",
                    id=request_id,
                    at=self._since(at),
                    sender="client" if from_client else "service",
                    code=code,
                    reason=reason,
                )
            case Answered():
                self._write_answer(seen)
            case _:
                pass

    def _write_answer(self, seen: Answered) -> None:
        answer = seen.answer
        line: dict[str, Any] = {"id": seen.request_id, "at": self._since(seen.at)}
        body = seen.request.get(BODY)
        # An answer holds secrets that its request has named, so the request comes first.
        if body is not None and body.size:
            line["request"] = self._body(body, seen.request.content_type)
        if answer is None:
            self._write(type="answer", status=None, **line)
        else:
            line |= {"status": answer.status, "headers": self._redactor.headers(answer.headers)}
            if isinstance(answer, FaultyBody) and answer.written is not None:
                line |= self._body(answer.written, answer.content_type)
            elif isinstance(answer, web.Response) and isinstance(answer.body, bytes):
                line |= self._body_of(answer.body, answer.content_type)
            self._write(type="answer", **line)
        self._file.flush()

    def _body(self, body: Body, content_type: str) -> dict[str, object]:
        if not body.is_whole:
            return {"audio_bytes": body.size}
        return self._body_of(bytes(body.kept), content_type)

    def _body_of(self, body: bytes, content_type: str) -> dict[str, object]:
        is_text = content_type == "application/json" or content_type.startswith("text/")
        return self._content(body.decode(errors="replace") if is_text else body)

    def _content(self, data: str | bytes) -> dict[str, object]:
        if isinstance(data, str):
            return {"text": self._redactor.text(data)}
        if self._with_audio:
            return {"audio": base64.b64encode(data).decode()}
        return {"audio_bytes": len(data)}

    def _since(self, at: float) -> float:
        return round(at - self._began, 6)

    def _write(self, **line: object) -> None:
        self._file.write(msgspec.json.encode(line) + b"\n")
