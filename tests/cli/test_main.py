import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from deepgram_async import __version__
from deepgram_async.cli import main
from deepgram_async.cli._commands import SECTIONS
from tests.cli.conftest import Result

Dga = Callable[..., Result]


def test_version_is_printed(dga: Dga) -> None:
    result = dga("--version")
    assert (result.code, result.err) == (0, "")
    assert __version__ in result.out


@pytest.mark.parametrize(
    ("command", "words"), [item for section in SECTIONS.values() for item in section.items()]
)
def test_list_of_commands_says_what_their_help_says(dga: Dga, command: str, words: str) -> None:
    assert f" {command} " in dga("--help").out
    result = dga(command, "-h")
    assert (result.code, result.err) == (0, "")
    assert result.out.startswith(f"Usage: deepgram-async {command} ")
    assert words in " ".join(result.out.split())


@pytest.mark.parametrize("args", [["--nonsense"], ["nonsense"], ["transcribe"]])
def test_wrong_usage_prints_nothing_on_standard_output(dga: Dga, args: list[str]) -> None:
    result = dga(*args)
    assert (result.code, result.out) == (2, "")
    assert "Error: " in result.err


def test_mistyped_command_is_answered_with_the_one_that_is_meant(dga: Dga) -> None:
    result = dga("transcrib", "a.wav")
    assert (result.code, result.out) == (2, "")
    assert "No such command 'transcrib'. Did you mean 'transcribe'?" in result.err


def test_without_click_the_message_names_the_extra(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "click", None)
    for name in [name for name in sys.modules if name.startswith("deepgram_async.cli.")]:
        monkeypatch.delitem(sys.modules, name)
    assert main(["--help"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert (
        captured.err == "Error: the command line is an extra: pip install 'deepgram-async[cli]'\n"
    )


@pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX shell")
@pytest.mark.parametrize(
    ("redirection", "code", "message"),
    [
        (">&-", 0, ""),
        ("<&-", 0, ""),
        ("2>&-", 0, ""),
        pytest.param(
            ">/dev/full",
            1,
            "Error: No space left on device\n",
            marks=pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full"),
        ),
    ],
)
def test_standard_streams_that_are_closed_or_full_are_no_fault_of_the_command(
    tmp_path: Path, redirection: str, code: int, message: str
) -> None:
    saved = tmp_path / "answer.json"
    saved.write_text('{"duration": 1.0, "channels": 1, "utterances": []}')
    done = subprocess.run(
        [
            *("sh", "-c", f'"$0" -W error -m deepgram_async.cli render "$1" -f vtt {redirection}'),
            *(sys.executable, str(saved)),
        ],
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (code, message)


def test_help_of_commands_loads_neither_a_web_server_nor_the_terminal_library() -> None:
    program = (
        "import sys; from deepgram_async.cli import main; "
        "from deepgram_async.cli._commands import SECTIONS; "
        "assert not any(main([name, '-h']) for section in SECTIONS.values() for name in section); "
        "assert not {'aiohttp', 'websockets', 'rich', 'av', 'miniaudio'} & set(sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], capture_output=True, check=False, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, b"")


def test_help_loads_neither_the_network_nor_the_terminal_library() -> None:
    program = (
        "import sys; from deepgram_async.cli import main; assert main(['--help']) == 0; "
        "assert not {'asyncio', 'aiohttp', 'websockets', 'rich', 'av'} & set(sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], capture_output=True, check=False, timeout=30
    )
    assert (done.returncode, done.stderr) == (0, b"")
