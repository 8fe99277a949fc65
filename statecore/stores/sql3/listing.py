"""Pages of listings: each is led by an index, read in its order from a key on, and narrowed while it is read (P26).

No page passes over rows that a page before it had, and none sorts: the order of runs is that in which they began, which never changes. Where a
filter has more than its index knows, a page reads at most `READ` rows, gives the fitting ones, and says from which key to go on.
"""
# ruff: noqa: S608  # statements are put together of the constants here; values are bound

from __future__ import annotations

from heapq import merge
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from statecore.errors import UnknownPause, UnreadableValue
from statecore.stores.pages import by_due, matches
from statecore.stores.records import Listing
from statecore.stores.rules import MANY, after_prefix, bounded, sought
from statecore.stores.sql.rows import readable

from .queries import OPEN, PAST, RECORD, SESSION, WAITING, WORKFLOW
from .reading import Known, number_of, record_of, waiting_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from statecore.stores.records import PauseFilter, Record, RunFilter, Waiting
    from statecore.stores.sql.link import Link

READ = 1_000
"""The most rows that a page of a narrowed listing reads, where it is to have no more."""
SLICE = 100
"""The rows that are asked for at once."""

RULED = """
SELECT p.id FROM hot h JOIN pause p ON p.run = h.run
WHERE h.workflow = ? AND h.wake_us = 0 AND h.owner IS NULL AND p.closed IS NULL AND p.word IS NULL AND p.rule IS NOT NULL"""
RULED_AND_OWNED = RULED.replace("h.owner IS NULL", "h.owner IS NOT NULL")
"""Questions that take votes of runs that are woken, which votes do that satisfy or refuse: of those that may be taken, and of those that are."""
WORKFLOWS = "SELECT id FROM workflow ORDER BY id"
KEY_OF_PAUSE = "SELECT opened_us, run, id, due_us FROM pause WHERE run = ? AND pause_id = ?"


class Found(NamedTuple):
    """A row of a page before it is read: its key, its number, whether it fits, and its public key."""

    key: tuple[Any, ...]
    number: int
    fits: bool
    names: Any


class Clause(NamedTuple):
    """A condition and its values."""

    text: str
    values: tuple[Any, ...] = ()


def joined(parts: Sequence[Clause], otherwise: str = "1 = 1") -> Clause:
    """All of these as one condition."""
    return Clause(" AND ".join(part.text for part in parts) or otherwise, tuple([value for part in parts for value in part.values]))


def page_of(rows: Iterator[Found], limit: int, most: int) -> tuple[list[Found], Any]:
    """The next fitting rows, and the public key to go on from; None at the end. At most so many rows are read."""
    taken: list[Found] = []
    last = None
    for read, row in enumerate(rows):
        if (len(taken) == limit and row.fits) or read >= most:
            return taken, last
        if row.fits:
            taken.append(row)
        if len(taken) < limit or row.fits:
            last = row.names
    return taken, None


def slices(ask: Callable[[tuple[Any, ...] | None, int], list[Found]], key: tuple[Any, ...] | None, limit: int) -> Iterator[Found]:
    """All rows of an index from a key on, asked for in slices."""
    size = min(limit + 1, SLICE)
    while True:
        found = ask(key, size)
        yield from found
        if len(found) < size:
            return
        key, size = found[-1].key, SLICE


# -- runs --------------------------------------------------------------------------------------------------------------------------


def by_claim(connection: Link, where: Clause, limit: int, known: Known) -> Listing[Record]:
    """Runs, the one executed last first: all of them are sorted."""
    statement = f"{RECORD} WHERE {where.text} ORDER BY +h.claim_order DESC LIMIT ?"
    rows = connection.execute(statement, (*where.values, limit)).fetchall()
    return readable(rows, lambda row: record_of(connection, row, known), place=1)


class Lead(NamedTuple):
    """How a listing is read: the columns that lead an index and their values, the columns of the key behind them, and whether it descends."""

    columns: tuple[str, ...]
    values: tuple[Any, ...]
    key: tuple[str, ...]
    descends: bool = False
    more: str = ""
    """The condition of a partial index."""

    def where(self, start: tuple[Any, ...] | None) -> Clause:
        """The rows of the index from a key on. SQLite is led by what is equal, Postgres by the order: it may know nothing of a value."""
        sign, least = ("<", ">=") if self.descends else (">", "<=")
        equal = [f"{column} = ?" for column in self.columns]
        beyond = [f"({', '.join(self.key)}) {sign} ({', '.join('?' * len(self.key))})"] if start is not None else []
        if not self.columns:
            besides = [Clause(self.more)] if self.more else []
            return joined([*[Clause(text, start or ()) for text in beyond], *besides])
        lite = " AND ".join([*equal, *beyond, *equal])
        whole = (*self.columns, *(self.key if start is not None else ()))
        leads, marks = ", ".join(self.columns), ", ".join("?" * len(self.columns))
        order = f"({', '.join(whole)}) {sign}{'' if start is not None else '='} ({', '.join('?' * len(whole))}) AND ({leads}) {least} ({marks})"
        text = f"/*lite*/{lite}/*pg {order}*/{' AND ' + self.more if self.more else ''}"
        return Clause(text, (*self.values, *(start or ()), *self.values))

    @property
    def order(self) -> str:
        """The order of the index."""
        way = " DESC" if self.descends else ""
        return ", ".join(f"{column}{way}" for column in (*self.columns, *self.key))


RUNS = "run r JOIN hot h ON h.run = r.id"
RUN_CONDITIONS = {"session_id": "r.session = ?", "user_id": "r.user_id = ?", "workflow_id": "r.workflow = ?"}
NUMBERS = {"session_id": SESSION, "workflow_id": WORKFLOW}


def runs(connection: Link, wanted: RunFilter, known: Known) -> Listing[Record]:
    """A page of runs, the one begun last first; those of a prefix in the order of their ids. Raises `UnknownRun` for an unknown `after`."""
    limit = bounded(wanted.limit)
    asked = numbered(connection, wanted, RUN_CONDITIONS)
    number = None if wanted.after is None else number_of(connection, wanted.after)
    if limit == 0 or asked is None or wanted.phases == ():
        return Listing()
    leads, narrows = led(wanted, asked)
    if wanted.by_claim:
        return by_claim(connection, joined([*[lead.where(None) for lead in leads], narrows]), limit, known)
    start: tuple[Any, ...] | None = None if number is None else (wanted.after if wanted.prefix else number,)
    several = [slices(asking_runs(connection, lead, narrows), start, limit) for lead in leads]
    rows = several[0] if len(several) == 1 else merge(*several, key=lambda row: row.key, reverse=True)
    found, after = page_of(rows, limit, max(READ, limit))
    rows_of = page_rows(connection, RECORD, "r.id", [(row.number, row.names) for row in found])
    page = readable(rows_of, lambda row: record_of(connection, there(row), known), place=1)
    page.after = after
    return page


def numbered(connection: Link, wanted: RunFilter | PauseFilter, columns: Mapping[str, str]) -> dict[str, Any] | None:
    """The values of a filter's columns, a session and a workflow by their numbers; None where there is none of that name, and so no row."""
    found: dict[str, Any] = {}
    for name in columns:
        value = getattr(wanted, name)
        if value is None:
            continue
        if name in NUMBERS:
            row = connection.execute(NUMBERS[name], (sought(value),)).fetchone()
            if row is None:
                return None
            found[name] = row[0]
        else:
            found[name] = sought(value)
    return found


def led(wanted: RunFilter, asked: dict[str, Any]) -> tuple[list[Lead], Clause]:
    """The indexes that lead a listing, and what narrows it while it is read."""
    phases = (
        []
        if wanted.phases is None
        else [Clause(f"h.phase IN ({', '.join('?' * len(wanted.phases))})", tuple(map(sought, wanted.phases)))]
    )

    def narrowed() -> Clause:
        return joined([*[Clause(RUN_CONDITIONS[name], (value,)) for name, value in asked.items()], *phases])

    if wanted.prefix:
        end = after_prefix(wanted.prefix)
        more = Clause("r.run_id >= ?", (sought(wanted.prefix),)) if end is None else within(wanted.prefix, end)
        return [Prefixed((), more.values, ("r.run_id",), more=more.text)], narrowed()
    if "session_id" in asked:
        return [Lead(("r.session",), (asked.pop("session_id"),), ("r.id",), descends=True)], narrowed()
    if "user_id" in asked:
        return [Lead(("r.user_id",), (asked.pop("user_id"),), ("r.id",), descends=True, more="r.user_id IS NOT NULL")], narrowed()
    workflow = () if "workflow_id" not in asked else (asked["workflow_id"],)
    if wanted.phases is not None:
        columns = ("h.workflow", "h.phase") if workflow else ("h.phase",)
        several = [Lead(columns, (*workflow, sought(phase)), ("h.run",), descends=True) for phase in dict.fromkeys(wanted.phases)]
        return several, joined([])
    return [Lead(("r.workflow",) if workflow else (), workflow, ("r.id",), descends=True)], joined([])


def within(prefix: str, end: str) -> Clause:
    """The ids that begin with a text, as a range of the index of ids."""
    return Clause("r.run_id >= ? AND r.run_id < ?", (sought(prefix), sought(end)))


class Prefixed(Lead):
    """The runs of a prefix: the values are those of its range."""

    def where(self, start: tuple[Any, ...] | None) -> Clause:
        """The ids of the range behind another one."""
        beyond = [Clause("r.run_id > ?", start)] if start is not None else []
        return joined([Clause(self.more, self.values), *beyond])


def asking_runs(connection: Link, lead: Lead, narrows: Clause) -> Callable[[tuple[Any, ...] | None, int], list[Found]]:
    """A function that asks for the runs of an index from a key on."""

    def ask(key: tuple[Any, ...] | None, most: int) -> list[Found]:
        where = lead.where(key)
        statement = (
            f"SELECT {lead.key[0]}, r.id, {narrows.text}, r.run_id FROM {RUNS} WHERE {where.text} ORDER BY {lead.order} LIMIT ?"
        )
        rows = connection.execute(statement, (*narrows.values, *where.values, most)).fetchall()
        return [Found((row[0],), row[1], bool(row[2]), row[3]) for row in rows]

    return ask


def page_rows(connection: Link, statement: str, column: str, wanted: Sequence[tuple[int, str]]) -> list[Sequence[Any]]:
    """The rows of some numbers, each with the id of its run, in their order. Where an index has a row that is not there, number and id alone."""
    rows = {row[0]: row for row in of_numbers(connection, statement, column, [number for number, _ in wanted])}
    return [rows.get(number, (number, run_id)) for number, run_id in wanted]


def there(row: Sequence[Any]) -> Sequence[Any]:
    """A row of `page_rows`. Raises `UnreadableValue` for one that is in an index alone."""
    if len(row) <= len(("number", "run_id")):
        why = f"an index of run {row[1]!r} has a row that its table has not"
        raise UnreadableValue(why)
    return row


def of_numbers(connection: Link, statement: str, column: str, numbers: Sequence[int]) -> Iterator[Sequence[Any]]:
    """The rows of some numbers, in any order."""
    left = iter(numbers)
    while some := list(islice(left, SLICE)):
        yield from connection.execute(f"{statement} WHERE {column} IN ({', '.join('?' * len(some))})", some).fetchall()


# -- pauses ------------------------------------------------------------------------------------------------------------------------

PAUSES = "pause p JOIN run r ON r.id = p.run JOIN hot h ON h.run = p.run"
PAUSE_CONDITIONS = {
    "workflow_id": "p.workflow = ?",
    "session_id": "r.session = ?",
    "step_name": "p.step_name = ?",
    "kind": "p.kind = ?",
}


def inbox(connection: Link, wanted: PauseFilter, *, votes: bool = False) -> Listing[Waiting]:
    """A page of open pauses, oldest first; those before a deadline, soonest first. With `votes` the decided ones have those that votes decide.

    Raises `UnknownRun`, and `UnknownPause` for an unknown `after`.
    """
    number = None if wanted.run_id is None else number_of(connection, wanted.run_id)
    limit, asked = bounded(wanted.limit), numbered(connection, wanted, PAUSE_CONDITIONS)
    start = start_of(connection, wanted)
    if limit == 0 or asked is None:
        return Listing()
    several = [slices(ask, start, limit) for ask in asking_pauses(connection, wanted, dict(asked), number)]
    found, after = page_of(merge(*several, key=lambda row: row.key), limit, max(READ, limit))
    page = page_rows(connection, WAITING, "p.id", [(each.number, each.names[0]) for each in found])
    if votes and wanted.decided_only and wanted.after is None and number is None:
        page += voted(connection, asked.get("workflow_id"))

    def told(row: Sequence[Any]) -> Waiting:
        return waiting_of(connection, there(row))

    read = readable(page, told, place=1) if number is None else Listing(map(told, page))
    if wanted.decided_only:
        read[:] = [row for row in read if matches(row, wanted)]
    read.after = after
    return read


def past(connection: Link, after: tuple[str, str] | None, most: int) -> Listing[Waiting]:
    """A page of questions that are decided or closed, the one put last first. Raises `UnknownRun`, and `UnknownPause` for an unknown `after`."""
    limit = bounded(most)
    if limit == 0:
        return Listing()
    number = MANY
    if after is not None:
        run_id, pause_id = after
        row = connection.execute(KEY_OF_PAUSE, (number_of(connection, run_id), sought(pause_id))).fetchone()
        if row is None:
            raise UnknownPause(run_id, pause_id, [])
        number = row[2]
    rows = connection.execute(PAST, (number, limit + 1)).fetchall()
    found = readable(rows[:limit], lambda row: waiting_of(connection, row), place=1)
    found.after = (rows[limit - 1][1], rows[limit - 1][2]) if len(rows) > limit else None
    return found


def voted(connection: Link, workflow: int | None) -> list[Sequence[Any]]:
    """The open questions of woken runs that take votes, of a workflow those of runs that may be taken now; whether votes decide is seen later."""
    if workflow is not None:
        rows = connection.execute(RULED, (workflow,)).fetchall()
    else:
        known = connection.execute(WORKFLOWS).fetchall()
        rows = [
            row for each in known for which in (RULED, RULED_AND_OWNED) for row in connection.execute(which, (each[0],)).fetchall()
        ]
    return list(of_numbers(connection, WAITING, "p.id", list(dict.fromkeys(row[0] for row in rows))))


def start_of(connection: Link, wanted: PauseFilter) -> tuple[Any, ...] | None:
    """The key of the last row of the page before. Raises `UnknownRun`, `UnknownPause`."""
    if wanted.after is None:
        return None
    run_id, pause_id = wanted.after
    row = connection.execute(KEY_OF_PAUSE, (number_of(connection, run_id), sought(pause_id))).fetchone()
    if row is None:
        raise UnknownPause(run_id, pause_id, [])
    opened, run, key, due = row
    return (due if by_due(wanted) else opened), run, key


def asking_pauses(
    connection: Link, wanted: PauseFilter, asked: dict[str, Any], number: int | None
) -> list[Callable[[tuple[Any, ...] | None, int], list[Found]]]:
    """Functions that ask for the open pauses of an index each, from a key on: of one run, before a deadline, of a workflow, or of all."""
    words = ["IS NOT NULL"] if wanted.decided_only else ["IS NULL"] if wanted.undecided_only else ["IS NULL", "IS NOT NULL"]
    soonest = by_due(wanted)
    columns: tuple[str, ...] = ()
    values: tuple[Any, ...] = ()
    if number is not None:
        columns, values = ("p.run",), (number,)
    elif "workflow_id" in asked and not soonest:
        columns, values = ("p.workflow",), (asked.pop("workflow_id"),)
    narrows = [*[Clause(PAUSE_CONDITIONS[name], (value,)) for name, value in asked.items()], Clause(OPEN)]
    if wanted.due_after is not None:
        narrows.append(Clause("(p.due_us IS NULL OR p.due_us > ?)", (bounded(wanted.due_after),)))
    before = [] if wanted.due_before is None else [Clause("p.due_us < ?", (bounded(wanted.due_before),))]
    if not soonest:
        narrows.extend(before)
    key = ("p.due_us" if soonest else "p.opened_us", "p.run", "p.id")
    leads = [Lead(columns, values, key, more=f"p.closed IS NULL AND p.word {word}") for word in words]
    return [asking_of(connection, lead, before if soonest else [], joined(narrows)) for lead in leads]


def asking_of(
    connection: Link, lead: Lead, before: list[Clause], narrows: Clause
) -> Callable[[tuple[Any, ...] | None, int], list[Found]]:
    """A function that asks for the pauses of one index."""

    def ask(start: tuple[Any, ...] | None, most: int) -> list[Found]:
        where = joined([lead.where(start), *before])
        statement = f"""SELECT {narrows.text}, r.run_id, p.pause_id, p.id, {", ".join(lead.key)} FROM {PAUSES}
WHERE {where.text} ORDER BY {lead.order} LIMIT ?"""
        rows = connection.execute(statement, (*narrows.values, *where.values, most)).fetchall()
        return [Found(tuple(row[4:]), row[3], bool(row[0]), (row[1], row[2])) for row in rows]

    return ask
