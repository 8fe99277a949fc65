(* LAW-1, LAW-2, LAW-4: what a run is, and when nothing happens any more. *)
Require Import List Arith Bool Lia. Import ListNotations.
Require Import Tables Core Rows Gates.

Section ends.
Variable p : program.
Notation N := (get p).

(* what more a program has to be; the checker below decides it *)
Record wf2 : Prop := {
  w_exit : forall a, mach (N a) <> M_step -> exits (N a) <> [];
  w_mach : forall a, mach (N a) <> M_run; (* the root's own machine is never read; it is written as M_step *)
  w_conc : forall a, conc (N a) <> Some 0 }.

(* a cursor at rest waits for the world, has not begun, or has failed or been cancelled *)
Definition rests c := ph c = P_pending \/ owes_ p c <> None \/ ph c = P_failed \/ ph c = P_cancelled.
Definition pend c := ph c = P_pending.
Definition R (r : phase) d := run d = r /\ Forall rests (cursors d) /\ Forall pend (fresh d).
Hypothesis W : wf2.

Ltac opt H := repeat match type of H with
  | match ?e with Some _ => _ | None => None end = Some _ => let E := fresh "E" in destruct e eqn:E; [|discriminate H]
  | (let (_, _) := ?e in _) = Some _ => destruct e
  | Some _ = Some _ => injection H as H; subst
  | None = Some _ => discriminate H
  end.

Lemma dfire_same d a t n f tr fs g x d' : dfire p d a t n f tr fs g = Some (x, d') -> run d' = run d /\ cursors d' = cursors d /\ fresh d' = fresh d.
Proof. unfold dfire. destruct (fire _ _ _ _); [|discriminate]. intros H; injection H as <- <-. auto. Qed.
Lemma frame_same d a t f d' : frame_ d a t = Some (f, d') -> run d' = run d /\ cursors d' = cursors d /\ fresh d' = fresh d.
Proof. unfold frame_. destruct (pop _ _ _) as [[g r]|]; [|discriminate]. intros H; injection H as <- <-. auto. Qed.

Definition after_row (m : machine) (r : row) : bool := match dst r with
  | P_completed | P_skipped | P_failed | P_cancelled => true
  | x => machine_beq m M_run || some (owes m x) || ((x =p P_running) && negb (machine_beq m M_step)) end.
Lemma after_rows : every_row after_row = true. Proof. vm_compute. reflexivity. Qed.
Definition finish_row (m : machine) (r : row) : bool := negb (on r =t T_finish) || (dst r =p P_completed) || (dst r =p P_running) || some (owes m (dst r)).
Lemma finish_rows : every_row finish_row = true. Proof. vm_compute. reflexivity. Qed.

Lemma rests_add r d c : R r d -> rests c -> R r (add_cursor d c).
Proof. intros (A & B & D) C. split; auto. split; auto. simpl. apply Forall_app; auto. Qed.
Lemma R_fresh r d cs : R r d -> Forall pend cs -> R r (add_fresh d cs).
Proof. intros (A & B & D) C. split; auto. split; auto. simpl. apply Forall_app; auto. Qed.
Lemma pend1 a t pr la : Forall pend [pending_ a t pr la]. Proof. repeat constructor. Qed.
Lemma own_rests x f t out du q : f_at f = q -> (exists n fs, fire (mach (N q)) n T_finish fs = Some x) ->
  (x =p P_completed) = false -> (x =p P_running) = false -> rests (own_ f x t out du).
Proof.
  intros FA (n & fs & F) C1 C2. apply in_rows_fire in F as (r & I & _ & O & D & _). apply (every_row_in _ finish_rows) in I.
  unfold finish_row in I. rewrite O, D, C1, C2 in I. simpl in I. right; left. unfold owes_. simpl. rewrite FA. unfold some in I.
  destruct (owes (mach (N q)) x); [discriminate|]. discriminate I.
Qed.
Lemma iterate_R r d c d' : iterate p d c = Some d' -> R r d -> R r d'.
Proof. unfold iterate. intros H I. destruct (exit_ _ _); [|discriminate]. injection H as <-. apply R_fresh; [exact I|apply pend1]. Qed.
Lemma dfire_R r d a t n f tr fs g x d' : dfire p d a t n f tr fs g = Some (x, d') -> R r d -> R r d' /\ fire (mach (N a)) f tr fs = Some x.
Proof.
  intros H (A & B & C). pose proof (dfire_same _ _ _ _ _ _ _ _ _ _ H) as (S1 & S2 & S3). split; [split; [congruence|split; congruence]|].
  apply dfire_inv in H as (m & _ & _ & _ & _ & _ & _ & _ & F). exact F.
Qed.
Lemma frame_R r d a t f d' : frame_ d a t = Some (f, d') -> R r d -> R r d' /\ f_at f = a.
Proof.
  intros H (A & B & C). pose proof (frame_same _ _ _ _ _ H) as (S1 & S2 & S3). split; [split; [congruence|split; congruence]|].
  unfold frame_ in H. destruct (pop a t (frames d)) as [[g q]|] eqn:P; [|discriminate]. injection H as <- <-. apply pop_in in P. apply P.
Qed.
Lemma close_R r d q a t pr la d' o : close p d q a t pr la = Some (d', o) -> R r d -> R r d'.
Proof.
  unfold close, close_loop, close_router, close_parallel, close_group. intros H I. destruct (kind_ (N q)).
  1,2,6,7,8: destruct (dfire p d q t 0 _ _ _ pr) as [[x e]|] eqn:F; [|discriminate]; injection H as <- <-; apply (dfire_R _ _ _ _ _ _ _ _ _ _ _ F I).
  - destruct (frame_ d q _) as [[f e]|] eqn:FR; [|discriminate]. apply (frame_R r) in FR as [I1 FA]; auto.
    destruct (dfire p e q _ _ _ _ _ pr) as [[x g]|] eqn:F; [|discriminate]. apply (dfire_R r) in F as [I2 F]; auto.
    destruct (x =p P_completed) eqn:C1; [injection H as <- <-; auto|]. destruct (x =p P_running) eqn:C2.
    + destruct (iterate p g _) as [h|] eqn:IT; [|discriminate]. injection H as <- <-. eapply iterate_R; eauto.
    + injection H as <- <-. apply rests_add; auto. eapply own_rests; eauto.
  - destruct (frame_ d q _) as [[f e]|] eqn:FR; [|discriminate]. apply (frame_R r) in FR as [I1 FA]; auto.
    destruct (dfire p e q _ _ _ _ _ pr) as [[x g]|] eqn:F; [|discriminate]. apply (dfire_R r) in F as [I2 F]; auto.
    destruct (x =p P_completed) eqn:C1; [injection H as <- <-; auto|]. destruct (x =p P_running) eqn:C2.
    + destruct (f_rest f); [discriminate|]. injection H as <- <-. apply R_fresh; [exact I2|apply pend1].
    + injection H as <- <-. apply rests_add; auto. eapply own_rests; eauto.
  - destruct (frame_ d q t) as [[f e]|] eqn:FR; [|discriminate]. apply (frame_R r) in FR as [I1 FA]; auto.
    destruct (length _ <? length _); [injection H as <- <-; exact I1|].
    destruct (dfire p e q t 0 _ _ _ _) as [[x g]|] eqn:F; [|discriminate]. injection H as <- <-. apply (dfire_R r) in F as [I2 F]; auto.
Qed.
Lemma go_on_R r k : forall d a t pr la d', go_on p k d a t pr la = Some d' -> R r d -> R r d'.
Proof.
  induction k as [|k IH]; simpl; [discriminate|]. intros d a t pr la d' H I. destruct (_ =? _); [|injection H as <-; apply R_fresh; [exact I|apply pend1]].
  destruct (is_root _); [injection H as <-; exact I|].
  destruct (close p d _ a t pr la) as [[e [[[u pr'] la']|]]|] eqn:C; [| |discriminate]; apply (close_R r) in C; auto; [eapply IH; eauto|].
  injection H as <-; auto.
Qed.
Lemma take_R r d c tr choices num d' : take p d c tr choices num = Some d' -> R r d -> R r d'.
Proof.
  intros H I. unfold take in H. destruct (dfire p d (at_ c) _ _ _ tr _ _) as [[x e]|] eqn:F; [|discriminate].
  apply (dfire_R r) in F as [I2 F]; auto. clear I d. destruct ((x =p P_running) && _) eqn:E1.
  - unfold descend in H. destruct (kind_ (N (at_ c))).
    3: eapply iterate_R; eauto.
    3: { destruct choices; [discriminate|]. injection H as <-. apply R_fresh; [exact I2|apply pend1]. }
    3: { injection H as <-. apply R_fresh; [exact I2|]. apply Forall_forall. intros y Y. apply in_map_iff in Y as (z & <- & _). reflexivity. }
    all: destruct (exit_ _ tr) as [b|]; [|discriminate]; destruct (b =? at_ c); [|injection H as <-; apply R_fresh; [exact I2|apply pend1]];
      unfold close_group in H; destruct (dfire p e (at_ c) (tn c) 0 _ _ _ _) as [[y g]|] eqn:G; [|discriminate];
      apply (dfire_R r) in G as [I3 _]; auto; eapply go_on_R; eauto.
  - destruct (x =p P_completed) eqn:E2.
    + unfold complete in H. destruct (_ || _); [injection H as <-; exact I2|eapply go_on_R; eauto].
    + destruct (x =p P_skipped) eqn:E3.
      * unfold skip in H. destruct (_ || _); [|eapply go_on_R; eauto]. destruct (_ =? _); [eapply go_on_R; eauto|injection H as <-; exact I2].
      * injection H as <-. apply rests_add; auto. apply in_rows_fire in F as (rw & RI & _ & _ & D & _).
        apply (every_row_in _ after_rows) in RI. unfold after_row in RI. rewrite D in RI. unfold rests, owes_. simpl.
        destruct (machine_beq (mach (N (at_ c))) M_run) eqn:MR; [apply internal_machine_dec_bl in MR; destruct (w_mach W _ MR)|].
        destruct x; try discriminate E2; try discriminate E3; auto 6; simpl in RI;
          try (right; left; destruct (owes (mach (N (at_ c))) _); [discriminate|discriminate RI]).
        destruct (owes (mach (N (at_ c))) P_running) eqn:OW; [right; left; discriminate|]. simpl in RI, E1.
        destruct (machine_beq (mach (N (at_ c))) M_step) eqn:MS; [discriminate|].
        destruct (exits (N (at_ c))) eqn:EX; [|discriminate]. exfalso. eapply (w_exit W); [|exact EX].
        intros X. rewrite X in MS. discriminate.
Qed.
Lemma fold_R {A} (b : draft -> A -> option draft) r (B : forall d x d', b d x = Some d' -> R r d -> R r d') l :
  forall d d', fold_left (fun o x => do d <- o; b d x) l (Some d) = Some d' -> R r d -> R r d'.
Proof.
  induction l as [|x l IH]; simpl; intros d d' H I; [injection H as <-; auto|].
  destruct (b d x) as [e|] eqn:E; [|rewrite fold_none in H; discriminate]. eapply IH; eauto.
Qed.
Lemma fire_y_R r d a t n f tr fs g d' : (do y <- dfire p d a t n f tr fs g; Some (snd y)) = Some d' -> R r d -> R r d'.
Proof. destruct (dfire p d a t n f tr fs g) as [[x e]|] eqn:F; [|discriminate]. intros H I; injection H as <-. apply (dfire_R r) in F as [X _]; auto. Qed.
Lemma fire_cancel_R r d c d' : fire_cancel p d c = Some d' -> R r d -> R r d'.
Proof. unfold fire_cancel. destruct (p_in _ _); [apply fire_y_R|]. intros H; injection H as <-; auto. Qed.
Lemma fire_places_R r d tr fs l d' : fire_places p d tr fs l = Some d' -> R r d -> R r d'.
Proof. unfold fire_places. apply fold_R. intros e x e'. apply fire_y_R. Qed.
Lemma R_sub r d l : R r d -> (forall x, In x l -> In x (cursors d)) -> R r (set_cursors d l).
Proof. intros (A & B & C) S. split; auto. split; auto. simpl. eapply Forall_sub; eauto. Qed.
Lemma end_early_R r d e ins d' : end_early p d e ins = Some d' -> R r d -> R r d'.
Proof.
  unfold end_early. intros H I. destruct (fold_left _ ins (Some _)) as [d1|] eqn:F1; [|discriminate].
  assert (I1 : R r d1). { eapply fold_R; [|exact F1|]. - intros ? ? ?. apply fire_cancel_R. - apply R_sub; auto. intros x. rewrite filter_In. tauto. }
  match type of H with match ?F with _ => _ end = _ => destruct F as [d2|] eqn:F2; [|discriminate] end.
  assert (I2 : R r d2). { eapply fold_R; [|exact F2|exact I1]. intros a x b. unfold end_one.
    destruct (gone_ _ _ _); [destruct (existsb _ (around _ _ _ _)); apply fire_y_R|intros X; injection X as <-; auto]. }
  destruct (is_root _); [injection H as <-; exact I2|].
  destruct (existsb _ _); [injection H as <-; exact I2|eapply go_on_R; eauto; exact I2].
Qed.
Lemma begin_R r d c d' : begin p d c = Some d' -> R r d -> ph c = P_pending -> R r d'.
Proof. unfold begin. destruct (held p d c); [|intros; eapply take_R; eauto]. intros H I P; injection H as <-. apply rests_add; auto. left; auto. Qed.

Lemma micro_R r d o d' : micro p d = Some o -> o = Some d' -> R r d -> R r d'.
Proof.
  unfold micro. intros H -> I. destruct (fresh d) as [|c beside] eqn:FR.
  - destruct (find (ripe p d) (endings d)) as [e|]; [injection H as H; eapply end_early_R; eauto|].
    destruct (is_failing d); [discriminate|]. destruct (remove1 _ _) as [[c q]|] eqn:RM; [|discriminate]. injection H as H.
    apply remove1_in in RM as (A & B & C). eapply begin_R; [exact H|apply R_sub; auto|].
    unfold may_begin in A. apply andb_prop in A as [A _]. apply andb_prop in A as [A _]. apply internal_phase_dec_bl; auto.
  - injection H as H. destruct (begin p (set_fresh d []) c) as [e|] eqn:B; [|discriminate]. injection H as <-.
    destruct I as (I1 & I2 & I3). rewrite FR in I3. inversion I3; subst. apply R_fresh; auto.
    eapply begin_R; eauto. split; auto. split; simpl; auto.
Qed.

(* a place is found for whoever waits, so that a run at rest with nothing owed has nothing left *)
Lemma line_not_begun c : rests c -> line_of p c = L_not_begun -> ph c = P_pending.
Proof.
  unfold line_of, failed_. intros [H|[H|[H|H]]] L; auto; [|rewrite H in L; discriminate..].
  destruct (ph c =p P_cancelled); [discriminate|]. destruct (ph c =p P_failed); [discriminate|].
  destruct (owes_ p c) as [[]|]; [discriminate..|contradiction].
Qed.
Lemma pending_owes c : ph c = P_pending -> owes_call p c = false /\ p_in (ph c) [P_failed; P_cancelled] = false.
Proof. unfold owes_call, owes_. intros ->. destruct (mach (N (at_ c))); auto. Qed.
Lemma situation_none l : situation p l = L_none_live -> forall c, In c l -> line_of p c = L_not_begun \/ line_of p c = L_none_live.
Proof.
  unfold situation. intros H c I. destruct (find _ joint) as [x|] eqn:E.
  - apply find_some in E as [_ E]. apply existsb_exists in E as (y & Y & E). rewrite H in E. apply internal_line_dec_bl in E.
    exfalso. unfold line_of in E. repeat (match type of E with context [if ?b then _ else _] => destruct b; [discriminate|] end).
    destruct (owes_ p y) as [[]|]; discriminate.
  - assert (X : forall x, In x joint -> line_of p c <> fst x).
    { intros x J L. pose proof (find_none _ _ E x J) as Y. cbv beta in Y.
      assert (existsb (fun c => line_beq (fst x) (line_of p c)) l = true); [|congruence].
      apply existsb_exists. exists c. split; auto. apply internal_line_dec_lb; auto. }
    destruct (line_of p c) eqn:L; auto; exfalso; unfold joint in X;
    solve [ eapply X; [left; reflexivity|reflexivity] | eapply X; [right; left; reflexivity|reflexivity]
          | eapply X; [do 2 right; left; reflexivity|reflexivity] | eapply X; [do 3 right; left; reflexivity|reflexivity]
          | eapply X; [do 4 right; left; reflexivity|reflexivity] | eapply X; [do 5 right; left; reflexivity|reflexivity] ].
Qed.
Lemma quiet d : micro p d = None -> Forall rests (cursors d) -> situation p (cursors d) = L_none_live -> cursors d = [].
Proof.
  intros M RS S. destruct (cursors d) as [|c l] eqn:C; auto. exfalso.
  assert (P : forall x, In x (cursors d) -> ph x = P_pending).
  { intros x X. rewrite <- C in RS. rewrite Forall_forall in RS. apply line_not_begun; auto. rewrite <- C in S.
    destruct (situation_none _ S x X) as [Y|Y]; auto. exfalso. unfold line_of in Y.
    repeat (match type of Y with context [if ?b then _ else _] => destruct b; [discriminate|] end). destruct (owes_ p x) as [[]|]; discriminate. }
  unfold micro in M. destruct (fresh d); [|discriminate]. destruct (find (ripe p d) (endings d)) as [e|] eqn:FE; [discriminate|].
  assert (RI : forall e, In e (endings d) -> ripe p d e = true).
  { intros e E. unfold ripe. apply negb_true_iff. apply not_true_is_false. intros X. apply existsb_exists in X as (x & X1 & X2).
    unfold inside in X1. apply filter_In in X1 as [X1 _]. destruct (pending_owes _ (P x X1)) as [Y1 Y2]. rewrite Y1, Y2 in X2. discriminate. }
  assert (NE : endings d = []). { destruct (endings d) as [|e k]; auto. simpl in FE. rewrite RI in FE; simpl; auto. discriminate. }
  assert (NF : is_failing d = false).
  { unfold is_failing. apply not_true_is_false. intros X. apply existsb_exists in X as (x & X1 & X2). unfold failed_ in X2. rewrite (P x X1) in X2. discriminate. }
  rewrite NF in M. assert (MB : may_begin p d c = true).
  { assert (I : In c (cursors d)) by (rewrite C; simpl; auto). unfold may_begin. rewrite (P c I). simpl.
    unfold is_ending. rewrite NE. simpl. rewrite andb_true_r. apply negb_true_iff. unfold is_full.
    destruct (kind_ (N (parent (N (at_ c))))); auto. destruct (conc (N (parent (N (at_ c))))) as [k|] eqn:K; auto.
    assert (Z : length (filter (owes_call p) (inside p d (parent (N (at_ c))) (tn c))) = 0).
    { destruct (filter _ _) as [|x y] eqn:FI; auto. exfalso. assert (J : In x (x :: y)) by (simpl; auto). rewrite <- FI in J.
      apply filter_In in J as [J1 J2]. unfold inside in J1. apply filter_In in J1 as [J1 _]. destruct (pending_owes _ (P x J1)). congruence. }
    rewrite Z. destruct k; auto. destruct (w_conc W _ K). }
  rewrite C in M. simpl in M. rewrite MB in M. discriminate.
Qed.

(* -- the situations that a run can be in between two events ------------------------------------------------------------------------------ *)
Definition G d := fresh d = [] /\ Forall rests (cursors d) /\ match run d with
  | P_pending | P_completed | P_cancelled => cursors d = []
  | P_paused => situation p (cursors d) = L_answers_owed
  | P_running => situation p (cursors d) = L_calls_owed \/ situation p (cursors d) = L_timers_owed
  | P_failed => situation p (cursors d) = L_some_failed | _ => False end.
Definition over d := run d = P_cancelled /\ cursors d = [] /\ fresh d = [] /\ endings d = [].
Definition D d := R P_running d \/ over d.

Lemma fire_run_inv d t d' : fire_run d t = Some d' -> fire M_run (run d) t [] = Some (run d') /\ cursors d' = cursors d /\ fresh d' = fresh d /\ endings d' = endings d.
Proof. unfold fire_run. destruct (fire M_run (run d) t []) eqn:E; [|discriminate]. intros H; injection H as <-. auto. Qed.
Lemma cancel_row x y : fire M_run x T_cancel [] = Some y -> y = P_cancelled /\ (x = P_running \/ x = P_paused).
Proof. destruct x; vm_compute; try discriminate; intros H; injection H as <-; auto. Qed.
Lemma running_row y t : fire M_run P_running t [] = Some y -> match t with T_fail => y = P_failed | T_pause => y = P_paused | T_finish => y = P_completed | _ => True end.
Proof. destruct t; vm_compute; try discriminate; auto; intros H; injection H as <-; auto. Qed.
Lemma cancel_over r d d' : cancel p d = Some d' -> R r d -> over d' /\ (r = P_running \/ r = P_paused).
Proof.
  unfold cancel. intros H I. destruct (fold_left _ (cursors d) (Some d)) as [e|] eqn:E; [|discriminate].
  assert (I1 : R r e). { eapply fold_R; [|exact E|exact I]. intros ? ? ?. apply fire_cancel_R. }
  destruct (fire_places p e T_cancel [] _) as [g|] eqn:GG; [|discriminate]. apply (fire_places_R r) in GG; auto.
  apply fire_run_inv in H as (H1 & H2 & H3 & H4). simpl in *. destruct GG as [GR _]. rewrite GR in H1.
  apply cancel_row in H1 as [H1 H5]. split; auto. repeat split; auto.
Qed.
Lemma close_run_G d d' : close_run p d = Some d' -> micro p d = None -> R P_running d -> fresh d = [] -> G d'.
Proof.
  unfold close_run. intros H M I FR. destruct (situation p (cursors d)) eqn:S; simpl in H.
  - destruct (cancel_over _ _ _ H I) as [(O1 & O2 & O3 & _) _]. split; auto. rewrite O1, O2. auto.
  - injection H as <-. destruct I as (I1 & I2 & _). split; auto. split; auto. rewrite I1. auto.
  - destruct (fire_places p d T_fail [] _) as [e|] eqn:E; [|discriminate]. pose proof E as EP. apply (fire_places_R P_running) in E; auto.
    assert (FE : fresh e = [] /\ cursors e = cursors d).
    { clear -EP FR. revert EP FR. unfold fire_places. generalize (open_nodes p d). intros l. revert d. induction l as [|x l IH]; simpl; intros d EP FR.
      - injection EP as <-; auto.
      - destruct (dfire p d (fst x) (snd x) 0 _ T_fail _ None) as [[y g]|] eqn:DF.
        + apply dfire_same in DF as (_ & DF2 & DF). simpl in EP. apply IH in EP; [|congruence]. destruct EP as [EP1 EP2]. split; auto. congruence.
        + rewrite (fold_none (fun d x => do y <- dfire p d (fst x) (snd x) 0 (if T_fail =t T_resume then P_failed else P_running) T_fail ([] ++ facts (N (fst x))) None; Some (snd y))) in EP. discriminate. }
    apply fire_run_inv in H as (H1 & H2 & H3 & _). destruct E as (E1 & E2 & _). rewrite E1 in H1. apply running_row in H1.
    split; [destruct FE; congruence|]. split; [rewrite H2; auto|]. rewrite H1, H2, (proj2 FE). auto.
  - injection H as <-. destruct I as (I1 & I2 & _). split; auto. split; auto. rewrite I1. auto.
  - apply fire_run_inv in H as (H1 & H2 & H3 & _). destruct I as (I1 & I2 & _). rewrite I1 in H1. apply running_row in H1.
    split; [congruence|]. split; [rewrite H2; auto|]. rewrite H1, H2. auto.
  - apply fire_run_inv in H as (H1 & H2 & H3 & _). destruct I as (I1 & I2 & _). rewrite I1 in H1. apply running_row in H1.
    split; [congruence|]. split; [rewrite H2; auto|]. rewrite H1, H2. apply quiet; auto.
  - exfalso. unfold situation in S. destruct (find _ joint) as [x|] eqn:E; [|discriminate]. apply find_some in E as [E _].
    repeat (destruct E as [E|E]; [subst x; discriminate|]). destruct E.
Qed.

Lemma settle_G k : forall d d', settle p k d = Some d' -> D d -> G d'.
Proof.
  induction k; simpl; [discriminate|]. intros d d' H I. destruct (micro p d) as [[e|]|] eqn:M; [|discriminate|].
  - destruct I as [I|(O1 & O2 & O3 & O4)].
    + apply (IHk e); auto. left. eapply micro_R; eauto.
    + unfold micro, is_failing in M. rewrite O2, O3, O4 in M. simpl in M. discriminate.
  - destruct I as [I|(O1 & O2 & O3 & O4)].
    + pose proof I as (I1 & _). rewrite I1 in H. simpl in H. eapply close_run_G; eauto.
      unfold micro in M. destruct (fresh d); [auto|discriminate].
    + rewrite O1 in H. simpl in H. injection H as <-. split; auto. split; [rewrite O2; auto|]. rewrite O1; auto.
Qed.
Lemma start_row x y : fire M_run x T_start [] = Some y -> x = P_pending /\ y = P_running.
Proof. destruct x; vm_compute; try discriminate. intros H; injection H as <-; auto. Qed.
Lemma resume_row x y : fire M_run x T_resume [] = Some y -> y = P_running.
Proof. destruct x; vm_compute; try discriminate; intros H; injection H as <-; auto. Qed.

Lemma report_D d v d' : report p d v = Some d' -> Forall rests (cursors d) -> Forall pend (fresh d) -> (run d = P_running \/ run d = P_paused) -> D d'.
Proof.
  unfold report. intros H A B C. destruct ((v_on v =t T_resume) || _); [discriminate|].
  destruct (remove1 (matches v) (cursors d)) as [[c r]|] eqn:RM; [|discriminate]. destruct (unfit _ _ _); [discriminate|].
  destruct (if run (set_cursors d r) =p P_paused then _ else _) as [e|] eqn:F; [|discriminate]. left. eapply take_R; [exact H|].
  apply remove1_in in RM as (_ & _ & S). assert (A2 : Forall rests r) by (eapply Forall_sub; eauto).
  destruct C as [C|C]; simpl in F; rewrite C in F; simpl in F.
  - injection F as <-. split; auto.
  - apply fire_run_inv in F as (F1 & F2 & F3 & _). simpl in *. apply resume_row in F1. split; auto. split; [rewrite F2; auto|rewrite F3; auto].
Qed.
Lemma report_none d v : cursors d = [] -> report p d v = None.
Proof. intros E. unfold report. rewrite E. destruct (_ || _); reflexivity. Qed.
Lemma start_D d d' : start p d = Some d' -> Forall rests (cursors d) -> Forall pend (fresh d) -> run d = P_pending /\ D d'.
Proof.
  unfold start. intros H A B. destruct (fire_run d T_start) as [e|] eqn:F; [|discriminate].
  apply fire_run_inv in F as (F1 & F2 & F3 & _). apply start_row in F1 as [F0 F1]. split; auto. left.
  assert (RE : R P_running e) by (split; auto; split; congruence).
  destruct (is_root _); injection H as <-; auto. apply R_fresh; auto. apply pend1.
Qed.
Lemma reopen_D d d' : reopen p d = Some d' -> Forall rests (cursors d) -> Forall pend (fresh d) -> run d = P_failed /\ D d'.
Proof.
  unfold reopen. intros H A B. destruct (run d =p P_failed) eqn:RF; simpl in H; [|discriminate]. apply internal_phase_dec_bl in RF. split; auto. left.
  destruct (fire_run d T_resume) as [e|] eqn:F; [|discriminate].
  apply fire_run_inv in F as (F1 & F2 & F3 & _). apply resume_row in F1.
  assert (RE : R P_running e) by (split; auto; split; congruence).
  destruct (fire_places p e T_resume _ _) as [g|] eqn:GG; [|discriminate]. apply (fire_places_R P_running) in GG; auto.
  eapply fold_R; [|exact H|apply R_sub; auto; intros x; rewrite filter_In; tauto]. intros a x b. apply take_R.
Qed.
Lemma apply_D d v d' : apply p d v = Some d' -> G d -> D d'.
Proof.
  intros H (FR & RS & S). assert (PF : Forall pend (fresh d)) by (rewrite FR; auto).
  assert (RP : report p d v = Some d' -> D d').
  { intros X. assert (NF : run d <> P_failed). { intros E. unfold report in X. rewrite E, orb_true_r in X. discriminate. } assert (C : cursors d <> []) by (intros E; rewrite report_none in X; [discriminate|auto]).
    eapply report_D; eauto. destruct (run d); auto; contradiction. }
  unfold apply, is_root in H. destruct (Nat.eqb_spec (v_at v) 0) as [Z|Z]; [|auto].
  destruct (v_on v); try (apply RP; auto; fail).
  all: try (apply start_D in H; auto; apply H).
  all: try (apply reopen_D in H; auto; apply H).
  right. eapply cancel_over; [exact H|]. split; auto.
Qed.
Lemma apply_DD d v d' : apply p d v = Some d' -> D d -> D d'.
Proof.
  intros H [(A & B & C)|(O1 & O2 & O3 & O4)].
  - assert (RP : report p d v = Some d' -> D d') by (intros X; eapply report_D; eauto).
    unfold apply in H. destruct (is_root _); auto. destruct (v_on v); auto.
    all: try (apply start_D in H as [H _]; auto; congruence).
    all: try (apply reopen_D in H as [H _]; auto; congruence).
    right. eapply cancel_over; [exact H|]. split; auto.
  - assert (RR : Forall rests (cursors d)) by (rewrite O2; auto). assert (PF : Forall pend (fresh d)) by (rewrite O3; auto).
    unfold apply in H. rewrite (report_none d v O2) in H. destruct (is_root _); [|discriminate]. destruct (v_on v); try discriminate.
    all: try (apply start_D in H as [H _]; auto; congruence).
    all: try (apply reopen_D in H as [H _]; auto; congruence).
    apply (cancel_over (run d)) in H as [_ [H|H]]; try congruence. split; auto.
Qed.
Lemma sorted_all {A} le (l : list A) x : In x l -> In x (sorted le l).
Proof.
  induction l as [|a l IH]; simpl; auto. intros H.
  assert (Y : x = a \/ In x (sorted le l)) by (destruct H; auto). revert Y. generalize (sorted le l). clear. intros z; induction z as [|b k IH2]; simpl.
  - intros [->|[]]; auto.
  - intros Y. destruct (le a b); simpl; [destruct Y as [Y|[Y|Y]]; auto|]. destruct Y as [Y|[Y|Y]]; auto.
Qed.
Lemma situation_same l k : (forall x, In x l <-> In x k) -> situation p l = situation p k.
Proof.
  intros S. unfold situation. assert (E : forall g, existsb g l = existsb g k).
  { intros g. apply eq_true_iff_eq. rewrite !existsb_exists. split; intros (x & X & Y); exists x; split; auto; apply S; auto. }
  assert (Q : forall j, find (fun x : line * option trigger => existsb (fun c => line_beq (fst x) (line_of p c)) l) j = find (fun x => existsb (fun c => line_beq (fst x) (line_of p c)) k) j).
  { induction j as [|y j IH]; simpl; auto. rewrite E, IH. auto. }
  rewrite Q. reflexivity.
Qed.
Lemma tidy_G d : G d -> G (tidy d).
Proof.
  intros (A & B & C). split; auto. simpl.
  set (le := fun x y => before_ (at_ x) (tn x) (at_ y) (tn y)).
  assert (S : forall x, In x (sorted le (cursors d)) <-> In x (cursors d)) by (split; [apply sorted_in|apply sorted_all]).
  split; [eapply Forall_sub; [|exact B]; intros x; apply S|]. rewrite (situation_same _ _ S).
  destruct (run d); auto; rewrite C; auto.
Qed.
Theorem advance_G k d v vs d' : advance p k d (v :: vs) = Some d' -> G d -> G d'.
Proof.
  unfold advance. intros H I. simpl in H. destruct (apply p d v) as [e|] eqn:E.
  - destruct (fold_left _ vs (Some e)) as [g|] eqn:F; [|discriminate].
    assert (DG : D g).
    { apply apply_D in E; auto. clear H. revert e E F. induction vs as [|u vs IH]; simpl; intros e E F; [injection F as <-; auto|].
      destruct (apply p e u) as [h|] eqn:U; [eapply IH; [|exact F]; eapply apply_DD; eauto|].
      rewrite (fold_none (fun d v => apply p d v)) in F. discriminate. }
    destruct (settle p k g) as [h|] eqn:S; [|discriminate]. injection H as <-. apply tidy_G. eapply settle_G; eauto.
  - rewrite (fold_none (fun d v => apply p d v)) in H. discriminate.
Qed.
(* LAW-1, LAW-4: whatever comes to a run that is completed or cancelled is refused. *)
Theorem over_is_over k d v vs : G d -> run d = P_completed \/ run d = P_cancelled -> advance p k d (v :: vs) = None.
Proof.
  intros (A & B & C) O. assert (CU : cursors d = []) by (destruct O as [O|O]; rewrite O in C; auto).
  assert (RR : Forall rests (cursors d)) by (rewrite CU; auto). assert (PF : Forall pend (fresh d)) by (rewrite A; auto).
  assert (E : apply p d v = None).
  { destruct (apply p d v) as [e|] eqn:H; auto. exfalso. unfold apply in H. rewrite (report_none d v CU) in H.
    destruct (is_root _); [|discriminate]. destruct (v_on v); try discriminate.
    all: try (apply start_D in H as [H _]; auto; destruct O; congruence).
    all: try (apply reopen_D in H as [H _]; auto; destruct O; congruence).
    apply (cancel_over (run d)) in H as [_ H]; [destruct O, H; congruence|]. split; auto. }
  unfold advance. simpl. rewrite E, (fold_none (fun d v => apply p d v)). reflexivity.
Qed.
(* LAW-4: a failed run takes nothing but its reopening. *)
Theorem failed_is_over k d v vs d' : G d -> run d = P_failed -> advance p k d (v :: vs) = Some d' -> v_at v = 0 /\ v_on v = T_resume.
Proof.
  intros (A & B & C) F H. assert (PF : Forall pend (fresh d)) by (rewrite A; auto).
  assert (E : apply p d v <> None). { intros E. unfold advance in H. simpl in H. rewrite E, (fold_none (fun d v => apply p d v)) in H. discriminate. }
  assert (RN : report p d v = None) by (unfold report; rewrite F, orb_true_r; auto).
  unfold apply, is_root in E. rewrite RN in E. destruct (Nat.eqb_spec (v_at v) 0); [|congruence]. split; auto.
  destruct (v_on v) eqn:O; try congruence.
  all: exfalso; apply E.
  all: try (destruct (start p d) eqn:Q; auto; apply start_D in Q as [Q _]; auto; congruence).
  destruct (cancel p d) as [z|] eqn:Q; auto. apply (cancel_over (run d)) in Q as [_ Q]; [destruct Q; congruence|]. split; auto.
Qed.
(* LAW-2, PAR-3: paused if and only if a person owes something and nothing runs, no call and no delay. *)
Definition owes_an o d := exists c, In c (cursors d) /\ owes_ p c = Some o.
Lemma line_owes c : match line_of p c with L_calls_owed => owes_ p c = Some O_call | L_timers_owed => owes_ p c = Some O_timer
  | L_answers_owed => owes_ p c = Some O_ask | _ => owes_ p c = None end.
Proof.
  unfold line_of, failed_, owes_. destruct (ph c =p P_cancelled) eqn:E1.
  - apply internal_phase_dec_bl in E1. rewrite E1. destruct (mach (N (at_ c))); reflexivity.
  - destruct (ph c =p P_failed) eqn:E2.
    + apply internal_phase_dec_bl in E2. rewrite E2. destruct (mach (N (at_ c))); reflexivity.
    + destruct (owes _ _) as [[]|]; reflexivity.
Qed.
Lemma in_situation l x : existsb (fun c => line_beq x (line_of p c)) l = true <-> exists c, In c l /\ line_of p c = x.
Proof.
  rewrite existsb_exists. split; intros (c & I & E); exists c; split; auto; [symmetry; apply internal_line_dec_bl; auto|apply internal_line_dec_lb; auto].
Qed.
Lemma owes_line o c : owes_ p c = Some o -> line_of p c = match o with O_call => L_calls_owed | O_timer => L_timers_owed | O_ask => L_answers_owed end.
Proof. intros H. pose proof (line_owes c) as L. destruct (line_of p c), o; congruence. Qed.
Theorem paused_only_if d : G d -> run d = P_paused -> owes_an O_ask d /\ ~ owes_an O_call d /\ ~ owes_an O_timer d.
Proof.
  intros (_ & _ & C) P. rewrite P in C. cbv beta iota delta [situation joint find fst] in C.
  repeat match type of C with context [if existsb ?g ?l then _ else _] => let E := fresh "E" in destruct (existsb g l) eqn:E; try discriminate C end.
  - split; [|split].
    + apply in_situation in E3 as (c & I & L). exists c. split; auto. pose proof (line_owes c) as Q. rewrite L in Q. auto.
    + intros (c & I & L). apply owes_line in L. assert (existsb (fun c => line_beq L_calls_owed (line_of p c)) (cursors d) = true); [|congruence].
      apply in_situation. eauto.
    + intros (c & I & L). apply owes_line in L. assert (existsb (fun c => line_beq L_timers_owed (line_of p c)) (cursors d) = true); [|congruence].
      apply in_situation. eauto.
Qed.
Theorem paused_if d : G d -> run d <> P_failed -> owes_an O_ask d -> ~ owes_an O_call d -> ~ owes_an O_timer d -> run d = P_paused.
Proof.
  intros (_ & _ & C) NF (c & I & _) NC NT. assert (X : forall l o, situation p (cursors d) = l -> l = match o with O_call => L_calls_owed | O_timer => L_timers_owed | O_ask => L_answers_owed end -> owes_an o d).
  { intros l o S E. unfold situation in S. destruct (find _ joint) as [x|] eqn:F; [|destruct o; congruence].
    apply find_some in F as [_ F]. apply in_situation in F as (y & Y & L). exists y. split; auto. pose proof (line_owes y) as Q.
    rewrite L, S, E in Q. destruct o; auto. }
  destruct (run d); auto; try contradiction; try (rewrite C in I; destruct I).
  destruct C as [C|C]; exfalso; [apply NC|apply NT]; eapply X; eauto; reflexivity.
Qed.
(* LAW-8: no component is left that was told to end, in a run that is over. *)
Definition bare d := run d = P_completed \/ run d = P_cancelled -> endings d = [].
Lemma no_endings d : micro p d = None -> cursors d = [] -> endings d = [].
Proof.
  unfold micro. intros M C. destruct (fresh d); [|discriminate]. destruct (endings d) as [|e l] eqn:E; auto. exfalso. simpl in M.
  assert (R1 : ripe p d e = true) by (unfold ripe, inside; rewrite C; reflexivity). rewrite R1 in M. discriminate.
Qed.
Lemma settle_bare k : forall d d', settle p k d = Some d' -> D d -> bare d'.
Proof.
  induction k; simpl; [discriminate|]. intros d d' H I. destruct (micro p d) as [[e|]|] eqn:M; [|discriminate|].
  - destruct I as [I|(O1 & O2 & O3 & O4)]; [apply (IHk e); auto; left; eapply micro_R; eauto|].
    unfold micro, is_failing in M. rewrite O2, O3, O4 in M. simpl in M. discriminate.
  - destruct I as [I|(O1 & O2 & O3 & O4)].
    2: { rewrite O1 in H. simpl in H. injection H as <-. intros _. exact O4. }
    pose proof I as (I1 & I2 & _). rewrite I1 in H. simpl in H. unfold close_run in H. destruct (situation p (cursors d)) eqn:S; simpl in H.
    + destruct (cancel_over _ _ _ H I) as [(_ & _ & _ & O4) _]. intros _. exact O4.
    + injection H as <-. intros [Q|Q]; congruence.
    + destruct (fire_places p d T_fail [] _) as [e|] eqn:E; [|discriminate]. apply (fire_places_R P_running) in E; auto. destruct E as (E1 & _).
      apply fire_run_inv in H as (H1 & _). rewrite E1 in H1. apply running_row in H1. intros [Q|Q]; congruence.
    + injection H as <-. intros [Q|Q]; congruence.
    + apply fire_run_inv in H as (H1 & _). rewrite I1 in H1. apply running_row in H1. intros [Q|Q]; congruence.
    + apply fire_run_inv in H as (_ & _ & _ & H4). intros _. rewrite H4. apply no_endings; auto. apply quiet; auto.
    + exfalso. unfold situation in S. destruct (find _ joint) as [x|] eqn:E; [|discriminate]. apply find_some in E as [E _].
      repeat (destruct E as [E|E]; [subst x; discriminate|]). destruct E.
Qed.
Lemma advance_bare k d v vs d' : advance p k d (v :: vs) = Some d' -> G d -> bare d'.
Proof.
  unfold advance. intros H I. simpl in H. destruct (apply p d v) as [e|] eqn:E; [|rewrite (fold_none (fun d v => apply p d v)) in H; discriminate].
  destruct (fold_left _ vs (Some e)) as [g|] eqn:F; [|discriminate].
  assert (DG : D g).
  { apply apply_D in E; auto. clear H. revert e E F. induction vs as [|u vs IH]; simpl; intros e E F; [injection F as <-; auto|].
    destruct (apply p e u) as [h|] eqn:U; [eapply IH; [|exact F]; eapply apply_DD; eauto|].
    rewrite (fold_none (fun d v => apply p d v)) in F. discriminate. }
  destruct (settle p k g) as [h|] eqn:S; [|discriminate]. injection H as <-. apply settle_bare in S; auto.
Qed.
(* LAW-8: a run has failed if and only if a component in it has failed, no call is owed and nothing was cancelled. *)
Lemma situation_first d x : situation p (cursors d) = x -> x = L_some_failed -> (exists c, In c (cursors d) /\ ph c = P_failed) /\ ~ owes_an O_call d.
Proof.
  intros S ->. cbv beta iota delta [situation joint find fst] in S.
  repeat match type of S with context [if existsb ?g ?l then _ else _] => let E := fresh "E" in destruct (existsb g l) eqn:E; try discriminate S end.
  split.
  - apply in_situation in E1 as (c & I & L). exists c. split; auto. unfold line_of, failed_ in L. destruct (ph c =p P_cancelled); [discriminate|].
    destruct (ph c =p P_failed) eqn:F; [apply internal_phase_dec_bl; auto|]. destruct (owes_ p c) as [[]|]; discriminate.
  - intros (c & I & L). apply owes_line in L. assert (existsb (fun c => line_beq L_calls_owed (line_of p c)) (cursors d) = true); [|congruence].
    apply in_situation. eauto.
Qed.
Theorem failed_iff d : G d -> (run d = P_failed <-> (exists c, In c (cursors d) /\ ph c = P_failed) /\ ~ owes_an O_call d).
Proof.
  intros (_ & _ & C). split.
  - intros F. rewrite F in C. eapply situation_first; eauto.
  - intros [(c & I & F) NC]. assert (LF : line_of p c = L_some_failed) by (unfold line_of, failed_; rewrite F; reflexivity).
    assert (EF : existsb (fun c => line_beq L_some_failed (line_of p c)) (cursors d) = true) by (apply in_situation; eauto).
    assert (EC : existsb (fun c => line_beq L_calls_owed (line_of p c)) (cursors d) = false).
    { apply not_true_is_false. intros Q. apply in_situation in Q as (y & Y & L). apply NC. exists y. split; auto. pose proof (line_owes y) as Q. rewrite L in Q. auto. }
    destruct (run d); auto; exfalso; try contradiction; try (rewrite C in I; destruct I);
    unfold situation, joint, find, fst in C; rewrite EF, EC in C;
    (match type of C with context [if ?b then _ else _] => destruct b end); solve [discriminate C | destruct C as [C|C]; discriminate C].
Qed.
End ends.
