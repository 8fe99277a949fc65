"""The trail of a run, for an auditor: one row an event, with columns and names of events that stay (`AuditRow`, `EVENTS`).

It is read through what every store has: the journal, the questions, the decisions, what people did about a question. Each row of the journal
carries the link of the chain up to it (`links.link`, the last one is `head`). What was erased is shown as erased.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from json import dumps, loads
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from statecore.core.owed import ASK_OF, next_put, pause_id
from statecore.core.program import ROOT
from statecore.errors import WrongArgument
from statecore.lifecycles import words as w

from .detail import Detail, detail_of, name_of
from .endings import Archives
from .links import GENESIS, link
from .records import RunFilter, unread_of
from .rules import clock_text, turn_text

if TYPE_CHECKING:
    from statecore.core import Micros
    from statecore.lifecycles import AskKind

    from .records import Decided, Entry, Record, RunReader, Waiting

EVENTS: Mapping[str, str] = MappingProxyType(
    {
        "started": "the run began; `by` asked for it, `value` is its input",
        "asked": "a question was put; `pause_id`, `kind`, `seen` and `deadline` are its own, `detail` has the message and what was shown",
        "decided": "a person's decision was stored",
        "applied": "a decision was applied, and the run went on by it",
        "expired": "a deadline passed, and its consequence was applied",
        "lapsed": "an answer no longer counted, for the definition had changed; the question is put again",
        "adopted": "a person took the run over for a definition that differs",
        "failed_call": "a call of a component failed",
        "interrupted": "a call was interrupted, for its process died or was given up",
        "moved": "any other row of the journal; `word` is its trigger",
        "cancel_requested": "a person asked for the run to be cancelled",
        "cancelled": "the run was cancelled",
        "completed": "the run completed",
        "failed": "the run failed",
        "erased": "a person erased data of the run; `detail` says which and why",
        "unreadable": "a run that cannot be read; `detail` says why",
        "vote": "a person voted",
        "withdrawal": "a person took a vote back",
        "lapse": "a vote no longer counted; `detail` says why",
        "refusal": "an attempt of a person to vote was refused; `detail` says why, and how often",
        "root": "the root over the chain of the store, as `audit` prints it; `detail` has the number of leaves",
    }
)
"""The names of events, and what each means. The events of people at a question with a rule have the names of the acts of a store."""
ENDS = frozenset({w.completed, w.cancelled, w.failed})
SINCE = "audit", "since", "a datetime"
FOLLOWS = frozenset({"applied", "expired", "lapsed", "cancelled"})
"""The events that what a person did leads to: what was stored at the same instant comes first."""
MOST_ASKED = 64
"""The most questions of one visit of a step's code that are looked for."""


class AuditRow(NamedTuple):
    """One event. Times are ISO 8601 in UTC; `value` is the stored text of a value, `detail` and `turn` are JSON; an empty text is nothing.

    `seq` is the number in the journal, 0 for what the journal does not hold; `chain` is the link of the chain up to that row, in hex.
    """

    run_id: str
    workflow: str
    session: str
    seq: int
    time: str
    event: str
    step: str
    address: str
    turn: str
    attempt: int
    pause_id: str
    kind: str
    word: str
    by: str
    comment: str
    value: str
    seen: str
    deadline: str
    detail: str
    chain: str


COLUMNS = AuditRow._fields


class Audited:
    """The trail of a store that is read as every store is."""

    def audit(self, run_id: str | None = None, since: datetime | None = None) -> Iterator[AuditRow]:
        """The trail of a run, or of all runs; of a store with a chain the last row is its root.

        With `since` (a `datetime`) only rows from then on. The run that was begun last comes first. Raises `UnknownRun`, `WrongArgument`.
        """
        if since is not None and not isinstance(since, datetime):
            raise WrongArgument(*SINCE, since)
        store = cast("RunReader", self)
        start = None if since is None else round(since.timestamp() * 1_000_000)
        return rows(store, run_id, start)


def rows(store: RunReader, run_id: str | None, since: Micros | None) -> Iterator[AuditRow]:
    """The rows of one run, or of all, from an instant on."""
    for record in [store.load(run_id)] if run_id is not None else records(store):
        if isinstance(record, AuditRow):
            yield record
        elif since is None or record.updated >= since:
            first = None if since is None else clock_text(since)
            yield from (row for row in Trail(store, record).rows() if first is None or row.time >= first)
    if isinstance(store, Archives):
        found = store.root()
        yield blank()._replace(event="root", chain=found.root, detail=plain({"leaves": found.leaves}))


def records(store: RunReader) -> Iterator[Record | AuditRow]:
    """Every run, page by page; one that cannot be read is a row that says so."""
    after: str | None = None
    while True:
        page = store.runs(RunFilter(limit=200, after=after))
        yield from page
        yield from (
            blank()._replace(run_id=each.run_id, event="unreadable", detail=plain({"why": each.why})) for each in unread_of(page)
        )
        after = getattr(page, "after", None)
        if after is None:
            return


def blank() -> AuditRow:
    """A row that says nothing."""
    return AuditRow("", "", "", 0, "", "", "", "", "", 0, "", "", "", "", "", "", "", "", "", "")


def plain(parts: Mapping[str, Any]) -> str:
    """Particulars as JSON; "" for none."""
    said = {name: part for name, part in parts.items() if part not in (None, "", (), [])}
    return dumps(said, ensure_ascii=False, separators=(",", ":"), default=str) if said else ""


class Trail:
    """The rows of one run: those of its journal in their order, the others in between, by their time."""

    store: RunReader
    record: Record
    base: AuditRow
    puts: dict[tuple[str, str, int, str], str]
    open: dict[tuple[str, str], list[Waiting]]
    asked: dict[str, Waiting]

    def __init__(self, store: RunReader, record: Record) -> None:
        self.store, self.record = store, record
        identity = record.identity
        self.base = blank()._replace(run_id=identity.run_id, workflow=identity.workflow_id, session=identity.session_id)
        self.puts, self.open, self.asked = {}, {}, {}

    def rows(self) -> Iterator[AuditRow]:
        """All rows."""
        journal = [(entry.time, row) for entry, chain in self.linked() for row in self.of(entry, chain)]
        waits = sorted([*self.acts(), *self.decided(), *self.about_the_run()], key=lambda each: each[0])
        told: set[str] = set()
        for time, row in journal:
            at_once = row.event in FOLLOWS
            ready = [
                each for each in waits if each[1].pause_id in told | {""} and (each[0] < time or (at_once and each[0] == time))
            ]
            yield from (each for _, each in ready)
            waits = [each for each in waits if each not in ready]
            told |= {row.pause_id} if row.event == "asked" else set()
            yield row
        yield from (each for _, each in waits)

    def linked(self) -> Iterator[tuple[Entry, str]]:
        """The rows of the journal, each with the link of the chain up to it."""
        chain = GENESIS
        for entry in self.store.journal(self.record.identity.run_id):
            chain = link(chain, self.record.identity.run_id, entry)
            yield entry, chain.hex()

    def of(self, entry: Entry, chain: str) -> Iterator[AuditRow]:
        """The rows of one row of the journal: what it is, and beside it an adoption, and the questions that it puts."""
        said = detail_of(entry.body.detail)
        place = str(entry.at), turn_text(entry.turn)
        row = self.base._replace(
            seq=entry.seq, time=clock_text(entry.time), address=place[0], step=name_of(place[0]), turn=place[1], chain=chain
        )
        row = row._replace(attempt=entry.attempt, word=entry.trigger, by=said.by or "", comment=said.comment or "")
        if said.adopted_by:
            yield row._replace(event="adopted", by=said.adopted_by, comment="", chain="", word="")
        puts = self.put(entry)
        yield self.named(row, entry, said)
        for waiting in puts:
            yield self.question(row, waiting, shown=entry.body.value)

    def named(self, row: AuditRow, entry: Entry, said: Detail) -> AuditRow:
        """The row of a journal row under the name of its event."""
        value = entry.body.value or ""
        told = {"error": said.error, "error_type": said.error_type, "choices": said.choices, "definition": said.definition}
        row = row._replace(value=value, detail=plain({"from": entry.source, "to": entry.dest, **told, "lapsed": said.lapsed}))
        if entry.at == ROOT:
            return self.of_run(row, entry)
        if entry.trigger == w.renew and said.lapsed is not None:
            gone = said.lapsed
            return self.about(row, entry)._replace(event="lapsed", word=gone.get("word", ""), by=gone.get("by", ""))
        if (entry.machine, entry.source) in ASK_OF and entry.trigger not in (w.cancel, w.leave):
            return self.about(row, entry)._replace(event="expired" if entry.trigger == w.expire else "applied")
        names = {w.fail: "failed_call", w.interrupt: "interrupted"}
        return row._replace(event=names.get(entry.trigger, "moved"))

    def of_run(self, row: AuditRow, entry: Entry) -> AuditRow:
        """A row of the run itself."""
        identity = self.record.identity
        if entry.seq == 1:
            asked_by = getattr(identity, "requester", None) or identity.user_id or ""
            told = {"user_id": identity.user_id, "fingerprint": identity.fingerprint, "key": identity.key}
            return row._replace(event="started", by=asked_by, value=identity.input, detail=plain(told))
        return row._replace(event=entry.dest if entry.dest in ENDS else "moved")

    def about(self, row: AuditRow, entry: Entry) -> AuditRow:
        """A row about the question that was open at its place."""
        known = self.open.pop((row.address, row.turn), [])
        number = detail_of(entry.body.detail).number
        found = known[-1] if known else None
        if number is not None and len(known) > 1:
            found = next((each for each in known if each.pause.pause_id.endswith(f"+{number}")), found)
            self.open[row.address, row.turn] = [each for each in known if each is not found]
        if found is None:
            return row
        return row._replace(pause_id=found.pause.pause_id, kind=found.pause.kind, seen=found.pause.seen or "")

    def put(self, entry: Entry) -> list[Waiting]:
        """The questions that a row of the journal puts."""
        phase = (entry.machine, entry.dest)
        if phase not in ASK_OF or (entry.source == entry.dest and entry.trigger != w.renew):
            return []
        found = [each for each in map(self.pause, self.names(entry)) if each is not None and each.pause.pause_id not in self.asked]
        self.asked |= {each.pause.pause_id: each for each in found}
        if found:
            self.open.setdefault((str(entry.at), turn_text(entry.turn)), []).extend(found)
        return found

    def names(self, entry: Entry) -> Iterable[str]:
        """The names that the questions of a row may have: of each kind of its phase, of each number, put again or not."""
        first: AskKind = ASK_OF[entry.machine, entry.dest]
        kinds: list[AskKind] = [first, "interrupted"] if first == "error" else [first]
        numbers = range(MOST_ASKED) if first == "question" else [None]
        for kind in kinds:
            for number in numbers:
                name = pause_id(kind, entry.at, entry.turn, entry.attempt, 1, number)
                while name in self.asked:
                    name = next_put(name)
                yield name

    def pause(self, name: str) -> Waiting | None:
        """A question of the run, open or closed."""
        return self.store.pause(self.record.identity.run_id, name)

    def question(self, row: AuditRow, waiting: Waiting, shown: str | None) -> AuditRow:
        """The row of a question: what it says, what was shown, until when, under which digest."""
        pause = waiting.pause
        deadline = "" if pause.deadline is None else clock_text(pause.deadline)
        told: dict[str, Any] = {
            "message": pause.message,
            "on_timeout": pause.on_timeout if deadline else None,
            "shown": pause.detail,
        }
        told |= {} if pause.rule is None else {"rule": loads(pause.rule), "deciders": list(pause.deciders) or None}
        return row._replace(
            seq=0, event="asked", time=clock_text(pause.opened), pause_id=pause.pause_id, kind=pause.kind, word="", by="", comment="",
            value=shown or "", seen=pause.seen or "", deadline=deadline, detail=plain(told), chain="",
        )  # fmt: skip

    def decided(self) -> Iterator[tuple[Micros, AuditRow]]:
        """The decisions, as they were stored."""
        for each in self.store.decisions(self.record.identity.run_id):
            yield each.time, self.said(each)

    def said(self, decided: Decided) -> AuditRow:
        """The row of a decision."""
        waiting = self.asked.get(decided.pause_id) or self.pause(decided.pause_id)
        row = self.base._replace(event="decided", time=clock_text(decided.time), pause_id=decided.pause_id, word=decided.word)
        row = row._replace(by=decided.by or "", comment=decided.comment or "", value=decided.value or "")
        return row if waiting is None else self.at(row, waiting)._replace(seen=decided.seen or waiting.pause.seen or "")

    def at(self, row: AuditRow, waiting: Waiting) -> AuditRow:
        """A row about a question, at its place."""
        pause = waiting.pause
        return row._replace(
            step=pause.step_name, address=str(pause.at), turn=turn_text(pause.turn), attempt=pause.attempt, kind=pause.kind
        )

    def acts(self) -> Iterator[tuple[Micros, AuditRow]]:
        """The acts of people about a question besides: votes, withdrawals, delegations, refusals, lapses, as far as the store keeps them."""
        for waiting in self.asked.values():
            for act in getattr(waiting, "acts", ()):
                row = self.at(self.base, waiting)._replace(
                    pause_id=waiting.pause.pause_id, event=str(act.kind), time=clock_text(act.time)
                )
                word, by, comment, value, seen = (
                    str(getattr(act, name, None) or "") for name in ("word", "by", "comment", "value", "seen")
                )
                row = row._replace(word=word, by=by, comment=comment, value=value, seen=seen)
                yield act.time, row._replace(detail=plain(beside(act)))

    def about_the_run(self) -> Iterator[tuple[Micros, AuditRow]]:
        """A request to cancel, and the erasures that the store knows."""
        record = self.record
        if record.cancel_requested is not None:
            row = self.base._replace(event="cancel_requested", time=clock_text(record.cancel_requested), by=record.cancel_by or "")
            yield record.cancel_requested, row
        erasures = getattr(self.store, "erasures", None)
        for what, by, reason, time in erasures(record.identity.run_id) if erasures is not None else ():
            row = self.base._replace(event="erased", time=clock_text(time), by=by or "", comment=reason or "")
            yield time, row._replace(detail=plain({"what": what}))


def beside(act: Any) -> dict[str, Any]:
    """The parts of an act that have no column."""
    known = {"kind", "time", "word", "by", "comment", "value", "seen", "run_id", "pause_id"}
    return {each.name: getattr(act, each.name) for each in getattr(act, "__attrs_attrs__", ()) if each.name not in known}
