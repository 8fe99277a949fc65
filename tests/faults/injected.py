"""T1 in a real process: strace kills it at a system call, or lets that call fail (EIO once, ENOSPC from there on), in ten scenarios.

A process that is killed at a call has not made it, so that killing at every call is dying at every boundary between two of them.
"""

from __future__ import annotations

import signal
from pathlib import Path
from shutil import rmtree

from statecore.db.sqlite import SqliteDb
from tests.faults import strace
from tests.faults.effects import effects
from tests.faults.invariants import Evidence, lost, violations
from tests.faults.report import Order, Tally
from tests.faults.scenarios import RUN, SCENARIOS, flow, to_the_end
from tests.faults.victim import ESCAPED, heard

CALLS = {"unlink": 5, "ftruncate": 2, "fdatasync": 16, "pwrite64": 100}
"""Each kind of call, and how often every scenario makes it at least; the many come last, so that a budget cuts them short."""

FAULTS = {
    "EIO": ("error=EIO:when={}", "--seccomp-bpf"),
    "ENOSPC": ("error=ENOSPC:when={}+", "--seccomp-bpf"),
    "KILL": ("signal=SIGKILL:when={}",),
}
"""What is injected, and how fast: a signal gets lost where strace stops at some calls only."""

SAMPLE = {"unlink": ["EIO"], "ftruncate": ["ENOSPC"], "fdatasync": ["EIO", "KILL"], "pwrite64": ["ENOSPC"]}
"""Of a sample: each kind of call, and each kind of fault."""


def struck(folder: Path, call: str, fault: str, at: int, names: list[str]) -> list[str]:
    """Strike each scenario in a process of its own; those that met the fault."""
    what, *more = FAULTS[fault]
    options = [*more, "-e", f"trace={call}", "-e", f"inject={call}:{what.format(at)}"]
    said, trace = strace.traced(folder, options, "tests.faults.victim", str(folder), *names)
    injected = {line.split()[0] for line in trace if "(INJECTED)" in line}
    children = [line.split() for line in said]
    return [name for name, pid, died in children if int(died) == signal.SIGKILL or pid in injected]


def looked_at(folder: Path, name: str) -> list[str]:
    """Go on without faults, in this process, and look at everything."""
    scenario, log = SCENARIOS[name], folder / f"{name}.log"
    told = heard(folder / f"{name}.told")
    wrong = [f"I11 {words[1]}: {words[2]}" for words in told if words[0] == ESCAPED]
    db = None
    try:
        db = SqliteDb(folder / f"{name}.db", durability="normal")
        workflow = flow(scenario, db, log)
        wrong += lost(workflow, scenario, [words for words in told if words[0] != ESCAPED])
        status = to_the_end(workflow, scenario, lambda *words: told.append(words))
        wrong += violations(Evidence(workflow, scenario, RUN, effects(log), told, 1, status))
    except Exception as error:  # noqa: BLE001  # a run that cannot go on is what is looked for
        wrong.append(f"I10 {type(error).__name__}: {error}")
    if db is not None:
        db.close()
    return wrong


def run(order: Order) -> Tally:
    """Every call of every scenario at full size; else calls that are drawn, some of each kind with each fault."""
    tally, random = Tally(), order.random
    if not strace.usable():
        return tally.without(strace.MISSING)
    for call, often in CALLS.items():
        for fault in FAULTS if order.size != "sample" else SAMPLE[call]:
            step = order.of(often, max(often // 8, 1), 1)
            at, names = random.randint(1, step), random.sample(sorted(SCENARIOS), order.of(2, 10, 10))
            while names and not order.over:
                folder = order.folder / f"{call}-{fault}-{at}"
                folder.mkdir()
                names = struck(folder, call, fault, at, names)
                for name in names:
                    tally.add(f"{fault} at {call}", looked_at(folder, name), f"T1 {name} {fault} at {call} {at}")
                rmtree(folder)
                at += step if order.size != "sample" else 1000
    tally.cut_short = order.over
    return tally
