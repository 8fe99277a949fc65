"""The application: pages and API over one store, for any ASGI server, alone or mounted in another application.

It imports and calls no code of a user: questions, programs and values come from the store.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

import python_multipart  # noqa: F401  # starlette reads forms with it, and would miss it at the first form alone
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from statecore.core import Seconds
from statecore.errors import UnsafeInbox

from .auth import HOURS, Auth, Declared, SignedIn, cookie_name
from .bridge import documents_of
from .guard import PERSON, Guard
from .pages import Pages
from .render import STATIC, Renderer, root_of, say_of

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from statecore.stores import RunReader

OPEN = ("/static/", "/enter", "/healthz", "/readyz")
"""The beginnings of the paths that are for everybody: no question is behind them."""


def app(
    db: RunReader,
    *,
    auth: Auth | Sequence[Auth],
    title: str = "statecore",
    readers: Iterable[str] | str = (),
    clock: Callable[[], Seconds] = time.time,
) -> ASGIApp:
    """Return the inbox of a store, as an ASGI application.

    `auth` says who asks: one way, or several of which the first counts that knows the person. `title` stands on each page. `readers` are the
    seats that see every question (`"role:auditor"`), or `"everyone"`. Raises `UnsafeInbox` where no person would be authenticated.

    Example: `Mount("/review", app(db, auth=TrustedHeader("X-Forwarded-User"), title="Payments"))`
    """
    ways = tuple(auth) if isinstance(auth, Sequence) else (auth,)
    if not ways or not all(isinstance(way, Auth) for way in ways):
        why = "auth does not say who signs in"
        raise UnsafeInbox(why, "Give auth=TrustedHeader(...), or an object with `ambient` and `person(request)`.")
    sessions = SignedIn(clock)
    for way in ways:
        if isinstance(way, Declared):
            way.sessions = sessions
    renderer = Renderer(title, ways)
    documents, api = documents_of(db, readers)
    routes: list[BaseRoute] = [
        *Pages(documents, renderer).routes(),
        *Entrance(renderer, ways, sessions).routes(),
        Mount("/static", StaticFiles(directory=STATIC)),
        *api,
    ]
    inner = Starlette(
        routes=routes, exception_handlers={HTTPException: Failing(renderer).said, Exception: Failing(renderer).broken}
    )
    return Guard(inner, ways, lambda path: path.startswith(OPEN), renderer.refused)


class Failing:
    """The answers of what went wrong."""

    def __init__(self, renderer: Renderer) -> None:
        self.renderer = renderer

    async def said(self, request: Request, error: Exception) -> Response:
        """A refusal that says its status."""
        status = error.status_code if isinstance(error, HTTPException) else 500
        heads = {
            404: "There is no such page",
            405: "That is not possible here",
            410: "It is not here any more",
            413: "That is too large",
        }
        texts = {404: "It is not there, or it is not yours to see."}
        text = texts.get(status) or str(getattr(error, "detail", ""))
        return self.renderer.refused(request, status, heads.get(status, "That did not work"), text)

    async def broken(self, request: Request, _error: Exception) -> Response:
        """A failure of the inbox itself, or of its store: nothing of it is shown."""
        head = "The inbox could not read or write its store"
        return self.renderer.refused(
            request, 500, head, "Nothing is known to be stored. Look again; the log of the server says more."
        )


class Entrance:
    """Signing in with the link that the command printed, and signing out. A GET shows a button; the POST of the button uses the token up."""

    renderer: Renderer
    sessions: SignedIn
    declared: Declared | None

    def __init__(self, renderer: Renderer, ways: Sequence[Auth], sessions: SignedIn) -> None:
        self.renderer, self.sessions = renderer, sessions
        self.declared = next((way for way in ways if isinstance(way, Declared)), None)

    def routes(self) -> list[Route]:
        """The addresses, where there is a link to enter by."""
        if self.declared is None:
            return []
        return [
            Route("/enter", self.ask),
            Route("/enter", self.enter, methods=["POST"]),
            Route("/leave", self.leave, methods=["POST"]),
        ]

    async def ask(self, request: Request) -> Response:
        """The page with the button."""
        name = self.declared.name if self.declared is not None else ""
        return self.renderer.page(request, "enter.html", token=request.query_params.get("token", ""), as_name=name)

    async def enter(self, request: Request) -> Response:
        """Exchange the token for a session, once."""
        form = await request.form(max_files=0, max_fields=4)
        token = form.get("token")
        found = await run_in_threadpool(self.declared.exchange, token) if self.declared and isinstance(token, str) else None
        if found is None:
            say = say_of(request)
            head, text = say("This link was used already"), say("Start the command again; it prints another one.")
            return self.renderer.page(request, "message.html", 403, head=head, text=text, sign="error")
        answer = RedirectResponse(f"{root_of(request)}/", 303)
        secure = request.url.scheme == "https"
        answer.set_cookie(
            cookie_name(request),
            self.sessions.begin(found),
            max_age=HOURS * 3_600,
            path="/",
            secure=secure,
            httponly=True,
            samesite="lax",
        )
        return answer

    async def leave(self, request: Request) -> Response:
        """End the session."""
        self.sessions.end(request.cookies.get(cookie_name(request)))
        request.scope[PERSON] = None
        say = say_of(request)
        answer = self.renderer.page(request, "message.html", head=say("You are signed out"), text="", sign="done")
        answer.delete_cookie(cookie_name(request), path="/", secure=request.url.scheme == "https", httponly=True, samesite="lax")
        return answer
