"""The data that a question shows beside its message: one function for each kind of question."""

from __future__ import annotations

from typing import TYPE_CHECKING

from statecore.core.evidence import offered
from statecore.lifecycles import ASK_KINDS, BY_WORD, exhaustive
from statecore.stores.detail import PauseDetail, detail_of, detail_text, pause_detail, pause_text

from .asked import asked_in, question_shown

if TYPE_CHECKING:
    from collections.abc import Callable

    from statecore.core import Commit, Node, OpenQuestion


def shown(node: Node, ask: OpenQuestion, effect: Commit) -> str:
    """The data that a person is shown besides the message, as a JSON object: an error, a form, choices, rejections, words that are offered besides."""
    text = DETAILS[ask.kind](node, ask, effect)
    besides = tuple([word for word in offered(node, ask.kind) if ask.kind in BY_WORD[word].offered_by])
    return pause_text(pause_detail(text)._replace(words=besides)) if besides else text


def error_shown(_node: Node, ask: OpenQuestion, effect: Commit) -> str:
    """The detail of the call that failed or was interrupted, without its traceback."""
    bodies = [event.body for event in effect.events if event.at == ask.at and event.body is not None]
    return detail_text(detail_of(bodies[-1].detail)._replace(where=None, traceback=None, death=None, late=None)) if bodies else ""


def form_shown(node: Node, _ask: OpenQuestion | None = None, _effect: Commit | None = None) -> str:
    """The fields of a form."""
    return pause_text(PauseDetail(schema=node.form))


def choices_shown(node: Node, _ask: OpenQuestion | None = None, _effect: Commit | None = None) -> str:
    """The choices, where the program says whether several may be chosen; one that is read from a store does not."""
    return pause_text(PauseDetail(choices=tuple(node.exits), multiple=node.multiple)) if node.multiple is not None else ""


def rejections_shown(node: Node, ask: OpenQuestion, effect: Commit) -> str:
    """How often the output was rejected, and how often it may be."""
    reviews = next(c.marks.reviews for c in effect.after.state.cursors if (c.at, c.turn) == (ask.at, ask.turn))
    return pause_text(PauseDetail(retry_count=reviews, max_retries=node.limits.reviews))


def message(node: Node, ask: OpenQuestion, effect: Commit) -> str | None:
    """The sentence of a question: the definition's, or the one with which the code of a step asks."""
    return node.asks.get(ask.kind) if ask.number is None else asked_in(ask, effect).message


DETAILS: dict[str, Callable[[Node, OpenQuestion, Commit], str]] = {
    "confirmation": lambda *_: "",
    "user_input": form_shown,
    "route": choices_shown,
    "output_review": rejections_shown,
    "iteration_review": lambda node, ask, _: pause_text(
        PauseDetail(iteration=ask.turn[-1] + 1, max_iterations=node.limits.iterations)
    ),
    "question": lambda _node, ask, effect: question_shown(ask, effect),
    "error": error_shown,
    "interrupted": error_shown,
}
"""The details of each kind of question."""
exhaustive("runtime.showing.DETAILS", DETAILS, ASK_KINDS)
