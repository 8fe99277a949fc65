"""Public English is plain: no sentence about whoever or nobody, lines of prose within 120 characters, and the words of the glossary.

It is held in what a user reads: the README, the guide, the help of every command, public docstrings, error classes and their templates.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

import statecore
from specs.tools.errors import classes
from statecore.cli.main import COMMANDS, group
from tests.docs import words

ROOT = Path(__file__).parents[2]
GLOSSARY = (ROOT / "specs" / "glossary.md").read_text(encoding="utf-8")
PAGES = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
    for path in (ROOT / "README.md", ROOT / "specs" / "README.md", *sorted((ROOT / "specs" / "guide").glob("*.md")))
}
MODULES = (
    *("statecore", "statecore.workflow", "statecore.run", "statecore.run.workflow", "statecore.db", "statecore.output"),
    *("statecore.definition", "statecore.stores", "statecore.testing", "statecore.temporal", "statecore.codec"),
)


def table(after: str) -> list[list[str]]:
    """The rows of the glossary's table after a heading, as cells; a bar in a cell is escaped."""
    part = GLOSSARY.partition(after)[2].partition("\n#")[0]
    lines = [line for line in part.splitlines() if line.startswith("| ")]
    return [[cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines[1:]]


INSTEAD = {row[0].strip("`"): row[1] for row in table("## Replaced words\n")}


def helps() -> Iterator[tuple[str, str]]:
    """Each help text of the command line with its place: the group, every command, every option."""
    yield "statecore", group.help or ""
    for later in COMMANDS:
        yield from of_command(later.loaded(), str(later.name))


def of_command(command: click.Command, name: str) -> Iterator[tuple[str, str]]:
    """The help of a command and its options, and those of the commands below it."""
    yield name, inspect.cleandoc(command.help or "")
    yield f"{name} epilog", command.epilog or ""
    for option in command.params:
        yield f"{name} {option.opts[0]}", getattr(option, "help", None) or ""
    for below in getattr(command, "commands", {}).values():
        yield from of_command(below, f"{name} {below.name}")


def docstrings() -> Iterator[tuple[str, str]]:
    """Each docstring of a public module, of its names, and of their public methods and properties."""
    for path in MODULES:
        module = importlib.import_module(path)
        yield path, module.__doc__ or ""
        for name in getattr(module, "__all__", ()):
            thing = getattr(module, name)
            if not isinstance(thing, str | tuple | dict):
                yield f"{path}.{name}", inspect.cleandoc(thing.__doc__ or "")
            if inspect.isclass(thing):
                yield from of_members(f"{path}.{name}", thing)


def of_members(name: str, thing: type) -> Iterator[tuple[str, str]]:
    """The docstrings of a class's own public methods and properties."""
    for member, value in vars(thing).items():
        said = getattr(getattr(value, "fget", value), "__doc__", None)
        if not member.startswith("_") and isinstance(said, str) and (callable(value) or isinstance(value, property)):
            yield f"{name}.{member}", inspect.cleandoc(said)


def errors() -> Iterator[tuple[str, str]]:
    """The docstring and the template of each error class; a part of a template is one word."""
    for each in classes():
        yield each.__name__, inspect.cleandoc(each.__doc__ or "")
        yield f"{each.__name__}.says", re.sub(r"\{[^}]*\}", "CODE", each.says)


TEXTS = {"pages": PAGES, "help": dict(helps()), "docstrings": dict(docstrings()), "errors": dict(errors())}


@pytest.mark.parametrize("kind", TEXTS)
def test_no_subject_is_whoever_or_nobody(kind):
    """No public text speaks of whoever, nobody or somebody, and no clause begins with who or what, questions apart."""
    assert {place: found for place, text in TEXTS[kind].items() if (found := words.faults(text))} == {}


@pytest.mark.parametrize("kind", TEXTS)
def test_the_words_are_those_of_the_glossary(kind):
    """No public text uses a word that the glossary replaces."""
    assert {place: found for place, text in TEXTS[kind].items() if (found := words.misused(text, INSTEAD))} == {}


def test_a_docstring_begins_with_its_subject():
    """No docstring of the package, of a private name or a constant neither, begins with who or what, or with a person without a name."""
    begun = re.compile(r"(who|whose|what|whatever|whichever|nobody|somebody|whoever)\b", re.IGNORECASE)
    texts = {
        f"{path.relative_to(ROOT).as_posix()}:{node.lineno}": node.value.value.strip()
        for path in (ROOT / "statecore").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
    }
    assert {place: text for place, text in texts.items() if begun.match(text)} == {}
    assert len(texts) > 2_500


def test_prose_is_within_its_width():
    """Each line of prose of the README and the guide has at most 120 characters."""
    assert {page: found for page, text in PAGES.items() if (found := words.wide(text))} == {}


def test_all_of_it_is_looked_at():
    """There are as many texts as there are things to say: a list that is read wrongly would be short."""
    assert {kind: len(texts) for kind, texts in TEXTS.items() if len(texts) < 15} == {}
    assert {"confirm --by", "run --db", "worker"} <= set(TEXTS["help"])
    assert {"statecore.Worker.work", "statecore.Inbox.decide", "statecore.testing.Reviewer"} <= set(TEXTS["docstrings"])
    assert {f"statecore.{name}" for name in statecore.__all__} <= set(TEXTS["docstrings"])
    assert {each for each, text in TEXTS["help"].items() if not text and " " not in each} == set()


def test_every_replaced_word_belongs_to_a_row():
    """The table of replaced words names rows of the glossary, each pattern compiles, and no word of the glossary is replaced."""
    known = {row[0] for row in table("# Words, one for each concept\n")}
    assert {row[2] for row in table("## Replaced words\n")} <= known
    assert len(INSTEAD) > 10
    assert [word for word in known if words.misused(f"A {word} is here.", INSTEAD)] == []


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("Whoever has the store can decide.", 1),
        ("The run waits, and nobody is asked.", 1),
        ("Somebody may write, but what is stored stays.", 2),
        ("What is stored is never code.", 1),
        ("Who decides.", 1),
        ("# What you get", 1),
        ("| a | who writes gates |", 1),
        ("A decision counts; what comes later is refused.", 1),
        ("Read it (what follows runs).", 1),
        ("The page says what is stored, and the test reads it.", 0),
        ("Who decides? A person.", 0),
        ("# What is a pause?", 0),
        ("The person who decides is stored.", 0),
        ("Use `nobody` or:\n\n    whoever runs\n\n```\nsomebody\n```\n", 0),
        ("See [a run of nobody](x.py).", 0),
        ("The stored value is text. It is read once, e.g. by a worker.", 0),
    ],
)
def test_a_subject_is_found(text, count):
    """The rule can fail, and is fair: subjects are seen in prose, headings and cells, and not in code, questions or names of tests."""
    assert len(words.faults(text)) == count


def test_a_misused_word_and_a_wide_line_are_found():
    """The rules of words and width can fail; tables and code are as wide as they are."""
    assert words.misused("The owner holds a claim on it.", INSTEAD) == ["holds a claim on it. -> holds a lease"]
    assert words.misused("It breaks rule RUN-3, `holds a claim`.", INSTEAD) == ["rule RUN-3, CODE. -> claim"]
    long = "word " * 30
    assert words.wide(f"short\n{long}\n| {long} |\n    {long}\n```\n{long}\n```\n") == [long]


def test_the_terms_of_the_field_have_one_meaning_each():
    """No term and no meaning of the table of terms stands there twice, and each name that stays is in the code."""
    rows = table("## Terms of the field\n")
    for column in (0, 3):
        cells = [row[column] for row in rows]
        assert len(cells) == len(set(cells)) > 20
    code = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "statecore").rglob("*.py"))
    names = [name for row in rows for name in re.findall(r"`([A-Za-z_]+)`", row[2])]
    assert [name for name in names if not re.search(rf"\b{name}\b", code)] == []
    assert len(names) > 15
