"""specs/proof: the tables are those that run, every theorem is proved without axioms, and a table that leads past a gate breaks a proof."""

from __future__ import annotations

import re
from random import Random, SystemRandom
from types import SimpleNamespace

import pytest
from attrs import evolve

from specs.model.programs import random_programs
from specs.proof import coq, tables
from specs.proof.wellformed import faults
from statecore.core import Program
from statecore.core.program import assemble
from statecore.lifecycles import TABLES, Table
from statecore.lifecycles import words as w
from tests.conftest import pytest_terminal_summary
from tests.model.definitions import compiled, leaf, programs
from tests.model.models import models
from tests.proof.workflows import larger
from tests.sizes import TIMES

PAGE = (coq.HERE / "README.md").read_text(encoding="utf-8")
FORBIDDEN = re.compile(r"\b(Admitted|admit|Axioms?|Parameters?|Conjecture|Abort|Unset|Fail|give_up|bypass_check)\b")


def test_the_tables_are_those_that_run():
    """The generated files are what the package gives now; a changed row or constant is drift until they are written again."""
    assert tables.drift() == []


def test_a_changed_row_is_drift():
    """The comparison of the generated files can fail: with one row gone they are others."""
    table = TABLES["step"]
    assert tables.rows({**TABLES, "step": evolve(table, rows=table.rows[1:])}) != coq.source("Tables")


def test_nothing_is_admitted():
    """No file of the proof has an axiom, an admitted proof, or an order to Coq to check less."""
    assert {name: found for name in (*coq.FILES, "Extract") if (found := FORBIDDEN.findall(coq.code(name)))} == {}


def test_every_theorem_is_proved(tmp_path):
    """Coq accepts every file, its independent checker accepts what was compiled, and no theorem assumes anything."""
    if coq.missing():
        return
    coq.compiled(tmp_path)
    assert coq.open_theorems(tmp_path, coq.theorems()) == []
    said = coq.checked(tmp_path)
    own = [line.strip() for line in said.splitlines() if line.startswith("    ")]
    assert "CONTEXT SUMMARY" in said
    assert [
        name for name in own if not name.startswith("Coq.")
    ] == []  # sealed names of Coq's library, which is not checked again here


def test_an_admitted_theorem_is_noticed(tmp_path):
    """A theorem without a proof is found in the text, and Coq says of it that it assumes something."""
    text = "Theorem gone : False. Admitted."
    assert FORBIDDEN.findall(text) == ["Admitted"]
    if coq.missing():
        return
    coq.compiled(tmp_path, ["Theorems"], {"Theorems": text})
    assert coq.open_theorems(tmp_path, ["gone"]) != []


def test_the_page_names_the_theorems():
    """The page speaks of each theorem by its name, and of none that is not there."""
    assert coq.theorems() != []
    assert re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE) == coq.theorems()


# -- rows that lead past a gate ----------------------------------------------------------------------------------------------------

# a machine; the row's source, trigger and guard; what is another in it
PAST_GATES: dict[str, tuple[str, tuple[str, str, str], dict[str, str]]] = {
    "a gated step runs at once": ("step", (w.pending, w.enter, w.needs_confirmation), {"dest": w.running}),
    "a step runs without its input": ("step", (w.pending, w.enter, w.needs_input), {"dest": w.running}),
    "a rejected step runs": ("step", (w.awaiting_confirmation, w.reject, w.reject_skips), {"dest": w.running}),
    "a rejected input runs": ("step", (w.awaiting_input, w.reject, w.reject_skips), {"dest": w.running}),
    "an expired question that skips runs": ("step", (w.awaiting_confirmation, w.expire, w.timeout_skips), {"dest": w.running}),
    "a gated condition is evaluated": ("condition", (w.pending, w.enter, w.needs_confirmation), {"dest": w.running}),
    "a gated loop runs at once": ("loop", (w.pending, w.enter, w.needs_confirmation), {"dest": w.running}),
    "a rejected router chooses": ("router", (w.awaiting_confirmation, w.reject, w.reject_skips), {"dest": w.evaluating}),
    "a gated parallel runs at once": ("parallel", (w.pending, w.enter, w.needs_confirmation), {"dest": w.running}),
    "a rejected group runs": ("group", (w.awaiting_confirmation, w.reject, w.reject_skips), {"dest": w.running}),
}
ROWS = ("Tables", "Core", "Checker", "Rows")
"""The smallest files in which a changed row shows: `Rows.v` computes over all rows."""


def changed(machine: str, key: tuple[str, str, str], to: dict[str, str]) -> dict[str, Table]:
    """The tables with one row changed."""
    table = TABLES[machine]
    assert [(row.source, row.on, row.when) for row in table.rows].count(key) == 1
    rows = tuple(evolve(row, **to) if (row.source, row.on, row.when) == key else row for row in table.rows)
    return {**TABLES, machine: evolve(table, rows=rows)}


def test_a_row_that_leads_past_a_gate_breaks_a_proof(tmp_path):
    """Each of ten such rows is refused by the lemmas about rows, with all other rows as they are; without a change they are accepted.

    The ordinary run draws two of the ten, a campaign has all.
    """
    if coq.missing():
        return
    coq.compiled(tmp_path, ["Words"])
    coq.compiled(tmp_path, ROWS)
    seed = SystemRandom().randrange(1 << 32)
    print(f"seed {seed}")  # noqa: T201  # shown where the test fails
    cases = list(PAST_GATES) if TIMES > 1 else Random(seed).sample(list(PAST_GATES), 2)  # noqa: S311  # to be repeatable
    said = {case: refused(tmp_path, tables.rows(changed(*PAST_GATES[case]))) for case in cases}
    assert {case: file for case, file in said.items() if file != "Rows.v"} == {}


def refused(folder, text: str) -> str | None:
    """Which file Coq refuses under these tables; None where it refuses none."""
    for name in ROWS:
        try:
            coq.compiled(folder, [name], {"Tables": text})
        except coq.CoqError:
            return f"{name}.v"
    return None


# -- what the theorems assume ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("found", [models().values, programs, lambda: random_programs(300, 11), lambda: larger(60, 5)])
def test_compiled_workflows_are_well_formed(found):
    """The theorems speak of every program that is compiled: of all models, of every component under every policy, of random workflows."""
    assert {program.name: wrong for program in found() if (wrong := faults(program))} == {}


@pytest.mark.parametrize(
    ("at", "change"),
    [
        ("a", {"leaves": "b"}),
        ("a", {"next": "g/c"}),
        ("a", {"exits": {w.enter: "b"}}),
        ("a", {"facts": frozenset({w.needs_confirmation, w.runs_at_once})}),
        ("a", {"machine": "run"}),
        ("a", {"machine": "group"}),
        ("a", {"index": 1}),
        ("b", {"depth": 1}),
        ("g", {"kind": "step", "machine": "step"}),
        ("g", {"exits": {}}),
        ("g/c", {"depth": 1}),
        ("g/c", {"parent": "g/c"}),
    ],
)
def test_a_malformed_program_is_noticed(at, change):
    """The checker can fail: a program with one wrong place, number or fact is refused."""
    program = sample()
    nodes = {**program.nodes, at: evolve(program[at], **change)}
    assert faults(program) == []
    assert faults(assemble(program.name, nodes, program.first)) != []


def sample() -> Program:
    """Two steps and a list with a third."""
    from statecore.definition import Steps

    return compiled(leaf("a"), leaf("b"), Steps("g", [leaf("c")]))


def test_absent_tools_are_told_and_fail_in_ci(monkeypatch):
    """Without Coq the tests of the proofs pass and the summary says it; where CI is "true" they fail by name."""
    said: list[str] = []
    reporter = SimpleNamespace(write_line=lambda text, **_: said.append(text))
    monkeypatch.setattr("shutil.which", lambda _: "/usr/bin/there")
    monkeypatch.setenv("CI", "true")
    pytest_terminal_summary(reporter)
    assert (coq.missing(), said) == (False, [])
    monkeypatch.setattr("shutil.which", lambda tool: None if tool == "coqchk" else "/usr/bin/there")
    with pytest.raises(coq.CoqError, match="apt-get install"):
        coq.missing()
    monkeypatch.setenv("CI", "")
    pytest_terminal_summary(reporter)
    assert (coq.missing(), said) == (True, [coq.MISSING])
