"""The simulation: deciders, workers and one fault, in every order of their store calls; larger scopes in orders drawn by a seed.

Clock, owners, store and runner are the simulation's own. Owners are of a host that nobody can look at, so that an actor that died, and
one that was only frozen, are both taken over when the clock has passed their lease; what a frozen one does then is part of the orders.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import wait
from contextlib import contextmanager, nullcontext, suppress
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from attrs import define, evolve, field, frozen

from statecore import Parallel, Step, Workflow
from statecore.db.sqlite import SqliteDb
from statecore.errors import StatecoreError
from statecore.output import WorkflowRunOutput
from statecore.runtime import delays, storing
from statecore.runtime.sync import Calls
from statecore.runtime.worker import Worker
from statecore.stores import InMemoryDb, PauseFilter, RunStore
from statecore.stores.owner import SKEW
from tests.faults.effects import Effect
from tests.faults.invariants import Evidence, violations
from tests.faults.report import Order, Tally
from tests.faults.scenarios import RUN, YES, Scenario, Work, between, once_broken, to_the_end
from tests.faults.schedule import CLOCK, Actor, Pick, Search, World, sampled, told

START = 1_700_000_000_000_000
LEASE = 60
JUMP = LEASE * 1_000_000 + SKEW + 1
READS = ("load", "journal", "decisions", "pauses", "pause", "runs", "session_state", "definition", "head")
WRITES = ("claim_next", "renew", "commit", "release", "decide", "request_cancel")
Tell = Callable[..., None]
Act = Callable[["Stage", Workflow, Tell], None]


# -- the stage ---------------------------------------------------------------------------------------------------------------------


def owner_named(name: str) -> str:
    """An actor as an owner of claims."""
    return f"far/boot/{name}/0"


class Watched:
    """A store of which each call is a move of the world that is being played."""

    blocking = False
    lease = LEASE

    def __init__(self, stage: Stage) -> None:
        for kind, names in (("read", READS), ("write", WRITES)):
            for name in names:
                setattr(self, name, partial(self.call, stage, name, kind))

    @staticmethod
    def call(stage: Stage, name: str, kind: str, *args: Any) -> Any:
        """One call: wait for its turn, then make it."""
        return stage.world.point(name, kind, partial(getattr(stage.db, name), *args))


@define
class Stage:
    """What one order after the other is played on: a fresh store, and what the world saw of each step; `held` is the run as it was read first."""

    scenario: Scenario
    db: RunStore = field(factory=InMemoryDb)
    effects: list[Effect] = field(factory=list)
    world: World = field(init=False)
    held: Any = None
    leaves: bool = False
    calm: Workflow = field(init=False)
    flows: dict[str, Workflow] = field(init=False)

    def furnish(self, names: Iterable[str]) -> None:
        """The workflow of each actor, who is an owner of a host far away, and of one whose calls are no moves."""
        self.flows = {name: self.workflow(Watched(self), name) for name in names}
        self.calm = self.workflow(self.db, "calm")

    def workflow(self, store: Any, name: str) -> Workflow:
        """The scenario's workflow for one actor."""
        workflow = Workflow("flow", self.scenario.steps(partial(self.work, name)), store, session_id="s")
        workflow.host = evolve(workflow.host, clock=lambda: self.world.now, owner=lambda: owner_named(name), lease=LEASE)
        return workflow

    def work(self, actor: str, step: str) -> Callable[..., Any]:
        """A step that notes what it does; in its middle its process may be gone."""

        def called(step_input: Any) -> str:
            run, _, place = step_input.idempotency_key.partition("/")
            at = place.partition("~r")[0]
            seen = self.stored_about(run, at, step_input.attempt)
            if self.overtaken(actor, run):
                seen = tuple(word for word in seen if word != "done")
            self.effects.append(Effect("start", run, at, step_input.attempt, 0, seen))
            if self.leaves:
                raise KeyboardInterrupt
            if actor != "calm" and self.world.acts:
                self.world.point(f"in {at}", "work")
            self.effects.append(Effect("end", run, at, step_input.attempt, 0))
            return f"{step} {step_input.attempt}"

        return called

    def overtaken(self, actor: str, run: str) -> bool:
        """Whether an actor was frozen between its claim and its call for longer than its lease, so that the run was taken over: it cannot know."""
        return self.world.now != START and self.db.load(run).owner != owner_named(actor)

    def begin(self, world: World, db: RunStore, begun: str) -> None:
        """A fresh store, on which the run waits, or was left by somebody who was told to stop in its first step."""
        self.world, self.db, self.effects, self.leaves = world, db, [], begun == "left"
        self.calm = self.calm.on(db)
        with suppress(KeyboardInterrupt):
            self.held = self.calm.run(run_id=RUN) if begun else None
        world.crashes, self.leaves = int(self.leaves), False

    def stored_about(self, run: str, at: str, attempt: int) -> tuple[str, ...]:
        """What is stored about a step at this moment: the decisions of its pauses, and whether it is done."""
        words = [
            each.word
            for each in self.db.decisions(run)
            if (row := self.db.pause(run, each.pause_id)) is not None and row.pause.at == at
        ]
        done = any(row.trigger == "succeed" and (row.at, row.attempt) == (at, attempt) for row in self.db.journal(run))
        return (*words, "done") if done else tuple(words)

    def key(self) -> Any:
        """A hash of all that is stored, and of what the world saw."""
        kept = [self.kept(run_id) for run_id in (RUN, OTHER)] if isinstance(self.db, InMemoryDb) else []
        return hash((tuple(kept), tuple(self.effects)))

    def kept(self, run_id: str) -> Any:
        """All that is stored of a run, as something that can be hashed."""
        kept = self.db._runs.get(run_id)  # type: ignore[attr-defined]  # read past the store on purpose
        if kept is None:
            return None
        who = (kept.owner, kept.lease, kept.epoch, kept.cancel_by, kept.cancel_requested)
        return (*who, kept.state, tuple(kept.entries), tuple(kept.pauses.values()), tuple(kept.decisions.values()))


# -- actors ------------------------------------------------------------------------------------------------------------------------

OTHER = "run-2"
PAUSE = "b:confirmation:0"


def heard(tell: Tell, act: Callable[[], tuple[Any, ...] | None]) -> None:
    """Act, and tell what came of it: an answer, or a refusal by name. Anything else is a violation."""
    try:
        answer = act()
    except StatecoreError as refusal:
        tell("refused", type(refusal).__name__)
    else:
        if answer is not None:
            tell(*answer)


def none(_: Any) -> None:
    """What somebody is told who asked for nothing that stays true."""


def ended(run: Any) -> tuple[Any, ...]:
    """What somebody who continued a run was told."""
    return ("status", run.status.value, run.content)


def decides(word: str, pause_id: str = PAUSE) -> Act:
    """Somebody decides; without a refusal the decision is what was asked for."""

    def act(_: Stage, workflow: Workflow, tell: Tell) -> None:
        def decide() -> tuple[Any, ...]:
            workflow.decide(RUN, pause_id, word)
            return ("decided", pause_id, word)

        heard(tell, decide)

    return act


def goes_on(times: int = 1) -> Act:
    """Somebody continues the run."""

    def act(_: Stage, workflow: Workflow, tell: Tell) -> None:
        for _time in range(times):
            heard(tell, lambda: ended(workflow.continue_run(run_id=RUN)))

    return act


def hands_in(word: str) -> Act:
    """Somebody decides on an output that was read long ago, and continues with it."""

    def act(stage: Stage, workflow: Workflow, tell: Tell) -> None:
        def both() -> tuple[Any, ...]:
            held = type(stage.held).from_dict(stage.held.to_dict())
            held.requirements[0].decide(word)
            done = workflow.continue_run(held)
            tell("decided", held.requirements[0].pause_id, word)
            return ended(done)

        heard(tell, both)

    return act


def cancels(_: Stage, workflow: Workflow, tell: Tell) -> None:
    """Somebody cancels."""
    heard(tell, lambda: ("cancelled",) if workflow.cancel_run(RUN) else None)


def starts(run_id: str) -> Act:
    """Somebody starts the run that a key names."""

    def act(_: Stage, workflow: Workflow, tell: Tell) -> None:
        heard(tell, lambda: ("started", workflow.run(run_id=run_id, idempotency_key="k").run_id))

    return act


def recovers(_: Stage, workflow: Workflow, tell: Tell) -> None:
    """Somebody takes over what was left."""
    heard(tell, lambda: none(workflow.recover()))


def works(_: Stage, workflow: Workflow, tell: Tell) -> None:
    """A worker takes a run that can go on, if there is one, and drives it; what it could not give back it gives back afterwards."""
    worker = Worker(workflow, concurrency=1)

    def once() -> None:
        for job in worker._take():  # a round of the worker, without its threads
            worker._driven(job)  # the same

    heard(tell, once)
    heard(tell, worker._return_all)  # the same


def lists(_: Stage, workflow: Workflow, tell: Tell) -> None:
    """Somebody looks at the inbox, which changes nothing."""
    heard(tell, lambda: none(workflow.list_pauses()))


def then(*acts: Act) -> Act:
    """One after the other."""

    def act(stage: Stage, workflow: Workflow, tell: Tell) -> None:
        for each in acts:
            each(stage, workflow, tell)

    return act


# -- scopes ------------------------------------------------------------------------------------------------------------------------


@frozen
class Scope:
    """Who acts on what, how often something goes wrong and the clock jumps.

    `begun` says how the actors find the run: "paused", "left" in its first step, or "" where there is none. It may end in the ways of `ends`.
    `heard`: who decides continues afterwards, so that no decision waits where nothing went wrong.
    """

    scenario: Scenario
    actors: dict[str, Act]
    begun: str = "paused"
    faults: int = 1
    jumps: int = 1
    ends: tuple[str, ...] = ("COMPLETED",)
    heard: bool = False


def gated(work: Work, **settings: Any) -> list[Any]:
    """Three steps, the one in the middle behind a gate."""
    return between(Step("b", work("b"), requires_confirmation=True, **settings), work=work)


def twice_gated(work: Work) -> list[Any]:
    """Two gated branches, and a step after them."""
    branches = [Step(name, work(name), requires_confirmation=True) for name in "bc"]
    return [Parallel(*branches, name="both"), Step("z", work("z"))]


def reviews(pause_id: str) -> Act:
    """Somebody decides one of several questions, and continues."""
    return then(decides("confirm", pause_id), goes_on())


def hands_in_one(step: str) -> Act:
    """Somebody decides one question of an output that was read long ago, and continues with it."""

    def act(stage: Stage, workflow: Workflow, tell: Tell) -> None:
        def both() -> tuple[Any, ...]:
            held = type(stage.held).from_dict(stage.held.to_dict())
            asked = next(each for each in held.requirements if each.step_name == step)
            asked.decide("confirm")
            done = workflow.continue_run(held)
            tell("decided", asked.pause_id, "confirm")
            return ended(done)

        heard(tell, both)

    return act


TWO = Scenario("two", twice_gated, {"confirmation": "confirm"}, {"both/b": YES, "both/c": YES}, branches=2)
GATE = Scenario("gate", gated, {"confirmation": "confirm"}, {"b": YES})
TIMED = Scenario("timed", partial(gated, timeout=30, on_timeout="skip"), {"confirmation": "confirm"}, {"b": YES})
FLAKY = Scenario("flaky", lambda w: between(Step("b", once_broken(w, "b"), on_error="pause"), work=w), {"error": "retry"})
ONE = Scenario("one", lambda w: [Step("b", w("b"))])
ERROR = "b:error:0"
SCOPES = {
    "conflicting": Scope(GATE, {"ann": decides("confirm"), "bob": decides("reject"), "worker": goes_on(2)}),
    "stale": Scope(GATE, {"ann": hands_in("confirm"), "bob": hands_in("reject"), "worker": goes_on()}),
    "cancel": Scope(GATE, {"ann": decides("confirm"), "bob": cancels, "worker": goes_on()}, ends=("COMPLETED", "CANCELLED")),
    "late": Scope(TIMED, {"ann": decides("confirm"), "bob": lists, "worker": goes_on()}),
    "error": Scope(FLAKY, {"ann": decides("retry", ERROR), "bob": decides("skip", ERROR), "worker": goes_on()}),
    "two": Scope(TWO, {"ann": reviews("both/b:confirmation:0"), "bob": reviews("both/c:confirmation:0")}, heard=True),
    "two handed in": Scope(TWO, {"ann": hands_in_one("b"), "bob": hands_in_one("c")}, heard=True),
    "left": Scope(ONE, {"ann": goes_on(), "bob": goes_on(), "cat": goes_on()}, begun="left"),
    "worker": Scope(GATE, {"ann": decides("confirm"), "bob": works, "cat": works}),
    "started": Scope(ONE, {"ann": starts(RUN), "bob": starts(OTHER), "worker": recovers}, begun=""),
}
LARGE = {
    "workers": Scope(
        GATE,
        {"ann": then(decides("confirm"), works), "bob": then(works, works), "cat": then(works, works), "dan": then(works, works)},
        faults=3,
        jumps=2,
    ),
    "workers of what was left": Scope(
        ONE, {"ann": works, "bob": works, "cat": works, "dan": works}, begun="left", faults=3, jumps=2
    ),
    "crowd": Scope(
        GATE,
        {
            "ann": then(decides("confirm"), goes_on(2)),
            "bob": then(decides("reject"), goes_on(2)),
            "cat": hands_in("confirm"),
            "dan": then(recovers, goes_on()),
            "eve": then(goes_on(), recovers),
        },
        faults=3,
        jumps=2,
    ),
    "crowd with cancel": Scope(
        TIMED,
        {
            "ann": then(decides("confirm"), goes_on(2)),
            "bob": then(lists, goes_on()),
            "cat": cancels,
            "dan": then(recovers, recovers),
        },
        faults=3,
        jumps=2,
        ends=("COMPLETED", "CANCELLED"),
    ),
}


def unlock() -> None:
    """Let actors read outputs beside one another: in Python 3.11 one thread at a time reads a cached property, of whichever object."""
    for each in vars(WorkflowRunOutput).values():
        if isinstance(each, cached_property) and hasattr(each, "lock"):
            each.lock = nullcontext()


@contextmanager
def patiently() -> Iterator[None]:
    """How long a call takes on this machine makes no other order.

    A driver looks for decisions once each time that it waits, and what it has on threads ends before it looks which of them have ended.
    """
    usual, landed = delays.POLL, Calls.landed  # type: ignore[attr-defined]

    def all_landed(calls: Calls, *waits: Any) -> Any:
        wait(list(calls.flying))
        return landed(calls, *waits)

    delays.POLL, Calls.landed = 60.0, all_landed  # type: ignore[attr-defined, method-assign, assignment]
    try:
        yield
    finally:
        delays.POLL, Calls.landed = usual, landed  # type: ignore[attr-defined, method-assign]


@define
class Theatre:
    """A scope that is played in one order after the other."""

    scope: Scope
    stage: Stage = field(init=False)

    def __attrs_post_init__(self) -> None:
        """The stage, furnished once."""
        unlock()
        self.stage = Stage(self.scope.scenario)
        self.stage.furnish(self.scope.actors)

    def play(self, pick: Pick, db: RunStore | None = None) -> tuple[World, list[str]]:
        """One order, on a fresh store; then everything calms down, the run is brought to its end, and everything is checked."""
        scope, stage = self.scope, self.stage
        storing.UNRETURNED.clear()  # runs of another order, with the same ids and times
        storing.LEFT.clear()
        for flow in stage.flows.values():
            flow.compiled.program.worded.clear()
        world = World([], pick, stage.key, START, JUMP, scope.faults, scope.jumps)
        stage.begin(world, db if db is not None else InMemoryDb(), scope.begun)
        world.actors += [Actor(name, partial(act, stage, stage.flows[name])) for name, act in scope.actors.items()]
        with patiently():
            world.play()
        return world, [] if world.pruned and not world.stuck else self.judge(world)

    def judge(self, world: World) -> list[str]:
        """What is wrong, once nothing goes wrong any more and every lease is over."""
        scope, stage, calm = self.scope, self.stage, self.stage.calm
        wrong = [each for actor in world.actors for each in actor.wrong]
        words = [each for actor in world.actors for each in actor.told]
        if world.stuck:
            return [*wrong, "I10 somebody goes round in circles"]
        world.now += JUMP
        ids = [run.run_id for run in calm.list_runs()]
        if len(ids) > 1:
            wrong.append(f"I3 one request began {ids}")
        wrong += [
            f"I1 {rest} was acknowledged; stored is {ids}" for what, *rest in words if what == "started" and rest[0] not in ids
        ]
        run_id = ids[0] if ids else RUN
        wrong += in_time(stage.db, run_id) if ids else ()
        calmly = world.faults == scope.faults and world.jumps == scope.jumps
        wrong += unheard(stage.db, run_id) if ids and scope.heard and calmly else ()
        try:
            calm.tick()
            status = to_the_end(calm, scope.scenario, lambda *said: words.append(said), run_id)
        except Exception as error:  # noqa: BLE001  # a run that cannot go on is what is looked for
            return [*wrong, f"I10 {type(error).__name__}: {error}"]
        scenario = evolve(scope.scenario, end=status if status in scope.ends else scope.ends[0])
        return [*wrong, *violations(Evidence(calm, scenario, run_id, stage.effects, words, world.crashes, status))]


def in_time(db: RunStore, run_id: str) -> Iterator[str]:
    """P14: what was decided was decided before its deadline, and did not expire (TIME-2)."""
    expired = {(row.at, row.turn) for row in db.journal(run_id) if row.trigger == "expire"}
    for decided in db.decisions(run_id):
        row = db.pause(run_id, decided.pause_id)
        if row is not None and row.pause.deadline is not None and decided.time >= row.pause.deadline:
            yield f"P14 {decided.word!r} of {decided.pause_id} was accepted after its deadline"
        if row is not None and (row.pause.at, row.pause.turn) in expired:
            yield f"P4 {decided.word!r} of {decided.pause_id} was accepted, and it expired all the same"


def unheard(db: RunStore, run_id: str) -> Iterator[str]:
    """SAID-1: where nothing went wrong and everybody who decided has continued the run, it does not rest with all of its questions decided."""
    rows = db.pauses(PauseFilter(run_id=run_id, undecided_only=False))
    if db.load(run_id).state.run == "paused" and rows and all(row.decided is not None for row in rows):
        yield f"SAID-1 the run is paused, and {[row.pause.pause_id for row in rows]} are decided"


# -- the campaign ------------------------------------------------------------------------------------------------------------------


def every_order(scope: tuple[str, int, int], order: Order, tally: Tally) -> None:
    """Every order of a scope with so many faults and jumps of the clock, or as many as the budget lets; what was left out is counted."""
    name, faults, jumps = scope
    what = f"{name}, {faults} faults, {jumps} jumps"
    search, theatre = Search(), Theatre(evolve(SCOPES[name], faults=faults, jumps=jumps))
    for pick in search.picks():
        world, wrong = theatre.play(pick)
        if world.pruned and not wrong:
            tally.counts[f"{what}: orders that met a known state"] += 1
        else:
            tally.add(f"{what}: orders to the end", wrong, f"SIM {name} {' '.join(world.moves)!r}")
        if order.over:
            break
    tally.counts[f"{what}: states"] = len(search.seen)
    tally.counts[f"{what}: prefixes left"] = len(search.left)
    tally.cut_short = tally.cut_short or bool(search.left)


def drawn(name: str, order: Order, tally: Tally, count: int, store: Callable[[int], RunStore] = lambda _: InMemoryDb()) -> None:
    """Orders of a scope that a seed draws."""
    theatre = Theatre((SCOPES | LARGE)[name])
    for n in range(count):
        if order.over:
            tally.cut_short = True
            return
        db = store(n)
        world, wrong = theatre.play(sampled(f"{order.seed}-{n}"), db)
        kind = type(db).__name__
        tally.add(f"{name} on {kind}: drawn", wrong, f"SIM {name} on {kind}, seed {order.seed}-{n}: {' '.join(world.moves)!r}")
        db.close()


def poisoned(tally: Tally) -> None:
    """P15: a step in which each process dies is called three times, and then a person is asked."""
    acts = {"w1": starts(RUN), "w2": recovers, "w3": recovers, "w4": recovers}
    theatre = Theatre(Scope(ONE, acts, begun="", faults=4, jumps=4))

    def relentless(world: World, _: Sequence[str]) -> str:
        if sum(actor.dead for actor in world.actors) + world.jumps > len(acts):
            return CLOCK
        actor = next(each for each in world.actors if not each.done)
        return f"{actor.name}!killed" if actor.kind == "work" else actor.name

    _, wrong = theatre.play(relentless)
    begun = sum(each.kind == "start" for each in theatre.stage.effects)
    tally.add("poison", [*wrong, *([f"P15 it began {begun} times"] if begun != len(acts) else [])], "SIM poison")


NAMES = ("late", "cancel", "left", "worker", "error", "started", "two", "two handed in", "stale", "conflicting")
CALM = [(name, 0, 0) for name in NAMES]
ONE_FAULT = [(name, 1, 0) for name, _, _ in CALM]
FROZEN = [(name, 1, 1) for name, _, _ in CALM]
EVERY_ORDER = {"sample": [*CALM[:7], ("worker", 1, 0)], "usual": [*CALM, *ONE_FAULT], "full": [*CALM, *ONE_FAULT, *FROZEN]}
"""Which scopes are tried in every order: with nothing wrong, with one fault, and with one fault and one jump of the clock past every lease.

Of the two that have the most orders a sample draws some only, as it does of all others.
"""


def run(order: Order) -> Tally:
    """Every order of the small scopes; of larger ones, and of all on a disk, orders that the seed draws."""
    tally = Tally()
    poisoned(tally)
    for scope in EVERY_ORDER[order.size][: 2 * len(SCOPES)]:
        every_order(scope, order, tally)
    for name in (*SCOPES, *LARGE):
        drawn(name, order, tally, order.of(1, 10, 100), lambda n, name=name: file_of(order.folder, name, n))  # type: ignore[misc]
        drawn(name, order, tally, order.of(5, 200, 2_000))
    for scope in EVERY_ORDER[order.size][2 * len(SCOPES) :]:
        every_order(scope, order, tally)
    return tally


def hunt(order: Order) -> Tally:
    """Until something is wrong: for deliberate faults."""
    tally = Tally()
    poisoned(tally)
    for what, size in (("drawn", 60), ("on a disk", 5), ("drawn", 400)):
        for name in (*SCOPES, *LARGE):
            if not tally.violations:
                disk = [partial(file_of, order.folder, name)] if what == "on a disk" else []
                drawn(name, order, tally, size, *disk)
    for scope in (*CALM, *FROZEN[:3], *ONE_FAULT):
        if not tally.violations:
            every_order(scope, order, tally)
    return tally


def file_of(folder: Path, name: str, n: int) -> RunStore:
    """A store on a disk."""
    return SqliteDb(folder / f"{name}-{n}.db", durability="normal", lease=LEASE)


def again(name: str, moves: str) -> Iterator[str]:
    """What is wrong with one order, by its moves."""
    world, wrong = Theatre((SCOPES | LARGE)[name]).play(told(moves))
    yield " ".join(world.moves) + (" ... and then these moves cannot be made" if world.pruned else "")
    yield from wrong or ["nothing is wrong"]


if __name__ == "__main__":  # python -m tests.faults.simulation SCOPE "MOVES"
    for line in again(*sys.argv[1:3]):
        print(line)  # noqa: T201  # a command speaks
