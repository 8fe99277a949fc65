import threading
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import Enum
from fractions import Fraction

import pytest

from statecore.codec import CODECS, Registry, decode, encode, register_codec
from statecore.errors import RefusedCodec, UnreadableValue, UnstorableValue


class Colour(str, Enum):
    red = "red"


@dataclass(frozen=True)
class Money:
    amount: Decimal
    currency: str


def money_registry():
    """A registry that knows `Money` and an enum."""
    registry = Registry()
    registry.register(Money, "money", lambda money: (money.amount, money.currency), lambda plain: Money(*plain))
    registry.register(Colour, "colour", lambda colour: colour.value, Colour)
    return registry


def test_a_registered_type_comes_back_wherever_it_stands():
    """A user's type is stored through its codec, as an item, a key and an element."""
    registry, price = money_registry(), Money(Decimal("1.50"), "EUR")
    value = {"items": [price, (price,)], price: {price, Colour.red}}
    text = encode(value, registry=registry)
    back = decode(text, registry)
    assert back == value
    assert repr(back["items"]) == repr(value["items"])
    assert encode(Colour.red, registry=registry) == '{"$type":["colour","red"]}'


def test_an_unregistered_tag_is_named_and_not_guessed():
    """Without its codec a stored type is refused with the name of its tag; nothing is imported and no part of it is returned."""
    text = encode(Money(Decimal(1), "EUR"), registry=money_registry())
    with pytest.raises(UnreadableValue, match="no codec is registered for 'money'"):
        decode(text)


def test_a_subclass_of_a_registered_type_is_refused():
    """A codec is for exactly its type."""

    class Plain:
        pass

    class Cash(Plain):
        pass

    registry = Registry()
    registry.register(Plain, "plain", lambda _: None, lambda _: Plain())
    with pytest.raises(UnstorableValue, match="a Cash cannot be stored"):
        encode(Cash(), registry=registry)


def test_a_codec_that_fails_is_named_and_its_error_kept():
    """What a codec raises is the cause of the refusal, on both ways."""
    registry = Registry()
    registry.register(Money, "money", lambda money: 1 // 0, lambda plain: {}[plain])
    with pytest.raises(UnstorableValue, match="the codec 'money' raised ZeroDivisionError for a Money") as caught:
        encode([Money(Decimal(1), "EUR")], registry=registry)
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    assert caught.value.path == "$[0]"
    with pytest.raises(UnreadableValue, match="the codec 'money' raised KeyError") as unread:
        decode('{"$type":["money",1]}', registry)
    assert isinstance(unread.value.__cause__, KeyError)


def test_a_codec_that_gives_another_type_is_refused():
    """A value of the wrong type never leaves `decode`."""
    registry = Registry()
    registry.register(Money, "money", lambda money: 1, lambda plain: plain)
    with pytest.raises(UnreadableValue, match="the codec 'money' gave an int for a Money"):
        decode('{"$type":["money",1]}', registry)


def test_what_a_codec_makes_is_held_to_the_same_rules():
    """Plain data from a codec that is not plain, or never ends, is refused inside the codec."""
    registry = Registry()
    registry.register(Money, "money", lambda money: {"lock": threading.Lock()}, lambda plain: plain)
    with pytest.raises(UnstorableValue, match="a lock cannot be stored") as caught:
        encode([Money(Decimal(1), "EUR")], registry=registry)
    assert caught.value.path == "$[0]<money>.lock"
    registry.register(Colour, "self", lambda colour: colour, Colour)
    with pytest.raises(UnstorableValue, match=r"a Colour .* contains itself"):
        encode(Colour.red, registry=registry)


@pytest.mark.parametrize(
    ("kind", "tag", "why"),
    [
        (int, "int", "stored as they are"),
        (dict, "dict", "stored as they are"),
        (datetime, "when", "stored as they are"),
        ("Money", "money2", "it is no class"),
        (Fraction, "", "a tag is a printable str"),
        (Fraction, "t" * 101, "a tag is a printable str"),
        (Fraction, "a\nb", "a tag is a printable str"),
        (Fraction, 7, "a tag is a printable str"),
        (Fraction, "money", "the tag belongs to Money"),
        (Money, "cash", "the type has the tag 'money'"),
    ],
)
def test_a_codec_that_would_be_ambiguous_is_refused(kind, tag, why):
    """One type has one tag and one tag one type; types that are stored without a codec take none. Nothing half is registered."""
    registry = money_registry()
    before = dict(registry.by_type), dict(registry.by_tag)
    with pytest.raises(RefusedCodec, match=why):
        registry.register(kind, tag, str, kind)
    assert (registry.by_type, registry.by_tag) == before


def test_the_same_registration_again_changes_nothing():
    """A module that is run twice may register twice."""
    registry = Registry()
    for _ in range(2):
        registry.register(Fraction, "fraction", str, Fraction)
    assert len(registry.by_type) == len(registry.by_tag) == 1


def test_register_codec_serves_the_whole_process():
    """Codecs registered without a registry are those that `encode` and `decode` use by default."""

    class Box:
        def __init__(self, n):
            self.n = n

    register_codec(Box, "test.box", lambda box: box.n, Box)
    try:
        assert decode(encode([Box(3)]))[0].n == 3
        with pytest.raises(UnstorableValue, match="a Box"):
            encode(Box(3), registry=Registry())
    finally:
        del CODECS.by_type[Box], CODECS.by_tag["test.box"]


def test_a_codec_of_before_goes_on_writing():
    """A codec that was registered for a type which has a tag of its own now is used, and what it wrote is read."""
    registry = Registry()
    registry.register(Fraction, "fraction", str, Fraction)
    assert encode(Fraction(1, 3), registry=registry) == '{"$type":["fraction","1/3"]}'
    assert decode('[{"$type":["fraction","1/3"]},{"$fraction":[1,3]}]', registry) == [Fraction(1, 3)] * 2


def test_a_dict_that_changes_under_way_is_refused():
    """A value that another thread, or its own codec, changes while it is stored is refused, not stored by halves."""
    registry = Registry()
    value: dict = {}
    registry.register(Money, "money", lambda money: value.update({len(value): 1}), lambda plain: plain)
    value["price"] = Money(Decimal(1), "EUR")
    with pytest.raises(UnstorableValue, match="changed while it was being stored"):
        encode(value, registry=registry)


def test_want_of_memory_is_no_damage():
    """`MemoryError` passes through: it says nothing about the value or the text, which can be stored and read when there is room."""
    registry = Registry()

    def starve(_money):
        raise MemoryError

    registry.register(Money, "money", starve, starve)
    with pytest.raises(MemoryError):
        encode(Money(Decimal(1), "EUR"), registry=registry)
    with pytest.raises(MemoryError):
        decode('{"$type":["money",1]}', registry)
