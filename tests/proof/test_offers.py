"""Every event is offered in every state to explorer, engine and oracle: what the core hears besides what they know is on a list."""

from __future__ import annotations

from random import Random

import pytest

from specs.model.oracle import ANSWERS, GIVEN
from specs.model.programs import ending, pausing, random_programs
from statecore.core import Event, Node, Program, State
from statecore.lifecycles import words as w
from tests.model.explore import explore, labels
from tests.model.models import models
from tests.proof.offers import heard, is_route
from tests.proof.workflows import telling
from tests.property.walks import waits

SEED = 3
DEATHS = 1


def sample() -> list[Program]:
    """Models, random workflows and those in which failures, stops and units that are left meet."""
    return [*list(models().values())[:40:5], *pausing()[::6], *ending(), *telling()[:1], *random_programs(4, SEED)]


@pytest.mark.spec("LAW-4", "CONF-9")
def test_the_explorer_offers_all_that_the_core_hears():
    """In every state, ended ones included, each single event that the core hears is an edge that the explorer tries, within its bounds."""
    draw, offered, states = Random(SEED), 0, 0  # noqa: S311  # it chooses examples, not secrets
    for program in sample():
        for state in explore(program, deaths=DEATHS).edges:
            known = {said(event) for event, *more in labels(program, state, attempts=10**9, deaths=10**9) if not more}
            found = heard(program, state, draw)
            assert [event for event in found if said(event) not in known and not is_route(event)] == []
            offered, states = offered + len(found), states + 1
    assert states > 300
    assert offered > 1_500


def said(event: Event) -> tuple[object, ...]:
    """An event as the explorer tells it from others."""
    return event.trigger, event.at, event.turn, event.attempt, event.choices


@pytest.mark.spec("LAW-4", "CONF-9")
def test_the_oracle_knows_every_word_that_the_core_hears():
    """In every state the words that the core hears at its cursors are those that the oracle knows for what it waits for, and no others."""
    draw = Random(SEED)  # noqa: S311  # it chooses examples, not secrets
    heard_of = 0
    for program in sample():
        for state in explore(program, deaths=DEATHS).edges:
            single = [event for event in heard(program, state, draw) if event.at]
            found = {(event.at, event.turn, event.attempt, event.trigger) for event in single}
            assert found == words(program, state)
            heard_of += len(found)
    assert heard_of > 1_000


def words(program: Program, state: State) -> set[tuple[object, ...]]:
    """The words that the oracle knows for each thing that a run waits for; a failed run hears nothing at its cursors."""
    if state.run == w.failed:
        return set()
    return {
        (wait.at, wait.turn, wait.attempt, w.give if word == "input" else word)
        for wait in waits(program, state)
        for word in (*ANSWERS[wait.what, wait.kind], *(["expire"] if wait.expires else []))
        if word not in GIVEN or hears(program[wait.at], word)
    }


def hears(node: Node, word: str) -> bool:
    """Whether a component hears a word by which a person gives something: a step does, and another input where it says so."""
    return node.machine == "step" and (word == "provide" or w.allows_edit in node.facts)
