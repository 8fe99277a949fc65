"""The table that people read."""

from __future__ import annotations

from collections.abc import Iterable

from tests.bench.measure import Row

HEAD = ("measure", "unit", "CPU", "wall", "count", "beside", "CPU", "wall", "ratio", "target", "", "also")
NUMBERS = frozenset({2, 3, 4, 6, 7, 8})


def shown(number: float | None) -> str:
    """A number as people read it."""
    if number is None:
        return ""
    if number >= 1_000:
        return f"{number:,.0f}"
    return f"{number:.3g}" if number < 100 else f"{number:.0f}"


def ratio(row: Row) -> str:
    """How many times its limit a figure is; empty where there is none."""
    for figure, limit in ((row.cpu, row.limit_cpu), (row.count, row.limit_count)):
        if figure is not None and limit:
            return f"{figure / limit:.2f}"
    return ""


def cells(row: Row) -> tuple[str, ...]:
    """One line of the table."""
    met = {True: "met", False: "NOT MET", None: ""}[row.met]
    figures = (shown(row.cpu), shown(row.wall), shown(row.count))
    limits = (row.limit, shown(row.limit_cpu), shown(row.limit_wall if row.limit_count is None else row.limit_count))
    also = " · ".join(f"{key} {shown(each) if isinstance(each, float) else each}" for key, each in row.more.items())
    return (row.name, row.unit, *figures, *limits, ratio(row), row.target, met, also)


def table(rows: Iterable[Row]) -> str:
    """Rows as a table in Markdown, its columns aligned."""
    lines = [HEAD, *[cells(row) for row in rows]]
    widths = [max(len(line[n]) for line in lines) for n in range(len(HEAD))]
    rule = "|" + "|".join("-" * (width + 1) + (":" if n in NUMBERS else "-") for n, width in enumerate(widths)) + "|"
    text = ["| " + " | ".join(aligned(cell, n, widths[n]) for n, cell in enumerate(line)) + " |" for line in lines]
    return "\n".join([text[0], rule, *text[1:]])


def aligned(cell: str, column: int, width: int) -> str:
    """A cell as wide as its column: figures end where figures end."""
    return cell.rjust(width) if column in NUMBERS else cell.ljust(width)
