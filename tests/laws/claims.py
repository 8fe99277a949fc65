"""The numbered claims of specs/semantics.md, and the tests that bear their numbers."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from attrs import frozen

ROOT = Path(__file__).parents[2]
SEMANTICS = ROOT / "specs" / "semantics.md"
LINE = re.compile(r"^- \*\*(?P<id>[A-Z]+-\d+[a-z]?)\*\*(?P<planned> \(planned\))? (?P<says>.*)$", re.MULTILINE)


@frozen
class Claim:
    """A numbered rule: what it says, and whether this release does not keep it yet."""

    id: str
    says: str
    planned: bool


def claims() -> list[Claim]:
    """Every claim, in the order of the document."""
    return [Claim(m["id"], m["says"], bool(m["planned"])) for m in LINE.finditer(SEMANTICS.read_text(encoding="utf-8"))]


def marks(folder: Path = ROOT / "tests") -> Iterator[tuple[str, str]]:
    """Each claim that a test names in `@pytest.mark.spec(...)`, with the place; read from the source, so nothing has to import."""
    for path in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.spec":
                for argument in node.args:
                    yield str(ast.literal_eval(argument)), f"{path.relative_to(folder.parent)}:{node.lineno}"
