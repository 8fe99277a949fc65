"""The classes that annotations name: those of a callable's parameters and result, and of the fields of the classes found so."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from inspect import isclass, unwrap
from types import SimpleNamespace
from typing import Any, get_args, get_type_hints

from .families import family_of

Found = tuple[list[type], bool]
"""The classes, and whether every annotation could be read."""


def types_in(called: Any) -> Found:
    """The classes of a family that the annotations of a callable name, with those of their fields."""
    function = annotated(called)
    hints, whole = hints_of(function)
    found: dict[type, None] = {}
    waiting = [kind for hint in hints for kind in classes_in(hint)]
    if isclass(called):
        waiting.append(called)
    while waiting:
        kind = waiting.pop()
        if kind not in found and family_of(kind) is not None:
            found[kind] = None
            inner, all_read = hints_of(kind)
            whole = whole and all_read
            waiting += [each for hint in inner for each in classes_in(hint)]
    return list(found), whole


def annotated(called: Any) -> Any:
    """The object that has the annotations of a callable."""
    while isinstance(called, partial):
        called = called.func
    called = unwrap(called)
    if isclass(called) or hasattr(called, "__annotations__"):
        return called
    return getattr(called, "__call__", called)  # noqa: B004  # its annotations are wanted, not whether it can be called


def hints_of(owner: Any) -> tuple[list[Any], bool]:
    """The annotations of a function or class as types; those that name nothing here are left out."""
    own = getattr(owner, "__annotations__", None)
    if not own:
        return [], True
    try:
        return list(get_type_hints(owner, include_extras=True).values()), True
    except Exception:  # noqa: BLE001  # an annotation is user code
        return list(one_by_one(owner, dict(own))), False


def one_by_one(owner: Any, own: dict[str, Any]) -> Iterator[Any]:
    """Those annotations that can be read although another one cannot."""
    names = getattr(unwrap(owner), "__globals__", None)
    for name, annotation in own.items():
        try:
            yield from get_type_hints(SimpleNamespace(__annotations__={name: annotation}), names, include_extras=True).values()
        except Exception:  # noqa: BLE001, S112  # the same
            continue


def classes_in(hint: Any) -> Iterator[type]:
    """The classes in an annotation: `dict[str, list[Order]] | None` has three."""
    if isclass(hint):
        yield hint
    for part in get_args(hint):
        yield from classes_in(part)
