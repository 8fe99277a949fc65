import sys
from typing import Any

import numpy as np
import pandas as pd
import pytest

from statecore import register_numpy, register_pandas
from statecore.codec import CODECS, Registry, decode, decode_plain, encode
from statecore.errors import MissingExtra, UnstorableValue

REGISTRY = Registry()
register_pandas(REGISTRY)
ARRAYS: dict[str, Any] = {
    "ints": np.arange(3),
    "floats in two dimensions": np.zeros((2, 3), dtype="f4"),
    "many floats": np.linspace(0, 1, 3_000).reshape(3, 1_000),
    "bools": np.array([True, False]),
    "texts": np.array(["a", "bc"]),
    "objects": np.array([1, "x", None, [1, 2]], dtype=object),
    "complex numbers": np.array([1j, -0.0]),
    "times": np.array(["2024-01-01", "2025-01-01"], dtype="M8[ns]"),
    "no dimension": np.array(5),
    "nothing": np.zeros((0, 3)),
    "big endian": np.arange(3, dtype=">i4"),
    "a float": np.float32(1.1),
    "an int": np.int64(-3),
    "a bool": np.bool_(True),
    "a complex number": np.complex64(1j),
    "a long float": np.longdouble(1) / 3,
    "a day": np.datetime64("2024-01-01"),
    "a time": np.timedelta64(3, "s"),
    "a text": np.str_("ab"),
}


@pytest.mark.spec("VALUE-1")
@pytest.mark.parametrize("name", ARRAYS)
def test_arrays_come_back_equal_and_of_their_type(name):
    """An array or a scalar comes back with its type, its dtype, its shape and its numbers."""
    value = ARRAYS[name]
    back = decode(encode(value, registry=REGISTRY), REGISTRY)
    assert (type(back), back.dtype, back.shape) == (type(value), value.dtype, value.shape)
    assert np.array_equal(back, value)


@pytest.mark.spec("VALUE-2")
def test_few_numbers_are_readable():
    """A short array is stored as a list, so that a process without the codec shows its numbers."""
    assert decode_plain(encode(np.arange(3), registry=REGISTRY), Registry())["items"] == [0, 1, 2]


FRAME = pd.DataFrame(
    {
        "a": [1, 2, 3],
        "b": ["x", "y", None],
        "c": pd.to_datetime(["2024-01-01", "2024-01-02", None]),
        "d": pd.Categorical(["u", "v", "u"], ordered=True),
        "e": pd.array([1, None, 3], dtype="Int64"),
        "f": pd.to_datetime(["2024-01-01", "2024-01-02", None], utc=True).tz_convert("Europe/Berlin"),
        "g": [1.5, float("nan"), 2.0],
        "h": pd.Series([1, "x", None], dtype=object),
        "i": pd.to_timedelta([1, 2, 3], unit="h"),
    },
    index=pd.Index(["r1", "r2", "r3"], name="k"),
)
DAYS = pd.DataFrame({1: [1, 2]}, index=pd.date_range("2024-01-01", periods=2, freq="D"))


@pytest.mark.spec("VALUE-1")
@pytest.mark.parametrize("frame", [FRAME, FRAME.set_index(["a", "b"]), DAYS, pd.DataFrame()])
def test_frames_come_back_equal(frame):
    """A DataFrame comes back with its columns, index, frequency and dtypes."""
    pd.testing.assert_frame_equal(decode(encode(frame, registry=REGISTRY), REGISTRY), frame)


@pytest.mark.spec("VALUE-1")
def test_columns_indexes_and_times_come_back_equal():
    """A Series, an index, a timestamp, a timedelta and the two values for what is missing come back equal and of their type."""
    pd.testing.assert_series_equal(decode(encode(FRAME["d"], registry=REGISTRY), REGISTRY), FRAME["d"])
    pd.testing.assert_index_equal(decode(encode(FRAME.index, registry=REGISTRY), REGISTRY), FRAME.index)
    for value in (pd.Timestamp("2024-06-01 12:00", tz="Europe/Berlin"), pd.Timestamp("2024-01-01"), pd.Timedelta("3h")):
        back = decode(encode(value, registry=REGISTRY), REGISTRY)
        assert (back, type(back), back.unit) == (value, type(value), value.unit)
    for missing in (pd.NaT, pd.NA):
        assert decode(encode(missing, registry=REGISTRY), REGISTRY) is missing


@pytest.mark.spec("VALUE-3")
@pytest.mark.parametrize(
    ("value", "why"),
    [
        (np.zeros(2, dtype="i4,f8"), "a structured dtype"),
        (pd.Series(pd.period_range("2024", periods=2, freq="Y")), "cannot be stored"),
    ],
)
def test_arrays_that_would_not_come_back_are_refused(value, why):
    """An array that its plain items do not bring back is refused by name."""
    with pytest.raises(UnstorableValue, match=why):
        encode(value, registry=REGISTRY)


@pytest.mark.spec("VALUE-3")
def test_the_line_to_add_is_named():
    """Without its codec a number of numpy is refused, and the refusal has the line that registers it."""
    with pytest.raises(UnstorableValue, match=r"Call statecore\.register_numpy\(\) once"):
        encode([np.float64(1)], registry=Registry())


def test_a_package_that_is_absent_is_named(monkeypatch):
    """Without its package the line says which extra to install."""
    for package, register in (("numpy", register_numpy), ("pandas", register_pandas)):
        monkeypatch.setitem(sys.modules, package, None)
        with pytest.raises(MissingExtra, match=rf"statecore\[{package}\]"):
            register(Registry())


def test_one_line_registers_for_the_process():
    """The same line again changes nothing."""
    before = set(CODECS.by_type)
    try:
        register_numpy()
        register_numpy()
        assert decode(encode(np.float64(1.5))) == 1.5
    finally:
        for kind in set(CODECS.by_type) - before:
            del CODECS.by_tag[CODECS.by_type.pop(kind).tag]
