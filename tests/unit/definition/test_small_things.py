"""Small things of the floors of definitions and texts that only user code meets: answers by key, names of functions, erased values."""

from __future__ import annotations

import copy
from functools import partial
from typing import Any

import pytest

from statecore import ERASED, Ask, Step, StepInput
from statecore.codec import decode, encode
from statecore.codec.erased import Gone
from statecore.definition.questions import Answered, asked_by


def test_answers_are_given_by_key_or_number():
    """A hand-made input has the answers of a mapping, of a list, as they are or as plain data; a key that was not asked is a `KeyError`."""
    plain = {"key": "k", "message": "How much?", "value": 3}
    for given in ({"k": 3}, {"k": Answered("k", "", 3)}, {"k": plain}):
        answers = StepInput(answers=given).answers
        assert (answers["k"].value, answers[0].value) == (3, 3)
        assert answers.get("none") is None
        with pytest.raises(KeyError):
            answers["none"]
    assert [each.key for each in StepInput(answers=[1, 2]).answers] == ["0", "1"]


def test_questions_stand_alone():
    """One question, a list of them, none; a list of questions and something else is refused."""
    one, two = Ask("a", key="a"), Ask("b", key="b")
    assert asked_by(one) == (one,)
    assert asked_by([one, two]) == (one, two)
    assert asked_by([1, 2]) == asked_by("text") == ()
    with pytest.raises(TypeError, match="return all of them as Ask"):
        asked_by([one, 2])


def test_a_partial_is_named_by_its_function():
    """The plain form of a step names the function inside of partials."""

    def work(_more: int, _step_input: Any) -> None: ...

    plain = Step("a", partial(partial(work), 1)).to_dict()
    assert plain["executor"]["function"].endswith("work")


def test_an_agent_without_a_signature_is_taken():
    """A built-in function may have no signature, and is believed."""

    class Odd:
        run = max

    assert Step("a", agent=Odd()).agent is not None


def test_what_was_erased_stays_so():
    """`ERASED` is one value, in texts and copies; a text in an erased one's place keeps the commitment."""
    assert (repr(ERASED), str(ERASED)) == ("ERASED", "(erased)")
    for back in (decode(encode(ERASED)), copy.deepcopy(ERASED), copy.copy(ERASED)):
        assert back is ERASED
    gone = copy.deepcopy(Gone("(erased)", b"\x01"))
    assert (type(gone), gone, gone.commitment) == (Gone, "(erased)", b"\x01")
