import msgspec
import pytest

from deepgram_async._protocol.endpoints import resolve_endpoints
from deepgram_async._protocol.requests import Request, Route, build_request
from deepgram_async.errors import OptionError
from deepgram_async.models.prerecorded import Accepted

HERE = resolve_endpoints("http://127.0.0.1:8080/prefix")
ROUTE = Route("POST", "/v1/listen", Accepted, response_s=7.0)


def test_a_route_names_its_operation() -> None:
    assert ROUTE.operation == "POST /v1/listen"


def test_a_route_allows_a_minute_unless_it_says_more() -> None:
    assert Route("GET", "/v1/models", Accepted).response_s == 60.0
    assert ROUTE.response_s == 7.0


def test_a_route_knows_its_answer() -> None:
    assert ROUTE.answer is Accepted


def test_a_bare_request_has_no_body_and_no_content_type() -> None:
    assert build_request(ROUTE, HERE) == Request(
        method="POST",
        url="http://127.0.0.1:8080/prefix/v1/listen",
        headers={"Accept": "application/json"},
        content=None,
        operation="POST /v1/listen",
        response_s=7.0,
    )


def test_the_query_is_appended_as_it_is() -> None:
    request = build_request(ROUTE, HERE, query="keyterm=a%20b&keyterm=c")
    assert request.url == "http://127.0.0.1:8080/prefix/v1/listen?keyterm=a%20b&keyterm=c"


def test_a_value_is_sent_as_json() -> None:
    request = build_request(ROUTE, HERE, body={"url": "https://host.example/ä.wav"})
    assert request.content == '{"url":"https://host.example/ä.wav"}'.encode()
    assert request.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize("body", [{}, [], "", 0, False])
def test_a_body_that_is_false_is_a_body(body: object) -> None:
    assert build_request(ROUTE, HERE, body=body).content == msgspec.json.encode(body)


# Ids in the path.

KEYS = Route("GET", "/v1/projects/{project_id}/keys/{key_id}", Accepted)


def test_ids_are_put_into_the_path() -> None:
    request = build_request(KEYS, HERE, ids={"project_id": "p-1", "key_id": "k-2"}, query="x=1")
    assert request.url == "http://127.0.0.1:8080/prefix/v1/projects/p-1/keys/k-2?x=1"


def test_an_operation_is_named_without_ids() -> None:
    request = build_request(KEYS, HERE, ids={"project_id": "p-1", "key_id": "k-2"})
    assert request.operation == "GET /v1/projects/{project_id}/keys/{key_id}"


@pytest.mark.parametrize(
    ("given", "segment"),
    [
        ("a?x=1", "a%3Fx%3D1"),
        ("a#b", "a%23b"),
        ("a b", "a%20b"),
        ("a%2Fb", "a%252Fb"),
        ("a\\b", "a%5Cb"),
        ("{key_id}", "%7Bkey_id%7D"),
        ("ä", "%C3%A4"),
        ("...", "..."),
        ("a@example.com", "a%40example.com"),
    ],
)
def test_an_id_stays_one_segment(given: str, segment: str) -> None:
    assert KEYS.path_for({"project_id": given, "key_id": "k"}) == f"/v1/projects/{segment}/keys/k"


@pytest.mark.parametrize("value", ["", " ", "\n", ".", "..", "a/b", "../x", "/", None, 7])
def test_what_would_name_something_else_is_no_id(value: str) -> None:
    with pytest.raises(OptionError, match=r"key_id=.* is not an id") as caught:
        KEYS.path_for({"project_id": "p", "key_id": value})
    assert caught.value.option == "key_id"


def test_an_id_that_is_no_unicode_is_refused() -> None:
    with pytest.raises(OptionError, match=r"key_id=.* is not an id"):
        KEYS.path_for({"project_id": "p", "key_id": "\ud800"})


@pytest.mark.parametrize("body", [{"comment": object()}, {"comment": "\ud800"}])
def test_a_body_that_no_json_can_hold_is_refused(body: object) -> None:
    with pytest.raises(OptionError, match="the body cannot be written as JSON: ") as caught:
        build_request(ROUTE, HERE, body=body)
    assert caught.value.option == "body"


def test_voice_agents_have_a_host_of_their_own() -> None:
    route = Route("GET", "/v1/agent/settings/think/models", Accepted, is_agent=True)
    request = build_request(route, resolve_endpoints())
    assert request.url == "https://agent.deepgram.com/v1/agent/settings/think/models"


def test_own_headers_win() -> None:
    request = build_request(ROUTE, HERE, headers={"Accept": "text/plain", "X-Mine": "1"})
    assert request.headers == {"Accept": "text/plain", "X-Mine": "1"}


def test_headers_of_the_caller_are_not_changed() -> None:
    mine = {"X-Mine": "1"}
    build_request(ROUTE, HERE, headers=mine, body={})
    assert mine == {"X-Mine": "1"}


def test_a_request_cannot_be_changed() -> None:
    request = build_request(ROUTE, HERE)
    with pytest.raises(AttributeError):
        request.url = "https://elsewhere.example"  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
