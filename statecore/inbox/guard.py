"""The checks of every request, before a page or the API sees it: the person, the origin of a decision, and the headers of the answer.

Pure ASGI, so that it costs a stream nothing. It refuses an unsafe method of a browser that does not come from our own origin (INBOX-10), a
request of an unknown person, and a body that is too large; and it sends the same headers with each answer (INBOX-8).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from attrs import frozen
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from starlette.responses import Response
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from .auth import Auth
    from .seeing import Person

POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
"""The headers of every answer. The referrer is named to no host, for an address may hold a token or a question's id."""
SAFE = frozenset({"GET", "HEAD"})
MOST = 8 << 20
"""The most bytes of a body."""
PERSON = "statecore.person"
"""The name under which a request's scope has its person."""


@frozen
class Guard:
    """The guard before an application: `ways` authenticate, the first that knows the person counts; `refuse` makes the answer of a refusal.

    `is_open` says which paths need no person: the pages with which one signs in, styles, probes.
    """

    inner: ASGIApp
    ways: Sequence[Auth]
    is_open: Callable[[str], bool]
    refuse: Callable[[HTTPConnection, int, str, str], Response]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it."""
        if scope["type"] != "http":
            await self.inner(scope, receive, send)
            return
        request = HTTPConnection(scope)
        found = known(self.ways, request)
        person, ambient = found if found is not None else (None, True)
        scope[PERSON] = person
        no = self.refusal(request, scope["method"], person, ambient=ambient)
        answer = self.refuse(request, *no) if no is not None else self.inner
        await answer(scope, counted(receive), headed(send))

    def refusal(self, request: HTTPConnection, method: str, person: Person | None, *, ambient: bool) -> tuple[int, str, str] | None:
        """Why a request is refused: the status, a title and what to do; None where it is not."""
        length = request.headers.get("content-length", "0")
        if not length.isdigit() or int(length) > MOST:
            return (413, *TOO_LARGE)
        if method not in SAFE and ambient and not is_own(request):
            return (
                403,
                "This did not come from a page of this inbox",
                "Nothing was stored. Open the question here and decide it on its page.",
            )
        if person is None and not self.is_open(path_of(request)):
            return 401, "You are not signed in", "Sign in first; then open the question again."
        return None


TOO_LARGE = ("That is too large", f"Nothing was stored. The inbox takes {MOST >> 20} MB at once.")


def counted(receive: Receive) -> Receive:
    """The receiving side of a request, which refuses a body when it has become too large."""
    seen = 0

    async def receiving() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > MOST:
            raise HTTPException(413, TOO_LARGE[1])
        return message

    return receiving


def headed(send: Send) -> Callable[[Message], Awaitable[None]]:
    """The sending side of an answer, which adds the headers that it has not."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
            headers.setdefault("Cache-Control", "private, no-store")
        await send(message)

    return sending


def known(ways: Sequence[Auth], request: HTTPConnection) -> tuple[Person, bool] | None:
    """The person of a request, and whether its proof is one that a browser sends by itself; None where no way knows it."""
    found = ((way.person(request), way.ambient) for way in ways)
    return next(((person, ambient) for person, ambient in found if person is not None), None)


def is_own(request: HTTPConnection) -> bool:
    """Whether a browser says that a request comes from a page of this very origin."""
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is not None:
        return site == "same-origin"
    if origin is None:
        return False
    said, own = urlsplit(origin), urlsplit(str(request.base_url))
    return (said.scheme, said.netloc.lower()) == (own.scheme, own.netloc.lower())


def path_of(request: HTTPConnection) -> str:
    """The path of a request within the application, wherever it is mounted."""
    path, root = str(request.scope["path"]), str(request.scope.get("root_path", ""))
    return path[len(root) :] if root and path.startswith(root) else path


def person_of(request: Any) -> Person:
    """The person of a request that the guard has let through."""
    person: Person = request.scope[PERSON]
    return person
