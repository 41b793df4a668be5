"""The tests of the page about testing pass."""

import re
from pathlib import Path
from typing import get_args

import pytest

from deepgram_async.emulator import DeviationRule

pytest_plugins = "pytester"

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "testing.md").read_text()


def test_every_test_of_the_page_passes(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    blocks = re.findall(r"^```python\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)
    pytester.makepyfile(**{f"test_block_{number}": code for number, code in enumerate(blocks)})
    plugin = ["-p", "deepgram_async.testing._plugin"]
    result = pytester.runpytest_subprocess("-W", "error", "-p", "no:cacheprovider", *plugin)
    result.assert_outcomes(passed=sum(code.count("\ndef test_") for code in blocks))


@pytest.mark.parametrize("rule", get_args(DeviationRule))
def test_every_rule_is_told(rule: str) -> None:
    assert f"| `{rule}` |" in TEXT
