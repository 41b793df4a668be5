"""Deepgram's own Python SDK, led through the management endpoints."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

from deepgram_async.emulator import Emulator, ScriptedRecognizer

from .helpers import bounded, silence, wav

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

deepgram: Any = pytest.importorskip("deepgram")
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

PROJECT = "00000000-0000-4000-8000-000000000000"
TEXT = "I love this garden. I would like to buy a tree. The garden is terrible."


@pytest_asyncio.fixture
async def sdk() -> AsyncGenerator[Any]:
    async with Emulator(ScriptedRecognizer.from_text("Hello, world.")) as emulator:
        environment = importlib.import_module("deepgram.environment").DeepgramClientEnvironment(
            base=emulator.base_url,
            production=emulator.base_url,
            agent=emulator.base_url,
            agent_rest=emulator.base_url,
        )
        async with importlib.import_module("httpx").AsyncClient() as http:
            yield deepgram.AsyncDeepgramClient(
                api_key="a-key", environment=environment, httpx_client=http
            )


@bounded
async def test_projects_members_and_keys(sdk: Any) -> None:
    projects = sdk.manage.v1.projects
    assert (await projects.list()).projects[0].project_id == PROJECT
    assert (await projects.update(PROJECT, name="Renamed")).message
    assert (await projects.get(PROJECT)).name == "Renamed"
    created = await projects.keys.create(
        PROJECT, request={"comment": "CI", "scopes": ["member"], "tags": ["ci"]}
    )
    listed = (await projects.keys.list(PROJECT, status="active")).api_keys
    assert [it.api_key.api_key_id for it in listed] == [created.api_key_id]
    item = (await projects.keys.get(PROJECT, created.api_key_id)).item
    assert item.member.api_key.comment == "CI"
    assert (await projects.keys.delete(PROJECT, created.api_key_id)).message
    (member,) = (await projects.members.list(PROJECT)).members
    await projects.members.scopes.update(PROJECT, member.member_id, scope="admin")
    assert (await projects.members.scopes.list(PROJECT, member.member_id)).scopes == ["admin"]
    await projects.members.invites.create(PROJECT, email="a@example.com", scope="member")
    (invite,) = (await projects.members.invites.list(PROJECT)).invites
    assert invite.email == "a@example.com"
    await projects.members.invites.delete(PROJECT, "a@example.com")
    assert (await sdk.auth.v1.tokens.grant(ttl_seconds=60)).expires_in == 60


@bounded
async def test_usage_and_billing(sdk: Any) -> None:
    projects = sdk.manage.v1.projects
    await sdk.listen.v1.media.transcribe_file(request=wav(silence(60.0)), model="nova-3", tag="a")
    (logged,) = (await projects.requests.list(PROJECT, endpoint="listen")).requests
    assert (await projects.requests.get(PROJECT, logged.request_id)).request.code == 200
    assert (await projects.usage.get(PROJECT)).resolution.units == "day"
    (day,) = (await projects.usage.breakdown.get(PROJECT, grouping="tags")).results
    assert (day.requests, day.grouping.tags) == (1, ["a"])
    assert (await projects.usage.fields.list(PROJECT)).tags == ["a"]
    (balance,) = (await projects.billing.balances.list(PROJECT)).balances
    assert (await projects.billing.balances.get(PROJECT, balance.balance_id)).amount < 200
    (spent,) = (await projects.billing.breakdown.list(PROJECT, grouping="line_item")).results
    assert spent.grouping.line_item == "sync::nova-3"
    assert "sync::nova-3" in (await projects.billing.fields.list(PROJECT)).line_items
    (order,) = (await projects.billing.purchases.list(PROJECT)).orders
    assert order.order_type == "promotional"


@bounded
async def test_models_stored_agents_and_credentials(sdk: Any) -> None:
    models = await sdk.manage.v1.projects.models.list(PROJECT)
    found = await sdk.manage.v1.projects.models.get(PROJECT, models.tts[0].uuid_)
    assert found.canonical_name == models.tts[0].canonical_name
    assert (await sdk.manage.v1.models.list(include_outdated=True)).stt
    assert (await sdk.agent.v1.settings.think.models.list()).models
    stored = sdk.voice_agent.configurations
    agent = await stored.create(PROJECT, config='{"greeting": "Hello"}', metadata={"a": "b"})
    assert (await stored.list(PROJECT)).agents[0].agent_id == agent.agent_id
    assert (await stored.update(PROJECT, agent.agent_id, metadata={})).metadata == {}
    await stored.delete(PROJECT, agent.agent_id)
    variables = sdk.voice_agent.variables
    variable = await variables.create(PROJECT, key="DG_A", value=[1])
    assert (await variables.update(PROJECT, variable.variable_id, value="b")).value == "b"
    await variables.delete(PROJECT, variable.variable_id)
    credentials = sdk.self_hosted.v1.distribution_credentials
    made = (await credentials.create(PROJECT, comment="x")).distribution_credentials
    listed = (await credentials.list(PROJECT)).distribution_credentials
    assert listed[0].distribution_credentials.comment == "x"
    await credentials.delete(PROJECT, made.distribution_credentials_id)


@bounded
async def test_a_text_is_analysed(sdk: Any) -> None:
    answer = await sdk.read.v1.text.analyze(
        request={"text": TEXT}, summarize="v2", topics=True, intents=True, sentiment=True
    )
    assert answer.results.sentiments.average.sentiment in ("negative", "neutral", "positive")
    assert answer.results.topics.segments
    assert answer.results.intents.segments[0].intents[0].intent == "Buy tree"


@bounded
async def test_refusals_are_its_errors(sdk: Any) -> None:
    errors = importlib.import_module("deepgram.core.api_error")
    with pytest.raises(errors.ApiError) as caught:
        await sdk.manage.v1.projects.get("11111111-1111-4111-8111-111111111111")
    assert caught.value.status_code == 404
    assert caught.value.body["err_code"] == "PROJECT_NOT_FOUND"
