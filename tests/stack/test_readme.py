"""The README's table of queries, asked of the real stores."""

import re
from typing import Final

from opentelemetry.sdk.resources import Resource

from otel_bridge import LogBridge, LoggerProvider
from stack import Stack
from stack.build import COLLECTOR
from tests.stack.asking import documents, entries

README: Final = (COLLECTOR.parent / "README.md").read_text(encoding="utf-8")


def test_queries(stack: Stack, request_id: str) -> None:
    """Each query of the table finds, in its store, an event that is what the row says."""
    provider = LoggerProvider(Resource.create({"service.name": "openzaak"}), endpoint=f"{stack.otlp_http}/v1/logs")
    keys = {"request_id": request_id, "trace_id": request_id, "span_id": request_id[:16], "tenant": "a"}
    LogBridge(provider)(None, "error", {"event": "zaak_created", "level": "error", **keys})
    assert provider.force_flush(30_000)
    entries(stack, request_id)
    documents(stack, f"request_id:{request_id}")
    rows = re.findall(r"^\| [a-z ]+ \| `(.+)` \| `(.+)` \|$", README, re.MULTILINE)
    assert len(rows) == 5
    mine = f'| request_id="{request_id}"'
    for loki, elasticsearch in rows:
        logql = re.sub(r"2f9e…|0af7…", request_id, loki.replace("\\|", "|"))
        assert stack.loki.count(re.sub("^…", '{service_name="openzaak"}', logql) + mine) == 1, loki
        query = re.sub(r"2f9e…|0af7…", request_id, elasticsearch)
        assert stack.elasticsearch.count(f"({query}) AND request_id:{request_id}") == 1, elasticsearch
    provider.shutdown()
