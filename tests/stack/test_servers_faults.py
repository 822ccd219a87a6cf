"""Servers that are gone for a while, and who may come in."""

import shutil
import ssl
import subprocess
import uuid
from pathlib import Path

import pytest
import urllib3
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from stack import Stack, build
from stack.servers import CollectorServer, Ports
from tests.stack.asking import both, documents, entries, record, send


def test_outage_of_elasticsearch(stack: Stack, request_id: str) -> None:
    """Elasticsearch gone, and the Collector stopped and started meanwhile: nothing is lost, and Loki does not wait."""
    stack.elasticsearch_server.kill()
    try:
        for _ in range(5):
            send(stack, [record({"request_id": request_id}) for _ in range(100)])
        entries(stack, request_id, 500)
        stack.collector_server.restart()
        send(stack, [record({"request_id": request_id}) for _ in range(100)])
    finally:
        stack.elasticsearch_server.start()
    documents(stack, f"request_id:{request_id}", 600)
    entries(stack, request_id, 600)


def test_outage_of_loki(stack: Stack, request_id: str) -> None:
    """Loki gone, and the Collector killed meanwhile: nothing is lost, and Elasticsearch does not wait."""
    stack.loki_server.kill()
    try:
        send(stack, [record({"request_id": request_id, "log.record.uid": uuid.uuid4().hex}) for _ in range(500)])
        documents(stack, f"request_id:{request_id}", 500)
        stack.collector_server.kill()
        stack.collector_server.start()
    finally:
        stack.loki_server.start()
    entries(stack, request_id, 500)


def test_secured_collector(stack: Stack, request_id: str, tmp_path: Path) -> None:
    """With secure.yaml over it, the Collector takes records over TLS from who has the token, and from nobody else."""
    if (openssl := shutil.which("openssl")) is None:
        pytest.skip("the certificate for this test is made with openssl, which is not installed")
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    make = [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", str(key), "-out", str(certificate)]
    name = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run([*make, *name], check=True, capture_output=True)  # noqa: S603 - fixed arguments
    ports = Ports(loki=stack.ports.loki, elasticsearch=stack.ports.elasticsearch)
    collector = CollectorServer(
        build.collector(),
        tmp_path / "collector",
        tmp_path / "collector.log",
        ports,
        configs=(build.COLLECTOR / "otelcol" / "secure.yaml",),
        environment={"INGEST_TOKEN": "geheim", "TLS_CERT_FILE": str(certificate), "TLS_KEY_FILE": str(key)},
    )
    request = ExportLogsServiceRequest()
    request.resource_logs.add().scope_logs.add().log_records.append(record({"request_id": request_id}))
    context = ssl.create_default_context(cafile=str(certificate))
    collector.start()
    try:
        with urllib3.PoolManager(ssl_context=context, retries=False) as client:

            def status(**headers: str) -> int:
                url = f"https://127.0.0.1:{ports.otlp_http}/v1/logs"
                headers["content-type"] = "application/x-protobuf"
                return client.request("POST", url, body=request.SerializeToString(), headers=headers).status

            assert status() == 401
            assert status(authorization="Bearer wrong") == 401
            assert status(authorization="Bearer geheim") == 200
        both(stack, request_id)
    finally:
        collector.stop()
