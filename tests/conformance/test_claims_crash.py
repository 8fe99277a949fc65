"""CRASH: processes that die, on a store that outlives them, in every colour. What really ran is read from a file beside the store."""

from __future__ import annotations

import signal
from collections import Counter
from pathlib import Path

import pytest

from statecore import RunStatus, SqliteDb
from statecore.errors import NotPaused
from tests.conformance.drive import Drive, flat, statuses, triggers
from tests.conformance.dying import RUN_ID, die, flow, on

KILLED = -signal.SIGKILL


@pytest.fixture
def log(tmp_path):
    """Where each call is written."""
    return tmp_path / "log"


def called(log: Path) -> list[str]:
    """What was called, in order."""
    return [line.split()[0] for line in log.read_text().splitlines()] if log.exists() else []


@pytest.mark.spec("CRASH-1", "CONT-3")
@pytest.mark.parametrize("colour", ["sync", "async stream"])
def test_any_prefix_of_commits_leads_to_the_same_end(tmp_path, colour):
    """Whichever commit was the last before the process died, the run goes on to the end that it has without a crash.

    The deaths lie between calls here, so nothing is called more often than without them.
    """
    smooth = flow("long way", SqliteDb(db_file=str(tmp_path / "smooth.db")), tmp_path / "smooth.log")
    wanted = on(Drive(colour), smooth)
    assert wanted.status is RunStatus.completed
    made = Counter(called(tmp_path / "smooth.log"))
    survivals, lived = 0, False
    while not lived:
        file, log = tmp_path / f"{survivals}.db", tmp_path / f"{survivals}.log"
        lived = die(file, log, colour, "long way", f"after:{survivals}") == 0
        before = called(log)
        workflow = flow("long way", SqliteDb(db_file=str(file)), log)
        end = on(Drive(colour), workflow)
        assert (end.status, end.content) == (wanted.status, wanted.content), f"after {survivals} commits"
        assert statuses(end) == statuses(wanted)
        again = Counter(called(log)) - made
        assert sum(again.values()) == 0, f"after {survivals} commits {again} were called again; before: {before}"
        workflow.db.close()
        survivals += 1
    assert survivals > 12


@pytest.mark.spec("CRASH-2", "CONT-3")
@pytest.mark.parametrize("scenario", ["plain", "on_error=skip", "on_interrupt=retry"])
def test_a_step_whose_process_died_is_called_again(drive, db_file, log, scenario):
    """Killed inside a step, the run is taken over: the same attempt with the same key is called again, and nothing before it is."""
    assert die(db_file, log, drive.colour, scenario, "in:b") == KILLED
    workflow = flow(scenario, SqliteDb(db_file=str(db_file)), log)
    assert workflow.get_run_output(RUN_ID).status is RunStatus.running
    run = drive.resume(workflow, run_id=RUN_ID)
    assert (run.status, called(log)) == (RunStatus.completed, ["a", "b", "b", "end"])
    lines = log.read_text().splitlines()
    assert lines[1] == lines[2] == f"b 0 {RUN_ID}/b"
    assert triggers(workflow, RUN_ID, "b") == ["enter", "interrupt", "succeed"]
    assert flat(run.step_results)["b"].attempt == 0


@pytest.mark.spec("CRASH-2")
@pytest.mark.parametrize("scenario", ["on_error=pause", "on_interrupt=pause"])
@pytest.mark.parametrize("decision", ["retry", "skip"])
def test_a_step_whose_process_died_is_put_to_a_person(drive, db_file, log, scenario, decision):
    """Under pause a person is asked, with kind interrupted and error type Interrupted; the death is no retry, a retry is one."""
    assert die(db_file, log, drive.colour, scenario, "in:b") == KILLED
    workflow = flow(scenario, SqliteDb(db_file=str(db_file)), log)
    run = drive.resume(workflow, run_id=RUN_ID)
    [asked] = run.steps_with_errors
    assert (asked.kind, asked.error_type, asked.step_name, asked.retry_count) == ("interrupted", "Interrupted", "b", 0)
    assert (run.is_paused, called(log)) == (True, ["a", "b"])
    assert [each.kind for each in workflow.list_pauses(kind="interrupted")] == ["interrupted"]
    getattr(asked, decision)()
    run = drive.resume(workflow, run)
    assert run.status is RunStatus.completed
    assert called(log) == (["a", "b", "b", "end"] if decision == "retry" else ["a", "b", "end"])
    b = flat(run.step_results)["b"]
    assert (b.status, b.attempt) == (("completed", 1) if decision == "retry" else ("skipped", 0))


@pytest.mark.spec("CRASH-2", "ERR-1")
def test_a_step_whose_process_died_may_fail(drive, db_file, log):
    """`on_interrupt=fail`: the run that is taken over has failed, without any call; a person may reopen it."""
    assert die(db_file, log, drive.colour, "on_interrupt=fail", "in:b") == KILLED
    workflow = flow("on_interrupt=fail", SqliteDb(db_file=str(db_file)), log)
    run = drive.resume(workflow, run_id=RUN_ID)
    assert (run.status, called(log)) == (RunStatus.error, ["a", "b"])
    run = drive.resume(workflow, run_id=RUN_ID, retry_failed=True)
    assert (run.status, called(log)) == (RunStatus.completed, ["a", "b", "b", "end"])


@pytest.mark.spec("CRASH-2")
def test_after_three_deaths_a_person_is_asked(drive, db_file, log):
    """A step that kills its process again and again is called three times; then a person is asked, whatever the policy."""
    for _ in range(3):
        assert die(db_file, log, drive.colour, "plain", "in:b") == KILLED
    workflow = flow("plain", SqliteDb(db_file=str(db_file)), log)
    run = drive.resume(workflow, run_id=RUN_ID)
    assert (run.is_paused, called(log)) == (True, ["a", "b", "b", "b"])
    assert [(asked.kind, asked.retry_count) for asked in run.steps_with_errors] == [("interrupted", 0)]
    run.steps_with_errors[0].retry()
    assert drive.resume(workflow, run).status is RunStatus.completed


@pytest.mark.spec("CRASH-2")
def test_an_evaluator_whose_process_died_is_called_again(drive, db_file, log):
    """A death in an evaluator is treated like one in a step."""
    assert die(db_file, log, drive.colour, "evaluator", "in:evaluator") == KILLED
    run = drive.resume(flow("evaluator", SqliteDb(db_file=str(db_file)), log), run_id=RUN_ID)
    assert (run.status, called(log)) == (RunStatus.completed, ["evaluator", "evaluator", "then"])


@pytest.mark.spec("CRASH-1", "CONF-7")
def test_a_gate_holds_after_a_crash(drive, db_file, log):
    """A run whose process died before its gate was stored asks when it is recovered; nothing behind the gate ran."""
    assert die(db_file, log, drive.colour, "gate", "in:a") == KILLED
    workflow = flow("gate", SqliteDb(db_file=str(db_file)), log)
    run = drive.resume(workflow, run_id=RUN_ID)
    assert (run.paused_step_name, called(log)) == ("b", ["a", "a"])
    run.steps_requiring_confirmation[0].reject()
    assert drive.resume(workflow, run).status is RunStatus.completed
    assert called(log) == ["a", "a", "end"]


@pytest.mark.spec("CRASH-1", "CONT-3")
def test_recover_takes_over_what_the_dead_left(db_file, log):
    """`recover()` finds the runs of dead processes and drives them on; a second one finds nothing to do."""
    assert die(db_file, log, "sync", "plain", "in:b") == KILLED
    workflow = flow("plain", SqliteDb(db_file=str(db_file)), log)
    assert [(run.run_id, run.status) for run in workflow.recover()] == [(RUN_ID, RunStatus.completed)]
    assert (workflow.recover(), called(log)) == ([], ["a", "b", "b", "end"])


@pytest.mark.spec("CRASH-1", "CANCEL-1")
def test_what_the_dead_left_can_be_cancelled(db_file, log):
    """Cancelling a run whose process died ends it at once; its step is not called again."""
    assert die(db_file, log, "sync", "plain", "in:b") == KILLED
    workflow = flow("plain", SqliteDb(db_file=str(db_file)), log)
    assert workflow.cancel_run(RUN_ID) is True
    assert workflow.get_run_output(RUN_ID).status is RunStatus.cancelled
    with pytest.raises(NotPaused):
        workflow.continue_run(run_id=RUN_ID)
    assert called(log) == ["a", "b"]


@pytest.mark.spec("CRASH-1", "CONT-2")
def test_a_decision_survives_its_process(db_file, log):
    """A decision that was stored in a process that is gone is applied by the next one that continues."""
    assert die(db_file, log, "sync", "gate", "after:1") == 9
    workflow = flow("gate", SqliteDb(db_file=str(db_file)), log)
    [asked] = workflow.list_pauses()
    workflow.decide(RUN_ID, asked.pause_id, "confirm", by="ann")
    workflow.db.close()
    later = flow("gate", SqliteDb(db_file=str(db_file)), log)
    assert later.continue_run(run_id=RUN_ID).status is RunStatus.completed
    assert later.db.decisions(RUN_ID)[0].by == "ann"
