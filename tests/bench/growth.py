"""What a trivial step costs, and how that grows: with the steps of a run, with its shape, and with the runs of its store."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path
from typing import Any

from statecore import InMemoryDb, Step, Workflow
from tests.bench.measure import Cost, Row, Scale, Work, at_most, beside, race
from tests.bench.peers.timing import SIZE
from tests.bench.works import (
    KILO,
    LARGER,
    answer_all,
    bare_fsyncs,
    gated,
    linear,
    nested,
    plain_loop,
    raw_commits,
    repeated,
    reviewed,
    store,
    trivial,
    wide,
)

STEP = "us/step"
PAYLOAD = 230
"""How many bytes the limit writes a step: about what the store keeps for one."""
FLAT = 1.3


def runs_of(scale: Scale, length: int, durability: str = "") -> int:
    """How many runs of that length make one round: several short ones, for one alone would find the caches cold."""
    return max(1, scale.steps_a_round // (8 if durability == "full" else 1) // length)


def memory(scale: Scale, folder: Path) -> list[Row]:
    """A step in memory, beside a plain loop over the same functions."""
    del folder
    rows, costs = [], {}
    for length in scale.lengths:
        workflow = linear(length, InMemoryDb())
        runs = runs_of(scale, length)
        works: dict[str, Work] = {"run": repeated(partial(workflow.run, "x"), runs), "loop": repeated(plain_loop(length), runs)}
        took = race(works, length * runs, scale.rounds)
        costs[length] = took["run"]
        target = at_most(took["run"].cpu, 25, STEP)
        rows.append(beside(f"step in memory, {length:,} a run", STEP, took["run"], "plain loop", took["loop"], **target))
    return [*rows, flatness("in memory", costs)]


def flatness(where: str, costs: dict[int, Cost]) -> Row:
    """How much more a step of a long run costs than one of a run of a hundred; of the shortest, where there are fewer."""
    short = sorted(costs)[min(1, len(costs) - 2)]
    ratio = round(costs[max(costs)].cpu / costs[short].cpu, 2)
    name = f"CPU a step {where}: {max(costs):,} a run / {short:,}"
    return Row(name, "ratio", count=ratio, **at_most(ratio, FLAT, ""))


def durable(scale: Scale, folder: Path, durability: str) -> list[Row]:
    """A step through SQLite, beside one raw INSERT and COMMIT of as many bytes; with the bytes that the file keeps for one."""
    rows, costs, kept = [], {}, {}
    for length in scale.lengths if durability == "normal" else scale.lengths[:-1]:
        db = store(folder, f"steps-{length}", durability)
        workflow = linear(length, db)
        runs = runs_of(scale, length, durability)
        works: dict[str, Work] = {
            "run": repeated(partial(workflow.run, "x"), runs),
            "raw": repeated(raw_commits(folder, durability, length, PAYLOAD), runs),
        }
        if durability == "full":
            works["fsync"] = repeated(bare_fsyncs(folder, length, 4096), runs)
        took = race(works, length * runs, scale.rounds)
        db.close()
        costs[length], kept[length] = took["run"], round(db.path.stat().st_size / length / runs / (scale.rounds + 1))
        more = {"bare append + fsync, wall us": took["fsync"].wall} if durability == "full" else {}
        name = f"step durable {durability}, {length:,} a run"
        target = durable_target(durability, took)
        rows.append(beside(name, STEP, took["run"], f"raw INSERT + COMMIT {durability}", took["raw"], more=more, **target))
    return [*rows, *larger(scale, folder, durability), flatness(f"durable {durability}", costs), *bytes_kept(kept, durability)]


def larger(scale: Scale, folder: Path, durability: str) -> list[Row]:
    """A step with a larger output, beside one with a small one; with the bytes that the file keeps for it."""
    length = scale.lengths[min(1, len(scale.lengths) - 1)]
    runs, rows = runs_of(scale, length, durability), []
    dbs = {size: store(folder, f"sized-{size}", durability) for size in (SIZE, *LARGER)}
    works: dict[str, Work] = {str(size): repeated(partial(linear(length, db, size).run, "x"), runs) for size, db in dbs.items()}
    took = race(works, length * runs, scale.rounds)
    for size, db in dbs.items():
        db.close()
        if size == SIZE:
            continue
        name = f"step durable {durability} of {size:,} bytes, {length:,} a run"
        rows.append(beside(name, STEP, took[str(size)], f"of {SIZE} bytes", took[str(SIZE)]))
        kept = round(db.path.stat().st_size / length / runs / (scale.rounds + 1))
        target = at_most(kept, 1_500, "bytes") if size == KILO else {}
        rows.append(Row(f"bytes kept a step of {size:,} bytes, {durability}", "bytes/step", count=kept, **target))
    return rows


def durable_target(durability: str, took: dict[str, Cost]) -> dict[str, Any]:
    """The target of a durable step: for normal CPU, for full what the wall clock says above the raw commit."""
    if durability == "normal":
        return at_most(took["run"].cpu, 100, "us CPU")
    above = took["run"].wall - took["raw"].wall
    return {"target": "<= raw + 60 us wall", "met": above <= 60}


def bytes_kept(kept: dict[int, int], durability: str) -> list[Row]:
    """The bytes that the closed file has grown by for a step, of the longest run and of one of a hundred."""
    if durability != "normal":
        return []
    short = sorted(kept)[min(1, len(kept) - 2)]
    rows = [
        Row(f"bytes kept a step, {length:,} a run", "bytes/step", count=kept[length], **at_most(kept[length], 400, "bytes"))
        for length in (short, max(kept))
    ]
    ratio = round(kept[max(kept)] / kept[short], 2)
    return [*rows, Row(f"bytes a step: {max(kept):,} a run / {short:,}", "ratio", count=ratio, **at_most(ratio, FLAT, ""))]


def normal(scale: Scale, folder: Path) -> list[Row]:
    """`durability="normal"`: a dead process loses nothing."""
    return durable(scale, folder, "normal")


def full(scale: Scale, folder: Path) -> list[Row]:
    """`durability="full"`: a power cut loses nothing."""
    return durable(scale, folder, "full")


# -- shape -------------------------------------------------------------------------------------------------------------------------


def shape(scale: Scale, folder: Path) -> list[Row]:
    """A step inside so many groups, and a branch of a Parallel so wide, in memory."""
    del folder
    length = max(scale.lengths[:2])
    groups = {depth: nested(length, depth, InMemoryDb()) for depth in scale.depths}
    runs = runs_of(scale, length)
    took = race({str(depth): repeated(partial(w.run, "x"), runs) for depth, w in groups.items()}, length * runs, scale.rounds)
    rows = [beside(f"step at depth {depth}, in memory", STEP, took[str(depth)], "depth 1", took["1"]) for depth in scale.depths]
    for branches in scale.widths:
        workflow = wide(branches, InMemoryDb())
        found = race({"wide": repeated(partial(answer_all, workflow), 5)}, branches * 5, scale.rounds)
        rows.append(beside(f"gated branch of a Parallel of {branches}, in memory", "us/branch", found["wide"]))
    return rows


# -- runs in a store ---------------------------------------------------------------------------------------------------------------


def stores(scale: Scale, folder: Path) -> list[Row]:
    """A run of ten steps, and a pause with its decision, in stores that hold so many runs already."""
    rows: list[Row] = []
    for where, db in (("memory", InMemoryDb()), ("normal", store(folder, "crowded", "normal"))):
        first: dict[str, Cost] = {}
        held, until = 0, time.monotonic() + scale.store_seconds
        works: dict[str, Work] = {
            "run of 10 steps": partial(linear(10, db).run, "x"),
            "pause + decide + resume": partial(reviewed, gated(db)),
        }
        for runs in scale.stores:
            held = fill(db, held, runs, until)
            if held < runs:
                rows.append(Row(f"runs stored within {scale.store_seconds:g} s ({where})", "runs", count=held))
                break
            rows += [crowded(name, where, held, repeated(work, 20), first, scale) for name, work in works.items()]
        db.close()
    return rows


def crowded(name: str, where: str, held: int, work: Work, first: dict[str, Cost], scale: Scale) -> Row:  # noqa: PLR0913  # where, what, and beside what
    """A row of one work in a store that holds many runs, beside the emptiest one."""
    took = race({name: work}, 20, scale.rounds)[name]
    base = first.setdefault(name, took)
    target = at_most(round(took.cpu / base.cpu, 2), FLAT, "x the first") if took is not base else {}
    return beside(f"{name} beside {held:,} runs, {where}", "us/run", took, "beside few", base, **target)


def fill(db: Any, held: int, wanted: int, until: float) -> int:
    """Have so many runs in a store, each paused before its only step; how many there are where the time is up."""
    workflow = Workflow("filler", steps=[Step("a", trivial, requires_confirmation=True)], db=db)
    while held < wanted and time.monotonic() < until:
        workflow.run("x")
        held += 1
    return held
