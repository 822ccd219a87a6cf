"""`otel-bridge spool`."""

import json
import os
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import urlsplit

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from otel_bridge.export import destination
from otel_bridge.export.destination import LOGS_PATH
from otel_bridge.export.endpoint import Endpoint, transport
from otel_bridge.export.folder import SpoolError
from otel_bridge.export.inspection import Description, inspect
from otel_bridge.export.pipeline import Pipeline, Settings
from otel_bridge.export.spool import Spool
from otel_bridge.export.statistics import Statistics

MAX_BUFFER_BYTES: Final = 64 << 20
LOOK: Final = 0.5
"""Seconds between two looks at how far it is."""
OTHERS: Final = 0.05
"""Seconds to leave to another process that has adopted a segment meanwhile, before looking again."""

spool = typer.Typer(
    help="Look at, and deliver, what processes that are gone left in a spool.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)

Folder = Annotated[Path, typer.Argument(metavar="DIR", envvar="OTEL_BRIDGE_SPOOL_DIR", help="The folder of the spool.")]


@spool.command("list")
def list_segments(
    folder: Folder,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="For machines: one JSON object a line.")] = False,
) -> None:
    """
    List the segments of a spool: whose they are, and how many of their records wait.

    Examples:
        otel-bridge spool list /var/spool/openzaak

        otel-bridge spool list /var/spool/openzaak --json | jq -s 'map(.waiting) | add'
    """
    segments = _segments(folder)
    if as_json:
        for segment in segments:
            typer.echo(json.dumps(_as_json(segment), ensure_ascii=False))
    else:
        Console().print(_table(folder, segments))


@spool.command("drain")
def drain(
    folder: Folder,
    *,
    endpoint: Annotated[
        str | None, typer.Option(metavar="URL", help="Where to; /v1/logs is added to a URL without a path.")
    ] = None,
    protocol: Annotated[str | None, typer.Option(help="http/protobuf or grpc.")] = None,
    timeout: Annotated[float, typer.Option(help="Seconds to take at most.")] = 60.0,
) -> None:
    """
    Deliver what processes that are gone left in a spool.

    What is not said here is the environment's: OTEL_EXPORTER_OTLP_ENDPOINT, headers, certificates, proxies.

    Exits with 0 only if everything that they left was delivered.
    Segments of processes that are alive are theirs to deliver, and skipped.

    Examples:
        otel-bridge spool drain /mnt/old-host/spool --endpoint http://collector:4318

        otel-bridge spool drain /mnt/old-host/spool --endpoint http://collector:4317 --protocol grpc
    """
    target = destination.endpoint(os.environ, url=_with_path(endpoint), protocol=protocol)
    # Now, rather than in the sender's thread: what cannot be used there is a sentence here.
    transport(target).close()
    segments = _segments(folder)
    Spool(folder, b"").close()
    console = Console(highlight=False, soft_wrap=True)
    _say_skipped(console, [segment for segment in segments if segment.is_owned])
    left = [segment for segment in segments if segment.waiting and not segment.is_owned]
    done = _deliver(folder, target, left, timeout)
    waiting = sum(segment.waiting for segment in _remaining(folder, left))
    damaged = sum(segment.damaged for segment in segments if not segment.is_owned)
    _say_done(console, target, done, waiting, damaged)
    raise typer.Exit(int(bool(waiting or damaged or done.rejected)))


def _segments(folder: Path) -> list[Description]:
    try:
        return inspect(folder)
    except OSError as exc:
        raise SpoolError(f"{exc.filename or folder} cannot be read ({exc.strerror}); name a spool's folder.") from exc


def _remaining(folder: Path, segments: Sequence[Description]) -> list[Description]:
    paths = {segment.path.name for segment in segments}
    return [segment for segment in _segments(folder) if segment.path.name in paths]


def _with_path(url: str | None) -> str | None:
    """Complete a URL as the general variable's is completed, but leave one with a path as it stands."""
    return url if url is None or urlsplit(url).path not in ("", "/") else url.rstrip("/") + LOGS_PATH


def _deliver(folder: Path, target: Endpoint, left: Sequence[Description], timeout: float) -> Statistics:
    """Send what is in *left* by the exporter's own pipeline, until nothing of it is there or *timeout* has passed."""
    settings = Settings(
        connect=lambda: transport(target),
        timeout=min(target.timeout, timeout),
        delay=LOOK,
        max_buffer_bytes=MAX_BUFFER_BYTES,
        spool_dir=folder,
    )
    deadline = time.monotonic() + timeout
    pipeline = Pipeline(settings, b"")
    pipeline.start(None)
    with _progress() as progress:
        task = progress.add_task(f"to {target}", total=sum(segment.waiting for segment in left))
        # A segment is deleted as soon as all of it is settled, by whoever adopted it.
        while any(segment.path.exists() for segment in left) and (seconds := deadline - time.monotonic()) > 0:
            if pipeline.flush(min(LOOK, seconds)):
                time.sleep(OTHERS)
            done = pipeline.statistics()
            progress.update(task, completed=done.exported + done.rejected)
    pipeline.stop(0)
    return pipeline.statistics()


def _progress() -> Progress:
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("records")
    console = Console(stderr=True)
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)


def _say_skipped(console: Console, segments: Sequence[Description]) -> None:
    for segment in segments:
        console.print(f"skipped {segment.path.name}: a process has it, {segment.waiting} records wait there")


def _say_done(console: Console, target: Endpoint, done: Statistics, waiting: int, damaged: int) -> None:
    console.print(f"delivered {done.exported} records to {target}")
    for number, what in ((done.rejected, "were refused"), (waiting, "still wait"), (damaged, "are damaged")):
        if number:
            console.print(f"{number} records {what}")


def _table(folder: Path, segments: Sequence[Description]) -> Table:
    waiting = sum(segment.waiting for segment in segments)
    title = f"{folder}: {len(segments)} segments, {waiting} records wait"
    table = Table(title=title, title_justify="left", title_style="bold")
    table.add_column("Segment", overflow="fold", style="bold")
    table.add_column("Process", no_wrap=True)
    for name in ("Waiting", "Damaged", "Bytes"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("First, last", no_wrap=True)
    for segment in segments:
        table.add_row(
            segment.path.name,
            f"{segment.pid or 'unknown'}\n{'alive' if segment.is_owned else 'gone'}",
            f"{segment.waiting} of {segment.records}",
            str(segment.damaged),
            str(segment.size),
            "\n".join(filter(None, (_time(segment.first, "seconds"), _time(segment.last, "seconds")))),
            style="dim" if segment.is_owned else None,
        )
    return table


def _as_json(segment: Description) -> dict[str, object]:
    return {
        "path": str(segment.path),
        "pid": segment.pid,
        "owned": segment.is_owned,
        "records": segment.records,
        "waiting": segment.waiting,
        "damaged": segment.damaged,
        "bytes": segment.size,
        "first": _time(segment.first, "microseconds"),
        "last": _time(segment.last, "microseconds"),
    }


def _time(nanoseconds: int, precision: str) -> str | None:
    """Write an instant as RFC 3339 has it; `None` where there is none."""
    if not nanoseconds:
        return None
    return datetime.fromtimestamp(nanoseconds / 1e9, UTC).isoformat(timespec=precision).replace("+00:00", "Z")
