"""The description of the API in OpenAPI 3.1, made of the classes of `client.shapes` and of the table of addresses.

It is committed as `specs/openapi.json`. Version 1 only ever gains fields, words, addresses and parameters (API-3): `removals` names everything
of a former description that a new one has not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from attrs import fields, has

from statecore.client import shapes
from statecore.lifecycles import ASK_KINDS, BY_WORD

from .api import POINTS, Endpoint
from .api_answers import MOST, PAGE, STATES
from .tokens import SCOPES

SUFFIX = "Document"
WORDS: Mapping[str, Sequence[str]] = {
    "state": STATES,
    "kind": sorted(ASK_KINDS),
    "word": sorted(BY_WORD),
    "status": ["pending", "running", "paused", "completed", "cancelled", "error"],
}
"""The words of fields and parameters so far. A client shows the text of a word that it does not know."""
PARAMETERS: Mapping[str, Mapping[str, Any]] = {
    "state": {"type": "string", "enum": list(STATES), "default": "open"},
    "mine": {"type": "string", "enum": ["0", "1"], "default": "0"},
    "kind": {"type": "string", "enum": sorted(ASK_KINDS)},
    "status": {"type": "string", "enum": list(WORDS["status"])},
    "order": {"type": "string", "enum": ["due", "asked"], "default": "due"},
    "due_before": {"type": "string", "format": "date-time"},
    "asked_before": {"type": "string", "format": "date-time"},
    "limit": {"type": "integer", "minimum": 1, "maximum": MOST, "default": PAGE},
    "typed": {"type": "string", "enum": ["0", "1"]},
}
"""The parameters that are not any text."""
JSON: Mapping[type, Mapping[str, Any]] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    NoneType: {"type": "null"},
}
ANSWERS = {
    "/questions": "QuestionsDocument",
    "/questions/{question_id}": "QuestionDocument",
    "/questions/{question_id}/decision": "StoredDocument",
    "/runs": "RunsDocument",
    "/runs/{run_id}": "RunDocument",
    "/runs/{run_id}/journal": "JournalDocument",
    "/runs/{run_id}/cancellation": "CancelledDocument",
}
"""The document of each address that answers with one."""
PROBLEM: dict[str, Any] = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "code", "fields"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string", "pattern": "^SC[0-9]{3}$"},
        "fields": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["pointer", "code", "text"],
                "properties": {name: {"type": "string"} for name in ("pointer", "code", "text")},
            },
        },
    },
}
BODIES: dict[str, Any] = {
    "/questions/{question_id}/decision": {
        "type": "object",
        "required": ["word", "seen"],
        "properties": {
            "word": {"type": "string"},
            "seen": {"type": "string"},
            "comment": {"type": ["string", "null"]},
            "value": {},
        },
        "additionalProperties": False,
    },
    "/runs/{run_id}/cancellation": {"type": "object", "additionalProperties": False},
}


def description() -> dict[str, Any]:
    """The description of the API."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "statecore inbox", "version": "1", "description": "Questions that wait for people, and their decisions."},
        "servers": [{"url": "/api/v1"}],
        "security": [{"token": []}],
        "paths": paths(),
        "components": {
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "description": f"Scopes: {', '.join(sorted(SCOPES))}."}
            },
            "schemas": {**dict(documents()), "Problem": PROBLEM},
        },
    }


def paths() -> dict[str, Any]:
    """The addresses with their methods."""
    found: dict[str, Any] = {}
    for each in POINTS:
        found.setdefault(each.path, {})[each.method.lower()] = operation(each)
    found["/events"] = {
        "get": {
            "operationId": "get_events",
            "summary": "A stream of hints about questions, or of the events of one run.",
            "parameters": [parameter("run", "query")],
            "responses": {"200": {"description": "A stream", "content": {"text/event-stream": {}}}, **PROBLEMS},
        }
    }
    return found


def operation(here: Endpoint) -> dict[str, Any]:
    """One address and method."""
    named = re.findall(r"\{(\w+)\}", here.path)
    parts = re.sub(r"[{}]", "", here.path).strip("/").replace("/", "_").replace(".", "_")
    found: dict[str, Any] = {
        "operationId": f"{here.method.lower()}_{parts}",
        "summary": (here.handle.__doc__ or "").partition("\n")[0],
        "description": f"Needs the scope `{here.scope}`.",
        "parameters": [
            *[{**parameter(name, "path"), "required": True} for name in named],
            *[parameter(name, "query") for name in sorted(here.takes)],
        ],
        "responses": {**answers(here), **PROBLEMS},
    }
    if here.path in BODIES:
        found["requestBody"] = {"required": True, "content": {"application/json": {"schema": BODIES[here.path]}}}
    if here.scope == "decide" and "question_id" in here.path:
        key = {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[ -~]+$"}
        found["parameters"].append({"name": "Idempotency-Key", "in": "header", "schema": key})
    return found


PROBLEMS: dict[str, Any] = {
    "default": {
        "description": "A refusal (RFC 9457)",
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
}


def answers(here: Endpoint) -> dict[str, Any]:
    """The answers of an address, but for refusals."""
    name = ANSWERS.get(here.path)
    if name is None:
        return {"200": {"description": "The bytes", "content": {"*/*": {}}}}
    found = {"description": "The document", "content": {"application/json": {"schema": reference(name)}}}
    more = {"201": {**found, "description": "It is stored"}} if here.path.endswith("/decision") else {}
    return {"200": found, **more}


def parameter(name: str, where: str) -> dict[str, Any]:
    """A parameter."""
    return {"name": name, "in": where, "schema": dict(PARAMETERS.get(name, {"type": "string"}))}


# -- documents ---------------------------------------------------------------------------------------------------------------------


def documents() -> Iterator[tuple[str, dict[str, Any]]]:
    """The schema of each class of documents, by its name without its ending."""
    for name, kind in sorted(vars(shapes).items()):
        if isinstance(kind, type) and has(kind) and name.endswith(SUFFIX):
            yield name.removesuffix(SUFFIX), document(kind)


def document(kind: type) -> dict[str, Any]:
    """The schema of a class: each of its fields is required."""
    hints = get_type_hints(kind)
    properties = {each.name: named(each.name, hints[each.name]) for each in fields(kind)}
    said = (kind.__doc__ or "").strip().partition("\n")[0]
    return {"type": "object", "description": said, "required": list(properties), "properties": properties}


def named(name: str, hint: Any) -> dict[str, Any]:
    """The schema of a field: instants by their name, words by the list so far."""
    found = schema_of(hint)
    is_text = str in (hint, *get_args(hint))
    if is_text and (name == "at" or name.endswith("_at")):
        found["format"] = "date-time"
    if is_text and name in WORDS:
        found["x-extensible-enum"] = list(WORDS[name])
    return found


def schema_of(hint: Any) -> dict[str, Any]:
    """The schema of a type."""
    if get_origin(hint) in (Union, UnionType):
        every = [schema_of(each) for each in get_args(hint)]
        plain = [each["type"] for each in every if each.keys() == {"type"}]
        return {"type": plain} if len(plain) == len(every) else {"anyOf": every}
    if get_origin(hint) is Sequence:
        return {"type": "array", "items": schema_of(get_args(hint)[0])}
    if get_origin(hint) is Mapping:
        return {"type": "object"}
    if isinstance(hint, type) and has(hint):
        return reference(hint.__name__)
    return dict(JSON.get(hint, {}))


def reference(name: str) -> dict[str, Any]:
    """A reference to the schema of a class."""
    return {"$ref": f"#/components/schemas/{name.removesuffix(SUFFIX)}"}


# -- additions only ----------------------------------------------------------------------------------------------------------------

FREE = frozenset({"description", "summary", "info"})
"""Parts that may be worded anew."""
GROWS = frozenset({"enum", "x-extensible-enum"})
"""Lists that may become longer."""


def removals(old: Any, new: Any, at: str = "") -> list[str]:
    """The places where a new description lacks or changes what an old one has. A parameter or a part of a body must not become required."""
    if isinstance(old, dict) and isinstance(new, dict):
        kept = [name for name in old if name not in FREE]
        gone = [f"{at}/{name}" for name in kept if name not in new]
        inside = [found for name in kept if name in new for found in removals(old[name], new[name], f"{at}/{name}")]
        return [*gone, *demanded(old, new, at), *inside]
    if isinstance(old, list) and isinstance(new, list):
        if at.rpartition("/")[2] == "parameters":
            return removals(by_name(old), by_name(new), at)
        if at.rpartition("/")[2] in GROWS or (at.endswith("/required") and at.startswith("/components")):
            return [f"{at}: {each}" for each in old if each not in new]
    return [] if old == new else [at]


def demanded(old: Mapping[str, Any], new: Mapping[str, Any], at: str) -> list[str]:
    """New parts of a request that have to be there."""
    if at.rpartition("/")[2] == "parameters":
        return [f"{at}/{name}: required" for name, each in new.items() if name not in old and each.get("required")]
    return []


def by_name(parameters: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Parameters by where they stand and by name."""
    return {f"{each['in']}:{each['name']}": each for each in parameters}
