"""The documents of a run: one line of a list, and all that became of it: its steps in order, its decisions, its open questions."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from statecore.asking.text import clean
from statecore.client.shapes import FailureDocument, LinksDocument, RunDocument, RunItemDocument, RunStepDocument, SentenceDocument
from statecore.lifecycles import LEAVES
from statecore.lifecycles import words as w
from statecore.stores import PauseFilter
from statecore.stores.frames.questions import question_id
from statecore.stores.history import OVER, TYPE_OF
from statecore.stores.rules import ENDED, STATUS

from .documents import decision, instant
from .seeing import may_see, rules_of, sight_of
from .stored import StoredRun
from .values import envelope

if TYPE_CHECKING:
    from statecore.core import Micros
    from statecore.stores import Decided, Record
    from statecore.stores.history import Visit

    from .documents import Desk

MANY = 10_000
APPLIES = frozenset({w.confirm, w.reject, w.give, w.select, w.answer, w.edit, w.amend, w.retry, w.provide, w.skip})
"""The triggers of a person's answer."""


def run_item(record: Record) -> RunItemDocument:
    """A run in a list."""
    identity = record.identity
    return RunItemDocument(
        run_id=identity.run_id,
        workflow=identity.workflow_id,
        status=status(record),
        requester=identity.requester or identity.user_id,
        session_id=identity.session_id,
        started_at=instant(identity.created),
        ended_at=ended_at(record),
        href=f"runs/{quote(identity.run_id, safe='')}",
    )


def status(record: Record) -> str:
    """The status of a run, in lower case."""
    return STATUS[record.state.run].lower()


def ended_at(record: Record) -> str | None:
    """When a run ended; None where it goes on."""
    return instant(record.updated) if record.state.run in ENDED else None


def run(run_id: str, desk: Desk) -> RunDocument:
    """A run as it stands. Raises `UnknownRun`, and the errors of a store."""
    db = desk.inbox.db
    record = db.load(run_id)
    stored, identity = StoredRun(desk.inbox, record), record.identity
    waiting = db.pauses(PauseFilter(run_id=run_id, undecided_only=False, limit=MANY)) if record.state.run not in ENDED else []
    undecided = [row for row in waiting if row.decided is None and may_see(desk.person, sight_of(row), desk.readers)]
    address = f"runs/{quote(run_id, safe='')}"
    given = envelope(identity.input, href(run_id, "input"), typed=desk.typed)
    assert given is not None, "a run has an input"  # noqa: S101  # the column of it is never empty
    return RunDocument(
        run_id=run_id,
        workflow=identity.workflow_id,
        version=stored.program.version,
        status=status(record),
        requester=identity.requester or identity.user_id,
        session_id=identity.session_id,
        started_at=instant(identity.created),
        ended_at=ended_at(record),
        taken_up_at=taken_up_at(stored),
        waits_since=instant(min(row.pause.opened for row in undecided)) if undecided else None,
        input=given,
        output=envelope(stored.of(record.state.result), href(run_id, "output"), typed=desk.typed)
        if status(record) == "completed"
        else None,
        error=failure(stored),
        reason=reason(record),
        open_questions=[question_id(run_id, row.pause.pause_id) for row in undecided],
        steps=[step(visit, stored, desk) for visit in stored.history.visits.values()],
        decisions=[decision(each, question_id(run_id, each.pause_id), desk) for each in decisions_of(record, desk)],
        head=f"sha256:{db.head(run_id)}",
        links=LinksDocument(
            journal=f"{address}/journal",
            audit=None,  # the API has no page of it yet
            picture=f"{address}/picture.svg",
        ),
    )


def decisions_of(record: Record, desk: Desk) -> list[Decided]:
    """The decisions of a run whose questions one may see."""
    db, every = desk.inbox.db, desk.inbox.db.decisions(record.identity.run_id)
    if not rules_of(record.identity.canonical):
        return list(every)
    rows = [(each, db.pause(each.run_id, each.pause_id)) for each in every]
    return [each for each, row in rows if row is not None and may_see(desk.person, sight_of(row), desk.readers)]


def href(run_id: str, name: str) -> str:
    """Where a value of a run is given whole."""
    return f"values/{quote(name, safe='')}?run={quote(run_id, safe='')}"


def taken_up_at(stored: StoredRun) -> str | None:
    """When a worker last applied an answer of a person; None before."""
    last = next((row for row in reversed(stored.rows) if row.trigger in APPLIES and row.at), None)
    return None if last is None else instant(last.time)


def reason(record: Record) -> SentenceDocument | None:
    """Why a run was cancelled, where a person asked for that."""
    if record.state.run != w.cancelled or record.cancel_requested is None:
        return None
    who = record.cancel_by
    text = f"cancelled by {clean(who)}" if who else "cancelled"
    return SentenceDocument(text=text, code="reason.cancelled", args={"by": who, "at": instant(record.cancel_requested)})


def failure(stored: StoredRun) -> FailureDocument | None:
    """The error of which a run failed."""
    if stored.record.state.run != w.failed:
        return None
    failed = [visit for visit in stored.history.visits.values() if visit.phase == w.failed and visit.failures]
    if not failed:
        return None
    told, last = failed[-1].failures[-1], failed[-1]
    where = told.get("where")
    return FailureDocument(
        type=str(told.get("error_type") or ""),
        text=str(told.get("error") or ""),
        frame=clean(where) if where else None,
        tries=last.attempt + 1,
        traceback_href=None,
    )


def step(visit: Visit, stored: StoredRun, desk: Desk) -> RunStepDocument:
    """The outcome of a component in one turn."""
    over = visit.phase in OVER
    leaf = visit.machine in LEAVES
    row = visit.newest.seq
    run_id = stored.record.identity.run_id
    node = stored.program.nodes.get(visit.at)
    told = visit.reason
    return RunStepDocument(
        address=visit.at,
        name=visit.name,
        kind=node.kind if node is not None else TYPE_OF[visit.machine].lower(),
        state=visit.phase,
        turn=list(visit.turn),
        attempt=visit.attempt + 1,
        started_at=instant(begun(visit, stored)),
        ended_at=instant(visit.newest.time) if over else None,
        waited_seconds=visit.waited / 1_000_000,
        worked_seconds=visit.worked / 1_000_000,
        output=envelope(stored.text(row), href(run_id, f"row-{row}"), typed=desk.typed)
        if leaf and visit.value is not None
        else None,
        reason=None if told is None else SentenceDocument(text=told, code=f"reason.{visit.phase}", args={}),
    )


def begun(visit: Visit, stored: StoredRun) -> Micros:
    """When a component was entered."""
    return stored.rows[visit.first - 1].time


def value_of(name: str, stored: StoredRun) -> str | None:
    """The text of a value of a run by its name: `input`, `output`, or `row-N`; None where there is none."""
    if name == "input":
        return stored.record.identity.input
    if name == "output":
        return stored.of(stored.record.state.result)
    number = name.removeprefix("row-")
    if number == name or not number.isascii() or not number.isdecimal():
        return None
    return stored.text(int(number)) if 0 < int(number) <= len(stored.rows) else None
