"""The guide to operating a store is run, and speaks of every symptom and command."""

from __future__ import annotations

import re
from pathlib import Path

from sybil import Sybil
from sybil.parsers.markdown import PythonCodeBlockParser

from statecore.cli.main import group
from statecore.runtime import doctor
from statecore.stores.sqlite import health

GUIDE = Path(__file__).parents[2] / "specs" / "guide" / "operating-a-store.md"


def test_its_code_runs_from_top_to_bottom() -> None:
    """Each block of Python runs in the names that those before it left, and its assertions hold."""
    examples = list(Sybil(parsers=[PythonCodeBlockParser()]).parse(GUIDE).examples())
    assert len(examples) == 7
    for example in examples:
        example.evaluate()


def test_it_names_every_symptom() -> None:
    """Each kind of symptom that the doctor knows is in the guide."""
    sources = [Path(str(module.__file__)).read_text(encoding="utf-8") for module in (health, doctor)]
    kinds = {kind for source in sources for kind in re.findall(r'Symptom\(\s*"(\w+)"', source)} - {"sqlite"}
    text = GUIDE.read_text(encoding="utf-8")
    rows = {word for row in re.findall(r"^\| ([\w, ]+?) \|", text, re.MULTILINE) for word in row.split(", ")}
    assert len(kinds) > 8
    assert kinds <= rows


def test_its_commands_exist() -> None:
    """Each command that it names is one of ours."""
    named = set(re.findall(r"`statecore ([a-z]+)", GUIDE.read_text(encoding="utf-8")))
    assert named <= set(group.commands)
    assert {"doctor", "verify", "backup"} <= named
