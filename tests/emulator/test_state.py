"""What an emulator knows outlives it, in a file."""

from __future__ import annotations

import sqlite3
import stat
from typing import TYPE_CHECKING

import pytest

from deepgram_async import DeepgramSession
from deepgram_async.emulator import Emulator, EmulatorSettings, ScriptedRecognizer
from deepgram_async.errors import AuthenticationError

from .helpers import silence, wav

if TYPE_CHECKING:
    from pathlib import Path


def emulator_with(state: Path) -> Emulator:
    return Emulator(ScriptedRecognizer(), EmulatorSettings(state=state))


def session(emulator: Emulator, key: str = "a-key") -> DeepgramSession:
    project_id = "00000000-0000-4000-8000-000000000000"
    return DeepgramSession(key, base_url=emulator.base_url, project_id=project_id)


async def test_everything_is_there_after_a_restart(tmp_path: Path) -> None:
    state = tmp_path / "state.sqlite"
    async with emulator_with(state) as emulator, session(emulator) as dg:
        await dg.projects.update(name="Kept")
        kept = await dg.keys.create("Kept", ["member"])
        dropped = await dg.keys.create("Dropped", ["member"])
        await dg.keys.delete(dropped.api_key_id)
        await dg.invites.create("someone@example.com", "member")
        await dg.invites.create("other@example.com", "member")
        await dg.invites.delete("other@example.com")
        made = await dg.agent.configurations.create({"greeting": "Hello"}, metadata={"a": "b"})
        agent = await dg.agent.configurations.get(made.agent_id)
        variable = await dg.agent.variables.create("DG_LIST", [1, {"two": None}])
        credentials = await dg.self_hosted.create(comment="Kept")
        await dg.listen.transcribe(wav(silence(1.0)), tag="kept")
        requests = await dg.requests.list()
        keys = await dg.keys.list()
    async with emulator_with(state) as emulator, session(emulator, kept.key) as dg:
        assert (await dg.projects.get()).name == "Kept"
        assert await dg.keys.list() == keys
        assert [it.email for it in (await dg.invites.list()).invites] == ["someone@example.com"]
        assert await dg.agent.configurations.get(agent.agent_id) == agent
        assert await dg.agent.variables.get(variable.variable_id) == variable
        credentials_id = credentials.distribution_credentials.distribution_credentials_id
        assert await dg.self_hosted.get(credentials_id) == credentials
        assert await dg.requests.list() == requests
        async with session(emulator, dropped.key) as deleted:
            with pytest.raises(AuthenticationError):
                await deleted.projects.list()


async def test_what_was_answered_is_in_the_file_already(tmp_path: Path) -> None:
    state = tmp_path / "state.sqlite"
    async with emulator_with(state) as emulator, session(emulator) as dg:
        created = await dg.keys.create("Kept", ["member"])
        # As another process would find it if this one died now.
        with sqlite3.connect(state) as database:
            rows = database.execute("SELECT id FROM records WHERE kind = 'key'").fetchall()
        database.close()
        assert rows == [(created.api_key_id,)]


async def test_the_file_holds_no_secret_and_is_its_owners_alone(tmp_path: Path) -> None:
    state = tmp_path / "state.sqlite"
    async with emulator_with(state) as emulator, session(emulator) as dg:
        created = await dg.keys.create("Kept", ["member"])
    assert created.key.encode() not in state.read_bytes()
    assert stat.S_IMODE(state.stat().st_mode) == 0o600


async def test_a_file_of_another_version_is_an_error(tmp_path: Path) -> None:
    state = tmp_path / "state.sqlite"
    async with emulator_with(state):
        pass
    with sqlite3.connect(state) as database:
        database.execute("UPDATE records SET body = '{}' WHERE kind = 'project'")
    database.close()
    with pytest.raises(sqlite3.DatabaseError, match="another version"):
        await emulator_with(state).start()


async def test_a_file_of_something_else_is_an_error_that_leaves_nothing_open(
    tmp_path: Path,
) -> None:
    state = tmp_path / "notes.txt"
    state.write_text("Not a database, and long enough to be looked at as if it were one. " * 9)
    with pytest.raises(sqlite3.DatabaseError):
        await emulator_with(state).start()
    missing = tmp_path / "nowhere" / "state.sqlite"
    with pytest.raises(FileNotFoundError):
        await emulator_with(missing).start()
