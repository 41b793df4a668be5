"""The speaking socket of Flux voices, with a plain client."""

from __future__ import annotations

import re
from typing import Any

import pytest

from .helpers import Message, serving
from .speaking import CHARACTER_S, BrokenSynthesizer, HeldSynthesizer, Talk, talking

PATH = "/v2/speak"
VOICE = {"model": "flux-alexis-en"}
MS = CHARACTER_S * 1000
TURN = ["SpeechStarted", "audio", "Flushed", "SpeechMetadata"]


async def say_turn(talk: Talk, text: str) -> None:
    await talk.say("Speak", text=text)
    await talk.say("Flush")


async def hear_audio(talk: Talk, text: str) -> None:
    """Wait for the audio of a text."""
    while len(talk.audio) < len(text) * MS * 48:
        frame = await talk.socket.receive()
        if isinstance(frame.data, bytes):
            talk.audio += frame.data


async def test_a_session_has_the_documented_order() -> None:
    async with serving() as client, talking(client, PATH, **VOICE) as talk:
        request_id = client.noted.headers["dg-request-id"]
        await say_turn(talk, "Hello, world.")
        await say_turn(talk, "Again.")
        await talk.say("Close")
        messages = await talk.rest()
    assert talk.order == ["Connected", *TURN, *TURN, "SessionMetadata"]
    assert talk.code == 1000
    connected, started, flushed, metadata, *_, session = messages
    assert connected["request_id"] == request_id
    assert connected["model_name"] == "flux-alexis-en"
    assert re.fullmatch(r"dg_sp_[0-9a-f]{12}", started["speech_id"])
    assert flushed["speech_id"] == started["speech_id"]
    assert metadata == {
        "type": "SpeechMetadata",
        "speech_id": started["speech_id"],
        "audio_duration_ms": len("Hello, world.") * MS,
        "input_character_count": 13,
        "billable_character_count": 13,
        "controls_applied": {
            "pronunciations_applied": 0,
            "breaks_applied": 0,
            "pronunciation_warnings": 0,
        },
    }
    assert session == {
        "type": "SessionMetadata",
        "total_audio_duration_ms": len("Hello, world.Again.") * MS,
        "total_input_character_count": 19,
        "total_billable_character_count": 19,
    }
    assert len(talk.audio) == 48 * session["total_audio_duration_ms"]


async def test_texts_of_a_turn_are_joined_to_the_letter() -> None:
    async with serving() as client, talking(client, PATH, **VOICE) as talk:
        for text in ("Hello", ", ", "wor", "ld."):
            await talk.say("Speak", text=text)
        await talk.say("Flush")
        metadata = (await talk.until("SpeechMetadata"))[-1]
    assert metadata["input_character_count"] == 13


async def test_closing_speaks_a_turn_that_was_not_flushed() -> None:
    async with serving() as client, talking(client, PATH, **VOICE) as talk:
        await talk.say("Speak", text="Hello")
        await talk.say("Close")
        await talk.rest()
    assert talk.order == ["Connected", *TURN, "SessionMetadata"]


async def test_a_turn_waits_for_the_one_before() -> None:
    voice = HeldSynthesizer()
    async with serving(synthesizer=voice) as client, talking(client, PATH, **VOICE) as talk:
        await talk.say("Speak", text="First. Second. ")
        await hear_audio(talk, "First. ")
        await talk.say("Flush")
        await say_turn(talk, "Third.")
        voice.go_on.set()
        await talk.until("SpeechMetadata")
        await talk.until("SpeechMetadata")
    assert [kind for kind in talk.order if kind != "audio"] == [
        *[kind for kind in TURN if kind != "audio"][1:],
        *[kind for kind in TURN if kind != "audio"],
    ]


async def interrupted(offset_ms: int | None) -> tuple[Message, Talk]:
    voice = HeldSynthesizer()
    async with serving(synthesizer=voice) as client, talking(client, PATH, **VOICE) as talk:
        await say_turn(talk, "One. ")
        await talk.until("SpeechMetadata")
        talk.audio = b""
        await talk.say("Speak", text="First words. Second sentence.")
        await hear_audio(talk, "First words. ")
        offset: dict[str, Any] = {}
        if offset_ms is not None:
            offset["playback_offset"] = {"type": "time_ms", "value": offset_ms}
        await talk.say("Interrupt", **offset)
        await talk.say("Interrupt")
        await talk.until("Warning")
        voice.go_on.set()
        return (await talk.until("SpeechInterrupted"))[-1], talk


async def test_an_interruption_ends_the_turn_and_tells_what_was_heard() -> None:
    heard_ms = int(len("One. First ") * MS)
    message, talk = await interrupted(heard_ms)
    assert message["audio_played_ms"] == len("First ") * MS
    assert message["text_spoken"] == "First "
    assert message["text_remaining"] == "words. Second sentence."
    assert message["metadata"]["audio_duration_ms"] == len("First words. ") * MS
    assert "SpeechMetadata" not in talk.order[talk.order.index("Warning") :]


async def test_an_interruption_without_an_offset_tells_no_text() -> None:
    message, _ = await interrupted(None)
    assert message["audio_played_ms"] == len("First words. ") * MS
    assert not {"text_spoken", "text_remaining"} & message.keys()


async def test_after_an_interruption_the_next_turn_is_spoken() -> None:
    voice = HeldSynthesizer()
    async with serving(synthesizer=voice) as client, talking(client, PATH, **VOICE) as talk:
        await talk.say("Speak", text="First. Second. ")
        await hear_audio(talk, "First. ")
        await talk.say("Flush")
        await say_turn(talk, "Third.")
        await talk.say("Interrupt")
        voice.go_on.set()
        await talk.until("SpeechInterrupted")
        metadata = (await talk.until("SpeechMetadata"))[-1]
    assert metadata["audio_duration_ms"] == len("Third.") * MS


async def test_offsets_have_to_grow() -> None:
    voice = HeldSynthesizer()
    async with serving(synthesizer=voice) as client, talking(client, PATH, **VOICE) as talk:
        for text, offset in (("First. Second.", 500), ("Second.", 500)):
            await talk.say("Speak", text=text)
            await talk.say("Interrupt", playback_offset={"type": "time_ms", "value": offset})
        warning = (await talk.until("Warning"))[-1]
        voice.go_on.set()
    assert warning["code"] in ("INVALID_INTERRUPT_OFFSET", "INTERRUPT_IN_PROGRESS")


@pytest.mark.parametrize("kind", ["Interrupt", "Flush"])
async def test_without_a_turn_there_is_a_warning(kind: str) -> None:
    async with serving() as client, talking(client, PATH, **VOICE) as talk:
        await talk.say(kind)
        warning = (await talk.until("Warning"))[-1]
    assert warning["code"] == "NO_ACTIVE_SPEECH"


async def test_a_turn_without_words_ends_with_a_warning() -> None:
    async with serving() as client, talking(client, PATH, **VOICE) as talk:
        await say_turn(talk, "")
        messages = await talk.until("SpeechMetadata")
    assert [message["type"] for message in messages[1:]] == [
        "SpeechStarted",
        "Warning",
        "Flushed",
        "SpeechMetadata",
    ]
    assert messages[2]["code"] == "NO_SYNTHESIZABLE_TEXT"
    assert messages[-1]["audio_duration_ms"] == 0


async def test_the_speed_can_be_changed() -> None:
    async with serving() as client, talking(client, PATH, **VOICE) as talk:
        await talk.say("Configure", speed=1.25)
        success = (await talk.until("ConfigureSuccess"))[-1]
        await say_turn(talk, "Hello, world.")
        metadata = (await talk.until("SpeechMetadata"))[-1]
    assert success == {"type": "ConfigureSuccess", "applied": {"speed": 1.25}}
    assert metadata["audio_duration_ms"] == pytest.approx(13 * MS / 1.25, rel=0.01)


@pytest.mark.parametrize(
    ("speed", "code"), [(2.0, "SPEED_OUT_OF_RANGE"), (1.01, "SPEED_INCREMENT_INVALID")]
)
async def test_a_wrong_speed_changes_nothing(speed: float, code: str) -> None:
    async with serving() as client, talking(client, PATH, **VOICE) as talk:
        await talk.say("Configure", speed=speed)
        failure = (await talk.until("ConfigureFailure"))[-1]
        assert (failure["code"], failure["field"], failure["value"]) == (code, "speed", speed)
        await say_turn(talk, "Hello, world.")
        metadata = (await talk.until("SpeechMetadata"))[-1]
    assert metadata["audio_duration_ms"] == 13 * MS


async def test_pronunciations_are_counted() -> None:
    async with serving() as client, talking(client, PATH, **VOICE) as talk:
        await say_turn(talk, 'Take \\{"word":"it","pronounce":"it"\\} and \\{"word":1\\} go.')
        messages = await talk.until("SpeechMetadata")
    (warning,) = (message for message in messages if message["type"] == "Warning")
    assert warning["code"] == "PRONUNCIATION_WARNINGS"
    controls = messages[-1]["controls_applied"]
    assert (controls["pronunciations_applied"], controls["pronunciation_warnings"]) == (1, 1)
    assert messages[-1]["billable_character_count"] == len("Take it and  go.")


FATAL: dict[str, tuple[str | bytes, str, int]] = {
    "no JSON": ("Hello", "MESSAGE-0000", 1008),
    "an unknown command": ('{"type":"Sing"}', "DATA-0000", 1008),
    "a command without its text": ('{"type":"Speak"}', "DATA-0000", 1008),
    "audio": (b"audio", "DATA-0000", 1008),
    "a pause": ('{"type":"Speak","text":"Wait.\\\\{pause:500ms\\\\} Go. "}', "DATA-0002", 1008),
}


@pytest.mark.parametrize("case", FATAL)
async def test_what_cannot_be_done_is_an_error_and_a_close(case: str) -> None:
    frame, code, close_code = FATAL[case]
    async with serving() as client, talking(client, PATH, **VOICE) as talk:
        if isinstance(frame, str):
            await talk.socket.send_str(frame)
        else:
            await talk.socket.send_bytes(frame)
        messages = await talk.rest()
    assert (messages[-1]["type"], messages[-1]["code"]) == ("Error", code)
    assert talk.code == close_code


async def test_text_that_cannot_be_held_ends_the_stream() -> None:
    voice = HeldSynthesizer()
    async with (
        serving(synthesizer=voice, max_backlog_bytes=100) as client,
        talking(client, PATH, **VOICE) as talk,
    ):
        await talk.say("Speak", text="Second" + "x" * 90)
        await talk.say("Speak", text="x" * 10)
        error = (await talk.rest())[-1]
        voice.go_on.set()
    assert (error["code"], talk.code) == ("BIG-0000", 1009)


@pytest.mark.parametrize(
    ("setting", "code"), [("flux_timeout_s", "NET-0004"), ("speak_longest_s", "NET-0003")]
)
async def test_a_silent_or_old_stream_is_ended(setting: str, code: str) -> None:
    limit: dict[str, Any] = {setting: 0.05}
    async with serving(**limit) as client, talking(client, PATH, **VOICE) as talk:
        error = (await talk.rest())[-1]
    assert (error["type"], error["code"], talk.code) == ("Error", code, 1011)


async def test_a_ping_is_a_sign_of_life() -> None:
    async with serving(flux_timeout_s=2.0) as client, talking(client, PATH, **VOICE) as talk:
        await talk.until("Connected")
        # Longer in all than a silent stream lives.
        for _ in range(23):
            await talk.socket.ping()
            with pytest.raises(TimeoutError):
                await talk.socket.receive(timeout=0.1)
        await talk.say("Close")
        assert (await talk.rest())[-1]["type"] == "SessionMetadata"


async def test_a_broken_synthesizer_is_an_internal_error() -> None:
    voice = BrokenSynthesizer()
    async with serving(synthesizer=voice) as client, talking(client, PATH, **VOICE) as talk:
        await say_turn(talk, "Hello.")
        error = (await talk.rest())[-1]
    assert (error["code"], talk.code) == ("NET-0000", 1011)


REFUSED: list[dict[str, str]] = [
    {"model": "aura-2-thalia-en"},
    {},
    {**VOICE, "container": "none"},
    {**VOICE, "encoding": "mp3"},
    {**VOICE, "encoding": "mulaw", "sample_rate": "24000"},
    {**VOICE, "expressivity": "5"},
]


async def test_options_of_requests_and_unknown_ones_fail_the_handshake() -> None:
    async with serving() as client:
        for options in REFUSED:
            url = client.emulator.base_url + PATH
            async with client.http.get(url, params=options) as answer:
                assert answer.status == 400, options
                assert answer.headers["dg-error"]
