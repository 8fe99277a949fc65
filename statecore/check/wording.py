"""The words of a check: `Finding` and `Report` are its result, `parse` reads properties from text, by a small grammar.

    never ran(charge_card) unless confirmed(approve) or expired(approve)
    never ran(wire) unless confirmed(ada) and confirmed(bob)
    never ran(pay) unless confirmed(pay) by 2 of finance
    never ran(pay) unless confirmed(pay) not by requester
    after rejected(approve) never ran(charge_card) unless confirmed(manager)
    after ran(reserve) eventually completed(release)
    precedes confirmed(approve) ran(ship)
    responds ran(reserve) completed(release)
    mutually_exclusive ran(refund) ran(ship)
    reachable run_failed()
    always_can_reach ended()
    at_most 3 ran(call)

`assume` before a property that a moment can break narrows the check, as `assume never stops(*)`, which is said of every component. A name may
hold anything but a bracket; quotes around it are optional.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from enum import Enum
from typing import Any

from attrs import define, field, frozen

from statecore.core import Event, Seconds
from statecore.errors import InvalidProperty, suggest

from . import properties as p
from .atoms import DECIDED, EVERY, RUNS, VERBS, All, Atom

FINE, FAILED, UNDETERMINED = 0, 1, 3
TOKEN = re.compile(r"\s*(?:(?P<verb>\w+)\s*\((?P<name>[^()]*)\)|(?P<number>\d+)|(?P<word>[A-Za-z_]+)|(?P<wrong>\S))")
COMMENT = re.compile(r"(^|\s)#.*")
ASSUME = "assume"
Token = Atom | int | str


class Verdict(Enum):
    """PROVED for all runs and all data; REFUTED by a possible run; UNDETERMINED within the budget; VACUOUS: it speaks of nothing.

    ADVICE: it may be as wanted; it changes no exit code.
    """

    proved = "PROVED"
    refuted = "REFUTED"
    undetermined = "UNDETERMINED"
    vacuous = "VACUOUS"
    advice = "ADVICE"


@frozen
class Finding:
    """One property and its verdict.

    `events` are the shortest run that refutes it, or that a reachable one is proved by; empty where no single run shows it. `why` says more.
    """

    text: str
    verdict: Verdict
    builtin: bool = False
    events: tuple[Event, ...] = ()
    why: str = ""
    states: int = 0
    seconds: float = 0.0

    def fails(self, *, allow_vacuous: bool) -> bool:
        """Whether this keeps the check from passing, beyond being undetermined."""
        return self.verdict is Verdict.refuted or (self.verdict is Verdict.vacuous and not allow_vacuous)


@frozen
class Report:
    """The result of a check: all findings, the extent and duration of the search, and the parts that were left out.

    `drawing` are the seconds for the graph; each property's own are in its finding.
    """

    workflow: str
    findings: tuple[Finding, ...]
    situations: int
    events: int
    complete: bool
    seconds: float
    drawing: Seconds = 0.0
    bounds: tuple[str, ...] = ()
    assumptions: tuple[str, ...] = ()
    allow_vacuous: bool = field(default=False, kw_only=True)

    @property
    def exit_code(self) -> int:
        """0 where all is proved, 1 where something is refuted or vacuous, 3 where something is undetermined and nothing refuted."""
        if any(each.fails(allow_vacuous=self.allow_vacuous) for each in self.findings):
            return FAILED
        undetermined = any(each.verdict is Verdict.undetermined for each in self.findings)
        return UNDETERMINED if undetermined else FINE

    @property
    def walked(self) -> int:
        """The pairs of a situation and what a property remembers that were looked at, over all properties."""
        return sum(each.states for each in self.findings)

    @property
    def walking(self) -> Seconds:
        """The seconds that this took."""
        return sum(each.seconds for each in self.findings)

    def __getitem__(self, text: str) -> Finding:
        """The finding about a property."""
        return next(each for each in self.findings if each.text == text)


# -- properties as text ------------------------------------------------------------------------------------------------------------


@define
class Reader:
    """A text, and its tokens that are not read yet."""

    text: str
    tokens: list[Token]

    def refuse(self, why: str) -> InvalidProperty:
        """The error that says what is wrong."""
        return InvalidProperty(self.text, why)

    def next_is(self, word: str) -> bool:
        """Whether this word comes next; it is taken."""
        if self.tokens[:1] == [word]:
            del self.tokens[0]
            return True
        return False

    def take(self, kind: type, what: str) -> Any:
        """The next token, which must be of a kind."""
        if not self.tokens or not isinstance(self.tokens[0], kind):
            raise self.refuse(f"{what} is missing" + (f" before {str(self.tokens[0])!r}" if self.tokens else " at its end"))
        return self.tokens.pop(0)

    def atom(self) -> Atom:
        """The next token, which must be an atom."""
        found: Atom = self.take(Atom, "something like ran(step)")
        if self.tokens[:1] == ["by"]:
            found = self.people(found)
        if self.tokens[:3] == ["not", "by", "requester"]:
            del self.tokens[:3]
            found = self.decided(found).not_by_requester()
        return found

    def people(self, found: Atom) -> Atom:
        """An atom with the people after it: by 2 of finance, by 2."""
        del self.tokens[0]
        count = self.take(int, "the number of people after by")
        role = self.take(str, "the name of a role after of") if self.next_is("of") else ""
        if count == 0:
            why = "by takes a number of people from 1"
            raise self.refuse(why)
        return self.decided(found).by(count, role)

    def decided(self, found: Atom) -> Atom:
        """An atom of what people decide about one component."""
        if found.verb in DECIDED and found.name != EVERY:
            return found
        why = f"{found} is not decided by people: say by of confirmed(step), or of another decision about one step"
        raise self.refuse(why)

    def unless(self) -> tuple[Atom | All, ...]:
        """The text after "unless", with "or" between; empty without that word."""
        if not self.next_is("unless"):
            return ()
        found = [self.together()]
        while self.next_is("or"):
            found.append(self.together())
        return tuple(found)

    def together(self) -> Atom | All:
        """Atoms with "and" between, which bind closer than "or"."""
        found: Atom | All = self.atom()
        while self.next_is("and"):
            found = found & self.atom()
        return found


def tokens_of(text: str) -> list[Token]:
    """A text's tokens."""
    found: list[Token] = []
    for match in TOKEN.finditer(text):
        if match["verb"]:
            found.append(atom_of(text, match["verb"], match["name"].strip().strip("'\"")))
        elif match["wrong"]:
            why = f"{match['wrong']!r} means nothing here"
            raise InvalidProperty(text, why)
        else:
            found.append(int(match["number"]) if match["number"] else match["word"])
    return found


def atom_of(text: str, verb: str, name: str) -> Atom:
    """An atom of a known verb, with a name where it needs one."""
    if verb in RUNS and not name:
        return Atom(verb)
    if verb not in VERBS:
        why = f"there is no {verb}({name}).{suggest(verb, (*VERBS, *RUNS))}"
        raise InvalidProperty(text, why)
    if not name:
        why = f"{verb}() needs the name of a step"
        raise InvalidProperty(text, why)
    return Atom(verb, name)


def parse(text: str) -> p.Property:
    """The property that a text says. Raises `InvalidProperty`."""
    reader = Reader(text, tokens_of(text))
    word = reader.take(str, "a first word like never")
    if word not in SENTENCES:
        why = f"no property begins with {word!r}.{suggest(word, SENTENCES)}"
        raise reader.refuse(why)
    found = SENTENCES[word](reader)
    if reader.tokens:
        why = f"{str(reader.tokens[0])!r} comes after its end"
        raise reader.refuse(why)
    return found


def parse_assumption(text: str) -> p.Property:
    """The assumption that a text says, with or without its first word."""
    return assumable(parse(text.strip().removeprefix(ASSUME)))


def assumable(found: p.Property) -> p.Property:
    """A property that can be assumed: one that a moment can break."""
    if found.shape is not p.Shape.safety:
        raise InvalidProperty(str(found), "only never, after ... never, precedes, mutually_exclusive and at_most can be assumed")
    return found


def parse_lines(lines: Iterable[str]) -> tuple[list[p.Property], list[p.Property]]:
    """The properties and the assumptions of a file: one a line, `#` begins a comment."""
    said = [line for each in lines if (line := COMMENT.sub("", each).strip())]
    assumed = [line for line in said if line.split()[0] == ASSUME]
    return [parse(line) for line in said if line not in assumed], [parse_assumption(line) for line in assumed]


# -- sentences -------------------------------------------------------------------------------------------------------------------


def read_after(reader: Reader) -> p.Property:
    """After A never B [unless C], after A eventually B."""
    trigger = p.after(reader.atom())
    if reader.next_is("eventually"):
        return trigger.eventually(reader.atom())
    if not reader.next_is("never"):
        why = "never or eventually is missing after its first atom"
        raise reader.refuse(why)
    return trigger.never(reader.atom()).unless(*reader.unless())


SENTENCES: dict[str, Callable[[Reader], p.Property]] = {
    "never": lambda reader: p.never(reader.atom()).unless(*reader.unless()),
    "after": read_after,
    "precedes": lambda reader: p.precedes(reader.atom(), reader.atom()),
    "responds": lambda reader: p.responds(reader.atom(), reader.atom()),
    "mutually_exclusive": lambda reader: p.mutually_exclusive(reader.atom(), reader.atom()),
    "reachable": lambda reader: p.reachable(reader.atom()),
    "always_can_reach": lambda reader: p.always_can_reach(reader.atom()),
    "at_most": lambda reader: p.at_most(reader.take(int, "a number")).times(reader.atom()),
}
