"""The commands, put together."""

import typer

from otel_bridge.cli.demo import demo
from otel_bridge.cli.events import events
from otel_bridge.cli.render import render
from otel_bridge.cli.spool import spool

app = typer.Typer(
    name="otel-bridge",
    help="Takes the structured logs of structlog applications to OpenTelemetry.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
app.command()(demo)
app.command()(events)
app.command()(render)
app.add_typer(spool, name="spool")
