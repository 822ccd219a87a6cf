"""One project with all of its processes, and what each of them printed."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final, NamedTuple

import urllib3

from otel_bridge.demo import expected
from otel_bridge.demo.expected import Line
from stack.process import Command, Process
from stack.servers import HOST, free_port
from tests.systems.catalogue import System

SOURCE: Final = Path(__file__).parent / "src"
PATIENCE: Final = 120.0
"""Seconds after which something hangs."""

UWSGI: Final = (
    *("--master", "--http-keepalive", "--enable-threads", "--single-interpreter", "--die-on-term", "--need-app"),
    *("--strict", "--module", "project.wsgi", "--processes", "2", "--threads", "2"),
    *("--max-requests", "10", "--min-worker-lifetime", "0"),
)
"""As in the systems, with fewer processes, which are recycled sooner."""
CELERY: Final = ("--app", "project.celery", "worker", "-O", "fair", "-c", "2", "--max-tasks-per-child", "5")
OUTGOING: Final = re.compile(
    r"^(outgoing_request_response_received)\n-+ request -+\n\w+ \S+(?<!/v1/traces)(?<!/v1/metrics)$", re.M
)
"""What django-log-outgoing-requests prints as plain text, with lines of details after it; not for an exporter's own
requests, of which nothing is sent."""
OUTGOING_LINE: Final = ("log_outgoing_requests", "debug")
"""Logger and level of that, where it is JSON."""
NO_CONTEXT: Final = {"event", "level", "logger", "timestamp"}
"""The keys of a line that is printed outside any request and task."""


class Way(NamedTuple):
    """How the bridge gets into a system."""

    last_lines: str = ""
    """Of its settings."""
    environ: Mapping[str, str] = {}


NO_WAY: Final = Way()
WAYS: Final = {
    "install()": Way("\nfrom otel_bridge import install\n\ninstall(LOGGING)\n"),
    "OTEL_BRIDGE_AUTO": Way(environ={"OTEL_BRIDGE_AUTO": "true"}),
}
"""Those that `docs/systems.md` describes."""


class Request(NamedTuple):
    """A request, and the status that answers it."""

    method: str
    path: str
    status: int
    body: bytes = b""


class Project:
    """
    A system's project, ready to run.

    Args:
        system: Which one.
        folder: For its source, what it prints, and its database.
        way: How the bridge gets into it.
        environ: Where it sends its logs, and what else is particular.
        python: The interpreter of the environment in which it runs; ours if not given.

    Attributes:
        uwsgi: The server, once it runs.
        celery: The worker, where the system has one.
    """

    def __init__(
        self,
        system: System,
        folder: Path,
        way: Way = NO_WAY,
        environ: Mapping[str, str] | None = None,
        python: str = sys.executable,
    ) -> None:
        self.system = system
        self.folder = folder
        self._bin = Path(python).parent
        self._url = f"http://{HOST}:{free_port()}"
        self._redis_port, self._stats_port = free_port(), free_port()
        self._http = urllib3.PoolManager(maxsize=8, retries=False, timeout=PATIENCE)
        shutil.copytree(SOURCE, folder / "src", ignore=shutil.ignore_patterns("__pycache__"))
        for name in ("log", "printed"):
            (folder / name).mkdir()
        with (folder / "src" / system.package / "settings.py").open("a") as settings:
            settings.write(way.last_lines)
        kept = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
        self._environ = {**kept, **self._documented(), **way.environ, **(environ or {})}

    def _documented(self) -> dict[str, str]:
        return {
            # As the systems start Celery: a thread that exports traces would hold locks when its children are forked.
            "_OTEL_DEFER_SETUP": "True",
            "_USE_STRUCTLOG": "True",
            "ALLOWED_HOSTS": "*",
            "AUDIT_LOGGER_NAME": f"{self.system.package}_audit",
            # open-api-framework takes the broker from there, too.
            "CELERY_RESULT_BACKEND": f"redis://{HOST}:{self._redis_port}/0",
            "DB_NAME": str(self.folder / "db.sqlite3"),
            "DJANGO_SETTINGS_MODULE": f"{self.system.package}.settings",
            "IS_HTTPS": "no",
            # So that each record says which process it comes from.
            "OTEL_EXPERIMENTAL_RESOURCE_DETECTORS": "process",
            "OTEL_SERVICE_NAME": self.system.service_name,
            "PRINTED": str(self.folder / "printed"),
            "PYTHONPATH": str(self.folder / "src"),
            "SECRET_KEY": "for the tests",
            "SYSTEM": self.system.name,
        }

    def prepare(self, notified: str) -> Path:
        """Make its database, where *notified* is the address of the API that is notified, and return the file."""
        self._python("-m", "project.prepare", notified, OTEL_SDK_DISABLED="true")
        return Path(self._environ["DB_NAME"])

    def load(self) -> None:
        """Load the application, as a server does, in a process that ends then."""
        self._python("-c", "import project.wsgi")

    def _python(self, *arguments: str, **environ: str) -> None:
        command = [str(self._bin / "python"), *arguments]
        subprocess.run(command, env={**self._environ, **environ}, cwd=self.folder, check=True)  # noqa: S603 - our own

    @contextmanager
    def running(self) -> Iterator[None]:
        """Run uWSGI, and Celery where the system has it; they end in order, by SIGTERM, or are killed."""
        with ExitStack() as ends:
            if self.system.has_celery:
                redis = self._process("redis-server", "--port", str(self._redis_port), "--bind", HOST, "--save", "")
                ends.callback(redis.kill)
                redis.start(lambda: "Ready to accept connections" in redis.log.read_text(), timeout=PATIENCE)
                self.celery = self._process("celery", *CELERY)
                ends.callback(self.celery.kill)
                self.celery.start(lambda: True, timeout=PATIENCE)
            addresses = ("--http", self._url[7:], "--stats", f"{HOST}:{self._stats_port}")
            self.uwsgi = self._process("uwsgi", "--home", str(self._bin.parent), *addresses, *UWSGI)
            ends.callback(self.uwsgi.kill)
            self.uwsgi.start(lambda: len(self.workers()) == 2, timeout=PATIENCE)
            yield
            self.stop()

    def stop(self) -> None:
        """
        End every process in order.

        A worker that SIGTERM finds busy ends at once; one that uWSGI is about to respawn then does not end. So none is.
        """
        self.until(lambda: not self._is_busy())
        self.uwsgi.stop(PATIENCE)
        if self.system.has_celery:
            self.celery.stop(PATIENCE)

    def workers(self) -> list[int]:
        """Return the process ids of uWSGI's workers, those included that have ended."""
        return [
            int(pid) for pid in re.findall(r"awned uWSGI worker \d+ \((?:new )?pid: (\d+)", self.uwsgi.log.read_text())
        ]

    def ask(self, requests: Iterable[Request]) -> list[bytes]:
        """Send *requests*, several at once; each must be answered as it says. Return the answers."""
        with ThreadPoolExecutor(4) as pool:
            return list(pool.map(self._ask, requests))

    def until(self, enough: Callable[[], bool]) -> None:
        """Return as soon as *enough* has happened; fail when it hangs."""
        deadline = time.monotonic() + PATIENCE
        while not enough():
            assert time.monotonic() < deadline, self.tail()
            time.sleep(0.1)

    def printed(self) -> dict[int, list[Line]]:
        """Return the log lines that each process printed; those of the first ones, which fork the others, as of 0."""
        lines = {int(file.name): _lines(file) for file in (self.folder / "printed").iterdir()}
        lines[0] = [line for file in self.folder.glob("*.log") for line in _lines(file)]
        return lines

    def output(self) -> str:
        """Return everything that any process printed."""
        return "".join(file.read_text(errors="replace") for file in self._files())

    def tail(self) -> str:
        """Return the end of what each process printed, ready to be appended to a message."""
        return "".join(f"\n== {file}\n{file.read_text(errors='replace')[-2000:]}" for file in self._files())

    def _is_busy(self) -> bool:
        if self.uwsgi.pid is None:
            return False
        ended = len(re.findall(r"killed successfully|died, killed by signal", self.uwsgi.log.read_text()))
        if len(self.workers()) - ended != 2:
            return True
        with socket.create_connection((HOST, self._stats_port), PATIENCE) as stats:
            told = json.loads(b"".join(iter(lambda: stats.recv(65_536), b"")))
        cores = [core for worker in told["workers"] for core in worker["cores"]]
        return any(core["in_request"] for core in cores) or not all(worker["accepting"] for worker in told["workers"])

    def _files(self) -> list[Path]:
        return [*self.folder.glob("*.log"), *(self.folder / "printed").iterdir()]

    def _ask(self, request: Request) -> bytes:
        headers = {"Content-Type": "application/json"}
        answer = self._http.request(request.method, self._url + request.path, body=request.body, headers=headers)
        assert answer.status == request.status, f"{request}: {answer.status}{self.tail()}"
        return answer.data

    def _process(self, name: str, *arguments: str) -> Process:
        program = self._bin / name
        command = [str(program) if program.exists() else name, *arguments]
        return Process(name, Command(command, self._environ, self.folder), self.folder / f"{name}.log")


def _lines(file: Path) -> list[Line]:
    """Return the log lines of *file*, each once: outgoing requests are plain text, JSON, or both."""
    printed = file.read_text()
    logger, level = OUTGOING_LINE
    plain = [Line(event, level, logger, None, None, {}, {}, is_structlog=False) for event in OUTGOING.findall(printed)]
    return [line for line in expected.lines(printed) if _counts(line, instead=bool(plain))] + plain


def _counts(line: Line, *, instead: bool) -> bool:
    """Tell whether a line of JSON stands for a record, where a line of plain text is or is not there instead."""
    if (line.logger, line.level) != OUTGOING_LINE:
        return True
    return not instead and not line.printed.keys() <= NO_CONTEXT
