"""The extracted model answers as `advance` does: state, moves and refusals, whatever is offered; and a core that is another is noticed."""

from __future__ import annotations

import pytest

from specs.model.programs import pausing, random_programs
from specs.proof import coq
from specs.proof.model import Model
from statecore.core import START
from tests.model.models import models
from tests.proof.comparing import compared
from tests.proof.mutants import MUTANTS, judged
from tests.proof.workflows import larger

SEED = 7
GRAPHS = ("one gated pausing step", "a gated condition", "a skipping group", "gates at every depth")
SEEN = (
    "a failed run hears its calls",
    "a reopening of a paused run is heard",
    "the attempt is not compared",
    "one branch more than the bound",
    "an ending does not wait for calls",
    "a cancelled run keeps its frames",
    "a reopened run does not fire its groups",
    "a paused run is not resumed by a word",
    "a skip hands on what was there",
    "an ending inside goes on twice",
    "choices run twice",
    "one death more",
)
"""The mutants that the ordinary tests judge, by a sample; the campaign judges all of them."""


@pytest.fixture(scope="module")
def driver(tmp_path_factory):
    """The model as a program; None where Coq is not installed."""
    return None if coq.missing() else coq.executable(tmp_path_factory.mktemp("proof"))


def test_the_model_answers_as_the_core(driver):
    """Along random walks and over whole graphs no answer differs, ended runs, late, foreign and repeated events included."""
    if driver is None:
        return
    with Model(driver) as model:
        walked = [*random_programs(10, SEED), *pausing(), *larger(20, SEED)]
        found = compared(model, walked, [models()[name] for name in GRAPHS], SEED, (1, 16, 150))
    assert found.differences == []
    assert found.counts["answers"] > 2_000
    assert found.counts["refusals"] > 20_000
    assert found.counts["events offered to a run that is over"] > 1_000
    assert found.counts["whole graphs"] == len(GRAPHS)


def test_the_model_remembers_states(driver):
    """The comparison is one of states that follow one another: after the start the model refuses another start."""
    if driver is None:
        return
    with Model(driver) as model:
        assert model.take(models()["one step"])
        first, again = model.answers([(0, 1, (START,)), (1, -1, (START,))])
    assert first is not None
    assert again is None


@pytest.mark.parametrize("name", SEEN)
def test_a_core_that_is_another_is_noticed(driver, name):
    """A changed line of the core makes answers differ: of the reducer, of the path, of the facts, of the draft."""
    if driver is None:
        return
    assert name in MUTANTS
    assert judged(driver, name)["differences"] > 0
