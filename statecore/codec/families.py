"""Families of types that are stored without a codec of the user: enums, named tuples, dataclasses, attrs classes, pydantic models.

A value of a family is its class's tag, `module:qualname`, and its fields as plain data. It is restored without its constructor: what was
stored is what comes back, and no validator, converter or `__post_init__` runs on it a second time. Attributes beside the fields stand
in a third part, the `rest`; cached properties are computed again. A field that the stored text lacks takes its default.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable, Iterable, Mapping
from enum import Enum, Flag
from functools import cached_property
from inspect import getattr_static
from pathlib import Path
from typing import Any, TypeAlias

import attrs
from attrs import frozen

from .tags import STORED_BASES, Refused, refuse

Parts: TypeAlias = "tuple[Any, dict[str, Any] | None]"
"""The plain data of a value, and the rest of its state; None where the plain data is all."""

MISSING: Any = object()
CACHED_HASH = "_attrs_cached_hash"
MAINS = ("__main__", "__mp_main__")


@frozen
class Family:
    """One family: how a value is taken apart, and how it is put together for a class."""

    name: str
    part: Callable[[Any], Parts]
    join: Callable[[type, Any, dict[str, Any] | None], Any]


def family_of(kind: type) -> Family | None:
    """The family of a class; None for a class of no family. Exceptions, and classes of this package, are of none."""
    if str(kind.__module__).partition(".")[0] == "statecore" or issubclass(kind, BaseException):
        return None
    found = next((family for family, holds in FAMILIES if holds(kind)), None)
    return None if found in FIELDED and issubclass(kind, STORED_BASES) else found  # the contents of a dict or list are no fields


def is_named_tuple(kind: type) -> bool:
    """Whether a class is a named tuple. Another tuple is of no family."""
    return issubclass(kind, tuple) and all(hasattr(kind, each) for each in ("_fields", "_make", "_field_defaults"))


def is_model(kind: type) -> bool:
    """Whether a class is a model of pydantic 2. A process that has not imported pydantic has none."""
    pydantic = sys.modules.get("pydantic")
    base = getattr(pydantic, "BaseModel", None)
    return isinstance(base, type) and issubclass(kind, base) and hasattr(kind, "__pydantic_fields__")


def tag_of(kind: type) -> str:
    """The tag of a class, `module:qualname`; a script's own classes have the name under which the script is imported."""
    module = kind.__module__
    return f"{name_of_main(module) if module in MAINS else module}:{kind.__qualname__}"


def name_of_main(module: str) -> str:
    """The name under which the program that is run would be imported."""
    main = sys.modules.get(module)
    spec, file = getattr(main, "__spec__", None), getattr(main, "__file__", None)
    if spec is not None:
        return str(spec.name).removesuffix(".__main__")
    if not file:
        return "__main__"
    path = Path(file)
    names = [path.stem]
    while (path := path.parent).joinpath("__init__.py").exists():
        names.insert(0, path.name)
    return ".".join(names)


# -- fields ------------------------------------------------------------------------------------------------------------------------


def fields_part(value: Any, names: Iterable[str]) -> Parts:
    """The fields of a value, and what it has beside them."""
    try:
        plain = {name: getattr(value, name) for name in names}
    except AttributeError as error:
        refuse(f"its field {error.name!r} has no value")
    return plain, rest_of(value, plain)


def rest_of(value: Any, plain: Mapping[str, Any]) -> dict[str, Any] | None:
    """The attributes of a value beside its fields, without those that are computed when asked for; None where there are none."""
    own = getattr(value, "__dict__", None)
    if not own or len(own) == len(plain) == len(own.keys() & plain.keys()):
        return None
    rest = {name: each for name, each in own.items() if name not in plain and not is_cached(type(value), name)}
    if CACHED_HASH in rest:
        rest[CACHED_HASH] = None  # hashes differ from process to process
    return rest or None


def is_cached(kind: type, name: str) -> bool:
    """Whether an attribute is a cached property."""
    return isinstance(getattr_static(kind, name, None), cached_property)


def fields_joined(kind: type, plain: Any, rest: dict[str, Any] | None, defaults: Mapping[str, Callable[[Any], Any]]) -> Any:
    """A value of a class with fields; `defaults` has for each field what makes its default, or raises `Refused`."""
    check_fields(plain, defaults)
    value: Any = object.__new__(kind)
    for name in defaults:
        found = plain.get(name, MISSING)
        object.__setattr__(value, name, defaults[name](value) if found is MISSING else found)
    for name, each in (rest or {}).items():
        object.__setattr__(value, name, each)
    if hasattr(kind, CACHED_HASH):  # a slot
        object.__setattr__(value, CACHED_HASH, None)
    return value


def check_fields(plain: Any, known: Iterable[str]) -> None:
    """Refuse plain data that is no dict, or that has a field that the class lacks: it would be lost."""
    if type(plain) is not dict:
        refuse("its fields are no dict")
    unknown = plain.keys() - set(known)
    if unknown:
        refuse(f"the class lacks the field {min(unknown)!r}, which is stored")


def lacking(name: str) -> Callable[[Any], Any]:
    """The default of a field that has none."""

    def default(_value: Any) -> Any:
        refuse(f"the field {name!r} is not stored, and has no default")

    return default


def dataclass_part(value: Any) -> Parts:
    """The fields of a dataclass."""
    return fields_part(value, [each.name for each in dataclasses.fields(value)])


def dataclass_joined(kind: Any, plain: Any, rest: dict[str, Any] | None) -> Any:
    """A dataclass from its fields."""
    return fields_joined(kind, plain, rest, {each.name: dataclass_default(each) for each in dataclasses.fields(kind)})


def dataclass_default(each: dataclasses.Field[Any]) -> Callable[[Any], Any]:
    """The function that makes the default of a field of a dataclass."""
    if each.default_factory is not dataclasses.MISSING:
        make = each.default_factory
        return lambda _: make()
    return lacking(each.name) if each.default is dataclasses.MISSING else lambda _: each.default


def attrs_part(value: Any) -> Parts:
    """The fields of an attrs class."""
    return fields_part(value, [each.name for each in attrs.fields(type(value))])


def attrs_joined(kind: Any, plain: Any, rest: dict[str, Any] | None) -> Any:
    """An attrs class from its fields."""
    return fields_joined(kind, plain, rest, {each.name: attrs_default(each) for each in attrs.fields(kind)})


def attrs_default(each: Any) -> Callable[[Any], Any]:
    """The function that makes the default of a field of an attrs class."""
    default: Any = each.default
    if default is attrs.NOTHING:
        return lacking(each.name)
    if isinstance(default, attrs.Factory):  # type: ignore[arg-type]  # a class, whatever the stubs say
        return default.factory if default.takes_self else lambda _: default.factory()
    return lambda _: default


# -- enums and named tuples --------------------------------------------------------------------------------------------------------


def enum_joined(kind: Any, plain: Any, _rest: object) -> Any:
    """The member of a name."""
    if plain not in kind.__members__:
        refuse(f"the enum has no member {plain!r}")
    return kind.__members__[plain]


def tuple_part(value: Any) -> Parts:
    """The fields of a named tuple."""
    plain = dict(zip(value._fields, value, strict=True))
    return plain, rest_of(value, plain)


def tuple_joined(kind: Any, plain: Any, rest: dict[str, Any] | None) -> Any:
    """A named tuple from its fields."""
    check_fields(plain, kind._fields)
    given = kind._field_defaults | plain
    value = tuple.__new__(kind, [given[name] if name in given else lacking(name)(None) for name in kind._fields])
    for name, each in (rest or {}).items():
        object.__setattr__(value, name, each)
    return value


# -- pydantic ----------------------------------------------------------------------------------------------------------------------


def model_part(value: Any) -> Parts:
    """The fields of a model; the rest says which were set, where not all were, and what it has beside them."""
    state, known = value.__getstate__(), type(value).__pydantic_fields__
    plain = {name: each for name, each in state["__dict__"].items() if name in known}
    own = {name: each for name, each in state["__dict__"].items() if name not in known and not is_cached(type(value), name)}
    given = state["__pydantic_fields_set__"]
    rest: dict[str, Any] = {"set": sorted(given)} if given != plain.keys() else {}
    parts = {"extra": state.get("__pydantic_extra__"), "private": state.get("__pydantic_private__"), "own": own}
    rest |= {name: part for name, part in parts.items() if part}
    return plain, rest or None


def model_joined(kind: Any, plain: Any, rest: dict[str, Any] | None) -> Any:
    """A model from its fields, as its validators left them."""
    known, said = kind.__pydantic_fields__, rest or {}
    check_fields(plain, known)
    filled = {name: plain[name] if name in plain else model_default(name, known[name], plain) for name in known}
    private = {
        name: each.get_default() for name, each in kind.__private_attributes__.items() if name not in said.get("private", ())
    }
    value = kind.__new__(kind)
    value.__setstate__(
        {
            "__dict__": filled | said.get("own", {}),
            "__pydantic_extra__": said.get("extra", {} if kind.model_config.get("extra") == "allow" else None),
            "__pydantic_fields_set__": set(said.get("set", plain)),
            "__pydantic_private__": (private | said.get("private", {})) if kind.__private_attributes__ else None,
        }
    )
    return value


def model_default(name: str, field: Any, given: Mapping[str, Any]) -> Any:
    """The default of a field of a model."""
    if field.is_required():
        refuse(f"the field {name!r} is not stored, and has no default")
    return field.get_default(call_default_factory=True, validated_data=dict(given))


ENUMS = Family("enum", lambda value: (value.name, None), enum_joined)
FLAGS = Family("flag", lambda value: (value.value, None), lambda kind, plain, _: kind(plain))
NAMED_TUPLES = Family("named tuple", tuple_part, tuple_joined)
DATACLASSES = Family("dataclass", dataclass_part, dataclass_joined)
ATTRS = Family("attrs class", attrs_part, attrs_joined)
MODELS = Family("pydantic model", model_part, model_joined)
FAMILIES: tuple[tuple[Family, Callable[[type], bool]], ...] = (
    (FLAGS, lambda kind: issubclass(kind, Flag)),
    (ENUMS, lambda kind: issubclass(kind, Enum)),
    (NAMED_TUPLES, is_named_tuple),
    (MODELS, is_model),
    (ATTRS, attrs.has),
    (DATACLASSES, dataclasses.is_dataclass),
)
FIELDED = (MODELS, ATTRS, DATACLASSES)

__all__ = ["Family", "Parts", "Refused", "family_of", "tag_of"]
