"""Documents as JSON and back: `plain` for what is sent, `read` for what came."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from types import UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from attrs import fields, has

Document = TypeVar("Document")


def plain(document: Any) -> Any:
    """A document as what `json.dumps` takes: of each class its fields, by name."""
    if has(type(document)):
        return {each.name: plain(getattr(document, each.name)) for each in fields(type(document))}
    if isinstance(document, Mapping):
        return {name: plain(each) for name, each in document.items()}
    if isinstance(document, list | tuple):
        return [plain(each) for each in document]
    return document


def read(kind: type[Document], told: Mapping[str, Any]) -> Document:
    """A document from its JSON; a field that this release does not know is left out, and one that is not there is None (API-3)."""
    hints = hints_of(kind)  # type: ignore[arg-type]  # a class has a hash
    return kind(**{name: taken(hint, told.get(name)) for name, hint in hints.items()})


@cache
def hints_of(kind: type) -> dict[str, Any]:
    """The types of a document's fields, by their names."""
    return get_type_hints(kind)


def taken(hint: Any, told: Any) -> Any:
    """A field from its JSON, by its type."""
    if told is None:
        return None
    if get_origin(hint) is UnionType:
        hint = next(each for each in get_args(hint) if each is not type(None))
    if get_origin(hint) is Sequence:
        return [taken(get_args(hint)[0], each) for each in told]
    return read(hint, told) if isinstance(hint, type) and has(hint) else told
