"""A transcript that grows with a stream."""

from __future__ import annotations

from bisect import insort

from deepgram_async.models import live
from deepgram_async.models.flux import Connected
from deepgram_async.transcript._assembly import (
    Assembly,
    TranscriptChange,
    TranscriptEvent,
)
from deepgram_async.transcript._transcript import AudioGap, Transcript, in_notebook
from deepgram_async.transcript._words import Utterance, Word, by_speaker

__all__ = ["LiveTranscript"]


class LiveTranscript:
    """Puts together what the events of a live transcription or of Flux tell piece by piece.

    ::

        transcript = LiveTranscript()
        async for event in live.transcribe(audio):
            for change in transcript.add(event):
                match change:
                    case FinalWords() | Utterance():
                        ...
        transcript.finish()
        print(transcript.so_far().text)

    Every word is settled once, whatever the service says twice; what may still change is apart.
    The cost of an event depends on its length, not on that of the transcript, and interim results
    are not kept.
    """

    def __init__(self) -> None:
        self._assembly = Assembly()
        self._utterances: list[Utterance] = []
        self._gaps: list[AudioGap] = []
        self._duration = 0.0
        self._request_id: str | None = None

    def add(self, event: TranscriptEvent) -> list[TranscriptChange]:
        """Take an event, whatever it is, and return what it changes, in this order.

        For each channel these are the words that are settled now, the interim words if they are
        others than before, and the utterances that have ended.
        """
        match event:
            case live.Results():
                self._request_id = event.metadata.request_id
            case live.Metadata():
                self._request_id = event.request_id
                self._duration = max(self._duration, event.duration)
            case Connected():
                self._request_id = event.request_id
            case _:
                pass
        return self._keep(list(self._assembly.add(event)))

    def finish(self) -> list[TranscriptChange]:
        """End the transcript with the stream, and return what that changes.

        Interim words for which no final ones came are settled as they stand, as after a loss of
        the connection, or when Flux was not asked to end the turn. Calling it again changes
        nothing.
        """
        return self._keep(list(self._assembly.finish()))

    def so_far(self) -> Transcript:
        """Return all that is settled, with the utterances that have not ended."""
        channels = self._assembly.channels.values()
        utterances = list(self._utterances)
        for channel in channels:
            utterances += by_speaker(channel.open, Utterance.of)
        utterances.sort(key=_begin)
        return Transcript(
            duration=max([self._duration, *(channel.settled_s for channel in channels)]),
            channels=self._assembly.channel_count,
            utterances=tuple(utterances),
            gaps=tuple(self._gaps),
            request_id=self._request_id,
        )

    @property
    def interim_words(self) -> list[Word]:
        """The words of all channels that may still change, by the time at which they begin."""
        words = [word for channel in self._assembly.channels.values() for word in channel.interim]
        return sorted(words, key=lambda word: word.start)

    def __repr__(self) -> str:
        heard = self.so_far()
        return f"<LiveTranscript {len(heard.utterances)} utterances, {heard.duration:.1f} s>"

    def _repr_html_(self) -> str:
        return in_notebook(self.so_far(), self.interim_words, shows_end=True)

    def _keep(self, changes: list[TranscriptChange]) -> list[TranscriptChange]:
        for change in changes:
            match change:
                case Utterance():
                    # Channels end their utterances in any order; the place is near the end.
                    insort(self._utterances, change, key=_begin)
                case AudioGap():
                    self._gaps.append(change)
                case _:
                    pass
        return changes


def _begin(utterance: Utterance) -> float:
    return utterance.start
