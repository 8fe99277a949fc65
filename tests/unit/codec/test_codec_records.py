import pytest
from attrs import evolve, fields

from statecore.codec import dump_state, load_state
from statecore.codec.records import CLASSES, LATE, LATELY, PARTS, REMEMBERED, TEXTS
from statecore.core import BEGINNING, Cursor, Frame, Gather, Ref, State
from statecore.core.state import Ending, Marks
from statecore.errors import UnreadableValue

REF = Ref("start", (), 0)
GATHERED = Gather((("left", REF), ("right", None)))
BUSY = State(
    "paused",
    (
        Cursor(
            "intake/review",
            "awaiting_review",
            (2, 0),
            1,
            Ref("intake/fetch", (2,), 3),
            REF,
            Marks(1, 2, 3, 4, REF, GATHERED, True, 5),
        ),
        Cursor("zeta", "running", marks=Marks(interrupts=2)),
    ),
    None,
    (Frame("intake", (2,), REF, GATHERED, 1, Marks(reviews=1), ("intake/a",), (("intake/b", None),)),),
    (Ending("", "zeta", (), "finish", REF, REF),),
)
BUSY_TEXT = (
    '[1,"paused",[["intake/review","awaiting_review",[2,0],1,["intake/fetch",[2],3],["start",[],0],'
    '[1,2,3,4,["start",[],0],[[["left",["start",[],0]],["right",null]]],true,5]],'
    '["zeta","running",[],0,null,null,[2,0,0,0,null,null,false,null]]],null,'
    '[["intake",[2],["start",[],0],[[["left",["start",[],0]],["right",null]]],1,[0,0,0,1,null,null,false,null],["intake/a"],[["intake/b",null]]]],'
    '[["","zeta",[],"finish",["start",[],0],["start",[],0]]]]'
)
DONE = State("completed", (), Ref("a", (), 0))
MARKS = "[2,0,0,0,null,null,false,null]"


def cursor(  # noqa: PLR0913  # the parts of a cursor
    at='"a"', phase='"running"', turn="[]", attempt="0", prev="null", last="null", marks="[]"
):
    """The text of a paused state with one cursor."""
    return f'[1,"paused",[[{at},{phase},{turn},{attempt},{prev},{last},{marks}]],null,[],[]]'


def frame(*parts):
    """The text of a paused state with one frame."""
    return f'[1,"paused",[],null,[[{",".join(parts)}]],[]]'


def test_the_text_of_a_state_is_pinned():
    """What was parked yesterday is loaded today: the text of a state is fixed, and names its format first."""
    assert dump_state(BEGINNING) == '[1,"pending",[],null,[],[]]'
    assert dump_state(DONE) == '[1,"completed",[],["a",[],0],[],[]]'
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
    assert {part.name for kind in CLASSES for part in fields(kind)} == set(PARTS)
    assert [part.name for part in fields(State) if part.init] == ["run", "cursors", "result", "frames", "endings"]
    assert (Ref._fields, Gather._fields) == (("at", "turn", "attempt"), ("branches",))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "{}",
        "[]",
        "[1]",
        '[1,"paused",[],null]',
        '[1,"paused",[],null,[],[]] ',
        ' [1,"paused",[],null,[],[]]',
        '[1,"paused",[],null,[],[],[]]',
        '[true,"paused",[],null,[],[]]',
        '["1","paused",[],null,[],[]]',
        '[1,"asleep",[],null,[],[]]',
        '[1,"evaluating",[],null,[],[]]',
        "[1,[],[],null,[],[]]",
        '[1,"paused",{},null,[],[]]',
        '[1,"paused",null,null,[],[]]',
        '[1,"paused",[null],null,[],[]]',
        '[1,"paused",[[]],null,[],[]]',
        '[1,"paused",[],null,{},[]]',
        '[1,"paused",[],null,[],[[]]]',
        '[1,"paused",[],null,[],[["","a",[],"explode",null,null]]]',
        cursor(at="1"),
        cursor(phase='"walking"'),
        cursor(phase="[]"),
        cursor(turn="null"),
        cursor(turn="[true]"),
        cursor(turn="[-1]"),
        cursor(attempt="0.0"),
        cursor(attempt="NaN"),
        cursor(attempt="-1"),
        cursor(attempt="1" * 5_000),
        cursor(prev="0"),
        cursor(prev='["a",[]]'),
        cursor(prev="[1,[],0]"),
        cursor(last='["a",[],true]'),
        cursor(last='["a",[],-1]'),
        cursor(last="[null]"),
        cursor(last='[[["a"]]]'),
        cursor(last="[[[1,null]]]"),
        cursor(last="[[0]]"),
        cursor(marks="null"),
        cursor(marks="{}"),
        cursor(marks="[0,0,0,0,null,null,false,null]"),
        cursor(marks=MARKS.replace("false", "0")),
        cursor(marks=MARKS.replace("false,null", "false,-1")),
        frame('"a"', "[]", "null", "null", "0", "[]", "null", "[]"),
        frame('"a"', "[]", "null", "null", "0", "[]", "[1]", "[]"),
        frame('"a"', "[]", "null", "null", "0", "[]", "[]", "null"),
        '[1,"paused",[],["a",{},0],[],[]]',
        '[1,"paused",[],"a",[],[]]',
        "[" * 200_000,
        None,
        b'[1,"paused",[],null,[],[]]',
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


def test_only_so_many_texts_are_remembered():
    """A text is written once while it is remembered; where there are too many of them, all are forgotten, and texts stay what they were."""
    assert dump_state(BUSY) is dump_state(evolve(BUSY)) == BUSY_TEXT
    for n in range(REMEMBERED):
        dump_state(State("running", (Cursor(f"s{n}", "running"),), None))
    assert 0 < len(TEXTS) <= REMEMBERED
    assert BUSY not in TEXTS
    assert dump_state(BUSY) == BUSY_TEXT


def test_a_long_text_is_read_once_while_it_is_remembered():
    """The state of a long text comes back equal and is not read again at once; of such texts a few are remembered."""
    states = [State("running", tuple(Cursor(f"s{n}-{m}", "running") for m in range(100)), None) for n in range(LATE + 1)]
    texts = [dump_state(state) for state in states]
    LATELY.clear()
    for text, state in zip(texts, states, strict=True):
        found = load_state(text)
        assert found == state
        assert load_state(text) is found
        assert len(LATELY) <= LATE
