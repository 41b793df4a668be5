"""Audio sources for live streams, and a speaker for what they say.

`Microphone` yields what is heard, `Speaker` plays speech as it comes
(``pip install 'deepgram-async[mic]'``). `paced` opens a recording and yields it in small chunks
against the clock, which is what a live stream expects: audio that arrives faster than 1.25 times
real time only piles up at the service. WAV and raw PCM need nothing but this package; every other
container and codec is decoded by PyAV (``pip install 'deepgram-async[audio]'``). `piped` passes on
what another program records.
"""

from deepgram_async.audio._decode import decode
from deepgram_async.audio._formats import AudioOptions, PacedEncoding
from deepgram_async.audio._g711 import decode_g711, encode_g711
from deepgram_async.audio._interleaved import InterleavedAudio, interleaved
from deepgram_async.audio._levels import Level, level_of
from deepgram_async.audio._microphone import Microphone
from deepgram_async.audio._paced import PacedAudio, paced
from deepgram_async.audio._piped import piped
from deepgram_async.audio._sound import AudioDevice, SoundBackend, input_devices, output_devices
from deepgram_async.audio._speaker import Speaker, SpeakerEncoding
from deepgram_async.audio._wav import ByteReader, WavFormat, read_wav_format, wav_header
from deepgram_async.audio._wav_writer import WavWriter

__all__ = [
    "AudioDevice",
    "AudioOptions",
    "ByteReader",
    "InterleavedAudio",
    "Level",
    "Microphone",
    "PacedAudio",
    "PacedEncoding",
    "SoundBackend",
    "Speaker",
    "SpeakerEncoding",
    "WavFormat",
    "WavWriter",
    "decode",
    "decode_g711",
    "encode_g711",
    "input_devices",
    "interleaved",
    "level_of",
    "output_devices",
    "paced",
    "piped",
    "read_wav_format",
    "wav_header",
]
