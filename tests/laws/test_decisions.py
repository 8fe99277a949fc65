"""The words that a person decides with: the table says what the numbered rules say, and a check finds what it does not have."""

from __future__ import annotations

import pytest

from specs.model.oracle import ANSWERS
from statecore.cli.person import parse
from statecore.core import DECISIONS
from statecore.lifecycles import DECISION_WORDS, TABLES, by_kind, exhaustive
from statecore.lifecycles import words as w
from statecore.output import ErrorRequirement, StepRequirement
from statecore.runtime import answers


def test_the_words_of_a_question_are_those_of_the_oracle():
    """Each kind of question takes the answers that the oracle, which is written apart from the package, gives it."""
    told = {kind: set(words) - {"renew"} for (waits, kind), words in ANSWERS.items() if waits == "ask"}
    amended = {
        kind: {"amend" if word == "edit" and kind != "output_review" else word for word in words}
        for kind, words in DECISIONS.items()
    }
    assert amended == told


def test_a_record_without_a_kind_takes_its_word_from_no_other():
    """The table by kind is derived: without the record of a word, every kind loses that word and keeps the rest, in order."""
    for left_out in DECISION_WORDS:
        rest = by_kind(each for each in DECISION_WORDS if each is not left_out)
        expected = {kind: [word for word in words if word != left_out.word] for kind, words in DECISIONS.items()}
        assert {kind: list(words) for kind, words in rest.items()} == expected


@pytest.mark.parametrize("each", DECISION_WORDS, ids=lambda each: each.word)
def test_a_verb_is_a_method_of_the_requirements_that_take_it(each):
    """The verb of a word is a method of the requirement of each kind that the word answers."""
    kinds = {ErrorRequirement if kind in ("error", "interrupted") else StepRequirement for kind in each.fires}
    assert [kind.__name__ for kind in kinds if not callable(getattr(kind, each.verb, None))] == []


def test_a_table_with_the_wanted_words_passes():
    """The order of the words does not matter."""
    exhaustive("a table", ("skip", "retry"), ("retry", "skip"))


def test_a_missing_and_an_unknown_word_are_named():
    """The refusal names the table, the words that it lacks, and those that it should not have."""
    with pytest.raises(
        ValueError, match=r"^a table lacks 'skip', has the unknown 'toy'\. Change a table, or the words and kinds in "
    ):
        exhaustive("a table", ("retry", "toy"), ("retry", "skip"))


def test_the_messages_name_the_methods_of_each_kind():
    """A run that cannot go on says, for each kind of question, which methods answer it, in words as a person writes them."""
    said = {kind: answers.answered_by(answers.plain_words(kind)) for kind in DECISIONS}
    assert answers.answered_by(DECISIONS["error"]) == "edit(), retry(), provide() or skip()"
    assert said == {
        "confirmation": "confirm() or reject()",
        "user_input": "set_user_input() or reject()",
        "route": "select() or reject()",
        "output_review": "confirm(), edit() or reject()",
        "iteration_review": "confirm() or reject()",
        "question": "answer() or reject()",
        "error": "retry() or skip()",
        "interrupted": "retry() or skip()",
    }


@pytest.mark.parametrize("each", DECISION_WORDS, ids=lambda each: each.word)
def test_an_example_is_taken_by_answers(each):
    """`--answers` reads the example of a word as that word, with a value exactly where the word carries one."""
    [(word, value)] = parse([each.example], "me").bare
    assert word == each.word
    assert (value is not None) is (each.carries != "nothing")


@pytest.mark.parametrize("each", DECISION_WORDS, ids=lambda each: each.word)
def test_a_word_repeats_where_a_row_says_so(each):
    """A word may lead to the same question again if a row of its triggers leaves a review or an error for a phase that is no end."""
    after = {w.awaiting_review, w.errored_paused}
    again = [
        row
        for table in TABLES.values()
        for row in table.rows
        if row.source in after and row.on in each.fires.values() and row.dest not in table.final
    ]
    assert each.repeats is bool(again)


def test_one_word_is_a_no():
    """A rejection alone counts until an approval by silence is stored (TIME-3)."""
    assert [each.word for each in DECISION_WORDS if each.refuses] == ["reject"]
