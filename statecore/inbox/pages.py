"""The pages: list, question, run, picture. They show the documents that the API gives, and hand a form's decision to the same function.

No GET changes anything (INBOX-1). A decision is a POST of the question's own form; its answer is a redirect to the question, or the page again
with the reason and all that was typed.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Protocol

from attrs import frozen
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from statecore.asking.text import loosely, short
from statecore.lifecycles import BY_WORD

from . import list_view as lists
from . import question_view as questions
from .fields import Control, file_text, value_of
from .guard import person_of
from .render import Renderer, root_of, say_of
from .seeing import Person
from .values_shown import shown
from .words import DONE, KINDS, STATUS, Say, instant

Said = dict[str, list[str]]
"""What a browser sent: each name with its texts."""
STALE, LATE, WRONG = 409, 409, 422
MOST_FIELDS, MOST_FILE = 2_000, 8 << 20


class Documents(Protocol):
    """The documents of the API, as one person may see them. Raises `HTTPException` 404 for what is not there, or not to be seen."""

    def questions(self, person: Person, asked: Mapping[str, str]) -> dict[str, Any]:
        """A page of questions."""

    def question(self, person: Person, question_id: str) -> dict[str, Any]:
        """One question."""

    def decide(self, person: Person, question_id: str, body: Mapping[str, Any], key: str) -> tuple[int, dict[str, Any]]:
        """Store a decision: the status of its answer, and the answer or the problem."""

    def run(self, person: Person, run_id: str) -> dict[str, Any]:
        """One run."""

    def picture(self, person: Person, run_id: str, form: str) -> str:
        """The run on its workflow, drawn in one of the forms of a run's `format`."""


@frozen
class Pages:
    """The pages of one inbox."""

    documents: Documents
    renderer: Renderer

    def routes(self) -> list[Route]:
        """The addresses of the pages."""
        return [
            Route("/", self.listed),
            Route("/q/{question_id}", self.question),
            Route("/q/{question_id}", self.decided, methods=["POST"]),
            Route("/run/{run_id}", self.run),
            Route("/run/{run_id}/picture", self.picture),
            Route("/run/{run_id}/picture.svg", self.drawing),
        ]

    # -- reading -----------------------------------------------------------------------------------------------------------------

    def listed(self, request: Request) -> Response:
        """The list of questions."""
        person, say, now, given = person_of(request), say_of(request), datetime.now(UTC), dict(request.query_params)
        show = given.get("show", "open")
        if show not in lists.TABS:
            raise HTTPException(404, "There is no such list.")
        asked = lists.asked_of(show, given)
        found = self.documents.questions(person, asked)
        counts = {name: self.counted(person, lists.asked_of(name, given) | {"limit": "1"}) for name in ("open", "mine", "late")}
        rows = [lists.row_of(item, now, say) for item in found["items"]]
        return self.renderer.page(
            request,
            "list.html",
            show=show,
            tabs=lists.tabs(show, given, counts, say),
            counts=counts,
            filter={name: given.get(name, "") for name in lists.FILTERS},
            filtered=any(given.get(name) for name in lists.FILTERS),
            kinds={kind: say(look.label) for kind, look in KINDS.items()},
            groups=lists.groups(rows, say),
            empty=say("Nothing waits for a decision") if show == "open" else say("Nothing here"),
            last=None if rows else self.last_words(person, now, say),
            total=say("{n} shown of {of}").format(n=len(rows), of=lists.counted(found.get("count"))),
            next=lists.address(show, given, cursor=cursor) if (cursor := cursor_of(found.get("next"))) else None,
        )

    def counted(self, person: Person, asked: Mapping[str, str]) -> str:
        """How many questions there are of a tab."""
        return lists.counted(self.documents.questions(person, {k: v for k, v in asked.items() if k != "cursor"}).get("count"))

    def last_words(self, person: Person, now: datetime, say: Say) -> str | None:
        """What was decided last."""
        items = self.documents.questions(person, {"state": "decided", "limit": "1"})["items"]
        return lists.last_words(self.documents.question(person, items[0]["question_id"]), now, say) if items else None

    def question(self, request: Request) -> Response:
        """A question, or what became of it."""
        doc = self.documents.question(person_of(request), request.path_params["question_id"])
        return self.shown(request, doc)

    def run(self, request: Request) -> Response:
        """A run: where it is, its values, its decisions."""
        say = say_of(request)
        doc = self.documents.run(person_of(request), request.path_params["run_id"])
        return self.renderer.page(request, "run.html", run=run_view(doc, say), steps=run_steps(doc, say), history=run_history(doc, say))

    def picture(self, request: Request) -> Response:
        """The picture of a run, and the same as a list."""
        run_id, person = request.path_params["run_id"], person_of(request)
        tree = self.documents.picture(person, run_id, "tree")
        drawn = bool(self.documents.picture(person, run_id, "svg"))
        return self.renderer.page(request, "picture.html", run_id=run_id, short=short(run_id), tree=tree, drawn=drawn)

    def drawing(self, request: Request) -> Response:
        """The picture alone."""
        text = self.documents.picture(person_of(request), request.path_params["run_id"], "svg")
        if not text:
            raise HTTPException(404, "There is no picture without the extra `diagrams`.")
        policy = "default-src 'none'; style-src 'unsafe-inline'; sandbox"  # the drawing's own styles, in a page without scripts
        return Response(text, media_type="image/svg+xml", headers={"Content-Security-Policy": policy})

    # -- deciding ----------------------------------------------------------------------------------------------------------------

    async def decided(self, request: Request) -> Response:
        """Store what a form says, and lead back to the question; where it is refused, the page again with what was typed."""
        said = await sent(request)
        return await run_in_threadpool(self.store, request, said)

    def store(self, request: Request, said: Said) -> Response:
        """Store what a form says."""
        person, question_id = person_of(request), request.path_params["question_id"]
        doc = self.documents.question(person, question_id)
        body = body_of(doc, said)
        status, answer = self.documents.decide(person, question_id, body, first(said, "key") or secrets.token_urlsafe(16))
        if status < 300:  # noqa: PLR2004  # stored
            return RedirectResponse(f"{root_of(request)}/q/{question_id}", 303)
        now_doc = self.documents.question(person, question_id)
        return self.shown(request, now_doc, status, answer, said)

    def shown(
        self, request: Request, doc: dict[str, Any], status: int = 200, problem: Mapping[str, Any] | None = None, said: Said | None = None
    ) -> Response:
        """The page of a question, as it is asked now; with a problem, why nothing was stored."""
        say, now, person = say_of(request), datetime.now(UTC), person_of(request)
        answers = questions.answers_of(doc, say)
        is_open = any(not answer["closed"] for answer in answers)
        answers = answers if is_open else []
        whys = whys_of(problem)
        kept = said if problem is None or problem.get("code") != "StaleDecision" else {"comment": (said or {}).get("comment", [])}
        fields = questions.fields_of(doc, kept, say) if is_open else []
        extras = questions.extras_of(doc, kept, say) if is_open else []
        comment = questions.comment_of(doc, first(said, "comment") if said else "", whys.get("/comment"), say)
        told([*fields, *(extra["field"] for extra in extras)], whys, first(said, "word") if said else "")
        run = None if is_open else self.run_of(person, doc)
        return self.renderer.page(
            request,
            "question.html",
            status,
            q=questions.question_of(doc, now, say),
            said=None if problem is None else refusal(doc, status, problem, said or {}, [*fields, *(e["field"] for e in extras), comment], say),
            answers=answers,
            ways=answers,
            fields=fields,
            extras=extras,
            comment=comment,
            key=secrets.token_urlsafe(16),
            otherwise=questions.otherwise_of(doc, say),
            after=None if is_open else questions.after_of(doc, run, now, say),
            steps=questions.steps_of(doc.get("position") or (), say),
            history=questions.history_of(doc, say),
            next_id=self.next_of(person, doc),
        )

    def run_of(self, person: Person, doc: Mapping[str, Any]) -> dict[str, Any] | None:
        """The run of a question, where one may see it."""
        try:
            return self.documents.run(person, doc["run_id"])
        except HTTPException:
            return None

    def next_of(self, person: Person, doc: Mapping[str, Any]) -> str | None:
        """Another open question."""
        items = self.documents.questions(person, {"state": "open", "limit": "2", "order": "due"})["items"]
        return next((item["question_id"] for item in items if item["question_id"] != doc["question_id"]), None)


# -- what a browser sent ---------------------------------------------------------------------------------------------------------------


async def sent(request: Request) -> Said:
    """The texts of a form; a file as Base64. Line ends are those of the store."""
    found: Said = {}
    async with request.form(max_files=20, max_fields=MOST_FIELDS, max_part_size=MOST_FILE) as form:
        for name, value in form.multi_items():
            text = file_text(await value.read()) if isinstance(value, UploadFile) else value.replace("\r\n", "\n")
            found.setdefault(name, []).append(text)
    return found


def first(said: Said, name: str) -> str:
    """The first text under a name; "" where there is none."""
    return next(iter(said.get(name, [])), "")


def body_of(doc: Mapping[str, Any], said: Said) -> dict[str, Any]:
    """The body of the decision that a form is, as the API takes it."""
    word, comment = first(said, "word"), first(said, "comment").strip() or None
    carries = BY_WORD[word].carries if word in BY_WORD else "nothing"
    takes = next((answer.get("takes") or {} for answer in doc.get("answers") or () if answer["word"] == word), {})
    value: Any = None
    if carries == "value":
        text = first(said, word)
        begun = questions.editable(doc, word)
        value = text if isinstance(begun, str) else loosely(text)
    elif carries == "feedback":
        value = comment if takes.get("value") == "feedback" else None
    elif carries != "nothing":
        value = value_of(questions.schema_of(doc), said)
    return {"word": word, "seen": first(said, "seen") or None, "comment": comment, "value": value}


def cursor_of(address: str | None) -> str | None:
    """The cursor in the address of the next page."""
    from urllib.parse import parse_qs, urlsplit  # noqa: PLC0415  # a long list alone needs it

    return next(iter(parse_qs(urlsplit(address).query).get("cursor", [])), None) if address else None


# -- refusals --------------------------------------------------------------------------------------------------------------------------


def whys_of(problem: Mapping[str, Any] | None) -> dict[str, str]:
    """The reasons of a refusal by the pointer of what is refused."""
    return {each.get("pointer") or "": each["text"] for each in (problem or {}).get("fields") or ()}


def told(fields: list[Control], whys: Mapping[str, str], word: str) -> None:
    """Give each control the reason why its value was refused."""
    for field in fields:
        if field.id.startswith("x-") and field.name != word:
            continue
        mine = [why for pointer, why in whys.items() if pointer == field.pointer or pointer.startswith(f"{field.pointer}/")]
        field.why = mine[0] if mine and (field.pointer != "/value" or field.id in ("f0", f"x-{word}")) else None


def refusal(
    doc: Mapping[str, Any], status: int, problem: Mapping[str, Any], said: Said, fields: list[Control], say: Say
) -> dict[str, Any]:
    """Why nothing was stored, for the head of the page, with the comment to copy where it is not in a form any more."""
    bad = [field for field in fields if field.why]
    texts = [each["text"] for each in problem.get("fields") or () if not bad]
    is_open = any(answer.get("open_to_you", True) for answer in doc.get("answers") or ())
    decided = problem.get("decided") or (doc.get("decision") if status == LATE else None)
    view = {"cls": "no", "icon": "error", "head": say("Nothing was stored"), "texts": texts, "fields": bad, "comment": None}
    if status == WRONG:
        view["head"] = say("Something needs another value. Nothing was stored")
        view["texts"] = texts or ([] if bad else [problem.get("detail") or ""])
    elif status == STALE and is_open:
        head = say("The question changed while you looked at it. Your answer was not stored")
        view |= {"cls": "here", "icon": "retry", "head": head, "texts": [say("Below is what is asked now. Your comment is kept.")]}
    elif decided:
        by = decided.get("by")
        name = by.get("name") if isinstance(by, Mapping) else by
        head = say("{name} was faster: {word} at {at} UTC").format(
            name=name or say("Somebody"), word=say(DONE.get(decided["word"], decided["word"])), at=f"{instant(decided['at']):%H:%M:%S}"
        )
        view |= {"cls": "yes", "icon": "done", "head": head, "texts": [say("Your answer came later and was not stored.")]}
    elif doc["state"] == "expired":
        view |= {"cls": "due", "icon": "clock", "head": say("It was too late. Your answer was not stored")}
    else:
        view["texts"] = [problem.get("detail") or problem.get("title") or ""]
    if not is_open:
        view["comment"] = first(said, "comment") or None
    return view


# -- a run -----------------------------------------------------------------------------------------------------------------------------


def run_view(doc: Mapping[str, Any], say: Say) -> dict[str, Any]:
    """A run in words."""
    status = doc["status"]
    error = doc.get("error")
    return {
        **{name: doc.get(name) for name in ("run_id", "workflow", "requester", "started_at", "ended_at")},
        "short": short(doc["run_id"]),
        "status_label": say(STATUS.get(status, status)),
        "cls": {"completed": "yes", "error": "no", "failed": "no", "cancelled": "no", "paused": "mine"}.get(status, ""),
        "error": (error.get("text") if isinstance(error, Mapping) else error) or doc.get("reason"),
        "input": shown(doc["input"]) if doc.get("input") else None,
        "output": shown(doc["output"]) if doc.get("output") else None,
        "open": doc.get("open_questions") or [],
    }


def run_steps(doc: Mapping[str, Any], say: Say) -> list[dict[str, Any]]:
    """The steps of a run, as the list of a question has them."""
    known = {"completed": "done", "running": "here", "pending": "ahead"}
    position = [
        {
            **step,
            "state": "here" if "await" in step["state"] or "paused" in step["state"] else known.get(step["state"], step["state"]),
            "at": step.get("ended_at") or step.get("started_at"),
        }
        for step in doc.get("steps") or ()
    ]
    return questions.steps_of(position, say)


def run_history(doc: Mapping[str, Any], say: Say) -> list[dict[str, Any]]:
    """The decisions of a run."""
    return [questions.decided_line(each, say) for each in doc.get("decisions") or ()]
