"""The ground truth of a campaign: what user code really did, in a file outside the engine, one O_APPEND write for each line."""

from __future__ import annotations

import os
from pathlib import Path

from attrs import frozen


@frozen
class Effect:
    """One line. `kind` is start or end; `seen` is what the step found stored about itself at that moment: decisions, and whether it is done."""

    kind: str
    run: str
    at: str
    attempt: int
    pid: int
    seen: tuple[str, ...] = ()


def note(path: Path, effect: Effect) -> None:
    """Append an effect, in one write."""
    line = "\t".join([effect.kind, effect.run, effect.at, str(effect.attempt), str(effect.pid), ",".join(effect.seen)])
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(file, f"{line}\n".encode())
    finally:
        os.close(file)


def effects(path: Path) -> list[Effect]:
    """All effects, in the order in which they happened."""
    if not path.exists():
        return []
    found = []
    for line in path.read_text(encoding="utf-8").splitlines():
        kind, run, at, attempt, pid, seen = line.split("\t")
        found.append(Effect(kind, run, at, int(attempt), int(pid), tuple(seen.split(",")) if seen else ()))
    return found
