from typing import Any

import pytest

from deepgram_async._protocol.agent_fields import fields_of, settings_fields, think_fields
from deepgram_async.errors import OptionError
from deepgram_async.models.agent_settings import Agent, Function, Settings, Think

ADD = Function(name="add", parameters={"type": "object"})
FAR = Function(name="far")


def functions_of(settings: dict[str, Any]) -> object:
    return settings["agent"]["think"]["functions"]


def test_functions_are_added_to_those_of_the_settings() -> None:
    settings = Settings(agent=Agent(think=Think(functions=[FAR])))
    assert functions_of(settings_fields(settings, [ADD])) == [FAR.to_dict(), ADD.to_dict()]


def test_functions_are_added_to_every_fallback() -> None:
    settings = Settings(agent=Agent(think=[Think(), Think(functions=[FAR])]))
    fields: Any = settings_fields(settings, [ADD])
    assert [len(think["functions"]) for think in fields["agent"]["think"]] == [1, 2]


def test_a_function_that_the_settings_describe_is_left_to_them() -> None:
    own = Function(name="add", description="My own words.")
    settings = Settings(agent=Agent(think=Think(functions=[own])))
    assert functions_of(settings_fields(settings, [ADD])) == [own.to_dict()]


def test_functions_are_added_to_plain_mappings() -> None:
    settings = {"agent": {"think": {"provider": {"type": "new"}}}, "brand_new": 1}
    fields = settings_fields(settings, [ADD])
    assert functions_of(fields) == [ADD.to_dict()]
    assert fields["type"] == "Settings"
    assert fields["brand_new"] == 1


def test_functions_are_added_to_structs_in_a_mapping() -> None:
    settings: dict[str, object] = {"agent": Agent(think=Think(prompt="Hi"))}
    fields: Any = settings_fields(settings, [ADD])
    assert fields["agent"]["think"]["prompt"] == "Hi"
    assert functions_of(fields) == [ADD.to_dict()]


def test_a_stored_agent_has_its_own_functions() -> None:
    assert settings_fields(Settings(agent="id"), [ADD])["agent"] == "id"


def test_functions_need_a_language_model() -> None:
    with pytest.raises(OptionError, match=r"tools need agent\.think"):
        settings_fields({"agent": {}}, [ADD])
    assert settings_fields({"agent": {}}, []) == {"type": "Settings", "agent": {}}


@pytest.mark.parametrize(
    "settings",
    [
        {"agent": 5},
        {"agent": {"think": 5}},
        {"agent": {"think": [5]}},
        {"agent": {"think": {"functions": 5}}},
    ],
)
def test_a_mapping_of_the_wrong_shape_is_refused(settings: dict[str, object]) -> None:
    with pytest.raises(OptionError):
        settings_fields(settings, [ADD])


def test_a_field_of_the_wrong_type_is_refused_with_its_place() -> None:
    prompt: Any = 5
    with pytest.raises(OptionError, match=r"think: Expected `str \| null`.*`\$\.prompt`"):
        think_fields(Think(prompt=prompt), [])


def test_a_value_that_json_does_not_know_is_refused() -> None:
    parameters: Any = {"x": object()}
    with pytest.raises(OptionError, match="think: "):
        fields_of(Think(functions=[Function(name="add", parameters=parameters)]), "think")
