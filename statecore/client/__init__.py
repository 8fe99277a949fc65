"""The HTTP API of the inbox from outside: its documents as classes, and a client.

Owns: `shapes`, the one place that says which fields a document has: the inbox fills these classes and writes them as JSON, the OpenAPI
description is generated from them, and a client reads JSON into them (`reading`). `http` is that client (`InboxClient`), with the extra `client`.

May enter: the standard library, attrs, errors and lazy names; httpx in `http` alone. No store, no web framework.

Start with `shapes.QuestionDocument`.
"""

from typing import TYPE_CHECKING

from statecore.lazy import HTTPX, lazy

if TYPE_CHECKING:
    from .http import InboxClient

__all__ = ["InboxClient"]

if not TYPE_CHECKING:
    __all__, __getattr__, __dir__ = lazy(__name__, __all__, {"InboxClient": "statecore.client.http"}, {"InboxClient": HTTPX})
