"""uWSGI: its master, workers and mules, whatever ends them."""

import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Final

import pytest

from otel_bridge.export.inspection import inspect
from tests.integrations.servers import AT_THE_END, Server
from tests.otlp import HttpReceiver

UWSGI: Final = ("uwsgi", "--http-socket", "{address}", "--module", "tests.integrations.application", "--need-app")
MASTER: Final = (*UWSGI, "--master", "--die-on-term", "--threads", "2")
"""With one worker: once that has answered it can be ended. uWSGI forgets signals that come before."""

Uwsgi = Callable[..., Server]


@pytest.fixture
def uwsgi(receiver: HttpReceiver, tmp_path: Path) -> Iterator[Uwsgi]:
    """Make a server with such options; it is killed after the test."""
    servers = []

    def make(*command: str, **environ: str) -> Server:
        servers.append(Server(command, receiver, tmp_path, environ))
        return servers[0]

    yield make
    for server in servers:
        server.__exit__()


def end(server: Server) -> None:
    """End it by SIGTERM when no worker is busy any more."""
    wait_until_idle(server)
    server.stop()


def wait_until_idle(server: Server) -> None:
    """Wait until workers have logged the requests that they have answered: they are busy until then."""
    server.until(lambda: server.output.count(" => generated ") == server.answered)


def _pid(server: Server, name: str) -> int:
    """Return the process id of the master, a worker or a mule, as uWSGI told it first; 0 where there is none."""
    found = re.search(rf"spawned uWSGI {name} \(.*?pid: (\d+)", server.output)
    return int(found[1]) if found else 0


def test_a_worker_that_is_told_to_end_again_and_again_delivers(uwsgi: Uwsgi) -> None:
    """As by a worker that uWSGI has just forked, and that takes itself for the master when a signal comes."""
    server = uwsgi(*MASTER, **AT_THE_END).start()
    server.ask(10)
    wait_until_idle(server)
    worker = _pid(server, "worker 1")
    with suppress(ProcessLookupError):
        for _ in range(200):
            os.kill(worker, signal.SIGINT)
            time.sleep(0.001)
    server.until(lambda: "Respawned uWSGI worker 1" in server.output)
    server.ask()
    end(server)
    server.check()


@pytest.mark.parametrize(
    "command",
    [
        (*MASTER, "--processes", "2"),
        (*MASTER, "--lazy-apps", "--skip-atexit-teardown"),
        (*MASTER, "--py-call-uwsgi-fork-hooks", "--import", "uwsgidecorators"),
        (*UWSGI, "--threads", "2"),
        (*UWSGI, "--master", "--die-on-term", "--gevent", "10", "--gevent-monkey-patch"),
    ],
    ids=["forked", "lazy", "fork hooks", "no master", "gevent"],
)
def test_what_is_printed_is_delivered_when_workers_end(uwsgi: Uwsgi, command: tuple[str, ...]) -> None:
    """By SIGTERM; what was logged before the fork comes once, too."""
    server = uwsgi(*command, **AT_THE_END).start()
    workers = server.output.count("spawned uWSGI worker")
    server.ask_until(lambda: len(server.pids() - {_pid(server, "master process")}) == workers)
    server.ask(10)
    end(server)
    server.check()


def test_a_worker_that_is_recycled_delivers(uwsgi: Uwsgi) -> None:
    """One that has had its requests ends, and nothing is delivered anew by the next."""
    server = uwsgi(*MASTER, "--max-requests", "5", "--min-worker-lifetime", "0", **AT_THE_END).start()
    server.ask_until(lambda: "The work of process" in server.output)
    server.until(lambda: len(server.sent) >= 5)
    server.ask()
    end(server)
    server.check()
    assert len(server.pids()) == 3


@pytest.mark.parametrize("way", ["SIGHUP", "touch"])
def test_a_reload_delivers(uwsgi: Uwsgi, tmp_path: Path, way: str) -> None:
    """The master becomes a new program under the same process id, while requests are answered."""
    touched = tmp_path / "touched"
    touched.touch()
    server = uwsgi(*MASTER, "--touch-reload", str(touched), **AT_THE_END).start()
    with ThreadPoolExecutor() as pool:
        slow = pool.submit(server.ask, seconds=0.5)
        server.until(lambda: "seconds=0.5" in server.output)
        # It looks at whole seconds.
        server.signal(signal.SIGHUP) if way == "SIGHUP" else os.utime(touched, (4e9, 4e9))
        slow.result()
    server.until(lambda: server.output.count("application_loaded") == 2)
    server.ask(5)
    end(server)
    server.check()


def test_the_master_delivers_through_its_first_worker(uwsgi: Uwsgi) -> None:
    """At once, although nobody has asked for anything; and the next first worker does not deliver it again."""
    server = uwsgi(*MASTER).start(sign="spawned uWSGI worker 1")
    server.until(lambda: len(server.sent) == 1)
    os.kill(_pid(server, "worker 1"), signal.SIGKILL)
    server.until(lambda: "Respawned uWSGI worker 1" in server.output)
    server.ask(10)
    end(server)
    server.check()


def test_the_master_delivers_although_its_first_worker_was_killed(uwsgi: Uwsgi, tmp_path: Path) -> None:
    """Before it had delivered, but not before it had spooled."""
    spool = tmp_path / "spool"
    server = uwsgi(*MASTER, OTEL_BRIDGE_SPOOL_DIR=str(spool), **AT_THE_END).start(sign="spawned uWSGI worker 1")
    server.until(lambda: sum(segment.waiting for segment in inspect(spool)) == 1)
    os.kill(_pid(server, "worker 1"), signal.SIGKILL)
    server.until(lambda: "Respawned uWSGI worker 1" in server.output)
    server.ask(5)
    end(server)
    server.check()


@pytest.mark.parametrize("has_spool", [False, True])
def test_a_worker_that_is_killed(uwsgi: Uwsgi, tmp_path: Path, *, has_spool: bool) -> None:
    """What it had not delivered is lost without a spool, and with one it is not; the next one loses nothing."""
    environ = {"OTEL_BRIDGE_SPOOL_DIR": str(tmp_path / "spool")} if has_spool else {}
    server = uwsgi(*MASTER, **environ, **AT_THE_END).start()
    server.ask(10)
    before = set(server.printed)
    wait_until_idle(server)
    os.kill(_pid(server, "worker 1"), signal.SIGKILL)
    server.until(lambda: "Respawned uWSGI worker" in server.output)
    server.ask(10)
    end(server)
    if has_spool:
        server.check()
    else:
        assert set(server.printed) - set(server.sent) == before


def test_running_requests_are_waited_for_where_the_master_is_told_so(uwsgi: Uwsgi) -> None:
    """By the hook that the README names; SIGTERM breaks them off otherwise, and with them what the worker holds."""
    hook = ("--hook-master-start", "unix_signal:15 gracefully_kill_them_all")
    server = uwsgi(*MASTER, *hook, **AT_THE_END).start()
    with ThreadPoolExecutor() as pool:
        slow = pool.submit(server.ask, 2, seconds=1)
        server.until(lambda: server.output.count('&seconds=1"') == 2)
        server.stop()
        slow.result()
    server.check()


def test_a_mule_delivers(uwsgi: Uwsgi) -> None:
    """It is no worker, and not the master either. It is killed in the end, so that it must deliver while it runs."""
    server = uwsgi(*MASTER, "--mule=tests/integrations/mule.py").start()
    server.until(lambda: "mule_started" in server.output and set(server.printed) <= set(server.sent))
    end(server)
    server.check()
