"""An argument of a type that a call does not take is refused by one name, in every store, before anything is stored or read."""

from __future__ import annotations

from typing import Any

import pytest

from statecore import Inbox, Step, Worker, Workflow
from statecore.errors import WrongArgument
from statecore.stores import PauseFilter, RunFilter

TEXTS: tuple[Any, ...] = (3, b"r", ["r"], {"r": 1}, object(), True)
MAPPINGS: tuple[Any, ...] = (3, "r", b"r", ["r"], object(), True)
COUNTS: tuple[Any, ...] = (None, "3", 3.0, [3], object(), True)
OUTPUTS: tuple[Any, ...] = (3, "r", b"r", ["r"], {"run_id": "r"}, object())


def answered(run: Any, **more: Any) -> None:
    """Confirm the question of a run."""
    run.requirements[0].confirm(**more)


DOORS: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "run, run_id": (lambda w, _, bad: w.run("x", run_id=bad), TEXTS),
    "run, session_id": (lambda w, _, bad: w.run("x", session_id=bad), TEXTS),
    "run, user_id": (lambda w, _, bad: w.run("x", user_id=bad), TEXTS),
    "run, session_state": (lambda w, _, bad: w.run("x", session_state=bad), MAPPINGS),
    "run, additional_data": (lambda w, _, bad: w.run("x", additional_data=bad), MAPPINGS),
    "run, metadata": (lambda w, _, bad: w.run("x", metadata=bad), MAPPINGS),
    "run, images": (lambda w, _, bad: w.run("x", images=bad), (3, "r", b"r", {"r": 1}, object(), True)),
    "run, in the background": (lambda w, _, bad: w.run("x", run_id=bad, background=True), TEXTS),
    "stream, run_id": (lambda w, _, bad: list(w.run("x", run_id=bad, stream=True)), TEXTS),
    "submit, run_id": (lambda w, _, bad: w.submit("x", run_id=bad), TEXTS),
    "continue_run": (lambda w, _, bad: w.continue_run(bad), OUTPUTS),
    "continue_run, run_id": (lambda w, _, bad: w.continue_run(run_id=bad), TEXTS),
    "continue_run, session_id": (lambda w, run, bad: w.continue_run(run, session_id=bad), TEXTS),
    "continue_run, by": (lambda w, run, bad: w.continue_run(run, adopt=True, by=bad), TEXTS),
    "continue_run, step_requirements": (lambda w, run, bad: w.continue_run(run, step_requirements=[bad]), (None, *OUTPUTS)),
    "continue_run, no list": (lambda w, run, bad: w.continue_run(run, error_requirements=bad), (3, object(), "r")),
    "decide, run_id": (lambda w, run, bad: w.decide(bad, run.requirements[0].pause_id, "confirm"), TEXTS),
    "decide, pause_id": (lambda w, _, bad: w.decide("r", bad, "confirm"), TEXTS),
    "decide, decision": (lambda w, run, bad: w.decide("r", run.requirements[0].pause_id, bad), TEXTS),
    "decide, by": (lambda w, run, bad: w.decide("r", run.requirements[0].pause_id, "confirm", by=bad), TEXTS),
    "decide, comment": (lambda w, run, bad: w.decide("r", run.requirements[0].pause_id, "confirm", comment=bad), TEXTS),
    "decide, seen": (lambda w, run, bad: w.decide("r", run.requirements[0].pause_id, "confirm", seen=bad), TEXTS),
    "decide, key": (lambda w, run, bad: w.decide("r", run.requirements[0].pause_id, "confirm", idempotency_key=bad), TEXTS),
    "confirm, by": (lambda _, run, bad: answered(run, by=bad), TEXTS),
    "confirm, comment": (lambda _, run, bad: answered(run, comment=bad), TEXTS),
    "cancel_run": (lambda w, _, bad: w.cancel_run(bad), TEXTS),
    "cancel_run, by": (lambda w, _, bad: w.cancel_run("r", by=bad), TEXTS),
    "get_run_output": (lambda w, _, bad: w.get_run_output(bad), TEXTS),
    "get_run": (lambda w, _, bad: w.get_run(bad), TEXTS),
    "get_last_run_output": (lambda w, _, bad: w.get_last_run_output(bad), TEXTS),
    "get_last_run_output, user_id": (lambda w, _, bad: w.get_last_run_output("s", bad), TEXTS),
    "get_session_state": (lambda w, _, bad: w.get_session_state(bad), TEXTS),
    "get_session_metrics": (lambda w, _, bad: w.get_session_metrics(bad), TEXTS),
    "get_chat_history, num_runs": (lambda w, _, bad: w.get_chat_history("s", bad), ("3", 3.0, [3], object(), True)),
    "get_session": (lambda w, _, bad: w.get_session(bad), TEXTS),
    "list_runs, session_id": (lambda w, _, bad: w.list_runs(session_id=bad), TEXTS),
    "list_runs, limit": (lambda w, _, bad: w.list_runs(limit=bad), COUNTS),
    "list_runs, after": (lambda w, _, bad: w.list_runs(after=bad), TEXTS),
    "list_pauses, after": (lambda w, _, bad: w.list_pauses(after=bad), ("r", ("r",), (1, 2), *TEXTS)),
    "list_pauses, step_name": (lambda w, _, bad: w.list_pauses(step_name=bad), TEXTS),
    "Inbox, prefix": (lambda w, _, bad: Inbox(w.db).runs(RunFilter(prefix=bad)), TEXTS),
    "Inbox, phases": (lambda w, _, bad: Inbox(w.db).runs(RunFilter(phases=bad)), ("paused", b"r", 3, [3], {"paused": 1}, object())),
    "Inbox, after": (
        lambda w, _, bad: Inbox(w.db).pending(PauseFilter(after=bad)),
        ("r", ("r",), ("r", 3), ["r", "p"], 3, object()),
    ),
    "Inbox.find": (lambda w, _, bad: Inbox(w.db).find(bad), TEXTS),
    "Inbox.show": (lambda w, _, bad: Inbox(w.db).show(bad), TEXTS),
    "Inbox.program": (lambda w, _, bad: Inbox(w.db).program(bad), TEXTS),
    "quarantine": (lambda w, _, bad: Inbox(w.db).quarantine(bad), TEXTS),
    "list_pauses, due_before": (lambda w, _, bad: w.list_pauses(due_before=bad), (3, "now", object())),
    "Inbox, kind": (lambda w, _, bad: Inbox(w.db).pending(PauseFilter(kind=bad)), TEXTS),
    "Worker": (lambda _w, _, bad: Worker(bad), (3, "r", object())),
    "Worker, concurrency": (lambda w, _, bad: Worker(w, concurrency=bad), COUNTS),
}


@pytest.mark.parametrize("door", DOORS)
def test_another_type_is_refused_by_name(db, door):
    """Nothing is stored, the message names the call and the type, and the run waits as before."""
    workflow = Workflow("w", [Step("a", lambda _: 1, requires_confirmation=True)], db)
    run = workflow.run(run_id="r")
    before = db.head("r"), len(db.runs(RunFilter()))
    call, bads = DOORS[door]
    for bad in bads:
        with pytest.raises(WrongArgument, match=r"takes .+ as ") as refused:
            call(workflow, run, bad)
        assert type(bad).__name__ in str(refused.value)
    assert (db.head("r"), len(db.runs(RunFilter()))) == before
    assert [each.run_id for each in workflow.list_pauses()] == ["r"]
    assert run.requirements[0].decision is None
