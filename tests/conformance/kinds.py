"""Sixty kinds of values that people return, and the classes that they are of; a module that a program under test imports."""

from __future__ import annotations

from collections import Counter, OrderedDict, defaultdict, deque, namedtuple
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum, Flag, IntEnum, IntFlag, auto
from fractions import Fraction
from functools import cached_property
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, Generic, NamedTuple, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

import attrs
from pydantic import BaseModel, ConfigDict, PrivateAttr, RootModel, field_validator, model_validator

T = TypeVar("T")
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360f8cf500f000301018025db3d"
    "0000000049454e44ae426082"
)
"""A picture in the PNG format."""


class Colour(Enum):
    red = auto()
    green = auto()


class Status(str, Enum):
    open = "is open"


class Level(IntEnum):
    low = 1


class Right(Flag):
    read = auto()
    write = auto()


class Mode(IntFlag):
    x = 1
    y = 2


class Shape(Enum):
    square = ("four", 4)

    def __init__(self, said: str, corners: int) -> None:
        self.said, self.corners = said, corners


class Point(NamedTuple):
    x: int
    y: int = 0


Old = namedtuple("Old", "a b")  # noqa: PYI024  # the plain kind is one that people have


@dataclass
class Line:
    sku: str
    price: Decimal
    colour: Colour | None = None


@dataclass(frozen=True)
class Order:
    number: int
    lines: tuple[Line, ...]
    status: Status = Status.open
    notes: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def total(self) -> Decimal:
        return sum((line.price for line in self.lines), Decimal(0))


@dataclass(slots=True)
class Slotted:
    x: int


@dataclass
class Derived:
    """Its constructor changes what it is given: a second call would change it again."""

    word: str
    length: int = field(init=False)

    def __post_init__(self) -> None:
        """Change the word."""
        self.word += "!"
        self.length = len(self.word)
        self.beside = self.word * 2


def in_order(weights: list[float]) -> list[float]:
    """Weights, the least one first."""
    return sorted(weights)


@attrs.frozen
class Tag:
    _name: str
    weights: list[float] = attrs.field(factory=list, converter=in_order)


@attrs.define(slots=False)
class Loose:
    x: int = attrs.field(validator=attrs.validators.instance_of(int))


class Customer(BaseModel):
    """Its validator changes what it is given, as validators do that hash or trim."""

    name: str
    born: date | None = None
    _secret: int = PrivateAttr(default=7)

    @field_validator("name")
    @classmethod
    def shout(cls, name: str) -> str:
        return name.upper() + "!"


class Invoice(BaseModel):
    model_config = ConfigDict(extra="allow", frozen=True)
    customer: Customer
    orders: list[Order]
    amount: Decimal
    due: datetime

    @model_validator(mode="after")
    def not_empty(self) -> Invoice:
        if not self.orders:
            raise ValueError("no orders")
        return self


class Names(RootModel[list[str]]):
    pass


class Box(BaseModel, Generic[T]):
    inside: T


def order() -> Order:
    """An order whose total was asked for."""
    made = Order(17, (Line("a", Decimal("1.50"), Colour.red), Line("b", Decimal("0E-7"))), notes={"x": (1, {2})})
    assert made.total == Decimal("1.50")
    return made


def invoice() -> Invoice:
    """A model with a model, dataclasses and a field beside its own."""
    when = datetime(2024, 10, 27, 2, 30, fold=1, tzinfo=ZoneInfo("Europe/Berlin"))
    return Invoice(customer=Customer(name="ada"), orders=[order()], amount=Decimal("1.50"), due=when, hint=Path("a"))  # type: ignore[call-arg]


def counted(words: str) -> defaultdict[str, list[int]]:
    """A defaultdict."""
    found: defaultdict[str, list[int]] = defaultdict(list)
    for number, word in enumerate(words.split()):
        found[word].append(number)
    return found


KINDS: dict[str, Any] = {
    "none": None,
    "a bool": True,
    "an int": -(2**70),
    "a float": 0.1,
    "a negative zero": -0.0,
    "infinity": float("-inf"),
    "a complex number": complex(1, -0.0),
    "a fraction": Fraction(-1, 3),
    "a decimal": Decimal("1.10"),
    "text": "Zoë \U0001f600",
    "long text": "wörter " * 100_000,
    "bytes": b"\x00\xff",
    "five megabytes": bytes(range(256)) * 20_480,
    "a picture": PIXEL,
    "a bytearray": bytearray(b"x"),
    "a list": [1, [2]],
    "a tuple": (1, (2,)),
    "a set": {1, 2},
    "a frozenset": frozenset({(1, 2)}),
    "a dict": {"b": 1, "a": 2},
    "a dict with int keys": {2: "b", 1: "a"},
    "a dict with tuple keys": {(1, "a"): 1},
    "an ordered dict": OrderedDict(b=1, a=2),
    "a defaultdict": counted("a b a"),
    "a defaultdict without a factory": defaultdict(None, {1: 2}),
    "a counter": Counter("abracadabra"),
    "a deque": deque([1, (2,)]),
    "a deque with a bound": deque([1, 2], maxlen=3),
    "a range": range(1, 2**70, 3),
    "a date": date(2024, 2, 29),
    "a time": time(12, fold=1),
    "a datetime": datetime(2024, 2, 29, 12, tzinfo=UTC),
    "a datetime at an offset": datetime(2024, 2, 29, tzinfo=timezone(timedelta(hours=-5))),
    "a datetime in a zone": datetime(2024, 6, 1, tzinfo=ZoneInfo("Europe/Berlin")),
    "a timedelta": timedelta(days=-1, microseconds=1),
    "a uuid": UUID(int=7),
    "a path": Path("reports") / "2024.pdf",
    "a path of posix": PurePosixPath("/srv/a"),
    "a path of windows": PureWindowsPath("c:/a/b"),
    "an enum": Colour.green,
    "an enum that is a str": Status.open,
    "an enum that is an int": Level.low,
    "an enum with parts": Shape.square,
    "flags": Right.read | Right.write,
    "no flags": Right(0),
    "flags that are an int": Mode.x | Mode.y,
    "enums as keys": {Colour.red: {Colour.green}},
    "a named tuple": Point(1),
    "a plain named tuple": Old([1], Point(2, 3)),
    "a dataclass": Line("a", Decimal(1)),
    "nested dataclasses": order(),
    "a dataclass with slots": Slotted(3),
    "a dataclass that changes itself": Derived("a"),
    "dataclasses in a dict": {"orders": [order()], 1: Slotted(1)},
    "an attrs class": Tag("a", [2.0, 1.0]),
    "an attrs class with a dict": Loose(3),
    "a model": Customer(name="ada"),
    "a model of models": invoice(),
    "a model of a list": Names(["a"]),
    "a generic model": Box[int](inside=3),
    "models in a set of tuples": {(Point(1), Status.open)},
}
