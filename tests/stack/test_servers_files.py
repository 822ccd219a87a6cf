"""What applications write to files and stdout, read by the Collector."""

import json
import shutil
import time
from typing import Final

from stack import Stack
from tests.stack.asking import attributes, documents, entries

CREATED: Final = {"event": "zaak_created", "level": "info", "logger": "openzaak.zaken", "uuid": "u1", "id": 5}
FINISHED: Final = {"event": "request_finished", "level": "warning", "code": 201, "request": "POST /zaken?page=1"}
BOOTED: Final = {"source": "uwsgi", "msg": "worker 1 (pid 7)"}
FAILED: Final = {
    "event": "boom",
    "level": "error",
    "exception": 'Traceback (most recent call last):\n  File "x.py", line 1\nmod.MyError: bad thing',
}


def lines(request_id: str) -> list[str]:
    """Return what an application writes to stdout during a request."""
    now = time.strftime("%Y-%m-%dT%H:%M:%S.123456Z", time.gmtime())
    common = {"request_id": request_id, "user_id": 12, "timestamp": now}
    return [json.dumps({**common, **event}) for event in (CREATED, FINISHED, BOOTED, FAILED)]


def write(stack: Stack, service: str, written: list[str]) -> None:
    """Write lines as the stdout of *service*."""
    folder = stack.collector_server.app_logs / service
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "stdout.log").open("a") as file:
        file.writelines(f"{line}\n" for line in written)


def test_files(stack: Stack, request_id: str) -> None:
    """Lines of JSON on stdout come out as the same event sent over OTLP does, told apart by `log.source`."""
    written = lines(request_id)
    write(stack, f"zaken-{request_id}", written)
    found = {document["body"]["text"]: document for document in documents(stack, f"request_id:{request_id}", 4)}
    created = found["zaak_created"]
    assert created["@timestamp"] == json.loads(written[0])["timestamp"]
    assert (created["severity_text"], created["severity_number"]) == ("info", 9)
    assert (created["event_name"], created["scope"]["name"]) == ("zaak_created", "openzaak.zaken")
    assert created["resource"]["attributes"]["service.name"] == f"zaken-{request_id}"
    expected = {"uuid": "u1", "user.id": "12", "id": "5", "source": "app"}
    assert {key: value for key, value in attributes(created).items() if key != "log.record.uid"} == expected
    finished = attributes(found["request_finished"])
    assert (finished["http.response.status_code"], finished["http.request.method"]) == (201, "POST")
    assert (finished["url.path"], finished["url.query"]) == ("/zaken", "page=1")
    assert attributes(found["worker 1 (pid 7)"])["source"] == "uwsgi"
    assert attributes(found["boom"])["exception.type"] == "mod.MyError"
    assert attributes(found["boom"])["exception.message"] == "bad thing"
    assert {entry.labels["log_source"] for entry in entries(stack, request_id, 4)} == {"file"}


def test_lines_that_are_no_json(stack: Stack, request_id: str) -> None:
    """Any other line is a record of its own."""
    written = [f"[uWSGI] getting INI {request_id}", f"{{broken {request_id}}}"]
    write(stack, f"zaken-{request_id}", written)
    found = documents(stack, f'service.name:"zaken-{request_id}"', 2)
    assert {document["body"]["text"] for document in found} == set(written)


def test_files_read_twice(stack: Stack, request_id: str) -> None:
    """A file that is read again, as after lost offsets, makes no second documents."""
    write(stack, f"zaken-{request_id}", lines(request_id))
    documents(stack, f"request_id:{request_id}", 4)
    stack.collector_server.stop()
    shutil.rmtree(stack.collector_server.state / "queues" / "files")
    stack.collector_server.start()
    entries(stack, request_id, 8)
    documents(stack, f"request_id:{request_id}", 4)
