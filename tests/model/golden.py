"""Golden journals: what this release writes of two walks through each model, kept for ever in `specs/traces`; the second one completes.

`python -m tests.model.golden` writes the set of this release. A set of an earlier one is never changed: its journals have to lead to the
states that they led to, under the rules that they began with. Where a set of this release changes, a fragment in `specs/changes` tells a
user why.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from random import Random
from typing import Any

from statecore import __version__
from statecore.codec.records import dump_state
from statecore.core import Program, State
from statecore.core.state import RULES_VERSION
from statecore.lifecycles import words as w
from statecore.stores import Body, Entry
from tests.model.models import models
from tests.model.walking import walk

TRACES = Path(__file__).parents[2] / "specs" / "traces"
FIRST = 60
"""Of so many walks, some complete in every model."""

RELEASE = ".".join(__version__.split(".")[:2])


def golden() -> dict[str, Any]:
    """The set of this release: of each model its canonical form, the rows of each walk, and the state that they lead to."""
    found: dict[str, Any] = {"rules": RULES_VERSION, "journals": {}}
    for name, program in models().items():
        for title, (rows, state) in ((name, drawn(program, name, cancels=True)), (f"{name}, completed", completing(program, name))):
            found["journals"][title] = {
                "canonical": program.canonical,
                "rows": [plain(row) for row in rows],
                "state": dump_state(state),
            }
    return found


def drawn(program: Program, seed: str, *, cancels: bool) -> tuple[list[Entry], State]:
    """A walk, from its seed."""
    return walk(program, Random(f"golden {seed}"), cancels=cancels)  # noqa: S311  # to be repeatable, not secret


def completing(program: Program, name: str) -> tuple[list[Entry], State]:
    """The longest of the first walks that complete: the one that does most."""
    walks = [drawn(program, f"{name} {number}", cancels=False) for number in range(FIRST)]
    return max([found for found in walks if found[1].run == w.completed], key=lambda found: len(found[0]))


def plain(row: Entry) -> list[Any]:
    """A row as JSON."""
    columns = [row.seq, row.machine, row.at, list(row.turn), row.attempt, row.source, row.trigger, row.dest, row.time]
    return [*columns, row.body.detail]


def read(plain_row: list[Any]) -> Entry:
    """A row from JSON."""
    seq, machine, at, turn, attempt, source, trigger, dest, time, detail = plain_row
    return Entry(seq, machine, at, tuple(turn), attempt, source, trigger, dest, time, Body(detail))


def text() -> str:
    """The set of this release as it lies in its file: one row a line."""
    found = golden()
    lines = []
    for name, journal in found["journals"].items():
        rows = ",\n   ".join(json.dumps(row) for row in journal["rows"])
        head = f'"canonical": {json.dumps(journal["canonical"])},\n  "state": {json.dumps(journal["state"])}'
        lines.append(f' {json.dumps(name)}: {{\n  {head},\n  "rows": [\n   {rows}\n  ]}}')
    return f'{{"rules": {found["rules"]}, "journals": {{\n' + ",\n".join(lines) + "\n}}\n"


def main() -> int:
    """Write it."""
    TRACES.mkdir(exist_ok=True)
    (TRACES / f"{RELEASE}.json").write_text(text(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
