"""The documents for the pages: the same functions that the API calls, for one person, as plain data."""

from __future__ import annotations

import time
from typing import Any

from starlette.exceptions import HTTPException

from statecore.errors import AlreadyDecided, InvalidInput, NotPaused, PauseExpired, StatecoreError, UnknownRun
from statecore.stores import PauseFilter
from statecore.workflow.inbox import Inbox


class Bridge:
    def __init__(self, db):
        self.box = Inbox(db)

    def desk(self, person):
        from .documents import Desk
        return Desk(self.box, person, time.time_ns() // 1000)

    def questions(self, person, asked):
        from .documents import item, plain, state_of
        desk = self.desk(person)
        state = asked.get("state", "open")
        if state in ("open", "expired"):
            rows = self.box.db.pauses(PauseFilter(undecided_only=True, limit=1000))
        else:
            rows = []
        items = [plain(item(r, desk)) for r in rows]
        items = [i for i in items if i["state"] == state and (asked.get("mine") != "1" or i["mine"])]
        return {"items": items[: int(asked.get("limit", 50))], "count": {"exact": len(items), "at_least": None}, "next": None}

    def row(self, question_id):
        from statecore.stores import RunFilter
        from statecore.stores.frames.questions import question_id as name_of
        for record in self.box.db.runs(RunFilter(limit=1000)):
            rid = record.identity.run_id
            ids = {p.pause.pause_id for p in self.box.db.pauses(PauseFilter(run_id=rid, undecided_only=False, limit=1000))} | {d.pause_id for d in self.box.db.decisions(rid)}
            for pid in ids:
                if name_of(rid, pid) == question_id:
                    return self.box.db.pause(rid, pid)
        raise HTTPException(404)

    def question(self, person, question_id):
        from .documents import plain, question
        return plain(question(self.row(question_id), self.desk(person)))

    def decide(self, person, question_id, body, key):
        row = self.row(question_id)
        try:
            self.box.decide(row.pause.run_id, row.pause.pause_id, body["word"], value=body["value"], by=person.name, comment=body["comment"], idempotency_key=key, seen=(body["seen"] or "").removeprefix("sha256:") or None)
        except InvalidInput as error:
            return 422, {"detail": str(error), "fields": [{"pointer": "/value/amount", "code": "x", "text": str(error)}]}
        except StatecoreError as error:
            return 409, {"detail": str(error), "fields": []}
        return 201, {}

    def run(self, person, run_id):
        from .documents import plain
        from .documents_run import run
        try:
            return plain(run(run_id, self.desk(person)))
        except UnknownRun:
            raise HTTPException(404)

    def picture(self, person, run_id, form):
        from statecore.errors import MissingExtra
        try:
            return format(self.box.show(run_id), form)
        except MissingExtra:
            return ""


def documents_of(db, readers):
    return Bridge(db), []
