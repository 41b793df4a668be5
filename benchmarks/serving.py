"""The server of the benchmarks, in a process of its own."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from benchmarks.certificates import make_certificate

__all__ = ["Server", "serving"]


class Server(NamedTuple):
    """The addresses of the server, and the file of certificates that its clients trust."""

    url: str
    tls_url: str
    trusted: Path


@contextmanager
def serving() -> Generator[Server]:
    """Run the server in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        trusted = make_certificate(Path(folder))
        command = [sys.executable, "-m", "benchmarks.server", folder]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            try:
                assert process.stdout is not None
                plain, secured = process.stdout.readline().split()
                yield Server(f"http://127.0.0.1:{plain}", f"https://127.0.0.1:{secured}", trusted)
            finally:
                process.terminate()
