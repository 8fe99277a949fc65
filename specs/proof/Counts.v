(* What is counted at a step: reviews that were rejected, automatic retries, deaths. No count passes its limit, in any history. *)
Require Import List Arith Bool Lia. Import ListNotations.
Require Import Tables Core Checker Rows Gates Ends Positions Once.

Section counts.
Variable p : program.
Notation N := (get p).
Hypothesis W2 : wf2 p.
Hypothesis X : wf3 p.
(* facts that only a cursor knows are no facts of a node *)
Hypothesis PLAIN : forall a, ~ In G_retries_left (facts (N a)) /\ ~ In G_reviews_spent (facts (N a)).

Definition counted c := mach (N (at_ c)) = M_step -> let n := N (at_ c) in
  (In G_review_retries (facts n) -> ph c <> P_cancelled -> reviews (mk c) <= n_reviews n)
  /\ retries (mk c) <= n_retries n /\ (ph c = P_backing_off -> retries (mk c) < n_retries n)
  /\ (ph c = P_running \/ ph c = P_judging -> deaths (mk c) < max_interrupts).
Definition Q d := Forall counted (cursors d) /\ Forall counted (fresh d).

(* rows *)
Definition count_row (m : machine) (r : row) := negb (machine_beq m M_step) ||
  ((negb (dst r =p P_backing_off) || ((on r =t T_fail) && guard_beq (when r) G_retries_left && (src r =p P_running)))
   && (negb (on r =t T_wake) || (src r =p P_backing_off))
   && (negb (src r =p P_awaiting_review) || negb (on r =t T_reject) || (dst r =p P_cancelled) || (dst r =p P_skipped) || guard_beq (when r) G_review_retries)
   && (negb (on r =t T_interrupt) || negb ((dst r =p P_running) || (dst r =p P_judging)) || guard_beq (when r) G_interrupt_retries)
   && (negb (on r =t T_renew) || negb ((dst r =p P_running) || (dst r =p P_judging)) || (src r =p P_awaiting_answer))).
Lemma count_rows : every_row count_row = true. Proof. vm_compute. reflexivity. Qed.
Lemma minus_out fs gs g : In g gs -> ~ In g (minus fs gs).
Proof. unfold minus. intros H I. apply filter_In in I as [_ I]. unfold has in I. apply negb_true_iff in I. assert (existsb (guard_beq g) gs = true); [|congruence].
  apply existsb_exists. exists g. split; auto. apply internal_guard_dec_lb; auto. Qed.
Lemma beq_p x y : (x =p y) = true <-> x = y.
Proof. split; [apply internal_phase_dec_bl|apply internal_phase_dec_lb]. Qed.
Lemma beq_t x y : (x =t y) = true <-> x = y.
Proof. split; [apply internal_trigger_dec_bl|apply internal_trigger_dec_lb]. Qed.
Lemma pending_counted a t pr la : counted (pending_ a t pr la).
Proof. intros _. simpl. repeat split; try lia; try discriminate. unfold max_interrupts. lia. Qed.
Lemma rest_counted d c tr x num e : counted c -> dfire p d (at_ c) (tn c) (att c) (ph c) tr (cursor_facts tr (N (at_ c)) c) (gives_ p c tr) = Some (x, e) ->
  x <> P_completed -> x <> P_skipped ->
  counted (Cursor (at_ c) x (tn c) (att c + if anew c tr x then 1 else 0) (prev c) (last_ c)
    (if (tr =t T_enter) && (x =p P_running) then unmarked else asking c tr num (marked p c tr x))).
Proof.
  intros C F NC NS M. simpl in *. specialize (C M). destruct C as (C1 & C2 & C3 & C4). apply fires in F as (_ & _ & _ & _ & _ & _ & F & _); [|exact W2].
  rewrite M in F. pose proof F as F0. apply in_rows_fire in F as (r & R & S & O & DD & WH). apply (every_row_in _ count_rows) in R. unfold count_row in R. simpl in R.
  apply andb_prop in R as [R R7]. apply andb_prop in R as [R R4]. apply andb_prop in R as [R R3]. apply andb_prop in R as [R1 R2]. rewrite S, O, DD in *.
  destruct ((tr =t T_enter) && (x =p P_running)) eqn:EN.
  { simpl. split; [lia|]. split; [lia|]. split; [|unfold max_interrupts; lia]. intros ->. apply andb_prop in EN as [_ EN]. discriminate. }
  assert (AS : reviews (asking c tr num (marked p c tr x)) = reviews (marked p c tr x) /\ retries (asking c tr num (marked p c tr x)) = retries (marked p c tr x)
    /\ deaths (asking c tr num (marked p c tr x)) = if (ph c =p P_awaiting_answer) && (tr =t T_renew) then 0 else deaths (marked p c tr x)).
  { unfold asking. destruct (tr =t T_ask) eqn:TA; [apply beq_t in TA; rewrite TA; destruct (ph c =p P_awaiting_answer); repeat split|].
    destruct (ph c =p P_awaiting_answer); simpl; [|auto]. destruct (tr =t T_renew); simpl; auto. }
  destruct AS as (AS1 & AS2 & AS3). cbn [mk ph at_]. rewrite AS1, AS2, AS3. clear AS1 AS2 AS3.
  unfold marked. simpl. split; [|split; [|split]].
  - intros RR NX. unfold rejected_ at 1. destruct (tr =t T_reject) eqn:TR; simpl; [|rewrite Nat.add_0_r; apply C1; auto].
    2: { intros PC. rewrite PC in *. apply fire_entry in F0 as (_ & _ & _ & F0); [discriminate|discriminate]. }
    apply beq_t in TR. subst tr. destruct (ph c =p P_awaiting_review) eqn:AW; [|rewrite Nat.add_0_r; apply C1; auto].
    2: { intros PC. rewrite PC in *. apply fire_entry in F0 as (_ & _ & _ & F0); [discriminate|discriminate]. }
    simpl in R3. assert (WR : when r = G_review_retries).
    { destruct (x =p P_cancelled) eqn:E1; [apply beq_p in E1; contradiction|]. destruct (x =p P_skipped) eqn:E2; [apply beq_p in E2; contradiction|]. simpl in R3. apply internal_guard_dec_bl; auto. }
    rewrite WR in WH. destruct WH as [WH|WH]; [discriminate|]. simpl in WH. unfold after_rejection in WH. rewrite AW in WH. simpl in WH.
    destruct (negb (has G_review_retries (facts (N (at_ c))))) eqn:HR.
    { exfalso. apply negb_true_iff in HR. unfold has in HR. assert (existsb (guard_beq G_review_retries) (facts (N (at_ c))) = true); [|congruence]. apply existsb_exists. eexists; split; [exact RR|reflexivity]. }
    simpl in WH. rewrite M in WH. simpl in WH. destruct (n_reviews (N (at_ c)) <=? reviews (mk c)) eqn:SP.
    { exfalso. destruct WH as [WH|WH]; [discriminate|]. revert WH. apply minus_out. simpl. auto. }
    apply Nat.leb_gt in SP. lia.
  - destruct (tr =t T_wake) eqn:TW.
    + simpl in R2. apply beq_p in R2. specialize (C3 R2). lia.
    + match goal with |- (if ?b then _ else _) <= _ => destruct b end; lia.
  - intros ->. simpl in R1. apply andb_prop in R1 as [R1 R5]. apply andb_prop in R1 as [R1 R6]. apply beq_t in R1. apply internal_guard_dec_bl in R6. subst tr. simpl.
    rewrite R6 in WH. destruct WH as [WH|WH]; [discriminate|]. simpl in WH. unfold after_error in WH. destruct ((ph c =p P_running) && (retries (mk c) <? n_retries (N (at_ c)))) eqn:AE.
    + apply andb_prop in AE as [_ AE]. apply Nat.ltb_lt in AE. lia.
    + exfalso. exact (proj1 (PLAIN (at_ c)) WH).
  - intros RJ. destruct ((ph c =p P_awaiting_answer) && (tr =t T_renew)) eqn:AR; [unfold max_interrupts; lia|].
    assert (RB : (x =p P_running) || (x =p P_judging) = true) by (destruct RJ as [->| ->]; reflexivity).
    destruct (tr =t T_interrupt) eqn:TI.
    2: { destruct (tr =t T_renew) eqn:TN; [|unfold max_interrupts; lia]. rewrite RB in R7. simpl in R7. rewrite andb_true_r in AR. congruence. }
    apply beq_t in TI. subst tr. simpl in R4. rewrite RB in R4. simpl in R4. apply internal_guard_dec_bl in R4.
    rewrite R4 in WH. destruct WH as [WH|WH]; [discriminate|]. simpl in WH. unfold after_interrupt in WH. destruct (deaths (mk c) + 1 <? max_interrupts) eqn:AI; [apply Nat.ltb_lt; auto|].
    exfalso. destruct WH as [WH|WH]; [discriminate|]. revert WH. apply minus_out. simpl. auto.
Qed.

(* through every function *)
Lemma q_cursor d c : Q d -> counted c -> Q (add_cursor d c). Proof. intros [A B] C. split; simpl; auto. apply Forall_app; auto. Qed.
Lemma q_fresh d cs : Q d -> Forall counted cs -> Q (add_fresh d cs). Proof. intros [A B] C. split; simpl; auto. apply Forall_app; auto. Qed.
Lemma q_pending a t pr la : Forall counted [pending_ a t pr la]. Proof. constructor; auto. apply pending_counted. Qed.
Lemma q_fire d a t n f tr fs g x d' : dfire p d a t n f tr fs g = Some (x, d') -> Q d -> Q d'.
Proof. intros H [A B]. apply dfire_same in H as (_ & E & F). split; congruence. Qed.
Lemma q_frame d a t f d' : frame_ d a t = Some (f, d') -> Q d -> Q d' /\ f_at f = a.
Proof. intros H [A B]. pose proof (frame_same _ _ _ _ _ H) as (_ & E & F). apply frame_pop in H as (r & _ & _ & H & _). split; [split; congruence|auto]. Qed.
Lemma own_counted f x t out du : mach (N (f_at f)) <> M_step -> counted (own_ f x t out du). Proof. intros H M. simpl in M. contradiction. Qed.
Lemma q_iterate d c d' : iterate p d c = Some d' -> Q d -> Q d'.
Proof. unfold iterate. intros H I. destruct (exit_ _ _); [|discriminate]. injection H as <-. apply q_fresh; [exact I|apply q_pending]. Qed.
Lemma q_close d q a t pr la d' o : close p d q a t pr la = Some (d', o) -> Q d -> Q d'.
Proof.
  unfold close, close_loop, close_router, close_parallel, close_group. intros H I. destruct (kind_ (N q)) eqn:K.
  1,2,6,7,8: destruct (dfire p d q t 0 _ _ _ pr) as [[x e]|] eqn:F; [|discriminate]; injection H as <- <-; apply (q_fire _ _ _ _ _ _ _ _ _ _ F I).
  - destruct (frame_ d q _) as [[f e]|] eqn:FR; [|discriminate]. apply q_frame in FR as [I1 FA]; auto.
    destruct (dfire p e q _ _ _ _ _ pr) as [[x g]|] eqn:F; [|discriminate]. apply q_fire in F; auto.
    assert (NS : mach (N (f_at f)) <> M_step) by (rewrite FA, (x_mach p X), K; discriminate).
    destruct (x =p P_completed); [injection H as <- <-; auto|]. destruct (x =p P_running).
    + destruct (iterate p g _) as [h|] eqn:IT; [|discriminate]. injection H as <- <-. eapply q_iterate; eauto.
    + injection H as <- <-. apply q_cursor; auto. apply own_counted; auto.
  - destruct (frame_ d q _) as [[f e]|] eqn:FR; [|discriminate]. apply q_frame in FR as [I1 FA]; auto.
    destruct (dfire p e q _ _ _ _ _ pr) as [[x g]|] eqn:F; [|discriminate]. apply q_fire in F; auto.
    assert (NS : mach (N (f_at f)) <> M_step) by (rewrite FA, (x_mach p X), K; discriminate).
    destruct (x =p P_completed); [injection H as <- <-; auto|]. destruct (x =p P_running).
    + destruct (f_rest f); [discriminate|]. injection H as <- <-. apply q_fresh; [exact F|apply q_pending].
    + injection H as <- <-. apply q_cursor; auto. apply own_counted; auto.
  - destruct (frame_ d q t) as [[f e]|] eqn:FR; [|discriminate]. apply q_frame in FR as [I1 FA]; auto.
    destruct (length _ <? length _); [injection H as <- <-; exact I1|].
    destruct (dfire p e q t 0 _ _ _ _) as [[x g]|] eqn:F; [|discriminate]. injection H as <- <-. apply q_fire in F; auto.
Qed.
Lemma q_go_on k : forall d a t pr la d', go_on p k d a t pr la = Some d' -> Q d -> Q d'.
Proof.
  induction k as [|k IH]; simpl; [discriminate|]. intros d a t pr la d' H I. destruct (_ =? _); [|injection H as <-; apply q_fresh; [exact I|apply q_pending]].
  destruct (is_root _); [injection H as <-; exact I|].
  destruct (close p d _ a t pr la) as [[e [[[u pr'] la']|]]|] eqn:C; [| |discriminate]; apply q_close in C; auto; [eapply IH; eauto|].
  injection H as <-; auto.
Qed.
Lemma q_take d c tr choices num d' : take p d c tr choices num = Some d' -> Q d -> counted c -> Q d'.
Proof.
  intros H I C. unfold take in H. destruct (dfire p d (at_ c) _ _ _ tr _ _) as [[x e]|] eqn:F; [|discriminate].
  pose proof (fun NC NS => rest_counted _ _ _ _ num _ C F NC NS) as RC. apply q_fire in F; auto. destruct ((x =p P_running) && _).
  - unfold descend in H. destruct (kind_ (N (at_ c))).
    3: eapply q_iterate; eauto.
    3: { destruct choices; [discriminate|]. injection H as <-. apply q_fresh; [exact F|apply q_pending]. }
    3: { injection H as <-. apply q_fresh; [exact F|]. apply Forall_forall. intros y Y. apply in_map_iff in Y as (z & <- & _). apply pending_counted. }
    all: destruct (exit_ _ tr) as [b|]; [|discriminate]; destruct (b =? at_ c); [|injection H as <-; apply q_fresh; [exact F|apply q_pending]];
      unfold close_group in H; destruct (dfire p e (at_ c) (tn c) 0 _ _ _ _) as [[y g]|] eqn:G; [|discriminate];
      apply q_fire in G; auto; eapply q_go_on; eauto.
  - destruct (x =p P_completed) eqn:E2.
    + unfold complete in H. destruct (_ || _); [injection H as <-; exact F|eapply q_go_on; eauto].
    + destruct (x =p P_skipped) eqn:E3.
      * unfold skip in H. destruct (_ || _); [|eapply q_go_on; eauto]. destruct (_ =? _); [eapply q_go_on; eauto|injection H as <-; exact F].
      * injection H as <-. apply q_cursor; auto. apply RC; intros ->; discriminate.
Qed.
Lemma q_fold {A} (b : draft -> A -> option draft) (V : A -> Prop) l (B : forall d x d', b d x = Some d' -> V x -> Q d -> Q d') :
  forall d d', fold_left (fun o x => do d <- o; b d x) l (Some d) = Some d' -> Forall V l -> Q d -> Q d'.
Proof.
  induction l as [|x l IH]; simpl; intros d d' H V0 I; [injection H as <-; auto|]. inversion V0; subst.
  destruct (b d x) as [e|] eqn:E; [|rewrite fold_none in H; discriminate]. eapply IH; eauto.
Qed.
Definition any {A} (x : A) := True.
Lemma all_any {A} (l : list A) : Forall any l. Proof. induction l; constructor; auto. exact Logic.I. Qed.
Lemma q_fire_y d a t n f tr fs g d' : (do y <- dfire p d a t n f tr fs g; Some (snd y)) = Some d' -> Q d -> Q d'.
Proof. destruct (dfire p d a t n f tr fs g) as [[x e]|] eqn:F; [|discriminate]. intros H I; injection H as <-. apply q_fire in F; auto. Qed.
Lemma q_fire_cancel d c d' : fire_cancel p d c = Some d' -> Q d -> Q d'.
Proof. unfold fire_cancel. destruct (p_in _ _); [apply q_fire_y|]. intros H; injection H as <-; auto. Qed.
Lemma q_places d tr fs l d' : fire_places p d tr fs l = Some d' -> Q d -> Q d'.
Proof. unfold fire_places. intros H. eapply (q_fold _ any); [|exact H|apply all_any]. intros e x e' B _. revert B. apply q_fire_y. Qed.
Lemma q_sub d l : Q d -> (forall x, In x l -> In x (cursors d)) -> Q (set_cursors d l).
Proof. intros [A B] S. split; simpl; auto. eapply Forall_sub; eauto. Qed.
Lemma q_early d e ins d' : end_early p d e ins = Some d' -> Q d -> Q d'.
Proof.
  unfold end_early. intros H I. destruct (fold_left _ ins (Some _)) as [d1|] eqn:F1; [|discriminate].
  assert (I1 : Q d1). { eapply (q_fold _ any); [|exact F1|apply all_any|]. - intros ? ? ? B _. revert B. apply q_fire_cancel. - apply q_sub; auto. intros x. rewrite filter_In. tauto. }
  match type of H with match ?F with _ => _ end = _ => destruct F as [d2|] eqn:F2; [|discriminate] end.
  assert (I2 : Q d2). { eapply (q_fold _ any); [|exact F2|apply all_any|exact I1]. intros a x b B _. revert B. unfold end_one.
    destruct (gone_ _ _ _); [destruct (existsb _ (around _ _ _ _)); apply q_fire_y|intros Y; injection Y as <-; auto]. }
  destruct (is_root _); [injection H as <-; exact I2|]. destruct (existsb _ _); [injection H as <-; exact I2|eapply q_go_on; eauto; exact I2].
Qed.
Lemma q_run d tr d' : fire_run d tr = Some d' -> Q d -> Q d'.
Proof. intros H [A B]. apply fire_run_inv in H as (_ & E & F & _). split; congruence. Qed.
Lemma q_begin d c d' : begin p d c = Some d' -> Q d -> counted c -> Q d'.
Proof. unfold begin. destruct (held p d c); [|intros; eapply q_take; eauto]. intros H I C; injection H as <-. apply q_cursor; auto. Qed.
Lemma q_micro d o d' : micro p d = Some o -> o = Some d' -> Q d -> Q d'.
Proof.
  unfold micro. intros H -> I. destruct (fresh d) as [|c beside] eqn:FR.
  - destruct (find (ripe p d) (endings d)) as [e|]; [injection H as H; eapply q_early; eauto|].
    destruct (is_failing d); [discriminate|]. destruct (remove1 _ _) as [[c q]|] eqn:RM; [|discriminate]. injection H as H.
    apply remove1_in in RM as (A & B & C). eapply q_begin; [exact H|apply q_sub; auto|]. destruct I as [I _]. rewrite Forall_forall in I. auto.
  - injection H as H. destruct (begin p (set_fresh d []) c) as [e|] eqn:B; [|discriminate]. injection H as <-.
    destruct I as [I1 I2]. rewrite FR in I2. inversion I2; subst. apply q_fresh; auto. eapply q_begin; eauto. split; simpl; auto.
Qed.
Lemma q_cancel d d' : cancel p d = Some d' -> Q d'.
Proof.
  unfold cancel. intros H. repeat match type of H with match ?q with _ => _ end = _ => destruct q; [|discriminate] end. eapply q_run; eauto. split; constructor.
Qed.
Lemma q_settle k : forall d d', settle p k d = Some d' -> Q d -> Q d'.
Proof.
  induction k; simpl; [discriminate|]. intros d d' H I. destruct (micro p d) as [[e|]|] eqn:M; [|discriminate|].
  - eapply IHk; eauto. eapply q_micro; eauto.
  - destruct (run d =p P_running); [|injection H as <-; auto]. unfold close_run in H. destruct (joint_on _) as [t|]; [|injection H as <-; auto].
    assert (G : forall u, fire_run d u = Some d' -> Q d') by (intros; eapply q_run; eauto).
    destruct t; try (eapply G; exact H); [eapply q_cancel; eauto|]. destruct (fire_places p d T_fail [] _) as [e|] eqn:F; [|discriminate]. apply q_places in F; auto. eapply q_run; eauto.
Qed.
Lemma q_report d v d' : report p d v = Some d' -> Q d -> Q d'.
Proof.
  unfold report. intros H I. destruct ((v_on v =t T_resume) || _); [discriminate|].
  destruct (remove1 (matches v) (cursors d)) as [[c r]|] eqn:R; [|discriminate]. destruct (unfit _ _ _); [discriminate|]. apply remove1_in in R as (_ & A & B).
  destruct (if run (set_cursors d r) =p P_paused then _ else _) as [e|] eqn:F; [|discriminate]. assert (S2 : Q (set_cursors d r)) by (apply q_sub; auto).
  assert (S3 : Q e). { destruct (run (set_cursors d r) =p P_paused); [eapply q_run; eauto|injection F as <-; auto]. }
  eapply q_take; eauto. destruct I as [I _]. rewrite Forall_forall in I. auto.
Qed.
Lemma q_apply d v d' : apply p d v = Some d' -> Q d -> Q d'.
Proof.
  unfold apply. intros H I. destruct (is_root _); [|eapply q_report; eauto]. destruct (v_on v); try (eapply q_report; eauto; fail); try (eapply q_cancel; eauto; fail).
  all: try (unfold start in H; destruct (fire_run d T_start) as [e|] eqn:F; [|discriminate]; apply q_run in F; auto; destruct (is_root _); injection H as <-; auto; apply q_fresh; auto; apply q_pending).
  unfold reopen in H. destruct (negb _); [discriminate|]. destruct (fire_run d T_resume) as [e|] eqn:F; [|discriminate]. apply q_run in F; auto.
  destruct (fire_places p e T_resume _ _) as [g|] eqn:G; [|discriminate]. apply q_places in G; auto.
  eapply (q_fold _ counted); [|exact H| |apply q_sub; auto; intros x; rewrite filter_In; tauto].
  - intros a x b T C J. exact (q_take _ _ _ _ _ _ T J C).
  - apply Forall_filter. apply G.
Qed.
Lemma q_advance k d vs d' : advance p k d vs = Some d' -> Q d -> Q d'.
Proof.
  unfold advance. intros H I. destruct (fold_left _ vs (Some d)) as [e|] eqn:F; [|discriminate].
  assert (IE : Q e). { eapply (q_fold _ any); [|exact F|apply all_any|exact I]. intros a v b B _ J. eapply q_apply; eauto. }
  destruct (settle p k e) as [g|] eqn:S; [|discriminate]. injection H as <-. apply q_settle in S; auto. destruct S as [A B]. split; simpl; auto.
  eapply Forall_sub; [|exact A]. intros x. apply sorted_in.
Qed.
End counts.
