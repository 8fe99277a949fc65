"""A component that is added to the tables touches the places that the guide lists and no other: without them it is refused, with them it works."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from statecore.lifecycles import GROUP, STEP, Kind
from statecore.lifecycles.kind import JUDGE

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "specs" / "guide" / "adding-to-it.md"

LIFECYCLE = """
import importlib, json, pkgutil, sys
from attrs import evolve
from statecore import lifecycles
from statecore.lifecycles import machine

table = evolve(lifecycles.GROUP, name="toy", title="Toy")
kind = lifecycles.Kind("toy", table, "Toy", "list")
lifecycles.COMPONENT_KINDS = machine.COMPONENT_KINDS = (*lifecycles.COMPONENT_KINDS, kind)
lifecycles.KINDS["toy"], lifecycles.TABLES["toy"] = kind, table
"""
EVERYWHERE = """
said, check = [], lifecycles.exhaustive
def told(*arguments):
    try:
        check(*arguments)
    except ValueError as error:
        said.append(str(error))
lifecycles.exhaustive = told
for package in ("core", "codec", "stores", "runtime", "draw", "check", "asking", "output", "workflow", "cli", "testing"):
    found = importlib.import_module(f"statecore.{package}")
    for each in pkgutil.iter_modules(found.__path__, found.__name__ + "."):
        importlib.import_module(each.name)
"""
PARTS = {
    "definition.components": """
from attrs import frozen
from statecore.definition import components

@frozen(init=False)
class Toy:
    name: str
    steps: tuple
    human_review: object

    def __init__(self, name, steps, *, human_review=None, **settings):
        review = components.merged("Toy", name, human_review, settings)
        self.__attrs_init__(name, components.as_components("Toy", steps), review)

components.COMPONENTS = (*components.COMPONENTS, Toy)
""",
    "definition.review.SUPPORTED": """
from statecore.definition import review
review.SUPPORTED["Toy"] = review.GATE
""",
    "definition.plain.MAKERS": """
from statecore.definition import plain
plain.MAKERS["Toy"] = Toy
""",
    "core.compile.COMPILED": """
from statecore.core import compile
compile.COMPILED[Toy] = lambda draft, each, place: compile.group(
    draft, each.name, each.human_review, each.steps, place, kind, transparent=True
)
""",
    "output.public_events.BY_DEST": """
from statecore.output import events, public_events
public_events.BY_DEST["toy", "running"] = (public_events.just(events.StepsExecutionStartedEvent),)
public_events.BY_DEST["toy", "completed"] = (public_events.just(events.StepsExecutionCompletedEvent),)
""",
    "check.replay.WRITTEN": """
from statecore.check import replay
replay.WRITTEN[Toy] = replay.written_steps
""",
    "testing.strategies.DRAWN": """
from statecore.testing import strategies
strategies.DRAWN["toy"] = strategies.Drawn(strategies.a_list(lambda name, steps, review: Toy(name, steps, human_review=review)))
""",
}
"""What each place needs for the toy, as a developer would write it there."""

LIVES = """
from tempfile import TemporaryDirectory
from hypothesis import find
from statecore import SqliteDb, Step, Workflow
from statecore.asking.outcomes import outcomes
from statecore.check import check
from statecore.draw import draw_workflow
from statecore.testing import all_paths, assert_invariants

def before(about):
    return about.previous_step_content

def flow(db=None):
    box = Toy("box", [Step("a", lambda _: "from a"), Step("b", before)], requires_confirmation=True)
    return Workflow("toys", [box, Step("c", before)], db=db)

lived = {}
with TemporaryDirectory() as folder:
    stored = flow(SqliteDb(db_file=f"{folder}/runs.db"))
    run = stored.run("x")
    [asked] = run.requirements
    lived["asked"] = [run.status.value, asked.kind, asked.step_type]
    lived["answers"] = [str(each) for each in outcomes(stored.compiled.program, asked)]
    asked.confirm()
    run = stored.continue_run(run)
    lived["end"] = [run.status.value, run.content]
    lived["heard"] = [each.event for each in run.events if each.step_name == "box"]
    lived["journals in order"] = assert_invariants(stored.db)
    stored.db.close()
lived["paths"] = sorted({path.run().status.value for path in all_paths(flow())})
lived["picture"] = [frame.lines for frame in draw_workflow(flow().compiled.program).clusters]
lived["written"] = "Toy('box', [" in replay.written_root(flow().definition)
lived["checked"] = check(flow(), ["never ran(a) unless confirmed(box)"]).exit_code
drawn = find(strategies.families(2), lambda made: any(type(each) is Toy for each in made.steps))
lived["drawn"] = Toy in map(type, drawn.steps)
"""


def python(*scripts: str) -> subprocess.CompletedProcess[str]:
    """Scripts, one after another, in a fresh process, which has imported nothing of the package."""
    return subprocess.run([sys.executable, "-c", "".join(scripts)], cwd=ROOT, capture_output=True, text=True, check=False)


def answer(*scripts: str) -> Any:
    """What the last script prints, from JSON."""
    done = python(*scripts)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def listed(heading: str) -> list[str]:
    """The places of the table of the guide's part on components that has this heading."""
    section = PAGE.read_text(encoding="utf-8").partition("\n## A component")[2]
    rows = section.partition(f"| {heading} |")[2].partition("\n\n")[0]
    return re.findall(r"^\| `([a-zA-Z_.]+)` \|", rows, re.MULTILINE)


def test_the_places_that_refuse_a_new_component_are_those_of_the_guide():
    """With a toy in the lifecycles alone, exactly the places that the guide lists refuse at import, each naming itself and the toy."""
    said = answer(LIFECYCLE, EVERYWHERE, "print(json.dumps(said))")
    assert all(re.search(r" lacks '[tT]oy'\. Change ", each) for each in said)
    assert sorted(each.partition(" lacks ")[0] for each in said) == sorted(listed("place"))


def test_the_toy_is_written_into_the_places_of_the_guide():
    """The parts of the toy are its class and the places of the guide, and no other."""
    assert sorted(PARTS) == sorted([*listed("place"), "definition.components"])


def test_a_toy_in_these_places_is_a_component():
    """It asks, runs, is stored, heard, drawn, stubbed, written, checked and drawn at random, and no other file knows it."""
    assert answer(LIFECYCLE, EVERYWHERE, *PARTS.values(), LIVES, "print(json.dumps(lived))") == {
        "asked": ["PAUSED", "confirmation", "Toy"],
        "answers": ["confirm -> run 'box'", "reject -> skip 'box', go on with 'c'"],
        "end": ["COMPLETED", "from a"],
        "heard": ["StepPaused", "StepContinued", "StepsExecutionStarted", "StepsExecutionCompleted"],
        "journals in order": 1,
        "paths": ["COMPLETED", "ERROR"],
        "picture": [["Toy: box"]],
        "written": True,
        "checked": 0,
        "drawn": True,
    }


NEW = """
lifecycles.HOLDING |= {"toy"}
lifecycles.CALL_KINDS |= {"toy"}
lifecycles.ASK_KINDS |= {"toy"}
"""


def test_the_places_that_refuse_a_new_word_are_those_of_the_guide():
    """With a new way to hold, kind of call and kind of question, exactly the places that the guide lists refuse."""
    said = answer(LIFECYCLE.partition("table =")[0], NEW, EVERYWHERE, "print(json.dumps(said))")
    assert sorted(each.partition(" lacks 'toy'. ")[0] for each in said) == sorted(listed("place, for a new word"))


def test_a_record_that_does_not_fit_its_table_is_refused():
    """A phase that owes a call has code in the record, and no other phase has any."""
    with pytest.raises(ValueError, match=r"^the calls of the kind 'toy' lacks 'running'\. "):
        Kind("toy", STEP, "Toy", "nothing", calls={"judging": JUDGE})
    with pytest.raises(ValueError, match=r"^the calls of the kind 'toy' has the unknown 'evaluating'\. "):
        Kind("toy", GROUP, "Toy", "list", calls={"evaluating": JUDGE})
