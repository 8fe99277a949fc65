"""The API under `/api/v1`: strict requests, documents as answers. It starts no run, executes nothing and calls no code of a user.

Every request is a person's (`person`, which the guard before has found), sees what `seeing.may_see` lets it see, and is refused where it has an
unknown parameter, `If-Match`, or a body that is larger or other than it may be. No GET changes anything (INBOX-1).
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from json import JSONDecodeError, loads
from typing import TYPE_CHECKING, Any

from attrs import frozen
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route, Router

from statecore.errors import BadRequest, NotAllowed, StatecoreError
from statecore.workflow.inbox import Inbox

from . import api_answers
from .api_call import Api, ApiCall
from .api_events import stream
from .api_problems import Problem, problem
from .seeing import NO_READERS, Person, Readers
from .tokens import scopes_of

if TYPE_CHECKING:
    from statecore.stores import RunReader

BODY = 1 << 20
"""The most bytes of a body."""
PERSON = "statecore.person"
"""The name under which the guard puts the person into the scope of a request."""
Handler = Callable[[ApiCall], Response]


@frozen
class Endpoint:
    """An address of the API: its path, its method, the scope that it needs, the parameters that it takes, and its handler."""

    path: str
    method: str
    scope: str
    takes: frozenset[str]
    handle: Handler


def point(path: str, handle: Handler, takes: str = "", *, method: str = "GET", scope: str = "read") -> Endpoint:
    """An address of the API, with its parameters between blanks."""
    return Endpoint(path, method, scope, frozenset(takes.split()), handle)


POINTS = (
    point(
        "/questions",
        api_answers.questions,
        "state mine workflow step kind run requester due_before asked_before order limit cursor",
    ),
    point("/questions/{question_id}", api_answers.question, "typed"),
    point("/questions/{question_id}/decision", api_answers.decision, method="POST", scope="decide"),
    point("/runs", api_answers.runs, "workflow status requester session limit cursor"),
    point("/runs/{run_id}", api_answers.run, "typed"),
    point("/runs/{run_id}/journal", api_answers.journal, "limit cursor"),
    point("/runs/{run_id}/picture.svg", api_answers.picture),
    point("/runs/{run_id}/cancellation", api_answers.cancellation, method="POST", scope="decide"),
    point("/values/{name}", api_answers.value, "question run"),
)
"""Every address that answers once; `/events` is a stream."""


def routes(db: RunReader, readers: Readers = NO_READERS) -> list[BaseRoute]:
    """The routes of a store's API, and the probes beside it, for an application whose guard authenticates."""
    api = Api(Inbox(db), readers)
    inside: list[BaseRoute] = [Route(each.path, served(api, each), methods=[each.method]) for each in POINTS]
    inside.append(Route("/events", stream(api, person_of)))
    inside.append(Route("/{path:path}", unknown, methods=["GET", "POST", "PUT", "PATCH", "DELETE"]))
    probes = [("/healthz", api_answers.healthy), ("/readyz", api_answers.ready), ("/metrics", api_answers.metrics)]
    return [
        *[Route(path, probed(api, answer)) for path, answer in probes],
        Mount("/api/v1", app=Router(inside, redirect_slashes=False)),
    ]


def person_of(request: Request, scope: str) -> Person:
    """The person of a request, who has a scope. Raises `BadRequest` 401 and `NotAllowed`."""
    person: Person | None = request.scope.get(PERSON)
    if person is None:
        raise BadRequest(401, "the request says not who sends it; send Authorization: Bearer with a token")
    if scope not in scopes_of(person):
        why = f"the token has not the scope {scope!r}"
        raise NotAllowed(why)
    return person


def served(api: Api, here: Endpoint) -> Callable[[Request], Any]:
    """The endpoint of an address: the request is checked, and the handler works beside the event loop."""

    async def endpoint(request: Request) -> Response:
        try:
            call = await called(api, here, request)
            answer = await run_in_threadpool(here.handle, call)
        except StatecoreError as error:
            return logged(error)
        return answer

    return endpoint


def logged(error: StatecoreError) -> Problem:
    """The problem of an error; one that is the server's own is logged."""
    found = problem(error)
    if found.status_code >= 500:  # noqa: PLR2004  # the server's own failures
        logging.getLogger("statecore").error("the API of the inbox failed: %s", error)
    return found


async def called(api: Api, here: Endpoint, request: Request) -> ApiCall:
    """A request, checked. Raises `BadRequest`, `NotAllowed`."""
    person = person_of(request, here.scope)
    if "if-match" in request.headers or "if-unmodified-since" in request.headers:
        raise BadRequest(400, "If-Match is not the precondition of a decision; send `seen` in the body")
    query = request.query_params
    unknown_ones = sorted(set(query) - here.takes)
    if unknown_ones or len(query.multi_items()) > len(query):
        told = f"known parameters: {', '.join(sorted(here.takes)) or 'none'}, each once"
        raise BadRequest(400, f"a parameter is unknown or comes twice; {told}")
    body = await body_of(request) if here.method == "POST" else None
    return ApiCall(
        api,
        person,
        dict(request.path_params),
        dict(query),
        body,
        request.headers.get("idempotency-key"),
        request.headers.get("if-none-match"),
    )


async def body_of(request: Request) -> Any:
    """The JSON of a body, I-JSON alone. Raises `BadRequest`."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    whole = b""
    async for part in request.stream():
        whole += part
        if len(whole) > BODY:
            raise BadRequest(413, f"the body is larger than {BODY:,} bytes")
    if not whole:
        return {}
    if kind != "application/json":
        raise BadRequest(415, "the body is application/json")
    try:
        return loads(whole.decode(), object_pairs_hook=once, parse_constant=no_number)
    except (JSONDecodeError, UnicodeDecodeError, RecursionError):
        raise BadRequest(400, "the body is no JSON in UTF-8") from None


def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose names are different. Raises `BadRequest`."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise BadRequest(400, "an object of the body has a name twice")
    return found


def no_number(_word: str) -> Any:
    """NaN and Infinity are no JSON."""
    raise BadRequest(400, "the body has a number that is no JSON")


def probed(api: Api, answer: Callable[[Api, Person | None], Response]) -> Callable[[Request], Any]:
    """The endpoint of a probe."""

    async def endpoint(request: Request) -> Response:
        return await run_in_threadpool(answer, api, request.scope.get(PERSON))

    return endpoint


async def unknown(_request: Request) -> Response:
    """The answer for an address that there is not."""
    return problem(BadRequest(404, "there is no such address"))
