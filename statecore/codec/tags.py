"""The tags of values that JSON lacks: the table of built-in scalars, and the registry of users' own types.

Each tag has one spelling. The registry only grows, so a value that could be read yesterday can be read today.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections.abc import Callable
from datetime import date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from json import JSONEncoder
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar
from uuid import UUID

from attrs import field, frozen

from statecore.definition.forms import Secret
from statecore.errors import RefusedCodec, described

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

EXACT = 2**53
"""Up to here every reader of JSON reads an int exactly; beyond, many read the nearest double."""

ZONE_KEY = re.compile(r"[A-Za-z0-9_+-]{1,40}(/[A-Za-z0-9_+-]{1,40}){0,3}")
MICROSECOND = timedelta(microseconds=1)
FLOATS = {"nan": float("nan"), "inf": float("inf"), "-inf": float("-inf")}
HALVES = re.compile("[\ud800-\udbff][\udc00-\udfff]")

dumps: Callable[[Any], str] = JSONEncoder(separators=(",", ":"), check_circular=False).encode
T = TypeVar("T")
LONGEST_TAG = 100


class Refused(Exception):
    """A value cannot be stored; on its way out it learns where the value stands."""

    why: str
    deep: object

    def __init__(self, why: str, *, deep: object = None) -> None:
        self.why, self.deep = why, deep
        self.way: list[tuple[str, object]] = []

    def within(self, step: str, container: object) -> None:
        """Note one step of the path, from the inside out, and the container in which it was taken."""
        self.way.append((step, container))


def refuse(why: str, *, deep: object = None, cause: Exception | None = None) -> NoReturn:
    """Refuse a value: `deep` is the container that was one too many."""
    raise Refused(why, deep=deep) from cause


@frozen
class Tag:
    """One tagged type: `spell` gives the plain JSON that stands for a value, `parse` the value.

    `spell` raises `Refused`; `parse` may raise anything, and may be lenient: what it read is spelled again and compared.
    """

    name: str
    type: type
    spell: Callable[[Any], Any]
    parse: Callable[[Any], Any]

    def write(self, value: Any) -> str:
        """The tagged text of a value."""
        return f'{{"{self.name}":{dumps(self.spell(value))}}}'

    def read(self, plain: Any) -> Any:
        """The value that this plain JSON spells. Raises ValueError, or what `parse` raises, where it spells none."""
        value = self.parse(plain)
        if dumps(self.spell(value)) != dumps(plain):
            raise ValueError(self.name)
        return value


# -- numbers and bytes -------------------------------------------------------------------------------------------------------------


def parse_int(plain: str) -> int:
    """An int beyond the exact ones, from hexadecimal: linear in its length both ways, where decimal is quadratic and limited."""
    value = int(plain, 16)
    if -EXACT <= value <= EXACT:
        raise ValueError(plain)
    return value


def spell_decimal(value: Decimal) -> str:
    """The digits, exactly; always with a capital E, which else depends on the thread's decimal context."""
    return str(value).replace("e", "E")


def spell_bytes(value: bytes) -> str:
    """Base64 as text."""
    return b64encode(value).decode("ascii")


def parse_bytes(plain: str) -> bytes:
    """Bytes from base64."""
    return b64decode(plain, validate=True)


# -- dates and times ---------------------------------------------------------------------------------------------------------------


def spell_clock(value: datetime | time) -> list[Any]:
    """The time of a wall clock, its zone, and its fold."""
    return [value.replace(tzinfo=None).isoformat(), spell_zone(value), value.fold]


def parse_datetime(plain: list[Any]) -> datetime:
    """A datetime from wall, zone and fold."""
    wall, zone, fold = plain
    return datetime.fromisoformat(wall).replace(tzinfo=parse_zone(zone), fold=fold)


def parse_time(plain: list[Any]) -> time:
    """A time from wall, zone and fold."""
    wall, zone, fold = plain
    return time.fromisoformat(wall).replace(tzinfo=parse_zone(zone), fold=fold)


def spell_zone(value: datetime | time) -> Any:
    """None for a naive value, the key of a `ZoneInfo`, or the microseconds and the name of a fixed offset.

    A zone keeps its key and not its offset, so that a value outlives a change of the zone's rules. Any other tzinfo is code.
    """
    from zoneinfo import ZoneInfo  # noqa: PLC0415  # most values need no zone's rules

    zone = value.tzinfo
    if zone is None:
        return None
    if type(zone) is timezone:
        offset, name = zone.utcoffset(None), zone.tzname(None)
        if HALVES.search(name):
            refuse("a timezone whose name has a surrogate pair in halves cannot be stored")
        return [offset // MICROSECOND, None if name == timezone(offset).tzname(None) else name]
    if type(zone) is ZoneInfo and comes_back(value, zone):
        return zone.key
    refuse(f"a {type(value).__name__} in a {type(zone).__name__} that a zone's key does not bring back cannot be stored")


def comes_back(value: datetime | time, zone: ZoneInfo) -> bool:
    """Whether the zone that this key names is the zone of the value, as far as the value can tell."""
    key: Any = zone.key  # None where the zone was read from a file
    try:
        twin = parse_zone(key)
    except (ValueError, KeyError, OSError):
        return False
    if twin is zone or twin is None:
        return twin is zone
    other = value.replace(tzinfo=twin)
    return other == value and (other.utcoffset(), other.dst(), other.tzname()) == (value.utcoffset(), value.dst(), value.tzname())


def parse_zone(plain: Any) -> tzinfo | None:
    """A zone from its spelling; a key that could be a path elsewhere is refused before anything is opened."""
    from zoneinfo import ZoneInfo  # noqa: PLC0415  # most values need no zone's rules

    if plain is None:
        return None
    if type(plain) is str:
        if not ZONE_KEY.fullmatch(plain):
            raise ValueError(plain)
        return ZoneInfo(plain)
    offset, name = plain
    return timezone(offset * MICROSECOND) if name is None else timezone(offset * MICROSECOND, name)


def spell_timedelta(value: timedelta) -> list[int]:
    """Days, seconds, microseconds, as Python keeps them."""
    return [value.days, value.seconds, value.microseconds]


def parse_timedelta(plain: list[int]) -> timedelta:
    """A timedelta from its three parts."""
    days, seconds, microseconds = plain
    return timedelta(days, seconds, microseconds)


# fmt: off
TAGS = (
    #   tag           type       spelled by        read by
    Tag("$int",       int,       hex,              parse_int),
    Tag("$float",     float,     repr,             FLOATS.__getitem__),
    Tag("$bytes",     bytes,     spell_bytes,      parse_bytes),
    Tag("$decimal",   Decimal,   spell_decimal,    Decimal),
    Tag("$uuid",      UUID,      str,              UUID),
    Tag("$date",      date,      date.isoformat,   date.fromisoformat),
    Tag("$time",      time,      spell_clock,      parse_time),
    Tag("$datetime",  datetime,  spell_clock,      parse_datetime),
    Tag("$timedelta", timedelta, spell_timedelta,  parse_timedelta),
    Tag("$secret",    Secret,    Secret.reveal,    Secret),
)
# fmt: on


BUILT_IN = frozenset({type(None), bool, str, list, tuple, dict, set, frozenset, *(tag.type for tag in TAGS)})


# -- types of the user -------------------------------------------------------------------------------------------------------------


@frozen
class Codec:
    """How one type becomes plain data and comes back. The tag is what is stored, and says nothing about where the code is."""

    type: type
    tag: str
    to_plain: Callable[[Any], Any]
    from_plain: Callable[[Any], Any]


@frozen(eq=False)
class Registry:
    """The codecs that `encode` and `decode` may use: one for a type, one for a tag, none ever replaced or removed."""

    by_type: dict[type, Codec] = field(factory=dict, init=False)
    by_tag: dict[str, Codec] = field(factory=dict, init=False)

    def register(self, kind: type[T], tag: str, to_plain: Callable[[T], Any], from_plain: Callable[[Any], T]) -> None:
        """Exactly this type, no subclass, is stored as `tag` and what `to_plain` returns, which may hold other registered types.

        `from_plain(to_plain(x))` is to equal `x`, in this release of your program and in later ones. The same registration again
        changes nothing. Raises `RefusedCodec` where the type is stored without a codec, or the type or the tag is taken.
        """
        codec = Codec(kind, tag, to_plain, from_plain)
        why = unfit(kind, tag)
        if why is None and self.by_tag.setdefault(tag, codec) != codec:
            why = f"the tag belongs to {self.by_tag[tag].type.__qualname__}"
        if why is None and self.by_type.setdefault(kind, codec) != codec:
            del self.by_tag[tag]
            why = f"the type has the tag {self.by_type[kind].tag!r}"
        if why is not None:
            raise RefusedCodec(getattr(kind, "__qualname__", None) or described(kind), tag, why)


def unfit(kind: Any, tag: Any) -> str | None:
    """Why no codec can be for this type, or with this tag; None where one can."""
    if not isinstance(kind, type):
        return "it is no class"
    if kind in BUILT_IN:
        return "values of this type are stored as they are"
    if type(tag) is not str or not tag.isprintable() or not 0 < len(tag) <= LONGEST_TAG:
        return f"a tag is a printable str of 1 to {LONGEST_TAG} characters"
    return None


CODECS = Registry()
"""The registry of this process, used where `encode` and `decode` are given none."""


def register_codec(kind: type[T], tag: str, to_plain: Callable[[T], Any], from_plain: Callable[[Any], T]) -> None:
    """Values of exactly this type can be stored from now on, as `Registry.register` says, in the registry of this process.

    Example: `register_codec(Price, "price", lambda price: price.cents, Price)`.
    """
    CODECS.register(kind, tag, to_plain, from_plain)
