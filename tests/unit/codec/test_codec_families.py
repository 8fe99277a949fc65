import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import Enum
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any, NamedTuple
from zoneinfo import ZoneInfo

import attrs
import pytest

from statecore.codec import Registry, decode, decode_plain, encode, register_type
from statecore.codec.annotated import types_in
from statecore.codec.families import tag_of
from statecore.errors import RefusedCodec, UnreadableValue, UnstorableValue
from tests.conformance import kinds
from tests.conformance.kinds import KINDS, Colour, Customer, Line, Order, Point, Slotted, Tag

MADE_BEFORE = {
    '{"$type":["money",150]}': kinds.Loose(150),
    '{"$dict":[[1,{"$set":["a"]}],["x",{"$tuple":[1,null]}]]}': {1: {"a"}, "x": (1, None)},
    '{"a":{"$bytes":"AP8="},"b":[{"$float":"-inf"}]}': {"a": b"\x00\xff", "b": [float("-inf")]},
    '{"$datetime":["2024-10-27T02:30:00","Europe/Berlin",1]}': datetime(
        2024, 10, 27, 2, 30, fold=1, tzinfo=ZoneInfo("Europe/Berlin")
    ),
    '[{"$decimal":"1.10"},{"$int":"0x20000000000001"},"Zo\\u00eb"]': [Decimal("1.10"), 2**53 + 1, "Zo\u00eb"],
}
"""Texts that earlier releases wrote."""


def same(one: Any, other: Any) -> bool:
    """Whether two values are equal and of one type."""
    return type(one) is type(other) and one == other and repr(one) == repr(other)


@pytest.mark.spec("VALUE-1")
@pytest.mark.parametrize("name", KINDS)
def test_sixty_kinds_come_back_equal_and_of_their_type(name):
    """A value comes back equal, of its type and with the same words, in a registry that is told of the module."""
    value, reader = KINDS[name], Registry()
    text = encode(value)
    assert same(decode(text), value)
    reader.register_type(kinds)
    for hint in (Customer, kinds.Box[int]):
        reader.register_type(hint)
    assert same(decode(text, reader), value)
    assert encode(decode(text)) == text


@pytest.mark.spec("VALUE-1")
def test_a_value_is_restored_as_it_was_and_not_made_again():
    """No validator, converter or `__post_init__` sees a value a second time; which fields were set, and what stands beside them, are kept."""
    derived, customer = decode(encode(kinds.Derived("a"))), decode(encode(Customer(name="ada")))
    assert (derived.word, derived.length, derived.beside) == ("a!", 2, "a!a!")
    assert (customer.name, customer.model_fields_set, customer._secret) == ("ADA!", {"name"}, 7)
    invoice = decode(encode(kinds.invoice()))
    assert (invoice.model_extra, type(invoice.orders[0].lines[0])) == ({"hint": Path("a")}, Line)
    assert decode(encode(kinds.order())).total == Decimal("1.50")


@pytest.mark.spec("VALUE-1")
def test_what_is_stored_is_a_tag_and_plain_data():
    """The stored text names a class by its module and qualified name, and has the fields as plain data."""
    assert encode(Point(1)) == '{"$type":["tests.conformance.kinds:Point",{"x":1,"y":0}]}'
    assert encode(Colour.red) == '{"$type":["tests.conformance.kinds:Colour","red"]}'
    assert json.loads(encode(Slotted(1))) == {"$type": ["tests.conformance.kinds:Slotted", {"x": 1}]}


@pytest.mark.spec("VALUE-1", "VALUE-2")
def test_an_unknown_type_is_named_with_the_line_and_shown_as_plain_data():
    """Code that asks for a value of an unknown type gets the error with the line to add; people see the plain data of it."""
    text, reader = encode({"order": kinds.order(), "at": {Point(1)}}), Registry()
    with pytest.raises(UnreadableValue, match=r"from tests\.conformance\.kinds import \w+\) and add types=\[\w+\] to the Workflow"):
        decode(text, reader)
    shown = decode_plain(text, reader)
    assert shown["order"]["lines"][0] == {"sku": "a", "price": Decimal("1.50"), "colour": "red"}
    assert shown["at"] == [{"x": 1, "y": 0}]
    assert reader.by_tag == {}


@pytest.mark.spec("VALUE-2")
def test_damage_is_no_unknown_type():
    """A text that was never written is refused by those who show values, too."""
    for text in ('{"$strange":1}', "{", '{"$tuple":1}'):
        with pytest.raises(UnreadableValue):
            decode_plain(text)


@pytest.mark.spec("VALUE-1")
def test_nothing_is_imported_for_a_stored_name():
    """A tag that names a module which is not loaded loads nothing."""
    with pytest.raises(UnreadableValue):
        decode('{"$type":["antigravity:fly",{"a":1}]}')
    assert "antigravity" not in sys.modules


@pytest.mark.spec("VALUE-1")
def test_a_base_class_makes_its_subclasses_known():
    """Subclasses of a registered base class are read, also those that are defined later; so are those of a module's classes."""

    class Event:
        pass

    @dataclass
    class Paid(Event):
        cents: int

    text, reader = encode(Paid(3)), Registry()
    reader.register_type(Event)
    assert decode(text, reader) == Paid(3)

    @dataclass
    class Sent(Paid):
        to: str

    assert decode(encode(Sent(3, "ada")), reader) == Sent(3, "ada")
    module = ModuleType("events")
    module.Paid = Paid  # type: ignore[attr-defined]  # a module of a test
    third = Registry()
    third.register_type(module)
    assert decode(text, third) == Paid(3)


def test_a_former_name_is_read():
    """A class that was moved is registered with the tag under which its values are stored."""
    reader = Registry()
    reader.register_type(Point, "old.place:Spot")
    assert decode('{"$type":["old.place:Spot",{"x":1,"y":2}]}', reader) == Point(1, 2)
    with pytest.raises(RefusedCodec, match="the tag belongs to Point"):
        reader.register_type(Line, "old.place:Spot")


@pytest.mark.parametrize(
    ("kind", "why"),
    [(object(), "neither a class nor a module"), (int, "stored as they are"), (Registry, "no enum, named tuple, dataclass")],
)
def test_what_is_no_type_of_values_is_refused(kind, why):
    """Nothing is accepted that could never be a value."""
    with pytest.raises(RefusedCodec, match=why):
        register_type(kind)


def test_a_class_that_is_defined_anew_replaces_the_former():
    """As in a notebook: values that are stored come back as the new class, and values of the former one are refused by name."""

    def defined() -> Any:
        @dataclass
        class Cell:
            x: int
            y: int = 2

        return Cell

    former, registry = defined(), Registry()
    text = encode(former(1), registry=registry)
    newer = defined()
    assert decode(encode(newer(1), registry=registry), registry) == decode(text, registry) == newer(1)
    with pytest.raises(UnstorableValue, match="its class was defined anew"):
        encode(former(1), registry=registry)


def test_fields_come_and_go():
    """A field with a default that is not stored takes it; one without, and one that the class lacks, are refused by name."""

    @dataclass
    class D:
        x: int
        y: list[int] = field(default_factory=lambda: [1])

    @attrs.define
    class A:
        x: int
        y: int = attrs.Factory(lambda self: self.x + 1, takes_self=True)
        z: int = 9

    class T(NamedTuple):
        x: int
        y: int = 2

    registry, made = Registry(), {D: D(1), A: A(1), T: T(1), Customer: Customer.model_construct(name="a")}
    for kind, value in made.items():
        registry.register_type(kind)
        name = "name" if kind is Customer else "x"
        first = {"name": "a"} if kind is Customer else {"x": 1}
        tag = json.dumps(tag_of(kind))
        assert decode(f'{{"$type":[{tag},{json.dumps(first)}]}}', registry) == value
        with pytest.raises(UnreadableValue, match=f"the field '{name}' is not stored, and has no default"):
            decode(f'{{"$type":[{tag},{{}}]}}', registry)
        with pytest.raises(UnreadableValue, match="the class lacks the field 'gone'"):
            decode(f'{{"$type":[{tag},{json.dumps(first | {"gone": 1})}]}}', registry)


def test_members_come_and_go():
    """An enum whose member is gone is refused by name."""
    register_type(Colour)
    with pytest.raises(UnreadableValue, match="the enum has no member 'blue'"):
        decode('{"$type":["tests.conformance.kinds:Colour","blue"]}')


@pytest.mark.parametrize("parts", ['["x"]', "1", '{"x":1},2', '{"x":1},{},{}', "null", "{}"])
def test_odd_parts_are_refused(parts):
    """Whatever stands for the fields of a class, it is a value of it or a refusal by name."""
    with pytest.raises(UnreadableValue):
        decode(f'{{"$type":["tests.conformance.kinds:Point",{parts}]}}')


def test_a_field_without_a_value_is_refused():
    """A field that was never set cannot be stored, and no default is made up for it."""
    made = Slotted.__new__(Slotted)
    with pytest.raises(UnstorableValue, match="its field 'x' has no value"):
        encode([made])


@pytest.mark.spec("VALUE-3")
def test_a_refusal_names_type_path_and_line():
    """The refusal of a class of no family says where it stands and which line registers it."""
    with pytest.raises(UnstorableValue, match=r"\$\.a\[0\]\.colour: a Partial") as caught:
        encode({"a": [Line("a", Decimal(1), Partial())]})  # type: ignore[arg-type]  # the point of the test
    assert "register_codec(Partial, 'test_codec_families:Partial', to_plain, from_plain)" in str(caught.value).replace(
        __name__ + ":", "test_codec_families:"
    )


class Partial:
    """A class of no family."""


def test_a_hash_that_was_kept_is_not_stored():
    """An attrs class that keeps its hash computes it again: hashes of texts differ between processes."""

    @attrs.frozen(cache_hash=True)
    class Kept:
        x: str

    @attrs.frozen(cache_hash=True, slots=False)
    class Loose:
        x: str

    for kind in (Kept, Loose):
        value = kind("a")
        hash(value)
        back = decode(encode(value))
        assert (hash(back), back) == (hash(value), value)
        assert str(hash(value)) not in encode(value)


class Later(Enum):
    one = 1


def quoted(_given: "Order | None", more: "Annotated[list[tuple[Tag, int]], 'x']") -> "Callable[[Later], Missing]":  # type: ignore[name-defined]  # noqa: F821
    """Annotations in quotation marks, one of which names nothing."""
    raise NotImplementedError


@pytest.mark.spec("VALUE-1")
def test_annotations_make_types_known():
    """The classes that a callable's annotations name are known, with those of their fields; what names nothing keeps no other from it."""

    class Callee:
        def __call__(self, given: Order) -> Customer:
            raise NotImplementedError

    found, whole = types_in(quoted)
    assert ({Order, Tag, Line, Colour, kinds.Status} <= set(found), whole) == (True, False)
    for called in (Callee(), partial(Callee()), Callee().__call__):
        assert {Order, Customer} <= set(types_in(called)[0])
    assert types_in(lambda _: 1) == ([], True)


def test_annotations_are_read_again_when_their_names_are_there():
    """A class that is defined after the workflow that names it is known by the time its value is read."""
    names: dict[str, Any] = {}
    exec("def step(given) -> 'Late': ...", names)  # noqa: S102  # a module in the making
    registry = Registry()
    registry.learn_from(names["step"])
    exec("import dataclasses\n@dataclasses.dataclass\nclass Late:\n    x: int", names)  # noqa: S102  # the same
    names["Late"].__module__ = "late"
    assert decode('{"$type":["late:Late",{"x":1}]}', registry).x == 1


@pytest.mark.parametrize("text", MADE_BEFORE)
def test_texts_of_earlier_releases_are_read(text):
    """A text that an earlier release wrote is read as it was, and written the same way."""
    registry = Registry()
    registry.register(kinds.Loose, "money", lambda money: money.x, kinds.Loose)
    assert same(decode(text, registry), MADE_BEFORE[text])
    assert encode(MADE_BEFORE[text], registry=registry) == text


@pytest.mark.spec("VALUE-2")
def test_what_has_no_hash_as_plain_data_is_shown_as_a_list():
    """Elements and keys that differ as values, and are equal or have no hash as plain data, are shown as a list."""
    text = encode([{Colour.red: 1, "red": 2}, {Point(1)}, {Colour.red: 1}])
    assert decode_plain(text, Registry()) == [[["red", 1], ["red", 2]], [{"x": 1, "y": 0}], {"red": 1}]
