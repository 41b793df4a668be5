"""Any container or codec that FFmpeg knows, decoded to 16-bit samples by PyAV."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, Protocol

import av
from av.audio.layout import AudioLayout
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.error import FFmpegError

from deepgram_async.audio._formats import PcmFormat
from deepgram_async.errors import AudioSourceError

__all__ = ["ContainerBlocks"]

# FFmpeg takes nearly anything for something: a text is a video to it.
_NO_AUDIO: Final = (
    "it is neither WAV nor audio that FFmpeg knows; raw audio needs encoding and sample rate"
)


_LAYOUTS: Final = {1: "mono", 2: "stereo"}


class _Reader(Protocol):
    def read(self, size: int, /) -> bytes: ...


class ContainerBlocks:
    """The first audio track of a container as linear16.

    Args:
        file: A path, or what is read forwards.
        close: Called when the container is closed.
        target: The sample rate and channels to convert to; those of the track when left out.
        block_s: Seconds of audio in a block. Frames of compressed audio are small (an Opus packet
            holds 20 ms); a block joins some of them.
    """

    format: PcmFormat
    duration_s: float | None

    def __init__(
        self,
        file: Path | _Reader,
        close: Callable[[], None],
        *,
        target: PcmFormat | None,
        block_s: float,
    ) -> None:
        try:
            self._container = av.open(str(file) if isinstance(file, Path) else file, "r")
        except (FFmpegError, OSError) as exc:
            raise AudioSourceError(_NO_AUDIO) from exc
        self._close_file = close
        if not self._container.streams.audio:
            self._container.close()
            raise AudioSourceError(_NO_AUDIO)
        track = self._container.streams.audio[0]
        self.format = target or PcmFormat(
            encoding="linear16", sample_rate=track.rate, channels=track.channels
        )
        layout = track.layout if target is None else AudioLayout(_LAYOUTS[target.channels])
        self._resampler = AudioResampler("s16", layout, self.format.sample_rate)
        self._block_bytes = int(self.format.bytes_per_second * block_s)
        duration = self._container.duration
        self.duration_s = None if duration is None else duration / av.time_base
        self._samples = self._decode(track)

    def _decode(self, track: AudioStream) -> Iterator[bytes]:
        for frame in self._container.decode(track):
            for converted in self._resampler.resample(frame):
                yield self._samples_of(converted.samples, bytes(converted.planes[0]))
        for converted in self._resampler.resample(None):
            yield self._samples_of(converted.samples, bytes(converted.planes[0]))

    def _samples_of(self, samples: int, plane: bytes) -> bytes:
        """Cut off what FFmpeg adds to a plane for alignment."""
        return plane[: samples * self.format.frame_bytes]

    def read(self) -> bytes:
        """Decode the next block."""
        parts: list[bytes] = []
        missing = self._block_bytes
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
