"""TLS as the OTLP variables ask for it: https://opentelemetry.io/docs/specs/otel/protocol/exporter/."""

import ssl
from pathlib import Path

from otel_bridge.export.endpoint import Endpoint


class TlsFileError(ValueError):
    """A certificate or a key cannot be used; the message names the file and the variable."""


def context(endpoint: Endpoint, protocol: str) -> ssl.SSLContext:
    """
    Read the certificates of *endpoint*, anew each time, so that a connection has those of its day.

    Args:
        endpoint: Names the files.
        protocol: What is spoken over it, as ALPN names it: `h2` or `http/1.1`.

    Raises:
        TlsFileError: One of the files cannot be used.
    """
    authorities, certificate, key = endpoint.certificate, endpoint.client_certificate, endpoint.client_key
    is_folder = authorities is not None and Path(authorities).is_dir()
    try:
        made = ssl.create_default_context(
            cafile=None if is_folder else authorities, capath=authorities if is_folder else None
        )
    except OSError as exc:
        raise _unusable("CERTIFICATE", exc, authorities) from exc
    try:
        if certificate:
            # Without a password, OpenSSL would ask for one on the terminal.
            made.load_cert_chain(certificate, key, password="")
    except (OSError, ValueError) as exc:
        raise _unusable("CLIENT_CERTIFICATE and CLIENT_KEY", exc, certificate, key) from exc
    made.set_alpn_protocols([protocol])
    return made


def _unusable(variable: str, exc: Exception, *files: str | None) -> TlsFileError:
    why = getattr(exc, "reason", None) or getattr(exc, "strerror", None) or "it has a password"
    named = " and ".join(file for file in files if file)
    return TlsFileError(f"{named} cannot be used ({why}); OTEL_EXPORTER_OTLP_{variable} must name a readable PEM file.")
