"""The documents of the inbox's HTTP API, as classes.

Owns: `shapes`, the one place that says which fields a document has. The inbox fills these classes and writes them as JSON, the OpenAPI
description is generated from them, and a client reads JSON into them.

May enter: the standard library and attrs. No store, no web framework.

Start with `shapes.QuestionDocument`.
"""
