"""The laws of the lifecycle tables, for every table there is and will be."""

from __future__ import annotations

from collections import Counter

import pytest

from statecore.definition.review import SUPPORTED
from statecore.lifecycles import JOINT, MACHINES, RUN, TABLES, Row, Table, words
from statecore.lifecycles import words as w
from statecore.lifecycles.machine import Machines
from tests.laws.claims import claims
from tests.laws.table_laws import CALL, CLOCK, JUDGED, LAWS, OVER, PERSON, a_decision_goes_on, legal, policies
from tests.model.definitions import RENAMED, SHAPES, VALUES
from tests.model.explore import INTERNAL

every_table = pytest.mark.parametrize("table", TABLES.values(), ids=list(TABLES))


@every_table
@pytest.mark.parametrize("law", LAWS, ids=[law.__name__ for law in LAWS])
def test_the_law_holds(law, table):
    """Every table obeys every law."""
    assert law(table) == []


@pytest.mark.parametrize(
    ("source", "on", "dest", "broken"),
    [
        (w.awaiting_confirmation, w.confirm, w.awaiting_confirmation, True),
        (w.awaiting_confirmation, w.reject, w.awaiting_confirmation, True),
        (w.awaiting_review, w.edit, w.awaiting_review, True),
        (w.errored_paused, w.skip, w.errored_paused, True),
        (w.awaiting_review, w.reject, w.awaiting_review, False),
        (w.errored_paused, w.retry, w.errored_paused, False),
        (w.awaiting_confirmation, w.expire, w.awaiting_confirmation, False),
        (w.awaiting_confirmation, w.confirm, w.running, False),
    ],
)
def test_a_decision_that_changes_nothing_is_found(source, on, dest, broken):
    """The law of decisions can fail: a row that stays in its state and in its attempt breaks it, any other does not."""
    made_up = Table("made_up", source, (Row(source, on, dest, w.always, "CONF-1"),), frozenset(), {source: "ask"})
    assert bool(a_decision_goes_on(made_up)) is broken


@every_table
def test_some_definition_has_nodes_of_it(table):
    """The enumerated definitions reach every table, so no law holds for want of a policy."""
    assert policies(table.name)
    assert all(legal(table.name, row.source, row.on) for row in table.rows)


def test_every_kind_and_setting_is_enumerated():
    """The enumeration knows every kind of component and every setting that one of them honours."""
    assert set(SHAPES) == set(SUPPORTED)
    assert {RENAMED.get(name, name) for names in SUPPORTED.values() for name in names} <= set(VALUES)


def test_every_fact_is_asked_for():
    """What the compiler and the cursors make known, some guard asks for: there are no idle facts."""
    asked = {guard for table in TABLES.values() for guard in table.guards}
    known = {
        fact for table in TABLES.values() for row in table.rows for facts in legal(table.name, row.source, row.on) for fact in facts
    }
    assert asked == known


def test_every_word_is_used():
    """Each word of the tables' language stands in a table: a state, a trigger, a guard, or `always`."""
    used = {word for table in TABLES.values() for word in (*table.states, *table.triggers, *table.guards)} | {w.always}
    assert used == {value for name, value in vars(words).items() if not name.startswith("__") and isinstance(value, str)}


def test_every_trigger_has_an_author():
    """Each trigger is fired by the core, by a call that ended, by a clock, by a person, or by the judge of definitions."""
    assert {trigger for table in TABLES.values() for trigger in table.triggers} <= INTERNAL | CALL | CLOCK | PERSON | JUDGED


@every_table
def test_rows_say_each_thing_once(table):
    """No edge stands in a table twice."""
    edges = Counter((row.source, row.on, row.dest, row.when) for row in table.rows)
    assert [edge for edge, times in edges.items() if times > 1] == []


@every_table
def test_rows_are_grouped_by_source(table):
    """The rows of one source stand together, so that a state can be read in one place."""
    sources = [row.source for row in table.rows]
    turns = [source for before, source in zip([None, *sources], sources, strict=False) if source != before]
    assert len(turns) == len(set(turns))


@every_table
def test_every_row_keeps_a_claim(table):
    """Each row names a numbered rule that specs/semantics.md has."""
    assert [row for row in table.rows if row.claim not in {claim.id for claim in claims()}] == []


@every_table
def test_the_machine_has_the_rows_and_no_back_door(table):
    """What `transitions` was given, read back from it, is the table: the same edges and guards, in order, and nothing else."""
    machine = MACHINES[table.name]
    read = [
        (edge.source, event.name, edge.dest, [(guard.func, guard.target) for guard in edge.conditions])
        for event in machine.events.values()
        for edges in event.transitions.values()
        for edge in edges
    ]
    wanted = [(row.source, row.on, row.dest, [] if row.when == w.always else [(row.when, True)]) for row in table.rows]
    assert sorted(read) == sorted(wanted)
    assert list(machine.events) == list(table.triggers)
    assert list(machine.states) == list(table.states)


@every_table
def test_the_machine_does_nothing_but_move(table):
    """A machine keeps no model, queues nothing and calls nothing: no callback on a state, an edge or the machine."""
    machine = MACHINES[table.name]
    edges = [edge for event in machine.events.values() for edges in event.transitions.values() for edge in edges]
    assert (machine.models, machine.has_queue, machine.auto_transitions) == ([], False, False)
    assert [callback for edge in edges for callback in (*edge.before, *edge.after, *edge.prepare)] == []
    assert [callback for state in machine.states.values() for callback in (*state.on_enter, *state.on_exit)] == []
    assert [
        *machine.before_state_change,
        *machine.after_state_change,
        *machine.prepare_event,
        *machine.finalize_event,
        *machine.on_exception,
        *machine.on_final,
    ] == []


@pytest.mark.spec("PAR-3")
def test_the_joint_table_fires_rows_of_a_running_run():
    """Each line of the joint table is a trigger that a running run has a row for, and every way out of running is in it."""
    ways = {row.on for row in RUN.rows if row.source == w.running}
    assert {trigger for trigger in JOINT.values() if trigger is not None} == ways


@pytest.mark.spec("PAR-3", "PAR-4")
def test_the_joint_table_judges_in_this_order():
    """A cancellation comes first; then what runs is waited for, before a failure ends the run; then delays, then people, then the end."""
    assert list(JOINT) == ["some_cancelled", "calls_owed", "some_failed", "timers_owed", "answers_owed", "none_live"]


def test_over_is_what_no_cursor_waits_in():
    """The ends are the same four words in every table."""
    assert {state for table in TABLES.values() for state in table.final} | {w.failed} == OVER


def test_a_machine_is_built_when_it_is_asked_its_first():
    """Nothing is built before, each table's machine once, and none that is no table's."""
    machines = Machines()
    assert not machines
    assert machines["step"] is machines["step"]
    assert set(machines) == {"step"}
    assert set(machines["step"].states) == set(TABLES["step"].states)
    with pytest.raises(KeyError):
        machines["unknown"]
