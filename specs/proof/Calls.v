(* RUN-2: each attempt of a step has one call. Of two rows that begin a step's call in one turn, deaths aside, the later is of a later attempt. *)
Require Import List Arith Bool Lia Permutation. Import ListNotations.
Require Import Tables Core Checker Rows Gates Ends Positions Once.

Definition again_ on src dst := if src =p P_awaiting_answer then dst =p P_running else t_in on new_attempt || ((on =t T_reject) && (src =p P_awaiting_review)).
Definition starts m := m_mach m = M_step /\ m_dst m = P_running /\ m_on m <> T_interrupt.
Definition attempt m := m_att m + if again_ (m_on m) (m_src m) (m_dst m) then 1 else 0. (* the attempt whose call it begins *)

Section calls.
Variable p : program.
Notation N := (get p).
Notation cut := (cut p).
Hypothesis W : wf p.
Hypothesis W2 : wf2 p.
Hypothesis X : wf3 p.

Definition same_place w a t := m_at w = a /\ m_tn w = cut a t.
Fixpoint Once_each (J : list move) := match J with [] => True | m :: past => (starts m -> (forall w, In w past -> starts w -> m_at w = m_at m -> m_tn w = m_tn m ->
  attempt w < attempt m) /\ entered (m :: past) (m_at m) (m_tn m)) /\ Once_each past end.
Definition kept J c := mach (N (at_ c)) = M_step -> ph c <> P_pending -> forall w, In w J -> starts w -> same_place w (at_ c) (tn c) ->
  attempt w <= att c /\ front (ph c) = false.
Definition V d := Once_each (moves d) /\ Forall (kept (moves d)) (cursors d) /\ Forall pend (fresh d).
Definition Quiet d d' := (Once_each (moves d) -> Once_each (moves d')) /\ (forall w, In w (moves d') -> starts w -> In w (moves d)).
Lemma quiet_refl d : Quiet d d. Proof. split; auto. Qed.
Lemma quiet_trans d e f : Quiet d e -> Quiet e f -> Quiet d f. Proof. intros [A B] [C D]. split; auto. Qed.
Lemma kept_quiet d d' c : Quiet d d' -> kept (moves d) c -> kept (moves d') c.
Proof. intros [_ S] K M P w I ST. apply K; auto. Qed.
Lemma v_same d d' : V d -> Quiet d d' -> cursors d' = cursors d -> fresh d' = fresh d -> V d'.
Proof. intros (A & B & C) S E F. split; [apply S; auto|]. rewrite E, F. split; auto. eapply Forall_impl; [|exact B]. intros c. apply kept_quiet; auto. Qed.
Definition still_row (m : machine) (r : row) := negb (machine_beq m M_step) || negb (dst r =p P_running)
  || negb ((on r =t T_finish) || (on r =t T_leave) || (on r =t T_cancel) || (on r =t T_fail)).
Lemma still_rows : every_row still_row = true. Proof. vm_compute. reflexivity. Qed.
Definition still tr := tr = T_finish \/ tr = T_leave \/ tr = T_cancel \/ tr = T_fail.
Lemma fire_quiet d a t n f tr fs g x d' : dfire p d a t n f tr fs g = Some (x, d') -> still tr \/ mach (N a) <> M_step -> Quiet d d'.
Proof.
  intros H T. apply dfire_inv in H as (m & -> & A & B & C & D & E & F & G). assert (NS : ~ starts m).
  { intros (S1 & S2 & S3). rewrite D in S1. destruct T as [T|T]; [|contradiction]. rewrite S1 in G. apply in_rows_fire in G as (r & R & _ & RO & RD & _).
    apply (every_row_in _ still_rows) in R. unfold still_row in R. rewrite RO, RD, <- C, S2 in R. destruct T as [->|[->|[->| ->]]]; discriminate. }
  split; simpl; [intros O; split; [intros Q; contradiction|auto]|]. intros w [<-|I] S; [contradiction|auto].
Qed.
Lemma fire_v d a t n f tr fs g x d' : dfire p d a t n f tr fs g = Some (x, d') -> still tr \/ mach (N a) <> M_step -> V d -> V d'.
Proof. intros H T I. pose proof (dfire_same _ _ _ _ _ _ _ _ _ _ _ H) as (_ & E & F). eapply v_same; eauto. eapply fire_quiet; eauto. Qed.
Lemma v_cursor d c : V d -> kept (moves d) c -> V (add_cursor d c). Proof. intros (A & B & C) K. split; auto. split; auto. simpl. apply Forall_app; auto. Qed.
Lemma v_fresh d cs : V d -> Forall pend cs -> V (add_fresh d cs). Proof. intros (A & B & C) K. split; auto. split; auto. simpl. apply Forall_app; auto. Qed.
Lemma v_iterate d c d' : iterate p d c = Some d' -> V d -> V d'.
Proof. unfold iterate. intros H I. destruct (exit_ _ _); [|discriminate]. injection H as <-. apply v_fresh; [exact I|apply pend1]. Qed.
Lemma v_frame d a t f d' : frame_ d a t = Some (f, d') -> V d -> V d' /\ f_at f = a.
Proof. intros H I. apply frame_pop in H as (r & -> & _ & A & _). split; auto. Qed.
Lemma own_kept J f x t out du : mach (N (f_at f)) <> M_step -> kept J (own_ f x t out du). Proof. intros H M. simpl in M. contradiction. Qed.
Lemma v_close d q a t pr la d' o : close p d q a t pr la = Some (d', o) -> V d -> V d'.
Proof.
  unfold close, close_loop, close_router, close_parallel, close_group. intros H I. assert (SF : still T_finish) by (left; auto). destruct (kind_ (N q)) eqn:K.
  1,2,6,7,8: destruct (dfire p d q t 0 _ _ _ pr) as [[x e]|] eqn:F; [|discriminate]; injection H as <- <-; apply fire_v in F; auto.
  - destruct (frame_ d q _) as [[f e]|] eqn:FR; [|discriminate]. apply v_frame in FR as [I1 FA]; auto.
    destruct (dfire p e q _ _ _ _ _ pr) as [[x g]|] eqn:F; [|discriminate]. apply fire_v in F; auto.
    assert (NS : mach (N (f_at f)) <> M_step) by (rewrite FA, (x_mach p X), K; discriminate).
    destruct (x =p P_completed); [injection H as <- <-; auto|]. destruct (x =p P_running).
    + destruct (iterate p g _) as [h|] eqn:IT; [|discriminate]. injection H as <- <-. eapply v_iterate; eauto.
    + injection H as <- <-. apply v_cursor; auto. apply own_kept; auto.
  - destruct (frame_ d q _) as [[f e]|] eqn:FR; [|discriminate]. apply v_frame in FR as [I1 FA]; auto.
    destruct (dfire p e q _ _ _ _ _ pr) as [[x g]|] eqn:F; [|discriminate]. apply fire_v in F; auto.
    assert (NS : mach (N (f_at f)) <> M_step) by (rewrite FA, (x_mach p X), K; discriminate).
    destruct (x =p P_completed); [injection H as <- <-; auto|]. destruct (x =p P_running).
    + destruct (f_rest f); [discriminate|]. injection H as <- <-. apply v_fresh; [exact F|apply pend1].
    + injection H as <- <-. apply v_cursor; auto. apply own_kept; auto.
  - destruct (frame_ d q t) as [[f e]|] eqn:FR; [|discriminate]. apply v_frame in FR as [I1 FA]; auto.
    destruct (length _ <? length _); [injection H as <- <-; exact I1|].
    destruct (dfire p e q t 0 _ _ _ _) as [[x g]|] eqn:F; [|discriminate]. injection H as <- <-. apply fire_v in F; auto.
Qed.
Lemma v_go_on k : forall d a t pr la d', go_on p k d a t pr la = Some d' -> V d -> V d'.
Proof.
  induction k as [|k IH]; simpl; [discriminate|]. intros d a t pr la d' H I. destruct (_ =? _); [|injection H as <-; apply v_fresh; [exact I|apply pend1]].
  destruct (is_root _); [injection H as <-; exact I|].
  destruct (close p d _ a t pr la) as [[e [[[u pr'] la']|]]|] eqn:C; [| |discriminate]; apply v_close in C; auto; [eapply IH; eauto|].
  injection H as <-; auto.
Qed.
(* the same functions add no start *)
Lemma quiet_moves d d' : moves d' = moves d -> Quiet d d'. Proof. intros E. split; rewrite E; auto. Qed.
Lemma t_iterate d c d' : iterate p d c = Some d' -> Quiet d d'.
Proof. unfold iterate. destruct (exit_ _ _); [|discriminate]. intros H; injection H as <-. apply quiet_moves. reflexivity. Qed.
Lemma t_frame d a t f d' : frame_ d a t = Some (f, d') -> Quiet d d'.
Proof. intros H. apply frame_pop in H as (r & -> & _). apply quiet_moves. reflexivity. Qed.
Lemma t_close d q a t pr la d' o : close p d q a t pr la = Some (d', o) -> Quiet d d'.
Proof.
  unfold close, close_loop, close_router, close_parallel, close_group. intros H. assert (SF : still T_finish) by (left; auto). destruct (kind_ (N q)) eqn:K.
  1,2,6,7,8: destruct (dfire p d q t 0 _ _ _ pr) as [[x e]|] eqn:F; [|discriminate]; injection H as <- <-; eapply fire_quiet; eauto.
  - destruct (frame_ d q _) as [[f e]|] eqn:FR; [|discriminate]. apply t_frame in FR.
    destruct (dfire p e q _ _ _ _ _ pr) as [[x g]|] eqn:F; [|discriminate]. apply fire_quiet in F; auto. pose proof (quiet_trans _ _ _ FR F) as T.
    destruct (x =p P_completed); [injection H as <- <-; auto|]. destruct (x =p P_running).
    + destruct (iterate p g _) as [h|] eqn:IT; [|discriminate]. injection H as <- <-. eapply quiet_trans; [exact T|]. eapply t_iterate; eauto.
    + injection H as <- <-. exact T.
  - destruct (frame_ d q _) as [[f e]|] eqn:FR; [|discriminate]. apply t_frame in FR.
    destruct (dfire p e q _ _ _ _ _ pr) as [[x g]|] eqn:F; [|discriminate]. apply fire_quiet in F; auto. pose proof (quiet_trans _ _ _ FR F) as T.
    destruct (x =p P_completed); [injection H as <- <-; auto|]. destruct (x =p P_running).
    + destruct (f_rest f); [discriminate|]. injection H as <- <-. exact T.
    + injection H as <- <-. exact T.
  - destruct (frame_ d q t) as [[f e]|] eqn:FR; [|discriminate]. apply t_frame in FR.
    destruct (length _ <? length _); [injection H as <- <-; exact FR|].
    destruct (dfire p e q t 0 _ _ _ _) as [[x g]|] eqn:F; [|discriminate]. injection H as <- <-. apply fire_quiet in F; auto. eapply quiet_trans; eauto.
Qed.
Lemma t_go_on k : forall d a t pr la d', go_on p k d a t pr la = Some d' -> Quiet d d'.
Proof.
  induction k as [|k IH]; simpl; [discriminate|]. intros d a t pr la d' H. destruct (_ =? _); [|injection H as <-; apply quiet_moves; reflexivity].
  destruct (is_root _); [injection H as <-; apply quiet_moves; reflexivity|].
  destruct (close p d _ a t pr la) as [[e [[[u pr'] la']|]]|] eqn:C; [| |discriminate]; apply t_close in C; [eapply quiet_trans; [exact C|eapply IH; eauto]|].
  injection H as <-; auto.
Qed.
Lemma t_take d c tr choices num d' : take p d c tr choices num = Some d' -> exists m, m_at m = at_ c /\ m_tn m = cut (at_ c) (tn c) /\ Quiet (add_move d m) d'.
Proof.
  intros H. unfold take in H. destruct (dfire p d (at_ c) _ _ _ tr _ _) as [[x e]|] eqn:F; [|discriminate]. apply dfire_inv in F as (m & -> & MA & MT & _).
  exists m. split; auto. split; auto. destruct ((x =p P_running) && _).
  - unfold descend in H. destruct (kind_ (N (at_ c))).
    3: eapply t_iterate; eauto.
    3: { destruct choices; [discriminate|]. injection H as <-. apply quiet_moves; reflexivity. }
    3: { injection H as <-. apply quiet_moves; reflexivity. }
    all: destruct (exit_ _ tr) as [b|]; [|discriminate]; destruct (b =? at_ c); [|injection H as <-; apply quiet_moves; reflexivity];
      unfold close_group in H; destruct (dfire p _ (at_ c) (tn c) 0 _ _ _ _) as [[y g]|] eqn:G; [|discriminate];
      (eapply quiet_trans; [eapply fire_quiet; [exact G|left; left; auto]|eapply t_go_on; eauto]).
  - destruct (x =p P_completed).
    + unfold complete in H. destruct (_ || _); [injection H as <-; apply quiet_moves; reflexivity|eapply t_go_on; eauto].
    + destruct (x =p P_skipped); [|injection H as <-; apply quiet_moves; reflexivity].
      unfold skip in H. destruct (_ || _); [|eapply t_go_on; eauto]. destruct (_ =? _); [eapply t_go_on; eauto|injection H as <-; apply quiet_moves; reflexivity].
Qed.
Definition again_row (m : machine) (r : row) := negb (machine_beq m M_step) || negb (dst r =p P_running) || (on r =t T_interrupt) || front (src r) || again_ (on r) (src r) (dst r).
Lemma again_rows : every_row again_row = true. Proof. vm_compute. reflexivity. Qed.
Lemma entered_of J m : Once_each J -> In m J -> starts m -> entered J (m_at m) (m_tn m).
Proof.
  induction J as [|x J IH]; [intros _ []|]. intros [H1 H2] [<-|I] S; [apply H1; auto|]. apply entered_cons. right. apply IH; auto.
Qed.
(* the one place where a call of a step begins *)
Lemma v_take d c tr choices num d' E : take p d c tr choices num = Some d' -> St p d (cpos p c :: E) -> V d -> kept (moves d) c -> V d'.
Proof.
  intros H S I KC. unfold take in H. destruct (dfire p d (at_ c) _ _ _ tr _ _) as [[x e]|] eqn:F; [|discriminate].
  pose proof F as F0. apply dfire_inv in F0 as (m & EE & MA & MT & MD & MM & MS & MO & FI). subst e.
  destruct (fire_entry _ _ _ _ _ FI (w_mach p W2 _)) as (TE & NP & _ & FO).
  assert (MAT : m_att m = att c) by (unfold dfire in F; rewrite FI in F; injection F as F; rewrite <- F; reflexivity).
  destruct S as [SI SH]. simpl in SI. pose proof (i_good _ _ _ _ SI) as SG. pose proof (Forall_inv SG) as GC.
  pose proof (i_apart _ _ _ _ SI) as SA. assert (AP : Forall (Apart p (cpos p c)) (E ++ spots p d)) by (inversion_clear SA; auto). rewrite Forall_forall in AP.
  assert (NO : ps (cpos p c) <> Over) by (unfold cpos; simpl; intros Q; destruct (ph c); try discriminate Q; discriminate FO).
  (* no older start where the component was not entered *)
  assert (PN : ph c = P_pending -> forall w, In w (moves d) -> starts w -> ~ same_place w (at_ c) (tn c)).
  { intros PP w WI WS [W3 W4]. pose proof (g_own _ _ _ _ GC) as O. unfold Own, cpos in O. rewrite PP in O. simpl in O. destruct O as [O _].
    pose proof (entered_of _ _ (proj1 I) WI WS) as EW. rewrite W3 in EW. apply (O _ _ EW (At_refl _ _)). rewrite W4. apply cut_same. }
  assert (OLD : forall w, In w (moves d) -> starts w -> same_place w (at_ c) (tn c) -> mach (N (at_ c)) = M_step -> attempt w <= att c /\ front (ph c) = false).
  { intros w WI WS WP M. destruct (phase_beq (ph c) P_pending) eqn:PP; [apply internal_phase_dec_bl in PP; exfalso; eapply PN; eauto|].
    apply KC; auto. intros Q. rewrite Q in PP. discriminate. }
  assert (V1 : V (add_move d m)).
  { destruct I as (I1 & I2 & I3). split; [|split; auto].
    - split; auto. intros ST. pose proof ST as (S1 & S2 & S3). rewrite MM in S1. split.
      + intros w WI WS W3 W4. destruct (OLD w WI WS) as [O1 O2]; auto; [split; congruence|]. unfold attempt at 2. rewrite MAT, MO, MS, S2.
        pose proof FI as F1. rewrite S1 in F1. apply in_rows_fire in F1 as (r & R & RS & RO & RD & _). apply (every_row_in _ again_rows) in R. unfold again_row in R.
        rewrite RS, RO, RD, <- MD, S2, O2 in R. simpl in R. destruct (tr =t T_interrupt) eqn:TI; [apply internal_trigger_dec_bl in TI; congruence|]. simpl in R. rewrite R. lia.
      + rewrite MA, MT. apply entered_cons. destruct (phase_beq (ph c) P_pending) eqn:PP.
        * apply internal_phase_dec_bl in PP. left. split; auto. rewrite MO. apply TE; auto.
        * right. eapply (live_entered p _ _ (cpos p c)); [exact GC|]. unfold live, cpos. simpl. left. destruct (ph c); try discriminate; eauto.
    - simpl. rewrite Forall_forall in *. intros y Y M P w [<-|WI] WS WP; [|apply (I2 y Y M P w); auto]. exfalso. destruct WP as [W3 W4].
      assert (YI : In (cpos p y) (E ++ spots p d)) by (apply in_or_app; right; apply spots_in; eauto).
      pose proof (apart_live p _ _ (AP _ YI) NO) as DV. apply (div_not_in p W _ _ DV). left. simpl. congruence. }
  destruct ((x =p P_running) && _) eqn:E1.
  - unfold descend in H. destruct (kind_ (N (at_ c))).
    3: eapply v_iterate; eauto.
    3: { destruct choices; [discriminate|]. injection H as <-. apply v_fresh; [exact V1|apply pend1]. }
    3: { injection H as <-. apply v_fresh; [exact V1|]. apply Forall_forall. intros y Y. apply in_map_iff in Y as (z & <- & _). reflexivity. }
    all: destruct (exit_ _ tr) as [b|]; [|discriminate]; destruct (b =? at_ c); [|injection H as <-; apply v_fresh; [exact V1|apply pend1]];
      unfold close_group in H; destruct (dfire p _ (at_ c) (tn c) 0 _ _ _ _) as [[y g]|] eqn:G; [|discriminate];
      apply fire_v in G; auto; [eapply v_go_on; eauto|left; left; auto].
  - destruct (x =p P_completed) eqn:E2.
    + unfold complete in H. destruct (_ || _); [injection H as <-; exact V1|eapply v_go_on; eauto].
    + destruct (x =p P_skipped) eqn:E3.
      * unfold skip in H. destruct (_ || _); [|eapply v_go_on; eauto]. destruct (_ =? _); [eapply v_go_on; eauto|injection H as <-; exact V1].
      * injection H as <-. apply v_cursor; auto. intros M P w WI WS WP. simpl in M, WP, P. cbn [att ph].
        assert (FX : front x = true -> front (ph c) = true).
        { intros FX. apply in_rows_fire in FI as (r & R & RS & RO & RD & _). apply (every_row_in _ onward_rows) in R. unfold onward_row in R. rewrite RD, RS, M in R. simpl in R.
          rewrite FX in R. simpl in R. apply andb_prop in R as [_ R]. apply orb_prop in R as [R|R]; [apply internal_phase_dec_bl in R; rewrite R; reflexivity|].
          apply andb_prop in R as [_ R]. apply internal_phase_dec_bl in R. rewrite R. exact FX. }
        destruct WI as [<-|WI].
        -- destruct WS as (S1 & S2 & S3). rewrite MD in S2. split; [|rewrite S2; reflexivity]. unfold attempt. rewrite MAT, MO, MS, MD. unfold again_, anew, rejected_. lia.
        -- destruct (OLD w WI WS WP M) as [O1 O2]. split; [lia|]. destruct (front x) eqn:FF; auto. rewrite (FX eq_refl) in O2. discriminate.
Qed.

Lemma v_fold {A} (b : draft -> A -> option draft) (Q : A -> Prop) l (B : forall d x d', b d x = Some d' -> Q x -> V d -> V d') :
  forall d d', fold_left (fun o x => do d <- o; b d x) l (Some d) = Some d' -> Forall Q l -> V d -> V d'.
Proof.
  induction l as [|x l IH]; simpl; intros d d' H V0 I; [injection H as <-; auto|]. inversion V0; subst.
  destruct (b d x) as [e|] eqn:E; [|rewrite fold_none in H; discriminate]. eapply IH; eauto.
Qed.
Definition any_ {A} (x : A) := True.
Lemma all_any_ {A} (l : list A) : Forall any_ l. Proof. induction l; constructor; auto. exact Logic.I. Qed.
Lemma v_fire_y d a t n f tr fs g d' : (do y <- dfire p d a t n f tr fs g; Some (snd y)) = Some d' -> still tr \/ mach (N a) <> M_step -> V d -> V d'.
Proof. destruct (dfire p d a t n f tr fs g) as [[x e]|] eqn:F; [|discriminate]. intros H S I; injection H as <-. eapply fire_v; eauto. Qed.
Lemma v_fire_cancel d c d' : fire_cancel p d c = Some d' -> V d -> V d'.
Proof. unfold fire_cancel. destruct (p_in _ _); [intros H; eapply v_fire_y; [exact H|left; unfold still; auto]|]. intros H; injection H as <-; auto. Qed.
Definition inner_ (z : place) := mach (N (fst z)) <> M_step.
Lemma near_inner P z : Near p P z -> inner_ z.
Proof.
  intros (x & _ & A & _). pose proof (anc_lt p W _ _ A) as [_ Z]. apply (anc_child p W) in A as (b & _ & PB & _). unfold inner_. rewrite <- PB. apply (x_inner p X). congruence.
Qed.
Lemma v_places d tr fs l d' : fire_places p d tr fs l = Some d' -> Forall inner_ l -> V d -> V d'.
Proof. unfold fire_places. intros H F. eapply v_fold; [|exact H|exact F]. intros e x e' B IX. eapply v_fire_y; [exact B|]. right. exact IX. Qed.
Lemma v_sub d l : V d -> (forall x, In x l -> In x (cursors d)) -> V (set_cursors d l).
Proof. intros (A & B & C) S. split; auto. split; simpl; auto. eapply Forall_sub; eauto. Qed.
Lemma v_early d e ins d' : end_early p d e ins = Some d' -> e_how e = T_finish \/ e_how e = T_leave -> V d -> V d'.
Proof.
  unfold end_early. intros H HW I. destruct (fold_left _ ins (Some _)) as [d1|] eqn:F1; [|discriminate].
  assert (I1 : V d1). { eapply (v_fold _ any_); [|exact F1|apply all_any_|]. - intros ? ? ? B _. revert B. apply v_fire_cancel. - apply v_sub; auto. intros x. rewrite filter_In. tauto. }
  match type of H with match ?F with _ => _ end = _ => destruct F as [d2|] eqn:F2; [|discriminate] end.
  assert (I2 : V d2). { eapply (v_fold _ any_); [|exact F2|apply all_any_|exact I1]. intros a x b B _. unfold end_one in B.
    destruct (gone_ _ _ _); [|injection B as <-; auto]. destruct (existsb _ (around _ _ _ _)); eapply v_fire_y; try exact B; left; unfold still; [destruct HW as [->| ->]|]; auto. }
  destruct (is_root _); [injection H as <-; exact I2|]. destruct (existsb _ _); [injection H as <-; exact I2|eapply v_go_on; eauto; exact I2].
Qed.
Lemma v_run d tr d' : fire_run d tr = Some d' -> V d -> V d'.
Proof.
  intros H I. pose proof H as H0. apply fire_run_inv in H0 as (_ & E & F & _). eapply v_same; eauto. unfold fire_run in H. destruct (fire M_run (run d) tr []) as [x|]; [|discriminate].
  injection H as <-. split; simpl.
  - intros O. split; auto. intros (S & _). simpl in S. discriminate.
  - intros w [<-|WI] (S & S2); [simpl in S; discriminate|auto].
Qed.
Lemma fresh_kept d c : pend c -> kept (moves d) c. Proof. intros P M Q. contradiction. Qed.
Lemma v_begin d c d' E : begin p d c = Some d' -> St p d (cpos p c :: E) -> V d -> pend c -> V d'.
Proof.
  unfold begin. intros H S I P. destruct (held p d c); [injection H as <-; apply v_cursor; auto; apply fresh_kept; auto|]. eapply v_take; eauto. apply fresh_kept; auto.
Qed.
Lemma v_micro d o d' : micro p d = Some o -> o = Some d' -> St p d [] -> V d -> V d'.
Proof.
  unfold micro. intros H -> S I. destruct (fresh d) as [|c beside] eqn:FR.
  - destruct (find (ripe p d) (endings d)) as [e|] eqn:FE.
    + injection H as H. apply find_some in FE as [FE _]. eapply v_early; eauto. destruct S as [_ HW]. unfold hows in HW. rewrite Forall_forall in HW. apply (HW e FE).
    + destruct (is_failing d); [discriminate|]. destruct (remove1 _ _) as [[c q]|] eqn:RM; [|discriminate]. injection H as H.
      pose proof (remove1_in _ _ _ _ RM) as (A & B & C). apply remove1_perm in RM. eapply v_begin; [exact H|eapply st_remove; eauto|apply v_sub; auto|].
      unfold may_begin in A. apply andb_prop in A as [A _]. apply andb_prop in A as [A _]. apply internal_phase_dec_bl; auto.
  - injection H as H. destruct (begin p (set_fresh d []) c) as [e|] eqn:B; [|discriminate]. injection H as <-.
    pose proof I as (I1 & I2 & I3). rewrite FR in I3. inversion I3 as [|? ? P1 P2]; subst. apply v_fresh; auto.
    eapply (v_begin (set_fresh d []) c e (map (cpos p) beside)); eauto; [|split; auto; split; auto; constructor].
    eapply st_perm; [| | | |exact S]; auto. unfold spots. rewrite FR. simpl.
    etransitivity; [apply (Permutation_app_swap_app (map (cpos p) (cursors d)) (cpos p c :: map (cpos p) beside))|]. simpl. apply perm_skip. apply Permutation_app_head. auto.
Qed.
Lemma v_cancel d d' : cancel p d = Some d' -> V d -> St p d [] -> V d'.
Proof.
  unfold cancel. intros H I S. destruct (fold_left _ (cursors d) (Some d)) as [e|] eqn:F1; [|discriminate].
  assert (I1 : V e). { eapply (v_fold _ any_); [|exact F1|apply all_any_|exact I]. intros ? ? ? B _. revert B. apply v_fire_cancel. }
  destruct (fire_places p e T_cancel [] _) as [g|] eqn:F2; [|discriminate]. apply v_places in F2; auto.
  - eapply v_run; [exact H|]. destruct F2 as (G1 & _ & _). split; auto. split; constructor.
  - rewrite Forall_forall. intros z Z. eapply near_inner. apply open_near. exact Z.
Qed.
Lemma v_settle k : forall d d', settle p k d = Some d' -> St p d [] -> V d -> V d'.
Proof.
  induction k; simpl; [discriminate|]. intros d d' H S I. destruct (micro p d) as [[e|]|] eqn:M; [|discriminate|].
  - eapply IHk; [exact H|eapply micro_St; eauto|eapply v_micro; eauto].
  - destruct (run d =p P_running); [|injection H as <-; auto]. unfold close_run in H. destruct (joint_on _) as [t|]; [|injection H as <-; auto].
    assert (G : forall u, fire_run d u = Some d' -> V d') by (intros; eapply v_run; eauto).
    destruct t; try (eapply G; exact H); [eapply v_cancel; eauto|]. destruct (fire_places p d T_fail [] _) as [e|] eqn:F; [|discriminate]. apply v_places in F; auto; [eapply v_run; eauto|].
    rewrite Forall_forall. intros z Z. eapply near_inner. apply open_near. exact Z.
Qed.
Lemma v_report d v d' : report p d v = Some d' -> St p d [] -> V d -> V d'.
Proof.
  unfold report. intros H S I. destruct ((v_on v =t T_resume) || _); [discriminate|].
  destruct (remove1 (matches v) (cursors d)) as [[c r]|] eqn:R; [|discriminate]. destruct (unfit _ _ _); [discriminate|]. pose proof (remove1_in _ _ _ _ R) as (_ & A & B). apply remove1_perm in R.
  destruct (if run (set_cursors d r) =p P_paused then _ else _) as [e|] eqn:F; [|discriminate]. assert (S2 : V (set_cursors d r)) by (apply v_sub; auto).
  pose proof (st_remove p d r c r [] R S eq_refl) as T2.
  assert (KC : kept (moves d) c) by (destruct I as (_ & I & _); rewrite Forall_forall in I; auto).
  assert (S3 : V e /\ St p e [cpos p c] /\ kept (moves e) c).
  { destruct (run (set_cursors d r) =p P_paused); [|injection F as <-; auto]. split; [eapply v_run; eauto|]. split; [eapply fire_run_St; eauto|].
    unfold fire_run in F. destruct (fire M_run _ _ _) as [x|]; [|discriminate]. injection F as <-. simpl. intros M P w [<-|WI] (Q1 & Q2) WP; [simpl in Q1; discriminate|]. apply KC; auto. split; auto. }
  destruct S3 as (S3 & S4 & S5). eapply v_take; eauto.
Qed.
Lemma v_apply d v d' : apply p d v = Some d' -> St p d [] -> V d -> V d'.
Proof.
  unfold apply. intros H S I. destruct (is_root _); [|eapply v_report; eauto]. destruct (v_on v); try (eapply v_report; eauto; fail); try (eapply v_cancel; eauto; fail).
  all: try (unfold start in H; destruct (fire_run d T_start) as [e|] eqn:F; [|discriminate]; apply v_run in F; auto; destruct (is_root _); injection H as <-; auto; apply v_fresh; auto; apply pend1).
  unfold reopen in H. destruct (negb _); [discriminate|]. destruct (fire_run d T_resume) as [e|] eqn:F; [|discriminate]. pose proof (fire_run_St p _ _ _ _ F S) as SE. apply v_run in F; auto.
  destruct (fire_places p e T_resume _ _) as [g|] eqn:G; [|discriminate].
  assert (NR : Forall (Near p (spots p e)) (rev (open_nodes p e))) by (rewrite Forall_forall; intros z Z; apply in_rev in Z; apply open_near; auto).
  pose proof (fire_places_St p W W2 X _ _ _ _ _ G (or_intror eq_refl) NR SE) as [SG _].
  apply v_places in G; auto; [|eapply Forall_impl; [intros z; apply near_inner|exact NR]].
  assert (SP : St p (set_cursors g (filter (fun c => negb (failed_ c)) (cursors g))) (map (cpos p) (filter failed_ (cursors g)))).
  { eapply st_perm; [| | | |exact SG]; auto. unfold spots. simpl. rewrite (app_assoc (map (cpos p) (filter failed_ (cursors g)))). apply Permutation_app_tail. rewrite <- map_app. apply Permutation_map. clear.
    induction (cursors g) as [|c l IH]; simpl; auto. destruct (failed_ c); simpl; [apply perm_skip; auto|]. apply Permutation_cons_app. auto. }
  assert (VG : V (set_cursors g (filter (fun c => negb (failed_ c)) (cursors g)))) by (apply v_sub; auto; intros x; rewrite filter_In; tauto).
  assert (KL : Forall (fun c => kept (moves g) c) (filter failed_ (cursors g))) by (apply Forall_filter; apply G).
  clear - W W2 X H SP VG KL.
  assert (KM : Forall (kept (moves (set_cursors g (filter (fun c => negb (failed_ c)) (cursors g))))) (filter failed_ (cursors g))) by exact KL. clear KL.
  revert H SP VG KM. generalize (set_cursors g (filter (fun c => negb (failed_ c)) (cursors g))). generalize (filter failed_ (cursors g)). clear g.
  induction l as [|c l IH]; simpl; intros d H S I K; [injection H as <-; exact I|].
  destruct (take p d c T_resume [] 0) as [e|] eqn:T; [|rewrite (fold_none (fun d c => take p d c T_resume [] 0)) in H; discriminate].
  inversion K as [|? ? K1 K2]; subst. eapply IH; [exact H|eapply take_St; eauto; apply chosen1_nil|eapply v_take; eauto|].
  destruct (t_take _ _ _ _ _ _ T) as (m & MA & MT & [_ QT]). destruct S as [SI _]. simpl in SI. pose proof (i_apart _ _ _ _ SI) as SA.
  assert (AP : Forall (Apart p (cpos p c)) (map (cpos p) l ++ spots p d)) by (inversion_clear SA; auto). rewrite Forall_forall in AP, K2 |- *.
  intros y Y M P w WI WS WP. apply QT in WI; auto. destruct WI as [<-|WI]; [|apply (K2 y Y); auto]. exfalso. destruct WP as [W3 W4].
  assert (NO : ps (cpos p c) <> Over).
  { unfold cpos; simpl; intros Q. unfold take in T. destruct (dfire p d (at_ c) _ _ _ T_resume _ _) as [[x g]|] eqn:F; [|discriminate]. apply fires in F as (_ & _ & _ & _ & _ & _ & FI & _); auto.
    apply fire_entry in FI as (_ & _ & _ & FO); [|apply (w_mach p W2)]. destruct (ph c); try discriminate Q; discriminate FO. }
  assert (YI : In (cpos p y) (map (cpos p) l ++ spots p d)) by (apply in_or_app; left; apply in_map; auto).
  pose proof (apart_live p _ _ (AP _ YI) NO) as DV. apply (div_not_in p W _ _ DV). left. simpl. congruence.
Qed.
Lemma v_advance k d v vs d' : advance p k d (v :: vs) = Some d' -> G p d -> unbegun p d -> St p d [] -> Forall (event1 p) (v :: vs) -> V d -> V d'.
Proof.
  unfold advance. intros H GD U S E I. destruct (fold_left _ (v :: vs) (Some d)) as [g|] eqn:F; [|discriminate].
  pose proof (events_St p W W2 X _ _ _ _ F GD U S E) as [SG DG].
  assert (VG : V g).
  { clear H SG DG. simpl in F. destruct (apply p d v) as [e|] eqn:A; [|rewrite (fold_none (fun d v => apply p d v)) in F; discriminate]. inversion E as [|? ? E1 E2]; subst.
    pose proof (apply_St p W W2 X _ _ _ A U S E1) as S1. pose proof (v_apply _ _ _ A S I) as V1. apply (apply_D p W2) in A; [|exact GD]. clear U S GD E I.
    revert e A S1 V1 F. induction vs as [|u vs IH]; simpl; intros e A S1 V1 F; [injection F as <-; auto|]. inversion E2 as [|? ? E3 E4]; subst.
    destruct (apply p e u) as [h|] eqn:AU; [|rewrite (fold_none (fun d v => apply p d v)) in F; discriminate].
    apply (IH E4 h); auto; [eapply apply_DD; eauto| |eapply v_apply; eauto]. eapply apply_St; eauto. intros Q. exfalso. destruct A as [[A _]|[A _]]; congruence. }
  destruct (settle p k g) as [h|] eqn:SE; [|discriminate]. injection H as <-. apply v_settle in SE; auto. destruct SE as (A & B & C). split; auto. split; [|constructor].
  simpl. eapply Forall_sub; [|exact B]. intros x. apply sorted_in.
Qed.
Lemma once_split J : Once_each J -> forall later m past, J = later ++ m :: past -> starts m -> forall w, In w past -> starts w -> m_at w = m_at m -> m_tn w = m_tn m ->
  attempt w < attempt m.
Proof.
  induction J as [|x J IH]; simpl; intros H later m past E; [destruct later; discriminate|].
  destruct later as [|y later]; injection E as -> ->; [intros S; apply H; auto|]. eapply IH; [apply H|reflexivity].
Qed.
End calls.
