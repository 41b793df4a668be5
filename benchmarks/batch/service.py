"""A service that takes so many requests at a time, fails as it is told, and keeps count.

``python -m benchmarks.batch.service 50 0.2 0.05`` serves 50 requests at a time, 0.2 seconds each,
and lets a twentieth of the items fail. Its port is printed first.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
from collections import Counter
from typing import Any, Final

from aiohttp import web

ANSWER: Final = json.dumps(
    {
        "metadata": {
            "request_id": "0f1e2d3c",
            "sha256": "5324da68",
            "created": "2026-01-01T00:00:00Z",
            "duration": 60.0,
            "channels": 1,
        },
        "results": {
            "channels": [
                {
                    "alternatives": [
                        {
                            "transcript": "and " * 150,
                            "confidence": 0.99,
                            "words": [
                                {
                                    "word": "and",
                                    "start": number * 0.4,
                                    "end": number * 0.4 + 0.3,
                                    "confidence": 0.99,
                                }
                                for number in range(150)
                            ],
                        }
                    ]
                }
            ]
        },
    }
).encode()

# What becomes of the items that fail, one kind after the other; 502 and 503 once for each item.
FAULTS: Final = (400, 500, 502, 503, 504, "reset", "garbage")
PASSING: Final = (502, 503)


class Service:
    """Answers, refuses and counts."""

    def __init__(self, limit: int, takes_s: float, faulty: float) -> None:
        self._limit = limit
        self._takes_s = takes_s
        self._fault_every = round(1 / faulty) if faulty else 0
        self._received: Counter[int] = Counter()
        self._answered: Counter[int] = Counter()
        self._in_flight = 0
        self._most = 0
        self._refused = 0
        self._busy_s = 0.0

    async def listen(self, request: web.Request) -> web.StreamResponse:
        """Transcribe an item, which begins with its number."""
        number = int((await request.read())[:12])
        if self._in_flight >= self._limit:
            self._refused += 1
            refusal = {"err_code": "TOO_MANY_REQUESTS", "err_msg": "Too many requests."}
            return web.json_response(refusal, status=429)
        self._received[number] += 1
        self._in_flight += 1
        self._most = max(self._most, self._in_flight)
        takes_s = self._takes_s * random.uniform(0.8, 1.2)
        try:
            await asyncio.sleep(takes_s)
        finally:
            self._in_flight -= 1
        self._busy_s += takes_s
        fault = self._fault(number)
        if fault == "reset" and request.transport is not None:
            request.transport.abort()
        if fault == "garbage":
            return web.Response(body=b"{}", content_type="application/json")
        if isinstance(fault, int):
            return web.json_response({"err_code": "FAULT", "err_msg": "as told"}, status=fault)
        self._answered[number] += 1
        return web.Response(body=ANSWER, content_type="application/json")

    async def report(self, request: web.Request) -> web.Response:
        """Tell what was counted; a POST forgets it as well."""
        counted: dict[str, Any] = {
            "received": list(self._received.items()),
            "answered": list(self._answered),
            "in_flight": self._in_flight,
            "most": self._most,
            "refused": self._refused,
            "busy_s": self._busy_s,
        }
        if request.method == "POST":
            self._received.clear()
            self._answered.clear()
            self._most = self._refused = 0
            self._busy_s = 0.0
        return web.json_response(counted)

    def _fault(self, number: int) -> int | str | None:
        if not self._fault_every or number % self._fault_every:
            return None
        fault = FAULTS[number // self._fault_every % len(FAULTS)]
        return None if fault in PASSING and self._received[number] > 1 else fault


async def serve(limit: int, takes_s: float, faulty: float) -> None:
    """Serve until the process is ended."""
    service = Service(limit, takes_s, faulty)
    app = web.Application(client_max_size=1 << 30)
    app.router.add_post("/v1/listen", service.listen)
    app.router.add_route("*", "/report", service.report)
    # A client that was killed has no request in work any more.
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3])))
