"""What a no does is never a surprise (GATE-4): README, guide and examples say it, and their dangerous gates cancel the run."""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.test_examples import EXAMPLES

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "specs" / "guide").glob("*.md"))]
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
ASKS = {"requires_confirmation", "requires_user_input", "requires_output_review", "requires_iteration_review"}
DANGEROUS = {"pay", "order", "book", "deploy", "transfer", "charge", "charge_card", "wire"}
"""Names of steps that spend money or change the world, in the examples."""
SAYS = re.compile(r"\b(a no|no`|\"no\"|reject\w*)\b", re.IGNORECASE)


def sources() -> dict[str, list[ast.Module]]:
    """The code of each page and example, block by block."""
    found = {page.name: [ast.parse(each) for each in BLOCK.findall(page.read_text(encoding="utf-8"))] for page in PAGES}
    for name in EXAMPLES:
        file = importlib.import_module(name).__file__
        assert file is not None
        found[name] = [ast.parse(Path(file).read_text(encoding="utf-8"))]
    return found


def lists_of_steps(tree: ast.AST) -> Iterator[list[ast.Call]]:
    """The lists of a piece of code that hold components, and single components as lists of one."""
    for node in ast.walk(tree):
        if isinstance(node, ast.List):
            yield [each for each in node.elts if isinstance(each, ast.Call)]


def named(call: ast.Call) -> str:
    """The name of a component: its first argument, or `name=`."""
    given = [*call.args[:1], *[each.value for each in call.keywords if each.arg == "name"]]
    return next((str(each.value) for each in given if isinstance(each, ast.Constant)), "")


def settings(call: ast.Call) -> dict[str, str]:
    """The keywords of a component, those of its `HumanReview` included, as text."""
    found: dict[str, str] = {}
    for each in call.keywords:
        if each.arg == "human_review" and isinstance(each.value, ast.Call):
            found |= settings(each.value)
        elif each.arg is not None:
            found[each.arg] = ast.unparse(each.value)
    return found


def mild(steps: list[ast.Call]) -> list[str]:
    """The gates in a list that have something dangerous behind them, or are it, and whose no does not end the run."""
    found = []
    for number, step in enumerate(steps):
        given = settings(step)
        asks, kind = ASKS & given.keys(), getattr(step.func, "id", "")
        after = {named(each) for each in steps[number + (kind == "Condition") :][:2]}
        if kind in ("Step", "Steps") and asks and after & DANGEROUS and "cancel" not in given.get("on_reject", ""):
            found.append(named(step))
    return found


@pytest.mark.spec("GATE-4")
@pytest.mark.parametrize("name", sorted(sources()))
def test_a_dangerous_gate_cancels(name):
    """A gate on a step that pays, orders or deploys, or right before one, says on_reject="cancel"; the page on checking shows one that leaks."""
    found = [each for tree in sources()[name] for steps in lists_of_steps(tree) for each in mild(steps)]
    assert found == {"checking.md": ["approve", "approve"]}.get(name, []), name


@pytest.mark.spec("GATE-4")
def test_each_gate_comes_with_its_no():
    """Each page and example that has a gate says in words what a no does."""
    silent = []
    for name, trees in sources().items():
        gates = [each for tree in trees for each in ast.walk(tree) if isinstance(each, ast.keyword) and each.arg in ASKS]
        path = ROOT / "README.md" if name == "README.md" else ROOT / "specs" / "guide" / name
        text = BLOCK.sub("", path.read_text(encoding="utf-8")) if name.endswith(".md") else importlib.import_module(name).__doc__
        if gates and not SAYS.search(text or ""):
            silent.append(name)
    assert silent == []
