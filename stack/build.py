"""
From manifest to executable: each server is built once, into a cache outside the tree.

A build's folder is named by the hash of everything that decides its content (manifest, module locks, Go's version),
so a changed manifest builds anew and an old binary is never taken for it.
"""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Final

COLLECTOR: Final = Path(__file__).resolve().parent.parent / "collector"

BUILDER: Final = "go.opentelemetry.io/collector/cmd/builder@v0.158.0"

ELASTICSEARCH_VERSION: Final = "9.5.0"
ELASTICSEARCH_ARTIFACT: Final = (
    f"org.elasticsearch.distribution.integ-test-zip:elasticsearch:{ELASTICSEARCH_VERSION}:zip"
)
"""The official minimal distribution, which Elasticsearch's plugin authors test with."""

MAVEN_COPY: Final = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy"

JDK: Final = 21
"""The oldest Java that Elasticsearch 9 starts with."""

GO_ENVIRONMENT: Final = {"GOTOOLCHAIN": "local", "CGO_ENABLED": "0"}
GO_BUILD: Final = ("go", "build", "-mod=readonly", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w")

COLLECTOR_TOOL: Final = "The Collector is built with Go"
LOKI_TOOL: Final = "Loki is built with Go"
ELASTICSEARCH_TOOL: Final = "Elasticsearch is fetched with Maven"
ALTERNATIVE: Final = "install it, or run the servers in containers with `docker compose up`"


class MissingToolError(Exception):
    """A tool that a build needs is not installed; the message is one sentence with its name and the alternative."""


class BuildError(Exception):
    """A build command failed; the message holds the command and the end of what it said."""


def collector() -> Path:
    """
    Return the Collector's executable, built if need be (about four minutes).

    Raises:
        MissingToolError: There is no Go.
        BuildError: The build failed.
    """
    return _cached("otelcol", collector_key(), "go", COLLECTOR_TOOL, _build_collector) / "otelcol"


def loki() -> Path:
    """
    Return Loki's executable, built if need be (about eight minutes).

    Raises:
        MissingToolError: There is no Go.
        BuildError: The build failed.
    """
    return _cached("loki", loki_key(), "go", LOKI_TOOL, _build_loki) / "loki"


def elasticsearch() -> Path:
    """
    Return Elasticsearch's home folder, fetched if need be (130 MB).

    Raises:
        MissingToolError: There is no Maven.
        BuildError: It could not be fetched.
    """
    key = ELASTICSEARCH_VERSION
    return _cached("elasticsearch", key, "mvn", ELASTICSEARCH_TOOL, _fetch_elasticsearch) / "elasticsearch"


def everything() -> dict[str, Path]:
    """Return what `collector`, `loki`, `elasticsearch` and `java_home` return, by name; raises what they raise."""
    # Java first: nobody should wait for two builds to learn that it is missing.
    java = java_home()
    return {"java": java, "collector": collector(), "loki": loki(), "elasticsearch": elasticsearch()}


def missing() -> str | None:
    """Return the sentence about the first tool that is needed here and missing; `None` if the servers can run."""
    try:
        java_home()
        for name, key, tool, purpose in _builds():
            if _find(name, key) is None:
                _require(tool, purpose)
    except MissingToolError as exc:
        return str(exc)
    return None


def is_built() -> bool:
    """Tell whether the servers can start at once: every one is built, and there is a Java."""
    try:
        java_home()
    except MissingToolError:
        return False
    return all(_find(name, key) is not None for name, key, _, _ in _builds())


def _builds() -> tuple[tuple[str, str, str, str], ...]:
    """Return name, key, tool and the tool's purpose of each build."""
    return (
        ("otelcol", collector_key(), "go", COLLECTOR_TOOL),
        ("loki", loki_key(), "go", LOKI_TOOL),
        ("elasticsearch", ELASTICSEARCH_VERSION, "mvn", ELASTICSEARCH_TOOL),
    )


def java_home() -> Path:
    """
    Return the home of a Java that Elasticsearch accepts: of JAVA_HOME, of /usr/lib/jvm (newest first), of PATH.

    Raises:
        MissingToolError: There is none.
    """
    homes = [Path(os.environ["JAVA_HOME"])] if os.environ.get("JAVA_HOME") else []
    homes += sorted(Path("/usr/lib/jvm").glob("*"), key=_java_version, reverse=True)
    if java := shutil.which("java"):
        homes.append(Path(java).resolve().parent.parent)
    for home in homes:
        if _java_version(home) >= JDK:
            return home
    raise MissingToolError(f"Elasticsearch needs a JDK of {JDK} or newer, and none was found: {ALTERNATIVE}.")


def _java_version(home: Path) -> int:
    """Return the major version of the Java in *home*; 0 if there is none."""
    release = home / "release"
    found = re.search(r'^JAVA_VERSION="(\d+)', release.read_text(), re.MULTILINE) if release.is_file() else None
    return int(found[1]) if found and (home / "bin" / "java").is_file() else 0


def collector_key() -> str:
    """Return the hash of everything but Go that decides the Collector's content."""
    manifest = COLLECTOR / "otelcol"
    return _hash(BUILDER, *(manifest / name for name in ("builder.yaml", "go.mod", "go.sum")))


def loki_key() -> str:
    """Return the hash of everything but Go that decides Loki's content."""
    return _hash(*(COLLECTOR / "loki" / name for name in ("go.mod", "go.sum")))


def _hash(*inputs: str | Path) -> str:
    digest = hashlib.sha256()
    for item in inputs:
        digest.update(item.encode() if isinstance(item, str) else item.read_bytes())
        digest.update(b"\0")
    return digest.hexdigest()[:16]


def _build_collector(folder: Path) -> None:
    manifest = COLLECTOR / "otelcol"
    source = folder / "build"
    environment = {"GOBIN": str(folder)}
    _run("Installing the Collector's builder", ["go", "install", BUILDER], folder, environment)
    generate = [str(folder / "builder"), "--config", str(manifest / "builder.yaml"), "--skip-compilation"]
    _run("Generating the Collector", [*generate, "--skip-get-modules"], folder, environment)
    for name in ("go.mod", "go.sum"):
        shutil.copyfile(manifest / name, source / name)
    build = [*GO_BUILD, "-v", "-o", str(folder / "otelcol"), "."]
    _run("Building the Collector (once, about four minutes)", build, source, environment)
    shutil.rmtree(source)
    (folder / "builder").unlink()


def _build_loki(folder: Path) -> None:
    for name in ("go.mod", "go.sum"):
        shutil.copyfile(COLLECTOR / "loki" / name, folder / name)
    build = [*GO_BUILD, "-v", "-tags", "netgo", "-o", str(folder / "loki"), "github.com/grafana/loki/v3/cmd/loki"]
    _run("Building Loki (once, about eight minutes)", build, folder, {})


def _fetch_elasticsearch(folder: Path) -> None:
    fetch = ["mvn", "-B", MAVEN_COPY, f"-Dartifact={ELASTICSEARCH_ARTIFACT}", f"-DoutputDirectory={folder}"]
    _run("Fetching Elasticsearch (once, 130 MB)", fetch, folder, {})
    archive = folder / f"elasticsearch-{ELASTICSEARCH_VERSION}.zip"
    with zipfile.ZipFile(archive) as content:
        content.extractall(folder)
    archive.unlink()
    home = (folder / f"elasticsearch-{ELASTICSEARCH_VERSION}").rename(folder / "elasticsearch")
    for script in (home / "bin").iterdir():
        script.chmod(0o755)  # zipfile forgets permissions


def _cached(name: str, key: str, tool: str, purpose: str, build: Callable[[Path], None]) -> Path:
    """Return the folder of *name* in the cache; where it is not there, let *build* fill it, once over all processes."""
    if (found := _find(name, key)) is not None:
        return found
    _require(tool, purpose)
    with _lock(name):
        if (found := _find(name, key)) is not None:  # another process has built it meanwhile
            return found
        with tempfile.TemporaryDirectory(prefix=f".{name}-", dir=_cache()) as temporary:
            folder = Path(temporary) / name
            folder.mkdir()
            build(folder)
            return folder.rename(_cache() / f"{name}-{key}{go_version() if tool == 'go' else ''}")


def _find(name: str, key: str) -> Path | None:
    """Return the finished build of *name*; where there is no Go, one that any version of it has built will do."""
    version = go_version()
    exact = [_cache() / f"{name}-{key}", _cache() / f"{name}-{key}{version}"]
    built = exact if version else [*exact, *_cache().glob(f"{name}-{key}-*")]
    return next((folder for folder in built if folder.is_dir()), None)


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "otel-bridge"


@cache
def go_version() -> str:
    """Return what stands for the installed Go in the name of a build, such as `-go1.26.8`; empty without Go."""
    go = shutil.which("go")
    if go is None:
        return ""
    answer = subprocess.run(  # noqa: S603 - a fixed command
        [go, "env", "GOVERSION"], env={**os.environ, **GO_ENVIRONMENT}, capture_output=True, text=True, check=True
    )
    return f"-{answer.stdout.strip()}"


def _require(tool: str, purpose: str) -> None:
    if shutil.which(tool) is None:
        raise MissingToolError(f"{purpose}, and there is no `{tool}` on the PATH: {ALTERNATIVE}.")


@contextmanager
def _lock(name: str) -> Iterator[None]:
    _cache().mkdir(parents=True, exist_ok=True)
    with (_cache() / f"{name}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _say(f"Another process builds {name}; waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _run(title: str, command: Sequence[str], folder: Path, environment: dict[str, str]) -> None:
    """Run *command* and show that it advances; raises BuildError with the end of its output when it fails."""
    started = shown = time.monotonic()
    _say(f"{title} …")
    last: deque[str] = deque(maxlen=30)
    every = 2 if sys.stderr.isatty() else 30
    with subprocess.Popen(  # noqa: S603 - the commands are this module's own
        command,
        cwd=folder,
        env={**os.environ, **GO_ENVIRONMENT, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as child:
        for count, line in enumerate(child.stdout or (), 1):
            last.append(line.rstrip())
            if time.monotonic() - shown > every:
                shown = time.monotonic()
                _say(f"  {shown - started:4.0f} s, {count} steps, at {last[-1][:80]}")
    if child.returncode != 0:
        output = "\n    ".join(last)
        raise BuildError(f"{title}: `{' '.join(command)}` ended with status {child.returncode}:\n    {output}")


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)  # noqa: T201 - the progress of a build is for whoever waits at the terminal
