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
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from statecore.asking.text import short
from statecore.errors import StaleDecision

from . import list_view as lists
from . import question_view as questions
from .guard import person_of
from .refusing import refusal, told, whys_of
from .render import Renderer, root_of, say_of
from .run_view import run_history, run_steps, run_view
from .seeing import Person
from .sending import Said, body_of, cursor_of, first, sent
from .words import KINDS, Say


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
        """The last decision."""
        items = self.documents.questions(person, {"state": "decided", "limit": "1"})["items"]
        return lists.last_words(self.documents.question(person, items[0]["question_id"]), now, say) if items else None

    def question(self, request: Request) -> Response:
        """A question, or its end."""
        doc = self.documents.question(person_of(request), request.path_params["question_id"])
        return self.shown(request, doc)

    def run(self, request: Request) -> Response:
        """A run: where it is, its values, its decisions."""
        say = say_of(request)
        doc = self.documents.run(person_of(request), request.path_params["run_id"])
        return self.renderer.page(
            request, "run.html", run=run_view(doc, say), steps=run_steps(doc, say), history=run_history(doc, say)
        )

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
        return self.shown(request, answer.get("question") or self.documents.question(person, question_id), status, answer, said)

    def shown(
        self,
        request: Request,
        doc: dict[str, Any],
        status: int = 200,
        problem: Mapping[str, Any] | None = None,
        said: Said | None = None,
    ) -> Response:
        """The page of a question, as it is asked now; with a problem, why nothing was stored."""
        say, now, person = say_of(request), datetime.now(UTC), person_of(request)
        answers = questions.answers_of(doc, say)
        is_open = any(not answer["closed"] for answer in answers)
        answers = answers if is_open or doc["state"] == "open" else []
        kept = (
            said if problem is None or problem.get("code") != StaleDecision.code else {"comment": (said or {}).get("comment", [])}
        )
        fields = questions.fields_of(doc, kept, say) if is_open else []
        extras = questions.extras_of(doc, kept, say) if is_open else []
        named = [*fields, *(extra["field"] for extra in extras)]
        whys = whys_of(problem, named)
        comment = questions.comment_of(doc, first(said, "comment") if said else "", whys.get("/comment"), say) if is_open else None
        told(named, whys, first(said, "word") if said else "")
        run = None if answers else self.run_of(person, doc)
        return self.renderer.page(
            request,
            "question.html",
            status,
            q=questions.question_of(doc, now, say),
            said=None
            if problem is None
            else refusal(doc, {**problem, "status": status}, said or {}, [*named, *([comment] if comment else [])], say),
            answers=answers,
            ways=answers,
            fields=fields,
            extras=extras,
            comment=comment,
            key=secrets.token_urlsafe(16),
            otherwise=questions.otherwise_of(doc, say),
            after=None if answers else questions.after_of(doc, run, now, say),
            steps=questions.steps_of(doc.get("position") or (), say, decided=bool(doc.get("decision"))),
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
