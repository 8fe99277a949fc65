"""ERR-11: what a failure keeps for the person who decides about it, in every store and colour."""

from __future__ import annotations

import asyncio
import importlib
import json
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from statecore import Parallel, Step, StepOutput, Workflow
from statecore.cli.views import run_lines
from statecore.output import ErrorRequirement
from statecore.runtime.traces import MAX_TRACE, trace_of, where
from statecore.stores import PauseFilter
from statecore.workflow.inbox import Inbox

HERE = Path(__file__).name


def charge(text):
    """The user's own code, which calls a library."""
    return json.loads(text)


def pay(_):
    """A step that fails of what a library said, with a note."""
    try:
        charge("{")
    except ValueError as error:
        refused = RuntimeError("the import failed")
        refused.add_note("row 4711 of orders.csv")
        raise refused from error


async def pay_later(step_input):
    """The same on an event loop."""
    await asyncio.sleep(0)
    pay(step_input)


def upload(_):
    """A step that fails of several things at once."""
    raise ExceptionGroup("2 uploads failed", [OSError("the disk is full"), PermissionError("denied")])


def asked(workflow, drive, run_id="r"):
    """The one error requirement of a new run."""
    [error] = drive.run(workflow, run_id=run_id).steps_with_errors
    return error


@pytest.mark.spec("ERR-11")
@pytest.mark.parametrize("function", [pay, pay_later], ids=["plain", "async"])
def test_a_failure_keeps_its_traceback(db, reopened, drive, function):
    """Another process reads cause, note and frames; the user's frames are marked, the library's are not, and statecore's are absent."""
    error = asked(Workflow("flow", [Step("pay", function, on_error="pause")], db), drive)
    [seen] = Inbox(reopened()).show("r").steps_with_errors
    assert seen.traceback is not None
    assert seen.traceback == error.traceback
    lines = seen.traceback.splitlines()
    assert [line.rpartition(", ")[2] for line in lines if line.startswith("> ")][-1] == "pay()"
    assert any(line.startswith("> ") and line.endswith("charge()") for line in lines)
    assert any(line.startswith("  ") and "/json/" in line for line in lines)
    assert lines[0].startswith("> ")
    assert not any("/statecore/runtime/" in line for line in lines)
    cause, words = lines.index("The exception above is the cause of this one:"), lines.index("RuntimeError: the import failed")
    assert next(n for n, line in enumerate(lines) if line.startswith("JSONDecodeError: ")) < cause < words
    assert lines[-1] == "note: row 4711 of orders.csv"


@pytest.mark.spec("ERR-11")
def test_the_members_of_a_group_are_kept(db, drive):
    """Each member of a group is told, with its class and words."""
    error = asked(Workflow("flow", [Step("upload", upload, on_error="pause")], db), drive)
    lines = [line.strip() for line in error.traceback.splitlines()]
    assert lines[0].startswith("> ")
    assert lines[-4:] == ["- 1 of 2:", "OSError: the disk is full", "- 2 of 2:", "PermissionError: denied"]


@pytest.mark.spec("ERR-11")
def test_each_failure_has_its_own(db, drive):
    """Branches that fail at once, and attempts after each other, keep one traceback each."""
    steps = [Step(name, function, on_error="pause") for name, function in (("pay", pay), ("upload", upload))]
    workflow = Workflow("flow", [Parallel(*steps, name="both")], db)
    run = drive.run(workflow, run_id="r")
    first = {each.step_name: each.traceback.splitlines()[-1].strip() for each in run.steps_with_errors}
    assert first == {"pay": "note: row 4711 of orders.csv", "upload": "PermissionError: denied"}
    for error in run.steps_with_errors:
        error.retry()
    again = drive.resume(workflow, run)
    assert {each.step_name: each.traceback.splitlines()[-1].strip() for each in again.steps_with_errors} == first


@pytest.mark.spec("ERR-11")
def test_a_list_does_not_carry_it(db, drive):
    """Neither the stored question nor a requirement as plain data has the traceback; `show` and the journal have it."""
    workflow = Workflow("flow", [Step("pay", pay, on_error="pause")], db)
    asked(workflow, drive)
    [row], [listed] = db.pauses(PauseFilter()), workflow.list_pauses()
    assert isinstance(listed, ErrorRequirement)
    assert "4711" not in repr(row)
    assert "4711" not in repr(listed.to_dict())
    assert listed.traceback is not None
    assert type(listed).from_dict(listed.to_dict()).traceback is None
    shown = "\n".join(run_lines(Inbox(db), "r"))
    assert "note: row 4711 of orders.csv" in shown
    assert "> " in shown


@pytest.mark.spec("ERR-11")
def test_a_failure_without_frames_has_none(db, drive):
    """Where class and words are all there is, nothing more is stored: a returned failure."""
    error = asked(Workflow("flow", [Step("pay", lambda _: StepOutput(success=False, error="no"), on_error="pause")], db), drive)
    assert (error.error_message, error.traceback) == ("no", None)


def deep(_, depth=0):
    """It never comes back."""
    return deep(_, depth + 1)


def wide(_):
    """Ten thousand things fail, and one of them has a long story."""
    raise ExceptionGroup("many", [OSError("x" * 10_000) for _ in range(10_000)])


def endless(_):
    """Each exception is raised in the handling of the one before."""
    chain = [ValueError(f"{number}") for number in range(100)]
    for before, after in pairwise(chain):
        after.__cause__ = before
    chain[0].__cause__ = chain[-1]  # a circle
    raise chain[-1]


@pytest.mark.spec("ERR-11")
@pytest.mark.parametrize("function", [deep, wide, endless])
def test_it_is_bounded(db, drive, function):
    """However deep, wide or circular the exception is, the text is bounded, names the user's frame, and ends with the exception's words."""
    error = asked(Workflow("flow", [Step("s", function, on_error="pause")], db), drive)
    assert len(error.traceback) <= MAX_TRACE
    assert f"{function.__name__}()" in error.traceback
    assert error.traceback.count("ValueError: 99") == (function is endless)


@pytest.mark.spec("ERR-11")
def test_the_frame_named_is_the_users_own():
    """The place of a failure is the deepest frame of the user's code, and not the deepest of the library that it called."""
    with pytest.raises(ValueError, match="property name") as raised:
        charge("{")
    place = where(raised.value)
    assert place is not None
    assert HERE in place
    assert place.endswith("charge()")


@pytest.mark.spec("ERR-11")
def test_an_installed_workflow_is_the_users_too(tmp_path, monkeypatch):
    """Code that is installed like a library is the user's where it is the package of the step; another package beside it is not."""
    for package, code in (
        ("shop_flow", "import shop_client\n\ndef pay(_):\n    return shop_client.call()\n"),
        ("shop_client", "def call():\n    raise OSError('off')\n"),
    ):
        (tmp_path / "site-packages" / package).mkdir(parents=True)
        (tmp_path / "site-packages" / package / "__init__.py").write_text(code, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path / "site-packages")
    function = importlib.import_module("shop_flow").pay
    with pytest.raises(OSError, match="off") as raised:
        function(None)
    for package in ("shop_flow", "shop_client"):
        sys.modules.pop(package)
    place, text = trace_of(raised.value, function)
    assert place is not None
    assert text is not None
    assert place.endswith("pay()")
    assert [line[0] for line in text.splitlines() if "site-packages" in line] == [">", " "]


@pytest.mark.spec("ERR-11")
def test_an_exception_that_cannot_be_told_is_told_by_its_class(db, drive):
    """Words, notes and causes are the user's code; where they raise or are of another kind, the failure is kept all the same."""

    class Mute(Exception):
        def __str__(self):
            raise ValueError("no")

    def fail(_):
        error = Mute()
        vars(error)["__notes__"] = 7
        raise error

    error = asked(Workflow("flow", [Step("s", fail, on_error="pause")], db), drive)
    assert error.error_type == "Mute"
    assert error.traceback.splitlines()[-1] == "Mute: (it has no text of its own)"
