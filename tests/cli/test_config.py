"""The configuration file, and what wins over it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import KEY, Result, answering
from tests.support import management as answers

Dga = Callable[..., Result]
OTHER_KEY = "sentinel-key-0815"


@pytest.fixture(autouse=True)
def no_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DEEPGRAM_BASE_URL", raising=False)


class Run:
    """Runs the command with a configuration file, and without the variables of the others."""

    def __init__(self, dga: Dga, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.path = path
        self._dga = dga
        self._monkeypatch = monkeypatch

    def __call__(self, config: str, *args: str, **environment: str) -> Result:
        self.path.write_text(config)
        for name, value in environment.items():
            self._monkeypatch.setenv(name, value)
        return self._dga("--config", str(self.path), *args, key=None, url="")


@pytest.fixture
def run(dga: Dga, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    return Run(dga, tmp_path / "config.toml", monkeypatch)


def test_profile_names_service_project_and_the_variable_of_the_key(run: Run) -> None:
    with answering(answers.KEYS) as service:
        config = f"""
            [profiles.work]
            base_url = "{service.url}"
            project_id = "p-7"
            api_key_env = "WORK_KEY"
        """
        result = run(config, "--profile", "work", "keys", "list", WORK_KEY=OTHER_KEY)
    assert (result.code, result.err) == (0, "")
    assert service.received[0].path == "/v1/projects/p-7/keys"
    assert service.received[0].authorization == f"Token {OTHER_KEY}"


def test_key_of_a_file_is_read_and_a_file_that_others_can_read_is_told(
    run: Run, tmp_path: Path
) -> None:
    path = tmp_path / "work.key"
    path.write_text(f"{OTHER_KEY}\n")
    path.chmod(0o600)
    with answering(answers.PROJECTS) as service:
        config = f'[profiles.default]\nbase_url = "{service.url}"\napi_key_file = "{path}"\n'
        assert run(config, "projects").err == ""
        path.chmod(0o644)
        warned = run(config, "projects")
    assert warned.code == 0
    assert f"other users can read the key in {path}: chmod 600" in warned.err
    assert OTHER_KEY not in warned.out + warned.err
    assert {request.authorization for request in service.received} == {f"Token {OTHER_KEY}"}


def test_environment_wins_over_the_profile_and_flags_over_both(run: Run) -> None:
    with answering(answers.KEYS) as profiles, answering(answers.KEYS) as variables:
        config = f"""
            default_profile = "work"
            [profiles.work]
            base_url = "{profiles.url}"
            project_id = "of-profile"
            api_key_env = "NOT_SET"
        """
        run(
            config,
            "keys",
            "list",
            DEEPGRAM_API_KEY=OTHER_KEY,
            DEEPGRAM_PROJECT_ID="of-environment",
        )
        run(config, "--project", "of-flag", "--api-key", KEY, "keys", "list")
        assert variables.received == []
        run(config, "--base-url", variables.url, "keys", "list")
    assert [request.path.split("/")[3] for request in profiles.received] == [
        "of-environment",
        "of-flag",
    ]
    assert [request.authorization for request in profiles.received] == [
        f"Token {OTHER_KEY}",
        f"Token {KEY}",
    ]
    assert len(variables.received) == 1


def test_variable_chooses_the_profile(run: Run) -> None:
    with answering(answers.PROJECTS) as service:
        config = f'[profiles.a]\nregion = "eu"\n[profiles.b]\nbase_url = "{service.url}"\n'
        assert run(config, "projects", DEEPGRAM_PROFILE="b").code == 0


def test_profile_has_defaults_for_flags_of_commands(run: Run) -> None:
    with answering(answers.USAGE_BREAKDOWN) as service:
        config = f"""
            [profiles.default]
            base_url = "{service.url}"
            project_id = "p-1"
            [profiles.default.usage]
            by = "tags"
            param = ["tag=web", "method=streaming"]
            json = true
        """
        result = run(config, "usage")
        run(config, "usage", "--by", "models")
    assert result.out.startswith('{"start":')
    assert service.received[0].query == "grouping=tags&tag=web&method=streaming"
    assert service.received[1].query == "grouping=models&tag=web&method=streaming"


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ("profiles = 3", "profiles is neither a setting nor a table"),
        ("[profiles.default]\napi_key = 'x'", "a key does not belong into profile 'default'"),
        ("[profiles.default]\nbase_url = 3", "profiles.default.base_url must be a text"),
        ("[profiles.default]\nallow_insecure = 'no'", "must be true or false"),
        ("[profiles.default]\nmodel = 'x'", "profiles.default.model is neither a setting"),
        ("[profiles.default]\nregion='eu'\nbase_url='https://x'", "has both base_url and region"),
        ("[profiles.default]\napi_key_env='A'\napi_key_file='b'", "has both api_key_env and"),
        ("[profiles.default]\nregion = 'moon'", "unknown region 'moon'"),
        ("[profiles.default]\napi_key_env = 'NOT_SET'", "from NOT_SET, which is not set"),
        ("[profiles.default]\napi_key_file = '/nowhere/key'", "which cannot be read: No such file"),
        ("[profiles.default.projects]\nmodle = 'x'", "'modle', which is no option of 'projects'"),
        (
            "[profiles.default.project]\njson = true",
            "the profile has 'project', which is no command",
        ),
        ("default_profile = 'home'\n[profiles.work]", "no profile 'home'; known are work"),
        ("default = 'home'", "unknown key 'default'"),
        ("[profiles", "Expected ']'"),
    ],
)
def test_what_is_wrong_in_the_file_is_told(run: Run, config: str, message: str) -> None:
    result = run(config, "projects")
    assert (result.code, result.out) == (2, "")
    assert message in result.err
    assert "Traceback" not in result.err


def test_file_or_profile_that_is_named_must_be_there(
    dga: Dga, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = dga("--config", str(tmp_path / "nowhere.toml"), "projects")
    assert missing.code == 2
    assert "nowhere.toml: No such file" in missing.err
    monkeypatch.delenv("DEEPGRAM_CONFIG")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("APPDATA", str(tmp_path))
    unknown = dga("--profile", "work", "projects")
    assert unknown.code == 2
    assert "there is no profile 'work'" in unknown.err
    with answering(answers.PROJECTS) as service:
        assert dga("projects", url=service.url).code == 0
