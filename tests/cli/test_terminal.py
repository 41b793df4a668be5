"""What commands look like on a terminal."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from websockets.asyncio.server import ServerConnection

from tests.cli.audio import write_wav
from tests.cli.conftest import KEY, answering
from tests.support.background import in_background
from tests.support.listen import metadata, read_until_close_stream, results
from tests.support.servers import websocket_server
from tests.support.terminal import Shown, run_in_terminal

FIRST = "It is a truth universally acknowledged by all of us."
SECOND = "However little known it may be."
WIDE = [FIRST, SECOND]
NARROW = [
    "It is a truth universally acknowledged",
    "by all of us.",
    "However little known it may be.",
]


async def hear(connection: ServerConnection) -> None:
    """Hear `FIRST` and `SECOND` in any audio, word by word, and then as a whole."""
    await connection.recv()
    for start, sentence in enumerate((FIRST, SECOND)):
        words = sentence.split()
        for count in range(1, len(words)):
            text = " ".join(words[:count])
            interim = results(text, start=start * 100.0, duration=count, is_final=False)
            await connection.send(interim)
        await connection.send(results(sentence, start=start * 100.0, duration=len(words)))
    await read_until_close_stream(connection)
    await connection.send(metadata())


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with in_background(websocket_server(hear)) as address:
        yield address


COMMAND = [sys.executable, "-W", "error", "-m", "deepgram_async.cli", "--api-key", KEY]


def watch(
    url: str, tmp_path: Path, *flags: str, columns: int = 80, lines: int = 24, **environment: str
) -> Shown:
    recording = write_wav(tmp_path / "talk.wav", seconds=1)
    live = ["--base-url", url, "live", str(recording), "--realtime", "100", *flags]
    shown = run_in_terminal(COMMAND + live, columns=columns, lines=lines, environment=environment)
    assert shown.code == 0
    return shown


@pytest.mark.parametrize(("columns", "expected"), [(80, WIDE), (40, NARROW)])
def test_interim_text_is_rewritten_and_final_text_stays(
    url: str, tmp_path: Path, columns: int, expected: list[str]
) -> None:
    shown = watch(url, tmp_path, columns=columns)
    assert shown.last == expected
    # It grows word by word in its place, and the final text takes that place.
    seen = list(dict.fromkeys(" ".join(picture) for picture in shown.pictures if picture))
    first, second = FIRST.split(), SECOND.split()
    growing = [" ".join(first[:count]) for count in range(1, len(first) + 1)]
    growing += [" ".join([FIRST, *second[:count]]) for count in range(1, len(second) + 1)]
    assert seen == growing


def test_without_colour_nothing_is_coloured(url: str, tmp_path: Path) -> None:
    shown = watch(url, tmp_path, NO_COLOR="1")
    assert shown.last == WIDE
    assert "\x1b[2K" in shown.written
    assert "\x1b[3" not in shown.written


def test_dumb_terminal_gets_final_lines_and_no_codes(url: str, tmp_path: Path) -> None:
    shown = watch(url, tmp_path, TERM="dumb", columns=40)
    assert shown.written == f"{FIRST}\r\n{SECOND}\r\n"


def test_cursor_is_there_again_at_the_end(url: str, tmp_path: Path) -> None:
    shown = watch(url, tmp_path)
    assert shown.written.rindex("\x1b[?25h") > shown.written.rindex("\x1b[?25l")


def test_interim_text_that_is_higher_than_the_terminal_shows_its_end(
    url: str, tmp_path: Path
) -> None:
    shown = watch(url, tmp_path, columns=12, lines=3)
    assert ["acknowledged", "by all of"] in shown.pictures
    assert shown.last[-1] == "it may be."
    # Nothing of it is left behind in what has scrolled away.
    settled = "It is a \r\ntruth \r\nuniversally \r\nacknowledged\r\nby all of \r\nus.\r\n"
    assert settled in shown.written
    assert shown.written.replace(settled, "").count("truth") == 2


def test_file_is_written_while_the_terminal_shows_the_text(url: str, tmp_path: Path) -> None:
    captions = tmp_path / "talk.srt"
    shown = watch(url, tmp_path, "-o", str(captions), "--stats")
    assert shown.last[:2] == WIDE
    assert "1.0 s of audio sent" in shown.last[2]
    assert captions.read_text().startswith("1\n00:00:00,000 --> ")


def test_warnings_stand_above_the_interim_text(tmp_path: Path) -> None:
    async def stumble(connection: ServerConnection) -> None:
        await connection.recv()
        await connection.send(results("Hello", is_final=False))
        await connection.send('{"type": "Surprise"}')
        await connection.send(results("Hello you."))
        await read_until_close_stream(connection)
        await connection.send(metadata())

    with in_background(websocket_server(stumble)) as address:
        shown = watch(address, tmp_path)
    warning = "Warning: message of the unknown type 'Surprise'"
    assert shown.last == [warning, "Hello you."]
    assert [warning, "Hello"] in shown.pictures


def test_several_sources_are_printed_and_told_of_where_the_spinner_was(
    base_url: str, tmp_path: Path
) -> None:
    names = [str(write_wav(tmp_path / f"{name}.wav")) for name in "ab"]
    command = [*COMMAND, "--base-url", base_url, "transcribe", "--jobs", "1"]
    shown = run_in_terminal([*command, names[0], "nowhere.wav", names[1]], columns=100)
    assert shown.code == 3
    *lines, summary = shown.last
    assert lines == [
        f"==> {names[0]} <==",
        "Hello world. Good bye.",
        "Error: nowhere.wav: there is no file 'nowhere.wav'",
        f"==> {names[1]} <==",
        "Hello world. Good bye.",
    ]
    assert summary.startswith("2 transcribed (0:00:06 of audio), 1 failed, in ")
    assert any("Transcribing, 1 of 3 done" in line for line in shown.written.splitlines())


def test_columns_and_json_are_laid_out_and_steer_nothing() -> None:
    name = "Zo\u00eb\x1b[2J \u0645\u06cc\u200c\u0634\u0648\u062f"
    projects = {"projects": [{"project_id": "p-1", "name": name}, {"project_id": "p-2"}]}
    with answering(projects) as service:
        command = [*COMMAND, "--base-url", service.url, "projects"]
        shown = run_in_terminal(command)
        as_json = run_in_terminal([*command, "--json"])
    assert shown.last[0].split() == ["project", "name"]
    assert shown.last[-2].strip().startswith("p-1")
    assert "\x1b[2J" not in shown.written
    assert "\u06cc\u200c\u0634" in shown.written
    assert as_json.last[0] == "["
    assert '"project_id": "p-1",' in as_json.last[2]
