"""The guide to testing a workflow does what it says."""

from __future__ import annotations

import unittest
from pathlib import Path

from sybil import Sybil
from sybil.parsers.markdown import PythonCodeBlockParser

GUIDE = Path(__file__).parents[2] / "specs" / "guide" / "testing-your-workflow.md"


def test_its_code_runs_from_top_to_bottom() -> None:
    """Each block of Python runs in the names that those before it left, and its assertions hold; the machine that it makes is a test."""
    document = Sybil(parsers=[PythonCodeBlockParser()]).parse(GUIDE)
    examples = list(document.examples())
    assert len(examples) == 8
    for example in examples:
        example.evaluate()
    assert issubclass(document.namespace["TestPayout"], unittest.TestCase)
