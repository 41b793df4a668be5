from __future__ import annotations

from enum import Enum
from typing import Annotated, Any, Literal

import msgspec
import pytest

from deepgram_async._protocol.functions import Signature
from deepgram_async.errors import OptionError


class Size(Enum):
    SMALL = "small"
    LARGE = "large"


class Arguments(msgspec.Struct):
    """A struct whose name is that of the generated one."""

    street: str


async def order(
    drink: Annotated[str, msgspec.Meta(description="As on the menu.")],
    size: Size = Size.SMALL,
    milk: Literal["oat", "cow"] | None = None,
    *,
    shots: int = 1,
    extras: list[str] = ["sugar"],  # noqa: B006 - what users write
    address: Arguments | None = None,
) -> str:
    """Order a drink.

    Only what is on the menu.
    """
    return ""


def test_the_schema_comes_from_the_type_hints() -> None:
    signature = Signature(order, "order")
    assert signature.description == "Order a drink.\n\nOnly what is on the menu."
    properties: Any = signature.parameters.pop("properties")
    definitions: Any = signature.parameters.pop("$defs")
    assert signature.parameters == {
        "type": "object",
        "required": ["drink"],
        "additionalProperties": False,
    }
    assert properties["drink"] == {"type": "string", "description": "As on the menu."}
    assert properties["milk"]["default"] is None
    assert properties["shots"] == {"type": "integer", "default": 1}
    assert properties["extras"]["items"] == {"type": "string"}
    assert definitions["Size"]["enum"] == ["large", "small"]
    (reference,) = (part["$ref"] for part in properties["address"]["anyOf"] if "$ref" in part)
    assert definitions[reference.removeprefix("#/$defs/")]["required"] == ["street"]


def test_arguments_are_decoded_to_the_types_of_the_hints() -> None:
    decoded = Signature(order, "order").decode(
        '{"drink":"tea","size":"large","address":{"street":"Elm"}}'
    )
    assert decoded == {
        "drink": "tea",
        "size": Size.LARGE,
        "milk": None,
        "shots": 1,
        "extras": ["sugar"],
        "address": Arguments("Elm"),
    }


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ('{"drink":5}', r"Expected `str`, got `int` - at `\$\.drink`"),
        ('{"drink":"tea","shots":"2"}', r"`\$\.shots`"),
        ("{}", "missing required field `drink`"),
        ('{"drink":"tea","cup":1}', "unknown field `cup`"),
        ('{"drink":', "truncated"),
        ("[]", "Expected `object`"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(arguments: str, complaint: str) -> None:
    with pytest.raises(msgspec.DecodeError, match=complaint):
        Signature(order, "order").decode(arguments)


async def nothing() -> None: ...


@pytest.mark.parametrize("arguments", ["", "{}"])
def test_no_arguments_may_be_an_empty_text(arguments: str) -> None:
    signature = Signature(nothing, "nothing")
    assert signature.decode(arguments) == {}
    assert signature.description is None


class Shop:
    async def sell(self, what: str) -> str:
        """Sell something."""
        return what


def test_a_method_is_a_function_without_self() -> None:
    signature = Signature(Shop().sell, "sell")
    assert list(signature.decode('{"what":"tea"}')) == ["what"]


def plain(x: int) -> int:
    return x


async def unhinted(x, y: int) -> None: ...  # type: ignore[no-untyped-def]  # what is refused


async def anything(*words: str) -> None: ...


async def anyhow(**words: str) -> None: ...


async def unnamed(x: int, /) -> None: ...


async def strange(x: Shop) -> None: ...


async def unresolved(x: Nowhere) -> None: ...  # type: ignore[name-defined]  # noqa: F821 - refused


REFUSED: list[tuple[Any, str]] = [
    (plain, "is not an async function"),
    (unhinted, "has no type hint for x"),
    (anything, r"takes \*words"),
    (anyhow, r"takes \*\*words"),
    (unnamed, "takes x"),
    (strange, "has types that JSON Schema cannot express"),
    (unresolved, "cannot be resolved"),
]


@pytest.mark.parametrize(("function", "complaint"), REFUSED)
def test_what_the_model_cannot_call_is_refused(function: Any, complaint: str) -> None:
    with pytest.raises(OptionError, match=complaint) as caught:
        Signature(function, "it")
    assert caught.value.option == "tools"
