"""The floors' coverage is a test: in a measured run floors 0 to 3 must be covered to the last branch.

It runs when all others have, on what they measured (`pytest --cov`), and is reported like any test, so that pytest's own summary says
everything. Measuring doubles the time of a test, so it pauses in those that only repeat what others do: explorations, random walks,
campaigns, each row of something, and conformance tests on another store than that in memory or in another colour than `run`. It pauses too
while tests are looked for. What lies above these floors is not measured: coverage says little of it, and the mutants of each room say more.

The files of the tests are in memory, where there is enough of it: what is stored is written and synced in the same way, and no test waits
for a disk that others use as well.
"""

from __future__ import annotations

import gc
import io
import os
import shutil
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager, nullcontext
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from typing import Any

import pytest
from hypothesis import settings

import statecore

FLOORS = ["errors/*", "definition/*", "lifecycles/*", "core/*", "codec/*"]
REPEATS = (
    "tests/conformance/test_claims_colours.py",
    "tests/conformance/test_claims_crash.py",
    "tests/crash/",
    "tests/faults/",
    "tests/format3/",
    "tests/laws/test_mutation.py",
    "tests/migration/",
    "tests/model/",
    "tests/postgres/",
    "tests/proof/",
    "tests/property/",
    "tests/temporal/",
    "tests/unit/specs/test_bench.py",
    "tests/unit/check/test_check.py::test_forgetting_the_past_loses_no_situation",
    "tests/unit/check/test_check_symmetry.py",
    "tests/unit/draw/test_draw_family.py::test_every_question",
    "tests/unit/workflow/test_inbox.py",
    "tests/unit/specs/test_mutants.py",
    "tests/unit/stores/",
)
MEMORY, ROOM = Path("/dev/shm"), 4 * 2**30  # noqa: S108  # pytest makes folders of its own in it
SELDOM = 50_000, 20, 100
"""How often garbage is looked for: a test makes little, and a process of tests may keep more of it than one of a user."""
NAME = "tests/conftest.py::floors_0_to_3_are_covered"


def pytest_configure(config: pytest.Config) -> None:
    """Put the tests' files into memory, unless a place is given; Hypothesis judges no times."""
    settings.register_profile(
        "statecore", settings.default, deadline=None, print_blob=True
    )  # no test judges how long something took
    settings.load_profile("statecore")
    if os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))


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
def pytest_collection(session: pytest.Session) -> Generator[None, object, object]:
    """Twelve thousand tests stay until the end: garbage is not looked for while they are found, nor among them ever after.

    Nor is anything measured then, but for what runs when the package's modules are imported.
    """
    gc.disable()
    try:
        if is_measured() and (hasattr(session.config, "workerinput") or not session.config.getoption("numprocesses", None)):
            for module in walk_packages(statecore.__path__, "statecore."):  # what runs at its import is measured here
                import_module(module.name)
        with unmeasured():
            return (yield)
    finally:
        gc.freeze()
        gc.set_threshold(*SELDOM)
        gc.enable()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Pause the measuring while a test that only repeats what others do is set up, run and cleared away."""
    with unmeasured() if repeats(item) else nullcontext():
        return (yield)


def is_measured() -> bool:
    """Whether this process is being measured now."""
    return sys.gettrace() is not None and threading.gettrace() is not None


@contextmanager
def unmeasured() -> Generator[None, None, None]:
    """Pause the measuring, in threads that begin meanwhile, too."""
    of_main, of_threads = sys.gettrace(), threading.gettrace()
    if not is_measured():
        yield
        return
    sys.settrace(None)
    threading.settrace(None)
    try:
        yield
    finally:
        threading.settrace(of_threads)
        sys.settrace(of_main)


def repeats(item: pytest.Item) -> bool:
    """Whether a test does what others do, too: more often, on a disk, or in another colour."""
    params = getattr(getattr(item, "callspec", None), "params", {})
    return item.nodeid.startswith(REPEATS) or params.get("db", "memory") != "memory" or params.get("drive", "sync") != "sync"


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Where Coq or a browser is absent the proofs were not checked, the pages not tried, and the last thing printed says so."""
    from specs.proof import coq
    from tests.inbox import chromium

    if chromium.path() is None:
        terminalreporter.write_line(chromium.MISSING, yellow=True)
    if coq.absent():
        terminalreporter.write_line(coq.MISSING, yellow=True)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One process more than there are cores: some tests wait, for a server or another process."""
    return (os.cpu_count() or 1) + 1


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> object:
    """Whoever has nothing left to do takes over half of what another has left; neighbours, which share what they prepare, stay together."""
    from xdist.scheduler import WorkStealingScheduling  # type: ignore[import-untyped]

    return WorkStealingScheduling(config, log)
