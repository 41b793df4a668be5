"""The fixtures, for pytest; nothing is loaded before a test asks for one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from deepgram_async import DeepgramSession

    from ._local import LocalDeepgram
    from ._script import Script

__all__ = ["deepgram_emulator", "deepgram_session", "scripted_deepgram"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the setting that makes all tests strict."""
    parser.addini(
        "deepgram_strict",
        "fail tests whose client leaves Deepgram's specification",
        type="bool",
        default=False,
    )


def pytest_configure(config: pytest.Config) -> None:
    """Describe the marker."""
    config.addinivalue_line(
        "markers",
        "deepgram(**settings): settings of the local Deepgram, those of EmulatorSettings;"
        " strict=True fails a test whose client leaves Deepgram's specification.",
    )


@pytest.fixture
def deepgram_emulator(request: pytest.FixtureRequest) -> Iterator[LocalDeepgram]:
    """A local Deepgram in a thread; the marker `deepgram` has its settings."""
    from deepgram_async.emulator import EmulatorSettings

    from ._local import LocalDeepgram

    chosen: dict[str, Any] = {
        "agent_lead_s": None,
        "strict": request.config.getini("deepgram_strict"),
    }
    # The closest marker comes first, and has the last word.
    for marker in reversed([*request.node.iter_markers("deepgram")]):
        chosen |= marker.kwargs
    try:
        settings = EmulatorSettings(**chosen)
    except TypeError as error:
        raise pytest.UsageError(f"marker deepgram: {error}") from None
    with LocalDeepgram(settings) as local:
        yield local
    try:
        local.check()
    except AssertionError as error:
        pytest.fail(str(error), pytrace=False)


@pytest.fixture
def scripted_deepgram(deepgram_emulator: LocalDeepgram) -> Script:
    """What the local Deepgram of this test hears, and what its agents reply."""
    return deepgram_emulator.script


@pytest.fixture
def deepgram_session(deepgram_emulator: LocalDeepgram) -> DeepgramSession:
    """A session with the local Deepgram of this test; use it with `async with`."""
    return deepgram_emulator.session()
