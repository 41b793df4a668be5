import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Result

Dga = Callable[..., Result]


@pytest.mark.parametrize("shell", ["bash", "fish", "zsh"])
def test_script_serves_both_names_of_the_command(dga: Dga, shell: str) -> None:
    result = dga("completion", shell)
    assert (result.code, result.err) == (0, "")
    for name in ("deepgram-async", "dga"):
        assert f" {name}" in result.out
    assert "_DEEPGRAM_ASYNC_COMPLETE" in result.out


def complete(*words: str) -> list[str]:
    """Return what fish is offered for the last word."""
    program = (
        "import sys; from deepgram_async.cli import main; code = main([]); "
        "assert not {'asyncio', 'rich'} & set(sys.modules); sys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        env=os.environ
        | {
            "_DEEPGRAM_ASYNC_COMPLETE": "fish_complete",
            "COMP_WORDS": " ".join(["dga", *words]),
            "COMP_CWORD": words[-1],
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert done.stderr == ""
    lines = filter(None, done.stdout.splitlines())
    return [line.partition(",")[2].partition("\t")[0] for line in lines]


def test_commands_are_completed_without_loading_them() -> None:
    assert complete("tr") == ["transcribe"]
    assert complete("--prof") == ["--profile"]


def test_options_of_the_service_are_completed_with_their_values() -> None:
    assert "smart_format=" in complete("transcribe", "--param", "smart_f")
    assert complete("usage", "-p", "method=s") == ["method=sync", "method=streaming"]
    assert complete("read", "-p", "topics=") == ["topics=true", "topics=false"]


def test_models_and_voices_are_completed() -> None:
    assert "nova-3-medical" in complete("transcribe", "-m", "nova-3")
    assert complete("live", "-m", "flux-general-e") == ["flux-general-en"]


def test_profiles_are_completed(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text("[profiles.work]\n[profiles.world]\n[profiles.home]\n")
    assert complete("--config", str(config), "--profile", "wor") == ["work", "world"]
    config.write_text("profiles = 1")
    assert complete("--config", str(config), "--profile", "wor") == []
