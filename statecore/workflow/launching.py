"""From a call of `run` or `continue_run` to a run that is ready for a driver: the words of the facade, in those of the floors below."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Unpack
from uuid import uuid4

from statecore.errors import ClaimLost, NotPaused, RunBusy, Undecided, UnknownRun
from statecore.stores import PauseFilter, RunFilter
from statecore.stores.rules import ENDED

from .options import checked_input
from .ready import Continuation, new_run, submitted

ALL = 1_000_000

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from statecore.output import Requirement, WorkflowRunOutput
    from statecore.stores import Record

    from .options import RunOptions
    from .ready import Ready
    from .workflow import Workflow


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
