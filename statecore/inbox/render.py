"""Templates to answers: one environment a language, autoescape on, and the names that every page needs: the person, the place of the mount."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import frozen
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from starlette.responses import HTMLResponse

from statecore.asking.problems import ERRORS
from statecore.errors import BadRequest, NotAllowed

from .api_problems import Problem
from .auth import Declared
from .guard import PERSON, path_of
from .languages import chosen, sayer
from .safely import as_line, as_lines, as_text
from .words import DRAWN, VIAS, Say, clock_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.requests import HTTPConnection
    from starlette.responses import Response

    from .auth import Auth

STATIC = Path(__file__).with_name("static")
API = "/api/"
UNKNOWN, FORBIDDEN = 401, 403


@lru_cache(maxsize=8)
def environment(language: str) -> Environment:
    """The templates in a language. A name that is missing is an error, never an empty text."""
    made = Environment(
        loader=PackageLoader("statecore.inbox"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(text=as_text, lines=as_lines, line=as_line, clock=clock_of)
    say = sayer(language)
    made.globals.update(_=say, icons=DRAWN, vias={via: say(text) for via, text in VIAS.items()}, language=language)
    return made


@frozen
class Renderer:
    """The pages of one inbox: its title, and the ways to sign in."""

    title: str
    ways: Sequence[Auth]

    def page(self, request: HTTPConnection, template: str, status: int = 200, **view: Any) -> HTMLResponse:
        """A page."""
        language = language_of(request)
        text = (
            environment(language)
            .get_template(template)
            .render(
                root=root_of(request),
                title=self.title,
                person=request.scope.get(PERSON),
                can_leave=any(isinstance(way, Declared) for way in self.ways),
                **view,
            )
        )
        return HTMLResponse(text, status, headers={"Content-Language": language, "Vary": "Accept-Language, Cookie"})

    def refused(self, request: HTTPConnection, status: int, head: str, text: str) -> Response:
        """The answer of a refusal: a problem document for programs, a page for people."""
        if path_of(request).startswith(API):
            code = NotAllowed.code if status == FORBIDDEN else BadRequest.code
            problem = {"type": f"{ERRORS}{code}", "title": head, "status": status, "detail": text, "code": code, "fields": []}
            asks = {"WWW-Authenticate": "Bearer"} if status == UNKNOWN else None
            return Problem(problem, status, asks)
        say = say_of(request)
        return self.page(request, "message.html", status, head=say(head), text=say(text), sign="error")


def root_of(request: HTTPConnection) -> str:
    """The path at which the inbox is mounted."""
    return str(request.scope.get("root_path", "")).rstrip("/")


def language_of(request: HTTPConnection) -> str:
    """The language of a request's reader."""
    return chosen(request.headers.get("accept-language", ""))


def say_of(request: HTTPConnection) -> Say:
    """Sentences in the language of a request's reader."""
    return sayer(language_of(request))
