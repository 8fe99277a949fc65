"""Notices: what is told of a question or a run, as data. Each has an id that is the same in every process and at every attempt (NOTE-1).

A notice is made of stored rows and the clock alone, so nothing has to be remembered in the transaction of what it tells of: as long as the
question is there, so is its notice. No value of a run is in it (NOTE-4): the question's own words, its place, its deadline, a link.
"""

from __future__ import annotations

from base64 import b32encode
from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from attrs import frozen

from statecore.asking.questions import title
from statecore.asking.text import clean
from statecore.asking.votes import may_now, rule_text, voting_of
from statecore.lifecycles import SHOWS
from statecore.output.place import Place
from statecore.output.requirement import requirement_of
from statecore.stores.frames.questions import question_id

if TYPE_CHECKING:
    from statecore.core import Micros
    from statecore.stores import Waiting

TITLE = 200
ASKED, REMINDER, ESCALATED = "question.asked", "question.reminder", "question.escalated"
DECIDED, EXPIRED, SUPERSEDED = "question.decided", "question.expired", "question.superseded"
RUN_ENDED, RUN_FAILED = "run.ended", "run.failed"
CALLS = frozenset({ASKED, REMINDER, ESCALATED})
"""The notices that ask somebody to do something: they are not sent any more when their question is over (NOTE-3)."""


@frozen
class Notice:
    """One thing to tell. `seats` are the people and roles that may decide, `why` is the rule in words; None where every person may."""

    id: str
    type: str
    at: Micros
    question_id: str
    run_id: str
    workflow: str
    step: str
    title: str
    due: Micros | None = None
    seats: tuple[str, ...] = ()
    why: str | None = None

    def data(self, link: str | None) -> dict[str, Any]:
        """The notice as JSON takes it, with the link to its question."""
        return {
            "type": self.type,
            "timestamp": instant(self.at),
            "data": {
                "question_id": self.question_id,
                "run_id": self.run_id,
                "workflow": self.workflow,
                "step": self.step,
                "title": self.title,
                "due_at": None if self.due is None else instant(self.due),
                "who_may_decide": self.why,
                "link": link,
            },
        }


def instant(time: Micros) -> str:
    """An instant: RFC 3339, UTC."""
    return datetime.fromtimestamp(time // 1_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{time % 1_000_000:06d}Z"


def notice_id(question: str, kind: str, number: int) -> str:
    """The id of a notice: of its question, its type and its number, in any process."""
    return "n_" + b32encode(sha256(f"{question} {kind} {number}".encode()).digest()[:16]).decode().lower().rstrip("=")


def notice(row: Waiting, kind: str, at: Micros, number: int = 0) -> Notice:
    """A notice about a question."""
    pause = row.pause
    name, voting = question_id(pause.run_id, pause.pause_id), voting_of(row, at)
    asked = requirement_of(row, Place(pause.at, "Step", 0, None))
    told = f"{pause.step_name} failed" if SHOWS[pause.kind] == "error" else title(asked)  # the words of an error may hold values
    return Notice(
        id=notice_id(name, kind, number),
        type=kind,
        at=at,
        question_id=name,
        run_id=pause.run_id,
        workflow=row.workflow_id,
        step=clean(pause.step_name, TITLE),
        title=clean(told, TITLE),
        due=pause.deadline,
        seats=() if voting is None else may_now(voting),
        why=None if voting is None else rule_text(voting),
    )


def calls(row: Waiting, now: Micros, remind: Micros | None) -> Iterator[Notice]:
    """The notices that an open question gives at an instant: that it is asked, its escalations, and the latest reminder."""
    pause = row.pause
    yield notice(row, ASKED, pause.opened)
    voting = voting_of(row, now)
    for number, each in enumerate(voting.rule.escalations if voting is not None else (), 1):
        if now - pause.opened >= each.after:
            yield notice(row, ESCALATED, pause.opened + each.after, number)
    if remind is not None and (times := (now - pause.opened) // remind):
        yield notice(row, REMINDER, pause.opened + times * remind, times)


def is_open(row: Waiting, now: Micros) -> bool:
    """Whether a question can still be decided."""
    return row.decided is None and row.pause.closed is None and (row.pause.deadline is None or now < row.pause.deadline)
