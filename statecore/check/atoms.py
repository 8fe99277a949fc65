"""Atoms: what may be said about one moment of a run. `ran("pay")`, `confirmed("approve")`, `run_failed()` ...

A move is two moments: what happened (a trigger), then what became of it (a phase). So a confirmation that lets a step run comes before
the running, and `never(ran("pay")).unless(confirmed("pay"))` means what it says.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from attrs import evolve, frozen

from statecore.core import ROOT
from statecore.errors import UnknownStep
from statecore.lifecycles import KINDS
from statecore.lifecycles import words as w

from .people import By, shortfall

if TYPE_CHECKING:
    from collections.abc import Iterable

    from statecore.core import Address, Program

    from .world import Letter, Word


@frozen
class Atom:
    """A verb and the name (or address) of the component that it is said of; a run's own verbs have none.

    `people` are those who decided: the atom is said only where the rule of the component makes sure of them (AUTH-8).
    """

    verb: str
    name: str = ""
    people: By | None = None

    def __str__(self) -> str:
        """The atom as it is written on the command line."""
        return f"{self.verb}({self.name}){self.people or ''}"

    def by(self, n: int, of: str = "") -> Atom:
        """The same, by at least so many different people (of a role): `confirmed("pay").by(2, of="finance")`."""
        return evolve(self, people=evolve(self.people or By(), n=n, role=of))

    def not_by_requester(self) -> Atom:
        """The same, and the requester was none of those who decided."""
        return evolve(self, people=evolve(self.people or By(), barred=True))

    def __and__(self, other: Atom | All) -> All:
        """Both, in any order: for what allows something."""
        return All((self,)) & other


@frozen
class All:
    """Several atoms that must all have happened, in any order: `confirmed("ada") & confirmed("bob")`."""

    atoms: tuple[Atom, ...]

    def __str__(self) -> str:
        """The atoms as they are written on the command line."""
        return " and ".join(map(str, self.atoms))

    def __and__(self, other: Atom | All) -> All:
        """These and more."""
        return All((*self.atoms, *(other.atoms if isinstance(other, All) else (other,))))


CONFIRMATIONS = frozenset({w.awaiting_confirmation})
INPUTS = frozenset({w.awaiting_input})
ROUTES = frozenset({w.awaiting_route})
REVIEWS = frozenset({w.awaiting_review})
QUESTIONS = frozenset({w.awaiting_answer})
ERRORS = frozenset({w.errored_paused})
AWAITING = CONFIRMATIONS | INPUTS | ROUTES | REVIEWS | QUESTIONS
ANYWHERE: frozenset[str] = frozenset()

# verb -> the triggers, and the phases in which they count (none: any)
CAUSES: dict[str, tuple[frozenset[str], frozenset[str]]] = {
    "confirmed": (frozenset({w.confirm, w.amend}), CONFIRMATIONS),
    "accepted": (frozenset({w.confirm, w.edit}), REVIEWS),
    "edited": (frozenset({w.edit}), REVIEWS),
    "rejected": (frozenset({w.reject}), ANYWHERE),
    "answered": (frozenset({w.answer}), QUESTIONS),
    "given": (frozenset({w.give}), INPUTS),
    "selected": (frozenset({w.select}), ROUTES),
    "expired": (frozenset({w.expire}), ANYWHERE),
    "amended": (frozenset({w.amend}), CONFIRMATIONS | ERRORS),
    "provided": (frozenset({w.provide}), ERRORS),
    "retried": (frozenset({w.retry, w.amend}), ERRORS),
    "left": (frozenset({w.skip}), ERRORS),
    "fails": (frozenset({w.fail}), frozenset({w.running, w.evaluating, w.judging})),
    "stops": (frozenset({w.stop}), ANYWHERE),
    "holds": (frozenset({w.hold}), ANYWHERE),
    "refutes": (frozenset({w.refute}), ANYWHERE),
    "dies": (frozenset({w.interrupt}), ANYWHERE),
}
# verb -> the phases that it stands for, once they are reached
EFFECTS: dict[str, frozenset[str]] = {
    "asked": AWAITING,
    "errored": ERRORS,
    "evaluated": frozenset({w.evaluating}),
    "completed": frozenset({w.completed}),
    "skipped": frozenset({w.skipped}),
    "cancelled": frozenset({w.cancelled}),
    "failed": frozenset({w.failed}),
}
# a run's own verbs -> its phases
RUNS: dict[str, frozenset[str]] = {
    "ended": frozenset({w.completed, w.cancelled, w.failed}),
    "run_completed": frozenset({w.completed}),
    "run_cancelled": frozenset({w.cancelled}),
    "run_failed": frozenset({w.failed}),
}
DECIDED = frozenset({"confirmed", "accepted", "edited", "answered", "given", "selected", "amended", "provided", "retried", "left"})
"""The verbs of what people decide, and a rule guards."""
VERBS = ("ran", *CAUSES, *EFFECTS)
FRESH = frozenset({w.pending, w.awaiting_confirmation})

Test = Callable[["Letter"], bool]


EVERY = "*"
"""The name of every component, where none has it."""


def addresses(program: Program, name: str) -> frozenset[Address]:
    """Where a name stands, or the address itself; `*` stands everywhere. Raises `UnknownStep` with what is near."""
    if is_every(program, name):
        return frozenset(program.nodes) - {ROOT}
    if name in program.nodes and name != ROOT:
        return frozenset({name})
    found = frozenset(program.named.get(name, ())) - {ROOT}
    if not found:
        raise UnknownStep(name, [known for known, places in program.named.items() if set(places) != {ROOT}])
    return found


def is_every(program: Program, name: str) -> bool:
    """Whether a name means every component."""
    return name == EVERY and EVERY not in program.named


def places_of(program: Program, atoms: Iterable[Atom]) -> frozenset[Address]:
    """The places that some atoms name; one that is said of every component names none."""
    wanted = [atom.name for atom in atoms if atom.verb not in RUNS and not is_every(program, atom.name)]
    return frozenset(at for name in wanted for at in addresses(program, name))


def test_of(program: Program, atom: Atom) -> tuple[Test, bool]:
    """Whether a letter says the atom; and whether the atom is an effect, which comes after the cause."""
    if atom.verb in RUNS:
        phases = RUNS[atom.verb]
        return (lambda letter: letter.at == ROOT and letter.dest in phases), True
    places = addresses(program, atom.name)
    if atom.people is not None:
        places = frozenset(at for at in places if shortfall(program.nodes[at].rule, atom.people) is None)
    if atom.verb == "ran":
        return (lambda letter: letter.at in places and begins(program, letter)), True
    if atom.verb in EFFECTS:
        phases = EFFECTS[atom.verb]
        return (lambda letter: letter.at in places and letter.dest in phases and letter.source != letter.dest), True
    triggers, sources = CAUSES[atom.verb]
    return (lambda letter: letter.at in places and letter.trigger in triggers and (not sources or letter.source in sources)), False


def begins(program: Program, letter: Letter) -> bool:
    """Whether a component's work begins: a step's code is called (anew), or what is inside a component is entered."""
    if letter.dest != w.running:
        return False
    node = program.nodes[letter.at]
    if KINDS[node.kind].holds == "iterations":
        return letter.source in FRESH
    if node.exits:
        return letter.source != w.running and letter.trigger != w.resume
    return True


def moments(program: Program, atoms: tuple[Atom, ...]) -> Callable[[Word], tuple[frozenset[Atom], ...]]:
    """A function from a word to its moments: which of these atoms are said at each; moments that say none are left out."""
    tests = [(atom, *test_of(program, atom)) for atom in atoms]

    def read(word: Word) -> tuple[frozenset[Atom], ...]:
        found = []
        for letter in word:
            said = [(atom, late) for atom, test, late in tests if test(letter)]
            found += [frozenset([atom for atom, when in said if when is late]) for late in (False, True)]
        return tuple([each for each in found if each])

    return read


# -- as users write them ---------------------------------------------------------------------------------------------------------


def ran(name: str) -> Atom:
    """A component's work begins: its code is called, or what is inside it is entered."""
    return Atom("ran", name)


def confirmed(name: str) -> Atom:
    """A person confirms a gate."""
    return Atom("confirmed", name)


def accepted(name: str) -> Atom:
    """A person keeps a reviewed output or iteration, edited or not."""
    return Atom("accepted", name)


def edited(name: str) -> Atom:
    """A person replaces a reviewed output."""
    return Atom("edited", name)


def rejected(name: str) -> Atom:
    """A person says no: at a gate, at an input, or in a review."""
    return Atom("rejected", name)


def given(name: str) -> Atom:
    """A person gives the input that a step asks for."""
    return Atom("given", name)


def answered(name: str) -> Atom:
    """A person answers a question that the code of a step asks."""
    return Atom("answered", name)


def selected(name: str) -> Atom:
    """A person chooses a Router's route."""
    return Atom("selected", name)


def expired(name: str) -> Atom:
    """A deadline passes."""
    return Atom("expired", name)


def amended(name: str) -> Atom:
    """A person gives the step another input, at its confirmation or its error pause."""
    return Atom("amended", name)


def provided(name: str) -> Atom:
    """A person gives the output of the step, at its error pause."""
    return Atom("provided", name)


def retried(name: str) -> Atom:
    """A person says retry."""
    return Atom("retried", name)


def left(name: str) -> Atom:
    """A person says skip at an error pause."""
    return Atom("left", name)


def fails(name: str) -> Atom:
    """User code raises."""
    return Atom("fails", name)


def stops(name: str) -> Atom:
    """A step says stop."""
    return Atom("stops", name)


def holds(name: str) -> Atom:
    """An evaluator, end condition or predicate answers yes."""
    return Atom("holds", name)


def refutes(name: str) -> Atom:
    """An evaluator, end condition or predicate answers no."""
    return Atom("refutes", name)


def dies(name: str) -> Atom:
    """A process dies in a call."""
    return Atom("dies", name)


def asked(name: str) -> Atom:
    """A person is asked."""
    return Atom("asked", name)


def errored(name: str) -> Atom:
    """An error waits for a person."""
    return Atom("errored", name)


def evaluated(name: str) -> Atom:
    """An evaluator, selector or end condition is called."""
    return Atom("evaluated", name)


def completed(name: str) -> Atom:
    """A component completes."""
    return Atom("completed", name)


def skipped(name: str) -> Atom:
    """A component is skipped."""
    return Atom("skipped", name)


def cancelled(name: str) -> Atom:
    """A component is cancelled."""
    return Atom("cancelled", name)


def failed(name: str) -> Atom:
    """A component fails the run."""
    return Atom("failed", name)


def ended() -> Atom:
    """The run is over."""
    return Atom("ended")


def run_completed() -> Atom:
    """The run completes."""
    return Atom("run_completed")


def run_cancelled() -> Atom:
    """The run is cancelled."""
    return Atom("run_cancelled")


def run_failed() -> Atom:
    """The run fails."""
    return Atom("run_failed")
