"""A Redis of its own for a test, on loopback."""

import shutil
import socket
import subprocess
from collections.abc import Generator
from contextlib import contextmanager

import pytest

__all__ = ["needs_redis", "redis_server"]

needs_redis = pytest.mark.skipif(
    shutil.which("redis-server") is None, reason="the program redis-server is not installed"
)


@contextmanager
def redis_server() -> Generator[str]:
    """Start a server that keeps nothing, yield its URL, and end it."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = ["redis-server", "--bind", "127.0.0.1", "--port", str(port), "--save", ""]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            for line in process.stdout:
                if "Ready to accept connections" in line:
                    break
            else:
                raise RuntimeError(f"redis-server ended with {process.wait()}")
            yield f"redis://127.0.0.1:{port}"
        finally:
            process.terminate()
