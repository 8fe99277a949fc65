"""The lifecycle of a step: a leaf that calls user code.

A person decides before anything runs; the code runs; an error is failed, skipped or put to a person, as the policy says.
`running` owes a result, `awaiting_confirmation` an answer, `errored_paused` a decision; the other states owe nothing.
"""

from __future__ import annotations

from .row import Row, Table
from .words import *  # noqa: F403  # the rows below are to be read without quotation marks

# fmt: off
STEP = Table(
    name="step",
    title="Step",
    initial=pending,
    final=frozenset({completed, skipped, cancelled}),
    owes={awaiting_confirmation: "ask", running: "call", errored_paused: "ask"},
    rows=(
        #   from                   on         to                     when                claim       because
        Row(pending,               enter,     awaiting_confirmation, needs_confirmation, "CONF-1",   "a person decides before anything runs"),
        Row(pending,               enter,     running,               runs_at_once,       "RUN-1"),

        Row(awaiting_confirmation, confirm,   running,               always,             "CONF-2"),
        Row(awaiting_confirmation, reject,    skipped,               reject_skips,       "CONF-3"),
        Row(awaiting_confirmation, reject,    cancelled,             reject_cancels,     "CONF-4",   "the whole run stops"),
        Row(awaiting_confirmation, cancel,    cancelled,             always,             "CANCEL-1"),

        Row(running,               succeed,   completed,             always,             "RUN-1"),
        Row(running,               stop,      completed,             always,             "RUN-3",    "it ends its workflow with it"),
        Row(running,               fail,      failed,                error_fails,        "ERR-1",    "the default: errors are loud"),
        Row(running,               fail,      skipped,               error_skips,        "ERR-2"),
        Row(running,               fail,      errored_paused,        error_pauses,       "ERR-3",    "a person decides: retry or skip"),
        Row(running,               interrupt, running,               interrupt_retries,  "CRASH-2",  "the process died; called again, same key"),
        Row(running,               interrupt, errored_paused,        interrupt_pauses,   "CRASH-2",  "it began, no end is recorded"),
        Row(running,               interrupt, failed,                interrupt_fails,    "CRASH-2"),
        Row(running,               cancel,    cancelled,             always,             "CANCEL-1"),

        Row(errored_paused,        retry,     running,               always,             "ERR-4",    "the gate is not asked again"),
        Row(errored_paused,        skip,      skipped,               always,             "ERR-5",    "skipped, not failed"),
        Row(errored_paused,        cancel,    cancelled,             always,             "CANCEL-1"),

        Row(failed,                resume,    running,               always,             "ERR-1",    "a person reopens a failed run"),
    ),
)
# fmt: on
