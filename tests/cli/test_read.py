import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Result, answering

Dga = Callable[..., Result]
SEGMENT = {"text": "Hello.", "start_word": 0, "end_word": 0}
ANSWER: dict[str, Any] = {
    "metadata": {"request_id": "r-1", "language": "en", "new": 1},
    "results": {
        "summary": {"text": "A greeting."},
        "topics": {
            "segments": [
                {**SEGMENT, "topics": [{"topic": "Manners", "confidence_score": 0.9}]},
                {**SEGMENT, "topics": [{"topic": "Manners", "confidence_score": 0.8}]},
            ]
        },
        "intents": {"segments": []},
        "sentiments": {
            "segments": [],
            "average": {"sentiment": "positive", "sentiment_score": 0.4321},
        },
    },
}


def test_everything_is_found_out_and_told_in_a_line_each(dga: Dga, tmp_path: Path) -> None:
    path = tmp_path / "article.txt"
    path.write_text("Hello.")
    with answering(ANSWER) as service:
        result = dga("read", str(path), url=service.url)
    assert (result.code, result.err) == (0, "")
    assert result.out.splitlines() == [
        "Summary: A greeting.",
        "Sentiment: positive (+0.43)",
        "Topics: Manners",
        "Intents: none",
    ]
    (request,) = service.received
    assert request.query == "summarize=true&sentiment=true&topics=true&intents=true"
    assert request.json == {"text": "Hello."}


def test_flags_choose_and_parameters_add(dga: Dga) -> None:
    flags = ["--topics", "-p", "custom_topic=a", "-p", "custom_topic=b"]
    with answering(ANSWER) as service:
        dga("read", "--text", "Hello.", *flags, url=service.url)
    assert service.received[0].query == "topics=true&custom_topic=a&custom_topic=b"


def test_json_is_the_answer_with_fields_that_are_newer(dga: Dga) -> None:
    with answering(ANSWER) as service:
        result = dga("read", "https://example.com/a.txt", "--json", url=service.url)
    assert json.loads(result.out) == ANSWER
    assert service.received[0].json == {"url": "https://example.com/a.txt"}


def test_text_comes_from_standard_input(dga: Dga, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("Piped."))
    with answering(ANSWER) as service:
        assert dga("read", "-", url=service.url).code == 0
    assert service.received[0].json == {"text": "Piped."}


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ([], "give either a source or --text"),
        (["a.txt", "--text", "b"], "give either a source or --text"),
        (["/nowhere/a.txt"], "cannot read /nowhere/a.txt: No such file"),
        (["-"], "standard input is empty"),
        (["--text", "x", "-p", "model=y"], "unknown option 'model'"),
    ],
)
def test_nothing_to_read_is_a_usage_error(
    dga: Dga, monkeypatch: pytest.MonkeyPatch, args: list[str], message: str
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    result = dga("read", *args)
    assert (result.code, result.out) == (2, "")
    assert message in result.err
