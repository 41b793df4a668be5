import base64
import hashlib
import json
import re
from html import unescape
from html.parser import HTMLParser

import pytest

from deepgram_async.errors import OptionError
from deepgram_async.transcript import AudioGap, Transcript, Utterance, Word, render

WAV = b"RIFF\x24\0\0\0WAVEfmt "


def word(text: str, start: float, **fields: object) -> Word:
    given: dict[str, object] = {"end": start + 0.4, "confidence": 0.99, "channel": 0, **fields}
    return Word(text=text, start=start, **given)  # type: ignore[arg-type]


def transcript(*utterances: list[Word], **fields: object) -> Transcript:
    said = tuple(Utterance.of(words) for words in utterances)
    channels = 1 + max((one.channel for one in said), default=0)
    end = max((one.end for one in said), default=0.0)
    given: dict[str, object] = {"duration": end, "channels": channels, **fields}
    return Transcript(utterances=said, **given)  # type: ignore[arg-type]


TALK = transcript(
    [word("Good", 0.5, speaker=0), word("morning.", 1.0, speaker=0)],
    [word("Hello", 2.0, speaker=1), word("Ann.", 2.5, speaker=1, confidence=0.42)],
    [word("Well.", 4.0, speaker=0)],
)


class Tree(HTMLParser):
    """Reads a page, and fails where tags do not fit together."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.texts: dict[str, list[str]] = {}
        self.words: list[str] = []
        self.attributes: dict[str, list[dict[str, str | None]]] = {}
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes.setdefault(tag, []).append(dict(attrs))
        if tag not in {"input", "meta"}:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes.setdefault(tag, []).append(dict(attrs))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open:
            self.texts.setdefault(self.open[-1], []).append(data)
        if self.open[-2:] == ["p", "span"]:
            self.words.append(data)


def test_page_holds_every_word_with_its_time() -> None:
    tree = Tree(render(TALK, "html"))
    assert tree.words == ["Good", "morning.", "Hello", "Ann.", "Well."]
    # Start after the word before, and length, in milliseconds.
    assert json.loads(tree.texts["script"][0]) == [
        500,
        400,
        500,
        400,
        1000,
        400,
        500,
        400,
        1500,
        400,
    ]


def test_turns_are_named_and_timed() -> None:
    tree = Tree(render(TALK, "html", speaker_names={0: "Ann"}))
    assert tree.texts["h2"] == ["Ann", "Speaker 1", "Ann", "Keys"]
    assert [link["href"] for link in tree.attributes["a"]][1:] == ["#t=0.50", "#t=2.00", "#t=4.00"]
    assert tree.texts["b"][:2] == ["Ann", "Speaker 1"]


def test_name_is_not_repeated_over_paragraphs_of_one_turn() -> None:
    long = [word("So.", 0.5, speaker=0), word("Anyway.", 9.0, speaker=0)]
    tree = Tree(render(transcript(long), "html"))
    assert tree.texts["h2"] == ["Speaker 0", "Keys"]
    assert len(tree.attributes["article"]) == 2


def test_speakers_can_be_left_out() -> None:
    page = render(TALK, "html", speakers=False)
    assert "Speaker" not in page
    assert Tree(page).texts["h2"] == ["Keys"]


def test_channels_are_told_apart_and_keep_their_number() -> None:
    talk = transcript([word("One", 0.0)], [word("two", 0.1, channel=1)])
    tree = Tree(render(talk, "html"))
    assert tree.texts["h2"][:2] == ["Channel 0", "Channel 1"]
    assert [article["data-channel"] for article in tree.attributes["article"]] == ["0", "1"]


def test_words_of_nobody_stand_between_those_of_speakers() -> None:
    talk = transcript(
        [word("One.", 0.0, speaker=0)], [word("Um.", 1.0)], [word("Two.", 2.0, speaker=1)]
    )
    tree = Tree(render(talk, "html"))
    assert tree.words == ["One.", "Um.", "Two."]
    assert tree.texts["h2"][:2] == ["Speaker 0", "Speaker 1"]
    assert tree.texts["span"][:2] == ["50%", "50%"]


def test_timeline_has_a_lane_for_each_voice() -> None:
    page = render(TALK, "html")
    assert page.count('<rect class="ground"') == 2
    # Two turns of the first speaker, one of the second.
    first, second = re.findall(r'<g class="s\d">(.*?)</g>', page)
    assert (first.count("<rect x="), second.count("<rect x=")) == (2, 1)
    many = transcript(*([word("So.", float(who), speaker=who)] for who in range(12)))
    assert render(many, "html").count('<rect class="ground"') == 8


def test_uncertain_words_are_marked_with_their_confidence() -> None:
    assert '<span class="u" title="42% sure">Ann.</span>' in render(TALK, "html")
    assert 'class="u"' not in render(TALK, "html", uncertain_below=0.4)


def test_words_that_are_written_together_have_no_space_between() -> None:
    talk = transcript([word("東京", 0.0), word("です", 0.5, is_joined=True)])
    assert "<span>東京</span><span>です</span>" in render(talk, "html")


def test_language_of_most_words_is_told_to_the_browser() -> None:
    talk = transcript([word("Guten", 0.0, language="de"), word("Tag", 0.5, language="de")])
    assert Tree(render(talk, "html")).attributes["main"][0]["lang"] == "de"
    assert "lang" not in Tree(render(TALK, "html")).attributes["main"][0]


def test_missing_audio_is_told_where_it_is_missing() -> None:
    talk = transcript(
        [word("Before", 0.0)], [word("after.", 9.0)], gaps=(AudioGap(start=1.0, duration=7.5),)
    )
    page = render(talk, "html")
    gap = page.index("[7.5 seconds of audio were lost]")
    assert page.index("Before") < gap < page.index("after.")


def test_silence_is_a_page_too() -> None:
    tree = Tree(render(Transcript(duration=0.0, channels=1), "html"))
    assert "Nothing was said." in tree.texts["p"]


@pytest.mark.parametrize(
    "evil",
    [
        "<script>alert(1)</script>",
        "</script><script>alert(1)</script>",
        '"><img src=x onerror=alert(1)>',
        "<!--",
        "]]>",
        "&lt;b&gt;",
        "{{script}}{{title}}",
        "'onclick='alert(1)",
    ],
)
def test_texts_are_never_markup(evil: str) -> None:
    talk = transcript(
        [word(evil, 0.0, speaker=0, confidence=0.1, language=evil)],
        [word("yes", 1.0, speaker=1)],
        request_id=evil,
    )
    safe = Tree(render(TALK, "html", audio_url="a.wav"))
    tree = Tree(render(talk, "html", title=evil, speaker_names={0: evil}, audio_url=evil + ".wav"))
    assert set(tree.attributes) <= set(safe.attributes)
    assert len(tree.attributes["script"]) == 2
    attributes = {name for found in tree.attributes.values() for one in found for name in one}
    assert not {name for name in attributes if name.startswith("on")}
    assert tree.texts["title"] == tree.texts["h1"] == [evil]
    assert tree.words[0] == evil
    assert tree.texts["footer"] == [f"Request id {evil}"]
    assert tree.attributes["audio"][0]["src"] == evil + ".wav"


def test_policy_allows_this_script_and_nothing_from_elsewhere() -> None:
    page = render(TALK, "html")
    policy = policy_of(page)
    script = page.rpartition("<script>")[2].partition("</script>")[0]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == f"'sha256-{digest}'"
    assert policy["media-src"] == "blob:"
    assert not re.search(r"https?://|//[a-z]+\.", re.sub(r"//.*", "", page))


def policy_of(page: str) -> dict[str, str]:
    for meta in Tree(page).attributes["meta"]:
        if meta.get("http-equiv") == "Content-Security-Policy":
            parts = unescape(meta["content"] or "").split("; ")
            return {part.partition(" ")[0]: part.partition(" ")[2] for part in parts}
    raise AssertionError("the page has no policy")


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("meeting%201.mp3", "blob: 'self' file:"),
        ("../audio/meeting.wav", "blob: 'self' file:"),
        ("https://example.com/meeting.mp3?a=1&b=2", "blob: https:"),
        ("file:///tmp/meeting.wav", "blob: file:"),
    ],
)
def test_policy_allows_the_audio(url: str, allowed: str) -> None:
    page = render(TALK, "html", audio_url=url)
    assert policy_of(page)["media-src"] == allowed
    assert Tree(page).attributes["audio"][0]["src"] == url


@pytest.mark.parametrize("url", ["javascript:alert(1)", "ftp://a/b", "http://[half"])
def test_audio_that_no_page_can_play_is_refused(url: str) -> None:
    with pytest.raises(OptionError, match="audio_url") as caught:
        render(TALK, "html", audio_url=url)
    assert caught.value.option == "audio_url"


@pytest.mark.parametrize(
    ("data", "media_type"),
    [
        (WAV, "audio/wav"),
        (b"ID3\x04", "audio/mpeg"),
        (b"\xff\xfb\x90", "audio/mpeg"),
        (b"\xff\xf1\x50", "audio/aac"),
        (b"OggS\0", "audio/ogg"),
        (b"fLaC\0", "audio/flac"),
        (b"\0\0\0\x20ftypM4A ", "audio/mp4"),
        (b"\x1aE\xdf\xa3", "audio/webm"),
    ],
)
def test_audio_can_be_put_into_the_page(data: bytes, media_type: str) -> None:
    page = render(TALK, "html", audio_data=data)
    source = Tree(page).attributes["audio"][0]["src"]
    assert source == f"data:{media_type};base64,{base64.b64encode(data).decode()}"
    assert policy_of(page)["media-src"] == "blob: data:"


def test_bytes_that_no_browser_plays_are_refused() -> None:
    with pytest.raises(OptionError, match="audio_data"):
        render(TALK, "html", audio_data=b"%PDF-1.7")


def test_audio_is_given_once() -> None:
    with pytest.raises(OptionError, match="exclude"):
        render(TALK, "html", audio_data=WAV, audio_url="a.wav")
