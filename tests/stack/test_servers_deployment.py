"""What containers are given: the compose file, and Grafana's dashboard against the real stores."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any, Final

import jsonschema  # type: ignore[import-untyped]  # it has no types of its own
import pytest
import yaml

from stack import Stack, build
from tests.stack.asking import documents, entries, record, send

ROOT: Final = build.COLLECTOR.parent
COMPOSE: Final[dict[str, Any]] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: Final[dict[str, dict[str, Any]]] = COMPOSE["services"]
DASHBOARD: Final[dict[str, Any]] = json.loads((build.COLLECTOR / "grafana" / "dashboards" / "request.json").read_text())
DATASOURCES: Final = build.COLLECTOR / "grafana" / "provisioning" / "datasources" / "stores.yaml"


def schema() -> Path | None:
    """Return compose's own JSON schema, where the Go module that holds it was downloaded already."""
    go = shutil.which("go")
    if go is None:
        return None
    answer = subprocess.run([go, "env", "GOMODCACHE"], capture_output=True, text=True, check=True)  # noqa: S603 - fixed
    modules = Path(answer.stdout.strip()) / "github.com" / "compose-spec" / "compose-go"
    return next(modules.glob("v2@*/schema/compose-spec.json"), None)


def test_compose_file_by_its_schema() -> None:
    """The compose file is valid by the specification's schema."""
    path = schema()
    if path is None:
        pytest.skip("needs `go mod download github.com/compose-spec/compose-go/v2@latest`, which holds the schema")
    jsonschema.Draft7Validator(json.loads(path.read_text())).validate(COMPOSE)


@pytest.mark.parametrize("service", SERVICES.values(), ids=SERVICES)
def test_compose_service(service: dict[str, Any]) -> None:
    """Every service is built here or of one version, listens on the loopback only, and has its memory limited."""
    assert "build" in service or re.search(r":v?\d+\.\d+\.\d+$", service["image"])
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ()))
    assert "mem_limit" in service


@pytest.mark.parametrize("service", SERVICES.values(), ids=SERVICES)
def test_compose_mounts(service: dict[str, Any]) -> None:
    """Every file that is mounted exists and cannot be written; every volume is declared."""
    for mount in service.get("volumes", ()):
        source, *_, mode = re.sub(r"\$\{APP_LOGS:-(\w+)\}", r"\1", mount).split(":")
        if source.startswith("./"):
            assert (ROOT / source).exists()
            assert mode == "ro"
        else:
            assert source in COMPOSE["volumes"]


def test_compose_versions_are_those_that_are_built() -> None:
    """Containers and the servers built here have the same versions."""
    manifest = yaml.safe_load((build.COLLECTOR / "otelcol" / "builder.yaml").read_text())
    assert SERVICES["collector"]["image"].endswith(f":{manifest['dist']['version']}")
    assert SERVICES["elasticsearch"]["image"].endswith(f":{build.ELASTICSEARCH_VERSION}")
    loki = SERVICES["loki"]["image"].rpartition(":")[2]
    assert f"github.com/grafana/loki/v3 v{loki}" in (build.COLLECTOR / "loki" / "go.mod").read_text()


@pytest.mark.usefixtures("stack")
def test_collector_takes_the_environment_of_compose() -> None:
    """The Collector accepts its configuration with the variables that compose gives it."""
    folder = build.COLLECTOR / "otelcol"
    files = [argument.rpartition("/")[2] for argument in SERVICES["collector"]["command"]]
    given = SERVICES["collector"]["environment"]
    defaults = {name: re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", value) for name, value in given.items()}
    environment = {"PATH": os.defpath, **defaults}
    command = [str(build.collector()), "validate", *(f"--config={folder / name}" for name in files)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603 - fixed
    assert done.returncode == 0, done.stderr


def test_required_variable() -> None:
    """Without the writer's token the Collector does not start: an empty one would open the door around redaction."""
    folder = build.COLLECTOR / "otelcol"
    command = [
        str(build.collector()),
        "validate",
        f"--config={folder / 'otelcol.yaml'}",
        f"--config={folder / 'catalogue.yaml'}",
    ]
    done = subprocess.run(command, env={"PATH": os.defpath}, capture_output=True, text=True, check=False)  # noqa: S603 - fixed
    assert "bearertokenauth/writer: no bearer token provided" in done.stderr


def test_datasources_of_the_dashboard() -> None:
    """Every panel asks a datasource that is provisioned."""
    provisioned = {source["uid"] for source in yaml.safe_load(DATASOURCES.read_text())["datasources"]}
    assert {panel["datasource"]["uid"] for panel in DASHBOARD["panels"]} == provisioned


def panel_query(uid: str, request_id: str, trace_id: str) -> str:
    """Return the query of the logs panel that asks *uid*, with the variables put in as Grafana does."""
    [panel] = [panel for panel in DASHBOARD["panels"] if panel["type"] == "logs" and panel["datasource"]["uid"] == uid]
    [target] = panel["targets"]
    query = str(target.get("expr") or target["query"])
    for name, value in (("request_id", request_id), ("trace_id", trace_id)):
        query = query.replace(f"${{{name}:doublequote}}", json.dumps(value))
    return query


@pytest.mark.parametrize("by", ["request", "trace"])
def test_dashboard_of_a_request(stack: Stack, request_id: str, by: str) -> None:
    """Asked for a request, or for a trace, the dashboard shows its records from both stores, and no others."""
    mine = [record({"request_id": request_id}, trace_id=bytes.fromhex(request_id)) for _ in range(3)]
    send(stack, [*mine, record({"request_id": request_id[::-1]}), record({})])
    entries(stack, request_id, 3)
    documents(stack, f"request_id:{request_id}", 3)
    documents(stack, f"request_id:{request_id[::-1]}")
    values = (request_id, "") if by == "request" else ("", request_id)
    assert stack.loki.count(panel_query("loki", *values)) == 3
    assert stack.elasticsearch.count(panel_query("elasticsearch", *values)) == 3


def test_dashboard_without_a_request(stack: Stack) -> None:
    """As long as nothing is asked for, the dashboard shows nothing, and no error."""
    send(stack, [record({})])
    assert stack.loki.count(panel_query("loki", "", "")) == 0
    assert stack.elasticsearch.count(panel_query("elasticsearch", "", "")) == 0
