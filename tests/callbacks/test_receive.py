import json
from pathlib import Path
from typing import Any

import pytest

from deepgram_async.callbacks import CallbackAuth, receive
from deepgram_async.errors import (
    ApiError,
    BadRequestError,
    CallbackRefusedError,
    ProtocolError,
    RateLimitError,
)
from tests.callbacks.answers import PASSWORD, REQUEST_ID, basic, failure, transcription

AUTH = CallbackAuth(password=PASSWORD)
BOTH = CallbackAuth(password=PASSWORD, extra_secret="s3cret")
RECORDED = Path(__file__).parents[3] / "shared" / "recorded" / "rest-listen.jsonl"


def test_a_transcript_is_decoded_and_joined_by_its_request_id() -> None:
    delivery = receive(basic(PASSWORD), transcription("good morning"), auth=AUTH)
    assert delivery.request_id == REQUEST_ID
    assert delivery.result().transcript == "good morning"
    assert delivery.body == transcription("good morning")


@pytest.mark.parametrize(
    ("code", "kind", "status"),
    [
        ("Bad Request", BadRequestError, 400),
        ("TOO_MANY_REQUESTS", RateLimitError, 429),
        ("SOMETHING_NEW", ApiError, None),
    ],
)
def test_a_failure_is_the_error_that_its_code_stands_for(
    code: str, kind: type[ApiError], status: int | None
) -> None:
    delivery = receive(basic(PASSWORD), failure(code), auth=AUTH)
    with pytest.raises(kind) as failed:
        delivery.result()
    assert type(failed.value) is kind
    assert (failed.value.status, failed.value.code) == (status, code)
    assert failed.value.request_id == REQUEST_ID
    assert "corrupt or unsupported data" in str(failed.value)


def test_the_other_shape_of_an_error_is_read_too() -> None:
    body = {"category": "INVALID_JSON", "message": "Invalid JSON submitted.", "details": "line 1",
            "request_id": REQUEST_ID}  # fmt: skip
    delivery = receive({}, json.dumps(body).encode(), auth=None)
    assert isinstance(delivery.error, BadRequestError)
    assert delivery.error.details == "line 1"


def test_a_transcript_that_cannot_be_decoded_keeps_its_bytes() -> None:
    body = transcription().replace(b'"confidence": 0.9', b'"confidence": "high"')
    delivery = receive({}, body, auth=None)
    with pytest.raises(ProtocolError) as failed:
        delivery.result()
    assert failed.value.body == body
    assert failed.value.request_id == REQUEST_ID


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"\xff", b"[" * 100_000, b'{"results": {}}'])
def test_what_is_no_answer_is_refused_with_400(body: bytes) -> None:
    with pytest.raises(CallbackRefusedError) as refused:
        receive({}, body, auth=None)
    assert refused.value.status == 400


def test_credentials_are_checked_before_the_body_is_looked_at() -> None:
    with pytest.raises(CallbackRefusedError) as refused:
        receive(basic("wrong"), b"no json", auth=AUTH)
    assert refused.value.status == 401


@pytest.mark.parametrize("extra", [None, {"callback_secret": "guessed"}])
def test_a_transcript_without_the_secret_is_refused(extra: dict[str, str] | None) -> None:
    with pytest.raises(CallbackRefusedError):
        receive(basic(PASSWORD), transcription(extra=extra), auth=BOTH)
    good = transcription(extra={"callback_secret": "s3cret", "mine": "1"})
    assert receive(basic(PASSWORD), good, auth=BOTH).transcription is not None


def test_a_failure_has_no_metadata_so_basic_auth_is_enough_for_it() -> None:
    assert receive(basic(PASSWORD), failure(), auth=BOTH).error is not None
    with pytest.raises(CallbackRefusedError):
        receive({}, failure(), auth=CallbackAuth(extra_secret="s3cret"))


def test_a_transcript_has_no_place_in_a_log() -> None:
    assert "hello" not in repr(receive({}, transcription(), auth=None))


def recorded() -> list[Any]:
    if not RECORDED.exists():
        skip = pytest.mark.skip(reason=f"no recorded answers at {RECORDED}")
        return [pytest.param({}, id="recorded", marks=skip)]
    lines = [json.loads(line) for line in RECORDED.read_text().splitlines()]
    bodies = [line["msg"] for line in lines if "results" in line["msg"]]
    return [pytest.param(body, id=body["metadata"]["request_id"]) for body in bodies]


@pytest.mark.parametrize("body", recorded())
def test_a_recorded_answer_is_read_as_a_callback(body: dict[str, Any]) -> None:
    delivery = receive({}, json.dumps(body).encode(), auth=None)
    assert delivery.result().request_id == delivery.request_id == body["metadata"]["request_id"]
