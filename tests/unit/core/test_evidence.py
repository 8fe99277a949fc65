"""The slice of a word: which changes of a definition change what an answer means, and which do not."""

from __future__ import annotations

from typing import Any

import pytest

from statecore import Condition, Loop, Parallel, Router, Step, Steps, Workflow
from statecore.core.evidence import means_the_same, slices, without_callables
from statecore.core.program import stored_program


def work(_step_input: object) -> int:
    """Stand for user code."""
    return 1


def other(_step_input: object) -> int:
    """Stand for other user code."""
    return 2


def program(*steps: Any, **settings: Any) -> Any:
    """The program of a workflow."""
    return Workflow("w", list(steps), **settings).compiled.program


def gate(name: str = "pay", **settings: Any) -> Step:
    """A step with a gate."""
    return Step(name, work, requires_confirmation=True, **settings)


def step(name: str, **settings: Any) -> Step:
    """A step."""
    return Step(name, work, **settings)


def loop(*body: Any, turns: int = 3) -> Loop:
    """A loop."""
    return Loop("l", list(body), max_iterations=turns)


def split(*branches: Any, **settings: Any) -> Parallel:
    """A Parallel of two groups."""
    return Parallel(*[Steps(name, [each]) for name, each in zip("xy", branches, strict=True)], name="p", **settings)


def fork(then: str, otherwise: str) -> Condition:
    """A person's choice."""
    return Condition("c", [step(then)], [step(otherwise)], requires_confirmation=True)


SAME: dict[str, tuple[list[Any], list[Any], str, str]] = {
    "retries and delays": ([gate(), step("log")], [gate(), step("log", max_retries=2, retry_delay=3)], "pay", "confirm"),
    "a deadline's length": ([gate(timeout=60)], [gate(timeout=120)], "pay", "confirm"),
    "concurrency": (
        [gate(), split(step("a"), step("b"))],
        [gate(), split(step("a"), step("b"), max_concurrency=1)],
        "pay",
        "confirm",
    ),
    "a step before": ([gate()], [step("before"), gate()], "pay", "confirm"),
    "behind the next question": ([gate(), gate("n"), step("z")], [gate(), gate("n"), step("y"), step("z")], "pay", "confirm"),
    "the next question's policy": ([gate(), gate("n")], [gate(), gate("n", on_reject="cancel")], "pay", "confirm"),
    "a sibling": ([split(gate(), step("s"))], [split(gate(), step("s2"))], "p/x/pay", "confirm"),
    "another word": ([fork("t", "e")], [fork("t", "e2")], "c", "confirm"),
    "a loop that goes round once": ([loop(step("a"), gate(), turns=1)], [loop(step("a2"), gate(), turns=1)], "l/pay", "confirm"),
}
OTHER: dict[str, tuple[list[Any], list[Any], str, str]] = {
    "a step inserted behind it": ([gate(), step("log")], [gate(), step("wire"), step("log")], "pay", "confirm"),
    "a step appended": ([gate()], [gate(), step("log")], "pay", "confirm"),
    "the order behind it": ([gate(), step("a"), step("b")], [gate(), step("b"), step("a")], "pay", "confirm"),
    "the next question is gone": ([gate(), gate("n")], [gate(), step("n")], "pay", "confirm"),
    "the next question asks for input": ([gate(), gate("n")], [gate(), step("n", requires_user_input=True)], "pay", "confirm"),
    "what a no leads to": ([gate(), step("z")], [gate(on_reject="cancel"), step("z")], "pay", "reject"),
    "what a no leads to at the end": ([gate()], [gate(on_reject="cancel")], "pay", "reject"),
    "what a silence leads to": ([gate(timeout=9)], [gate(timeout=9, on_timeout="approve")], "pay", "expire"),
    "an error policy": ([gate(), step("log")], [gate(), step("log", on_error="skip")], "pay", "confirm"),
    "a version": ([gate()], [gate(version=1)], "pay", "confirm"),
    "a branch of a person's choice": ([fork("t", "e")], [fork("t2", "e")], "c", "confirm"),
    "the next iteration": ([loop(step("a"), gate())], [loop(step("a2"), gate())], "l/pay", "confirm"),
    "how often a loop goes round": ([loop(step("a"), gate())], [loop(step("a"), gate(), turns=4)], "l/pay", "confirm"),
    "behind the Parallel": ([split(gate(), step("s")), step("z")], [split(gate(), step("s")), step("y")], "p/x/pay", "confirm"),
    "behind an error pause": (
        [gate(), step("f", on_error="pause"), step("z")],
        [gate(), step("f", on_error="pause"), step("y")],
        "pay",
        "confirm",
    ),
    "behind a judged review": (
        [gate(), step("f", requires_output_review=lambda _: True), step("z")],
        [gate(), step("f", requires_output_review=lambda _: True), step("y")],
        "pay",
        "confirm",
    ),
}


@pytest.mark.spec("GATE-5")
@pytest.mark.parametrize("change", SAME)
def test_changes_that_leave_a_word_as_it_was(change):
    """What is outside the slice, and what is never in it, leaves the slice equal."""
    before, after, at, word = SAME[change]
    assert means_the_same(program(*before), program(*after), at, "confirmation", word)


@pytest.mark.spec("GATE-5")
@pytest.mark.parametrize("change", OTHER)
def test_changes_of_what_a_word_leads_to(change):
    """A change up to the next question that is certain makes another slice."""
    before, after, at, word = OTHER[change]
    assert not means_the_same(program(*before), program(*after), at, "confirmation", word)
    assert means_the_same(program(*before), program(*before), at, "confirmation", word)


@pytest.mark.spec("GATE-5")
def test_a_callable_is_named_and_a_stored_program_has_none():
    """Another function makes another slice; a program from a store has the slice without the names of functions."""
    one, two = (program(Step("pay", does, requires_confirmation=True)) for does in (work, other))
    first, second = (slices(each, "pay", "confirmation")["confirm"] for each in (one, two))
    assert [each.callable for each in first.components] == [f"{__name__}:work"]
    assert first != second
    assert slices(stored_program(one.canonical), "pay", "confirmation")["confirm"] == without_callables(first)
    assert without_callables(first) == without_callables(second)


@pytest.mark.spec("GATE-5")
def test_each_word_has_a_slice_and_each_slice_its_stops():
    """One slice a word, expiry included where there is a deadline; at the next question it has address and kind, and nothing more."""
    router = Router("r", [step("a"), step("b")], requires_user_input=True)
    steps = [Step("draft", work, requires_output_review=True, on_reject="retry", timeout=5), router]
    found = slices(program(*steps), "draft", "output_review")
    assert list(found) == ["confirm", "edit", "reject", "expire"]
    assert [(each.entries, sorted(each.stops), len(each.components)) for each in found.values()] == [
        ((("confirm", "r"), ("confirm", "")), [("r", "route")], 0),
        ((("edit", "r"), ("edit", "")), [("r", "route")], 0),
        ((("reject", "draft"),), [("draft", "output_review"), ("r", "route")], 1),
        ((), [], 0),
    ]
    [again] = found["reject"].components
    assert (again.at, again.reviews, again.iterations, again.seats) == ("draft", 3, None, None)
    assert slices(program(*steps), "r", "route")["select"].entries == (("select", "r/a"), ("select", "r/b"))


@pytest.mark.spec("GATE-5")
@pytest.mark.parametrize("spared", ["a predicate", "an end condition", "an error pause"])
def test_a_question_that_may_be_spared_ends_no_slice(spared):
    """A judged review, a review of an iteration behind an end condition, and an error pause are passed: the slice ends at the next gate alone."""
    between: dict[str, Any] = {
        "a predicate": step("f", requires_output_review=lambda _: True),
        "an end condition": Loop("f", [step("a")], 3, lambda _: True, requires_iteration_review=True),
        "an error pause": step("f", on_error="pause"),
    }
    one = program(gate(), between[spared], gate("n"))
    assert slices(one, "pay", "confirmation")["confirm"].stops == {("n", "confirmation")}
    certain = program(gate(), step("f", requires_output_review=True), gate("n"))
    assert slices(certain, "pay", "confirmation")["confirm"].stops >= {("f", "output_review")}


def test_slices_are_made_once():
    """A program keeps its slices: the second question of a kind at an address costs a look."""
    one = program(gate(), step("log"))
    assert slices(one, "pay", "confirmation") is slices(one, "pay", "confirmation")
