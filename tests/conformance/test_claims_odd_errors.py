"""ERR: exceptions that Python treats specially or that misbehave are errors like all others, in every store and colour."""

from __future__ import annotations

from queue import Queue
from threading import Thread
from typing import Any

import pytest

from statecore import Step, Workflow
from tests.conformance.drive import statuses

PATIENCE = 20  # seconds until a run that hangs is given up; nothing is measured by it


def type_name(value: object) -> str:
    """The name of a case."""
    return type(value).__name__


class Mute(Exception):  # an error that cannot say what it is
    def __str__(self):
        """Fail."""
        raise ZeroDivisionError


class Closed(Exception):  # an error that takes no notes
    def __setattr__(self, name, value):
        """Refuse."""
        raise AttributeError(name)

    def add_note(self, note):
        raise AttributeError(note)


def settled(drive, workflow):
    """Run in a thread of its own, so that a colour that never comes back fails this test and not all of them."""
    ends: Queue[Any] = Queue()

    def run() -> None:
        try:
            ends.put(drive.run(workflow, run_id="r"))
        except Exception as error:  # noqa: BLE001  # whatever comes out
            ends.put(error)

    Thread(target=run, daemon=True).start()
    return ends.get(timeout=PATIENCE)


@pytest.mark.spec("ERR-2", "ERR-3")
@pytest.mark.parametrize(
    "error", [StopIteration("dry"), StopAsyncIteration(), Mute(), Closed(), MemoryError(), RecursionError()], ids=type_name
)
@pytest.mark.parametrize("policy", ["pause", "skip"])
def test_any_exception_goes_by_its_policy(db, drive, calls, error, policy):
    """Exceptions that Python's own machinery treats specially, or that misbehave, are errors of their step like all others."""
    end = settled(drive, Workflow("flow", [Step("a", calls.does("a", error), on_error=policy), calls.does("end")], db))
    if policy == "skip":
        assert statuses(end) == {"a": "skipped", "end": "completed"}
    else:
        assert [failed.error_type for failed in end.steps_with_errors] == [type(error).__name__]


@pytest.mark.spec("ERR-1")
@pytest.mark.parametrize("error", [Mute(), Closed(), MemoryError(), RecursionError(), StopIteration("dry")], ids=type_name)
def test_any_exception_is_loud(db, drive, calls, error):
    """Under fail the caller gets the executor's own exception, or, where Python forbids a generator to raise it, its cause."""
    end = settled(drive, Workflow("flow", [calls.does("a", error)], db))
    plain = drive.colour == "sync" or not isinstance(error, StopIteration)
    assert (end if plain else end.__cause__) is error
