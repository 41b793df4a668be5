"""The command ``deepgram-async``, also called ``dga``.

It transcribes, speaks, reads and converses, looks after accounts, and serves the local Deepgram.
Results go to standard output, everything else to standard error. It exits with 0 after success, 1
when the service or the network failed, 2 when the call, the configuration or the input was wrong, 3
when some of several inputs failed, and 130 after Ctrl-C. It sends nothing but what it is asked to.
Needs the extra: ``pip install 'deepgram-async[cli]'``.
"""

import os
import sys
from collections.abc import Sequence

__all__ = ["main"]


def main(args: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code.

    Args:
        args: The words after the name of the command; those of this process by default.
    """
    _open_what_is_closed()
    try:
        from deepgram_async.cli._app import run  # click belongs to an extra
    except ModuleNotFoundError as exc:
        if exc.name != "click":
            raise
        sys.stderr.write("Error: the command line is an extra: pip install 'deepgram-async[cli]'\n")
        return 2
    return run(args)


def _open_what_is_closed() -> None:
    """Stand in for standard streams that the caller has closed, before a file takes their place."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            nothing = os.open(os.devnull, os.O_RDWR)
            setattr(sys, name, open(nothing, mode, closefd=False))
