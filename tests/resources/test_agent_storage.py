"""Stored agents, their variables, and the models that agents think with."""

import msgspec
import pytest

from deepgram_async.errors import BadRequestError, NotFoundError, OptionError
from deepgram_async.models import manage_agents, manage_models
from tests.support import management as answers
from tests.support.wire import Operation, assert_on_the_wire, service


class Block(msgspec.Struct, omit_defaults=True):
    language: str = "en"
    greeting: str = ""


OPERATIONS = {
    "think_models.list": Operation(
        lambda dg: dg.agent.think_models.list(),
        "GET",
        "/v1/agent/settings/think/models",
        manage_models.ThinkModels,
        answers.THINK_MODELS,
    ),
    "configurations.list": Operation(
        lambda dg: dg.agent.configurations.list(),
        "GET",
        "/v1/projects/p-1/agents",
        manage_agents.AgentConfigurations,
        answers.AGENTS,
    ),
    "configurations.create": Operation(
        lambda dg: dg.agent.configurations.create(
            {"language": "en", "think": {"prompt": "DG_PROMPT"}},
            metadata={"team": "support"},
            api_version=1,
        ),
        "POST",
        "/v1/projects/p-1/agents",
        manage_agents.AgentConfiguration,
        answers.AGENT,
        body={
            "config": '{"language":"en","think":{"prompt":"DG_PROMPT"}}',
            "metadata": {"team": "support"},
            "api_version": 1,
        },
    ),
    "configurations.create from a struct": Operation(
        lambda dg: dg.agent.configurations.create(Block(greeting="Hello"), project_id="p-2"),
        "POST",
        "/v1/projects/p-2/agents",
        manage_agents.AgentConfiguration,
        answers.AGENT,
        body={"config": '{"greeting":"Hello"}'},
    ),
    "configurations.create from text": Operation(
        lambda dg: dg.agent.configurations.create('{"language": "en"}'),
        "POST",
        "/v1/projects/p-1/agents",
        manage_agents.AgentConfiguration,
        answers.AGENT,
        body={"config": '{"language": "en"}'},
    ),
    "configurations.get": Operation(
        lambda dg: dg.agent.configurations.get("a-1"),
        "GET",
        "/v1/projects/p-1/agents/a-1",
        manage_agents.AgentConfiguration,
        answers.AGENT,
    ),
    "configurations.update": Operation(
        lambda dg: dg.agent.configurations.update("a-1", {"team": "sales"}),
        "PUT",
        "/v1/projects/p-1/agents/a-1",
        manage_agents.AgentConfiguration,
        answers.AGENT,
        body={"metadata": {"team": "sales"}},
    ),
    "configurations.delete": Operation(
        lambda dg: dg.agent.configurations.delete("a-1", project_id="p-2"),
        "DELETE",
        "/v1/projects/p-2/agents/a-1",
        manage_agents.Deleted,
        {},
    ),
    "variables.list": Operation(
        lambda dg: dg.agent.variables.list("p-2"),
        "GET",
        "/v1/projects/p-2/agent-variables",
        manage_agents.AgentVariables,
        answers.VARIABLES,
    ),
    "variables.create": Operation(
        lambda dg: dg.agent.variables.create("DG_PROMPT", {"text": ["Be brief."]}),
        "POST",
        "/v1/projects/p-1/agent-variables",
        manage_agents.AgentVariable,
        answers.VARIABLE,
        body={"key": "DG_PROMPT", "value": {"text": ["Be brief."]}},
    ),
    "variables.create null": Operation(
        lambda dg: dg.agent.variables.create("DG_NOTHING", None, api_version=1),
        "POST",
        "/v1/projects/p-1/agent-variables",
        manage_agents.AgentVariable,
        answers.VARIABLE,
        body={"key": "DG_NOTHING", "value": None, "api_version": 1},
    ),
    "variables.get": Operation(
        lambda dg: dg.agent.variables.get("v-1"),
        "GET",
        "/v1/projects/p-1/agent-variables/v-1",
        manage_agents.AgentVariable,
        answers.VARIABLE,
    ),
    "variables.update": Operation(
        lambda dg: dg.agent.variables.update("v-1", 0.5),
        "PATCH",
        "/v1/projects/p-1/agent-variables/v-1",
        manage_agents.AgentVariable,
        answers.VARIABLE,
        body={"value": 0.5},
    ),
    "variables.delete": Operation(
        lambda dg: dg.agent.variables.delete("v-1"),
        "DELETE",
        "/v1/projects/p-1/agent-variables/v-1",
        manage_agents.Deleted,
        {},
    ),
}


@pytest.mark.parametrize("name", OPERATIONS)
async def test_a_call_is_what_the_reference_says(name: str) -> None:
    await assert_on_the_wire(OPERATIONS[name])


async def test_what_a_deletion_says_can_be_kept() -> None:
    async with service({"note": "gone"}) as own, own.session(keep_raw=True) as dg:
        answer = await dg.agent.configurations.delete("a-1")
    assert answer.to_dict() == {"note": "gone"}


@pytest.mark.parametrize("key", ["PROMPT", "dg_prompt", "DG_", ""])
async def test_a_variable_has_the_name_of_one(key: str) -> None:
    async with service(answers.VARIABLE) as own:
        async with own.session() as dg:
            with pytest.raises(OptionError, match="DG_"):
                await dg.agent.variables.create(key, 1)
        assert own.received == []
        async with own.session(validate=False) as dg:
            await dg.agent.variables.create(key, 1)
        assert own.received[0].json["key"] == key


async def test_a_block_that_the_service_refuses_is_told() -> None:
    body = {"err_code": "INVALID_AGENT_CONFIG", "err_msg": "think is missing"}
    async with service(body, status=400) as own, own.session() as dg:
        with pytest.raises(BadRequestError, match="think is missing"):
            await dg.agent.configurations.create("{}")


async def test_what_is_not_there_is_told() -> None:
    async with service({"err_msg": "Not found."}, status=404) as own, own.session() as dg:
        with pytest.raises(NotFoundError):
            await dg.agent.variables.get("v-1")
        with pytest.raises(NotFoundError):
            await dg.agent.think_models.list()
        with pytest.raises(OptionError):
            await dg.agent.configurations.get("..")
    assert len(own.received) == 2
