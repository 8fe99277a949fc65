"""The rooms of the databases are mirrored: the same file names with the same names in them, besides what one database alone needs."""

from __future__ import annotations

import ast
from pathlib import Path

import statecore.stores

ROOMS = Path(statecore.stores.__file__).parent
SHARED = {"__init__", "channel", "formats", "opening", "store", "store3", "health", "migrating"}
ALONE: dict[str, set[str]] = {
    "sqlite": {"archived", "compacting", "damage", "forks", "reader", "sharing"},
    "postgres": {"deciding", "patience", "scrubbing", "voting"},
}
SAME = {
    "channel": {"Channel", "named", "SETTINGS", "CLOSED"},
    "formats": {"SCRIPTS", "is_older"},
    "opening": {"furnish", "SCRIPTS", "VERSION"},
    "health": {"facts", "ailments", "verify"},
    "migrating": {"migrate", "lead", "begin", "batch", "finish", "RUNS"},
    "store": {"NAME"},
}


def named_in(file: Path) -> set[str]:
    """The names that a module defines on its first level."""
    found = set()
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        found |= {target.id for target in targets if isinstance(target, ast.Name)}
    return found


def test_rooms_have_the_same_files():
    """A file of one database's room has its counterpart in the other's, but for what a file alone, or a server alone, needs."""
    for room, more in ALONE.items():
        assert {path.stem for path in (ROOMS / room).glob("*.py")} == SHARED | more


def test_files_of_one_name_define_the_same_things():
    """A name that both rooms share stands in the file of the same name, in both of them."""
    for room in ALONE:
        for name, wanted in SAME.items():
            assert wanted <= named_in(ROOMS / room / f"{name}.py"), (room, name)
