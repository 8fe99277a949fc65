"""The house rules: what the linters say, what is on the shelf, and that only the firing of a row changes a status."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from statecore.lifecycles import TABLES

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "statecore"

KEPT = [] if (ROOT / ".mypy_cache").exists() else ["--cache-dir=/dev/null"]
"""What mypy keeps for its next time is of use where there is one; a clean checkout is looked at once."""
LINTERS = {
    "ruff check": ["-m", "ruff", "check", "--no-cache", "--quiet", "."],
    "ruff format": ["-m", "ruff", "format", "--no-cache", "--quiet", "--check", "."],
    "mypy": ["-m", "mypy", *KEPT],
    "import-linter": ["-c", "from importlinter.cli import lint_imports_command as lint; lint(['--no-cache', '--no-logo'])"],
}

SHELF = {"pyproject.toml", "statecore", "specs", "tests", "diagrams", "README.md", "LICENSE"}


@pytest.mark.parametrize("arguments", LINTERS.values(), ids=list(LINTERS))
def test_the_linter_has_nothing_to_say(arguments):
    """The whole checkout passes the linter under the settings of pyproject.toml."""
    found = subprocess.run([sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout + found.stderr


def test_files_are_short():
    """A file of the package has at most 400 lines."""
    lengths = {str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines()) for path in PACKAGE.rglob("*.py")}
    assert {name: length for name, length in lengths.items() if length > 400} == {}


def test_the_shelf_holds_what_was_agreed():
    """A visitor sees seven things at the top level; whatever else git tracks there begins with a dot."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S607
    # an unpacked archive has no git; then what lies there counts
    names = listed.stdout.split("\0") if listed.returncode == 0 else [path.name for path in ROOT.iterdir()]
    seen = {name.split("/")[0] for name in names if name and not name.startswith(".")}
    assert seen <= SHELF


def test_ci_and_readme_test_the_same_way():
    """What the README tells a newcomer to run is what is run on every change."""
    command = re.compile(r"/python\"? (-m pytest.*)$", re.MULTILINE)
    assert command.findall((ROOT / "README.md").read_text(encoding="utf-8")) == command.findall(
        (ROOT / ".ci/run").read_text(encoding="utf-8")
    )


def test_only_the_machine_imports_transitions():
    """The library that moves machines has one door, also for imports that a function hides."""
    doors = {str(path.relative_to(ROOT)) for path in sources() if "transitions" in set(imported(tree_of(path)))}
    assert doors == {"statecore/lifecycles/machine.py"}


# -- no status is assigned outside fire --------------------------------------------------------------------------------------------

STATES = {state for table in TABLES.values() for state in table.states}
BORN = {table.initial for table in TABLES.values()}
"""The states that a thing may be made in without a row: it has to begin somewhere."""

HOLDERS = {"Cursor": 1, "State": 0, "Move": 6}
"""The records of the core that hold a status, and at which position."""

FIELDS = {"phase", "run"}
"""What they call it."""


def test_no_status_is_assigned_outside_fire():
    """No module of the package gives a run or a component a status by its name: it fires a row and takes what comes."""
    assert {f"{path.relative_to(ROOT)}:{line}" for path in sources() for line in assigned(tree_of(path))} == set()


def test_the_core_takes_a_status_only_from_fire():
    """In the core, what is put into a status is the answer of `fire`, or carried over from another state."""
    paths = sorted((PACKAGE / "core").glob("*.py"))
    assert {f"{path.relative_to(ROOT)}:{line}" for path in paths for line in unfired(tree_of(path))} == set()


@pytest.mark.parametrize(
    "line",
    [
        "self.run = w.completed",
        "cursor.phase = 'running'",
        "self.run, old = w.failed, self.run",
        "Cursor(at, w.skipped)",
        "Cursor(at, phase=w.skipped)",
        "State(w.cancelled, ())",
        "state = State(run='completed')",
        "evolve(cursor, phase=w.completed)",
        "phase = w.completed if done else w.failed",
        "setattr(state, 'run', w.completed)",
        "object.__setattr__(state, 'run', w.completed)",
    ],
)
def test_an_assigned_status_is_found(line):
    """The rule can fail: each way to write a status by hand is seen."""
    assert list(assigned(ast.parse(line))) == [1]


@pytest.mark.parametrize(
    "line",
    ["Cursor(at, w.pending)", "if state.run == w.paused: pass", "phase = self.fire(node, w.running, w.finish)", "State(draft.run)"],
)
def test_asking_and_firing_are_no_assignment(line):
    """The rule is fair: comparing, firing and beginning are free."""
    assert list(assigned(ast.parse(line))) == []
    assert list(unfired(ast.parse(line))) == []


@pytest.mark.parametrize("line", ["self.run = decide()", "phase = table['x']", "self.run += 'x'"])
def test_a_status_from_elsewhere_is_found(line):
    """The core's own rule can fail: a status from anywhere but `fire` is seen."""
    assert list(unfired(ast.parse(line))) == [1]


def sources() -> list[Path]:
    """The package's files."""
    return sorted(PACKAGE.rglob("*.py"))


def tree_of(path: Path) -> ast.Module:
    """A file as a syntax tree."""
    return ast.parse(path.read_text(encoding="utf-8"))


def imported(tree: ast.Module) -> Iterator[str]:
    """The top packages that a file imports, anywhere in it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.split(".")[0]


def assigned(tree: ast.AST) -> Iterator[int]:
    """The lines on which a status is given by its name: to a field, a variable or a record that holds one."""
    for node in ast.walk(tree):
        if any(names_a_status(value) for value in given(node)):
            yield node.lineno  # type: ignore[attr-defined]


def given(node: ast.AST) -> Iterator[ast.expr]:
    """The expressions that a piece of code puts into a field, a variable or a record that holds a status."""
    for target, value in pairs(node):
        if called(target) in FIELDS:
            yield value
    if isinstance(node, ast.Call):
        yield from (keyword.value for keyword in node.keywords if keyword.arg in FIELDS)
        position = HOLDERS.get(called(node.func) or "")
        if position is not None and len(node.args) > position:
            yield node.args[position]
        if (called(node.func) or "").endswith(("setattr", "__setattr__")):
            yield node.args[-1]


def unfired(tree: ast.AST) -> Iterator[int]:
    """The lines on which a status is assigned that is no answer of `fire`."""
    for node in ast.walk(tree):
        for target, value in pairs(node):
            if called(target) in FIELDS and not isinstance(target, ast.arg) and not comes_from_fire(value):
                yield node.lineno  # type: ignore[attr-defined]


def pairs(node: ast.AST) -> Iterator[tuple[ast.expr, ast.expr]]:
    """Each target of an assignment with what it gets."""
    match node:
        case ast.Assign(targets=targets, value=value):
            for target in targets:
                if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
                    yield from zip(target.elts, value.elts, strict=False)
                else:
                    yield target, value
        case ast.AugAssign(target=target, value=value) | ast.NamedExpr(target=target, value=value):
            yield target, value
        case ast.AnnAssign(target=target, value=ast.expr() as value):
            yield target, value


def called(node: ast.AST) -> str | None:
    """The last part of a name."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case _:
            return None


def names_a_status(node: ast.expr) -> bool:
    """Whether an expression is a status by its name, other than one to begin in."""
    match node:
        case ast.Constant(value=str(word)) | ast.Attribute(value=ast.Name(id="w" | "words"), attr=word):
            return word in STATES - BORN
        case ast.IfExp(body=one, orelse=other):
            return names_a_status(one) or names_a_status(other)
        case ast.BoolOp(values=values):
            return any(map(names_a_status, values))
        case _:
            return False


def comes_from_fire(node: ast.expr) -> bool:
    """Whether an expression is a firing, or the status to begin in."""
    match node:
        case ast.Call(func=function):
            return called(function) == "fire"
        case ast.Attribute(value=ast.Name(id="w"), attr=word):
            return word in BORN
        case _:
            return False
