"""The lifecycle of a Loop: one iteration after another, until the end condition holds, a person accepts, or the iterations are spent.

An iteration that could be followed by another is tested by the end condition, if there is one, and then reviewed, if that is asked for.
"""

from __future__ import annotations

from .kind import Kind, UserCode
from .words import *  # noqa: F403  # the rows below are to be read without quotation marks
from .words import Row, Table

# fmt: off
LOOP = Table(
    name="loop",
    title="Loop",
    initial=pending,
    final=frozenset({completed, skipped, cancelled}),
    owes={awaiting_confirmation: "ask", evaluating: "call", awaiting_review: "ask", errored_paused: "ask"},
    rows=(
        #   from                   on         to                     when                claim       because
        Row(pending,               enter,     awaiting_confirmation, needs_confirmation, "CONF-1"),
        Row(pending,               enter,     running,               runs_at_once,       "LOOP-1"),

        Row(awaiting_confirmation, confirm,   running,               always,             "CONF-2"),
        Row(awaiting_confirmation, reject,    skipped,               reject_skips,       "CONF-3"),
        Row(awaiting_confirmation, reject,    cancelled,             reject_cancels,     "CONF-4",   "the whole run stops"),
        Row(awaiting_confirmation, expire,    running,               timeout_approves,   "TIME-3"),
        Row(awaiting_confirmation, expire,    skipped,               timeout_skips,      "TIME-3"),
        Row(awaiting_confirmation, expire,    cancelled,             timeout_cancels,    "TIME-3"),
        Row(awaiting_confirmation, renew,     awaiting_confirmation, always,             "GATE-7a",  "the question has changed: put again"),
        Row(awaiting_confirmation, cancel,    cancelled,             always,             "CANCEL-1"),

        Row(running,               finish,    completed,             iterations_spent,   "LOOP-1",   "max_iterations is reached"),
        Row(running,               finish,    evaluating,            tests_end,          "LOOP-1",   "the end condition is called"),
        Row(running,               finish,    awaiting_review,       reviews_iterations, "LOOP-3"),
        Row(running,               finish,    running,               loops_again,        "LOOP-1",   "the next iteration"),
        Row(running,               leave,     skipped,               always,             "ERR-7",    "left as a unit by its error policy"),
        Row(running,               fail,      failed,                always,             "ERR-1",    "a step in it failed"),
        Row(running,               cancel,    cancelled,             always,             "CANCEL-1"),

        Row(evaluating,            hold,      completed,             always,             "LOOP-1",   "the end condition holds"),
        Row(evaluating,            refute,    awaiting_review,       reviews_iterations, "LOOP-3"),
        Row(evaluating,            refute,    running,               loops_again,        "LOOP-1"),
        Row(evaluating,            fail,      failed,                error_fails,        "ERR-10"),
        Row(evaluating,            fail,      skipped,               error_skips,        "ERR-10"),
        Row(evaluating,            fail,      errored_paused,        error_pauses,       "ERR-10"),
        Row(evaluating,            interrupt, evaluating,            interrupt_retries,  "CRASH-2"),
        Row(evaluating,            interrupt, errored_paused,        interrupt_pauses,   "CRASH-2"),
        Row(evaluating,            interrupt, failed,                interrupt_fails,    "CRASH-2"),
        Row(evaluating,            cancel,    cancelled,             always,             "CANCEL-1"),

        Row(awaiting_review,       confirm,   completed,             always,             "LOOP-3",   "the result is accepted"),
        Row(awaiting_review,       reject,    running,               review_retries,     "LOOP-3",   "another iteration, with the feedback"),
        Row(awaiting_review,       reject,    skipped,               review_skips,       "LOOP-3",   "discarded: transparent"),
        Row(awaiting_review,       reject,    cancelled,             review_cancels,     "LOOP-3"),
        Row(awaiting_review,       expire,    completed,             timeout_approves,   "TIME-3"),
        Row(awaiting_review,       expire,    skipped,               timeout_skips,      "TIME-3"),
        Row(awaiting_review,       expire,    cancelled,             timeout_cancels,    "TIME-3"),
        Row(awaiting_review,       renew,     awaiting_review,       always,             "GATE-7a",  "the question has changed: put again"),
        Row(awaiting_review,       cancel,    cancelled,             always,             "CANCEL-1"),

        Row(errored_paused,        retry,     evaluating,            always,             "ERR-4"),
        Row(errored_paused,        skip,      skipped,               always,             "ERR-5"),
        Row(errored_paused,        expire,    skipped,               timeout_skips,      "TIME-3"),
        Row(errored_paused,        expire,    cancelled,             timeout_cancels,    "TIME-3"),
        Row(errored_paused,        expire,    cancelled,             timeout_approves,   "TIME-3",   "there is nothing to approve"),
        Row(errored_paused,        renew,     errored_paused,        always,             "GATE-7a",  "the question has changed: put again"),
        Row(errored_paused,        cancel,    cancelled,             always,             "CANCEL-1"),

        Row(failed,                resume,    evaluating,            failed_here,        "ERR-1",    "its end condition had failed"),
        Row(failed,                resume,    running,               failed_inside,      "ERR-1"),
    ),
)
# fmt: on

LOOP_KIND = Kind(
    "loop",
    LOOP,
    "Loop",
    "iterations",
    calls={evaluating: UserCode("test", "end_condition", "its end condition is called")},
    review="iteration_review",
    says={(evaluating, hold): "true: over", (evaluating, refute): "false: again", (awaiting_review, reject): "reject: again"},
)
