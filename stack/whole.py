"""The three servers together."""

import atexit
import os
import subprocess
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from stack import build
from stack.clients import Elasticsearch, Loki
from stack.process import ServerError
from stack.servers import HOST, CollectorServer, ElasticsearchServer, LokiServer, Ports


class Stack:
    """
    Collector, Loki and Elasticsearch on the loopback, with the deployed configuration and templates.

    A context manager; `start` and `stop` do the same. Each server can be stopped, killed and started on its own, on the
    same ports and with the same state: `collector_server`, `loki_server`, `elasticsearch_server`. Start it from a
    thread that lives as long as it should: the servers die with it.

    Args:
        ports: Where they listen; free ports if not given.
        folder: Where state and logs go; a temporary folder that is deleted at the stop if not given.
        configs: Configuration files for the Collector, merged over the deployed ones.
        environment: Environment variables for the Collector.

    Attributes:
        otlp_grpc: `http://host:port` for OTLP over gRPC.
        otlp_http: `http://host:port` for OTLP over HTTP, without `/v1/logs`.
        loki: A client of the running Loki.
        elasticsearch: A client of the running Elasticsearch.
        logs: Folder with one log file a server.
    """

    def __init__(
        self,
        *,
        ports: Ports | None = None,
        folder: Path | None = None,
        configs: tuple[Path, ...] = (),
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.ports = ports or Ports()
        self.otlp_grpc = f"http://{HOST}:{self.ports.otlp_grpc}"
        self.otlp_http = f"http://{HOST}:{self.ports.otlp_http}"
        self.loki = Loki(f"http://{HOST}:{self.ports.loki}")
        self.elasticsearch = Elasticsearch(f"http://{HOST}:{self.ports.elasticsearch}")
        self._folder = folder
        self._configs = configs
        self._environment = environment
        self._undo = ExitStack()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """
        Build what is not built, start all three, and install Elasticsearch's templates.

        Raises:
            MissingToolError: A tool that a build needs is missing.
            BuildError: A build failed.
            ServerError: A server did not start; it is named, with the end of its log. Nothing runs then.
        """
        binaries = build.everything()
        atexit.register(self.stop)
        self._undo.callback(atexit.unregister, self.stop)
        try:
            self._start(binaries)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop all three and delete the temporary folder. Harmless twice."""
        self._undo.close()

    def endpoints(self) -> dict[str, str]:
        """Return the URLs of everything, by name."""
        return {
            "otlp_grpc": self.otlp_grpc,
            "otlp_http": self.otlp_http,
            "loki": self.loki.url,
            "elasticsearch": self.elasticsearch.url,
            "collector_health": f"http://{HOST}:{self.ports.health}",
            "collector_metrics": f"http://{HOST}:{self.ports.metrics}/metrics",
            "logs": str(self.logs),
        }

    def _start(self, binaries: dict[str, Path]) -> None:
        folder = self._folder or Path(
            self._undo.enter_context(
                tempfile.TemporaryDirectory(prefix="otel-bridge-stack-", ignore_cleanup_errors=True)
            )
        )
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o711)  # Elasticsearch may run as another user and must get through
        self.logs = folder / "logs"
        self.logs.mkdir(exist_ok=True)
        java, ports = binaries["java"], self.ports
        self.elasticsearch_server = ElasticsearchServer(
            binaries["elasticsearch"], java, folder / "elasticsearch", self.logs / "elasticsearch.log", ports
        )
        self.loki_server = LokiServer(binaries["loki"], folder / "loki", self.logs / "loki.log", ports)
        self.collector_server = CollectorServer(
            binaries["collector"],
            folder / "collector",
            self.logs / "collector.log",
            ports,
            configs=self._configs,
            environment=self._environment,
        )
        for server in (self.elasticsearch_server, self.loki_server, self.collector_server):
            self._undo.callback(server.stop)
            server.start()
            if server is self.elasticsearch_server:
                install_templates(self.elasticsearch.url)


def install_templates(elasticsearch_url: str) -> str:
    """
    Run the deployed installation step against *elasticsearch_url*, and return what it said.

    Raises:
        ServerError: It failed; the message holds its output.
    """
    script = build.COLLECTOR / "elasticsearch" / "install.sh"
    environment = {**os.environ, "ELASTICSEARCH_URL": elasticsearch_url}
    done = subprocess.run(  # noqa: S603 - the project's own script
        ["/bin/sh", str(script)], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise ServerError(f"{script.name} ended with status {done.returncode}: {done.stdout}{done.stderr}")
    return done.stdout
