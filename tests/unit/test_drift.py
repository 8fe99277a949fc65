"""The folder `diagrams/` is what the tables give, and whoever changes one is told to regenerate the other."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from attrs import evolve

from statecore.draw.__main__ import main
from statecore.draw.pages import INDEX, drift, pages
from statecore.lifecycles import TABLES

ROOT = Path(__file__).parents[2]


def test_the_diagrams_are_those_of_the_tables():
    """The pages in the repository are, byte for byte, what the lifecycle tables give."""
    assert drift(ROOT / "diagrams") == []


def test_every_lifecycle_has_its_pages():
    """Each table has a page in each format, and a heading, a picture, its rows and its Mermaid text in the index."""
    found = pages()
    assert set(found) == {INDEX, *(f"{name}.{suffix}" for name in TABLES for suffix in ("mmd", "dot", "svg", "md"))}
    for name, table in TABLES.items():
        assert f"## {table.title}\n" in found[INDEX]
        assert f"]({name}.svg)" in found[INDEX]
        assert f"```mermaid\n{found[f'{name}.mmd']}```" in found[INDEX]
        for row in table.rows:
            line = f"| {row.source} | {row.on} | {row.dest} | {row.when} | {row.claim} |"
            assert line in found[INDEX]
            assert line in found[f"{name}.md"]


@pytest.mark.parametrize("name", TABLES)
def test_a_changed_row_changes_its_pages_and_no_others(name):
    """Redirecting one row is seen in the table's four pages and the index; the other tables' pages stay as they are."""
    table = TABLES[name]
    other = next(state for state in table.states if state != table.rows[0].dest)
    changed = evolve(table, rows=(evolve(table.rows[0], dest=other), *table.rows[1:]))
    before, after = pages(), pages({**TABLES, name: changed})
    assert {page for page in before if before[page] != after[page]} == {
        INDEX,
        *(f"{name}.{suffix}" for suffix in ("mmd", "dot", "svg", "md")),
    }


def test_drift_is_told_and_mended(tmp_path, capsys):
    """The check fails and writes nothing where pages differ, are missing or are left over; writing mends what it can."""
    folder = tmp_path / "pictures"
    assert main(["--check", str(folder)]) == 1
    assert not folder.exists()
    assert main([str(folder)]) == 0
    assert main(["--check", str(folder)]) == 0
    (folder / "step.svg").write_text("old")
    (folder / "run.dot").unlink()
    (folder / "gone.mmd").write_text("")
    (folder / "notes.txt").write_text("somebody's own")
    capsys.readouterr()
    assert drift(folder) == ["step.svg differs", "run.dot is missing", "gone.mmd belongs to no lifecycle: delete it"]
    assert main(["--check", str(folder)]) == 1
    assert "step.svg differs" in capsys.readouterr().err
    assert (folder / "step.svg").read_text() == "old"
    assert main([str(folder)]) == 1
    assert drift(folder) == ["gone.mmd belongs to no lifecycle: delete it"]


@pytest.mark.parametrize("seed", ["0", "1"])
def test_pages_do_not_depend_on_hashing_or_locale(seed):
    """A fresh interpreter with any hash seed, in a plain locale, finds no drift."""
    environment = {**os.environ, "PYTHONHASHSEED": seed, "LC_ALL": "C", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-m", "statecore.draw", "--check", str(ROOT / "diagrams")],
        env=environment,
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
