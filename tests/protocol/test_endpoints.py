import traceback
from typing import get_args

import pytest

from deepgram_async._protocol.endpoints import Endpoints, Region, resolve_endpoints
from deepgram_async.errors import ConfigurationError


def test_the_global_service_is_the_default() -> None:
    assert resolve_endpoints() == Endpoints(
        rest="https://api.deepgram.com",
        socket="wss://api.deepgram.com",
        agent_rest="https://agent.deepgram.com",
        agent_socket="wss://agent.deepgram.com",
        is_deepgram=True,
    )


@pytest.mark.parametrize("base_url", ["https://api.eu.deepgram.com", "http://127.0.0.1:1/x"])
def test_elsewhere_the_voice_agents_share_the_host(base_url: str) -> None:
    endpoints = resolve_endpoints(base_url)
    assert endpoints.agent_rest == endpoints.rest
    assert endpoints.agent_socket == endpoints.socket


@pytest.mark.parametrize(
    ("region", "host"),
    [
        ("global", "api.deepgram.com"),
        ("eu", "api.eu.deepgram.com"),
        ("au", "api.au.deepgram.com"),
        ("in", "api.in.deepgram.com"),
    ],
)
def test_a_region_is_a_host_for_rest_and_sockets(region: Region, host: str) -> None:
    endpoints = resolve_endpoints(region=region)
    assert (endpoints.rest, endpoints.socket) == (f"https://{host}", f"wss://{host}")
    assert endpoints.is_deepgram
    assert endpoints.is_encrypted


@pytest.mark.parametrize("region", ["eu", "au", "in"])
def test_a_region_has_no_host_of_its_own_for_the_voice_agents(region: Region) -> None:
    endpoints = resolve_endpoints(region=region)
    assert endpoints.agent_rest == endpoints.rest
    assert endpoints.agent_socket == endpoints.socket


@pytest.mark.parametrize(
    "base_url", ["https://api.deepgram.com", "wss://api.deepgram.com/", "https://API.deepgram.com"]
)
def test_the_global_service_written_out_has_the_same_agents(base_url: str) -> None:
    endpoints = resolve_endpoints(base_url)
    assert endpoints.agent_rest == "https://agent.deepgram.com"
    assert endpoints.agent_socket == "wss://agent.deepgram.com"


@pytest.mark.parametrize("region", get_args(Region))
def test_every_region_that_is_typed_is_known(region: Region) -> None:
    assert resolve_endpoints(region=region).is_deepgram


def test_an_unknown_region_is_refused_with_the_known_ones() -> None:
    region: Region = "moon"  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
    with pytest.raises(ConfigurationError, match="'moon'; known are au, eu, global, in"):
        resolve_endpoints(region=region)


@pytest.mark.parametrize(
    ("base_url", "rest", "socket"),
    [
        ("https://host.example", "https://host.example", "wss://host.example"),
        ("https://host.example/", "https://host.example", "wss://host.example"),
        ("wss://host.example", "https://host.example", "wss://host.example"),
        ("HTTPS://Host.example", "https://Host.example", "wss://Host.example"),
        ("https://host.example:8443", "https://host.example:8443", "wss://host.example:8443"),
        ("https://host.example/dg", "https://host.example/dg", "wss://host.example/dg"),
        ("https://host.example/a/b//", "https://host.example/a/b", "wss://host.example/a/b"),
        ("https://host.example/@dg", "https://host.example/@dg", "wss://host.example/@dg"),
        ("https://[2001:db8::1]:1", "https://[2001:db8::1]:1", "wss://[2001:db8::1]:1"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080", "ws://127.0.0.1:8080"),
        ("ws://localhost:8080/x", "http://localhost:8080/x", "ws://localhost:8080/x"),
    ],
)
def test_a_base_url_serves_both_with_port_and_path(base_url: str, rest: str, socket: str) -> None:
    endpoints = resolve_endpoints(base_url)
    assert (endpoints.rest, endpoints.socket) == (rest, socket)
    assert not endpoints.is_deepgram


@pytest.mark.parametrize("base_url", ["https://api.deepgram.com", "wss://API.eu.deepgram.com/"])
def test_the_service_itself_is_known_by_its_host(base_url: str) -> None:
    assert resolve_endpoints(base_url).is_deepgram


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST", "dg.localhost", "127.0.0.1", "127.1.2.3", "[::1]"]
)
def test_this_machine_may_be_spoken_to_unencrypted(host: str) -> None:
    assert not resolve_endpoints(f"http://{host}:1").is_encrypted


@pytest.mark.parametrize(
    "host",
    ["api.deepgram.com", "10.0.0.1", "0.0.0.0", "[fe80::1]", "localhost.example", "127.0.0.1.x.de"],
)
@pytest.mark.parametrize("scheme", ["http", "ws"])
def test_another_machine_may_not(scheme: str, host: str) -> None:
    with pytest.raises(ConfigurationError, match="unencrypted") as caught:
        resolve_endpoints(f"{scheme}://{host}")
    assert "allow_insecure" in (caught.value.hint or "")


def test_unless_it_is_allowed() -> None:
    endpoints = resolve_endpoints("ws://10.0.0.1:8080", allow_insecure=True)
    assert (endpoints.rest, endpoints.socket) == ("http://10.0.0.1:8080", "ws://10.0.0.1:8080")
    assert not endpoints.is_encrypted


def test_base_url_and_region_exclude_each_other() -> None:
    with pytest.raises(ConfigurationError, match="exclude each other"):
        resolve_endpoints("https://host.example", "eu")


@pytest.mark.parametrize(
    ("base_url", "words"),
    [
        ("", "full URL"),
        ("api.deepgram.com", "full URL"),
        ("//api.deepgram.com", "full URL"),
        ("https://", "full URL"),
        ("https:///v1", "full URL"),
        ("ftp://host.example", "full URL"),
        ("https://host.example:port", "not a URL"),
        ("https://host.example:65536", "not a URL"),
        ("https://[::1", "not a URL"),
        ("https://host.example?x=1", "query or a fragment"),
        ("https://host.example/#x", "query or a fragment"),
    ],
)
def test_what_is_no_base_url_is_refused(base_url: str, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        resolve_endpoints(base_url)


@pytest.mark.parametrize(
    "base_url",
    [
        "https://user:s3cret@host.example",
        "ftp://user:s3cret@host.example",
        "user:s3cret@host.example",
        "https:user:s3cret@host.example",
        "https://user:s3cret@host.example:port",
        "https://user:s3cret@[host",
        "https://user:s3cret@ho\u2100st.example",
        "https://user:s3cret@host.example?x#y",
    ],
)
def test_a_password_is_refused_and_never_shown(base_url: str) -> None:
    with pytest.raises(ConfigurationError, match="user name or password") as caught:
        resolve_endpoints(base_url)
    error = caught.value
    assert "s3cret" not in f"{error!s} {error!r}"
    assert "s3cret" not in "".join(traceback.format_exception_only(error))
    assert error.__suppress_context__ or error.__context__ is None
