"""Texts that are put together of remembered parts are those that writing them whole would give."""

from __future__ import annotations

import json
from hashlib import sha256

from hypothesis import given
from hypothesis import strategies as st

from statecore.codec.records import dump_state, load_state
from statecore.core import Cursor, Ref, State
from statecore.stores import Body, Entry
from statecore.stores.links import digest, link
from statecore.stores.rules import held_text
from statecore.stores.sql.rows import read_held

ODD = st.text(st.characters(exclude_categories=["Cs"]), max_size=8) | st.sampled_from(['"', "\\", "é", "a/b", "\x00"])
TURNS = st.lists(st.integers(0, 10**6), max_size=3).map(tuple)
REFS = st.builds(Ref, ODD, TURNS, st.integers(0, 9))
BODIES = st.builds(Body, ODD, st.none() | ODD)
ENTRIES = st.builds(
    Entry, st.integers(1, 10**9), ODD, ODD, TURNS, st.integers(0, 9), ODD, ODD, ODD, st.integers(0, 2**62), body=BODIES
)


def whole(plain):
    """JSON as it is written in one go."""
    return json.dumps(plain, separators=(",", ":"))


@given(st.binary(min_size=32, max_size=32), ODD, ENTRIES)
def test_a_link_covers_every_column_of_its_row(previous, run_id, entry):
    """A link is the hash of the one before and of the whole row as JSON, each time it is asked for."""
    e, value = entry, entry.body.value
    address = digest(value) if value is not None else None
    where = [e.machine, e.at, e.turn, e.attempt, e.source, e.trigger, e.dest]
    row = [run_id, e.seq, *where, e.time, e.body.detail, address.hex() if address is not None else None]
    wanted = sha256(previous + whole(row).encode()).digest()
    assert [link(previous, run_id, e), link(previous, run_id, e, address)] == [wanted, wanted]


@given(st.dictionaries(REFS, st.integers(1, 10**9), max_size=4))
def test_what_is_held_is_written_as_one_array(held):
    """Where outputs lie is an array of arrays, and is read back as it was."""
    assert held_text(held) == whole([[*ref, seq] for ref, seq in held.items()])
    assert read_held(held_text(held)) == held


@given(st.sampled_from(["running", "paused"]), REFS)
def test_equal_states_have_one_text(phase, ref):
    """A state that was made anew has the text of the one before, and the text brings it back."""
    first, again = (State(phase, (Cursor(ref.at, "running", ref.turn, ref.attempt, ref, ref),)) for _ in range(2))
    assert dump_state(first) == dump_state(again)
    assert load_state(dump_state(again)) == first
