"""Properties of whole runs: what must never happen, must come first, must follow, may happen, can always be reached.

Each property is a small automaton over the moments of a run and remembers just what it names, as an integer from 0; `BAD` is final.
`str` of a property is its text, as `wording.parse` reads it.
"""

from __future__ import annotations

from enum import Enum
from typing import ClassVar, Protocol

from attrs import evolve, frozen

from .atoms import All, Atom, ran

BAD = -1
BOTH = 3
Moment = frozenset[Atom]


class Shape(Enum):
    """How a property is judged: by a bad moment, by an obligation at the end, by a run that has it, or by all situations able to."""

    safety = "safety"
    response = "response"
    reach = "reach"
    always = "always"


class Property(Protocol):
    """The interface of a property for the search. `antecedents` must be possible, or the property speaks of nothing."""

    shape: ClassVar[Shape]

    @property
    def atoms(self) -> tuple[Atom, ...]:
        """Everything that it names."""

    @property
    def antecedents(self) -> tuple[Atom, ...]:
        """The events that must be possible."""

    def step(self, state: int, moment: Moment) -> int:
        """The property's memory after a moment."""


def unless_clause(first: tuple[Atom | All, ...]) -> str:
    """The atoms that allow something, with "or" between, as the end of a sentence."""
    return f" unless {' or '.join(map(str, first))}" if first else ""


def flat(first: tuple[Atom | All, ...]) -> tuple[Atom, ...]:
    """The atoms of what allows something."""
    return tuple(dict.fromkeys(atom for each in first for atom in (each.atoms if isinstance(each, All) else (each,))))


def heard(first: tuple[Atom | All, ...], seen: int, moment: Moment) -> int | None:
    """The atoms that have happened by now, a bit for each of `flat`; None where something is allowed."""
    atoms = flat(first)
    seen |= sum(1 << bit for bit, atom in enumerate(atoms) if atom in moment)
    happened = {atom for bit, atom in enumerate(atoms) if seen >> bit & 1}
    allowed = any(happened.issuperset(each.atoms if isinstance(each, All) else (each,)) for each in first)
    return None if allowed else seen


@frozen
class Never:
    """`never(a)`: it does not happen; `.unless(b)`: not before `b` has happened."""

    shape: ClassVar[Shape] = Shape.safety
    what: Atom
    first: tuple[Atom | All, ...] = ()

    def unless(self, *first: Atom | All) -> Never:
        """Allowed once any of these has happened; `a & b` has when both have."""
        return evolve(self, first=(*self.first, *first))

    def __str__(self) -> str:
        """The property's text."""
        return f"never {self.what}{unless_clause(self.first)}"

    @property
    def atoms(self) -> tuple[Atom, ...]:
        """Everything that it names."""
        return self.what, *flat(self.first)

    @property
    def antecedents(self) -> tuple[Atom, ...]:
        """A plain never is not vacuous where it never happens: that is all that it says."""
        return (self.what,) if self.first else ()

    def step(self, state: int, moment: Moment) -> int:
        """1 allowed for good; else two times what has happened of that."""
        if state == 1:
            return 1
        seen = heard(self.first, state >> 1, moment)
        if seen is None:
            return 1
        return BAD if self.what in moment else seen << 1


@frozen
class NeverAfter:
    """`after(a).never(b)`: once `a` has happened, `b` does not any more; `.unless(c)`: not before `c` has happened since."""

    shape: ClassVar[Shape] = Shape.safety
    trigger: Atom
    what: Atom
    first: tuple[Atom | All, ...] = ()

    def unless(self, *first: Atom | All) -> NeverAfter:
        """Allowed again once any of these has happened after it; `a & b` has when both have."""
        return evolve(self, first=(*self.first, *first))

    def __str__(self) -> str:
        """The property's text."""
        return f"after {self.trigger} never {self.what}{unless_clause(self.first)}"

    @property
    def atoms(self) -> tuple[Atom, ...]:
        """Everything that it names."""
        return self.trigger, self.what, *flat(self.first)

    @property
    def antecedents(self) -> tuple[Atom, ...]:
        """The events that must be possible."""
        return (self.trigger,)

    def step(self, state: int, moment: Moment) -> int:
        """0 where it is allowed; else two times what has happened since of what allows it, and one."""
        if state:
            seen = heard(self.first, state >> 1, moment)
            state = 0 if seen is None else 2 * seen + 1
        if state and self.what in moment:
            return BAD
        return 1 if self.trigger in moment else state


@frozen
class Responds:
    """`responds(a, b)`: a run that is over does not owe a `b` since its last `a`."""

    shape: ClassVar[Shape] = Shape.response
    trigger: Atom
    answer: Atom

    def __str__(self) -> str:
        """The property's text."""
        return f"responds {self.trigger} {self.answer}"

    @property
    def atoms(self) -> tuple[Atom, ...]:
        """Everything that it names."""
        return self.trigger, self.answer

    @property
    def antecedents(self) -> tuple[Atom, ...]:
        """The events that must be possible."""
        return (self.trigger,)

    def step(self, state: int, moment: Moment) -> int:
        """1 where the answer is owed."""
        if self.answer in moment:
            return 0
        return 1 if self.trigger in moment else state


@frozen
class Exclusive:
    """`mutually_exclusive(a, b)`: no run has both."""

    shape: ClassVar[Shape] = Shape.safety
    one: Atom
    other: Atom

    def __str__(self) -> str:
        """The property's text."""
        return f"mutually_exclusive {self.one} {self.other}"

    @property
    def atoms(self) -> tuple[Atom, ...]:
        """Everything that it names."""
        return self.one, self.other

    @property
    def antecedents(self) -> tuple[Atom, ...]:
        """The events that must be possible."""
        return self.atoms

    def step(self, state: int, moment: Moment) -> int:
        """A bit for each that has happened."""
        state |= (self.one in moment) | (self.other in moment) << 1
        return BAD if state == BOTH else state


@frozen
class AtMost:
    """`at_most(n).attempts(x)`: the work of `x` begins at most `n` times in a run, loops and retries counted together."""

    shape: ClassVar[Shape] = Shape.safety
    most: int
    what: Atom

    def __str__(self) -> str:
        """The property's text."""
        return f"at_most {self.most} {self.what}"

    @property
    def atoms(self) -> tuple[Atom, ...]:
        """Everything that it names."""
        return (self.what,)

    @property
    def antecedents(self) -> tuple[Atom, ...]:
        """The events that must be possible."""
        return self.atoms if self.most else ()

    def step(self, state: int, moment: Moment) -> int:
        """How often it has happened."""
        count = state + (self.what in moment)
        return BAD if count > self.most else count


@frozen
class Reachable:
    """`reachable(a)`: some run has it; the proof is such a run."""

    shape: ClassVar[Shape] = Shape.reach
    what: Atom

    def __str__(self) -> str:
        """The property's text."""
        return f"reachable {self.what}"

    @property
    def atoms(self) -> tuple[Atom, ...]:
        """Everything that it names."""
        return (self.what,)

    @property
    def antecedents(self) -> tuple[Atom, ...]:
        """It asks for that itself."""
        return ()

    def step(self, state: int, moment: Moment) -> int:
        """1 where it has happened."""
        return 1 if self.what in moment else state


@frozen
class AlwaysReachable(Reachable):
    """`always_can_reach(a)`: in every situation in which it has not happened yet, it still can."""

    shape: ClassVar[Shape] = Shape.always

    def __str__(self) -> str:
        """The property's text."""
        return f"always_can_reach {self.what}"


# -- as users write them ---------------------------------------------------------------------------------------------------------


@frozen
class After:
    """`after(a)`: the beginning of a sentence."""

    trigger: Atom

    def never(self, what: Atom) -> NeverAfter:
        """It does not happen any more."""
        return NeverAfter(self.trigger, what)

    def eventually(self, what: Atom) -> Responds:
        """It happens before the run is over."""
        return Responds(self.trigger, what)


@frozen
class Bound:
    """`at_most(n)`: the beginning of a sentence."""

    most: int

    def attempts(self, name: str) -> AtMost:
        """A component's work begins at most so often."""
        return AtMost(self.most, ran(name))

    def times(self, what: Atom) -> AtMost:
        """It happens at most so often."""
        return AtMost(self.most, what)


def never(what: Atom) -> Never:
    """It never happens; add `.unless(...)` for what allows it."""
    return Never(what)


def after(trigger: Atom) -> After:
    """Say what follows: `.never(...)` or `.eventually(...)`."""
    return After(trigger)


def precedes(first: Atom, what: Atom) -> Never:
    """`what` never happens before `first` has."""
    return Never(what, (first,))


def responds(trigger: Atom, answer: Atom) -> Responds:
    """After every `trigger` comes an `answer`, in every run that comes to an end."""
    return Responds(trigger, answer)


def mutually_exclusive(one: Atom, other: Atom) -> Exclusive:
    """No run has both."""
    return Exclusive(one, other)


def reachable(what: Atom) -> Reachable:
    """Some run has it."""
    return Reachable(what)


def always_can_reach(what: Atom) -> AlwaysReachable:
    """From everywhere it can still happen, unless it has."""
    return AlwaysReachable(what)


def at_most(most: int) -> Bound:
    """Say of what: `.attempts("call")` or `.times(retried("call"))`."""
    return Bound(most)
