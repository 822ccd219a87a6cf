"""Building the servers, starting them, and leaving nothing behind."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from stack import Elasticsearch, Loki, MissingToolError, ServerError, Stack, build, tools
from stack.process import Command, Process
from stack.whole import install_templates
from tests.stack.asking import until


def running(pid: int) -> bool:
    """Tell whether a process exists and is no zombie."""
    status = Path(f"/proc/{pid}/stat")
    return status.exists() and status.read_text().rsplit(")", 1)[1].split()[0] != "Z"


def test_templates_again(stack: Stack) -> None:
    """Installing the templates again changes nothing, and says what was done."""
    said = install_templates(stack.elasticsearch.url)
    assert said.splitlines() == [
        "Installed _component_template/otel-bridge-catalogue from catalogue.json.",
        "Installed _index_template/logs-structlog.otel from template.json.",
    ]


def test_templates_without_elasticsearch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing answers, the installation says so and fails."""
    monkeypatch.setenv("ELASTICSEARCH_WAIT", "1")
    with pytest.raises(ServerError, match=r"http://127\.0\.0\.1:9 does not answer"):
        install_templates("http://127.0.0.1:9")


def test_template_for_the_full_distribution() -> None:
    """The template outranks the stock one for `logs-*.otel-*`, keeps failures, and lets no mapping grow by itself."""
    template = json.loads((build.COLLECTOR / "elasticsearch" / "template.json").read_text())
    assert template["index_patterns"] == ["logs-structlog.otel-*"]
    assert template["priority"] > 200
    assert template["composed_of"] == ["otel-bridge-catalogue"]
    assert template["template"]["data_stream_options"] == {"failure_store": {"enabled": True}}
    assert template["template"]["mappings"]["dynamic"] is False


def test_server_that_does_not_start(tmp_path: Path) -> None:
    """A server that ends while starting is named, with the end of its log."""
    command = Command(["/bin/sh", "-c", "echo no such setting; exit 3"], {}, tmp_path)
    process = Process("Loki", command, tmp_path / "loki.log")
    with pytest.raises(ServerError, match=r"(?s)Loki ended with status 3 while starting.*no such setting"):
        process.start(lambda: False, timeout=30)
    assert process.pid is None


def test_server_that_is_never_ready(tmp_path: Path) -> None:
    """A server that is not ready in time is stopped, with its children."""
    command = Command(["/bin/sh", "-c", "sleep 600 & echo $!; wait"], {"PATH": os.defpath}, tmp_path)
    process = Process("Loki", command, tmp_path / "loki.log")
    with pytest.raises(ServerError, match="Loki was not ready after 1 s"):
        process.start(lambda: False, timeout=1)
    child = int((tmp_path / "loki.log").read_text())
    assert until(lambda: running(child), lambda alive: not alive) is False


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux kills children with their parent")
def test_no_orphans(tmp_path: Path) -> None:
    """A server dies with the Python process that started it, even when that is killed."""
    code = f"""
import os, signal
from pathlib import Path
from stack.process import Command, Process
here = Path({str(tmp_path)!r})
process = Process("Loki", Command(["/bin/sleep", "600"], {{}}, here), here / "log")
# Not before it is what was asked for: until then the kernel was not yet told.
process.start(lambda: Path(f"/proc/{{process.pid}}/comm").read_text() == "sleep\\n", timeout=5)
print(process.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
    root = Path(__file__).parent.parent.parent
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=False)  # noqa: S603 - fixed
    child = int(done.stdout)
    assert until(lambda: running(child), lambda alive: not alive) is False


def test_missing_toolchain(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A missing tool is one sentence that names it and the alternative; what is built already needs no tool."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    tools.go_version.cache_clear()
    try:
        with pytest.raises(MissingToolError, match=r"^The Collector is built with Go.*`go`.*docker compose up`\.$"):
            build.collector()
        (tmp_path / "otel-bridge" / f"otelcol-{build.collector_key()}-go1.26.8").mkdir(parents=True)
        assert build.collector().name == "otelcol"
    finally:
        tools.go_version.cache_clear()


@pytest.mark.usefixtures("stack")
def test_command_line(tmp_path: Path) -> None:
    """`python -m stack` writes its endpoints when all is up; SIGTERM ends it in order, and nothing is left behind."""
    endpoints = tmp_path / "endpoints.json"
    command = [sys.executable, "-m", "stack", "--endpoints", str(endpoints), "up"]
    with subprocess.Popen(command, cwd=build.COLLECTOR.parent, stdout=subprocess.PIPE, text=True) as child:  # noqa: S603 - fixed
        assert until(endpoints.exists, bool)
        urls = json.loads(endpoints.read_text())
        assert Loki(urls["loki"]).ready()
        assert Elasticsearch(urls["elasticsearch"]).ready()
        child.terminate()
        said, _ = child.communicate(timeout=60)
    assert child.returncode == 0
    assert urls["otlp_http"] in said
    assert not endpoints.exists()
    assert not Path(urls["logs"]).parent.exists()
    assert not Loki(urls["loki"]).ready()
    assert not Elasticsearch(urls["elasticsearch"]).ready()
