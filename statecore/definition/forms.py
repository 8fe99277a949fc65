"""Forms: the fields that a person fills in, and the check of the values before anything is stored.

A value is *taken* by its field: a value of the field's own type as it is, a text where the type has one spelling as text (a date, a decimal
number, the bytes of a file in base64), so that a page, a shell and a program give the same. `schemas` makes forms from classes and JSON Schema.
"""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error as BadBase64
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from math import isfinite
from typing import Any, NamedTuple

from attrs import Attribute, asdict, field, fields, frozen

from statecore.errors import DefinitionError, InvalidInput, described, quoted, suggest

EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
HIDDEN = "(hidden)"
"""The text that stands for the value of a secret field wherever values are shown."""


class Secret:
    """The value of a secret field. It prints as `(hidden)`, wherever it is shown; `reveal()` gives the value.

    It is no attrs class: those are taken apart where an object becomes plain data.

    Example: `step_input.additional_data["user_input"]["token"].reveal()`.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The value."""
        return self._value

    def __repr__(self) -> str:
        """Hide the value."""
        return HIDDEN

    def __eq__(self, other: object) -> bool:
        """Compare the values."""
        return self._value == other._value if isinstance(other, Secret) else NotImplemented

    def __hash__(self) -> int:
        """Follow `__eq__`."""
        return hash((Secret, self._value))


class FieldKind(NamedTuple):
    """A type of field: the types of its values, and the reader of its spelling as text, which raises `ValueError`."""

    types: tuple[type, ...]
    read: Callable[[str], Any] | None = None
    says: str = ""
    """The words for the spelling, for a refusal."""


def read_email(text: str) -> str:
    """An address of e-mail: one @ between two parts without spaces."""
    if not EMAIL.fullmatch(text):
        raise ValueError
    return text


def read_decimal(text: str) -> Decimal:
    """A finite decimal number."""
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise ValueError from None
    if not number.is_finite():
        raise ValueError
    return number


def read_file(text: str) -> bytes:
    """The bytes of a file from base64."""
    try:
        return b64decode(text, validate=True)
    except BadBase64:
        raise ValueError from None


TYPES: dict[str, FieldKind] = {
    "str": FieldKind((str,)),
    "text": FieldKind((str,)),
    "int": FieldKind((int,)),
    "float": FieldKind((float, int)),
    "decimal": FieldKind((Decimal,), read_decimal, 'a decimal number such as "12.50"'),
    "bool": FieldKind((bool,)),
    "date": FieldKind((date,), date.fromisoformat, 'a date such as "2026-12-24"'),
    "datetime": FieldKind((datetime,), datetime.fromisoformat, 'a date and time such as "2026-12-24T18:00+01:00"'),
    "email": FieldKind((), read_email, 'an e-mail address such as "ada@example.org"'),
    "list": FieldKind((list,)),
    "dict": FieldKind((dict,)),
    "file": FieldKind((bytes,), read_file, "the content of a file: bytes, or its base64"),
}
"""The types of fields. `text` is a `str` of several lines; `list` with `allowed_values` is a choice of several."""

RANGED = frozenset({"int", "float", "decimal", "date", "datetime"})
LONG = frozenset({"str", "text", "email", "list", "file"})
WRITTEN = frozenset({"str", "text", "email"})


def check_type(_field: object, _attribute: object, value: object) -> None:
    """A field's type is one of the known words."""
    if not isinstance(value, str) or value not in TYPES:
        message = f"field_type={quoted(value)} means nothing.{suggest(value, TYPES)}"
        raise DefinitionError(message)


def check_bound(each: Any, attribute: Attribute[Any], value: object) -> None:
    """A bound fits the field's type: a setting that can have no effect is refused (GATE-1)."""
    if value is None or each.field_type not in TYPES:
        return
    fitting, kinds = BOUNDS[attribute.name], TYPES[each.field_type]
    if each.field_type not in fitting:
        message = f"{attribute.name} says nothing of a field of type {each.field_type}; it bounds {', '.join(sorted(fitting))}."
        raise DefinitionError(message)
    if fitting is RANGED:
        right = type(each.taken(value)) in kinds.types
    elif fitting is WRITTEN:
        right = is_pattern(value)
    else:
        right = type(value) is int and value >= 0
    if not right:
        message = f"{attribute.name}={quoted(value)} is no bound of a field of type {each.field_type}."
        raise DefinitionError(message)


BOUNDS = {"minimum": RANGED, "maximum": RANGED, "min_length": LONG, "max_length": LONG, "pattern": WRITTEN}


def is_pattern(value: object) -> bool:
    """Whether a value is a regular expression."""
    try:
        re.compile(value)  # type: ignore[call-overload]  # anything may have been given
    except (TypeError, re.error):
        return False
    return isinstance(value, str)


def as_read(kind: FieldKind, value: object) -> Any:
    """A value from its spelling as text; None where it is none."""
    if kind.read is None or not isinstance(value, str):
        return None
    try:
        return kind.read(value)
    except ValueError:
        return None


def check_item(each: Any, _attribute: object, value: object) -> None:
    """The type of the items is one of the known words, and that of a list."""
    if value is None:
        return
    check_type(each, _attribute, value)
    if each.field_type != "list":
        message = f"item_type says nothing of a field of type {each.field_type}; it is the type of the items of a list."
        raise DefinitionError(message)


def check_secret(each: Any, attribute: Attribute[Any], value: object) -> None:
    """A secret is a text, without a default that a form would show."""
    check_flag(each, attribute, value)
    if value and (each.field_type != "str" or each.value is not None or each.allowed_values is not None):
        message = "A secret field is a str without a default and without allowed_values: both would be shown."
        raise DefinitionError(message)


def check_flag(_field: object, attribute: Attribute[Any], value: object) -> None:
    """A yes or no is a bool."""
    if type(value) is not bool:
        message = f"{attribute.name} is True or False, not {described(value)}."
        raise DefinitionError(message)


@frozen
class UserInputField:
    """A value that a person gives: its name, type, default `value`, and bounds.

    Types: str, text (several lines), int, float, decimal, bool, date, datetime, email, list, dict, file (bytes). `minimum` and `maximum` bound
    numbers and dates; `min_length` and `max_length` texts, lists and files; a text must contain a match of `pattern`, a regular expression.
    `allowed_values` are the choices; of a list, those of its items, and `item_type` is their type. A `secret` field is a str that is never shown
    again: the step gets a `Secret`.

    Example: `statecore.examples.user_input`.
    """

    name: str
    field_type: str = field(default="str", validator=check_type)
    description: str | None = None
    value: Any = None
    required: bool = field(default=True, validator=check_flag)
    allowed_values: Sequence[Any] | None = None
    minimum: Any = field(default=None, validator=check_bound)
    maximum: Any = field(default=None, validator=check_bound)
    min_length: int | None = field(default=None, validator=check_bound)
    max_length: int | None = field(default=None, validator=check_bound)
    pattern: str | None = field(default=None, validator=check_bound)
    secret: bool = field(default=False, validator=check_secret)
    item_type: str | None = field(default=None, validator=check_item)

    @property
    def item(self) -> UserInputField | None:
        """A field for one item of a list whose items have a type; None for any other field."""
        return UserInputField(f"each item of {self.name}", self.item_type) if self.item_type is not None else None

    def to_dict(self) -> dict[str, Any]:
        """Plain data; the newer settings only where they are set. A default or bound with a spelling as text is that text."""
        plain = asdict(self)
        return {name: spelt(value) for name, value in plain.items() if name not in NEWER or value != NEWER[name]}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> UserInputField:
        """A field from plain data. Raises `DefinitionError` for an unknown key."""
        known = {attribute.name for attribute in fields(cls)}
        for key in plain:
            if key not in known:
                message = f"A UserInputField has no {quoted(key)}.{suggest(key, known)}"
                raise DefinitionError(message)
        if not isinstance(plain.get("name"), str):
            message = f"A UserInputField needs a name: a text under the key 'name', not {described(plain.get('name'))}."
            raise DefinitionError(message)
        return cls(**plain)

    def taken(self, value: Any) -> Any:
        """A given value as the step gets it; a value that does not fit stays as it is, for `wrong` to name."""
        if self.secret:
            return Secret(value) if isinstance(value, str) else value
        if self.item is not None and isinstance(value, list):
            return list(map(self.item.taken, value))
        kind = TYPES[self.field_type]
        if isinstance(value, str) and kind.read is not None and str not in kind.types:
            read = as_read(kind, value)
            return value if read is None else read
        is_number = self.field_type == "decimal" and type(value) in {int, float}
        return Decimal(str(value)) if is_number and isfinite(value) else value

    def wrong(self, given: Any) -> str | None:
        """The fault of a value for this field, without the value; None where the value fits."""
        value = self.taken(given)
        value = value.reveal() if isinstance(value, Secret) else value
        if self.secret and value == HIDDEN:
            return f"{self.name} was hidden where it was read; give it again"
        kind = TYPES[self.field_type]
        fits = as_read(kind, value) is not None if not kind.types else type(value) in kind.types
        if not fits:
            if kind.read is not None:
                return f"{self.name} must be {kind.says}" + ("" if isinstance(given, str) else f", not {type(given).__name__}")
            return f"{self.name} must be of type {self.field_type}, not {type(given).__name__}"
        return self.not_allowed(value) or self.out_of_bounds(value) or self.wrong_item(given)

    def wrong_item(self, given: Any) -> str | None:
        """The fault of the first item of a list that is not of the type of its items."""
        item = self.item
        faults = map(item.wrong, given) if item is not None else iter(())
        return next((fault for fault in faults if fault is not None), None)

    def not_allowed(self, value: Any) -> str | None:
        """The fault of a value that is none of the choices."""
        if self.allowed_values is None:
            return None
        allowed = [(self.item or self).taken(each) for each in self.allowed_values]
        chosen = value if self.field_type == "list" else [value]
        if all(each in allowed for each in chosen):
            return None
        some = "have items of" if self.field_type == "list" else "be one of"
        return f"{self.name} must {some} {', '.join(map(quoted, self.allowed_values))}"

    def out_of_bounds(self, value: Any) -> str | None:
        """The fault of a value beyond a bound."""
        low, high = self.taken(self.minimum), self.taken(self.maximum)
        try:
            if low is not None and not value >= low:
                return f"{self.name} must be at least {quoted(spelt(low))}"
            if high is not None and not value <= high:
                return f"{self.name} must be at most {quoted(spelt(high))}"
        except TypeError:  # an instant with a time zone is compared with one without
            return f"{self.name} must have a time zone, as its bound has, or none where that has none"
        return self.too_long(value)

    def too_long(self, value: Any) -> str | None:
        """The fault of a text, list or file whose length or spelling is not allowed."""
        unit = {"list": "items", "file": "bytes"}.get(self.field_type, "signs")
        if self.min_length is not None and len(value) < self.min_length:
            return f"{self.name} must have at least {self.min_length} {unit}"
        if self.max_length is not None and len(value) > self.max_length:
            return f"{self.name} must have at most {self.max_length} {unit}"
        if self.pattern is not None and not re.search(self.pattern, value):
            return f"{self.name} must match the pattern {quoted(self.pattern)}"
        return None


NEWER: dict[str, Any] = {
    "minimum": None,
    "maximum": None,
    "min_length": None,
    "max_length": None,
    "pattern": None,
    "secret": False,
    "item_type": None,
}
"""The settings that plain data leaves out where they are at their default: forms of older releases are stored without them."""


def spelt(value: Any) -> Any:
    """A date, a decimal number or an instant as text; anything else as it is."""
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return type(value)(map(spelt, value))
    return str(value) if isinstance(value, Decimal) else value


class Form(tuple[UserInputField, ...]):  # noqa: SLOT001  # it has an attribute beside its fields
    """The fields of a form, in their order. `model` is the class that the form was made from, None where it was made from fields."""

    model: Any = None


def hidden(value: Any) -> Any:
    """Plain data with each secret as the text `(hidden)`."""
    if isinstance(value, Secret):
        return HIDDEN
    if isinstance(value, Mapping):
        return {name: hidden(each) for name, each in value.items()}
    return [hidden(each) for each in value] if isinstance(value, list | tuple) else value


def text_of(value: Any) -> str:
    """A given text, a secret one too; a sign that is no space for anything else."""
    text = value.reveal() if isinstance(value, Secret) else value
    return text if isinstance(text, str) else "?"


def checked(step_name: str, schema: Sequence[UserInputField] | None, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values a person gives, complete and right; defaults are filled in. Raises `InvalidInput` that names all that is wrong.

    Without a schema every named value is taken. A required text is not empty.
    """
    given: Any = values
    if not isinstance(given, Mapping) or not all(isinstance(name, str) for name in values):
        raise InvalidInput(step_name, [f"a mapping of names to values is needed, not {described(values)}"])
    if schema is None:
        return dict(values)
    form = {each.name: each for each in schema}
    wrong = [f"{name!r} is not asked for.{suggest(name, form)}" for name in values if name not in form]
    result: dict[str, Any] = {}
    for name, each in form.items():
        value = values.get(name, each.value)
        if value is None or (each.required and each.field_type in WRITTEN and not text_of(value).strip()):
            if each.required:
                wrong.append(f"{name} is required")
        elif problem := each.wrong(value):
            wrong.append(problem)
        result[name] = each.taken(value)
    if wrong:
        raise InvalidInput(step_name, wrong)
    return result
