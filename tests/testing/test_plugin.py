"""The fixtures for tests of others, used as others use them."""

import subprocess
import sys
import tomllib
from importlib import import_module
from pathlib import Path

import pytest

from deepgram_async.testing import LocalDeepgram

pytest_plugins = "pytester"

ROOT = Path(__file__).parents[2]
PYPROJECT = ROOT / "pyproject.toml"
SILENCE = "def silence(seconds): return bytes(round(seconds * 16000) * 2)\n"
RAW = "model='nova-3', encoding='linear16', sample_rate=16000, punctuate=True"


def run(
    pytester: pytest.Pytester,
    monkeypatch: pytest.MonkeyPatch,
    *args: str,
    has_session: bool = False,
) -> pytest.RunResult:
    # Only what is named here: what else is installed must not matter, and takes time.
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    plugin = ["-p", "deepgram_async.testing._plugin", "-p", "no:cacheprovider"]
    # The plugin is imported already where these tests run.
    warnings = ["-W", "error", "-W", "ignore::pytest.PytestAssertRewriteWarning"]
    # What a run in this process imports is forgotten behind it, and sessions import while used.
    how = pytester.runpytest_subprocess if has_session else pytester.runpytest_inprocess
    return how(*warnings, *plugin, *args)


def test_the_entry_point_is_the_plugin() -> None:
    declared = tomllib.loads(PYPROJECT.read_text())["project"]["entry-points"]["pytest11"]
    (module,) = declared.values()
    assert import_module(module).deepgram_emulator


def test_the_plugin_loads_nothing_before_it_is_used() -> None:
    code = (
        "import sys, pytest; before = set(sys.modules);"
        "import deepgram_async.testing._plugin;"
        "print(sorted(n for n in set(sys.modules) - before if not n.startswith('deepgram_async')"
        " and n.partition('.')[0] not in sys.stdlib_module_names));"
        "print(len([n for n in sys.modules if n.startswith('deepgram_async')]) <= 5)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["[]", "True"]


def test_sync_tests_use_any_client(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytester.makepyfile(
        SILENCE
        + """
import json, urllib.error, urllib.request
from deepgram_async.emulator import ServiceFault

def ask(url, data):
    headers = {"Authorization": "Token any", "Content-Type": "application/octet-stream"}
    query = "?encoding=linear16&sample_rate=16000&punctuate=true"
    request = urllib.request.Request(f"{url}/v1/listen{query}", data, headers)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)["results"]["channels"][0]["alternatives"][0]["transcript"]

def test_heard(deepgram_emulator, scripted_deepgram):
    scripted_deepgram.hear("Hello, world.")
    assert ask(deepgram_emulator.base_url, silence(2)) == "Hello, world."
    scripted_deepgram.hear_words([("Bye.", 0.1, 0.5)])
    assert ask(deepgram_emulator.base_url, silence(2)) == "Bye."

def test_fault(deepgram_emulator):
    deepgram_emulator.inject(ServiceFault(kind="answer", status=502))
    try:
        ask(deepgram_emulator.base_url, silence(1))
    except urllib.error.HTTPError as error:
        assert error.code == 502
        error.close()
    else:
        assert False
    deepgram_emulator.heal()
    deepgram_emulator.limit(max_requests=5)
    assert deepgram_emulator.add_key("member")
    assert ask(deepgram_emulator.base_url, silence(1)) == ""
"""
    )
    run(pytester, monkeypatch).assert_outcomes(passed=2)


def test_a_session_of_this_package_hears_turns_and_converses(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytester.makepyfile(
        SILENCE
        + f"""
import asyncio
from deepgram_async.emulator import ToolCall
from deepgram_async.models.agent import ConversationText
from deepgram_async.models.agent_settings import Agent, Settings, Think
from deepgram_async.models.live import Results

def test_live(deepgram_session, scripted_deepgram):
    scripted_deepgram.hear("Good morning.", "How are you?")
    async def transcribe():
        async with deepgram_session as dg, dg.listen.live({RAW}) as live:
            await live.send_audio(silence(scripted_deepgram.duration_s))
            await live.close_stream()
            return [event.transcript async for event in live
                    if isinstance(event, Results) and event.is_final and event.transcript]
    assert asyncio.run(transcribe()) == ["Good morning.", "How are you?"]

def test_flux(deepgram_session, scripted_deepgram):
    scripted_deepgram.hear("Hi there.", "What is the weather?")
    async def turns():
        async with deepgram_session as dg:
            options = dict(model="flux-general-en", encoding="linear16", sample_rate=16000)
            async with dg.listen.flux(**options) as flux:
                for _ in range(round(scripted_deepgram.duration_s / 0.08)):
                    await flux.send_audio(silence(0.08))
                await flux.close_stream()
                return [event.transcript async for event in flux
                        if getattr(event, "event", "") == "EndOfTurn"]
    assert asyncio.run(turns()) == ["Hi there.", "What is the weather?"]

def test_agent(deepgram_session, scripted_deepgram):
    scripted_deepgram.reply("It is sunny.")
    async def ask():
        settings = Settings(agent=Agent(think=Think(prompt="Be brief.")))
        async with deepgram_session as dg, dg.agent.converse(settings) as agent:
            await agent.inject_user_message("How is the weather?")
            async for event in agent:
                if isinstance(event, ConversationText) and event.role == "assistant":
                    return event.content
    assert asyncio.run(ask()) == "It is sunny."
    (request,) = scripted_deepgram.requests
    assert request.messages[-1].content == "How is the weather?"
"""
    )
    run(pytester, monkeypatch, has_session=True).assert_outcomes(passed=3)


def test_pytest_asyncio_may_be_there(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytester.makepyfile(
        """
import pytest
@pytest.mark.asyncio
async def test_spoken(deepgram_session):
    async with deepgram_session as dg:
        async with dg.speak.generate("Hello.", model="aura-2-thalia-en") as speech:
            assert b"".join([part async for part in speech])
"""
    )
    pytester.makeini("[pytest]\nasyncio_default_fixture_loop_scope = function\n")
    plugin = ("-p", "pytest_asyncio.plugin")
    run(pytester, monkeypatch, *plugin, has_session=True).assert_outcomes(passed=1)


def test_without_pytest_it_is_a_context_manager() -> None:
    local = LocalDeepgram()
    with pytest.raises(RuntimeError, match="not started"):
        local.heal()
    with local:
        assert local.base_url.startswith("http://127.0.0.1:")
        assert local.open_streams == 0
        with pytest.raises(ValueError, match="no such project or scope"):
            local.add_key("sing")
        with pytest.raises(RuntimeError, match="already started"):
            local.start()
    local.stop()


SENDS_NONSENSE = """
import pytest, urllib.request
def send(url):
    headers = {"Authorization": "Token any", "Content-Type": "audio/wav"}
    request = urllib.request.Request(url + "/v1/listen?mood=true", b"RIFF", headers)
    try:
        urllib.request.urlopen(request, timeout=10).close()
    except urllib.error.HTTPError as error:
        error.close()
"""


def test_a_strict_test_fails_when_the_client_leaves_the_specification(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytester.makepyfile(
        SENDS_NONSENSE
        + """
@pytest.mark.deepgram(strict=True)
def test_strict(deepgram_emulator):
    send(deepgram_emulator.base_url)

def test_lenient(deepgram_emulator):
    send(deepgram_emulator.base_url)
"""
    )
    result = run(pytester, monkeypatch, "--strict-markers")
    result.assert_outcomes(passed=2, errors=1)
    result.stdout.fnmatch_lines(["*POST /v1/listen: there is no option 'mood'*"])


def test_all_tests_are_strict_where_the_project_says_so(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytester.makeini("[pytest]\ndeepgram_strict = true\n")
    pytester.makepyfile(
        SENDS_NONSENSE
        + """
def test_strict(deepgram_emulator):
    send(deepgram_emulator.base_url)

@pytest.mark.deepgram(strict=False)
def test_lenient(deepgram_emulator):
    send(deepgram_emulator.base_url)
"""
    )
    run(pytester, monkeypatch).assert_outcomes(passed=2, errors=1)


def test_an_unknown_setting_of_the_marker_is_named(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytester.makepyfile(
        """
import pytest
@pytest.mark.deepgram(colour="red")
def test_it(deepgram_emulator):
    pass
"""
    )
    result = run(pytester, monkeypatch)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*marker deepgram:*colour*"])
