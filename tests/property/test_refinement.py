"""The reducer refines the oracle, and what the claims promise holds on random workflows, whatever the world answers.

`walk` lets the reducer run a definition, answering what it owes by a script of numbers, and remembers each event with the states before
and after it. The refinement plays the same answers to `specs/oracle.py`; the properties below it are read off the walk alone.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from attrs import field, frozen
from hypothesis import HealthCheck, example, given, note, settings
from hypothesis import strategies as st

from specs.oracle import ANSWERS, Entry, Wait, run
from statecore.core import (
    BEGINNING,
    CANCEL,
    REOPEN,
    ROOT,
    START,
    Advanced,
    Ask,
    Call,
    Event,
    Move,
    State,
    Timer,
    advance,
    compile_definition,
    owed,
)
from statecore.core.program import below
from statecore.definition import Component, Condition, Definition, HumanReview, Parallel, Router, Step
from statecore.errors import LifecycleError
from statecore.lifecycles import CONDITION, GROUP, RUN, STEP, TABLES
from tests.property.definitions import answers, definitions, families, never_called
from tests.sizes import examples

if TYPE_CHECKING:
    from collections.abc import Mapping

    from statecore.core import Program
    from statecore.core.owed import Owed

QUIET = [HealthCheck.too_slow, HealthCheck.data_too_large]
refinement = settings(max_examples=examples(400), deadline=None, print_blob=True, suppress_health_check=QUIET)
properties = settings(max_examples=examples(50), deadline=None, print_blob=True, suppress_health_check=QUIET)

STOPS, CANCELS = 230, 245  # a number from here on says stop, or cancels the run: seldom, or few runs would get far
OVER = {"completed", "skipped", "cancelled"}
UNDRAWN = {"awaiting_input", "judging", "awaiting_review", "backing_off", "expire"}  # the settings for these are not drawn
TRIGGERS = sorted({row.on for table in TABLES.values() for row in table.rows})


@frozen
class Stage:
    """One event of a walk: what was waited for, the word that answered it, and the states around it."""

    before: State
    wait: Wait
    word: str
    after: Advanced

    @property
    def event(self) -> Event:
        """The event that this answer is."""
        return said(self.wait, self.word)


@frozen
class Walk:
    """A run of the reducer from its start to its end."""

    definition: Definition
    program: Program = field(repr=False)
    components: dict[str, Component] = field(repr=False)
    begun: Advanced = field(repr=False)
    stages: list[Stage] = field(repr=False)
    words: list[str]

    @property
    def states(self) -> list[State]:
        """Every state that the run rested in."""
        return [self.begun.state, *(stage.after.state for stage in self.stages)]

    @property
    def moves(self) -> list[Move]:
        """Every move of a component, in order."""
        return of_components(self.begun) + [move for stage in self.stages for move in of_components(stage.after)]

    def around(self, at: str) -> list[str]:
        """The component at an address and those around it."""
        return [outer for outer in self.components if at == outer or at.startswith(f"{outer}/")]

    def review(self, at: str) -> HumanReview:
        """The review of a component."""
        return getattr(self.components[at], "human_review", HumanReview())


def waits(program: Program, state: State) -> list[Wait]:
    """What the reducer waits for in a state, in the oracle's words."""
    if state.run == "failed":
        return [Wait("resume", "failed", c.at, c.turn, c.attempt, plain(c.prev)) for c in state.cursors]
    prev = {(cursor.at, cursor.turn): plain(cursor.prev) for cursor in state.cursors}
    return [
        Wait(
            *sort_of(item),
            item.at,
            item.turn,
            item.attempt,
            prev[item.at, item.turn],
            isinstance(item, Ask) and item.due is not None,
        )
        for item in owed(program, state)
    ]


def sort_of(item: Owed) -> tuple[str, str]:
    """What is owed, and of which kind."""
    match item:
        case Ask():
            return "ask", item.kind
        case Call():
            return "call", item.kind
        case Timer():
            return "timer", "delay"


def plain(handed: object) -> Any:
    """What was handed on, as the oracle writes it: a reference is a tuple."""
    return handed


def choice(wait: Wait, answer: int, components: Mapping[str, Component] | None = None) -> str:
    """The word that a number stands for."""
    words = ANSWERS[wait.what, wait.kind] + ("expire",) * wait.expires
    if answer >= CANCELS and wait.what != "resume":
        return "cancel"
    beside = any(isinstance(each, Parallel) and wait.at.startswith(f"{at}/") for at, each in (components or {}).items())
    if answer >= STOPS and "stop" in words and not beside:  # the oracle does not read a stop beside other branches
        return "stop"
    common = [word for word in words if word != "stop"]
    word = common[answer % len(common)]
    if word in {"select", "choose"} and components is not None:
        there = components[wait.at]
        assert isinstance(there, Router)
        last = len(there.choices) - 1
        word += (" 0", f" {last}", f" {last} 0" if last else " 0")[answer // len(common) % 3]
    return word


def said(wait: Wait, word: str, components: Mapping[str, Component] | None = None) -> Event:
    """A word as an event: the run's own words are said to the run, all others where they are waited for."""
    word, *numbers = word.split()
    chosen = tuple(below(wait.at, components[wait.at].choices[int(n)].name) for n in numbers) if components else ()  # type: ignore[union-attr]
    return {"cancel": CANCEL, "resume": REOPEN}.get(word) or Event(word, wait.at, wait.turn, wait.attempt, choices=chosen)


def of_components(advanced: Advanced) -> list[Move]:
    """The moves of components, without those of the run."""
    return [move for move in advanced.moves if move.machine != "run"]


def walk(definition: Definition, script: list[int]) -> Walk:
    """Run a definition; where the script ends, the run goes forward, and it must come to an end."""
    compiled = compile_definition(definition)
    begun = advance(compiled.program, BEGINNING, START)
    stages: list[Stage] = []
    state, longest = begun.state, len(script) + 200 * len(compiled.components)
    while open_waits := waits(compiled.program, state):
        turn = len(stages)
        assert turn <= longest, f"the run does not end: {state}"
        number = script[turn] if turn < len(script) else 0
        wait = open_waits[number % 7 % len(open_waits)]
        word = choice(wait, number, compiled.components)
        after = advance(compiled.program, state, said(wait, word, compiled.components))
        stages.append(Stage(state, wait, word, after))
        state = after.state
    words = [f"{stage.wait.at}: {stage.word}" for stage in stages]
    return Walk(definition, compiled.program, dict(compiled.components), begun, stages, words)


walks = st.builds(walk, definitions(), answers())


# -- the refinement ----------------------------------------------------------------------------------------------------------------


@pytest.mark.spec("RUN-1", "RUN-2", "RUN-3", "RUN-4", "CONF-1", "CONF-2", "CONF-3", "CONF-4", "CONF-5", "ERR-1", "ERR-2", "ERR-3")
@pytest.mark.spec("ERR-4", "ERR-5", "ERR-7", "ERR-10", "SKIP-1", "SKIP-2", "SKIP-3", "STEPS-1", "NEST-1", "CANCEL-1", "CRASH-2")
@pytest.mark.spec("COND-1", "COND-2", "COND-3", "COND-4", "COND-6")
@refinement
@example(  # what completed stays what a run hands on, however much is skipped after it
    definition=Definition("flow", (Step("a", never_called), *(Step(n, never_called, requires_confirmation=True) for n in "bc"))),
    script=[0, 1, 1],
)
@given(definition=definitions(), script=answers())
def test_reducer_refines_oracle(definition, script):
    """On any workflow of the sequential kinds and any answers the reducer waits for what the oracle waits for, and ends as it ends."""
    refines(definition, script)


@pytest.mark.spec(
    "LOOP-1", "LOOP-2", "LOOP-3", "ROUTE-3", "ROUTE-4", "PAR-1", "PAR-2", "PAR-3", "PAR-5", "PAR-6", "INPUT-2", "INPUT-3"
)
@pytest.mark.spec("REV-1", "REV-2", "REV-4", "TIME-3", "CONF-8", "RUN-2", "RUN-3", "ERR-7", "CANCEL-1")
@refinement
@given(definition=families(), script=answers())
def test_reducer_refines_oracle_of_the_whole_family(definition, script):
    """On any workflow of all seven kinds, with every review, deadline and retry, the reducer and the oracle wait and end alike."""
    refines(definition, script)


def refines(definition: Definition, script: list[int]) -> None:
    """Play one script to the reducer and to the oracle, and compare what they wait for and how they end."""
    taken = walk(definition, script)
    oracle, record = run(definition), over(of_components(taken.begun))
    answer = None
    for stage in taken.stages:
        open_waits = oracle.send(answer)  # type: ignore[arg-type]  # None starts a generator
        note(f"the oracle waits for {open_waits}; answered: {stage.word}")
        assert waits(taken.program, stage.before) == list(open_waits)
        whats = {wait.what for wait in open_waits}
        assert stage.before.run == ("failed" if "resume" in whats else "running" if whats & {"call", "timer"} else "paused")
        answer, record = (stage.wait, stage.word), record + over(of_components(stage.after))
    with pytest.raises(StopIteration) as ended:
        note(f"the oracle still waits for {oracle.send(answer)}")  # type: ignore[arg-type]
    end, state = ended.value.value, taken.states[-1]
    assert (state.run, state.result, sorted(record, key=repr)) == (end.phase, end.result, sorted(end.record, key=repr))
    assert (state.cursors, state.frames, state.endings) == ((), (), ())


def over(moves: list[Move]) -> list[Entry]:
    """What became of the components that these moves ended."""
    return [Entry(move.at, move.turn, move.dest, plain(move.hands_on)) for move in moves if move.dest in OVER]


# -- gates -------------------------------------------------------------------------------------------------------------------------


@pytest.mark.spec("CONF-1", "CONF-5", "CONF-7")
@properties
@given(walks)
def test_gates_hold_at_every_depth(taken):
    """Nothing under a component that requires confirmation is asked or called before its confirm, or ever after its reject."""
    decided: set[tuple[str, str]] = set()
    for stage in taken.stages:
        at = stage.wait.at
        for outer in taken.around(at):
            if taken.review(outer).requires_confirmation and (stage.wait.kind, outer) != ("confirmation", at):
                rejected_into = isinstance(taken.components[outer], Condition) and at.startswith(f"{outer}/else/")
                assert (outer, "reject" if rejected_into else "confirm") in decided
        decided.add((at, stage.word))


@pytest.mark.spec("CONF-6")
@properties
@given(walks)
def test_confirmation_precedes_error_pause(taken):
    """A component with both asks for confirmation first and once: neither a retry nor a resumed failure asks again."""
    for at in taken.components:
        history = [move.dest for move in taken.moves if move.at == at]
        assert history.count("awaiting_confirmation") == (taken.review(at).requires_confirmation and bool(history))
        if "errored_paused" in history and taken.review(at).requires_confirmation:
            assert history.index("awaiting_confirmation") < history.index("running") < history.index("errored_paused")


@pytest.mark.spec("CONF-9")
@properties
@given(walks)
def test_an_answer_is_consumed_once(taken):
    """What was answered cannot be answered again; only a second death of the same attempt is news."""
    for stage in taken.stages:
        if stage.word != "interrupt":
            with pytest.raises(LifecycleError):
                advance(taken.program, stage.after.state, stage.event)


@pytest.mark.spec("CONF-9", "TIME-1")
@settings(properties, max_examples=examples(25))
@given(walks)
def test_only_what_is_owed_can_be_answered(taken):
    """Each wait takes its own words and "cancel"; every other word there, and every word elsewhere, is refused by name."""
    for stage in taken.stages:
        at, turn, attempt = stage.wait.at, stage.wait.turn, stage.wait.attempt
        failed = stage.wait.what == "resume"
        known = set() if failed else {*ANSWERS[stage.wait.what, stage.wait.kind], "cancel"}
        events = [Event(word, at, turn, attempt) for word in TRIGGERS if word not in known]
        events += [Event(word) for word in TRIGGERS if word != ("resume" if failed else "cancel")]
        events += [Event(word, at, turn, attempt + 1) for word in known]
        events += [Event(word, other, turn, attempt) for word in known for other in taken.components if other != at]
        for event in events:
            note(f"{event} where the run waits for {stage.wait}")
            with pytest.raises(LifecycleError):
                advance(taken.program, stage.before, event)


# -- skips and errors --------------------------------------------------------------------------------------------------------------


@pytest.mark.spec("SKIP-1", "SKIP-2")
@properties
@given(walks)
def test_skip_yields_none_previous_step_content(taken):
    """After a skipped step, or a component left by an error, what comes next sees None; after any other skip it sees what was there."""
    for stage in taken.stages:
        skipped = [move.at for move in of_components(stage.after) if move.dest == "skipped"]
        if not skipped or not stage.after.state.cursors:
            continue
        by_error = stage.word in {"fail", "skip"}
        gives_none = by_error or isinstance(taken.components[skipped[0]], Step)
        assert waits(taken.program, stage.after.state)[0].prev == (None if gives_none else stage.wait.prev)


@pytest.mark.spec("ERR-4", "ERR-1")
@properties
@given(walks)
def test_a_retry_calls_the_failed_step_again(taken):
    """Retry, and resuming a failed run, owe the same call with the same previous content, one attempt later, and nothing else."""
    for stage in taken.stages:
        if stage.word in {"retry", "resume"}:
            [again] = waits(taken.program, stage.after.state)
            assert again == stage.wait._replace(what="call", kind=again.kind, attempt=stage.wait.attempt + 1)
            assert again.kind == ("evaluate" if isinstance(taken.components[again.at], Condition) else "execute")


@pytest.mark.spec("ERR-7", "ERR-5")
@properties
@given(walks)
def test_an_error_policy_leaves_its_component_as_a_unit(taken):
    """What an error skip leaves is recorded as skipped, from the step out to the component whose policy it was, and never runs again."""
    gone: set[str] = set()
    for stage in taken.stages:
        assert not gone & set(taken.around(stage.wait.at))
        if stage.word in {"fail", "skip"}:
            skipped = [move.at for move in of_components(stage.after) if move.dest == "skipped"]
            setting = [at for at in taken.around(stage.wait.at) if taken.review(at).on_error is not None]
            unit = max(setting, key=len, default=stage.wait.at)
            assert set(skipped) in (set(), {at for at in taken.around(stage.wait.at) if at.startswith(unit)})
            gone.update(skipped)


@pytest.mark.spec("ERR-1")
@properties
@given(walks)
def test_a_failed_run_is_failed_from_the_step_outwards(taken):
    """A run is failed if and only if a step failed; then all around that step failed, and a resume reopens exactly that."""
    for stage in taken.stages:
        failed = [move.at for move in of_components(stage.after) if move.dest == "failed"]
        assert (stage.after.state.run == "failed") == bool(failed)
        assert sorted(failed) == sorted(taken.around(stage.wait.at) if failed else [])
        if stage.word == "resume":
            reopened = [move.at for move in of_components(stage.after) if move.source == "failed"]
            assert sorted(reopened) == sorted(taken.around(stage.wait.at))


# -- running -----------------------------------------------------------------------------------------------------------------------


@pytest.mark.spec("RUN-2")
@properties
@given(walks)
def test_a_step_completes_only_if_it_was_executed(taken):
    """A step is completed exactly when its call said so, and each attempt of a call has one result."""
    for stage in taken.stages:
        completed = [
            move.at
            for move in of_components(stage.after)
            if move.dest == "completed" and isinstance(step := taken.components[move.at], Step) and step.workflow is None
        ]
        assert completed == ([stage.wait.at] if stage.word in {"succeed", "stop"} else [])
    results = Counter(stage.wait for stage in taken.stages if stage.wait.what == "call" and stage.word != "interrupt")
    assert all(count == 1 for count in results.values())


@pytest.mark.spec("COND-6", "COND-4")
@properties
@given(walks)
def test_at_most_one_branch_of_a_condition_runs(taken):
    """No run visits both branches of a Condition, and one that a person decides about is never evaluated."""
    visited = {stage.wait.at for stage in taken.stages}
    for at, it in taken.components.items():
        if isinstance(it, Condition):
            branches = {branch for branch in ("then", "else") for there in visited if there.startswith(f"{at}/{branch}/")}
            assert len(branches) <= 1
            evaluated = any(stage.wait.at == at and stage.wait.kind == "evaluate" for stage in taken.stages)
            assert not (evaluated and it.human_review.requires_confirmation)


@pytest.mark.spec("CANCEL-1")
@properties
@given(walks)
def test_cancel_ends_a_run_wherever_it_is(taken):
    """A cancellation ends a run at every wait, also when it comes together with an answer: then nothing more begins or is handed on."""
    for stage in taken.stages:
        if stage.before.run == "failed":
            continue
        for word in ANSWERS[stage.wait.what, stage.wait.kind]:
            for events in ([CANCEL], [said(stage.wait, word), CANCEL]):
                after = advance(taken.program, stage.before, *events)
                assert after.state == State("cancelled")
                assert all(move.trigger != "enter" for move in after.moves)


# -- laws of every state -----------------------------------------------------------------------------------------------------------


@properties
@given(walks)
def test_a_run_is_paused_if_and_only_if_only_people_are_waited_for(taken):
    """Paused: an answer is owed and no call; running: a call; completed and cancelled: nothing at all."""
    for state in taken.states:
        items = owed(taken.program, state)
        asks, calls = any(isinstance(i, Ask) for i in items), any(isinstance(i, Call) for i in items)
        assert (state.run == "paused") == (asks and not calls)
        assert (state.run == "running") == calls
        assert (state.run in {"completed", "cancelled"}) == (state.cursors == ())


@properties
@given(walks)
def test_ends_absorb(taken):
    """Whatever is said to an ended run is refused by name; a failed one can only be reopened."""
    for state in taken.states:
        if state.run in {"completed", "cancelled", "failed"}:
            places = {ROOT: ((), 0)} | dict.fromkeys(taken.components, ((), 0)) | {c.at: (c.turn, c.attempt) for c in state.cursors}
            for at, (turn, attempt) in places.items():
                for word in TRIGGERS:
                    if (state.run, at, word) != ("failed", ROOT, "resume"):
                        with pytest.raises(LifecycleError):
                            advance(taken.program, state, Event(word, at, turn, attempt))


@properties
@given(definition=definitions(), script=answers())
def test_the_same_answers_give_the_same_run(definition, script):
    """A run is a function of its definition and its answers: compiled and played twice, every state and move is the same."""
    once, again = walk(definition, script), walk(definition, script)
    assert once.program.canonical == again.program.canonical
    assert [hash(state) for state in once.states] == [hash(state) for state in again.states]
    assert once == again


def test_the_walks_fire_every_row():
    """The random workflows and answers above reach every row of the lifecycles that they are about, so no test here is vacuous."""
    rows = {
        (table.name, row.source, row.on, row.dest)
        for table in (STEP, CONDITION, GROUP, RUN)
        for row in table.rows
        if row.on not in UNDRAWN and not UNDRAWN & {row.source, row.dest}
    }
    fired: set[tuple[str, str, str, str]] = set()

    @settings(properties, max_examples=1_000, derandomize=True, database=None)
    @given(walks)
    def collect(taken):
        cancelled = [advance(taken.program, state, CANCEL) for state in taken.states if state.run in {"running", "paused"}]
        for advanced in (taken.begun, *(stage.after for stage in taken.stages), *cancelled):
            fired.update((move.machine, move.source, move.trigger, move.dest) for move in advanced.moves)

    collect()
    assert fired == rows
