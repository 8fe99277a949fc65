"""A Hypothesis state machine of one workflow: it is run, decided, continued, crashed, reopened, cancelled, waited for and changed, in any order."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

from attrs import evolve
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from statecore.check.atoms import moments
from statecore.check.properties import Property
from statecore.definition import Step
from statecore.errors import AlreadyDecided, ClaimLost, DefinitionChanged, NotPaused, PauseExpired, RunBusy, Undecided
from statecore.lifecycles import BY_WORD, CALL_KINDS, exhaustive
from statecore.stores import Boundary, InMemoryDb, Obstacle, Pause, PauseFilter, RunFilter, RunStore
from statecore.stores.rules import words_of
from statecore.workflow.workflow import Workflow

from .doubles import ASKED, Clock, Planned, Stubs, stubbed, timed
from .invariants import assert_invariants, assert_properties, of_one_run
from .paths import answers

GONE = f"{socket.gethostname()}/an-earlier-boot/1/1"
"""An owner of which everybody on this host knows that it is dead."""

REFUSALS = (AlreadyDecided, DefinitionChanged, NotPaused, PauseExpired, RunBusy, Undecided)
OUTCOMES: dict[str, tuple[str | bool, ...]] = {
    "execute": ("succeed", "succeed", "fail", "stop", ASKED),
    "evaluate": (True, False, "fail"),
    "test": (True, False, "fail"),
    "judge": (False, True, "fail"),
}
"""The answers of a stub, by the kind of its call; a selector's answers are the choices of its Router."""
exhaustive("testing.machine.OUTCOMES", OUTCOMES, CALL_KINDS - {"select"})
ALL = 1_000_000


class Crash(BaseException):
    """The process is gone."""


class Dying:
    """A store whose process is gone after so many boundaries: before one of them, or before it hears that it was stored."""

    def __init__(self, db: RunStore, left: int, *, stored: bool) -> None:
        self._db, self._left, self._stored = db, left, stored

    def __getattr__(self, name: str) -> Any:
        """Everything else is the store's."""
        return getattr(self._db, name)

    def commit(self, boundary: Boundary) -> Obstacle:
        """Store a boundary, if the process lives."""
        self._left -= 1
        if self._left < 0 and not self._stored:
            raise Crash
        answer = self._db.commit(boundary)
        if self._left < 0:
            raise Crash
        return answer

    def release(self, run_id: str, epoch: int) -> None:
        """A dead process gives nothing back."""


class WorkflowStateMachine(RuleBasedStateMachine):
    """The machine of `workflow_machine`; derive from it to add rules and invariants of your own."""

    workflow: Workflow
    properties: tuple[Property, ...] = ()
    open_db: Callable[[], RunStore] = InMemoryDb
    reopen: Callable[[RunStore], RunStore] = staticmethod(lambda db: db)
    clock: Clock
    stubs: Stubs
    runs: int
    releases: int
    flow: Workflow

    def __init__(self) -> None:
        super().__init__()
        self.clock, self.stubs, self.runs, self.releases = Clock(), Stubs(), 0, 0
        definition = stubbed(self.workflow.definition, self.stubs)
        self.flow = Workflow(self.workflow.name, definition.steps, id=self.workflow.id, max_concurrency=definition.max_concurrency)

    @initialize()
    def open(self) -> None:
        """A fresh store."""
        self.flow = timed(self.flow, self.clock, type(self).open_db())

    @rule(script=st.lists(st.integers(0, 255), max_size=12))
    def start(self, script: list[int]) -> None:
        """Start a run."""
        self.runs += 1
        self.drive(self.flow, script, lambda flow: flow.run("input", run_id=f"run {self.runs}"))

    @precondition(lambda self: self.has_runs())
    @rule(which=st.integers(0, 7), script=st.lists(st.integers(0, 255), max_size=12), failed=st.booleans())
    def go_on(self, which: int, script: list[int], *, failed: bool) -> None:
        """Continue a run."""
        self.drive(self.flow, script, lambda flow: flow.continue_run(run_id=self.run_id(which), retry_failed=failed))

    @precondition(lambda self: self.has_runs())
    @rule(which=st.integers(0, 7), word=st.integers(0, 7))
    def decide(self, which: int, word: int) -> None:
        """Answer one of the open questions."""
        rows = self.flow.db.pauses(PauseFilter(undecided_only=False, limit=ALL))
        if rows:
            pause = rows[which % len(rows)].pause
            words = list(words_of(pause))
            chosen = words[word % len(words)]
            with suppress(*REFUSALS):
                self.flow.decide(pause.run_id, pause.pause_id, chosen, value=self.value(pause, chosen))

    @precondition(lambda self: self.has_runs())
    @rule(which=st.integers(0, 7), left=st.integers(0, 5), stored=st.booleans(), script=st.lists(st.integers(0, 255), max_size=12))
    def crash(self, which: int, left: int, script: list[int], *, stored: bool) -> None:
        """Continue a run in a process that dies on the way."""
        dying: Any = Dying(self.flow.host.executor, left, stored=stored)
        doomed = timed(self.flow, self.clock, dying)
        doomed.host = evolve(doomed.host, owner=lambda: GONE)
        with suppress(Crash):
            self.drive(doomed, script, lambda flow: flow.continue_run(run_id=self.run_id(which)))

    @precondition(lambda self: self.has_runs())
    @rule(which=st.integers(0, 7))
    def cancel(self, which: int) -> None:
        """Cancel a run."""
        self.flow.cancel_run(self.run_id(which))

    @rule(seconds=st.sampled_from([1.0, 60.0, 86_400.0]), script=st.lists(st.integers(0, 255), max_size=12))
    def wait(self, seconds: float, script: list[int]) -> None:
        """Let time pass, and apply what is over."""
        self.clock.advance(seconds)
        self.drive(self.flow, script, lambda flow: flow.tick())

    @rule(script=st.lists(st.integers(0, 255), max_size=12))
    def recover(self, script: list[int]) -> None:
        """Take over what dead processes left."""
        self.drive(self.flow, script, lambda flow: flow.recover())

    @rule()
    def release(self) -> None:
        """Go on with a changed definition: a gated step more at its end; parked runs follow it from their next boundary on."""
        self.releases += 1
        name = f"added in release {self.releases}"
        definition = stubbed(self.workflow.definition, self.stubs)
        added = Step(name, self.stubs.stub("execute", name), requires_confirmation=True)
        limit = definition.max_concurrency
        changed = Workflow(self.workflow.name, [*definition.steps, added], id=self.workflow.id, max_concurrency=limit)
        self.flow = timed(changed, self.clock, self.flow.db)

    @rule()
    def open_again(self) -> None:
        """Close the store and open it again."""
        self.flow = timed(self.flow, self.clock, type(self).reopen(self.flow.host.executor))

    @invariant()
    def holds(self) -> None:
        """The invariants of every store, and the user's own properties."""
        assert_invariants(self.flow.db)
        assert_properties(self.flow.db, self.properties)

    def teardown(self) -> None:
        """Close the store."""
        self.flow.db.close()

    # -- how it is done --------------------------------------------------------------------------------------------------------

    def drive(self, flow: Workflow, script: list[int], go: Callable[[Workflow], object]) -> None:
        """Drive with stubs that answer by the script, and well when it says no more; refusals are what they are."""
        numbers = iter(script)
        self.stubs.default = lambda kind, at: self.outcome(kind, at, next(numbers, 0))
        with suppress(Planned, ClaimLost, *REFUSALS):
            go(flow)

    def outcome(self, kind: str, at: str, number: int) -> Any:
        """The answer of a stub."""
        if kind not in OUTCOMES:
            return self.route(at) if number % 3 < 2 else []  # noqa: PLR2004  # one in three chooses nothing
        may_ask = self.flow.compiled.program.nodes[at].limits.asks
        outcomes = [each for each in OUTCOMES[kind] if each != ASKED or may_ask]
        return outcomes[number % len(outcomes)]

    def value(self, pause: Pause, word: str) -> Any:
        """The value that a decision carries."""
        match BY_WORD[word].carries:
            case "form":
                return answers(self.flow, pause.run_id, pause.pause_id)
            case "names":
                return self.route(pause.at)
            case "value":
                return "edited"
            case "reply":
                return "answered"
            case _:
                return None

    def route(self, at: str) -> list[str]:
        """The first choice of a Router."""
        return list(self.flow.compiled.program.nodes[at].exits)[:1]

    def has_runs(self) -> bool:
        """Whether the store holds a run."""
        return bool(self.flow.db.runs(RunFilter(limit=1)))

    def run_id(self, which: int) -> str:
        """One of the runs, the newest first."""
        records = self.flow.db.runs(RunFilter(limit=ALL))
        return records[which % len(records)].identity.run_id


def workflow_machine(
    workflow: Workflow,
    open_db: Callable[[], RunStore] = InMemoryDb,
    reopen: Callable[[RunStore], RunStore] | None = None,
    *,
    properties: Iterable[Property | str] = (),
) -> type[WorkflowStateMachine]:
    """The state machine of a workflow, with stubs in place of its code; its `TestCase` is a test.

    `open_db` makes a fresh store for each example, `reopen` opens the same one again. Properties, as `statecore.check` reads them, and the
    workflow's `checks` are asserted of every run after each rule. Raises `InvalidProperty` for a property that no single run can break.
    """
    judged = of_one_run(properties, workflow)
    for each in judged:
        moments(workflow.compiled.program, each.atoms)  # an unknown step is refused before the work
    own: dict[str, Any] = {"workflow": workflow, "open_db": staticmethod(open_db), "properties": judged}
    if reopen is not None:
        own["reopen"] = staticmethod(reopen)
    return type(f"{workflow.name.title().replace(' ', '')}Machine", (WorkflowStateMachine,), own)
