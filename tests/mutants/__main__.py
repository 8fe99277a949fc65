"""Mutants of floors 1 and 2: `python -m tests.mutants [--sample N] [--seed S] [--jobs J] [--budget SECONDS] [--out FILE]`.

One thing is changed in one place of the definition or the core: a comparison, a boolean operator, a condition, a number, what is returned. The
tests that are about these floors then run on it, the quickest first; a mutant that they pass has survived, and is written down with its place.
Each mutant lives in a process of its own, forked before statecore is imported; the files are never changed. The
rows of the lifecycles are not touched here: `tests/laws/test_mutation.py` breaks them in every way there is.

`--out FILE` keeps each verdict as a line of JSON when it is found, and what stands there of today's code is not judged again.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import gc
import importlib
import json
import os
import random
import resource
import select
import signal
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from hashlib import sha256
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from multiprocessing import get_context
from pathlib import Path
from typing import Never, NoReturn

import hypothesis.stateful  # noqa: F401  # what the tests need is imported once, before the forks
import pytest
from attrs import asdict, frozen
from hypothesis import Phase, settings

ROOT = Path(__file__).parents[2]
FILES = sorted([*(ROOT / "statecore/core").glob("*.py"), *(ROOT / "statecore/definition").glob("*.py")])
STAGES = (
    ["tests/model/test_replay.py", "-k", "golden"],
    [
        "tests/unit/definition/test_plain.py",
        "tests/unit/definition/test_definitions.py",
        "tests/model/test_counts.py",
        "tests/conformance/test_settings.py",
    ],
    ["tests/conformance", "-k", "not sqlite and not stream and not async"],
    [
        "tests/unit/core/test_refusals.py",
        "tests/unit/core/test_endings.py",
        "tests/unit/core/test_replay.py",
        "tests/unit/core/test_instants.py",
        "tests/unit/core/test_memo.py",
        "tests/unit/core/test_adoption.py",
        "tests/unit/core/test_evidence.py",
    ],
    ["tests/model/test_oracle.py", "tests/model/test_replay.py", "tests/model/test_reachable.py", "tests/property"],
)
QUIET = ["-W", "ignore::pytest.PytestAssertRewriteWarning"]  # hypothesis and statecore are there before it
LONGEST = 120
"""Seconds of a processor for one stage: a mutant that never ends is killed, and one on a busy machine is not."""
PATIENCE = 1_800
"""Seconds by the clock, for one that waits for ever."""

SWAPS: dict[type, type] = {
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.In: ast.NotIn,
    ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.And: ast.Or, ast.Or: ast.And, ast.Add: ast.Sub, ast.Sub: ast.Add,
}  # fmt: skip


@frozen
class Mutant:
    """One change: where, and what; `code` stands for the text of the file."""

    file: str
    line: int
    what: str
    number: int
    code: str


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
        text = file.read_text(encoding="utf-8")
        name, code = str(file.relative_to(ROOT)), sha256(text.encode()).hexdigest()[:12]
        for number, (node, what, _) in enumerate(changes(ast.parse(text))):
            found.append(Mutant(name, getattr(node, "lineno", 0), what, number, code))
    return found


def mutated(mutant: Mutant) -> str:
    """The text of a file with the change made."""
    tree = ast.parse((ROOT / mutant.file).read_text(encoding="utf-8"))
    for number, (_, _, change) in enumerate(changes(tree)):
        if number == mutant.number:
            change()
            break
    return ast.unparse(ast.fix_missing_locations(tree))


def is_killed(mutant: Mutant | None) -> bool:
    """Whether some test fails on a mutant (or, as a control, on what was not changed), or never ends."""
    for stage in STAGES:
        child = os.fork()
        if not child:
            run_stage(mutant, stage)
        if ended_with(child, time.monotonic() + PATIENCE) != 0:
            return True
    return False


def run_stage(mutant: Mutant | None, stage: list[str]) -> NoReturn:
    """In a child: run tests against the mutant, and leave with what pytest says. Nothing of statecore was imported before the fork."""
    os.setpgid(0, 0)
    resource.setrlimit(resource.RLIMIT_CPU, (LONGEST, LONGEST))
    settings.register_profile("judging", phases=(Phase.explicit, Phase.generate))  # a failure is enough, it need not be small
    settings.load_profile("judging")
    gc.freeze()  # what was there before the fork is not looked through again, and its memory stays shared
    code = 3
    try:
        silence = os.open(os.devnull, os.O_RDWR)
        for number in (0, 1, 2):
            os.dup2(silence, number)
        if mutant is not None:
            module = mutant.file.removesuffix(".py").replace("/", ".").removesuffix(".__init__")
            for name in [name for name in sys.modules if name.partition(".")[0] == "statecore"]:
                del sys.modules[name]  # where a test asks, it has been imported
            sys.meta_path.insert(0, Mutating(module, ROOT / mutant.file, mutated(mutant)))
            importlib.import_module(module)  # before pytest, which puts a finder of its own first, for the packages of its plugins
        code = pytest.main(["-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--tb=no", *QUIET, *stage])
    finally:
        os._exit(int(code))


def ended_with(child: int, until: float) -> int:
    """The exit code of a child, or -1 where it had to be ended because it was at it for too long."""
    ready = os.pidfd_open(child)
    try:
        select.select([ready], [], [], max(0.0, until - time.monotonic()))
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child, signal.SIGKILL)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    finally:
        os.close(ready)


class Changed(SourceFileLoader):
    """Loads a module with another text than that on the disk; compiled code is neither read nor kept."""

    text = ""

    def get_data(self, path: str) -> bytes:
        """The changed text."""
        return self.text.encode()

    def path_stats(self, path: str) -> Never:
        """There is no compiled code that is as old as this."""
        raise OSError(path)


@frozen
class Mutating(MetaPathFinder):
    """Gives one module its changed text."""

    module: str
    place: Path
    text: str

    def find_spec(self, fullname: str, path: object, target: object = None) -> ModuleSpec | None:
        """The spec of the one module."""
        if fullname != self.module:
            return None
        loader = Changed(fullname, str(self.place))
        loader.text = self.text
        return spec_from_file_location(fullname, self.place, loader=loader)


def main(arguments: list[str] | None = None) -> int:
    """Judge a sample of the mutants, as many as the budget allows, and print the survivors."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants")
    parser.add_argument("--sample", type=int, help="how many (default: all)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--budget", type=float, default=7_200)
    parser.add_argument("--out", type=Path)
    wanted = parser.parse_args(arguments)
    every = mutants()
    size = len(every) if wanted.sample is None else min(wanted.sample, len(every))
    drawn = random.Random(wanted.seed).sample(every, size)  # noqa: S311  # to be repeatable
    before = kept(wanted.out)
    verdicts = [(mutant, before[mutant]) for mutant in drawn if mutant in before]
    fresh = [mutant for mutant in drawn if mutant not in before]
    if fresh and is_killed(None):
        sys.stdout.write("the tests fail on what was not changed: nothing can be judged\n")
        return 2
    for mutant, killed in judged(fresh, wanted.jobs, wanted.budget):
        verdicts.append((mutant, killed))
        if wanted.out is not None:
            with wanted.out.open("a", encoding="utf-8") as file:
                file.write(json.dumps({**asdict(mutant), "killed": killed}) + "\n")
    survivors = [mutant for mutant, killed in verdicts if not killed]
    for mutant in survivors:
        sys.stdout.write(f"survived: {mutant.file}:{mutant.line} {mutant.what}\n")
    count = len(verdicts) - len(survivors)
    sys.stdout.write(f"{count} of {len(verdicts)} judged mutants killed ({len(every)} there are; seed {wanted.seed})\n")
    return int(bool(survivors))


def kept(file: Path | None) -> dict[Mutant, bool]:
    """The verdicts that an earlier campaign wrote down."""
    lines = file.read_text(encoding="utf-8").splitlines() if file is not None and file.exists() else []
    said = [json.loads(line) for line in lines]
    return {Mutant(**{name: each[name] for name in ("file", "line", "what", "number", "code")}): each["killed"] for each in said}


def judged(drawn: list[Mutant], jobs: int, budget: float) -> Iterator[tuple[Mutant, bool]]:
    """The verdicts about the mutants that the budget allows, as they are found."""
    until = time.monotonic() + budget
    with ProcessPoolExecutor(jobs, get_context("fork")) as pool:
        waiting = {pool.submit(is_killed, mutant): mutant for mutant in drawn}
        for done in as_completed(waiting):
            yield waiting[done], done.result()
            if time.monotonic() > until:
                pool.shutdown(wait=True, cancel_futures=True)
                break


if __name__ == "__main__":
    sys.exit(main())
