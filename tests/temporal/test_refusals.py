"""Refusals travel by name, with their parts; what travelled otherwise is still a named error."""

from __future__ import annotations

import pytest
from temporalio.exceptions import ApplicationError

from statecore.errors import AlreadyDecided, RunError
from statecore.temporal.wire import refusal, refused


def test_a_refusal_comes_back_as_it_was() -> None:
    """The class, the sentence and the parts are those of the error that was raised."""
    error = AlreadyDecided("pay:confirmation:0", "confirm", "ada", "10:02")
    found = refused(refusal(error))
    assert (type(found), str(found), vars(found)) == (AlreadyDecided, str(error), vars(error))


@pytest.mark.parametrize("details", ["{", "[1]", 3, '{"_private": 1}'], ids=str)
def test_what_is_no_refusal_of_ours_adds_no_parts(details: object) -> None:
    """Parts that cannot be read are left out, and the refusal is raised all the same."""
    found = refused(ApplicationError("said", details, type="AlreadyDecided"))
    assert (type(found), found.args, vars(found)) == (AlreadyDecided, ("said",), {})


@pytest.mark.parametrize("kind", ["nothing known", "annotations", "Path", None])
def test_a_name_that_is_no_error_of_ours_stands_for_none(kind: str | None) -> None:
    """Only the errors of this package are made of a name that was sent."""
    found = refused(ApplicationError("said", type=kind))
    assert (type(found), found.args) == (RunError, ("said",))
