"""The table of errors is that of the classes, every code is one error's, and every error is raised by a test."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

from specs.tools import errors

TESTS = Path(__file__).parents[1]
GROUPS = {"StatecoreError", "DefinitionError", "LifecycleError", "RunError", "StoreError"}
"""What others derive from; users catch them, and nothing need raise them itself."""


def test_the_table_is_up_to_date():
    """`python -m specs.tools.errors` was run after the last change."""
    assert errors.main(["--check"]) == 0


def test_a_code_is_one_error():
    """No two errors share a code, each is of a known group, and every code stands in the table."""
    codes = Counter(each.code for each in errors.classes())
    assert [code for code, count in codes.items() if count > 1] == []
    assert {code[:3] for code in codes} <= set(errors.ABOUT) | {"SC0"}


def test_every_error_is_raised_by_a_test():
    """Some test names each error, or its code, where it expects it."""
    said = set()
    for path in (*TESTS.rglob("*.py"), *(TESTS.parent / "statecore" / "testing" / "stores").rglob("*.py")):
        if path != Path(__file__):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            said |= {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
            said |= {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    text = "\n".join(said)
    assert [each for each in errors.classes() if each.__name__ not in GROUPS | said and each.code not in text] == []
