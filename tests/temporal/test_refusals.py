"""Refusals travel by name, with their parts; what travelled otherwise is still a named error."""

from __future__ import annotations

import inspect
from types import SimpleNamespace
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError

from specs.tools import errors
from statecore import Step, Workflow
from statecore.core import Call, stored_program
from statecore.errors import AlreadyDecided, NotAComponent, RunError
from statecore.temporal.activities import Performer
from statecore.temporal.wire import refusal, refused

GROUPS = {"StatecoreError", "DefinitionError", "LifecycleError", "RunError", "StoreError"}
"""Their message is all that they have: it comes back with its signs spelt out."""


def test_a_refusal_comes_back_as_it_was() -> None:
    """The class, the sentence and the parts are those of the error that was raised."""
    error = AlreadyDecided("pay:confirmation:0", "confirm", "ada", "10:02")
    found = refused(refusal(error))
    assert (type(found), str(found), vars(found)) == (AlreadyDecided, str(error), vars(error))


@pytest.mark.parametrize("kind", errors.classes(), ids=lambda kind: kind.__name__)
def test_every_refusal_travels(kind: Any) -> None:
    """Each class comes back equal; halves of characters, which no message to a server can hold, are spelt out."""
    for text in ("word", "\ud800\x1b"):
        parameters = list(inspect.signature(kind.__init__).parameters.values())[1:]
        given = {"int": 3, "Iterable[str]": [text], "Iterable[int]": [1], "object": [text, 3, None]}
        error = (
            kind(text)
            if parameters[0].kind is parameters[0].VAR_POSITIONAL
            else kind(*(given.get(each.annotation, text) for each in parameters))
        )
        sent = refusal(error)
        sent.message.encode()
        found = refused(ApplicationError(sent.message, *sent.details, type=sent.type))
        assert (str(found), vars(found)) == (str(error), vars(error))
        assert found == error or kind.__name__ in GROUPS


def test_an_object_travels_as_its_type() -> None:
    """No contents of an object are sent."""
    error = NotAComponent("w", {"a": {3}, (1, 2): 3, "b": object(), "c": b"s3cret"})
    assert "s3cret" not in f"{refusal(error).details} {refusal(error).message}"
    told = {"a": "a value of type set", "b": "a value of type object", "c": "a value of type bytes"}
    assert vars(refused(refusal(error))) == {"where": "w", "found": told, "setting": ""}


@pytest.mark.spec("GATE-8")
@pytest.mark.parametrize(("version", "taken"), [(None, False), (2, True), (3, False)])
def test_a_call_is_made_by_its_version(version: int | None, taken: bool) -> None:
    """A worker with another version of a step does not make the call of a run that began with this one; it waits for another worker."""

    def flow(number: int | None, *more: Step) -> Workflow:
        return Workflow("flow", [Step("pay", str, version=number), *more])

    began, mine = flow(2).compiled.program, flow(version, Step("later", str))
    identity: Any = SimpleNamespace(run_id="r", fingerprint=began.fingerprint, canonical=began.canonical)
    performer: Any = Performer(None, {}, None)  # type: ignore[arg-type]
    if taken:
        assert performer.compiled(mine, identity, Call("execute", "pay", (), 0)).program == stored_program(began.canonical)
        return
    with pytest.raises(ApplicationError, match="the call of 'pay' was begun by its version 2") as refused_call:
        performer.compiled(mine, identity, Call("execute", "pay", (), 0))
    assert (refused_call.value.type, refused_call.value.non_retryable) == ("DefinitionChanged", False)


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
