"""What is too large to be sent, to be stored or to be told in a memo; and what is asked of a run, or lies beside Temporal, instead."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from statecore import Parallel, Router, RunStatus, Step, Workflow
from statecore.errors import InvalidInput, StoreUnavailable, ValuesMissing, ValueTooLarge
from statecore.stores import PauseFilter
from statecore.temporal import FolderValues, TemporalDb, TemporalWorkflows, wire
from statecore.temporal.wire import MAX_SENT, brought
from tests.temporal.conftest import GATE, Serve, Working
from tests.temporal.servers import Server
from tests.temporal.workers import until

AMOUNT = {"name": "amount", "field_type": "int"}
LOOSE = Step("gate", lambda s: s.input, requires_confirmation=True, on_error="skip")
LARGE, COMMENT = "x" * 1_000_000, "y" * 900_000
assert len(LARGE) < MAX_SENT < len(LARGE + COMMENT)


def test_what_is_too_large_is_not_sent(serve: Serve) -> None:
    """An input, a decision: refused where they are given. An output: an error of its step, as what cannot be stored is; not called again."""
    seen: list[int] = []

    def large(_step_input: Any, run_context: Any) -> str:
        seen.append(1)
        run_context.session_state["all"] = COMMENT
        return LARGE

    runs = serve(Workflow("sizes", [GATE, Step("large", large, on_error="pause")]))
    with pytest.raises(ValueTooLarge, match="SC403"):
        runs.start(LARGE, additional_data={"more": COMMENT})
    run = runs.run("x", timeout=30)
    with pytest.raises(ValueTooLarge):
        runs.workflow.decide(run.run_id, "gate:confirmation:0", "confirm", comment=LARGE + COMMENT)
    run.steps_requiring_confirmation[0].confirm()
    failed = runs.continue_run(run, timeout=30)
    assert failed.steps_with_errors[0].error_type == "ValueTooLarge"
    assert seen == [1]
    failed.steps_with_errors[0].skip()
    assert runs.continue_run(failed, timeout=30).status is RunStatus.completed


def test_what_branches_leave_together_may_be_too_large(serve: Serve) -> None:
    """Two branches leave more in the session state than can be stored: the second to end fails, and the state of the first stays."""

    def hoards(name: str) -> Callable[..., int]:
        def hoarding(_step_input: Any, run_context: Any) -> int:
            run_context.session_state[name] = COMMENT
            return 1

        return hoarding

    both = Parallel(Step("a", hoards("a"), on_error="skip"), Step("b", hoards("b"), on_error="skip"), name="both")
    run = serve(Workflow("hoard", [both, Step("after", lambda _s: "fine")])).run("x", timeout=30)
    assert run.content == "fine"
    assert [each.error_type for each in run.step_results[0].steps if each.status == "skipped"] == ["UnstorableValue"]
    assert len(run.session_state) == 1


def test_a_call_that_is_too_large_to_be_sent_fails_its_step(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a call would travel with is more than may be sent: an error of its step, and the call is not made."""
    seen: list[int] = []
    runs = serve(Workflow("heavy", [LOOSE, Step("after", seen.append, on_error="skip")]))
    run = runs.run("x", session_state={"all": "z" * 9_000}, timeout=30)
    monkeypatch.setattr(wire, "MAX_SENT", 9_000)
    run.steps_requiring_confirmation[0].confirm()
    ended = runs.continue_run(run, timeout=30)
    assert [each.error_type for each in ended.step_results] == ["ValueTooLarge", "ValueTooLarge"]
    assert seen == []


def test_large_values_live_beside_temporal_where_there_is_a_store_for_them(server: Server, serve: Serve, tmp_path: Path) -> None:
    """Input, output and edit of a megabyte and more pass by name; whoever has no such store is told so."""
    flow = Workflow(
        "values",
        [Step("echo", lambda s: s.input, requires_output_review=True), Step("size", lambda s: len(s.previous_step_content))],
    )
    runs = serve(flow, values=FolderValues(tmp_path))
    run = runs.run(LARGE, timeout=30)
    assert run.input == LARGE
    run.step_requirements[0].edit(COMMENT)
    assert runs.continue_run(run, timeout=30).content == len(COMMENT)
    assert len(list(tmp_path.iterdir())) == 2
    without = TemporalDb(server.target)
    with pytest.raises(ValuesMissing, match="no values store"):
        without.journal(run.run_id)
    empty = TemporalDb(server.target, values=FolderValues(tmp_path / "other"))
    with pytest.raises(ValuesMissing, match="does not have it"):
        empty.identity(run.run_id)
    with pytest.raises(ValuesMissing, match="no name"):
        brought(empty.values, "@../secret")
    for path in tmp_path.glob("?" * 64):
        path.write_text('"forged"')
    with pytest.raises(ValuesMissing, match="another text"):
        runs.db.journal(run.run_id)
    without.close()
    empty.close()


def test_forms_and_choices_are_shown_and_judged_without_a_worker(server: Server) -> None:
    """What people are shown of a definition has travelled with the run: its form, its choices, and what does not fit them."""
    form = Step("form", lambda s: s.additional_data["user_input"], requires_user_input=True, user_input_schema=[AMOUNT])
    choices = [Step("x", lambda _s: "x"), Step("y", lambda _s: "y")]
    way = Router("way", choices, requires_user_input=True, allow_multiple_selections=True, user_input_message="Where to?")
    db = TemporalDb(server.target, wait=False)
    for flow, right, wrong in (
        (Workflow("f", [form]), {"amount": 3}, {"amount": "much"}),
        (Workflow("w", [way]), ["y", "x"], ["z"]),
    ):
        runs = TemporalWorkflows(flow, db)
        [asked] = runs.wait(runs.start("x"), timeout=30).step_requirements
        word = "input" if flow.name == "f" else "select"
        with pytest.raises(InvalidInput):
            runs.workflow.decide(asked.run_id, asked.pause_id, word, value=wrong)
        runs.workflow.decide(asked.run_id, asked.pause_id, word, value=right)
        shown = [each.name for each in asked.user_input_schema or ()] or asked.available_choices
        assert shown in (["amount"], ["x", "y"])
    db.close()


def test_a_session_state_that_is_too_much_for_a_memo(serve: Serve) -> None:
    """It is asked of the run, also of one that is over."""
    runs = serve(Workflow("state", [Step("one", lambda _s: 1)], session_id="large state"))
    run = runs.run("x", session_state={"all": "z" * 9_000}, timeout=30)
    assert len(run.session_state["all"]) == 9_000
    [listed] = until(lambda: runs.workflow.list_runs(session_id="large state"))
    assert listed.session_state == run.session_state


def test_what_does_not_fit_a_memo_is_asked_of_the_run(serve: Serve) -> None:
    """Forty questions with long sentences are more than a memo holds; they are listed all the same, by asking the run."""
    steps = [Step(f"s{n}", lambda _s: 1, requires_confirmation=True, confirmation_message="?" * 2_000) for n in range(40)]
    runs = serve(Workflow("wide", [Parallel(*steps, name="all")]))
    run_id = runs.start("x")
    assert len(until(lambda: runs.workflow.list_pauses(run_id=run_id))) == 40
    assert len(until(runs.workflow.list_pauses)) == 40
    assert runs.db.rests(run_id)
    assert runs.workflow.list_runs(status="paused")[0].run_id == run_id
    runs.workflow.cancel_run(run_id)  # nobody after this test would answer for it


def test_a_run_that_nobody_answers_for_hides_no_others(db: TemporalDb, server: Server, caplog: pytest.LogCaptureFixture) -> None:
    """The inbox lists what it knows, and warns of a run with too much for a memo whose worker is gone; named, that run is refused."""
    steps = [Step(f"s{n}", lambda _s: 1, requires_confirmation=True, confirmation_message="?" * 2_000) for n in range(40)]
    wide, narrow = Workflow("silent", [Parallel(*steps, name="all")]), Workflow("narrow", [GATE])
    working = Working(db, wide)
    wide_id, narrow_id = TemporalWorkflows(wide, db).start("x"), TemporalWorkflows(narrow, db).start("x")
    assert len(until(lambda: wide.on(db).list_pauses(run_id=wide_id))) == 40
    working.stop()
    impatient = TemporalDb(server.target, patience=0.2)
    warned = f"Run {wide_id!r} is not listed, because it has to be asked: no worker answers"

    def listed() -> set[str]:
        return {each.pause.run_id for each in impatient.pauses(PauseFilter())}

    until(lambda: narrow_id in listed() and warned in caplog.text)
    assert wide_id not in listed()
    with pytest.raises(StoreUnavailable, match="no worker answers"):
        impatient.pauses(PauseFilter(run_id=wide_id))
    impatient.close()
    end(db, wide_id)


def end(db: TemporalDb, run_id: str) -> None:
    """Have Temporal forget a run that no worker will execute."""

    async def terminated() -> None:
        await (await db.connection.client()).get_workflow_handle(run_id).terminate()

    db.connection.do(terminated())
