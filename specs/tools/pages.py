"""The workflows of a package: each module of it that has a `workflow`. Nothing here knows what a Workflow is but that it is compiled.

The pages of `diagrams/`: all of them follow from what runs, and differ from what is on disk only when that has changed.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from textwrap import fill
from typing import TYPE_CHECKING

from attrs import field, frozen

from specs.tools.floors import draw_floors
from statecore.draw.dot import to_dot, to_svg
from statecore.draw.picture import LOOKS
from statecore.draw.text import cell, grid, to_markdown, to_mermaid, to_text
from statecore.draw.workflow import crowded, draw_lifecycle, draw_workflow, kind_of
from statecore.lifecycles import JOINT, TABLES
from statecore.lifecycles import words as w

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from statecore.core import Program
    from statecore.draw.picture import Picture
    from statecore.lifecycles import Table

EXAMPLES = "statecore.examples"
"""Named, not imported: this floor lies below the examples, and only the command that writes their pages goes up to them."""


@frozen
class Example:
    """A workflow, the module that has it, and what that module says of itself in its first paragraph."""

    module: str
    program: Program
    says: str


def examples(package: str = EXAMPLES) -> dict[str, Example]:
    """The workflows of a package by the name of their module, in order of these."""
    found: dict[str, Example] = {}
    for name in sorted(module.name for module in iter_modules(import_module(package).__path__)):
        module = import_module(f"{package}.{name}")
        if (workflow := getattr(module, "workflow", None)) is not None:
            says = " ".join((module.__doc__ or "").split("\n\n")[0].split())
            found[name] = Example(module.__name__, workflow.compiled.program, says)
    return found


INDEX = "README.md"
FOLDER = "examples/"
SUFFIXES = frozenset({".mmd", ".dot", ".svg", ".md"})
COMMAND = "python -m specs.tools.draw"
WIDTH = 120
"""The width of a line of prose."""
PREFACE = f"""\
Nothing here is drawn by hand. `{COMMAND}` writes these pages; `{COMMAND} --check`
fails where they differ from what runs. The thick arrows are the way on which every answer is yes."""
LIFECYCLES = """\
Each lifecycle is the table that runs: a row of the table is a line on an arrow. The page of a lifecycle has all its
rows, each with the number of the claim that wants it. In the pictures of the largest tables the ends stand beside the
states that lead to them."""
LEFT_OUT = """\
This table is too large to draw all of it. `cancel` leads to `cancelled` from wherever something is open: those rows,
and the claims of all, stand in the table only. `skipped` and `cancelled` are drawn beside each state that leads to
them."""
JOINED = """\
The states of its cursors decide the next state of a running run. The first line that is so for some cursor holds; where
none is, the last does."""
WORKFLOWS = """\
Each box that is owed something says what its errors, interruptions and deadlines lead to; the answers of a person are
on the arrows. Two things are not drawn: any step may stop its workflow, and a run can be cancelled anywhere. A Router
runs its choices in the order chosen."""
FLOORS = """\
The frames are the layers that the build enforces; of the imports those are drawn that no chain of others implies."""


@frozen
class Sources:
    """What the pages follow from."""

    tables: Mapping[str, Table] = field(factory=lambda: TABLES)
    workflows: Mapping[str, Example] = field(factory=examples)
    floors: Picture = field(factory=draw_floors)


def pages(sources: Sources | None = None) -> dict[str, str]:
    """Every page by its file name: four for each lifecycle, three for each example, two for the floors, and the index."""
    given = sources or Sources()
    found: dict[str, str] = {INDEX: index(given)}
    for name, table in given.tables.items():
        picture = draw_lifecycle(table)
        found |= formats(name, picture) | {f"{name}.dot": to_dot(picture), f"{name}.md": lifecycle_page(name, table, picture)}
    for name, example in given.workflows.items():
        picture = draw_workflow(example.program)
        found |= formats(FOLDER + name, picture) | {f"{FOLDER}{name}.md": example_page(name, example, picture)}
    return found | formats("floors", given.floors)


def formats(name: str, picture: Picture) -> dict[str, str]:
    """A picture as SVG and as Mermaid."""
    return {f"{name}.svg": to_svg(picture, portable=True), f"{name}.mmd": to_mermaid(picture)}


def lifecycle_page(name: str, table: Table, picture: Picture) -> str:
    """The page of a lifecycle: what it owes, its picture, its rows; and for the run what fires it."""
    parts = [f"# {cell(picture.title)}", sentence(table), *([LEFT_OUT] if crowded(table) else []), image(picture.title, name)]
    parts += [to_markdown(table), *([joint_table()] if table.name == "run" else []), as_mermaid(picture)]
    return page(parts)


def joint_table() -> str:
    """The table that fires the run's lifecycle."""
    rows = ((line, trigger or "nothing: it goes on") for line, trigger in JOINT.items())
    return f"## The joint table\n\n{JOINED}\n\n{grid(('what the cursors are', 'what fires'), rows)}"


def example_page(name: str, example: Example, picture: Picture) -> str:
    """The page of an example: what it says of itself, its picture, and the same as a tree."""
    parts = [f"# {cell(picture.title)}", f"{example.says}\n\nIts source is the module `{example.module}`.", WORKFLOWS]
    return page([*parts, image(picture.title, name), f"```text\n{to_text(picture)}```", as_mermaid(picture)])


def index(given: Sources) -> str:
    """The page that shows the floors, the lifecycles and the examples."""
    kinds = {kind_of(table, state) for table in given.tables.values() for state in table.states}
    kinds |= {node.kind for example in given.workflows.values() for node in draw_workflow(example.program).nodes}
    looks = ((kind, look.shape, look.says) for kind, look in LOOKS.items() if kind in kinds)
    parts = ["# Pictures of statecore", PREFACE, grid(("kind", "drawn as", "it says"), looks), "## Lifecycles", LIFECYCLES]
    for name, table in given.tables.items():
        title = cell(table.title or name)
        parts += [f"### [{title}]({name}.md)", sentence(table), image(title, name)]
    lines = [
        f"| [{cell(name)}]({FOLDER}{name}.md) | {each.says.replace('|', '&#124;')} |\n" for name, each in given.workflows.items()
    ]
    parts += ["## Example workflows", WORKFLOWS, grid(("picture", "it shows"), ()) + "".join(lines)]
    return page([*parts, "## Floors", FLOORS, image(given.floors.title, "floors")])


def page(parts: Iterable[str]) -> str:
    """Paragraphs as one page."""
    return "\n\n".join(part.rstrip("\n") for part in parts) + "\n"


def image(title: str, name: str) -> str:
    """A picture on a page, which leads to the picture alone."""
    return f"[![{cell(title)}]({name}.svg)]({name}.svg)"


def as_mermaid(picture: Picture) -> str:
    """A picture as Mermaid, folded away."""
    return f"<details><summary>As Mermaid</summary>\n\n```mermaid\n{to_mermaid(picture)}```\n\n</details>"


def sentence(table: Table) -> str:
    """What a lifecycle is about, in one sentence that its table gives."""
    owed = [
        f"{who} in {', '.join(states)}"
        for what, who in OWES.items()
        if (states := [f"`{state}`" for state in table.states if table.owes.get(state) == what])
    ]
    ends = ", ".join(f"`{state}`" for state in table.states if state in table.final)
    reopens = f"; from `{w.failed}` a person may reopen it" if w.failed in table.states else ""
    size = f"{len(table.rows)} rows over {len(table.states)} states"
    text = f"{size}. It begins in `{table.initial}`; {'; '.join(owed) or 'nothing is owed to it'}; it ends in {ends}{reopens}."
    return fill(text, WIDTH, break_on_hyphens=False)


OWES = {
    "ask": "a person owes an answer",
    "call": "user code owes a result",
    "timer": "the clock owes the end of a delay",
}


def drift(folder: Path) -> list[str]:
    """What is wrong with a folder of pages, one sentence a file; nothing where it is what they follow from."""
    wanted = pages()
    found = (path for path in folder.rglob("*") if path.suffix in SUFFIXES)
    there = {path.relative_to(folder).as_posix(): path for path in found}
    changed = [f"{name} differs" for name, text in wanted.items() if name in there and there[name].read_bytes() != text.encode()]
    missing = [f"{name} is missing" for name in wanted if name not in there]
    left = [f"{name} belongs to nothing that runs: delete it" for name in sorted(there) if name not in wanted]
    return [*changed, *missing, *left]


def write(folder: Path) -> None:
    """Write every page into a folder."""
    for name, text in pages().items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(text.encode())
