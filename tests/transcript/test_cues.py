import pytest

from deepgram_async.models.common import Word
from deepgram_async.models.prerecorded import Transcription
from deepgram_async.transcript import (
    LiveCaptions,
    LiveCues,
    Transcript,
    cues,
    render,
)
from tests.support.transcripts import answer, final, recorded, spoken, turn


def shown(words: list[Word] | str, **options: object) -> list[str]:
    """Return the texts of the captions, with a bar for a line break."""
    text = render(of(words), "vtt", **options)  # type: ignore[arg-type]
    return ["|".join(block.split("\n")[2:]) for block in text.rstrip("\n").split("\n\n")[1:]]


def of(words: list[Word] | str) -> Transcript:
    return Transcript.from_answer(answer(spoken(words) if isinstance(words, str) else words))


def times(words: list[Word] | str, **options: float) -> list[tuple[float, float]]:
    return [(cue.start, cue.end) for cue in cues(of(words), **options)]  # type: ignore[arg-type]


# Where captions end.


def test_a_sentence_has_a_caption_for_itself() -> None:
    assert shown("This is the very first of them. And this is one more.") == [
        "This is the very first of them.",
        "And this is one more.",
    ]


def test_short_sentences_share_a_caption() -> None:
    assert shown("Yes. I do. I know him very well.") == ["Yes. I do. I know him very well."]


def test_a_long_sentence_is_cut_at_a_comma() -> None:
    assert shown(
        "When the rain had stopped at last and we could leave the house, nobody wanted to go any "
        "more because it had become dark."
    ) == [
        "When the rain had stopped at last|and we could leave the house,",
        "nobody wanted to go any more|because it had become dark.",
    ]


def test_a_long_sentence_without_commas_is_cut_at_a_pause() -> None:
    text = (
        "when the rain had stopped and we could leave ~0.9 nobody wanted to go any more because "
        "it had become dark"
    )
    assert [line.replace("|", " ") for line in shown(text)] == [
        "when the rain had stopped and we could leave",
        "nobody wanted to go any more because it had become dark",
    ]


def test_a_silence_behind_a_sentence_begins_a_caption() -> None:
    assert shown("Yes. ~1 No.") == ["Yes.", "No."]
    assert shown("Yes. ~0.9 No.") == ["Yes. No."]
    assert shown("Yes. ~0.9 No.", pause_s=0.5) == ["Yes.", "No."]


def test_a_silence_inside_of_a_sentence_has_to_be_twice_as_long() -> None:
    assert shown("you could miss ~1.9 it") == ["you could miss it"]
    assert shown("you could miss ~2 it") == ["you could miss", "it"]


def test_a_caption_does_not_end_with_an_article() -> None:
    text = (
        "she had been thinking about the strange old man that she had met in the park on the hill"
    )
    for block in shown(text, line_length=24):
        for line in block.split("|"):
            assert line.split()[-1] not in ("the", "in", "on")


def test_another_speaker_begins_a_caption() -> None:
    words = [*spoken("Ready?", speaker=7), *spoken("Yes.", start=0.4, speaker=2)]
    assert shown(words) == ["<v Speaker 7>Ready?", "<v Speaker 2>Yes."]


def test_speakers_can_be_left_out() -> None:
    words = [*spoken("Ready?", speaker=7), *spoken("Yes.", start=0.4, speaker=2)]
    assert shown(words, speakers=False) == ["Ready?", "Yes."]


def test_a_name_counts_as_part_of_its_line() -> None:
    made = render(
        of(spoken("He said that he would come.", speaker=0)),
        "srt",
        line_length=20,
        speaker_names={0: "Christopher"},
    )
    assert made.split("\n")[2:4] == ["Christopher: He said", "that he would come."]


def test_subrip_names_a_speaker_once_and_again_after_another_one() -> None:
    words = [
        *spoken("One. ~2 Two.", speaker=0),
        *spoken("~3 Three.", start=3.0, speaker=1),
        *spoken("Four.", start=7.0, speaker=0),
    ]
    texts = render(of(words), "srt").split("\n")[2::4]
    assert texts == ["Speaker 0: One.", "Two.", "Speaker 1: Three.", "Speaker 0: Four."]


def test_subrip_names_every_caption_of_several_channels() -> None:
    made = Transcript.from_answer(answer(spoken("One. ~2 Two."), spoken("~9 Three.", speaker=4)))
    texts = render(made, "srt", channel_names={0: "Ann"}).split("\n")[2::4]
    assert texts == ["Ann: One.", "Ann: Two.", "Channel 1, Speaker 4: Three."]


def test_a_single_word_fits_any_limit() -> None:
    made = of("extraordinarily incomprehensible")
    texts = [cue.text for cue in cues(made, line_length=5, max_duration_s=0.1, min_duration_s=0.1)]
    assert texts == ["extraordinarily", "incomprehensible"]


# From when to when.


def test_a_caption_stays_for_the_shortest_time() -> None:
    assert times("Yes.") == [(0.0, 1.0)]
    assert times("Yes.", min_duration_s=3.0) == [(0.0, 3.0)]


def test_a_caption_stays_until_it_can_be_read() -> None:
    assert times("Yesterday. ~4 No.", characters_per_second=4.0) == [(0.0, 2.5), (4.4, 5.4)]


def test_a_caption_gives_way_to_the_next_one_after_a_gap() -> None:
    assert times("Yes. ~1 No. ~1 Yes.", min_duration_s=2.0, min_gap_s=0.2) == [
        (0.0, 1.2),
        (1.4, 2.6),
        (2.8, 4.8),
    ]


def test_a_caption_that_is_shorter_than_the_gap_keeps_half_of_its_time() -> None:
    words = [*spoken("Ready?", speaker=0), *spoken("Yes.", start=0.4, speaker=1)]
    assert times(words, min_gap_s=1.0)[0] == (0.0, 0.2)


def test_a_caption_stays_no_longer_than_the_longest_time() -> None:
    slow = [Word(word="well", start=0.0, end=20.0, confidence=1.0)]
    assert times(slow) == [(0.0, 7.0)]
    assert times("Yes.", min_duration_s=1.0, max_duration_s=1.0, characters_per_second=0.5) == [
        (0.0, 1.0)
    ]


def test_captions_that_begin_together_are_told_apart() -> None:
    words = [*spoken("Ready?", speaker=0), *spoken("Yes.", speaker=1)]
    assert times(words) == [(0.0, 0.001), (0.0, 1.0)]


def test_times_are_whole_milliseconds_and_never_negative() -> None:
    noisy = [Word(word="noise", start=-0.01, end=0.79999995, confidence=1.0)]
    assert times(noisy, min_duration_s=0.0) == [(0.0, 0.8)]


# While a stream runs.


def test_a_caption_comes_when_its_sentence_is_settled_and_silence_follows() -> None:
    live = LiveCues()
    assert live.add(final("This is the very first of them.", end=2.8)) == []
    (cue,) = live.add(final("", 2.8, 3.2))
    assert (cue.text, cue.start, cue.end) == ("This is the very first of them.", 0.0, 2.8)
    assert live.finish() == []


def test_a_caption_comes_when_the_next_one_begins() -> None:
    live = LiveCues()
    live.add(final("This is the very first of them.", end=2.8))
    (cue,) = live.add(final("And", 2.8))
    assert (cue.text, cue.end) == ("This is the very first of them.", 2.72)


def test_a_caption_waits_for_a_channel_that_may_say_something_earlier() -> None:
    live = LiveCues()
    first = final(spoken("This is the first."), 0.0, 9.0, channel=(0, 2))
    assert live.add(first) == []
    # Nothing before 0.2 s was said there, so what was said at 0.0 is the first.
    (cue,) = live.add(final(spoken("And I", start=0.2), 0.2, 1.0, channel=(1, 2)))
    assert cue.text == "This is the first."
    assert [cue.text for cue in live.finish()] == ["And I"]


def test_captions_that_begin_in_the_same_millisecond_are_sorted_by_their_channels() -> None:
    live = LiveCues()
    words = spoken("Hello?", start=1.0713)
    assert live.add(final(words, 0.0, 5.0, channel=(1, 2))) == []
    assert live.add(final([], 0.0, 1.0713, channel=(0, 2))) == []
    came = live.add(final(words, 1.0713, 5.0, channel=(0, 2)))
    assert [cue.channel for cue in came] == [0, 1]


def test_a_channel_that_says_nothing_does_not_hold_up_the_others_for_ever() -> None:
    live = LiveCues()
    assert live.add(final(spoken("Hello?"), 0.0, 25.0, channel=(0, 2))) == []
    (cue,) = live.add(final([], 25.0, 50.0, channel=(0, 2)))
    assert cue.text == "Hello?"


def test_turns_have_captions() -> None:
    live = LiveCaptions("srt")
    text = live.add(turn("StartOfTurn", "Hi", 0.4))
    text += live.add(turn("EndOfTurn", "Hi there.", 0.8))
    # Silence is known to be silence two seconds later.
    text += live.add(turn("Update", "", 4.0, index=1))
    assert text == "1\n00:00:00,000 --> 00:00:01,000\nHi there.\n\n"
    assert live.finish() == ""


def test_the_head_of_webvtt_comes_once_with_the_first_event() -> None:
    live = LiveCaptions("vtt")
    assert live.add(final("Hi")) == "WEBVTT\n\n"
    assert live.finish() == "1\n00:00:00.000 --> 00:00:01.000\nHi\n\n"


# Real answers, as a person would divide them.

DIVIDED = (
    """
    We, the people of the United States,|in order to form a more perfect union,
    establish justice,|ensure domestic tranquility,
    provide for the common defense,|promote the general welfare,
    and secure the blessings of liberty|to ourselves and our posterity
    to ordain and establish this constitution|for the United States of America.
    """,
    """
    Yep. I said it before,|and I'll say it again.
    Life moves pretty fast.
    You don't stop and look around once|in a while, you could miss it.
    """,
    """
    Yep.
    I said it before and I'll say it again.
    Life moves pretty fast.
    You don't stop and look around once|in a while, you could miss it.
    """,
)


@pytest.mark.parametrize("found", recorded())
def test_a_real_answer_is_divided_as_a_person_would(found: Transcription) -> None:
    made = [cue.text.replace("\n", "|").lower() for cue in cues(Transcript.from_answer(found))]
    assert made in [[line.strip().lower() for line in text.strip().split("\n")] for text in DIVIDED]
