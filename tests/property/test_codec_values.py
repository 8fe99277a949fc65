import json
import string
from datetime import timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from statecore.codec import Registry, decode, encode
from statecore.codec.reading import READERS
from statecore.errors import UnreadableValue, UnstorableValue

calm = settings(deadline=None)  # speed is measured elsewhere

REGISTRY = Registry()
REGISTRY.register(Fraction, "fraction", lambda f: [f.numerator, f.denominator], lambda plain: Fraction(*plain))

ZONES = [ZoneInfo(key) for key in ("UTC", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "Pacific/Apia")]
offsets = st.timedeltas(timedelta(hours=-24, microseconds=1), timedelta(hours=24, microseconds=-1))
zones = st.none() | st.sampled_from(ZONES) | st.builds(timezone, offsets) | st.builds(timezone, offsets, st.text(max_size=5))
folds = st.sampled_from([0, 1])
any_text = st.text(st.characters(exclude_categories=()), max_size=12)
decimals = st.decimals() | st.sampled_from([Decimal("sNaN"), Decimal("-NaN12"), Decimal("1E-999999"), Decimal("-0E+7")])

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(-(2**60), 2**60),
    st.integers(2**2000, 2**2001),
    st.floats(),
    any_text,
    st.binary(max_size=12),
    st.dates(),
    st.timedeltas(),
    decimals,
    st.uuids(),
    st.fractions(),
    st.builds(lambda when, zone, fold: when.replace(tzinfo=zone, fold=fold), st.datetimes(), zones, folds),
    st.builds(lambda when, zone, fold: when.replace(tzinfo=zone, fold=fold), st.times(), zones, folds),
)
hashables = st.recursive(
    scalars.filter(lambda value: not (isinstance(value, Decimal) and value.is_snan())),
    lambda inner: st.lists(inner, max_size=3).map(tuple) | st.frozensets(inner, max_size=3),
    max_leaves=4,
)
keys = hashables | any_text | any_text.map("$".__add__) | st.sampled_from(sorted(READERS))
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.lists(inner, max_size=4).map(tuple),
        st.dictionaries(keys, inner, max_size=4),
        st.dictionaries(any_text, inner, max_size=4),
        st.sets(hashables, max_size=4),
        st.frozensets(hashables, max_size=4),
    ),
    max_leaves=12,
)


def exact(value):
    """All that two values must share to be the same, as text: types, signs, order, zones, folds, digits."""
    kind = type(value).__name__
    if isinstance(value, list | tuple):
        return f"{kind}{[exact(item) for item in value]}"
    if isinstance(value, dict):
        return f"{kind}{[(exact(key), exact(item)) for key, item in value.items()]}"
    if isinstance(value, set | frozenset):
        return f"{kind}{sorted(exact(item) for item in value)}"
    return f"{kind}:{value!r}"  # the repr of a datetime names its zone and fold, that of a float its sign


def halves(value):
    """Whether a str in there is written the same as a different one, as its JSON would join two of its characters."""
    return value.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass") != value


@calm
@given(values)
def test_every_value_comes_back_the_same_or_is_refused(value):
    """A value comes back the same, and the only reason to refuse a plain one is a surrogate pair in halves."""
    try:
        text = encode(value, registry=REGISTRY)
    except UnstorableValue as refusal:
        assert "a surrogate pair in halves" in refusal.why  # noqa: PT017  # a plain value may be refused for this alone
        assert "\\ud" in ascii(value)
        return
    assert text.isascii()
    assert exact(decode(text, REGISTRY)) == exact(value)
    assert encode(decode(text, REGISTRY), registry=REGISTRY) == text


@calm
@given(any_text)
def test_a_str_is_refused_exactly_where_json_would_change_it(value):
    """Every str is kept but those in which JSON would join a pair of surrogates."""
    try:
        assert decode(encode(value)) == value
    except UnstorableValue:
        assert halves(value)
    else:
        assert not halves(value)


@calm
@given(values, values)
def test_equal_texts_are_equal_values(one, other):
    """Two values that differ in anything have different texts."""
    try:
        texts = encode(one, registry=REGISTRY), encode(other, registry=REGISTRY)
    except UnstorableValue:
        assume(False)
    assert (texts[0] == texts[1]) == (exact(one) == exact(other))


# -- hostile texts -----------------------------------------------------------------------------------------------------------------

spellings = st.sampled_from(
    ["nan", "0x20000000000001", "-0x20000000000001", "YQ==", "1E+5", "2024-01-01", "Europe/Berlin", "fraction"]
)
spellings |= st.sampled_from(["2024-10-27T02:30:00", "12:00:00", "00000000-0000-0000-0000-000000000001", "../UTC", "Europe", "UTC"])
plain = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 2**54) | st.floats() | st.text(max_size=4) | spellings,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.sampled_from([*sorted(READERS), "$type", "$x", "a", "b"]), inner, min_size=1, max_size=2),
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: {"$datetime": parts}),
        st.lists(st.tuples(inner, inner), max_size=3).map(lambda pairs: {"$dict": pairs}),
        inner.map(lambda part: {"$type": ["fraction", part]}),
    ),
    max_leaves=8,
)


def read_or_refused(text):
    """Decoding ends in a value that can be stored again and is the same then, or in `UnreadableValue`."""
    try:
        value = decode(text, REGISTRY)
    except UnreadableValue:
        return
    assert exact(decode(encode(value, registry=REGISTRY), REGISTRY)) == exact(value)


@calm
@given(plain.map(lambda value: json.dumps(value, separators=(",", ":"))) | st.text())
def test_a_hostile_text_is_refused_by_one_name(text):
    """Tags over arbitrary content are values or `UnreadableValue`, never another exception."""
    read_or_refused(text)


@calm
@given(values, st.data())
def test_a_damaged_text_is_refused_by_one_name(value, data):
    """A stored text with a few characters changed, lost or added is a value or `UnreadableValue`, never another exception."""
    try:
        text = encode(value, registry=REGISTRY)
    except UnstorableValue:
        assume(False)
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(text)))
        end = data.draw(st.integers(start, min(start + 2, len(text))))
        text = text[:start] + data.draw(st.text(st.sampled_from(string.printable), max_size=2)) + text[end:]
    read_or_refused(text)
