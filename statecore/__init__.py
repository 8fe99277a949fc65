"""Human-in-the-loop workflows whose semantics are verified.

    from statecore import Step, Workflow

    workflow = Workflow("payout", steps=[Step("pay", pay, requires_confirmation=True)])
    run = workflow.run("invoice 17")          # pauses before `pay` runs
    run.steps_requiring_confirmation[0].confirm()
    run = workflow.continue_run(run)          # perhaps days later, in another process

Names are loaded when first used, so that `import statecore` is cheap.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from statecore.codec import register_codec
    from statecore.db.in_memory import InMemoryDb
    from statecore.db.postgres import AsyncPostgresDb, PostgresDb
    from statecore.db.sqlite import AsyncSqliteDb, SqliteDb
    from statecore.definition import (
        Condition,
        HumanReview,
        Loop,
        OnError,
        OnInterrupt,
        OnReject,
        OnTimeout,
        Parallel,
        Router,
        RunContext,
        RunStatus,
        Step,
        StepInput,
        StepOutput,
        Steps,
        UserInputField,
        pause,
    )
    from statecore.output import ErrorRequirement, StepRequirement, WorkflowRunOutput, WorkflowSession
    from statecore.workflow.workflow import Workflow

__version__ = "0.1.0"

_HOMES = {
    "pause": "statecore.definition",
    "UserInputField": "statecore.definition",
    "Router": "statecore.definition",
    "Parallel": "statecore.definition",
    "OnTimeout": "statecore.definition",
    "Loop": "statecore.definition",
    "AsyncPostgresDb": "statecore.db.postgres",
    "AsyncSqliteDb": "statecore.db.sqlite",
    "Condition": "statecore.definition",
    "ErrorRequirement": "statecore.output",
    "HumanReview": "statecore.definition",
    "InMemoryDb": "statecore.db.in_memory",
    "OnError": "statecore.definition",
    "OnInterrupt": "statecore.definition",
    "OnReject": "statecore.definition",
    "PostgresDb": "statecore.db.postgres",
    "RunContext": "statecore.definition",
    "RunStatus": "statecore.definition",
    "SqliteDb": "statecore.db.sqlite",
    "Step": "statecore.definition",
    "StepInput": "statecore.definition",
    "StepOutput": "statecore.definition",
    "StepRequirement": "statecore.output",
    "Steps": "statecore.definition",
    "Workflow": "statecore.workflow.workflow",
    "WorkflowRunOutput": "statecore.output",
    "WorkflowSession": "statecore.output",
    "register_codec": "statecore.codec",
}

__all__ = [
    "AsyncPostgresDb",
    "AsyncSqliteDb",
    "Condition",
    "ErrorRequirement",
    "HumanReview",
    "InMemoryDb",
    "Loop",
    "OnError",
    "OnInterrupt",
    "OnReject",
    "OnTimeout",
    "Parallel",
    "PostgresDb",
    "Router",
    "RunContext",
    "RunStatus",
    "SqliteDb",
    "Step",
    "StepInput",
    "StepOutput",
    "StepRequirement",
    "Steps",
    "UserInputField",
    "Workflow",
    "WorkflowRunOutput",
    "WorkflowSession",
    "pause",
    "register_codec",
]


def __getattr__(name: str) -> Any:
    """Load a public name from its home, once."""
    home = _HOMES.get(name)
    if home is None:
        message = f"module 'statecore' has no attribute {name!r}"
        raise AttributeError(message)
    found = getattr(import_module(home), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    """The public names."""
    return sorted(__all__)
