"""No two files of the package import each other, in however long a circle, under `TYPE_CHECKING` and inside functions included."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "statecore"


def modules(package: Path) -> dict[str, Path]:
    """The files of a package by the name of their module."""
    named = {}
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package.parent).with_suffix("").parts
        named[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return named


def imports(known: Mapping[str, Path]) -> dict[str, set[str]]:
    """The modules that each module imports, anywhere in it."""
    found: dict[str, set[str]] = {}
    for name, path in known.items():
        package = name if path.name == "__init__.py" else name.rpartition(".")[0]
        found[name] = set()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found[name] |= {alias.name for alias in node.names if alias.name in known}
            elif isinstance(node, ast.ImportFrom):
                around = package.split(".")
                base = ".".join(around[: len(around) - node.level + 1]) if node.level else ""
                source = ".".join(part for part in (base, node.module) if part)
                for alias in node.names:
                    inside = f"{source}.{alias.name}"
                    found[name] |= {inside} if inside in known else {source} & set(known)
        found[name].discard(name)
    return found


def circle(graph: Mapping[str, set[str]]) -> list[str]:
    """The modules of a circle, in order; none where there is no circle."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_no_file_imports_itself_by_way_of_others():
    """From no module of the package a chain of imports leads back to it."""
    graph = imports(modules(PACKAGE))
    assert sum(map(len, graph.values())) > 500
    assert circle(graph) == []


def test_a_circle_is_found(tmp_path):
    """The law can fail: a circle of three files is seen, whether an import is relative, inside a function or for types only."""
    package = tmp_path / "house"
    (package / "low").mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "low" / "__init__.py").write_text("")
    (package / "a.py").write_text("from house.low import b\n")
    (package / "low" / "b.py").write_text("def f():\n    from . import c\n")
    (package / "low" / "c.py").write_text("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from ..a import x\n")
    assert set(circle(imports(modules(package)))) == {"house.a", "house.low.b", "house.low.c"}
    (package / "low" / "c.py").write_text("")
    assert circle(imports(modules(package))) == []
