"""Read by the type checkers; nothing here is sent."""

from collections.abc import AsyncGenerator
from datetime import UTC, date, datetime
from inspect import isasyncgenfunction, iscoroutinefunction
from typing import assert_type

from deepgram_async import (
    Agent,
    AgentConfigurations,
    AgentVariables,
    Auth,
    Balances,
    Billing,
    DeepgramSession,
    GrantedTokens,
    Invites,
    Keys,
    Members,
    Models,
    ProjectModels,
    Projects,
    Requests,
    Scopes,
    SelfHosted,
    ThinkModels,
    Usage,
)
from deepgram_async.models import (
    manage,
    manage_agents,
    manage_billing,
    manage_models,
    manage_self_hosted,
    manage_usage,
)

TODAY = date(2026, 1, 31)
NOW = datetime(2026, 1, 31, tzinfo=UTC)


def resources(dg: DeepgramSession) -> None:
    assert_type(dg.agent, Agent)
    assert_type(dg.agent.configurations, AgentConfigurations)
    assert_type(dg.agent.variables, AgentVariables)
    assert_type(dg.agent.think_models, ThinkModels)
    assert_type(dg.auth, Auth)
    assert_type(dg.billing, Billing)
    assert_type(dg.billing.balances, Balances)
    assert_type(dg.invites, Invites)
    assert_type(dg.keys, Keys)
    assert_type(dg.members, Members)
    assert_type(dg.models, Models)
    assert_type(dg.onprem, SelfHosted)
    assert_type(dg.projects, Projects)
    assert_type(dg.projects.models, ProjectModels)
    assert_type(dg.requests, Requests)
    assert_type(dg.scopes, Scopes)
    assert_type(dg.self_hosted, SelfHosted)
    assert_type(dg.usage, Usage)


async def credentials(dg: DeepgramSession) -> None:
    grant = await dg.auth.grant(ttl_seconds=60)
    assert_type(grant, manage.Grant)
    assert_type(grant.access_token, str)
    assert_type(grant.expires_in, float | None)
    tokens = GrantedTokens(dg.auth, ttl_seconds=60, renew_before_s=5.0, clock=lambda: 0.0)
    assert_type(await tokens(), str)
    assert_type(DeepgramSession(token_provider=tokens), DeepgramSession)
    assert_type(dg.use_credentials("key"), None)
    dg.use_credentials(access_token="token")
    dg.use_credentials(token_provider=tokens)
    await dg.auth.grant(60)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


async def projects(dg: DeepgramSession) -> None:
    assert_type(await dg.projects.list(), manage.Projects)
    assert_type((await dg.projects.list()).projects, list[manage.Project])
    assert_type(await dg.projects.get("p", limit=10, page=1), manage.Project)
    assert_type(await dg.projects.update(name="x"), manage.Message)
    assert_type(await dg.projects.delete("p"), manage.Message)
    assert_type(await dg.projects.leave("p"), manage.Message)
    assert_type(await dg.models.list(include_outdated=True), manage_models.SpeechModels)
    assert_type(await dg.models.get("m"), manage_models.SpeechModel)
    assert_type(await dg.projects.models.list("p"), manage_models.SpeechModels)
    assert_type(await dg.projects.models.get("m", project_id="p"), manage_models.SpeechModel)
    await dg.projects.delete()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    await dg.projects.leave()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


async def people(dg: DeepgramSession) -> None:
    assert_type(await dg.keys.list(status="active"), manage.Keys)
    created = await dg.keys.create("x", ["member"], tags=["web"], expiration_date=NOW)
    assert_type(created, manage.CreatedKey)
    assert_type(created.key, str)
    await dg.keys.create("x", "member", expiration_date=TODAY)
    await dg.keys.create("x", "member", time_to_live_in_seconds=60, project_id="p")
    item = await dg.keys.get("k")
    assert_type(item, manage.KeyItem)
    assert_type(item.member, manage.Owner)
    assert_type(item.api_key, manage.Key | None)
    assert_type(await dg.keys.delete("k"), manage.Message)
    assert_type(await dg.members.list(), manage.Members)
    assert_type(await dg.members.delete("m"), manage.Message)
    assert_type(await dg.scopes.list("m"), manage.Scopes)
    assert_type(await dg.scopes.update("m", "admin"), manage.Message)
    assert_type(await dg.invites.list(), manage.Invites)
    assert_type(await dg.invites.create("a@b.example", "member"), manage.Message)
    assert_type(await dg.invites.delete("a@b.example"), manage.Message)
    # As in Deepgram's own package, where the project comes first.
    await dg.keys.delete("p", "k")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    await dg.keys.create("x", "member", expiration_date=7)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


async def usage(dg: DeepgramSession) -> None:
    assert_type(await dg.usage.get(start=TODAY, end=NOW, diarize=True), manage_usage.Usage)
    breakdown = await dg.usage.breakdown("p", start="2026-01-01", grouping="models")
    assert_type(breakdown, manage_usage.Breakdown)
    assert_type(breakdown.results[0].hours, float | None)
    assert_type(await dg.usage.fields(end=TODAY), manage_usage.Fields)
    log = await dg.requests.list(limit=10, page=2, status="failed", start=NOW)
    assert_type(log, manage_usage.Requests)
    assert_type(await dg.requests.get("r"), manage_usage.RequestItem)
    requests = dg.requests.iter("p", limit=10)
    assert_type(requests, AsyncGenerator[manage_usage.Request, None])
    async for request in requests:
        assert_type(request, manage_usage.Request)
        assert_type(request.request_id, str)
    await dg.usage.get(grouping="models")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    await dg.usage.get(diarize="yes")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


async def billing(dg: DeepgramSession) -> None:
    assert_type(await dg.billing.balances.list(), manage_billing.Balances)
    assert_type(await dg.billing.balances.get("b"), manage_billing.Balance)
    breakdown = await dg.billing.breakdown(grouping=["tags", "line_item"], start=TODAY)
    assert_type(breakdown, manage_billing.Breakdown)
    assert_type(breakdown.results[0].dollars, float)
    assert_type(await dg.billing.fields(), manage_billing.Fields)
    assert_type(await dg.billing.purchases(limit=5), manage_billing.Purchases)


async def self_hosted(dg: DeepgramSession) -> None:
    credentials = dg.self_hosted
    assert_type(await credentials.list(), manage_self_hosted.CredentialsList)
    created = await credentials.create(comment="x", scopes=["self-hosted:product:api"])
    assert_type(created, manage_self_hosted.OwnedCredentials)
    assert_type(await credentials.get("d"), manage_self_hosted.OwnedCredentials)
    assert_type(await credentials.delete("d"), manage_self_hosted.OwnedCredentials)


async def anything(dg: DeepgramSession) -> None:
    assert_type(await dg.request("GET", "/v1/new", query={"a": 1}, json={"b": 2}), object)


async def agents(dg: DeepgramSession) -> None:
    assert_type(await dg.agent.think_models.list(), manage_models.ThinkModels)
    stored = dg.agent.configurations
    assert_type(await stored.list(), manage_agents.AgentConfigurations)
    assert_type(await stored.create({"language": "en"}), manage_agents.AgentConfiguration)
    assert_type(await stored.get("a"), manage_agents.AgentConfiguration)
    assert_type(await stored.update("a", {"x": "y"}), manage_agents.AgentConfiguration)
    assert_type(await stored.delete("a"), manage_agents.Deleted)
    variables = dg.agent.variables
    assert_type(await variables.list(), manage_agents.AgentVariables)
    assert_type(await variables.create("DG_X", [1, 2]), manage_agents.AgentVariable)
    assert_type((await variables.get("v")).value, object)
    assert_type(await variables.update("v", None), manage_agents.AgentVariable)
    assert_type(await variables.delete("v"), manage_agents.Deleted)


def test_what_is_awaited_above_is_awaited_at_run_time() -> None:
    for resource in (Auth, Billing, Keys, Models, Projects, Requests, Scopes, Usage):
        for name, member in vars(resource).items():
            if not name.startswith("_"):
                assert iscoroutinefunction(member) or name == "iter"
    assert isasyncgenfunction(Requests.iter)
