"""The answer of each address of the API, from a request that was checked: a document, or the error that the problem is made from."""

from __future__ import annotations

import re
from datetime import datetime
from hashlib import sha256
from json import dumps
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from starlette.responses import JSONResponse, PlainTextResponse, Response

from statecore.client.reading import plain
from statecore.client.shapes import CancelledDocument, CountDocument, JournalDocument, MoveDocument, QuestionsDocument, RunsDocument
from statecore.core import Micros
from statecore.errors import BadRequest, StatecoreError, UnknownRun, UnsupportedSetting
from statecore.lifecycles import ASK_KINDS
from statecore.runtime.renewals import put_since
from statecore.stores import PauseFilter, RunFilter
from statecore.stores.abilities import NamesQuestions
from statecore.stores.frames.questions import question_id
from statecore.telemetry.serving import TEXT, answers
from statecore.workflow.options import phases_of

from . import api_decide
from .api_listing import OPEN, PAST, READ, WantedQuestions, counted, open_page, page_of
from .documents import instant, item, state_of
from .documents import question as question_document
from .documents_run import run as run_document
from .documents_run import run_item, value_of
from .seeing import is_mine, may_see, may_see_run, sight_of
from .stored import StoredRun
from .tokens import scopes_of
from .values import is_secret, whole

if TYPE_CHECKING:
    from statecore.stores import Record, Waiting

    from .api_call import Api, ApiCall
    from .seeing import Person

PAGE, MOST = 50, 200
ID = re.compile(r"q_[a-z2-7]{26}")
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z")
ALL_PAUSES = 10_000
STATES = (*OPEN, *PAST)


# -- parameters --------------------------------------------------------------------------------------------------------------------


def one_of(call: ApiCall, name: str, known: tuple[str, ...], otherwise: str | None) -> str | None:
    """A parameter that is one of some words. Raises `BadRequest`."""
    found = call.query.get(name, otherwise)
    if found is not None and found not in known:
        raise BadRequest(400, f"{name} is one of {', '.join(known)}")
    return found


def limit_of(call: ApiCall) -> int:
    """How many rows a page may have. Raises `BadRequest`."""
    text = call.query.get("limit", str(PAGE))
    if not (text.isascii() and text.isdecimal() and len(text) < 4 and 1 <= int(text) <= MOST):  # noqa: PLR2004  # three digits
        raise BadRequest(400, f"limit is a number from 1 to {MOST}")
    return int(text)


def micros_of(call: ApiCall, name: str) -> int | None:
    """An instant, in microseconds. Raises `BadRequest`."""
    text = call.query.get(name)
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text if INSTANT.fullmatch(text) else "")
    except ValueError:
        raise BadRequest(400, f"{name} is an instant such as 2026-11-30T10:02:11.123456Z") from None
    return int(found.timestamp()) * 1_000_000 + found.microsecond


def filters_of(call: ApiCall) -> dict[str, str]:
    """The parameters that a cursor is bound to: all but where the page begins and how long it is."""
    return {name: value for name, value in call.query.items() if name not in ("cursor", "limit")}


def next_of(call: ApiCall, path: str, place: Any) -> str | None:
    """The address of the next page, relative to the API's own; None at the end."""
    if place is None:
        return None
    of = filters_of(call)
    size = {"limit": call.query["limit"]} if "limit" in call.query else {}
    return f"{path}?{urlencode({**of, **size, 'cursor': call.api.cursors.write(of, place)})}"


def start_of(call: ApiCall) -> Any:
    """The place at which a page begins; None at the beginning. Raises `BadRequest`."""
    text = call.query.get("cursor")
    return None if text is None else call.api.cursors.read(text, filters_of(call))


# -- questions ---------------------------------------------------------------------------------------------------------------------


def questions(call: ApiCall) -> Response:
    """A page of questions."""
    desk, db, limit, start = call.desk, call.api.inbox.db, limit_of(call), start_of(call)
    state = one_of(call, "state", STATES, "open") or "open"
    one_of(call, "kind", tuple(sorted(ASK_KINDS)), None)
    asked = PauseFilter(
        run_id=call.query.get("run"),
        workflow_id=call.query.get("workflow"),
        step_name=call.query.get("step"),
        kind=call.query.get("kind"),
        due_before=micros_of(call, "due_before"),
    )
    mine = one_of(call, "mine", ("0", "1"), "0") == "1"
    order = one_of(call, "order", ("due", "asked"), "due") or "due"
    want = WantedQuestions(state, order, asked, mine, call.query.get("requester"), micros_of(call, "asked_before"))

    def may(row: Waiting) -> bool:
        sight = sight_of(row, desk.now)
        return may_see(call.person, sight, call.api.readers) and (not mine or is_mine(call.person, sight))

    if state in OPEN:
        rows, place = open_page(db, want, desk.now, start, limit, may)
        number = open_count(call, want, desk.now, may)
    else:
        rows, place = past_page(call, want, start, limit, may)
        every, rest = past_page(call, want, None, READ + 1, may)
        number = counted([(len(every), rest is not None)])
    document = QuestionsDocument(
        items=[item(row, desk, state) for row in rows], count=number, next=next_of(call, "questions", place)
    )
    return JSONResponse(plain(document))


def open_count(call: ApiCall, want: WantedQuestions, now: Micros, may: Any) -> Any:
    """How many questions a list has: by the store's own count where nothing is left out of it."""
    parts, inbox = want.parts(now), call.api.inbox
    try:
        if not want.narrows and not getattr(inbox.db, "keeps_votes", False):  # then each question is everybody's
            return counted([(found.number, found.more) for found in (inbox.count(part) for part in parts)])
        rows, place = open_page(inbox.db, want, now, None, READ + 1, may)
    except UnknownRun:
        return counted([])
    return counted([(len(rows), place is not None)])


def past_page(call: ApiCall, want: WantedQuestions, start: Any, limit: int, may: Any) -> tuple[list[Waiting], Any]:
    """A page of questions that are no longer open, the one asked last first. Raises `UnsupportedSetting` where the store lists none."""
    db, now = call.api.inbox.db, call.desk.now
    read = getattr(db, "past_questions", None)
    if read is None:
        raise UnsupportedSetting(type(db).__name__, f"state={want.state}", "stores of format 3 and InMemoryDb list past questions")

    def fits(row: Waiting) -> bool:
        return want.fits(row) and may(row) and current(row, call, now) == want.state

    return page_of(lambda _, key, most: read(key, most), 1, start, limit, fits)


def current(row: Waiting, call: ApiCall, now: Micros) -> str:
    """The state of a question, with a look at whether it was put again."""
    newer = put_since(call.api.inbox.db, row.pause.run_id, row.pause.pause_id)
    return state_of(row, now, newer=newer is not None)


def row_of(call: ApiCall, name: str) -> Waiting:
    """The row of a question that the person may see. Raises `BadRequest` 404, also where it may not be seen."""
    db = call.api.inbox.db
    found = None
    if ID.fullmatch(name):
        found = db.question(name) if isinstance(db, NamesQuestions) else looked_for(call, name)
    if found is None or not may_see(call.person, sight_of(found), call.api.readers):
        raise BadRequest(404, "there is no such question, or it is not yours to see")
    return found


def looked_for(call: ApiCall, name: str) -> Waiting | None:
    """A question of a store without an index of short names: one of those that are open."""
    rows = call.api.inbox.db.pauses(PauseFilter(undecided_only=False, limit=ALL_PAUSES))
    return next((row for row in rows if question_id(row.pause.run_id, row.pause.pause_id) == name), None)


def question(call: ApiCall) -> Response:
    """One question."""
    found = question_document(row_of(call, call.path["question_id"]), call.desk)
    return tagged(text_of(plain(found)), "application/json", call.known)


def decision(call: ApiCall) -> Response:
    """Store a decision."""
    want = api_decide.asked(call.body, call.key)
    row = row_of(call, call.path["question_id"])
    found = api_decide.decide(row, want, call.desk)
    if isinstance(found, Response):
        return found
    status, document = found
    headers = {"Location": f"../{call.path['question_id']}"} if status == 201 else {}  # noqa: PLR2004  # Created
    return JSONResponse(document, status, headers)


# -- runs --------------------------------------------------------------------------------------------------------------------------


def runs(call: ApiCall) -> Response:
    """A page of runs, the one begun last first."""
    limit, start, db = limit_of(call), start_of(call), call.api.inbox.db
    status = one_of(call, "status", ("pending", "running", "paused", "completed", "cancelled", "error"), None)
    phases = None if status is None else phases_of(status)
    asked = {
        "workflow_id": call.query.get("workflow"),
        "session_id": call.query.get("session"),
        "user_id": call.query.get("requester"),
    }

    def read(_: int, key: Any, most: int) -> list[Record]:
        return db.runs(RunFilter(phases=phases, limit=most, after=key, **asked))  # type: ignore[arg-type]

    try:
        rows, place = page_of(read, 1, start, limit, lambda record: sees(call, record))
    except UnknownRun:
        raise BadRequest(400, "the run at which the cursor goes on was purged; begin without one") from None
    if getattr(db, "keeps_votes", False):  # then some runs may be hidden, and are in no count
        every, rest = page_of(read, 1, None, READ + 1, lambda record: sees(call, record))
        number = counted([(len(every), rest is not None)])
    else:
        found = call.api.inbox.count(RunFilter(phases=phases, **asked))  # type: ignore[arg-type]
        number = counted([(found.number, found.more)])
    return JSONResponse(
        plain(RunsDocument(items=[run_item(each) for each in rows], count=number, next=next_of(call, "runs", place)))
    )


def sees(call: ApiCall, record: Record) -> bool:
    """Whether the person may see a run."""
    return may_see_run(call.person, record, call.api.inbox.db, call.api.readers)


def record_of(call: ApiCall) -> Record:
    """A run that the person may see. Raises `UnknownRun`, also where it may not be seen."""
    return seen_record(call, call.path["run_id"])


def seen_record(call: ApiCall, run_id: str) -> Record:
    """A run by its id, as `record_of`."""
    record = call.api.inbox.db.load(run_id)
    if not sees(call, record):
        raise UnknownRun(run_id)
    return record


def run(call: ApiCall) -> Response:
    """One run."""
    record = record_of(call)
    return tagged(text_of(plain(run_document(record.identity.run_id, call.desk))), "application/json", call.known)


def journal(call: ApiCall) -> Response:
    """A page of a run's journal: each move, with its time, and no value."""
    record, limit = record_of(call), limit_of(call)
    start = start_of(call) or (0, 0)
    after = int(start[1])
    rows = call.api.inbox.db.journal(record.identity.run_id, after, after + limit)
    items = [
        MoveDocument(
            number=row.seq,
            address=row.at,
            turn=list(row.turn),
            attempt=row.attempt + 1,
            source=row.source,
            trigger=row.trigger,
            dest=row.dest,
            at=instant(row.time),
        )
        for row in rows
    ]
    place = (0, after + len(rows)) if after + len(rows) < record.seq else None
    path = f"runs/{quote(record.identity.run_id, safe='')}/journal"
    number = CountDocument(exact=record.seq, at_least=None)
    return JSONResponse(plain(JournalDocument(items=items, count=number, next=next_of(call, path, place))))


def picture(call: ApiCall) -> Response:
    """The run on its workflow, drawn."""
    record_of(call)
    drawn = format(call.api.inbox.show(call.path["run_id"]), "svg")
    return tagged(
        drawn.encode(),
        "image/svg+xml",
        call.known,
        **{"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox"},
    )


def cancellation(call: ApiCall) -> Response:
    """Cancel a run: at once where no process executes it, else at its next boundary; `cancelled` is false where it had ended already."""
    if call.body != {}:
        raise BadRequest(422, "a cancellation has no body", (("", "an empty object is wanted"),))
    record = record_of(call)
    done = call.api.inbox.cancel(record.identity.run_id, by=call.person.name)
    return JSONResponse(plain(CancelledDocument(cancelled=done, run=run_document(record.identity.run_id, call.desk))))


def value(call: ApiCall) -> Response:
    """A value, whole, as an attachment. Raises `BadRequest` 404 for one that there is not, that is secret, or that was erased."""
    name, text = call.path["name"], None
    if ("question" in call.query) == ("run" in call.query):
        raise BadRequest(400, "a value is that of a question or of a run: name one of them")
    if "question" in call.query:
        row = row_of(call, call.query["question"])
        stored = StoredRun(call.api.inbox, call.api.inbox.db.load(row.pause.run_id))
        text = stored.texts(row.pause).get(name)
    else:
        text = value_of(name, StoredRun(call.api.inbox, seen_record(call, call.query["run"])))
    if text is None or is_secret(text) or text == '{"$erased":""}':
        raise BadRequest(404, "there is no such value, or it is not yours to see")
    found = whole(text)
    headers = {"Content-Disposition": "attachment", "X-Content-Type-Options": "nosniff", "Cache-Control": "private, no-store"}
    return Response(found.body, media_type=found.media_type, headers=headers)


# -- probes ------------------------------------------------------------------------------------------------------------------------


def healthy(_api: Api, _person: Person | None) -> Response:
    """The process answers."""
    return PlainTextResponse("ok\n")


def ready(api: Api, _person: Person | None) -> Response:
    """Whether the store answers."""
    fine = answers(api.inbox.db)
    return PlainTextResponse("ready\n" if fine else "not ready\n", 200 if fine else 503)


def metrics(api: Api, person: Person | None) -> Response:
    """The open questions of the store as Prometheus text; they stop being counted at 1,000."""
    if person is None or "metrics" not in scopes_of(person):
        return PlainTextResponse("metrics need a token with the scope metrics\n", 401 if person is None else 403)
    try:
        number = api.inbox.count(PauseFilter()).number
    except StatecoreError:
        return PlainTextResponse("statecore_store_up 0\n", media_type=TEXT)
    name = "statecore_inbox_open_questions"
    lines = (f"# HELP {name} Questions that wait for an answer, counted up to 1,000.", f"# TYPE {name} gauge", f"{name} {number}")
    return PlainTextResponse("".join(f"{each}\n" for each in lines), media_type=TEXT)


# -- bytes -------------------------------------------------------------------------------------------------------------------------


def text_of(document: Any) -> bytes:
    """A document as JSON in UTF-8; NaN is a failure, not JSON."""
    return dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def tagged(body: bytes, media_type: str, known: str | None, **headers: str) -> Response:
    """An answer with a strong ETag of its bytes; 304 where the client has these bytes already."""
    tag = f'"{sha256(body).hexdigest()[:32]}"'
    every = {"ETag": tag, "Cache-Control": "private, no-cache", **headers}
    if known is not None and tag in (each.strip() for each in known.split(",")):
        return Response(status_code=304, headers=every)
    return Response(body, media_type=media_type, headers=every)
