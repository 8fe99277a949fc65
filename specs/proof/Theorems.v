(* The checker of well-formedness, that it decides what the theorems ask for, and the theorems for every program that it accepts. *)
Require Import List Arith Bool Lia. Import ListNotations.
Require Import Tables Core Checker Rows Gates Ends.

Section checker.
Variable p : program.
Notation N := (get p).
Notation ok_at := (ok_at p).
Notation wfb := (wfb p).
Notation gatedb := (gatedb p).
Lemma has_in g fs : has g fs = true <-> In g fs.
Proof.
  unfold has. rewrite existsb_exists. split.
  - intros (x & I & E). apply internal_guard_dec_bl in E. subst; auto.
  - intros I. exists g. split; auto. apply internal_guard_dec_lb; auto.
Qed.
Lemma gatedb_spec a : gated p a -> gatedb a = true.
Proof. unfold gated, gatedb. rewrite orb_true_iff, !has_in. auto. Qed.
Lemma wfb_sound size : (forall a, size <= a -> N a = nobody) -> wfb size = true -> wf p /\ wf2 p.
Proof.
  intros O H. unfold wfb in H. apply andb_prop in H as [H F]. rewrite forallb_forall in H.
  assert (A : forall a, (if a =? 0 then parent (N a) =? 0 else parent (N a) <? a) = true
    /\ ((parent (N a) =? 0) || (depth (N a) =? depth (N (parent (N a))) + extends (kind_ (N (parent (N a)))))) = true
    /\ ((next (N a) =? parent (N a)) || ((parent (N (next (N a))) =? parent (N a)) && (depth (N (next (N a))) =? depth (N a)))) = true
    /\ forallb (fun x => negb (a =? 0) && ((parent (N (snd x)) =? a) || ((snd x =? a) && negb (beside (kind_ (N a)))))) (exits (N a)) = true
    /\ ((leaves (N a) =? a) || (leaves (N a) =? 0) || existsb (Nat.eqb (leaves (N a))) (anc p a)) = true
    /\ (negb (gatedb a) || (negb (has G_runs_at_once (facts (N a))) && negb (has G_needs_route (facts (N a))))) = true
    /\ negb (machine_beq (mach (N a)) M_run) = true
    /\ (machine_beq (mach (N a)) M_step || match exits (N a) with [] => false | _ => true end) = true
    /\ match conc (N a) with Some 0 => false | _ => true end = true).
  { intros a. destruct (le_lt_dec size a) as [L|L].
    - unfold gatedb. rewrite (O a L). destruct a; simpl; repeat split; auto.
    - assert (I : In a (seq 0 size)) by (apply in_seq; lia). specialize (H a I). unfold ok_at in H.
      repeat (apply andb_prop in H as [H ?]). repeat split; auto. }
  clear H. split; constructor.
  - intros a Z. destruct (A a) as (H & _). destruct (Nat.eqb_spec a 0); [congruence|]. apply Nat.ltb_lt; auto.
  - destruct (A 0) as (H & _). simpl in H. apply Nat.eqb_eq; auto.
  - intros a Z. destruct (A a) as (_ & H & _). apply orb_prop in H as [H|H]; apply Nat.eqb_eq in H; congruence.
  - intros a Z. destruct (A a) as (_ & _ & H & _). apply orb_prop in H as [H|H]; [apply Nat.eqb_eq in H; congruence|].
    apply andb_prop in H as [H1 H2]. apply Nat.eqb_eq in H1, H2. auto.
  - intros a k b I. destruct (A a) as (_ & _ & _ & H & _). rewrite forallb_forall in H. apply H in I. simpl in I.
    apply andb_prop in I as [I1 I2]. apply negb_true_iff, Nat.eqb_neq in I1. split; auto. apply orb_prop in I2 as [I2|I2].
    + left. apply Nat.eqb_eq; auto.
    + right. apply andb_prop in I2 as [I2 I3]. apply Nat.eqb_eq in I2. apply negb_true_iff in I3. auto.
  - intros a. destruct (A a) as (_ & _ & _ & _ & H & _). apply orb_prop in H as [H|H]; [apply orb_prop in H as [H|H]; apply Nat.eqb_eq in H; auto|].
    apply existsb_exists in H as (x & X & E). apply Nat.eqb_eq in E. right; right. rewrite E. eapply ancf_sound; eauto.
  - intros a Z. destruct (A a) as (_ & _ & _ & _ & _ & H & _). rewrite (gatedb_spec a Z) in H. simpl in H. apply andb_prop in H as [H1 H2].
    apply negb_true_iff in H1, H2. split; intros I; apply has_in in I; congruence.
  - intros a E. exfalso. destruct (A a) as (_ & _ & _ & _ & _ & _ & H & _). rewrite E in H. discriminate.
  - intros Z. apply orb_prop in F as [F|F]; [apply Nat.eqb_eq in F; congruence|]. apply andb_prop in F as [F1 F2]. apply Nat.eqb_eq in F1, F2. auto.
  - intros a Z E. destruct (A a) as (_ & _ & _ & _ & _ & _ & _ & H & _). rewrite E, orb_false_r in H. apply internal_machine_dec_bl in H. auto.
  - intros a E. destruct (A a) as (_ & _ & _ & _ & _ & _ & H & _). rewrite E in H. discriminate.
  - intros a E. destruct (A a) as (_ & _ & _ & _ & _ & _ & _ & _ & H). rewrite E in H. discriminate.
Qed.
End checker.

(* A history: any batches of events, the choices of a route among its choices. *)
Inductive history (p : program) : draft -> Prop :=
| h0 : history p beginning
| hS d v vs k d' : history p d -> Forall (event_ok p) (v :: vs) -> advance p k d (v :: vs) = Some d' -> history p d'.
Lemma history_reach p d : history p d -> reach p d.
Proof. induction 1; [constructor|econstructor; eauto]. Qed.
Lemma history_G p d : wf2 p -> history p d -> G p d.
Proof.
  intros W. induction 1; [|eapply advance_G; eauto]. split; auto. split; simpl; auto.
Qed.

Section main.
Variables (l : list node) (f : addr).
Let p := of_list l f.
Hypothesis W : wfb p (length l) = true.
Lemma well : wf p /\ wf2 p.
Proof. apply (wfb_sound p (length l)); auto. intros a A. simpl. apply nth_overflow; auto. Qed.

Theorem CONF_1_no_call_without_agreement d later m past q : history p d -> moves d = later ++ m :: past ->
  owes (m_mach m) (m_dst m) = Some O_call -> q = m_at m \/ Anc p (m_at m) q -> gated p q ->
  exists w, In w (m :: past) /\ m_at w = q /\ m_tn w = cut p q (m_tn m) /\ asks_first (m_src w) = true /\ word p q w.
Proof. intros H. apply gates_hold; [apply well|apply history_reach; auto]. Qed.
Theorem CONF_6_confirmed_before_anything d c : history p d -> In c (cursors d) -> beyond (ph c) = true -> gated p (at_ c) ->
  exists w, In w (moves d) /\ m_at w = at_ c /\ m_tn w = cut p (at_ c) (tn c) /\ asks_first (m_src w) = true /\ word p (at_ c) w.
Proof. intros H. apply confirmed_before; [apply well|apply history_reach; auto]. Qed.
Theorem LAW_2_paused_iff d : history p d -> run d <> P_failed ->
  (run d = P_paused <-> owes_an p O_ask d /\ ~ owes_an p O_call d /\ ~ owes_an p O_timer d).
Proof.
  intros H NF. pose proof (history_G p d (proj2 well) H) as I. split.
  - apply paused_only_if; auto.
  - intros (A & B & C). apply (paused_if p); auto.
Qed.
Theorem LAW_4_nothing_after_the_end d v vs k : history p d -> run d = P_completed \/ run d = P_cancelled -> advance p k d (v :: vs) = None.
Proof. intros H. exact (over_is_over p (proj2 well) k d v vs (history_G p d (proj2 well) H)). Qed.
Theorem LAW_4_a_failed_run_is_only_reopened d v vs k d' : history p d -> run d = P_failed -> advance p k d (v :: vs) = Some d' ->
  v_at v = 0 /\ v_on v = T_resume.
Proof. intros H. exact (failed_is_over p k d v vs d' (history_G p d (proj2 well) H)). Qed.
End main.

(* SKIP-1: a step that is skipped hands None to its sibling, whatever skipped it. *)
Theorem SKIP_1_skip_hands_on_none p d c tr d' : skip p d c tr = Some d' -> transparent (get p (at_ c)) = false ->
  leaves (get p (at_ c)) = at_ c -> next (get p (at_ c)) <> parent (get p (at_ c)) ->
  fresh d' = fresh d ++ [pending_ (next (get p (at_ c))) (cut p (at_ c) (tn c)) None (last_ c)] /\ cursors d' = cursors d.
Proof.
  unfold skip, past. intros H T L NP. rewrite L, Nat.eqb_refl, T in H. simpl go_on in H.
  apply Nat.eqb_neq in NP. rewrite NP in H.
  destruct (_ || _); injection H as <-; auto.
Qed.
