"""A run that goes over to another definition bypasses no gate, loses and repeats no step: over random pairs, judged by playing both (GATE-8).

`STATECORE_EXAMPLES=50` makes it a campaign. Faults that are planted in the rule are each found by a sample, so that its zeros mean something.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from functools import partial
from operator import and_
from random import SystemRandom
from typing import Any

import pytest

from statecore.core import DECISIONS, Program, State, adoption, ahead, asks
from statecore.core.adoption import Difference, differences
from statecore.core.evidence import means_the_same, offered, slices
from statecore.lifecycles import words as w
from tests.property.pairs import TooManyError, faults, moves_of, pair
from tests.sizes import examples

Rule = Callable[[Program, Program, State], Iterable[Difference]]
PAIRS, PLANTED, WORDS = 70, 30, 120


def wrongs(rule: Rule, seeds: Iterable[int], counts: Counter[str]) -> dict[int, list[str]]:
    """The pairs that a rule adopts, and that go wrong, by their seed."""
    found = {}
    for seed in seeds:
        drawn = pair(seed)
        adopted = not list(rule(drawn.old.program, drawn.new.program, drawn.state))
        counts["adopted" if adopted else "refused"] += 1
        try:
            wrong = faults(drawn) if adopted else []
        except TooManyError:
            counts["left out"] += 1
            continue
        if wrong:
            found[seed] = wrong
    return found


@pytest.mark.spec("GATE-8", "GATE-8b")
def test_no_gate_is_bypassed_and_no_step_is_lost():
    """Of random pairs, those that are adopted go on as the former definition asked; both answers are given often."""
    first = SystemRandom().randrange(1 << 40)
    print(f"seeds from {first}")  # noqa: T201  # shown where the test fails
    counts: Counter[str] = Counter()
    number = examples(PAIRS)
    assert wrongs(differences, range(first, first + number), counts) == {}
    assert min(counts["adopted"], counts["refused"]) > number / 10
    assert counts["left out"] < counts["adopted"] / 2


OVERLOOKED = {
    508091818275: "a Router that the run has entered does not end before its last choice",
    508091813292: "a Loop that the run has entered does not end before its last iteration",
    49384580768: "a Condition whose evaluator was called has none any more, because a person chooses",
}
"""Pairs that were adopted once and went wrong, and the part of the state that the walk did not know, of 10,000."""


@pytest.mark.spec("GATE-8")
@pytest.mark.parametrize("seed", OVERLOOKED)
def test_a_pair_that_was_overlooked_is_refused(seed):
    """What lies ahead of a run is read from its state, too: the choices and the iterations that are left."""
    drawn = pair(seed)
    assert faults(drawn)
    assert {each.rule for each in differences(drawn.old.program, drawn.new.program, drawn.state)} <= {"behind", "place"}
    assert differences(drawn.old.program, drawn.new.program, drawn.state)


def addresses_only(old: Program, new: Program, state: State) -> list[Difference]:
    """The rule of earlier releases: each place is there, and of the same kind."""
    return [each for cursor in state.cursors for each in adoption.same_way(old, new, cursor.at)]


def none(*_: Any) -> tuple[()]:
    """Nothing speaks against it."""
    return ()


def without(names: tuple[str, ...], patch: pytest.MonkeyPatch) -> Rule:
    """The rule without some of its parts."""
    for name in names:
        patch.setattr(adoption, name, none)
    return differences


def joins_at_once(patch: pytest.MonkeyPatch) -> Rule:
    """What follows a Parallel needs only the gates that all of its branches share."""
    patch.setattr(ahead, "or_", and_)
    return differences


FAULTS: dict[str, tuple[int, Callable[[pytest.MonkeyPatch], Rule]]] = {
    "adoption compares addresses only": (0, lambda _: addresses_only),
    "frames are left out": (140, partial(without, ("same_frame",))),
    "gates are left out": (0, partial(without, ("dropped_gates", "barer_steps", "weaker_parts"))),
    "what stands behind a gate is left out": (100, partial(without, ("barer_steps",))),
    "what comes twice is left out": (0, partial(without, ("repeated_parts",))),
    "what is dropped is left out": (40, partial(without, ("dropped_steps",))),
    "a Parallel ends with its first branch": (920, joins_at_once),
}
"""Each fault of the rule, and where a sample of pairs begins that finds it."""


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found(fault, monkeypatch):
    """Each fault of the rule adopts a pair that goes wrong, within a fixed sample; the rule itself adopts none of these."""
    first, plant = FAULTS[fault]
    found = wrongs(plant(monkeypatch), range(first, first + PLANTED), Counter())
    assert found
    monkeypatch.undo()
    assert wrongs(differences, found, Counter()) == {}


# -- what an answer stands for -----------------------------------------------------------------------------------------------------

Same = Callable[[Program, Program, str, Any, str], bool]


def unlike(same: Same, seeds: Iterable[int], counts: Counter[str]) -> dict[int, str]:
    """The pairs in which a word is said to mean the same, and lets something else happen, by their seed."""
    found = {}
    for seed in seeds:
        drawn = pair(seed)
        if (
            drawn.state.run != w.paused
            or len(drawn.state.cursors) != 1
            or list(adoption.places(drawn.old.program, drawn.new.program, drawn.state))
        ):
            continue
        [ask] = asks(drawn.old.program, drawn.state)
        if drawn.old.program[ask.at].facts != drawn.new.program[ask.at].facts:
            continue
        for word in offered(drawn.old.program[ask.at], ask.kind):
            is_same = same(drawn.old.program, drawn.new.program, ask.at, ask.kind, word)
            counts["same" if is_same else "other"] += 1
            try:
                trigger = DECISIONS[ask.kind][word]
                if is_same and moves_of(drawn.old, drawn.state, trigger) != moves_of(drawn.new, drawn.state, trigger):
                    found[seed] = word
            except TooManyError:
                counts["left out"] += 1
    return found


@pytest.mark.spec("GATE-5")
def test_a_word_that_means_the_same_lets_the_same_happen():
    """Where the slices of a word are equal in two definitions, the core fires the same rows in both, up to the next certain questions."""
    first = SystemRandom().randrange(1 << 40)
    print(f"seeds from {first}")  # noqa: T201  # shown where the test fails
    counts: Counter[str] = Counter()
    assert unlike(means_the_same, range(first, first + examples(WORDS)), counts) == {}
    assert min(counts["same"], counts["other"]) > sum(counts.values()) / 20


def addresses_alone(old: Program, new: Program, at: str, kind: Any, word: str) -> bool:
    """A slice without edges and policies."""
    one, other = ({each.at for each in slices(each, at, kind)[word].components} for each in (old, new))
    return one == other


def entries_alone(old: Program, new: Program, at: str, kind: Any, word: str) -> bool:
    """The first step of a slice."""
    return slices(old, at, kind)[word].entries == slices(new, at, kind)[word].entries


@pytest.mark.parametrize("same", [addresses_alone, entries_alone])
def test_a_coarser_slice_is_found_out(same):
    """A slice that has addresses only, or its beginning only, says of some pair in a fixed sample that the same happens, and it does not."""
    assert unlike(same, range(400), Counter())
