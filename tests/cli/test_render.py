import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.audio import write_wav
from tests.cli.conftest import Result

Dga = Callable[..., Result]


@pytest.fixture
def answer(dga: Dga, tmp_path: Path) -> Path:
    """A saved answer."""
    recording = write_wav(tmp_path / "talk.wav")
    saved = tmp_path / "talk.json"
    saved.write_text(dga("transcribe", str(recording), "--json", "-p", "diarize_model=latest").out)
    return saved


def test_saved_answer_becomes_captions_without_key_or_service(dga: Dga, answer: Path) -> None:
    result = dga("render", str(answer), "-f", "srt", key=None, url="")
    assert (result.code, result.err) == (0, "")
    assert result.out.startswith("1\n00:00:00,200 --> ")
    assert "Hello world." in result.out


def test_names_of_speakers_can_be_given_and_left_out(dga: Dga, answer: Path) -> None:
    body = json.loads(answer.read_text())
    for word in body["results"]["channels"][0]["alternatives"][0]["words"]:
        word["speaker"] = 0
    answer.write_text(json.dumps(body))
    named = dga("render", str(answer), "--speaker-name", "0=Ann")
    assert named.out == "Ann: Hello world. Good bye.\n"
    assert dga("render", str(answer), "--no-speakers").out == "Hello world. Good bye.\n"


def test_page_finds_its_audio_from_where_it_is_written(dga: Dga, tmp_path: Path) -> None:
    recording = write_wav(tmp_path / "the talk: 50%.wav")
    page = tmp_path / "pages" / "talk.html"
    page.parent.mkdir()
    assert dga("transcribe", str(recording), "-o", str(page)).code == 0
    assert ' src="../the%20talk%3A%2050%25.wav"' in page.read_text()
    assert "<title>the talk: 50%</title>" in page.read_text()


def test_audio_can_be_put_into_a_page(dga: Dga, answer: Path) -> None:
    recording = answer.with_suffix(".wav")
    flags = ["-f", "html", "--title", "A talk", "--audio", str(recording), "--embed-audio"]
    result = dga("render", str(answer), *flags)
    assert (result.code, result.err) == (0, "")
    assert ' src="data:audio/wav;base64,UklGR' in result.out
    assert "<h1>A talk</h1>" in result.out


def test_page_of_a_saved_answer_plays_what_is_named(dga: Dga, answer: Path) -> None:
    command = ["render", str(answer), "-f", "html"]
    assert ' src="' not in dga(*command).out
    url = "https://example.com/talk.mp3?a=1&b=2"
    assert f' src="{url.replace("&", "&amp;")}"' in dga(*command, "--audio", url).out


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--embed-audio"], "needs a file of audio"),
        (["--embed-audio", "--audio", "nowhere.wav"], "needs a file of audio, not nowhere.wav"),
        (["--embed-audio", "--audio", "http://127.0.0.1/a.wav"], "needs a file of audio"),
        (["other.json", "--audio", "a.wav"], "--audio belongs to one source"),
    ],
)
def test_audio_that_no_page_can_have_is_a_usage_error(
    dga: Dga, answer: Path, tmp_path: Path, flags: list[str], message: str
) -> None:
    result = dga("render", str(answer), "-f", "html", "-o", f"{tmp_path}/out/", *flags)
    assert (result.code, result.out) == (2, "")
    assert message in result.err


def test_several_answers_are_written_into_a_directory_once(dga: Dga, answer: Path) -> None:
    other = answer.with_name("other.json")
    other.write_text(answer.read_text())
    out = answer.parent / "out"
    command = ["render", str(answer), str(other), "-f", "md,vtt", "-o", str(out)]
    result = dga(*command)
    assert (result.code, result.out, result.err) == (0, "", "")
    assert sorted(path.name for path in out.iterdir()) == [
        "other.md",
        "other.vtt",
        "talk.md",
        "talk.vtt",
    ]
    again = dga(*command)
    assert again.code == 0
    assert "talk.json is skipped" in again.err


def test_messages_of_a_stream_become_a_transcript(dga: Dga, tmp_path: Path) -> None:
    recording = write_wav(tmp_path / "talk.wav")
    events = tmp_path / "events.jsonl"
    events.write_text(dga("live", str(recording), "--json", "--realtime", "30").out)
    assert dga("render", str(events)).out == "Hello world. Good bye.\n"
    assert dga("render", str(events), "-f", "srt").out.startswith("1\n00:00:00,200 --> ")


def test_transcript_of_a_stream_can_be_rendered_again(
    dga: Dga, answer: Path, tmp_path: Path
) -> None:
    recording = write_wav(tmp_path / "talk.wav")
    events = tmp_path / "events.jsonl"
    events.write_text(dga("live", str(recording), "--json", "--realtime", "30").out)
    kept = tmp_path / "kept.json"
    assert dga("render", str(events), "-o", str(kept)).code == 0
    assert dga("render", str(kept)).out == dga("render", str(events)).out


def test_answer_comes_from_standard_input(
    dga: Dga, answer: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(answer.read_text()))
    assert dga("render", "-").out == "Hello world. Good bye.\n"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("not JSON", "JSON is malformed"),
        ("[1, 2]", "got `array`"),
        ('{"type": "Other"}', "no message has text"),
        ('{"metadata": 1, "results": 1}', "got `int` - at `$.metadata`"),
    ],
)
def test_what_is_no_answer_is_a_usage_error(
    dga: Dga, tmp_path: Path, text: str, reason: str
) -> None:
    path = tmp_path / "other.json"
    path.write_text(text)
    result = dga("render", str(path))
    assert (result.code, result.out) == (2, "")
    assert "is neither a saved answer (" in result.err
    assert ") nor what live printed with --json (" in result.err
    assert reason in result.err
