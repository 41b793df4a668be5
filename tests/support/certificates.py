"""A certificate authority of its own for the servers on loopback."""

import shutil
import socket
import ssl
import subprocess
import tempfile
import threading
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from functools import cache
from pathlib import Path

import pytest

__all__ = ["tls_contexts", "untrusted_server"]


@cache
def _contexts() -> tuple[ssl.SSLContext, ssl.SSLContext]:
    with tempfile.TemporaryDirectory() as folder:
        key, certificate = Path(folder, "key.pem"), Path(folder, "certificate.pem")
        subprocess.run(
            [
                *("openssl", "req", "-x509", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"),
                *("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"),
                *("-addext", "subjectAltName=IP:127.0.0.1"),
                *("-keyout", str(key), "-out", str(certificate)),
            ],
            check=True,
            capture_output=True,
        )
        server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server.load_cert_chain(certificate, key)
        client = ssl.create_default_context(cafile=str(certificate))
    return server, client


def tls_contexts() -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Return the settings of a server, as 127.0.0.1 only, and of a client that trusts it."""
    if shutil.which("openssl") is None:
        pytest.skip("there is no openssl to make a certificate with")
    return _contexts()


@asynccontextmanager
async def untrusted_server() -> AsyncGenerator[str]:
    """Offer a certificate to clients that hang up on seeing it; yield the base URL.

    It lives in a thread: asyncio reports each of these handshakes as an error of the server.
    """
    context, _ = tls_contexts()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def offer() -> None:
            while True:
                connection, _ = listener.accept()
                with connection, suppress(OSError):
                    context.wrap_socket(connection, server_side=True).close()

        def offer_until_closed() -> None:
            with suppress(OSError):
                offer()

        thread = threading.Thread(target=offer_until_closed)
        thread.start()
        try:
            yield f"https://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()
