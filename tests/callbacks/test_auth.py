from urllib.parse import urlsplit

import pytest

from deepgram_async.callbacks import CallbackAuth
from deepgram_async.errors import CallbackRefusedError
from tests.callbacks.answers import PASSWORD, basic


def lower(headers: dict[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def test_the_right_credentials_are_accepted() -> None:
    CallbackAuth(password=PASSWORD).check_headers(lower(basic(PASSWORD)))


@pytest.mark.parametrize(
    "headers",
    [
        {},
        basic("wrong"),
        basic(PASSWORD, "somebody"),
        basic(PASSWORD + "x"),
        {"Authorization": f"Bearer {PASSWORD}"},
        {"Authorization": "Basic"},
        {"Authorization": "Basic no base64 at all"},
        {"Authorization": "Basic \N{SNOWMAN}"},
        {"dg-token": PASSWORD},
    ],
    ids=str,
)
def test_anything_else_is_refused_with_401_and_without_telling_the_password(
    headers: dict[str, str],
) -> None:
    auth = CallbackAuth(password=PASSWORD)
    with pytest.raises(CallbackRefusedError) as refused:
        auth.check_headers(lower(headers))
    assert refused.value.status == 401
    assert PASSWORD not in str(refused.value) + repr(refused.value) + repr(auth)


@pytest.mark.parametrize("extra", [{}, {"callback_secret": "wrong"}, {"other": PASSWORD}])
def test_a_missing_or_wrong_secret_in_the_metadata_is_refused(extra: dict[str, str]) -> None:
    auth = CallbackAuth(extra_secret=PASSWORD)
    auth.check_extra({"callback_secret": PASSWORD})
    with pytest.raises(CallbackRefusedError):
        auth.check_extra(extra)


def test_the_url_carries_credentials_that_an_http_client_reads_back() -> None:
    url = CallbackAuth(username="dg@home", password="p/a:s?s").url("https://example.com:8443/x?y=1")
    parts = urlsplit(url)
    assert (parts.username, parts.password) == ("dg%40home", "p%2Fa%3As%3Fs")
    assert (parts.hostname, parts.port, parts.path, parts.query) == (
        "example.com", 8443, "/x", "y=1",
    )  # fmt: skip


def test_a_secret_for_the_metadata_is_an_option_of_the_request() -> None:
    auth = CallbackAuth(extra_secret="s3cret")
    assert auth.extra == ["callback_secret:s3cret"]
    assert auth.url("https://example.com/") == "https://example.com/"
    assert CallbackAuth(password=PASSWORD).extra == []


def test_new_passwords_are_long_and_differ() -> None:
    first, second = CallbackAuth.new(), CallbackAuth.new()
    assert first != second
    assert len(first.password or "") >= 40


@pytest.mark.parametrize("url", ["ftp://example.com/", "example.com", "https://u:p@example.com/"])
def test_a_url_that_cannot_carry_credentials_is_an_error(url: str) -> None:
    with pytest.raises(ValueError, match="callback"):
        CallbackAuth(password=PASSWORD).url(url)


@pytest.mark.parametrize(
    "wanted",
    [{}, {"password": ""}, {"password": PASSWORD, "username": "a:b"}, {"extra_secret": ""}],
)
def test_credentials_that_protect_nothing_are_an_error(wanted: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"password|empty"):
        CallbackAuth(**wanted)
