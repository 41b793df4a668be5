"""Who watches everything that clients do, and writes down where they leave the specification."""

from __future__ import annotations

import logging
from collections import deque
from typing import TYPE_CHECKING, Any, Final, cast

import msgspec

from deepgram_async.emulator._errors import NOT_FOUND
from deepgram_async.emulator._watch import BODY, HEAD, Answered, Asked, Closed, Frame

from .deviations import PAGES, Deviation
from .options import complaints
from .sockets import JUDGES, OF_EMULATOR
from .sounds import says_what_it_is

if TYPE_CHECKING:
    from aiohttp import web

    from deepgram_async.emulator._errors import Refusal
    from deepgram_async.emulator._watch import Seen, Watch

    from .deviations import DeviationRule
    from .sockets import SocketJudge

__all__ = ["Inspector"]

_log: Final = logging.getLogger("deepgram_async.emulator")

# The oldest are forgotten beyond this.
_MOST: Final = 1000
# What says that a request was wrong; other refusals are about credentials and limits.
_WRONG_REQUESTS: Final = frozenset({400, 405, 411, 413, 414, 415, 422})


class Inspector:
    """Collects deviations, logs them, and tells other observers about them."""

    body_limit = HEAD

    def __init__(self, watch: Watch) -> None:
        self.deviations: deque[Deviation] = deque(maxlen=_MOST)
        self._watch = watch
        self._open: dict[str, _Inspected] = {}

    def notice(self, seen: Seen) -> None:
        """Look at what passes."""
        match seen:
            case Asked():
                inspected = _Inspected(self, seen.request_id, seen.request)
                self._open[seen.request_id] = inspected
                inspected.look_at_request()
            case Frame():
                if seen.request_id in self._open:
                    self._open[seen.request_id].look_at_frame(seen)
            case Closed():
                if seen.request_id in self._open:
                    self._open[seen.request_id].look_at_close(seen)
            case Answered():
                if seen.request_id in self._open:
                    self._open.pop(seen.request_id).look_at_answer(seen)
            case Deviation():
                pass

    def write_down(self, deviation: Deviation) -> None:
        """Keep a deviation."""
        self.deviations.append(deviation)
        level = logging.INFO if deviation.is_note else logging.WARNING
        _log.log(level, "%s", deviation)
        self._watch.tell(deviation)


class _Inspected:
    """One request, and what is known of it."""

    def __init__(self, inspector: Inspector, request_id: str, request: web.Request) -> None:
        self._inspector = inspector
        self._request_id = request_id
        self._request = request
        self._where = f"{request.method} {request.path}"
        resource = request.match_info.route.resource
        path = request.path if resource is None else resource.canonical
        self._operation = f"{request.method} {path}"
        self._page = PAGES.get(self._operation, PAGES[""])
        self._frames = 0
        self._is_wrong = False
        self._is_closed = False
        self._judge: SocketJudge | None = None
        judge = JUDGES.get(request.path) if request.method == "GET" else None
        if judge is not None:
            self._judge = judge(request.query, self._complain)

    def look_at_request(self) -> None:
        for complaint in complaints(self._operation, self._request.query):
            self._complain(complaint.rule, complaint.what, self._page, complaint.is_note)

    def look_at_frame(self, frame: Frame) -> None:
        judge = self._judge
        if judge is None:
            return
        if not frame.from_client:
            if isinstance(frame.data, str) and '"type"' in frame.data[:40]:
                self._hear_service(judge, frame.data)
            return
        self._frames += 1
        if isinstance(frame.data, str):
            judge.hear_text(frame.data)
        else:
            judge.hear_audio(frame.data)

    def _hear_service(self, judge: SocketJudge, text: str) -> None:
        try:
            said: object = msgspec.json.decode(text)
        except msgspec.DecodeError:  # a fault wanted it so
            return
        # The cause has its name already.
        message = cast("dict[str, Any]", said) if isinstance(said, dict) else {}
        if message.get("type") != "Error" or not self._is_wrong:
            judge.tell(message)

    def look_at_close(self, closed: Closed) -> None:
        if self._is_closed:
            return
        self._is_closed = True
        if self._judge is None:
            return
        if closed.from_client:
            self._judge.leave()
        else:
            self._judge.dismiss(closed.code, closed.reason, is_wrong=self._is_wrong)

    def look_at_answer(self, answered: Answered) -> None:
        if self._request.method in ("POST", "PUT", "PATCH"):
            self._look_at_body()
        refusal = answered.refusal
        if refusal is not None and not refusal.is_on_purpose:
            self._look_at_refusal(refusal)

    def _look_at_refusal(self, refusal: Refusal) -> None:
        if (refusal.status, refusal.code, refusal.message) == NOT_FOUND:
            self._complain("unknown-path", "there is no such path", PAGES[""])
        elif (
            refusal.status in _WRONG_REQUESTS
            and not self._is_wrong
            and OF_EMULATOR not in refusal.message
        ):
            what = f"{refusal.status}: {refusal.details or refusal.message}"
            self._complain("refused", what, self._page)

    def _look_at_body(self) -> None:
        body = self._request.get(BODY)
        if body is None or not body.size:
            return
        kind, head = self._request.content_type, bytes(body.kept)
        if self._operation != "POST /v1/listen":
            if kind != "application/json":
                self._complain("body-type", f"a JSON body comes as {kind}", self._page)
        elif kind != "application/json":
            if kind.startswith(("multipart/", "text/")) or kind.endswith("form-urlencoded"):
                self._complain("body-type", f"a recording comes as {kind}", self._page)
            elif head.lstrip()[:1] == b"{":
                self._complain("body-type", f"JSON comes as {kind}, and as audio", self._page)
            elif "encoding" not in self._request.query and not says_what_it_is(head):
                self._complain(
                    "headerless-audio", "raw audio comes without encoding", PAGES["encoding"]
                )

    def _complain(self, rule: DeviationRule, what: str, page: str, is_note: bool = False) -> None:
        self._is_wrong = self._is_wrong or not is_note
        self._inspector.write_down(
            Deviation(
                rule=rule,
                what=what,
                where=f"{self._where}, frame {self._frames}" if self._frames else self._where,
                page=page,
                request_id=self._request_id,
                is_note=is_note,
            )
        )
