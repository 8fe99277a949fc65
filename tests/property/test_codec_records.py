import string

from hypothesis import given, settings
from hypothesis import strategies as st

from statecore.codec import dump_state, load_state
from statecore.codec.records import EARLY, PHASES, RUN_PHASES
from statecore.core import Cursor, Frame, Gather, Ref, State
from statecore.core.state import UNMARKED, Ending, Marks
from statecore.errors import UnreadableValue
from tests.sizes import examples

calm = settings(max_examples=examples(50), deadline=None)  # speed is measured elsewhere

counts = st.integers(0, 2**70)
turns = st.lists(counts, max_size=3).map(tuple)
addresses = st.text(max_size=8)
refs = st.none() | st.builds(Ref, addresses, turns, counts)
sources = st.recursive(
    refs, lambda inner: st.builds(Gather, st.lists(st.tuples(addresses, inner), max_size=3).map(tuple)), max_leaves=4
)
marks = st.builds(Marks, counts, counts, counts, counts, sources, sources, st.booleans(), st.none() | counts)
cursors = st.builds(Cursor, addresses, st.sampled_from(sorted(PHASES)), turns, counts, sources, sources, st.just(UNMARKED) | marks)
done = st.lists(st.tuples(addresses, sources), max_size=2).map(tuple)
frames = st.builds(Frame, addresses, turns, sources, sources, counts, marks, st.lists(addresses, max_size=2).map(tuple), done)
endings = st.builds(Ending, addresses, addresses, turns, st.sampled_from(sorted(EARLY)), sources, sources)
states = st.builds(
    State,
    st.sampled_from(sorted(RUN_PHASES)),
    st.lists(cursors, max_size=3).map(tuple),
    sources,
    st.lists(frames, max_size=2).map(tuple),
    st.lists(endings, max_size=2).map(tuple),
)


@calm
@given(states)
def test_every_state_comes_back_the_same(state):
    """A state comes back equal and of the same types, and has one text."""
    text = dump_state(state)
    loaded = load_state(text)
    assert loaded == state
    assert repr(loaded) == repr(state)
    assert dump_state(loaded) == text
    assert text.isascii()


@calm
@given(states, states)
def test_states_that_differ_have_different_texts(one, other):
    """The text tells any two states apart."""
    assert (dump_state(one) == dump_state(other)) == (one == other)


@calm
@given(states, st.data())
def test_a_damaged_state_is_refused_by_one_name(state, data):
    """A text with a few characters changed, lost or added holds a state in full form, or is `UnreadableValue`."""
    text = dump_state(state)
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(text)))
        end = data.draw(st.integers(start, min(start + 2, len(text))))
        text = text[:start] + data.draw(st.text(st.sampled_from(string.printable), max_size=2)) + text[end:]
    try:
        loaded = load_state(text)
    except UnreadableValue:
        return
    assert load_state(dump_state(loaded)) == loaded
