"""Audio sources for live streams: a file or a pipe, delivered at the pace of a microphone.

`paced` opens a recording and yields it in small chunks against the clock, which is what a live
stream expects: audio that arrives faster than 1.25 times real time only piles up at the service.
WAV and raw PCM need nothing but this package; every other container and codec is decoded by PyAV
(``pip install 'deepgram-async[audio]'``). `piped` passes on what another program records.
"""

from deepgram_async.audio._formats import AudioOptions, PacedEncoding
from deepgram_async.audio._paced import PacedAudio, paced
from deepgram_async.audio._piped import piped
from deepgram_async.audio._wav import ByteReader, WavFormat, read_wav_format, wav_header

__all__ = [
    "AudioOptions",
    "ByteReader",
    "PacedAudio",
    "PacedEncoding",
    "WavFormat",
    "paced",
    "piped",
    "read_wav_format",
    "wav_header",
]
