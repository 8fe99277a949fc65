"""T4: many processes decide one pause and go on at once: fresh, stale, late, conflicting, after the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from statecore import Workflow, WorkflowRunOutput
from statecore.db.sqlite import SqliteDb
from statecore.errors import StatecoreError
from statecore.stores.records import Decided
from tests.faults.crowd import Pipe, Worker
from tests.faults.effects import effects
from tests.faults.invariants import ENDS, Evidence, violations
from tests.faults.report import Order, Tally
from tests.faults.scenarios import RUN, SCENARIOS, flow

MODES = ("fresh", "conflicting", "stale", "late", "after-the-end")
SCENARIO, PAUSE = SCENARIOS["approve"], "b:confirmation:0"
TOLD = {"AlreadyDecided", "NotPaused", "RunBusy", "ClaimLost", "Undecided"}
"""What a loser may hear; a decider who hears none of these is told whose decision is stored."""


def decide_on(pipe: Pipe, me: str) -> None:
    """A person's process: in each store that it is sent, it decides the run's pause and goes on, in the way that the mode says."""
    while True:
        try:
            place, mode, word = pipe.recv()
        except EOFError:
            return
        db = SqliteDb(place / "store.db", durability="normal")
        workflow = flow(SCENARIO, db, place / "log")
        held = workflow.get_run_output(RUN)
        pipe.send("ready")
        pipe.recv()
        pipe.send(acted(workflow, held, mode, word, me))
        db.close()


def acted(workflow: Workflow, held: WorkflowRunOutput, mode: str, word: str, me: str) -> list[str]:
    """What a person who says a word is told."""
    said: list[str] = []
    try:
        if mode == "stale":
            for each in held.requirements:
                each.decide(word, by=me)
            workflow.continue_run(held)
        else:
            said.append(f"by {workflow.decide(RUN, PAUSE, word, by=me).by}")
            workflow.continue_run(run_id=RUN)
        said.append("went on")
    except StatecoreError as error:
        said.append(type(error).__name__)
    except Exception as error:  # noqa: BLE001  # I11 is about these
        said.append(f"!{type(error).__name__}: {error}")
    return said


def trial(workers: list[Worker], mode: str, place: Path) -> list[str]:
    """One pause in a store of its own, everybody at once."""
    db, log = SqliteDb(place / "store.db", durability="normal"), place / "log"
    workflow = flow(SCENARIO, db, log)
    run = workflow.run(run_id=RUN)
    assert [each.pause_id for each in run.requirements] == [PAUSE]
    if mode in ("late", "after-the-end"):
        workflow.decide(RUN, PAUSE, "confirm", by="first")
    if mode == "after-the-end":
        workflow.continue_run(run_id=RUN)
    words = ["reject" if mode != "fresh" and n % 2 else "confirm" for n in range(len(workers))]
    said = at_once(workers, mode, words, place)
    wrong = [f"I11 {each}" for all_said in said for each in all_said if each.startswith("!")]
    status = workflow.get_run_output(RUN).status.value
    if status not in ENDS:
        wrong.append(f"I10 the run was left {status}")
        workflow.continue_run(run_id=RUN)
    wrong += contradictions(db.decisions(RUN), words, said)
    winners = Counter(all_said[-1] for all_said in said)["went on"]
    if winners != (mode != "after-the-end"):
        wrong.append(f"I3 {winners} went on")
    [decided, *_] = db.decisions(RUN)
    mine = effects(log)
    began = Counter(each.at for each in mine if each.kind == "start")
    if began["b"] != (decided.word == "confirm") or began["z"] != 1:
        wrong.append(f"I2 decided {decided.word}, and began {dict(began)}")
    told = [("decided", PAUSE, "confirm")] if mode in ("late", "after-the-end") else []
    wrong += violations(Evidence(workflow, SCENARIO, RUN, mine, told, 0, workflow.get_run_output(RUN).status.value))
    db.close()
    return wrong


def at_once(workers: list[Worker], mode: str, words: list[str], place: Path) -> list[list[str]]:
    """What each of them is told, who have all read the run before any of them says a word."""
    for worker, word in zip(workers, words, strict=True):
        worker.pipe.send((place, mode, word))
    for worker in workers:
        worker.hear()
    for worker in workers:
        worker.pipe.send("go")
    return [worker.hear() for worker in workers]


def contradictions(decided: Sequence[Decided], words: list[str], said: list[list[str]]) -> list[str]:
    """I3: one decision, and nobody believes in another one."""
    wrong = [] if len(decided) == 1 else [f"I3 {len(decided)} decisions"]
    for n, all_said in enumerate(said):
        heard = [each.removeprefix("by ") for each in all_said if each.startswith("by ")]
        if heard and heard != [decided[0].by]:
            wrong.append(f"I3 p{n} was told of a decision by {heard}, stored is one by {decided[0].by}")
        if words[n] != decided[0].word and not TOLD & set(all_said):
            wrong.append(f"I3 p{n} said {words[n]}, stored is {decided[0].word}, and was told nothing: {all_said}")
    return wrong


def run(order: Order) -> Tally:
    """Every mode with every number of processes."""
    tally = Tally()
    for peers in {"sample": (2, 4), "usual": (2, 8), "full": (2, 8, 32)}[order.size]:
        workers = [Worker(decide_on, f"p{n}") for n in range(peers)]
        try:
            for mode in MODES:
                for n in range(order.of(2, 20, 200)):
                    if order.over:
                        break
                    with TemporaryDirectory(dir=order.folder) as place:
                        wrong = trial(workers, mode, Path(place))
                    tally.add(f"{peers} processes, {mode}", wrong, f"T4 {peers} processes, {mode}, trial {n}")
        finally:
            for worker in workers:
                worker.close()
    tally.cut_short = order.over
    return tally
