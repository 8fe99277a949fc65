"""Definitions as plain data and back: the public parts of a workflow, for JSON and for people.

Functions are named, `{"function": "module.name"}`, never stored; whoever reads a definition back brings them along. Nothing is imported.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from attrs import fields, frozen

from statecore.errors import DefinitionError, quoted

from .approval import Approval, as_approval
from .components import Component, Condition, Definition, Loop, Parallel, Router, Step, Steps
from .fields import plain_value
from .review import HumanReview

CHILDREN = {"steps", "else_steps", "choices"}
Functions: TypeAlias = Mapping[str, Any]
"""Functions and agents by the names that a plain definition has for them."""


def plain_definition(definition: Definition) -> dict[str, Any]:
    """A workflow's name and components."""
    plain = {"type": "Workflow", "name": definition.name, "steps": [plain_component(step) for step in definition.steps]}
    numbers = {"max_concurrency": definition.max_concurrency, "version": definition.version}
    flags = {"require_identity": True} if definition.require_identity else {}
    return {**plain, **{name: value for name, value in numbers.items() if value is not None}, **flags}


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
            plain[name] = value.to_dict()
        elif name != "takes" and value is not None:
            plain[name] = plain_value(value)
    return plain


# -- and back ----------------------------------------------------------------------------------------------------------------------


@frozen
class Nested:
    """A definition where a Workflow may stand."""

    definition: Definition


def read_definition(plain: Mapping[str, Any], functions: Functions) -> Definition:
    """The workflow that `plain_definition` wrote. Raises `DefinitionError` for a function that was not given."""
    steps = tuple(read_component(step, functions) for step in plain["steps"])
    return Definition(
        plain["name"], steps, plain.get("max_concurrency"), plain.get("version"), plain.get("require_identity", False)
    )


def read_component(plain: Mapping[str, Any], functions: Functions) -> Component:
    """One component, through its own constructor, so that all is checked that is checked where users write it."""
    settings = {name: read_value(name, value, functions) for name, value in plain.items()}
    kind = settings.pop("type", None)
    if kind not in MAKERS:
        message = f"{quoted(kind)} is no kind of component; known: {', '.join(MAKERS)}."
        raise DefinitionError(message)
    return MAKERS[kind](**settings)


def nested(
    name: str,
    steps: list[Component],
    max_concurrency: int | None = None,
    version: int | None = None,
    require_identity: bool = False,  # noqa: FBT001, FBT002  # as plain data name it
) -> Definition:
    """A workflow that stands in another one without a Step."""
    return Definition(name, tuple(steps), max_concurrency, version, require_identity)


def branches(steps: list[Component], **settings: Any) -> Parallel:
    """A Parallel takes its branches by position."""
    return Parallel(*steps, **settings)


MAKERS: dict[str, Callable[..., Component]] = {
    "Workflow": nested,
    **{each.__name__: each for each in (Step, Steps, Condition, Loop, Router)},
    "Parallel": branches,
}
"""The makers of components from their settings, by the kind that a plain definition has for each."""


def read_value(name: str, value: Any, functions: Functions) -> Any:
    """A setting from plain data."""
    if name in CHILDREN:
        return [read_component(child, functions) for child in value]
    if name == "workflow":
        return Nested(read_definition(value, functions))
    if name == "human_review":
        return HumanReview.from_dict({each: read_value(each, given, functions) for each, given in value.items()})
    if name == "approval":
        return read_approval(value, functions)
    if isinstance(value, Mapping) and "function" in value:
        if value["function"] not in functions:
            given = ", ".join(sorted(functions)) or "none"
            message = f"The definition needs the function {quoted(value['function'])}, which was not given (functions: {given})."
            raise DefinitionError(message)
        return functions[value["function"]]
    return value


def read_approval(plain: Any, functions: Functions) -> Approval | None:
    """An approval from plain data; the callable that names its people was brought along."""
    if not isinstance(plain, Mapping):
        return as_approval(plain)
    return as_approval({name: read_value(name, value, functions) for name, value in plain.items()})
