"""Figures as one table."""

import statistics
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from rich.table import Column, Table

from tests.bench.application import HANDLER, OFFICIAL, OURS, VARIANTS

NONE = "-"


class Row(NamedTuple):
    """What was measured of one thing."""

    name: str
    goal: str
    figures: Mapping[str, Sequence[float]]
    """Of each round, by variant."""
    digits: int = 1
    most: bool = False
    """Whether the best round is the one with the greatest figure."""

    def best(self, variant: str) -> float | None:
        """Return the figure of the best round; `None` where there is none."""
        found = self.figures.get(variant)
        return (max(found) if self.most else min(found)) if found else None


def table(rows: Sequence[Row]) -> Table:
    """Make the table."""
    made = Table(
        Column("", no_wrap=True), "goal", *VARIANTS, f"÷ {OFFICIAL}", f"÷ {HANDLER}", title="best round (median)"
    )
    for row in rows:
        cells = [_cell(row, variant) for variant in VARIANTS]
        made.add_row(row.name, row.goal, *cells, _ratio(row, OFFICIAL), _ratio(row, HANDLER))
    made.caption = f"The ratios are those of {OURS}, without a spool."
    return made


def _cell(row: Row, variant: str) -> str:
    best = row.best(variant)
    if best is None:
        return NONE
    median = statistics.median(row.figures[variant])
    tail = f" ({median:,.{row.digits}f})" if len(row.figures[variant]) > 1 else ""
    return f"{best:,.{row.digits}f}{tail}"


def _ratio(row: Row, variant: str) -> str:
    ours, theirs = row.best(OURS), row.best(variant)
    return f"{ours / theirs:.2f}" if ours is not None and theirs else NONE
