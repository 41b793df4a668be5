"""Projects, keys, models and usage, and calls without a command of their own."""

import io
import json
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import KEY, Result, answering
from tests.support import management as answers

Dga = Callable[..., Result]
ONE_PROJECT = {"projects": [answers.PROJECT]}


def rows(result: Result) -> list[list[str]]:
    assert (result.code, result.err) == (0, "")
    return [line.split("\t") for line in result.out.splitlines()]


def test_projects_are_listed(dga: Dga) -> None:
    with answering(answers.PROJECTS) as service:
        assert rows(dga("projects", url=service.url)) == [
            ["project", "name"],
            ["p-1", "Calls"],
            ["p-2", "Talks"],
        ]
    assert service.received[0].authorization == f"Token {KEY}"


def test_balances_of_projects_are_added_up(dga: Dga) -> None:
    balances = {
        "balances": [
            {"balance_id": "b-1", "amount": 10.5, "units": "usd"},
            {"balance_id": "b-2", "amount": 1.25, "units": "usd"},
            {"balance_id": "b-3", "amount": 3, "units": "hour"},
        ]
    }
    with answering(ONE_PROJECT, balances) as service:
        listed = rows(dga("projects", "--balances", url=service.url))
    assert listed[1] == ["p-1", "Calls", "11.75 usd, 3.00 hour"]
    with answering(ONE_PROJECT, balances) as service:
        result = dga("projects", "--balances", "--json", url=service.url)
    assert [item["amount"] for item in json.loads(result.out)[0]["balances"]] == [10.5, 1.25, 3]


def test_keys_are_listed_without_secrets(dga: Dga) -> None:
    with answering(answers.KEYS) as service:
        listed = rows(dga("--project", "p-9", "keys", "list", url=service.url))
    assert listed[1][:4] == [
        "k-1",
        "for the website",
        "member project:read",
        "ada@example.com",
    ]
    assert service.received[0].path == "/v1/projects/p-9/keys"


def test_only_project_of_the_key_is_taken(dga: Dga) -> None:
    with answering(ONE_PROJECT, answers.KEYS) as service:
        result = dga("keys", "list", "--json", url=service.url)
    assert json.loads(result.out) == answers.KEYS["api_keys"]
    assert service.received[1].path == "/v1/projects/p-1/keys"


def test_several_projects_need_a_choice(dga: Dga) -> None:
    with answering(answers.PROJECTS) as service:
        result = dga("keys", "list", url=service.url)
    assert (result.code, result.out) == (2, "")
    assert "--project:\n  p-1  Calls\n  p-2  Talks" in result.err


def test_new_key_is_printed_once_and_only_when_asked_for(dga: Dga) -> None:
    with answering(answers.CREATED_KEY) as service:
        refused = dga("--project", "p-1", "keys", "create", "for the website", url=service.url)
        assert (refused.code, refused.out) == (2, "")
        assert "the key is shown only once" in refused.err
        assert service.received == []
        command = ["--project", "p-1", "keys", "create", "for the website"]
        flags = ["--scope", "member", "--tag", "web", "--ttl", "3600", "--print-key"]
        result = dga(*command, *flags, url=service.url)
    assert (result.code, result.out) == (0, "the-secret\n")
    assert result.err == "Created the key k-1.\n"
    assert service.received[0].json == {
        "comment": "for the website",
        "scopes": ["member"],
        "tags": ["web"],
        "time_to_live_in_seconds": 3600,
    }


def test_new_key_is_saved_where_only_its_owner_reads_it(dga: Dga, tmp_path: Path) -> None:
    path = tmp_path / "new.key"
    command = ["--project", "p-1", "keys", "create", "x", "--save", str(path)]
    with answering(answers.CREATED_KEY) as service:
        result = dga(*command, url=service.url)
        assert (result.code, result.out, result.err) == (0, "", "Created the key k-1.\n")
        assert path.read_text() == "the-secret\n"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        again = dga(*command, url=service.url)
    assert again.code == 2
    assert "File exists" in again.err
    assert len(service.received) == 1


def test_refused_key_leaves_no_file(dga: Dga, tmp_path: Path) -> None:
    path = tmp_path / "new.key"
    with answering({"err_msg": "no"}, status=403) as service:
        result = dga("--project", "p", "keys", "create", "x", "--save", str(path), url=service.url)
    assert result.code == 1
    assert not path.exists()


def test_key_is_deleted_only_after_a_yes(dga: Dga, monkeypatch: pytest.MonkeyPatch) -> None:
    command = ["--project", "p-1", "keys", "delete", "k-1"]
    with answering(answers.KEY_ITEM, answers.MESSAGE) as service:
        monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
        nobody = dga(*command, url=service.url)
        assert nobody.code == 2
        assert "--yes" in nobody.err
        assert service.received == []
        monkeypatch.setattr("sys.stdin", Terminal("n\n"))
        refused = dga(*command, url=service.url)
        assert refused.code == 130
        assert "Delete the key k-1 (for the website)?" in refused.err
        assert [request.method for request in service.received] == ["GET"]
        confirmed = dga(*command, "--yes", url=service.url)
    assert (confirmed.code, confirmed.out, confirmed.err) == (0, "", "Deleted the key k-1.\n")
    assert service.received[-1].method == "DELETE"
    assert service.received[-1].path == "/v1/projects/p-1/keys/k-1"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_models_are_chosen_by_kind_and_language(dga: Dga) -> None:
    with answering(answers.MODELS) as service:
        listed = rows(dga("models", url=service.url))
        assert [row[:2] for row in listed[1:]] == [
            ["nova-3-general", "stt"],
            ["aura-2-zeus-en", "tts"],
        ]
        assert listed[1][-1] == "batch"
        assert len(rows(dga("models", "--tts", "--language", "EN", url=service.url))) == 2
        assert len(rows(dga("models", "--language", "de", url=service.url))) == 1
        found = json.loads(dga("models", "--stt", "--json", url=service.url).out)
        assert found == [{"kind": "stt", **answers.MODEL}]


def test_models_of_a_project_are_those_of_its_path(dga: Dga) -> None:
    with answering(answers.MODELS) as service:
        dga("--project", "p-1", "models", "--outdated", url=service.url)
    (request,) = service.received
    assert (request.path, request.query) == ("/v1/projects/p-1/models", "include_outdated=true")


def test_usage_is_summed_up_by_group(dga: Dga) -> None:
    flags = ["--start", "2026-01-01", "--end", "2026-01-31", "--by", "models", "-p", "tag=web"]
    with answering(answers.USAGE_BREAKDOWN) as service:
        listed = rows(dga("--project", "p-1", "usage", *flags, url=service.url))
    assert listed[0][:5] == ["from", "to", "group", "hours", "agent hours"]
    assert listed[1] == [
        "2026-01-01",
        "2026-01-02",
        "a-1 listen smart_format 30089e05 streaming web hosted",
        "1619.724",
        "41.336",
        "9158",
        "373381",
        "120",
        "34",
    ]
    (request,) = service.received
    assert request.path == "/v1/projects/p-1/usage/breakdown"
    assert request.query == "grouping=models&tag=web&start=2026-01-01&end=2026-01-31"


def test_costs_are_summed_up_too(dga: Dga) -> None:
    with answering(answers.BILLING_BREAKDOWN) as service:
        listed = rows(dga("--project", "p", "usage", "--costs", "-p", "tag=x", url=service.url))
        assert listed[1][2:] == ["a-1 hosted streaming::nova-3 web", "0.2500"]
        result = dga("--project", "p", "usage", "--costs", "--json", url=service.url)
    assert json.loads(result.out) == answers.BILLING_BREAKDOWN
    assert service.received[0].query == "tag=x"


def test_any_call_can_be_sent(dga: Dga, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    body = tmp_path / "body.json"
    body.write_text('{"from": "a file"}')
    command = ["--project", "p-1", "api", "post", "/v1/projects/{project_id}/new"]
    with answering({"done": True}) as service:
        result = dga(*command, "-q", "a=1", "-q", "a=2", "-d", '{"b": [1]}', url=service.url)
        assert (result.code, result.out, result.err) == (0, '{"done":true}\n', "")
        dga(*command, "-d", f"@{body}", url=service.url)
        monkeypatch.setattr("sys.stdin", io.StringIO('"piped"'))
        dga(*command, "-d", "@-", url=service.url)
    assert [(request.method, request.path, request.query) for request in service.received] == [
        ("POST", "/v1/projects/p-1/new", "a=1&a=2"),
        ("POST", "/v1/projects/p-1/new", ""),
        ("POST", "/v1/projects/p-1/new", ""),
    ]
    assert [request.json for request in service.received] == [
        {"b": [1]},
        {"from": "a file"},
        "piped",
    ]


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["GET", "/v1/x", "-d", "{"], "it is not JSON"),
        (["GET", "/v1/x", "-d", "@/nowhere/body.json"], "No such file"),
        (["GET", "/v1/x", "-q", "novalue"], "'novalue' is not of the form NAME=VALUE"),
        (["GET", "v1/x"], "'v1/x' is not a path such as /v1/projects"),
        (["FETCH", "/v1/x"], "'FETCH' is not one of"),
    ],
)
def test_call_that_makes_no_sense_is_not_sent(dga: Dga, args: list[str], message: str) -> None:
    with answering({}) as service:
        result = dga("api", *args, url=service.url)
    assert (result.code, result.out, service.received) == (2, "", [])
    assert message in result.err


def test_refusal_has_the_words_of_the_service(dga: Dga) -> None:
    with answering({"err_code": "X", "err_msg": "not yours"}, status=403) as service:
        result = dga("projects", url=service.url)
    assert (result.code, result.out) == (1, "")
    assert "403 X: not yours" in result.err


def test_codes_that_steer_a_terminal_are_not_printed_in_columns(dga: Dga) -> None:
    with answering({"projects": [{"project_id": "p\x1b[2J", "name": "a\tb"}]}) as service:
        assert rows(dga("projects", url=service.url))[1] == ["p [2J", "a b"]
