"""How large each model is: pinned, so that no change of the semantics goes unnoticed.

The numbers change only on purpose. Who changes them says in specs/changes/ what a user will see.
"""

from __future__ import annotations

from itertools import pairwise

import pytest

from tests.model.explore import explore
from tests.model.models import explored, models

# model -> states, edges, with at most one retry or reopening of each call, and as many deaths as `deaths_in` says
SIZES: dict[str, tuple[int, int]] = {
    "nothing": (2, 1),
    "one step": (15, 65),
    "one gated step": (16, 69),
    "one pausing step": (11, 37),
    "one skipping step": (13, 64),
    "one gated pausing step": (12, 41),
    "a gate that cancels": (48, 261),
    "two gated pausing steps": (35, 161),
    "an evaluated condition": (89, 511),
    "a condition without else": (57, 319),
    "a pausing condition": (77, 425),
    "a gated condition": (81, 457),
    "a gated group that pauses": (80, 441),
    "a skipping group": (83, 510),
    "an empty group": (15, 65),
    "a nested workflow": (100, 581),
    "a step that runs a workflow": (96, 553),
    "gates at every depth": (19, 81),
    "a step that needs input": (48, 264),
    "a reviewed step": (83, 466),
    "a judged pausing step with a deadline": (41, 250),
    "a step that is tried three times": (141, 841),
    "a loop": (60, 265),
    "a loop that forwards": (52, 232),
    "a tested loop": (68, 338),
    "a reviewed loop of gates": (56, 260),
    "a loop in a loop": (34, 133),
    "a router": (136, 693),
    "a router that people steer": (254, 1323),
    "a judged router that pauses": (116, 615),
    "a loop in a router": (147, 698),
    "a router in a loop": (79, 367),
    "a loop that is left": (52, 277),
    "a nested workflow in a loop": (42, 199),
    "a condition that expires: cancel": (21, 101),
    "a tested loop that expires: cancel": (37, 172),
    "a judged router that expires: cancel": (116, 647),
    "a steered router that expires: cancel": (116, 615),
    "a condition that expires: skip": (21, 101),
    "a tested loop that expires: skip": (37, 172),
    "a judged router that expires: skip": (116, 647),
    "a steered router that expires: skip": (116, 615),
    "a condition that expires: approve": (21, 101),
    "a tested loop that expires: approve": (37, 172),
    "a judged router that expires: approve": (116, 647),
    "two branches": (86, 514),
    "three branches, two at once": (699, 5882),
    "three branches, one at once": (100, 496),
    "a gated parallel": (161, 1002),
    "a parallel that skips a branch": (37, 281),
    "a parallel that pauses for a branch": (217, 1801),
    "a unit around a parallel": (339, 3532),
    "a pausing unit around a parallel": (110, 814),
    "a parallel in a nested workflow": (207, 1362),
    "a nested workflow in a branch": (248, 1762),
    "a parallel in a parallel": (439, 3591),
    "a loop in a branch": (898, 6780),
    "a parallel in a loop": (68, 496),
    "a router in a branch": (311, 2172),
    "a parallel in a router": (45, 369),
    "a branch that is tried again": (202, 1355),
}


def test_every_model_is_pinned():
    """Each model has its numbers, and each number its model."""
    assert set(SIZES) == set(models())


@pytest.mark.parametrize("name", SIZES)
def test_the_model_has_its_size(name):
    """The core reaches as many states, by as many edges, as it did."""
    assert explored(name).size == SIZES[name]


def test_more_retries_make_more_states():
    """The bound on retries is what keeps a model finite: each retry more adds the same number of states."""
    program = models()["one pausing step"]
    sizes = [explore(program, attempts=attempts).size[0] for attempts in range(1, 5)]
    assert len({after - before for before, after in pairwise(sizes)}) == 1


def test_a_graph_is_the_same_twice():
    """Exploring is a function of the program: the same states and edges, in the same order."""
    program = models()["gates at every depth"]
    assert list(explore(program).edges.items()) == list(explore(program).edges.items())
