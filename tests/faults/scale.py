"""T14: a store of many paused runs, and a run of many steps. What one thing costs does not grow with how many others there are.

Costs are counted in instructions of SQLite's machine, which are the same on every day and every machine; the full size also takes the time of the
processor, as the median of many. The runs are real ones. Every statement that is executed is explained: none looks through a table.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import process_time
from typing import Any, ClassVar

from attrs import define, field

from statecore import Step, Workflow
from statecore.db.sqlite import SqliteDb
from statecore.runtime.launching import launch
from statecore.runtime.sync import drive
from statecore.stores.sqlite.health import verify
from tests.faults.report import Order, Tally

GRAIN = 20
"""After how many instructions SQLite calls back."""

FLAT_COUNT, FLAT_TIME = 1.5, 3.0
"""How much more one thing may cost in a store a hundred times as large: in instructions, and in time."""

EACH = {"recover": 5, "tick": 5}
"""What may grow, by so many instructions for each open question: format 2 has no index of those that are decided (0088)."""

SMALL = frozenset({"store", "legal", "definition", "sqlite_schema", "CONSTANT"})
"""What may be looked through: it does not grow with the runs."""


class Counted(sqlite3.Connection):
    """A connection that counts instructions, and remembers each statement with what was bound."""

    spent: ClassVar[int] = 0
    said: ClassVar[dict[str, tuple[Any, ...]]] = {}

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.set_progress_handler(self.tick, GRAIN)

    @staticmethod
    def tick() -> int:
        Counted.spent += GRAIN
        return 0

    def execute(self, statement: str, *bound: Any) -> sqlite3.Cursor:
        Counted.said[statement] = bound
        return super().execute(statement, *bound)


@define
class Cost:
    """What one thing costs: instructions and seconds, each the median of several."""

    instructions: float
    seconds: float


def costs(act: Callable[[], object], times: int) -> Cost:
    """Do something several times."""
    counts, seconds = [], []
    for _ in range(times):
        Counted.spent, begun = 0, process_time()
        act()
        counts.append(Counted.spent)
        seconds.append(process_time() - begun)
    return Cost(median(counts), median(seconds))


# -- many runs ---------------------------------------------------------------------------------------------------------------------


@define
class Crowd:
    """A store of so many paused runs, in sessions of a hundred."""

    file: Path
    many: int
    workflow: Workflow = field(init=False)
    decided: int = 0

    def __attrs_post_init__(self) -> None:
        """The runs, each begun and paused by the engine."""
        steps = [Step("a", lambda _: "a"), Step("b", lambda _: "b", requires_confirmation=True), Step("z", lambda _: "z")]
        self.workflow = Workflow("flow", steps, SqliteDb(self.file, durability="normal", connection_factory=Counted))
        for n in range(self.many):
            ready = launch(self.workflow, f"order {n}", run_id=f"run-{n}", session_id=f"session-{n // 100}")
            for _ in drive(ready.execution, ready.first):
                pass

    def next_run(self) -> str:
        """A run that nobody has decided."""
        self.decided += 1
        return f"run-{self.many // 2 + self.decided}"

    def decides(self) -> None:
        """One is decided."""
        self.workflow.decide(self.next_run(), "b:confirmation:0", "confirm", by="ann")

    def goes_on(self) -> None:
        """One is decided, and goes on to its end."""
        run_id = self.next_run()
        self.workflow.decide(run_id, "b:confirmation:0", "confirm", by="ann")
        assert self.workflow.continue_run(run_id=run_id).content == "z"

    def begins(self) -> None:
        """One begins."""
        self.decided += 1
        self.workflow.run("x", run_id=f"new-{self.decided}", session_id="session-0", idempotency_key=f"key-{self.decided}")

    def acts(self) -> dict[str, Callable[[], object]]:
        """What is measured."""
        flow = self.workflow
        return {
            "list a page of pauses": lambda: flow.list_pauses(limit=50),
            "list a page of one session's pauses": lambda: flow.list_pauses(session_id="session-0", limit=50),
            "list a page of runs": lambda: flow.list_runs(limit=50),
            "list a page of paused runs": lambda: flow.list_runs(status="PAUSED", limit=50),
            "look at one": lambda: flow.get_run_output("run-7").to_dict(),
            "recover": flow.recover,
            "tick": flow.tick,
            "decide one": self.decides,
            "decide one and go on": self.goes_on,
            "begin one": self.begins,
        }

    def looked_through(self) -> list[str]:
        """The tables that some statement looks through, by its plan."""
        connection = sqlite3.connect(self.file)
        found = []
        for statement, bound in Counted.said.items():
            if statement.lstrip().split()[0] in ("SELECT", "INSERT", "UPDATE"):
                plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}", *bound)]
                scans = [line for line in plan if line.startswith("SCAN") and "USING" not in line and line.split()[1] not in SMALL]
                found += [f"{line} in {' '.join(statement.split())[:150]}" for line in scans]
        connection.close()
        return found


def not_as_promised(file: Path) -> list[str]:
    """Whether readers and a writer are in each other's way: the one setting that lies in the file."""
    connection = sqlite3.connect(file)
    mode = connection.execute("PRAGMA journal_mode").fetchone()[0]
    connection.close()
    return [] if mode == "wal" else [f"journal_mode is {mode}"]


def crowds(order: Order, tally: Tally) -> None:
    """The same acts in a small store and in a large one."""
    sizes = (order.of(60, 1_000, 1_000), order.of(600, 10_000, 100_000))
    found: dict[int, dict[str, Cost]] = {}
    for many in sizes:
        crowd = Crowd(order.folder / f"{many}.db", many)
        Counted.said.clear()
        found[many] = {name: costs(act, order.of(3, 11, 21)) for name, act in crowd.acts().items()}
        tally.add("plans", [*crowd.looked_through(), *not_as_promised(crowd.file)], f"T14 {many} runs")
        crowd.workflow.db.close()
        if order.size == "sample" or many < 10**5:
            tally.add("verified", [str(fault) for fault in verify(crowd.file).faults], f"T14 {many} runs")
    for name, small in found[sizes[0]].items():
        large = found[sizes[1]][name]
        told = f"{small.instructions:.0f} -> {large.instructions:.0f} instructions, {small.seconds * 1e3:.2f} -> {large.seconds * 1e3:.2f} ms"
        tally.notes[f"{name}, {sizes[0]} -> {sizes[1]} runs"] = told
        more = EACH.get(name, 0) * (sizes[1] - sizes[0])
        wrong = [f"not flat: {told}"] if large.instructions > FLAT_COUNT * small.instructions + 10 * GRAIN + more else []
        if order.size == "full" and name not in EACH and large.seconds > FLAT_TIME * small.seconds + 0.0005:
            wrong.append(f"not flat in time: {told}")
        tally.add(name, wrong, f"T14 {name}, {sizes[0]} -> {sizes[1]} runs")


# -- a long run --------------------------------------------------------------------------------------------------------------------


def long_run(order: Order, tally: Tally) -> None:
    """A run of many steps: its first part beside its last one."""
    length, part = order.of(1_000, 2_000, 10_000), order.of(250, 500, 1_000)
    file, marks = order.folder / "long.db", {}
    db = SqliteDb(file, durability="normal", connection_factory=Counted)

    def step(n: int) -> Step:
        def called(_: Any) -> str:
            if n in (1, part, length - part, length - 1):
                marks[n] = (Counted.spent, process_time(), size_of(file))
            return f"output {n:8}"

        return Step(f"s{n:05}", called)

    Workflow("long", [step(n) for n in range(length)], db).run("x", run_id="long")
    db.close()
    first, last = (
        [(after - before) / part for before, after in zip(marks[start], marks[end], strict=True)]
        for start, end in ((1, part), (length - part, length - 1))
    )
    names = ("instructions", "seconds", "bytes")
    told = {name: f"{one:.6g} -> {other:.6g}" for name, one, other in zip(names, first, last, strict=True)}
    tally.notes[f"a step, first and last {part} of {length}"] = str(told)
    wrong = [
        f"{name} not flat: {told[name]}" for n, name in enumerate(names) if name != "seconds" and last[n] > FLAT_COUNT * first[n]
    ]
    if order.size == "full" and last[1] > FLAT_COUNT * first[1]:
        wrong.append(f"time not flat: {told['seconds']}")
    tally.add("a long run", wrong, f"T14 a run of {length} steps")


def size_of(file: Path) -> int:
    """How many bytes a store has, the log included."""
    connection = sqlite3.connect(file)
    try:
        pages, page = (connection.execute(f"PRAGMA {what}").fetchone()[0] for what in ("page_count", "page_size"))
    finally:
        connection.close()
    return int(pages * page)


def run(order: Order) -> Tally:
    """Both."""
    tally = Tally()
    long_run(order, tally)
    crowds(order, tally)
    return tally
