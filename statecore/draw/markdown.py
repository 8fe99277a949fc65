"""Markdown: the rows of a lifecycle, or the outcomes of a picture, as a table that GitHub shows."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .picture import shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from statecore.lifecycles import Table

    from .picture import Picture

COLUMNS = ("from", "on", "to", "when", "claim", "because")
SPECIAL = re.compile(r"[\\`*{}\[\]|~#!$]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "@": "&#64;"})


def to_markdown(table: Table) -> str:
    """The rows of a lifecycle: one line a row, in the order of the table."""
    return grid(COLUMNS, ((row.source, row.on, row.dest, row.when, row.claim, row.because) for row in table.rows))


def outcomes(picture: Picture) -> str:
    """Every arrow of a picture as a line: from which box, on what, to which box; of a run, first what became of what."""
    names = picture.names()
    arrows = grid(("from", "on", "to"), ((names[edge.source], ", ".join(edge.lines), names[edge.target]) for edge in picture.edges))
    met = [(each.lines[0], each) for each in picture.clusters if each.lines] + [(names[each.id], each) for each in picture.nodes]
    told = [
        (name, ", ".join(each.told), "now" if "now" in each.marks else "") for name, each in met if each.told or "now" in each.marks
    ]
    return f"{grid(('in this run', 'what became of it', ''), told)}\n{arrows}" if told else arrows


def grid(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [columns, ["---"] * len(columns), *([cell(text) for text in row] for row in rows)]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


def cell(text: str) -> str:
    """A text that is shown as it is in a cell: no markup, no HTML, no link."""
    line = SPECIAL.sub(lambda found: "\\" + found[0], shown(text, longest=120)).translate(ENTITIES)
    return re.sub(r"(?i)(?<=www)\.", "&#46;", line.replace("://", "&#58;//"))
