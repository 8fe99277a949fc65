"""The documents for the pages: the answers that the API gives to the same person, read as plain data.

A page asks the handlers of the API, without HTTP between them, so that there is one rule of who may see, one judge of values, and one
sentence for an outcome.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from attrs import frozen
from starlette.exceptions import HTTPException
from starlette.responses import Response

from statecore.errors import MissingExtra, StatecoreError
from statecore.workflow.inbox import Inbox

from . import api, api_answers
from .api_call import Api, ApiCall
from .api_problems import problem
from .seeing import NO_READERS, Person, Readers

if TYPE_CHECKING:
    from starlette.routing import BaseRoute

    from statecore.stores import RunReader

REFUSED = 400


@frozen
class Bridge:
    """The documents of one store."""

    api: Api

    def asked(  # noqa: PLR0913  # the parts of a request
        self,
        handler: Callable[[ApiCall], Response],
        person: Person,
        path: Mapping[str, str],
        query: Mapping[str, str] | None = None,
        body: Any = None,
        key: str | None = None,
    ) -> tuple[int, dict[str, Any]]:
        """The status and the document that a handler answers; a refusal is its problem document."""
        call = ApiCall(self.api, person, dict(path), dict(query or {}), body, key, None)
        try:
            answer = handler(call)
        except StatecoreError as error:
            answer = problem(error)
        found: dict[str, Any] = json.loads(bytes(answer.body))
        return answer.status_code, found

    def read(
        self,
        handler: Callable[[ApiCall], Response],
        person: Person,
        path: Mapping[str, str],
        query: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """The document that a handler answers. Raises `HTTPException` for a refusal, with its status."""
        status, found = self.asked(handler, person, path, query)
        if status >= REFUSED:
            raise HTTPException(status, found.get("detail"))
        return found

    def questions(self, person: Person, asked: Mapping[str, str]) -> dict[str, Any]:
        """A page of questions."""
        return self.read(api_answers.questions, person, {}, asked)

    def question(self, person: Person, question_id: str) -> dict[str, Any]:
        """One question."""
        return self.read(api_answers.question, person, {"question_id": question_id})

    def decide(self, person: Person, question_id: str, body: Mapping[str, Any], key: str) -> tuple[int, dict[str, Any]]:
        """Store a decision."""
        return self.asked(api_answers.decision, person, {"question_id": question_id}, body=dict(body), key=key)

    def run(self, person: Person, run_id: str) -> dict[str, Any]:
        """One run."""
        return self.read(api_answers.run, person, {"run_id": run_id})

    def picture(self, person: Person, run_id: str, form: str) -> str:
        """The run on its workflow, drawn; "" where that needs a package that is not installed."""
        self.run(person, run_id)
        try:
            return format(self.api.inbox.show(run_id), form)
        except MissingExtra:
            return ""


def documents_of(db: RunReader, readers: Iterable[str] | str) -> tuple[Bridge, list[BaseRoute]]:
    """The documents of a store, and the routes of its API."""
    seats = Readers(everyone=True) if readers == "everyone" else Readers(frozenset(readers)) if readers else NO_READERS
    return Bridge(Api(Inbox(db), seats)), api.routes(db, seats)
