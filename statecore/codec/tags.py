"""The tags of values that JSON lacks: the tables of built-in scalars. Each tag has one spelling."""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections import deque
from collections.abc import Callable
from datetime import date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from fractions import Fraction
from json import JSONEncoder
from pathlib import Path, PurePath, PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING, Any, NoReturn
from uuid import UUID

from attrs import frozen

from statecore.definition.forms import Secret

from . import erased
from .erased import Erased

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

EXACT = 2**53
"""Up to here every reader of JSON reads an int exactly; beyond, many read the nearest double."""

ZONE_KEY = re.compile(r"[A-Za-z0-9_+-]{1,40}(/[A-Za-z0-9_+-]{1,40}){0,3}")
MICROSECOND = timedelta(microseconds=1)
FLOATS = {"nan": float("nan"), "inf": float("inf"), "-inf": float("-inf")}
HALVES = re.compile("[\ud800-\udbff][\udc00-\udfff]")

dumps: Callable[[Any], str] = JSONEncoder(separators=(",", ":"), check_circular=False).encode


class Refused(Exception):
    """A value cannot be stored; on its way out it learns where the value stands."""

    why: str
    deep: object
    kind: type | None
    remedy: str

    def __init__(self, why: str, *, deep: object = None, kind: type | None = None, remedy: str = "") -> None:
        self.why, self.deep, self.kind, self.remedy = why, deep, kind, remedy
        self.way: list[tuple[str, object]] = []

    def within(self, step: str, container: object) -> None:
        """Note one step of the path, from the inside out, and the container in which it was taken."""
        self.way.append((step, container))


def refuse(
    why: str, *, deep: object = None, cause: Exception | None = None, kind: type | None = None, remedy: str = ""
) -> NoReturn:
    """Refuse a value: `deep` is the container that was one too many, `kind` a type that nothing is known of, `remedy` what to do."""
    raise Refused(why, deep=deep, kind=kind, remedy=remedy) from cause


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


def spell_bytes(value: bytes | bytearray) -> str:
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


# -- numbers, paths and ranges that got a tag later ----------------------------------------------------------------------------------


def spell_path(value: PurePath) -> str:
    """A path with forward slashes."""
    text = value.as_posix()
    if HALVES.search(text) is not None:
        refuse("a path with a surrogate pair in halves cannot be stored")
    return text


def spell_whole(value: int) -> int | str:
    """An int of any size: a number where every reader reads it exactly, else hexadecimal."""
    return int(value) if -EXACT <= value <= EXACT else hex(value)


def parse_whole(plain: Any) -> int:
    """An int from its spelling."""
    return parse_int(plain) if type(plain) is str else plain.__index__()


def spell_fraction(value: Fraction) -> list[int | str]:
    """Numerator and denominator."""
    return [spell_whole(value.numerator), spell_whole(value.denominator)]


def parse_fraction(plain: list[Any]) -> Fraction:
    """A fraction from its two numbers."""
    numerator, denominator = plain
    return Fraction(parse_whole(numerator), parse_whole(denominator))


def spell_complex(value: complex) -> list[str]:
    """The two parts, each as the shortest text that is read as this very float."""
    return [repr(value.real), repr(value.imag)]


def parse_complex(plain: list[str]) -> complex:
    """A complex number from its two parts."""
    real, imag = plain
    return complex(float(real), float(imag))


def parse_bytearray(plain: str) -> bytearray:
    """A bytearray from base64."""
    return bytearray(parse_bytes(plain))


def spell_range(value: range) -> list[int | str]:
    """Start, stop and step."""
    return [spell_whole(value.start), spell_whole(value.stop), spell_whole(value.step)]


def parse_range(plain: list[Any]) -> range:
    """A range from its three numbers."""
    start, stop, step = plain
    return range(parse_whole(start), parse_whole(stop), parse_whole(step))


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


# fmt: off
LATER_TAGS = (
    Tag("$path",        type(Path()),    spell_path,      Path),
    Tag("$posixpath",   PurePosixPath,   spell_path,      PurePosixPath),
    Tag("$windowspath", PureWindowsPath, spell_path,      PureWindowsPath),
    Tag("$fraction",    Fraction,        spell_fraction,  parse_fraction),
    Tag("$complex",     complex,         spell_complex,   parse_complex),
    Tag("$bytearray",   bytearray,       spell_bytes,     parse_bytearray),
    Tag("$range",       range,           spell_range,     parse_range),
    Tag("$erased",      Erased,          erased.spell,    erased.parse),
)
# fmt: on
"""The types that got a tag later: a codec that was registered for one of them before goes on writing it."""

BUILT_IN = frozenset({type(None), bool, str, list, tuple, dict, set, frozenset, *(tag.type for tag in TAGS)})
STORED_BASES = (*(BUILT_IN - {type(None), bool}), deque, *(tag.type for tag in LATER_TAGS if tag.type not in (complex, range)))
"""The types whose subclasses have contents that are no fields."""
