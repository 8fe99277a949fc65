"""Large workflows run: two hundred components twenty deep, and a Parallel of sixty-four branches that each pause (CONF-7, PAR-3)."""

from __future__ import annotations

from typing import Any

import pytest

from statecore import Condition, InMemoryDb, Loop, Parallel, Router, SqliteDb, Step, Steps, Workflow

BRANCHES, COMPONENTS, DEPTH = 64, 200, 20


@pytest.fixture(params=["memory", "sqlite"])
def db(request, tmp_path):
    """A store of either kind."""
    return InMemoryDb() if request.param == "memory" else SqliteDb(db_file=str(tmp_path / "large.db"))


def echo(step_input: Any) -> Any:
    """Hand on what came before, or the input."""
    return step_input.previous_step_content or step_input.input


def inside(_step_input: Any) -> str:
    """Choose what is inside."""
    return "inside"


LEVELS = (
    lambda children: Steps("inside", children),
    lambda children: Condition("inside", children),
    lambda children: Router("inside", [Steps("inside", children)], selector=inside),
    lambda children: Loop("inside", children, max_iterations=1),
    lambda children: Parallel(Steps("inside", children), name="inside"),
)


def count(components: Any) -> int:
    """How many components there are."""
    return sum(1 + count(getattr(each, "steps", ())) + count(getattr(each, "choices", ())) for each in components)


def depth(components: Any) -> int:
    """How deep components are nested."""
    return max((1 + depth((*getattr(each, "steps", ()), *getattr(each, "choices", ()))) for each in components), default=0)


def deep(ran: list[str]) -> list[Any]:
    """Components of every kind inside each other; a gated step is innermost."""

    def note(step_input: Any) -> Any:
        ran.append(step_input.idempotency_key)
        return echo(step_input)

    children: list[Any] = [Step("inmost", note, requires_confirmation=True)]
    level = 0
    while depth(children) < DEPTH:
        children = [*(Step(f"s{n}", note) for n in range(15)), LEVELS[level % len(LEVELS)](children)]
        level += 1
    return children


@pytest.mark.spec("CONF-7", "RUN-1")
def test_two_hundred_components_nested_twenty_deep_run(db):
    """A workflow of 200 components, 20 deep, pauses at its inmost gate after all that precedes it, and completes when it is confirmed."""
    ran: list[str] = []
    components = deep(ran)
    assert count(components) >= COMPONENTS
    assert depth(components) >= DEPTH
    workflow = Workflow("deep", components, db=db)
    output = workflow.run("go")
    assert output.is_paused
    before = len(ran)
    [requirement] = output.steps_requiring_confirmation
    requirement.confirm()
    output = workflow.continue_run(output)
    assert output.status.value == "COMPLETED"
    assert len(ran) == before + 1
    assert len(set(ran)) == len(ran)


@pytest.mark.spec("PAR-3", "PAR-5")
def test_sixty_four_branches_pause_and_complete(db):
    """64 branches pause at once and are listed; half are decided, then the rest, and the result is in the order of the definition."""
    branches = [Step(f"b{n}", lambda _step_input, n=n: n, requires_confirmation=True) for n in range(BRANCHES)]
    workflow = Workflow("wide", [Parallel(*branches, name="wide", max_concurrency=4)], db=db)
    output = workflow.run("go")
    assert len(output.requirements) == BRANCHES
    for requirement in output.steps_requiring_confirmation[::2]:
        requirement.confirm()
    output = workflow.continue_run(output)
    assert output.is_paused
    assert len(output.requirements) == BRANCHES // 2
    for requirement in output.steps_requiring_confirmation:
        requirement.confirm()
    output = workflow.continue_run(output)
    assert output.status.value == "COMPLETED"
    assert list(output.content.items()) == [(f"b{n}", n) for n in range(BRANCHES)]
