"""An answer holds for what it let begin: reviews, ordered retries and takeovers, with other functions behind the same names (GATE-7b)."""

from __future__ import annotations

from asyncio import CancelledError
from typing import Any

import pytest

from statecore import Loop, RunStatus, Step, Workflow
from statecore.errors import DefinitionChanged
from statecore.stores.sqlite.store import SqliteDb2
from tests.conformance.drive import confirm_all
from tests.conformance.test_claims_other_code import code, gated

REPEATED: dict[str, dict[str, Any]] = {
    "a retry after a failure": {"on_error": "pause"},
    "a rejected review": {"requires_output_review": True, "on_reject": "retry"},
}


@pytest.mark.spec("GATE-7b")
@pytest.mark.parametrize("asked", REPEATED)
def test_a_call_that_a_person_ordered_again_is_for_the_same_code(db, drive, calls, asked):
    """A retry and a rejection that repeats the step let its code begin: a run that was interrupted there does not go on with another function."""

    def flow(name, *outcomes):
        return Workflow("flow", [Step("pay", code(calls, name, *outcomes), on_interrupt="retry", **REPEATED[asked])], db)

    fails = asked == "a retry after a failure"
    run = drive.run(flow("pay", OSError("x") if fails else None), run_id="r")
    run.requirements[0].decide("retry" if fails else "reject", by="ada")
    with pytest.raises((KeyboardInterrupt, CancelledError)):
        drive.resume(flow("pay", KeyboardInterrupt()), run)
    if isinstance(db, SqliteDb2):
        return  # format 2 keeps no digests (decision 0086)
    with pytest.raises(DefinitionChanged, match="to which 'ada' said re"):
        drive.resume(flow("wire"), run_id="r")
    drive.resume(flow("pay"), run_id="r")
    assert calls.names == ["pay"] * 3


@pytest.mark.spec("GATE-7b")
@pytest.mark.parametrize("review", ["output_review", "iteration_review"])
def test_a_confirmed_review_is_for_the_code_that_follows(db, drive, calls, review):
    """A step that failed behind a confirmed review is not reopened with another function there; the rounds before this one are not looked at."""

    def flow(name, *outcomes):
        draft = Step("draft", calls.does("draft"), requires_output_review=review == "output_review")
        loop = Loop("loop", [Step("draft", calls.does("draft"))], 3, requires_iteration_review=True, on_reject="retry")
        first = draft if review == "output_review" else loop
        return Workflow("flow", [first, Step("pay", code(calls, name, *outcomes))], db)

    run = drive.run(flow("pay"), run_id="r")
    run.requirements[0].confirm(by="ada")
    with pytest.raises(OSError, match="x"):
        drive.resume(flow("pay", OSError("x")), run)
    if isinstance(db, SqliteDb2):
        return  # format 2 keeps no digests (decision 0086)
    with pytest.raises(
        DefinitionChanged, match="the code of 'pay', or of what comes with it, is not that to which 'ada' said confirm"
    ):
        drive.resume(flow("wire"), run_id="r", retry_failed=True)
    run = drive.resume(flow("pay"), run_id="r", retry_failed=True)
    assert (run.status, calls.names) == (RunStatus.completed, ["draft", "pay", "pay"])


@pytest.mark.spec("GATE-7b", "ERR-12")
@pytest.mark.parametrize("word", ["skip", "provide"])
def test_what_was_decided_after_a_failure_is_for_the_code_that_follows(db, drive, calls, word):
    """A step that failed behind a skip, or an output that a person gave, is not reopened with another function there."""

    def flow(name, *outcomes):
        draft = Step("draft", calls.does("draft", OSError("busy")), on_error="pause")
        return Workflow("flow", [draft, Step("pay", code(calls, name, *outcomes))], db)

    run = drive.run(flow("pay"), run_id="r")
    run.requirements[0].decide(word, value="text" if word == "provide" else None, by="ada")
    with pytest.raises(OSError, match="x"):
        drive.resume(flow("pay", OSError("x")), run)
    if isinstance(db, SqliteDb2):
        return  # format 2 keeps no digests (decision 0086)
    with pytest.raises(DefinitionChanged, match=f"is not that to which 'ada' said {word}"):
        drive.resume(flow("wire"), run_id="r", retry_failed=True)
    assert drive.resume(flow("pay"), run_id="r", retry_failed=True).status is RunStatus.completed


@pytest.mark.spec("GATE-7b")
def test_a_takeover_is_for_the_code_that_was_taken(db, drive, calls):
    """A person takes a run over for other code; a third function is refused, until a person takes it, too; the one that was taken goes on."""

    def flow(name, *outcomes):
        return Workflow("flow", [Step("pay", code(calls, name, *outcomes), requires_confirmation=True)], db)

    run = drive.run(flow("pay"), run_id="r")
    confirm_all(run)
    with pytest.raises(OSError, match="x"):
        drive.resume(flow("pay", OSError("x")), run)
    with pytest.raises(OSError, match="y"):
        drive.resume(flow("wire", OSError("y")), run_id="r", retry_failed=True, adopt=True, by="bob")
    if isinstance(db, SqliteDb2):
        return  # format 2 keeps no digests (decision 0086)
    with pytest.raises(DefinitionChanged, match="is not that to which a person said confirm"):
        drive.resume(flow("cash"), run_id="r", retry_failed=True)
    with pytest.raises(OSError, match="z"):
        drive.resume(flow("wire", OSError("z")), run_id="r", retry_failed=True)
    run = drive.resume(flow("cash"), run_id="r", retry_failed=True, adopt=True, by="eve")
    assert (run.status, calls.names) == (RunStatus.completed, ["pay", "wire", "wire", "cash"])


@pytest.mark.spec("GATE-7b")
def test_a_takeover_of_another_definition_is_remembered(db, drive, calls):
    """A run that was taken over for a definition with another slice behind the yes goes on under it without a second order."""

    def flow(name, *more, **settings):
        steps = [gated(calls, "ask"), Step("pay", code(calls, name, *settings.pop("outcomes", ()))), *more]
        return Workflow("flow", steps, db)

    run = drive.run(flow("pay"), run_id="r")
    confirm_all(run)
    with pytest.raises(OSError, match="x"):
        drive.resume(flow("pay", outcomes=[OSError("x")]), run)
    longer = Step("tell", calls.does("tell"))
    with pytest.raises(DefinitionChanged):
        drive.resume(flow("pay", longer), run_id="r", retry_failed=True)
    with pytest.raises(OSError, match="y"):
        drive.resume(flow("pay", longer, outcomes=[OSError("y")]), run_id="r", retry_failed=True, adopt=True, by="bob")
    run = drive.resume(flow("pay", longer), run_id="r", retry_failed=True)
    assert (run.status, calls.names) == (RunStatus.completed, ["ask", "pay", "pay", "pay", "tell"])
