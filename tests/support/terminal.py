"""A terminal of a given width, and all that a command has shown on it."""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import pyte

__all__ = ["Shown", "run_in_terminal"]

_LONGEST_S = 30.0
_END_OF_INPUT = b"\x04"


# A line that is rewritten is erased first.
_ERASED = re.compile(r"(?=\r\x1b\[2K)")


class Shown(NamedTuple):
    """What a command showed.

    Attributes:
        code: Its exit code.
        pictures: The lines of the terminal each time before one is rewritten, and at the end,
            without those that are empty.
        written: All that was written, with the codes for the terminal.
    """

    code: int
    pictures: list[list[str]]
    written: str

    @property
    def last(self) -> list[str]:
        """What is left on the terminal."""
        return self.pictures[-1]


def run_in_terminal(
    command: Sequence[str],
    *,
    columns: int = 80,
    lines: int = 24,
    environment: Mapping[str, str] | None = None,
    typed: bytes = b"",
    until: str | None = None,
) -> Shown:
    """Run a command on a terminal until it ends.

    Args:
        command: The command and its arguments.
        columns: Width of the terminal.
        lines: Height of the terminal.
        environment: Variables beside those of this process.
        typed: What is typed before it starts.
        until: What it shows before the end of the input is typed; it has to end then.
    """
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
    written = b""
    # The size of this terminal counts, not that of whoever runs the tests.
    own = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
    try:
        os.write(ours, typed)
        with subprocess.Popen(
            command,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env={**own, "TERM": "xterm", **(environment or {})},
        ) as process:
            try:
                give_up_at = time.monotonic() + _LONGEST_S
                while time.monotonic() < give_up_at:
                    has_ended = process.poll() is not None
                    if select.select([ours], [], [], 0.0 if has_ended else 0.05)[0]:
                        written += os.read(ours, 65536)
                        if until is not None and until.encode() in written:
                            os.write(ours, _END_OF_INPUT)
                            until = None
                    elif has_ended:
                        break
                code = process.wait(timeout=1)
            finally:
                process.kill()
    finally:
        os.close(ours)
        os.close(theirs)
    text = written.decode()
    return Shown(code, list(_pictures_of(text, columns, lines)), text)


def _pictures_of(text: str, columns: int, lines: int) -> Iterator[list[str]]:
    screen = pyte.Screen(columns, lines)
    stream = pyte.Stream(screen)
    for part in _ERASED.split(text):
        stream.feed(part)
        yield [line.rstrip() for line in screen.display if line.strip()]
