"""The words that a person may decide with: one record a word, from which each other place reads.

A question has a kind, and a kind takes some of the words. A word fires one trigger of the tables for each kind that it answers. A table
that an upper floor keys by these words is checked by `exhaustive` when its module is imported, so that a new word is missed nowhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal, get_args

from attrs import frozen

from . import words as w

AskKind = Literal["confirmation", "user_input", "route", "output_review", "iteration_review", "question", "error", "interrupted"]
"""The kinds of question; one of the kind `question` is put by the code of a step itself."""

Shows = Literal["nothing", "form", "choices", "output", "question", "error"]
"""The matter that a person is shown besides a question's message: so it is put, and so its answer is read."""

Carries = Literal["nothing", "feedback", "form", "names", "value", "reply"]
"""The data that a decision has besides its word: a text that may be left out, values by name, names of choices, an output, or a reply.

A question of a step says which answers it takes: yes or no, one or several of its choices, the values of its form, or a text.
"""


@frozen
class DecisionWord:
    """One word: `fires` has the trigger for each kind of question that it answers, `verb` is the method of a requirement that says it.

    `sentence` is the first line of the help of its command, `example` an answer as `--answers` takes it. `refuses` marks a "no": it
    counts until an approval by silence is stored. `repeats` marks a word after which the same question may be put again. `offered_by` are
    the kinds in which only some questions offer the word: those whose stored particulars name it.
    """

    word: str
    fires: Mapping[AskKind, str]
    carries: Carries
    verb: str
    sentence: str
    example: str
    refuses: bool = False
    repeats: bool = False
    offered_by: frozenset[str] = frozenset()


DECISION_WORDS: tuple[DecisionWord, ...] = (
    DecisionWord(
        "confirm",
        {"confirmation": w.confirm, "output_review": w.confirm, "iteration_review": w.confirm},
        carries="nothing",
        verb="confirm",
        sentence="Confirm a pause.",
        example="confirm",
    ),
    DecisionWord(
        "input",
        {"user_input": w.give},
        carries="form",
        verb="set_user_input",
        sentence="Give the input that a step asks for.",
        example='input:{"amount": 3}',
    ),
    DecisionWord(
        "select",
        {"route": w.select},
        carries="names",
        verb="select",
        sentence="Select the children that a Router runs, in this order.",
        example="select:quick,deep",
    ),
    DecisionWord(
        "answer",
        {"question": w.answer},
        carries="reply",
        verb="answer",
        sentence="Answer a question that a step asks.",
        example="answer:20",
    ),
    DecisionWord(
        "edit",
        {"confirmation": w.amend, "output_review": w.edit, "error": w.amend, "interrupted": w.amend},
        carries="value",
        verb="edit",
        sentence="Replace an output under review, or the input of a step.",
        example="edit:a new text",
        repeats=True,
        offered_by=frozenset({"confirmation", "error", "interrupted"}),
    ),
    DecisionWord(
        "reject",
        {
            "confirmation": w.reject,
            "user_input": w.reject,
            "route": w.reject,
            "output_review": w.reject,
            "iteration_review": w.reject,
            "question": w.reject,
        },
        carries="feedback",
        verb="reject",
        sentence="Reject a pause.",
        example="reject:shorter, please",
        refuses=True,
        repeats=True,
    ),
    DecisionWord(
        "retry",
        {"error": w.retry, "interrupted": w.retry},
        carries="nothing",
        verb="retry",
        sentence="Call a failed or interrupted step again.",
        example="retry",
        repeats=True,
    ),
    DecisionWord(
        "provide",
        {"error": w.provide, "interrupted": w.provide},
        carries="value",
        verb="provide",
        sentence="Give the output of a failed or interrupted step.",
        example="provide:a text",
        offered_by=frozenset({"error", "interrupted"}),
    ),
    DecisionWord(
        "skip",
        {"error": w.skip, "interrupted": w.skip},
        carries="nothing",
        verb="skip",
        sentence="Skip a failed or interrupted step.",
        example="skip",
    ),
)
"""Each word once. A question offers its words in this order."""
CONFIRM, INPUT, SELECT, ANSWER, EDIT, REJECT, RETRY, PROVIDE, SKIP = DECISION_WORDS
BY_WORD: Mapping[str, DecisionWord] = {each.word: each for each in DECISION_WORDS}


def by_kind(table: Iterable[DecisionWord]) -> dict[str, dict[str, str]]:
    """For each kind of question, its words in the order of the table, each with the trigger that it fires."""
    records = tuple(table)
    return {kind: {each.word: each.fires[kind] for each in records if kind in each.fires} for kind in get_args(AskKind)}


def exhaustive(name: str, keys: Iterable[str], wanted: Iterable[str], home: str = "lifecycles") -> None:
    """A table keyed by words has each wanted word and no other. Raises `ValueError` with the table's name, the words and their home."""
    has, wants = set(keys), set(wanted)
    problems = [f"lacks {word!r}" for word in sorted(wants - has)] + [f"has the unknown {word!r}" for word in sorted(has - wants)]
    if problems:
        message = f"{name} {', '.join(problems)}. Change {name}, or the words and kinds in statecore.{home}."
        raise ValueError(message)


SHOWS: dict[str, Shows] = {
    "confirmation": "nothing",
    "user_input": "form",
    "route": "choices",
    "output_review": "output",
    "iteration_review": "output",
    "question": "question",
    "error": "error",
    "interrupted": "error",
}
"""The matter that each kind of question shows."""

ASK_KINDS: frozenset[str] = frozenset(get_args(AskKind))
"""The kinds of question, for tables that are keyed by them."""

exhaustive("lifecycles.decisions.SHOWS", SHOWS, ASK_KINDS)
