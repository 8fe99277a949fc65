"""The contradictions in the tables of a store, in any database: values, journals, states, pauses and decisions.

Theory of operation. A database's own `verify` opens a store for reading only and sees it at one moment; `contents` looks at all that the
tables hold. Of each run the first bad row of its journal is named, then each statement of its other rows that the journal does not support: the
journal is played through the core again, so that the stored state, the open questions and the references to outputs have to be those that it
leads to. A row that no chain covers carries a seal.

A journal that was written anew from its beginning, with all hashes and seals, agrees with itself and is not found. These columns can be changed
without notice: `run.lease` and `run.updated`, which each boundary writes anew and which decide nothing that the epoch does not decide again; the
numbers `run.id`, `pause.id`, `definition.id` and `legal.id`, as long as every reference goes along.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import define, field, frozen

from statecore.stores.links import digest, seal
from statecore.stores.rules import LEGAL
from statecore.stores.sql.reading import SEALED

from .run import Findings, check_run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from statecore.stores.sql.link import Link

MANY = 20
"""How many faults of one kind are named."""


@frozen
class Fault:
    """Something that cannot be true: of which run (None: of the file), where, and why."""

    run_id: str | None
    where: str
    why: str

    def __str__(self) -> str:
        """The fault as one line."""
        return f"{f'run {self.run_id!r}: ' if self.run_id is not None else ''}{self.where}: {self.why}"


@define
class Verified:
    """The extent of a check and its faults. `remarks` are no faults: what could be checked in part only, and why."""

    path: str
    schema: int
    runs: int = 0
    rows: int = 0
    values: int = 0
    purged: int = 0
    root: str | None = None
    faults: list[Fault] = field(factory=list)
    remarks: list[Fault] = field(factory=list)

    @property
    def sound(self) -> bool:
        """Whether nothing is wrong."""
        return not self.faults

    def blame(self, where: str, why: str, run_id: str | None = None) -> None:
        """Note a fault."""
        self.faults.append(Fault(run_id, where, why))


def contents(connection: Link, found: Verified, progress: Callable[[int, int], None] | None) -> None:
    """Look at all that the tables hold, whichever database they are in."""
    legal_rows(connection, found)
    values(connection, found)
    definitions(connection, found)
    seals(connection, found)
    numbers = connection.execute("SELECT id, run_id FROM run ORDER BY id").fetchall()
    for number, run_id in numbers:
        findings = Findings()
        try:
            check_run(connection, number, findings)
        except Exception as error:  # noqa: BLE001  # whatever a spoilt row breaks, it is a fault of the row
            findings.blame("run", plain(error))
        found.runs, found.rows = found.runs + 1, found.rows + findings.rows
        found.faults += [Fault(run_id, *each) for each in findings.faults]
        found.remarks += [Fault(run_id, *each) for each in findings.remarks]
        if progress is not None:
            progress(found.runs, len(numbers))


def plain(error: Exception) -> str:
    """The text of an error, without the advice that goes with it elsewhere."""
    return str(getattr(error, "why", None) or error) or type(error).__name__


def legal_rows(connection: Link, found: Verified) -> None:
    """The moves that the file knows must be moves of the lifecycles. Those that it does not know yet are a remark: opening the store adds them."""
    rows = connection.execute('SELECT machine, source, "trigger", dest, id FROM legal').fetchall()
    legal = set(LEGAL)
    for *move, number in rows:
        if tuple(move) not in legal:
            found.blame(f"legal row {number}", f"no lifecycle has the move {' '.join(map(str, move))}")
    missing = legal - {tuple(row[:4]) for row in rows}
    if missing:
        why = f"{len(missing)} moves of this release are not in it, e.g. {' '.join(min(missing))}; opening the store adds them"
        found.remarks.append(Fault(None, "table legal", why))


def values(connection: Link, found: Verified) -> None:
    """Each value is what its address says."""
    for address, text in connection.execute("SELECT hash, text FROM value"):
        found.values += 1
        if digest(text) != address:
            found.blame(f"value {address.hex()[:16]}", "it is not the text that was stored at its address")


def definitions(connection: Link, found: Verified) -> None:
    """Each workflow is the one of its fingerprint."""
    for fingerprint, canonical in connection.execute("SELECT fingerprint, canonical FROM definition"):
        if digest(canonical).hex() != fingerprint:
            found.blame(f"definition {fingerprint[:16]}", "its canonical form is not that of its fingerprint")


def seals(connection: Link, found: Verified) -> None:
    """Rows that no chain covers are as they were sealed."""
    for each in SEALED:
        for number, stored, run_id, *columns in named_rows(connection, each.query, each.column):
            if stored != seal(*columns):
                part = "who it is" if each.column == "seal" else "whose it is"
                what = {
                    "run": f"run row {number}",
                    "pause": f"pause {columns[1]!r}",
                    "decision": f"decision of pause {columns[1]!r}",
                }
                why = f"it is not as it was sealed ({part})" if each.table == "run" else "it is not as it was sealed"
                found.blame(what.get(each.table, each.table), why, run_id)
    rows = connection.execute("SELECT r.run_id, s.run, s.text, s.hash FROM session_state s LEFT JOIN run r ON r.id = s.run")
    lacking = connection.execute("SELECT run_id FROM run WHERE id NOT IN (SELECT run FROM session_state) LIMIT ?", (MANY,))
    for (run_id,) in lacking.fetchall():
        found.blame("session_state", "it is missing", run_id)
    for run_id, number, text, stored in rows:
        if stored != digest(text):
            found.blame(f"session_state {number}", "it is not the text that was stored", run_id)


def named_rows(connection: Link, query: str, column: str) -> Iterator[tuple[Any, ...]]:
    """Sealed rows, each with the id of its run before the columns."""
    names = dict(connection.execute("SELECT id, run_id FROM run"))
    for number, stored, *columns in connection.execute(query):
        yield (number, stored, names.get(number) if column == "claimed" else columns[0], *columns)
