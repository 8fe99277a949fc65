"""The folder `diagrams/` is what the tables, the examples and the floors give, and whoever changes one is told to regenerate the other."""

import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
from attrs import evolve

from specs.tools.draw import main
from specs.tools.floors import draw_floors
from specs.tools.pages import INDEX, LEFT_OUT, Sources, drift, examples, pages
from statecore.core import compile_definition
from statecore.definition import Definition, Step
from statecore.draw import dot as svg
from statecore.draw import to_mermaid
from statecore.lifecycles import JOINT, TABLES

ROOT = Path(__file__).parents[3]
SUFFIXES = ("mmd", "dot", "svg", "md")


now, floors = cache(pages), cache(draw_floors)


@pytest.fixture(scope="module", autouse=True)
def laid_out_once():
    """Graphviz is asked once about the same text: most pages are the same in most of these tests."""
    patch = pytest.MonkeyPatch()
    patch.setattr("statecore.draw.dot.graphviz", cache(svg.graphviz))
    yield
    patch.undo()


def changed(**sources):
    """The pages that differ where they follow from something else."""
    before, after = now(), pages(Sources(**{"floors": floors(), **sources}))
    assert set(before) == set(after)
    return {page for page in before if before[page] != after[page]}


def test_the_diagrams_are_those_of_what_runs():
    """The pages in the repository are, byte for byte, what the tables, the examples and the floors give."""
    assert drift(ROOT / "diagrams") == []


def test_everything_that_runs_has_its_pages():
    """Each table has four pages, each example three, the floors two; the index shows and leads to all of them."""
    found = now()
    lifecycles = {f"{name}.{suffix}" for name in TABLES for suffix in SUFFIXES}
    shown = {f"examples/{name}.{suffix}" for name in examples() for suffix in ("mmd", "svg", "md")}
    assert set(found) == {INDEX, *lifecycles, *shown, "floors.svg", "floors.mmd"}
    for name, table in TABLES.items():
        assert f"### [{table.title}]({name}.md)\n" in found[INDEX]
        assert f"]({name}.svg)" in found[INDEX]
    for name, example in examples().items():
        assert f"| [{name}](examples/{name}.md) | {example.says} |\n" in found[INDEX]
    assert "](floors.svg)" in found[INDEX]


def test_a_lifecycles_page_has_every_row():
    """Its page has each row with its claim, the picture, the Mermaid text, and says what the picture leaves out."""
    found = now()
    for name, table in TABLES.items():
        page = found[f"{name}.md"]
        assert f"]({name}.svg)" in page
        assert f"```mermaid\n{found[f'{name}.mmd']}```" in page
        for row in table.rows:
            assert f"| {row.source} | {row.on} | {row.dest} | {row.when} | {row.claim} |" in page
        cancels = sum(row.on == "cancel" for row in table.rows)
        assert (LEFT_OUT in page) == (found[f"{name}.mmd"].count("cancel ") != cancels)


def test_the_runs_page_has_the_joint_table():
    """What fires the run's lifecycle stands below it, in the order in which it is judged."""
    page = now()["run.md"]
    places = [page.index(f"| {line} | {trigger or 'nothing: it goes on'} |") for line, trigger in JOINT.items()]
    assert places == sorted(places)
    assert "joint table" not in now()["step.md"]


def test_a_sentence_tells_who_owes_what():
    """A page says of its lifecycle what people, code and the clock owe, where it begins and ends."""
    first = now()["step.md"].split("\n\n")[1].replace("\n", " ")
    assert (
        "a person owes an answer in `awaiting_confirmation`, `awaiting_input`, `awaiting_review`, `awaiting_answer`, `errored_paused`"
        in first
    )
    assert "user code owes a result in `running`, `judging`" in first
    assert "the clock owes the end of a delay in `backing_off`" in first
    assert "It begins in `pending`" in first
    assert "it ends in `skipped`, `cancelled`, `completed`; from `failed` a person may reopen it." in first


def test_an_examples_page_shows_it():
    """Its page has what the module says of itself, where it is, the picture, the tree and the Mermaid text."""
    found, example = now(), examples()["timeout"]
    page = found["examples/timeout.md"]
    for part in (
        example.says,
        "`statecore.examples.timeout`",
        "](timeout.svg)",
        "timeout 1 d → skip",
        found["examples/timeout.mmd"],
    ):
        assert part in page


@pytest.mark.parametrize("name", TABLES)
def test_a_changed_row_changes_its_pages_and_no_others(name):
    """Redirecting one row is seen in the table's four pages; the index and the other pages stay as they are."""
    table = TABLES[name]
    other = next(state for state in table.states if state != table.rows[0].dest)
    redirected = evolve(table, rows=(evolve(table.rows[0], dest=other), *table.rows[1:]))
    assert changed(tables={**TABLES, name: redirected}) - {INDEX} == {f"{name}.{suffix}" for suffix in SUFFIXES}


def test_a_changed_example_changes_its_pages_and_no_others():
    """Another step in an example is seen in its three pages."""
    there = examples()
    program = compile_definition(Definition("new", (Step("one", print), Step("two", print)))).program
    found = changed(workflows={**there, "timeout": evolve(there["timeout"], program=program)})
    assert found == {f"examples/timeout.{suffix}" for suffix in ("mmd", "svg", "md")}


def test_changed_floors_change_their_pages_and_no_others():
    """An import that is not there any more is seen in the picture of the floors."""
    fewer = evolve(floors(), edges=floors().edges[1:])
    assert changed(floors=fewer) == {"floors.svg", "floors.mmd"}
    assert to_mermaid(floors()) == now()["floors.mmd"]


def test_drift_is_told_and_mended(tmp_path, capsys, monkeypatch):
    """The check fails and writes nothing where pages differ, are missing or are left over; writing mends what it can."""
    monkeypatch.setattr("specs.tools.pages.pages", now)  # what they follow from stays the same here
    folder = tmp_path / "pictures"
    assert main(["--check", str(folder)]) == 1
    assert not folder.exists()
    assert main([str(folder)]) == 0
    assert main(["--check", str(folder)]) == 0
    (folder / "step.svg").write_text("old")
    (folder / "run.dot").unlink()
    (folder / "examples" / "gone.mmd").write_text("")
    (folder / "notes.txt").write_text("somebody's own")
    capsys.readouterr()
    told = ["step.svg differs", "run.dot is missing", "examples/gone.mmd belongs to nothing that runs: delete it"]
    assert drift(folder) == told
    assert main(["--check", str(folder)]) == 1
    assert "step.svg differs" in capsys.readouterr().err
    assert (folder / "step.svg").read_text() == "old"
    assert main([str(folder)]) == 1
    assert drift(folder) == told[2:]


@pytest.mark.parametrize("seed", ["0", "1"])
def test_pages_do_not_depend_on_hashing_or_locale(seed):
    """A fresh interpreter with any hash seed, in a plain locale, finds no drift."""
    environment = {**os.environ, "PYTHONHASHSEED": seed, "LC_ALL": "C", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-m", "specs.tools.draw", "--check", str(ROOT / "diagrams")],
        env=environment,
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
