"""An endpoint, and the transport that is made for it."""

import gzip
import subprocess
import sys

import pytest

from otel_bridge.export.endpoint import Endpoint, transport
from otel_bridge.export.grpc import GrpcTransport
from otel_bridge.export.http import HttpTransport
from otel_bridge.export.tls import TlsFileError
from tests.export.receivers import Certificates

WITHOUT_H2 = """
import sys
sys.modules["h2"] = None
from otel_bridge.export.endpoint import Endpoint, transport
try:
    transport(Endpoint("http://localhost:4317", protocol="grpc"))
except ModuleNotFoundError as exc:
    print(exc)
"""


def test_the_protocol_chooses_the_transport() -> None:
    """There are two."""
    assert isinstance(transport(Endpoint("http://localhost:4318/v1/logs")), HttpTransport)
    assert isinstance(transport(Endpoint("http://localhost:4317", protocol="grpc")), GrpcTransport)


def test_grpc_without_h2_is_one_sentence() -> None:
    """It says what to install, or what to choose instead."""
    done = subprocess.run([sys.executable, "-c", WITHOUT_H2], capture_output=True, text=True, check=True)  # noqa: S603 - ours
    [sentence] = done.stdout.splitlines()
    assert "pip install 'otel-bridge[grpc]'" in sentence
    assert "OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf" in sentence


def test_importing_endpoints_imports_no_transport() -> None:
    """Reading the environment costs neither `urllib3` nor `h2`."""
    code = "import sys, otel_bridge.export.environment; print(*sorted({'urllib3', 'h2'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603 - ours
    assert done.stdout.strip() == ""


@pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])
def test_a_certificate_that_cannot_be_read_is_said_at_once(protocol: str, certificates: Certificates) -> None:
    """Not only at the first request; the message names the file, the variable and the reason."""
    url, missing = "https://localhost:1", "/missing/authority.pem"
    with pytest.raises(TlsFileError, match=r"missing/authority\.pem.*No such file.*OTEL_EXPORTER_OTLP_CERTIFICATE"):
        transport(Endpoint(url, protocol=protocol, certificate=missing))  # type: ignore[arg-type]  # it is one of them
    with pytest.raises(TlsFileError, match="OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE"):
        transport(Endpoint(url, client_certificate=certificates.authority))


def test_a_key_with_a_password_asks_nobody_for_it(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A prompt on the terminal would hold the process."""
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - only here
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415 - only here

    key = tmp_path_factory.mktemp("key") / "key.pem"
    key.write_bytes(
        ec.generate_private_key(ec.SECP256R1()).private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"password"),
        )
    )
    with pytest.raises(TlsFileError, match="cannot be used"):
        transport(Endpoint("https://localhost:1", client_certificate=str(key)))


def test_a_request_is_compressed_reproducibly() -> None:
    """The same request is the same bytes, so that a retry is the same request."""
    packed = Endpoint("http://c:1", compression="gzip").packed(b"x" * 1000)
    assert packed[4:8] == bytes(4), "no time in its header"
    assert gzip.decompress(packed) == b"x" * 1000
    assert Endpoint("http://c:1").packed(b"x") == b"x"


def test_what_a_receiver_writes_is_cleared_of_headers() -> None:
    """Each longer word of their values goes; short ones would take out half of any sentence."""
    endpoint = Endpoint("http://c:1", headers={"authorization": "Bearer hunter2", "x-scope": "a"})
    assert endpoint.cleared("no token hunter2 in a realm; Bearer") == "no token *** in a realm; ***"
