"""Every management call of the SDK, against the emulator."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from deepgram_async import DeepgramSession
from deepgram_async.emulator import Emulator, EmulatorSettings, ScriptedRecognizer
from deepgram_async.errors import (
    AuthenticationError,
    BadRequestError,
    NotFoundError,
    PermissionDeniedError,
)

from .helpers import silence, wav

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

DEFAULT_PROJECT = "00000000-0000-4000-8000-000000000000"
NOWHERE = "11111111-1111-4111-8111-111111111111"


class Clock:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 1, 12, 0, tzinfo=UTC).timestamp()

    def __call__(self) -> float:
        return self.now


@asynccontextmanager
async def started(**settings: Any) -> AsyncGenerator[Emulator]:
    script = ScriptedRecognizer.from_text("Hello, world.")
    async with Emulator(script, EmulatorSettings(**settings)) as emulator:
        yield emulator


@asynccontextmanager
async def session(emulator: Emulator, key: str = "a-key") -> AsyncGenerator[DeepgramSession]:
    async with DeepgramSession(key, base_url=emulator.base_url, project_id=DEFAULT_PROJECT) as dg:
        yield dg


@asynccontextmanager
async def serving(**settings: Any) -> AsyncGenerator[DeepgramSession]:
    async with started(**settings) as emulator, session(emulator) as dg:
        yield dg


# Projects, members, invitations.


async def test_a_project_is_listed_shown_renamed_and_deleted() -> None:
    async with serving() as dg:
        (listed,) = (await dg.projects.list()).projects
        assert listed.project_id == DEFAULT_PROJECT
        assert (await dg.projects.get()).mip_opt_out is False
        assert (await dg.projects.update(name="Renamed")).message
        assert (await dg.projects.get()).name == "Renamed"
        assert (await dg.projects.delete(DEFAULT_PROJECT)).message
        with pytest.raises(AuthenticationError):
            await dg.projects.get()


async def test_other_projects_are_not_found() -> None:
    async with started() as emulator, session(emulator) as dg:
        foreign = emulator.add_project("Foreign")
        for project_id in (foreign, NOWHERE):
            with pytest.raises(NotFoundError) as caught:
                await dg.projects.get(project_id)
            assert caught.value.code == "PROJECT_NOT_FOUND"
        with pytest.raises(NotFoundError, match="UUID parsing failed: invalid character"):
            await dg.projects.get("my-project")
        with pytest.raises(NotFoundError, match="invalid length"):
            await dg.projects.get("abc")
        assert len((await dg.projects.list()).projects) == 1


async def test_members_have_scopes_that_can_be_set() -> None:
    async with serving() as dg:
        (member,) = (await dg.members.list()).members
        assert (await dg.scopes.list(member.member_id)).scopes == ["owner"]
        assert (await dg.scopes.update(member.member_id, "admin")).message
        assert (await dg.scopes.list(member.member_id)).scopes == ["admin"]
        with pytest.raises(BadRequestError, match="Invalid scope"):
            await dg.scopes.update(member.member_id, "emperor")
        with pytest.raises(NotFoundError):
            await dg.scopes.list(NOWHERE)


async def test_the_keys_of_a_member_that_leaves_or_is_removed_open_nothing() -> None:
    async with started() as emulator, session(emulator) as dg:
        key = (await dg.keys.create("For later", ["member"])).key
        async with session(emulator, key) as other:
            await other.projects.list()
            assert (await dg.projects.leave(DEFAULT_PROJECT)).message
            with pytest.raises(AuthenticationError):
                await other.projects.list()
        assert (await dg.members.list()).members == []
    async with serving() as dg:
        (member,) = (await dg.members.list()).members
        assert (await dg.members.delete(member.member_id)).message
        assert (await dg.members.list()).members == []


async def test_invitations_are_sent_listed_and_withdrawn() -> None:
    async with serving() as dg:
        assert (await dg.invites.create("new+one@example.com", "member")).message
        (invite,) = (await dg.invites.list()).invites
        assert (invite.email, invite.scope) == ("new+one@example.com", "member")
        with pytest.raises(BadRequestError):
            await dg.invites.create("new+one@example.com", "member")
        assert (await dg.invites.delete("new+one@example.com")).message
        assert (await dg.invites.list()).invites == []
        with pytest.raises(NotFoundError):
            await dg.invites.delete("new+one@example.com")
        with pytest.raises(BadRequestError, match="email"):
            await dg.invites.create("nobody", "member")


# Keys and tokens.


async def test_a_created_key_works_until_it_is_deleted() -> None:
    async with started(keys=["root-key"]) as emulator, session(emulator, "root-key") as dg:
        created = await dg.keys.create("CI", ["member"], tags=["ci"])
        async with session(emulator, created.key) as ci:
            await ci.listen.transcribe(wav(silence(1.0)))
            (listed,) = (await dg.keys.list()).api_keys
            assert listed.api_key.api_key_id == created.api_key_id
            item = await dg.keys.get(created.api_key_id)
            assert item.api_key is not None
            assert (item.api_key.comment, item.api_key.tags) == ("CI", ["ci"])
            assert item.member.email
            assert (await dg.keys.delete(created.api_key_id)).message
            with pytest.raises(AuthenticationError, match="Invalid credentials"):
                await ci.listen.transcribe(wav(silence(1.0)))
        assert (await dg.keys.list()).api_keys == []
        with pytest.raises(NotFoundError):
            await dg.keys.get(created.api_key_id)


async def test_a_deleted_key_is_refused_even_where_any_other_is_accepted() -> None:
    async with started() as emulator, session(emulator) as dg:
        created = await dg.keys.create("Short lived", ["member"])
        await dg.keys.delete(created.api_key_id)
        async with session(emulator, created.key) as deleted:
            with pytest.raises(AuthenticationError):
                await deleted.projects.list()
        async with session(emulator, "any-other") as other:
            await other.projects.list()


async def test_a_key_ends_at_its_date_and_is_listed_as_expired() -> None:
    clock = Clock()
    async with started(clock=clock) as emulator, session(emulator) as dg:
        date = datetime.fromtimestamp(clock.now, UTC) + timedelta(hours=1)
        by_date = await dg.keys.create("Date", ["member"], expiration_date=date)
        by_ttl = await dg.keys.create("Span", ["member"], time_to_live_in_seconds=7200)
        assert by_date.expiration_date == "2026-11-01T13:00:00.000Z"
        assert by_ttl.expiration_date == "2026-11-01T14:00:00.000Z"
        clock.now += 3600
        async with session(emulator, by_date.key) as expired:
            with pytest.raises(AuthenticationError):
                await expired.projects.list()
        async with session(emulator, by_ttl.key) as living:
            await living.projects.list()
        for status, expected in (("expired", by_date), ("active", by_ttl)):
            (listed,) = (await dg.keys.list(status=status)).api_keys
            assert listed.api_key.api_key_id == expected.api_key_id
        with pytest.raises(BadRequestError, match="future"):
            await dg.keys.create("Past", ["member"], expiration_date=date - timedelta(days=1))


async def test_a_key_may_do_what_its_scopes_say() -> None:
    async with started() as emulator:
        async with session(emulator, emulator.add_key("usage:write")) as dg:
            await dg.listen.transcribe(wav(silence(1.0)))
            for call in (dg.billing.balances.list, dg.keys.list, dg.projects.get, dg.auth.grant):
                with pytest.raises(PermissionDeniedError, match="sufficient permissions"):
                    await call()
        async with session(emulator, emulator.add_key("usage:read")) as dg:
            await dg.usage.get()
            with pytest.raises(PermissionDeniedError):
                await dg.listen.transcribe(wav(silence(1.0)))
        async with session(emulator, emulator.add_key("admin")) as dg:
            await dg.billing.balances.list()
            with pytest.raises(PermissionDeniedError):
                await dg.projects.delete(DEFAULT_PROJECT)
            # Nobody hands on more than they have.
            with pytest.raises(PermissionDeniedError):
                await dg.keys.create("Too much", ["owner"])
        async with session(emulator, emulator.add_key("project:write")) as dg:
            # Who may write may read.
            await dg.projects.get()
        with pytest.raises(ValueError, match="emperor"):
            emulator.add_key("emperor")


async def test_a_token_serves_the_voice_apis_until_its_time_is_over() -> None:
    clock = Clock()
    async with started(clock=clock) as emulator, session(emulator) as dg:
        grant = await dg.auth.grant(ttl_seconds=60)
        assert grant.expires_in == 60
        async with DeepgramSession(
            access_token=grant.access_token, base_url=emulator.base_url
        ) as guest:
            await guest.listen.transcribe(wav(silence(1.0)))
            with pytest.raises(PermissionDeniedError):
                await guest.projects.list()
            with pytest.raises(PermissionDeniedError):
                await guest.auth.grant()
            clock.now += 60
            with pytest.raises(AuthenticationError):
                await guest.listen.transcribe(wav(silence(1.0)))


@pytest.mark.parametrize("keys", [None, ["root-key"]])
async def test_keys_and_tokens_are_told_apart_by_their_scheme(keys: list[str] | None) -> None:
    async with started(keys=keys) as emulator, session(emulator, "root-key") as dg:
        key = emulator.add_key()
        token = (await dg.auth.grant()).access_token
        async with DeepgramSession(access_token=key, base_url=emulator.base_url) as wrong:
            with pytest.raises(AuthenticationError):
                await wrong.listen.transcribe(wav(silence(1.0)))
        async with session(emulator, token) as wrong:
            with pytest.raises(AuthenticationError):
                await wrong.listen.transcribe(wav(silence(1.0)))
        forged = token[:-1] + ("A" if token[-1] != "A" else "B")
        async with DeepgramSession(access_token=forged, base_url=emulator.base_url) as wrong:
            with pytest.raises(AuthenticationError):
                await wrong.listen.transcribe(wav(silence(1.0)))


# Usage and billing.


async def test_the_log_has_what_was_called_the_newest_first() -> None:
    clock = Clock()
    async with started(clock=clock) as emulator, session(emulator) as dg:
        first = await dg.listen.transcribe(wav(silence(2.0)), tag=["a"], punctuate=True)
        clock.now += 1
        with pytest.raises(BadRequestError):
            await dg.listen.transcribe(b"noise")
        await dg.projects.list()
        page = await dg.requests.list()
        failed, succeeded = page.requests
        assert (failed.code, succeeded.code) == (400, 200)
        assert failed.response is not None
        assert failed.response.message is not None
        assert "corrupt or unsupported" in failed.response.message
        assert succeeded.path is not None
        assert succeeded.path.startswith("/v1/listen?")
        assert succeeded.response is not None
        details = succeeded.response.details
        assert details is not None
        assert (details.duration, details.channels, details.method) == (2.0, 1, "sync")
        assert (details.tags, details.features) == (["a"], ["punctuate"])
        item = await dg.requests.get(succeeded.request_id)
        assert item.request == succeeded
        assert first.metadata is not None
        assert succeeded.request_id == first.metadata.request_id
        with pytest.raises(NotFoundError):
            await dg.requests.get(NOWHERE)


async def test_the_log_is_filtered_and_paged() -> None:
    clock = Clock()
    async with started(clock=clock) as emulator, session(emulator) as dg:
        for _ in range(5):
            await dg.listen.transcribe(wav(silence(1.0)))
            clock.now += 24 * 3600
        ids = [request.request_id async for request in dg.requests.iter(limit=2)]
        assert len(ids) == len(set(ids)) == 5
        assert len((await dg.requests.list(start="2026-11-02", end="2026-11-03")).requests) == 2
        assert (await dg.requests.list(status="failed")).requests == []
        assert (await dg.requests.list(endpoint="speak")).requests == []
        assert len((await dg.requests.list(method="sync", limit=2, page=2)).requests) == 1
        assert len((await dg.requests.list(request_id=ids[0])).requests) == 1
        with pytest.raises(BadRequestError):
            await dg.requests.list(extra_query={"limit": 0})
        with pytest.raises(BadRequestError):
            await dg.requests.list(extra_query={"start": "yesterday"})


async def test_a_stream_is_logged_with_the_audio_that_it_heard() -> None:
    async with serving() as dg:
        async with dg.listen.live(
            model="nova-3", encoding="linear16", sample_rate=8000, multichannel=True, channels=2
        ) as live:
            await live.send_audio(silence(2.0, channels=2))
            await live.finish()
        (logged,) = (await dg.requests.list(method="streaming")).requests
        assert logged.response is not None
        assert logged.response.details is not None
        assert (logged.response.details.duration, logged.response.details.total_audio) == (2.0, 4.0)


async def test_the_log_does_not_show_the_password_of_a_callback() -> None:
    async with serving() as dg:
        await dg.listen.submit(
            wav(silence(1.0)), callback="http://user:sentinel-secret@127.0.0.1:1/here"
        )
        (logged,) = (await dg.requests.list()).requests
        assert "sentinel-secret" not in str(logged)
        assert logged.path is not None
        assert "127.0.0.1:1/here" in logged.path


async def test_usage_is_summed_by_day_and_by_group() -> None:
    clock = Clock()
    async with started(clock=clock) as emulator, session(emulator) as dg:
        await dg.listen.transcribe(wav(silence(36.0)), model="nova-3", tag="a", diarize=True)
        clock.now += 24 * 3600
        await dg.listen.transcribe(wav(silence(72.0)), model="nova-2", tag="b")
        await dg.listen.transcribe(wav(silence(36.0)), model="nova-2", tag="b")
        usage = await dg.usage.get()
        assert (usage.start, usage.end) == ("2026-11-01", "2026-11-02")
        assert usage.results is not None
        assert [(day.start, day.hours, day.requests) for day in usage.results] == [
            ("2026-11-01", 0.01, 1),
            ("2026-11-02", 0.03, 2),
        ]
        breakdown = await dg.usage.breakdown(grouping="tags")
        assert [(it.grouping.tags, it.hours) for it in breakdown.results] == [
            (["a"], 0.01),
            (["b"], 0.03),
        ]
        (only,) = (await dg.usage.breakdown(diarize=True)).results
        assert (only.requests, only.grouping.tags) == (1, None)
        fields = await dg.usage.fields()
        assert (fields.tags, fields.features) == (["a", "b"], ["diarize"])
        assert {model.name for model in fields.models} == {"nova-3", "nova-2"}
        nova_2 = next(it.model_id for it in fields.models if it.name == "nova-2")
        assert nova_2 is not None
        (day,) = (await dg.usage.breakdown(model=nova_2, grouping="models")).results
        assert (day.grouping.models, day.requests) == ([nova_2], 2)


async def test_what_was_used_is_paid_from_the_credit() -> None:
    async with serving() as dg:
        (untouched,) = (await dg.billing.balances.list()).balances
        (order,) = (await dg.billing.purchases()).orders
        assert untouched.amount == order.amount == 200
        assert untouched.purchase_order_id == order.order_id
        await dg.listen.transcribe(wav(silence(60.0)), model="nova-3-general", tag="a")
        balance = await dg.billing.balances.get(untouched.balance_id)
        assert balance.amount is not None
        spent = 200 - balance.amount
        assert 0 < spent < 0.1
        breakdown = await dg.billing.breakdown(grouping=["line_item", "tags"])
        (result,) = breakdown.results
        assert result.dollars == pytest.approx(spent)
        assert (result.grouping.line_item, result.grouping.tags) == ("sync::nova-3", ["a"])
        assert (await dg.billing.breakdown(line_item="streaming::nova-3")).results == []
        fields = await dg.billing.fields()
        assert fields.line_items == {"sync::nova-3": "Nova-3 (Batch)"}
        with pytest.raises(NotFoundError):
            await dg.billing.balances.get(NOWHERE)


# Models.


async def test_the_models_of_a_project_include_flux() -> None:
    async with serving() as dg:
        public, own = await dg.models.list(), await dg.projects.models.list()
        names = {model.canonical_name for model in public.stt}
        assert "nova-3" in names
        assert {it.canonical_name for it in own.stt} - names == {
            "flux-general-en",
            "flux-general-multi",
        }
        assert len(own.tts) > len(public.tts)
        (thalia,) = (it for it in public.tts if it.canonical_name == "aura-2-thalia-en")
        assert (thalia.name, thalia.architecture, thalia.languages) == ("thalia", "aura-2", ["en"])
        assert await dg.models.get(thalia.uuid) == thalia
        assert (await dg.projects.models.get(own.stt[0].uuid)).batch is not None
        with pytest.raises(NotFoundError):
            await dg.models.get(NOWHERE)


async def test_the_models_to_think_with_need_no_key() -> None:
    async with started() as emulator, session(emulator) as dg:
        models = (await dg.agent.think_models.list()).models
        assert {model.provider for model in models} >= {"open_ai", "anthropic", "google"}


# Stored agents.


async def test_an_agent_is_stored_and_only_its_labels_change() -> None:
    async with serving() as dg:
        stored = dg.agent.configurations
        config = {"think": {"provider": {"type": "open_ai", "model": "gpt-4o"}}}
        made = await stored.create(config, metadata={"team": "a"})
        assert made.config == config
        assert (await stored.list()).agents == [await stored.get(made.agent_id)]
        changed = await stored.update(made.agent_id, {"team": "b"})
        assert (changed.metadata, changed.config) == ({"team": "b"}, config)
        await stored.delete(made.agent_id)
        with pytest.raises(NotFoundError):
            await stored.get(made.agent_id)
        with pytest.raises(BadRequestError, match="JSON text"):
            await stored.create("not JSON")


async def test_a_variable_is_stored_and_its_value_changes() -> None:
    async with serving() as dg:
        variables = dg.agent.variables
        made = await variables.create("DG_GREETING", {"text": "Hello"})
        assert made.value == {"text": "Hello"}
        assert (await variables.update(made.variable_id, [1, None])).value == [1, None]
        assert (await variables.list()).variables == [await variables.get(made.variable_id)]
        with pytest.raises(BadRequestError, match="has a variable"):
            await variables.create("DG_GREETING", 1)
        await variables.delete(made.variable_id)
        assert (await variables.list()).variables == []


# Self-hosted.


async def test_distribution_credentials_are_made_shown_and_deleted() -> None:
    async with serving() as dg:
        credentials = dg.self_hosted
        made = await credentials.create(comment="Cluster", scopes=["self-hosted:product:api"])
        assert made.distribution_credentials.scopes == ["self-hosted:product:api"]
        made_id = made.distribution_credentials.distribution_credentials_id
        assert await credentials.get(made_id) == made
        assert len((await credentials.list()).distribution_credentials) == 1
        await credentials.delete(made_id)
        assert (await credentials.list()).distribution_credentials == []


# What is wrong.


@pytest.mark.parametrize(
    ("body", "details"),
    [
        (b"{", "Input data was truncated"),
        (b"[]", "Expected `object`"),
        (b'{"scopes": ["member"]}', "missing field `comment` at line 1 column 22"),
        (b'{"comment": 1, "scopes": []}', "Expected `str`"),
    ],
)
async def test_a_broken_body_is_told_from_a_missing_field(body: bytes, details: str) -> None:
    headers = {"Authorization": "Token a-key"}
    async with started() as emulator, aiohttp.ClientSession(headers=headers) as http:
        url = f"{emulator.base_url}/v1/projects/{DEFAULT_PROJECT}/keys"
        async with http.post(url, data=body) as response:
            answer = json.loads(await response.read())
        assert response.status == 400
        assert (answer["category"], answer["message"]) == (
            "INVALID_JSON",
            "Invalid JSON submitted.",
        )
        assert details in answer["details"]
        assert response.headers["dg-request-id"] == answer["request_id"]
        assert response.headers["dg-project-id"] == DEFAULT_PROJECT


async def test_before_it_is_started_it_has_nothing_to_change() -> None:
    emulator = Emulator(ScriptedRecognizer())
    for change in (emulator.heal, emulator.limit, emulator.add_key):
        with pytest.raises(RuntimeError, match="not started"):
            change()
