"""The reducer refines the oracle, and what the claims promise holds on random workflows, whatever the world answers.

The refinement plays the answers of a walk to `specs/model/oracle.py`; the properties below it are read off the walk alone.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, note, settings
from hypothesis import strategies as st

from specs.model.oracle import answers_at
from statecore.core import CANCEL, ROOT, START, Call, Event, OpenQuestion, State, advance, owed
from statecore.core.loop import recall
from statecore.definition import Condition, Definition, Loop, Step, Steps
from statecore.errors import LifecycleError
from statecore.lifecycles import TABLES
from statecore.testing.strategies import answers, definitions, families, never_called
from tests.property.walks import of_components, refines, said, waits, walk
from tests.sizes import examples

QUIET = [HealthCheck.too_slow, HealthCheck.data_too_large]
refinement = settings(max_examples=examples(120), deadline=None, print_blob=True, suppress_health_check=QUIET)
properties = settings(max_examples=examples(30), deadline=None, print_blob=True, suppress_health_check=QUIET)

TRIGGERS = sorted({row.on for table in TABLES.values() for row in table.rows})

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
    refines(walk(definition, script))


@pytest.mark.spec(
    "LOOP-1", "LOOP-2", "LOOP-3", "ROUTE-3", "ROUTE-4", "PAR-1", "PAR-2", "PAR-3", "PAR-5", "PAR-6", "INPUT-2", "INPUT-3"
)
@pytest.mark.spec("REV-1", "REV-2", "REV-4", "TIME-3", "CONF-8", "RUN-2", "RUN-3", "ERR-7", "CANCEL-1")
@refinement
@given(definition=families(), script=answers())
def test_reducer_refines_oracle_of_the_whole_family(definition, script):
    """On any workflow of all seven kinds, with every review, deadline and retry, the reducer and the oracle wait and end alike."""
    refines(walk(definition, script))


def leaf(settings: tuple[int, int, dict[str, Any]], name: str) -> Step:
    """A step whose code may ask."""
    asks, retries, more = settings
    return Step(name, lambda _: None, may_ask=asks, max_retries=retries, **more)


ASKERS = st.tuples(
    st.integers(1, 3),
    st.integers(0, 1),
    st.sampled_from(
        [
            {},
            {"on_error": "pause"},
            {"on_reject": "cancel"},
            {"timeout": 1.5, "on_timeout": "skip"},
            {"requires_output_review": True},
        ]
    ),
)


@pytest.mark.spec("ASK-2", "ASK-3", "ASK-4", "ASK-5", "ASK-8")
@refinement
@given(one=ASKERS, other=ASKERS, around=st.integers(0, 3), script=answers())
def test_reducer_refines_oracle_of_code_that_asks(one, other, around, script):
    """Where code asks, once or several questions at once, the reducer waits for what the oracle waits for, alone and inside of others."""
    steps = [leaf(one, "a"), leaf(other, "b")]
    makers: list[Any] = [lambda: steps, lambda: [Steps("s", steps)], lambda: [Loop("l", steps, 2)], lambda: [Condition("c", steps)]]
    refines(walk(Definition("flow", tuple(makers[around]())), script))


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
                agreed = {"reject"} if rejected_into else {"confirm", "amend"}
                assert agreed & {word for at_gate, word in decided if at_gate == outer}
        decided.add((at, stage.word))


@pytest.mark.spec("CONF-6")
@properties
@given(walks)
def test_confirmation_precedes_error_pause(taken):
    """A component with both asks for confirmation first and once: neither a retry nor a resumed failure asks again."""
    for at in taken.components:
        history = [move.dest for move in taken.moves if move.at == at and move.trigger != "renew"]
        assert history.count("awaiting_confirmation") == (taken.review(at).requires_confirmation and bool(history))
        if "errored_paused" in history and taken.review(at).requires_confirmation:
            assert history.index("awaiting_confirmation") < history.index("running") < history.index("errored_paused")


@pytest.mark.spec("CONF-9")
@properties
@given(walks)
def test_an_answer_is_consumed_once(taken):
    """What was answered cannot be answered again; only a second death of the same attempt, and a question put once more, are news."""
    for stage in taken.stages:
        if stage.word not in ("interrupt", "renew"):
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
        known = set() if failed else {*answers_at(stage.wait, taken.components[at]), "cancel"}
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
    """A step is completed exactly when its call said so, or a person gave its output, and each attempt of a call has one result."""
    for stage in taken.stages:
        completed = [
            move.at
            for move in of_components(stage.after)
            if move.dest == "completed" and isinstance(step := taken.components[move.at], Step) and step.workflow is None
        ]
        assert completed == ([stage.wait.at] if stage.word in {"succeed", "stop", "provide"} else [])
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
        for word in answers_at(stage.wait, taken.components[stage.wait.at]):
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
        asks, calls = any(isinstance(i, OpenQuestion) for i in items), any(isinstance(i, Call) for i in items)
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


@properties
@given(st.builds(walk, families(), answers()))
def test_what_is_remembered_is_what_is_true(taken):
    """`recall` answers as `advance` does, the first time and again, with the body of the event of this time; and refuses as it does."""
    for round_ in range(2):
        for stage in taken.stages:
            event = said(stage.wait, stage.word, taken.components)._replace(body=f"body {round_}", time=round_)
            assert recall(taken.program, stage.before, (event,)) == advance(taken.program, stage.before, event)
            if stage.before.run != "failed":
                assert recall(taken.program, stage.before, (CANCEL,)) == advance(taken.program, stage.before, CANCEL)
    if taken.stages:
        with pytest.raises(LifecycleError):
            recall(taken.program, taken.states[-1], (START,))
    known = [each.after.state for each in taken.program.memo.values()]
    assert all(cursor.marks.due is None for state in known for cursor in state.cursors)
