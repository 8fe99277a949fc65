"""Consequences as sentences with a code and arguments: for a page in any language, and for programs.

The codes are for ever: a sentence may be worded anew, its code and the names of its arguments stay.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, get_args

from statecore.lifecycles import exhaustive
from statecore.lifecycles import words as w
from statecore.lifecycles.decisions import CONFIRM, REJECT, SKIP

from .outcomes import Code, Consequence, at_rest, consequence

if TYPE_CHECKING:
    from statecore.core import Program

    from .questions import Question


class SaidSo(NamedTuple):
    """A sentence: its English text, its code, its arguments."""

    text: str
    code: str
    args: dict[str, Any]


CODES: dict[Code, str] = {
    "runs": "leads.run",
    "runs_with_input": "leads.run_with_input",
    "runs_choices": "leads.run_choices",
    "runs_branch": "leads.run_branch",
    "runs_nothing": "leads.nothing",
    "runs_again": "leads.run_again",
    "runs_answered": "leads.run_answered",
    "revises": "leads.revise",
    "skips": "leads.skip",
    "discards": "leads.discard",
    "keeps": "leads.keep",
    "replaces": "leads.replace",
    "provides": "leads.provide",
    "cancels": "leads.cancel",
    "gives_up": "leads.give_up",
    "goes_on": "leads.go_on",
    "run_ends": "leads.run_ends",
    "branch_ends": "leads.branch_ends",
    "iteration_ends": "leads.iteration_ends",
    "choice_ends": "leads.choice_ends",
    "unknown": "leads.unknown",
}
exhaustive("asking.leads.CODES", CODES, get_args(Code), "asking.outcomes.Code")
SPOKEN = {"approve": CONFIRM.word, "skip": SKIP.word, "cancel": REJECT.word}
"""The word that a silence stands for, by `on_timeout`."""
CLOSED = {
    "decided": "the question is decided",
    "expired": "the deadline is over",
    "superseded": "the question was put again",
    "withdrawn": "the question is no longer asked",
}
"""Why an answer is not open to anybody, by the state of its question."""


def leads_to(found: Consequence, step: str) -> SaidSo:
    """The consequence of an answer to a question of a step. `steps` are the names of what runs, `then` is the code of what comes after."""
    then = None if found.then is None else CODES[found.then.code]
    names = [each.name for each in found.components]
    args: dict[str, Any] = {"step": step, "steps": names, "then": then}
    if found.then is not None:
        args["then_steps"] = [each.name for each in found.then.components]
    return SaidSo(str(found), CODES[found.code], args)


def closed(state: str) -> SaidSo:
    """Why nothing may be answered to a question that is not open."""
    return SaidSo(CLOSED[state], f"closed.{state}", {})


def silence(program: Program, asked: Question) -> Consequence:
    """The consequence of no answer before the deadline, by the row of the lifecycle."""
    node = program.nodes.get(asked.address)
    if node is None:
        return Consequence("unknown")
    return consequence(program, node, at_rest(asked), SPOKEN[asked.on_timeout or "cancel"], w.expire)
