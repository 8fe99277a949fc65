"""ERR-12 and GATE-11: a person gives the output of a failed step, or another input to a step that allows it; both stay in the journal."""

from __future__ import annotations

from typing import Any

import pytest

from statecore import (
    Condition,
    ErrorRequirement,
    Inbox,
    InMemoryDb,
    Loop,
    OnError,
    Parallel,
    RunStatus,
    SqliteDb,
    Step,
    StepOutput,
    StepRequirement,
    Steps,
    Workflow,
)
from statecore.cli.main import main
from statecore.errors import AlreadyDecided, DefinitionError, UnknownDecision, UnstorableValue
from tests.conformance.drive import flat, triggers


class Boom(Exception):  # the user's own
    pass


def seeing(seen: list, *errors: Any):
    """User code that notes its previous content, attempt and key, and fails as often as there are errors."""
    left = list(errors)

    def code(step_input):
        seen.append((step_input.previous_step_content, step_input.attempt, step_input.idempotency_key))
        if left:
            raise left.pop(0)
        return f"done with {step_input.previous_step_content}"

    return code


GIVEN: list[Any] = ["mine", None, "", 0, {"deep": [1, (2,)]}]


# -- a person gives the output -----------------------------------------------------------------------------------------------------


@pytest.mark.spec("ERR-12", "LAW-6")
@pytest.mark.parametrize("given", GIVEN, ids=repr)
def test_a_failed_step_completes_with_what_a_person_gives(db, drive, given):
    """The step completes with the value, of its type; its code is not called again, and the next step sees the value."""
    seen: list = []
    flow = Workflow(
        "flow",
        [Step("pay", seeing(seen, Boom("no")), on_error=OnError.pause), Step("end", lambda i: [i.previous_step_content])],
        db,
    )
    run = drive.run(flow, run_id="r")
    [asked] = run.steps_with_errors
    assert asked.words == ("retry", "provide", "skip")
    asked.provide(given, by="ada", comment="paid by hand")
    run = drive.resume(flow, run)
    assert (run.status, run.content) == (RunStatus.completed, [given])
    assert type(run.content[0]) is type(given)
    assert len(seen) == 1
    assert triggers(flow, "r", "pay") == ["enter", "fail", "provide"]
    paid = flat(flow.get_run_output("r").step_results)["pay"]
    assert (paid.status, paid.content, paid.reason) == ("completed", given, "provided by ada")
    assert [each["error"] for each in paid.failures] == ["no"]
    [said] = paid.decisions
    assert (said.word, said.value, said.by, said.comment) == ("provide", given, "ada", "paid by hand")
    with pytest.raises(AlreadyDecided):
        flow.decide("r", asked.pause_id, "skip")


@pytest.mark.spec("ERR-12")
def test_what_is_given_is_not_reviewed(db, drive):
    """An output that a person gives is not put to the review or its predicate: a person has seen it."""
    judged: list = []

    def judge(output):
        judged.append(output.content)
        raise Boom(str(output.content))

    flow = Workflow("flow", [Step("draft", lambda _: "first", requires_output_review=judge, on_error=OnError.pause)], db)
    run = drive.run(flow)
    run.steps_with_errors[0].provide("mine", by="ada")
    assert drive.resume(flow, run).content == "mine"
    assert judged == ["first"]


@pytest.mark.spec("ERR-12", "SESSION-3")
def test_a_failed_attempt_leaves_nothing_beside_the_given_output(db, drive):
    """What the failed attempt wrote to the session state stays undone, and a stop that it would have said is none."""

    def pay(_step_input, run_context):
        run_context.session_state["paid"] = True
        raise Boom

    flow = Workflow("flow", [Step("pay", pay, on_error=OnError.pause), Step("end", lambda _: "end")], db)
    run = drive.run(flow)
    run.steps_with_errors[0].provide(StepOutput("mine", stop=True))
    run = drive.resume(flow, run)
    assert (run.content, run.session_state) == ("end", {})


@pytest.mark.spec("ERR-12", "ERR-7")
def test_a_unit_goes_on_with_what_is_given(db, drive):
    """Inside a group, a loop and a branch whose policy pauses, the failed step alone completes: nothing of the unit is left."""
    for wrap in (
        lambda step: Steps("u", [step, Step("after", lambda i: f"after {i.previous_step_content}")], on_error=OnError.pause),
        lambda step: Loop(
            "u", [step, Step("after", lambda i: f"after {i.previous_step_content}")], max_iterations=1, on_error=OnError.pause
        ),
        lambda step: Condition(
            "u", [step, Step("after", lambda i: f"after {i.previous_step_content}")], evaluator=True, on_error=OnError.pause
        ),
    ):
        flow = Workflow("flow", [wrap(Step("pay", seeing([], Boom())))], db)
        run = drive.run(flow)
        run.steps_with_errors[0].provide("mine")
        assert drive.resume(flow, run).content == "after mine"
    flow = Workflow(
        "flow", [Parallel(Step("a", seeing([], Boom())), Step("b", lambda _: "b"), name="p", on_error=OnError.pause)], db
    )
    run = drive.run(flow)
    run.steps_with_errors[0].provide("mine")
    assert drive.resume(flow, run).content == {"a": "mine", "b": "b"}


def test_only_a_step_takes_an_output():
    """Where a Condition asks about its own evaluator, `provide` is no answer: in the requirement, by `decide`, and for a process without the code."""

    def evaluate(_step_input):
        raise Boom

    db = InMemoryDb()
    flow = Workflow("flow", [Condition("c", [Step("a", lambda _: 1)], evaluator=evaluate, on_error=OnError.pause)], db=db)
    run = flow.run(run_id="r")
    [asked] = run.steps_with_errors
    assert asked.words == ("retry", "skip")
    for door in (lambda: asked.provide(1), lambda: flow.decide("r", asked.pause_id, "provide", value=1)):
        with pytest.raises(UnknownDecision, match="retry"):
            door()
    with pytest.raises(UnknownDecision):
        Inbox(db).decide("r", asked.pause_id, "provide", value=1)
    asked.decision, asked.value = "provide", 1  # past its method
    with pytest.raises(UnknownDecision):
        flow.continue_run(run)
    assert flow.get_run_output("r").status == "PAUSED"


@pytest.mark.spec("ERR-12", "VALUE-3")
def test_a_value_that_cannot_be_stored_is_refused_first():
    """An output, or an input, that cannot be stored is refused before anything is, and the question stays open."""
    flow = Workflow("flow", [Step("pay", seeing([], Boom()), on_error=OnError.pause, allow_edit=True)])
    run = flow.run(run_id="r")
    for word in ("provide", "edit"):
        with pytest.raises(UnstorableValue):
            flow.decide("r", run.requirements[0].pause_id, word, value=[object()])
    assert flow.get_run_output("r").requirements[0].decision is None


# -- a person gives the input ------------------------------------------------------------------------------------------------------


@pytest.mark.spec("GATE-11", "KEY-2")
@pytest.mark.parametrize("given", GIVEN, ids=repr)
def test_a_confirmation_with_another_input(db, drive, given):
    """The step gets the value in place of the previous content, under another key; what others see of the step before stays as it was."""
    seen: list = []
    pay = Step("pay", seeing(seen), requires_confirmation=True, allow_edit=True, on_reject="cancel")
    flow = Workflow("flow", [Step("quote", lambda _: "10"), pay, Step("end", lambda i: i.get_step_content("quote"))], db)
    run = drive.run(flow, run_id="r")
    [asked] = run.steps_requiring_confirmation
    assert asked.words == ("confirm", "edit", "reject")
    asked.edit(given, by="ada", comment="the newer price")
    run = drive.resume(flow, run)
    assert (run.status, run.content) == (RunStatus.completed, "10")
    [(previous, attempt, key)] = seen
    assert (previous, attempt, key) == (given, 1, "r/pay~e0")
    assert type(previous) is type(given)
    assert triggers(flow, "r", "pay") == ["enter", "amend", "succeed"]
    [said] = flat(flow.get_run_output("r").step_results)["pay"].decisions
    assert (said.kind, said.word, said.value, said.by) == ("confirmation", "edit", given, "ada")


@pytest.mark.spec("GATE-11", "ERR-4", "ERR-12")
def test_the_input_stays_through_retries_and_may_be_given_again(db, drive):
    """A retry sees the given input; another `edit` at the error replaces it, under another key, and counts as a retry."""
    seen: list = []
    code = seeing(seen, Boom("1"), Boom("2"), Boom("3"))
    pay = Step("pay", code, requires_confirmation=True, allow_edit=True, on_error=OnError.pause)
    flow = Workflow("flow", [Step("quote", lambda _: "10"), pay], db)
    run = drive.run(flow, run_id="r")
    run.steps_requiring_confirmation[0].edit("11")
    run = drive.resume(flow, run)
    assert run.steps_with_errors[0].words == ("edit", "retry", "provide", "skip")
    run.steps_with_errors[0].retry()
    run = drive.resume(flow, run)
    run.steps_with_errors[0].edit("12", by="ada")
    run = drive.resume(flow, run)
    assert run.steps_with_errors[0].retry_count == 2
    run.steps_with_errors[0].retry()
    run = drive.resume(flow, run)
    assert run.content == "done with 12"
    assert [each[0] for each in seen] == ["11", "11", "12", "12"]
    assert [each[2] for each in seen] == ["r/pay~e0", "r/pay~e0", "r/pay~e2", "r/pay~e2"]
    assert triggers(flow, "r", "pay") == ["enter", "amend", "fail", "retry", "fail", "amend", "fail", "retry", "succeed"]


@pytest.mark.spec("GATE-11", "REV-1")
def test_a_rejected_review_runs_again_with_the_given_input(db, drive):
    """After an edited gate a rejected output is made again with the same input, and the rejected output is at hand."""
    seen: list = []
    step = Step("draft", seeing(seen), requires_confirmation=True, allow_edit=True, requires_output_review=True, on_reject="retry")
    flow = Workflow("flow", [Step("brief", lambda _: "old"), step], db)
    run = drive.run(flow, run_id="r")
    run.steps_requiring_confirmation[0].edit("new")
    run = drive.resume(flow, run)
    run.steps_requiring_output_review[0].reject("shorter")
    run = drive.resume(flow, run)
    run.steps_requiring_output_review[0].confirm()
    assert drive.resume(flow, run).content == "done with new"
    assert [each[0] for each in seen] == ["new", "new"]
    assert seen[0][2] != seen[1][2]


@pytest.mark.spec("GATE-11", "CONF-8")
def test_each_iteration_takes_its_own_input(db, drive):
    """An edited input holds for its iteration alone."""
    seen: list = []
    step = Step("pay", seeing(seen), requires_confirmation=True, allow_edit=True)
    flow = Workflow("flow", [Step("quote", lambda _: "10"), Loop("l", [step], max_iterations=2)], db)
    run = drive.run(flow, run_id="r")
    run.steps_requiring_confirmation[0].edit("11")
    run = drive.resume(flow, run)
    run.steps_requiring_confirmation[0].confirm()
    assert drive.resume(flow, run).status is RunStatus.completed
    assert [each[0] for each in seen] == ["11", "10"]


@pytest.mark.spec("REV-3")
@pytest.mark.parametrize("settings", [{"requires_confirmation": True}, {"on_error": OnError.pause}], ids=["gate", "error"])
def test_edit_is_refused_where_the_step_does_not_allow_it(settings, tmp_path, capsys):
    """Without `allow_edit` no door takes an `edit`: the requirement, plain data, `decide`, an inbox, `continue_run`, the command."""
    db = SqliteDb(tmp_path / "runs.db")
    flow = Workflow("flow", [Step("pay", seeing([], Boom()), **settings)], db=db)
    run = flow.run(run_id="r")
    [asked] = run.requirements
    assert "edit" not in asked.words
    plain = asked.to_dict() | {"decision": "edit", "value": "x", "words": ["edit"]}
    kind = ErrorRequirement if asked.kind == "error" else StepRequirement
    for door in (
        lambda: asked.edit("x"),
        lambda: flow.decide("r", asked.pause_id, "edit", value="x"),
        lambda: Inbox(db).decide("r", asked.pause_id, "edit", value="x"),
        lambda: flow.continue_run(run_id="r", step_requirements=[kind.from_dict(plain)]),
    ):
        with pytest.raises(UnknownDecision):
            door()
    assert main(["edit", "r", "--text", "x", "--db", str(tmp_path / "runs.db")]) != 0
    assert "edit" in capsys.readouterr().err
    again = flow.get_run_output("r")
    assert (again.status, again.requirements[0].decision) == ("PAUSED", None)


@pytest.mark.parametrize("kind", [Steps, Loop, Parallel])
def test_a_component_that_is_no_step_takes_no_input(kind):
    """`allow_edit` on a group, and on a step that asks nothing which takes an input, is refused by name."""
    inside: Any = [Step("a", lambda _: 1)]
    with pytest.raises((DefinitionError, ValueError), match="allow_edit"):
        kind(*inside, name="g", allow_edit=True) if kind is Parallel else kind("g", inside, allow_edit=True)
    with pytest.raises(DefinitionError, match="allow_edit"):
        Step("a", lambda _: 1, allow_edit=True)


# -- another process, and the command line -----------------------------------------------------------------------------------------


@pytest.mark.spec("ERR-12", "GATE-11")
def test_the_command_line_offers_and_takes_both(tmp_path, capsys):
    """`pending` names the words with what they lead to; `edit` and `provide` store JSON or text; `show` says who gave what."""
    path = str(tmp_path / "runs.db")
    seen: list = []
    step = Step("pay", seeing(seen, Boom("no")), requires_confirmation=True, allow_edit=True, on_error=OnError.pause)
    flow = Workflow("flow", [Step("quote", lambda _: "10"), step], db=SqliteDb(path))
    run = flow.run(run_id="r")
    assert main(["pending", "--db", path]) == 0
    assert "edit    -> run 'pay' with it" in capsys.readouterr().out
    assert main(["edit", "r", "pay", "--value", '{"amount": 11}', "--by", "ada", "--db", path]) == 0
    assert flow.continue_run(run_id="r").is_paused
    assert seen[0][0] == {"amount": 11}
    assert main(["pending", "--db", path]) == 0
    assert "provide -> take it as the output of 'pay', and the run ends" in capsys.readouterr().out
    assert main(["provide", "r", "--text", "paid by hand", "--by", "ada", "--db", path]) == 0
    assert flow.continue_run(run_id=run.run_id).content == "paid by hand"
    assert main(["show", "r", "--db", path]) == 0
    shown = capsys.readouterr().out
    assert "provided by ada" in shown
    assert "edit by ada" in shown
    assert main(["verify", path]) == 0


@pytest.mark.spec("GATE-7", "GATE-11")
def test_a_word_that_a_definition_takes_away_lapses():
    """An `edit` that was stored counts no longer where the new definition does not allow it: the question is put again."""
    db = InMemoryDb()
    seen: list = []

    def flow(**more):
        step = Step("pay", seeing(seen), requires_confirmation=True, **more)
        return Workflow("flow", [Step("quote", lambda _: "10"), step], db=db)

    run = flow(allow_edit=True).run(run_id="r")
    flow(allow_edit=True).decide("r", run.requirements[0].pause_id, "edit", value="11", by="ada")
    run = flow().continue_run(run_id="r")
    [asked] = run.requirements
    assert (run.is_paused, seen, asked.words) == (True, [], ("confirm", "reject"))
    assert asked.put_again is not None
    assert "ada" in asked.put_again
    asked.confirm()
    assert flow().continue_run(run).content == "done with 10"
