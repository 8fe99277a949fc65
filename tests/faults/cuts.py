"""T3: the power is cut at a random place of a real process's record; what was not synced is dropped, kept or torn; then somebody goes on.

With `durability="full"` nothing that was acknowledged may be lost. With "normal" some of it must be, or the campaign shows nothing; the store
is a store all the same, and its runs come to their end.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

from attrs import frozen

from statecore.db.sqlite import SqliteDb
from tests.faults import strace
from tests.faults.disk import KINDS, OPTIONS, Disk, Op, recorded
from tests.faults.effects import effects
from tests.faults.invariants import (
    Evidence,
    database_is_sound,
    gates_hold,
    journal_is_a_path,
    journal_is_state,
    lost,
    progress_is_made,
    violations,
)
from tests.faults.recorded import LOG, STORE, TOLD, run_of
from tests.faults.report import Order, Tally
from tests.faults.scenarios import SCENARIOS, flow, to_the_end

ALWAYS = (gates_hold, journal_is_state, journal_is_a_path, database_is_sound, progress_is_made)
"""What holds whatever was lost."""

SHARED = f"{STORE}-shm"
"""Memory that processes share; it is in a file, and no promise rests on it."""


@frozen
class Cut:
    """What was left, what had been done in the world, and what callers had been told, by scenario."""

    names: Sequence[str]
    files: dict[str, bytes]
    log: bytes
    told: dict[int, list[tuple[Any, ...]]]


def cut(ops: Sequence[Op], at: int, names: Sequence[str], random: Random, kind: str) -> Cut:
    """The power goes before the op at a place."""
    disk = Disk()
    for op in ops[:at]:
        disk.do(op)
    files = {name: left for name, left in disk.after_cut(random, kind).items() if name.startswith(STORE) and name != SHARED}
    told: dict[int, list[tuple[Any, ...]]] = {}
    for op in ops[:at]:
        if op.name == TOLD and op.kind == "write":
            number, *words = json.loads(op.content)
            told.setdefault(number, []).append(tuple(words))
    log = b"".join(op.content for op in ops[:at] if op.name == LOG and op.kind == "write")
    return Cut(names, files, log, told)


def looked_at(folder: Path, left: Cut, durability: str) -> tuple[list[str], int]:
    """Go on with every run that had begun, and look: what is wrong, and how many answers were lost."""
    for name, content in left.files.items():
        (folder / name).write_bytes(content)
    log = folder / LOG
    log.write_bytes(left.log)
    begun = {each.run for each in effects(log)} | {run_of(number) for number in left.told}
    wrong: list[str] = []
    answers = 0
    try:
        db = SqliteDb(folder / STORE, durability="normal")
        for number, name in enumerate(left.names):
            if run_of(number) not in begun:
                continue
            scenario, before, after = SCENARIOS[name], left.told.get(number, []), list[tuple[Any, ...]]()
            workflow = flow(scenario, db, log)
            gone = lost(workflow, scenario, before, run_of(number))
            status = to_the_end(workflow, scenario, lambda *words, after=after: after.append(words), run_of(number))
            mine = [each for each in effects(log) if each.run == run_of(number)]
            evidence = Evidence(workflow, scenario, run_of(number), mine, after, 1, status)
            answers += len(gone)
            checks = violations(evidence) if durability == "full" else [each for check in ALWAYS for each in check(evidence)]
            wrong += [f"{run_of(number)} ({name}): {each}" for each in (gone if durability == "full" else []) + checks]
        db.close()
    except Exception as error:  # noqa: BLE001  # a store that cannot be opened, a run that cannot go on
        wrong.append(f"I10 {type(error).__name__}: {error}")
    return wrong, answers


def record(folder: Path, durability: str, names: Sequence[str], pages: int) -> list[Op]:
    """What a real process did."""
    folder.mkdir(parents=True)
    _, trace = strace.traced(folder, OPTIONS, "tests.faults.recorded", str(folder), durability, str(pages), *names)
    return list(recorded(trace, folder))


def run(order: Order) -> Tally:
    """Many cuts of some records, with both settings."""
    tally = Tally()
    if not strace.usable():
        return tally.without(strace.MISSING)
    for durability, cuts in (("full", order.of(8, 100, 600)), ("normal", order.of(8, 50, 200))):
        random, each = Random(f"{order.seed}-{durability}"), order.of(8, 10, 20)  # noqa: S311  # reproducible on purpose
        for n in range(cuts):
            if order.over:
                break
            if n % each == 0:
                names, pages = random.sample(sorted(SCENARIOS), 4), random.choice([10, 60, 4000])
                ops = record(order.folder / f"{durability}-{n}", durability, names, pages)
            at, kind = random.randint(1, len(ops)), random.choice(KINDS)
            place = order.folder / f"{durability}-cut-{n}"
            place.mkdir()
            left = cut(ops, at, names, random, kind)
            wrong, answers = looked_at(place, left, durability)
            tally.counts[f"answers given, {durability}"] += sum(map(len, left.told.values()))
            tally.counts[f"answers lost, {durability}"] += answers
            tally.add(f"cuts, {durability}", wrong, f"T3 seed {order.seed}, {durability}, cut {n} at {at} of {len(ops)}, {kind}")
    if not order.over and not tally.counts["answers lost, normal"]:
        tally.violations.append(f"T3 seed {order.seed}: without syncs nothing was lost, so the cuts show nothing")
    tally.cut_short = order.over
    return tally
