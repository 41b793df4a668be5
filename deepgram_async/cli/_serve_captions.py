"""What the page of live captions says and is told, and the stream behind it."""

from collections.abc import (
    AsyncIterable,
    Awaitable,
    Callable,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from itertools import groupby
from typing import Annotated, Final, Literal, Self, TypeAlias

import anyio
import msgspec
from anyio.abc import TaskGroup
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from msgspec.structs import replace

from deepgram_async import DeepgramSession
from deepgram_async.errors import (
    ApiError,
    AuthenticationError,
    ConfigurationError,
    ConnectError,
    ConnectionLostError,
    DeepgramError,
    OperationTimeoutError,
    PaymentRequiredError,
    PermissionDeniedError,
    RateLimitError,
)
from deepgram_async.models.events import Reconnected, Reconnecting, Stalled
from deepgram_async.models.live import ListenEvent, UtteranceEnd
from deepgram_async.options import LiveOptions
from deepgram_async.transcript import (
    FinalWords,
    InterimWords,
    LiveTranscript,
    Segment,
    Transcript,
    TranscriptChange,
    Utterance,
    Word,
    render,
)

__all__ = ["Captions", "Choices", "Start"]

# How long the service has for its last words when a page has gone.
_LAST_WORDS_S: Final = 3.0
# Chunks of 50 ms that wait for the service: what is said while a connection is made.
_WAITING_CHUNKS: Final = 400

# Those that "multi" means, by how they call themselves.
_LANGUAGES: Final = {
    "en": "English",
    "multi": "Several languages",
    "de": "Deutsch",
    "es": "Español",
    "fr": "Français",
    "hi": "हिन्दी",
    "it": "Italiano",
    "ja": "日本語",
    "nl": "Nederlands",
    "pt": "Português",
    "ru": "Русский",
}


# What the page says; beside it, sound as 16-bit samples.


class Start(msgspec.Struct, frozen=True, tag=True):
    """Sound follows."""

    sample_rate: Annotated[int, msgspec.Meta(ge=8000, le=192_000)]
    language: str
    speakers: bool


class Stop(msgspec.Struct, frozen=True, tag=True):
    """No more sound follows."""


class Clear(msgspec.Struct, frozen=True, tag=True):
    """Forget what was heard."""


class Export(msgspec.Struct, frozen=True, tag=True):
    """Send what was heard as a document."""

    format: Literal["txt", "srt", "vtt"]


_Request: TypeAlias = Start | Stop | Clear | Export


# What the page is told.


class Language(msgspec.Struct, frozen=True):
    """A language to choose."""

    tag: str
    name: str


class Hello(msgspec.Struct, frozen=True, tag=True):
    """What can be chosen, and what is chosen to begin with."""

    model: str
    languages: tuple[Language, ...]
    language: str
    speakers: bool
    is_local: bool


class Listening(msgspec.Struct, frozen=True, tag=True):
    """The service listens."""


class Piece(msgspec.Struct, frozen=True):
    """What one speaker said."""

    speaker: int | None
    text: str


class Heard(msgspec.Struct, frozen=True, tag=True):
    """Words that stay, or those that follow them for now."""

    is_final: bool
    pieces: list[Piece]


class Pause(msgspec.Struct, frozen=True, tag=True):
    """Nobody speaks."""


class Broken(msgspec.Struct, frozen=True, tag=True):
    """The connection to the service is being replaced."""


class Restored(msgspec.Struct, frozen=True, tag=True):
    """It was replaced."""

    dropped_s: float


class Quiet(msgspec.Struct, frozen=True, tag=True):
    """The service is sent audio and says nothing."""


class Failed(msgspec.Struct, frozen=True, tag=True):
    """Something went wrong, in plain words and in those of whom it went wrong with."""

    text: str
    details: str = ""


class Ended(msgspec.Struct, frozen=True, tag=True):
    """All that was said before Stop, or before a failure, has been told."""


class Document(msgspec.Struct, frozen=True, tag=True):
    """What was heard, to be saved."""

    name: str
    text: str


_Message: TypeAlias = (
    Hello | Listening | Heard | Pause | Broken | Restored | Quiet | Failed | Ended | Document
)


class Choices(msgspec.Struct, frozen=True, kw_only=True):
    """What the command was told, and the page may choose from.

    Attributes:
        options: What is asked of the service, if the page says nothing else.
        query: Query keys that are sent unchecked.
        languages: Names of languages by their tags.
        language: The one to begin with.
        speakers: Whether speakers are told apart to begin with.
        is_local: Whether the service is the local one.
    """

    options: LiveOptions
    query: Mapping[str, str | Sequence[str]] = {}
    languages: Mapping[str, str]
    language: str
    speakers: bool
    is_local: bool

    @classmethod
    def of(
        cls, options: LiveOptions, *, query: Mapping[str, str | Sequence[str]], is_local: bool
    ) -> Self:
        """Begin with the language and the speakers of options."""
        language = options.get("language", "en")
        # The local service understands nothing else.
        languages = {"en": _LANGUAGES["en"]} if is_local else _LANGUAGES
        return cls(
            options=options,
            query=query,
            languages={language: language} | languages,
            language=language,
            speakers="diarize_model" in options,
            is_local=is_local,
        )

    def options_for(self, start: Start) -> LiveOptions:
        """Return the options of a stream: the page wins over the command, that over the usual."""
        usual: LiveOptions = {
            "interim_results": True,
            "endpointing": 300,
            "utterance_end_ms": 1000,
        }
        chosen: LiveOptions = {
            "encoding": "linear16",
            "sample_rate": start.sample_rate,
            "channels": 1,
            "language": start.language,
        }
        options: LiveOptions = {**usual, **self.options, **chosen}
        if start.speakers:
            options.setdefault("diarize_model", "latest")
        else:
            options.pop("diarize_model", None)
        return options


class Captions:
    """Live captions for any number of pages."""

    def __init__(self, session: DeepgramSession, choices: Choices) -> None:
        self._session = session
        self._choices = choices

    async def converse(
        self, messages: AsyncIterable[str | bytes], send: Callable[[str], Awaitable[None]]
    ) -> None:
        """Serve one page until it goes; its stream then has a few seconds to end.

        Args:
            messages: What the page says.
            send: Tells the page; nothing happens when it has gone.
        """
        await _Conversation(self._session, self._choices, send).run(messages)


class _Conversation:
    def __init__(
        self,
        session: DeepgramSession,
        choices: Choices,
        send: Callable[[str], Awaitable[None]],
    ) -> None:
        self._session = session
        self._choices = choices
        self._send = send
        self._audio: MemoryObjectSendStream[bytes] | None = None
        self._is_busy = False
        self._transcripts: list[LiveTranscript] = []

    async def run(self, messages: AsyncIterable[str | bytes]) -> None:
        choices = self._choices
        await self._tell(
            Hello(
                model=choices.options.get("model", ""),
                languages=tuple(Language(*item) for item in choices.languages.items()),
                language=choices.language,
                speakers=choices.speakers,
                is_local=choices.is_local,
            )
        )
        async with anyio.create_task_group() as group:
            async for message in messages:
                if isinstance(message, bytes):
                    await self._hear(message)
                    continue
                await self._obey(message, group)
            self._stop()
            group.cancel_scope.deadline = anyio.current_time() + _LAST_WORDS_S

    async def _obey(self, message: str, group: TaskGroup) -> None:
        try:
            request = msgspec.json.decode(message, type=_Request)
        except msgspec.DecodeError as exc:
            await self._tell(Failed("The command does not understand the page.", str(exc)))
            return
        match request:
            case Start() if not self._is_busy and request.language in self._choices.languages:
                self._is_busy = True
                self._audio, audio = anyio.create_memory_object_stream[bytes](_WAITING_CHUNKS)
                group.start_soon(self._transcribe, request, audio)
            case Stop():
                self._stop()
            case Clear() if not self._is_busy:
                self._transcripts.clear()
            case Export():
                await self._tell(Document(f"captions.{request.format}", self._text(request.format)))
            case _:  # too late or too early: what the page shows is changed already
                pass

    async def _hear(self, chunk: bytes) -> None:
        if self._audio is None:
            return
        try:
            await self._audio.send(chunk)
        except (anyio.BrokenResourceError, anyio.ClosedResourceError):
            self._stop()  # the stream has ended, perhaps just now, and told why

    def _stop(self) -> None:
        if self._audio is not None:
            self._audio.close()
            self._audio = None

    async def _transcribe(self, start: Start, audio: MemoryObjectReceiveStream[bytes]) -> None:
        transcript = LiveTranscript()
        self._transcripts.append(transcript)
        try:
            async with (
                audio,
                self._session.listen.live(
                    extra_query=self._choices.query, **self._choices.options_for(start)
                ) as stream,
            ):
                await self._tell(Listening())
                async for event in stream.transcribe(audio):
                    await self._pass_on(event, transcript)
        except DeepgramError as exc:
            await self._tell(_failure(exc))
        await self._show(transcript.finish())
        self._stop()
        self._is_busy = False
        await self._tell(Ended())

    async def _show(self, changes: Iterable[TranscriptChange]) -> None:
        for change in changes:
            match change:
                case FinalWords() | InterimWords():
                    pieces = list(_pieces_of(change.words))
                    await self._tell(Heard(isinstance(change, FinalWords), pieces))
                case _:  # paragraphs end where the service says so
                    pass

    async def _pass_on(self, event: ListenEvent, transcript: LiveTranscript) -> None:
        await self._show(transcript.add(event))
        match event:
            case UtteranceEnd():
                await self._tell(Pause())
            case Reconnecting():
                await self._tell(Broken())
            case Reconnected():
                await self._tell(Restored(event.dropped_s))
            case Stalled():
                await self._tell(Quiet())
            case _:
                pass

    def _text(self, format_name: str) -> str:
        transcripts = [transcript.so_far() for transcript in self._transcripts]
        return render(_in_a_row(transcripts), format_name)

    async def _tell(self, message: _Message) -> None:
        await self._send(msgspec.json.encode(message).decode())


def _pieces_of(words: Iterable[Word]) -> Iterator[Piece]:
    for speaker, run in groupby(words, key=lambda word: word.speaker):
        yield Piece(speaker, Segment.of(run).text)


def _in_a_row(transcripts: Sequence[Transcript]) -> Transcript:
    """Return transcripts as one, on one clock."""
    utterances: list[Utterance] = []
    shift = 0.0
    for transcript in transcripts:
        utterances += (
            Utterance.of(
                replace(word, start=word.start + shift, end=word.end + shift)
                for word in utterance.words
            )
            for utterance in transcript.utterances
        )
        shift += transcript.duration
    return Transcript(duration=shift, channels=1, utterances=tuple(utterances))


def _failure(error: DeepgramError) -> Failed:
    match error:
        case AuthenticationError() | PermissionDeniedError():
            text = "The service does not accept the key."
        case PaymentRequiredError():
            text = "The account has no credit left."
        case RateLimitError():
            text = "Too many streams are open. Try again in a moment."
        case ConnectError() | OperationTimeoutError():
            text = "The service cannot be reached."
        case ConnectionLostError():
            text = "The connection to the service broke and could not be restored."
        case ConfigurationError():
            text = "The settings of the command do not go together."
        case ApiError():
            text = "The service refused to listen."
        case _:
            text = "The captions have ended."
    return Failed(text, str(error))
