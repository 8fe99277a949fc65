"""Refusals as answers: the problem document of an error with its status, and without what only the server's own log may say."""

from __future__ import annotations

from typing import Any

from starlette.responses import JSONResponse

from statecore.asking.problems import SOON, UNAVAILABLE, document, status_of
from statecore.errors import StatecoreError


class Problem(JSONResponse):
    """A problem document as an answer."""

    media_type = "application/problem+json"


def problem(error: StatecoreError, **more: Any) -> Problem:
    """The answer to a request that was refused. `more` is what the code needs beside: `decided`, `question`, `otherwise`."""
    status, _ = status_of(error)
    headers = {"Retry-After": str(SOON)} if status == UNAVAILABLE else {}
    return Problem(document(error, detail_of(status), **more), status, headers)


def detail_of(status: int) -> str | None:
    """The sentence that stands for the error's own: of a store that fails nothing is told, for its words name places."""
    if status == UNAVAILABLE:
        return "The store cannot be read or written now. Nothing is known to be stored: ask again, with the same key."
    if status >= 500:  # noqa: PLR2004  # the server's own failures
        return "The inbox failed. Nothing is known to be stored; its log says more."
    return None
