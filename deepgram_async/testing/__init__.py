"""Helpers for tests of code that uses this package, or any other client of Deepgram.

    def test_the_greeting_is_transcribed(deepgram_emulator, scripted_deepgram):
        scripted_deepgram.hear("Hello, world.")
        assert my_app.transcribe("hello.wav", url=deepgram_emulator.base_url) == "Hello, world."

The fixtures are there where pytest is: `deepgram_emulator`, a local Deepgram in a thread
(`LocalDeepgram`); `scripted_deepgram`, what it hears and replies (`Script`); and
`deepgram_session`, a session with it. Without pytest, `LocalDeepgram` is a context manager.

`FaultProxy` disturbs the connections between a client and a service on this machine.
"""

from typing import TYPE_CHECKING

from deepgram_async._lazy import lazy_names as _lazy_names

if TYPE_CHECKING:
    from deepgram_async.testing._fault_proxy import FaultProxy
    from deepgram_async.testing._faults import Direction, Fault, FaultKind, random_faults
    from deepgram_async.testing._local import LocalDeepgram
    from deepgram_async.testing._script import Script
else:  # a type checker would take any name to exist
    # Every run of pytest imports this package, for its fixtures.
    __getattr__, __dir__ = _lazy_names(
        __name__,
        {
            "_fault_proxy": ["FaultProxy"],
            "_faults": ["Direction", "Fault", "FaultKind", "random_faults"],
            "_local": ["LocalDeepgram"],
            "_script": ["Script"],
        },
    )

__all__ = [
    "Direction",
    "Fault",
    "FaultKind",
    "FaultProxy",
    "LocalDeepgram",
    "Script",
    "random_faults",
]
