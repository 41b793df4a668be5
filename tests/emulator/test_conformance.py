"""Every answer of the REST endpoints is one that Deepgram's OpenAPI file describes."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from deepgram_async.emulator import ScriptedRecognizer
from tests.spec.documents import needs_spec

from .helpers import serving, silence, wav

pytest.importorskip("jsonschema_rs")

from .openapi import SOUND, check, operation_names, strangers

if TYPE_CHECKING:
    from .helpers import Client, Message

PROJECT = "00000000-0000-4000-8000-000000000000"
NOWHERE = "11111111-1111-4111-8111-111111111111"
RECORDING = wav(silence(6.0))
EVERYTHING = {
    "search": "hello",
    "tag": "a",
    "extra": "a:b",
    "summarize": "v2",
    **dict.fromkeys(
        (
            *("punctuate", "utterances", "paragraphs", "sentiment", "topics", "intents"),
            *("smart_format", "numerals", "diarize"),
        ),
        "true",
    ),
}
TEXT = "I love this garden. I would like to buy a tree. The garden is terrible."


@dataclass
class Tour:
    """Calls operation after operation, and holds every answer against the specification."""

    client: Client
    called: set[str] = field(default_factory=set[str])
    wrong: list[str] = field(default_factory=list[str])
    strange: set[str] = field(default_factory=set[str])
    ids: dict[str, str] = field(default_factory=lambda: {"project_id": PROJECT})

    async def call(self, operation: str, *, expected: int = 200, **request: Any) -> Any:
        method, _, path = operation.partition(" ")
        url = self.client.emulator.base_url + path.format_map(self.ids)
        async with self.client.http.request(method, url, **request) as response:
            body = await response.read()
            assert response.status == expected, (operation, response.status, body)
            assert response.headers["dg-request-id"]
            is_json = response.content_type == "application/json"
        self.called.add(operation)
        answer = json.loads(body) if is_json else body.decode("latin-1")
        if response.status != 200 or operation not in SOUND:
            self.wrong += check(operation, response.status, answer)
        if response.status == 200 and operation not in SOUND:
            self.strange |= strangers(operation, answer)
        return answer


PROJECT_PATH = "/v1/projects/{project_id}"

# Fields of answers that the specification does not have, and why they are sent.
BEYOND = {
    "accessor": "in usage by accessor, and in older official SDKs",
    "extra": "documented with the option of that name",
    "name": "says which small method stands in for a language model",
    "punctuated_word": "in recorded answers",
    "results": "of the usage of a project: in older official SDKs",
    "sentiment": "documented at every level of a transcript",
    "sentiment_score": "as the sentiment",
    "warnings": "in older official SDKs",
}


async def use_the_products(tour: Tour) -> None:
    await tour.call("POST /v1/listen", data=RECORDING, params=EVERYTHING)
    await tour.call(
        "POST /v1/listen", data=RECORDING, params={"callback": "http://127.0.0.1:1/nobody"}
    )
    await tour.call("POST /v1/read", json={"text": TEXT}, params=EVERYTHING)
    await tour.call(
        "POST /v1/read", json={"text": TEXT}, params={"callback": "http://127.0.0.1:1/nobody"}
    )
    await tour.call("POST /v1/speak", json={"text": "Hello."})
    await tour.call("POST /v2/speak", json={"text": "Hello."}, params={"model": "flux-alexis-en"})
    await tour.call("POST /v1/auth/grant", json={})


async def manage_people(tour: Tour) -> None:
    await tour.call("GET /v1/projects")
    await tour.call(f"GET {PROJECT_PATH}")
    await tour.call(f"PATCH {PROJECT_PATH}", json={"name": "Renamed"})
    keys = f"{PROJECT_PATH}/keys"
    created: Message = await tour.call(
        f"POST {keys}",
        json={"comment": "x", "scopes": ["member"], "time_to_live_in_seconds": 60, "tags": ["a"]},
    )
    tour.ids["key_id"] = created["api_key_id"]
    await tour.call(f"GET {keys}")
    await tour.call(f"GET {keys}/{{key_id}}")
    await tour.call(f"DELETE {keys}/{{key_id}}")
    members: Message = await tour.call(f"GET {PROJECT_PATH}/members")
    tour.ids["member_id"] = members["members"][0]["member_id"]
    await tour.call(f"GET {PROJECT_PATH}/members/{{member_id}}/scopes")
    await tour.call(f"PUT {PROJECT_PATH}/members/{{member_id}}/scopes", json={"scope": "admin"})
    invites = f"{PROJECT_PATH}/invites"
    await tour.call(f"POST {invites}", json={"email": "a@example.com", "scope": "member"})
    await tour.call(f"GET {invites}")
    tour.ids["email"] = "a@example.com"
    await tour.call(f"DELETE {invites}/{{email}}")


async def store_things(tour: Tour) -> None:
    agents, variables = f"{PROJECT_PATH}/agents", f"{PROJECT_PATH}/agent-variables"
    made: Message = await tour.call(f"POST {agents}", json={"config": '{"greeting":"Hello"}'})
    tour.ids["agent_id"] = made["agent_id"]
    await tour.call(f"GET {agents}")
    await tour.call(f"GET {agents}/{{agent_id}}")
    await tour.call(f"PUT {agents}/{{agent_id}}", json={"metadata": {"a": "b"}})
    await tour.call(f"DELETE {agents}/{{agent_id}}")
    made = await tour.call(f"POST {variables}", json={"key": "DG_A", "value": [None, 1.5]})
    tour.ids["variable_id"] = made["variable_id"]
    await tour.call(f"GET {variables}")
    await tour.call(f"GET {variables}/{{variable_id}}")
    await tour.call(f"PATCH {variables}/{{variable_id}}", json={"value": None})
    await tour.call(f"DELETE {variables}/{{variable_id}}")
    credentials = f"{PROJECT_PATH}/self-hosted/distribution/credentials"
    made = await tour.call(f"POST {credentials}", json={"comment": "x"})
    tour.ids["distribution_credentials_id"] = made["distribution_credentials"][
        "distribution_credentials_id"
    ]
    await tour.call(f"GET {credentials}")
    await tour.call(f"GET {credentials}/{{distribution_credentials_id}}")
    await tour.call(f"DELETE {credentials}/{{distribution_credentials_id}}")


async def look_at_what_was_used(tour: Tour) -> None:
    requests: Message = await tour.call(f"GET {PROJECT_PATH}/requests")
    for request in requests["requests"]:
        tour.ids["request_id"] = request["request_id"]
        await tour.call(f"GET {PROJECT_PATH}/requests/{{request_id}}")
    await tour.call(f"GET {PROJECT_PATH}/usage")
    await tour.call(f"GET {PROJECT_PATH}/usage/fields")
    for grouping in "accessor endpoint feature_set models method tags deployment".split():
        await tour.call(f"GET {PROJECT_PATH}/usage/breakdown", params={"grouping": grouping})
    await tour.call(f"GET {PROJECT_PATH}/usage/breakdown")
    balances: Message = await tour.call(f"GET {PROJECT_PATH}/balances")
    tour.ids["balance_id"] = balances["balances"][0]["balance_id"]
    await tour.call(f"GET {PROJECT_PATH}/balances/{{balance_id}}")
    await tour.call(f"GET {PROJECT_PATH}/billing/breakdown")
    groupings = [("grouping", name) for name in ("accessor", "deployment", "line_item", "tags")]
    await tour.call(f"GET {PROJECT_PATH}/billing/breakdown", params=groupings)
    await tour.call(f"GET {PROJECT_PATH}/billing/fields")
    await tour.call(f"GET {PROJECT_PATH}/purchases")
    for path in ("/v1/models", f"{PROJECT_PATH}/models"):
        models: Message = await tour.call(f"GET {path}")
        for family in ("stt", "tts"):
            tour.ids["model_id"] = models[family][0]["uuid"]
            await tour.call(f"GET {path}/{{model_id}}")
    await tour.call("GET /v1/agent/settings/think/models")


async def end_it_all(tour: Tour) -> None:
    await tour.call(f"DELETE {PROJECT_PATH}/members/{{member_id}}")
    await tour.call(f"DELETE {PROJECT_PATH}/leave")
    await tour.call(f"DELETE {PROJECT_PATH}")


@needs_spec
async def test_every_operation_answers_as_the_specification_says() -> None:
    async with serving(ScriptedRecognizer.from_text(TEXT)) as client:
        tour = Tour(client)
        for part in (
            *(use_the_products, manage_people, store_things, look_at_what_was_used),
            end_it_all,
        ):
            await part(tour)
    assert tour.wrong == []
    assert tour.called == operation_names()
    assert {place.rpartition(".")[2] for place in tour.strange} == set(BEYOND)


# Answers without a project and without a credential.
OPEN = ("GET /v1/agent/settings/think/models",)
ANY_PROJECT = ("GET /v1/projects", "GET /v1/models", "GET /v1/models/{model_id}")


@needs_spec
async def test_every_operation_refuses_as_the_specification_says() -> None:
    async with serving(keys=["a-key"]) as client:
        tour = Tour(client)
        names = sorted(operation_names() - set(OPEN))
        tour.ids = dict.fromkeys(
            (part.partition("}")[0] for name in names for part in name.split("{")[1:]), NOWHERE
        )
        for name in names:
            headers = {"Authorization": "Token a-wrong-key"}
            await tour.call(name, expected=401, headers=headers, json={})
            if PROJECT_PATH in name:
                await tour.call(name, expected=404, json={})
        tour.ids = dict.fromkeys(tour.ids, "no-uuid")
        for name in names:
            if PROJECT_PATH in name:
                assert "UUID parsing failed" in await tour.call(name, expected=404, json={})
    assert tour.wrong == []
