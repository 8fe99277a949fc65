"""SAID-1, in a storm: two reviewers decide the two questions of a run and continue it, at the same moment, again and again.

The reviewers are threads or processes. A third actor may execute a branch of the run meanwhile, and ends it at that moment, too. Whatever the
order, both answers are applied, each gated step is called once, and no run stays PAUSED with all of its questions decided.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from statecore import Parallel, RunStatus, Step, Workflow
from statecore.db.sqlite import SqliteDb
from statecore.errors import NotPaused, RunBusy, Undecided
from tests.conformance.dying import written
from tests.sizes import examples

ROUNDS = examples(8)
"""Of each kind: `STATECORE_EXAMPLES=25` makes two hundred."""
PATIENCE = 60
WORLD = get_context("forkserver")
WORLD.set_forkserver_preload([__name__])


def flow(db: SqliteDb, log: Path, hold: Callable[[], Any], *, held: bool) -> Workflow:
    """Two gated branches, a third one that is held where one is wanted, and a step after them; each call is written down."""

    def work(step_input: Any) -> str:
        written(log, f"{step_input.idempotency_key}\n")
        return str(step_input.step_name)

    branches = [Step(name, work, requires_confirmation=True) for name in "ab"]
    third = [Step("c", lambda _: hold())] if held else []
    return Workflow("flow", [Parallel(*branches, *third, name="both"), Step("end", work)], db)


def actor(orders: Connection, file: Path, log: Path) -> None:
    """Somebody with a store of their own, who does what they are told until they are told nothing more; says what came of it."""
    db = SqliteDb(db_file=file, durability="normal")

    def hold() -> str:
        orders.send("held")
        return str(orders.recv())

    while (order := orders.recv()) is not None:
        what, run_id, *more = order
        try:
            orders.send(DO[what](flow(db, log, hold, held=run_id.startswith("held")), run_id, *more))
        except (RunBusy, NotPaused, Undecided) as refusal:
            orders.send((type(refusal).__name__, getattr(refusal, "stored", ())))
        except Exception as error:  # noqa: BLE001  # the test looks at it
            orders.send((repr(error), ()))
    db.close()


def begins(workflow: Workflow, run_id: str) -> Any:
    """Start the run, and drive it as far as it goes."""
    return (workflow.run("x", run_id=run_id).status.value, ())


def reviews(workflow: Workflow, run_id: str, name: str) -> Any:
    """Decide one question, and continue."""
    workflow.decide(run_id, f"both/{name}:confirmation:0", "confirm", by=name)
    return (workflow.continue_run(run_id=run_id).status.value, ())


def hands_in(workflow: Workflow, run_id: str, name: str) -> Any:
    """Continue with an output on which one question is decided."""
    run = workflow.get_run_output(run_id)
    next(each for each in run.steps_requiring_confirmation if each.step_name == name).confirm(by=name)
    return (workflow.continue_run(run).status.value, ())


ANSWERS = {"COMPLETED", "PAUSED", "RUNNING", "RunBusy", "NotPaused", "Undecided"}
"""What an actor may be told: how the run stood, or that somebody else has it, has ended it, or has applied the answer already."""
DO: dict[str, Callable[..., Any]] = {"begins": begins, "reviews": reviews, "hands in": hands_in}


@pytest.fixture(params=["threads", "processes"])
def actors(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[list[Connection]]:
    """Two reviewers and a third actor, each at the other end of a pipe."""
    pipes, lives = [], []
    for _ in range(3):
        mine, theirs = WORLD.Pipe()
        args = (theirs, tmp_path / "runs.db", tmp_path / "log")
        life: Any = Thread(target=actor, args=args) if request.param == "threads" else WORLD.Process(target=actor, args=args)
        life.start()
        pipes.append(mine)
        lives.append(life)
    yield pipes
    for pipe in pipes:
        pipe.send(None)
    for life in lives:
        life.join(PATIENCE)


def hear(pipe: Connection) -> Any:
    """What an actor says next."""
    assert pipe.poll(PATIENCE), "somebody says nothing any more"
    return pipe.recv()


@pytest.mark.spec("SAID-1", "CONT-6")
@pytest.mark.parametrize("how", ["reviews", "hands in"])
@pytest.mark.parametrize("sibling", ["free", "held"])
def test_two_reviewers_are_both_heard(actors, tmp_path, how, sibling):
    """Both answers are applied, nobody is told otherwise, and nobody has to call again."""
    db, (ann, bob, third) = SqliteDb(db_file=tmp_path / "runs.db", durability="normal"), actors
    told: Counter[str] = Counter()
    for n in range(ROUNDS):
        run_id = f"{sibling}-{n}"
        third.send(("begins", run_id))
        assert hear(third) == ("held" if sibling == "held" else ("PAUSED", ()))
        for pipe, name in ((ann, "a"), (bob, "b")):
            pipe.send((how, run_id, name))
        if sibling == "held":
            third.send("done")
        answers = [hear(pipe) for pipe in (ann, bob)] + ([hear(third)] if sibling == "held" else [])
        told.update(word for word, _ in answers)
        for word, stored in answers:
            assert word in ANSWERS, word
            assert set(stored) <= {"both/a:confirmation:0", "both/b:confirmation:0"}
        run = flow(db, tmp_path / "log", str, held=sibling == "held").get_run_output(run_id)
        assert (run.status, [each.decision for each in run.requirements]) == (RunStatus.completed, []), (run_id, answers)
        assert {each.by for each in db.decisions(run_id)} == {"a", "b"}
    calls = Counter((tmp_path / "log").read_text().splitlines())
    assert calls == dict.fromkeys([f"{sibling}-{n}/{at}" for n in range(ROUNDS) for at in ("both/a", "both/b", "end")], 1)
    assert told["COMPLETED"] >= 1
    db.close()
