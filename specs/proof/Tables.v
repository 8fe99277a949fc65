(* GENERATED from statecore/lifecycles and statecore/core by `python -m specs.proof.tables`. Do not edit.
   The rows of every lifecycle, what each phase owes, and the constants of the core. *)
Require Import List. Import ListNotations.
Require Export Words.
Record row := Row { src : phase; on : trigger; dst : phase; when : guard }.
Definition rows (m : machine) : list row := match m with
  | M_step => [
    Row P_pending T_enter P_awaiting_confirmation G_needs_confirmation;
    Row P_pending T_enter P_awaiting_input G_needs_input;
    Row P_pending T_enter P_running G_runs_at_once;
    Row P_awaiting_confirmation T_confirm P_running G_always;
    Row P_awaiting_confirmation T_amend P_running G_allows_edit;
    Row P_awaiting_confirmation T_reject P_skipped G_reject_skips;
    Row P_awaiting_confirmation T_reject P_cancelled G_reject_cancels;
    Row P_awaiting_confirmation T_expire P_running G_timeout_approves;
    Row P_awaiting_confirmation T_expire P_skipped G_timeout_skips;
    Row P_awaiting_confirmation T_expire P_cancelled G_timeout_cancels;
    Row P_awaiting_confirmation T_renew P_awaiting_confirmation G_always;
    Row P_awaiting_confirmation T_cancel P_cancelled G_always;
    Row P_awaiting_input T_input P_running G_always;
    Row P_awaiting_input T_reject P_skipped G_reject_skips;
    Row P_awaiting_input T_reject P_cancelled G_reject_cancels;
    Row P_awaiting_input T_expire P_skipped G_timeout_skips;
    Row P_awaiting_input T_expire P_cancelled G_timeout_cancels;
    Row P_awaiting_input T_renew P_awaiting_input G_always;
    Row P_awaiting_input T_cancel P_cancelled G_always;
    Row P_running T_succeed P_completed G_keeps_output;
    Row P_running T_succeed P_awaiting_review G_needs_review;
    Row P_running T_succeed P_judging G_judges_output;
    Row P_running T_stop P_completed G_keeps_output;
    Row P_running T_stop P_awaiting_review G_needs_review;
    Row P_running T_stop P_judging G_judges_output;
    Row P_running T_ask P_awaiting_answer G_may_ask;
    Row P_running T_fail P_backing_off G_retries_left;
    Row P_running T_fail P_failed G_error_fails;
    Row P_running T_fail P_skipped G_error_skips;
    Row P_running T_fail P_errored_paused G_error_pauses;
    Row P_running T_interrupt P_running G_interrupt_retries;
    Row P_running T_interrupt P_errored_paused G_interrupt_pauses;
    Row P_running T_interrupt P_failed G_interrupt_fails;
    Row P_running T_cancel P_cancelled G_always;
    Row P_awaiting_answer T_answer P_awaiting_answer G_answers_missing;
    Row P_awaiting_answer T_answer P_running G_answers_complete;
    Row P_awaiting_answer T_reject P_skipped G_reject_skips;
    Row P_awaiting_answer T_reject P_cancelled G_reject_cancels;
    Row P_awaiting_answer T_expire P_skipped G_timeout_skips;
    Row P_awaiting_answer T_expire P_cancelled G_timeout_cancels;
    Row P_awaiting_answer T_renew P_running G_always;
    Row P_awaiting_answer T_cancel P_cancelled G_always;
    Row P_backing_off T_wake P_running G_always;
    Row P_backing_off T_cancel P_cancelled G_always;
    Row P_judging T_hold P_awaiting_review G_always;
    Row P_judging T_refute P_completed G_always;
    Row P_judging T_fail P_failed G_error_fails;
    Row P_judging T_fail P_skipped G_error_skips;
    Row P_judging T_fail P_errored_paused G_error_pauses;
    Row P_judging T_interrupt P_judging G_interrupt_retries;
    Row P_judging T_interrupt P_errored_paused G_interrupt_pauses;
    Row P_judging T_interrupt P_failed G_interrupt_fails;
    Row P_judging T_cancel P_cancelled G_always;
    Row P_awaiting_review T_confirm P_completed G_always;
    Row P_awaiting_review T_edit P_completed G_always;
    Row P_awaiting_review T_reject P_skipped G_review_skips;
    Row P_awaiting_review T_reject P_cancelled G_review_cancels;
    Row P_awaiting_review T_reject P_running G_review_retries;
    Row P_awaiting_review T_reject P_cancelled G_reviews_spent;
    Row P_awaiting_review T_expire P_completed G_timeout_approves;
    Row P_awaiting_review T_expire P_skipped G_timeout_skips;
    Row P_awaiting_review T_expire P_cancelled G_timeout_cancels;
    Row P_awaiting_review T_renew P_awaiting_review G_always;
    Row P_awaiting_review T_cancel P_cancelled G_always;
    Row P_errored_paused T_retry P_running G_always;
    Row P_errored_paused T_amend P_running G_allows_edit;
    Row P_errored_paused T_provide P_completed G_always;
    Row P_errored_paused T_skip P_skipped G_always;
    Row P_errored_paused T_expire P_skipped G_timeout_skips;
    Row P_errored_paused T_expire P_cancelled G_timeout_cancels;
    Row P_errored_paused T_expire P_cancelled G_timeout_approves;
    Row P_errored_paused T_renew P_errored_paused G_always;
    Row P_errored_paused T_cancel P_cancelled G_always;
    Row P_failed T_resume P_running G_always]
  | M_condition => [
    Row P_pending T_enter P_awaiting_confirmation G_needs_confirmation;
    Row P_pending T_enter P_evaluating G_runs_at_once;
    Row P_awaiting_confirmation T_confirm P_running G_always;
    Row P_awaiting_confirmation T_reject P_running G_reject_takes_else;
    Row P_awaiting_confirmation T_reject P_skipped G_reject_skips;
    Row P_awaiting_confirmation T_reject P_cancelled G_reject_cancels;
    Row P_awaiting_confirmation T_expire P_running G_timeout_approves;
    Row P_awaiting_confirmation T_expire P_skipped G_timeout_skips;
    Row P_awaiting_confirmation T_expire P_cancelled G_timeout_cancels;
    Row P_awaiting_confirmation T_renew P_awaiting_confirmation G_always;
    Row P_awaiting_confirmation T_cancel P_cancelled G_always;
    Row P_evaluating T_hold P_running G_always;
    Row P_evaluating T_refute P_running G_has_else;
    Row P_evaluating T_refute P_skipped G_has_no_else;
    Row P_evaluating T_fail P_failed G_error_fails;
    Row P_evaluating T_fail P_skipped G_error_skips;
    Row P_evaluating T_fail P_errored_paused G_error_pauses;
    Row P_evaluating T_interrupt P_evaluating G_interrupt_retries;
    Row P_evaluating T_interrupt P_errored_paused G_interrupt_pauses;
    Row P_evaluating T_interrupt P_failed G_interrupt_fails;
    Row P_evaluating T_cancel P_cancelled G_always;
    Row P_errored_paused T_retry P_evaluating G_always;
    Row P_errored_paused T_skip P_skipped G_always;
    Row P_errored_paused T_expire P_skipped G_timeout_skips;
    Row P_errored_paused T_expire P_cancelled G_timeout_cancels;
    Row P_errored_paused T_expire P_cancelled G_timeout_approves;
    Row P_errored_paused T_renew P_errored_paused G_always;
    Row P_errored_paused T_cancel P_cancelled G_always;
    Row P_running T_finish P_completed G_always;
    Row P_running T_leave P_skipped G_always;
    Row P_running T_fail P_failed G_always;
    Row P_running T_cancel P_cancelled G_always;
    Row P_failed T_resume P_evaluating G_failed_here;
    Row P_failed T_resume P_running G_failed_inside]
  | M_loop => [
    Row P_pending T_enter P_awaiting_confirmation G_needs_confirmation;
    Row P_pending T_enter P_running G_runs_at_once;
    Row P_awaiting_confirmation T_confirm P_running G_always;
    Row P_awaiting_confirmation T_reject P_skipped G_reject_skips;
    Row P_awaiting_confirmation T_reject P_cancelled G_reject_cancels;
    Row P_awaiting_confirmation T_expire P_running G_timeout_approves;
    Row P_awaiting_confirmation T_expire P_skipped G_timeout_skips;
    Row P_awaiting_confirmation T_expire P_cancelled G_timeout_cancels;
    Row P_awaiting_confirmation T_renew P_awaiting_confirmation G_always;
    Row P_awaiting_confirmation T_cancel P_cancelled G_always;
    Row P_running T_finish P_completed G_iterations_spent;
    Row P_running T_finish P_evaluating G_tests_end;
    Row P_running T_finish P_awaiting_review G_reviews_iterations;
    Row P_running T_finish P_running G_loops_again;
    Row P_running T_leave P_skipped G_always;
    Row P_running T_fail P_failed G_always;
    Row P_running T_cancel P_cancelled G_always;
    Row P_evaluating T_hold P_completed G_always;
    Row P_evaluating T_refute P_awaiting_review G_reviews_iterations;
    Row P_evaluating T_refute P_running G_loops_again;
    Row P_evaluating T_fail P_failed G_error_fails;
    Row P_evaluating T_fail P_skipped G_error_skips;
    Row P_evaluating T_fail P_errored_paused G_error_pauses;
    Row P_evaluating T_interrupt P_evaluating G_interrupt_retries;
    Row P_evaluating T_interrupt P_errored_paused G_interrupt_pauses;
    Row P_evaluating T_interrupt P_failed G_interrupt_fails;
    Row P_evaluating T_cancel P_cancelled G_always;
    Row P_awaiting_review T_confirm P_completed G_always;
    Row P_awaiting_review T_reject P_running G_review_retries;
    Row P_awaiting_review T_reject P_skipped G_review_skips;
    Row P_awaiting_review T_reject P_cancelled G_review_cancels;
    Row P_awaiting_review T_expire P_completed G_timeout_approves;
    Row P_awaiting_review T_expire P_skipped G_timeout_skips;
    Row P_awaiting_review T_expire P_cancelled G_timeout_cancels;
    Row P_awaiting_review T_renew P_awaiting_review G_always;
    Row P_awaiting_review T_cancel P_cancelled G_always;
    Row P_errored_paused T_retry P_evaluating G_always;
    Row P_errored_paused T_skip P_skipped G_always;
    Row P_errored_paused T_expire P_skipped G_timeout_skips;
    Row P_errored_paused T_expire P_cancelled G_timeout_cancels;
    Row P_errored_paused T_expire P_cancelled G_timeout_approves;
    Row P_errored_paused T_renew P_errored_paused G_always;
    Row P_errored_paused T_cancel P_cancelled G_always;
    Row P_failed T_resume P_evaluating G_failed_here;
    Row P_failed T_resume P_running G_failed_inside]
  | M_router => [
    Row P_pending T_enter P_awaiting_confirmation G_needs_confirmation;
    Row P_pending T_enter P_awaiting_route G_needs_route;
    Row P_pending T_enter P_evaluating G_runs_at_once;
    Row P_awaiting_confirmation T_confirm P_awaiting_route G_person_chooses;
    Row P_awaiting_confirmation T_confirm P_evaluating G_selector_chooses;
    Row P_awaiting_confirmation T_reject P_skipped G_reject_skips;
    Row P_awaiting_confirmation T_reject P_cancelled G_reject_cancels;
    Row P_awaiting_confirmation T_expire P_evaluating G_timeout_approves;
    Row P_awaiting_confirmation T_expire P_skipped G_timeout_skips;
    Row P_awaiting_confirmation T_expire P_cancelled G_timeout_cancels;
    Row P_awaiting_confirmation T_renew P_awaiting_confirmation G_always;
    Row P_awaiting_confirmation T_cancel P_cancelled G_always;
    Row P_awaiting_route T_select P_running G_always;
    Row P_awaiting_route T_reject P_skipped G_reject_skips;
    Row P_awaiting_route T_reject P_cancelled G_reject_cancels;
    Row P_awaiting_route T_expire P_skipped G_timeout_skips;
    Row P_awaiting_route T_expire P_cancelled G_timeout_cancels;
    Row P_awaiting_route T_renew P_awaiting_route G_always;
    Row P_awaiting_route T_cancel P_cancelled G_always;
    Row P_evaluating T_choose P_running G_always;
    Row P_evaluating T_refute P_skipped G_always;
    Row P_evaluating T_fail P_failed G_error_fails;
    Row P_evaluating T_fail P_skipped G_error_skips;
    Row P_evaluating T_fail P_errored_paused G_error_pauses;
    Row P_evaluating T_interrupt P_evaluating G_interrupt_retries;
    Row P_evaluating T_interrupt P_errored_paused G_interrupt_pauses;
    Row P_evaluating T_interrupt P_failed G_interrupt_fails;
    Row P_evaluating T_cancel P_cancelled G_always;
    Row P_running T_finish P_running G_more_choices;
    Row P_running T_finish P_completed G_keeps_output;
    Row P_running T_finish P_awaiting_review G_needs_review;
    Row P_running T_finish P_judging G_judges_output;
    Row P_running T_leave P_skipped G_always;
    Row P_running T_fail P_failed G_always;
    Row P_running T_cancel P_cancelled G_always;
    Row P_judging T_hold P_awaiting_review G_always;
    Row P_judging T_refute P_completed G_always;
    Row P_judging T_fail P_failed G_error_fails;
    Row P_judging T_fail P_skipped G_error_skips;
    Row P_judging T_fail P_errored_paused G_error_pauses;
    Row P_judging T_interrupt P_judging G_interrupt_retries;
    Row P_judging T_interrupt P_errored_paused G_interrupt_pauses;
    Row P_judging T_interrupt P_failed G_interrupt_fails;
    Row P_judging T_cancel P_cancelled G_always;
    Row P_awaiting_review T_confirm P_completed G_always;
    Row P_awaiting_review T_edit P_completed G_always;
    Row P_awaiting_review T_reject P_skipped G_review_skips;
    Row P_awaiting_review T_reject P_cancelled G_review_cancels;
    Row P_awaiting_review T_reject P_awaiting_route G_person_rechooses;
    Row P_awaiting_review T_reject P_evaluating G_selector_rechooses;
    Row P_awaiting_review T_reject P_cancelled G_reviews_spent;
    Row P_awaiting_review T_expire P_completed G_timeout_approves;
    Row P_awaiting_review T_expire P_skipped G_timeout_skips;
    Row P_awaiting_review T_expire P_cancelled G_timeout_cancels;
    Row P_awaiting_review T_renew P_awaiting_review G_always;
    Row P_awaiting_review T_cancel P_cancelled G_always;
    Row P_errored_paused T_retry P_evaluating G_selector_chooses;
    Row P_errored_paused T_retry P_awaiting_route G_person_chooses;
    Row P_errored_paused T_skip P_skipped G_always;
    Row P_errored_paused T_expire P_skipped G_timeout_skips;
    Row P_errored_paused T_expire P_cancelled G_timeout_cancels;
    Row P_errored_paused T_expire P_cancelled G_timeout_approves;
    Row P_errored_paused T_renew P_errored_paused G_always;
    Row P_errored_paused T_cancel P_cancelled G_always;
    Row P_failed T_resume P_evaluating G_selector_failed;
    Row P_failed T_resume P_awaiting_route G_choice_failed;
    Row P_failed T_resume P_running G_failed_inside]
  | M_parallel => [
    Row P_pending T_enter P_awaiting_confirmation G_needs_confirmation;
    Row P_pending T_enter P_running G_runs_at_once;
    Row P_awaiting_confirmation T_confirm P_running G_always;
    Row P_awaiting_confirmation T_reject P_skipped G_reject_skips;
    Row P_awaiting_confirmation T_reject P_cancelled G_reject_cancels;
    Row P_awaiting_confirmation T_expire P_running G_timeout_approves;
    Row P_awaiting_confirmation T_expire P_skipped G_timeout_skips;
    Row P_awaiting_confirmation T_expire P_cancelled G_timeout_cancels;
    Row P_awaiting_confirmation T_renew P_awaiting_confirmation G_always;
    Row P_awaiting_confirmation T_cancel P_cancelled G_always;
    Row P_running T_finish P_completed G_always;
    Row P_running T_leave P_skipped G_always;
    Row P_running T_fail P_failed G_always;
    Row P_running T_cancel P_cancelled G_always;
    Row P_failed T_resume P_running G_always]
  | M_group => [
    Row P_pending T_enter P_awaiting_confirmation G_needs_confirmation;
    Row P_pending T_enter P_running G_runs_at_once;
    Row P_awaiting_confirmation T_confirm P_running G_always;
    Row P_awaiting_confirmation T_reject P_skipped G_reject_skips;
    Row P_awaiting_confirmation T_reject P_cancelled G_reject_cancels;
    Row P_awaiting_confirmation T_expire P_running G_timeout_approves;
    Row P_awaiting_confirmation T_expire P_skipped G_timeout_skips;
    Row P_awaiting_confirmation T_expire P_cancelled G_timeout_cancels;
    Row P_awaiting_confirmation T_renew P_awaiting_confirmation G_always;
    Row P_awaiting_confirmation T_cancel P_cancelled G_always;
    Row P_running T_finish P_completed G_always;
    Row P_running T_leave P_skipped G_always;
    Row P_running T_fail P_failed G_always;
    Row P_running T_cancel P_cancelled G_always;
    Row P_failed T_resume P_running G_always]
  | M_run => [
    Row P_pending T_start P_running G_always;
    Row P_running T_pause P_paused G_always;
    Row P_running T_finish P_completed G_always;
    Row P_running T_fail P_failed G_always;
    Row P_running T_cancel P_cancelled G_always;
    Row P_paused T_resume P_running G_always;
    Row P_paused T_cancel P_cancelled G_always;
    Row P_failed T_resume P_running G_always]
  end.
Definition owes (m : machine) (p : phase) : option owed := match m, p with
  | M_step, P_awaiting_confirmation => Some O_ask
  | M_step, P_awaiting_input => Some O_ask
  | M_step, P_running => Some O_call
  | M_step, P_backing_off => Some O_timer
  | M_step, P_judging => Some O_call
  | M_step, P_awaiting_review => Some O_ask
  | M_step, P_awaiting_answer => Some O_ask
  | M_step, P_errored_paused => Some O_ask
  | M_condition, P_awaiting_confirmation => Some O_ask
  | M_condition, P_evaluating => Some O_call
  | M_condition, P_errored_paused => Some O_ask
  | M_loop, P_awaiting_confirmation => Some O_ask
  | M_loop, P_evaluating => Some O_call
  | M_loop, P_awaiting_review => Some O_ask
  | M_loop, P_errored_paused => Some O_ask
  | M_router, P_awaiting_confirmation => Some O_ask
  | M_router, P_awaiting_route => Some O_ask
  | M_router, P_evaluating => Some O_call
  | M_router, P_judging => Some O_call
  | M_router, P_awaiting_review => Some O_ask
  | M_router, P_errored_paused => Some O_ask
  | M_parallel, P_awaiting_confirmation => Some O_ask
  | M_group, P_awaiting_confirmation => Some O_ask
  | _, _ => None end.
Definition final (m : machine) : list phase := match m with
  | M_step => [P_cancelled; P_completed; P_skipped]
  | M_condition => [P_cancelled; P_completed; P_skipped]
  | M_loop => [P_cancelled; P_completed; P_skipped]
  | M_router => [P_cancelled; P_completed; P_skipped]
  | M_parallel => [P_cancelled; P_completed; P_skipped]
  | M_group => [P_cancelled; P_completed; P_skipped]
  | M_run => [P_cancelled; P_completed]
  end.
Definition cancellable (m : machine) : list phase := match m with
  | M_step => [P_awaiting_answer; P_awaiting_confirmation; P_awaiting_input; P_awaiting_review; P_backing_off; P_errored_paused; P_judging; P_running]
  | M_condition => [P_awaiting_confirmation; P_errored_paused; P_evaluating]
  | M_loop => [P_awaiting_confirmation; P_awaiting_review; P_errored_paused; P_evaluating]
  | M_router => [P_awaiting_confirmation; P_awaiting_review; P_awaiting_route; P_errored_paused; P_evaluating; P_judging]
  | M_parallel => [P_awaiting_confirmation]
  | M_group => [P_awaiting_confirmation]
  | M_run => [P_paused]
  end.
Definition joint : list (line * option trigger) := [(L_some_cancelled, Some T_cancel); (L_calls_owed, None); (L_some_failed, Some T_fail); (L_timers_owed, None); (L_answers_owed, Some T_pause); (L_none_live, Some T_finish)].
Definition max_interrupts := 3.
Definition errors : list guard := [G_error_fails; G_error_pauses; G_error_skips].
Definition iteration : list guard := [G_loops_again; G_reviews_iterations; G_tests_end].
Definition ends_early : list guard := [G_iterations_spent; G_keeps_output].
Definition new_attempt : list trigger := [T_amend; T_resume; T_retry; T_wake].
Definition by_person : list trigger := [T_amend; T_answer; T_reject; T_resume; T_retry].
Definition reviewed : list phase := [P_awaiting_review; P_judging].
