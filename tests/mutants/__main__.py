"""Mutants of floors 1 and 2: `python -m tests.mutants [--sample N] [--seed S] [--budget SECONDS] [--out FILE]`.

One thing is changed in one place of the definition or the core: a comparison, a boolean operator, a condition, a number, what is returned. The
tests that are about these floors then run on a copy of the tree; a mutant that they pass has survived, and is written down with its place. The
rows of the lifecycles are not touched here: `tests/laws/test_mutation.py` breaks them in every way there is.
"""

from __future__ import annotations

import argparse
import ast
import json
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from attrs import asdict, frozen

ROOT = Path(__file__).parents[2]
FILES = sorted([*(ROOT / "statecore/core").glob("*.py"), *(ROOT / "statecore/definition").glob("*.py")])
STAGES = (
    ["tests/unit/test_refusals.py", "tests/unit/test_endings.py", "tests/unit/test_definitions.py", "tests/unit/test_plain.py",
     "tests/unit/test_replay.py", "tests/model/test_oracle.py", "tests/model/test_counts.py", "tests/model/test_replay.py"],
    ["tests/model/test_reachable.py", "tests/property", "tests/conformance/test_settings.py"],
    ["tests/conformance", "-k", "memory-sync or (memory and not stream and not async)"],
)  # fmt: skip
LONGEST = 120
"""Seconds of one stage: a mutant that never ends is killed."""

SWAPS: dict[type, type] = {
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.In: ast.NotIn,
    ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.And: ast.Or, ast.Or: ast.And, ast.Add: ast.Sub, ast.Sub: ast.Add,
}  # fmt: skip


@frozen
class Mutant:
    """One change: where, and what."""

    file: str
    line: int
    what: str
    number: int


def changes(tree: ast.AST) -> Iterator[tuple[ast.AST, str, Callable[[], None]]]:
    """Every place that can be changed, with how."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare) and type(node.ops[0]) in SWAPS:
            yield node, f"{type(node.ops[0]).__name__} turned", lambda n=node: n.ops.__setitem__(0, SWAPS[type(n.ops[0])]())  # type: ignore[misc]
        elif isinstance(node, ast.BoolOp | ast.BinOp) and type(node.op) in SWAPS:
            yield node, f"{type(node.op).__name__} turned", lambda n=node: setattr(n, "op", SWAPS[type(n.op)]())  # type: ignore[misc]
        elif isinstance(node, ast.If | ast.IfExp | ast.While) and ast.unparse(node.test) != "TYPE_CHECKING":
            yield node, "condition denied", lambda n=node: setattr(n, "test", ast.UnaryOp(ast.Not(), n.test))  # type: ignore[misc]
        elif isinstance(node, ast.Constant) and type(node.value) is int:
            yield node, f"{node.value} raised by one", lambda n=node: setattr(n, "value", n.value + 1)  # type: ignore[misc]
        elif isinstance(node, ast.Return) and node.value is not None and not isinstance(node.value, ast.Constant):
            yield node, "None returned", lambda n=node: setattr(n, "value", ast.Constant(None))  # type: ignore[misc]


def mutants() -> list[Mutant]:
    """All of them."""
    found = []
    for file in FILES:
        for number, (node, what, _) in enumerate(changes(ast.parse(file.read_text(encoding="utf-8")))):
            found.append(Mutant(str(file.relative_to(ROOT)), getattr(node, "lineno", 0), what, number))
    return found


def mutated(mutant: Mutant) -> str:
    """The text of a file with the change made."""
    tree = ast.parse((ROOT / mutant.file).read_text(encoding="utf-8"))
    for number, (_, _, change) in enumerate(changes(tree)):
        if number == mutant.number:
            change()
            break
    return ast.unparse(ast.fix_missing_locations(tree))


def is_killed(copy: Path, mutant: Mutant) -> bool:
    """Whether some test fails on a mutant, or never ends."""
    place = copy / mutant.file
    whole = place.read_text(encoding="utf-8")
    place.write_text(mutated(mutant), encoding="utf-8")
    try:
        for stage in STAGES:
            command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "-n", "0", *stage]
            try:
                done = subprocess.run(command, cwd=copy, capture_output=True, timeout=LONGEST, check=False)
            except subprocess.TimeoutExpired:
                return True
            if done.returncode != 0:
                return True
        return False
    finally:
        place.write_text(whole, encoding="utf-8")


def main(arguments: list[str] | None = None) -> int:
    """Judge a sample of the mutants, as many as the budget allows, and print the survivors."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants")
    parser.add_argument("--sample", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--budget", type=float, default=1_800)
    parser.add_argument("--out", type=Path)
    wanted = parser.parse_args(arguments)
    every = mutants()
    drawn = random.Random(wanted.seed).sample(every, min(wanted.sample, len(every)))  # noqa: S311  # to be repeatable
    until, judged, survivors = time.monotonic() + wanted.budget, 0, []
    with tempfile.TemporaryDirectory() as name:
        copy = Path(name) / "tree"
        shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(".git", ".hypothesis", "__pycache__", ".campaigns", ".venv"))
        for mutant in drawn:
            if time.monotonic() > until:
                break
            judged += 1
            if not is_killed(copy, mutant):
                survivors.append(mutant)
                sys.stdout.write(f"survived: {mutant.file}:{mutant.line} {mutant.what}\n")
                sys.stdout.flush()
    said: dict[str, Any] = {
        "seed": wanted.seed,
        "mutants": len(every),
        "judged": judged,
        "survivors": [asdict(each) for each in survivors],
    }
    sys.stdout.write(f"{judged - len(survivors)} of {judged} judged mutants killed ({len(every)} there are; seed {wanted.seed})\n")
    if wanted.out is not None:
        wanted.out.write_text(json.dumps(said, indent=1), encoding="utf-8")
    return int(bool(survivors))


if __name__ == "__main__":
    sys.exit(main())
