"""What the functions of format 3 promise beyond their vectors: injective, total, and an erased value cannot be found again."""

from __future__ import annotations

import ast
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from statecore.errors import OutsideFormat, UnstorableValue
from statecore.stores import frames
from statecore.stores.frames import chain, framing, questions
from tests.format3.product import RECORDS

PARTS = st.lists(st.none() | st.binary(max_size=20) | st.sampled_from([b"", b"\xff" * 8, bytes(8), bytes(7) + b"\1"]), max_size=6)
TAGS = st.sampled_from(["event", "run", "event.by", "leaf"])
HASHES = st.binary(min_size=32, max_size=32)
NUMBERS = st.integers(-(2**63), 2**63 - 1)
TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12)
VALUES = {
    "text": TEXTS,
    "number": NUMBERS,
    "hash": HASHES,
    "hashes": st.lists(HASHES, min_size=1, max_size=3),
    "texts": st.lists(TEXTS, max_size=3),
    "hash by text": st.dictionaries(TEXTS, HASHES, max_size=3),
    "shown": st.lists(st.tuples(TEXTS, st.none() | TEXTS, HASHES), max_size=3),
}


def unframe(whole: bytes) -> list[bytes | None]:
    """The parts of a frame."""
    found: list[bytes | None] = []
    while whole:
        size, whole = whole[:8], whole[8:]
        if size == b"\xff" * 8:
            found.append(None)
        else:
            end = int.from_bytes(size, "big")
            assert end <= len(whole)
            found.append(whole[:end])
            whole = whole[end:]
    return found


def record_values(name):
    """Values of each part of a record."""
    parts = RECORDS[name].parts
    return st.fixed_dictionaries(
        {part: VALUES[kind.name] | st.none() if kind.optional else VALUES[kind.name] for part, kind in parts.items()}
    )


# -- frames ------------------------------------------------------------------------------------------------------------------------


@given(TAGS, PARTS)
def test_a_frame_can_be_read_back(tag, parts):
    """From the bytes come the tag and the parts again, so no two inputs have the same bytes."""
    assert unframe(framing.frame(tag, *parts)) == [b"statecore/3/" + tag.encode(), *parts]


@given(TAGS, PARTS, TAGS, PARTS)
def test_two_inputs_have_two_frames(tag, parts, other_tag, other_parts):
    """Different tags or parts never have the same frame."""
    assume((tag, parts) != (other_tag, other_parts))
    assert framing.frame(tag, *parts) != framing.frame(other_tag, *other_parts)


@given(st.data(), st.sampled_from(sorted(RECORDS)))
def test_two_records_have_two_frames(data, name):
    """A record whose values differ in any part has another frame; also where a part is missing, and where a list is cut otherwise."""
    one, other = data.draw(record_values(name)), data.draw(record_values(name))
    part = data.draw(st.sampled_from(sorted(one)))
    changed = {**one, part: other[part]}
    assert (RECORDS[name].framed(**one) == RECORDS[name].framed(**changed)) == (one[part] == other[part])


def test_a_number_is_no_text_and_no_truth():
    """Where a number belongs neither its decimal text nor a bool is taken, and where a text belongs no number is."""
    for wrong in ("1", True, 1.0, None, b"1"):
        with pytest.raises(OutsideFormat):
            chain.CANCEL.digest(run_id="r", by=None, time_us=wrong)
    for wrong in (1, None, b"r"):
        with pytest.raises(OutsideFormat):
            chain.CANCEL.digest(run_id=wrong, by=None, time_us=1)


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1])
def test_a_number_beyond_64_bits_is_refused(number):
    """A number that the databases cannot hold is refused by name."""
    with pytest.raises(OutsideFormat, match=r"time_us .* 64 bits"):
        chain.CANCEL.digest(run_id="r", by=None, time_us=number)


def test_odd_texts_are_refused():
    """A lone surrogate is no text anywhere; a NUL is none in a name, and some in a body."""
    with pytest.raises(UnstorableValue, match="surrogate"):
        chain.CANCEL.digest(run_id="\ud800", by=None, time_us=1)
    with pytest.raises(UnstorableValue, match="surrogate"):
        framing.commitment("event.value", bytes(16), "\udfff")
    with pytest.raises(OutsideFormat, match="NUL"):
        chain.CANCEL.digest(run_id="a\0", by=None, time_us=1)
    assert framing.commitment("event.value", bytes(16), "\0") == framing.commitment("event.value", bytes(16), b"\0")


def test_records_take_their_parts_and_no_others():
    """A missing part, one more, a wrong length and an empty list are refused."""
    for values in (
        {"run_id": "r", "by": None},
        {"run_id": "r", "by": None, "time_us": 1, "when": 2},
        {"run_id": "r", "by": b"\1" * 31, "time_us": 1},
    ):
        with pytest.raises(OutsideFormat):
            chain.CANCEL.digest(**values)
    for wrong in ([], [b"x"], b"x" * 32, "x"):
        with pytest.raises(OutsideFormat):
            framing.hashes("asked", wrong)
    for call in (lambda: framing.texts("roles", "finance"), lambda: framing.hash_by_text("slices", [("a", b"\1" * 32)])):
        with pytest.raises(OutsideFormat):
            call()


@pytest.mark.parametrize("tag", ["", "Event", "event.", "a.b.c", "event by", "statecore/3/event"])
def test_odd_tags_are_refused(tag):
    """A tag is a word, or two with a dot."""
    with pytest.raises(OutsideFormat):
        framing.frame(tag)


def test_parts_are_bytes():
    """A text or a number has to be made a part first: nothing is guessed."""
    odd: list[Any] = ["a", 1, bytearray(b"a"), memoryview(b"a")]
    for wrong in odd:
        with pytest.raises(OutsideFormat):
            framing.frame("event", wrong)


# -- moves, places, numbers --------------------------------------------------------------------------------------------------------

PLACES = st.lists(st.tuples(st.lists(st.integers(0, 2**63 - 1), max_size=3).map(tuple), st.integers(0, 2**63 - 1)), max_size=4)


@given(PLACES)
def test_places_are_written_in_one_way(places):
    """Turns and attempts come back as they were."""
    assert chain.places(chain.placed(places), len(places)) == places


@pytest.mark.parametrize("place", ["", ":0", "01:0", "1:00", "1.:0", ".1:0", "1", ":1;", "-1:0", "1:0;:0", ":\u0661", f"{2**63}:0"])
def test_other_places_are_refused(place):
    """What `placed` does not write for one move is no place."""
    with pytest.raises(OutsideFormat):
        chain.places(place, 1)


def test_negative_turns_are_refused():
    """A turn and an attempt count from 0."""
    for wrong in ([((-1,), 0)], [((), -1)]):
        with pytest.raises(OutsideFormat):
            chain.placed(wrong)


def test_a_shape_has_63_bits():
    """The number of a list is never negative and takes the first 63 bits, none of the others."""
    assert chain.shape_number(b"\xff" * 32) == 2**63 - 1
    assert chain.shape_number(b"\0" * 7 + b"\1" + b"\xff" * 24) == 0
    assert chain.shape_number(b"\x80" + bytes(31)) == 2**62


@pytest.mark.parametrize(
    ("run", "number", "said"),
    [
        (2**39, 1, "Run number 549755813888"),
        (0, 1, "Run number 0"),
        (1, 2**24, "Event number 16777216"),
        (1, 0, "Event number 0"),
        (-1, 1, "Run"),
    ],
)
def test_numbers_beyond_the_format_are_refused_by_name(run, number, said):
    """The run after the last and the event after the last are refused, each by its name."""
    with pytest.raises(OutsideFormat, match=said):
        questions.event_id(run, number)


def test_other_numbers_are_no_events():
    """A number whose run or event would be 0 is no event's."""
    for wrong in (0, 1, 1 << 24, -1, 2**63):
        with pytest.raises(OutsideFormat):
            questions.run_and_number(wrong)


@given(st.tuples(st.integers(1, 2**39 - 1), st.integers(1, 2**24 - 1)))
def test_an_event_has_one_number(pair):
    """Run and event come back from the number, which fits 63 bits."""
    assert questions.run_and_number(questions.event_id(*pair)) == pair
    assert 0 < questions.event_id(*pair) < 2**63


def test_ids_of_putting_again():
    """An id of a second time is never taken for one of a first."""
    for wrong in (("a:error:0@2", 2), ("a:error:0", 0)):
        with pytest.raises(OutsideFormat):
            questions.put_again(*wrong)


@given(TEXTS, TEXTS, TEXTS, TEXTS)
def test_questions_have_names_of_their_own(run, pause, other_run, other_pause):
    """Run and question cannot be cut otherwise; a name is 28 characters that fit a path."""
    name = questions.question_id(run, pause)
    assert (name == questions.question_id(other_run, other_pause)) == ((run, pause) == (other_run, other_pause))
    assert len(name) == 28
    assert name.isascii()
    assert name.replace("_", "").isalnum()


def test_calls_of_two_stores_have_two_keys():
    """The key of a call is that of its run's identity: two runs of one id in two stores have two keys, a rejected review makes another."""
    keys = {
        questions.call_key(identity, "pay", turn, rejected, rounds)
        for identity in (bytes(32), b"\1" * 32)
        for turn, rejected, rounds in (((), 0, 0), ((0,), 0, 0), ((), 1, 0), ((), 0, 1))
    }
    assert len(keys) == 8
    with pytest.raises(OutsideFormat):
        questions.call_key(bytes(32), "pay", (-1,), 0, 0)


def test_keys_of_callers_are_bounded():
    """A key of 1 to 1,024 bytes is taken as it is."""
    assert questions.checked_key("\xe9" * 512) == "\xe9" * 512
    for wrong in ("", "x" * 1_025, "\xe9" * 513, "a\0"):
        with pytest.raises(OutsideFormat):
            questions.checked_key(wrong)


# -- seals, questions, leaves ------------------------------------------------------------------------------------------------------


def test_a_seal_needs_key_and_name():
    """A key without a name, a name without a key, a short key and an empty name are refused."""
    for kid, key in (("k", None), (None, bytes(32)), ("k", bytes(31)), ("k", bytes(33)), ("", bytes(32))):
        with pytest.raises(OutsideFormat):
            chain.seal(bytes(32), kid, key)
    with pytest.raises(OutsideFormat):
        chain.seal(bytes(31))


def test_a_slice_has_one_component_an_address():
    """Two components at one address are no slice, and the order of components, facts and stops does not matter."""
    one, other = questions.Component("a", "step"), questions.Component("b", "step", facts=frozenset({"x", "y"}))
    assert questions.slice_digest(questions.Slice((), (one, other))) == questions.slice_digest(questions.Slice((), (other, one)))
    with pytest.raises(OutsideFormat):
        questions.slice_digest(questions.Slice((), (one, one)))


@given(st.data())
def test_every_part_of_a_component_counts(data):
    """A component that differs in any part is another slice."""
    parts = {
        "at": TEXTS, "kind": TEXTS, "callable": st.none() | TEXTS, "version": st.none() | NUMBERS, "facts": st.frozensets(TEXTS, max_size=3),
        "iterations": st.none() | NUMBERS, "reviews": st.none() | NUMBERS, "seats": st.none() | NUMBERS,
        "edges": st.lists(st.tuples(TEXTS, TEXTS), max_size=3).map(tuple),
    }  # fmt: skip
    one, other = data.draw(st.fixed_dictionaries(parts)), data.draw(st.fixed_dictionaries(parts))
    part = data.draw(st.sampled_from(sorted(parts)))
    first, second = (
        questions.slice_digest(questions.Slice((("confirm", "a"),), (questions.Component(**each),)))
        for each in (one, {**one, part: other[part]})
    )
    assert (first == second) == (one[part] == other[part])


@given(st.lists(HASHES, max_size=20))
def test_the_root_is_that_of_the_rfc(found):
    """The loop finds what the recursion of RFC 6962 says."""

    def root(some):
        if len(some) < 2:
            return some[0] if some else sha256().digest()
        k = 1 << ((len(some) - 1).bit_length() - 1)
        return sha256(b"\1" + root(some[:k]) + root(some[k:])).digest()

    assert chain.root(found) == root(found)


def test_a_purged_run_keeps_its_leaves():
    """From a tombstone alone both leaves of a run come again, and with them the root."""
    identity, head = bytes([1]) * 32, bytes([2]) * 32
    all_leaves = [chain.begun("a", identity), chain.begun("b", head), chain.ended("a", 7, head)]
    tombstone: dict[str, Any] = {"run_id": "a", "identity": identity, "number": 7, "head": head}
    again = [
        chain.begun(tombstone["run_id"], tombstone["identity"]),
        all_leaves[1],
        chain.ended(tombstone["run_id"], tombstone["number"], tombstone["head"]),
    ]
    assert chain.root(again) == chain.root(all_leaves)
    assert chain.root([all_leaves[0], all_leaves[2]]) != chain.root(all_leaves)
    with pytest.raises(OutsideFormat):
        chain.root([b"x"])


def test_the_package_is_pure():
    """No clock, no chance and no IO: the modules import hashes, texts and the errors, and nothing else."""
    allowed = {
        "__future__",
        "attrs",
        "base64",
        "collections.abc",
        "functools",
        "hashlib",
        "hmac",
        "re",
        "struct",
        "typing",
        "statecore.errors",
    }
    paths = sorted(Path(frames.__path__[0]).glob("*.py"))
    imports = [node for path in paths for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))]
    names = {alias.name for node in imports if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module or "" for node in imports if isinstance(node, ast.ImportFrom) and not node.level}
    assert len(paths) == 4
    assert names - allowed == set()


PLAIN_PAUSE: dict[str, Any] = {
    "rule": None,
    "choices": None,
    "names": None,
    "shown": [],
    "put": 1,
    "consequences": None,
    "seen": None,
    "meanings": None,
}


@given(st.data())
def test_what_is_written_out_is_the_record(data):
    """The digests that are made often are written out, part by part; they are those of their records, whatever the values are."""
    hot, run = data.draw(record_values("hot")), data.draw(record_values("run"))
    assert chain.hot_hash(**hot) == chain.HOT.digest(**hot)
    bodies, given_ = (run["session"], run["user"], run["requester"]), (run["input"], run["additional"], run["metadata"])
    who, what = (
        (run["workflow_id"], run["workflow_name"]),
        (run["definition"], run["workflow_version"], run["rules"], run["start_key"]),
    )
    assert chain.run_hash(run["run_id"], who, bodies, run["created_us"], given_, *what) == chain.RUN.digest(**run)
    pause = data.draw(record_values("pause")) | PLAIN_PAUSE
    place = (pause["at"], pause["turn"], pause["attempt"], pause["step_name"])
    until = (pause["deadline_us"], pause["on_timeout"], tuple(pause["words"]), pause["max_bytes"])
    shown, opened = (pause["message"], pause["form"]), (pause["opened"], pause["opened_us"])
    assert questions.pause_hash(
        pause["run_id"], pause["pause_id"], pause["kind"], pause["put"], shown, place, opened, *until
    ) == questions.PAUSE.digest(**pause)
    named = (pause["rule"], pause["names"])
    parts = questions.asked_parts(pause["run_id"], pause["pause_id"], pause["kind"], shown, named)
    asked = {name: pause[name] for name in questions.ASKED}
    slices = data.draw(record_values("question"))["slices"]
    assert questions.question_hash(parts, slices) == questions.QUESTION.digest(**asked, slices=slices)
    assert framing.hashes_of(slices) == framing.HASH_BY_TEXT.encode("slices", slices)
    word = data.draw(record_values("word"))
    assert questions.word_hash(parts, word["word"], word["slice"]) == questions.WORD.digest(
        **asked, word=word["word"], slice=word["slice"]
    )
    decision = data.draw(record_values("decision")) | {"seen": None, "meaning": None, "last_act": None}
    said = [decision[name] for name in ("pause", "word", "decided_us", "by", "login", "via", "answer", "comment", "key")]
    assert questions.decision_hash(*said) == questions.DECISION.digest(**decision)


def test_what_is_written_out_refuses_as_the_record_does():
    """A bool, a number beyond 64 bits, a NUL, a lone surrogate and a hash of another length are refused there, too."""
    right: Any = ["r", "running", 1, None, 1, "f", 1, bytes(32), "[]", "[]", None]
    for place, wrong, error in (
        (2, True, OutsideFormat),
        (4, 2**63, OutsideFormat),
        (0, "a\0", OutsideFormat),
        (8, "\ud800", UnstorableValue),
        (7, bytes(31), OutsideFormat),
        (1, 5, OutsideFormat),
    ):
        changed: Any = [wrong if n == place else each for n, each in enumerate(right)]
        with pytest.raises(error):
            chain.hot_hash(*changed)
