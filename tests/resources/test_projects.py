"""Projects, their models, keys, members, scopes and invitations."""

from datetime import UTC, date, datetime

import pytest

from deepgram_async import DeepgramSession
from deepgram_async.errors import NotFoundError, OptionError, PermissionDeniedError, ProtocolError
from deepgram_async.models import manage, manage_models
from tests.support import management as answers
from tests.support.wire import Operation, assert_on_the_wire, service

OPERATIONS = {
    "models.list": Operation(
        lambda dg: dg.models.list(),
        "GET",
        "/v1/models",
        manage_models.SpeechModels,
        answers.MODELS,
    ),
    "models.list outdated": Operation(
        lambda dg: dg.models.list(include_outdated=True),
        "GET",
        "/v1/models",
        manage_models.SpeechModels,
        answers.MODELS,
        query="include_outdated=true",
    ),
    "models.get": Operation(
        lambda dg: dg.models.get("u-1"),
        "GET",
        "/v1/models/u-1",
        manage_models.SpeechModel,
        answers.MODEL,
    ),
    "models.get a voice": Operation(
        lambda dg: dg.models.get("u-2"),
        "GET",
        "/v1/models/u-2",
        manage_models.SpeechModel,
        answers.VOICE,
    ),
    "projects.models.list": Operation(
        lambda dg: dg.projects.models.list(include_outdated=False),
        "GET",
        "/v1/projects/p-1/models",
        manage_models.SpeechModels,
        answers.MODELS,
        query="include_outdated=false",
    ),
    "projects.models.get": Operation(
        lambda dg: dg.projects.models.get("u-1", project_id="p-2"),
        "GET",
        "/v1/projects/p-2/models/u-1",
        manage_models.SpeechModel,
        answers.MODEL,
    ),
    "projects.list": Operation(
        lambda dg: dg.projects.list(), "GET", "/v1/projects", manage.Projects, answers.PROJECTS
    ),
    "projects.get": Operation(
        lambda dg: dg.projects.get(), "GET", "/v1/projects/p-1", manage.Project, answers.PROJECT
    ),
    "projects.get a page": Operation(
        lambda dg: dg.projects.get("p-2", limit=20, page=3),
        "GET",
        "/v1/projects/p-2",
        manage.Project,
        answers.PROJECT,
        query="limit=20&page=3",
    ),
    "projects.update": Operation(
        lambda dg: dg.projects.update(name="Talks"),
        "PATCH",
        "/v1/projects/p-1",
        manage.Message,
        answers.MESSAGE,
        body={"name": "Talks"},
    ),
    "projects.delete": Operation(
        lambda dg: dg.projects.delete("p-2"),
        "DELETE",
        "/v1/projects/p-2",
        manage.Message,
        answers.MESSAGE,
    ),
    "projects.leave": Operation(
        lambda dg: dg.projects.leave("p-2"),
        "DELETE",
        "/v1/projects/p-2/leave",
        manage.Message,
        answers.MESSAGE,
    ),
    "keys.list": Operation(
        lambda dg: dg.keys.list(status="expired"),
        "GET",
        "/v1/projects/p-1/keys",
        manage.Keys,
        answers.KEYS,
        query="status=expired",
    ),
    "keys.create": Operation(
        lambda dg: dg.keys.create("for the website", "member"),
        "POST",
        "/v1/projects/p-1/keys",
        manage.CreatedKey,
        answers.CREATED_KEY,
        body={"comment": "for the website", "scopes": ["member"]},
    ),
    "keys.create for an hour": Operation(
        lambda dg: dg.keys.create(
            "x", ["a", "b"], tags="web", time_to_live_in_seconds=3600, project_id="p-2"
        ),
        "POST",
        "/v1/projects/p-2/keys",
        manage.CreatedKey,
        answers.CREATED_KEY,
        body={
            "comment": "x",
            "scopes": ["a", "b"],
            "tags": ["web"],
            "time_to_live_in_seconds": 3600,
        },
    ),
    "keys.get": Operation(
        lambda dg: dg.keys.get("k-1"),
        "GET",
        "/v1/projects/p-1/keys/k-1",
        manage.KeyItem,
        answers.KEY_ITEM,
    ),
    "keys.delete": Operation(
        lambda dg: dg.keys.delete("k-1", project_id="p-2"),
        "DELETE",
        "/v1/projects/p-2/keys/k-1",
        manage.Message,
        answers.MESSAGE,
    ),
    "members.list": Operation(
        lambda dg: dg.members.list("p-2"),
        "GET",
        "/v1/projects/p-2/members",
        manage.Members,
        answers.MEMBERS,
    ),
    "members.delete": Operation(
        lambda dg: dg.members.delete("m-1"),
        "DELETE",
        "/v1/projects/p-1/members/m-1",
        manage.Message,
        answers.MESSAGE,
    ),
    "scopes.list": Operation(
        lambda dg: dg.scopes.list("m-1"),
        "GET",
        "/v1/projects/p-1/members/m-1/scopes",
        manage.Scopes,
        answers.SCOPES,
    ),
    "scopes.update": Operation(
        lambda dg: dg.scopes.update("m-1", "admin"),
        "PUT",
        "/v1/projects/p-1/members/m-1/scopes",
        manage.Message,
        answers.MESSAGE,
        body={"scope": "admin"},
    ),
    "invites.list": Operation(
        lambda dg: dg.invites.list(),
        "GET",
        "/v1/projects/p-1/invites",
        manage.Invites,
        answers.INVITES,
    ),
    "invites.create": Operation(
        lambda dg: dg.invites.create("bob@example.com", "member"),
        "POST",
        "/v1/projects/p-1/invites",
        manage.Message,
        answers.MESSAGE,
        body={"email": "bob@example.com", "scope": "member"},
    ),
    "invites.delete": Operation(
        lambda dg: dg.invites.delete("bob+x@example.com"),
        "DELETE",
        "/v1/projects/p-1/invites/bob%2Bx%40example.com",
        manage.Message,
        answers.MESSAGE,
    ),
}


@pytest.mark.parametrize("name", OPERATIONS)
async def test_a_call_is_what_the_reference_says(name: str) -> None:
    await assert_on_the_wire(OPERATIONS[name])


@pytest.mark.parametrize(
    ("end", "sent"),
    [
        (date(2027, 1, 31), "2027-01-31"),
        (datetime(2027, 1, 31, 12, 30, 15, 123456, UTC), "2027-01-31T12:30:15+00:00"),
        (datetime(2027, 1, 31, 12, 30), "2027-01-31T12:30:00"),
        ("2027-01-31T12:30:15Z", "2027-01-31T12:30:15Z"),
    ],
)
async def test_the_end_of_a_key_is_a_date_a_moment_or_a_string(end: date | str, sent: str) -> None:
    async with service(answers.CREATED_KEY) as own, own.session() as dg:
        await dg.keys.create("x", "member", expiration_date=end)
    assert own.received[0].json["expiration_date"] == sent


async def test_a_key_with_two_ends_is_refused_before_the_request() -> None:
    async with service(answers.CREATED_KEY) as own, own.session() as dg:
        with pytest.raises(OptionError, match="give one of them"):
            await dg.keys.create(
                "x", "member", expiration_date=date(2027, 1, 31), time_to_live_in_seconds=60
            )
    assert own.received == []


async def test_without_validation_the_service_decides() -> None:
    async with service(answers.CREATED_KEY) as own, own.session(validate=False) as dg:
        await dg.keys.create("x", "member", expiration_date="2027", time_to_live_in_seconds=60)
    assert own.received[0].json == {
        "comment": "x",
        "scopes": ["member"],
        "expiration_date": "2027",
        "time_to_live_in_seconds": 60,
    }


async def test_the_secret_of_a_new_key_is_not_shown() -> None:
    async with service(answers.CREATED_KEY) as own, own.session() as dg:
        created = await dg.keys.create("x", "member")
    assert created.key == "the-secret"
    for shown in (repr(created), str(created), f"{[created]}", repr(created.__rich_repr__())):
        assert "the-secret" not in shown
        assert "k-1" in shown


async def test_a_single_key_and_its_owner_are_at_hand() -> None:
    async with service(answers.KEY_ITEM) as own, own.session() as dg:
        answer = await dg.keys.get("k-1")
    assert answer.member.email == "ada@example.com"
    assert answer.api_key is not None
    assert answer.api_key.scopes == ["member", "project:read"]


@pytest.mark.parametrize("wrong", ["", " ", ".", "..", "a/b"])
async def test_an_id_that_names_something_else_is_refused_before_the_request(wrong: str) -> None:
    async with service(answers.MESSAGE) as own, own.session() as dg:
        for call in (
            lambda: dg.keys.delete(wrong),
            lambda: dg.projects.delete(wrong),
            lambda: dg.members.delete(wrong, project_id="p-2"),
            lambda: dg.scopes.update(wrong, "admin"),
            lambda: dg.invites.delete(wrong),
            lambda: dg.models.get(wrong),
            lambda: dg.keys.list(wrong),
        ):
            with pytest.raises(OptionError, match="is not an id"):
                await call()
    assert own.received == []


async def test_a_call_without_any_project_is_refused_before_the_request() -> None:
    async with (
        service(answers.KEYS) as own,
        DeepgramSession("key", base_url=own.url) as dg,
    ):
        with pytest.raises(OptionError, match="no project"):
            await dg.keys.list()
    assert own.received == []


@pytest.mark.parametrize("answer", [{}, [], None, {"api_keys": None}])
async def test_an_answer_without_a_list_is_an_error_and_not_an_empty_list(answer: object) -> None:
    async with service(answer) as own, own.session() as dg:
        with pytest.raises(ProtocolError):
            await dg.keys.list()


async def test_an_unknown_project_is_told_with_a_hint() -> None:
    body = {"err_code": "PROJECT_NOT_FOUND", "err_msg": "Project not found."}
    async with service(body, status=404) as own, own.session() as dg:
        for call in (
            dg.projects.get,
            dg.keys.list,
            dg.members.list,
            dg.invites.list,
            dg.projects.models.list,
        ):
            with pytest.raises(NotFoundError, match="Project not found") as caught:
                await call("p-9")
            assert caught.value.hint is not None
            assert "/v1/projects/{project_id}" in (caught.value.operation or "")


async def test_a_key_that_may_not_do_it_is_told() -> None:
    body = {"err_code": "INSUFFICIENT_PERMISSIONS", "err_msg": "User does not have permission."}
    async with service(body, status=401) as own, own.session() as dg:
        with pytest.raises(PermissionDeniedError):
            await dg.scopes.update("m-1", "admin")
        with pytest.raises(PermissionDeniedError):
            await dg.models.list()


async def test_a_limit_out_of_range_is_refused() -> None:
    async with service(answers.PROJECT) as own, own.session() as dg:
        with pytest.raises(OptionError, match="limit is from 1 to 1000, not 0"):
            await dg.projects.get(limit=0)
    assert own.received == []
