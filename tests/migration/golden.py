"""`python -m tests.migration.golden`: write `tests/seeds/format-2.sql` anew, or with `--ends` only what becomes of its runs, `format-2.json`.

The seed is a dump, and not made by each test: it is what a release of format 2 wrote, and later releases write no format 2.
"""

from __future__ import annotations

import json
import os
import sqlite3
import sys
from collections.abc import Callable
from contextlib import suppress
from itertools import repeat
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from statecore import Workflow, WorkflowRunOutput
from statecore.errors import PauseExpired, StepFailed, Undecided
from statecore.stores import RunStore
from statecore.stores.records import RunFilter
from statecore.stores.sqlite.store import SqliteDb2 as SqliteDb
from tests.migration import flows
from tests.migration.flows import BEGAN, BROKEN, LATER, NEXT_OWNER, flow, ticking

SEEDS = Path(__file__).parents[1] / "seeds"
SEED, ENDS = SEEDS / "format-2.sql", SEEDS / "format-2.json"
DAY = 86_400_000_000
ALL = 1_000

Make = Callable[[str, Workflow], None]


def starts(run_id: str, workflow: Workflow, **more: Any) -> WorkflowRunOutput:
    """A run, driven to where it rests."""
    return workflow.run({"of": run_id}, run_id=run_id, additional_data={"n": 1}, user_id="ulla", **more)


def answer(run: WorkflowRunOutput) -> None:
    """Decide each open question so that the run goes forward."""
    for asked in run.requirements:
        if asked.is_resolved:
            continue
        match asked.kind:
            case "user_input":
                asked.decide("input", {"amount": 7}, by="ann", comment="as agreed")
            case "route":
                asked.decide("select", ["right", "left"], by="ann")
            case "error" | "interrupted":
                asked.decide("retry", by="ann")
            case _:
                asked.decide("confirm", by="ann", comment="fine")


def finish(workflow: Workflow, run_id: str) -> WorkflowRunOutput:
    """Decide a run's questions and continue it until it ends."""
    run = workflow.get_run_output(run_id)
    for _ in range(ALL):
        if run.is_paused:
            answer(run)
            run = went_on(workflow, run)
        elif run.status.value in ("RUNNING", "PENDING"):
            run = workflow.continue_run(run_id=run_id)
        elif run.status.value == "ERROR":
            run = workflow.continue_run(run_id=run_id, retry_failed=True)
        else:
            return run
    raise AssertionError(run_id)


def went_on(workflow: Workflow, run: WorkflowRunOutput) -> WorkflowRunOutput:
    """Continue a run with its decisions, or with what its deadlines say where they are over."""
    try:
        return workflow.continue_run(run)
    except PauseExpired:
        with suppress(Undecided):  # the deadline led to another question
            return workflow.continue_run(run_id=run.run_id)
        return workflow.get_run_output(run.run_id)


# -- how runs get to where they stand ----------------------------------------------------------------------------------------------


def died(run_id: str, db: Any, clock: int) -> None:
    """The process of a run dies in the step `waits`."""
    db.reopen()  # a child opens no file that its parent has open
    pid = os.fork()
    if pid == 0:
        flows.FATAL.add("waits")
        starts(run_id, flow("stops", type(db)(db.path), ticking(clock)))
        os._exit(1)
    assert os.waitpid(pid, 0)[1] == 0


def make(db: RunStore) -> None:
    """Every run of the seed."""
    clocks = iter(range(BEGAN, BEGAN + 1_000 * DAY, DAY))

    def at(name: str, title: str | None = None) -> Workflow:
        return flow(name, db, ticking(next(clocks)), title=title)

    for name in ("confirm", "input", "review", "route", "condition", "loop", "inside", "nested", "beside", "late"):
        starts(f"{name} parked", at(name))
    for name in ("confirm", "input", "review", "route", "selected", "condition", "loop", "inside", "nested", "beside", "passed"):
        workflow = at(name)
        starts(f"{name} ended", workflow, session_id="shared", session_state={"begun": name})
        finish(workflow, f"{name} ended")
    BROKEN.add("flaky")
    starts("error parked", at("error"))
    BROKEN.clear()
    workflow = at("error")
    BROKEN.add("flaky")
    starts("error ended", workflow)
    BROKEN.clear()
    finish(workflow, "error ended")
    BROKEN.add("fragile")
    for run_id in ("fails", "fails again"):
        workflow = at("fails")
        with suppress(flows.Busy, StepFailed):
            starts(run_id, workflow, idempotency_key=f"key of {run_id}")
        if run_id == "fails again":
            with suppress(flows.Busy, StepFailed):
                workflow.continue_run(run_id=run_id, retry_failed=True)
    BROKEN.clear()
    unfinished(db, at)


def unfinished(db: RunStore, at: Callable[..., Workflow]) -> None:
    """Runs about which something waits: decisions, requests, deadlines, deaths, another definition."""
    workflow = at("beside")
    run = starts("decided in part", workflow, idempotency_key="one start")
    first = run.requirements[0]
    workflow.decide(run.run_id, first.pause_id, "reject", value="not this", by="bob", comment="no", idempotency_key="a key")
    workflow = at("confirm")
    run = starts("decided", workflow)
    workflow.decide(run.run_id, run.requirements[0].pause_id, "confirm", by="bob", idempotency_key="a key")
    workflow = at("input")
    run = starts("answered", workflow)
    workflow.decide(run.run_id, run.requirements[0].pause_id, "input", value={"amount": 3, "why": flows.LONG}, by="bob")
    workflow = at("wide")
    starts("wide cancelled", workflow)
    workflow.cancel_run("wide cancelled", by="eve")
    starts("wide parked", at("wide"))
    workflow = at("nested")
    starts("nested cancelled", workflow)
    workflow.cancel_run("nested cancelled")
    starts("to be cancelled", at("loop"))
    db.request_cancel("to be cancelled", "eve", BEGAN + 500 * DAY)
    died("left", db, BEGAN + 510 * DAY)
    died("left, to be cancelled", db, BEGAN + 511 * DAY)
    db.request_cancel("left, to be cancelled", None, BEGAN + 501 * DAY)
    died("interrupted", db, BEGAN + 512 * DAY)
    flow("stops", db, ticking(BEGAN + 513 * DAY), NEXT_OWNER).continue_run(run_id="interrupted")
    for run_id, name in (("expired, cancelled", "late"), ("expired, skipped", "passed")):
        starts(run_id, at(name))
        flow(name, db, ticking(BEGAN + 503 * DAY)).continue_run(run_id=run_id)
    starts("late", at("passed"))
    small = at("small", "grows")
    starts("adopted", small)
    run = small.get_run_output("adopted")
    answer(run)
    flow("grown", db, ticking(BEGAN + 504 * DAY), title="grows").continue_run(run)
    looped = at("loop")
    run = starts("rejected rounds", looped)
    run.requirements[0].decide("reject", "once more", by="ann")
    looped.continue_run(run)


# -- what becomes of them ----------------------------------------------------------------------------------------------------------

NAMES = {"fails again": "fails", "decided": "confirm", "answered": "input", "late": "passed", "adopted": "grown"}
NAMES |= {"to be cancelled": "loop", "left": "stops", "left, to be cancelled": "stops", "interrupted": "stops"}
NAMES |= {"expired, cancelled": "late", "expired, skipped": "passed", "decided in part": "beside", "rejected rounds": "loop"}


def flow_of(run_id: str, db: RunStore) -> Workflow:
    """The workflow of a run, as the process that goes on with it has it: at one instant, however often the clock is asked."""
    name = NAMES.get(run_id, run_id.split(" ", maxsplit=1)[0])
    title = "grows" if run_id == "adopted" else None
    return flow(name, db, repeat(LATER + 1_000 * DAY), NEXT_OWNER, title)


def ids(db: RunStore) -> list[str]:
    """Every run of a store."""
    return sorted(record.identity.run_id for record in db.runs(RunFilter(limit=ALL)))


def seen(db: RunStore, run_id: str) -> dict[str, Any]:
    """What is to be the same in every store: the head covers each row with its value and its time."""
    record = db.load(run_id)
    return {"head": db.head(run_id), "rows": record.seq, "phase": record.state.run, "session": record.session_state}


def ended(db: RunStore, run_id: str) -> dict[str, Any]:
    """What a run leads to, once each question is answered."""
    run = finish(flow_of(run_id, db), run_id)
    return seen(db, run_id) | {"content": repr(run.content)[:200]}


def ends(db: RunStore) -> dict[str, Any]:
    """Each run as it stands, and what it leads to."""
    before = {run_id: seen(db, run_id) for run_id in ids(db)}
    return {run_id: {"stands": before[run_id], "ends": ended(db, run_id)} for run_id in before}


def uncounted(told: Any) -> Any:
    """Ends of runs without how many calls a session has counted: a branch counts on from those that ended before it began."""
    if not isinstance(told, dict):
        return told
    plain = {name: uncounted(each) for name, each in told.items()}
    if isinstance(plain.get("session"), str):
        state = json.loads(plain["session"])
        plain["session"] = {name: each for name, each in state.items() if name != "calls"}
    return plain


def loaded(file: Path, seed: Path = SEED) -> Path:
    """The store of a seed, as a file."""
    connection = sqlite3.connect(file, isolation_level=None)
    connection.executescript(seed.read_text(encoding="utf-8"))
    connection.close()
    return file


def dumped(file: Path) -> str:
    """A file as SQL, whose it is and of which format included."""
    connection = sqlite3.connect(file)
    [application], [version] = (connection.execute(f"PRAGMA {name}").fetchone() for name in ("application_id", "user_version"))
    lines = [f"PRAGMA application_id = {application};", f"PRAGMA user_version = {version};", *connection.iterdump()]
    connection.close()
    return "\n".join(lines) + "\n"


def main() -> None:
    """Write the seed, unless only its ends are wanted."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "format-2.db"
        if "--ends" not in sys.argv:
            db = SqliteDb(file)
            make(db)
            db.close()
            SEED.write_text(dumped(file), encoding="utf-8")
            file.unlink()
        db = SqliteDb(loaded(file))
        ENDS.write_text(json.dumps(ends(db), indent=1, sort_keys=True) + "\n", encoding="utf-8")
        db.close()


if __name__ == "__main__":
    main()
