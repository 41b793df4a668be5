"""The formats as files, compared to the letter and read by other people's programs."""

import csv
import re
from pathlib import Path
from typing import Any

import msgspec
import pysubs2
import pytest
import webvtt

from deepgram_async.models.prerecorded import Transcription
from deepgram_async.transcript import Cue, Transcript, cues
from tests.transcript.goldens import FOLDER, conversation, goldens, styles

MADE = goldens()


def files(extension: str) -> list[Path]:
    return sorted(FOLDER.glob(f"*.{extension}"))


def own_cues(name: str) -> list[Cue]:
    source, options = styles()[name]
    made = Transcript.from_answer(source) if isinstance(source, Transcription) else source
    return cues(made, **options)


@pytest.mark.parametrize("name", MADE)
def test_a_transcript_is_written_as_it_was(name: str) -> None:
    assert MADE[name] == (FOLDER / name).read_text()


def test_no_file_is_left_over() -> None:
    assert {path.name for path in FOLDER.iterdir()} == set(MADE)


@pytest.mark.parametrize("path", files("vtt"), ids=lambda path: path.stem)
def test_webvtt_is_read_by_webvtt_py(path: Path) -> None:
    captions: list[Any] = webvtt.read(str(path)).captions
    expected = own_cues(path.stem)
    assert [caption.identifier for caption in captions] == [
        str(number) for number in range(1, len(expected) + 1)
    ]
    assert [(caption.start_in_seconds, caption.end_in_seconds) for caption in captions] == [
        (int(cue.start), int(cue.end)) for cue in expected
    ]
    assert [caption.voice and unescaped(caption.voice) for caption in captions] == [
        cue.name for cue in expected
    ]
    # It takes the tags out of the text and leaves the entities.
    assert [unescaped(caption.text) for caption in captions] == [cue.text for cue in expected]


@pytest.mark.parametrize("path", files("srt"), ids=lambda path: path.stem)
def test_subrip_is_read_by_pysubs2(path: Path) -> None:
    read = pysubs2.load(str(path), format_="srt", keep_unknown_html_tags=True)
    expected = own_cues(path.stem)
    assert [(event.start, event.end) for event in read] == [
        (round(cue.start * 1000), round(cue.end * 1000)) for cue in expected
    ]
    shown = [words_of(event.plaintext) for event in read]
    assert [
        words[-len(words_of(cue.text)) :] for words, cue in zip(shown, expected, strict=True)
    ] == [words_of(cue.text) for cue in expected]


@pytest.mark.parametrize("path", files("tsv"), ids=lambda path: path.stem)
def test_tsv_is_read_by_csv(path: Path) -> None:
    source, _ = styles()[path.stem]
    made = Transcript.from_answer(source) if isinstance(source, Transcription) else source
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file, dialect="excel-tab"))
    assert [(row["text"], float(row["start"]), int(row["channel"])) for row in rows] == [
        (said.text, said.start, said.channel) for said in made.utterances
    ]


@pytest.mark.parametrize("path", files("json"), ids=lambda path: path.stem)
def test_json_is_read_again(path: Path) -> None:
    source, _ = styles()[path.stem]
    assert msgspec.json.decode(path.read_text(), type=type(source)) == source


def test_a_stored_transcript_can_be_written_later() -> None:
    made = Transcript.from_answer(conversation())
    assert msgspec.json.decode(made.to_json(), type=Transcript) == made


def words_of(text: str) -> list[str]:
    return re.findall(r"\w+", text)


def unescaped(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
