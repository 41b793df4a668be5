"""The example about accounts runs as its users run it."""

import asyncio
import os
import sys
from pathlib import Path

from aiohttp import web

from tests.support import management as answers
from tests.support.servers import http_server

ROOT = Path(__file__).parents[2]
ANSWERS = {
    "/v1/projects": answers.PROJECTS,
    "/v1/projects/p-1/usage/breakdown": answers.USAGE_BREAKDOWN,
    "/v1/projects/p-1/requests": answers.REQUESTS,
    "/v1/projects/p-1/balances": answers.BALANCES,
    "/v1/projects/p-1/keys": answers.KEYS,
}


async def run(*, may_see_credit: bool = True) -> list[str]:
    async def answer(request: web.Request) -> web.Response:
        if request.path.endswith("/balances") and not may_see_credit:
            return web.json_response({"err_msg": "User may not see this."}, status=403)
        return web.json_response(ANSWERS[request.path])

    async with http_server(answer) as url:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(ROOT / "examples" / "account.py"),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={
                **os.environ,
                "PYTHONPATH": str(ROOT),
                "PYTHONWARNINGS": "error",
                "DEEPGRAM_API_KEY": "any",
                "DEEPGRAM_BASE_URL": url,
            },
        )
        shown, errors = await process.communicate()
    assert (process.returncode, errors) == (0, b"")
    return shown.decode().splitlines()


async def test_an_account_is_shown() -> None:
    assert await run() == [
        "Projects: Calls (p-1), Talks (p-2)",
        "2026-01-01  listen: 373381 requests, 1619.7 hours",
        "failed: 2026-01-31T10:20:30.123Z  200  /v1/listen?model=nova-3",
        "Credit: 148.25 usd",
        "Key: for the website  member, project:read",
    ]


async def test_a_key_without_the_right_is_told_in_words() -> None:
    shown = await run(may_see_credit=False)
    assert shown[-1] == "This key may not see credit and keys: User may not see this."
