import pytest

from deepgram_async._protocol import hints


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("INVALID_JSON", "JSON body"),
        ("REMOTE_CONTENT_ERROR", "reachable from the internet"),
        ("INSUFFICIENT_PERMISSIONS", "scope or role"),
        ("PROJECT_NOT_FOUND", "project id"),
    ],
)
@pytest.mark.parametrize("status", [400, 401, 403, 404])
def test_a_code_is_the_surest_sign(code: str, words: str, status: int) -> None:
    assert words in (hints.for_status(status, code, "invalid query string") or "")


@pytest.mark.parametrize(
    ("status", "message", "words"),
    [
        (400, "We could not process the JSON payload.", "content_type"),
        (400, "failed to process audio: CORRUPT or unsupported data", "sample_rate="),
        (400, "No such model/language/tier combination found.", "models.list"),
        (400, "Keyterm limit exceeded", "500 tokens"),
        (400, "Invalid query string.", "option has a value"),
        (404, "UUID parsing failed: invalid character", "not a UUID"),
    ],
)
def test_words_of_the_message_tell_in_any_case(status: int, message: str, words: str) -> None:
    assert words in (hints.for_status(status, None, message) or "")


def test_words_tell_only_with_their_status() -> None:
    assert hints.for_status(400, None, "UUID parsing failed") is None


def test_an_unknown_code_leaves_it_to_the_message_and_the_status() -> None:
    assert "500 tokens" in (hints.for_status(400, "Bad Request", "keyterm limit") or "")
    assert "credit" in (hints.for_status(402, "TTS_PAYMENT_REQUIRED", "no money") or "")


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (301, "redirect"),
        (308, "redirect"),
        (401, "key"),
        (402, "credit"),
        (403, "model"),
        (404, "base_url"),
        (405, "Whisper"),
        (408, "too slow"),
        (411, "known length"),
        (413, "2 GB"),
        (414, "fewer"),
        (422, "send the file again"),
        (429, "concurrency"),
        (499, "timeout"),
        (500, "request id"),
        (502, "gateway"),
        (503, "overloaded"),
        (504, "split it"),
    ],
)
def test_a_status_alone_has_advice(status: int, words: str) -> None:
    assert words in (hints.for_status(status, None, "") or "")


@pytest.mark.parametrize("status", [400, 409, 418, 501])
def test_where_the_cause_is_not_known_there_is_no_hint(status: int) -> None:
    assert hints.for_status(status, None, "something else") is None


@pytest.mark.parametrize(
    ("code", "net_code", "words"),
    [
        (1011, "NET-0000", "too little audio"),
        (1011, "NET-0001", "keepalive"),
        (1011, "NET-0002", "KeepAlive alone"),
        (1008, "DATA-0000", "encoding="),
        (1009, None, "too large"),
        (1009, "NET-9999", "too large"),
    ],
)
def test_a_close_that_is_documented_has_advice(code: int, net_code: str | None, words: str) -> None:
    assert words in (hints.for_close(code, net_code) or "")


@pytest.mark.parametrize("code", [1000, 1001, 1005, 1006, 1008, 1011])
def test_another_close_has_none(code: int) -> None:
    assert hints.for_close(code, None) is None
