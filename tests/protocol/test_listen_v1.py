from array import array
from collections.abc import Callable
from itertools import product
from typing import get_args

import pytest

from deepgram_async._protocol.listen_v1 import ListenV1Core
from deepgram_async._protocol.sockets import Close, State
from deepgram_async.errors import AudioSourceError, InvalidStateError
from deepgram_async.models.events import Malformed, Unknown
from deepgram_async.models.live import (
    ConfigureFailure,
    ConfigureSuccess,
    Error,
    ListenEvent,
    ListenMessage,
    Metadata,
    Results,
    SpeechStarted,
    UtteranceEnd,
)

PCM = {"encoding": "linear16", "sample_rate": 16000}
METADATA = (
    '{"type":"Metadata","transaction_key":"deprecated","request_id":"r-1","sha256":"e3b0c442",'
    '"created":"2024-08-29T22:37:55.202Z","duration":0.0,"channels":0}'
)


def results(extra: str = "") -> str:
    return (
        '{"type":"Results","channel_index":[0,1],"duration":3.08,"start":0.74,'
        '"channel":{"alternatives":[{"transcript":"Testing.","confidence":0.98,"words":[]}]},'
        '"metadata":{"request_id":"r-1","model_uuid":"u-1",'
        '"model_info":{"name":"2-general-nova","version":"2024-01-18","arch":"nova-3"}}'
        f"{extra}}}"
    )


def core(
    options: dict[str, object] | None = None,
    *,
    state: State = State.OPEN,
    keepalive_s: float | None = 4.0,
) -> ListenV1Core:
    """Return a core that has come to a state the regular way, at second 100."""
    made = ListenV1Core(
        PCM if options is None else options, now=100.0, keepalive_s=keepalive_s, request_id="r-1"
    )
    if state is not State.OPEN:
        made.end()
    if state is State.CLOSED:
        made.receive_close(Close(1000, ""))
    assert made.state is state
    return made


# What may be sent, and when: every operation in every state.

Operation = Callable[[ListenV1Core], str | bytes]
OPERATIONS: dict[str, Operation] = {
    "send audio": lambda it: it.send_audio(b"\x01\x02"),
    "finalize": lambda it: it.finalize(),
    "keep alive": lambda it: it.keep_alive(),
    "close stream": lambda it: it.end(),
}
FRAMES: dict[tuple[State, str], tuple[str | bytes, State]] = {
    (State.OPEN, "send audio"): (b"\x01\x02", State.OPEN),
    (State.OPEN, "finalize"): ('{"type":"Finalize"}', State.OPEN),
    (State.OPEN, "keep alive"): ('{"type":"KeepAlive"}', State.OPEN),
    (State.OPEN, "close stream"): ('{"type":"CloseStream"}', State.CLOSING),
}
ALL_STEPS = list(product(State, OPERATIONS))


@pytest.mark.parametrize(("state", "name"), [step for step in ALL_STEPS if step in FRAMES])
def test_a_legal_operation_returns_its_frame(state: State, name: str) -> None:
    stream = core(state=state)
    frame = OPERATIONS[name](stream)
    assert (frame, stream.state) == FRAMES[state, name]


@pytest.mark.parametrize(("state", "name"), [step for step in ALL_STEPS if step not in FRAMES])
def test_an_illegal_operation_is_refused_and_changes_nothing(state: State, name: str) -> None:
    stream = core(state=state)
    with pytest.raises(InvalidStateError) as caught:
        OPERATIONS[name](stream)
    assert caught.value.message == f"cannot {name}: stream is {state.value}"
    assert stream.state is state


# Sending.


def test_the_path_is_that_of_the_first_generation() -> None:
    assert ListenV1Core.PATH == "/v1/listen"
    assert ListenV1Core.OPERATION.endswith(ListenV1Core.PATH)


def test_one_channel_can_be_finalized() -> None:
    assert core().finalize(0) == '{"type":"Finalize","channel":0}'
    assert core().finalize(channel=1) == '{"type":"Finalize","channel":1}'


@pytest.mark.parametrize(
    "chunk",
    [b"\x01\x02", bytearray(b"\x01\x02"), memoryview(b"\x01\x02"), memoryview(b"_\x01\x02")[1:]],
)
def test_audio_of_any_bytes_type_becomes_bytes(chunk: bytes | bytearray | memoryview) -> None:
    frame = core().send_audio(chunk)
    assert type(frame) is bytes
    assert frame == b"\x01\x02"


def test_a_view_of_samples_becomes_their_bytes() -> None:
    samples = array("h", [1, -1])
    assert core().send_audio(memoryview(samples)) == samples.tobytes()


def test_a_buffer_may_change_after_it_was_handed_in() -> None:
    buffer = bytearray(b"\x01\x02")
    frame = core().send_audio(buffer)
    buffer[:] = b"\xff\xff"
    assert frame == b"\x01\x02"


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("chunk", [b"", bytearray(), memoryview(b"")])
def test_an_empty_chunk_is_refused_because_it_would_end_the_stream(
    chunk: bytes | bytearray | memoryview, state: State
) -> None:
    with pytest.raises(AudioSourceError, match="empty"):
        core(state=state).send_audio(chunk)


@pytest.mark.parametrize("chunk", ["text", None, 7, [1, 2], array("h", [1])])
def test_a_chunk_of_another_type_is_refused_by_its_name(chunk: bytes) -> None:
    with pytest.raises(AudioSourceError, match=f"not {type(chunk).__name__}"):
        core().send_audio(chunk)


# Counting audio.


@pytest.mark.parametrize(
    ("options", "seconds"),
    [
        ({"encoding": "linear16", "sample_rate": 16000}, 1.0),
        ({"encoding": "linear16", "sample_rate": 16000, "channels": 2}, 0.5),
        ({"encoding": "linear16", "sample_rate": 16000, "channels": None}, 1.0),
        ({"encoding": "linear32", "sample_rate": 8000}, 1.0),
        ({"encoding": "mulaw", "sample_rate": 8000}, 4.0),
        ({"encoding": "alaw", "sample_rate": 8000}, 4.0),
        ({"encoding": "opus", "sample_rate": 16000}, None),
        ({"encoding": "linear16"}, None),
        ({"encoding": "linear16", "sample_rate": "16000"}, None),
        ({"encoding": "linear16", "sample_rate": 16000, "channels": "2"}, None),
        ({"sample_rate": 16000}, None),
        ({}, None),
    ],
)
def test_seconds_are_told_where_the_format_tells(
    options: dict[str, object], seconds: float | None
) -> None:
    stream = core(options)
    stream.frame_sent(stream.send_audio(bytes(32000)), 101.0)
    assert stream.audio_sent_s == seconds
    assert stream.audio_bytes_sent == 32000


def test_audio_counts_when_it_is_written_and_not_before() -> None:
    stream = core()
    frame = stream.send_audio(bytes(32000))
    assert stream.audio_sent_s == 0.0
    stream.frame_sent(frame, 101.0)
    stream.frame_sent(frame, 102.0)
    assert stream.audio_sent_s == 2.0


def test_text_frames_are_no_audio() -> None:
    stream = core()
    stream.frame_sent(stream.finalize(), 101.0)
    assert stream.audio_bytes_sent == 0


# KeepAlive.


def test_the_first_keep_alive_is_due_a_pause_after_the_start() -> None:
    assert core(keepalive_s=4.0).deadline == 104.0


@pytest.mark.parametrize("frame", [b"\x00\x00", '{"type":"Finalize"}', '{"type":"KeepAlive"}'])
def test_every_frame_moves_the_deadline(frame: str | bytes) -> None:
    stream = core(keepalive_s=4.0)
    stream.frame_sent(frame, 103.5)
    assert stream.deadline == 107.5


@pytest.mark.parametrize("now", [104.0, 104.001, 500.0])
def test_a_keep_alive_is_returned_when_it_is_due(now: float) -> None:
    assert core(keepalive_s=4.0).on_deadline(now) == '{"type":"KeepAlive"}'


def test_nothing_is_returned_before_that() -> None:
    assert core(keepalive_s=4.0).on_deadline(103.999) is None


def test_nothing_is_returned_when_something_was_sent_meanwhile() -> None:
    stream = core(keepalive_s=4.0)
    stream.frame_sent(b"\x00\x00", 103.0)
    assert stream.on_deadline(104.0) is None


def test_a_pause_of_nothing_sends_no_keep_alive() -> None:
    stream = core(keepalive_s=None)
    assert stream.deadline is None
    assert stream.on_deadline(1000.0) is None


@pytest.mark.parametrize("state", [State.CLOSING, State.CLOSED])
def test_an_ending_stream_needs_no_keep_alive(state: State) -> None:
    stream = core(state=state)
    assert stream.deadline is None
    assert stream.on_deadline(1000.0) is None


# Receiving.


@pytest.mark.parametrize(
    ("frame", "kind"),
    [
        (results(), Results),
        ('{"type":"SpeechStarted","channel":[0,1],"timestamp":91.2}', SpeechStarted),
        ('{"type":"UtteranceEnd","channel":[0,2],"last_word_end":3.1}', UtteranceEnd),
        (METADATA, Metadata),
        (
            '{"type":"ConfigureSuccess","request_id":"r-1","keyterms":["Deepgram"]}',
            ConfigureSuccess,
        ),
        (
            '{"type":"ConfigureFailure","request_id":"r-1","code":"BUSY","description":"wait"}',
            ConfigureFailure,
        ),
        ('{"type":"Error","variant":"SchemaError","description":"bad","message":"?"}', Error),
        ('{"type":"Applause","volume":11}', Unknown),
        ('{"type":"SpeechStarted","channel":[0,1],"timestamp":"now"}', Malformed),
        ("not json", Malformed),
        (b"\x00\xff", Malformed),
    ],
)
@pytest.mark.parametrize("state", State)
def test_every_message_is_an_event_in_every_state(
    frame: str | bytes, kind: type[ListenEvent], state: State
) -> None:
    stream = core(state=state)
    assert type(stream.receive(frame)) is kind
    assert stream.state is state


def test_a_broken_message_of_every_known_type_is_malformed_and_not_unknown() -> None:
    for kind in get_args(ListenMessage):
        event = core().receive(f'{{"type":"{kind.__name__}","channel":7,"request_id":7,"code":7}}')
        assert type(event) is Malformed, kind


@pytest.mark.parametrize(
    ("extra", "is_expendable"),
    [("", True), (',"is_final":false', True), (',"is_final":true', False)],
)
def test_only_interim_results_are_superseded_by_later_ones(extra: str, is_expendable: bool) -> None:
    assert ListenV1Core.is_expendable(core().receive(results(extra))) is is_expendable


@pytest.mark.parametrize("frame", [METADATA, '{"type":"Applause"}', "not json"])
def test_other_events_are_never_superseded(frame: str) -> None:
    assert not ListenV1Core.is_expendable(core().receive(frame))


# The end.


@pytest.mark.parametrize("code", [1000, 1001, 1005])
def test_a_regular_close_after_the_closing_message_is_the_end(code: int) -> None:
    stream = core(state=State.CLOSING)
    stream.receive_close(Close(code, ""))
    assert stream.state is State.CLOSED
    assert stream.close_error is None


def test_a_regular_close_before_the_closing_message_left_is_a_loss() -> None:
    stream = core(state=State.CLOSING)
    stream.receive_close(Close(1000, ""), is_all_sent=False)
    assert stream.close_error is not None
    assert stream.close_error.retryable


def following(stream: ListenV1Core, audio: bytes, **options: object) -> ListenV1Core:
    """Return the protocol of a connection that was asked to end after some audio."""
    connection = ListenV1Core(options, now=0.0, keepalive_s=None)
    connection.follow(stream, 0)
    if audio:
        connection.frame_sent(connection.send_audio(audio), 0.0)
    connection.end()
    return connection


RAW = {"encoding": "mulaw", "sample_rate": 8000}


@pytest.mark.parametrize("code", [1000, 1001, 1005])
def test_one_connection_of_several_that_ends_before_the_last_message_is_lost(code: int) -> None:
    stream = core()
    first, second = following(stream, b"audio", **RAW), following(stream, b"audio", **RAW)
    first.receive_close(Close(code, ""))
    assert first.close_error is not None
    assert first.close_error.retryable
    second.receive_close(Close(code, ""))
    assert second.close_error is None, "the service has no last message"


def test_one_connection_of_several_that_said_everything_has_ended() -> None:
    connection = following(core(), b"audio", **RAW)
    connection.receive(METADATA)
    connection.receive_close(Close(1000, ""))
    assert connection.close_error is None


@pytest.mark.parametrize(
    ("audio", "options"), [(b"", RAW), (b"audio", {})], ids=["no audio", "a container"]
)
def test_an_early_end_is_believed_where_nothing_can_be_missing_or_said_again(
    audio: bytes, options: dict[str, object]
) -> None:
    connection = following(core(), audio, **options)
    connection.receive_close(Close(1000, ""))
    assert connection.close_error is None


@pytest.mark.parametrize("code", [1002, 1006, 1008, 1009, 1011])
def test_any_close_after_the_last_message_is_the_end(code: int) -> None:
    stream = core(state=State.CLOSING)
    stream.receive(METADATA)
    stream.receive_close(Close(code, ""))
    assert stream.close_error is None


@pytest.mark.parametrize("code", [1002, 1006, 1008, 1009, 1011])
def test_an_irregular_close_before_it_is_an_error(code: int) -> None:
    stream = core(state=State.CLOSING)
    stream.receive(results(',"is_final":true'))
    stream.receive_close(Close(code, ""))
    assert stream.close_error is not None
    assert stream.close_error.close_code == code


@pytest.mark.parametrize("code", [1000, 1001, 1005, 1006, 1008, 1011])
@pytest.mark.parametrize("frames", [[], [METADATA]], ids=["nothing said", "metadata said"])
def test_a_close_that_nobody_asked_for_is_an_error(code: int, frames: list[str]) -> None:
    stream = core()
    for frame in frames:
        stream.receive(frame)
    stream.receive_close(Close(code, ""))
    assert stream.state is State.CLOSED
    assert stream.close_error is not None


@pytest.mark.parametrize(
    ("code", "retryable"),
    [
        (1000, True),
        (1001, True),
        (1002, False),
        (1003, False),
        (1005, True),
        (1006, True),
        (1007, False),
        (1008, False),
        (1009, False),
        (1011, True),
        (1012, True),
        (1013, True),
    ],
)
def test_the_error_tells_whether_another_connection_would_help(code: int, retryable: bool) -> None:
    stream = core()
    stream.receive_close(Close(code, ""))
    assert stream.close_error is not None
    assert stream.close_error.retryable is retryable


@pytest.mark.parametrize(
    ("code", "reason", "net_code", "words"),
    [
        (1008, "See https://dpgr.am/data0000", "DATA-0000", "encoding="),
        (1011, "See https://dpgr.am/net0000", "NET-0000", "too little audio"),
        (1011, "See https://dpgr.am/net0001", "NET-0001", "keepalive"),
        (1011, "no_audio_timeout NET-0002", "NET-0002", "send audio"),
    ],
)
def test_the_error_tells_what_the_service_said(
    code: int, reason: str, net_code: str, words: str
) -> None:
    stream = core()
    stream.frame_sent(stream.send_audio(bytes(16000)), 101.0)
    stream.receive_close(Close(code, reason))
    error = stream.close_error
    assert error is not None
    assert (error.close_code, error.close_reason, error.net_code) == (code, reason, net_code)
    assert (error.operation, error.request_id, error.audio_sent_s) == (
        "WebSocket /v1/listen",
        "r-1",
        0.5,
    )
    assert words in (error.hint or "")


def test_only_the_first_close_counts() -> None:
    stream = core()
    stream.receive_close(Close(1011, "first"))
    stream.receive_close(Close(1006, "second"))
    assert stream.close_error is not None
    assert stream.close_error.close_reason == "first"


def test_a_stream_that_ended_regularly_cannot_be_lost_any_more() -> None:
    stream = core(state=State.CLOSED)
    stream.receive_close(Close(1006, "gone"))
    assert stream.close_error is None
