"""The consequence of each answer to a question: data, computed from the program and the tables, and the sentences made from it.

A `Consequence` is a code with its arguments. `outcomes` is the one place that computes it: the word fires its trigger, the row of the
lifecycle says the phase that follows, and the phase with what the word carries says the code. `SENTENCES` is the one table of texts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple, get_args

from attrs import field, frozen

from statecore.core import DECISIONS, Cursor
from statecore.core.facts import CURSOR_FACTS
from statecore.core.owed import ASK_OF
from statecore.core.program import ROOT
from statecore.core.state import Marks
from statecore.lifecycles import BY_WORD, HOLDING, KINDS, SHOWS, TABLES, exhaustive
from statecore.lifecycles import words as w

from .text import clean, named

if TYPE_CHECKING:
    from statecore.core import Program
    from statecore.core.program import Address, Node

    from .questions import Question

Code = Literal[
    "runs", "runs_with_input", "runs_choices", "runs_branch", "runs_nothing", "runs_again", "revises", "runs_answered",
    "skips", "discards", "keeps", "replaces", "provides", "cancels", "gives_up",
    "goes_on", "run_ends", "branch_ends", "iteration_ends", "choice_ends", "unknown",
]  # fmt: skip
"""The consequences of an answer (the first two lines), and the successors of a component (the third)."""


class Named(NamedTuple):
    """A component of the program: its address, and its name as the user wrote it."""

    at: Address
    name: str


@frozen
class Consequence:
    """A code, the components that it is about, and what comes after them; None where that is said by the code."""

    code: Code
    components: tuple[Named, ...] = ()
    then: Consequence | None = None

    def __str__(self) -> str:
        """The sentence, in plain English."""
        names = [named(each.name) for each in self.components]
        return SENTENCES[self.code].format(component=f"'{', '.join(names)}'", components=", ".join(names), then=self.then)

    def to_dict(self) -> dict[str, Any]:
        """Plain data: `code`, `components` as objects with `at` and `name`, and `then`."""
        then = self.then.to_dict() if self.then is not None else None
        return {"code": self.code, "components": [each._asdict() for each in self.components], "then": then}


@frozen
class Outcome:
    """A word that a person may answer, and what follows from it; `leads_to` is the sentence."""

    word: str
    consequence: Consequence
    leads_to: str = field(init=False)

    @leads_to.default
    def _sentence(self) -> str:
        return str(self.consequence)

    def __str__(self) -> str:
        """The word, and where it leads."""
        return f"{self.word} -> {self.leads_to}"


SENTENCES: dict[Code, str] = {
    "runs": "run {component}",
    "runs_with_input": "run {component} with it",
    "runs_choices": "run what you choose of {components}",
    "runs_branch": "{components}",
    "runs_nothing": "nothing",
    "runs_again": "run {component} again",
    "runs_answered": "run {component} again, when all its questions are answered",
    "revises": "run {component} again, with what you say about it",
    "skips": "skip {component}, {then}",
    "discards": "discard it, skip {component}, {then}",
    "keeps": "keep it, {then}",
    "replaces": "replace the output, {then}",
    "provides": "take it as the output of {component}, {then}",
    "cancels": "cancel the run",
    "gives_up": "cancel the run: it was rejected as often as it may be",
    "goes_on": "go on with {component}",
    "run_ends": "and the run ends",
    "branch_ends": "and this branch of {component} ends",
    "iteration_ends": "and this iteration of {component} ends",
    "choice_ends": "and this choice of {component} ends",
    "unknown": "?",
}
exhaustive("asking.outcomes.SENTENCES", SENTENCES, get_args(Code), "asking.outcomes.Code")

PHASES = {kind: phase for (_, phase), kind in ASK_OF.items()} | {"interrupted": w.errored_paused}
"""The phase in which a component puts each kind of question."""
AGAIN: dict[str, Code] = {w.errored_paused: "runs_again", w.awaiting_review: "revises", w.awaiting_answer: "runs_answered"}
"""The words for a component that has run before, by the phase in which it asked."""
ENDS: dict[str, Code] = {"branches": "branch_ends", "iterations": "iteration_ends", "choices": "choice_ends"}
"""The kinds that end with their last component, where the successor depends on more than that; a list is over with it."""
exhaustive("asking.outcomes.ENDS", ENDS, HOLDING - {"list", "fork"})


def outcomes(program: Program, requirement: Question) -> list[Outcome]:
    """The answers that a requirement takes, each with its outcome."""
    node = program.nodes.get(requirement.address)
    words = {word: DECISIONS[requirement.kind][word] for word in requirement.words}
    if node is None:
        return [Outcome(word, Consequence("unknown")) for word in words]
    return [Outcome(word, consequence(program, node, at_rest(requirement), word, words[word])) for word in words]


def at_rest(requirement: Any) -> Cursor:
    """The cursor of a requirement, as far as the guards of the tables ask for it."""
    reviews, stops = (requirement.retry_count, requirement.ends_workflow) if SHOWS[requirement.kind] == "output" else (0, False)
    return Cursor(requirement.address, PHASES[requirement.kind], marks=Marks(reviews=reviews, stopping=stops))


def consequence(program: Program, node: Node, cursor: Cursor, word: str, trigger: str) -> Consequence:
    """The consequence of a word that fires its trigger: by the row that holds here."""
    facts = CURSOR_FACTS[trigger](node, cursor) if trigger in CURSOR_FACTS else node.facts
    rows = (row for row in TABLES[node.machine].rows if (row.source, row.on) == (cursor.phase, trigger))
    row = next((row for row in rows if row.when in facts or row.when == w.always), None)
    if row is None:  # a definition that has changed meanwhile does not put this question
        return Consequence("unknown")
    match row.dest:
        case w.cancelled:
            return Consequence("gives_up" if row.when == w.reviews_spent else "cancels")
        case w.skipped:
            left = program[node.leaves] if cursor.phase == w.errored_paused else node
            code: Code = "discards" if cursor.phase == w.awaiting_review else "skips"
            return Consequence(code, (Named(left.at, left.name),), after(program, left))
        case w.completed:
            then = after_stop(program, node) if cursor.marks.stopping else after(program, node)
            kept: Code = (
                "provides" if cursor.phase == w.errored_paused else "replaces" if BY_WORD[word].carries == "value" else "keeps"
            )
            return Consequence(kept, (Named(node.at, node.name),), then)
        case _:
            return running(program, node, cursor.phase, word, trigger)


def running(program: Program, node: Node, phase: str, word: str, trigger: str) -> Consequence:
    """The code that runs after an answer: a branch, the choices, or the component itself, again or for the first time."""
    carries = BY_WORD[word].carries
    if carries == "value":
        return Consequence("runs_with_input", (Named(node.at, node.name),))
    if phase in AGAIN:
        return Consequence(AGAIN[phase], (Named(node.at, node.name),))
    if KINDS[node.kind].holds == "fork":
        return branch(program, node, trigger)
    if carries == "names":
        return Consequence("runs_choices", tuple(Named(at, name) for name, at in node.exits.items()))
    return Consequence("runs_with_input" if carries == "form" else "runs", (Named(node.at, node.name),))


def branch(program: Program, node: Node, trigger: str) -> Consequence:
    """The components of a fork's branch, in order; the fork stands for its end."""
    found: list[Named] = []
    at = node.exits[trigger]
    while at != node.at:
        found.append(Named(at, program[at].name))
        at = program[at].next
    return Consequence("runs_branch" if found else "runs_nothing", tuple(found))


def after(program: Program, node: Node) -> Consequence:
    """The place where the run continues when a component is over."""
    while node.next == node.parent:
        if node.parent == ROOT:
            return Consequence("run_ends")
        node = program[node.parent]
        if (ends := ENDS.get(KINDS[node.kind].holds)) is not None:
            return Consequence(ends, (Named(node.at, node.name),))
    following = program[node.next]
    return Consequence("goes_on", (Named(following.at, following.name),))


def after_stop(program: Program, node: Node) -> Consequence:
    """The place where the run continues when a step that said stop is over: its workflow has ended with it (RUN-3)."""
    flow = next((each for each in program.ancestors(node.at) if KINDS[each.kind].stops), None)
    return Consequence("run_ends") if flow is None else after(program, flow)


def carried(requirement: Question, word: str) -> list[str]:  # noqa: PLR0911  # one for each kind of data
    """The arguments that the command of a word needs besides, with placeholders in capitals."""
    asked: Any = requirement
    match BY_WORD[word].carries:
        case "form" if asked.user_input_schema is None:
            return ["NAME=VALUE"]
        case "form":
            needed = [each for each in asked.user_input_schema if each.required and each.value is None]
            return [f"{each.name}={each.field_type.upper()}" for each in needed if clean(each.name) == each.name]
        case "names":
            return ["CHOICE"]
        case "reply":
            return ["ANSWER"]
        case "value":
            return ["--text", "TEXT"]
        case "feedback" if SHOWS[requirement.kind] == "output":
            return ["--feedback", "TEXT"]
        case _:
            return []
