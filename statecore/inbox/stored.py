"""A stored run as documents need it: its program, what became of each component, and the texts of its values by name.

Values are read one by one, as texts; a document that shows none reads none.
"""

from __future__ import annotations

from functools import cached_property
from json import dumps
from typing import TYPE_CHECKING, Any

from attrs import define

from statecore.codec import decode_plain
from statecore.core import Gather
from statecore.lifecycles import SHOWS
from statecore.lifecycles import words as w
from statecore.stores.history import History, entry_at
from statecore.stores.records import FAR

if TYPE_CHECKING:
    from statecore.core import Cursor, Program, Source
    from statecore.stores import Entry, Record
    from statecore.stores.records import Pause
    from statecore.workflow.inbox import Inbox


@define(slots=False)
class StoredRun:
    """A run of a store, read as far as it is asked for."""

    inbox: Inbox
    record: Record

    @cached_property
    def program(self) -> Program:
        """The program that the run follows."""
        return self.inbox.compiled_of(self.record).program

    @cached_property
    def rows(self) -> list[Entry]:
        """The rows of the journal; a long value is `FAR`, where the store can leave it out."""
        read = getattr(self.inbox.db, "outline", self.inbox.db.journal)
        found: list[Entry] = read(self.record.identity.run_id, 0, self.record.seq)
        return found

    @cached_property
    def history(self) -> History:
        """The outcome of each component."""
        return History(read=decode_plain).extend(self.rows)

    def text(self, seq: int) -> str | None:
        """The stored value of a row."""
        value = self.rows[seq - 1].body.value
        if value != FAR:
            return value
        return entry_at(self.inbox.db, self.record.identity.run_id, seq).body.value

    def standing(self, pause: Pause) -> Cursor | None:
        """The cursor that waits at a question; None where the run stands there no more."""
        places = ((each.at, each.turn, each) for each in self.record.state.cursors)
        return next((cursor for at, turn, cursor in places if (at, turn) == (pause.at, pause.turn)), None)

    def of(self, source: Source | None) -> str | None:
        """The text of what a reference of the state stands for; of a Parallel an object of its branches."""
        if source is None:
            return None
        if isinstance(source, Gather):
            return "{" + ",".join(f"{dumps(name)}:{self.of(each) or 'null'}" for name, each in source.branches) + "}"
        return self.text(self.record.held[source]) or "null"

    def previous(self, pause: Pause) -> tuple[str | None, str] | None:
        """The name and the text of what the step before a question handed on; None where there is none, or the run stands there no more."""
        cursor = self.standing(pause)
        text = None if cursor is None else self.of(cursor.prev)
        if cursor is None or text is None:
            return None
        node = None if isinstance(cursor.prev, Gather) or cursor.prev is None else self.program.nodes.get(cursor.prev.at)
        return (None if node is None else node.name), text

    def reviewed(self, pause: Pause) -> tuple[str | None, str | None, str | None]:
        """The texts of the output under review and of the one before it, and of the feedback between them."""
        cursor = self.standing(pause)
        there = [row for row in self.rows if row.at == pause.at and row.turn == pause.turn[: len(row.turn)]]
        puts = [row for row in there if row.dest == w.awaiting_review and row.body.value is not None and row.time <= pause.opened]
        output = self.of(cursor.marks.output) if cursor is not None else (self.text(puts[-1].seq) if puts else None)
        before = puts[-2] if len(puts) > 1 else None
        if before is None:
            return output, None, None
        said = next((row for row in there if row.seq > before.seq and row.source == w.awaiting_review), None)
        return output, self.text(before.seq), None if said is None else self.text(said.seq)

    def texts(self, pause: Pause) -> dict[str, str | None]:
        """The values of a question by the names under which they are given whole; those that a decision carries come with it."""
        output, before, _ = self.reviewed(pause) if SHOWS[pause.kind] == "output" else (None, None, None)
        previous = self.previous(pause)
        row = self.inbox.db.pause(pause.run_id, pause.pause_id)
        answer = row.decided.value if row is not None and row.decided is not None else None
        found: dict[str, Any] = {"input": self.record.identity.input, "previous": None if previous is None else previous[1]}
        return {**found, "output": output, "before": before, "answer": answer}
