------------------------------ MODULE Lifecycle ------------------------------
(* Generated from statecore.lifecycles by statecore; change the tables, not this file. *)
EXTENDS TLC

Rows == [
  step |-> {
    [source |-> "pending", on |-> "enter", dest |-> "awaiting_confirmation", when |-> "needs_confirmation"],  \* CONF-1
    [source |-> "pending", on |-> "enter", dest |-> "awaiting_input", when |-> "needs_input"],  \* INPUT-1
    [source |-> "pending", on |-> "enter", dest |-> "running", when |-> "runs_at_once"],  \* RUN-1
    [source |-> "awaiting_confirmation", on |-> "confirm", dest |-> "running", when |-> "always"],  \* CONF-2
    [source |-> "awaiting_confirmation", on |-> "amend", dest |-> "running", when |-> "allows_edit"],  \* GATE-11
    [source |-> "awaiting_confirmation", on |-> "reject", dest |-> "skipped", when |-> "reject_skips"],  \* CONF-3
    [source |-> "awaiting_confirmation", on |-> "reject", dest |-> "cancelled", when |-> "reject_cancels"],  \* CONF-4
    [source |-> "awaiting_confirmation", on |-> "expire", dest |-> "running", when |-> "timeout_approves"],  \* TIME-3
    [source |-> "awaiting_confirmation", on |-> "expire", dest |-> "skipped", when |-> "timeout_skips"],  \* TIME-3
    [source |-> "awaiting_confirmation", on |-> "expire", dest |-> "cancelled", when |-> "timeout_cancels"],  \* TIME-3
    [source |-> "awaiting_confirmation", on |-> "renew", dest |-> "awaiting_confirmation", when |-> "always"],  \* GATE-7a
    [source |-> "awaiting_confirmation", on |-> "cancel", dest |-> "cancelled", when |-> "always"],  \* CANCEL-1
    [source |-> "awaiting_input", on |-> "input", dest |-> "running", when |-> "always"],  \* INPUT-1
    [source |-> "awaiting_input", on |-> "reject", dest |-> "skipped", when |-> "reject_skips"],  \* INPUT-2
    [source |-> "awaiting_input", on |-> "reject", dest |-> "cancelled", when |-> "reject_cancels"],  \* INPUT-2
    [source |-> "awaiting_input", on |-> "expire", dest |-> "skipped", when |-> "timeout_skips"],  \* TIME-3
    [source |-> "awaiting_input", on |-> "expire", dest |-> "cancelled", when |-> "timeout_cancels"],  \* TIME-3
    [source |-> "awaiting_input", on |-> "renew", dest |-> "awaiting_input", when |-> "always"],  \* GATE-7a
    [source |-> "awaiting_input", on |-> "cancel", dest |-> "cancelled", when |-> "always"],  \* CANCEL-1
    [source |-> "running", on |-> "succeed", dest |-> "completed", when |-> "keeps_output"],  \* RUN-1
    [source |-> "running", on |-> "succeed", dest |-> "awaiting_review", when |-> "needs_review"],  \* REV-1
    [source |-> "running", on |-> "succeed", dest |-> "judging", when |-> "judges_output"],  \* REV-2
    [source |-> "running", on |-> "stop", dest |-> "completed", when |-> "keeps_output"],  \* RUN-3
    [source |-> "running", on |-> "stop", dest |-> "awaiting_review", when |-> "needs_review"],  \* RUN-3
    [source |-> "running", on |-> "stop", dest |-> "judging", when |-> "judges_output"],  \* RUN-3
    [source |-> "running", on |-> "ask", dest |-> "awaiting_answer", when |-> "may_ask"],  \* ASK-1
    [source |-> "running", on |-> "fail", dest |-> "backing_off", when |-> "retries_left"],  \* RUN-2
    [source |-> "running", on |-> "fail", dest |-> "failed", when |-> "error_fails"],  \* ERR-1
    [source |-> "running", on |-> "fail", dest |-> "skipped", when |-> "error_skips"],  \* ERR-2
    [source |-> "running", on |-> "fail", dest |-> "errored_paused", when |-> "error_pauses"],  \* ERR-3
    [source |-> "running", on |-> "interrupt", dest |-> "running", when |-> "interrupt_retries"],  \* CRASH-2
    [source |-> "running", on |-> "interrupt", dest |-> "errored_paused", when |-> "interrupt_pauses"],  \* CRASH-2
    [source |-> "running", on |-> "interrupt", dest |-> "failed", when |-> "interrupt_fails"],  \* CRASH-2
    [source |-> "running", on |-> "cancel", dest |-> "cancelled", when |-> "always"],  \* CANCEL-1
    [source |-> "awaiting_answer", on |-> "answer", dest |-> "awaiting_answer", when |-> "answers_missing"],  \* ASK-2
    [source |-> "awaiting_answer", on |-> "answer", dest |-> "running", when |-> "answers_complete"],  \* ASK-2
    [source |-> "awaiting_answer", on |-> "reject", dest |-> "skipped", when |-> "reject_skips"],  \* ASK-5
    [source |-> "awaiting_answer", on |-> "reject", dest |-> "cancelled", when |-> "reject_cancels"],  \* ASK-5
    [source |-> "awaiting_answer", on |-> "expire", dest |-> "skipped", when |-> "timeout_skips"],  \* TIME-3
    [source |-> "awaiting_answer", on |-> "expire", dest |-> "cancelled", when |-> "timeout_cancels"],  \* TIME-3
    [source |-> "awaiting_answer", on |-> "renew", dest |-> "running", when |-> "always"],  \* ASK-8
    [source |-> "awaiting_answer", on |-> "cancel", dest |-> "cancelled", when |-> "always"],  \* CANCEL-1
    [source |-> "backing_off", on |-> "wake", dest |-> "running", when |-> "always"],  \* RUN-2
    [source |-> "backing_off", on |-> "cancel", dest |-> "cancelled", when |-> "always"],  \* CANCEL-1
    [source |-> "judging", on |-> "hold", dest |-> "awaiting_review", when |-> "always"],  \* REV-2
    [source |-> "judging", on |-> "refute", dest |-> "completed", when |-> "always"],  \* REV-2
    [source |-> "judging", on |-> "fail", dest |-> "failed", when |-> "error_fails"],  \* ERR-10
    [source |-> "judging", on |-> "fail", dest |-> "skipped", when |-> "error_skips"],  \* ERR-10
    [source |-> "judging", on |-> "fail", dest |-> "errored_paused", when |-> "error_pauses"],  \* ERR-10
    [source |-> "judging", on |-> "interrupt", dest |-> "judging", when |-> "interrupt_retries"],  \* CRASH-2
    [source |-> "judging", on |-> "interrupt", dest |-> "errored_paused", when |-> "interrupt_pauses"],  \* CRASH-2
    [source |-> "judging", on |-> "interrupt", dest |-> "failed", when |-> "interrupt_fails"],  \* CRASH-2
    [source |-> "judging", on |-> "cancel", dest |-> "cancelled", when |-> "always"],  \* CANCEL-1
    [source |-> "awaiting_review", on |-> "confirm", dest |-> "completed", when |-> "always"],  \* REV-1
    [source |-> "awaiting_review", on |-> "edit", dest |-> "completed", when |-> "always"],  \* REV-1
    [source |-> "awaiting_review", on |-> "reject", dest |-> "skipped", when |-> "review_skips"],  \* REV-1
    [source |-> "awaiting_review", on |-> "reject", dest |-> "cancelled", when |-> "review_cancels"],  \* REV-1
    [source |-> "awaiting_review", on |-> "reject", dest |-> "running", when |-> "review_retries"],  \* REV-1
    [source |-> "awaiting_review", on |-> "reject", dest |-> "cancelled", when |-> "reviews_spent"],  \* REV-1
    [source |-> "awaiting_review", on |-> "expire", dest |-> "completed", when |-> "timeout_approves"],  \* TIME-3
    [source |-> "awaiting_review", on |-> "expire", dest |-> "skipped", when |-> "timeout_skips"],  \* TIME-3
    [source |-> "awaiting_review", on |-> "expire", dest |-> "cancelled", when |-> "timeout_cancels"],  \* TIME-3
    [source |-> "awaiting_review", on |-> "renew", dest |-> "awaiting_review", when |-> "always"],  \* GATE-7a
    [source |-> "awaiting_review", on |-> "cancel", dest |-> "cancelled", when |-> "always"],  \* CANCEL-1
    [source |-> "errored_paused", on |-> "retry", dest |-> "running", when |-> "always"],  \* ERR-4
    [source |-> "errored_paused", on |-> "amend", dest |-> "running", when |-> "allows_edit"],  \* ERR-12
    [source |-> "errored_paused", on |-> "provide", dest |-> "completed", when |-> "always"],  \* ERR-12
    [source |-> "errored_paused", on |-> "skip", dest |-> "skipped", when |-> "always"],  \* ERR-5
    [source |-> "errored_paused", on |-> "expire", dest |-> "skipped", when |-> "timeout_skips"],  \* TIME-3
    [source |-> "errored_paused", on |-> "expire", dest |-> "cancelled", when |-> "timeout_cancels"],  \* TIME-3
    [source |-> "errored_paused", on |-> "expire", dest |-> "cancelled", when |-> "timeout_approves"],  \* TIME-3
    [source |-> "errored_paused", on |-> "renew", dest |-> "errored_paused", when |-> "always"],  \* GATE-7a
    [source |-> "errored_paused", on |-> "cancel", dest |-> "cancelled", when |-> "always"],  \* CANCEL-1
    [source |-> "failed", on |-> "resume", dest |-> "running", when |-> "always"]  \* ERR-1
  },
  condition |-> {
    [source |-> "pending", on |-> "enter", dest |-> "awaiting_confirmation", when |-> "needs_confirmation"],  \* COND-4
    [source |-> "pending", on |-> "enter", dest |-> "evaluating", when |-> "runs_at_once"],  \* COND-6
    [source |-> "awaiting_confirmation", on |-> "confirm", dest |-> "running", when |-> "always"],  \* COND-1
    [source |-> "awaiting_confirmation", on |-> "reject", dest |-> "running", when |-> "reject_takes_else"],  \* COND-2
    [source |-> "awaiting_confirmation", on |-> "reject", dest |-> "skipped", when |-> "reject_skips"],  \* COND-3
    [source |-> "awaiting_confirmation", on |-> "reject", dest |-> "cancelled", when |-> "reject_cancels"],  \* COND-2
    [source |-> "awaiting_confirmation", on |-> "expire", dest |-> "running", when |-> "timeout_approves"],  \* TIME-3
    [source |-> "awaiting_confirmation", on |-> "expire", dest |-> "skipped", when |-> "timeout_skips"],  \* TIME-3
    [source |-> "awaiting_confirmation", on |-> "expire", dest |-> "cancelled", when |-> "timeout_cancels"],  \* TIME-3
    [source |-> "awaiting_confirmation", on |-> "renew", dest |-> "awaiting_confirmation", when |-> "always"],  \* GATE-7a
    [source |-> "awaiting_confirmation", on |-> "cancel", dest |-> "cancelled", when |-> "always"],  \* CANCEL-1
    [source |-> "evaluating", on |-> "hold", dest |-> "running", when |-> "always"],  \* COND-6
    [source |-> "evaluating", on |-> "refute", dest |-> "running", when |-> "has_else"],  \* COND-6
    [source |-> "evaluating", on |-> "refute", dest |-> "skipped", when |-> "has_no_else"],  \* SKIP-2
    [source |-> "evaluating", on |-> "fail", dest |-> "failed", when |-> "error_fails"],  \* ERR-10
    [source |-> "evaluating", on |-> "fail", dest |-> "skipped", when |-> "error_skips"],  \* ERR-10
    [source |-> "evaluating", on |-> "fail", dest |-> "errored_paused", when |-> "error_pauses"],  \* ERR-10
    [source |-> "evaluating", on |-> "interrupt", dest |-> "evaluating", when |-> "interrupt_retries"],  \* CRASH-2
    [source |-> "evaluating", on |-> "interrupt", dest |-> "errored_paused", when |-> "interrupt_pauses"],  \* CRASH-2
    [source |-> "evaluating", on |-> "interrupt", dest |-> "failed", when |-> "interrupt_fails"],  \* CRASH-2
    [source |-> "evaluating", on |-> "cancel", dest |-> "cancelled", when |-> "always"],  \* CANCEL-1
    [source |-> "errored_paused", on |-> "retry", dest |-> "evaluating", when |-> "always"],  \* ERR-4
    [source |-> "errored_paused", on |-> "skip", dest |-> "skipped", when |-> "always"],  \* ERR-5
    [source |-> "errored_paused", on |-> "expire", dest |-> "skipped", when |-> "timeout_skips"],  \* TIME-3
    [source |-> "errored_paused", on |-> "expire", dest |-> "cancelled", when |-> "timeout_cancels"],  \* TIME-3
    [source |-> "errored_paused", on |-> "expire", dest |-> "cancelled", when |-> "timeout_approves"],  \* TIME-3
    [source |-> "errored_paused", on |-> "renew", dest |-> "errored_paused", when |-> "always"],  \* GATE-7a
    [source |-> "errored_paused", on |-> "cancel", dest |-> "cancelled", when |-> "always"],  \* CANCEL-1
    [source |-> "running", on |-> "finish", dest |-> "completed", when |-> "always"],  \* COND-6
    [source |-> "running", on |-> "leave", dest |-> "skipped", when |-> "always"],  \* ERR-7
    [source |-> "running", on |-> "fail", dest |-> "failed", when |-> "always"],  \* ERR-1
    [source |-> "running", on |-> "cancel", dest |-> "cancelled", when |-> "always"],  \* CANCEL-1
    [source |-> "failed", on |-> "resume", dest |-> "evaluating", when |-> "failed_here"],  \* ERR-1
    [source |-> "failed", on |-> "resume", dest |-> "running", when |-> "failed_inside"]  \* ERR-1
  },
  loop |-> {
    [source |-> "pending", on |-> "enter", dest |-> "awaiting_confirmation", when |-> "needs_confirmation"],  \* CONF-1
    [source |-> "pending", on |-> "enter", dest |-> "running", when |-> "runs_at_once"],  \* LOOP-1
    [source |-> "awaiting_confirmation", on |-> "confirm", dest |-> "running", when |-> "always"],  \* CONF-2
    [source |-> "awaiting_confirmation", on |-> "reject", dest |-> "skipped", when |-> "reject_skips"],  \* CONF-3
    [source |-> "awaiting_confirmation", on |-> "reject", dest |-> "cancelled", when |-> "reject_cancels"],  \* CONF-4
    [source |-> "awaiting_confirmation", on |-> "expire", dest |-> "running", when |-> "timeout_approves"],  \* TIME-3
    [source |-> "awaiting_confirmation", on |-> "expire", dest |-> "skipped", when |-> "timeout_skips"],  \* TIME-3
    [source |-> "awaiting_confirmation", on |-> "expire", dest |-> "cancelled", when |-> "timeout_cancels"],  \* TIME-3
    [source |-> "awaiting_confirmation", on |-> "renew", dest |-> "awaiting_confirmation", when |-> "always"],  \* GATE-7a
    [source |-> "awaiting_confirmation", on |-> "cancel", dest |-> "cancelled", when |-> "always"],  \* CANCEL-1
    [source |-> "running", on |-> "finish", dest |-> "completed", when |-> "iterations_spent"],  \* LOOP-1
    [source |-> "running", on |-> "finish", dest |-> "evaluating", when |-> "tests_end"],  \* LOOP-1
    [source |-> "running", on |-> "finish", dest |-> "awaiting_review", when |-> "reviews_iterations"],  \* LOOP-3
    [source |-> "running", on |-> "finish", dest |-> "running", when |-> "loops_again"],  \* LOOP-1
    [source |-> "running", on |-> "leave", dest |-> "skipped", when |-> "always"],  \* ERR-7
    [source |-> "running", on |-> "fail", dest |-> "failed", when |-> "always"],  \* ERR-1
    [source |-> "running", on |-> "cancel", dest |-> "cancelled", when |-> "always"],  \* CANCEL-1
    [source |-> "evaluating", on |-> "hold", dest |-> "completed", when |-> "always"],  \* LOOP-1
    [source |-> "evaluating", on |-> "refute", dest |-> "awaiting_review", when |-> "reviews_iterations"],  \* LOOP-3
    [source |-> "evaluating", on |-> "refute", dest |-> "running", when |-> "loops_again"],  \* LOOP-1
    [source |-> "evaluating", on |-> "fail", dest |-> "failed", when |-> "error_fails"],  \* ERR-10
    [source |-> "evaluating", on |-> "fail", dest |-> "skipped", when |-> "error_skips"],  \* ERR-10
    [source |-> "evaluating", on |-> "fail", dest |-> "errored_paused", when |-> "error_pauses"],  \* ERR-10
    [source |-> "evaluating", on |-> "interrupt", dest |-> "evaluating", when |-> "interrupt_retries"],  \* CRASH-2
    [source |-> "evaluating", on |-> "interrupt", dest |-> "errored_paused", when |-> "interrupt_pauses"],  \* CRASH-2
    [source |-> "evaluating", on |-> "interrupt", dest |-> "failed", when |-> "interrupt_fails"],  \* CRASH-2
    [source |-> "evaluating", on |-> "cancel", dest |-> "cancelled", when |-> "always"],  \* CANCEL-1
    [source |-> "awaiting_review", on |-> "confirm", dest |-> "completed", when |-> "always"],  \* LOOP-3
    [source |-> "awaiting_review", on |-> "reject", dest |-> "running", when |-> "review_retries"],  \* LOOP-3
    [source |-> "awaiting_review", on |-> "reject", dest |-> "skipped", when |-> "review_skips"],  \* LOOP-3
    [source |-> "awaiting_review", on |-> "reject", dest |-> "cancelled", when |-> "review_cancels"],  \* LOOP-3
    [source |-> "awaiting_review", on |-> "expire", dest |-> "completed", when |-> "timeout_approves"],  \* TIME-3
    [source |-> "awaiting_review", on |-> "expire", dest |-> "skipped", when |-> "timeout_skips"],  \* TIME-3
    [source |-> "awaiting_review", on |-> "expire", dest |-> "cancelled", when |-> "timeout_cancels"],  \* TIME-3
    [source |-> "awaiting_review", on |-> "renew", dest |-> "awaiting_review", when |-> "always"],  \* GATE-7a
    [source |-> "awaiting_review", on |-> "cancel", dest |-> "cancelled", when |-> "always"],  \* CANCEL-1
    [source |-> "errored_paused", on |-> "retry", dest |-> "evaluating", when |-> "always"],  \* ERR-4
    [source |-> "errored_paused", on |-> "skip", dest |-> "skipped", when |-> "always"],  \* ERR-5
    [source |-> "errored_paused", on |-> "expire", dest |-> "skipped", when |-> "timeout_skips"],  \* TIME-3
    [source |-> "errored_paused", on |-> "expire", dest |-> "cancelled", when |-> "timeout_cancels"],  \* TIME-3
    [source |-> "errored_paused", on |-> "expire", dest |-> "cancelled", when |-> "timeout_approves"],  \* TIME-3
    [source |-> "errored_paused", on |-> "renew", dest |-> "errored_paused", when |-> "always"],  \* GATE-7a
    [source |-> "errored_paused", on |-> "cancel", dest |-> "cancelled", when |-> "always"],  \* CANCEL-1
    [source |-> "failed", on |-> "resume", dest |-> "evaluating", when |-> "failed_here"],  \* ERR-1
    [source |-> "failed", on |-> "resume", dest |-> "running", when |-> "failed_inside"]  \* ERR-1
  },
  router |-> {
    [source |-> "pending", on |-> "enter", dest |-> "awaiting_confirmation", when |-> "needs_confirmation"],  \* ROUTE-4
    [source |-> "pending", on |-> "enter", dest |-> "awaiting_route", when |-> "needs_route"],  \* ROUTE-1
    [source |-> "pending", on |-> "enter", dest |-> "evaluating", when |-> "runs_at_once"],  \* ROUTE-3
    [source |-> "awaiting_confirmation", on |-> "confirm", dest |-> "awaiting_route", when |-> "person_chooses"],  \* ROUTE-4
    [source |-> "awaiting_confirmation", on |-> "confirm", dest |-> "evaluating", when |-> "selector_chooses"],  \* CONF-2
    [source |-> "awaiting_confirmation", on |-> "reject", dest |-> "skipped", when |-> "reject_skips"],  \* CONF-3
    [source |-> "awaiting_confirmation", on |-> "reject", dest |-> "cancelled", when |-> "reject_cancels"],  \* CONF-4
    [source |-> "awaiting_confirmation", on |-> "expire", dest |-> "evaluating", when |-> "timeout_approves"],  \* TIME-3
    [source |-> "awaiting_confirmation", on |-> "expire", dest |-> "skipped", when |-> "timeout_skips"],  \* TIME-3
    [source |-> "awaiting_confirmation", on |-> "expire", dest |-> "cancelled", when |-> "timeout_cancels"],  \* TIME-3
    [source |-> "awaiting_confirmation", on |-> "renew", dest |-> "awaiting_confirmation", when |-> "always"],  \* GATE-7a
    [source |-> "awaiting_confirmation", on |-> "cancel", dest |-> "cancelled", when |-> "always"],  \* CANCEL-1
    [source |-> "awaiting_route", on |-> "select", dest |-> "running", when |-> "always"],  \* ROUTE-3
    [source |-> "awaiting_route", on |-> "reject", dest |-> "skipped", when |-> "reject_skips"],  \* ROUTE-1
    [source |-> "awaiting_route", on |-> "reject", dest |-> "cancelled", when |-> "reject_cancels"],  \* ROUTE-1
    [source |-> "awaiting_route", on |-> "expire", dest |-> "skipped", when |-> "timeout_skips"],  \* TIME-3
    [source |-> "awaiting_route", on |-> "expire", dest |-> "cancelled", when |-> "timeout_cancels"],  \* TIME-3
    [source |-> "awaiting_route", on |-> "renew", dest |-> "awaiting_route", when |-> "always"],  \* GATE-7a
    [source |-> "awaiting_route", on |-> "cancel", dest |-> "cancelled", when |-> "always"],  \* CANCEL-1
    [source |-> "evaluating", on |-> "choose", dest |-> "running", when |-> "always"],  \* ROUTE-3
    [source |-> "evaluating", on |-> "refute", dest |-> "skipped", when |-> "always"],  \* SKIP-2
    [source |-> "evaluating", on |-> "fail", dest |-> "failed", when |-> "error_fails"],  \* ERR-10
    [source |-> "evaluating", on |-> "fail", dest |-> "skipped", when |-> "error_skips"],  \* ERR-10
    [source |-> "evaluating", on |-> "fail", dest |-> "errored_paused", when |-> "error_pauses"],  \* ERR-10
    [source |-> "evaluating", on |-> "interrupt", dest |-> "evaluating", when |-> "interrupt_retries"],  \* CRASH-2
    [source |-> "evaluating", on |-> "interrupt", dest |-> "errored_paused", when |-> "interrupt_pauses"],  \* CRASH-2
    [source |-> "evaluating", on |-> "interrupt", dest |-> "failed", when |-> "interrupt_fails"],  \* CRASH-2
    [source |-> "evaluating", on |-> "cancel", dest |-> "cancelled", when |-> "always"],  \* CANCEL-1
    [source |-> "running", on |-> "finish", dest |-> "running", when |-> "more_choices"],  \* ROUTE-3
    [source |-> "running", on |-> "finish", dest |-> "completed", when |-> "keeps_output"],  \* ROUTE-3
    [source |-> "running", on |-> "finish", dest |-> "awaiting_review", when |-> "needs_review"],  \* REV-4
    [source |-> "running", on |-> "finish", dest |-> "judging", when |-> "judges_output"],  \* REV-2
    [source |-> "running", on |-> "leave", dest |-> "skipped", when |-> "always"],  \* ERR-7
    [source |-> "running", on |-> "fail", dest |-> "failed", when |-> "always"],  \* ERR-1
    [source |-> "running", on |-> "cancel", dest |-> "cancelled", when |-> "always"],  \* CANCEL-1
    [source |-> "judging", on |-> "hold", dest |-> "awaiting_review", when |-> "always"],  \* REV-2
    [source |-> "judging", on |-> "refute", dest |-> "completed", when |-> "always"],  \* REV-2
    [source |-> "judging", on |-> "fail", dest |-> "failed", when |-> "error_fails"],  \* ERR-10
    [source |-> "judging", on |-> "fail", dest |-> "skipped", when |-> "error_skips"],  \* ERR-10
    [source |-> "judging", on |-> "fail", dest |-> "errored_paused", when |-> "error_pauses"],  \* ERR-10
    [source |-> "judging", on |-> "interrupt", dest |-> "judging", when |-> "interrupt_retries"],  \* CRASH-2
    [source |-> "judging", on |-> "interrupt", dest |-> "errored_paused", when |-> "interrupt_pauses"],  \* CRASH-2
    [source |-> "judging", on |-> "interrupt", dest |-> "failed", when |-> "interrupt_fails"],  \* CRASH-2
    [source |-> "judging", on |-> "cancel", dest |-> "cancelled", when |-> "always"],  \* CANCEL-1
    [source |-> "awaiting_review", on |-> "confirm", dest |-> "completed", when |-> "always"],  \* REV-4
    [source |-> "awaiting_review", on |-> "edit", dest |-> "completed", when |-> "always"],  \* REV-1
    [source |-> "awaiting_review", on |-> "reject", dest |-> "skipped", when |-> "review_skips"],  \* REV-1
    [source |-> "awaiting_review", on |-> "reject", dest |-> "cancelled", when |-> "review_cancels"],  \* REV-1
    [source |-> "awaiting_review", on |-> "reject", dest |-> "awaiting_route", when |-> "person_rechooses"],  \* REV-4
    [source |-> "awaiting_review", on |-> "reject", dest |-> "evaluating", when |-> "selector_rechooses"],  \* REV-4
    [source |-> "awaiting_review", on |-> "reject", dest |-> "cancelled", when |-> "reviews_spent"],  \* REV-1
    [source |-> "awaiting_review", on |-> "expire", dest |-> "completed", when |-> "timeout_approves"],  \* TIME-3
    [source |-> "awaiting_review", on |-> "expire", dest |-> "skipped", when |-> "timeout_skips"],  \* TIME-3
    [source |-> "awaiting_review", on |-> "expire", dest |-> "cancelled", when |-> "timeout_cancels"],  \* TIME-3
    [source |-> "awaiting_review", on |-> "renew", dest |-> "awaiting_review", when |-> "always"],  \* GATE-7a
    [source |-> "awaiting_review", on |-> "cancel", dest |-> "cancelled", when |-> "always"],  \* CANCEL-1
    [source |-> "errored_paused", on |-> "retry", dest |-> "evaluating", when |-> "selector_chooses"],  \* ERR-4
    [source |-> "errored_paused", on |-> "retry", dest |-> "awaiting_route", when |-> "person_chooses"],  \* ERR-4
    [source |-> "errored_paused", on |-> "skip", dest |-> "skipped", when |-> "always"],  \* ERR-5
    [source |-> "errored_paused", on |-> "expire", dest |-> "skipped", when |-> "timeout_skips"],  \* TIME-3
    [source |-> "errored_paused", on |-> "expire", dest |-> "cancelled", when |-> "timeout_cancels"],  \* TIME-3
    [source |-> "errored_paused", on |-> "expire", dest |-> "cancelled", when |-> "timeout_approves"],  \* TIME-3
    [source |-> "errored_paused", on |-> "renew", dest |-> "errored_paused", when |-> "always"],  \* GATE-7a
    [source |-> "errored_paused", on |-> "cancel", dest |-> "cancelled", when |-> "always"],  \* CANCEL-1
    [source |-> "failed", on |-> "resume", dest |-> "evaluating", when |-> "selector_failed"],  \* ERR-1
    [source |-> "failed", on |-> "resume", dest |-> "awaiting_route", when |-> "choice_failed"],  \* ERR-1
    [source |-> "failed", on |-> "resume", dest |-> "running", when |-> "failed_inside"]  \* ERR-1
  },
  parallel |-> {
    [source |-> "pending", on |-> "enter", dest |-> "awaiting_confirmation", when |-> "needs_confirmation"],  \* PAR-6
    [source |-> "pending", on |-> "enter", dest |-> "running", when |-> "runs_at_once"],  \* PAR-1
    [source |-> "awaiting_confirmation", on |-> "confirm", dest |-> "running", when |-> "always"],  \* PAR-6
    [source |-> "awaiting_confirmation", on |-> "reject", dest |-> "skipped", when |-> "reject_skips"],  \* CONF-3
    [source |-> "awaiting_confirmation", on |-> "reject", dest |-> "cancelled", when |-> "reject_cancels"],  \* CONF-4
    [source |-> "awaiting_confirmation", on |-> "expire", dest |-> "running", when |-> "timeout_approves"],  \* TIME-3
    [source |-> "awaiting_confirmation", on |-> "expire", dest |-> "skipped", when |-> "timeout_skips"],  \* TIME-3
    [source |-> "awaiting_confirmation", on |-> "expire", dest |-> "cancelled", when |-> "timeout_cancels"],  \* TIME-3
    [source |-> "awaiting_confirmation", on |-> "renew", dest |-> "awaiting_confirmation", when |-> "always"],  \* GATE-7a
    [source |-> "awaiting_confirmation", on |-> "cancel", dest |-> "cancelled", when |-> "always"],  \* CANCEL-1
    [source |-> "running", on |-> "finish", dest |-> "completed", when |-> "always"],  \* PAR-5
    [source |-> "running", on |-> "leave", dest |-> "skipped", when |-> "always"],  \* ERR-7
    [source |-> "running", on |-> "fail", dest |-> "failed", when |-> "always"],  \* ERR-1
    [source |-> "running", on |-> "cancel", dest |-> "cancelled", when |-> "always"],  \* CANCEL-1
    [source |-> "failed", on |-> "resume", dest |-> "running", when |-> "always"]  \* ERR-1
  },
  group |-> {
    [source |-> "pending", on |-> "enter", dest |-> "awaiting_confirmation", when |-> "needs_confirmation"],  \* CONF-1
    [source |-> "pending", on |-> "enter", dest |-> "running", when |-> "runs_at_once"],  \* STEPS-1
    [source |-> "awaiting_confirmation", on |-> "confirm", dest |-> "running", when |-> "always"],  \* CONF-2
    [source |-> "awaiting_confirmation", on |-> "reject", dest |-> "skipped", when |-> "reject_skips"],  \* CONF-3
    [source |-> "awaiting_confirmation", on |-> "reject", dest |-> "cancelled", when |-> "reject_cancels"],  \* CONF-4
    [source |-> "awaiting_confirmation", on |-> "expire", dest |-> "running", when |-> "timeout_approves"],  \* TIME-3
    [source |-> "awaiting_confirmation", on |-> "expire", dest |-> "skipped", when |-> "timeout_skips"],  \* TIME-3
    [source |-> "awaiting_confirmation", on |-> "expire", dest |-> "cancelled", when |-> "timeout_cancels"],  \* TIME-3
    [source |-> "awaiting_confirmation", on |-> "renew", dest |-> "awaiting_confirmation", when |-> "always"],  \* GATE-7a
    [source |-> "awaiting_confirmation", on |-> "cancel", dest |-> "cancelled", when |-> "always"],  \* CANCEL-1
    [source |-> "running", on |-> "finish", dest |-> "completed", when |-> "always"],  \* STEPS-1
    [source |-> "running", on |-> "leave", dest |-> "skipped", when |-> "always"],  \* ERR-7
    [source |-> "running", on |-> "fail", dest |-> "failed", when |-> "always"],  \* ERR-1
    [source |-> "running", on |-> "cancel", dest |-> "cancelled", when |-> "always"],  \* CANCEL-1
    [source |-> "failed", on |-> "resume", dest |-> "running", when |-> "always"]  \* ERR-1
  },
  run |-> {
    [source |-> "pending", on |-> "start", dest |-> "running", when |-> "always"],  \* RUN-1
    [source |-> "running", on |-> "pause", dest |-> "paused", when |-> "always"],  \* PAR-3
    [source |-> "running", on |-> "finish", dest |-> "completed", when |-> "always"],  \* RUN-4
    [source |-> "running", on |-> "fail", dest |-> "failed", when |-> "always"],  \* ERR-1
    [source |-> "running", on |-> "cancel", dest |-> "cancelled", when |-> "always"],  \* CANCEL-1
    [source |-> "paused", on |-> "resume", dest |-> "running", when |-> "always"],  \* CONT-1
    [source |-> "paused", on |-> "cancel", dest |-> "cancelled", when |-> "always"],  \* CANCEL-1
    [source |-> "failed", on |-> "resume", dest |-> "running", when |-> "always"]  \* ERR-1
  }
]

Owes == [
  step |-> [pending |-> "nothing", awaiting_confirmation |-> "ask", awaiting_input |-> "ask", running |-> "call", skipped |-> "nothing", cancelled |-> "nothing", completed |-> "nothing", awaiting_review |-> "ask", judging |-> "call", awaiting_answer |-> "ask", backing_off |-> "timer", failed |-> "nothing", errored_paused |-> "ask"],
  condition |-> [pending |-> "nothing", awaiting_confirmation |-> "ask", evaluating |-> "call", running |-> "nothing", skipped |-> "nothing", cancelled |-> "nothing", failed |-> "nothing", errored_paused |-> "ask", completed |-> "nothing"],
  loop |-> [pending |-> "nothing", awaiting_confirmation |-> "ask", running |-> "nothing", skipped |-> "nothing", cancelled |-> "nothing", completed |-> "nothing", evaluating |-> "call", awaiting_review |-> "ask", failed |-> "nothing", errored_paused |-> "ask"],
  router |-> [pending |-> "nothing", awaiting_confirmation |-> "ask", awaiting_route |-> "ask", evaluating |-> "call", skipped |-> "nothing", cancelled |-> "nothing", running |-> "nothing", failed |-> "nothing", errored_paused |-> "ask", completed |-> "nothing", awaiting_review |-> "ask", judging |-> "call"],
  parallel |-> [pending |-> "nothing", awaiting_confirmation |-> "ask", running |-> "nothing", skipped |-> "nothing", cancelled |-> "nothing", completed |-> "nothing", failed |-> "nothing"],
  group |-> [pending |-> "nothing", awaiting_confirmation |-> "ask", running |-> "nothing", skipped |-> "nothing", cancelled |-> "nothing", completed |-> "nothing", failed |-> "nothing"],
  run |-> [pending |-> "nothing", running |-> "nothing", paused |-> "nothing", completed |-> "nothing", failed |-> "nothing", cancelled |-> "nothing"]
]

Joint == <<
  [line |-> "some_cancelled", on |-> "cancel"],
  [line |-> "calls_owed", on |-> "nothing"],
  [line |-> "some_failed", on |-> "fail"],
  [line |-> "timers_owed", on |-> "nothing"],
  [line |-> "answers_owed", on |-> "pause"],
  [line |-> "none_live", on |-> "finish"]
>>
=============================================================================
