"""
From manifest to executable: each server is built once, into a cache outside the tree.

A build's folder is named by the hash of everything that decides its content (manifest, module locks, Go's version),
so a changed manifest builds anew and an old binary is never taken for it.
"""

import hashlib
import shutil
import zipfile
from pathlib import Path
from typing import Final

from stack.cache import cached, find, run
from stack.tools import MissingToolError, java_home, require

COLLECTOR: Final = Path(__file__).resolve().parent.parent / "collector"

BUILDER: Final = "go.opentelemetry.io/collector/cmd/builder@v0.158.0"

ELASTICSEARCH_VERSION: Final = "9.5.0"
ELASTICSEARCH_ARTIFACT: Final = (
    f"org.elasticsearch.distribution.integ-test-zip:elasticsearch:{ELASTICSEARCH_VERSION}:zip"
)
"""The official minimal distribution, which Elasticsearch's plugin authors test with."""

MAVEN_COPY: Final = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy"

GO_BUILD: Final = ("go", "build", "-mod=readonly", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w")

COLLECTOR_TOOL: Final = "The Collector is built with Go"
LOKI_TOOL: Final = "Loki is built with Go"
ELASTICSEARCH_TOOL: Final = "Elasticsearch is fetched with Maven"


def collector() -> Path:
    """
    Return the Collector's executable, built if need be (about four minutes).

    Raises:
        MissingToolError: There is no Go.
        BuildError: The build failed.
    """
    return cached("otelcol", collector_key(), "go", COLLECTOR_TOOL, _build_collector) / "otelcol"


def loki() -> Path:
    """
    Return Loki's executable, built if need be (about eight minutes).

    Raises:
        MissingToolError: There is no Go.
        BuildError: The build failed.
    """
    return cached("loki", loki_key(), "go", LOKI_TOOL, _build_loki) / "loki"


def elasticsearch() -> Path:
    """
    Return Elasticsearch's home folder, fetched if need be (130 MB).

    Raises:
        MissingToolError: There is no Maven.
        BuildError: It could not be fetched.
    """
    key = ELASTICSEARCH_VERSION
    return cached("elasticsearch", key, "mvn", ELASTICSEARCH_TOOL, _fetch_elasticsearch) / "elasticsearch"


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
            if find(name, key) is None:
                require(tool, purpose)
    except MissingToolError as exc:
        return str(exc)
    return None


def is_built() -> bool:
    """Tell whether the servers can start at once: every one is built, and there is a Java."""
    try:
        java_home()
    except MissingToolError:
        return False
    return all(find(name, key) is not None for name, key, _, _ in _builds())


def _builds() -> tuple[tuple[str, str, str, str], ...]:
    """Return name, key, tool and the tool's purpose of each build."""
    return (
        ("otelcol", collector_key(), "go", COLLECTOR_TOOL),
        ("loki", loki_key(), "go", LOKI_TOOL),
        ("elasticsearch", ELASTICSEARCH_VERSION, "mvn", ELASTICSEARCH_TOOL),
    )


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
    run("Installing the Collector's builder", ["go", "install", BUILDER], folder, environment)
    generate = [str(folder / "builder"), "--config", str(manifest / "builder.yaml"), "--skip-compilation"]
    run("Generating the Collector", [*generate, "--skip-get-modules"], folder, environment)
    for name in ("go.mod", "go.sum"):
        shutil.copyfile(manifest / name, source / name)
    build = [*GO_BUILD, "-v", "-o", str(folder / "otelcol"), "."]
    run("Building the Collector (once, about four minutes)", build, source, environment)
    shutil.rmtree(source)
    (folder / "builder").unlink()


def _build_loki(folder: Path) -> None:
    for name in ("go.mod", "go.sum"):
        shutil.copyfile(COLLECTOR / "loki" / name, folder / name)
    build = [*GO_BUILD, "-v", "-tags", "netgo", "-o", str(folder / "loki"), "github.com/grafana/loki/v3/cmd/loki"]
    run("Building Loki (once, about eight minutes)", build, folder, {})


def _fetch_elasticsearch(folder: Path) -> None:
    fetch = ["mvn", "-B", MAVEN_COPY, f"-Dartifact={ELASTICSEARCH_ARTIFACT}", f"-DoutputDirectory={folder}"]
    run("Fetching Elasticsearch (once, 130 MB)", fetch, folder, {})
    archive = folder / f"elasticsearch-{ELASTICSEARCH_VERSION}.zip"
    with zipfile.ZipFile(archive) as content:
        content.extractall(folder)
    archive.unlink()
    home = (folder / f"elasticsearch-{ELASTICSEARCH_VERSION}").rename(folder / "elasticsearch")
    for script in (home / "bin").iterdir():
        script.chmod(0o755)  # zipfile forgets permissions
