"""`statecore.testing`: what it offers works on workflows of every kind, and notices what is wrong."""

from __future__ import annotations

import builtins
import sys
from typing import Any

import pytest
from hypothesis import settings

import statecore.testing as kit
from statecore import Condition, InMemoryDb, Loop, Parallel, Router, RunStatus, SqliteDb, Step, Steps, Workflow
from statecore.errors import MissingExtra, TooManyPaths, Unanswered
from statecore.testing import Clock, Reviewer, Stubs, all_paths, assert_invariants, stubbed, timed, workflow_machine
from tests.sizes import examples


def never(_about):
    """Stand for user code that no test may call."""
    raise SystemExit("user code was called")


FORM: list[Any] = [{"name": "n", "field_type": "int"}, {"name": "colour", "allowed_values": ["red", "blue"]}]
INNER = Workflow("inner", [Step("deep", never, on_error="pause", timeout=60)])
EVERYTHING = Workflow(
    "everything",
    [
        Step("ask", never, requires_confirmation=True, on_reject="cancel"),
        Step("form", never, requires_user_input=True, user_input_schema=FORM, hitl_timeout=60, on_timeout="skip"),
        Condition(
            "fork", [Step("then", never, max_retries=1, retry_delay=5)], [Steps("group", [Step("other", never)])], evaluator=never
        ),
        Router("way", [Step("left", never), Step("right", never)], never),
        INNER,
    ],
)
LATER = Workflow(
    "later",
    [
        Loop("again", [Step("body", never)], 2, never, requires_iteration_review=True, on_reject="retry"),
        Step("draft", never, requires_output_review=never, on_reject="retry", hitl_max_retries=1),
        Parallel(Step("one", never, requires_confirmation=True), Step("two", workflow=INNER), name="both"),
    ],
)
PATHS = [*all_paths(EVERYTHING), *all_paths(LATER)]


@pytest.mark.parametrize("path", PATHS, ids=str)
def test_every_path_is_a_run(path):
    """Replayed on the real engine with stubs, a path ends as the model says, and its journal obeys the invariants."""
    db = InMemoryDb()
    run = path.run(db)
    assert (
        run.status is {"completed": RunStatus.completed, "cancelled": RunStatus.cancelled, "failed": RunStatus.error}[path.status]
    )
    assert assert_invariants(db) == 1
    assert path.story.startswith("the run starts")


def test_the_paths_use_every_row_that_applies():
    """Together the paths have each outcome of each component: every word of their events is there."""
    said = {word for path in PATHS for word in str(path).split(",")}
    expected = {
        "ask:confirm",
        "ask:reject",
        "form:input",
        "form:reject",
        "form:expire",
        "then:fail",
        "then:wake",
        "then:succeed",
        "then:stop",
    }
    assert expected <= said
    assert {
        "way:choose(left)",
        "way:choose(right+left)",
        "way:refute",
        "way:fail",
        "deep:retry",
        "deep:skip",
        "deep:expire",
        "fork:hold",
        "fork:refute",
    } <= said
    assert {"again:reject", "again:confirm", "draft:edit", "draft:hold", "draft:reject", "one:confirm", "one:reject"} <= said
    assert len({str(path) for path in PATHS}) == len(PATHS)


def test_too_many_paths_are_refused():
    """A bound that is too small is an error that says so; nothing is left out silently."""
    with pytest.raises(TooManyPaths, match="'everything' has more than 5"):
        all_paths(EVERYTHING, most=5)


def gated() -> Workflow:
    """A gate before a step that fails once."""
    failures = [OSError("once")]

    def pay(step_input):
        if failures:
            raise failures.pop()
        return step_input.additional_data["user_input"]["n"]

    return Workflow("pay", [Step("ask", lambda _: "ok", requires_confirmation=True),
                            Step("pay", pay, requires_user_input=True, on_error="pause")])  # fmt: skip


def test_a_reviewer_answers_by_script():
    """By step name, by kind, with values, one by one; what was asked is remembered."""
    reviewer = Reviewer({"confirmation": "confirm", "pay": [("input", {"n": 3})], "error": ["retry"]}, by="ada")
    run = reviewer.run(gated())
    assert (run.status, run.content) == (RunStatus.completed, 3)
    assert reviewer.asked == [("ask", "confirmation"), ("pay", "user_input"), ("pay", "error")]


@pytest.mark.parametrize("answers", [{}, {"ask": []}, {"ask": "confirm", "form": "skip"}])
def test_a_question_without_an_answer_is_an_error(answers):
    """It names the question, and the answers that there are."""
    with pytest.raises(Unanswered, match=r"confirmation of 'ask'|user_input of 'pay'"):
        Reviewer(answers).run(gated())


def test_a_clock_moves_deadlines_and_delays(statecore_clock, statecore_db):
    """Time is the test's: a deadline passes when it says so, and a delay takes no time at all."""
    tries = []

    def work(_step_input):
        tries.append(1)
        if len(tries) == 1:
            raise OSError("once")
        return len(tries)

    steps = [Step("work", work, max_retries=1, retry_delay=30), Step("ask", work, requires_confirmation=True, timeout=60)]
    flow = timed(Workflow("flow", steps), statecore_clock, statecore_db)
    run = flow.run()
    assert (run.is_paused, sum(statecore_clock.waits)) == (True, 30)
    statecore_clock.advance(59.9)
    assert flow.tick() == []
    statecore_clock.advance(0.1)
    assert [each.status for each in flow.tick()] == [RunStatus.cancelled]


def test_stubs_stand_for_all_code():
    """No code of the workflow is called; what is planned is answered, and then the default; calls are remembered."""
    stubs = Stubs({("evaluate", "fork"): [True], ("execute", "fork/then/then"): ["stop"]})
    flow = Workflow("flow", stubbed(EVERYTHING.definition, stubs).steps)
    run = Reviewer({"confirmation": "confirm", "form": ("input", {"n": 1, "colour": "red"})}).run(flow)
    assert (run.status, run.content) == (RunStatus.completed, "fork/then/then")
    assert stubs.called == [("execute", "ask"), ("execute", "form"), ("evaluate", "fork"), ("execute", "fork/then/then")]


def test_invariants_notice_what_is_wrong():
    """A state that its journal does not lead to, a missing row, a question that nobody asks: each is an AssertionError that says so."""
    for spoil, said in (
        (lambda kept: setattr(kept, "state", type(kept.state)("completed")), "its journal leads to"),
        (lambda kept: kept.entries.pop(0), "gaps"),
        (lambda kept: (kept.pauses.clear(), kept.open_at.clear()), "the inbox says"),
    ):
        db = InMemoryDb()
        Workflow("flow", [Step("a", lambda _: 1), Step("ask", never, requires_confirmation=True)], db).run()
        assert assert_invariants(db) == 1
        [kept] = db._runs.values()
        spoil(kept)
        with pytest.raises(AssertionError, match=said):
            assert_invariants(db)


@pytest.mark.parametrize("missing", ["hypothesis", "pytest"])
def test_what_is_missing_is_named(monkeypatch, missing):
    """Without Hypothesis or pytest the names that need it say which package to install."""
    name = {"hypothesis": "workflow_machine", "pytest": "StoreConformance"}[missing]
    gone = [each for each in sys.modules if each.startswith(("statecore.testing.machine", "statecore.testing.stores", missing))]
    for each in gone:
        monkeypatch.delitem(sys.modules, each)
    monkeypatch.delitem(vars(kit), name, raising=False)
    real = builtins.__import__

    def without(wanted, *rest, **more):
        if wanted.partition(".")[0] == missing:
            raise ModuleNotFoundError(name=missing)
        return real(wanted, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingExtra, match=r"statecore\[testing\]"):
        getattr(kit, name)


def test_every_name_is_there():
    """Each public name is found, and no other."""
    assert sorted(kit.__all__) == kit.__all__
    assert all(getattr(kit, name) is not None for name in kit.__all__)
    with pytest.raises(AttributeError):
        kit.nothing  # type: ignore[attr-defined]  # noqa: B018  # asking is the test


class Machine(workflow_machine(EVERYTHING)):  # type: ignore[misc]  # a class that is made
    """Everything, in memory."""


TestEverything = Machine.TestCase
TestEverything.settings = settings(max_examples=examples(15), stateful_step_count=25, deadline=None)


@pytest.mark.parametrize("flow", [EVERYTHING, LATER], ids=["everything", "later"])
def test_a_machine_runs_on_a_disk(tmp_path, flow):
    """The same rules on a file that is closed and opened again."""
    files = iter(range(1_000_000))

    def reopen(db):
        db.close()
        return SqliteDb(db.path, durability="normal")

    made = workflow_machine(flow, lambda: SqliteDb(tmp_path / f"{next(files)}.db", durability="normal"), reopen)
    case = made.TestCase
    case.settings = settings(max_examples=examples(6), stateful_step_count=20, deadline=None)
    case().runTest()


def test_a_clock_is_one():
    """A new clock begins at the same instant, and counts microseconds."""
    clock = Clock()
    clock.advance(1.5)
    assert clock() == Clock()() + 1_500_000
