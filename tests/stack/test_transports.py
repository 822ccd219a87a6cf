"""The transports, against the real Collector: grpc-go's server and Go's HTTP server."""

import json
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import urllib3

from otel_bridge.export.endpoint import Endpoint, Protocol, transport
from otel_bridge.export.otlp_json import as_json
from otel_bridge.export.transport import Answer, Outcome
from stack import build
from stack.process import Command, Process
from stack.servers import free_port
from tests.export.receivers import Certificates, request

ACCEPTED = Answer(Outcome.ACCEPTED)
TOKEN = "hunter2hunter2"  # noqa: S105 - only here
PROTOCOLS: tuple[Protocol, ...] = ("http/protobuf", "grpc")


class Collector:
    """A Collector that writes what it takes to a file: one receiver for everybody, one for who has token and key."""

    def __init__(self, folder: Path, certificates: Certificates) -> None:
        self.written = folder / "written.jsonl"
        self.certificates = certificates
        self._ports = {name: free_port() for name in ("grpc", "http/protobuf", "secure grpc", "secure http/protobuf")}
        self._health = free_port()
        config = folder / "collector.json"
        config.write_text(json.dumps(self._config()))
        command = Command([str(build.collector()), f"--config={config}"], {"PATH": "/usr/bin"}, folder)
        self.process = Process("The Collector", command, folder / "collector.log")

    def _config(self) -> dict[str, Any]:
        def listening(name: str, **options: Any) -> dict[str, Any]:
            return {"endpoint": f"127.0.0.1:{self._ports[name]}", **options}

        aging = {"server_parameters": {"max_connection_age": "300ms", "max_connection_age_grace": "5s"}}
        files = self.certificates
        secure = {
            "auth": {"authenticator": "bearertokenauth"},
            "tls": {"cert_file": files.server_both, "key_file": files.server_both, "client_ca_file": files.authority},
        }
        return {
            "extensions": {
                "health_check": {"endpoint": f"127.0.0.1:{self._health}"},
                "bearertokenauth": {"token": TOKEN},
            },
            "receivers": {
                "otlp/plain": {
                    "protocols": {
                        "grpc": listening("grpc", keepalive=aging),
                        "http": listening("http/protobuf", max_request_body_size=4 << 20),
                    }
                },
                "otlp/secure": {
                    "protocols": {
                        "grpc": listening("secure grpc", **secure),
                        "http": listening("secure http/protobuf", **secure),
                    }
                },
            },
            "exporters": {"file": {"path": str(self.written), "flush_interval": "50ms"}},
            "service": {
                "extensions": ["health_check", "bearertokenauth"],
                "telemetry": {"metrics": {"level": "none"}},
                "pipelines": {"logs": {"receivers": ["otlp/plain", "otlp/secure"], "exporters": ["file"]}},
            },
        }

    def ready(self) -> bool:
        """Tell whether it takes requests."""
        try:
            return urllib3.request("GET", f"http://127.0.0.1:{self._health}/", retries=False, timeout=2).status == 200
        except urllib3.exceptions.HTTPError:
            return False

    def endpoint(self, protocol: Protocol, *, secure: bool = False, **options: Any) -> Endpoint:
        """Describe one of its receivers."""
        port = self._ports[f"secure {protocol}" if secure else protocol]
        url = f"{'https' if secure else 'http'}://localhost:{port}{'/v1/logs' if protocol != 'grpc' else ''}"
        return Endpoint(url, protocol=protocol, **options)

    def lines(self, word: str) -> list[dict[str, Any]]:
        """Return the requests it wrote that hold *word*, as soon as there is one."""
        deadline = time.monotonic() + 20
        found: list[str] = []
        while not found and time.monotonic() < deadline:
            time.sleep(0.05)
            found = [line for line in self.written.read_text().splitlines() if word in line]
        return [json.loads(line) for line in found]


@pytest.fixture(scope="module")
def collector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collector]:
    """A running Collector; skipped where it cannot be built."""
    if sentence := build.missing():
        pytest.skip(sentence)
    folder = tmp_path_factory.mktemp("collector")
    running = Collector(folder, Certificates(folder))
    with ExitStack() as undo:
        undo.callback(running.process.stop)
        running.process.start(running.ready, timeout=60)
        yield running


def sent(endpoint: Endpoint, encoded: bytes) -> Answer:
    """Send one request over a transport of its own."""
    made = transport(endpoint)
    try:
        return made.send(encoded, 20)
    finally:
        made.close()


@pytest.mark.parametrize("compression", ["none", "gzip"])
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_request_arrives_as_it_is(collector: Collector, protocol: Protocol, compression: str) -> None:
    """And the Collector's own JSON of it is ours."""
    made, word = request(512), uuid.uuid4().hex
    made.resource_logs[0].resource.attributes.add(key="word").value.string_value = word
    made.resource_logs[0].scope_logs[0].scope.name = "openzaak.components.zaken"
    encoded = made.SerializeToString()
    assert sent(collector.endpoint(protocol, compression=compression), encoded) == ACCEPTED
    [line] = collector.lines(word)
    assert line == as_json(encoded)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_request_just_below_the_limit_arrives(collector: Collector, protocol: Protocol) -> None:
    """Nearly 4 MiB: fifty times what HTTP/2 lets go unasked."""
    word = uuid.uuid4().hex
    made = request(1, (4 << 20) - 1000)
    made.resource_logs[0].resource.attributes.add(key="word").value.string_value = word
    assert sent(collector.endpoint(protocol), made.SerializeToString()) == ACCEPTED
    assert len(collector.lines(word)) == 1


@pytest.mark.parametrize("compression", ["none", "gzip"])
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_request_above_the_limit_is_too_large(collector: Collector, protocol: Protocol, compression: str) -> None:
    """The sender splits it then; also where only what is unpacked is too large."""
    endpoint = collector.endpoint(protocol, compression=compression)
    assert sent(endpoint, request(1, 5 << 20).SerializeToString()).outcome is Outcome.TOO_LARGE


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_what_is_no_request_is_refused(collector: Collector, protocol: Protocol) -> None:
    """It would be refused again and again."""
    assert sent(collector.endpoint(protocol), b"\xff\xff").outcome is Outcome.REFUSED


def test_connections_that_the_collector_ages_out_lose_nothing(collector: Collector) -> None:
    """GOAWAY every 300 ms: of 300 requests in 1.5 s, each is accepted."""
    made = transport(collector.endpoint("grpc"))
    encoded = request(10).SerializeToString()
    answers = set()
    for _ in range(300):
        answers.add(made.send(encoded, 5))
        time.sleep(0.005)
    made.close()
    assert answers == {ACCEPTED}


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_token_and_certificates_let_in(collector: Collector, protocol: Protocol) -> None:
    """TLS, a certificate of ours, and a token; each that is missing keeps out, and no message shows the token."""
    files = collector.certificates
    trusted = {"certificate": files.authority}
    ours = {"client_certificate": files.client_certificate, "client_key": files.client_key}
    token, wrong = ({"headers": {"authorization": f"Bearer {said}"}} for said in (TOKEN, f"not-{TOKEN}"))
    encoded = request(3).SerializeToString()

    def answer(**options: Any) -> Answer:
        return sent(collector.endpoint(protocol, secure=True, **options), encoded)

    assert answer(**trusted, **ours, **token) == ACCEPTED
    refused = [answer(**trusted, **ours), answer(**trusted, **ours, **wrong)]
    closed = [answer(**trusted, **token), answer(**ours, **token)]
    assert [one.outcome for one in refused] == [Outcome.REFUSED] * 2
    assert {one.error_type for one in refused} == {"UNAUTHENTICATED" if protocol == "grpc" else "401"}
    assert [one.outcome for one in closed] == [Outcome.UNAVAILABLE] * 2
    assert TOKEN not in str([*refused, *closed])


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_collector_that_restarts_is_found_again(collector: Collector, protocol: Protocol) -> None:
    """Over the same transport; in between it is unavailable."""
    made, encoded = transport(collector.endpoint(protocol)), request(3).SerializeToString()
    assert made.send(encoded, 5) == ACCEPTED
    collector.process.stop()
    assert made.send(encoded, 5).error_type == "ConnectionRefusedError"
    collector.process.start(collector.ready, timeout=60)
    assert made.send(encoded, 5) == ACCEPTED
    made.close()
