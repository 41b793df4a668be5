import csv
from collections.abc import Callable, Mapping
from operator import methodcaller
from typing import Any

import pytest

from deepgram_async.errors import OptionError
from deepgram_async.models.prerecorded import Transcription
from deepgram_async.transcript import (
    FORMATS,
    LiveCaptions,
    LiveCues,
    LiveTranscript,
    Style,
    Transcript,
    TranscriptOptions,
    cues,
    find_format,
    render,
)
from tests.support.transcripts import answer, final, interim, spoken

SAID = answer(spoken("Hello there."))


def written(text: str, extension: str, **options: Any) -> str:
    return render(answer(spoken(text, speaker=0)), extension, **options)


# The formats.


@pytest.mark.parametrize("name", FORMATS)
def test_a_format_is_found_by_its_name_and_its_extension(name: str) -> None:
    found = find_format(name)
    assert found.name == name
    assert find_format(f".{found.extension.upper()}") is found


def test_extensions_belong_to_one_format() -> None:
    extensions = [found.extension for found in FORMATS.values()]
    assert len(extensions) == len(set(extensions))


def test_an_unknown_format_is_refused_with_those_there_are() -> None:
    with pytest.raises(OptionError, match=r"'docx'; there are .*srt") as caught:
        render(SAID, "docx")
    assert caught.value.option == "format_name"


def test_live_captions_are_subrip_or_webvtt() -> None:
    with pytest.raises(OptionError, match="'srt' or 'vtt', not 'text'"):
        LiveCaptions("text")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("name", FORMATS)
def test_every_source_can_be_written_in_every_format(name: str) -> None:
    live = LiveTranscript()
    live.add(final("Hello there.", speech_final=True))
    live.add(interim("General", 0.8))
    texts = [render(source, name) for source in (SAID, Transcript.from_answer(SAID), live)]
    assert all("Hello" in text and text.endswith("\n") for text in texts)
    if name != "json":
        assert texts[0] == texts[1] == texts[2]


def test_json_of_an_answer_is_the_answer() -> None:
    assert render(SAID, "json") == SAID.to_json() + "\n"


def test_an_answer_writes_itself() -> None:
    options = TranscriptOptions(line_length=10)
    assert SAID.to_srt(**options) == render(SAID, "srt", **options)
    assert SAID.to_vtt(**options) == render(SAID, "vtt", **options)
    assert SAID.to_text() == render(SAID, "text")
    assert SAID.to_markdown() == render(SAID, "markdown")


# Plain text, Markdown and TSV.


def test_text_has_paragraphs_and_the_name_of_each_speaker_who_begins() -> None:
    words = [
        *spoken("One. ~3 Two.", speaker=0),
        *spoken("Three.", start=5.0, speaker=1),
    ]
    assert render(answer(words), "txt", speaker_names={1: "Ann"}) == (
        "Speaker 0: One.\n\nTwo.\n\nAnn: Three.\n"
    )


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("a *b* _c_ `d`", r"a \*b\* \_c\_ \`d\`"),
        ("[x] <y> z > 3", r"\[x\] \<y> z > 3"),
        ("R&D &amp; &#38;", r"R&D \&amp; \&#38;"),
        ("1. One", r"1\. One"),
        ("3.5 percent", "3.5 percent"),
        ("# not a heading", r"\# not a heading"),
        ("- not an item", r"\- not an item"),
        ("> not a quotation", r"\> not a quotation"),
    ],
)
def test_markdown_shows_a_text_as_it_is(text: str, escaped: str) -> None:
    assert written(text, "md", speakers=False) == f"{escaped}\n"


def test_markdown_has_names_and_times() -> None:
    made = written("~3725 Hello.", "md", speaker_names={0: "A*n*n"})
    assert made == "**A\\*n\\*n** (1:02:05)\n\nHello.\n"


def test_tsv_quotes_what_needs_it() -> None:
    row = written('"Hi" he said.', "tsv").splitlines()[1]
    assert next(csv.reader([row], dialect="excel-tab"))[-1] == '"Hi" he said.'


def test_names_are_on_one_line() -> None:
    assert written("Hi.", "txt", speaker_names={0: "Ann\n\tLee"}) == "Ann Lee: Hi.\n"


def test_webvtt_escapes_what_would_be_markup() -> None:
    made = written("--> <b> &", "vtt", speaker_names={0: "<A>\n&"})
    assert made.splitlines()[-2:] == ["<v &lt;A&gt; &amp;>--&gt; &lt;b&gt; &amp;", ""]


def test_subrip_has_no_arrow_in_its_text() -> None:
    assert written("a --> b", "srt").count("-->") == 1


# Options.


def test_every_option_has_its_default_in_the_style() -> None:
    assert set(TranscriptOptions.__annotations__) == set(Style.__struct_fields__)


def test_an_unknown_option_is_refused_with_the_nearest_one() -> None:
    with pytest.raises(OptionError, match=r"no option 'line_lenght'; did you mean 'line_length'"):
        render(SAID, "srt", line_lenght=3)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"line_length": 0}, "line_length cannot be 0"),
        ({"line_length": "42"}, "line_length: "),
        ({"lines_per_cue": -1}, "lines_per_cue cannot be -1"),
        ({"max_duration_s": 0}, "max_duration_s cannot be 0"),
        ({"characters_per_second": 0.0}, "characters_per_second cannot be 0.0"),
        ({"min_gap_s": -0.1}, "min_gap_s cannot be -0.1"),
        ({"pause_s": -1}, "pause_s cannot be -1"),
        ({"pause_s": float("nan")}, "pause_s cannot be nan"),
        ({"min_duration_s": 8.0}, "min_duration_s is above max_duration_s"),
        ({"speakers": "yes"}, "speakers: "),
        ({"speaker_names": {"0": "Ann"}}, "speaker_names: "),
        ({"speaker_names": ["Ann"]}, "speaker_names: "),
    ],
)
def test_an_option_that_makes_no_sense_is_refused(options: dict[str, Any], told: str) -> None:
    uses: list[Callable[[], object]] = [
        lambda: render(SAID, "srt", **options),
        lambda: cues(Transcript.from_answer(SAID), **options),
        lambda: LiveCues(**options),
        lambda: LiveCaptions("vtt", **options),
    ]
    for use in uses:
        with pytest.raises(OptionError, match=told) as caught:
            use()
        assert caught.value.option in options


def test_an_option_that_is_none_is_not_given() -> None:
    options: dict[str, Any] = {"line_length": None, "speaker_names": None}
    assert render(SAID, "srt", **options) == render(SAID, "srt")


def test_names_may_come_in_any_mapping() -> None:
    class Names(Mapping[int, str]):
        def __getitem__(self, key: int) -> str:
            return f"Number {key}"

        def __iter__(self) -> Any:
            return iter([0])

        def __len__(self) -> int:
            return 1

    assert written("Hi.", "txt", speaker_names=Names()) == "Number 0: Hi.\n"


# Notebooks.


def shown(source: Transcription | Transcript | LiveTranscript) -> str:
    return str(methodcaller("_repr_html_")(source))


def test_a_notebook_shows_paragraphs_with_names_and_times() -> None:
    assert shown(answer(spoken("~65 Hi <b>.", speaker=0))) == (
        "<div><p><b>Speaker 0</b> <small>1:05</small> Hi &lt;b&gt;.</p></div>"
    )


def test_a_notebook_shows_the_beginning_of_a_long_transcript() -> None:
    long = shown(answer(spoken("One. ~2 " * 25)))
    assert long.count("<p") == 21
    assert long.endswith("<i>5 paragraphs not shown</i></p></div>")


def test_a_notebook_shows_the_end_of_a_live_transcript_and_what_may_change() -> None:
    live = LiveTranscript()
    live.add(final("One. ~2 " * 21 + "Two.", speech_final=True))
    live.add(interim("<maybe>", 60.0))
    text = shown(live)
    assert text.startswith('<div><p style="opacity: 0.6"><i>2 paragraphs not shown</i></p>')
    assert text.endswith('Two.</p><p style="opacity: 0.6"><i>&lt;maybe&gt;</i></p></div>')


def test_a_notebook_shows_that_nothing_was_said() -> None:
    assert "nothing was said" in shown(answer([]))
    assert "nothing was said" in shown(Transcript(duration=0.0, channels=1))
