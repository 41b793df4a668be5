"""A Deepgram on this machine: no key, no internet, real speech recognition and real speech.

    from deepgram_async.emulator import Emulator

    async with Emulator() as emulator:
        print(emulator.base_url)

`Emulator` recognises and speaks English with the extra `emulator` installed. For tests there are
parts that need nothing but the core dependencies: `ScriptedRecognizer` hears what a test tells it
to, in WAV and raw audio, and `ToneSynthesizer` hums. A `Recognizer`, a `Synthesizer` or a
`ThinkFunction` of your own needs what its protocol says.
"""

from ._agent.openai import OpenAiThinker
from ._agent.rules import think_by_rules
from ._agent.thinking import ThinkFunction, ThinkRequest, Thought, ToolCall
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
from ._replay import Replay
from ._server import Emulator
from ._settings import EmulatorSettings
from ._speech.hibari import HibariSynthesizer
from ._speech.synthesizers import (
    Synthesizer,
    SynthesizerUnavailableError,
    ToneSynthesizer,
    load_synthesizer,
)
from ._strict.deviations import Deviation, DeviationRule
from ._vad import VoiceDetector, voice_detector
from ._whisper import WhisperRecognizer

__all__ = [
    "Deviation",
    "DeviationRule",
    "Emulator",
    "EmulatorSettings",
    "HibariSynthesizer",
    "Hints",
    "OpenAiThinker",
    "Pcm",
    "RecognizedWord",
    "Recognizer",
    "RecognizerUnavailableError",
    "Replay",
    "ScriptedRecognizer",
    "ServiceFault",
    "ServiceFaultKind",
    "Synthesizer",
    "SynthesizerUnavailableError",
    "ThinkFunction",
    "ThinkRequest",
    "Thought",
    "ToneSynthesizer",
    "ToolCall",
    "VoiceDetector",
    "WhisperRecognizer",
    "load_recognizer",
    "load_synthesizer",
    "think_by_rules",
    "voice_detector",
]
