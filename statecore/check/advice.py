"""The advice of a check: "a no stops what it was asked about" (GATE-4).

A rejection that skips leads on to the next step. That is the default, and often wrong where the next step acts on what was refused. `advice`
names each such gate with the steps that begin after its no, without a further question that is certain, and that need what was skipped or
are marked `dangerous=True`. A yes leads to all of them, too: the way behind a gate is the same after both words. A Condition, whose no
chooses, is never named; nor are the siblings of a gate in a Parallel, which run whatever it is told.

Whether a step reads what was skipped is read off its code, by names and texts; none of it is called. Code that cannot be looked into, an
agent's for example, counts as reading the previous content.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import CodeType
from typing import TYPE_CHECKING, Any

from attrs import define, field

from statecore.core import ROOT
from statecore.core.program import DANGEROUS
from statecore.definition import Step
from statecore.lifecycles import KINDS
from statecore.lifecycles import words as w

from .wording import Finding, Verdict

if TYPE_CHECKING:
    from statecore.core import Address, Compiled, Node, Program

TEXT = "a no stops what it was asked about"
ASKS_FIRST = frozenset({w.needs_confirmation, w.needs_input, w.needs_route, w.person_chooses})
"""Facts of a question that is certain and comes before anything of a component runs."""
PREVIOUS = frozenset({"previous_step_content"})
EVERYTHING = frozenset({"previous_step_outputs", "get_all_previous_content"})
BY_NAME = frozenset({"get_step_content", "get_step_output"})


def advice(compiled: Compiled, *, strict: bool = False) -> Finding:
    """The finding: PROVED where no gate is named, else ADVICE; with `strict` REFUTED."""
    program = compiled.program
    said = [f"{shown(program, at)}: its no skips it, and {leads} begins" for at, leads in leaking(compiled)]
    if not said:
        return Finding(TEXT, Verdict.proved, builtin=True)
    why = f"{'; '.join(said)}. Write on_reject='cancel' where a no ends the run."
    return Finding(TEXT, Verdict.refuted if strict else Verdict.advice, builtin=True, why=why)


def leaking(compiled: Compiled) -> Iterator[tuple[Address, str]]:
    """The gates whose no leads on to something, with a list of the steps it leads to."""
    for node in compiled.program.nodes.values():
        if skips_on_no(node):
            names = {each.name for each in compiled.program.nodes.values() if f"{each.at}/".startswith(f"{node.at}/")}
            found = [each for each, near in behind(compiled.program, node.at).items() if matters(compiled, each, names, near=near)]
            if found:
                yield node.at, " and ".join(described(compiled.program, each) for each in found)


def skips_on_no(node: Node) -> bool:
    """Whether a component, no Condition, asks a question whose no skips it."""
    if KINDS[node.kind].holds == "fork":
        return False
    gate = bool(node.facts & ASKS_FIRST) and w.reject_skips in node.facts
    reviews = node.facts & {w.needs_review, w.judges_output, w.reviews_iterations}
    return gate or bool(reviews and w.review_skips in node.facts)


def matters(compiled: Compiled, at: Address, skipped: set[str], *, near: bool) -> bool:
    """Whether a step behind a gate is dangerous, itself or by a group around it, or reads what was skipped."""
    program = compiled.program
    if any(DANGEROUS in node.facts for node in (program[at], *program.ancestors(at))):
        return True
    component = compiled.components.get(at)
    return isinstance(component, Step) and reads(component, skipped, near=near)


def shown(program: Program, at: Address) -> str:
    """A component as people know it: by its name, or by its address where several have that name."""
    return repr(program[at].name if len(program.named[program[at].name]) == 1 else at)


def described(program: Program, at: Address) -> str:
    """A step that a no leads to, and whether it is marked."""
    marked = any(DANGEROUS in node.facts for node in (program[at], *program.ancestors(at)))
    return f"{shown(program, at)} ({'dangerous' if marked else 'which reads what was skipped'})"


# -- the way behind a gate -----------------------------------------------------------------------------------------------------------


def behind(program: Program, at: Address) -> dict[Address, bool]:
    """The steps that begin once a component was skipped, before any further question that is certain.

    True stands for a step that comes next, so that its previous content is, or would be, that of the component.
    """
    way = Behind(program, [("leave", at, True)])
    while way.todo:
        way.visit(*way.todo.pop())
    return way.found


@define
class Behind:
    """A walk over a program: the places to `enter` or `leave`, each with whether the skipped component was the one before it."""

    program: Program
    todo: list[tuple[str, Address, bool]]
    found: dict[Address, bool] = field(factory=dict)
    seen: set[tuple[str, Address, bool]] = field(factory=set)

    def visit(self, how: str, at: Address, near: bool) -> None:  # noqa: FBT001  # the parts of a place
        """Go one place on; a place is visited once."""
        if (how, at, near) not in self.seen:
            self.seen.add((how, at, near))
            (self.enter if how == "enter" else self.leave)(self.program[at], near=near)

    def leave(self, node: Node, *, near: bool) -> None:
        """Go on after a component: to its sibling, or beyond the last of a list, a choice or a branch."""
        if node.next != node.parent:
            self.todo.append(("enter", node.next, near))
        elif node.parent != ROOT:
            self.end(self.program[node.parent], near=near)

    def end(self, around: Node, *, near: bool) -> None:
        """Go on where the last component in another one is over: round a loop, to a further choice, behind it."""
        holds = KINDS[around.kind].holds
        if holds == "choices" or (holds == "iterations" and w.reviews_iterations not in around.facts):
            self.inside(around, near=near)
        if w.needs_review not in around.facts:
            self.todo.append(("leave", around.at, near))

    def enter(self, node: Node, *, near: bool) -> None:
        """Go into a component, unless it asks first."""
        if node.facts & ASKS_FIRST:
            return
        if KINDS[node.kind].is_leaf:
            self.found[node.at] = self.found.get(node.at, False) or near
            if w.needs_review not in node.facts:
                self.todo.append(("leave", node.at, False))
            return
        self.inside(node, near=near)
        if KINDS[node.kind].holds in ("fork", "choices"):  # without an else branch, or where nothing is chosen
            self.todo.append(("leave", node.at, near))

    def inside(self, node: Node, *, near: bool) -> None:
        """Go into all that may run in a component; an empty list leads to the component itself, which is over then."""
        for first in dict.fromkeys(node.exits.values()):
            self.todo.append(("leave" if first == node.at else "enter", first, near))


# -- what a step reads ---------------------------------------------------------------------------------------------------------------


def reads(step: Step, skipped: set[str], *, near: bool) -> bool:
    """Whether a step's code reads the content of a skipped component: as the previous one, among all, or by name."""
    code = code_of(step.executor)
    if code is None:
        return near
    names, texts = mentioned(code)
    return bool((near and names & PREVIOUS) or names & EVERYTHING or (names & BY_NAME and texts & skipped))


def code_of(function: Any) -> CodeType | None:
    """The code of a function, method, partial or object that is called; None where Python has none of it."""
    while hasattr(function, "func"):
        function = function.func
    for each in (function, type(function).__call__) if callable(function) else ():
        code = getattr(each, "__code__", None)
        if isinstance(code, CodeType):
            return code
    return None


def mentioned(code: CodeType) -> tuple[set[str], set[str]]:
    """The names of attributes and the texts in a piece of code, and in all that is written inside it."""
    names, texts = set(code.co_names), set[str]()
    for each in code.co_consts:
        texts |= {text for text in (each if isinstance(each, tuple) else (each,)) if isinstance(text, str)}
        if isinstance(each, CodeType):
            more, others = mentioned(each)
            names |= more
            texts |= others
    return names, texts
