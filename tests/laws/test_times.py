"""A time says its unit: an annotation is `Micros` or `Seconds`, or the name ends in `_us` or `seconds`."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "statecore"
TIME = re.compile(
    r"_?(time|now|due\w*|opened|closed|deadline|lease|created|updated|since|until|delay|timeout|cancel_requested|began|ended|clock|late|latest)"
)
"""The names of whole numbers that are times."""
UNIT = re.compile(r".*(_us|micros|seconds)")
PLAIN = {
    "definition/components.py": {"retry_delay", "backoff", "execution_timeout"},
    "definition/media.py": {"duration"},
    "definition/review.py": {"timeout", "hitl_timeout"},
    "core/program.py": {"backoff"},
    "codec/values.py": {"value"},
    "draw/picture.py": {"width"},
    "telemetry/metrics.py": {"value", "sum"},
    "telemetry/otel.py": {"value"},
    "telemetry/tallies.py": {"value"},
    "examples/error_pause.py": {"rate"},
}
"""Floats without a unit: settings of the public interface, whose documentation says seconds, and numbers that are no time."""


def named(tree: ast.AST) -> Iterator[tuple[str, ast.expr | None]]:
    """Each annotated name of a module: arguments, attributes and variables, and functions with what they return."""
    for node in ast.walk(tree):
        if isinstance(node, ast.arg):
            yield node.arg, node.annotation
        elif isinstance(node, ast.AnnAssign):
            yield ast.unparse(node.target).rpartition(".")[2], node.annotation
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, node.returns


def types(annotation: ast.expr | None) -> set[str]:
    """The names that an annotation is made of: itself, the sides of a union, the result of a callable."""
    match annotation:
        case ast.Name(name):
            return {name}
        case ast.BinOp(left, _, right):
            return types(left) | types(right)
        case ast.Subscript(ast.Name("Callable"), ast.Tuple([ast.List([]), result])):
            return types(result)
        case ast.Constant(str(text)):
            return types(ast.parse(text, mode="eval").body)
        case _:
            return set()


def unitless(source: str) -> set[str]:
    """The names of a module that are times without a unit: each bare float, and a bare int whose name is a time's."""
    found = [(name, types(annotation)) for name, annotation in named(ast.parse(source)) if not UNIT.fullmatch(name)]
    return {name for name, made in found if "float" in made or ("int" in made and TIME.fullmatch(name))}


def test_each_time_says_its_unit():
    """No time of the package is a bare number, but for those that the list names, and each of these exists."""
    found = {path.relative_to(PACKAGE).as_posix(): unitless(path.read_text(encoding="utf-8")) for path in PACKAGE.rglob("*.py")}
    assert {name: names for name, names in found.items() if names} == PLAIN


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("def f(deadline: int | None): ...", {"deadline"}),
        ("def f(*, patience: float = 1.0): ...", {"patience"}),
        ("class A:\n    lease: 'int | None' = None", {"lease"}),
        ("def until() -> float: ...", {"until"}),
        ("clock: Callable[[], int]", {"clock"}),
        ("self.now: int = 0", {"now"}),
        ("deadline: Micros | None\nlease: Seconds\ndeadline_us: int\nseconds: float", set()),
        ("attempt: int\nclock: Callable[[int], int]", set()),
    ],
)
def test_a_time_without_a_unit_is_seen(source, found):
    """An argument, an attribute, a result: each is found, and a time with its unit, or another number, is not."""
    assert unitless(source) == found
