"""Short-lived tokens: granted, renewed in time, once for all who ask; and other credentials."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from aiohttp import web
from websockets.asyncio.server import ServerConnection

from deepgram_async import DeepgramSession, GrantedTokens, RetryPolicy
from deepgram_async.errors import ConfigurationError, OptionError, PermissionDeniedError
from deepgram_async.models.manage import Grant
from tests.support import management as answers
from tests.support.listen import metadata, read_until_close_stream
from tests.support.servers import http_server, websocket_server
from tests.support.wire import Operation, assert_on_the_wire, service


class Clock:
    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Granter:
    """A service that counts the tokens it grants, and can be held up."""

    url: str = ""
    asked: int = 0
    refuses: bool = False
    expires_in: float | None = 60.0
    open_gate: asyncio.Event = field(default_factory=asyncio.Event)
    was_asked: asyncio.Event = field(default_factory=asyncio.Event)

    async def answer(self, request: web.Request) -> web.Response:
        self.asked += 1
        token = f"token-{self.asked}"
        self.was_asked.set()
        await self.open_gate.wait()
        if self.refuses:
            return web.json_response({"err_code": "INSUFFICIENT_PERMISSIONS"}, status=403)
        answer = {"access_token": token, "expires_in": self.expires_in}
        return web.json_response({key: value for key, value in answer.items() if value is not None})


@asynccontextmanager
async def granting(*, is_open: bool = True) -> AsyncGenerator[tuple[Granter, DeepgramSession]]:
    granter = Granter()
    if is_open:
        granter.open_gate.set()
    async with (
        http_server(granter.answer) as granter.url,
        DeepgramSession("key", base_url=granter.url, retry=RetryPolicy(attempts=1)) as dg,
    ):
        yield granter, dg


@pytest.mark.parametrize(
    "operation",
    [
        Operation(
            lambda dg: dg.auth.grant(), "POST", "/v1/auth/grant", Grant, answers.GRANT, body={}
        ),
        Operation(
            lambda dg: dg.auth.grant(ttl_seconds=600),
            "POST",
            "/v1/auth/grant",
            Grant,
            answers.GRANT,
            body={"ttl_seconds": 600},
        ),
        Operation(
            lambda dg: dg.auth.grant(),
            "POST",
            "/v1/auth/grant",
            Grant,
            {"access_token": "abc"},
            body={},
        ),
    ],
)
async def test_a_grant_is_what_the_reference_says(operation: Operation) -> None:
    await assert_on_the_wire(operation)


@pytest.mark.parametrize("ttl", [0, -1, 3601])
async def test_a_life_out_of_range_is_refused_before_the_request(ttl: float) -> None:
    async with service(answers.GRANT) as own:
        async with own.session() as dg:
            with pytest.raises(OptionError, match="from 1 to 3600"):
                await dg.auth.grant(ttl_seconds=ttl)
        assert own.received == []
        async with own.session(validate=False) as dg:
            await dg.auth.grant(ttl_seconds=ttl)
        assert own.received[0].json == {"ttl_seconds": ttl}


async def test_a_key_that_may_not_grant_is_told() -> None:
    async with granting() as (granter, dg):
        granter.refuses = True
        with pytest.raises(PermissionDeniedError):
            await dg.auth.grant()


def test_a_token_is_not_shown() -> None:
    grant = Grant(access_token="the-secret", expires_in=30.0)
    assert "the-secret" not in f"{grant!r} {grant} {grant.__rich_repr__()} {[grant]}"
    assert "expires_in=30.0" in repr(grant)


# The provider.


async def test_a_token_is_used_until_it_is_about_to_end() -> None:
    clock = Clock()
    async with granting() as (granter, dg):
        tokens = GrantedTokens(dg.auth, clock=clock)
        assert [await tokens() for _ in range(3)] == ["token-1"] * 3
        clock.now += 49.9
        assert await tokens() == "token-1"
        clock.now += 0.2
        assert [await tokens() for _ in range(3)] == ["token-2"] * 3
    assert granter.asked == 2


async def test_a_token_whose_life_is_not_told_lives_as_long_as_asked() -> None:
    clock = Clock()
    async with granting() as (granter, dg):
        granter.expires_in = None
        tokens = GrantedTokens(dg.auth, ttl_seconds=600, renew_before_s=100, clock=clock)
        await tokens()
        clock.now += 499
        assert await tokens() == "token-1"
        clock.now += 2
        assert await tokens() == "token-2"


async def test_a_very_short_life_is_used_by_half() -> None:
    clock = Clock()
    async with granting() as (granter, dg):
        granter.expires_in = 4.0
        tokens = GrantedTokens(dg.auth, clock=clock)
        await tokens()
        clock.now += 1.9
        assert await tokens() == "token-1"
        clock.now += 0.2
        assert await tokens() == "token-2"


async def test_a_grant_that_took_longer_than_its_token_lives_is_not_repeated_forever() -> None:
    clock = Clock()
    async with granting(is_open=False) as (granter, dg):
        asking = asyncio.create_task(GrantedTokens(dg.auth, clock=clock)())
        await granter.was_asked.wait()
        clock.now += 500
        granter.open_gate.set()
        assert await asking == "token-1"
    assert granter.asked == 1


async def test_many_callers_cause_one_grant() -> None:
    async with granting(is_open=False) as (granter, dg):
        tokens = GrantedTokens(dg.auth)
        asking = [asyncio.create_task(tokens()) for _ in range(20)]
        await granter.was_asked.wait()
        granter.open_gate.set()
        assert await asyncio.gather(*asking) == ["token-1"] * 20
    assert granter.asked == 1


async def test_many_callers_share_one_refusal_and_the_next_asks_anew() -> None:
    async with granting(is_open=False) as (granter, dg):
        granter.refuses = True
        tokens = GrantedTokens(dg.auth)
        asking = [asyncio.create_task(tokens()) for _ in range(20)]
        await granter.was_asked.wait()
        granter.open_gate.set()
        outcomes = await asyncio.gather(*asking, return_exceptions=True)
        assert {type(outcome) for outcome in outcomes} == {PermissionDeniedError}
        assert granter.asked == 1
        granter.refuses = False
        assert await tokens() == "token-2"


async def test_a_caller_that_is_cancelled_takes_nobody_along() -> None:
    async with granting(is_open=False) as (granter, dg):
        tokens = GrantedTokens(dg.auth)
        first, second, third = (asyncio.create_task(tokens()) for _ in range(3))
        await granter.was_asked.wait()
        third.cancel()
        first.cancel()
        granter.open_gate.set()
        assert await second == "token-2"
        outcomes = await asyncio.gather(first, third, return_exceptions=True)
        assert [type(outcome) for outcome in outcomes] == [asyncio.CancelledError] * 2
    assert granter.asked == 2


async def test_requests_and_streams_log_in_with_the_tokens() -> None:
    seen: list[str] = []

    async def live(connection: ServerConnection) -> None:
        assert connection.request is not None
        seen.append(connection.request.headers["Authorization"])
        await read_until_close_stream(connection)
        await connection.send(metadata())

    clock = Clock()
    async with granting() as (_, account), websocket_server(live) as url:
        tokens = GrantedTokens(account.auth, clock=clock)
        async with DeepgramSession(token_provider=tokens, base_url=url) as dg:
            for _ in range(2):
                async with dg.listen.live(encoding="linear16", sample_rate=16000) as stream:
                    await stream.finish()
                clock.now += 55
    assert seen == ["Bearer token-1", "Bearer token-2"]


# Other credentials for a session in use.


async def test_credentials_change_from_the_next_request_on() -> None:
    async def provide() -> str:
        return "provided"

    async with service(answers.PROJECTS) as own, own.session() as dg:
        other = dg.with_options(project_id="p-2")
        await dg.projects.list()
        dg.use_credentials("new-key")
        await dg.projects.list()
        await other.projects.list()
        dg.use_credentials(access_token="token")
        await dg.projects.list()
        other.use_credentials(token_provider=provide)
        await dg.projects.list()
    assert [request.authorization for request in own.received] == [
        "Token key",
        "Token new-key",
        "Token new-key",
        "Bearer token",
        "Bearer provided",
    ]


async def test_credentials_are_read_from_the_environment_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with service(answers.PROJECTS) as own, own.session() as dg:
        monkeypatch.setenv("DEEPGRAM_API_KEY", "rotated")
        dg.use_credentials()
        await dg.projects.list()
    assert own.received[0].authorization == "Token rotated"


async def test_wrong_credentials_leave_the_old_ones_in_use() -> None:
    async with service(answers.PROJECTS) as own, own.session() as dg:
        with pytest.raises(ConfigurationError, match="exclude each other"):
            dg.use_credentials("a", access_token="b")
        with pytest.raises(ConfigurationError, match="no credentials"):
            dg.use_credentials()
        await dg.projects.list()
    assert own.received[0].authorization == "Token key"


async def test_a_repeated_request_takes_the_new_credentials() -> None:
    seen: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        seen.append(request.headers["Authorization"])
        if len(seen) == 1:
            dg.use_credentials("new-key")
            return web.json_response({}, status=503, headers={"Retry-After": "0"})
        return web.json_response(answers.PROJECTS)

    async with http_server(answer) as url:
        async with DeepgramSession("key", base_url=url) as dg:
            await dg.projects.list()
    assert seen == ["Token key", "Token new-key"]
