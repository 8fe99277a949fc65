"""The inbox: where people decide. A JSON API and pages over one store, in a process that has no user code.

Owns: the documents of questions and runs as they are read from a `RunReader` (`documents`, `documents_place`, `documents_votes`,
`documents_run`; `stored` reads
a run, `values` makes envelopes); the one rule of who may see what (`seeing`); the API under `/api/v1` (`api` checks requests and makes an
`api_call` of each, `api_answers` has the answer of each address, `api_listing` pages and cursors, `api_decide` decisions, `api_problems`
refusals, `api_events` the stream, whose hints `stream` finds; `openapi` describes it all) and the `tokens` of programs. A document is made from
stored rows and from the program that the run began with, which is stored, too; nothing here imports or calls what a user wrote.

May enter: the facade and all rooms below, and `client.shapes`, which says the fields of a document. The command line stands above it. The
extra `inbox` has what it needs besides (starlette, jinja2, uvicorn, python-multipart); no other room imports these.

The pages show these documents (`bridge`): `pages` are the addresses, `list_view`, `question_view`, `run_view` and `values_shown` the
views of templates, `fields` the controls of a form, `sending` the form as it was sent, `refusing` the reasons of a refusal, `safely` the texts
of strangers, `words` and `languages` the sentences, `render` the templates. `guard` stands before all of it, `auth` says who asks, `app`
makes the application, `serving` a server of it.

Start with `documents.question`, and with `app` for the pages.
"""
