"""The floors' coverage is a test: in a measured run floors 0 to 3 must be covered to the last branch.

It runs when all others have, on what they measured (`pytest --cov`), and is reported like any test, so that pytest's own summary says
everything. Measuring doubles the time of a test, so it pauses in those that only repeat: explorations, random walks, and the conformance
tests that differ from others by colour alone.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Generator
from pathlib import Path

import pytest

FLOORS = ["errors.py", "definition/*", "lifecycles/*", "core/*", "codec/*"]
REPEATS = (
    "tests/laws/test_mutation.py",
    "tests/model/",
    "tests/property/",
    "tests/conformance/test_claims_colours.py",
    "tests/faults/",
    "tests/temporal/",
    "tests/unit/test_check_symmetry.py",
    "tests/unit/test_mutants.py",
)
NAME = "tests/conftest.py::floors_0_to_3_are_covered"


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> Generator[None, object, object]:
    """After the last test, and after pytest-cov has put the workers' measurements together, judge the floors."""
    result = yield
    measured = session.config.pluginmanager.get_plugin("_cov")
    if (
        measured is None
        or measured.cov_controller is None
        or session.config.option.collectonly
        or hasattr(session.config, "workerinput")
    ):
        return result
    said = io.StringIO()
    package = Path(__file__).parents[1] / "statecore"
    include = [str(package / floor) for floor in FLOORS]
    covered = measured.cov_controller.cov.report(include=include, show_missing=True, skip_covered=True, file=said)
    whole = covered == 100
    report = pytest.TestReport(
        nodeid=NAME,
        location=("tests/conftest.py", 0, "floors_0_to_3_are_covered"),
        keywords={},
        outcome="passed" if whole else "failed",
        longrepr=None if whole else f"Floors 0 to 3 are covered to {covered:.1f} per cent, not 100:\n{said.getvalue()}",
        when="call",
    )
    session.config.hook.pytest_runtest_logreport(report=report)
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Pause the measuring while a test runs that only repeats what others do."""
    tracer = sys.gettrace()
    if tracer is None or not repeats(item):
        return (yield)
    sys.settrace(None)
    try:
        return (yield)
    finally:
        sys.settrace(tracer)


def repeats(item: pytest.Item) -> bool:
    """Whether a test does what others do, too: more often, or on a disk in another colour."""
    colour = getattr(getattr(item, "callspec", None), "params", {})
    on_disk = "sqlite" in item.name and any(word in item.name for word in ("async", "stream"))
    return item.nodeid.startswith(REPEATS) or (bool(colour) and on_disk)
