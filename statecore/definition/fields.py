"""Words and fields that settings are made of: the policies as enums, and the fields of a form that a person fills in.

The enums subclass `str`, so plain strings mean the same (`on_error="pause"`). A form is checked before anything is stored.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from typing import Any

from attrs import asdict, field, fields, frozen

from statecore.errors import DefinitionError, InvalidInput, described, quoted, suggest

TYPES: dict[str, tuple[type, ...]] = {
    "str": (str,),
    "int": (int,),
    "float": (float, int),
    "bool": (bool,),
    "list": (list,),
    "dict": (dict,),
}


class OnError(str, Enum):
    """The outcome of a failure of user code: the run fails, the component is skipped, or the run pauses for a person.

    Example: `statecore.examples.error_pause`.
    """

    fail = "fail"
    skip = "skip"
    pause = "pause"


class OnReject(str, Enum):
    """The outcome of a rejection.

    Example: `statecore.examples.cancellation`.
    """

    skip = "skip"
    cancel = "cancel"
    else_branch = "else"
    retry = "retry"


class OnTimeout(str, Enum):
    """The outcome of an expired pause.

    Example: `statecore.examples.timeout`.
    """

    cancel = "cancel"
    skip = "skip"
    approve = "approve"


class OnInterrupt(str, Enum):
    """The outcome of a death of the process in a step: the step is called again with the same key, put to a person, or failed.

    Example: `Step("pay", pay, on_interrupt="pause")`.
    """

    retry = "retry"
    pause = "pause"
    fail = "fail"


class RunStatus(str, Enum):
    """The status of a run.

    Example: `run.status is RunStatus.paused`, or `run.status == "PAUSED"`.
    """

    pending = "PENDING"
    running = "RUNNING"
    paused = "PAUSED"
    completed = "COMPLETED"
    cancelled = "CANCELLED"
    error = "ERROR"


# -- forms -------------------------------------------------------------------------------------------------------------------------


def check_type(_field: object, _attribute: object, value: object) -> None:
    """A field's type is one of the known words."""
    if value not in TYPES:
        message = f"field_type={quoted(value)} means nothing.{suggest(value, TYPES)}"
        raise DefinitionError(message)


@frozen
class UserInputField:
    """A value that a person gives: its name, type (str, int, float, bool, list, dict), default `value` and allowed values.

    Example: `statecore.examples.user_input`.
    """

    name: str
    field_type: str = field(default="str", validator=check_type)
    description: str | None = None
    value: Any = None
    required: bool = True
    allowed_values: Sequence[Any] | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)

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

    def wrong(self, value: Any) -> str | None:
        """The fault of a value for this field; None where the value fits."""
        expected = TYPES[self.field_type]
        if type(value) not in expected:
            return f"{self.name} must be of type {self.field_type}, not {type(value).__name__}"
        if self.allowed_values is not None and value not in self.allowed_values:
            return f"{self.name} must be one of {', '.join(map(quoted, self.allowed_values))}"
        return None


def as_schema(given: Iterable[UserInputField | Mapping[str, Any]] | None) -> tuple[UserInputField, ...] | None:
    """A schema from fields or such dicts. Raises `DefinitionError` for anything else, and for two fields of one name."""
    if given is None:
        return None
    if isinstance(given, str | bytes | Mapping) or not isinstance(given, Iterable):
        message = f"user_input_schema must be a list of UserInputField or dicts, not {described(given)}."
        raise DefinitionError(message)
    schema = []
    for each in given:
        if not isinstance(each, UserInputField | Mapping):
            message = f"user_input_schema must be a list of UserInputField or dicts; it has {described(each)}."
            raise DefinitionError(message)
        schema.append(each if isinstance(each, UserInputField) else UserInputField.from_dict(each))
    names = [each.name for each in schema]
    if len(set(names)) < len(names):
        message = f"user_input_schema names a field twice: {', '.join(names)}."
        raise DefinitionError(message)
    return tuple(schema)


def checked(step_name: str, schema: Sequence[UserInputField] | None, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values a person gives, complete and right; defaults are filled in. Raises `InvalidInput` that names all that is wrong.

    Without a schema every named value is taken.
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
        if value is None:
            if each.required:
                wrong.append(f"{name} is required")
        elif problem := each.wrong(value):
            wrong.append(problem)
        result[name] = value
    if wrong:
        raise InvalidInput(step_name, wrong)
    return result


# -- as plain data ------------------------------------------------------------------------------------------------------------------


def plain_value(value: Any) -> Any:
    """A setting as plain data: an enum's word, a field's parts, a function's name."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, UserInputField):
        return value.to_dict()
    if isinstance(value, tuple | list):
        return [plain_value(each) for each in value]
    if isinstance(value, bool | int | float | str):
        return value
    return {"function": function_name(value)}


def function_name(function: Any) -> str:
    """The name under which a plain definition knows a function, or an agent by its class."""
    module, name = getattr(function, "__module__", None), getattr(function, "__qualname__", type(function).__qualname__)
    return f"{module}.{name}" if module else name
