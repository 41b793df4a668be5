"""A certificate for the server on this machine, and the file that makes every client trust it."""

from __future__ import annotations

import shutil
import ssl
import subprocess
import sys
from pathlib import Path
from typing import Final

TRUSTED: Final = "trusted.pem"
_KEY: Final = "key.pem"
_CERTIFICATE: Final = "certificate.pem"


def make_certificate(folder: Path) -> Path:
    """Make a certificate in a folder and return the file of all that is to be trusted.

    That are the authorities of this machine and the certificate: loading them costs what it costs
    in any program. ``SSL_CERT_FILE`` names the file to each client.
    """
    if shutil.which("openssl") is None:
        sys.exit("the command openssl is needed: it makes the certificate of the server")
    key, certificate, trusted = folder / _KEY, folder / _CERTIFICATE, folder / TRUSTED
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
    authorities = ssl.create_default_context().get_ca_certs(binary_form=True)
    texts = [ssl.DER_cert_to_PEM_cert(authority) for authority in authorities]
    trusted.write_text("".join([*texts, certificate.read_text()]))
    return trusted


def server_context(folder: Path) -> ssl.SSLContext:
    """Return the settings of a server with the certificate in a folder."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / _CERTIFICATE, folder / _KEY)
    return context
