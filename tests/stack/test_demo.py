"""The demo of an installed package, against real servers."""

import os
import subprocess
import sys

import pytest

from otel_bridge.demo import choice
from stack import Stack, build, tools


def test_demo_with_servers_of_ones_own(stack: Stack) -> None:
    """It finds everything in both stores, and its tables fit on a terminal of 80 columns."""
    servers = ("--otlp", stack.otlp_http, "--loki", stack.loki.url, "--elasticsearch", stack.elasticsearch.url)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    done = subprocess.run(  # noqa: S603 - this project's own
        [sys.executable, "-m", "otel_bridge.cli", "demo", *servers],
        env={**environment, "COLUMNS": "80"},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert "Everything was found in Loki and in Elasticsearch: " in done.stdout
    rows = [line for line in done.stdout.splitlines() if line[:1] in {"┏", "┃", "│"}]
    assert rows
    assert {(len(row) <= 80, row[-1] in "┓┃│") for row in rows} == {(True, True)}


@pytest.mark.usefixtures("stack")
def test_built_servers_are_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    """With no engine, and no tool to build with, `make demo` takes the servers that are built."""
    monkeypatch.setenv("JAVA_HOME", str(tools.java_home()))
    monkeypatch.setenv("PATH", "")
    tools.go_version.cache_clear()
    try:
        assert build.is_built()
        assert choice.choose("")[1] == "there is no `docker`, and the native servers are built"
    finally:
        tools.go_version.cache_clear()
