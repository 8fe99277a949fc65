"""The pages of `diagrams/`: all of them follow from the tables, and differ from what is on disk only when a table has changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from statecore.lifecycles import TABLES

from .dot import to_dot
from .lifecycle import draw_lifecycle, kind_of
from .look import LOOKS
from .markdown import cell, grid, to_markdown
from .mermaid import to_mermaid
from .svg import to_svg

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from statecore.lifecycles import Table

INDEX = "README.md"
SUFFIXES = frozenset({".mmd", ".dot", ".svg", ".md"})
COMMAND = "python -m statecore.draw"
PREFACE = f"""\
Each picture is the table that runs: a row of the table is a line on an arrow, with the number of the claim in `specs/semantics.md` that
wants it. The thick arrows are the way on which every answer is yes. `{COMMAND}` writes these pages; `{COMMAND} --check` fails where they
differ from the tables."""


def pages(tables: Mapping[str, Table] = TABLES) -> dict[str, str]:
    """Every page by its file name: four for each lifecycle, and the index."""
    found: dict[str, str] = {}
    for name, table in tables.items():
        picture = draw_lifecycle(table)
        found[f"{name}.mmd"] = to_mermaid(picture)
        found[f"{name}.dot"] = to_dot(picture)
        found[f"{name}.svg"] = to_svg(picture, portable=True)
        found[f"{name}.md"] = f"# {cell(picture.title)}\n\n{sentence(table)}\n\n{to_markdown(table)}"
    found[INDEX] = index(tables, found)
    return found


def index(tables: Mapping[str, Table], drawn: Mapping[str, str]) -> str:
    """The page that shows all lifecycles."""
    parts = [
        "# The lifecycles of statecore",
        PREFACE,
        grid(
            ("kind", "drawn as", "it says"),
            ((kind, look.shape, look.says) for kind, look in LOOKS.items() if kind in kinds(tables)),
        ),
    ]
    for name, table in tables.items():
        parts += [
            f"## {cell(table.title or name)}",
            sentence(table),
            f"![{cell(table.title or name)}]({name}.svg)",
            to_markdown(table),
            f"<details><summary>As Mermaid</summary>\n\n```mermaid\n{drawn[f'{name}.mmd']}```\n\n</details>",
        ]
    return "\n\n".join(part.rstrip("\n") for part in parts) + "\n"


def kinds(tables: Mapping[str, Table]) -> frozenset[str]:
    """The kinds of states that occur."""
    return frozenset(kind_of(table, state) for table in tables.values() for state in table.states)


def sentence(table: Table) -> str:
    """What a lifecycle is about, in one sentence that its table gives."""
    asks = named(state for state in table.states if table.owes.get(state) == "ask")
    calls = named(state for state in table.states if table.owes.get(state) == "call")
    owed = [f"a person owes an answer in {asks}"] * bool(asks) + [f"user code owes a result in {calls}"] * bool(calls)
    ends = named(state for state in table.states if state in table.final)
    size = f"{len(table.rows)} rows over {len(table.states)} states"
    return f"{size}. It begins in `{table.initial}`; {'; '.join(owed) or 'nothing is owed to it'}; it ends in {ends}."


def named(states: Iterable[str]) -> str:
    """States as a list in a sentence."""
    return ", ".join(f"`{state}`" for state in states)


def drift(folder: Path) -> list[str]:
    """What is wrong with a folder of pages, one sentence a file; nothing where it is what the tables give."""
    wanted = pages()
    there = {path.name: path for path in folder.iterdir() if path.suffix in SUFFIXES} if folder.is_dir() else {}
    changed = [f"{name} differs" for name, text in wanted.items() if name in there and there[name].read_bytes() != text.encode()]
    missing = [f"{name} is missing" for name in wanted if name not in there]
    left = [f"{name} belongs to no lifecycle: delete it" for name in sorted(there) if name not in wanted]
    return [*changed, *missing, *left]


def write(folder: Path) -> None:
    """Write every page into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (folder / name).write_bytes(text.encode())
