"""The words that only the facade has: options of a continuation, a status as users write it, plain options, and several runs at once."""

from __future__ import annotations

from collections.abc import Awaitable, Iterable, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, TypedDict, TypeVar

from statecore.definition import RunStatus, Step
from statecore.definition.calling import is_count, taken
from statecore.definition.fields import plain_value
from statecore.definition.plain import read_value
from statecore.definition.schemas import as_form
from statecore.errors import (
    ClaimLost,
    DefinitionError,
    NotPaused,
    RunBusy,
    StoreCorrupt,
    StoreUnavailable,
    Undecided,
    UnreadableValue,
    WrongArgument,
    quoted,
)
from statecore.output import Requirement, WorkflowRunOutput
from statecore.runtime.hands import hands_of
from statecore.runtime.launching import RunOptions
from statecore.runtime.observers import WARNING, write
from statecore.stores import InMemoryDb
from statecore.stores.records import Listing, Unread, unread_of
from statecore.stores.rules import ENDED, STATUS

from .inbox import check_store, logged

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from statecore.core import Micros
    from statecore.stores import RunReader

T = TypeVar("T")


class Facade(Protocol):
    """A `Workflow` as far as this module knows it."""

    id: str
    description: str | None
    metadata: dict[str, Any]
    input_schema: Any
    checks: tuple[Any, ...]
    store_events: bool
    add_workflow_history_to_steps: bool
    num_history_runs: int | None
    db: RunReader

    def get_run_output(self, run_id: str) -> WorkflowRunOutput:
        """A run as it stands."""

    def continue_run(self, *, run_id: str) -> WorkflowRunOutput:
        """Go on with a run."""

    async def aget_run_output(self, run_id: str) -> WorkflowRunOutput:
        """A run as it stands."""

    def acontinue_run(self, *, run_id: str) -> Awaitable[WorkflowRunOutput]:
        """Go on with a run."""


class StartOptions(RunOptions, total=False):
    """With `background=True` the run is stored, and driven beside its caller, who gets its output as it begins and reads it again by its id."""

    background: bool


class ContinueOptions(TypedDict, total=False):
    """Which run goes on (by id, optionally within a session), decisions apart from its output, and whether a failed one is reopened.

    `run_response` is the output of the run under its other name.

    `adopt=True` takes the run over although this definition lacks something of the run's own; `by` is the person who says so. `force=True` with
    `by` calls a step again beside a call of it that was given up and is not over (RUN-11).
    """

    run_id: str | None
    session_id: str | None
    run_response: WorkflowRunOutput | None
    step_requirements: Iterable[Requirement] | None
    error_requirements: Iterable[Requirement] | None
    retry_failed: bool
    adopt: bool
    force: bool
    by: str | None


class DecideOptions(TypedDict, total=False):
    """Beside a decision: the key of the request, and the digest of the question that the person was shown (`requirement.seen`).

    `force=True` with `by` retries a step beside a call of it that was given up and is not over (RUN-11).
    """

    idempotency_key: str | None
    seen: str | None
    force: bool


def children_of(workflow: Any, where: str, steps: Any) -> Sequence[Any]:
    """The components of a workflow as it was written: a list, one component, or one function that is the whole workflow.

    That function is called with the workflow and its input, and with what else it takes by name.
    """
    if isinstance(steps, Sequence):
        return steps
    if not callable(steps) or isinstance(steps, type) or hasattr(steps, "definition"):
        return [steps]
    taken(where, "steps", partial(steps, workflow), "execution_input")
    return [Step(executor=partial(steps, workflow))]


HISTORY_RUNS = 3
"""The number of earlier runs in the prompts of agents, where a workflow that adds them does not say it."""


def checked_history(where: str, runs: Any, *, added: bool) -> int | None:
    """How many earlier runs agents are told. Raises `DefinitionError` for no count, and for one where none are added."""
    if runs is not None and (not is_count(runs) or runs < 1):
        message = f"num_history_runs of {where} must be a whole number from 1, not {quoted(runs)}."
        raise DefinitionError(message)
    if runs is not None and not added:
        message = f"num_history_runs of {where} counts the runs of add_workflow_history_to_steps=True; set that, too."
        raise DefinitionError(message)
    return runs  # type: ignore[no-any-return]


def check_telemetry(where: str, telemetry: object) -> None:
    """A workflow reports nothing. Raises `DefinitionError` for a wish that it does."""
    if telemetry is not False:
        message = f"{where} reports nothing: telemetry is False, or left out, and not {quoted(telemetry)}."
        raise DefinitionError(message)


def checked_people(where: str, people: Any) -> Callable[[str], Collection[str]] | None:
    """A function of the name of a person that gives the names of their roles. Raises `DefinitionError`."""
    if people is not None and not callable(people):
        message = (
            f"people of {where} must be a function of a person's name that gives the names of their roles, not {quoted(people)}."
        )
        raise DefinitionError(message)
    taken(where, "people", people, "name")
    return people  # type: ignore[no-any-return]


def phases_of(status: RunStatus | str) -> tuple[str, ...]:
    """The core's phases that a user's status stands for. Raises `DefinitionError` for a word that is none."""
    word = str(getattr(status, "value", status)).upper()
    phases = tuple(phase for phase, name in STATUS.items() if name == word)
    if not phases:
        message = f"{quoted(status)} is no status; known: {', '.join(STATUS.values())}."
        raise DefinitionError(message)
    return phases


def instant_of(call: str, moment: datetime) -> Micros:
    """A moment in microseconds since 1970. Raises `WrongArgument` where it is no datetime."""
    if not isinstance(moment, datetime):
        argument, kind = "due_before", "a datetime"
        raise WrongArgument(call, argument, kind, moment)
    return round(moment.timestamp() * 1_000_000)


def checked_schema(schema: Any) -> Any:
    """An input schema: fields, or a class that validates by itself. Raises `DefinitionError` for anything else."""
    return schema if schema is None or hasattr(schema, "model_validate") else as_form(schema)


def checked_store(db: RunReader | None) -> RunReader:
    """The store of a workflow; without one a store in memory. Raises `DefinitionError` for a path, a URL or a class."""
    return InMemoryDb() if db is None else check_store("a workflow", db)


def plain_options(workflow: Facade) -> dict[str, Any]:
    """The public settings of a workflow beside its definition, as plain data."""
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
    if workflow.add_workflow_history_to_steps:
        plain["add_workflow_history_to_steps"] = True
    if workflow.num_history_runs is not None:
        plain["num_history_runs"] = workflow.num_history_runs
    return plain


def read_options(plain: Mapping[str, Any], functions: Mapping[str, Any]) -> dict[str, Any]:
    """The keywords of a Workflow that `plain_options` wrote."""
    names = (
        "id",
        "description",
        "metadata",
        "input_schema",
        "max_concurrency",
        "version",
        "store_events",
        "checks",
        "require_identity",
        "add_workflow_history_to_steps",
        "num_history_runs",
    )
    return {name: read_value(name, plain[name], functions) for name in names if name in plain}


def each_on(workflow: Facade, wanted: Iterable[str]) -> Listing[WorkflowRunOutput]:
    """Continue several runs; one that fails, is busy or is refused does not keep the others (SAID-2).

    The outputs of those that went on or were refused; `refusal` says why a refused one did not go on. A run that cannot be read has no output,
    and is named in `unread`.
    """
    taken: dict[str, Exception | None] = {}
    for run_id in list(wanted):
        with moved(workflow, run_id, taken):
            workflow.continue_run(run_id=run_id)
    return named(seen_as(workflow, run_id, refusal) for run_id, refusal in taken.items())


async def aeach_on(workflow: Facade, wanted: Iterable[str]) -> Listing[WorkflowRunOutput]:
    """The same on asyncio."""
    taken: dict[str, Exception | None] = {}
    for run_id in list(wanted):
        with moved(workflow, run_id, taken):
            await workflow.acontinue_run(run_id=run_id)
    return await off_loop(workflow.db, lambda: named(seen_as(workflow, run_id, refusal) for run_id, refusal in taken.items()))


def seen_as(workflow: Facade, run_id: str, refusal: Exception | None) -> WorkflowRunOutput | Unread:
    """An output that says why its run was refused, None where it went on; of a run that cannot be read only why."""
    try:
        output = workflow.get_run_output(run_id)
    except StoreCorrupt as damage:
        return Unread(run_id, str(damage))
    output.refusal = refusal
    return output


def named(found: Iterable[WorkflowRunOutput | Unread]) -> Listing[WorkflowRunOutput]:
    """Those of some runs that could be read, and the names of the others, which are logged, too."""
    every = list(found)
    bad = [each for each in every if isinstance(each, Unread)]
    return logged(Listing([each for each in every if not isinstance(each, Unread)], bad))


def whole(found: Sequence[T]) -> Sequence[T]:
    """All runs of a listing that makes no sense without one. Raises `UnreadableValue` where one cannot be read."""
    for bad in unread_of(found):
        why = f"run {bad.run_id!r} of the session cannot be read: {bad.why}"
        raise UnreadableValue(why)
    return found


def is_over(workflow: Facade, run_id: str) -> bool:
    """Whether a run has ended, as far as it can be read."""
    try:
        return workflow.db.load(run_id).state.run in ENDED
    except StoreCorrupt:
        return False


@contextmanager
def moved(workflow: Facade, run_id: str, taken: dict[str, Exception | None]) -> Iterator[None]:
    """Note a run that went on, also where it failed on the way, or that was refused; one that somebody else has, or that rests, is let be.

    A store that is away refuses all runs, and is not the affair of one.
    """
    try:
        yield
    except (RunBusy, ClaimLost, NotPaused, Undecided):
        return
    except StoreUnavailable:
        raise
    except Exception as error:  # noqa: BLE001  # whatever keeps this run from going on is told with it
        taken[run_id] = error if not is_over(workflow, run_id) else None
        if taken[run_id] is not None:
            skipped(workflow, run_id, error)
    else:
        taken[run_id] = None


def skipped(workflow: Facade, run_id: str, error: Exception) -> None:
    """Log a run that was refused, so that its neighbours go on without it."""
    from logging import getLogger  # noqa: PLC0415  # only a refusal needs it

    fields = {"run_id": run_id, "workflow": workflow.id}
    write(getLogger(__name__), WARNING, "run %r of %r is skipped: %s", run_id, workflow.id, type(error).__name__, extra=fields)


def stopped(workflow_id: str, run_id: str, error: Exception) -> None:
    """Log a run that was begun in the background and stopped: no caller waits for it. Its row has the words of the error, the log has none."""
    from logging import getLogger  # noqa: PLC0415  # only such a run needs it

    fields, name = {"run_id": run_id, "workflow": workflow_id}, type(error).__name__
    write(getLogger(__name__), WARNING, "run %s, which was begun in the background, stopped: %s", run_id, name, extra=fields)


async def off_loop(db: RunReader, function: Callable[[], T]) -> T:
    """The answer of a function that reads or decides, made beside the event loop where the store would hold it up."""
    if not db.blocking:
        return function()
    import asyncio  # noqa: PLC0415  # only asynchronous users pay for it

    return await asyncio.wrap_future(hands_of(db).submit(function))
