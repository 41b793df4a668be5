"""Whatever a stream says on the way, every word comes once, and captions are those of the whole."""

import random
from itertools import pairwise

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deepgram_async.transcript import (
    Cue,
    FinalWords,
    InterimWords,
    LiveCaptions,
    LiveCues,
    LiveTranscript,
    TranscriptOptions,
    Utterance,
    cues,
    render,
)
from tests.transcript.streams import Stream, streams

OPTIONS = st.sampled_from(
    [
        TranscriptOptions(),
        TranscriptOptions(line_length=20, lines_per_cue=1, min_duration_s=0.0, min_gap_s=0.0),
        TranscriptOptions(line_length=32, max_duration_s=2.0, min_gap_s=0.2, pause_s=0.0),
        TranscriptOptions(line_length=8, lines_per_cue=4, characters_per_second=5),
        TranscriptOptions(speakers=False, min_duration_s=3.0),
    ]
)
many = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@many
@given(streams())
def test_every_word_is_settled_once_in_its_order(stream: Stream) -> None:
    transcript = LiveTranscript()
    changes = [change for event in stream.events for change in transcript.add(event)]
    changes += transcript.finish()
    for channel, words in enumerate(stream.words):
        expected = [(word.punctuated_word, word.start, word.end) for word in words]
        final = [
            word
            for change in changes
            if isinstance(change, FinalWords) and change.channel == channel
            for word in change.words
        ]
        said = [
            word
            for change in changes
            if isinstance(change, Utterance) and change.channel == channel
            for word in change.words
        ]
        assert [(word.text, word.start, word.end) for word in final] == expected
        assert said == final
    assert [said for said in changes if isinstance(said, Utterance)] == sorted(
        transcript.so_far().utterances, key=changes.index
    )
    assert transcript.interim_words == []


@many
@given(streams())
def test_interim_words_follow_the_settled_ones_and_changes_change_something(
    stream: Stream,
) -> None:
    transcript = LiveTranscript()
    shown: dict[int, InterimWords] = {}
    settled: dict[int, float] = {}
    for event in stream.events:
        for change in transcript.add(event):
            match change:
                case FinalWords():
                    settled[change.channel] = change.words[-1].end
                case InterimWords():
                    before = shown.get(change.channel)
                    assert change.words != (() if before is None else before.words)
                    shown[change.channel] = change
                case Utterance():
                    assert len({(word.channel, word.speaker) for word in change.words}) == 1
                case _:
                    raise AssertionError(f"nothing was lost: {change}")
    for channel, change in shown.items():
        for word in change.words:
            assert (word.start + word.end) / 2 >= settled.get(channel, 0.0) - 0.01


@many
@given(streams(), OPTIONS)
def test_live_captions_are_those_of_the_finished_transcript(
    stream: Stream, options: TranscriptOptions
) -> None:
    transcript = LiveTranscript()
    live = LiveCues(**options)
    srt, vtt = LiveCaptions("srt", **options), LiveCaptions("vtt", **options)
    came: list[Cue] = []
    texts = ["", ""]
    for event in stream.events:
        transcript.add(event)
        came += live.add(event)
        texts = [texts[0] + srt.add(event), texts[1] + vtt.add(event)]
    transcript.finish()
    came += live.finish()
    texts = [texts[0] + srt.finish(), texts[1] + vtt.finish()]
    assert came == cues(transcript.so_far(), **options)
    assert texts[0] == render(transcript, "srt", **options)
    # The head stands there even if no event ever came.
    assert texts[1] == render(transcript, "vtt", **options)


@many
@given(streams(), st.randoms(use_true_random=False))
def test_captions_keep_their_limits(stream: Stream, chance: random.Random) -> None:
    line_length = chance.choice([10, 20, 42])
    lines_per_cue = chance.choice([1, 2, 3])
    max_duration_s = chance.choice([2.0, 7.0])
    transcript = LiveTranscript()
    for event in stream.events:
        transcript.add(event)
    transcript.finish()
    made = cues(
        transcript.so_far(),
        line_length=line_length,
        lines_per_cue=lines_per_cue,
        max_duration_s=max_duration_s,
        min_gap_s=chance.choice([0.0, 0.08]),
    )
    assert [cue.start for cue in made] == sorted(cue.start for cue in made)
    for channel, words in enumerate(stream.words):
        track = [cue for cue in made if cue.channel == channel]
        assert [word.text for cue in track for word in cue.words] == [
            word.punctuated_word for word in words
        ]
        for cue in track:
            assert "".join(cue.text.split()) == "".join(word.text for word in cue.words)
            assert len({word.speaker for word in cue.words}) == 1
            if len(cue.words) > 1:
                assert len(cue.lines) <= lines_per_cue
                assert cue.words[-1].end - cue.words[0].start <= max_duration_s
            for line in cue.lines:
                # The words of the vocabulary have a column for each letter, but for two of them.
                width = len(line) + line.count("日") + line.count("本")
                assert width <= line_length or " " not in line
            assert 0.0009 < cue.end - cue.start <= max_duration_s + 0.0005
        for one, other in pairwise(track):
            assert one.end <= max(other.start, one.start + 0.001)
