"""The trail of runs on the terminal, for an auditor: a table, lines of JSON, or CSV (`audit RUN`, `audit --since`)."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import TYPE_CHECKING, Any

import click

from statecore.asking.text import clean
from statecore.errors import UnsupportedSetting
from statecore.stores.trail import COLUMNS

from .ending import moment

if TYPE_CHECKING:
    from collections.abc import Iterable

    from statecore.stores.trail import AuditRow
    from statecore.workflow.inbox import Inbox

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
"""The signs with which a spreadsheet begins a formula; a cell that begins so gets an apostrophe before it."""


def since(ctx: click.Context, param: click.Parameter, value: str | None) -> datetime | None:
    """An instant: a date, or an age that is counted back from now."""
    if value is None:
        return None
    found = moment(ctx, param, value)
    return datetime.now(UTC) - found if isinstance(found, timedelta) else found


def trail(box: Inbox, run: str | None, start: datetime | None) -> Iterable[AuditRow]:
    """The rows of a run, or of all. Raises `UnsupportedSetting` for a store that has no trail."""
    told = getattr(box.db, "audit", None)
    if told is None:
        raise UnsupportedSetting(type(box.db).__name__, "audit RUN", "it keeps no journal that could be exported")
    rows: Iterable[AuditRow] = told(None if run is None else box.find(run), start)
    return rows


def printed(rows: Iterable[AuditRow], form: str) -> None:
    """Print rows in a form, one by one."""
    if form == "csv":
        click.echo(line(COLUMNS), nl=False)
    for row in rows:
        click.echo(FORMS[form](row), nl=form != "csv")


def line(cells: Iterable[Any]) -> str:
    """One line of CSV (RFC 4180), in which no cell is a formula."""
    out = StringIO()
    csv.writer(out, lineterminator="\r\n").writerow([safe(cell) for cell in cells])
    return out.getvalue()


def safe(cell: Any) -> Any:
    """A cell that a spreadsheet shows and never computes."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell


def told(row: AuditRow) -> str:
    """A row for the terminal: when, in which run, what, where, which word, by whom, and why."""
    said = " ".join(part for part in (row.step, row.word, f"by {row.by}" if row.by else "", row.comment) if part)
    return clean(f"{row.time or '-':<24}  {row.run_id or '-'}  {row.event:<16}  {said}".rstrip())


def jsonl(row: AuditRow) -> str:
    """A row as one line of JSON."""
    return json.dumps(row._asdict(), ensure_ascii=True, separators=(",", ":"))


FORMS: dict[str, Callable[[AuditRow], str]] = {
    "csv": line,
    "jsonl": jsonl,
    "table": told,
}
