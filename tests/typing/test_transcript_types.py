"""Read by the type checkers; running it only proves that the statements are true at run time."""

from collections.abc import Mapping
from typing import assert_never, assert_type

from deepgram_async.models.events import Unknown
from deepgram_async.models.flux import FluxEvent
from deepgram_async.models.live import ListenEvent
from deepgram_async.models.prerecorded import Transcription
from deepgram_async.transcript import (
    FORMATS,
    AudioGap,
    Cue,
    FinalWords,
    Format,
    FormatName,
    InterimWords,
    LiveCaptions,
    LiveCues,
    LiveTranscript,
    Segment,
    Transcript,
    TranscriptChange,
    TranscriptOptions,
    Utterance,
    Word,
    cues,
    find_format,
    render,
)


def told(change: TranscriptChange) -> str:
    """Handle every change: a class that is forgotten here is an error of the type checkers."""
    match change:
        case FinalWords() | InterimWords():
            return " ".join(word.text for word in assert_type(change.words, tuple[Word, ...]))
        case Utterance():
            return assert_type(change.text, str)
        case AudioGap():
            return str(assert_type(change.duration, float))
        case _:
            assert_never(change)


def listen(event: ListenEvent, other: FluxEvent) -> None:
    live = LiveTranscript()
    assert_type(live.add(event), list[TranscriptChange])
    assert_type(live.add(other), list[TranscriptChange])
    assert_type(live.so_far(), Transcript)
    assert_type(LiveCues(line_length=32).add(event), list[Cue])
    assert_type(LiveCaptions("srt", speaker_names={0: "Ann"}).add(other), str)
    LiveCaptions("text")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # has no captions


def read(answer: Transcription, transcript: Transcript, options: TranscriptOptions) -> None:
    assert_type(answer.to_srt(**options), str)
    assert_type(answer.to_vtt(line_length=32), str)
    assert_type(Transcript.from_answer(answer), Transcript)
    assert_type(transcript.utterances, tuple[Utterance, ...])
    assert_type(transcript.turns, list[Segment])
    assert_type(transcript.words[0].speaker, int | None)
    assert_type(cues(transcript, **options), list[Cue])
    render(answer, "vtt", line_lenght=3)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]  # misspelt


def test_changes_and_formats_are_typed() -> None:
    assert told(AudioGap(start=1.0, duration=2.5)) == "2.5"
    assert LiveTranscript().add(Unknown("Applause", b"{}")) == []
    assert_type(FORMATS, Mapping[FormatName, Format])
    assert assert_type(find_format("srt"), Format).name == "srt"
