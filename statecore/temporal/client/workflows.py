"""`TemporalWorkflows`: a workflow whose runs live on a Temporal server. It starts them and waits; reading and deciding are the facade's own."""

from __future__ import annotations

from time import monotonic, sleep
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar, Unpack

from statecore.core import Seconds
from statecore.errors import NotPaused, StoreUnavailable
from statecore.runtime.answers import meaning, stored_value
from statecore.runtime.host import Runnable
from statecore.runtime.judge import check_seen
from statecore.runtime.launching import Driven, RunOptions, named_run, submit
from statecore.stores import Decided
from statecore.stores.rules import STATUS

from . import starting

if TYPE_CHECKING:
    from statecore.runtime.answers import Said

    from .db import TemporalDb


Output = TypeVar("Output", bound=Driven)
Given_co = TypeVar("Given_co", bound=Driven, covariant=True)


class Shown(Runnable, Protocol[Given_co]):
    """A workflow that shows its runs as outputs."""

    def get_run_output(self, run_id: str) -> Given_co:
        """A run as it stands."""


class TemporalWorkflows(Generic[Output]):
    """The runs of one workflow on a Temporal server; the definition is the same as for any store."""

    workflow: Any  # as it was given, on this store: a type that says so would have to know the facade
    db: TemporalDb

    def __init__(self, workflow: Shown[Output], db: TemporalDb) -> None:
        self.workflow, self.db = workflow.on(db), db
        db.learn(workflow)

    def start(
        self,
        input: Any = None,  # noqa: A002  # the word users know
        **options: Unpack[RunOptions],
    ) -> str:
        """Start a run and return its id; a worker drives it. With an idempotency key the id is derived from it.

        Raises `InvalidInput`, `UnstorableValue`, `ValueTooLarge`, `DuplicateRun`, `KeyReused`; then nothing was started.
        """
        return submit(self.workflow, input, **options)

    # -- waiting -----------------------------------------------------------------------------------------------------------------------

    def run(
        self,
        input: Any = None,  # noqa: A002  # the word users know
        *,
        timeout: Seconds | None = None,
        **options: Unpack[RunOptions],
    ) -> Output:
        """Start a run and wait until it pauses or ends. A failed run is returned, and does not raise: it failed elsewhere."""
        return self.wait(self.start(input, **options), timeout=timeout)

    def wait(self, run_id: str, *, timeout: Seconds | None = None) -> Output:
        """Wait until a run pauses or ends. Raises `StoreUnavailable` after `timeout` seconds."""
        until, pause = None if timeout is None else monotonic() + timeout, 0.02
        while True:
            if self.db.rests(run_id):
                output: Output = self.workflow.get_run_output(run_id)
                return output
            if until is not None and monotonic() > until:
                raise StoreUnavailable(self.db.path, f"run {run_id!r} goes on still after {timeout} s")
            sleep(pause)
            pause = min(0.5, pause * 1.5)

    def continue_run(
        self,
        run_output: Output | None = None,
        *,
        run_id: str | None = None,
        retry_failed: bool = False,
        timeout: Seconds | None = None,
    ) -> Output:
        """Submit the decisions on the requirements of a run, and wait until it pauses or ends; or reopen a failed run.

        Raises the errors of `decide`; `NotPaused` where the run has ended.
        """
        run_id = named_run(run_output, run_id)
        if retry_failed:
            self.reopen(run_id)
        for requirement in run_output.requirements if run_output is not None else ():
            if requirement.decision is not None:
                self._hand_in(requirement)
        return self.wait(run_id, timeout=timeout)

    def _hand_in(self, requirement: Said) -> None:
        """Have the run take what a requirement records."""
        row = self.db.pause(requirement.run_id, requirement.pause_id)
        if row is None:
            return
        shown = requirement.shown() if row.decided is None else None
        if shown is not None:
            check_seen(self.db.load(requirement.run_id).identity.canonical, row.pause, shown)
        word, value = meaning(row.pause, str(requirement.decision), requirement.value)
        text = stored_value(row.pause, word, value, self.workflow.compiled.components.get(row.pause.at))
        now = self.workflow.host.clock()
        self.db.decide(Decided(requirement.run_id, requirement.pause_id, word, now, text, requirement.by, requirement.comment))

    def reopen(self, run_id: str) -> None:
        """Continue a failed run with its failed step, in a new Temporal execution of the same id, with its whole journal.

        Raises `NotPaused` where it has not failed.
        """
        record = self.db.load(run_id)
        if record.state.run != "failed":
            raise NotPaused(run_id, STATUS[record.state.run])
        self.db.connection.do(starting.reopen(self.db.connection, run_id))
