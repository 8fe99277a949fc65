"""GATE-6 and GATE-7 across a migration: an answer of format 2 counts as it would have, and a question gets digests when it is put again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from statecore import RunStatus, Step, Workflow
from statecore.errors import StaleDecision
from statecore.stores.sqlite.migrating import migrate
from statecore.stores.sqlite.store import SqliteDb2
from statecore.stores.sqlite.store3 import SqliteDb


def pay(_step_input: Any) -> str:
    """Pay."""
    return "paid"


def wire(_step_input: Any) -> str:
    """Wire."""
    return "wired"


def flow(db: Any, code: Any = pay, message: str = "Pay?", *more: Step) -> Workflow:
    """Two gates."""
    first = Step("pay", code, requires_confirmation=True, confirmation_message=message)
    return Workflow("flow", [first, *more, Step("end", pay, requires_confirmation=True)], db)


@pytest.mark.spec("GATE-6", "GATE-7")
@pytest.mark.parametrize("release", ["the same", "other code", "another message", "another step"])
def test_an_answer_of_the_old_format_counts_as_it_would_have(tmp_path: Path, release: str) -> None:
    """A yes that was stored before the migration counts by words and definition; otherwise it lapses, and the next question has its digest."""
    file = tmp_path / "runs.db"
    old = SqliteDb2(file)
    [asked] = flow(old).run("x", run_id="r").requirements
    seen = asked.shown()
    flow(old).decide("r", asked.pause_id, "confirm", by="ada", seen=seen)
    old.close()
    migrate(file)
    db = SqliteDb(file)
    releases = {
        "the same": flow(db),
        "other code": flow(db, wire),
        "another message": flow(db, pay, "Pay 10?"),
        "another step": flow(db, pay, "Pay?", Step("log", wire)),
    }
    kept = db.pause("r", asked.pause_id)
    assert kept is not None
    assert (kept.pause.seen, flow(db).get_run_output("r").requirements[0].shown()) == (None, seen)
    run = releases[release].continue_run(run_id="r")
    [found] = run.requirements
    counts = release in ("the same", "other code")  # format 2 has never known the names of functions
    assert run.status is RunStatus.paused
    assert found.pause_id == ("end:confirmation:0" if counts else f"{asked.pause_id}@2")
    row = db.pause("r", found.pause_id)
    assert row is not None
    assert row.pause.seen == found.shown()
    with pytest.raises(StaleDecision):
        releases[release].decide("r", found.pause_id, "confirm", seen=seen)
    db.close()
