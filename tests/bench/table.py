"""Figures as one table."""

import statistics
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from rich import box
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
    spread: bool = False
    """Whether chance is in each round, so that the best one says nothing: a cell has the median, least and most."""

    def best(self, variant: str) -> float | None:
        """Return the figure of the best round, or the median where that says more; `None` where there is none."""
        found = self.figures.get(variant)
        if not found:
            return None
        if self.spread:
            return statistics.median(found)
        return max(found) if self.most else min(found)


def table(rows: Sequence[Row]) -> Table:
    """Make the table, as Markdown has it."""
    columns = [Column(name, no_wrap=True) for name in ("", "goal", *VARIANTS, f"÷ {OFFICIAL}", f"÷ {HANDLER}")]
    made = Table(*columns, box=box.MARKDOWN)
    for row in rows:
        cells = [_cell(row, variant) for variant in VARIANTS]
        made.add_row(row.name, row.goal, *cells, _ratio(row, OFFICIAL), _ratio(row, HANDLER))
    return made


def _cell(row: Row, variant: str) -> str:
    figure = row.best(variant)
    if figure is None:
        return NONE
    found = row.figures[variant]
    others = (min(found), max(found)) if row.spread else (statistics.median(found),)
    rest = " to ".join(f"{other:,.{row.digits}f}" for other in others)
    return f"{figure:,.{row.digits}f}" + (f" ({rest})" if len(found) > 1 else "")


def _ratio(row: Row, variant: str) -> str:
    ours, theirs = row.best(OURS), row.best(variant)
    return f"{ours / theirs:.2f}" if ours is not None and theirs else NONE
