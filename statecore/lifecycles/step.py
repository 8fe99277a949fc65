"""The lifecycle of a step: a leaf that calls user code.

A person decides before anything runs, or gives what it needs; the code runs, and may ask questions of its own: then its call is
over, and it is called again with the answers. Its output may be reviewed; an error is tried again, failed, skipped or put to a
person, as the policy says. `running` owes a result and `judging` the review predicate's; `backing_off` owes the
end of a delay; the awaiting states and `errored_paused` owe a person's word.
"""

from __future__ import annotations

from .kind import JUDGE, Kind, UserCode
from .words import *  # noqa: F403  # the rows below are to be read without quotation marks
from .words import Row, Table

# fmt: off
STEP = Table(
    name="step",
    title="Step",
    initial=pending,
    final=frozenset({completed, skipped, cancelled}),
    owes={
        awaiting_confirmation: "ask", awaiting_input: "ask", running: "call", backing_off: "timer", judging: "call",
        awaiting_review: "ask", awaiting_answer: "ask", errored_paused: "ask",
    },
    rows=(
        #   from                   on         to                     when                claim       because
        Row(pending,               enter,     awaiting_confirmation, needs_confirmation, "CONF-1",   "a person decides before anything runs"),
        Row(pending,               enter,     awaiting_input,        needs_input,        "INPUT-1",  "a confirmation beside it is the same pause"),
        Row(pending,               enter,     running,               runs_at_once,       "RUN-1"),

        Row(awaiting_confirmation, confirm,   running,               always,             "CONF-2"),
        Row(awaiting_confirmation, amend,     running,               allows_edit,        "GATE-11",  "with another input, where the step allows it"),
        Row(awaiting_confirmation, reject,    skipped,               reject_skips,       "CONF-3"),
        Row(awaiting_confirmation, reject,    cancelled,             reject_cancels,     "CONF-4",   "the whole run stops"),
        Row(awaiting_confirmation, expire,    running,               timeout_approves,   "TIME-3"),
        Row(awaiting_confirmation, expire,    skipped,               timeout_skips,      "TIME-3"),
        Row(awaiting_confirmation, expire,    cancelled,             timeout_cancels,    "TIME-3"),
        Row(awaiting_confirmation, renew,     awaiting_confirmation, always,             "GATE-7a",  "the question has changed: put again"),
        Row(awaiting_confirmation, cancel,    cancelled,             always,             "CANCEL-1"),

        Row(awaiting_input,        give,      running,               always,             "INPUT-1"),
        Row(awaiting_input,        reject,    skipped,               reject_skips,       "INPUT-2"),
        Row(awaiting_input,        reject,    cancelled,             reject_cancels,     "INPUT-2"),
        Row(awaiting_input,        expire,    skipped,               timeout_skips,      "TIME-3"),
        Row(awaiting_input,        expire,    cancelled,             timeout_cancels,    "TIME-3"),
        Row(awaiting_input,        renew,     awaiting_input,        always,             "GATE-7a",  "the question has changed: put again"),
        Row(awaiting_input,        cancel,    cancelled,             always,             "CANCEL-1"),

        Row(running,               succeed,   completed,             keeps_output,       "RUN-1"),
        Row(running,               succeed,   awaiting_review,       needs_review,       "REV-1",    "a person sees the output first"),
        Row(running,               succeed,   judging,               judges_output,      "REV-2",    "a predicate says whether one does"),
        Row(running,               stop,      completed,             keeps_output,       "RUN-3",    "it ends its workflow with it"),
        Row(running,               stop,      awaiting_review,       needs_review,       "RUN-3",    "after its review"),
        Row(running,               stop,      judging,               judges_output,      "RUN-3"),
        Row(running,               ask,       awaiting_answer,       may_ask,            "ASK-1",    "the code asks, and its call is over"),
        Row(running,               fail,      backing_off,           retries_left,       "RUN-2",    "automatic retries, only where asked for"),
        Row(running,               fail,      failed,                error_fails,        "ERR-1",    "the default: errors are loud"),
        Row(running,               fail,      skipped,               error_skips,        "ERR-2"),
        Row(running,               fail,      errored_paused,        error_pauses,       "ERR-3",    "a person decides: retry or skip"),
        Row(running,               interrupt, running,               interrupt_retries,  "CRASH-2",  "the process died; called again, same key"),
        Row(running,               interrupt, errored_paused,        interrupt_pauses,   "CRASH-2",  "it began, no end is recorded"),
        Row(running,               interrupt, failed,                interrupt_fails,    "CRASH-2"),
        Row(running,               cancel,    cancelled,             always,             "CANCEL-1"),

        Row(awaiting_answer,       answer,    awaiting_answer,       answers_missing,    "ASK-2",    "another question of the call is open"),
        Row(awaiting_answer,       answer,    running,               answers_complete,   "ASK-2",    "called again, with the answers"),
        Row(awaiting_answer,       reject,    skipped,               reject_skips,       "ASK-5",    "the other questions are closed"),
        Row(awaiting_answer,       reject,    cancelled,             reject_cancels,     "ASK-5"),
        Row(awaiting_answer,       expire,    skipped,               timeout_skips,      "TIME-3"),
        Row(awaiting_answer,       expire,    cancelled,             timeout_cancels,    "TIME-3"),
        Row(awaiting_answer,       renew,     running,               always,             "ASK-8",    "the code asks anew: the words are its own"),
        Row(awaiting_answer,       cancel,    cancelled,             always,             "CANCEL-1"),

        Row(backing_off,           wake,      running,               always,             "RUN-2",    "the delay is over"),
        Row(backing_off,           cancel,    cancelled,             always,             "CANCEL-1"),

        Row(judging,               hold,      awaiting_review,       always,             "REV-2"),
        Row(judging,               refute,    completed,             always,             "REV-2"),
        Row(judging,               fail,      failed,                error_fails,        "ERR-10"),
        Row(judging,               fail,      skipped,               error_skips,        "ERR-10"),
        Row(judging,               fail,      errored_paused,        error_pauses,       "ERR-10"),
        Row(judging,               interrupt, judging,               interrupt_retries,  "CRASH-2"),
        Row(judging,               interrupt, errored_paused,        interrupt_pauses,   "CRASH-2"),
        Row(judging,               interrupt, failed,                interrupt_fails,    "CRASH-2"),
        Row(judging,               cancel,    cancelled,             always,             "CANCEL-1"),

        Row(awaiting_review,       confirm,   completed,             always,             "REV-1",    "kept"),
        Row(awaiting_review,       edit,      completed,             always,             "REV-1",    "replaced by what the person gives"),
        Row(awaiting_review,       reject,    skipped,               review_skips,       "REV-1",    "discarded"),
        Row(awaiting_review,       reject,    cancelled,             review_cancels,     "REV-1"),
        Row(awaiting_review,       reject,    running,               review_retries,     "REV-1",    "again, with the feedback"),
        Row(awaiting_review,       reject,    cancelled,             reviews_spent,      "REV-1",    "max_retries is reached"),
        Row(awaiting_review,       expire,    completed,             timeout_approves,   "TIME-3"),
        Row(awaiting_review,       expire,    skipped,               timeout_skips,      "TIME-3"),
        Row(awaiting_review,       expire,    cancelled,             timeout_cancels,    "TIME-3"),
        Row(awaiting_review,       renew,     awaiting_review,       always,             "GATE-7a",  "the question has changed: put again"),
        Row(awaiting_review,       cancel,    cancelled,             always,             "CANCEL-1"),

        Row(errored_paused,        retry,     running,               always,             "ERR-4",    "the gate is not asked again"),
        Row(errored_paused,        amend,     running,               allows_edit,        "ERR-12",   "with another input, where the step allows it"),
        Row(errored_paused,        provide,   completed,             always,             "ERR-12",   "by what the person gives"),
        Row(errored_paused,        skip,      skipped,               always,             "ERR-5",    "skipped, not failed"),
        Row(errored_paused,        expire,    skipped,               timeout_skips,      "TIME-3"),
        Row(errored_paused,        expire,    cancelled,             timeout_cancels,    "TIME-3"),
        Row(errored_paused,        expire,    cancelled,             timeout_approves,   "TIME-3",   "there is nothing to approve"),
        Row(errored_paused,        renew,     errored_paused,        always,             "GATE-7a",  "the question has changed: put again"),
        Row(errored_paused,        cancel,    cancelled,             always,             "CANCEL-1"),

        Row(failed,                resume,    running,               always,             "ERR-1",    "a person reopens a failed run"),
    ),
)
# fmt: on

STEP_KIND = Kind("step", STEP, "Step", "nothing", calls={running: UserCode("execute", "executor"), judging: JUDGE}, lists={})
