"""Forms without script: the controls of a JSON Schema, and the value of a decision from the texts that a browser sends of them.

A control sends text; it becomes a value by the schema's type. Text that is no such value is sent on as it is, so that there is one judge of
values, the one that the API has.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from typing import Any

from attrs import define

from statecore.asking.text import loosely

from .values_shown import as_text

PREFIX = "f."
"""The beginning of the names of a form's controls, so that a field may be called `word`."""
WHOLE = "f"
"""The name of the one control of a schema that is no object."""
TYPES = {"date": "date", "email": "email", "byte": "file"}
MODES = {"integer": "numeric", "number": "decimal"}
LONGEST_CHOICE = 200


@define
class Control:
    """A control of a form: how it is labelled and drawn, the value it has, and why that is refused."""

    id: str
    name: str
    label: str
    control: str = "line"
    type: str = "text"
    value: str = ""
    required: bool = True
    hint: str | None = None
    why: str | None = None
    mode: str | None = None
    step: str | None = None
    rows: int = 3
    code: bool = False
    choices: list[dict[str, Any]] | None = None
    pointer: str = ""
    note: str | None = None


def controls(schema: Mapping[str, Any] | None, said: Mapping[str, list[str]] | None, label: str) -> list[Control]:
    """The controls of a schema, with what was said before where the form is shown again."""
    if schema is None:
        return []
    if schema.get("type") == "object" and "properties" in schema:
        needed = schema.get("required", ())
        return [
            control(f"f{number}", PREFIX + name, name, told, said, pointer=f"/value/{escaped(name)}", required=name in needed)
            for number, (name, told) in enumerate(schema["properties"].items(), 1)
        ]
    return [control("f0", WHOLE, schema.get("title") or label, schema, said, pointer="/value", required=True)]


def control(  # noqa: PLR0913  # all that a control has
    at: str, name: str, label: str, schema: Mapping[str, Any], said: Mapping[str, list[str]] | None, *, pointer: str, required: bool
) -> Control:
    """The control of one schema."""
    told = resolved(schema)
    given = said.get(name, []) if said is not None else spelt(told.get("default"))
    made = Control(at, name, label, required=required, hint=hint_of(told), pointer=pointer)
    made.value = given[0] if given else ""
    options = options_of(told)
    if options is not None:
        made.control = "checkbox" if told.get("type") == "array" and told.get("maxItems") != 1 else "radio"
        made.choices = [{"value": label_of(each), "label": label_of(each), "on": label_of(each) in given} for each in options]
    elif told.get("type") == "boolean":
        made.control = "radio"
        made.choices = [{"value": word, "label": word, "on": word in [each.lower() for each in given]} for word in ("yes", "no")]
    elif told.get("type") in ("array", "object"):
        made.control, made.rows, made.code = "textarea", 4, told["type"] == "object"
    elif told.get("format") == "textarea" or schema.get("multiline"):
        made.control, made.rows = "textarea", 5
    elif told.get("writeOnly"):
        made.type, made.value = "password", ""
    else:
        made.type = TYPES.get(str(told.get("format")), "text")
        made.mode = MODES.get(str(told.get("type"))) or ("decimal" if told.get("format") == "decimal" else None)
    return made


def resolved(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """A schema whose type is one of several, with its spelling as text."""
    texts = [each for each in schema.get("anyOf", ()) if each.get("type") == "string"]
    return {**schema, **texts[0]} if texts else schema


def options_of(told: Mapping[str, Any]) -> list[Any] | None:
    """The values of which one, or some, are to be chosen."""
    options = told.get("enum") or (told.get("items") or {}).get("enum")
    return list(options) if options else None


def label_of(option: Any) -> str:
    """An option as people read it, and as the control sends it."""
    return option if isinstance(option, str) else json.dumps(option, ensure_ascii=False)


def hint_of(told: Mapping[str, Any]) -> str | None:
    """The hint of a field: its purpose and its bounds."""
    ends = (
        ("minimum", "at least"), ("formatMinimum", "at least"), ("maximum", "at most"), ("formatMaximum", "at most"),
        ("minLength", "length at least"), ("maxLength", "length at most"), ("pattern", "matching"),
    )  # fmt: skip
    bounds = [f"{word} {told[name]}" for name, word in ends if name in told and told[name] != 1]
    how = {"array": "one value a line", "object": "a JSON object"}.get(str(told.get("type"))) if options_of(told) is None else None
    date = "a date and time, e.g. 2026-11-30T12:00:00Z" if told.get("format") == "date-time" else None
    parts = [each for each in (told.get("description"), how, date, ", ".join(bounds)) if each]
    return "; ".join(parts) or None


def spelt(default: Any) -> list[str]:
    """A default as a browser would send it."""
    if default is None:
        return []
    if isinstance(default, bool):
        return ["yes" if default else "no"]
    return [label_of(each) for each in default] if isinstance(default, list) else [as_text(default)]


def escaped(name: str) -> str:
    """A name in a JSON pointer."""
    return name.replace("~", "~0").replace("/", "~1")


# -- from what a browser sent --------------------------------------------------------------------------------------------------------


def value_of(schema: Mapping[str, Any] | None, said: Mapping[str, list[str]]) -> Any:
    """The value that the controls of a schema say. A control that was left empty says nothing."""
    if schema is not None and schema.get("type") == "object" and "properties" in schema:
        return dict(fields_of(schema["properties"], said))
    given = [text for text in said.get(WHOLE, []) if text != ""]
    return read(resolved(schema or {}), given) if given else None


def fields_of(properties: Mapping[str, Any], said: Mapping[str, list[str]]) -> Iterator[tuple[str, Any]]:
    """The fields that something was said of, with their values."""
    for name, schema in properties.items():
        given = [text for text in said.get(PREFIX + name, []) if text != ""]
        if given:
            yield name, read(resolved(schema), given)


def read(told: Mapping[str, Any], given: list[str]) -> Any:
    """A value by the type of its schema."""
    options = options_of(told)
    if told.get("type") == "array":
        lines = given if options is not None else [line for text in given for line in text.split("\n") if line.strip()]
        return [one(told.get("items") or {}, line, options) for line in lines]
    return one(told, given[0], options)


def one(told: Mapping[str, Any], text: str, options: list[Any] | None) -> Any:
    """One value: an option by its label, yes and no, a number, JSON, or the text."""
    if options is not None:
        return next((each for each in options if label_of(each) == text), text)
    kind = told.get("type")
    if kind == "boolean":
        return {"yes": True, "no": False}.get(text.lower(), text)
    if kind in ("integer", "number", "object"):
        found = loosely(text.strip())
        return text if isinstance(found, bool) else found
    return text


def file_text(content: bytes) -> str:
    """A file as a form's value."""
    return base64.b64encode(content).decode("ascii")
