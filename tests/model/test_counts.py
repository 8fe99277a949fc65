"""How large each model is: pinned, so that no change of the semantics goes unnoticed.

The numbers change only on purpose. Who changes them says in specs/changes/ what a user will see.
"""

from __future__ import annotations

from itertools import pairwise

import pytest

from tests.model.explore import explore
from tests.model.models import models

# model -> states, edges, with at most one retry or reopening and three deaths for each call
SIZES: dict[str, tuple[int, int]] = {
    "nothing": (2, 1),
    "one step": (15, 61),
    "one gated step": (16, 64),
    "one pausing step": (11, 29),
    "one skipping step": (13, 60),
    "one gated pausing step": (12, 32),
    "a gate that cancels": (48, 244),
    "two gated pausing steps": (35, 125),
    "an evaluated condition": (89, 481),
    "a condition without else": (57, 301),
    "a pausing condition": (77, 385),
    "a gated condition": (81, 427),
    "a gated group that pauses": (80, 394),
    "a skipping group": (83, 478),
    "an empty group": (15, 61),
    "a nested workflow": (100, 544),
    "a step that runs a workflow": (96, 512),
    "gates at every depth": (19, 73),
}


def test_every_model_is_pinned():
    """Each model has its numbers, and each number its model."""
    assert set(SIZES) == set(models())


@pytest.mark.parametrize("name", SIZES)
def test_the_model_has_its_size(name):
    """The core reaches as many states, by as many edges, as it did."""
    assert explore(models()[name]).size == SIZES[name]


def test_more_retries_make_more_states():
    """The bound on retries is what keeps a model finite: each retry more adds the same number of states."""
    program = models()["one pausing step"]
    sizes = [explore(program, attempts=attempts).size[0] for attempts in range(1, 5)]
    assert len({after - before for before, after in pairwise(sizes)}) == 1


def test_a_graph_is_the_same_twice():
    """Exploring is a function of the program: the same states and edges, in the same order."""
    program = models()["gates at every depth"]
    assert list(explore(program).edges.items()) == list(explore(program).edges.items())
