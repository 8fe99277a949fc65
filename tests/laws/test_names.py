"""One meaning a name: a class has a name that no class of another room has."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "statecore"

SHARED: dict[str, set[str]] = {
    "Past": {"draw", "runtime"},
    "Place": {"cli", "core", "output", "stores"},
    "Start": {"core", "temporal"},
    "Values": {"definition", "stores", "temporal"},
}
"""Names that classes of several rooms still have. The list may only become shorter."""


def rooms_by_name() -> dict[str, set[str]]:
    """The rooms that have a public class of a name, by the name."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                found[node.name].add(path.relative_to(PACKAGE).parts[0])
    return found


def test_a_class_has_a_name_of_its_own():
    """No two rooms have a class of the same name, except for those that are listed; each listed one is still shared."""
    assert {name: rooms for name, rooms in rooms_by_name().items() if len(rooms) > 1} == SHARED
