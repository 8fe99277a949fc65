"""Forms and JSON Schema, both ways: a form from fields, from a JSON Schema or from a class (pydantic, dataclass), and a form as JSON Schema.

A keyword that no field can keep is refused by name: a schema is never taken by half.
"""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from types import NoneType, UnionType
from typing import Any

from statecore.errors import DefinitionError, described, quoted

from .forms import Form, Secret, UserInputField, spelt

FORMATS = {"date": "date", "date-time": "datetime", "email": "email", "decimal": "decimal", "textarea": "text", "byte": "file"}
PLAIN = {"integer": "int", "number": "float", "boolean": "bool", "array": "list", "object": "dict", "string": "str"}
OUT = {field_type: kind for kind, field_type in PLAIN.items()} | dict.fromkeys(FORMATS.values(), "string")
FORMAT_OF = {field_type: name for name, field_type in FORMATS.items()}
BOUNDS = {
    "minimum": "minimum",
    "maximum": "maximum",
    "formatMinimum": "minimum",
    "formatMaximum": "maximum",
    "minLength": "min_length",
    "maxLength": "max_length",
    "minItems": "min_length",
    "maxItems": "max_length",
    "pattern": "pattern",
    "writeOnly": "secret",
}
TOLD = frozenset({"title", "description", "default", "type", "format", "enum", "const", "items", "examples", *BOUNDS})
ITEM = frozenset({"enum", "const", "type", "format", "title", "description"})
WHOLE = frozenset({"type", "title", "description", "properties", "required", "additionalProperties", "$defs", "$schema", "$id"})
TEXTUAL: dict[Any, str] = {
    str: "str",
    Secret: "str",
    int: "int",
    float: "float",
    bool: "bool",
    list: "list",
    dict: "dict",
    bytes: "file",
} | {
    Decimal: "decimal",
    date: "date",
    datetime: "datetime",
}

BY_METADATA = frozenset({"description", "minimum", "maximum", "min_length", "max_length", "pattern"})
"""The settings of a field that the metadata of a dataclass's attribute may have; other metadata is another library's."""
KNOWN = f"known are {', '.join(each.__name__ for each in TEXTUAL)}"


def as_form(given: Any) -> Form | None:
    """A form from fields or such dicts, a JSON Schema, a pydantic model or a dataclass. Raises `DefinitionError` for anything else."""
    if given is None or isinstance(given, Form):
        return given
    if isinstance(given, type):
        return of_class(given)
    if isinstance(given, Mapping):
        return Form(of_schema(given))
    if isinstance(given, str | bytes) or not isinstance(given, Iterable):
        message = f"user_input_schema must be a list of UserInputField or dicts, a class or a JSON Schema, not {described(given)}."
        raise DefinitionError(message)
    form = []
    for each in given:
        if not isinstance(each, UserInputField | Mapping):
            message = f"user_input_schema must be a list of UserInputField or dicts; it has {described(each)}."
            raise DefinitionError(message)
        form.append(each if isinstance(each, UserInputField) else UserInputField.from_dict(each))
    names = [each.name for each in form]
    if len(set(names)) < len(names):
        message = f"user_input_schema names a field twice: {', '.join(names)}."
        raise DefinitionError(message)
    return Form(form)


# -- from a class ------------------------------------------------------------------------------------------------------------------


def of_class(given: type) -> Form:
    """A form from a pydantic model or a dataclass; the step gets an instance of it."""
    describe = getattr(given, "model_json_schema", None)
    if callable(describe):
        form = Form(of_schema(describe()))
    elif dataclasses.is_dataclass(given):
        hints = typing.get_type_hints(given)
        form = Form(of_attribute(each, hints[each.name]) for each in dataclasses.fields(given) if each.init)
    else:
        message = f"user_input_schema={quoted(given.__name__)} is neither a pydantic model nor a dataclass."
        raise DefinitionError(message)
    form.model = given
    return form


def of_attribute(each: dataclasses.Field[Any], hint: Any) -> UserInputField:
    """A field from an attribute of a dataclass. Its metadata may have a description and bounds, under their names."""
    required = each.default is dataclasses.MISSING and each.default_factory is dataclasses.MISSING
    hint, optional = without_none(hint)
    item = typing.get_args(hint)[0] if typing.get_origin(hint) is list else None
    options, hint = choices_of(hint)
    if item is not None:
        options, item = choices_of(without_none(item)[0])
    kinds = [TEXTUAL.get(typing.get_origin(each_hint) or each_hint) for each_hint in (hint, item) if each_hint is not None]
    if None in kinds:
        odd = hint if kinds[0] is None else item
        message = f"{each.name}: no field of a form has the type {quoted(getattr(odd, '__name__', str(odd)))}; {KNOWN}."
        raise DefinitionError(message)
    default = None if each.default is dataclasses.MISSING else each.default
    if each.default_factory is not dataclasses.MISSING:
        default = each.default_factory()
    more = {name: value for name, value in each.metadata.items() if name in BY_METADATA}
    return UserInputField.from_dict(
        {"name": each.name, "field_type": kinds[0], "required": required and not optional, "allowed_values": options}
        | {"value": default.value if isinstance(default, Enum) else default, "secret": hint is Secret, **more}
        | ({"item_type": kinds[1]} if item is not None else {})
    )


def without_none(hint: Any) -> tuple[Any, bool]:
    """A type without None, and whether it allowed it; a union of several others as it is."""
    if typing.get_origin(hint) not in {typing.Union, UnionType}:
        return hint, False
    rest = [kind for kind in typing.get_args(hint) if kind is not NoneType]
    return (rest[0] if len(rest) == 1 else hint), len(rest) < len(typing.get_args(hint))


def choices_of(hint: Any) -> tuple[list[Any] | None, Any]:
    """The choices of a `Literal` or an enum, with their type; of any other type none."""
    options: list[Any] | None = None
    if typing.get_origin(hint) is typing.Literal:
        options = list(typing.get_args(hint))
    elif isinstance(hint, type) and issubclass(hint, Enum):
        options = [each.value for each in hint]
    return options, type(options[0]) if options else hint


def instance(model: Any, values: Mapping[str, Any]) -> Any:
    """An instance of a form's class from its checked values. Raises what the class raises for values that do not fit together."""
    validate = getattr(model, "model_validate", None)
    if validate is not None:
        return validate({name: each.reveal() if isinstance(each, Secret) else each for name, each in values.items()})
    hints = typing.get_type_hints(model)
    given = {name: value for name, value in values.items() if value is not None}
    return model(**{name: member(hints.get(name), value) for name, value in given.items()})


def member(hint: Any, value: Any) -> Any:
    """A value of a dataclass's attribute; of an enum its member."""
    if isinstance(value, list):
        inside = next((typing.get_args(each) for each in (hint, *typing.get_args(hint)) if typing.get_origin(each) is list), ())
        return [member(inside[0], each) for each in value] if inside else value
    kinds = [hint, *typing.get_args(hint)]
    enums = [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, Enum)]
    return enums[0](value) if enums else value


# -- from JSON Schema --------------------------------------------------------------------------------------------------------------


def of_schema(schema: Mapping[str, Any]) -> list[UserInputField]:
    """The fields of a JSON Schema of an object. Raises `DefinitionError` for a keyword that no field keeps."""
    properties = schema.get("properties")
    if schema.get("type", "object") != "object" or not isinstance(properties, Mapping):
        message = "user_input_schema as a JSON Schema is that of an object: it needs 'properties', a mapping of names to schemas."
        raise DefinitionError(message)
    refuse_unknown("The schema", schema, WHOLE)
    if schema.get("additionalProperties", False) is not False:
        message = "A form takes the named fields alone: leave additionalProperties out, or set it to false."
        raise DefinitionError(message)
    required = schema.get("required", ())
    unknown = [name for name in required if name not in properties]
    if unknown:
        message = f"required names {', '.join(map(quoted, unknown))}, which properties does not have."
        raise DefinitionError(message)
    return [of_property(name, each, schema.get("$defs", {}), required=name in required) for name, each in properties.items()]


def of_property(name: str, schema: Mapping[str, Any], defs: Mapping[str, Any], *, required: bool) -> UserInputField:
    """A field from the schema of a property."""
    told, optional = resolved(name, schema, defs)
    refuse_unknown(f"The schema of {quoted(name)}", told, TOLD)
    options = told.get("enum", [told["const"]] if "const" in told else None)
    item, _ = resolved(name, told.get("items") or {}, defs)
    each_is = None
    if told.get("type") == "array" and item:
        refuse_unknown(f"The items of {quoted(name)}", item, ITEM)
        options = item.get("enum", [item["const"]] if "const" in item else options)
        each_is = type_of(f"each item of {name}", item, options) if item.keys() & {"type", "format"} else None
    elif told.get("items"):
        message = f"{quoted(name)} has 'items' and is no array."
        raise DefinitionError(message)
    kind = type_of(name, told, options)
    bounds = {BOUNDS[word]: value for word, value in told.items() if word in BOUNDS}
    if kind == "decimal":  # JSON has no other numbers for its bounds
        bounds = {each: Decimal(str(value)) if isinstance(value, float) else value for each, value in bounds.items()}
    if told.get("format") == "password":
        bounds["secret"] = True
    text = told.get("description") or told.get("title")
    default = None if bounds.get("secret") else told.get("default")
    return UserInputField(name, kind, text, default, required and not optional, options, **bounds, item_type=each_is)


def type_of(name: str, told: Mapping[str, Any], options: Any) -> str:
    """The type of a field by the type and format of its schema. Raises `DefinitionError` where no field has it."""
    kind = FORMATS.get(str(told.get("format"))) or PLAIN.get(str(told.get("type"))) or kind_of(options)
    if kind is None or (told.get("format") not in FORMATS and told.get("format") is not None and told["format"] != "password"):
        asked = f"{quoted(told.get('type'))} with the format {quoted(told.get('format'))}"
        message = f"{quoted(name)} has the type {asked}, which no field of a form has."
        raise DefinitionError(message)
    return kind


def resolved(name: str, schema: Mapping[str, Any], defs: Mapping[str, Any]) -> tuple[dict[str, Any], bool]:
    """A schema without its reference and without `null`; whether it allowed null."""
    told = dict(schema)
    ways = [each for each in told.pop("anyOf", ()) if each.get("type") != "null"]
    optional = bool(ways) and len(ways) < len(schema["anyOf"])
    decimal = {"number", "string"} == {each.get("type") for each in ways}
    if decimal:  # pydantic's Decimal
        bounds = {word: value for each in ways if each["type"] == "number" for word, value in each.items() if word != "type"}
        return {**told, **bounds, "type": "string", "format": "decimal"}, optional
    if len(ways) > 1:
        message = f"{quoted(name)} is one of several schemas (anyOf); a field of a form has one type."
        raise DefinitionError(message)
    told = {**(ways[0] if ways else {}), **told}
    reference = told.pop("$ref", None)
    if reference is not None:
        told = {**defs.get(str(reference).rpartition("/")[2], {}), **told}
        if told.get("type") == "object":
            told = {word: value for word, value in told.items() if word not in WHOLE} | {
                "type": "object",
                "title": told.get("title", name),
            }
    return told, optional


def kind_of(options: Any) -> str | None:
    """The type of a field that has choices only."""
    return TEXTUAL.get(type(options[0])) if isinstance(options, list) and options else None


def refuse_unknown(of: str, schema: Mapping[str, Any], known: frozenset[str]) -> None:
    """Refuse the keywords of a schema that mean nothing here."""
    unknown = sorted(set(schema) - known)
    if unknown:
        message = (
            f"{of} has {', '.join(map(quoted, unknown))}, which no field of a form keeps; leave it out, or check it in the step."
        )
        raise DefinitionError(message)


# -- to JSON Schema ----------------------------------------------------------------------------------------------------------------


def json_schema(form: Iterable[UserInputField]) -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of the object that answers a form."""
    fields = list(form)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {each.name: property_of(each) for each in fields},
        "required": [each.name for each in fields if each.required and each.value is None],
        "additionalProperties": False,
    }


def property_of(each: UserInputField) -> dict[str, Any]:
    """The schema of a field."""
    told: dict[str, Any] = {"type": OUT[each.field_type]}
    if each.field_type in FORMAT_OF:
        told["format"] = FORMAT_OF[each.field_type]
    if each.description is not None:
        told["description"] = each.description
    if each.value is not None and not each.secret:
        told["default"] = spelt(each.value)
    if each.allowed_values is not None:
        options = list(map(spelt, each.allowed_values))
        told |= {"items": {"enum": options}} if each.field_type == "list" else {"enum": options}
    if each.item is not None:
        told["items"] = {**schema_of_type(each.item), **told.get("items", {})}
    told.update(bounds_of(each))
    if each.secret:
        told["writeOnly"] = True
    if each.required and each.value is None and each.field_type in {"str", "text"} and "minLength" not in told:
        told["minLength"] = 1
    return with_numbers(told) if each.field_type == "decimal" else told


def schema_of_type(each: UserInputField) -> dict[str, Any]:
    """The schema of a field's type alone."""
    told = {"type": OUT[each.field_type], **({"format": FORMAT_OF[each.field_type]} if each.field_type in FORMAT_OF else {})}
    return with_numbers(told) if each.field_type == "decimal" else told


def with_numbers(told: dict[str, Any]) -> dict[str, Any]:
    """The schema of a decimal number: as a number, or spelt as a text."""
    number: dict[str, Any] = {"type": "number"}
    number.update((word, float(told.pop(word))) for word in ("minimum", "maximum") if word in told)  # a schema has no other numbers
    spelling = {word: told.pop(word) for word in ("type", "format")}
    return {**told, "anyOf": [number, spelling]}


def bounds_of(each: UserInputField) -> Iterator[tuple[str, Any]]:
    """The keywords for the bounds of a field. Of dates they are those of a common extension, for JSON Schema compares numbers only."""
    dated = each.field_type in {"date", "datetime"}
    unfit = ("Length" if each.field_type == "list" else "Items", *(("minimum", "maximum") if dated else ("formatM",)))
    for word, name in BOUNDS.items():
        value = getattr(each, name)
        if value is not None and value is not False and not any(part in word for part in unfit):
            yield word, spelt(value)
