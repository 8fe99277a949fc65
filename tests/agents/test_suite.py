"""The suite of adapters: a toy passes, and each broken one fails."""

from __future__ import annotations

import pytest

from statecore.testing import AdapterConformance
from tests.agents.toys import broken, case


class TestToy(AdapterConformance):
    def case(self):
        return case()


CHECKS = [name for name in dir(AdapterConformance) if name.startswith("test_")]


@pytest.mark.spec("TOOL-1")
@pytest.mark.parametrize("why", ["runs first", "keeps it here", "loses words", "loses edits", "gives what it likes"])
def test_a_broken_adapter_fails(why):
    """A tool that runs too early, a state in memory, lost words, lost arguments, and an odd outcome are each seen."""

    class Broken(AdapterConformance):
        def case(self):
            return broken(why)

    failed = []
    for name in CHECKS:
        try:
            getattr(Broken(), name)()
        except (AssertionError, AttributeError):
            failed.append(name)
    assert failed
