(* GENERATED from statecore/lifecycles and statecore/core by `python -m specs.proof.tables`. Do not edit.
   The names in the tables: machines, phases, triggers, guards. *)
Require Import List. Import ListNotations.
Inductive machine := M_step | M_condition | M_loop | M_router | M_parallel | M_group | M_run.
Inductive phase := P_pending | P_awaiting_confirmation | P_awaiting_input | P_running | P_skipped | P_cancelled | P_completed | P_awaiting_review | P_judging | P_awaiting_answer | P_backing_off | P_failed | P_errored_paused | P_evaluating | P_awaiting_route | P_paused.
Inductive trigger := T_enter | T_confirm | T_amend | T_reject | T_expire | T_renew | T_cancel | T_input | T_succeed | T_stop | T_ask | T_fail | T_interrupt | T_answer | T_wake | T_hold | T_refute | T_edit | T_retry | T_provide | T_skip | T_resume | T_finish | T_leave | T_select | T_choose | T_start | T_pause.
Inductive guard := G_always | G_needs_confirmation | G_needs_input | G_runs_at_once | G_allows_edit | G_reject_skips | G_reject_cancels | G_timeout_approves | G_timeout_skips | G_timeout_cancels | G_keeps_output | G_needs_review | G_judges_output | G_may_ask | G_retries_left | G_error_fails | G_error_skips | G_error_pauses | G_interrupt_retries | G_interrupt_pauses | G_interrupt_fails | G_answers_missing | G_answers_complete | G_review_skips | G_review_cancels | G_review_retries | G_reviews_spent | G_reject_takes_else | G_has_else | G_has_no_else | G_failed_here | G_failed_inside | G_iterations_spent | G_tests_end | G_reviews_iterations | G_loops_again | G_needs_route | G_person_chooses | G_selector_chooses | G_more_choices | G_person_rechooses | G_selector_rechooses | G_selector_failed | G_choice_failed.
Inductive owed := O_ask | O_call | O_timer.
Inductive line := L_some_cancelled | L_calls_owed | L_some_failed | L_timers_owed | L_answers_owed | L_none_live | L_not_begun.
Scheme Equality for machine.
Scheme Equality for phase.
Scheme Equality for trigger.
Scheme Equality for guard.
Scheme Equality for owed.
Scheme Equality for line.
Definition all_machines := [M_step; M_condition; M_loop; M_router; M_parallel; M_group; M_run].
Definition all_phases := [P_pending; P_awaiting_confirmation; P_awaiting_input; P_running; P_skipped; P_cancelled; P_completed; P_awaiting_review; P_judging; P_awaiting_answer; P_backing_off; P_failed; P_errored_paused; P_evaluating; P_awaiting_route; P_paused].
Definition all_triggers := [T_enter; T_confirm; T_amend; T_reject; T_expire; T_renew; T_cancel; T_input; T_succeed; T_stop; T_ask; T_fail; T_interrupt; T_answer; T_wake; T_hold; T_refute; T_edit; T_retry; T_provide; T_skip; T_resume; T_finish; T_leave; T_select; T_choose; T_start; T_pause].
Definition all_guards := [G_always; G_needs_confirmation; G_needs_input; G_runs_at_once; G_allows_edit; G_reject_skips; G_reject_cancels; G_timeout_approves; G_timeout_skips; G_timeout_cancels; G_keeps_output; G_needs_review; G_judges_output; G_may_ask; G_retries_left; G_error_fails; G_error_skips; G_error_pauses; G_interrupt_retries; G_interrupt_pauses; G_interrupt_fails; G_answers_missing; G_answers_complete; G_review_skips; G_review_cancels; G_review_retries; G_reviews_spent; G_reject_takes_else; G_has_else; G_has_no_else; G_failed_here; G_failed_inside; G_iterations_spent; G_tests_end; G_reviews_iterations; G_loops_again; G_needs_route; G_person_chooses; G_selector_chooses; G_more_choices; G_person_rechooses; G_selector_rechooses; G_selector_failed; G_choice_failed].
