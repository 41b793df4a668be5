"""What the golden files are made of. ``python -m tests.transcript.goldens`` writes them anew."""

from pathlib import Path
from typing import Final

from msgspec.structs import replace

from deepgram_async.models.events import Reconnected
from deepgram_async.models.prerecorded import Transcription
from deepgram_async.transcript import LiveTranscript, Transcript, TranscriptOptions, render
from tests.support.transcripts import answer, final, result, spoken

__all__ = ["FOLDER", "conversation", "goldens", "styles"]

FOLDER: Final = Path(__file__).parent / "golden"
EXTENSIONS: Final = ("json", "md", "srt", "tsv", "txt", "vtt")


def goldens() -> dict[str, str]:
    """Return what each file of the folder has to contain."""
    return {
        f"{name}.{extension}": render(source, extension, **options)
        for name, (source, options) in styles().items()
        for extension in EXTENSIONS
    }


def styles() -> dict[str, tuple[Transcription | Transcript, TranscriptOptions]]:
    """Return what is written, and how."""
    return {
        "conversation": (conversation(), {"speaker_names": {0: "Ann & <Bob>"}}),
        "channels": (channels(), {"channel_names": {0: "Ann", 1: "Caller"}, "line_length": 32}),
        "japanese": (japanese(), {"line_length": 20}),
        "next_day": (next_day(), {}),
        "silence": (answer([]), {}),
    }


def conversation() -> Transcription:
    """Two people on one channel, the first of them with the number 1, and marks in their words."""
    return answer(
        [
            *spoken(
                "Good morning. Is this R&D? I have a question, and it is about x <y>.", speaker=1
            ),
            *spoken("~0.3 It is. ~0.9 Ask away!", start=6.0, speaker=0),
            *spoken(
                "~0.2 Why does the service, after all these years, still write *stars* and --> "
                "arrows when nobody in the room has said a word about either of them? ~2.5 #1: I "
                'would say "who knows"',
                start=9.1,
                speaker=1,
            ),
        ]
    )


def channels() -> Transcription:
    """A call with the two sides on channels of their own, who speak at the same time."""
    return answer(
        spoken("Hello, you are speaking to Ann. ~3 Yes, I am listening to every word you say."),
        spoken("~2 Hi Ann. Can you hear me well? ~2 Good. My order has not arrived."),
    )


def japanese() -> Transcription:
    """A writing without spaces, with wide characters and an emoji."""
    texts = "今日 は とても いい 天気 です ね 。 明日 は 雨 が 降る そう です 🌂".split()
    words = [
        replace(word, word=text, punctuated_word=text)
        for text, word in zip(texts, spoken(" ".join("x" for _ in texts)), strict=True)
    ]
    made = answer(words)
    (channel,) = made.results.channels
    best = replace(channel.alternatives[0], transcript="".join(texts))
    return replace(
        made, results=replace(made.results, channels=[replace(channel, alternatives=[best])])
    )


def next_day() -> Transcript:
    """A live stream of more than a day, with a hole in it and something still open."""
    transcript = LiveTranscript()
    transcript.add(final(spoken("Still here.", start=86_399.0), 0.0, 86_400.0, speech_final=True))
    transcript.add(
        Reconnected(gap_s=2.0, replayed_s=0.0, dropped_s=7.5, attempts=1, request_id="r2")
    )
    transcript.add(result(spoken("Back again after a day and a night.", start=180_000.0)))
    return transcript.so_far()


if __name__ == "__main__":
    for name, text in goldens().items():
        (FOLDER / name).write_text(text)
