"""What the README shows is run, and what it links to exists."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path

import pytest
from sybil import Sybil
from sybil.parsers.markdown import PythonCodeBlockParser

from specs.tools import evidence
from statecore.cli import main
from statecore.lifecycles import TABLES
from tests.laws.claims import claims

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
DOCUMENT = Sybil(parsers=[PythonCodeBlockParser()]).parse(README)


def test_its_code_runs_from_top_to_bottom() -> None:
    """Each block of Python runs in the names that those before it left, and its assertions hold."""
    examples = list(DOCUMENT.examples())
    assert examples, "the README shows no code"
    for example in examples:
        example.evaluate()


def test_its_gate_before_the_money_holds(tmp_path, monkeypatch, capsys) -> None:
    """The file that it shows, and each command below it, typed in the file's folder, do what it says; the refund waits for bob of support."""
    text = README.read_text(encoding="utf-8")
    part = text[text.index("Save this as `refunds.py`") : text.index("## Why not")]
    commands = re.findall(r"^    \$ statecore (.*?)(?:   # exits (\d))?$", part, re.MULTILINE)
    assert [line.split()[0] for line, _ in commands] == ["run", "check", "pending", "approve", "resume", "show"]
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("STATECORE_DB", raising=False)
    monkeypatch.setattr(sys, "path", list(sys.path))
    Path("refunds.py").write_text(re.findall(r"```python\n(.*?)```", part, re.DOTALL)[0])
    said, run_id = {}, ""
    for line, code in commands:
        assert main([run_id if word == "RUN" else word for word in shlex.split(line)]) == int(code or 0), line
        said[line.split()[0]] = capsys.readouterr().out
        if line.startswith("pending"):
            run_id = said["pending"].split()[0]
    assert "PROVED" in said["check"]
    assert "Pay this refund?" in said["pending"]
    assert "paid 39.90 EUR for order A-55120" in said["resume"]
    assert re.search(r"confirm by bob.*: checked against the order", said["show"])


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\]\(([^)#:]+)\)", README.read_text(encoding="utf-8")))))
def test_its_links_lead_somewhere(target: str) -> None:
    """Each relative link names a file or folder of the checkout."""
    assert (ROOT / target).exists()


def test_ci_runs_its_test_command() -> None:
    """What `.ci/run` calls at last is what the README says passes the tests."""
    command = "-m pytest -n auto --cov"
    assert command in README.read_text(encoding="utf-8")
    assert (ROOT / ".ci" / "run").read_text(encoding="utf-8").rstrip().endswith(command)


def test_it_quotes_the_evidence() -> None:
    """The figures in the README are those that `python -m specs.tools.evidence` prints."""
    quoted = " ".join(line.removeprefix("> ") for line in README.read_text(encoding="utf-8").splitlines() if line.startswith("> "))
    assert quoted == evidence.line()


def test_the_evidence_is_printed(capsys) -> None:
    """The command prints the line, with the claims and rows of now."""
    assert evidence.main() == 0
    rows = sum(len(table.rows) for table in TABLES.values())
    assert f"{len([claim for claim in claims() if not claim.planned])} claims, {rows} rows;" in capsys.readouterr().out
