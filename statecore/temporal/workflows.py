"""`TemporalWorkflows`: a workflow whose runs live on a Temporal server. It starts them and waits; reading and deciding are the facade's own."""

from __future__ import annotations

from time import monotonic, sleep
from typing import TYPE_CHECKING, Any, Unpack
from uuid import NAMESPACE_URL, uuid4, uuid5

from attrs import evolve

from statecore.codec import decode, encode
from statecore.core.state import RULES_VERSION
from statecore.errors import DuplicateRun, KeyReused, NotPaused, StoreUnavailable
from statecore.output.answers import fitting
from statecore.stores import Decided, Identity
from statecore.stores.rules import STATUS, check_beginning
from statecore.workflow.options import RunOptions, checked_input
from statecore.workflow.ready import NOTHING

from . import starting
from .sayings import sayings
from .sizes import CARRY, checked
from .values import moved
from .wire import Start, plain_start

if TYPE_CHECKING:
    from collections.abc import Mapping

    from statecore.output import Requirement, WorkflowRunOutput
    from statecore.workflow import Workflow

    from .db import TemporalDb

LEASE = 3.0
"""Seconds of silence after which a worker counts as dead; it gives a sign of life each second."""


class TemporalWorkflows:
    """The runs of one workflow on a Temporal server; the definition is the same as for any store.

    `lease` is how many seconds a worker may be silent before what it called counts as interrupted: raise it where steps hold the
    interpreter for long. `carry` bounds, in bytes, the compressed journal that a run carries into a new history.
    """

    def __init__(self, workflow: Workflow, db: TemporalDb, *, lease: float = LEASE, carry: int = CARRY) -> None:
        self.workflow, self.db, self.lease, self.carry = workflow.on(db), db, lease, carry

    def start(
        self,
        input: Any = None,  # noqa: A002  # the word users know
        **options: Unpack[RunOptions],
    ) -> str:
        """Start a run and return its id; a worker drives it. With an idempotency key the id is derived from it.

        Raises `InvalidInput`, `UnstorableValue`, `ValueTooLarge`, `DuplicateRun`, `KeyReused`; then nothing was started.
        """
        start = self._start(input, options)
        identity = start.identity
        try:
            self.db.connection.do(starting.start(self.db.connection, sent(start, self.db)))
        except starting.Existing:
            if identity.key is None:
                raise DuplicateRun(identity.run_id) from None
            self._check_same(identity)
        return identity.run_id

    def _start(self, run_input: Any, options: RunOptions) -> Start:
        """What a new run's workflow is started with."""
        flow, key = self.workflow, options.get("idempotency_key")
        run_id = options.get("run_id")
        if key is not None and run_id is not None:
            message = "Give a run_id or an idempotency_key: with a key the id is derived from it."
            raise TypeError(message)
        own_id = str(uuid4()) if key is None else str(uuid5(NAMESPACE_URL, f"statecore:{flow.id}:{key}"))
        additional = options.get("additional_data") or {}
        identity = Identity(
            run_id=run_id or own_id,
            workflow_id=flow.id,
            workflow_name=flow.name,
            session_id=options.get("session_id") or flow.session_id,
            user_id=options.get("user_id") or flow.user_id,
            created=flow.host.clock(),
            input=encode(checked_input(flow.name, flow.input_schema, run_input)),
            additional_data=encode(dict(additional)) if additional else NOTHING,
            metadata=encode(flow.metadata) if flow.metadata else NOTHING,
            fingerprint=flow.compiled.program.fingerprint,
            canonical=flow.compiled.program.canonical,
            rules=RULES_VERSION,
            key=key,
        )
        state = self._session_state(identity, options.get("session_state") or {})
        check_beginning(identity, state)
        return Start(identity, state, sayings(flow.compiled), self.lease, self.carry)

    def _session_state(self, identity: Identity, given: Mapping[str, Any]) -> str:
        """The workflow's own session state, under what the session's last run left, under what the caller gives."""
        kept = self.db.session_state(identity.session_id, identity.workflow_id) or NOTHING
        own = self.workflow.session_state
        return encode({**own, **decode(kept), **given}) if own or given else kept

    def _check_same(self, again: Identity) -> None:
        """Refuse a key that began a run with another input. Raises `KeyReused`."""
        first = self.db.identity(again.run_id)
        if (first.input, first.additional_data) != (again.input, again.additional_data):
            raise KeyReused(str(again.key), f"run {again.run_id!r}, which was started with another input")

    # -- waiting -----------------------------------------------------------------------------------------------------------------------

    def run(
        self,
        input: Any = None,  # noqa: A002  # the word users know
        *,
        timeout: float | None = None,
        **options: Unpack[RunOptions],
    ) -> WorkflowRunOutput:
        """Start a run and wait until people are owed or it is over. A failed run is returned, and does not raise: it failed elsewhere."""
        return self.wait(self.start(input, **options), timeout=timeout)

    def wait(self, run_id: str, *, timeout: float | None = None) -> WorkflowRunOutput:
        """Wait until a run rests: until people are owed or it is over. Raises `StoreUnavailable` after `timeout` seconds."""
        until, pause = None if timeout is None else monotonic() + timeout, 0.02
        while True:
            if self.db.rests(run_id):
                return self.workflow.get_run_output(run_id)
            if until is not None and monotonic() > until:
                raise StoreUnavailable(self.db.path, f"run {run_id!r} goes on still after {timeout} s")
            sleep(pause)
            pause = min(0.5, pause * 1.5)

    def continue_run(
        self,
        run_output: WorkflowRunOutput | None = None,
        *,
        run_id: str | None = None,
        retry_failed: bool = False,
        timeout: float | None = None,
    ) -> WorkflowRunOutput:
        """Hand in what was decided on a run's requirements, and wait until it rests again; or have a failed run go on.

        Raises what `decide` raises; `NotPaused` where the run is over.
        """
        run_id = run_id or (run_output.run_id if run_output is not None else None)
        if run_id is None:
            message = "continue_run needs a run output or a run_id."
            raise TypeError(message)
        if retry_failed:
            self.reopen(run_id)
        for requirement in run_output.requirements if run_output is not None else ():
            if requirement.decision is not None:
                self._hand_in(requirement)
        return self.wait(run_id, timeout=timeout)

    def _hand_in(self, requirement: Requirement) -> None:
        """Have the run take what a requirement records."""
        row = self.db.pause(requirement.run_id, requirement.pause_id)
        if row is None:
            return
        word = str(requirement.decision)
        value = fitting(row.pause, word, requirement.value)
        text = encode(value) if value is not None or word == "edit" else None
        now = self.workflow.host.clock()
        self.db.decide(Decided(requirement.run_id, requirement.pause_id, word, now, text, requirement.by, requirement.comment))

    def reopen(self, run_id: str) -> None:
        """Have a failed run go on with the step that failed: in a new Temporal execution of the same id, with all of its past.

        Raises `NotPaused` where it has not failed.
        """
        record = self.db.load(run_id)
        if record.state.run != "failed":
            raise NotPaused(run_id, STATUS[record.state.run])
        self.db.connection.do(starting.reopen(self.db.connection, run_id))


def sent(start: Start, db: TemporalDb) -> Start:
    """A start as it travels, large values moved. Raises `ValueTooLarge`."""
    identity = evolve(
        start.identity,
        input=moved(db.values, start.identity.input),
        additional_data=moved(db.values, start.identity.additional_data),
        metadata=moved(db.values, start.identity.metadata),
    )
    start = evolve(start, identity=identity)
    checked("what the run starts with", plain_start(start))
    return start
