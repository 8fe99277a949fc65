"""The two counts of an interrupted call, against a counting of the test's own."""

from __future__ import annotations

from itertools import product

import pytest

from statecore import Step, Workflow
from statecore.codec.records import dump_state, load_state
from statecore.core import BEGINNING, Event, advance
from statecore.core.owed import asks
from statecore.core.state import START
from statecore.stores import Body, Entry
from statecore.stores.detail import Detail, detail_of, detail_text
from statecore.stores.replay import replay

PROGRAM = Workflow("w", [Step("a", print)]).compiled.program
DEATHS = ("", "alone", "beside")


def died(*deaths):
    """The states of a run whose call is interrupted so, until a person is asked."""
    states = [advance(PROGRAM, BEGINNING, START).state]
    for death in deaths:
        if not asks(PROGRAM, states[-1]):
            states.append(advance(PROGRAM, states[-1], Event("interrupt", "a", (), 0, death=death)).state)
    return states


@pytest.mark.spec("RUN-13", "CRASH-2")
def test_a_person_is_asked_after_three_alone_or_six_in_all():
    """All rows of six interruptions: the first at which three had nothing beside them, or six were deaths, is put to a person."""
    for row in product(DEATHS, repeat=6):
        states = died(*row)
        asked = next((n for n in range(1, 7) if 6 - row[:n].count("beside") - (6 - n) >= 3 or n - row[:n].count("") >= 6), None)
        kinds = [[ask.kind for ask in asks(PROGRAM, state)] for state in states]
        assert kinds == [[]] * (len(states) - 1) + [["interrupted"] if asked else []], row
        assert len(states) - 1 == (asked or 6), row


@pytest.mark.spec("RUN-13")
def test_a_count_of_deaths_is_stored_and_an_older_state_is_read():
    """A state with a death comes back equal, one without is written as before, and a text that says a death of none is refused."""
    dead, told = died("beside")[-1], died("")[-1]
    assert load_state(dump_state(dead)) == dead
    assert dump_state(dead).replace("null,1]", "null]").replace("[0,0", "[1,0", 1) == dump_state(told)
    with pytest.raises(ValueError, match="marks"):
        load_state(dump_state(dead).replace("null,1]", "null,0]"))


@pytest.mark.spec("RUN-13")
def test_a_journal_counts_the_same_again():
    """The row of an interruption says which death it was, so that a replay comes to the same state; a word of another release says nothing."""
    rows: list[Entry] = []
    state, time = BEGINNING, 0
    for event in (START, *[Event("interrupt", "a", (), 0, death=death) for death in ("beside", "", "alone")]):
        after, time = advance(PROGRAM, state, event), time + 1
        for move in after.moves:
            detail = Detail(death=event.death or None, definition=PROGRAM.fingerprint if move.trigger == "start" else None)
            body = Body(detail_text(detail if move.trigger in ("start", "interrupt") else Detail()), None)
            rows.append(Entry(len(rows) + 1, *move[:7], time, body))
        state = after.state
    assert replay({PROGRAM.fingerprint: PROGRAM}.get, rows)[-1].commit.after.state == state
    assert (state.cursors[0].marks.interrupts, state.cursors[0].marks.deaths) == (2, 2)
    assert detail_of('{"death": "slow"}').death is None
