import pytest
from attrs import fields

from statecore.codec import dump_state, load_state
from statecore.codec.records import PARTS
from statecore.core import BEGINNING, Cursor, Ref, State
from statecore.errors import UnreadableValue

BUSY = State(
    "paused",
    (
        Cursor("intake/review", "awaiting_confirmation", (2, 0), 1, Ref("intake/fetch", (2,), 3), Ref("start", (), 0)),
        Cursor("zeta", "running", interrupts=2),
    ),
)
BUSY_TEXT = (
    '[1,"paused",[["intake/review","awaiting_confirmation",[2,0],1,["intake/fetch",[2],3],["start",[],0],0],'
    '["zeta","running",[],0,null,null,2]],null]'
)
DONE = State("completed", (), Ref("a", (), 0))
CURSOR = '["a","running",[],0,null,null,0]'


def test_the_text_of_a_state_is_pinned():
    """What was parked yesterday is loaded today: the text of a state is fixed, and names its format first."""
    assert dump_state(BEGINNING) == '[1,"pending",[],null]'
    assert dump_state(DONE) == '[1,"completed",[],["a",[],0]]'
    assert dump_state(BUSY) == BUSY_TEXT


@pytest.mark.parametrize("state", [BEGINNING, BUSY, DONE])
def test_a_state_comes_back_equal_and_of_the_same_types(state):
    """A loaded state equals the dumped one and hashes alike, with tuples and references where they were."""
    loaded = load_state(dump_state(state))
    assert loaded == state
    assert hash(loaded) == hash(state)
    assert repr(loaded) == repr(state)


def test_no_part_of_a_state_is_left_out():
    """The classes have the parts that the codec writes, and no others."""
    assert {part.name for part in fields(Cursor)} == set(PARTS)
    assert [part.name for part in fields(State)] == ["run", "cursors", "result"]
    assert Ref._fields == ("at", "turn", "attempt")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "{}",
        "[]",
        "[1]",
        '[1,"paused",[],null] ',
        ' [1,"paused",[],null]',
        '[1,"paused",[],null,null]',
        '[true,"paused",[],null]',
        '["1","paused",[],null]',
        '[1,"asleep",[],null]',
        '[1,"evaluating",[],null]',
        "[1,[],[],null]",
        '[1,"paused",{},null]',
        '[1,"paused",null,null]',
        '[1,"paused",[null],null]',
        '[1,"paused",[[]],null]',
        f'[1,"paused",[{CURSOR[:-1]},0]],null]',
        '[1,"paused",[[1,"running",[],0,null,null,0]],null]',
        '[1,"paused",[["a","walking",[],0,null,null,0]],null]',
        '[1,"paused",[["a",[],[],0,null,null,0]],null]',
        '[1,"paused",[["a","running",null,0,null,null,0]],null]',
        '[1,"paused",[["a","running",[true],0,null,null,0]],null]',
        '[1,"paused",[["a","running",[-1],0,null,null,0]],null]',
        '[1,"paused",[["a","running",[],0.0,null,null,0]],null]',
        '[1,"paused",[["a","running",[],NaN,null,null,0]],null]',
        '[1,"paused",[["a","running",[],-1,null,null,0]],null]',
        '[1,"paused",[["a","running",[],0,0,null,0]],null]',
        '[1,"paused",[["a","running",[],0,["a",[]],null,0]],null]',
        '[1,"paused",[["a","running",[],0,[1,[],0],null,0]],null]',
        '[1,"paused",[["a","running",[],0,null,["a",[],true],0]],null]',
        '[1,"paused",[["a","running",[],0,null,["a",[],-1],0]],null]',
        '[1,"paused",[],["a",{},0]]',
        '[1,"paused",[],"a"]',
        f'[1,"paused",[["a","running",[],{"1" * 5_000},null,null,0]],null]',
        "[" * 200_000,
        None,
        b'[1,"paused",[],null]',
    ],
)
def test_a_text_that_holds_no_state_is_unreadable(text):
    """Every damaged part is refused by one name."""
    with pytest.raises(UnreadableValue):
        load_state(text)


def test_another_format_is_named():
    """A state in a format of another release is refused as such, whatever follows."""
    with pytest.raises(UnreadableValue, match="this release reads 1"):
        load_state('[2,"anything"]')
