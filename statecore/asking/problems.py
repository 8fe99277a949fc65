"""Refusals as problem documents (RFC 9457): one table says the status of each error, and none repeats a value that was refused.

The API answers with them, and a command prints one where its output is JSON.
"""

from __future__ import annotations

from typing import Any

from statecore.errors import (
    AlreadyDecided,
    BadRequest,
    ClaimLost,
    DefinitionChanged,
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
    TargetError,
    Undecided,
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
UNAVAILABLE = 503
"""The status of a store that does not answer."""
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
    (ClaimLost, 409, "The run is busy"),
    (DefinitionChanged, 409, "The definition has changed"),
    (Undecided, 409, "A decision is needed"),
    (TargetError, 400, "Refused"),
    (UnknownDecision, 422, "The answer does not fit"),
    (InvalidInput, 422, "The answer does not fit"),
    (UnstorableValue, 422, "The answer does not fit"),
    (WrongArgument, 422, "The answer does not fit"),
    (ValueTooLarge, 413, "The value is too large"),
    (MissingExtra, 501, "Not installed"),
    (StoreError, 503, "The store does not answer"),
)
"""The status and the title of each error; the first class that fits counts."""


def document(error: StatecoreError, detail: str | None = None, **more: Any) -> dict[str, Any]:
    """The document of an error. `detail` is another sentence than the error's; `more` is what the code needs beside."""
    status, title = status_of(error)
    return {
        "type": f"{ERRORS}{error.code}",
        "title": title,
        "status": status,
        "detail": str(error).removeprefix(f"{error.code} ") if detail is None else detail,
        "code": error.code,
        "fields": [{"pointer": pointer, "code": error.code, "text": text} for pointer, text in fields_of(error)],
        **more,
        **({"retry_after_seconds": SOON} if status == UNAVAILABLE else {}),
    }


def status_of(error: StatecoreError) -> tuple[int, str]:
    """The status and the title of an error; 500 for one that no request should meet."""
    if isinstance(error, BadRequest):
        return error.status, "Refused"
    return next(((status, title) for kind, status, title in STATUSES if isinstance(error, kind)), (500, "Failed"))


def fields_of(error: StatecoreError) -> list[tuple[str, str]]:
    """The parts of a body that are wrong, each with a JSON pointer and the reason."""
    if isinstance(error, BadRequest):
        return list(error.fields)
    if isinstance(error, InvalidInput):
        return [("/value", reason) for reason in error.wrong]
    if isinstance(error, UnknownDecision):
        return [("/word", f"one of: {', '.join(error.allowed)}")]
    return [("/value", "it cannot be stored")] if isinstance(error, UnstorableValue | WrongArgument) else []
