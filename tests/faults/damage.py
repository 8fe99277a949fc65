"""T9: damaged stores are asked everything and gone on with: each answer is the right one, or a named refusal, within ten seconds.

What reading does not notice, `verify` must: an answer that is another one is borne only where verify finds the damage, and only of the kinds that
specs/guide/faults.md names.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from attrs import define

from statecore import Workflow
from statecore.db.sqlite import SqliteDb
from statecore.errors import StatecoreError
from statecore.stores.records import PauseFilter, RunFilter
from statecore.stores.sqlite.health import verify
from tests.faults.crowd import Pipe, Worker
from tests.faults.damaging import KINDS, log_damaged
from tests.faults.effects import effects
from tests.faults.report import Order, Tally
from tests.faults.scenarios import SCENARIOS, UNREADABLE, Scenario, flow, to_the_end

LIMIT = 10
OPEN, OVER, OPENING = "open", "over", "opening"
RUNS = [f"{name}-{how}" for name in SCENARIOS for how in (OPEN, OVER)]
Answers = dict[str, tuple[str, Any]]


def quiet(*_: Any) -> None:
    """Nobody listens."""


def make(folder: Path) -> None:
    """A good store with runs that are over and runs that wait, `good.db`; and `logged.db`, half of which lies in its log."""
    db = SqliteDb(folder / "good.db")
    for half in (0, 1):
        for name, scenario in list(SCENARIOS.items())[half::2]:
            flow(scenario, db, folder / "good.log").run(run_id=f"{name}-{OPEN}")
            to_the_end(flow(scenario, db, folder / "good.log"), scenario, quiet, f"{name}-{OVER}")
        if half == 0:
            db.close()
            db = SqliteDb(folder / "good.db")
    for suffix in ("", "-wal"):
        shutil.copy(f"{folder / 'good.db'}{suffix}", f"{folder / 'logged.db'}{suffix}")
    db.close()


# -- what is asked -----------------------------------------------------------------------------------------------------------------


def asked(answers: Answers, question: str, act: Callable[[], Any]) -> Any:
    """Ask, and keep the answer: what was said, by which name it was refused, or what escaped."""
    try:
        said = act()
    except StatecoreError as error:
        answers[question] = ("refused", type(error).__name__)
    except Exception as error:  # noqa: BLE001  # I11 is about these
        answers[question] = ("escaped", f"{type(error).__name__}: {error}")
    else:
        answers[question] = ("said", said)
        return said
    return None


def everything(file: Path, log: Path) -> Answers:
    """All answers of a store: what it holds, then what comes of going on with its runs."""
    answers: Answers = {}
    db = asked(answers, OPENING, lambda: SqliteDb(file))
    if db is None:
        return answers
    answers[OPENING] = ("said", None)
    try:
        held(db, answers)
        for name, scenario in SCENARIOS.items():
            for how in (OPEN, OVER):
                asked(answers, f"output {name}-{how}", partial(shown, flow(scenario, db, log), f"{name}-{how}"))
        for name, scenario in SCENARIOS.items():
            asked(answers, f"went-on {name}", partial(gone_on, flow(scenario, db, log), scenario, f"{name}-{OPEN}"))
    finally:
        db.close()
    return answers


def held(db: SqliteDb, answers: Answers) -> None:
    """What the store itself reads."""
    for run_id in RUNS:
        for reading in (db.load, db.journal, db.head, db.decisions):
            asked(answers, f"{reading.__name__} {run_id}", partial(reading, run_id))
    asked(answers, "inbox", lambda: db.pauses(PauseFilter(limit=1000)))
    asked(answers, "pauses", lambda: db.pauses(PauseFilter(limit=1000, undecided_only=False)))
    asked(answers, "runs", lambda: db.runs(RunFilter(limit=1000)))


def shown(workflow: Workflow, run_id: str) -> Any:
    """A run as its user sees it."""
    run = workflow.get_run_output(run_id)
    results = [(each.step_name, each.content, each.success) for each in run.step_results]
    return run.status.value, run.content, results, [(each.pause_id, each.kind, each.decision) for each in run.requirements]


def gone_on(workflow: Workflow, scenario: Scenario, run_id: str) -> Any:
    """What comes of going on with a run: its status, and its way without the times."""
    status = to_the_end(workflow, scenario, quiet, run_id)
    return status, [
        (each.at, each.turn, each.attempt, each.trigger, each.dest, each.body.value) for each in workflow.db.journal(run_id)
    ]


# -- what is wrong -----------------------------------------------------------------------------------------------------------------


def examined(pipe: Pipe, good: Path) -> None:
    """A process that compares each damaged store that it is sent with the good one: what is wrong, and what became of it."""
    right = everything(good, good.with_suffix(".log"))
    pipe.send("ready")
    while True:
        try:
            file, kind = pipe.recv()
        except EOFError:
            return
        pipe.send(judged(file, kind, right))


def judged(file: Path, kind: str, right: Answers) -> tuple[list[str], str, list[str]]:
    """What is wrong with the answers of a damaged store, what became of it, and which questions it answered otherwise."""
    log = file.with_suffix(".log")
    for path in file.parent.glob(f"{file.name}*"):
        if path.is_file():
            shutil.copy(path, path.with_name(f"copy-{path.name}"))
    found = everything(file, log)
    differing = sorted(question for question in found if found[question] != right[question])
    wrong = [f"I11 {question}: {found[question][1]}" for question in differing if found[question][0] == "escaped"] + gates(log)
    others = [question for question in differing if found[question][0] == "said"]
    if not differing:
        return wrong, "right", others
    if not others:
        return wrong, "refused", others
    if noticed(file.with_name(f"copy-{file.name}")):
        return wrong, "found by verify", others
    if kind == log_damaged.__name__ and older(found, right):
        return wrong, "older", others
    return [*wrong, f"answers otherwise, and verify finds nothing: {', '.join(others[:5])}"], "wrong", others


def older(found: Answers, right: Answers) -> bool:
    """Whether the journal of every run is what it was at some time before."""
    for question in (f"journal {run_id}" for run_id in RUNS):
        how, rows = found[question]
        if how == "said" and rows != right[question][1][: len(rows)]:
            return False
    return True


def noticed(file: Path) -> bool:
    """Whether `verify` finds that something is wrong."""
    try:
        return not verify(file).sound
    except StatecoreError:
        return True


def gates(log: Path) -> list[str]:
    """Gated steps that began without an allowing decision, where the file could be read."""
    return [
        f"I2 {each.at} of {each.run} began with {each.seen}"
        for each in effects(log)
        if each.kind == "start"
        and (allowed := SCENARIOS[each.run.rpartition("-")[0]].gated.get(each.at)) is not None
        and not (allowed | {UNREADABLE}) & set(each.seen)
    ]


def damaged(folder: Path, seed: str) -> tuple[Path, str]:
    """A damaged copy of the good store, and how it was damaged."""
    random = Random(seed)  # noqa: S311  # reproducible on purpose
    kind = random.choice(KINDS)
    place = folder / seed
    place.mkdir()
    for name, copy in (("good.db", "runs.db"), ("logged.db", "logged.db"), ("logged.db-wal", "logged.db-wal")):
        shutil.copy(folder / name, place / copy)
    kind(place / "runs.db", random)
    return place / "runs.db", kind.__name__


@define
class Desk:
    """A process that examines, and a new one where it took too long."""

    good: Path
    worker: Worker | None = None

    def give(self, file: Path, kind: str) -> None:
        """Hand it a store."""
        if self.worker is None:
            copy = self.good.with_name(f"good-{id(self)}.db")
            shutil.copy(self.good, copy)
            self.worker = Worker(examined, copy)
            self.worker.hear()
        self.worker.pipe.send((file, kind))

    def take(self) -> tuple[list[str], str, list[str]]:
        """What it found."""
        assert self.worker is not None
        if self.worker.pipe.poll(LIMIT):
            return self.worker.hear()
        self.worker.kill()
        self.worker = None
        return [f"it took longer than {LIMIT} s"], "hung", []


def run(order: Order) -> Tally:
    """So many damaged stores, two at a time, in processes that are ended where they take too long."""
    tally = Tally()
    make(order.folder)
    desks = [Desk(order.folder / "good.db") for _ in range(2)]
    for n in range(0, order.of(16, 200, 2000), len(desks)):
        if order.over:
            break
        stores = [damaged(order.folder, f"{order.seed}-{n + i}") for i in range(len(desks))]
        for desk, store in zip(desks, stores, strict=True):
            desk.give(*store)
        for desk, (file, kind) in zip(desks, stores, strict=True):
            wrong, became, others = desk.take()
            tally.add(became, wrong, f"T9 {file.parent.name} ({kind})")
            tally.counts.update(f"answered otherwise: {each.split()[0]}" for each in others)
            shutil.rmtree(file.parent)
    for desk in desks:
        if desk.worker is not None:
            desk.worker.close()
    tally.cut_short = order.over
    return tally
