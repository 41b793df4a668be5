"""What requests and WebSockets say alike: who is calling, and how it failed."""

from __future__ import annotations

import errno
import os
import socket
import ssl
from collections.abc import Mapping
from typing import Final

from deepgram_async._version import __version__
from deepgram_async.errors import ConnectError

__all__ = ["USER_AGENT", "merged_headers", "plain_words", "refusal_of_proxy"]

USER_AGENT: Final = f"deepgram_async/{__version__}"


def merged_headers(*parts: Mapping[str, str]) -> dict[str, str]:
    """Return all headers, each once however it is spelled; a later part wins over an earlier."""
    found = {name.lower(): (name, value) for part in parts for name, value in part.items()}
    return dict(found.values())


def refusal_of_proxy(status: int, operation: str) -> ConnectError:
    """Return the error for a proxy that does not want to connect."""
    return ConnectError(
        f"the proxy did not connect, it answered {status}",
        operation=operation,
        retryable=status >= 500,
        hint="put user and password into the URL in proxy=" if status == 407 else "check proxy=",
    )


def plain_words(error: BaseException) -> str:
    """Return the words of the system for an error."""
    if isinstance(error, ssl.SSLError | socket.gaierror):
        return str(error.strerror)  # their numbers are not those of the system
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno)
    if isinstance(error, ConnectionResetError):
        return os.strerror(errno.ECONNRESET)
    if isinstance(error, OSError):
        return error.strerror or str(error)
    return type(error).__name__
