"""Refusals as problem documents (RFC 9457): one table says the status of each error, and none repeats a value that was refused."""

from __future__ import annotations

from typing import Any

from starlette.responses import JSONResponse

from statecore.errors import (
    AlreadyDecided,
    BadRequest,
    InvalidInput,
    KeyReused,
    MayNotDecide,
    MissingExtra,
    NotAllowed,
    NotPaused,
    NotPermitted,
    PauseExpired,
    RunBusy,
    RunPurged,
    StaleDecision,
    StatecoreError,
    StoreError,
    UnknownDecision,
    UnknownPause,
    UnknownRun,
    UnstorableValue,
    ValueTooLarge,
    WrongArgument,
)

ERRORS = "https://statecore.readthedocs.io/errors#"
"""The beginning of the type of a problem; it identifies, and is not fetched."""
SOON = 1
"""After how many seconds a store that did not answer may be asked again."""
STATUSES: tuple[tuple[type[StatecoreError], int, str], ...] = (
    (NotAllowed, 403, "Not allowed"),
    (NotPermitted, 403, "Not allowed"),
    (MayNotDecide, 403, "Not allowed"),
    (RunPurged, 410, "The run was purged"),
    (UnknownRun, 404, "Not found"),
    (UnknownPause, 404, "Not found"),
    (AlreadyDecided, 409, "Decided already"),
    (StaleDecision, 409, "The question has changed"),
    (PauseExpired, 409, "The deadline is over"),
    (NotPaused, 409, "The question is no longer asked"),
    (KeyReused, 409, "The key was used for something else"),
    (RunBusy, 409, "The run is busy"),
    (UnknownDecision, 422, "The answer does not fit"),
    (InvalidInput, 422, "The answer does not fit"),
    (UnstorableValue, 422, "The answer does not fit"),
    (WrongArgument, 422, "The answer does not fit"),
    (ValueTooLarge, 413, "The value is too large"),
    (MissingExtra, 501, "Not installed"),
    (StoreError, 503, "The store does not answer"),
)
"""The status and the title of each error; the first class that fits counts."""


class Problem(JSONResponse):
    """A problem document as an answer."""

    media_type = "application/problem+json"


def problem(error: StatecoreError, **more: Any) -> Problem:
    """The answer to a request that was refused. `more` is what the code needs beside: `decided`, `question`, `otherwise`."""
    status, title = status_of(error)
    document = {
        "type": f"{ERRORS}{error.code}",
        "title": title,
        "status": status,
        "detail": detail_of(error, status),
        "code": error.code,
        "fields": [{"pointer": pointer, "code": error.code, "text": text} for pointer, text in fields_of(error)],
        **more,
    }
    headers = {}
    if status == 503:  # noqa: PLR2004  # Service Unavailable
        headers["Retry-After"] = str(SOON)
        document["retry_after_seconds"] = SOON
    return Problem(document, status, headers)


def status_of(error: StatecoreError) -> tuple[int, str]:
    """The status and the title of an error; 500 for one that no request should meet."""
    if isinstance(error, BadRequest):
        return error.status, "Refused"
    return next(((status, title) for kind, status, title in STATUSES if isinstance(error, kind)), (500, "Failed"))


def detail_of(error: StatecoreError, status: int) -> str:
    """The sentence of an error, without its code; of a store that fails nothing is told, for its words name places."""
    if status == 503:  # noqa: PLR2004  # Service Unavailable
        return "The store cannot be read or written now. Nothing is known to be stored: ask again, with the same key."
    if status >= 500:  # noqa: PLR2004  # the server's own failures
        return "The inbox failed. Nothing is known to be stored; its log says more."
    return str(error).removeprefix(f"{error.code} ")


def fields_of(error: StatecoreError) -> list[tuple[str, str]]:
    """The parts of a body that are wrong, each with a JSON pointer and the reason."""
    if isinstance(error, BadRequest):
        return list(error.fields)
    if isinstance(error, InvalidInput):
        return [("/value", reason) for reason in error.wrong]
    if isinstance(error, UnknownDecision):
        return [("/word", f"one of: {', '.join(error.allowed)}")]
    return [("/value", "it cannot be stored")] if isinstance(error, UnstorableValue | WrongArgument) else []
