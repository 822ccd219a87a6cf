"""What the demo prints."""

import platform
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from typing import Final

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from otel_bridge.demo import chain, choice, stacks
from otel_bridge.demo.comparison import place, shortened
from otel_bridge.demo.decoding import as_text
from otel_bridge.demo.expected import Line
from otel_bridge.demo.stores import EmbeddedStore, Store, Stored
from otel_bridge.demo.verdict import Verdict
from otel_bridge.demo.visit import Request

FEW: Final = 8
"""How many problems of a store are printed."""
IN_FULL: Final = ("zaak_created", "request_finished")
"""The events of the first request that are shown key by key."""
OK: Final = "[green]✔[/]"


def starting(console: Console, why: str) -> None:
    """Say why it is this stack, before it is there: that can take a while."""
    _line(console, "Stack", f"Chosen because {why}. Starting …")


def started(console: Console, stack: stacks.Stack, seconds: float) -> None:
    """Say which stack runs."""
    _line(console, "", f"{stack.description}; ready after {seconds:.0f} s")
    for store in stack.stores:
        _line(console, "", f"{store.name}: {store.url}")


def sent(console: Console, url: str, requests: Sequence[Request], printed: Sequence[Line]) -> None:
    """Say what the application is and what it logged."""
    django = f"Django {version('django')}, django-structlog {version('django-structlog')}"
    _line(console, "Application", f"{django}, Python {platform.python_version()}: {url}")
    _line(console, "", chain.described())
    kinds = len({(line.event, line.logger) for line in printed})
    _line(console, "Sent", f"{len(requests)} requests, which logged {len(printed)} records, of {kinds} kinds")


def found(console: Console, requests: Sequence[Request], printed: Sequence[Line], verdicts: Sequence[Verdict]) -> None:
    """Print how many records of each request each store holds."""
    table = _table("Found again", "GET", "HTTP", "Logged")
    for verdict in verdicts:
        table.add_column(f"{verdict.store.name},\nby request_id\nand trace_id", no_wrap=True)
    for number, request in enumerate(requests):
        logged = sum(line.request_id == request.request_id for line in printed)
        cells = (_cell(logged, verdict.requests[number]) for verdict in verdicts)
        table.add_row(_cut(request.path), str(request.status), str(logged), *cells)
    after = sum(line.request_id is None for line in printed)
    cells = (_cell(after, [verdict.elsewhere]) for verdict in verdicts)
    table.add_row("[dim]after these, by its text[/]", "", str(after), *cells)
    console.print(table)


def _cell(logged: int, questions: Iterable[Sequence[str]]) -> str:
    return " ".join(f"[red]{len(wrong)} wrong[/]" if wrong else f"{logged:>3} {OK}" for wrong in questions)


def one_request(console: Console, request: Request, printed: Sequence[Line], stores: Sequence[Store]) -> None:
    """Print what each store holds for one request, side by side, and some of its records key by key."""
    lines = [line for line in printed if line.request_id == request.request_id]
    held = {store.name: store.find("request_id", request.request_id) for store in stores}
    table = _table(f"One request: request_id {request.request_id}, trace_id {request.trace_id}", "Printed")
    for store in stores:
        table.add_column(f"{store.name}\nlevel, keys found", no_wrap=True)
    for line in lines:
        cells = (_summary(store, line, _like(line, held[store.name])) for store in stores)
        table.add_row(_cut(f"{line.level:<7} {shortened(line.event)}"), *cells)
    console.print(table)
    shown: set[str] = set()
    table = _table("Two of its records, key by key (a name that a store writes otherwise stands before =)", "Key")
    table.expand = True
    table.add_column("Printed", overflow="fold", ratio=1)
    for store in stores:
        table.add_column(store.name, overflow="fold", ratio=1)
    for line in lines:
        if line.event in IN_FULL:
            _key_by_key(table, line, [(store, _like(line, held[store.name])) for store in stores], shown)
    console.print(table)


def _like(line: Line, held: Sequence[Stored]) -> Stored | None:
    return next((stored for stored in held if (stored.event, stored.logger) == (line.event, line.logger)), None)


def _summary(store: Store, line: Line, stored: Stored | None) -> str:
    if stored is None:
        return "[red]missing[/]"
    kept = [place(stored, attribute, value, store.name_of) for attribute, value in line.attributes.items()]
    colour = "green" if None not in kept else "red"
    return f"{stored.level:<7} [{colour}]{len(kept) - kept.count(None)} of {len(kept)}[/]"


def _key_by_key(table: Table, line: Line, held: Sequence[tuple[Store, Stored | None]], shown: set[str]) -> None:
    table.add_section()
    table.add_row(
        "event", f"[bold]{escape(line.event)}[/]", *(escape(stored.event) if stored else "" for _, stored in held)
    )
    for attribute, value in line.attributes.items():
        if attribute not in shown:
            shown.add(attribute)
            key, was = _printed(line, attribute, value)
            cells = (_kept(store, stored, key, attribute, value) for store, stored in held)
            table.add_row(escape(key), escape(was), *cells)


def _printed(line: Line, attribute: str, value: object) -> tuple[str, str]:
    """Find the key that *attribute* was made of, and what was printed; both empty where it was added."""
    if attribute in line.printed:
        return attribute, as_text(line.printed[attribute])
    same = (key for key, printed in line.printed.items() if as_text(printed) == as_text(value))
    key = next(same, "")
    return key, as_text(value) if key else ""


def _kept(store: Store, stored: Stored | None, key: str, attribute: str, value: object) -> str:
    name = place(stored, attribute, value, store.name_of) if stored else None
    if stored is None or name is None:
        return "[red]missing[/]"
    name, kept = name.removeprefix("attributes."), as_text(stored.keys.get(name))
    return escape(kept if name == key else f"{name} = {kept}")


def how_to_go_on(console: Console, request: Request, stack: stacks.Stack, *, keep: bool) -> None:
    """Print where to look, what to ask, and how to get more."""
    console.print("\n[bold]How to go on[/]")
    if stack.leave:
        _line(
            console,
            "",
            f"The stack runs on until `{stack.leave}`."
            if keep
            else "KEEP=1 leaves the stack running, for questions like these:",
        )
    if stack.grafana:
        _line(console, "Grafana", stack.grafana)
    for store in stack.stores:
        questions = {"request_id": request.request_id, "trace_id": request.trace_id, "event": IN_FULL[0]}
        for number, (key, value) in enumerate(questions.items()):
            _line(console, "" if number else store.name, store.example(key, value))
    if any(isinstance(store, EmbeddedStore) for store in stack.stores):
        for number, sentence in enumerate(choice.real_ones()):
            _line(console, "" if number else "Real stores", sentence)


def conclusion(console: Console, printed: Sequence[Line], verdicts: Sequence[Verdict], seconds: float) -> int:
    """Print whether everything was found, and return the exit status."""
    for verdict in verdicts:
        more = [f"and {len(verdict.problems) - FEW} more"] if len(verdict.problems) > FEW else []
        for sentence in [*verdict.problems[:FEW], *more]:
            _line(console, verdict.store.name, sentence)
    names = " and in ".join(verdict.store.name for verdict in verdicts)
    is_complete = not any(verdict.problems for verdict in verdicts)
    what = (
        f"[bold green]Everything was found[/] in {names}: {len(printed)} records, each with all of its keys."
        if is_complete
        else f"[bold red]Not everything was found[/] in {names}, as said above."
    )
    console.print(f"\n{what} It took {seconds:.0f} s.", highlight=False, soft_wrap=True)
    return 0 if is_complete else 1


def _table(title: str, *columns: str) -> Table:
    table = Table(title=f"\n{escape(title)}", title_justify="left", title_style="bold")
    for column in columns:
        table.add_column(column, justify="right" if column in ("HTTP", "Logged") else "left")
    return table


def _cut(text: str) -> Text:
    """Write *text* on one line, cut where the terminal is too narrow."""
    return Text(text, overflow="ellipsis", no_wrap=True)


def _line(console: Console, name: str, text: str) -> None:
    console.print(f"[bold]{name:<15}[/]{escape(text)}", highlight=False, soft_wrap=True)
