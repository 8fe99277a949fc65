"""The lifecycle of a group: `Steps`, and a Workflow nested in another. Gated as a whole; while its children run it owes nothing.

The lifecycle of a Parallel. Its branches have cursors of their own; it finishes when every branch is over, in whatever order.
"""

from __future__ import annotations

from .kind import Kind
from .words import *  # noqa: F403  # the rows below are to be read without quotation marks
from .words import Row, Table

# fmt: off
GROUP = Table(
    name="group",
    title="Steps and nested Workflow",
    initial=pending,
    final=frozenset({completed, skipped, cancelled}),
    owes={awaiting_confirmation: "ask"},
    rows=(
        #   from                   on         to                     when                claim       because
        Row(pending,               enter,     awaiting_confirmation, needs_confirmation, "CONF-1",   "a person decides before anything of it runs"),
        Row(pending,               enter,     running,               runs_at_once,       "STEPS-1"),

        Row(awaiting_confirmation, confirm,   running,               always,             "CONF-2"),
        Row(awaiting_confirmation, reject,    skipped,               reject_skips,       "CONF-3"),
        Row(awaiting_confirmation, reject,    cancelled,             reject_cancels,     "CONF-4",   "the whole run stops"),
        Row(awaiting_confirmation, expire,    running,               timeout_approves,   "TIME-3"),
        Row(awaiting_confirmation, expire,    skipped,               timeout_skips,      "TIME-3"),
        Row(awaiting_confirmation, expire,    cancelled,             timeout_cancels,    "TIME-3"),
        Row(awaiting_confirmation, renew,     awaiting_confirmation, always,             "GATE-7a",  "the question has changed: put again"),
        Row(awaiting_confirmation, cancel,    cancelled,             always,             "CANCEL-1"),

        Row(running,               finish,    completed,             always,             "STEPS-1"),
        Row(running,               leave,     skipped,               always,             "ERR-7",    "left as a unit by its error policy"),
        Row(running,               fail,      failed,                always,             "ERR-1",    "a step in it failed"),
        Row(running,               cancel,    cancelled,             always,             "CANCEL-1"),

        Row(failed,                resume,    running,               always,             "ERR-1"),
    ),
)
# fmt: on


# fmt: off
PARALLEL = Table(
    name="parallel",
    title="Parallel",
    initial=pending,
    final=frozenset({completed, skipped, cancelled}),
    owes={awaiting_confirmation: "ask"},
    rows=(
        #   from                   on         to                     when                claim       because
        Row(pending,               enter,     awaiting_confirmation, needs_confirmation, "PAR-6",    "gates all of it"),
        Row(pending,               enter,     running,               runs_at_once,       "PAR-1"),

        Row(awaiting_confirmation, confirm,   running,               always,             "PAR-6"),
        Row(awaiting_confirmation, reject,    skipped,               reject_skips,       "CONF-3"),
        Row(awaiting_confirmation, reject,    cancelled,             reject_cancels,     "CONF-4",   "the whole run stops"),
        Row(awaiting_confirmation, expire,    running,               timeout_approves,   "TIME-3"),
        Row(awaiting_confirmation, expire,    skipped,               timeout_skips,      "TIME-3"),
        Row(awaiting_confirmation, expire,    cancelled,             timeout_cancels,    "TIME-3"),
        Row(awaiting_confirmation, renew,     awaiting_confirmation, always,             "GATE-7a",  "the question has changed: put again"),
        Row(awaiting_confirmation, cancel,    cancelled,             always,             "CANCEL-1"),

        Row(running,               finish,    completed,             always,             "PAR-5",    "every branch is over"),
        Row(running,               leave,     skipped,               always,             "ERR-7",    "left as a unit by its error policy"),
        Row(running,               fail,      failed,                always,             "ERR-1",    "a step in it failed"),
        Row(running,               cancel,    cancelled,             always,             "CANCEL-1"),

        Row(failed,                resume,    running,               always,             "ERR-1"),
    ),
)
# fmt: on

STEPS_KIND = Kind("steps", GROUP, "Steps", "list")
WORKFLOW_KIND = Kind("workflow", GROUP, "Workflow", "list", stops=True)
PARALLEL_KIND = Kind("parallel", PARALLEL, "Parallel", "branches")
