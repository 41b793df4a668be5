import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection

from tests.cli.conftest import KEY, Result
from tests.support.agent import Peer, call, request
from tests.support.background import in_background
from tests.support.servers import websocket_server
from tests.support.terminal import run_in_terminal

Dga = Callable[..., Result]
COMMAND = [sys.executable, "-W", "error", "-m", "deepgram_async.cli", "--api-key", KEY]
Script = Callable[[Peer], Awaitable[None]]


class Service:
    """Where conversations go by a script, and the settings that they began with."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.settings: list[dict[str, Any]] = []


@asynccontextmanager
async def serve(script: Script) -> AsyncGenerator[Service]:
    async def handle(connection: ServerConnection) -> None:
        peer = Peer(connection)
        await peer.greet()
        service.settings.append(peer.settings)
        await script(peer)
        await peer.listen()

    async with websocket_server(handle) as url:
        service = Service(url)
        yield service


async def echo(peer: Peer) -> None:
    """Answer everything that is typed with itself."""
    while True:
        content = (await peer.hear("InjectUserMessage"))["content"]
        await peer.say("ConversationText", role="user", content=content)
        await peer.say("ConversationText", role="assistant", content=f"{content}, you say?")
        await peer.speak(b"\x00\x00" * 100)
        await peer.say("AgentAudioDone")


def converse(service: Service, *flags: str, typed: bytes = b"") -> Result:
    done = subprocess.run(
        [*COMMAND, "--base-url", service.url, "agent", *flags],
        input=typed,
        capture_output=True,
        timeout=30,
        check=False,
    )
    return Result(done.returncode, done.stdout.decode(), done.stderr.decode())


def test_piped_lines_are_answered_one_after_the_other() -> None:
    with in_background(serve(echo)) as service:
        result = converse(service, "--text", typed=b"Hello\n\nHow are you?")
    assert (result.code, result.err) == (0, "")
    assert result.out.splitlines() == [
        "You: Hello",
        "Agent: Hello, you say?",
        "You: How are you?",
        "Agent: How are you?, you say?",
    ]


def test_first_piped_line_waits_for_the_end_of_the_greeting() -> None:
    async def greet(peer: Peer) -> None:
        await peer.say("ConversationText", role="assistant", content="Hi!")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await peer.connection.recv()
        await peer.say("AgentAudioDone")
        await echo(peer)

    with in_background(serve(greet)) as service:
        result = converse(service, "--text", "--greeting", "Hi!", typed=b"Hello")
    assert (result.code, result.err) == (0, "")
    assert result.out.splitlines() == ["Agent: Hi!", "You: Hello", "Agent: Hello, you say?"]


def test_every_message_is_a_line_of_json_if_asked_for() -> None:
    with in_background(serve(echo)) as service:
        result = converse(service, "--text", "--json", typed=b"Hello\n")
    kinds = [json.loads(line)["type"] for line in result.out.splitlines()]
    assert kinds == [
        "Welcome",
        "SettingsApplied",
        "ConversationText",
        "ConversationText",
        "AgentAudioDone",
    ]


def test_flags_say_who_the_agent_is() -> None:
    async def greet(peer: Peer) -> None:
        await peer.say("ConversationText", role="assistant", content="Hi!")
        await peer.say("AgentAudioDone")

    flags = ["--prompt", "Be brief.", "--greeting", "Hi!", "--voice", "flux-alexis-en"]
    with in_background(serve(greet)) as service:
        converse(service, "--text", *flags, "--think", "google/gemini-2.5-flash")
    (settings,) = service.settings
    assert settings["agent"] == {
        "greeting": "Hi!",
        "think": {
            "provider": {"type": "google", "model": "gemini-2.5-flash"},
            "prompt": "Be brief.",
        },
        "speak": {"provider": {"type": "deepgram", "model": "flux-alexis-en", "version": "v2"}},
    }
    assert settings["audio"] == {
        "input": {"encoding": "linear16", "sample_rate": 16000},
        "output": {"encoding": "linear16", "sample_rate": 24000, "container": "none"},
    }


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("agent.json", '{"agent": {"language": "en", "brand_new": 1}, "tags": ["a"]}'),
        ("agent.toml", 'tags = ["a"]\n[agent]\nlanguage = "en"\nbrand_new = 1\n'),
    ],
)
def test_settings_of_a_file_are_sent_as_they_are(tmp_path: Path, name: str, text: str) -> None:
    path = tmp_path / name
    path.write_text(text)
    with in_background(serve(echo)) as service:
        converse(service, "--text", "--settings", str(path), "--prompt", "Be kind.")
    (settings,) = service.settings
    assert settings["agent"] == {
        "language": "en",
        "brand_new": 1,
        "think": {"prompt": "Be kind."},
    }
    assert settings["tags"] == ["a"]


def test_stored_agent_is_named_by_its_id() -> None:
    with in_background(serve(echo)) as service:
        assert converse(service, "--text", "--id", "a-1").code == 0
    assert service.settings[0]["agent"] == "a-1"


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--id", "a-1", "--prompt", "x"], "--prompt cannot change an agent that is stored"),
        (["--think", "gpt"], "it is not of the form PROVIDER/MODEL"),
        (["--settings", "FILE"], "has no settings: "),
        (["--settings", "/nowhere/agent.json"], "cannot read /nowhere/agent.json"),
    ],
)
def test_settings_that_make_no_sense_are_usage_errors(
    dga: Dga, tmp_path: Path, flags: list[str], message: str
) -> None:
    path = tmp_path / "agent.json"
    path.write_text("[1]")
    result = dga("agent", "--text", *[str(path) if flag == "FILE" else flag for flag in flags])
    assert (result.code, result.out) == (2, "")
    assert message in result.err


def test_function_that_is_not_there_is_answered() -> None:
    answers: list[dict[str, Any]] = []

    async def ask(peer: Peer) -> None:
        await peer.hear("InjectUserMessage")
        await peer.send(request(call("f-1", "get_weather")))
        answers.append(await peer.hear("FunctionCallResponse"))
        await peer.say("ConversationText", role="assistant", content="I do not know.")
        await peer.say("AgentAudioDone")

    with in_background(serve(ask)) as service:
        result = converse(service, "--text", typed=b"Hello\n")
    assert result.code == 0
    assert "the agent calls 'get_weather', which is not there" in result.err
    assert answers[0]["content"] == "This function is not available here."


def test_error_of_the_agent_is_a_service_error() -> None:
    async def fail(peer: Peer) -> None:
        await peer.hear("InjectUserMessage")
        await peer.say("Error", code="THINK_REQUEST_FAILED", description="no model")

    with in_background(serve(fail)) as service:
        result = converse(service, "--text", typed=b"Hello\n")
    assert (result.code, result.out) == (1, "")
    assert "THINK_REQUEST_FAILED" in result.err
    assert "Traceback" not in result.err


def test_voice_goes_both_ways_until_the_interrupt() -> None:
    heard: list[int] = []

    async def speak(peer: Peer) -> None:
        frame = await peer.frame()
        assert isinstance(frame, bytes)
        heard.append(len(frame))
        await peer.say("ConversationText", role="assistant", content="I hear you.")
        await peer.speak(b"\x00\x00" * 24000)
        await peer.say("UserStartedSpeaking")
        await peer.say("ConversationText", role="user", content="Fine.")

    with (
        in_background(serve(speak)) as service,
        subprocess.Popen(
            [*COMMAND, "--base-url", service.url, "agent", "--sound", "null"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as command,
    ):
        assert command.stdout is not None
        assert command.stderr is not None
        try:
            assert command.stdout.readline() == b"Agent: I hear you.\n"
            assert command.stdout.readline() == b"You: Fine.\n"
            command.send_signal(signal.SIGINT)
            assert command.wait(timeout=10) == 0
            assert command.stderr.read().startswith(b"Listening to ")
        finally:
            command.kill()
    assert heard == [2560]


def test_what_is_typed_on_a_terminal_is_not_printed_again() -> None:
    with in_background(serve(echo)) as service:
        shown = run_in_terminal(
            [*COMMAND, "--base-url", service.url, "agent", "--text"],
            typed=b"Hello\n",
            until="you say?",
        )
    assert shown.code == 0
    assert shown.last == ["Hello", "Agent: Hello, you say?"]
