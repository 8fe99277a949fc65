"""A skipped step hands on None, and a confirmation comes before an error pause: met in most draws, and broken on purpose."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from itertools import product
from typing import Any

import pytest
from attrs import evolve
from hypothesis import HealthCheck, Phase, given, settings

from statecore.core import path
from statecore.core.state import Gather
from statecore.definition import StepInput
from statecore.lifecycles import TABLES, Row
from statecore.lifecycles import words as w
from tests.laws.test_mutation import in_place
from tests.property.situations import CAUSES, GATED, KINDS, QUESTIONS, gates, play_gate, play_skip, skips
from tests.sizes import examples

FRESH = 10 if os.environ.get("STATECORE_FRESH") else 1
"""How often each way to break an invariant is judged anew: ten times in the campaign."""
DRAWS = 200
"""How many draws a broken engine has to survive."""
QUIET = settings(max_examples=DRAWS, deadline=None, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))


@pytest.mark.spec("SKIP-1", "SKIP-2", "ERR-5", "ERR-7", "TIME-3")
@settings(max_examples=examples(100), deadline=None, suppress_health_check=list(HealthCheck))
@given(skips())
def test_skip_yields_none_previous_step_content(case):
    """What follows a skipped step sees None, for every cause, in every nesting; a Parallel around it has None in that branch's place."""
    play_skip(case)


@pytest.mark.spec("CONF-6", "ERR-4", "ERR-1", "RUN-2")
@settings(max_examples=examples(100), deadline=None, suppress_health_check=list(HealthCheck))
@given(gates())
def test_confirmation_precedes_error_pause(case):
    """A gated component asks once in each turn, before its code is called; after an error neither a retry nor a reopening asks again."""
    play_gate(case)


# -- how often the situations are met ------------------------------------------------------------------------------------------------


def drawn(strategy: Any, count: int) -> list[Any]:
    """So many draws, the same each time."""
    found: list[Any] = []

    @settings(QUIET, max_examples=count, derandomize=True)
    @given(strategy)
    def collect(case: Any) -> None:
        found.append(case)

    collect()
    return found


def test_a_skip_is_met_in_most_draws():
    """More than half of the draws skip; every cause is met in every kind of component, in a list and behind it, and every kind of question expires."""
    cases = drawn(skips(), 800)
    met = [case for case in cases if not case.forward]
    assert len(met) > len(cases) / 2
    assert {(case.cause, kind) for case in met for kind in case.kinds} == set(product(CAUSES, KINDS))
    assert {(case.cause, case.after > 0) for case in met} == set(product(CAUSES, (False, True)))
    assert {case.kinds[case.after - 1] for case in met if case.after} == set(KINDS)
    assert min(Counter(case.cause for case in met).values()) > len(met) / 10
    assert {case.question for case in met if case.cause == "expired pause"} == set(QUESTIONS)
    assert {case.kinds[case.unit] for case in met if case.unit is not None} >= {"steps", "loop", "router", "parallel", "condition"}
    assert sum(len(case.kinds) > 1 for case in met) > len(met) / 3


def test_an_error_behind_a_gate_is_met_in_most_draws():
    """More than half of the draws fail behind a gate; every gated kind is met inside others, retried by itself, by a person and reopened."""
    cases = drawn(gates(), 400)
    met = [case for case in cases if case.failures]
    assert len(met) > len(cases) / 2
    assert {(case.subject, bool(case.kinds), case.reopens) for case in met} == set(product(GATED, (False, True), (False, True)))
    assert {case.kinds[0] for case in met if case.kinds} == set(KINDS)
    assert {(case.automatic, case.reopens) for case in met} == set(product((0, 1), (False, True)))


# -- ten ways to break each ----------------------------------------------------------------------------------------------------------

Breaking = Callable[[pytest.MonkeyPatch], "AbstractContextManager[None] | None"]


def handing_on(applies: Callable[[Any, Any, str], bool], gives: str = "prev") -> Breaking:
    """A skip that hands on what the cursor had, or its output, where it applies."""
    real = path.skip

    def broken(draft: Any, node: Any, cursor: Any, trigger: str) -> None:
        if not applies(node, cursor, trigger):
            real(draft, node, cursor, trigger)
            return
        kept = cursor.marks.output if gives == "output" else cursor.prev
        went, ended = path.go_on, draft.endings
        patch = pytest.MonkeyPatch()
        patch.setattr(path, "go_on", lambda d, n, t, _prev, last: went(d, n, t, kept, last))
        real(draft, node, cursor, trigger)
        patch.undo()
        if ended and ended[-1].at == node.at:
            draft.endings[-1] = evolve(ended[-1], prev=kept)

    return lambda patch: patch.setattr(path, "skip", broken)


def closing(kind: str) -> Breaking:
    """A component of a kind that hands on what last completed inside it, where its last child hands on nothing."""
    real = path.CLOSE[kind]

    def broken(draft: Any, node: Any, child: Any, turn: Any, prev: Any, last: Any) -> Any:  # noqa: PLR0913  # as it is called
        return real(draft, node, child, turn, prev if prev is not None else last, last)

    return lambda patch: patch.setitem(path.CLOSE, kind, broken)


def reads_on(patch: pytest.MonkeyPatch) -> None:
    """A step that sees nothing is given the run's input instead."""
    real: Any = StepInput.previous_step_content

    def broken(self: Any) -> Any:
        found = real.fget(self)
        return self.input if found is None else found

    patch.setattr(StepInput, "previous_step_content", property(broken))


def without_none(patch: pytest.MonkeyPatch) -> None:
    """A Parallel leaves out the branch that handed on nothing."""

    def broken(branches: Any) -> Any:
        return Gather(tuple(each for each in branches if each[1] is not None))

    patch.setattr(path, "Gather", broken)


SKIPS: dict[str, Breaking] = {
    "a rejection lets through": handing_on(lambda _, cursor, on: on == w.reject and cursor.phase == w.awaiting_confirmation),
    "a rejected form lets through": handing_on(lambda _, cursor, on: on == w.reject and cursor.phase == w.awaiting_input),
    "a rejected output stays": handing_on(lambda _, cursor, on: on == w.reject and cursor.phase == w.awaiting_review, "output"),
    "a policy lets through": handing_on(lambda _, _cursor, on: on == w.fail),
    "a person's skip lets through": handing_on(lambda _, _cursor, on: on == w.skip),
    "a deadline lets through": handing_on(lambda _, _cursor, on: on == w.expire),
    "a unit that is left lets through": handing_on(lambda node, _, on: on in (w.fail, w.skip) and node.leaves != node.at),
    "a list hands on what completed": closing("list"),
    "a Loop hands on what completed": closing("iterations"),
    "a Router hands on what completed": closing("choices"),
    "a Parallel leaves a branch out": without_none,
    "a step that sees nothing reads the input": reads_on,
}


def row(source: str, on: str, went: str, **to: str) -> Breaking:
    """One row of the lifecycle of a step that is another."""
    return of("step", source, on, went, **to)


def added(*rows: Row) -> Breaking:
    """Rows before all others."""
    return lambda _: in_place(evolve(TABLES["step"], rows=(*rows, *TABLES["step"].rows)))


def of(machine: str, source: str, on: str, went: str, **to: str) -> Breaking:
    """One row of a lifecycle that is another."""
    table = TABLES[machine]
    [old, *_] = [r for r in table.rows if (r.source, r.on, r.dest) == (source, on, went)]
    return lambda _: in_place(evolve(table, rows=tuple(evolve(r, **to) if r is old else r for r in table.rows)))


GATES: dict[str, Breaking] = {
    "a gate that pauses for errors does not ask": added(Row(w.pending, w.enter, w.running, w.error_pauses, "RUN-1")),
    "a gate that fails does not ask": added(Row(w.pending, w.enter, w.running, w.error_fails, "RUN-1")),
    "an error comes first": row(w.pending, w.enter, w.awaiting_confirmation, dest=w.errored_paused),
    "a yes leads to the error": row(w.awaiting_confirmation, w.confirm, w.running, dest=w.errored_paused),
    "a retry asks again": row(w.errored_paused, w.retry, w.running, dest=w.awaiting_confirmation),
    "a delay asks again": row(w.backing_off, w.wake, w.running, dest=w.awaiting_confirmation),
    "a reopening asks again": row(w.failed, w.resume, w.running, dest=w.awaiting_confirmation),
    "an error asks for a confirmation": row(w.running, w.fail, w.errored_paused, dest=w.awaiting_confirmation),
    "an error skips": row(w.running, w.fail, w.errored_paused, dest=w.skipped),
    "a retry completes": row(w.errored_paused, w.retry, w.running, dest=w.completed),
    "a Loop's retry asks again": of("loop", w.errored_paused, w.retry, w.evaluating, dest=w.awaiting_confirmation),
    "a Router's retry asks again": of("router", w.errored_paused, w.retry, w.evaluating, dest=w.awaiting_confirmation),
}


@contextmanager
def engine(way: Breaking) -> Iterator[None]:
    """A broken engine."""
    with pytest.MonkeyPatch.context() as patch:
        broken = way(patch)
        if broken is None:
            yield
        else:
            with broken:
                yield


def fails(strategy: Any, play: Callable[[Any], None], way: Breaking) -> bool:
    """Whether the property fails on a broken engine, in a fresh run."""

    @settings(QUIET)
    @given(strategy)
    def judged(case: Any) -> None:
        play(case)

    try:
        with engine(way):
            judged()
    except BaseException as error:  # noqa: BLE001  # Hypothesis groups what it found; a broken engine may raise anything
        return not isinstance(error, KeyboardInterrupt | SystemExit)
    return False


def test_the_sound_engine_fails_neither():
    """The judge of broken engines finds nothing where nothing is broken."""
    assert not fails(skips(), play_skip, lambda _: None)
    assert not fails(gates(), play_gate, lambda _: None)


@pytest.mark.parametrize("way", SKIPS)
def test_a_broken_skip_is_noticed(way):
    """Each way to break it fails the property in every fresh run."""
    assert [fails(skips(), play_skip, SKIPS[way]) for _ in range(FRESH)] == [True] * FRESH


@pytest.mark.parametrize("way", GATES)
def test_a_broken_gate_is_noticed(way):
    """Each way to break it fails the property in every fresh run."""
    assert [fails(gates(), play_gate, GATES[way]) for _ in range(FRESH)] == [True] * FRESH
