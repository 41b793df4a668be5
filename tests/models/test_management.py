"""The answers about an account, against ones that lack fields, have new ones, or are broken."""

import copy
from collections.abc import Iterator
from typing import Any, cast

import msgspec
import pytest

from deepgram_async.models import (
    Answer,
    Model,
    manage,
    manage_agents,
    manage_billing,
    manage_models,
    manage_self_hosted,
    manage_usage,
)
from tests.support import management as answers

SAMPLES: dict[str, tuple[type[Model], dict[str, Any]]] = {
    "Grant": (manage.Grant, answers.GRANT),
    "Message": (manage.Message, answers.MESSAGE),
    "Project": (manage.Project, answers.PROJECT),
    "Projects": (manage.Projects, answers.PROJECTS),
    "Keys": (manage.Keys, answers.KEYS),
    "KeyItem": (manage.KeyItem, answers.KEY_ITEM),
    "CreatedKey": (manage.CreatedKey, answers.CREATED_KEY),
    "Members": (manage.Members, answers.MEMBERS),
    "Scopes": (manage.Scopes, answers.SCOPES),
    "Invites": (manage.Invites, answers.INVITES),
    "SpeechModel": (manage_models.SpeechModel, answers.MODEL),
    "SpeechModels": (manage_models.SpeechModels, answers.MODELS),
    "ThinkModels": (manage_models.ThinkModels, answers.THINK_MODELS),
    "Usage": (manage_usage.Usage, answers.USAGE),
    "Breakdown": (manage_usage.Breakdown, answers.USAGE_BREAKDOWN),
    "Fields": (manage_usage.Fields, answers.USAGE_FIELDS),
    "Requests": (manage_usage.Requests, answers.REQUESTS),
    "RequestItem": (manage_usage.RequestItem, answers.REQUEST_ITEM),
    "Balance": (manage_billing.Balance, answers.BALANCE),
    "Balances": (manage_billing.Balances, answers.BALANCES),
    "BillingBreakdown": (manage_billing.Breakdown, answers.BILLING_BREAKDOWN),
    "BillingFields": (manage_billing.Fields, answers.BILLING_FIELDS),
    "Purchases": (manage_billing.Purchases, answers.PURCHASES),
    "OwnedCredentials": (manage_self_hosted.OwnedCredentials, answers.CREDENTIALS),
    "CredentialsList": (manage_self_hosted.CredentialsList, answers.CREDENTIALS_LIST),
    "AgentConfiguration": (manage_agents.AgentConfiguration, answers.AGENT),
    "AgentConfigurations": (manage_agents.AgentConfigurations, answers.AGENTS),
    "AgentVariable": (manage_agents.AgentVariable, answers.VARIABLE),
    "AgentVariables": (manage_agents.AgentVariables, answers.VARIABLES),
    "Deleted": (manage_agents.Deleted, {}),
}
MODULES = (
    manage,
    manage_agents,
    manage_billing,
    manage_models,
    manage_self_hosted,
    manage_usage,
)
per_sample = pytest.mark.parametrize("name", SAMPLES)


def decode(name: str, document: object) -> Model:
    return msgspec.json.decode(msgspec.json.encode(document), type=SAMPLES[name][0])


def walk(value: object, document: Any) -> Iterator[tuple[Model, dict[str, Any]]]:
    """Yield every model below a value together with the JSON object that it was read from."""
    if isinstance(value, Model):
        yield value, document
        for field in msgspec.structs.fields(value):
            yield from walk(getattr(value, field.name), document.get(field.encode_name))
    elif isinstance(value, list):
        for item, part in zip(cast("list[object]", value), document, strict=True):
            yield from walk(item, part)


def parts(name: str) -> int:
    return len(list(walk(decode(name, SAMPLES[name][1]), SAMPLES[name][1])))


def variants(name: str) -> Iterator[tuple[dict[str, Any], dict[str, Any], Any]]:
    """Yield a fresh copy of a sample, one object in it, and one field of that object."""
    for index in range(parts(name)):
        model = list(walk(decode(name, SAMPLES[name][1]), SAMPLES[name][1]))[index][0]
        for field in msgspec.structs.fields(model):
            whole = copy.deepcopy(SAMPLES[name][1])
            part = list(walk(decode(name, whole), whole))[index][1]
            if field.encode_name in part:
                yield whole, part, field


@per_sample
def test_every_field_is_given_back(name: str) -> None:
    sample = SAMPLES[name][1]
    assert decode(name, sample).to_dict() == sample
    assert msgspec.json.decode(decode(name, sample).to_json()) == sample


@per_sample
def test_fields_that_are_new_are_ignored(name: str) -> None:
    for index in range(parts(name)):
        whole = copy.deepcopy(SAMPLES[name][1])
        list(walk(decode(name, whole), whole))[index][1]["brand_new"] = {"a": [1]}
        assert decode(name, whole).to_dict() == SAMPLES[name][1]


@per_sample
def test_optional_fields_may_be_missing_or_null(name: str) -> None:
    for whole, part, field in variants(name):
        if field.required:
            continue
        del part[field.encode_name]
        value = decode(name, whole)
        if field.default is None:
            assert value.to_dict() == whole
            part[field.encode_name] = None
            assert decode(name, whole) == value


@per_sample
def test_required_fields_are_missed_by_name(name: str) -> None:
    for whole, part, field in variants(name):
        if field.required:
            del part[field.encode_name]
            with pytest.raises(msgspec.ValidationError, match=f"`{field.encode_name}`"):
                decode(name, whole)


@per_sample
def test_numbers_may_be_whole_or_have_a_point(name: str) -> None:
    for whole, part, field in variants(name):
        number = part[field.encode_name]
        if type(number) in (int, float):
            part[field.encode_name] = float(number)
            assert decode(name, whole).to_dict() == whole
            part[field.encode_name] = int(number)
            assert decode(name, whole).to_dict() == whole


@per_sample
def test_a_wrong_type_raises_with_the_place(name: str) -> None:
    for whole, part, field in variants(name):
        if field.type is object:
            continue  # any JSON value
        part[field.encode_name] = 7 if isinstance(part[field.encode_name], str) else "seven"
        if (field.encode_name, part[field.encode_name]) == ("callback", "seven"):
            continue  # the URL is documented too
        with pytest.raises(msgspec.ValidationError, match=field.encode_name):
            decode(name, whole)


def test_the_callback_of_a_request_may_be_its_url() -> None:
    item = decode(
        "RequestItem", {"request": {"request_id": "r-1", "callback": "https://x.example"}}
    )
    assert isinstance(item, manage_usage.RequestItem)
    assert item.request.callback == "https://x.example"


def test_groups_that_were_not_asked_for_are_null() -> None:
    sample = copy.deepcopy(answers.USAGE_BREAKDOWN)
    for key in ("accessor", "endpoint", "feature_set", "models", "method", "tags", "deployment"):
        sample["results"][0]["grouping"][key] = None
    value = decode("Breakdown", sample)
    assert isinstance(value, manage_usage.Breakdown)
    assert value.results[0].grouping == manage_usage.Grouping(start="2026-01-01", end="2026-01-02")


def test_the_samples_have_every_public_model() -> None:
    seen = {
        type(model)
        for name in SAMPLES
        for model, _ in walk(decode(name, SAMPLES[name][1]), SAMPLES[name][1])
    }
    public = {
        getattr(module, name)
        for module in MODULES
        for name in module.__all__
        if isinstance(getattr(module, name), type) and issubclass(getattr(module, name), Model)
    }
    assert public - seen == set()


def test_only_whole_answers_need_the_collector() -> None:
    for name in SAMPLES:
        for model, _ in walk(decode(name, SAMPLES[name][1]), SAMPLES[name][1]):
            assert type(model).__struct_config__.gc is isinstance(model, Answer)
            assert type(model).__struct_config__.frozen
