(* What holds of the tables alone: computed over the generated rows, so a changed row is checked again by `vm_compute`. *)
Require Import List Arith Bool Lia. Import ListNotations.
Require Import Tables Core.

Lemma in_rows_fire m f t fs x : fire m f t fs = Some x ->
  exists r, In r (rows m) /\ src r = f /\ on r = t /\ dst r = x /\ (when r = G_always \/ In (when r) fs).
Proof.
  unfold fire. destruct (find (enabled f t fs) (rows m)) as [r|] eqn:E; simpl; [|discriminate].
  intros H; injection H as <-. apply find_some in E. destruct E as [I E].
  unfold enabled in E. apply andb_prop in E as [E1 E2]. apply andb_prop in E1 as [E0 E1].
  exists r. repeat split; auto.
  - apply internal_phase_dec_bl; auto.
  - apply internal_trigger_dec_bl; auto.
  - apply orb_prop in E2 as [E2|E2].
    + left. apply internal_guard_dec_bl; auto.
    + right. unfold has in E2. apply existsb_exists in E2 as [g [I2 E2]].
      apply internal_guard_dec_bl in E2. subst. auto.
Qed.

Definition machines := [M_step; M_condition; M_loop; M_router; M_parallel; M_group; M_run].
Lemma machines_all m : In m machines. Proof. destruct m; simpl; tauto. Qed.
Definition every_row (P : machine -> row -> bool) := forallb (fun m => forallb (P m) (rows m)) machines.
Lemma every_row_in P : every_row P = true -> forall m r, In r (rows m) -> P m r = true.
Proof.
  unfold every_row. intros H m r I. rewrite forallb_forall in H. specialize (H m (machines_all m)).
  rewrite forallb_forall in H. auto.
Qed.

(* LAW-1: nothing leaves completed, skipped or cancelled. *)
Theorem ends_have_no_exit m f t fs x : fire m f t fs = Some x -> ~ In f (final m).
Proof.
  intros H I. apply in_rows_fire in H as (r & R & <- & _).
  assert (E : every_row (fun m r => negb (p_in (src r) (final m))) = true) by (vm_compute; reflexivity).
  apply every_row_in with (m := m) (r := r) in E; auto.
  unfold p_in in E. rewrite negb_true_iff in E.
  assert (existsb (phase_beq (src r)) (final m) = true); [|congruence].
  apply existsb_exists. exists (src r). split; auto. apply internal_phase_dec_lb; auto.
Qed.

(* Phases before the gate, and after which nothing of a component runs. *)
Definition front (f : phase) := match f with P_pending | P_awaiting_confirmation | P_awaiting_input => true | _ => false end.
Definition shut (f : phase) := match f with P_skipped | P_cancelled => true | _ => false end.
Definition beyond (f : phase) := negb (front f) && negb (shut f).

(* A row that passes the gate is a confirmation, with the input as it was or with another one, an input, an expiry that approves, or the rejection of a Condition that takes its else. *)
Definition agreeing (r : row) := match on r with
  | T_confirm | T_amend | T_input => true
  | T_expire => guard_beq (when r) G_timeout_approves
  | T_reject => guard_beq (when r) G_reject_takes_else
  | _ => false end.
Definition asks_first (f : phase) := match f with P_awaiting_confirmation | P_awaiting_input => true | _ => false end.
Definition gate_row (m : machine) (r : row) : bool :=
  machine_beq m M_run || negb (beyond (dst r)) || beyond (src r)
  || (asks_first (src r) && agreeing r)
  || ((src r =p P_pending) && (on r =t T_enter) &&
      match when r with G_runs_at_once | G_needs_route => true | _ => false end).
Lemma gate_rows : every_row gate_row = true. Proof. vm_compute. reflexivity. Qed.

(* No way leads from skipped or cancelled, and none back to before the gate; a question that is put again stays before it. *)
Definition onward_row (m : machine) (r : row) : bool := machine_beq m M_run ||
  (negb (shut (src r)) && (negb (front (dst r)) || (src r =p P_pending) || ((on r =t T_renew) && (src r =p dst r)))).
Lemma onward_rows : every_row onward_row = true. Proof. vm_compute. reflexivity. Qed.

(* ERR-4, CONF-6: a retry leads on, never back to a question that was answered. *)
Lemma retry_rows : every_row (fun m r => negb (on r =t T_retry) || beyond (dst r)) = true. Proof. vm_compute. reflexivity. Qed.

(* What is asked after the gate is asked of what is beyond it: an error pause, a review. *)
Lemma pause_rows : every_row (fun m r => machine_beq m M_run || negb (match dst r with P_errored_paused | P_awaiting_review => true | _ => false end)
   || beyond (src r)) = true. Proof. vm_compute. reflexivity. Qed.
