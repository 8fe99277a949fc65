"""A call of `run`, `submit` or `continue_run` becomes a run that is ready for a driver; `tick` and `recover` find the runs to go on with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias, TypedDict, Unpack, get_args
from unicodedata import normalize
from uuid import uuid4

from attrs import evolve

from statecore.codec import CODECS, decode, encode
from statecore.core import BEGINNING
from statecore.core.state import RULES_VERSION, State
from statecore.definition.forms import checked
from statecore.errors import (
    DuplicateStart,
    InvalidInput,
    KeyReused,
    NotPaused,
    RunBusy,
    RunFailed,
    StillRunning,
    StoreCorrupt,
    Undecided,
    UnknownRun,
    UnsupportedSetting,
    WrongArgument,
)
from statecore.lifecycles import words as w
from statecore.stores import Boundary, Claim, Identity, PauseFilter, RunFilter
from statecore.stores.history import History
from statecore.stores.records import unread_of
from statecore.stores.rules import check_authority, check_lists, check_mappings, check_request_key, check_texts, teach, until

from .answers import Said, reasons
from .ends import beginning
from .execution import Execution, of_record
from .host import RUN_HERE
from .limits import forcing
from .ready import Continuation, Ready
from .storing import let_go, store_events
from .voting import check_requester

if TYPE_CHECKING:
    from statecore.core import Compiled
    from statecore.stores import Record

    from .host import Host, Runnable

ALL = 1_000_000
NOTHING = encode({})
NOBODYS = -1
"""The epoch of no claim."""
OnFailed: TypeAlias = Literal["raise", "retry"]
ON_FAILED = get_args(OnFailed)


class Driven(Protocol):
    """The output of a run, as far as a continuation reads it: which run, and what was decided of it."""

    @property
    def run_id(self) -> str:
        """The run."""

    @property
    def requirements(self) -> Iterable[Said]:
        """Its questions, answered or not."""


class Media(TypedDict, total=False):
    """The media of a run: storable values, in lists."""

    images: Sequence[Any] | None
    audio: Sequence[Any] | None
    videos: Sequence[Any] | None
    files: Sequence[Any] | None


class RunOptions(Media, total=False):
    """Beside the input of a new run: `additional_data` for its steps, whose it is (`session_id`, `user_id`), its id, its session state.

    `images`, `audio`, `videos` and `files` are storable values, handed to the steps. `metadata` is laid over that of the workflow.

    `idempotency_key` names the request, in at most 1,024 characters: the same key again starts no second run of the workflow, but goes on
    with the first one where it can, and gives its output. Where the first one has failed, `on_failed` decides: "raise" raises `RunFailed`
    (the default), "retry" calls the failed step again. `requester` is the person who asked for the run, whom an approval may exclude; without it
    the user is.
    """

    additional_data: Mapping[str, Any] | None
    session_id: str | None
    user_id: str | None
    run_id: str | None
    session_state: Mapping[str, Any] | None
    idempotency_key: str | None
    on_failed: OnFailed
    metadata: Mapping[str, Any] | None
    requester: str | None


AN_OUTPUT = "continue_run", "run_output", "the output of a run (an id is given as run_id=...)"
REQUIREMENTS = "continue_run", "requirements", "requirements of a run, in a list"


def launch(workflow: Runnable, run_input: Any, **options: Unpack[RunOptions]) -> Ready:
    """A new run, stored, claimed and started; or the one that the same key has begun.

    Raises `InvalidInput`, `UnstorableValue`, `UnsupportedSetting`, `DuplicateRun`, `KeyReused`, `RunFailed` before anything is stored.
    """
    execution = unborn(workflow, run_input, **options)
    try:
        return Ready(execution, store_events(execution, (beginning(execution.program, execution.identity.created),)))
    except DuplicateStart as first:
        return started_before(workflow.host, workflow.compiled, execution.identity, first.run_id, options.get("on_failed"))


def submit(workflow: Runnable, run_input: Any, **options: Unpack[RunOptions]) -> str:
    """The id of a new run that is stored, and that no process executes yet; or of the one that the same key has begun. Raises as `launch` does."""
    execution, host = unborn(workflow, run_input, **options), workflow.host
    new = execution.identity
    begins = getattr(host.store, "start", None)  # a store whose runs are executed elsewhere starts them itself
    try:
        if begins is not None:
            begins(new, execution.session_state)
        else:
            host.executor.commit(Boundary(new.run_id, 1, 0, new.created, BEGINNING, (), {}, parks=True, claim=execution.claim))
    except DuplicateStart as first:
        record = host.store.load(first.run_id)
        same_request(record.identity, new)
        if record.state.run == w.failed:
            going = reopening(host, workflow.compiled, record, options.get("on_failed"))
            let_go(going.ready().execution)
        return first.run_id
    return new.run_id


def check_key(key: Any, on_failed: str | None) -> None:
    """Refuse a key that is no text of its size, and an `on_failed` that is unknown or about no key. Raises `UnsupportedSetting`."""
    setting = f"on_failed={on_failed!r}"
    if on_failed is not None and key is None:
        raise UnsupportedSetting(RUN_HERE, setting, "it is about the run of an idempotency_key; give one")
    if on_failed not in (None, *ON_FAILED):
        raise UnsupportedSetting(RUN_HERE, setting, "the run of a key is told or retried", ON_FAILED)
    check_request_key(RUN_HERE, key)


def unborn(  # as many keywords as a run has settings
    workflow: Runnable,
    run_input: Any,
    *,
    additional_data: Mapping[str, Any] | None = None,
    session_id: str | None = None,
    user_id: str | None = None,
    run_id: str | None = None,
    session_state: Mapping[str, Any] | None = None,
    idempotency_key: str | None = None,
    on_failed: OnFailed | None = None,
    metadata: Mapping[str, Any] | None = None,
    requester: str | None = None,
    **media: Unpack[Media],
) -> Execution:
    """A new run that is not stored yet; its first boundary stores and claims it. Raises `InvalidInput`, `UnstorableValue`, `UnsupportedSetting`.

    Its session state is the workflow's own, under what the session's last run left, under what the caller gives.
    """
    check_texts("A run", session_id=session_id, user_id=user_id, run_id=run_id, requester=requester)
    check_mappings("A run", additional_data=additional_data, session_state=session_state, metadata=metadata)
    additional_data = with_media(additional_data, media)
    check_key(idempotency_key, on_failed)
    host, program = workflow.host, workflow.compiled.program
    check_authority(host.store, program)
    check_requester(host.store, program, requester, user_id or workflow.user_id)
    session = session_id or workflow.session_id  # none named: one of its own (SESSION-1)
    given, limit = checked_input(workflow.name, workflow.input_schema, run_input), host.limit
    identity = Identity(
        run_id=run_id or str(uuid4()),
        workflow_id=workflow.id,
        workflow_name=workflow.name,
        session_id=session or str(uuid4()),
        user_id=user_id or workflow.user_id,
        key=idempotency_key,
        created=host.clock(),
        input=encode(given, limit=limit),
        additional_data=encode(dict(additional_data), limit=limit) if additional_data else NOTHING,
        metadata=encode({**workflow.metadata, **(metadata or {})}, limit=limit) if workflow.metadata or metadata else NOTHING,
        fingerprint=program.fingerprint,
        canonical=program.canonical,
        rules=RULES_VERSION,
        requester=None if requester is None else normalize("NFC", requester),
    )
    kept = (host.store.session_state(session, identity.workflow_id) if session is not None else None) or NOTHING
    own, wanted = workflow.session_state, session_state or {}
    state = encode({**own, **decode(kept), **wanted}, limit=limit) if own or wanted else kept
    return Execution(host, workflow.compiled, identity, BEGINNING, 1, 0, {}, state, claim=Claim(host.owner(), identity, state))


def with_media(additional_data: Mapping[str, Any] | None, media: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The additional data with the media that a run was given. Raises `WrongArgument`, `UnsupportedSetting`."""
    given = {name: found for name, found in media.items() if found is not None}
    check_lists("A run", **given)
    for name in given:
        if name in (additional_data or {}):
            raise UnsupportedSetting(RUN_HERE, name, f"additional_data has {name}, too; give them once")
    return {**(additional_data or {}), **{name: list(found) for name, found in given.items()}} if given else additional_data


def started_before(host: Host, compiled: Compiled, again: Identity, run_id: str, on_failed: OnFailed | None) -> Ready:
    """A run that the same request started before: continued where it can be, else only to be read. Raises `KeyReused`, `RunFailed`."""
    record = host.store.load(run_id)
    same_request(record.identity, again)
    if record.state.run == w.failed:
        going = reopening(host, compiled, record, on_failed)
    else:
        going = Continuation(host, compiled, record.identity.workflow_id, run_id, ())
    try:
        return going.ready()
    except (NotPaused, Undecided, RunBusy):
        record = host.store.load(run_id)
        if record.state.run == w.failed:  # meanwhile
            raise run_failed(host, record) from host.failures.get(run_id)
        watched = evolve(record, state=State(record.state.run), epoch=NOBODYS)  # nothing is owed by it, and nothing is given back
        execution = of_record(host, compiled, watched)
        execution.parked = True
        return Ready(execution, None)


def reopening(host: Host, compiled: Compiled, record: Record, on_failed: OnFailed | None) -> Continuation:
    """The state in which the failed step of a run is called again. Raises `RunFailed` unless a second start is to do so."""
    first = record.identity
    if on_failed != "retry":
        raise run_failed(host, record) from host.failures.get(first.run_id)
    return Continuation(host, compiled, first.workflow_id, first.run_id, (), retry_failed=True)


def run_failed(host: Host, record: Record) -> RunFailed:
    """The error that a second start of a failed run gets: the step, the class and the words of the run's error."""
    first = record.identity
    visits = History().extend(host.store.journal(first.run_id, 0, record.seq)).visits.values()
    failed = [visit for visit in visits if visit.phase == w.failed and visit.failures][-1]
    error = failed.failures[-1]
    return RunFailed(first.run_id, str(first.key), failed.name, error.get("error_type") or "", error.get("error") or "")


def same_request(first: Identity, again: Identity) -> None:
    """Raise `KeyReused` where a key that began a run comes again with something else."""
    if (first.input, first.additional_data) != (again.input, again.additional_data):
        raise KeyReused(str(again.key), f"run {first.run_id!r}, which was started with another input")


def checked_input(name: str, schema: Any, given: Any) -> Any:
    """A run's input, checked and completed by the workflow's schema: the model itself where it can be stored (VALUE-5). Raises `InvalidInput`."""
    if schema is None:
        return given
    if not hasattr(schema, "model_validate"):
        return checked(name, schema, given)
    try:
        model = schema.model_validate(given)
    except ValueError as error:
        raise InvalidInput(name, reasons(error, given)) from None  # a traceback would show its text, and with it the value
    return model if CODECS.learn(type(model)) is not None else model.model_dump()


def resume(  # as many keywords as a continuation has settings
    workflow: Runnable,
    output: Driven | None,
    *,
    run_id: str | None = None,
    session_id: str | None = None,
    run_response: Driven | None = None,
    step_requirements: Iterable[Said] | None = None,
    error_requirements: Iterable[Said] | None = None,
    retry_failed: bool = False,
    adopt: bool = False,
    force: bool = False,
    by: str | None = None,
) -> Ready:
    """A stored run with what was decided of it, claimed. Raises what `Continuation` refuses."""
    check_texts("continue_run", session_id=session_id, by=by)
    if output is not None and run_response is not None:
        message = "continue_run() takes one output, and got run_output and run_response."
        raise TypeError(message)
    output = run_response if output is None else output
    run_id = named_run(output, run_id)
    if session_id is not None and workflow.db.load(run_id).identity.session_id != session_id:
        raise UnknownRun(run_id, session_id)
    requirements = [*answered(step_requirements), *answered(error_requirements)]
    if output is not None and step_requirements is None and error_requirements is None:
        requirements = list(output.requirements)
    adopt_by, force_by = (
        adopting(adopt=adopt, by=None if force and not adopt else by),
        forcing(force=force, by=by) if force else None,
    )
    going = Continuation(
        workflow.host, workflow.compiled, workflow.id, run_id, requirements, retry_failed, adopt_by, force_by=force_by
    )
    try:
        return going.ready()
    except StillRunning:
        raise
    except RunBusy as busy:  # the process that executes the run applies the answers, once they are stored
        return going.ready_after(busy)


def named_run(output: Driven | None, run_id: str | None) -> str:
    """The id of the run that a caller names, by its output or by its id. Raises `WrongArgument`; `TypeError` for neither."""
    check_texts("continue_run", run_id=run_id)
    if output is not None and not hasattr(output, "requirements"):
        raise WrongArgument(*AN_OUTPUT, output)
    found = run_id or (output.run_id if output is not None else None)
    if found is None:
        message = "continue_run needs a run output or a run_id."
        raise TypeError(message)
    return found


def answered(given: Iterable[Said] | None) -> list[Said]:
    """The requirements that a caller hands in. Raises `WrongArgument` where they are none."""
    if given is None:
        return []
    try:
        listed = list(given)
    except TypeError:
        raise WrongArgument(*REQUIREMENTS, given) from None
    for each in listed:
        if not hasattr(each, "decision"):
            raise WrongArgument(*REQUIREMENTS, each)
    return listed


def adopting(*, adopt: bool, by: str | None) -> str | None:
    """The person who takes a run over in spite of differences; None for nobody. Raises `UnsupportedSetting` for one without the other."""
    if adopt != bool(by):
        where, setting = "Continuing a run", "adopt=True without by" if adopt else "by without adopt=True"
        raise UnsupportedSetting(where, setting, "a person takes a run over for a definition that differs")
    return by if adopt else None


def left_runs(workflow: Runnable) -> list[str]:
    """The runs of a workflow that are in the middle, whoever executes them or does not; and those that rest though they are decided (SAID-2)."""
    found = unfinished(workflow)
    left = [each.identity.run_id for each in found if each.owner is not None or is_due(workflow, each)]
    return list(dict.fromkeys([*left, *unreadable(found), *decided_runs(workflow)]))


def late_runs(workflow: Runnable) -> list[str]:
    """The runs of a workflow that can go on without their owner: with an overdue pause, in the middle and unowned, or decided (SAID-2)."""
    late = workflow.db.pauses(PauseFilter(workflow_id=workflow.id, due_before=workflow.host.clock() + 1, limit=ALL))
    found = unfinished(workflow)
    moved = [each.identity.run_id for each in found if each.owner is None and is_due(workflow, each)]
    bad = [*unreadable(late), *unreadable(found)]
    return list(dict.fromkeys([*(row.pause.run_id for row in late), *moved, *bad, *decided_runs(workflow)]))


def decided_runs(workflow: Runnable) -> list[str]:
    """The runs of a workflow with a decision that is stored and not applied, and with no owner to apply it."""
    rows = workflow.db.pauses(PauseFilter(workflow_id=workflow.id, decided_only=True, limit=ALL))
    found = dict.fromkeys(row.pause.run_id for row in rows)
    return [*(run_id for run_id in found if unowned(workflow, run_id)), *unreadable(rows)]


def unreadable(found: Sequence[object]) -> list[str]:
    """The runs that a listing could not read: each is refused by its name when it is to go on, and keeps no other."""
    return [each.run_id for each in unread_of(found)]


def unowned(workflow: Runnable, run_id: str) -> bool:
    """Whether a run has no owner; so it is for one that cannot be read."""
    try:
        return workflow.db.load(run_id).owner is None
    except StoreCorrupt:
        return True


def is_due(workflow: Runnable, record: Record) -> bool:
    """Whether a run waits for no delay alone, or for one that is over (RUN-12)."""
    due = until(record.state)
    return due is None or due <= workflow.host.clock()


def unfinished(workflow: Runnable) -> list[Record]:
    """The runs of a workflow that neither rest nor are over."""
    teach(workflow.db, workflow.compiled.program)
    return workflow.db.runs(RunFilter(workflow_id=workflow.id, phases=("pending", "running"), limit=ALL))
