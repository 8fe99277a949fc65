"""The keyword arguments that `run` and `arun`, and `continue_run` and `acontinue_run`, share; and a status as users write it.

From a call of `run` or `continue_run` to a run that is ready for a driver: the words of the facade, in those of the floors below.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypedDict, Unpack
from uuid import uuid4

from statecore.definition import RunStatus
from statecore.definition.fields import as_schema, checked
from statecore.definition.plain import plain_value, read_value
from statecore.errors import ClaimLost, DefinitionError, InvalidInput, NotPaused, RunBusy, Undecided, UnknownRun
from statecore.output import Requirement
from statecore.runtime.ready import Continuation, new_run, submitted
from statecore.stores import PauseFilter, RunFilter
from statecore.stores.rules import ENDED, STATUS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from statecore.output import Requirement, WorkflowRunOutput
    from statecore.runtime.ready import Ready
    from statecore.stores import Record

    from .workflow import Workflow


class RunOptions(TypedDict, total=False):
    """Beside the input of a new run: `additional_data` for its steps, whose it is (`session_id`, `user_id`), its id, its session state.

    `idempotency_key` names the request: the same key again starts no second run of the workflow, but goes on with the first one where
    it can, and gives its output.
    """

    additional_data: Mapping[str, Any] | None
    session_id: str | None
    user_id: str | None
    run_id: str | None
    session_state: Mapping[str, Any] | None
    idempotency_key: str | None


class ContinueOptions(TypedDict, total=False):
    """Which run goes on (by id, optionally within a session), decisions apart from its output, and whether a failed one is reopened."""

    run_id: str | None
    session_id: str | None
    step_requirements: Iterable[Requirement] | None
    error_requirements: Iterable[Requirement] | None
    retry_failed: bool


def phases_of(status: RunStatus | str) -> tuple[str, ...]:
    """The core's phases that a user's status stands for. Raises `DefinitionError` for a word that is none."""
    word = str(getattr(status, "value", status)).upper()
    phases = tuple(phase for phase, name in STATUS.items() if name == word)
    if not phases:
        message = f"{status!r} is no status; known: {', '.join(STATUS.values())}."
        raise DefinitionError(message)
    return phases


def checked_schema(schema: Any) -> Any:
    """An input schema: fields, or a class that validates by itself. Raises `DefinitionError` for anything else."""
    return schema if schema is None or hasattr(schema, "model_validate") else as_schema(schema)


def checked_input(name: str, schema: Any, given: Any) -> Any:
    """A run's input, checked and completed by the workflow's schema; plain data, so that it can be stored. Raises `InvalidInput`."""
    if schema is None:
        return given
    if not hasattr(schema, "model_validate"):
        return checked(name, schema, given)
    try:
        return schema.model_validate(given).model_dump()
    except ValueError as error:
        raise InvalidInput(name, [str(error)]) from error


def plain_options(workflow: Workflow) -> dict[str, Any]:
    """What is public of a workflow beside its definition, as plain data."""
    schema = workflow.input_schema
    plain: dict[str, Any] = {"id": workflow.id, "description": workflow.description, "metadata": workflow.metadata}
    if isinstance(schema, tuple):
        plain["input_schema"] = [each.to_dict() for each in schema]
    elif schema is not None:
        plain["input_schema"] = plain_value(schema)
    if workflow.checks:
        plain["checks"] = [str(each) for each in workflow.checks]
    if workflow.store_events:
        plain["store_events"] = True
    return plain


def read_options(plain: Mapping[str, Any], functions: Mapping[str, Any]) -> dict[str, Any]:
    """The keywords of a Workflow that `plain_options` wrote."""
    names = ("id", "description", "metadata", "input_schema", "store_events", "checks")
    return {name: read_value(name, plain[name], functions) for name in names if name in plain}


ALL = 1_000_000


def launch(workflow: Workflow, run_input: Any, **options: Unpack[RunOptions]) -> Ready:
    """A new run, stored and claimed; or the one that the same key has begun.

    Raises `InvalidInput`, `UnstorableValue`, `DuplicateRun`, `KeyReused` before anything is stored.
    """
    return new_run(workflow.host, workflow.compiled, *asked_for(workflow, run_input, **options))


def submit(workflow: Workflow, run_input: Any, **options: Unpack[RunOptions]) -> str:
    """The id of a new run that is stored, and that nobody executes yet; or of the one that the same key has begun. Raises what `launch` does."""
    return submitted(workflow.host, workflow.compiled, *asked_for(workflow, run_input, **options))


def asked_for(  # as many keywords as a run has settings
    workflow: Workflow,
    run_input: Any,
    *,
    additional_data: Mapping[str, Any] | None = None,
    session_id: str | None = None,
    user_id: str | None = None,
    run_id: str | None = None,
    session_state: Mapping[str, Any] | None = None,
    idempotency_key: str | None = None,
) -> tuple[dict[str, Any], dict[str, Any], tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """What is asked for by a call of `run`: ids, values and session states. Raises `InvalidInput`."""
    ids = {
        "run_id": run_id or str(uuid4()),
        "workflow_id": workflow.id,
        "workflow_name": workflow.name,
        "session_id": session_id or workflow.session_id,
        "user_id": user_id or workflow.user_id,
        "key": idempotency_key,
    }
    checked = checked_input(workflow.name, workflow.input_schema, run_input)
    values = {"run_input": checked, "additional_data": dict(additional_data or {}), "metadata": workflow.metadata}
    return ids, values, (workflow.session_state, session_state or {})


def resume(  # as many keywords as a continuation has settings
    workflow: Workflow,
    run_output: WorkflowRunOutput | None,
    *,
    run_id: str | None = None,
    session_id: str | None = None,
    step_requirements: Iterable[Requirement] | None = None,
    error_requirements: Iterable[Requirement] | None = None,
    retry_failed: bool = False,
) -> Ready:
    """A stored run with what was decided of it, claimed. Raises what `Continuation` refuses."""
    run_id = run_id or (run_output.run_id if run_output is not None else None)
    if run_id is None:
        message = "continue_run needs a run output or a run_id."
        raise TypeError(message)
    if session_id is not None and workflow.db.load(run_id).identity.session_id != session_id:
        raise UnknownRun(run_id, session_id)
    requirements = [*(step_requirements or ()), *(error_requirements or ())]
    if run_output is not None and step_requirements is None and error_requirements is None:
        requirements = run_output.requirements
    return Continuation(workflow.host, workflow.compiled, workflow.id, run_id, requirements, retry_failed).ready()


def left_runs(workflow: Workflow) -> list[str]:
    """The runs of a workflow that are in the middle, whoever executes them or does not."""
    return [each.identity.run_id for each in unfinished(workflow)]


def late_runs(workflow: Workflow) -> list[str]:
    """The runs of a workflow that time moves on: those with an expired pause, and those of which a listing has applied it already."""
    late = workflow.db.pauses(PauseFilter(workflow_id=workflow.id, due_before=workflow.host.clock() + 1, limit=ALL))
    moved = [each.identity.run_id for each in unfinished(workflow) if each.owner is None]
    return list(dict.fromkeys([*(row.pause.run_id for row in late), *moved]))


def unfinished(workflow: Workflow) -> list[Record]:
    """The runs of a workflow that neither rest nor are over."""
    return workflow.db.runs(RunFilter(workflow_id=workflow.id, phases=("pending", "running"), limit=ALL))


def each_on(workflow: Workflow, wanted: Iterable[str]) -> list[WorkflowRunOutput]:
    """Continue several runs; one that fails or is busy does not keep the others. What those that went on are afterwards."""
    went_on: list[str] = []
    for run_id in list(wanted):
        with moved(workflow, run_id, went_on):
            workflow.continue_run(run_id=run_id)
    return [workflow.get_run_output(run_id) for run_id in went_on]


async def aeach_on(workflow: Workflow, wanted: Iterable[str]) -> list[WorkflowRunOutput]:
    """The same on asyncio."""
    went_on: list[str] = []
    for run_id in list(wanted):
        with moved(workflow, run_id, went_on):
            await workflow.acontinue_run(run_id=run_id)
    return [await workflow.aget_run_output(run_id) for run_id in went_on]


@contextmanager
def moved(workflow: Workflow, run_id: str, went_on: list[str]) -> Iterator[None]:
    """Note a run that went on, also where it failed on the way; one that somebody else has, or that cannot go on, is let be."""
    try:
        yield
    except (RunBusy, ClaimLost, NotPaused, Undecided):
        return
    except Exception:
        if workflow.db.load(run_id).state.run not in ENDED:
            raise
    went_on.append(run_id)
