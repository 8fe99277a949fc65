"""The documents for the pages: made by the functions that the API calls, for one person, as plain data; refusals as a status and a problem.

A question or a run that one may not see is not there.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from attrs import frozen
from starlette.exceptions import HTTPException

from statecore.errors import InvalidInput, MissingExtra, StatecoreError, UnknownRun
from statecore.stores import PauseFilter
from statecore.stores.abilities import NamesQuestions
from statecore.workflow.inbox import Inbox

from .documents import Desk, item, plain, question, state_of
from .documents_run import run as run_document
from .seeing import NO_READERS, Person, Readers, may_see, sight_of

if TYPE_CHECKING:
    from starlette.routing import BaseRoute

    from statecore.stores import RunReader, Waiting

OPEN_STATES = frozenset({"open", "expired"})


@frozen
class Bridge:
    """The documents of one store."""

    inbox: Inbox
    readers: Readers = NO_READERS

    def desk(self, person: Person) -> Desk:
        """The material of a document, now."""
        return Desk(self.inbox, person, time.time_ns() // 1_000)

    def row(self, person: Person, question_id: str) -> Waiting:
        """The row of a question that one may see. Raises `HTTPException` 404."""
        db = self.inbox.db
        found = db.question(question_id) if isinstance(db, NamesQuestions) else None
        if found is None or not may_see(person, sight_of(found), self.readers):
            raise HTTPException(404)
        return found

    def questions(self, person: Person, asked: Mapping[str, str]) -> dict[str, Any]:
        """A page of questions."""
        desk, wanted = self.desk(person), asked.get("state", "open")
        after = tuple(asked["cursor"].split(" ", 1)) if asked.get("cursor") else None
        wants = PauseFilter(
            workflow_id=asked.get("workflow"),
            step_name=asked.get("step"),
            kind=asked.get("kind"),
            run_id=asked.get("run"),
            decided_only=wanted == "decided",
            due_before=desk.now if wanted == "expired" else None,
            due_after=desk.now if wanted == "open" else None,
            limit=int(asked.get("limit", "50")),
            after=after,  # type: ignore[arg-type]
        )
        rows, count = self.inbox.db.pauses(wants), self.inbox.count(wants)
        seen = [row for row in rows if may_see(person, sight_of(row), self.readers)]
        items = [plain(item(row, desk)) for row in seen if state_of(row, desk.now) == wanted]
        items = [each for each in items if asked.get("mine") != "1" or each["mine"]]
        return {"items": items, "count": {"exact": 0 if asked.get("mine") == "1" else count.number, "at_least": None}, "next": None}

    def question(self, person: Person, question_id: str) -> dict[str, Any]:
        """One question."""
        found: dict[str, Any] = plain(question(self.row(person, question_id), self.desk(person)))
        return found

    def decide(self, person: Person, question_id: str, body: Mapping[str, Any], key: str) -> tuple[int, dict[str, Any]]:
        """Store a decision."""
        pause = self.row(person, question_id).pause
        seen = (body.get("seen") or "").removeprefix("sha256:") or None
        try:
            self.inbox.decide(
                pause.run_id,
                pause.pause_id,
                body["word"],
                value=body.get("value"),
                by=person.name,
                comment=body.get("comment"),
                idempotency_key=key,
                seen=seen,
            )
        except InvalidInput as error:
            return 422, {
                "detail": str(error),
                "code": error.code,
                "fields": [{"pointer": "/value", "text": each} for each in error.wrong],
            }
        except StatecoreError as error:
            return 409, {"detail": str(error), "code": error.code, "fields": []}
        return 201, {}

    def run(self, person: Person, run_id: str) -> dict[str, Any]:
        """One run."""
        try:
            found: dict[str, Any] = plain(run_document(run_id, self.desk(person)))
        except UnknownRun:
            raise HTTPException(404) from None
        return found

    def picture(self, person: Person, run_id: str, form: str) -> str:
        """The run on its workflow, drawn; "" where that needs a package that is not installed."""
        self.run(person, run_id)
        try:
            return format(self.inbox.show(run_id), form)
        except MissingExtra:
            return ""


def documents_of(db: RunReader, readers: Iterable[str] | str) -> tuple[Bridge, list[BaseRoute]]:
    """The documents of a store, and the routes of its API."""
    seats = Readers(everyone=True) if readers == "everyone" else Readers(frozenset(readers))
    return Bridge(Inbox(db), seats), []
