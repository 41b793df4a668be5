"""The code of the pages about the emulator runs."""

from __future__ import annotations

import ast
import re
import types
from pathlib import Path
from typing import get_args

import pytest

from deepgram_async.emulator import ServiceFaultKind

from .helpers import silence, wav

DOCS = Path(__file__).parents[2] / "docs"
PAGE = DOCS / "emulator.md"
BLOCKS = [
    # What is left to the emulator is the real recogniser.
    pytest.param(code, id=f"{page}-{number}", marks=[pytest.mark.real] * ("Emulator()" in code))
    for page in ("emulator", "emulator-speech")
    for number, code in enumerate(
        re.findall(
            r"^```python\n(.*?)^```$", (DOCS / f"{page}.md").read_text(), re.DOTALL | re.MULTILINE
        )
    )
]


@pytest.mark.parametrize("code", BLOCKS)
async def test_block_runs(code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("meeting.wav").write_bytes(wav(silence(1.0)))  # noqa: ASYNC240 - nothing else runs
    compiled = compile(code, str(PAGE), "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    run = types.FunctionType(compiled, {"__name__": "__main__"})()
    if run is not None:
        await run


def test_every_kind_of_fault_is_told() -> None:
    text = PAGE.read_text()
    assert [kind for kind in get_args(ServiceFaultKind) if f"`{kind}`" not in text] == []
