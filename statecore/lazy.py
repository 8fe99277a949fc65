"""Names of a module that are loaded at their first use, and left out where the package that they need is not installed.

A module hands `lazy` its names, their homes and the packages that some of them need, and takes `__all__`, `__getattr__` and `__dir__` from it:
`import *`, `dir()` and `pydoc` then see only names that can be loaded. A name that lacks its package raises `MissingExtra` when it is asked for.
Type checkers read the plain list and the imports beside it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Any, NamedTuple


class Extra(NamedTuple):
    """An optional extra of this distribution: its name, and the package whose presence shows that it is installed."""

    name: str
    package: str


POSTGRES = Extra("postgres", "psycopg")
CRYPTO = Extra("crypto", "cryptography")
TEMPORAL = Extra("temporal", "temporalio")
OTEL = Extra("otel", "opentelemetry")
OPENAI_AGENTS = Extra("openai-agents", "agents")
PYDANTIC_AI = Extra("pydantic-ai", "pydantic_ai")
LANGCHAIN = Extra("langchain", "langchain")
HTTPX = Extra("client", "httpx")
PYTEST = Extra("testing", "pytest")
INBOX = Extra("inbox", "starlette")
HYPOTHESIS = Extra("testing", "hypothesis")

Lazy = tuple[list[str], Callable[[str], Any], Callable[[], list[str]]]


def lazy(module: str, names: Sequence[str], homes: Mapping[str, str], needs: Mapping[str, Extra] | None = None) -> Lazy:
    """The `__all__`, `__getattr__` and `__dir__` of a module.

    `homes` gives the module that defines each name, as `module` or as `module:other_name`; a name without a home is defined in `module` itself.
    """
    wants = needs or {}
    offered = [name for name in names if name not in wants or installed(wants[name].package)]

    def get(name: str) -> Any:
        """Load a name from its home, once. Raises `MissingExtra` where its package is not installed."""
        if name not in homes:
            message = f"module {module!r} has no attribute {name!r}"
            raise AttributeError(message, name=name, obj=sys.modules[module])
        found = load(f"{module}.{name}", *where(name, homes[name]), wants.get(name))
        setattr(sys.modules[module], name, found)
        return found

    return offered, get, lambda: list(offered)


def where(name: str, home: str) -> tuple[str, str]:
    """The module that defines a name, and its name there."""
    path, _, other = home.partition(":")
    return path, other or name


def load(asked: str, path: str, name: str, extra: Extra | None) -> Any:
    """A name of a module. An import that fails because the extra is absent, or is there in part, is a `MissingExtra`."""
    if extra is None:
        return getattr(import_module(path), name)
    from statecore.errors import MissingExtra  # noqa: PLC0415  # only names with an extra can need it

    if not installed(extra.package):
        raise MissingExtra(asked, extra.name)
    try:
        return getattr(import_module(path), name)
    except ImportError as error:  # psycopg without libpq names no module
        if isinstance(error, ModuleNotFoundError) and (error.name or "").partition(".")[0] != extra.package:
            raise
        raise MissingExtra(asked, extra.name) from error


def installed(package: str) -> bool:
    """Whether a package can be found; it is not imported."""
    if package in sys.modules:
        return sys.modules[package] is not None
    try:
        return find_spec(package) is not None
    except ImportError:
        return False
