"""A Deepgram on this machine: no key, no internet, real speech recognition.

    from deepgram_async.emulator import Emulator

    async with Emulator() as emulator:
        print(emulator.base_url)

`Emulator` recognises real speech with the extra `emulator` installed. `ScriptedRecognizer` hears
what a test tells it to and needs nothing but the core dependencies, for WAV and raw audio. A
`Recognizer` of your own needs the methods of that protocol.
"""

from ._faults import ServiceFault, ServiceFaultKind
from ._recognizers import (
    Hints,
    Pcm,
    RecognizedWord,
    Recognizer,
    RecognizerUnavailableError,
    ScriptedRecognizer,
    load_recognizer,
)
from ._server import Emulator
from ._settings import EmulatorSettings
from ._vad import VoiceDetector, voice_detector
from ._whisper import WhisperRecognizer

__all__ = [
    "Emulator",
    "EmulatorSettings",
    "Hints",
    "Pcm",
    "RecognizedWord",
    "Recognizer",
    "RecognizerUnavailableError",
    "ScriptedRecognizer",
    "ServiceFault",
    "ServiceFaultKind",
    "VoiceDetector",
    "WhisperRecognizer",
    "load_recognizer",
    "voice_detector",
]
