"""Any container or codec that FFmpeg knows, decoded to 16-bit samples by PyAV."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, Protocol

import av
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.error import FFmpegError

from deepgram_async.audio._formats import PcmFormat
from deepgram_async.errors import AudioSourceError

__all__ = ["ContainerBlocks"]

# Frames of compressed audio are small (an Opus packet holds 20 ms); a block joins some of them.
_BLOCK_SECONDS: Final = 1.0

# FFmpeg takes nearly anything for something: a text is a video to it.
_NO_AUDIO: Final = (
    "it is neither WAV nor audio that FFmpeg knows; raw audio needs encoding and sample rate"
)


class _Reader(Protocol):
    def read(self, size: int, /) -> bytes: ...


class ContainerBlocks:
    """The first audio track of a container as linear16, at its own sample rate and channels."""

    format: PcmFormat
    duration_s: float | None

    def __init__(self, file: Path | _Reader, close: Callable[[], None]) -> None:
        try:
            self._container = av.open(str(file) if isinstance(file, Path) else file, "r")
        except (FFmpegError, OSError) as exc:
            raise AudioSourceError(_NO_AUDIO) from exc
        self._close_file = close
        if not self._container.streams.audio:
            self._container.close()
            raise AudioSourceError(_NO_AUDIO)
        track = self._container.streams.audio[0]
        self.format = PcmFormat(
            encoding="linear16", sample_rate=track.rate, channels=track.channels
        )
        duration = self._container.duration
        self.duration_s = None if duration is None else duration / av.time_base
        self._samples = self._decode(track)

    def _decode(self, track: AudioStream) -> Iterator[bytes]:
        resampler = AudioResampler(format="s16", layout=track.layout, rate=track.rate)
        for frame in self._container.decode(track):
            for converted in resampler.resample(frame):
                yield self._samples_of(converted.samples, bytes(converted.planes[0]))
        for converted in resampler.resample(None):
            yield self._samples_of(converted.samples, bytes(converted.planes[0]))

    def _samples_of(self, samples: int, plane: bytes) -> bytes:
        """Cut off what FFmpeg adds to a plane for alignment."""
        return plane[: samples * self.format.frame_bytes]

    def read(self) -> bytes:
        """Decode about one second."""
        parts: list[bytes] = []
        missing = int(self.format.bytes_per_second * _BLOCK_SECONDS)
        try:
            while missing > 0 and (part := next(self._samples, b"")):
                parts.append(part)
                missing -= len(part)
        except FFmpegError as exc:
            raise AudioSourceError(f"cannot decode the audio: {exc.strerror}") from exc
        return b"".join(parts)

    def close(self) -> None:
        """Close the container, and the file if it was opened here."""
        self._container.close()
        self._close_file()
