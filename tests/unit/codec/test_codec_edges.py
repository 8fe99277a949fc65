"""The edges of the codecs of classes: the names of scripts, things that cannot be referred to, and texts that are no value."""

from __future__ import annotations

import sys
from collections import deque, namedtuple
from datetime import datetime, timedelta, timezone, tzinfo
from importlib.machinery import ModuleSpec
from pathlib import PurePosixPath
from types import ModuleType
from typing import Any

import pandas as pd
import pytest

from statecore.codec import Registry, decode, encode
from statecore.codec.families import tag_of
from statecore.codec.science import register_pandas
from statecore.errors import RefusedCodec, UnreadableValue, UnstorableValue


def script(monkeypatch, **parts):
    """A program that is run, as Python has it: its spec, or its file, or neither."""
    main = ModuleType("__main__")
    for name, value in {"__spec__": None, **parts}.items():
        setattr(main, name, value)
    monkeypatch.setitem(sys.modules, "__main__", main)
    return type("Order", (), {"__module__": "__main__"})


@pytest.mark.spec("VALUE-1")
def test_a_class_of_a_script_has_the_name_of_its_import(monkeypatch, tmp_path):
    """A script's class is tagged as the module that the script is when it is imported: of a package, of `python -m`, of a prompt."""
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "__init__.py").touch()
    inside = script(monkeypatch, __file__=str(tmp_path / "shop" / "orders.py"))
    assert tag_of(inside) == "shop.orders:Order"
    alone = script(monkeypatch, __file__=str(tmp_path / "orders.py"))
    assert tag_of(alone) == "orders:Order"
    run = script(monkeypatch, __spec__=ModuleSpec("shop.__main__", None))
    assert tag_of(run) == "shop:Order"
    prompt = script(monkeypatch)
    assert tag_of(prompt) == "__main__:Order"


Plain = namedtuple("Plain", "a b")  # noqa: PYI024  # the family takes those without annotations, too


class Noted(Plain):
    """A named tuple with an attribute of its own."""

    note: str = ""


@pytest.mark.spec("VALUE-1")
def test_a_named_tuple_keeps_what_stands_beside_its_fields():
    """An attribute that a subclass of a named tuple has beside the fields comes back."""
    registry = Registry()
    registry.register_type(Noted)
    value = Noted(1, 2)
    value.note = "seen"
    found: Any = decode(encode(value, registry=registry), registry)
    assert (found, found.note, type(found)) == (value, "seen", Noted)


def test_a_deque_that_is_too_long_for_itself_is_no_value():
    """A stored deque with more items than its greatest length is refused, not shortened."""
    text = encode(deque([1, 2], 2))
    assert decode(text) == deque([1, 2], 2)
    with pytest.raises(UnreadableValue):
        decode(text.replace("[2,", "[1,", 1))


def test_half_a_sign_in_a_path_is_refused():
    """A path with half a surrogate pair, as Linux has them for bytes that are no UTF-8, cannot be stored as text and read again."""
    assert decode(encode(PurePosixPath("a/b"))) == PurePosixPath("a/b")
    with pytest.raises(UnstorableValue):
        encode(PurePosixPath("a\ud800\udc00"))


class Unreferred:
    """A callable that no weak reference can hold, with an annotation that names nothing yet."""

    __slots__ = ()

    def __call__(self, order: "Later") -> None:  # type: ignore[name-defined]  # noqa: F821, UP037
        """Take an order."""


def test_a_callable_without_weak_references_is_no_obstacle():
    """Types are learnt from a callable that cannot be referred to; its unknown names are not asked for again."""
    registry = Registry()
    registry.learn_from(Unreferred())
    assert registry.of_tag("nowhere:Later") is None


class Priced:
    """A class with a codec of its own, under the tag of another."""


def test_a_tag_that_a_user_gave_away_belongs_to_its_codec():
    """A class of a family whose tag a codec of the user has is not stored under it."""
    registry = Registry()
    registry.register(Priced, tag_of(Noted), lambda _: 1, lambda _: Priced())
    assert registry.learn(Noted) is None
    with pytest.raises(RefusedCodec, match="No codec for Noted"):
        registry.register_type(Noted, tag_of(Noted))


class Odd(tzinfo):
    """A time zone without a name that brings it back."""

    def utcoffset(self, _instant):
        """Two hours."""
        return timedelta(hours=2)

    def dst(self, _instant):
        """None."""
        return timedelta(0)

    def tzname(self, _instant):
        """A name."""
        return "odd"

    def __str__(self):
        """The name of another zone."""
        return "UTC"


@pytest.mark.spec("VALUE-1", "VALUE-3")
def test_what_pandas_does_not_bring_back_is_refused():
    """A column whose items do not make it again, and a timestamp in a zone that its name does not name, are refused by name."""
    registry = Registry()
    register_pandas(registry)
    register_pandas(registry)
    assert decode(encode(pd.Timestamp("2026-12-24", tz=timezone(timedelta(hours=1))), registry=registry), registry)
    instant: Any = pd.Timestamp(datetime(2026, 12, 24, tzinfo=Odd()))
    with pytest.raises(UnstorableValue, match="a zone that its name does not bring back"):
        encode(instant, registry=registry)
    sparse: Any = pd.Series(pd.arrays.SparseArray([0.5, 1.0], fill_value=0.5))
    with pytest.raises(UnstorableValue, match="an array of the dtype 'Sparse"):
        encode(sparse, registry=registry)
