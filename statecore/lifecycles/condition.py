"""The lifecycle of a Condition: who chooses the branch, and what became of it.

Either a person chooses (`awaiting_confirmation`) or the evaluator does (`evaluating`, which owes a call); never both. While a branch
runs the Condition is `running` and owes nothing itself: what is inside it does.
"""

from __future__ import annotations

from .kind import Kind, UserCode
from .words import *  # noqa: F403  # the rows below are to be read without quotation marks
from .words import Row, Table

# fmt: off
CONDITION = Table(
    name="condition",
    title="Condition",
    initial=pending,
    final=frozenset({completed, skipped, cancelled}),
    owes={awaiting_confirmation: "ask", evaluating: "call", errored_paused: "ask"},
    rows=(
        #   from                   on         to                     when                claim       because
        Row(pending,               enter,     awaiting_confirmation, needs_confirmation, "COND-4",   "a person chooses; the evaluator is never called"),
        Row(pending,               enter,     evaluating,            runs_at_once,       "COND-6"),

        Row(awaiting_confirmation, confirm,   running,               always,             "COND-1",   "runs steps"),
        Row(awaiting_confirmation, reject,    running,               reject_takes_else,  "COND-2",   "runs else_steps"),
        Row(awaiting_confirmation, reject,    skipped,               reject_skips,       "COND-3",   "also where there is no else"),
        Row(awaiting_confirmation, reject,    cancelled,             reject_cancels,     "COND-2",   "the whole run stops"),
        Row(awaiting_confirmation, expire,    running,               timeout_approves,   "TIME-3"),
        Row(awaiting_confirmation, expire,    skipped,               timeout_skips,      "TIME-3"),
        Row(awaiting_confirmation, expire,    cancelled,             timeout_cancels,    "TIME-3"),
        Row(awaiting_confirmation, renew,     awaiting_confirmation, always,             "GATE-7a",  "the question has changed: put again"),
        Row(awaiting_confirmation, cancel,    cancelled,             always,             "CANCEL-1"),

        Row(evaluating,            hold,      running,               always,             "COND-6",   "runs steps"),
        Row(evaluating,            refute,    running,               has_else,           "COND-6",   "runs else_steps"),
        Row(evaluating,            refute,    skipped,               has_no_else,        "SKIP-2",   "not entered: transparent"),
        Row(evaluating,            fail,      failed,                error_fails,        "ERR-10"),
        Row(evaluating,            fail,      skipped,               error_skips,        "ERR-10"),
        Row(evaluating,            fail,      errored_paused,        error_pauses,       "ERR-10"),
        Row(evaluating,            interrupt, evaluating,            interrupt_retries,  "CRASH-2"),
        Row(evaluating,            interrupt, errored_paused,        interrupt_pauses,   "CRASH-2"),
        Row(evaluating,            interrupt, failed,                interrupt_fails,    "CRASH-2"),
        Row(evaluating,            cancel,    cancelled,             always,             "CANCEL-1"),

        Row(errored_paused,        retry,     evaluating,            always,             "ERR-4"),
        Row(errored_paused,        skip,      skipped,               always,             "ERR-5"),
        Row(errored_paused,        expire,    skipped,               timeout_skips,      "TIME-3"),
        Row(errored_paused,        expire,    cancelled,             timeout_cancels,    "TIME-3"),
        Row(errored_paused,        expire,    cancelled,             timeout_approves,   "TIME-3",   "there is nothing to approve"),
        Row(errored_paused,        renew,     errored_paused,        always,             "GATE-7a",  "the question has changed: put again"),
        Row(errored_paused,        cancel,    cancelled,             always,             "CANCEL-1"),

        Row(running,               finish,    completed,             always,             "COND-6"),
        Row(running,               leave,     skipped,               always,             "ERR-7",    "left as a unit by its error policy"),
        Row(running,               fail,      failed,                always,             "ERR-1",    "a step in it failed"),
        Row(running,               cancel,    cancelled,             always,             "CANCEL-1"),

        Row(failed,                resume,    evaluating,            failed_here,        "ERR-1",    "its evaluator had failed"),
        Row(failed,                resume,    running,               failed_inside,      "ERR-1"),
    ),
)
# fmt: on

CONDITION_KIND = Kind(
    "condition",
    CONDITION,
    "Condition",
    "fork",
    calls={evaluating: UserCode("evaluate", "evaluator", "its evaluator is called")},
    lists={"steps": "then", "else_steps": "else"},
)
