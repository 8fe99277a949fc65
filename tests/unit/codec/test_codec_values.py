import sys
import threading
from collections import OrderedDict, defaultdict, deque
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from decimal import Context, Decimal, localcontext
from pathlib import Path
from subprocess import run
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from statecore.codec import decode, encode
from statecore.errors import UnstorableValue

NAN, INF = float("nan"), float("inf")
BERLIN = ZoneInfo("Europe/Berlin")
NIGHT = datetime(2024, 10, 27, 2, 30)  # noqa: DTZ001  # the hour that Berlin has twice


class Whole(int):
    pass


class Plain:
    pass


class Text(str):
    __slots__ = ()


class Dict(dict):
    pass


class Summer(tzinfo):
    def utcoffset(self, _when):
        return timedelta(hours=2)

    def dst(self, _when):
        return timedelta(0)

    def tzname(self, _when):
        return "summer"


@dataclass(frozen=True)
class Money:
    amount: Decimal
    currency: str


def exact(value):
    """All that two values must share to be the same: types, signs of zero, order of keys, zones, folds, digits."""
    kind = type(value)
    if kind in (list, tuple):
        return kind, [exact(item) for item in value]
    if kind is dict:
        return kind, [(exact(key), exact(item)) for key, item in value.items()]
    if kind in (set, frozenset):
        return kind, sorted(repr(exact(item)) for item in value)
    if kind is timezone:
        return kind, value.utcoffset(None), value.tzname(None)
    if kind in (datetime, time):
        zone = value.tzinfo
        return kind, repr(value.replace(tzinfo=None)), value.fold, zone.key if type(zone) is ZoneInfo else exact(zone)
    return kind, hex(value) if kind is int else repr(value)


KEPT = {
    "none": None,
    "true": True,
    "one": 1,
    "one as a float": 1.0,
    "zero": 0,
    "minus zero": -0.0,
    "the last exact int": 2**53,
    "the first tagged int": 2**53 + 1,
    "a big negative int": -(2**64),
    "an int of 20,000 digits": 10**20_000 + 7,
    "nan": NAN,
    "infinities": [INF, -INF],
    "the smallest float": 5e-324,
    "the largest float": sys.float_info.max,
    "a float that is whole and large": 1e22,
    "empty text": "",
    "control characters": "\x00\x01\x1f\x7f\x85\u2028",
    "quotes and backslashes": '"\\/\n',
    "astral text": "\U0001f600 \u00e9",
    "a lone high surrogate": "a\ud800b",
    "a lone low surrogate": "\udcff",
    "surrogates in the wrong order": "\ude00\ud83d",
    "bytes": b"\x00\xff\n",
    "no bytes": b"",
    "an empty tuple": (),
    "a tuple in a list in a tuple": ([(1,)],),
    "an empty set": set(),
    "a set of mixed types": {1, "1", (1,), None, b"1", frozenset({2})},
    "a set that holds nan": {NAN},
    "an empty dict": {},
    "a dict whose order is not that of its keys": {"b": 1, "a": 2, "c": {"z": 1, "y": 2}},
    "a dict with int keys": {2: "two", 1: "one"},
    "a dict with keys of all types": {None: 1, True: 2, 2.5: 3, (1, "a"): 4, b"k": 5, date(2024, 1, 1): 6},
    "a dict with a key like a tag": {"$tuple": [1, 2], "plain": 3},
    "a dict with the key $": {"$": 1},
    "a dict that looks like its own tag": {"$dict": [["a", 1]]},
    "a dict that looks like a codec": {"$type": ["money", 1]},
    "a dict with an empty key": {"": 0},
    "a naive datetime": datetime(2024, 2, 29, 23, 59, 59, 999_999),  # noqa: DTZ001
    "the first datetime": datetime.min,  # noqa: DTZ901
    "the last datetime in UTC": datetime.max.replace(tzinfo=UTC),
    "a datetime in UTC": datetime(2024, 1, 1, tzinfo=UTC),
    "a datetime at a fixed offset": datetime(2024, 1, 1, tzinfo=timezone(timedelta(hours=-5, seconds=7, microseconds=3))),
    "a datetime at a named offset": datetime(2024, 1, 1, tzinfo=timezone(timedelta(hours=1), "Middle Earth \u2603")),
    "a datetime in a zone": datetime(2024, 6, 1, 12, tzinfo=BERLIN),
    "the first of two equal hours": NIGHT.replace(tzinfo=BERLIN),
    "the second of two equal hours": NIGHT.replace(tzinfo=BERLIN, fold=1),
    "an hour that does not exist": datetime(2024, 3, 31, 2, 30, tzinfo=BERLIN),
    "a naive datetime with a fold": NIGHT.replace(fold=1),
    "a zone whose key says UTC": datetime(2024, 1, 1, tzinfo=ZoneInfo("UTC")),
    "a date": date(1, 1, 1),
    "a time": time(23, 59, 59, 1, fold=1),
    "a time in a zone": time(12, tzinfo=BERLIN),
    "a time in UTC": time(12, tzinfo=UTC),
    "a negative timedelta": timedelta(days=-1, microseconds=1),
    "the longest timedelta": timedelta.max,
    "a decimal with zeros": Decimal("1.10"),
    "decimals that are equal and differ": [Decimal("1E+2"), Decimal(100), Decimal("-0"), Decimal("0E-7")],
    "a long decimal": Decimal("0." + "1234567890" * 10),
    "decimals that are no numbers": [Decimal("NaN"), Decimal("sNaN12"), Decimal("-Infinity")],
    "a uuid": UUID(int=2**128 - 1),
}

LOOP: list = [1]
LOOP.append({"me": LOOP})
RING: dict = {}
RING["out"] = ({"back": RING},)
BOMB: list = ["x"]
for _ in range(60):
    BOMB = [BOMB, BOMB]
WIDE = ["y" * 1000] * 1_000_000

LOCK: Any = threading.Lock()
REFUSED = {
    "a lock in a list in a dict": ({"a": [0, 1, 2, threading.Lock()]}, "$.a[3]", "a lock cannot be stored"),
    "an object": (object(), "$", "an object cannot be stored"),
    "a function": ([print], "$[0]", "a builtin_function_or_method"),
    "a class": ((1, int), "$[1]", "a type"),
    "a subclass of str": (Text("x"), "$", "a Text (a kind of str, which"),
    "a kind of int": ({"c": Whole(1)}, "$.c", "a Whole (a kind of int, which"),
    "a subclass of dict": (Dict(a=1), "$", "a Dict (a kind of dict, which"),
    "a default dict with a factory of its own": ([defaultdict(lambda: 1)], "$[0]", "a defaultdict whose factory"),
    "a lock in a field": ({"price": Money(LOCK, "EUR")}, "$.price.amount", "a lock cannot be stored"),
    "a lock in a deque": (deque([1, threading.Lock()]), "$[1]", "a lock cannot be stored"),
    "a lock in an ordered dict": (OrderedDict(a=threading.Lock()), "$.a", "a lock cannot be stored"),
    "a class of no family": ({"my file": Plain()}, "$['my file']", "a Plain cannot be stored"),
    "a generator": ((n for n in [1]), "$", "a generator"),
    "an exception": (ValueError("x"), "$", "a ValueError"),
    "a subclass of str as a key": ({"a": {1: 1, Text("k"): 1}}, "$.a.keys()[1]", "a Text"),
    "a lock at an int key": ({7: threading.Lock()}, "$[7]", "a lock"),
    "a lock at a tuple key": ({(1,): threading.Lock()}, "$[<tuple>]", "a lock"),
    "a lock at a long key": ({"k" * 500: threading.Lock()}, f"$['{'k' * 39}...]", "a lock"),
    "a lock at a key no terminal prints": ({"\ud800\x1b[2J": threading.Lock()}, r"$['\ud800\x1b[2J']", "a lock"),
    "a kind of int in a set": ({"tags": {Whole(1)}}, "$.tags{}", "a Whole"),
    "a surrogate pair in halves": (["\ud83d\ude00"], "$[0]", "a surrogate pair in halves"),
    "a key with a surrogate pair in halves": ({"\ud83d\ude00": 1}, "$.keys()[0]", "a surrogate pair in halves"),
    "a zone named with halves": (time(tzinfo=timezone(timedelta(0), "\ud83d\ude00")), "$", "a surrogate pair in halves"),
    "a zone that is code": ([datetime(2024, 1, 1, tzinfo=Summer())], "$[0]", "a datetime in a Summer"),
    "a list that holds itself": (LOOP, "$[1].me", "a list contains itself"),
    "a dict that holds itself": ([RING], "$[0].out[0].back", "a dict contains itself"),
    "a value too large": ({"log": ["x" * 600_000] * 2}, "$.log", "more than 1,048,576 bytes"),
    "a key too large": ({"log": {"k" * 1_100_000: 1}}, "$.log", "more than 1,048,576 bytes"),
    "a text too large": ("x" * 1_048_575, "$", "more than 1,048,576 bytes"),
    "a small value that unfolds without end": (BOMB, None, "more than 1,048,576 bytes"),
    "one list a million times": (WIDE, "$", "more than 1,048,576 bytes"),
}


@pytest.mark.spec("RUN-7")
@pytest.mark.parametrize("value", KEPT.values(), ids=KEPT)
def test_an_awkward_value_comes_back_the_same(value):
    """A storable value comes back equal, of the same type, down to signs, order, zones and folds."""
    text = encode(value)
    assert exact(decode(text)) == exact(value)
    assert text.isascii()
    assert encode(decode(text)) == text


@pytest.mark.spec("RUN-7")
@pytest.mark.parametrize(("value", "where", "why"), REFUSED.values(), ids=REFUSED)
def test_an_unstorable_value_is_refused_by_name_and_place(value, where, why):
    """What would not come back the same is refused, and the refusal says where in the value it stands and what it is."""
    with pytest.raises(UnstorableValue) as caught:
        encode(value, limit=1_048_576)
    assert where in (None, caught.value.path)
    assert why in caught.value.why


def test_a_refusal_speaks_one_sentence():
    """The message begins with the path and the reason, in words."""
    with pytest.raises(UnstorableValue, match=r"SC400 \$\.a\[3\]: a lock cannot be stored\. "):
        encode({"a": [0, 1, 2, threading.Lock()]})


def test_plain_data_is_plain_json():
    """JSON's own types stand for themselves, without spaces, in the order of the dict."""
    assert encode({"b": [1, 2.5, True, None], "a": "\u00e9"}) == '{"b":[1,2.5,true,null],"a":"\\u00e9"}'


def test_the_spelling_of_tags_is_pinned():
    """What was stored yesterday is read today: the spelling of each tag is fixed."""
    values = [(1,), {1}, frozenset({2}), {1: 2}, 2**60, INF, b"a", Decimal(1), UUID(int=1), date(2024, 1, 2), timedelta(1, 2, 3)]
    values += [time(1, 2), datetime(2024, 1, 2, tzinfo=UTC), NIGHT.replace(tzinfo=BERLIN, fold=1)]
    assert [encode(value) for value in values] == [
        '{"$tuple":[1]}',
        '{"$set":[1]}',
        '{"$frozenset":[2]}',
        '{"$dict":[[1,2]]}',
        '{"$int":"0x1000000000000000"}',
        '{"$float":"inf"}',
        '{"$bytes":"YQ=="}',
        '{"$decimal":"1"}',
        '{"$uuid":"00000000-0000-0000-0000-000000000001"}',
        '{"$date":"2024-01-02"}',
        '{"$timedelta":[1,2,3]}',
        '{"$time":["01:02:00",null,0]}',
        '{"$datetime":["2024-01-02T00:00:00",[0,null],0]}',
        '{"$datetime":["2024-10-27T02:30:00","Europe/Berlin",1]}',
    ]


def test_a_set_has_one_text_in_every_process():
    """The text of a set depends neither on the order of insertion nor on the hash seed."""
    code = "from statecore.codec import encode; print(encode({'a', 'b', 'c', ('d', 1), b'e'}))"
    texts = {
        run(
            [sys.executable, "-c", code],
            capture_output=True,
            check=True,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
        )
        .stdout.decode()
        .strip()
        for seed in "012"
    }
    assert texts == {encode({"c", "b", "a", ("d", 1), b"e"})}


def test_a_decimal_is_spelled_without_regard_to_the_context():
    """The thread's decimal context changes neither what is written nor what is read."""
    with localcontext(Context(prec=1, capitals=0, traps=[])):
        text = encode(Decimal("1.234E+20"))
        assert str(decode(text)) == "1.234e+20"
    assert text == '{"$decimal":"1.234E+20"}'


def test_a_zone_made_anew_is_stored_while_its_key_gives_an_equal_one():
    """A `ZoneInfo` outside the cache is kept where the value comes back equal, and refused where no comparison can say so."""
    private = ZoneInfo.no_cache("Europe/Berlin")
    assert decode(encode(datetime(2024, 6, 1, tzinfo=private))) == datetime(2024, 6, 1, tzinfo=private)
    with pytest.raises(UnstorableValue, match="a zone's key does not bring back"):
        encode(NIGHT.replace(tzinfo=private))  # Python calls datetimes in a doubled hour of two zone objects unequal


@pytest.mark.parametrize("key", [None, "Europe/Paris", "../etc/passwd", "No/Such_Zone"])
def test_a_zone_from_a_file_is_refused_where_its_key_lies(key):
    """A zone whose key is missing, unsafe or names other rules is refused, for a datetime and for a time."""
    found = next(
        (Path(place) / "Asia/Tokyo" for place in __import__("zoneinfo").TZPATH if (Path(place) / "Asia/Tokyo").exists()), None
    )
    assert found is not None
    with found.open("rb") as file:
        zone = ZoneInfo.from_file(file, key=key)
    with pytest.raises(UnstorableValue, match="a datetime in a ZoneInfo"):
        encode(datetime(2024, 6, 1, tzinfo=zone))
    if key is None:
        with pytest.raises(UnstorableValue, match="a time in a ZoneInfo"):
            encode(time(1, tzinfo=zone))


# -- limits ------------------------------------------------------------------------------------------------------------------------


def nested(depth):
    """An empty list in `depth` - 1 lists."""
    value: list = []
    for _ in range(depth - 1):
        value = [value]
    return value


def test_depth_has_a_limit_that_can_be_set():
    """A hundred containers within one another are stored, one more is refused; the caller may say another number."""
    assert decode(encode(nested(100))) == nested(100)
    with pytest.raises(UnstorableValue, match="more than 100 containers within one another") as caught:
        encode(nested(101))
    assert caught.value.path == "$" + "[0]" * 100
    assert decode(encode(nested(150), depth=150)) == nested(150)
    assert encode(7, depth=0) == "7"
    with pytest.raises(UnstorableValue, match="more than 0 containers"):
        encode([], depth=0)


@pytest.mark.parametrize("around", [lambda v: [v], lambda v: (v,), lambda v: {"k": v}, lambda v: {0: v}, lambda v: frozenset({v})])
def test_every_kind_of_container_counts(around):
    """Lists, tuples, dicts and sets are one level each."""
    value = "leaf"
    for _ in range(3):
        value = around(value)
    assert exact(decode(encode(value, depth=3))) == exact(value)
    with pytest.raises(UnstorableValue, match="more than 2 containers"):
        encode(value, depth=2)


def test_a_value_deeper_than_the_stack_is_refused():
    """Where the caller allows more depth than the interpreter has stack, the refusal has its name all the same."""
    with pytest.raises(UnstorableValue, match="deeper than this stack"):
        encode(nested(50_000), depth=100_000)


def test_the_longest_paths_are_cut_in_the_middle():
    """A path keeps its beginning and its end and never grows without bound."""
    value: object = threading.Lock()
    for _ in range(99):
        value = {"a_rather_long_name": value}
    with pytest.raises(UnstorableValue) as caught:
        encode(value)
    assert len(caught.value.path) < 410
    assert caught.value.path.startswith("$.a_rather_long_name.a_rather")
    assert caught.value.path.endswith(".a_rather_long_name")


def test_size_has_a_limit_that_can_be_set():
    """The limit counts the bytes of the whole text, in every shape of value."""
    assert encode("x" * 8, limit=10) == '"xxxxxxxx"'
    for value in ("x" * 9, ["x" * 7], {"k": "x" * 20}, {1: "x" * 20}, [1] * 20, ("x" * 4,), b"123", [[["xxx"]]]):
        with pytest.raises(UnstorableValue, match="more than 10 bytes"):
            encode(value, limit=10)


def test_a_dict_with_odd_keys_at_every_level_is_written_once():
    """Tagged dicts within one another take no more steps than there are levels."""
    value: object = 0
    for _ in range(99):
        value = {"plain": 1, 2: value}
    assert decode(encode(value)) == value
