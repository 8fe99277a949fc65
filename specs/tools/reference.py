"""The reference of names and commands: `python -m specs.tools.reference` writes `guide/api.md` and `guide/commands.md` from the code."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable, Iterator
from enum import Enum
from pathlib import Path
from textwrap import fill
from typing import Any

import click

import statecore
from statecore import StatecoreError
from statecore.cli.main import ALIASES, COMMANDS
from statecore.run import workflow as events
from statecore.stores import RunReader, RunStore

GUIDE = Path(__file__).parents[1] / "guide"
API = """# Names

Each public name has its claim, its parameters and its members. `from statecore import NAME` imports a name of the
first part. [Settings](settings.md) lists the settings of each component, [errors](errors.md) the errors. The page is
generated from the code (`python -m specs.tools.reference`), and `help(NAME)` prints the whole text.
"""
COMMANDS_HEAD = """# Commands

Each command has its arguments and options. [The command line](command-line.md) explains them. The page is
generated from the code (`python -m specs.tools.reference`).
"""
WIDTH = 110
INHERITED = {"add_note", "with_traceback"}


def first(thing: object) -> str:
    """The first sentence of a docstring, on one line."""
    paragraph = (inspect.getdoc(thing) or "").partition("\n\n")[0].partition("Example:")[0]
    return re.split(r"(?<=[.])\s+(?=[A-Z`])", " ".join(paragraph.split()), maxsplit=1)[0]


def cell(text: str) -> str:
    """A text in a table."""
    return text.replace("|", "\\|")


def shown(value: object) -> str:
    """A default as it is written; an object that has no such form is `...`."""
    text = str(value) if isinstance(value, Enum) else repr(value)
    return text if not text.startswith("<") and " at 0x" not in text else "..."


def called(thing: Callable[..., Any]) -> str:
    """The parameters of a call with their defaults, without types."""
    try:
        parameters = list(inspect.signature(thing).parameters.values())
    except (TypeError, ValueError):
        return "()"
    told, keyword = [], False
    for each in parameters:
        if each.name in ("self", "cls"):
            continue
        if each.kind is each.KEYWORD_ONLY and not keyword:
            told.append("*")
        keyword = keyword or each.kind in (each.KEYWORD_ONLY, each.VAR_POSITIONAL)
        name = "*" * (2 if each.kind is each.VAR_KEYWORD else each.kind is each.VAR_POSITIONAL) + each.name
        told.append(name if each.default is each.empty else f"{name}={shown(each.default)}")
    return f"({', '.join(told)})"


def is_store(kind: type) -> bool:
    """Whether a class has every member of a store; they are told once, under `RunStore`."""
    return kind is not RunStore and all(hasattr(kind, name) for name, _ in methods(RunStore))


def methods(kind: type) -> Iterator[tuple[str, object]]:
    """The public methods and properties of a class, by name."""
    for name, thing in inspect.getmembers(kind):
        if name.startswith("_") or name in INHERITED or not (inspect.getdoc(thing) or "").strip():
            continue
        if isinstance(thing, property) or inspect.isfunction(thing) or inspect.ismethod(thing):
            yield name, thing


def entry(name: str, thing: Any) -> str:
    """The part of a name."""
    head = f"\n### {name}\n\n{fill(first(thing), WIDTH, break_long_words=False, break_on_hyphens=False)}\n"
    if isinstance(thing, type) and issubclass(thing, Enum):
        return head + "\n" + fill("Values: " + ", ".join(f"`{each.name}`" for each in thing) + ".", WIDTH) + "\n"
    if not callable(thing):
        return head
    call = fill(f"{name}{called(thing)}", WIDTH, subsequent_indent=" " * 4, break_long_words=False, break_on_hyphens=False)
    head += f"\n```text\n{call}\n```\n"
    if not isinstance(thing, type):
        return head
    members = [(each, what) for each, what in methods(thing) if not (is_store(thing) and hasattr(RunStore, each))]
    head += "\nIt has the members of [RunStore](#runstore), and:\n" if is_store(thing) else ""
    rows = [
        f"| `{each}{'' if isinstance(what, property) else cell(called(what))}` | {cell(first(what))} |\n"  # type: ignore[arg-type]
        for each, what in members
    ]
    return head + ("\n| member | says |\n|---|---|\n" + "".join(rows) if rows else "")


def api() -> str:
    """The page of the names."""
    flat = [(name, getattr(statecore, name)) for name in sorted(statecore.__all__, key=str.lower)]
    told = [(name, thing) for name, thing in flat if not (isinstance(thing, type) and issubclass(thing, StatecoreError))]
    happening = [(name, getattr(events, name)) for name in sorted(events.__all__) if isinstance(getattr(events, name), type)]
    parts = [API, "\n## Of `statecore`\n", *(entry(name, thing) for name, thing in told)]
    parts += [
        "\n## Of `statecore.stores`, for authors of stores\n",
        *(entry(kind.__name__, kind) for kind in (RunReader, RunStore)),
    ]
    parts += ["\n## Events, of `statecore.run.workflow`\n", *(entry(name, thing) for name, thing in happening)]
    return "".join(parts)


def option(each: click.Parameter) -> str:
    """The row of an argument or an option."""
    if isinstance(each, click.Option):
        shape = "" if each.is_flag else f" {each.make_metavar(click.Context(click.Command('x')))}"
        return f"| `{', '.join([*each.opts, *each.secondary_opts])}{cell(shape)}` | {cell(' '.join((each.help or '').split()))} |\n"
    return f"| `{(each.name or '').upper()}` | {'may be left out' if not each.required else 'needed'} |\n"


def command(later: Any) -> str:
    """The part of a command."""
    found = later.loaded()
    other = [name for name, meant in ALIASES.items() if meant == later.name]
    also = f" Also `{'`, `'.join(other)}`." if other else ""
    told = " ".join((found.help or "").partition("\n\n")[0].split())
    rows = [option(each) for each in found.params if not getattr(each, "hidden", False)]
    return f"\n## {later.name}\n\n{told}{also}\n\n| argument or option | meaning |\n|---|---|\n{''.join(rows)}"


def commands() -> str:
    """The page of the commands."""
    return COMMANDS_HEAD + "".join(map(command, COMMANDS))


PAGES = {"api.md": api, "commands.md": commands}


def main(arguments: list[str]) -> int:
    """Write the pages, or with `--check` say whether one is out of date."""
    made = {GUIDE / name: page() for name, page in PAGES.items()}
    if "--check" in arguments:
        return int(any(not path.exists() or path.read_text(encoding="utf-8") != text for path, text in made.items()))
    for path, text in made.items():
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
