"""The guide to checking is run, and says what the command does."""

from __future__ import annotations

from pathlib import Path

from sybil import Sybil
from sybil.parsers.markdown import PythonCodeBlockParser

from statecore.check.atoms import CAUSES, EFFECTS, RUNS
from statecore.check.wording import SENTENCES

GUIDE = Path(__file__).parents[2] / "specs" / "guide" / "checking.md"


def test_its_code_runs_from_top_to_bottom() -> None:
    """Each block of Python runs in the names that those before it left, and its assertions hold."""
    examples = list(Sybil(parsers=[PythonCodeBlockParser()]).parse(GUIDE).examples())
    assert len(examples) == 7
    for example in examples:
        example.evaluate()


def test_it_names_every_sentence_and_every_atom() -> None:
    """Each first word of a property and each verb of an atom is in the guide."""
    text = GUIDE.read_text(encoding="utf-8")
    assert [word for word in (*SENTENCES, "ran", *CAUSES, *EFFECTS, *RUNS) if word not in text] == []


def test_its_workflow_is_as_large_as_it_says() -> None:
    """The example has 22 components."""
    names: dict[str, object] = {}
    first = next(iter(Sybil(parsers=[PythonCodeBlockParser()]).parse(GUIDE).examples()))
    exec(first.parsed, names)  # noqa: S102  # the guide's own code
    assert len(names["order"]("skip").compiled.program.nodes) - 1 == 22  # type: ignore[operator]
