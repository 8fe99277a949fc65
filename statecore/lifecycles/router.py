"""The lifecycle of a Router: which of its choices run, in which order, and whether a person keeps the result.

A person chooses (`awaiting_route`) or the selector does (`evaluating`); a confirmation beside it is asked first.
"""

from __future__ import annotations

from .kind import JUDGE, Kind, UserCode
from .words import *  # noqa: F403  # the rows below are to be read without quotation marks
from .words import Row, Table

# fmt: off
ROUTER = Table(
    name="router",
    title="Router",
    initial=pending,
    final=frozenset({completed, skipped, cancelled}),
    owes={awaiting_confirmation: "ask", awaiting_route: "ask", evaluating: "call", judging: "call", awaiting_review: "ask", errored_paused: "ask"},
    rows=(
        #   from                   on         to                     when                claim       because
        Row(pending,               enter,     awaiting_confirmation, needs_confirmation, "ROUTE-4",  "confirmation comes first"),
        Row(pending,               enter,     awaiting_route,        needs_route,        "ROUTE-1"),
        Row(pending,               enter,     evaluating,            runs_at_once,       "ROUTE-3",  "the selector is called"),

        Row(awaiting_confirmation, confirm,   awaiting_route,        person_chooses,     "ROUTE-4"),
        Row(awaiting_confirmation, confirm,   evaluating,            selector_chooses,   "CONF-2"),
        Row(awaiting_confirmation, reject,    skipped,               reject_skips,       "CONF-3"),
        Row(awaiting_confirmation, reject,    cancelled,             reject_cancels,     "CONF-4",   "the whole run stops"),
        Row(awaiting_confirmation, expire,    evaluating,            timeout_approves,   "TIME-3"),
        Row(awaiting_confirmation, expire,    skipped,               timeout_skips,      "TIME-3"),
        Row(awaiting_confirmation, expire,    cancelled,             timeout_cancels,    "TIME-3"),
        Row(awaiting_confirmation, renew,     awaiting_confirmation, always,             "GATE-7a",  "the question has changed: put again"),
        Row(awaiting_confirmation, cancel,    cancelled,             always,             "CANCEL-1"),

        Row(awaiting_route,        select,    running,               always,             "ROUTE-3",  "in the order chosen"),
        Row(awaiting_route,        reject,    skipped,               reject_skips,       "ROUTE-1"),
        Row(awaiting_route,        reject,    cancelled,             reject_cancels,     "ROUTE-1"),
        Row(awaiting_route,        expire,    skipped,               timeout_skips,      "TIME-3"),
        Row(awaiting_route,        expire,    cancelled,             timeout_cancels,    "TIME-3"),
        Row(awaiting_route,        renew,     awaiting_route,        always,             "GATE-7a",  "the question has changed: put again"),
        Row(awaiting_route,        cancel,    cancelled,             always,             "CANCEL-1"),

        Row(evaluating,            choose,    running,               always,             "ROUTE-3"),
        Row(evaluating,            refute,    skipped,               always,             "SKIP-2",   "nothing to run: transparent"),
        Row(evaluating,            fail,      failed,                error_fails,        "ERR-10"),
        Row(evaluating,            fail,      skipped,               error_skips,        "ERR-10"),
        Row(evaluating,            fail,      errored_paused,        error_pauses,       "ERR-10"),
        Row(evaluating,            interrupt, evaluating,            interrupt_retries,  "CRASH-2"),
        Row(evaluating,            interrupt, errored_paused,        interrupt_pauses,   "CRASH-2"),
        Row(evaluating,            interrupt, failed,                interrupt_fails,    "CRASH-2"),
        Row(evaluating,            cancel,    cancelled,             always,             "CANCEL-1"),

        Row(running,               finish,    running,               more_choices,       "ROUTE-3",  "the next choice"),
        Row(running,               finish,    completed,             keeps_output,       "ROUTE-3"),
        Row(running,               finish,    awaiting_review,       needs_review,       "REV-4"),
        Row(running,               finish,    judging,               judges_output,      "REV-2"),
        Row(running,               leave,     skipped,               always,             "ERR-7",    "left as a unit by its error policy"),
        Row(running,               fail,      failed,                always,             "ERR-1",    "a step in it failed"),
        Row(running,               cancel,    cancelled,             always,             "CANCEL-1"),

        Row(judging,               hold,      awaiting_review,       always,             "REV-2"),
        Row(judging,               refute,    completed,             always,             "REV-2"),
        Row(judging,               fail,      failed,                error_fails,        "ERR-10"),
        Row(judging,               fail,      skipped,               error_skips,        "ERR-10"),
        Row(judging,               fail,      errored_paused,        error_pauses,       "ERR-10"),
        Row(judging,               interrupt, judging,               interrupt_retries,  "CRASH-2"),
        Row(judging,               interrupt, errored_paused,        interrupt_pauses,   "CRASH-2"),
        Row(judging,               interrupt, failed,                interrupt_fails,    "CRASH-2"),
        Row(judging,               cancel,    cancelled,             always,             "CANCEL-1"),

        Row(awaiting_review,       confirm,   completed,             always,             "REV-4",    "kept"),
        Row(awaiting_review,       edit,      completed,             always,             "REV-1"),
        Row(awaiting_review,       reject,    skipped,               review_skips,       "REV-1",    "discarded: transparent"),
        Row(awaiting_review,       reject,    cancelled,             review_cancels,     "REV-1"),
        Row(awaiting_review,       reject,    awaiting_route,        person_rechooses,   "REV-4",    "the route is asked again"),
        Row(awaiting_review,       reject,    evaluating,            selector_rechooses, "REV-4",    "the selector is called again"),
        Row(awaiting_review,       reject,    cancelled,             reviews_spent,      "REV-1",    "max_retries is reached"),
        Row(awaiting_review,       expire,    completed,             timeout_approves,   "TIME-3"),
        Row(awaiting_review,       expire,    skipped,               timeout_skips,      "TIME-3"),
        Row(awaiting_review,       expire,    cancelled,             timeout_cancels,    "TIME-3"),
        Row(awaiting_review,       renew,     awaiting_review,       always,             "GATE-7a",  "the question has changed: put again"),
        Row(awaiting_review,       cancel,    cancelled,             always,             "CANCEL-1"),

        Row(errored_paused,        retry,     evaluating,            selector_chooses,   "ERR-4"),
        Row(errored_paused,        retry,     awaiting_route,        person_chooses,     "ERR-4"),
        Row(errored_paused,        skip,      skipped,               always,             "ERR-5"),
        Row(errored_paused,        expire,    skipped,               timeout_skips,      "TIME-3"),
        Row(errored_paused,        expire,    cancelled,             timeout_cancels,    "TIME-3"),
        Row(errored_paused,        expire,    cancelled,             timeout_approves,   "TIME-3",   "there is nothing to approve"),
        Row(errored_paused,        renew,     errored_paused,        always,             "GATE-7a",  "the question has changed: put again"),
        Row(errored_paused,        cancel,    cancelled,             always,             "CANCEL-1"),

        Row(failed,                resume,    evaluating,            selector_failed,    "ERR-1",    "its selector or predicate had failed"),
        Row(failed,                resume,    awaiting_route,        choice_failed,      "ERR-1",    "its predicate had failed"),
        Row(failed,                resume,    running,               failed_inside,      "ERR-1"),
    ),
)
# fmt: on

ROUTER_KIND = Kind(
    "router",
    ROUTER,
    "Router",
    "choices",
    calls={evaluating: UserCode("select", "selector", "its selector is called"), judging: JUDGE},
    says={(evaluating, refute): "choose nothing"},
    lists={"choices": ""},
)
