"""Definitions as plain data: the public parts of a workflow, for JSON and for people. Functions are named, never stored."""

from __future__ import annotations

from enum import Enum
from typing import Any

from attrs import fields

from .components import Component, Definition
from .fields import UserInputField
from .review import DEFAULTS, HumanReview

CHILDREN = {"steps", "else_steps", "choices"}


def plain_definition(definition: Definition) -> dict[str, Any]:
    """A workflow's name and components."""
    return {"type": "Workflow", "name": definition.name, "steps": [plain_component(step) for step in definition.steps]}


def plain_component(component: Component) -> dict[str, Any]:
    """A component's kind, name and settings that differ from their defaults, with what is inside it."""
    if isinstance(component, Definition):
        return plain_definition(component)
    plain: dict[str, Any] = {"type": type(component).__name__}
    for attribute in fields(type(component)):
        name, value = attribute.name, getattr(component, attribute.name)
        if name in CHILDREN:
            plain[name] = [plain_component(child) for child in value]
        elif isinstance(value, Definition):
            plain[name] = plain_definition(value)
        elif isinstance(value, HumanReview):
            plain[name] = plain_review(value)
        elif name != "wants_context" and value is not None:
            plain[name] = plain_value(value)
    return plain


def plain_review(review: HumanReview) -> dict[str, Any]:
    """The settings of a review that differ from their defaults."""
    return {name: plain_value(value) for name in DEFAULTS if (value := getattr(review, name)) != DEFAULTS[name]}


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
    module, name = getattr(value, "__module__", None), getattr(value, "__qualname__", type(value).__qualname__)
    return f"{module}.{name}" if module else name
