"""`otel-bridge events`."""

import json
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from otel_bridge.catalogue import Catalogue, Event, System, shipped


def events(
    *,
    system: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Only this system; may be given more than once.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For machines: one JSON object a line.")] = False,
) -> None:
    """
    List every event that the five systems document: when it is logged, its level, its keys.

    Examples:
        otel-bridge events --system open-zaak

        otel-bridge events --json | jq -r 'select(.level == "error") | .event'
    """
    chosen = _systems(shipped(), system or [])
    console = Console()
    for described in chosen:
        if as_json:
            for event in described.events:
                typer.echo(json.dumps(_as_json(described, event), ensure_ascii=False))
        else:
            console.print(_table(described))


def _systems(catalogue: Catalogue, names: list[str]) -> list[System]:
    known = {system.name: system for system in catalogue.systems}
    for name in names:
        if name not in known:
            raise typer.BadParameter(f"{name!r} is no system; choose from {', '.join(known)}.", param_hint="--system")
    return [known[name] for name in names or known]


def _table(system: System) -> Table:
    table = Table(title=f"{system.title}: {len(system.events)} events", title_justify="left", title_style="bold")
    table.add_column("Event", overflow="fold", style="bold")
    table.add_column("Level")
    table.add_column("When", ratio=3)
    table.add_column("Keys", ratio=3)
    for event in system.events:
        keys = ", ".join(key.name for key in event.keys)
        table.add_row(event.name, event.level or "", event.when, keys, style=None if event.group is None else "dim")
    return table


def _as_json(system: System, event: Event) -> dict[str, object]:
    return {
        "system": system.name,
        "service_name": system.service_name,
        "event": event.name,
        "level": event.level,
        "logger": event.logger,
        "when": event.when,
        "known_from": event.known_from,
        "group": event.group,
        "keys": [
            {
                "name": key.name,
                "type": key.type,
                "meaning": key.meaning,
                "example": key.example,
                "nullable": key.nullable,
                "personal": key.personal,
            }
            for key in event.keys
        ],
    }
