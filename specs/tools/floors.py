"""The floors of the package as a picture: from the contract that the build enforces, and from the imports that are really there.

The floors are the `layers` of import-linter in `pyproject.toml`, so this can be drawn only where the source is. Of the imports those are
drawn that no chain of others implies.
"""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator, Mapping
from graphlib import TopologicalSorter
from pathlib import Path
from textwrap import wrap

from statecore.draw.picture import Arrow, Box, Cluster, Picture, ident

PACKAGE = Path(__file__).parents[2] / "statecore"
WIDTH, LINES = 26, 4


def draw_floors(package: Path = PACKAGE) -> Picture:
    """The picture of a package: a frame for each floor, a box for each module or subpackage on it, with what it says of itself."""
    floors = layers(package)
    known = frozenset(name for floor in floors for name in floor)
    arrows = reduced({name: imports(package, name) & known - {name} for name in known})
    nodes, clusters = [], []
    for number, floor in enumerate(floors):
        level = f"floor_{len(floors) - 1 - number}"
        clusters.append(Cluster(level, (f"Floor {len(floors) - 1 - number}",), "floor"))
        nodes += [Box(ident(name), (name, *summary(package, name)), "rests", level) for name in floor]
    edges = tuple(Arrow(ident(name), ident(other)) for floor in floors for name in floor for other in sorted(arrows[name]))
    return Picture("floors", "The floors of statecore: every import leads down", tuple(nodes), edges, tuple(clusters))


def layers(package: Path) -> list[tuple[str, ...]]:
    """The floors from the top down, as the build has them; what is not there yet is left out."""
    built = tomllib.loads((package.parent / "pyproject.toml").read_text("utf-8"))
    contracts = built["tool"]["importlinter"]["contracts"]
    wanted = next(contract["layers"] for contract in contracts if contract["type"] == "layers")
    floors = (tuple(name for name in re.findall(r"\w+", line) if sources(package, name)) for line in wanted)
    return [floor for floor in floors if floor]


def sources(package: Path, name: str) -> list[Path]:
    """The files of a module or subpackage, its own first."""
    alone = package / f"{name}.py"
    return [alone] if alone.is_file() else sorted((package / name).rglob("*.py"), key=lambda path: (len(path.parts), path.name))


def summary(package: Path, name: str) -> list[str]:
    """The first sentence of what a module says of itself, in lines short enough for a box."""
    text = ast.get_docstring(ast.parse(sources(package, name)[0].read_bytes())) or ""
    first = re.split(r"(?<=[.:;])\s", " ".join(text.split()), maxsplit=1)[0].rstrip(".:;")
    return wrap(first.replace("`", ""), WIDTH, max_lines=LINES, placeholder=" …")


def imports(package: Path, name: str) -> frozenset[str]:
    """The modules and subpackages of the package that one of them imports, anywhere in it."""
    return frozenset(
        found for path in sources(package, name) for found in imported(path, path.relative_to(package.parent).parts[:-1])
    )


def imported(path: Path, place: tuple[str, ...]) -> Iterator[str]:
    """What a file of the package imports from it, by the first name below it."""
    for node in statements(ast.parse(path.read_bytes())):
        if isinstance(node, ast.ImportFrom):
            above = place[: len(place) - node.level + 1] if node.level else ()
            base = (*above, *(node.module or "").split(".")) if node.module else above
            whole = [(*base, alias.name) for alias in node.names]
        elif isinstance(node, ast.Import):
            whole = [tuple(alias.name.split(".")) for alias in node.names]
        else:
            continue
        yield from (parts[1] for parts in whole if parts[0] == place[0] and len(parts) > 1)


def statements(tree: ast.Module) -> list[ast.AST]:
    """Every statement of a file, however deep; no expression holds one, so that none is gone through."""
    found: list[ast.AST] = [tree]
    for node in found:
        found += (each for each in ast.iter_child_nodes(node) if isinstance(each, ast.stmt | ast.excepthandler | ast.match_case))
    return found


def reduced(graph: Mapping[str, frozenset[str]]) -> dict[str, frozenset[str]]:
    """The arrows of a graph without circles that no chain of other arrows implies."""
    below: dict[str, frozenset[str]] = {}
    kept: dict[str, frozenset[str]] = {}
    for name in TopologicalSorter(graph).static_order():
        further = frozenset().union(*(below[other] for other in graph[name]))
        kept[name] = graph[name] - further
        below[name] = graph[name] | further
    return kept
