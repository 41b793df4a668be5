import inspect
import pydoc
import re
import subprocess
import sys
from typing import Any, ForwardRef, TypedDict, get_type_hints

import pytest

from deepgram_async import DeepgramSession, Listen
from deepgram_async import options as options_module
from deepgram_async._documented import takes_options
from deepgram_async.options import FluxOptions, ListenOptions, LiveOptions

CALLS = [
    (Listen.transcribe, ListenOptions),
    (Listen.submit, ListenOptions),
    (Listen.live, LiveOptions),
    (Listen.flux, FluxOptions),
]
OPTIONS = [(call, kind, name) for call, kind in CALLS for name in get_type_hints(kind)]
NAMED = {
    "transcribe": ["source", "content_type", "progress", "extra_query"],
    "submit": [
        "source",
        "callback",
        "callback_method",
        "content_type",
        "progress",
        "extra_query",
    ],
    "live": ["extra_query"],
    "flux": ["extra_query"],
}


def written(kind: type[Any], name: str) -> str:
    """Return the annotation of an option as it stands in the source."""
    annotation = kind.__annotations__[name]
    return annotation.__forward_arg__ if isinstance(annotation, ForwardRef) else str(annotation)


def text_of(call: Any) -> str:
    """Return the help text of a call with its line breaks taken out."""
    return " ".join((inspect.getdoc(call) or "").split())


# The signature.


@pytest.mark.parametrize(("call", "kind"), CALLS)
def test_a_signature_lists_the_named_arguments_and_then_every_option(call: Any, kind: Any) -> None:
    names = list(inspect.signature(call).parameters)
    assert names == ["self", *NAMED[call.__name__], *kind.__annotations__]


@pytest.mark.parametrize(("call", "kind", "name"), OPTIONS)
def test_an_option_in_a_signature_is_a_keyword_with_its_type(
    call: Any, kind: Any, name: str
) -> None:
    parameter = inspect.signature(call).parameters[name]
    assert parameter.kind is inspect.Parameter.KEYWORD_ONLY
    assert parameter.default is None
    assert str(parameter) == f"{name}: {written(kind, name)} = None"


@pytest.mark.parametrize(("call", "kind"), CALLS)
def test_a_signature_takes_nothing_else(call: Any, kind: Any) -> None:
    signature = inspect.signature(call)
    kinds = {parameter.kind for parameter in signature.parameters.values()}
    assert inspect.Parameter.VAR_KEYWORD not in kinds
    with pytest.raises(TypeError, match="zzz"):
        signature.bind_partial(zzz=1)


def test_the_signature_of_a_bound_call_leaves_self_out() -> None:
    names = list(inspect.signature(DeepgramSession("key").listen.live).parameters)
    assert names[:2] == ["extra_query", "model"]


@pytest.mark.parametrize(("call", "kind"), CALLS)
def test_a_signature_keeps_what_the_call_returns(call: Any, kind: Any) -> None:
    returns = {
        "transcribe": "Transcription",
        "submit": "Accepted",
        "live": "LiveStream",
        "flux": "FluxStream",
    }
    assert inspect.signature(call).return_annotation == returns[call.__name__]


# The help text.


@pytest.mark.parametrize(("call", "kind", "name"), OPTIONS)
def test_help_describes_an_option_with_its_type(call: Any, kind: Any, name: str) -> None:
    entry = re.search(rf" {name} \({re.escape(written(kind, name))}\): (\S+ \S+)", text_of(call))
    assert entry is not None, f"{name} is not described"
    # Where a description is missing, the next option follows.
    first, second = entry[1].split()
    assert not (first in kind.__annotations__ and second[0] == "("), f"{name} has no description"


@pytest.mark.parametrize(("call", "kind"), CALLS)
def test_help_ends_with_the_last_description(call: Any, kind: Any) -> None:
    assert text_of(call).endswith(".")


@pytest.mark.parametrize(("call", "kind"), CALLS)
def test_help_keeps_the_words_of_the_call_in_front(call: Any, kind: Any) -> None:
    text = inspect.getdoc(call) or ""
    own, _, listed = text.partition("\nOptions:\n")
    assert own.startswith(call.__doc__.partition("\n")[0])
    assert "Args:\n    " in own
    assert "Raises:\n    " in own
    assert len(re.findall(r"^    \w+ \(", listed, re.MULTILINE)) == len(kind.__annotations__)


@pytest.mark.parametrize(("call", "kind"), CALLS)
def test_help_fits_a_terminal(call: Any, kind: Any) -> None:
    assert max(map(len, (inspect.getdoc(call) or "").splitlines())) <= 100


@pytest.mark.parametrize("name", NAMED)
def test_help_of_a_session_shows_the_options(name: str) -> None:
    call = getattr(DeepgramSession("key").listen, name)
    shown = pydoc.plain(pydoc.render_doc(call))
    described = "tag (str | Sequence[str]): Labels "
    assert described in " ".join(shown.split())


def test_an_option_is_described_by_the_words_below_its_key() -> None:
    assert (
        "diarize_version (str): Release of the diarizer. Legacy: no longer documented, use "
        "`diarize_model`."
    ) in text_of(Listen.transcribe)


def test_the_words_of_an_inherited_option_are_found_too() -> None:
    assert "tier (str): Family of models to choose `model` from." in text_of(Listen.live)


def test_help_can_be_read_twice() -> None:
    assert inspect.getdoc(Listen.live) == inspect.getdoc(Listen.live)


def test_without_source_the_options_are_still_listed() -> None:
    # As in a frozen application; in a process of its own, because the words are read once.
    program = """
import inspect
from deepgram_async import Listen

def no_source(module):
    raise OSError("could not get source code")

inspect.getsource = no_source
print(inspect.getdoc(Listen.live))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "    model (ListenModel | str):\n" in done.stdout
    assert "Send preliminary text" not in done.stdout


# The decorator by itself.


class Foreign(TypedDict, total=False):
    """Options of another module, whose words are not looked for."""

    speed: "float | int"


@takes_options(Foreign)
def undocumented(first: int, **options: Any) -> dict[str, Any]:
    return {"first": first, **options}


def test_a_call_without_words_gets_the_list_alone() -> None:
    assert (inspect.getdoc(undocumented) or "").split() == [
        "Options:",
        "speed",
        "(float",
        "|",
        "int):",
    ]


def test_a_decorated_function_is_the_function() -> None:
    assert undocumented(1, speed=2.0) == {"first": 1, "speed": 2.0}
    assert undocumented.__name__ == "undocumented"


def test_every_option_of_the_module_belongs_to_a_call_or_a_base() -> None:
    listed = {name for _, kind in CALLS for name in kind.__annotations__}
    assert set(options_module.IntelligenceOptions.__annotations__) <= listed
