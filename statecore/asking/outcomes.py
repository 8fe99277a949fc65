"""What each answer to a pause leads to, in words: read off the program that is stored with the run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import frozen

from statecore.core import DECISIONS
from statecore.core.program import ROOT
from statecore.lifecycles import DECISION_WORDS, exhaustive
from statecore.lifecycles import words as w

from .text import clean, named

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from statecore.core import Program
    from statecore.core.program import Address, Node

    from .questions import Question


@frozen
class Outcome:
    """A word that a person may answer, and what follows from it."""

    word: str
    leads_to: str

    def __str__(self) -> str:
        """The word, and where it leads."""
        return f"{self.word} -> {self.leads_to}"


def outcomes(program: Program, requirement: Question) -> list[Outcome]:
    """The answers that a requirement takes, each with its outcome."""
    node = program.nodes.get(requirement.address)
    words = DECISIONS[requirement.kind]
    if node is None:
        return [Outcome(word, "?") for word in words]
    last = requirement.kind == "output_review" and w.review_retries in node.facts and used_up(requirement)
    told = {"reject": lambda *_: "cancel the run: it was rejected as often as it may be"} if last else {}
    return [Outcome(word, told.get(word, says(requirement.kind, word))(program, node)) for word in words]


def used_up(requirement: Any) -> bool:
    """Whether an output was rejected as often as it may be."""
    return bool(requirement.retry_count >= requirement.max_retries)


def carries(requirement: Question, word: str) -> list[str]:
    """The words that a command of this word needs besides, with placeholders in capitals."""
    asked: Any = requirement
    match word:
        case "input" if asked.user_input_schema is None:
            return ["NAME=VALUE"]
        case "input":
            needed = [each for each in asked.user_input_schema if each.required and each.value is None]
            return [f"{each.name}={each.field_type.upper()}" for each in needed if clean(each.name) == each.name]
        case "select":
            return ["CHOICE"]
        case "edit":
            return ["--text", "TEXT"]
        case "reject" if requirement.kind.endswith("review"):
            return ["--feedback", "TEXT"]
    return []


def when_confirmed(program: Program, node: Node) -> str:
    """A fork names its steps, anything else itself."""
    return branch(program, node, w.confirm) if node.kind == "condition" else f"run {quoted(node)}"


def when_rejected(program: Program, node: Node) -> str:
    """The else branch, the end of the run, or the component after this one."""
    if w.reject_cancels in node.facts:
        return "cancel the run"
    if w.reject_takes_else in node.facts:
        return branch(program, node, w.reject)
    return f"skip {quoted(node)}, {after(program, node)}"


def when_retried(_program: Program, node: Node) -> str:
    """The same step, with the same input."""
    return f"run {quoted(node)} again"


def when_skipped(program: Program, node: Node) -> str:
    """The unit whose error policy this is is left."""
    unit = program[node.leaves]
    return f"skip {quoted(unit)}, {after(program, unit)}"


def when_given(_program: Program, node: Node) -> str:
    """The step runs with what the person gives."""
    return f"run {quoted(node)} with it"


def when_selected(_program: Program, node: Node) -> str:
    """The choices run in the order chosen."""
    return f"run what you choose of {', '.join(map(named, node.exits))}"


def when_edited(program: Program, node: Node) -> str:
    """The output is replaced."""
    return f"replace the output, {after(program, node)}"


def when_kept(program: Program, node: Node) -> str:
    """The output, or the result of the iteration, is kept."""
    return f"keep it, {after(program, node)}"


def when_review_rejected(program: Program, node: Node) -> str:
    """Again with the feedback, or as a rejection at the gate."""
    if w.review_retries in node.facts:
        return f"run {quoted(node)} again, with what you say about it"
    return "cancel the run" if w.review_cancels in node.facts else f"discard it, skip {quoted(node)}, {after(program, node)}"


SAYS: dict[str, Callable[[Program, Node], str]] = {
    "confirm": when_confirmed,
    "reject": when_rejected,
    "retry": when_retried,
    "skip": when_skipped,
    "input": when_given,
    "select": when_selected,
    "edit": when_edited,
}
exhaustive("asking.outcomes.SAYS", SAYS, (each.word for each in DECISION_WORDS))
OF_REVIEWS = {"confirm": when_kept, "reject": when_review_rejected}


def says(kind: str, word: str) -> Callable[[Program, Node], str]:
    """What a word leads to, by the kind of question."""
    return OF_REVIEWS.get(word, SAYS[word]) if kind.endswith("review") else SAYS[word]


def branch(program: Program, node: Node, trigger: str) -> str:
    """The names of the components of a fork's branch."""
    names = [named(program[at].name) for at in members(program, node.exits[trigger], node.at)]
    return ", ".join(names) or "nothing"


def members(program: Program, first: Address, parent: Address) -> Iterator[Address]:
    """The components of a list, in order; `parent` stands for its end."""
    at = first
    while at != parent:
        yield at
        at = program[at].next


ENDS = {"parallel": "this branch", "loop": "this iteration", "router": "this choice"}
"""What ends with its last component, where what comes next depends on more than that."""


def after(program: Program, node: Node) -> str:
    """What comes when a component is over."""
    while node.next == node.parent:
        if node.parent == ROOT:
            return "and the run ends"
        node = program[node.parent]
        if node.kind in ENDS:
            return f"and {ENDS[node.kind]} of {quoted(node)} ends"
    return f"go on with {quoted(program[node.next])}"


def quoted(node: Node) -> str:
    """A component's name in a sentence."""
    return f"'{named(node.name)}'"
