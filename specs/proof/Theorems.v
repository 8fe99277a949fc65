(* The checker of well-formedness, that it decides what the theorems ask for, and the theorems for every program that it accepts. *)
Require Import List Arith Bool Lia. Import ListNotations.
Require Import Tables Core Checker Rows Gates Ends Positions Once Settle Counts Calls Skips.

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
  intros O H. unfold wfb in H. apply andb_prop in H as [H F]. apply andb_prop in H as [H _]. rewrite forallb_forall in H.
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
Lemma machine_beq_refl m : machine_beq m m = true. Proof. destruct m; reflexivity. Qed.
Lemma is_kind_spec k j : is_kind k j = true <-> k = j.
Proof. destruct k, j; simpl; split; intros H; auto; discriminate. Qed.
Lemma distinct_spec l : distinct l = true -> NoDup l.
Proof.
  induction l as [|x l IH]; simpl; intros H; constructor; apply andb_prop in H as [H1 H2]; auto.
  intros I. apply negb_true_iff in H1. assert (existsb (Nat.eqb x) l = true); [|congruence]. apply existsb_exists. exists x. split; auto. apply Nat.eqb_refl.
Qed.
Lemma wfb_among size : (forall a, size <= a -> N a = nobody) -> wfb size = true -> wf3 p.
Proof.
  intros O H. unfold wfb in H. apply andb_prop in H as [H _]. apply andb_prop in H as [_ H]. rewrite forallb_forall in H.
  assert (A : forall a, ((next (N a) =? parent (N a)) || (index (N a) <? index (N (next (N a))))) = true
    /\ (negb (parent (N a) =? 0) || (depth (N a) =? 0)) = true
    /\ ((parent (N a) =? 0) || (negb (machine_beq (mach (N (parent (N a)))) M_step)
      && (negb (is_kind (kind_ (N (parent (N a)))) K_router || is_kind (kind_ (N (parent (N a)))) K_parallel) || (next (N a) =? parent (N a)))
      && (negb (is_kind (kind_ (N (parent (N a)))) K_parallel) || existsb (Nat.eqb a) (map snd (exits (N (parent (N a)))))))) = true
    /\ (negb (is_kind (kind_ (N a)) K_parallel) || distinct (map snd (exits (N a)))) = true
    /\ (negb (machine_beq (mach (N a)) M_step) || match exits (N a) with [] => true | _ => false end) = true
    /\ machine_beq (mach (N a)) (machine_of (kind_ (N a))) = true).
  { intros a. destruct (le_lt_dec size a) as [L|L].
    - rewrite (O a L). simpl. repeat split; auto.
    - assert (I : In a (seq 0 size)) by (apply in_seq; lia). specialize (H a I). unfold ok_among in H.
      repeat (apply andb_prop in H as [H ?]). repeat split; auto. }
  clear H. constructor.
  - intros a NP. destruct (A a) as (H & _). apply orb_prop in H as [H|H]; [apply Nat.eqb_eq in H; contradiction|apply Nat.ltb_lt; auto].
  - intros a Z. destruct (A a) as (_ & H & _). rewrite Z in H. simpl in H. apply Nat.eqb_eq; auto.
  - intros a Z. destruct (A a) as (_ & _ & H & _). apply orb_prop in H as [H|H]; [apply Nat.eqb_eq in H; contradiction|]. apply andb_prop in H as [H _]. apply andb_prop in H as [H _].
    intros E. rewrite E, machine_beq_refl in H. discriminate.
  - intros a Z K. destruct (A a) as (_ & _ & H & _). apply orb_prop in H as [H|H]; [apply Nat.eqb_eq in H; contradiction|]. apply andb_prop in H as [H _]. apply andb_prop in H as [_ H].
    apply orb_prop in H as [H|H]; [|apply Nat.eqb_eq; auto]. exfalso. destruct K as [K|K]; rewrite K in H; discriminate.
  - intros a Z K. destruct (A a) as (_ & _ & H & _). apply orb_prop in H as [H|H]; [apply Nat.eqb_eq in H; contradiction|]. apply andb_prop in H as [_ H].
    rewrite K in H. simpl in H. apply existsb_exists in H as (x & I & E). apply Nat.eqb_eq in E. subst; auto.
  - intros a K. destruct (A a) as (_ & _ & _ & H & _). rewrite K in H. apply distinct_spec; auto.
  - intros a K. destruct (A a) as (_ & _ & _ & _ & H & _). rewrite K in H. simpl in H. destruct (exits (N a)); auto; discriminate.
  - intros a. destruct (A a) as (_ & _ & _ & _ & _ & H). apply internal_machine_dec_bl in H. auto.
Qed.
Lemma wfb_plain size : (forall a, size <= a -> N a = nobody) -> wfb size = true -> forall a, ~ In G_retries_left (facts (N a)) /\ ~ In G_reviews_spent (facts (N a)).
Proof.
  intros O H a. unfold wfb in H. apply andb_prop in H as [H _]. apply andb_prop in H as [_ H]. rewrite forallb_forall in H.
  destruct (le_lt_dec size a) as [L|L]; [rewrite (O a L); simpl; tauto|]. assert (I : In a (seq 0 size)) by (apply in_seq; lia). specialize (H a I). unfold ok_among in H.
  apply andb_prop in H as [H H2]. apply andb_prop in H as [_ H1]. apply negb_true_iff in H1, H2. split; intros Q; apply has_in in Q; congruence.
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
Lemma beyond_size a : length l <= a -> get p a = nobody. Proof. intros A. simpl. apply nth_overflow; auto. Qed.
Lemma well : wf p /\ wf2 p. Proof. apply (wfb_sound p (length l)); auto. apply beyond_size. Qed.
Lemma among : wf3 p. Proof. apply (wfb_among p (length l)); auto. apply beyond_size. Qed.
Lemma history_St d : history p d -> St p d [] /\ unbegun p d.
Proof.
  destruct well as [W1 W2]. pose proof among as W3. induction 1 as [|d v vs k d' H IH E A]; [apply start_of_all; auto|]. destruct IH as [I U].
  eapply advance_St; eauto. apply history_G; auto.
Qed.
Lemma history_fair d later m past : history p d -> moves d = later ++ m :: past -> fair p past m.
Proof. intros H. apply fair_split. apply (history_St _ H). Qed.

Theorem ENTERED_ONCE d later m past w : history p d -> moves d = later ++ m :: past -> m_on m = T_enter -> In w past -> m_on w = T_enter ->
  m_at w = m_at m -> m_tn w <> m_tn m.
Proof.
  intros H E ON IW OW A T. pose proof (history_fair _ _ _ _ H E) as F. apply (f_once _ _ _ F ON (m_at w) (m_tn w)).
  - exists w. auto.
  - left; auto.
  - rewrite T. symmetry. apply (f_cut _ _ _ F).
Qed.
Theorem CONF_5_nothing_begins_again d later m past w : history p d -> moves d = later ++ m :: past ->
  m_on m = T_enter \/ owes (m_mach m) (m_dst m) = Some O_call ->
  In w past -> m_mach w <> M_run -> m_dst w = P_skipped \/ m_dst w = P_cancelled \/ m_dst w = P_completed ->
  m_at w = m_at m \/ Anc p (m_at m) (m_at w) -> m_tn w <> cut p (m_at w) (m_tn m).
Proof.
  intros H E B IW Z O A T. pose proof (history_fair _ _ _ _ H E) as F. apply (f_over _ _ _ F B (m_at w)).
  - destruct A as [A|A]; [left; auto|right; auto].
  - exists w. repeat split; auto.
Qed.


Theorem CONF_1_no_call_without_agreement d later m past q : history p d -> moves d = later ++ m :: past ->
  owes (m_mach m) (m_dst m) = Some O_call -> q = m_at m \/ Anc p (m_at m) q -> gated p q ->
  exists w, In w (m :: past) /\ m_at w = q /\ m_tn w = cut p q (m_tn m) /\ asks_first (m_src w) = true /\ word p q w.
Proof. intros H. apply gates_hold; [apply well|apply history_reach; auto]. Qed.
Theorem CONF_6_confirmed_before_anything d c : history p d -> In c (cursors d) -> beyond (ph c) = true -> gated p (at_ c) ->
  exists w, In w (moves d) /\ m_at w = at_ c /\ m_tn w = cut p (at_ c) (tn c) /\ asks_first (m_src w) = true /\ word p (at_ c) w.
Proof. intros H. apply confirmed_before; [apply well|apply history_reach; auto]. Qed.
Theorem LAW_5_one_list later m past w d : history p d -> moves d = later ++ m :: past -> m_on m = T_enter -> In w past -> m_on w = T_enter ->
  m_at w <> 0 -> parent (get p (m_at w)) = parent (get p (m_at m)) -> kind_ (get p (parent (get p (m_at m)))) = K_condition -> m_tn w = m_tn m ->
  chain p (m_at w) (m_at m).
Proof.
  intros H E ON IW OW Z P K T. pose proof (history_fair _ _ _ _ H E) as F. apply (f_list _ _ _ F ON (m_at w) (m_tn w)); auto.
  - exists w. auto.
  - rewrite P. right. rewrite K. split; discriminate.
Qed.
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
Theorem LAW_8_failed_iff d : history p d -> (run d = P_failed <-> (exists c, In c (cursors d) /\ ph c = P_failed) /\ ~ owes_an p O_call d).
Proof. intros H. apply failed_iff. apply history_G; auto. apply well. Qed.
Theorem LAW_8_an_end_leaves_nothing_open d : history p d -> run d = P_completed \/ run d = P_cancelled -> cursors d = [] /\ endings d = [].
Proof.
  intros H E. split.
  - destruct (history_G p d (proj2 well) H) as (_ & _ & C). destruct E as [E|E]; rewrite E in C; auto.
  - destruct H as [|d v vs k d' H EV A]; [destruct E; discriminate|]. apply (advance_bare p (proj2 well) _ _ _ _ _ A); auto. apply history_G; auto. apply well.
Qed.
Lemma counts d c : history p d -> In c (cursors d) -> counted p c.
Proof.
  intros H. assert (C : Q p d).
  { induction H as [|d v vs k d' H IH E A]; [split; constructor|]. apply (q_advance p (proj2 well) among (wfb_plain p (length l) beyond_size W) _ _ _ _ A IH). }
  destruct C as [C _]. rewrite Forall_forall in C. auto.
Qed.
Theorem REV_1_rejections_are_counted d c : history p d -> In c (cursors d) -> mach (get p (at_ c)) = M_step -> In G_review_retries (facts (get p (at_ c))) ->
  ph c <> P_cancelled -> reviews (mk c) <= n_reviews (get p (at_ c)).
Proof. intros H I M. apply (counts d c H I M). Qed.
Theorem RUN_2_each_attempt_has_one_call d later m past w : history p d -> moves d = later ++ m :: past -> starts m -> In w past -> starts w ->
  m_at w = m_at m -> m_tn w = m_tn m -> attempt w < attempt m.
Proof.
  destruct well as [W1 W2]. pose proof among as W3. intros H E S IW SW A T. assert (VD : V p d).
  { clear E. induction H as [|d v vs k d' H IH EV AD]; [split; simpl; auto|]. destruct (history_St _ H) as [SD UD].
    eapply v_advance; eauto. apply history_G; auto. }
  exact (once_split (moves d) (proj1 VD) later m past E S w IW SW A T).
Qed.
Theorem RUN_2_retries_are_counted d c : history p d -> In c (cursors d) -> mach (get p (at_ c)) = M_step -> retries (mk c) <= n_retries (get p (at_ c)).
Proof. intros H I M. apply (counts d c H I M). Qed.
Theorem CRASH_2_deaths_are_counted d c : history p d -> In c (cursors d) -> mach (get p (at_ c)) = M_step -> ph c = P_running \/ ph c = P_judging ->
  deaths (mk c) < max_interrupts.
Proof. intros H I M. apply (counts d c H I M). Qed.
Lemma content d c b w x : history p d -> In c (cursors d) -> before p b (at_ c) -> In w (moves d) -> ends w -> m_at w = b -> m_tn w = cut p (at_ c) (tn c) ->
  hands p b w = Some x -> ~ given p c -> prev c = x.
Proof.
  destruct well as [W1 W2]. pose proof among as W3. intros H I B WI WE WA WT HH NG. assert (VD : PV p d []).
  { clear I B WI WE WA WT HH NG. induction H as [|d v vs k d' H IH EV AD]; [constructor; constructor|]. destruct (history_St _ H) as [SD UD].
    eapply advance_PV; eauto. apply history_G; auto. }
  destruct VD as [VC _ _]. rewrite Forall_forall in VC. symmetry. apply (VC c) with (b := b) (w := w); auto. simpl. apply in_or_app. auto.
Qed.
Theorem RUN_1_content_is_what_came_before d c b w : history p d -> In c (cursors d) -> before p b (at_ c) -> In w (moves d) -> m_mach w <> M_run ->
  m_at w = b -> m_tn w = cut p (at_ c) (tn c) -> m_dst w = P_completed -> ~ given p c -> prev c = m_gives w.
Proof. intros H I B WI M A T E NG. eapply content; eauto; [split; auto|]. unfold hands. rewrite E. reflexivity. Qed.
Theorem SKIP_1_after_a_skip_there_is_none d c b w : history p d -> In c (cursors d) -> before p b (at_ c) -> In w (moves d) -> m_mach w <> M_run ->
  m_at w = b -> m_tn w = cut p (at_ c) (tn c) -> m_dst w = P_skipped -> transparent (get p b) = false \/ by_error w = true -> ~ given p c -> prev c = None.
Proof.
  intros H I B WI M A T E TR NG. eapply content; eauto; [split; auto|]. unfold hands. rewrite E. destruct TR as [->| ->]; [reflexivity|]. simpl. rewrite andb_false_r. reflexivity.
Qed.
Theorem SETTLE_ends d v vs e : history p d -> Forall (event_ok p) (v :: vs) -> fold_left (fun o v => do d <- o; apply p d v) (v :: vs) (Some d) = Some e ->
  Comes p e /\ exists k, forall j, k <= j -> settle p j e = settle p k e.
Proof.
  destruct well as [W1 W2]. pose proof among as W3. intros H E F. destruct (history_St _ H) as [S U].
  destruct (events_St p W1 W2 W3 _ _ _ _ F (history_G p _ W2 H) U S E) as [SE DE].
  assert (C : Comes p e).
  { destruct DE as [RE|(O1 & O2 & O3 & O4)]; [eapply (comes_to_rest p W1 W2 W3 (length l)); eauto; apply beyond_size|].
    apply rests_. unfold micro, is_failing. rewrite O2, O3, O4. reflexivity. }
  split; auto. apply comes_fuel; auto.
Qed.
End main.

(* SKIP-2: a component that is skipped before it was entered, by no error, lets the content before it flow through where it is transparent. *)
Theorem SKIP_2_transparent_before_it_is_entered p d c tr d' : skip p d c tr = Some d' -> transparent (get p (at_ c)) = true ->
  tr <> T_fail -> tr <> T_skip -> ph c <> P_errored_paused -> next (get p (at_ c)) <> parent (get p (at_ c)) ->
  fresh d' = fresh d ++ [pending_ (next (get p (at_ c))) (cut p (at_ c) (tn c)) (prev c) (last_ c)] /\ cursors d' = cursors d.
Proof.
  unfold skip, past. intros H T NF NS NE NP. rewrite T in H. assert (E : t_in tr [T_fail; T_skip] || (ph c =p P_errored_paused) = false).
  { apply orb_false_iff. split; [|apply not_true_is_false; intros Q; apply internal_phase_dec_bl in Q; contradiction].
    apply not_true_is_false. intros Q. unfold t_in in Q. apply existsb_exists in Q as (x & [<-|[<-|[]]] & Q); apply internal_trigger_dec_bl in Q; contradiction. }
  rewrite E in H. simpl go_on in H. apply Nat.eqb_neq in NP. rewrite NP in H. injection H as <-; auto.
Qed.
