"""The generated TLA+ modules are what the package gives, and whoever changes one is told to write the other anew."""

from __future__ import annotations

from attrs import evolve

from specs.model import tla
from statecore.check.tla import lifecycle_module, literal
from statecore.lifecycles import STEP, TABLES


def test_the_generated_modules_are_those_of_the_package():
    """`specs/generated/` is, byte for byte, what the tables and the compiled workflows give."""
    assert tla.drift() == []


def test_every_row_is_in_the_module():
    """Each row of each table stands in `Lifecycle.tla`, with the claim that wants it."""
    text = lifecycle_module()
    for table in TABLES.values():
        for row in table.rows:
            assert literal({"source": row.source, "on": row.on, "dest": row.dest, "when": row.when}) in text
            assert row.claim in text


def test_a_changed_row_is_drift(tmp_path):
    """A table with one row less gives another module, and the folder that holds it is reported."""
    shorter = {**TABLES, "step": evolve(STEP, rows=STEP.rows[:-1])}
    for name, text in tla.files().items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert tla.drift(tmp_path) == []
    (tmp_path / "Lifecycle.tla").write_text(lifecycle_module(shorter), encoding="utf-8")
    assert tla.drift(tmp_path) == ["Lifecycle.tla"]


def test_a_strange_or_missing_module_is_drift(tmp_path):
    """A file that nothing generates, and one that is not there, are reported too."""
    (tmp_path / "Other.tla").write_text("", encoding="utf-8")
    assert tla.drift(tmp_path) == ["Lifecycle.tla", "Other.tla", "Program.tla"]


def test_the_command_says_what_is_out_of_date(tmp_path, monkeypatch, capsys):
    """`python -m specs.model.tla --check` fails and names the files; without it, it writes them."""
    monkeypatch.setattr(tla, "GENERATED", tmp_path)
    monkeypatch.setattr(tla.drift, "__defaults__", (tmp_path,))
    assert tla.main(["--check"]) == 1
    assert "Lifecycle.tla is out of date" in capsys.readouterr().err
    assert tla.main([]) == 0
    assert tla.main(["--check"]) == 0
