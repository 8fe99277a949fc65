"""The keyword arguments that `run` and `arun`, and `continue_run` and `acontinue_run`, share; and a status as users write it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypedDict

from statecore.definition import RunStatus
from statecore.definition.fields import as_schema, checked
from statecore.definition.plain import plain_value, read_value
from statecore.errors import DefinitionError, InvalidInput
from statecore.output import Requirement
from statecore.stores.rules import STATUS

if TYPE_CHECKING:
    from .workflow import Workflow


class RunOptions(TypedDict, total=False):
    """Beside the input of a new run: `additional_data` for its steps, whose it is (`session_id`, `user_id`), its id, its session state.

    `idempotency_key` names the request: the same key again starts no second run of the workflow, but goes on with the first one where
    it can, and gives its output.
    """

    additional_data: Mapping[str, Any] | None
    session_id: str | None
    user_id: str | None
    run_id: str | None
    session_state: Mapping[str, Any] | None
    idempotency_key: str | None


class ContinueOptions(TypedDict, total=False):
    """Which run goes on (by id, optionally within a session), decisions apart from its output, and whether a failed one is reopened."""

    run_id: str | None
    session_id: str | None
    step_requirements: Iterable[Requirement] | None
    error_requirements: Iterable[Requirement] | None
    retry_failed: bool


def phases_of(status: RunStatus | str) -> tuple[str, ...]:
    """The core's phases that a user's status stands for. Raises `DefinitionError` for a word that is none."""
    word = str(getattr(status, "value", status)).upper()
    phases = tuple(phase for phase, name in STATUS.items() if name == word)
    if not phases:
        message = f"{status!r} is no status; known: {', '.join(STATUS.values())}."
        raise DefinitionError(message)
    return phases


def checked_schema(schema: Any) -> Any:
    """An input schema: fields, or a class that validates by itself. Raises `DefinitionError` for anything else."""
    return schema if schema is None or hasattr(schema, "model_validate") else as_schema(schema)


def checked_input(name: str, schema: Any, given: Any) -> Any:
    """A run's input, checked and completed by the workflow's schema; plain data, so that it can be stored. Raises `InvalidInput`."""
    if schema is None:
        return given
    if not hasattr(schema, "model_validate"):
        return checked(name, schema, given)
    try:
        return schema.model_validate(given).model_dump()
    except ValueError as error:
        raise InvalidInput(name, [str(error)]) from error


def plain_options(workflow: Workflow) -> dict[str, Any]:
    """What is public of a workflow beside its definition, as plain data."""
    schema = workflow.input_schema
    plain: dict[str, Any] = {"id": workflow.id, "description": workflow.description, "metadata": workflow.metadata}
    if isinstance(schema, tuple):
        plain["input_schema"] = [each.to_dict() for each in schema]
    elif schema is not None:
        plain["input_schema"] = plain_value(schema)
    if workflow.checks:
        plain["checks"] = [str(each) for each in workflow.checks]
    if workflow.store_events:
        plain["store_events"] = True
    return plain


def read_options(plain: Mapping[str, Any], functions: Mapping[str, Any]) -> dict[str, Any]:
    """The keywords of a Workflow that `plain_options` wrote."""
    names = ("id", "description", "metadata", "input_schema", "store_events", "checks")
    return {name: read_value(name, plain[name], functions) for name in names if name in plain}
