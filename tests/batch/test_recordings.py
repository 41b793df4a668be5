"""What is found at places and in lists, and what it is called."""

import os
from pathlib import Path

import pytest

from deepgram_async.batch import FileItem, UrlItem, listed_recordings, recordings
from deepgram_async.errors import AudioSourceError


@pytest.fixture(autouse=True)
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("b.wav", "a.MP3", "2026/c.opus", "2026/notes.txt", ".trash/d.wav", "2026/.e.wav"):
        path = tmp_path / "calls" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def found(*places: str | os.PathLike[str]) -> list[tuple[str, str]]:
    return [(item.source, item.name) for item in recordings(*places)]


def test_a_directory_gives_its_audio_by_name() -> None:
    expected = [
        ("calls/2026/c.opus", "2026/c.opus"),
        ("calls/a.MP3", "a.MP3"),
        ("calls/b.wav", "b.wav"),
    ]
    assert found("calls") == found(Path("calls")) == expected
    absolute = Path("calls").absolute()
    assert [name for _, name in found(absolute)] == [name for _, name in expected]


def test_a_pattern_gives_what_is_like_it_of_whatever_kind() -> None:
    assert found("calls/**/*.opus") == [("calls/2026/c.opus", "2026/c.opus")]
    assert found("calls/2026/*") == [
        ("calls/2026/c.opus", "c.opus"),
        ("calls/2026/notes.txt", "notes.txt"),
    ]


def test_several_places_have_names_from_where_they_meet() -> None:
    assert found("calls/2026", "calls/b.wav", "https://example.com/x.mp3") == [
        ("calls/2026/c.opus", "2026/c.opus"),
        ("calls/b.wav", "b.wav"),
        ("https://example.com/x.mp3", "example.com/x.mp3"),
    ]


@pytest.mark.parametrize(
    ("place", "words"), [("nowhere", "no file or directory"), ("calls/*.flac", "nothing is like")]
)
def test_a_place_with_nothing_is_an_error(place: str, words: str) -> None:
    with pytest.raises(AudioSourceError, match=words):
        found("calls", place)


def test_a_directory_that_cannot_be_looked_into_is_an_error() -> None:
    Path("calls/z").mkdir()
    looking = recordings("calls")
    next(looking)
    Path("calls/z").rmdir()
    with pytest.raises(AudioSourceError, match="cannot look into 'calls/z'"):
        list(looking)


def test_a_name_with_the_letters_of_a_pattern_is_a_file() -> None:
    Path("calls/[1].wav").touch()
    assert found("calls/[1].wav") == [("calls/[1].wav", "[1].wav")]


def test_a_list_has_a_place_on_each_line() -> None:
    Path("calls/list.txt").write_text(
        "# ours\nb.wav\n\n  2026/c.opus  \nhttps://example.com/x.mp3\n"
    )
    assert list(listed_recordings("calls/list.txt")) == [
        FileItem("calls/b.wav", "b.wav"),
        FileItem("calls/2026/c.opus", "2026/c.opus"),
        UrlItem("https://example.com/x.mp3"),
    ]


def test_a_list_of_objects_has_names() -> None:
    Path("list.jsonl").write_text(
        '{"source": "calls/b.wav", "name": "customer-7"}\n{"source": "https://example.com/x"}\n'
    )
    assert list(listed_recordings("list.jsonl")) == [
        FileItem("calls/b.wav", "customer-7"),
        UrlItem("https://example.com/x"),
    ]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("list.jsonl", b'{"source": "a.wav"}\ncalls/b.wav\n', "line 2 of list.jsonl"),
        ("list.jsonl", b'{"name": "a.wav"}\n', "missing required field `source`"),
        ("list.txt", b"\xff\xfe\n", "line 1 of list.txt"),
    ],
)
def test_a_line_that_is_wrong_is_named(name: str, content: bytes, words: str) -> None:
    Path(name).write_bytes(content)
    with pytest.raises(AudioSourceError, match=words):
        list(listed_recordings(name))


def test_a_list_that_is_missing_is_an_error() -> None:
    with pytest.raises(AudioSourceError, match=r"cannot read the list nowhere\.txt: No such file"):
        list(listed_recordings("nowhere.txt"))


# Items.


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("calls/a.wav", "calls/a.wav"),
        ("./calls//a.wav", "calls/a.wav"),
        ("/data/a.wav", "data/a.wav"),
    ],
)
def test_a_file_is_named_by_its_path(path: str, name: str) -> None:
    assert FileItem(path).name == name


def test_a_file_above_is_named_from_the_root() -> None:
    assert FileItem("../x.wav").name == str(Path.cwd().parent / "x.wav").lstrip("/")


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://example.com/calls/a.mp3", "example.com/calls/a.mp3"),
        ("https://example.com/../../etc/a.mp3", "example.com/etc/a.mp3"),
        ("https://example.com/%2e%2e/a%3Fb.mp3", "example.com/a_b.mp3"),
        ("https://example.com", "example.com"),
    ],
)
def test_a_url_is_named_by_host_and_path(url: str, name: str) -> None:
    assert UrlItem(url).name == name


def test_urls_that_differ_in_their_query_have_names_of_their_own() -> None:
    names = {UrlItem(f"https://example.com/get?id={number}").name for number in range(3)}
    assert len(names) == 3
    assert all(name.startswith("example.com/get-") for name in names)


async def test_what_is_secret_in_a_url_is_told_nowhere() -> None:
    item = UrlItem("https://user:secret@example.com/a.mp3?signature=secret")
    assert "secret" not in f"{item.source} {item.name} {item!r}"


async def test_a_signed_url_is_the_same_item_each_day() -> None:
    first, second = (
        UrlItem(f"https://example.com/a.mp3?signature={day}", version="etag-1") for day in "12"
    )
    assert await first.identity() == await second.identity()
    newer = UrlItem("https://example.com/a.mp3?signature=3", version="etag-2")
    assert await newer.identity() != await first.identity()
