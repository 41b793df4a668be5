from collections.abc import Mapping
from itertools import product

import pytest

from deepgram_async._protocol import rules_read, rules_speak
from deepgram_async.errors import OptionError
from deepgram_async.markup import pause, pronounce

FLUX = {"model": "flux-alexis-en"}
WORD = pronounce("data", "x")

# Encoding, containers, sample rates and bit rates as documented; None: nothing is documented.
AURA = {
    "linear16": (("wav", "none"), (8000, 16000, 24000, 32000, 48000), ()),
    "mulaw": (("wav", "none"), (8000, 16000), ()),
    "alaw": (("wav", "none"), (8000, 16000), ()),
    "mp3": (("none",), (22050,), (32000, 48000)),
    "opus": (("ogg",), (48000,), None),
    "flac": (("none",), None, ()),
    "aac": (("none",), None, None),
}
FLUX_FORMATS = {
    "linear16": (("wav", "none"), (8000, 16000, 24000, 32000, 44100, 48000), ()),
    "mulaw": (("wav", "none"), (8000, 16000), ()),
    "alaw": (("wav", "none"), (8000, 16000), ()),
    "mp3": (("none",), None, (8000, 16000, 24000, 32000, 40000, 48000)),
    "opus": (("ogg",), None, None),
    "flac": (("none",), (8000, 16000, 22050, 32000, 48000), ()),
    "aac": (("none",), None, None),
}
TRIED = {
    "container": ("wav", "none", "ogg", "mkv"),
    "sample_rate": (8000, 11025, 16000, 22050, 24000, 32000, 44100, 48000),
    "bit_rate": (8000, 16000, 24000, 32000, 40000, 48000, 64000),
}


def is_refused(check: str, options: Mapping[str, object], text: str = "Hello.") -> str | None:
    """Return the message, or `None` if the options pass."""
    function = getattr(rules_speak, check)
    try:
        function(*((options,) if "live" in check else (text, options)))
    except OptionError as error:
        return str(error)
    return None


@pytest.mark.parametrize(
    ("check", "encoding", "name"),
    [("check_speak", *pair) for pair in product(AURA, TRIED)]
    + [("check_flux", *pair) for pair in product(FLUX_FORMATS, TRIED)],
)
def test_the_table_of_formats_is_kept(check: str, encoding: str, name: str) -> None:
    table = AURA if check == "check_speak" else FLUX_FORMATS
    allowed = table[encoding][list(TRIED).index(name)]
    for value in TRIED[name]:
        message = (
            is_refused(check, {**FLUX, "encoding": encoding, name: value}, "Hello.")
            if (check == "check_flux")
            else is_refused(check, {"encoding": encoding, name: value})
        )
        if allowed is None or value in allowed:
            assert message is None
        else:
            assert message is not None
            assert f"{name}={value!r}" in message
            assert encoding in message


@pytest.mark.parametrize(
    ("check", "options", "words"),
    [
        ("check_speak", {"sample_rate": 16000}, r"the default\) goes with sample_rate 22050 only"),
        ("check_speak", {"encoding": "linear16", "bit_rate": 1}, "has no bit_rate"),
        ("check_speak", {"encoding": "opus", "container": "wav"}, "container ogg only"),
        ("check_speak", {"speed": 0.69}, r"0\.7 to 1\.5"),
        ("check_speak", {"model": "flux-alexis-en"}, r"dg\.speak\.flux"),
        ("check_live", {"encoding": "mp3"}, "linear16, mulaw or alaw"),
        ("check_live", {"encoding": "mulaw", "sample_rate": 24000}, "8000 or 16000"),
        ("check_live", {"sample_rate": 44100}, "48000 only"),
        ("check_live", {"speed": 1.51}, r"0\.7 to 1\.5"),
        ("check_live", {"model": "flux-alexis-en"}, "Flux voice"),
        ("check_flux", {}, "model is missing"),
        ("check_flux", {"model": "aura-2-thalia-en"}, "is no Flux voice"),
        ("check_flux", {**FLUX, "speed": 0.45}, r"0\.5 to 1\.5 in steps of 0\.05"),
        ("check_flux", {**FLUX, "speed": 1.01}, r"0\.5 to 1\.5 in steps of 0\.05"),
        ("check_flux", {**FLUX, "expressivity": 3}, "-2 to 2"),
        ("check_flux_live", {}, "model is missing"),
        ("check_flux_live", {**FLUX, "encoding": "opus"}, "raw audio"),
        ("check_flux_live", {**FLUX, "encoding": "alaw", "sample_rate": 44100}, "8000 or 16000"),
        ("check_flux_live", {**FLUX, "expressivity": -3}, "-2 to 2"),
    ],
)
def test_a_broken_rule_is_told_in_words(
    check: str, options: Mapping[str, object], words: str
) -> None:
    arguments = (options,) if "live" in check else ("Hello.", options)
    with pytest.raises(OptionError, match=words):
        getattr(rules_speak, check)(*arguments)


@pytest.mark.parametrize(
    ("check", "options"),
    [
        ("check_speak", {}),
        ("check_speak", {"model": "my-own-voice", "speed": 0.7}),
        ("check_speak", {"encoding": "newer-than-this", "sample_rate": 1, "container": "x"}),
        ("check_live", {"encoding": "linear16", "sample_rate": 48000, "speed": 1.5}),
        ("check_flux", {**FLUX, "speed": 1.15, "expressivity": -2}),
        ("check_flux", {**FLUX, "speed": 0.55}),
        ("check_flux_live", {**FLUX, "sample_rate": 44100, "speed": 0.5}),
    ],
)
def test_what_is_documented_passes(check: str, options: Mapping[str, object]) -> None:
    assert is_refused(check, options) is None


@pytest.mark.parametrize("check", ["check_speak", "check_flux"])
def test_a_text_is_needed(check: str) -> None:
    assert "text is empty" in (is_refused(check, FLUX, " \n") or "")


@pytest.mark.parametrize("check", ["check_speak", "check_flux"])
@pytest.mark.parametrize("text", [None, 5, b"Hello."])
def test_a_text_is_text(check: str, text: str) -> None:
    kind = type(text).__name__
    assert f"text must be a str, not {kind}" in (is_refused(check, FLUX, text) or "")


def test_an_aura_text_has_2000_characters_at_most() -> None:
    assert is_refused("check_speak", {}, "x" * 2000) is None
    assert "2001" in (is_refused("check_speak", {}, "x" * 2001) or "")


@pytest.mark.parametrize(
    ("text", "options", "words"),
    [
        (pause(500) * 9, {}, "at most 8 pauses"),
        (WORD * 501, {}, "at most 500 pronunciations"),
        (pause(500) + WORD, {}, "exclude each other"),
        (pause(500), {"speed": 1.2}, r"at most 1\.15"),
        (WORD, {"speed": 1.05}, "speed 1.0 only"),
        (r"\{pause:450ms\}", {}, "500ms to 3000ms"),
        (r"\{pause:1s\}", {}, "500ms to 3000ms"),
    ],
)
def test_marks_have_rules(text: str, options: Mapping[str, object], words: str) -> None:
    with pytest.raises(OptionError, match=words):
        rules_speak.check_flux(text, {**FLUX, **options})


def test_good_marks_pass() -> None:
    rules_speak.check_flux(pause(500) * 8, {**FLUX, "speed": 1.15})
    rules_speak.check_flux(WORD * 500, FLUX)
    rules_speak.check_flux_text(WORD)


def test_a_pause_is_not_for_the_socket() -> None:
    with pytest.raises(OptionError, match="requests"):
        rules_speak.check_flux_text(f"a {pause(500)} b")


def test_a_hundred_topics_are_enough() -> None:
    rules_read.check({"custom_topic": ["x"] * 100})
    rules_read.check({"custom_topic": "one"})
    with pytest.raises(OptionError, match="101"):
        rules_read.check({"custom_topic": ["x"] * 101})
