import traceback
from collections.abc import Callable

import pytest

from deepgram_async._protocol.credentials import (
    Credentials,
    access_token,
    anonymous,
    api_key,
    missing_credentials,
)
from deepgram_async.errors import ConfigurationError, CredentialsError

SECRET = "0123456789abcdef0123456789abcdef01234567"
SCHEMES = [(api_key, "Token"), (access_token, "Bearer")]


@pytest.mark.parametrize(("make", "scheme"), SCHEMES)
def test_the_kind_of_secret_chooses_the_scheme(
    make: Callable[[str], Credentials], scheme: str
) -> None:
    assert make(SECRET).headers() == {"Authorization": f"{scheme} {SECRET}"}


def test_anonymous_credentials_send_nothing() -> None:
    assert anonymous().headers() == {}


def test_headers_are_a_new_dictionary_each_time() -> None:
    credentials = api_key(SECRET)
    credentials.headers().clear()
    assert credentials.headers()


@pytest.mark.parametrize("make", [api_key, access_token])
def test_white_space_around_a_secret_is_dropped(make: Callable[[str], Credentials]) -> None:
    assert make(f" \t{SECRET}\r\n").headers() == make(SECRET).headers()


@pytest.mark.parametrize("make", [api_key, access_token])
@pytest.mark.parametrize("secret", ["", " ", "\n"])
def test_an_empty_secret_is_a_missing_one(make: Callable[[str], Credentials], secret: str) -> None:
    with pytest.raises(CredentialsError, match="no credentials") as caught:
        make(secret)
    assert str(caught.value) == str(missing_credentials())


@pytest.mark.parametrize("make", [api_key, access_token])
@pytest.mark.parametrize(
    "bad",
    [f"Token {SECRET}", f"{SECRET}\r\nX: y", f"{SECRET}\x00", f"{SECRET}é", f"{SECRET}\u00a0x"],
    ids=["scheme", "line-break", "control", "non-ascii", "wide-space"],
)
def test_a_secret_that_no_header_may_carry_is_refused_without_being_shown(
    make: Callable[[str], Credentials], bad: str
) -> None:
    with pytest.raises(CredentialsError) as caught:
        make(bad)
    assert SECRET not in "".join(traceback.format_exception(caught.value)) + repr(caught.value)


def test_the_message_tells_which_secret_is_meant() -> None:
    with pytest.raises(CredentialsError, match="API key"):
        api_key("a b")
    with pytest.raises(CredentialsError, match="access token"):
        access_token("a b")


def test_missing_credentials_name_every_way_to_give_them() -> None:
    error = missing_credentials()
    assert isinstance(error, ConfigurationError)
    for way in ("api_key=", "access_token=", "DEEPGRAM_API_KEY", "DEEPGRAM_ACCESS_TOKEN"):
        assert way in str(error)


@pytest.mark.parametrize(
    ("credentials", "shown"),
    [
        (api_key(SECRET), "Credentials(Token ***)"),
        (access_token(SECRET), "Credentials(Bearer ***)"),
        (anonymous(), "Credentials(none ***)"),
    ],
)
def test_no_way_of_printing_shows_a_secret(credentials: Credentials, shown: str) -> None:
    assert repr(credentials) == str(credentials) == f"{credentials}" == shown


def test_credentials_have_no_dictionary_that_a_reporter_could_walk() -> None:
    assert not hasattr(api_key(SECRET), "__dict__")
