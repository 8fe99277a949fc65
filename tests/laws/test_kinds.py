"""What a component, a call or a question is, stands in records: no floor asks for a kind by its name, and no table misses one."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import get_args

import pytest
from attrs import fields

import statecore
from specs.model.oracle import KINDS as MEANINGS
from specs.proof.model import KINDS as PROVED
from statecore import workflow
from statecore.check.atoms import AWAITING, ERRORS
from statecore.check.story import RUN_SENTENCES, SENTENCES
from statecore.check.symmetry import canonical_marks
from statecore.check.world import GATES
from statecore.codec.records import NAMES
from statecore.core.owed import ASK_OF, CALL_OF
from statecore.core.reducer import OWES
from statecore.core.state import UNMARKED, Marks, Ref
from statecore.definition import Step
from statecore.definition.components import Definition
from statecore.definition.review import SUPPORTED
from statecore.draw.boxes import OVER, STATES
from statecore.draw.workflow import OWED_KIND, WAITS
from statecore.lifecycles import ASK_KINDS, CALL_KINDS, COMPONENT_KINDS, HOLDING, JOINT, KINDS, LEAVES, RUN, RUN_KIND, TABLES
from statecore.lifecycles import words as w
from statecore.lifecycles.words import Owes
from statecore.output.public_events import ANYWHERE, BESIDE, BY_DEST
from statecore.stores.history import SKIP_REASONS
from statecore.workflow import Workflow
from tests.model.definitions import SHAPES

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "statecore"
TITLES = {kind.title for kind in COMPONENT_KINDS}

# -- no kind by its name -----------------------------------------------------------------------------------------------------------

NAMED = {*KINDS, *TABLES, *TITLES, *ASK_KINDS, *CALL_KINDS}
"""The names of kinds of components, questions and calls, and of the tables."""

FREE = {
    ("statecore/output/kinds.py", "self.kind == 'confirmation'"): "a public property that asks for this kind by its name",
    ("statecore/output/kinds.py", "self.kind == 'iteration_review'"): "a public property that asks for this kind by its name",
}
"""The comparisons that may stand, each with its reason."""


def test_no_floor_asks_for_a_kind_by_its_name():
    """No module of the package compares a kind, or a table's name, with the name of one; it reads the record, or a table by kind."""
    found = {
        (str(path.relative_to(ROOT)), text) for path in sorted(PACKAGE.rglob("*.py")) for text in asked(path.read_text("utf-8"))
    }
    assert found == set(FREE)


@pytest.mark.parametrize(
    "line",
    [
        "if node.kind == 'loop': pass",
        "if node.machine != 'run': pass",
        "if 'parallel' == around.kind: pass",
        "x = ask.kind in ('error', 'interrupted')",
        "x = kind not in {'step', 'router'}",
        "x = requirement.kind.endswith('review')",
        "x = 'review' in pause.kind",
        "match ask.kind:\n    case 'route' | 'error': pass",
        "match kind:\n    case 'Loop' if x: pass",
        "table = node.kind == 'step' and node.machine in ('step',)",
    ],
)
def test_a_kind_by_its_name_is_found(line):
    """The law can fail: each way to ask for a kind by its name is seen."""
    assert list(asked(line))


@pytest.mark.parametrize(
    "line", ["x = KINDS[node.kind].holds", "x = node.kind in table", "x = row.machine == RUN.name", "x = edge.kind == 'happy'"]
)
def test_a_record_is_read_freely(line):
    """The law is fair: records, tables and kinds of other things are free."""
    assert list(asked(line)) == []


def asked(text: str) -> Iterator[str]:
    """The places of a module that ask for a kind by its name."""
    for node in ast.walk(ast.parse(text)):
        match node:
            case ast.Compare(left=left, comparators=others) if any(map(is_kind, (left, *others))):
                if any(map(names_one, (left, *others))):
                    yield ast.unparse(node)
            case ast.Match(subject=subject, cases=cases) if is_kind(subject):
                yield from (ast.unparse(case.pattern) for case in cases if any(map(names_one, ast.walk(case.pattern))))
            case ast.Call(func=ast.Attribute(value=about, attr="endswith" | "startswith")) if is_kind(about):
                yield ast.unparse(node)


def is_kind(node: ast.expr) -> bool:
    """Whether an expression is a kind or the name of a table."""
    match node:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name in ("kind", "machine")
        case _:
            return False


def names_one(node: ast.AST) -> bool:
    """Whether an expression is the name of a kind, a part of such a name that several share, or holds one."""
    match node:
        case ast.Constant(value=str(text)):
            return text in NAMED or text in {part for kind in ASK_KINDS for part in kind.split("_")}
        case ast.Tuple(elts=parts) | ast.Set(elts=parts) | ast.List(elts=parts):
            return any(map(names_one, parts))
        case _:
            return False


# -- every table has every kind ----------------------------------------------------------------------------------------------------


def titles(classes: Iterable[type]) -> set[str]:
    """Classes as users call them."""
    return {"Workflow" if each is Definition else each.__name__ for each in classes}


def modules() -> set[str]:
    """The titles that a module of the facade hands on under their own name."""
    return {title for title in TITLES if (PACKAGE / "workflow" / f"{title.lower()}.py").exists()}


HELD = {
    "statecore.__all__": (lambda: TITLES & set(statecore.__all__), TITLES),
    "statecore.workflow.__all__": (lambda: TITLES & set(workflow.__all__) & modules(), TITLES),
    "specs.model.oracle.KINDS": (lambda: titles(MEANINGS), TITLES),
    "specs.proof.model.KINDS": (lambda: set(PROVED), set(KINDS)),
    "tests.model.definitions.SHAPES": (lambda: set(SHAPES), set(SUPPORTED)),
}
"""The places that no import compares: what they have, and what they need."""


@pytest.mark.parametrize("place", HELD)
def test_a_place_that_no_import_compares_has_every_component(place):
    """Places outside the package, and lists of public names, have each component of the lifecycles and no other."""
    has, wants = HELD[place]
    assert has() == wants


def test_the_guide_lists_these_places():
    """The table of the guide is that of this law."""
    page = (ROOT / "specs" / "guide" / "adding-to-it.md").read_text(encoding="utf-8")
    rows = page.partition("| place, held by a law |")[2].partition("\n\n")[0]
    assert re.findall(r"^\| `([a-zA-Z_.]+)` \|", rows, re.MULTILINE) == list(HELD)


def test_the_components_of_a_user_are_the_kinds_of_the_lifecycles():
    """Every class of component has a record, and every record but the root's has a class that users write by its title."""
    assert titles(statecore.definition.components.COMPONENTS) == TITLES
    assert {getattr(statecore, title).__name__ for title in TITLES} == TITLES
    assert Workflow.__name__ in TITLES


def test_every_phase_that_owes_something_has_its_word():
    """Each phase of each table that owes a call or an answer has one kind of call or question, and each kind is owed somewhere."""
    rows = [(owed, (table.name, phase)) for table in TABLES.values() for phase, owed in table.owes.items()]
    assert set(CALL_OF) == {where for owed, where in rows if owed == "call"}
    assert set(ASK_OF) == {where for owed, where in rows if owed == "ask"}
    assert set(CALL_OF.values()) == CALL_KINDS
    assert {*ASK_OF.values(), "interrupted"} == ASK_KINDS


def test_every_way_to_hold_is_some_component():
    """No way to hold is left without a component, and the leaves are the tables that hold nothing."""
    assert {kind.holds for kind in COMPONENT_KINDS} == {*HOLDING, "nothing"}
    assert {kind.table.name for kind in COMPONENT_KINDS if not kind.lists} == LEAVES
    assert RUN_KIND.table is RUN


def test_the_settings_of_a_record_are_those_of_its_class():
    """The settings that a record names, for its code and its lists, are attributes of the class that users write."""
    classes = {**{each.__name__: each for each in statecore.definition.components.COMPONENTS}, "Workflow": Definition}
    for kind in COMPONENT_KINDS:
        has = {attribute.name for attribute in fields(classes[kind.title])}
        assert {code.setting.partition(".")[0] for code in kind.calls.values()} | set(kind.lists) <= has, kind.name


# -- phases and marks --------------------------------------------------------------------------------------------------------------

QUIET = {w.pending, *(phase for _, phase in ASK_OF)} - {w.errored_paused}
"""Phases of which a picture of a run says nothing in a line: not begun, or a gate, which says so itself."""


def test_pictures_and_stories_know_every_phase_and_trigger():
    """A picture of a run has words for each phase of a component, a story a sentence for each trigger that the world may make happen."""
    phases = {phase for kind in COMPONENT_KINDS for phase in kind.table.states}
    assert set(STATES) == phases - QUIET
    assert {phase for kind in COMPONENT_KINDS for phase in kind.table.final} | {w.failed} == OVER
    itself = {w.enter, w.finish, w.leave, w.pause, w.renew}
    assert {row.on for table in TABLES.values() for row in table.rows} - itself == {*SENTENCES, *RUN_SENTENCES}


UNTOLD = {w.pending, w.evaluating, w.judging, w.backing_off, w.failed, w.cancelled}
"""Phases of a component that begin without an event of their own; a failure has the event of its error, a cancellation that of the run."""


@pytest.mark.parametrize("kind", COMPONENT_KINDS, ids=lambda kind: kind.name)
def test_watchers_hear_of_each_phase(kind):
    """Each phase of each component has an event, by its table or anywhere, or is listed as one without; none is in both lists."""
    name = kind.table.name
    told = {phase for table, phase in BY_DEST if table == name} | ANYWHERE.keys()
    told |= {w.running, w.completed} if name in BESIDE else set()
    assert set(kind.table.states) <= told ^ UNTOLD


def test_each_way_to_be_skipped_has_its_reason():
    """A skipped component says why, for each row that skips one; a deadline says it by itself."""
    skips = {(row.source, row.on) for kind in COMPONENT_KINDS for row in kind.table.rows if row.dest == w.skipped}
    assert set(SKIP_REASONS) == {each for each in skips if each[1] != w.expire}


def test_what_is_owed_has_its_place_in_each_table():
    """The joint table, the pictures of lifecycles and of runs, and the checker's atoms know each thing that a phase may owe."""
    assert set(OWES) == set(OWED_KIND) == set(WAITS) == {*get_args(Owes)}
    assert {phase for _, phase in ASK_OF} == AWAITING | ERRORS
    assert set(OWES.values()) < set(JOINT)


def test_the_checker_knows_each_gate():
    """Each guard under which a component is entered into a question is a gate of the checker, with that question."""
    rows = [row for kind in COMPONENT_KINDS for row in kind.table.rows if row.on == w.enter]
    assert {row.when: row.dest for row in rows if row.dest in {phase for _, phase in ASK_OF}} == GATES


def test_each_mark_of_a_cursor_is_stored_and_weighed():
    """The codec writes each mark; the checker keeps each but three: retries that people ordered, what was rejected, and how often it was put."""
    names = [attribute.name for attribute in fields(Marks)]
    output = Ref("a", (), 0)
    full = Marks(
        interrupts=1,
        retries=1,
        reruns=1,
        reviews=1,
        output=output,
        rejected=output,
        stopping=True,
        due=1,
        deaths=1,
        put=2,
        asked=1,
        open=(0,),
    )
    assert list(NAMES[Marks]) == names
    assert [name for name in names if getattr(full, name) == getattr(UNMARKED, name)] == []
    kept = canonical_marks(Workflow("w", [Step("a", print)]).compiled.program, "a", full, w.running)
    assert [name for name in names if getattr(kept, name) == getattr(UNMARKED, name)] == ["reruns", "rejected", "put"]
