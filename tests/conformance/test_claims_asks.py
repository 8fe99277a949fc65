"""ASK: questions from inside a step, in every store and colour."""

from __future__ import annotations

from typing import Any

import pytest

from statecore import Ask, Condition, Loop, OnError, Parallel, Router, RunStatus, Step, StepInput, Steps, Workflow
from statecore.errors import (
    AlreadyDecided,
    AskRefused,
    InvalidInput,
    PauseExpired,
    UndeclaredAsk,
    UnknownDecision,
    UnsupportedSetting,
)
from statecore.run.workflow import StepPausedEvent
from statecore.testing import Clock, timed
from tests.conformance.drive import flat, history, statuses, triggers

Seen = list[tuple[int, Any, list[Any]]]


def refund(seen: Seen) -> Any:
    """Code that asks how much and why, once more where it is a lot, and hands on all of it."""

    def code(asked: StepInput) -> Any:
        seen.append((asked.attempt, asked.notes, [each.value for each in asked.answers]))
        if not asked.answers:
            return [Ask("How much?", choices=[10, 20, 30], key="amount", notes={"quote": len(seen)}), Ask("Why?")]
        if asked.answers["amount"].value > 20 and len(asked.answers) == 2:
            deep()
        return {"paid": asked.answers["amount"].value, "why": asked.answers[1].value, "quote": asked.notes["quote"]}

    return code


def deep() -> None:
    """Ask from deep inside."""
    raise Ask("Sure?", kind="confirmation")


def once(asked: StepInput) -> Any:
    """Code that asks one question, and hands on its answer."""
    return asked.answers[0].value if asked.answers else Ask("Which?")


def answer(run, *values):
    """Answer the open questions, in their order."""
    for asked, value in zip(run.requirements, values, strict=True):
        asked.answer(value, by="ada")


@pytest.mark.spec("ASK-1", "ASK-2", "ASK-5", "ASK-7", "LAW-3")
def test_code_asks_and_is_called_again_with_the_answers(db, drive):
    """Several questions at once, then one that was raised: each call sees all answers by key and number, and the last notes; no other is made."""
    seen: Seen = []
    workflow = Workflow("flow", [Step("refund", refund(seen), may_ask=3), Step("end", lambda i: i.previous_step_content)], db)
    run = drive.run(workflow)
    assert [(each.pause_id, each.kind, each.question, each.wants, each.key) for each in run.requirements] == [
        ("refund:question:0+0", "question", "How much?", "choice", "amount"),
        ("refund:question:0+1", "question", "Why?", "text", "1"),
    ]
    assert run.requirements[0].options == [10, 20, 30]
    if drive.streams:
        assert [told.question for told in drive.heard(StepPausedEvent)] == ["How much?", "Why?"]
    answer(run, 30, "it broke")
    run = drive.resume(workflow, run)
    assert [(each.pause_id, each.wants) for each in run.requirements] == [("refund:question:1+2", "confirmation")]
    answer(run, True)
    run = drive.resume(workflow, run)
    assert (run.status, run.content) == (RunStatus.completed, {"paid": 30, "why": "it broke", "quote": 1})
    assert seen == [(0, None, []), (1, {"quote": 1}, [30, "it broke"]), (2, {"quote": 1}, [30, "it broke", True])]
    assert triggers(workflow, run.run_id, "refund") == ["enter", "ask", "answer", "answer", "ask", "answer", "succeed"]


@pytest.mark.spec("ASK-2", "CONF-9", "SAID-1")
def test_questions_are_answered_one_by_one(db, drive):
    """An answer that is not the last leaves the others open and calls nothing; one question is answered once."""
    seen: Seen = []
    workflow = Workflow("flow", [Step("refund", refund(seen), may_ask=2)], db)
    run = drive.run(workflow)
    first, second = [each.pause_id for each in run.requirements]
    workflow.decide(run.run_id, second, "answer", value="it broke", by="bob")
    run = drive.resume(workflow, run_id=run.run_id)
    assert ([each.pause_id for each in run.requirements], len(seen)) == ([first], 1)
    with pytest.raises(AlreadyDecided, match="bob"):
        workflow.decide(run.run_id, second, "answer", value="again")
    workflow.decide(run.run_id, first, "answer", value=20)
    run = drive.resume(workflow, run_id=run.run_id)
    assert (run.content, [each[2] for each in seen]) == ({"paid": 20, "why": "it broke", "quote": 1}, [[], [20, "it broke"]])
    output = flat(run.step_results)["refund"]
    assert [(each.kind, each.value, each.by) for each in output.decisions] == [
        ("question", "it broke", "bob"),
        ("question", 20, None),
    ]


@pytest.mark.spec("ASK-1", "RUN-8")
def test_a_call_that_asks_leaves_nothing_but_its_notes(db, drive):
    """What it wrote to the session state is undone; the attempt that completes writes."""

    def code(asked, run_context):
        run_context.session_state["calls"] = run_context.session_state.get("calls", 0) + 1
        return once(asked)

    workflow = Workflow("flow", [Step("ask", code, may_ask=1)], db)
    run = drive.run(workflow)
    assert run.session_state == {}
    answer(run, "this")
    assert drive.resume(workflow, run).session_state == {"calls": 1}


REPEATED: dict[str, dict[str, Any]] = {
    "by itself": {"max_retries": 1},
    "by a person": {"on_error": OnError.pause},
    "after a rejected review": {"requires_output_review": True, "on_reject": "retry"},
    "reopened": {},
}


@pytest.mark.spec("ASK-3", "ASK-2", "KEY-2")
@pytest.mark.parametrize("cause", REPEATED)
def test_every_repetition_sees_the_same_answers(db, drive, cause):
    """A person is never asked twice for one thing, whatever calls the step again; the key of its wish changes with the answers alone."""
    seen, keys, fails = [], [], [cause != "after a rejected review"]

    def code(asked):
        seen.append((asked.attempt, asked.notes, [each.value for each in asked.answers]))
        keys.append(asked.idempotency_key.rpartition("/")[2])
        if not asked.answers:
            return Ask("Which?", notes=7)
        if fails.pop() if fails else False:
            raise OSError
        return asked.answers[0].value

    workflow = Workflow("flow", [Step("ask", code, may_ask=1, **REPEATED[cause])], db)
    run = drive.run(workflow)
    answer(run, "this")
    if cause == "reopened":
        with pytest.raises(OSError):
            drive.resume(workflow, run)
        run = drive.resume(workflow, run_id=run.run_id, retry_failed=True)
    else:
        run = drive.resume(workflow, run)
    if run.steps_with_errors:
        run.steps_with_errors[0].retry()
        run = drive.resume(workflow, run)
    if run.is_paused:
        run.steps_requiring_output_review[0].reject("shorter")
        run = drive.resume(workflow, run)
        run.steps_requiring_output_review[0].confirm()
        run = drive.resume(workflow, run)
    assert (run.status, run.content) == (RunStatus.completed, "this")
    assert seen == [(0, None, []), (1, 7, ["this"]), (2, 7, ["this"])]
    assert keys == ["ask", "ask~a1", "ask~r1~a1" if cause == "after a rejected review" else "ask~a1"]


@pytest.mark.spec("ASK-2", "ASK-5")
@pytest.mark.parametrize(("on_reject", "status"), [("skip", RunStatus.completed), ("cancel", RunStatus.cancelled)])
def test_a_no_to_one_question_closes_the_others(db, drive, on_reject, status):
    """A rejection skips the step or cancels the run; the other question is no longer asked, and what was said of it is not used."""
    seen: Seen = []
    workflow = Workflow(
        "flow", [Step("refund", refund(seen), may_ask=2, on_reject=on_reject), Step("end", lambda i: i.previous_step_content)], db
    )
    run = drive.run(workflow)
    first, second = [each.pause_id for each in run.requirements]
    workflow.decide(run.run_id, first, "reject", by="ada", comment="not ours")
    workflow.decide(run.run_id, second, "answer", value="said in vain")
    run = drive.resume(workflow, run_id=run.run_id)
    assert (run.status, run.content, len(seen), run.requirements) == (status, None, 1, [])
    assert statuses(run)["refund"] == ("skipped" if on_reject == "skip" else "cancelled")
    assert triggers(workflow, run.run_id, "refund") == ["enter", "ask", "reject"]


@pytest.mark.spec("ASK-5", "ASK-2", "TIME-3")
@pytest.mark.parametrize(("on_timeout", "status"), [("skip", RunStatus.completed), ("cancel", RunStatus.cancelled)])
def test_a_question_expires_with_those_beside_it(db, drive, on_timeout, status):
    """After the deadline an answer is refused; the silence skips the step or cancels the run, also where another one was answered in time."""
    seen: Seen = []
    clock = Clock()
    workflow = timed(Workflow("flow", [Step("refund", refund(seen), may_ask=2, timeout=60, on_timeout=on_timeout)], db), clock)
    run = drive.run(workflow)
    first, second = [each.pause_id for each in run.requirements]
    workflow.decide(run.run_id, second, "answer", value="in time")
    run = drive.resume(workflow, run_id=run.run_id)
    assert run.is_paused
    clock.advance(61)
    with pytest.raises(PauseExpired):
        workflow.decide(run.run_id, first, "answer", value=10)
    run = drive.resume(workflow, run_id=run.run_id)
    assert (run.status, len(seen)) == (status, 1)
    assert triggers(workflow, run.run_id, "refund") == ["enter", "ask", "answer", "expire"]


@pytest.mark.spec("ASK-5", "CANCEL-1")
def test_a_run_is_cancelled_over_its_questions(db, drive):
    """A cancellation closes all of them."""
    workflow = Workflow("flow", [Step("refund", refund([]), may_ask=2)], db)
    run = drive.run(workflow)
    assert workflow.cancel_run(run.run_id)
    assert workflow.get_run_output(run.run_id).status is RunStatus.cancelled
    assert workflow.list_pauses(run_id=run.run_id) == []


@pytest.mark.spec("ASK-4")
@pytest.mark.parametrize(
    ("may_ask", "asks", "error"),
    [(0, 1, UndeclaredAsk), (1, 2, AskRefused), (2, 3, AskRefused)],
)
def test_code_asks_no_more_than_its_step_says(db, drive, may_ask, asks, error):
    """More questions than declared are a named error of the step, which no automatic retry repeats."""
    calls = []

    def code(_asked):
        calls.append(1)
        return [Ask("Which?")] * asks

    workflow = Workflow("flow", [Step("ask", code, max_retries=2, **({"may_ask": may_ask} if may_ask else {}))], db)
    with pytest.raises(error, match="'ask'"):
        drive.run(workflow)
    assert len(calls) == 1


@pytest.mark.spec("ASK-4")
def test_the_bound_counts_the_whole_visit(db, drive):
    """A second round counts with the first; a component that is visited again counts from zero."""

    def code(asked):
        return Ask("Which?") if len(asked.answers) < 3 else "done"

    workflow = Workflow("flow", [Step("ask", code, may_ask=2, on_error="skip")], db)
    run = drive.run(workflow)
    for word in ("a", "b"):
        answer(run, word)
        run = drive.resume(workflow, run)
    output = flat(run.step_results)["ask"]
    assert (output.status, output.failures[-1]["error_type"]) == ("skipped", "AskRefused")


@pytest.mark.spec("ASK-3", "ASK-7")
@pytest.mark.parametrize(
    "asks",
    [
        lambda: [Ask("a", key="k"), Ask("b", key="k")],
        lambda: [Ask("a"), Ask("b", key="0")],
        lambda: Ask("a", choices=[1, 1]),
    ],
    ids=["one key", "a number as a key", "equal choices"],
)
def test_a_question_that_cannot_be_put_is_an_error(db, drive, asks):
    """A key that is asked twice in a visit, and a choice that stands twice, are the error AskRefused of the step."""
    with pytest.raises(AskRefused):
        drive.run(Workflow("flow", [Step("ask", lambda _: asks(), may_ask=3)], db))


@pytest.mark.spec("ASK-3")
def test_a_key_of_an_earlier_round_is_an_error(db, drive):
    """Code that asks again what was answered is told so."""
    workflow = Workflow("flow", [Step("ask", lambda _: Ask("Which?", key="which"), may_ask=3)], db)
    run = drive.run(workflow)
    answer(run, "this")
    with pytest.raises(AskRefused, match="'which' is asked twice"):
        drive.resume(workflow, run)


WANTED: dict[str, tuple[dict[str, Any], Any, Any, tuple[Any, ...]]] = {
    "a text": ({}, "so", "so", ("", " ", 3, None, ["so"])),
    "yes or no": ({"kind": "confirmation"}, "no", False, ("maybe", 1, None)),
    "one choice": ({"choices": [1, "1", None]}, 1, 1, (2, "2", True, [1])),
    "several choices": ({"choices": ["a", "b", "c"], "multiple": True}, ["c", "a"], ["c", "a"], ([], ["a", "a"], ["d"], "d")),
    "a form": ({"form": [{"name": "n", "field_type": "int"}]}, {"n": 3}, {"n": 3}, ({"n": "3"}, {}, {"n": 1, "m": 2})),
}


@pytest.mark.spec("ASK-6", "ASK-7")
@pytest.mark.parametrize("kind", WANTED)
def test_an_answer_is_checked_before_it_is_stored(db, drive, kind):
    """Each kind takes its own answers, and a wrong one is refused by name; nothing is stored of it."""
    settings, value, taken, wrong = WANTED[kind]
    workflow = Workflow(
        "flow", [Step("ask", lambda i: i.answers[0].value if i.answers else Ask("Which?", **settings), may_ask=1)], db
    )
    run = drive.run(workflow)
    [asked] = run.requirements
    for each in wrong:
        with pytest.raises(InvalidInput):
            workflow.decide(run.run_id, asked.pause_id, "answer", value=each)
        with pytest.raises(InvalidInput):
            asked.answer(each)
    with pytest.raises(UnknownDecision):
        workflow.decide(run.run_id, asked.pause_id, "confirm")
    assert workflow.db.decisions(run.run_id) == []
    workflow.decide(run.run_id, asked.pause_id, "answer", value=value)
    run = drive.resume(workflow, run_id=run.run_id)
    assert (run.content, type(run.content)) == (taken, type(taken))


def chooses(_about):
    """Code of another kind than a step's, which asks."""
    return Ask("Which?")


def raises(_about):
    """The same, raised."""
    raise Ask("Which?")


@pytest.mark.spec("ASK-7", "ERR-10")
@pytest.mark.parametrize("code", [chooses, raises])
@pytest.mark.parametrize(
    "component",
    [
        lambda code: Condition("c", [Step("a", once, may_ask=1)], evaluator=code, on_error="pause"),
        lambda code: Router("c", [Step("a", once, may_ask=1)], code, on_error="pause"),
        lambda code: Loop("c", [Step("a", lambda _: 1)], 2, code, on_error="pause"),
        lambda code: Step("c", lambda _: 1, requires_output_review=code, on_error="pause", may_ask=1),
    ],
    ids=["evaluator", "selector", "end condition", "predicate"],
)
def test_only_the_code_of_a_step_asks(db, component, code):
    """An `Ask` of an evaluator, a selector, an end condition or a predicate is an error of its component, and asks nothing."""
    run = Workflow("flow", [component(code)], db).run()
    assert [each.kind for each in run.requirements] == ["error"]
    assert run.steps_with_errors[0].error_type in ("AskRefused", "NotABool", "InvalidAnswer")


@pytest.mark.spec("ASK-4", "GATE-1")
def test_settings_that_fit_no_question_are_refused():
    """`may_ask` wants an executor and a count, no silence approves, and a policy for a no wants a question."""
    inner = Workflow("inner", [Step("a", once)])
    with pytest.raises(UnsupportedSetting, match="approve"):
        Step("ask", once, on_timeout="approve", timeout=60, may_ask=1)
    with pytest.raises(UnsupportedSetting, match="may_ask"):
        Step("ask", workflow=inner, may_ask=1)
    with pytest.raises(ValueError, match="may_ask"):
        Step("ask", once, may_ask=-1)
    with pytest.raises(UnsupportedSetting, match="on_reject"):
        Step("ask", once, on_reject="cancel")
    assert Step("ask", once, on_reject="cancel", timeout=60, may_ask=1).may_ask == 1


ODD: dict[str, dict[str, Any]] = {
    "no message": {"message": ""},
    "no choice": {"message": "Which?", "choices": []},
    "two kinds": {"message": "Which?", "choices": [1], "kind": "text"},
    "several of nothing": {"message": "Which?", "multiple": True},
    "a form of another kind": {"message": "Which?", "form": [{"name": "n"}], "kind": "confirmation"},
    "an unknown kind": {"message": "Which?", "kind": "gesture"},
    "an empty key": {"message": "Which?", "key": ""},
}


@pytest.mark.spec("ASK-7")
@pytest.mark.parametrize("odd", ODD)
def test_a_question_that_no_answer_fits_is_refused(odd):
    """Such a question is refused where it is written."""
    with pytest.raises(ValueError, match="is no question"):
        Ask(**ODD[odd])


# -- everywhere --------------------------------------------------------------------------------------------------------------------


@pytest.mark.spec("ASK-2", "ASK-5", "PAR-3")
def test_branches_ask_beside_each_other(db, drive):
    """Two branches ask at once; each goes on with its own answers, and a no to one leaves the other alone."""
    branches = Parallel(*[Step(name, refund([]), may_ask=2) for name in ("a", "b")], Step("c", once, may_ask=1), name="p")
    workflow = Workflow("flow", [branches], db)
    run = drive.run(workflow)
    assert [each.pause_id for each in run.requirements] == [
        "p/a:question:0+0", "p/a:question:0+1", "p/b:question:0+0", "p/b:question:0+1", "p/c:question:0+0",
    ]  # fmt: skip
    run.requirements[0].answer(10)
    run.requirements[3].answer("b's why")
    run.requirements[4].reject()
    run = drive.resume(workflow, run)
    assert [each.pause_id for each in run.requirements] == ["p/a:question:0+1", "p/b:question:0+0"]
    answer(run, "a's why", 20)
    run = drive.resume(workflow, run)
    assert run.content["a"] | {"quote": 0} == {"paid": 10, "why": "a's why", "quote": 0}
    assert run.content["b"] | {"quote": 0} == {"paid": 20, "why": "b's why", "quote": 0}
    assert run.content["c"] is None


@pytest.mark.spec("ASK-2", "ASK-3", "CONF-8")
def test_each_turn_asks_anew(db, drive):
    """In a Loop, a Router that is chosen again, a Condition, Steps and a nested workflow a visit has its own questions and answers."""
    step = Step("ask", once, may_ask=1)
    workflow = Workflow(
        "flow",
        [
            Loop("l", [step], 2),
            Router("r", [step], requires_user_input=True, requires_output_review=True, on_reject="retry"),
            Condition("c", [Steps("s", [step])], evaluator=True),
            Workflow("w", [step]),
        ],
        db,
    )
    run, ids = drive.run(workflow), []
    while run.is_paused:
        [asked] = run.requirements
        ids.append(asked.pause_id)
        match asked.kind:
            case "question":
                asked.answer(f"{len(ids)}")
            case "route":
                asked.select("ask")
            case _:
                asked.confirm() if len(ids) > 5 else asked.reject("again")
        run = drive.resume(workflow, run)
    assert [each for each in ids if ":question" in each] == [
        "l/ask:question.0:0+0", "l/ask:question.1:0+0", "r/ask:question.0:0+0", "r/ask:question.1:0+0",
        "c/then/s/ask:question:0+0", "w/ask:question:0+0",
    ]  # fmt: skip
    assert (run.status, run.content) == (RunStatus.completed, f"{len(ids)}")


@pytest.mark.spec("ASK-5", "CONF-6", "INPUT-1")
def test_a_gate_a_form_and_a_question_follow_each_other(db, drive):
    """A step with a form, a question and a review asks for each in its turn, and none twice."""

    def code(asked):
        return once(asked) if asked.additional_data["user_input"] == {"n": 3} else None

    form = [{"name": "n", "field_type": "int"}]
    workflow = Workflow(
        "flow", [Step("ask", code, may_ask=1, requires_user_input=True, user_input_schema=form, requires_output_review=True)], db
    )
    run, kinds = drive.run(workflow), []
    while run.is_paused:
        [asked] = run.requirements
        kinds.append(asked.kind)
        match asked.kind:
            case "user_input":
                asked.set_user_input(n=3)
            case "question":
                asked.answer("so")
            case _:
                asked.confirm()
        run = drive.resume(workflow, run)
    assert (kinds, run.content) == (["user_input", "question", "output_review"], "so")


@pytest.mark.spec("ASK-1", "RUN-5")
def test_every_colour_gives_one_journal(db, drive):
    """Plain, streamed and asynchronous runs ask, and are answered, in the same rows."""

    async def code(asked):
        return refund([])(asked)

    workflow = Workflow("flow", [Step("refund", code, may_ask=2)], db)
    run = drive.run(workflow, run_id="one")
    answer(run, 10, "so")
    drive.resume(workflow, run)
    found = [row[6:9] for row in history(workflow, "one")]
    assert [trigger for trigger, *_ in found] == [
        "start",
        "enter",
        "ask",
        "pause",
        "resume",
        "answer",
        "answer",
        "succeed",
        "finish",
    ]


@pytest.mark.spec("ASK-1", "ASK-5")
def test_a_question_survives_as_plain_data(db, drive):
    """A requirement comes back from its plain data, and its answer counts."""
    workflow = Workflow("flow", [Step("ask", once, may_ask=1)], db)
    run = drive.run(workflow)
    [asked] = run.requirements
    posted = type(asked).from_dict(asked.to_dict())
    posted.answer("posted")
    run = drive.resume(workflow, run_id=run.run_id, step_requirements=[posted])
    assert run.content == "posted"
