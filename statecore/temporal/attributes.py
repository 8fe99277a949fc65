"""What is read of a run while no worker lives: its search attributes, by which runs are found, and its memo. And how refusals travel."""

from __future__ import annotations

from json import dumps, loads
from typing import TYPE_CHECKING, Any

from temporalio.common import SearchAttributeKey
from temporalio.exceptions import ApplicationError

from statecore import errors
from statecore.errors import RunError, StatecoreError

from .sizes import INLINE, MAX_MEMO, size_of

if TYPE_CHECKING:
    from .wire import Plain

STATUS = SearchAttributeKey.for_keyword("StatecoreStatus")
WORKFLOW = SearchAttributeKey.for_keyword("StatecoreWorkflow")
SESSION = SearchAttributeKey.for_keyword("StatecoreSession")
KEYS = (STATUS, WORKFLOW, SESSION)


def queue_of(workflow_id: str) -> str:
    """The task queue of a workflow: its workers serve it, and no others do."""
    return f"statecore:{workflow_id}"


def memo(told: Plain) -> Plain:
    """What a run's memo says: how it stands and what people owe it; only how it stands where all would be too much."""
    head = told["head"]
    if len(head["session_state"]) > INLINE:
        head = {**head, "session_state": None}
    said = {"head": head, "pauses": told["pauses"]}
    return said if size_of(said) <= MAX_MEMO else {"head": None, "pauses": None}


def refusal(error: StatecoreError, *, for_now: bool = False) -> ApplicationError:
    """A named refusal as it travels: its class, its sentence, and its parts; one `for_now` is tried again, perhaps by another worker."""
    parts = {
        name: list(part) if isinstance(part, tuple) else part for name, part in vars(error).items() if not name.startswith("_")
    }
    return ApplicationError(str(error.args[0]), dumps(parts, default=str), type=type(error).__name__, non_retryable=not for_now)


def refused(failure: BaseException | None) -> StatecoreError:
    """The named refusal that travelled."""
    if not isinstance(failure, ApplicationError):
        return RunError(str(failure))
    kind: Any = getattr(errors, failure.type or "", None)
    if not (isinstance(kind, type) and issubclass(kind, StatecoreError)):
        return RunError(failure.message)
    error = kind.__new__(kind, failure.message)
    vars(error).update(parts_of(failure))
    return error


def parts_of(failure: ApplicationError) -> dict[str, Any]:
    """The attributes of a refusal; lists were tuples. What is no refusal of this package's has none."""
    try:
        plain = loads(failure.details[0]) if failure.details else {}
    except (TypeError, ValueError):
        return {}
    named = plain.items() if isinstance(plain, dict) else ()
    return {name: tuple(part) if isinstance(part, list) else part for name, part in named if not name.startswith("_")}
