"""`otel-bridge demo`."""

from typing import Annotated

import typer


def demo(
    *,
    otlp: Annotated[str | None, typer.Option(metavar="URL", help="Send to a Collector of yours, over HTTP.")] = None,
    loki: Annotated[str | None, typer.Option(metavar="URL", help="The Loki that it writes to.")] = None,
    elasticsearch: Annotated[
        str | None, typer.Option(metavar="URL", help="The Elasticsearch that it writes to.")
    ] = None,
    timeout: Annotated[float, typer.Option(help="Seconds to wait at most until everything is found.")] = 60.0,
    keep: Annotated[bool, typer.Option("--keep", envvar="KEEP", help="Leave the receiver running.")] = False,
    serve: Annotated[bool, typer.Option("--serve", help="Run the application alone, until Ctrl-C.")] = False,
    host: Annotated[str, typer.Option(help="With --serve: where it listens.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="With --serve: where it listens.")] = 8000,
) -> None:
    """
    Run a Django application that logs as the five systems do, and find every record again.

    Needs nothing but Python: the records go to an embedded OTLP receiver,
    unless servers are named.

    Exits with 0 only if everything that was logged was found in each store.

    Examples:
        otel-bridge demo

        otel-bridge demo --otlp http://127.0.0.1:4318 --loki http://127.0.0.1:3100

        OTEL_EXPORTER_OTLP_ENDPOINT=http://collector:4318 otel-bridge demo --serve
    """
    # Brought by an extra of its own, `otel-bridge[demo]`, which the other commands do without.
    from otel_bridge.demo import choice, run, stacks  # noqa: PLC0415
    from otel_bridge.demo.serve import serve as serve_application  # noqa: PLC0415

    if serve:
        serve_application(host, port)
        return
    start: stacks.Start = stacks.embedded
    why = choice.NOTHING_ELSE
    if otlp is not None:
        if not (loki or elasticsearch):
            raise typer.BadParameter("name what the Collector writes to, with --loki, --elasticsearch or both.")
        start, why = stacks.given(otlp, loki, elasticsearch), "--otlp names it"
    elif loki or elasticsearch:
        raise typer.BadParameter("name the Collector too, with --otlp: the records go there.")
    raise typer.Exit(run.run(start, why, keep=keep, timeout=timeout))
