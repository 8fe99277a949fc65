"""A decision word is spelled once, in the table of decisions: elsewhere the package names its record, or a column of it."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from statecore.lifecycles import DECISION_WORDS

PACKAGE = Path(__file__).parents[2] / "statecore"
WORDS = frozenset(each.word for each in DECISION_WORDS)
HOMES = {"lifecycles/decisions.py": "the table", "lifecycles/words.py": "the triggers that the words fire"}
ELSEWHERE: dict[str, tuple[str, str]] = {
    "agents/chains.py": ("edit reject", "words of LangChain's middleware"),
    "asking/leads.py": ("skip", "a policy of the user"),
    "check/replay.py": ("select", "the kind of a Router's call"),
    "check/story.py": ("select", "the kind of a Router's call"),
    "cli/main.py": (
        "answer confirm edit input provide reject retry select skip",
        "--help imports nothing; cli/deciding compares this list",
    ),
    "core/adoption.py": ("answer", "a rule of the judge"),
    "definition/agents.py": ("input", "the name of a form that no tool asks for"),
    "definition/fields.py": ("retry skip", "policies of the user"),
    "definition/questions.py": ("input", "a kind of answer"),
    "definition/review.py": ("retry skip", "policies of the user"),
    "definition/step_io.py": ("input", "the run's input in plain data"),
    "draw/boxes.py": ("skip", "a policy in a picture"),
    "inbox/documents.py": ("answer input", "names of values in the API"),
    "inbox/documents_run.py": ("input", "the name of a run's input in the API"),
    "inbox/question_view.py": ("input", "names of values in the API"),
    "inbox/run_view.py": ("input", "the name of a run's input in the API"),
    "inbox/stored.py": ("answer input", "names of values in the API"),
    "inbox/words.py": (
        "answer confirm edit input provide reject retry select skip",
        "labels and signs of buttons, compared with the table when they are imported",
    ),
    "lifecycles/kind.py": ("select", "the kind of a Router's call"),
    "lifecycles/router.py": ("select", "the kind of a Router's call"),
    "output/pictures.py": ("edit input", "a label in a picture"),
    "output/plain_run.py": ("input", "the key of a run's input"),
    "output/run_output.py": ("skip", "a policy of the user"),
    "runtime/asked.py": ("input", "a kind of answer"),
    "runtime/calls.py": ("select", "the kind of a Router's call"),
    "runtime/cel.py": ("input", "the name of the run's input in an expression"),
    "runtime/ends.py": ("select", "the kind of a Router's call"),
    "runtime/execution.py": ("skip", "a policy of the user"),
    "runtime/judge.py": ("answer", "a rule of the judge"),
    "runtime/launching.py": ("retry", "what a second start does with a failed run"),
    "stores/audit/erased3.py": ("answer input", "a column of a run"),
    "stores/blanking.py": ("input", "a field of a run that can be erased"),
    "stores/ending/erasing.py": ("input", "a field of a run that can be erased"),
    "stores/ending/rotating.py": ("answer input", "names of columns"),
    "stores/endings.py": ("input", "a field of a run that can be erased"),
    "stores/rules.py": ("skip", "a policy of the user"),
    "temporal/client/listing.py": ("input", "the key of a run's input in plain data"),
    "testing/doubles.py": ("select", "the kind of a Router's call"),
    "testing/machine.py": ("input select", "an input of a run; the kind of a Router's call"),
    "testing/stores/boundaries.py": ("reject retry", "the suite judges a store by words that it spells itself"),
    "testing/stores/comparison.py": ("confirm reject retry skip", "the suite judges a store by words that it spells itself"),
    "testing/stores/decisions.py": ("confirm reject retry skip", "the suite judges a store by words that it spells itself"),
    "testing/stores/runs.py": ("input", "a column of a run"),
    "testing/stores/samples.py": ("confirm", "the suite judges a store by words that it spells itself"),
}
"""The files that spell one of these texts for another reason: which, and why."""


def literals(source: str) -> set[str]:
    """The decision words among the text constants of a module; docstrings and parts of longer texts are none."""
    return {node.value for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Constant) and node.value in WORDS}


SPELLED = {
    name: found
    for path in sorted(PACKAGE.rglob("*.py"))
    if (name := path.relative_to(PACKAGE).as_posix()) not in HOMES and (found := literals(path.read_text(encoding="utf-8")))
}


def test_a_decision_word_is_spelled_in_its_table_only():
    """No module spells a decision word beside those that have a reason, and each reason is still needed."""
    assert {name: sorted(found) for name, found in SPELLED.items()} == {
        name: words.split() for name, (words, _) in ELSEWHERE.items()
    }


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ('if word == "edit": pass', {"edit"}),
        ('match word:\n    case "reject": pass', {"reject"}),
        ('AGAIN = ("retry", "again")', {"retry"}),
        ('x = f"an edit of {y}"', set()),
        ("decide(EDIT.word)", set()),
        ('say("edit it")', set()),
    ],
)
def test_a_spelling_is_seen(source, found):
    """A comparison, a case, an element: each constant that is a word is found; a longer text and a name are not."""
    assert literals(source) == found
