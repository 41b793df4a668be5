"""Call every REST endpoint of the emulator with thousands of good and bad requests.

    python -m tests.emulator.fuzz [--seconds 120] [--examples 30] [--seed 1]

Schemathesis makes the requests from Deepgram's OpenAPI file, less its known errors. The run fails
when an answer is a 500, when it is none that the file describes, or when an endpoint logs a defect.
"""

from __future__ import annotations

import argparse
import asyncio
import copy
import json
import logging
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepgram_async.emulator import Emulator, EmulatorSettings, ScriptedRecognizer
from tests.emulator.openapi import SOUND, corrected
from tests.spec.documents import OPENAPI, operations

if TYPE_CHECKING:
    from tests.spec.documents import Node

__all__: list[str] = []

PROJECT = "00000000-0000-4000-8000-000000000000"
# These would end the project that everything else is called with.
LAST = ("DELETE /v1/projects/{project_id}", "DELETE /v1/projects/{project_id}/leave")
# The emulator fetches URLs and calls them back, and nothing here leaves this machine.
URLS = ["http://127.0.0.1:9/a", "ftp://127.0.0.1/a", "http://", "a"]
CHECKS = "not_a_server_error,response_schema_conformance"


def document() -> Node:
    """Return the specification as it is called: with a project that exists, and without logins."""
    specification = copy.deepcopy(corrected())
    for name, operation in operations(specification).items():
        method, _, path = name.partition(" ")
        if name in LAST:
            del specification["paths"][path][method.lower()]
            continue
        operation["operationId"] = name
        parameters = [it for it in operation.get("parameters", ()) if it["in"] != "header"]
        for parameter in parameters:
            if parameter["name"] == "project_id":
                parameter["schema"] = {"enum": [PROJECT]}
            elif parameter["name"] == "callback":
                parameter["schema"] = {"enum": URLS}
        operation["parameters"] = parameters
        error = {"schema": {"$ref": "#/components/schemas/ErrorResponse"}}
        answer = {"description": "Audio"} if name in SOUND else operation["responses"]["200"]
        operation["responses"] = {
            "200": answer,
            "default": {
                "description": "Error",
                "content": {
                    "application/json": error,
                    "text/plain": {"schema": {"type": "string"}},
                },
            },
        }
    for schema in specification["components"]["schemas"].values():
        url = schema.get("properties", {}).get("url")
        if url is not None:
            url.clear()
            url["enum"] = URLS
    return specification


class _Defects(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.count = 0

    def emit(self, record: logging.LogRecord) -> None:
        self.count += 1
        sys.stderr.write(self.format(record) + "\n")


async def run(arguments: argparse.Namespace) -> int:
    """Serve and call; return the exit code."""
    defects = _Defects()
    logging.getLogger("deepgram_async").addHandler(defects)
    script = ScriptedRecognizer.from_text("Hello, world. I would like to call you.")
    options: dict[str, Any] = {"fetch_timeout_s": 2.0, "callback_attempts": 1}
    with tempfile.TemporaryDirectory() as folder:
        schema = Path(folder, "openapi.json")
        await asyncio.to_thread(schema.write_text, json.dumps(document()))
        async with Emulator(script, EmulatorSettings(**options)) as emulator:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "schemathesis.cli", "run", str(schema)),
                *("--url", emulator.base_url, "-H", "Authorization: Token a-key"),
                *("--checks", CHECKS, "--phases", "examples,coverage,fuzzing", "--no-shrink"),
                *("--max-time", str(arguments.seconds), "--max-examples", str(arguments.examples)),
                *("--seed", str(arguments.seed), "--request-timeout", "10", "--warnings", "off"),
                "--continue-on-failure",
                cwd=folder,
            )
            code = await process.wait()
    sys.stderr.write(f"{defects.count} defects logged\n")
    return code or min(defects.count, 1)


def main() -> int:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=120, help="stop after so long")
    parser.add_argument("--examples", type=int, default=30, help="requests of each kind at most")
    parser.add_argument("--seed", type=int, default=1, help="beginning of the random numbers")
    arguments = parser.parse_args()
    if not OPENAPI.exists():
        parser.error(f"Deepgram's OpenAPI file is not at {OPENAPI}")
    return asyncio.run(run(arguments))


if __name__ == "__main__":
    sys.exit(main())
