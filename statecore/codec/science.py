"""Codecs of numpy and pandas, with the extras of these names. Each is registered by one line: `register_numpy()`, `register_pandas()`.

An array of numbers is its dtype, its shape and its bytes, of few numbers its items; an array of objects is its items, each stored as
any value. A DataFrame is its columns, its index and the array of each column.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from statecore.errors import MissingExtra

from .registry import CODECS, Registry
from .tags import refuse

if TYPE_CHECKING:
    from collections.abc import Callable

FEW = 1_000
"""Up to so many numbers an array is stored as a list, which people can read."""
READABLE = "biuf"
EXACT_ITEM = 8
"""The most bytes of a number that Python's own types keep exactly."""


def register_numpy(registry: Registry = CODECS) -> None:
    """Arrays and scalars of numpy can be stored and read in this process. Raises `MissingExtra`.

    An array of a structured dtype is refused. The order of an array in memory (C or Fortran) is not kept.

    Example: `register_numpy()`, once, where the workflow is defined.
    """
    np = needed("numpy")
    if np.ndarray in registry.by_type:
        return
    registry.register(np.ndarray, "numpy:ndarray", array_part, array_joined)
    for kind in sorted(set(np.sctypeDict.values()), key=lambda kind: str(kind.__name__)):
        if kind not in (np.object_, np.void):
            registry.register(kind, f"numpy:{kind.__name__}", scalar_part, scalar_joined)


def needed(package: str) -> Any:
    """A package that its extra installs."""
    try:
        if package == "numpy":
            import numpy as np  # noqa: PLC0415  # an extra

            return np
        import pandas as pd  # noqa: PLC0415  # an extra
    except ImportError as error:
        what = f"register_{package}()"
        raise MissingExtra(what, package) from error
    return pd


def array_part(array: Any) -> dict[str, Any]:
    """An array as plain data."""
    kind = array.dtype.kind
    if array.dtype.names is not None or kind == "V":
        refuse("an array of a structured dtype cannot be stored")
    plain: dict[str, Any] = {"dtype": array.dtype.str, "shape": list(array.shape)}
    if kind == "O" or (kind in READABLE and array.size <= FEW and array.dtype.itemsize <= EXACT_ITEM):
        return plain | {"items": array.ravel().tolist()}
    return plain | {"bytes": array.tobytes()}


def array_joined(plain: Any) -> Any:
    """An array from its plain data."""
    np = needed("numpy")
    dtype = np.dtype(plain["dtype"])
    if "bytes" in plain:
        return np.frombuffer(bytearray(plain["bytes"]), dtype).reshape(plain["shape"])
    found = np.empty(len(plain["items"]), dtype)
    for n, each in enumerate(plain["items"]):  # an item that is a list stays one
        found[n] = each
    return found.reshape(plain["shape"])


def scalar_part(value: Any) -> list[Any]:
    """A scalar as its dtype and its number, or its bytes."""
    dtype = value.dtype
    if dtype.kind in READABLE and dtype.itemsize <= EXACT_ITEM:
        return [dtype.str, value.item()]
    return [dtype.str, value.tobytes()]


def scalar_joined(plain: Any) -> Any:
    """A scalar from its plain data."""
    np = needed("numpy")
    dtype = np.dtype(plain[0])
    if type(plain[1]) is bytes:
        return np.frombuffer(plain[1], dtype)[0] if plain[1] else dtype.type()
    return dtype.type(plain[1])


# -- pandas ------------------------------------------------------------------------------------------------------------------------


def register_pandas(registry: Registry = CODECS) -> None:
    """DataFrames, Series, indexes and timestamps of pandas can be stored and read in this process, and arrays of numpy. Raises `MissingExtra`.

    Refused are arrays that their plain items do not bring back, and subclasses. `attrs` of a frame are kept.

    Example: `register_pandas()`, once, where the workflow is defined.
    """
    pd = needed("pandas")
    if pd.DataFrame in registry.by_type:
        return
    register_numpy(registry)
    parts: dict[Any, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
        pd.DataFrame: (frame_part, frame_joined),
        pd.Series: (series_part, series_joined),
        pd.Index: (index_part, index_joined),
        pd.RangeIndex: (lambda each: [each.start, each.stop, each.step, each.name], lambda p: pd.RangeIndex(*p[:3], name=p[3])),
        pd.DatetimeIndex: (index_part, lambda plain: with_freq(index_joined(plain), plain)),
        pd.TimedeltaIndex: (index_part, lambda plain: with_freq(index_joined(plain), plain)),
        pd.CategoricalIndex: (index_part, index_joined),
        pd.MultiIndex: (
            lambda each: {
                "levels": list(each.levels),
                "codes": [list(map(int, code)) for code in each.codes],
                "names": list(each.names),
            },
            lambda plain: pd.MultiIndex(levels=plain["levels"], codes=plain["codes"], names=plain["names"]),
        ),
        pd.Timestamp: (time_part, lambda plain: pd.Timestamp(plain[0], unit=plain[1], tz=plain[2]).as_unit(plain[1])),
        pd.Timedelta: (
            lambda each: [each._value, each.unit],  # noqa: SLF001  # as in `time_part`
            lambda plain: pd.Timedelta(plain[0], unit=plain[1]).as_unit(plain[1]),
        ),
        type(pd.NaT): (lambda _: None, lambda _: pd.NaT),
        type(pd.NA): (lambda _: None, lambda _: pd.NA),
    }
    for kind, (to_plain, from_plain) in parts.items():
        registry.register(kind, f"pandas:{kind.__name__}", to_plain, from_plain)


def time_part(value: Any) -> list[Any]:
    """A timestamp as a number of its unit, and its zone."""
    zone = value.tz
    if zone is None:
        return [value._value, value.unit, None]  # noqa: SLF001  # its exact number, which has no public name in every unit
    key = getattr(zone, "key", None) or str(zone)
    found = needed("pandas").Timestamp(value._value, unit=value.unit, tz=key)  # noqa: SLF001
    if found.utcoffset() != value.utcoffset():  # the instant is the same in each zone
        refuse("a timestamp in a zone that its name does not bring back cannot be stored")
    return [value._value, value.unit, key]  # noqa: SLF001


def values_part(array: Any) -> Any:
    """The array of a column: of numpy as it is, else the name of its dtype and its items."""
    pd = needed("pandas")
    if type(array) is needed("numpy").ndarray:
        return array
    if isinstance(array.dtype, pd.CategoricalDtype):
        return {"codes": array.codes.tolist(), "categories": array.categories, "ordered": bool(array.ordered)}
    if hasattr(array, "asi8") and hasattr(array, "unit"):
        return {"dtype": str(array.dtype), "ticks": array.asi8}
    plain = {"dtype": str(array.dtype), "items": [None if pd.isna(each) else each for each in array.tolist()]}
    try:
        comes_back = values_joined(plain).equals(array)
    except (TypeError, ValueError):  # pandas has no array of a dtype by its name
        comes_back = False
    return plain if comes_back else cannot(array)


def values_joined(plain: Any) -> Any:
    """The array of a column from its plain data."""
    pd = needed("pandas")
    if type(plain) is not dict:
        return plain
    if "codes" in plain:
        return pd.Categorical.from_codes(plain["codes"], categories=plain["categories"], ordered=plain["ordered"])
    if "ticks" in plain:
        return pd.array(pd.Series(plain["ticks"]).astype(plain["dtype"]))
    return pd.array(plain["items"], dtype=plain["dtype"])


def cannot(array: Any) -> NoReturn:
    """Refuse an array."""
    refuse(f"an array of the dtype {str(array.dtype)[:100]!r} cannot be stored")


def series_part(series: Any) -> dict[str, Any]:
    """A column, its index and its name."""
    return {"values": values_part(plain_array(series)), "index": series.index, "name": series.name, "attrs": series.attrs}


def plain_array(holder: Any) -> Any:
    """The array of a Series or an index: of numpy, where it is one."""
    array = holder.array
    return holder.to_numpy() if type(array).__name__ == "NumpyExtensionArray" else array


def series_joined(plain: Any) -> Any:
    """A Series from its plain data."""
    series = needed("pandas").Series(values_joined(plain["values"]), index=plain["index"], name=plain["name"], copy=False)
    series.attrs.update(plain["attrs"])
    return series


def index_part(index: Any) -> dict[str, Any]:
    """An index as its array, its name, and its frequency where it has one."""
    return {"values": values_part(plain_array(index)), "name": index.name, "freq": getattr(index, "freqstr", None)}


def index_joined(plain: Any) -> Any:
    """An index from its plain data."""
    pd, values = needed("pandas"), values_joined(plain["values"])
    return pd.Index(values, dtype=values.dtype, name=plain["name"])


def with_freq(index: Any, plain: Any) -> Any:
    """An index with its frequency."""
    index.freq = plain["freq"]
    return index


def frame_part(frame: Any) -> dict[str, Any]:
    """A DataFrame: its columns, its index, and the array of each column."""
    arrays = [values_part(plain_array(frame.iloc[:, n])) for n in range(frame.shape[1])]
    return {"columns": frame.columns, "index": frame.index, "arrays": arrays, "attrs": frame.attrs}


def frame_joined(plain: Any) -> Any:
    """A DataFrame from its plain data."""
    pd = needed("pandas")
    frame = pd.DataFrame({n: values_joined(each) for n, each in enumerate(plain["arrays"])}, index=plain["index"])
    frame.columns = plain["columns"]
    frame.attrs.update(plain["attrs"])
    return frame
