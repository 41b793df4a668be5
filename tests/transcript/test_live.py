import tracemalloc
from collections.abc import Iterable

from deepgram_async.models.events import Malformed, Reconnected, Reconnecting, Stalled, Unknown
from deepgram_async.models.live import Metadata, SpeechStarted
from deepgram_async.transcript import LiveTranscript, TranscriptEvent
from tests.support.transcripts import final, interim, spoken, told, turn, utterance_end


def fed(*events: TranscriptEvent) -> LiveTranscript:
    transcript = LiveTranscript()
    for event in events:
        transcript.add(event)
    return transcript


def all_told(events: Iterable[TranscriptEvent]) -> list[str]:
    transcript = LiveTranscript()
    return [line for event in events for line in told(transcript.add(event))]


def reconnected(dropped_s: float = 0.0) -> Reconnected:
    return Reconnected(gap_s=1.0, replayed_s=1.0, dropped_s=dropped_s, attempts=1, request_id="r2")


# Settled words and those that may change.


def test_interim_words_grow_and_are_settled_by_a_final_result() -> None:
    assert all_told(
        [interim("We the"), interim("We the people"), final("We, the people", end=1.2)]
    ) == [
        "interim We the",
        "interim We the people",
        "final We, the people",
        "interim",
    ]


def test_an_interim_result_that_says_the_same_changes_nothing() -> None:
    transcript = fed(interim("We the", end=1.0))
    assert transcript.add(interim("We the", end=2.0)) == []


def test_an_empty_final_result_takes_interim_words_away() -> None:
    transcript = fed(interim("Hm", end=1.0))
    assert told(transcript.add(final("", 0.0, 1.0))) == ["interim"]
    assert told(transcript.finish()) == []
    assert transcript.so_far().text == ""


def test_a_final_result_may_end_before_the_last_interim_one_did() -> None:
    transcript = fed(interim("one two three four", end=1.6))
    assert told(transcript.add(final("one two", 0.0, 0.8))) == [
        "final one two",
        "interim three four",
    ]
    assert told(transcript.add(final("Three four.", 0.8, 1.6))) == ["final Three four.", "interim"]


def test_a_final_result_that_comes_twice_is_settled_once() -> None:
    transcript = fed(final("one two"))
    assert transcript.add(final("one two")) == []
    assert transcript.so_far().text == "one two"


def test_of_overlapping_final_results_only_new_words_are_settled() -> None:
    transcript = fed(final("one two three"))
    assert told(transcript.add(final("two three four", 0.4))) == ["final four"]


def test_a_word_that_was_cut_off_at_the_end_of_a_slice_comes_once() -> None:
    (word,) = spoken("people", start=1.0)
    cut_off = final([*spoken("We the"), word], end=1.1)
    whole = final(spoken("people of", start=1.0), end=1.8)
    transcript = fed(cut_off)
    assert told(transcript.add(whole)) == ["final of"]


def test_a_word_that_is_said_twice_comes_twice() -> None:
    transcript = fed(final("no"))
    assert told(transcript.add(final("no", 0.4))) == ["final no"]


def test_an_interim_result_that_was_overtaken_is_passed_over() -> None:
    transcript = fed(interim("one two three"), final("one two", end=0.8))
    assert transcript.add(interim("one to", end=0.8)) == []
    assert [word.text for word in transcript.interim_words] == ["three"]


def test_an_interim_result_shows_only_what_is_not_settled() -> None:
    transcript = fed(final("one two"))
    assert told(transcript.add(interim("one two three"))) == ["interim three"]


def test_interim_words_before_a_result_that_leaves_them_out_are_settled() -> None:
    transcript = fed(interim("one two"))
    assert told(transcript.add(final("five", 3.0))) == ["final one two", "interim", "final five"]


def test_what_is_left_at_the_end_is_settled_as_it_stands_and_once() -> None:
    transcript = fed(final("one"), interim("two", 0.4))
    assert told(transcript.finish()) == ["final two", "interim", "utterance one two"]
    assert transcript.finish() == []


# Utterances.


def test_an_utterance_is_all_final_results_up_to_speech_final() -> None:
    transcript = fed(interim("If"), final("If you"))
    assert told(transcript.add(final("see it.", 0.8, speech_final=True))) == [
        "final see it.",
        "utterance If you see it.",
    ]


def test_speech_final_without_words_ends_the_utterance() -> None:
    transcript = fed(final("Hello there."))
    assert told(transcript.add(final("", 0.8, 2.0, speech_final=True))) == [
        "utterance Hello there."
    ]


def test_an_utterance_end_ends_what_no_speech_final_has() -> None:
    transcript = fed(final("Hello there."))
    assert told(transcript.add(utterance_end(0.8))) == ["utterance Hello there."]


def test_an_utterance_end_after_speech_final_changes_nothing() -> None:
    transcript = fed(final("Hello.", speech_final=True))
    assert transcript.add(utterance_end(0.4)) == []


def test_an_utterance_end_that_comes_late_leaves_the_next_utterance_open() -> None:
    transcript = fed(final("Good bye. ~2 And", end=3.2))
    assert told(transcript.add(utterance_end(0.8))) == ["utterance Good bye."]
    assert [said.text for said in transcript.so_far().utterances] == ["Good bye.", "And"]


def test_an_utterance_end_waits_until_its_last_word_is_settled() -> None:
    transcript = fed(final("Good"), interim("by", 0.4))
    assert transcript.add(utterance_end(0.8)) == []
    assert told(transcript.add(final("bye. ~2 And", 0.4, 3.2))) == [
        "final bye. And",
        "interim",
        "utterance Good bye.",
    ]


def test_an_utterance_end_without_a_time_ends_all_that_is_settled() -> None:
    transcript = fed(final("Hello."))
    assert told(transcript.add(utterance_end(-1))) == ["utterance Hello."]


def test_an_utterance_has_one_speaker() -> None:
    words = spoken("How are you?", speaker=1) + spoken("Fine.", start=1.2, speaker=0)
    transcript = fed(final(words, speech_final=True))
    assert [(said.speaker, said.text) for said in transcript.so_far().utterances] == [
        (1, "How are you?"),
        (0, "Fine."),
    ]


# Channels.


def test_channels_are_settled_each_on_its_own_and_read_by_time() -> None:
    transcript = fed(
        final(spoken("Who is it?", start=1.0), 0.0, 3.0, channel=(1, 2), speech_final=True),
        final(spoken("Hello?"), 0.0, 1.0, channel=(0, 2), speech_final=True),
        interim(spoken("Me.", start=2.5), 1.0, 3.0, channel=(0, 2)),
    )
    heard = transcript.so_far()
    assert heard.channels == 2
    assert [(said.channel, said.text) for said in heard.utterances] == [
        (0, "Hello?"),
        (1, "Who is it?"),
    ]
    assert [(word.channel, word.text) for word in transcript.interim_words] == [(0, "Me.")]


# Connections.


def test_a_lost_connection_leaves_the_interim_words_until_they_come_anew() -> None:
    lost = Reconnecting(attempt=1, delay_s=0.5, reason="1006")
    assert all_told([final("one"), interim("to", 0.4), lost, reconnected(), final("two", 0.4)]) == [
        "final one",
        "interim to",
        "final two",
        "interim",
    ]


def test_audio_that_was_dropped_is_a_gap_and_ends_the_utterance() -> None:
    transcript = fed(final("one"), interim("two ~4 three", 0.4))
    assert told(transcript.add(reconnected(dropped_s=2.0))) == [
        "final two",
        "interim three",
        "utterance one two",
        "gap 0.4 2",
    ]
    assert told(transcript.add(final(spoken("Three.", start=4.8), 2.4))) == [
        "final Three.",
        "interim",
    ]
    (gap,) = transcript.so_far().gaps
    assert (gap.start, gap.duration) == (0.4, 2.0)


def test_what_has_no_text_changes_nothing() -> None:
    assert (
        all_told(
            [
                SpeechStarted(channel=[0, 1], timestamp=0.1),
                Unknown("Applause", b"{}"),
                Malformed(b"{", "it ends too early"),
                Stalled(silent_s=10.0, audio_s=10.0),
            ]
        )
        == []
    )


def test_the_account_of_the_stream_tells_its_length() -> None:
    account = Metadata(request_id="r9", sha256="00", created="now", duration=8.5, channels=1)
    heard = fed(final("one"), account).so_far()
    assert (heard.duration, heard.request_id) == (8.5, "r9")


# Turns of Flux.


def test_a_turn_is_settled_when_it_has_ended() -> None:
    assert all_told(
        [
            turn("Update", end=0.3),
            turn("StartOfTurn", "Hi", 0.8),
            turn("Update", "Hi I", 1.2),
            turn("EndOfTurn", "Hi I called.", 1.6),
            turn("Update", end=1.8, index=1),
        ]
    ) == [
        "interim Hi",
        "interim Hi I",
        "final Hi I called.",
        "interim",
        "utterance Hi I called.",
    ]


def test_an_eager_end_is_shown_and_taken_back() -> None:
    assert all_told(
        [
            turn("StartOfTurn", "Hi", 0.8),
            turn("EagerEndOfTurn", "Hi.", 0.8),
            turn("Update", "Hi.", 0.8),
            turn("TurnResumed", "Hi I", 1.2),
            turn("EagerEndOfTurn", "Hi I", 1.2),
            turn("EndOfTurn", "Hi I", 1.2),
        ]
    ) == [
        "interim Hi",
        "eager Hi.",
        "interim Hi I",
        "eager Hi I",
        "final Hi I",
        "interim",
        "utterance Hi I",
    ]


def test_a_turn_that_never_ended_is_not_lost() -> None:
    transcript = fed(turn("StartOfTurn", "Hi", 0.8))
    assert told(transcript.add(turn("StartOfTurn", "You", 2.0, index=1))) == [
        "final Hi",
        "interim",
        "utterance Hi",
        "interim You",
    ]
    assert told(transcript.finish()) == ["final You", "interim", "utterance You"]


def test_a_turn_begins_anew_under_its_number_after_a_lost_connection() -> None:
    assert all_told(
        [
            turn("StartOfTurn", "Hi", 0.8),
            reconnected(),
            turn("StartOfTurn", "Hi", 0.8),
            turn("EndOfTurn", "Hi there", 1.2),
        ]
    ) == ["interim Hi", "final Hi there", "interim", "utterance Hi there"]


# Cost.


def test_interim_results_are_not_kept() -> None:
    transcript = LiveTranscript()
    tracemalloc.start()
    for number in range(3000):
        transcript.add(interim(f"one two three four {number}", end=2.0))
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept < 50_000
    assert told(transcript.finish())[0] == "final one two three four 2999"


def test_a_live_transcript_tells_how_far_it_is() -> None:
    assert repr(fed(final("Hello."))) == "<LiveTranscript 1 utterances, 0.4 s>"
