"""T20: for some time, workers start runs and go on with them, people decide and cancel, and any of them is killed at any moment.

Then everything that was begun comes to its end, and each run is held to every invariant. The seed decides who does what; when somebody is killed is
up to the machine as well.
"""

from __future__ import annotations

from pathlib import Path
from random import Random
from time import monotonic, sleep
from typing import Any

from statecore import Workflow
from statecore.db.sqlite import SqliteDb
from statecore.errors import StatecoreError
from statecore.stores.records import PauseFilter, RunFilter
from tests.faults.crowd import Pipe, Worker
from tests.faults.effects import Effect, effects
from tests.faults.invariants import CHECKS, Evidence, database_is_sound, lost
from tests.faults.report import Order, Tally
from tests.faults.scenarios import FALLBACK, SCENARIOS, flow, to_the_end
from tests.faults.victim import ESCAPED, heard, teller

ROLES = ("worker", "worker", "worker", "person", "person")
OTHER = {"confirm": "reject", "reject": "confirm"}
STORE, LOG, ALL = "runs.db", "runs.log", 100_000
MANY = 20
"""How many runs are open at once, at most."""

OF_ONE_RUN = tuple(check for check in CHECKS if check is not database_is_sound)


def scenario_of(run_id: str) -> str:
    """Which scenario a run follows."""
    return run_id.partition(".")[0]


def act(pipe: Pipe, folder: Path, role: str, name: str) -> None:
    """One of them, until it is killed: `name` is its seed, too, and what it was told is in a file of that name."""
    random, tell = Random(name), teller(folder / f"{name}.told")  # noqa: S311  # reproducible on purpose
    db = SqliteDb(folder / STORE, durability="normal")
    pipe.send("ready")
    for number in range(ALL):
        try:
            if role == "worker":
                work(db, folder / LOG, random, f"{name}.{number}", tell)
            else:
                decide(db, folder / LOG, random, name, tell)
        except StatecoreError:
            continue
        except Exception as error:  # noqa: BLE001  # I11 is about these
            tell("", ESCAPED, type(error).__name__, str(error))


def work(db: SqliteDb, log: Path, random: Random, name: str, tell: Any) -> None:
    """Start a run, or go on with one."""
    known = [each.identity.run_id for each in db.runs(RunFilter(limit=ALL, phases=("pending", "running", "paused")))]
    if len(known) > random.randrange(MANY):
        run_id = random.choice(known)
        run = flow(SCENARIOS[scenario_of(run_id)], db, log).continue_run(run_id=run_id)
    else:
        run_id = f"{random.choice(sorted(SCENARIOS))}.{name}"
        run = flow(SCENARIOS[scenario_of(run_id)], db, log).run(run_id=run_id)
    tell(run_id, "status", run.status.value, run.content)


def decide(db: SqliteDb, log: Path, random: Random, name: str, tell: Any) -> None:
    """Answer a question in one of two ways, or cancel a run that is to be cancelled."""
    waiting = db.pauses(PauseFilter(limit=ALL))
    if not waiting:
        sleep(0.001)  # nothing to do yet
        return
    pause = random.choice(waiting).pause
    scenario = SCENARIOS[scenario_of(pause.run_id)]
    workflow = flow(scenario, db, log)
    if scenario.cancels:
        workflow.cancel_run(pause.run_id, by=name)
        tell(pause.run_id, "cancelled")
        return
    word = (scenario.words | FALLBACK)[pause.kind]
    word = OTHER.get(word, word) if random.random() < 0.3 else word
    workflow.decide(pause.run_id, pause.pause_id, word, value="edited" if word == "edit" else None, by=name)
    tell(pause.run_id, "decided", pause.pause_id, word)


def rage(order: Order, seconds: float) -> int:
    """Let them act, and kill one after the other; how many were killed."""
    random, kills = order.random, 0

    def fresh(place: int) -> Worker:
        return Worker(act, order.folder, ROLES[place], f"{order.seed}-{place}-{kills}")

    crowd = [fresh(place) for place in range(len(ROLES))]
    for each in crowd:
        each.hear()
    until = min(monotonic() + seconds, order.begun + order.budget)  # their time begins when all of them act
    while monotonic() < until:
        sleep(random.uniform(0.01, 0.3))  # when, is the experiment
        place = random.randrange(len(crowd))
        crowd[place].kill()
        crowd[place].pipe.close()
        kills += 1
        crowd[place] = fresh(place)
    for each in crowd:
        each.kill()
        each.pipe.close()
    return kills + len(crowd)


def run(order: Order) -> Tally:
    """Some seconds, or minutes, of it."""
    tally = Tally()
    order.folder.mkdir(exist_ok=True)
    db, log = SqliteDb(order.folder / STORE, durability="normal"), order.folder / LOG
    db.definition("")  # makes the file
    kills = rage(order, order.of(2, 20, 240))
    tally.counts["kills"] = kills
    told = answers(order.folder)
    tally.violations += [f"T20 seed {order.seed}: I11 {' '.join(words[1:])}" for words in told.pop("", [])]
    tally.counts["answers"] = sum(map(len, told.values()))
    every = sorted(
        {each.identity.run_id for each in db.runs(RunFilter(limit=ALL))} | told.keys() | {each.run for each in effects(log)}
    )
    found = {run_id: ended(flow(SCENARIOS[scenario_of(run_id)], db, log), run_id, told.setdefault(run_id, [])) for run_id in every}
    done: dict[str, list[Effect]] = {}
    for each in effects(log):
        done.setdefault(each.run, []).append(each)
    for run_id, (workflow, status, wrong) in found.items():
        scenario = SCENARIOS[scenario_of(run_id)]
        if status:
            evidence = Evidence(workflow, scenario, run_id, done.get(run_id, []), told[run_id], kills, status)
            wrong += [each for check in OF_ONE_RUN for each in check(evidence)]
        tally.add("runs", wrong, f"T20 seed {order.seed}, run {run_id}")
        tally.counts["interruptions"] += sum(row.trigger == "interrupt" for row in db.journal(run_id))
    if tally.counts["interruptions"] > kills * max(each.branches for each in SCENARIOS.values()):
        tally.violations.append(f"T20 seed {order.seed}: P6 more was interrupted than {kills} kills can have")
    plain = SCENARIOS["plain"]  # the file is the same for all
    tally.violations += [
        f"T20 seed {order.seed}: {each}" for each in database_is_sound(Evidence(flow(plain, db, log), plain, "", []))
    ]
    db.close()
    if not kills or not every:
        tally.violations.append(f"T20 seed {order.seed}: {kills} kills and {len(every)} runs show nothing")
    return tally


def answers(folder: Path) -> dict[str, list[tuple[Any, ...]]]:
    """What anybody was told, by run."""
    told: dict[str, list[tuple[Any, ...]]] = {}
    for path in sorted(folder.glob("*.told")):
        for run_id, *words in heard(path):
            told.setdefault(run_id, []).append(tuple(words))
    return told


def ended(workflow: Workflow, run_id: str, told: list[tuple[Any, ...]]) -> tuple[Workflow, str, list[str]]:
    """Go on with a run when all is quiet: its status at the end, "" where it cannot be reached, and what was lost before."""
    scenario = SCENARIOS[scenario_of(run_id)]
    wrong = lost(workflow, scenario, told, run_id)
    try:
        return workflow, to_the_end(workflow, scenario, lambda *words: told.append(words), run_id), wrong
    except Exception as error:  # noqa: BLE001  # a run that cannot go on is what is looked for
        return workflow, "", [*wrong, f"I10 {type(error).__name__}: {error}"]
