"""Start an emulator, fetch @deepgram/sdk, and lead it through everything."""

from __future__ import annotations

import argparse
import asyncio
import shutil
import sys
from pathlib import Path

from deepgram_async.emulator import Emulator, ScriptedRecognizer, ToneSynthesizer

_TOUR = Path(__file__).with_name("tour.mjs")
_HEARD = ScriptedRecognizer(
    [("What", 0.3, 0.5), ("is", 0.5, 0.7), ("the", 0.7, 0.8), ("weather", 0.8, 1.2),
     ("in", 1.2, 1.3), ("Oslo?", 1.3, 1.8)]
)  # fmt: skip


async def main(folder: Path, package: str) -> int:
    """Run the tour; return its exit code."""
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        sys.exit("the tour needs Node and npm")
    await run(npm, "install", "--silent", "--no-audit", "--prefix", str(folder), package)
    async with Emulator(_HEARD, synthesizer=ToneSynthesizer()) as emulator:
        return await run(node, str(_TOUR), emulator.base_url, str(folder))


async def run(*command: str) -> int:
    """Run a program in the foreground; return its exit code."""
    process = await asyncio.create_subprocess_exec(*command)
    return await process.wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path(".venv") / "npm", help="for packages")
    parser.add_argument("--package", default="@deepgram/sdk@5", help="what npm installs")
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    sys.exit(asyncio.run(main(given.folder, given.package)))
