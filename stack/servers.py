"""How each server is started without containers, and how one knows that it is ready."""

import os
import random
import secrets
import shutil
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Final

import urllib3

from stack.build import COLLECTOR
from stack.clients import Elasticsearch, Loki
from stack.process import Command, Process

HOST: Final = "127.0.0.1"

NOBODY: Final = 65534
"""Elasticsearch refuses to run as root; then it runs as this user."""

START_SECONDS: Final = 120.0


def free_port() -> int:
    """Return a TCP port that nobody listens on, below those that the kernel gives to outgoing connections."""
    while True:
        port = random.randrange(20_000, 32_000)  # noqa: S311 - no secret
        with socket.socket() as probe:
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return port


@dataclass(frozen=True)
class Ports:
    """Where the servers listen on the loopback; a free port each, kept over restarts, unless given."""

    otlp_grpc: int = field(default_factory=free_port)
    otlp_http: int = field(default_factory=free_port)
    health: int = field(default_factory=free_port)
    metrics: int = field(default_factory=free_port)
    writer: int = field(default_factory=free_port)
    loki: int = field(default_factory=free_port)
    loki_grpc: int = field(default_factory=free_port)
    elasticsearch: int = field(default_factory=free_port)
    elasticsearch_transport: int = field(default_factory=free_port)

    def __post_init__(self) -> None:
        taken = [getattr(self, item.name) for item in fields(self)]
        if len(set(taken)) != len(taken):
            raise ValueError(f"two servers share a port: {self}")


USUAL: Final = {
    "otlp_grpc": 4317,
    "otlp_http": 4318,
    "health": 13133,
    "metrics": 8888,
    "writer": 14320,
    "loki": 3100,
    "loki_grpc": 9095,
    "elasticsearch": 9200,
    "elasticsearch_transport": 9300,
}
"""The servers' own default ports."""


class Server:
    """
    One server with its state, startable again on the same ports and state.

    Attributes:
        process: The running process, or the one that ran last.
    """

    process: Process

    def ready(self) -> bool:
        """Tell whether it takes requests."""
        raise NotImplementedError

    def start(self, timeout: float = START_SECONDS) -> None:
        """Start it and wait until it is ready; raises ServerError, which shows the end of its log."""
        self.process.start(self.ready, timeout=timeout)

    def stop(self) -> None:
        """Let it end in order. Harmless when it does not run."""
        self.process.stop()

    def kill(self) -> None:
        """End it as a crash would. Harmless when it does not run."""
        self.process.kill()

    def restart(self) -> None:
        """Stop it, and start it on the same ports and state."""
        self.stop()
        self.start()


class CollectorServer(Server):
    """
    The Collector with the very configuration files that are deployed.

    Args:
        executable: Its binary.
        state: Folder for its queues; kept over restarts.
        log: File for what it says.
        ports: Where it listens, and where it finds the stores.
        configs: Further configuration files, merged over the deployed ones.
        environment: Further environment variables.
    """

    def __init__(
        self,
        executable: Path,
        state: Path,
        log: Path,
        ports: Ports,
        *,
        configs: tuple[Path, ...] = (),
        environment: Mapping[str, str] | None = None,
    ) -> None:
        state.mkdir(parents=True, exist_ok=True)
        self.state = state
        self._health = f"http://{HOST}:{ports.health}/"
        files = (COLLECTOR / "otelcol" / "otelcol.yaml", COLLECTOR / "otelcol" / "catalogue.yaml", *configs)
        arguments = [str(executable), *(f"--config={file}" for file in files)]
        variables = {
            "PATH": os.defpath,
            "OTELCOL_STATE_DIR": str(state / "queues"),
            "APP_LOGS": str(state / "app-logs"),
            "OTLP_GRPC_PORT": str(ports.otlp_grpc),
            "OTLP_HTTP_PORT": str(ports.otlp_http),
            "HEALTH_PORT": str(ports.health),
            "METRICS_PORT": str(ports.metrics),
            "ES_WRITER_PORT": str(ports.writer),
            "ES_WRITER_TOKEN": secrets.token_hex(16),
            "LOKI_URL": f"http://{HOST}:{ports.loki}",
            "ELASTICSEARCH_URL": f"http://{HOST}:{ports.elasticsearch}",
            "DEPLOYMENT_ENVIRONMENT": "test",
            **(environment or {}),
        }
        self.app_logs = Path(variables["APP_LOGS"])
        self.process = Process("The Collector", Command(arguments, variables, state), log)

    def ready(self) -> bool:
        """Tell whether its health check answers; that it reaches the stores is known by a record read back only."""
        try:
            return urllib3.request("GET", self._health, retries=False, timeout=2).status == 200
        except urllib3.exceptions.HTTPError:
            return False


class LokiServer(Server):
    """
    Loki, in one process, with the deployed configuration.

    Args:
        executable: Its binary.
        state: Folder for its data; kept over restarts.
        log: File for what it says.
        ports: Where it listens.
    """

    def __init__(self, executable: Path, state: Path, log: Path, ports: Ports) -> None:
        state.mkdir(parents=True, exist_ok=True)
        self.client = Loki(f"http://{HOST}:{ports.loki}")
        config = COLLECTOR / "loki" / "loki.yaml"
        arguments = [str(executable), f"-config.file={config}", "-config.expand-env=true"]
        variables = {
            "PATH": os.defpath,
            "LOKI_HOST": HOST,
            "LOKI_DATA": str(state),
            "LOKI_HTTP_PORT": str(ports.loki),
            "LOKI_GRPC_PORT": str(ports.loki_grpc),
        }
        self.process = Process("Loki", Command(arguments, variables, state), log)

    def ready(self) -> bool:
        """Tell whether it takes pushes and queries."""
        return self.client.ready()


class ElasticsearchServer(Server):
    """
    One node of Elasticsearch without security, on the loopback.

    Args:
        home: The unpacked distribution.
        java: A Java of 21 or newer.
        state: Folder for its configuration and data; kept over restarts.
        log: File for what it says.
        ports: Where it listens.
    """

    def __init__(self, home: Path, java: Path, state: Path, log: Path, ports: Ports) -> None:
        self.client = Elasticsearch(f"http://{HOST}:{ports.elasticsearch}")
        user = NOBODY if os.geteuid() == 0 else None
        home = _prepared(home, state, user)
        settings = {
            "discovery.type": "single-node",
            "network.host": HOST,
            "http.port": ports.elasticsearch,
            "transport.port": ports.elasticsearch_transport,
            "path.data": state / "data",
            "path.logs": state / "logs",
            "xpack.security.enabled": "false",
            # A full disk on a developer's machine must not make the indexes read-only.
            "cluster.routing.allocation.disk.threshold_enabled": "false",
        }
        options = [f"-E{name}={value}" for name, value in settings.items()]
        variables = {
            "PATH": os.defpath,
            "HOME": str(state),
            "ES_JAVA_HOME": str(java),
            "ES_JAVA_OPTS": "-Xms512m -Xmx1g",
            "ES_PATH_CONF": str(state / "config"),
            "ES_TMPDIR": str(state / "tmp"),
        }
        command = Command([str(home / "bin" / "elasticsearch"), *options], variables, state, user)
        self.process = Process("Elasticsearch", command, log)

    def ready(self) -> bool:
        """Tell whether the cluster answers."""
        return self.client.ready()


def _prepared(home: Path, state: Path, user: int | None) -> Path:
    """Make the folders that Elasticsearch writes to, and return the distribution where *user* can read it."""
    for name in ("data", "logs", "tmp"):
        (state / name).mkdir(parents=True, exist_ok=True)
    if not (state / "config").exists():
        shutil.copytree(home / "config", state / "config")
    if user is None:
        return home
    # The cache is in root's own folder, which nobody else may enter.
    if not (state / "home").exists():
        shutil.copytree(home, state / "home", copy_function=_link)
    for name in ("config", "data", "logs", "tmp"):
        for path in (state / name, *(state / name).rglob("*")):
            os.chown(path, user, user)
    os.chown(state, user, user)
    return state / "home"


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
