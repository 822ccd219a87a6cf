"""`otel-bridge render`."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from otel_bridge.catalogue import catalogue, shipped
from otel_bridge.catalogue.reading import HERE, SHIPPED
from otel_bridge.catalogue.rendering import render as write


def render(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where to write; missing folders are made.")],
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="[FILE]...", help="Systems of your own, as YAML.", show_default=False)
    ] = None,
    *,
    only: Annotated[bool, typer.Option("--only", help="Leave the five shipped systems out.")] = False,
) -> None:
    """
    Write what is generated from the event catalogue: the Collector's keys, Elasticsearch's fields, the pages of names.

    Examples:
        otel-bridge render .

        otel-bridge render deploy/ webshop.yaml
    """
    own = files or []
    if own:
        systems = catalogue(*own) if only else catalogue(*(HERE / f"{name}.yaml" for name in SHIPPED), *own)
    else:
        systems = shipped()
    console = Console(highlight=False, soft_wrap=True)
    for path in write(systems, folder):
        console.print(f"wrote {path}")
