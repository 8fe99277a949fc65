"""T4: many processes decide one pause and go on at once: fresh, stale, late, conflicting, after the end."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from statecore.db.sqlite import SqliteDb
from statecore.errors import StatecoreError
from tests.faults.crowd import Pipe, Worker
from tests.faults.effects import effects
from tests.faults.invariants import Evidence, violations
from tests.faults.report import Order, Tally
from tests.faults.scenarios import SCENARIOS, flow

MODES = ("fresh", "conflicting", "stale", "late", "after-the-end")
SCENARIO, PAUSE = SCENARIOS["approve"], "b:confirmation:0"
TOLD = {"AlreadyDecided", "NotPaused", "RunBusy", "ClaimLost", "Undecided"}
"""What a loser may hear; a decider who hears none of these is told whose decision is stored."""


def decide_on(pipe: Pipe, file: Path, log: Path, me: str) -> None:
    """A person's process: for each run that it is sent, it decides and goes on, in the way that the mode says."""
    workflow = flow(SCENARIO, SqliteDb(file, durability="normal"), log)
    while True:
        try:
            mode, run_id, word = pipe.recv()
        except EOFError:
            return
        held = workflow.get_run_output(run_id)
        pipe.send("ready")
        pipe.recv()
        said: list[str] = []
        try:
            if mode == "stale":
                for each in held.requirements:
                    each.decide(word, by=me)
                workflow.continue_run(held)
                said.append("went on")
            else:
                said.append(f"by {workflow.decide(run_id, PAUSE, word, by=me).by}")
                workflow.continue_run(run_id=run_id)
                said.append("went on")
        except StatecoreError as error:
            said.append(type(error).__name__)
        except Exception as error:  # noqa: BLE001  # I11 is about these
            said.append(f"!{type(error).__name__}: {error}")
        pipe.send(said)


def trial(order: Order, workers: list[Worker], mode: str, run_id: str, setting: tuple[Path, Path]) -> list[str]:  # noqa: C901  # everything that one pause must satisfy
    """One pause, everybody at once."""
    file, log = setting
    db = SqliteDb(file, durability="normal")
    workflow = flow(SCENARIO, db, log)
    run = workflow.run(run_id=run_id)
    told: list[tuple[Any, ...]] = []
    assert [each.pause_id for each in run.requirements] == [PAUSE]
    if mode == "late":
        workflow.decide(run_id, PAUSE, "confirm", by="first")
        told.append(("decided", PAUSE, "confirm"))
    words = [
        "reject" if mode in ("conflicting", "stale", "late", "after-the-end") and n % 2 else "confirm" for n in range(len(workers))
    ]
    if mode == "after-the-end":
        workflow.decide(run_id, PAUSE, "confirm", by="first")
        workflow.continue_run(run_id=run_id)
    for worker, word in zip(workers, words, strict=True):
        worker.pipe.send((mode, run_id, word))
    for worker in workers:
        worker.hear()
    for worker in workers:
        worker.pipe.send("go")
    said = [worker.hear() for worker in workers]
    wrong = [f"I11 {each}" for all_said in said for each in all_said if each.startswith("!")]
    status = workflow.get_run_output(run_id).status.value
    if status not in ("COMPLETED", "CANCELLED"):
        workflow.continue_run(run_id=run_id)
        wrong.append(f"I10 the run was left {status}")
    decided = db.decisions(run_id)
    if len(decided) != 1:
        wrong.append(f"I3 {len(decided)} decisions")
    for n, all_said in enumerate(said):
        refused = TOLD & set(all_said)
        heard = [each.removeprefix("by ") for each in all_said if each.startswith("by ")]
        if heard and heard != [decided[0].by]:
            wrong.append(f"I3 p{n} was told of a decision by {heard}, stored is one by {decided[0].by}")
        if words[n] != decided[0].word and not refused:
            wrong.append(f"I3 p{n} said {words[n]}, stored is {decided[0].word}, and was told nothing: {all_said}")
    winners = Counter(all_said[-1] for all_said in said)["went on"]
    if winners > 1:
        wrong.append(f"I3 {winners} went on")
    mine = [each for each in effects(log) if each.run == run_id]
    began = Counter(each.at for each in mine if each.kind == "start")
    if began["b"] != (decided[0].word == "confirm") or began["z"] != 1:
        wrong.append(f"I2 decided {decided[0].word}, and began {dict(began)}")
    wrong += violations(Evidence(workflow, SCENARIO, run_id, mine, told, 0, workflow.get_run_output(run_id).status.value))
    db.close()
    return wrong


def run(order: Order) -> Tally:
    """Every mode with every number of processes."""
    tally = Tally()
    for peers in {"sample": (2, 4), "usual": (2, 8), "full": (2, 8, 32)}[order.size]:
        file, log = order.folder / f"{peers}.db", order.folder / f"{peers}.log"
        workers = [Worker(decide_on, file, log, f"p{n}") for n in range(peers)]
        try:
            for mode in MODES:
                for n in range(order.of(2, 20, 200)):
                    if order.over:
                        break
                    run_id = f"{mode}-{n}"
                    wrong = trial(order, workers, mode, run_id, (file, log))
                    tally.add(f"{peers} processes, {mode}", wrong, f"T4 {peers} processes, {mode}, trial {n}")
        finally:
            for worker in workers:
                worker.close()
    tally.cut_short = order.over
    return tally
