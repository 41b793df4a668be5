from email.utils import formatdate

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepgram_async._protocol.answers import (
    HttpAnswer,
    decipher,
    error_from_answer,
    retry_after_s,
)
from deepgram_async.errors import ApiError, ProtocolError
from deepgram_async.models.prerecorded import Accepted
from tests.support.documented_errors import (
    DATED_ERRORS,
    DOCUMENTED_ERRORS,
    NOW,
    DocumentedError,
    assert_tells,
)

OPERATION = "POST /v1/listen"
DEEPLY_NESTED = b'{"unknown":' + b"[" * 100_000


def answer(status: int = 200, body: bytes = b'{"request_id": "r-1"}', **headers: str) -> HttpAnswer:
    return HttpAnswer(
        status, {name.replace("_", "-"): value for name, value in headers.items()}, body
    )


def refused(status: int, body: bytes = b"", **headers: str) -> ApiError:
    return error_from_answer(answer(status, body, **headers), OPERATION, now=NOW)


# Every error that the service documents.


@pytest.mark.parametrize("row", DOCUMENTED_ERRORS + DATED_ERRORS, ids=lambda row: row.id)
def test_a_documented_error_is_told_completely(row: DocumentedError) -> None:
    error = error_from_answer(HttpAnswer(row.status, row.headers, row.body), OPERATION, now=NOW)
    assert_tells(error, row)


@pytest.mark.parametrize("row", DOCUMENTED_ERRORS + DATED_ERRORS, ids=lambda row: row.id)
def test_deciphering_a_documented_error_raises_it(row: DocumentedError) -> None:
    with pytest.raises(ApiError) as caught:
        decipher(HttpAnswer(row.status, row.headers, row.body), Accepted, OPERATION, now=NOW)
    assert_tells(caught.value, row)


@pytest.mark.parametrize("row", DOCUMENTED_ERRORS + DATED_ERRORS, ids=lambda row: row.id)
def test_the_sentence_of_a_documented_error_begins_with_the_call_and_status(
    row: DocumentedError,
) -> None:
    error = error_from_answer(HttpAnswer(row.status, row.headers, row.body), OPERATION, now=NOW)
    assert str(error).startswith(f"{OPERATION}: {row.status}")


def test_rows_have_ids_of_their_own() -> None:
    ids = [row.id for row in DOCUMENTED_ERRORS + DATED_ERRORS]
    assert len(set(ids)) == len(ids)


# Statuses that the service does not document.


@pytest.mark.parametrize(
    ("status", "name", "retryable"),
    [
        (304, "ApiError", False),
        (409, "ApiError", False),
        (418, "ApiError", False),
        (501, "ServerError", True),
        (529, "ServerError", True),
        (599, "ServerError", True),
    ],
)
def test_an_undocumented_status_has_the_class_of_its_family(
    status: int, name: str, retryable: bool
) -> None:
    error = refused(status)
    assert (type(error).__name__, error.status, error.retryable) == (name, status, retryable)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_advises_another_base_url(status: int) -> None:
    error = refused(status, location="https://elsewhere.example/v1/listen")
    assert type(error) is ApiError
    assert "base_url" in (error.hint or "")


# Where the words come from.


def test_words_of_the_body_win_over_the_header() -> None:
    error = refused(400, b'{"err_msg": "from the body"}', dg_error="from the header")
    assert error.message == "from the body"


def test_request_id_of_the_body_wins_over_the_header() -> None:
    error = refused(400, b'{"request_id": "body"}', dg_request_id="header")
    assert error.request_id == "body"


def test_header_speaks_for_a_json_body_without_words() -> None:
    error = refused(400, b'{"request_id": "r-1"}', dg_error="from the header")
    assert error.message == "from the header"


def test_nulls_in_the_body_are_as_if_left_out() -> None:
    body = b'{"err_code": null, "err_msg": null, "category": "BUSY", "message": "busy"}'
    error = refused(429, body)
    assert (error.code, error.message) == ("BUSY", "busy")


def test_white_space_of_plain_text_is_collapsed_to_one_line() -> None:
    assert refused(500, b"  first\r\n\tsecond \n").message == "first second"


def test_long_text_is_cut() -> None:
    message = refused(500, b"word " * 10_000).message
    assert len(message) == 503
    assert message.endswith("...")


def test_text_of_the_longest_length_is_kept() -> None:
    assert refused(500, b"x" * 500).message == "x" * 500


def test_a_web_page_without_title_is_told_by_its_text() -> None:
    page = b"<html><body><script>alert('no')</script><h1>Bad&nbsp;Gateway</h1><hr>&lt;x&gt;</body>"
    assert refused(502, page).message == "a web page instead of an answer: Bad Gateway <x>"


def test_a_page_is_known_by_its_doctype_alone() -> None:
    assert refused(502, b"<!DOCTYPE html><title>\nOops\n</title>").message.endswith(": Oops")


@pytest.mark.parametrize(
    "body", [b'{"err_msg": "\xff"}', DEEPLY_NESTED, b"\x00", b"null", b'"text"', b"{}"]
)
def test_an_undecodable_error_is_an_error_of_its_status(body: bytes) -> None:
    assert type(refused(400, body)).__name__ == "BadRequestError"


@given(
    status=st.integers(300, 599),
    body=st.binary(max_size=60),
    stated=st.text(max_size=20),
)
def test_no_answer_whatever_breaks_the_reader(status: int, body: bytes, stated: str) -> None:
    error = refused(status, body, retry_after=stated)
    assert isinstance(error, ApiError)
    assert error.message


# Successes.


def test_a_success_is_decoded() -> None:
    assert decipher(answer(), Accepted, OPERATION, now=NOW) == Accepted(request_id="r-1")


@pytest.mark.parametrize("status", [200, 201, 202, 206, 299])
def test_every_status_of_the_two_hundreds_is_a_success(status: int) -> None:
    assert decipher(answer(status), Accepted, OPERATION, now=NOW).request_id == "r-1"


@pytest.mark.parametrize(
    "body",
    [b"", b"<html></html>", b"[]", b'{"request_id": 7}', b'{"request_id": "\xff"}', DEEPLY_NESTED],
    ids=["empty", "page", "array", "wrong-type", "not-utf-8", "nested-without-end"],
)
def test_an_undecodable_success_is_a_protocol_error_that_keeps_the_bytes(body: bytes) -> None:
    with pytest.raises(ProtocolError) as caught:
        decipher(answer(200, body, dg_request_id="r-2"), Accepted, OPERATION, now=NOW)
    error = caught.value
    assert error.body == body
    assert (error.operation, error.status, error.request_id) == (OPERATION, 200, "r-2")
    assert "keep_raw" in (error.hint or "")


def test_a_protocol_error_names_the_place() -> None:
    with pytest.raises(ProtocolError, match=r"\$\.request_id"):
        decipher(answer(200, b'{"request_id": 7}'), Accepted, OPERATION, now=NOW)


def test_the_decoder_of_a_type_is_used_again() -> None:
    class Counted(msgspec.Struct):
        value: int

    for value in (1, 2):
        body = b'{"value": %d}' % value
        assert decipher(answer(200, body), Counted, OPERATION, now=NOW).value == value


# How long to wait.


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": ""}, None),
        ({"retry-after": "0"}, 0.0),
        ({"retry-after": "120"}, 120.0),
        ({"retry-after": " 1.5 "}, 1.5),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "1e300"}, None),
        ({"retry-after": "tomorrow"}, None),
        ({"retry-after": "Tue, 14 Nov 2023 22:13:21 GMT"}, 1.0),
        ({"retry-after": "Tue, 14 Nov 2023 23:13:30 +0100"}, 10.0),
        ({"retry-after": "Tue, 14 Nov 2023 22:13:19 GMT"}, 0.0),
        ({"retry-after": "Tue, 34 Nov 2023 22:13:19 GMT"}, None),
        ({"retry-after-ms": "0"}, 0.0),
        ({"retry-after-ms": "250"}, 0.25),
        ({"retry-after-ms": "soon", "retry-after": "3"}, 3.0),
        ({"retry-after-ms": "-250", "retry-after": "3"}, 3.0),
        ({"x-ratelimit-reset": str(NOW + 5)}, 5.0),
        ({"x-ratelimit-reset": str(NOW - 5)}, 0.0),
        ({"x-ratelimit-reset": "soon"}, None),
        ({"retry-after": "?", "x-ratelimit-reset": str(NOW + 5)}, 5.0),
    ],
)
def test_the_wait_is_read_from(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after_s(headers, now=NOW) == seconds


@given(st.integers(0, 4_000_000_000), st.integers(0, 4_000_000_000))
def test_a_date_is_the_time_until_then(now: int, then: int) -> None:
    headers = {"retry-after": formatdate(then, usegmt=True)}
    assert retry_after_s(headers, now=now) == max(0, then - now)


@given(st.text(max_size=40))
def test_the_wait_is_never_negative_whatever_is_said(stated: str) -> None:
    for name in ("retry-after", "retry-after-ms", "x-ratelimit-reset"):
        seconds = retry_after_s({name: stated}, now=NOW)
        assert seconds is None or 0 <= seconds <= 1e12
