(* CONF-1, CONF-5, CONF-6, CONF-7: gates hold, for every well-formed program, every history. *)
Require Import List Arith Bool Lia. Import ListNotations.
Require Import Tables Core Checker Rows.

Section gates.
Variable p : program.
Notation N := (get p).
Notation cut := (cut p).

(* the components around an address *)
Inductive Anc : addr -> addr -> Prop :=
| anc1 a : parent (N a) <> 0 -> Anc a (parent (N a))
| ancS a q : parent (N a) <> 0 -> Anc (parent (N a)) q -> Anc a q.

Definition gated a := In G_needs_confirmation (facts (N a)) \/ In G_needs_input (facts (N a)).

Record wf : Prop := {
  w_parent : forall a, a <> 0 -> parent (N a) < a;
  w_root : parent (N 0) = 0;
  w_depth : forall a, parent (N a) <> 0 -> depth (N a) = depth (N (parent (N a))) + extends (kind_ (N (parent (N a))));
  w_next : forall a, next (N a) <> parent (N a) -> parent (N (next (N a))) = parent (N a) /\ depth (N (next (N a))) = depth (N a);
  w_exits : forall a k b, In (k, b) (exits (N a)) -> a <> 0 /\ (parent (N b) = a \/ (b = a /\ beside (kind_ (N a)) = false));
  w_leaves : forall a, leaves (N a) = a \/ leaves (N a) = 0 \/ Anc a (leaves (N a));
  w_gate : forall a, gated a -> ~ In G_runs_at_once (facts (N a)) /\ ~ In G_needs_route (facts (N a));
  w_run : forall a, mach (N a) = M_run -> ~ gated a;
  w_first : first p <> 0 -> parent (N (first p)) = 0 /\ depth (N (first p)) = 0 }.
Hypothesis W : wf.

(* a person's word that lets a component run, or the clock's where the definition says so *)
Definition word a m := match m_on m with
  | T_confirm | T_amend | T_input => True
  | T_expire => In G_timeout_approves (facts (N a))
  | T_reject => In G_reject_takes_else (facts (N a))
  | _ => False end.
Definition agreed (J : list move) a (t : turn) := gated a ->
  exists m, In m J /\ m_at m = a /\ m_tn m = t /\ asks_first (m_src m) = true /\ word a m.
Definition around_ok J a t := forall q, Anc a q -> agreed J q (cut q t).
Definition stands J a t := agreed J a (cut a t) /\ around_ok J a t.
Definition good J m := owes (m_mach m) (m_dst m) = Some O_call -> stands (m :: J) (m_at m) (m_tn m).
Fixpoint Jok J := match J with [] => True | m :: past => good past m /\ Jok past end.
Definition Pc J c := around_ok J (at_ c) (tn c) /\ (beyond (ph c) = true -> agreed J (at_ c) (cut (at_ c) (tn c)))
  /\ depth (N (at_ c)) <= length (tn c) /\ (kind_ (N (at_ c)) = K_loop \/ length (tn c) = depth (N (at_ c))).
Definition Pf J f := stands J (f_at f) (f_tn f) /\ length (f_tn f) = depth (N (f_at f))
  /\ (forall b, In b (f_rest f) -> parent (N b) = f_at f).
Definition Pe J e := (e_unit e = 0 \/ e_unit e = e_at e \/ Anc (e_at e) (e_unit e))
  /\ around_ok J (e_at e) (e_tn e) /\ depth (N (e_at e)) <= length (e_tn e).
Definition Inv d := Jok (moves d) /\ Forall (Pc (moves d)) (cursors d) /\ Forall (Pc (moves d)) (fresh d)
  /\ Forall (Pf (moves d)) (frames d) /\ Forall (Pe (moves d)) (endings d).
Definition Step d d' := Inv d' /\ incl (moves d) (moves d').

(* -- places ------------------------------------------------------------------------------------------------------------------------ *)
Lemma parent_zero_or a : a = 0 \/ parent (N a) < a.
Proof. destruct (Nat.eq_dec a 0); auto. right. apply (w_parent W); auto. Qed.
Lemma anc_inv a q : Anc a q -> parent (N a) <> 0 /\ (q = parent (N a) \/ Anc (parent (N a)) q).
Proof. intros H; inversion H; subst; auto. Qed.
Lemma anc_trans a b c : Anc a b -> Anc b c -> Anc a c.
Proof. induction 1; intros; [apply ancS | apply ancS]; auto. Qed.
Lemma anc_depth a q : Anc a q -> depth (N q) <= depth (N a).
Proof. induction 1 as [a Z|a q Z Z1 IH]; rewrite (w_depth W a Z); lia. Qed.
Lemma anc_parent_eq a b q : parent (N a) = parent (N b) -> Anc a q -> Anc b q.
Proof. intros E H. apply anc_inv in H as [Z [->|Z2]]; rewrite E in *; [apply anc1 | apply ancS]; auto. Qed.
Lemma anc_linear a q : Anc a q -> forall r, Anc a r -> q = r \/ Anc q r \/ Anc r q.
Proof.
  induction 1 as [a Z|a q Z Z1 IH]; intros r R; apply anc_inv in R as [_ [->|R]]; auto.
Qed.
Lemma anc_lt a q : Anc a q -> q < a /\ q <> 0.
Proof.
  induction 1 as [a H|a q H Z1 IH]; (destruct (parent_zero_or a) as [->|L]; [rewrite (w_root W) in H; congruence|]); split; auto; lia.
Qed.
Lemma ancf_sound k : forall a q, In q (ancf p k a) -> Anc a q.
Proof.
  induction k; simpl; [tauto|]. intros a q. unfold is_root. destruct (Nat.eqb_spec (parent (N a)) 0); simpl; [tauto|].
  intros [<-|H]; [apply anc1|apply ancS]; auto.
Qed.
Lemma ancf_complete a q : Anc a q -> forall k, a <= k -> In q (ancf p k a).
Proof.
  induction 1 as [a H|a q H Z1 IH]; intros k L; destruct (parent_zero_or a) as [->|L2]; try (rewrite (w_root W) in H; congruence);
  (destruct k; [lia|]); simpl; unfold is_root; destruct (Nat.eqb_spec (parent (N a)) 0); try congruence; simpl; auto.
  right. apply IH. lia.
Qed.
Lemma within_spec a u : within p a u = true <-> u = 0 \/ Anc a u.
Proof.
  unfold within, is_root. rewrite orb_true_iff, Nat.eqb_eq, existsb_exists. split; intros [H|H]; auto.
  - destruct H as (q & I & E). apply Nat.eqb_eq in E as <-. right. eapply ancf_sound; eauto.
  - right. exists u. rewrite Nat.eqb_refl. split; auto. apply ancf_complete; auto.
Qed.
Lemma cut_cut a q t : Anc a q -> cut q (cut a t) = cut q t.
Proof. intros H. unfold Core.cut. rewrite firstn_firstn. f_equal. apply anc_depth in H. lia. Qed.
Lemma cut_same a t : cut a (cut a t) = cut a t.
Proof. unfold Core.cut. rewrite firstn_firstn. f_equal. lia. Qed.
Lemma cut_app a t u : depth (N a) <= length t -> cut a (t ++ u) = cut a t.
Proof. intros H. unfold Core.cut. rewrite firstn_app. replace (depth (N a) - length t) with 0 by lia. simpl. apply app_nil_r. Qed.
Lemma cut_len a t : depth (N a) <= length t -> length (cut a t) = depth (N a).
Proof. intros. unfold Core.cut. rewrite firstn_length. lia. Qed.
Lemma cut_all a t : length t = depth (N a) -> cut a t = t.
Proof. intros H. unfold Core.cut. rewrite <- H. apply firstn_all. Qed.

(* -- more history only adds ---------------------------------------------------------------------------------------------------------- *)
Lemma agreed_mono J J' a t : incl J J' -> agreed J a t -> agreed J' a t.
Proof. intros I H G. destruct (H G) as (m & M & R). exists m. split; auto. Qed.
Lemma around_mono J J' a t : incl J J' -> around_ok J a t -> around_ok J' a t.
Proof. intros I H q Q. eapply agreed_mono; eauto. Qed.
Lemma stands_mono J J' a t : incl J J' -> stands J a t -> stands J' a t.
Proof. intros I [A B]. split; [eapply agreed_mono|eapply around_mono]; eauto. Qed.
Lemma Pc_mono J J' c : incl J J' -> Pc J c -> Pc J' c.
Proof. intros I (A & B & C). split; [eapply around_mono; eauto|split; auto]. intros; eapply agreed_mono; eauto. Qed.
Lemma Pf_mono J J' c : incl J J' -> Pf J c -> Pf J' c.
Proof. intros I (A & B & C). split; [eapply stands_mono; eauto|auto]. Qed.
Lemma Pe_mono J J' c : incl J J' -> Pe J c -> Pe J' c.
Proof. intros I (A & B & C). repeat split; auto; eapply around_mono; eauto. Qed.
Lemma Inv_move d m : Inv d -> good (moves d) m -> Inv (add_move d m).
Proof.
  intros (A & B & C & D & E) G. assert (I : incl (moves d) (m :: moves d)) by (intros x; simpl; auto).
  refine (conj (conj G A) (conj _ (conj _ (conj _ _)))); simpl; (eapply Forall_impl; [|eassumption]); intros x; simpl;
    [apply Pc_mono|apply Pc_mono|apply Pf_mono|apply Pe_mono]; auto.
Qed.
Lemma Step_refl d : Inv d -> Step d d. Proof. split; auto. apply incl_refl. Qed.
Lemma Step_trans d e f : Step d e -> Step e f -> Step d f.
Proof. intros [A B] [C D]. split; auto. eapply incl_tran; eauto. Qed.

(* -- firing ---------------------------------------------------------------------------------------------------------------------------- *)
Lemma stands_cut J a t : stands J a t -> stands J a (cut a t).
Proof. intros [A B]. split; [rewrite cut_same; auto|]. intros q Q. rewrite cut_cut; auto. Qed.
Lemma dfire_inv d a t n f tr fs g x d' : dfire p d a t n f tr fs g = Some (x, d') ->
  exists m, d' = add_move d m /\ m_at m = a /\ m_tn m = cut a t /\ m_dst m = x /\ m_mach m = mach (N a) /\ m_src m = f /\ m_on m = tr
    /\ fire (mach (N a)) f tr fs = Some x.
Proof.
  unfold dfire. destruct (fire (mach (N a)) f tr fs) eqn:E; [|discriminate]. intros H; injection H as -> <-.
  eexists; split; [reflexivity|]. simpl. repeat split.
Qed.
Lemma dfire_step d a t n f tr fs g x d' : dfire p d a t n f tr fs g = Some (x, d') -> Inv d ->
  (owes (mach (N a)) x = Some O_call -> stands (moves d') a t) -> Step d d'.
Proof.
  intros H I S. apply dfire_inv in H as (m & -> & A & T & D & M & _). split; [|simpl; intros y; simpl; auto].
  apply Inv_move; auto. intros O. rewrite M, D in O. rewrite A, T. apply stands_cut. apply S, O.
Qed.
Lemma dfire_stands d a t n f tr fs g x d' : dfire p d a t n f tr fs g = Some (x, d') -> Inv d -> stands (moves d) a t -> Step d d'.
Proof.
  intros H I S. eapply dfire_step; eauto. intros _. apply dfire_inv in H as (m & -> & _). eapply stands_mono; eauto. simpl; intros y; simpl; auto.
Qed.
Definition tame fs a := forall g, In g [G_runs_at_once; G_needs_route; G_timeout_approves; G_reject_takes_else] -> In g fs -> In g (facts (N a)).
Lemma minus_in g fs gs : In g (minus fs gs) -> In g fs.
Proof. unfold minus. rewrite filter_In. tauto. Qed.
Lemma cursor_facts_tame tr c : tame (cursor_facts tr (N (at_ c)) c) (at_ c).
Proof.
  intros g G H.
  destruct tr; simpl in H; auto;
  unfold after_interrupt, after_error, after_rejection, after_failure, after_answer, after_asking in H;
  repeat (match goal with H : context [if ?b then _ else _] |- _ => destruct b end); auto;
  try (apply minus_in in H; assumption);
  destruct H as [<-|H]; try (apply minus_in in H; assumption); try assumption;
  simpl in G; repeat (destruct G as [G|G]; [discriminate|]); destruct G.
Qed.
Lemma fire_agreed d c tr g x d' :
  dfire p d (at_ c) (tn c) (att c) (ph c) tr (cursor_facts tr (N (at_ c)) c) g = Some (x, d') ->
  Pc (moves d) c -> beyond x = true -> agreed (moves d') (at_ c) (cut (at_ c) (tn c)).
Proof.
  intros H (A & B & _) X G. pose proof (cursor_facts_tame tr c) as T.
  apply dfire_inv in H as (m & -> & MA & MT & MD & MM & MS & MO & F).
  apply in_rows_fire in F as (r & R & S & O & D & F).
  pose proof (every_row_in _ gate_rows _ _ R) as E. unfold gate_row in E.
  assert (I : incl (moves d) (moves (add_move d m))) by (intros y; simpl; auto).
  repeat rewrite orb_true_iff in E. destruct E as [[[[E|E]|E]|E]|E].
  - apply internal_machine_dec_bl in E. destruct (w_run W _ E G).
  - rewrite D, X in E. discriminate.
  - rewrite S in E. apply (agreed_mono _ _ _ _ I (B E)). exact G.
  - apply andb_prop in E as [E1 E2]. exists m. simpl. split; auto. split; auto. split; auto. rewrite MS, <- S. split; auto.
    unfold word. rewrite MO, <- O. unfold agreeing in E2.
    destruct (on r); auto; try discriminate; apply internal_guard_dec_bl in E2; rewrite E2 in F;
      (destruct F as [F|F]; [discriminate|]; apply T; simpl; auto 6).
  - apply andb_prop in E as [E1 E2]. apply (w_gate W) in G as [G1 G2].
    destruct (when r); try discriminate; (destruct F as [F|F]; [discriminate|]); apply T in F; simpl; auto; contradiction.
Qed.

(* -- building states --------------------------------------------------------------------------------------------------------------------- *)
Lemma Inv_cursors d l : Inv d -> Forall (Pc (moves d)) l -> Inv (set_cursors d l).
Proof. intros (A & B & C & D & E) H. exact (conj A (conj H (conj C (conj D E)))). Qed.
Lemma Inv_freshes d l : Inv d -> Forall (Pc (moves d)) l -> Inv (set_fresh d l).
Proof. intros (A & B & C & D & E) H. exact (conj A (conj B (conj H (conj D E)))). Qed.
Lemma Inv_frames d l : Inv d -> Forall (Pf (moves d)) l -> Inv (set_frames d l).
Proof. intros (A & B & C & D & E) H. exact (conj A (conj B (conj C (conj H E)))). Qed.
Lemma Inv_endings d l : Inv d -> Forall (Pe (moves d)) l -> Inv (set_endings d l).
Proof. intros (A & B & C & D & E) H. exact (conj A (conj B (conj C (conj D H)))). Qed.
Lemma Inv_result d x : Inv d -> Inv (set_result d x).
Proof. intros (A & B & C & D & E). exact (conj A (conj B (conj C (conj D E)))). Qed.
Lemma Inv_cursor d c : Inv d -> Pc (moves d) c -> Inv (add_cursor d c).
Proof. intros I H. apply Inv_cursors; auto. apply Forall_app; split; auto. apply I. Qed.
Lemma Inv_fresh d cs : Inv d -> Forall (Pc (moves d)) cs -> Inv (add_fresh d cs).
Proof. intros I H. apply Inv_freshes; auto. apply Forall_app; split; auto. apply I. Qed.
Lemma Inv_frame d f : Inv d -> Pf (moves d) f -> Inv (add_frame d f).
Proof. intros I H. apply Inv_frames; auto. apply Forall_app; split; auto. apply I. Qed.
Lemma Inv_ending d e : Inv d -> Pe (moves d) e -> Inv (add_ending d e).
Proof. intros I H. apply Inv_endings; auto. apply Forall_app; split; auto. apply I. Qed.
Lemma Forall_sub {A} (P : A -> Prop) l k : (forall x, In x k -> In x l) -> Forall P l -> Forall P k.
Proof. rewrite !Forall_forall. auto. Qed.
Lemma Forall_filter {A} (P : A -> Prop) f l : Forall P l -> Forall P (filter f l).
Proof. apply Forall_sub. intros x. rewrite filter_In. tauto. Qed.

Lemma turn_eqb_eq a b : turn_eqb a b = true -> a = b.
Proof.
  revert b. induction a; destruct b; simpl; try discriminate; auto. intros H. apply andb_prop in H as [H1 H2].
  apply Nat.eqb_eq in H1. f_equal; auto.
Qed.
Lemma pop_in a t l : forall f r, pop a t l = Some (f, r) -> f_at f = a /\ f_tn f = t /\ In f l /\ (forall x, In x r -> In x l).
Proof.
  induction l as [|g k IH]; simpl; [discriminate|]. intros f r.
  destruct ((f_at g =? a) && turn_eqb (f_tn g) t) eqn:E.
  - intros H; injection H as <- <-. apply andb_prop in E as [E1 E2]. apply Nat.eqb_eq in E1. apply turn_eqb_eq in E2. auto.
  - destruct (pop a t k) as [[h s]|] eqn:P; [|discriminate]. intros H; injection H as <- <-.
    destruct (IH _ _ eq_refl) as (A & B & C & D). repeat split; auto. simpl. intros x [<-|X]; auto.
Qed.
Lemma frame_step d a t f d' : frame_ d a t = Some (f, d') -> Inv d ->
  Inv d' /\ moves d' = moves d /\ f_at f = a /\ f_tn f = t /\ Pf (moves d) f.
Proof.
  unfold frame_. destruct (pop a t (frames d)) as [[g r]|] eqn:P; [|discriminate]. intros H I; injection H as <- <-.
  apply pop_in in P as (A & B & C & D). destruct I as (I1 & I2 & I3 & I4 & I5).
  assert (F : Forall (Pf (moves d)) r) by (eapply Forall_sub; eauto).
  refine (conj _ (conj eq_refl (conj A (conj B _)))); [|rewrite Forall_forall in I4; apply I4; auto].
  exact (conj I1 (conj I2 (conj I3 (conj F I5)))).
Qed.

Lemma stands_app J a t u : depth (N a) <= length t -> stands J a t -> stands J a (t ++ u).
Proof.
  intros L [A B]. split; [rewrite cut_app; auto|]. intros q Q. rewrite cut_app; auto. apply anc_depth in Q. lia.
Qed.
Lemma stands_uncut J a t : stands J a (cut a t) -> stands J a t.
Proof. intros [A B]. split; [rewrite <- cut_same; auto|]. intros q Q. rewrite <- (cut_cut a); auto. Qed.
Lemma around_up J a t : parent (N a) <> 0 -> around_ok J a t -> stands J (parent (N a)) t.
Proof. intros P A. split; [apply A, anc1; auto|]. intros q Q. apply A. apply ancS; auto. Qed.
Lemma child_ok J b t pr la : (parent (N b) <> 0 -> stands J (parent (N b)) t) -> length t = depth (N b) -> Pc J (pending_ b t pr la).
Proof.
  intros S L. split; [|split; [|split]]; simpl; auto; [|discriminate|lia].
  intros q Q. apply anc_inv in Q as [Z [->|Q]]; destruct (S Z) as [A B]; auto.
Qed.
Lemma inner_ok J a b t pr la : a <> 0 -> parent (N b) = a -> stands J a t -> length t = depth (N a) + extends (kind_ (N a)) ->
  Pc J (pending_ b t pr la).
Proof.
  intros Z P S L. subst a. apply child_ok; auto. rewrite (w_depth W b Z). exact L.
Qed.
Lemma framed_ok J c others : stands J (at_ c) (tn c) -> depth (N (at_ c)) <= length (tn c) ->
  (forall b, In b others -> parent (N b) = at_ c) -> Pf J (framed p c others).
Proof. intros S L H. split; [apply stands_cut; auto|]. split; auto. apply cut_len; auto. Qed.
Lemma exit_in n tr b : exit_ n tr = Some b -> exists k, In (k, b) (exits n).
Proof.
  unfold exit_. destruct (find _ (exits n)) as [[k x]|] eqn:F; [|discriminate]. simpl. intros H; injection H as <-.
  apply find_some in F as [F _]. eauto.
Qed.
Lemma iterate_step d c d' : iterate p d c = Some d' -> Inv d -> kind_ (N (at_ c)) = K_loop -> stands (moves d) (at_ c) (tn c) ->
  depth (N (at_ c)) <= length (tn c) -> Step d d'.
Proof.
  unfold iterate.
  destruct (exit_ (N (at_ c)) T_enter) as [b|] eqn:E; [|discriminate]. intros H I K S L; injection H as <-.
  apply exit_in in E as [k E]. apply (w_exits W) in E as [Z [E|[_ E]]]; [|rewrite K in E; discriminate].
  split; [|apply incl_refl]. apply Inv_fresh; [apply Inv_frame; auto; apply framed_ok; auto; simpl; tauto|].
  constructor; auto. apply (inner_ok _ (at_ c)); auto.
  - apply stands_app; [rewrite cut_len; auto|]. apply stands_cut; auto.
  - rewrite K, app_length, cut_len; auto.
Qed.

Lemma own_ok J f x t out du a : f_at f = a -> stands J a t -> depth (N a) <= length t ->
  kind_ (N a) = K_loop \/ length t = depth (N a) -> Pc J (own_ f x t out du).
Proof. intros <- [A B] L. split; [|split; [|split]]; simpl; auto. Qed.
Lemma init_cut q t : length t = S (depth (N q)) -> init_ t = cut q t.
Proof. intros L. unfold init_, Core.cut. rewrite removelast_firstn_len, L. reflexivity. Qed.

Definition fine d (o : onward) a := match o with None => True | Some (t, _, _) => stands (moves d) a t /\ length t = depth (N a) end.
Lemma close_step d a t pr la d' o : close p d (parent (N a)) a t pr la = Some (d', o) -> Inv d -> parent (N a) <> 0 ->
  around_ok (moves d) a t -> length t = depth (N a) -> Step d d' /\ fine d' o (parent (N a)).
Proof.
  intros H I Z A L. pose proof (around_up _ _ _ Z A) as S. rewrite (w_depth W a Z) in L. set (q := parent (N a)) in *.
  unfold close in H. destruct (kind_ (N q)) eqn:K; simpl in L; rewrite ?Nat.add_0_r, ?Nat.add_1_r in L.
  1,2,6,7,8: unfold close_group in H; destruct (dfire p d q t 0 _ _ _ pr) as [[x e]|] eqn:F; [|discriminate];
    injection H as <- <-; pose proof (dfire_stands _ _ _ _ _ _ _ _ _ _ F I S) as [J1 J2]; split; [split; auto|];
    simpl; split; auto; eapply stands_mono; eauto.
  - unfold close_loop in H. rewrite (init_cut q t L) in H.
    destruct (frame_ d q (cut q t)) as [[f e]|] eqn:FR; [|discriminate].
    apply frame_step in FR as (I1 & M1 & FA & FT & PF); auto.
    destruct (dfire p e q _ (f_att f) _ _ _ pr) as [[x g]|] eqn:F; [|discriminate].
    assert (S1 : stands (moves e) q (cut q t)) by (rewrite M1; apply stands_cut; auto).
    pose proof (dfire_stands _ _ _ _ _ _ _ _ _ _ F I1 S1) as [J1 J2]. pose proof J2 as J3. rewrite M1 in J2.
    assert (S2 : stands (moves g) q t) by exact (stands_mono _ _ _ _ J2 S).
    assert (D : depth (N q) <= length t) by lia.
    destruct (x =p P_completed).
    + injection H as <- <-. split; [split; auto|]. simpl. split; [apply stands_cut; auto|]. apply cut_len; lia.
    + destruct (x =p P_running).
      * destruct (iterate p g _) as [h|] eqn:IT; [|discriminate]. injection H as <- <-.
        assert (ST : Step g h) by (eapply iterate_step; [exact IT|auto|simpl; rewrite FA; auto..]).
        destruct ST as [T1 T2]. split; [split; auto; eapply incl_tran; eauto|simpl; auto].
      * injection H as <- <-. split; [split; auto|simpl; auto]. apply Inv_cursor; auto. eapply own_ok; eauto.
  - unfold close_router in H. rewrite (init_cut q t L) in H.
    destruct (frame_ d q (cut q t)) as [[f e]|] eqn:FR; [|discriminate].
    apply frame_step in FR as (I1 & M1 & FA & FT & PF); auto.
    destruct (dfire p e q _ (f_att f) _ _ _ pr) as [[x g]|] eqn:F; [|discriminate].
    assert (S1 : stands (moves e) q (cut q t)) by (rewrite M1; apply stands_cut; auto).
    pose proof (dfire_stands _ _ _ _ _ _ _ _ _ _ F I1 S1) as [J1 J2]. rewrite M1 in J2.
    assert (S2 : stands (moves g) q t) by exact (stands_mono _ _ _ _ J2 S).
    assert (D : depth (N q) <= length t) by lia.
    destruct (x =p P_completed).
    + injection H as <- <-. split; [split; auto|]. simpl. split; [apply stands_cut; auto|]. apply cut_len; lia.
    + destruct (x =p P_running).
      * destruct (f_rest f) as [|b more] eqn:RE; [discriminate|]. injection H as <- <-. split; [|simpl; auto]. split; [|simpl; auto].
        destruct PF as (P1 & P2 & P3). apply Inv_fresh; [apply Inv_frame; auto|].
        -- split; [|split]; simpl; auto; [eapply stands_mono; eauto|]. intros y Y. apply P3. rewrite RE. simpl; auto.
        -- constructor; auto. apply (inner_ok _ q); auto; [rewrite <- FA; apply P3; rewrite RE; simpl; auto|rewrite K; simpl; lia].
      * injection H as <- <-. split; [split; auto|simpl; auto]. apply Inv_cursor; auto. eapply own_ok; eauto; [apply stands_cut; auto|..]; rewrite cut_len; auto; lia.
  - unfold close_parallel in H.
    destruct (frame_ d q t) as [[f e]|] eqn:FR; [|discriminate].
    apply frame_step in FR as (I1 & M1 & FA & FT & PF); auto.
    destruct (length _ <? length _).
    + injection H as <- <-. split; [|simpl; auto]. split; [|rewrite <- M1; apply incl_refl]. apply Inv_frame; auto. rewrite M1.
      destruct PF as (P1 & P2 & P3). split; [|split]; simpl; auto.
    + destruct (dfire p e q t 0 _ _ _ _) as [[x g]|] eqn:F; [|discriminate]. injection H as <- <-.
      assert (S1 : stands (moves e) q t) by (rewrite M1; auto).
      pose proof (dfire_stands _ _ _ _ _ _ _ _ _ _ F I1 S1) as [J1 J2]. rewrite M1 in J2. split; [split; auto|].
      simpl. split; auto. eapply stands_mono; eauto.
Qed.

Lemma go_on_step k : forall d a t pr la d', go_on p k d a t pr la = Some d' -> Inv d -> around_ok (moves d) a t ->
  length t = depth (N a) -> Step d d'.
Proof.
  induction k as [|k IH]; simpl; [discriminate|]. intros d a t pr la d' H I A L.
  destruct (Nat.eqb_spec (next (N a)) (parent (N a))) as [E|E].
  - unfold is_root in H. destruct (Nat.eqb_spec (parent (N a)) 0) as [Z|Z].
    + injection H as <-. split; [apply Inv_result; auto|apply incl_refl].
    + destruct (close p d (parent (N a)) a t pr la) as [[e o]|] eqn:C; [|discriminate].
      apply close_step in C as [[C1 C2] C3]; auto. destruct o as [[[u pr'] la']|].
      * destruct C3 as [[C3 C4] C5]. apply IH in H; auto. exact (Step_trans _ _ _ (conj C1 C2) H).
      * injection H as <-. split; auto.
  - injection H as <-. destruct (w_next W a E) as [P D]. split; [|apply incl_refl]. apply Inv_fresh; auto. constructor; auto.
    apply child_ok; [|rewrite D; lia]. rewrite P. intros Z. apply around_up; auto.
Qed.
Lemma past_step d a t pr la d' : past p d a (cut a t) pr la = Some d' -> Inv d -> around_ok (moves d) a t ->
  depth (N a) <= length t -> Step d d'.
Proof.
  intros H I A L. eapply go_on_step; eauto; [|apply cut_len; auto]. intros q Q. rewrite cut_cut; auto.
Qed.

(* -- one event ------------------------------------------------------------------------------------------------------------------------------ *)
Definition chosen a (cs : list addr) := forall b, In b cs -> parent (N b) = a /\ a <> 0.
Lemma descend_step d c tr choices d' : descend p d c tr choices = Some d' -> Inv d -> stands (moves d) (at_ c) (tn c) ->
  depth (N (at_ c)) <= length (tn c) -> kind_ (N (at_ c)) = K_loop \/ length (tn c) = depth (N (at_ c)) ->
  chosen (at_ c) choices -> Step d d'.
Proof.
  intros H I S L LE CH. unfold descend in H. destruct (kind_ (N (at_ c))) eqn:K.
  3: eapply iterate_step; eauto.
  all: destruct LE as [LE|LE]; [discriminate|].
  3: { destruct choices as [|b others]; [discriminate|]. injection H as <-. destruct (CH b (or_introl eq_refl)) as [PB Z].
       split; [|apply incl_refl]. apply Inv_fresh; [apply Inv_frame; auto; apply framed_ok; auto; intros y Y; apply CH; simpl; auto|].
       constructor; auto. apply (inner_ok _ (at_ c)); auto; [apply stands_app; auto|rewrite K, app_length; simpl; lia]. }
  3: { injection H as <-. split; [|apply incl_refl]. apply Inv_fresh; [apply Inv_frame; auto; apply framed_ok; auto; simpl; tauto|].
       rewrite Forall_forall. intros x X. apply in_map_iff in X as ([k b] & <- & X). apply (w_exits W) in X as [Z [X|[_ X]]];
         [|rewrite K in X; discriminate]. apply (inner_ok _ (at_ c)); auto. rewrite K; simpl; lia. }
  all: destruct (exit_ (N (at_ c)) tr) as [b|] eqn:E; [|discriminate]; destruct (Nat.eqb_spec b (at_ c)) as [EB|EB];
    [ unfold close_group in H; destruct (dfire p d (at_ c) (tn c) 0 _ _ _ _) as [[x e]|] eqn:F; [|discriminate];
      pose proof (dfire_stands _ _ _ _ _ _ _ _ _ _ F I S) as ST; destruct ST as [J1 J2];
      assert (S2 : stands (moves e) (at_ c) (tn c)) by exact (stands_mono _ _ _ _ J2 S);
      apply (Step_trans _ e); [split; auto|]; unfold past in H; eapply go_on_step; eauto; apply S2
    | injection H as <-; split; [|apply incl_refl]; apply Inv_fresh; auto; constructor; auto;
      apply exit_in in E as [k E]; apply (w_exits W) in E as [Z [E|[E _]]]; [|contradiction];
      apply (inner_ok _ (at_ c)); auto; rewrite K; simpl; lia ].
Qed.

Lemma Pc_around J c : Pc J c -> around_ok J (at_ c) (tn c). Proof. intros H; apply H. Qed.
Lemma home_anc a : home p a = 0 \/ Anc a (home p a).
Proof.
  unfold home. destruct (find _ (anc p a)) as [q|] eqn:F; auto. right. apply find_some in F as [F _]. eapply ancf_sound; eauto.
Qed.
Lemma complete_step d c tr g d' : complete p d c tr g = Some d' -> Inv d -> Pc (moves d) c -> Step d d'.
Proof.
  unfold complete. intros H I (A & _ & L & _). destruct (_ || _).
  - injection H as <-. split; [|apply incl_refl]. apply Inv_ending; auto. split; [|split]; simpl; auto.
    destruct (home_anc (at_ c)); auto.
  - eapply past_step; eauto.
Qed.
Lemma skip_step d c tr d' : skip p d c tr = Some d' -> Inv d -> Pc (moves d) c -> Step d d'.
Proof.
  unfold skip. intros H I (A & _ & L & _). destruct (_ || _); [|eapply past_step; eauto].
  destruct (leaves _ =? _); [eapply past_step; eauto|].
  injection H as <-. split; [|apply incl_refl]. apply Inv_ending; auto. split; [|split]; simpl; auto.
  destruct (w_leaves W (at_ c)) as [E|[E|E]]; auto.
Qed.
Lemma beq_refl_p x : (x =p x) = true. Proof. apply internal_phase_dec_lb; auto. Qed.
Lemma owes_beyond m x : m <> M_run -> owes m x = Some O_call -> beyond x = true.
Proof. destruct m, x; simpl; auto; discriminate. Qed.
Lemma owes_run x : owes M_run x = None. Proof. destruct x; reflexivity. Qed.
Lemma take_step d c tr choices num d' : take p d c tr choices num = Some d' -> Inv d -> Pc (moves d) c -> chosen (at_ c) choices -> Step d d'.
Proof.
  intros H I P CH. unfold take in H.
  destruct (dfire p d (at_ c) (tn c) (att c) (ph c) tr _ _) as [[x e]|] eqn:F; [|discriminate].
  pose proof (fire_agreed _ _ _ _ _ _ F P) as G.
  assert (ST : Step d e).
  { eapply dfire_step; eauto. intros O.
    assert (B : beyond x = true). { eapply owes_beyond; [|exact O]. intros M. rewrite M, owes_run in O. discriminate. }
    split; [apply G; auto|]. pose proof (dfire_inv _ _ _ _ _ _ _ _ _ _ F) as (m & -> & _). eapply around_mono; [|apply P]. simpl; intros y; simpl; auto. }
  apply (Step_trans _ e); auto. destruct ST as [I2 IN]. pose proof (Pc_mono _ _ _ IN P) as P2.
  destruct ((x =p P_running) && _) eqn:E1.
  - apply andb_prop in E1 as [E1 _]. apply internal_phase_dec_bl in E1. subst x.
    eapply descend_step; eauto; [split; [apply G; reflexivity|apply P2]|apply P2|apply P2].
  - destruct (x =p P_completed); [eapply complete_step; eauto|]. destruct (x =p P_skipped); [eapply skip_step; eauto|].
    injection H as <-. split; [|apply incl_refl]. apply Inv_cursor; auto.
    destruct P2 as (P3 & P4 & P5 & P6). split; [|split; [|split]]; simpl; auto.
Qed.

(* -- folds ------------------------------------------------------------------------------------------------------------------------------------ *)
Lemma fold_none {A} (b : draft -> A -> option draft) l : fold_left (fun o x => do d <- o; b d x) l None = None.
Proof. induction l; simpl; auto. Qed.
Lemma fold_step {A} (b : draft -> A -> option draft) (Q : list move -> A -> Prop)
  (QM : forall J J' x, incl J J' -> Q J x -> Q J' x)
  (B : forall d x d', b d x = Some d' -> Inv d -> Q (moves d) x -> Step d d') l :
  forall d d', fold_left (fun o x => do d <- o; b d x) l (Some d) = Some d' -> Inv d -> Forall (Q (moves d)) l -> Step d d'.
Proof.
  induction l as [|x l IH]; simpl; intros d d' H I F.
  - injection H as <-. apply Step_refl; auto.
  - inversion F as [|y k Q1 Q2]; subst. destruct (b d x) as [e|] eqn:E; [|rewrite fold_none in H; discriminate].
    pose proof (B _ _ _ E I Q1) as [S1 S2]. apply (Step_trans _ e); [split; auto|]. apply IH; auto.
    eapply Forall_impl; [|exact Q2]. intros y. apply QM; auto.
Qed.

Definition SP J (x : place) := stands J (fst x) (snd x).
Lemma SP_mono J J' x : incl J J' -> SP J x -> SP J' x. Proof. intros; eapply stands_mono; eauto. Qed.
Lemma around_places J a t into : around_ok J a t -> Forall (SP J) into -> Forall (SP J) (around p a t into).
Proof.
  intros A. unfold around.
  assert (G : Forall (SP J) (map (fun q => (q, cut q t)) (anc p a))).
  { rewrite Forall_forall. intros x X. apply in_map_iff in X as (q & <- & X). apply ancf_sound in X. simpl.
    split; simpl; [rewrite cut_same; auto|]. intros r R. rewrite cut_cut; auto. apply A. eapply anc_trans; eauto. }
  revert into G. generalize (map (fun q => (q, cut q t)) (anc p a)). induction l as [|x l IH]; simpl; auto.
  intros into G F. inversion G; subst. apply IH; auto. unfold put_place. match goal with |- context [if ?b then _ else _] => destruct b end; auto. apply Forall_app; auto.
Qed.
Lemma around_fold {A} J (f : A -> addr) (g : A -> turn) l : Forall (fun x => around_ok J (f x) (g x)) l ->
  forall into, Forall (SP J) into -> Forall (SP J) (fold_left (fun l x => around p (f x) (g x) l) l into).
Proof.
  induction 1; simpl; auto. intros into F. apply IHForall. apply around_places; auto.
Qed.
Lemma insert_forall (Q : place -> Prop) x l : Q x -> Forall Q l -> Forall Q (insert p x l).
Proof. induction 2; simpl; auto. destruct (inner p x x0); auto. Qed.
Lemma inner_forall (Q : place -> Prop) l : Forall Q l -> Forall Q (innermost_first p l).
Proof. induction 1; simpl; auto. apply insert_forall; auto. Qed.
Lemma Inv_around d : Inv d -> Forall (fun c => around_ok (moves d) (at_ c) (tn c)) (cursors d ++ fresh d)
  /\ Forall (fun e => around_ok (moves d) (e_at e) (e_tn e)) (endings d).
Proof.
  intros (_ & B & C & _ & E). split; [apply Forall_app; split|]; (eapply Forall_impl; [|eassumption]); intros x X; apply X.
Qed.
Lemma open_places d : Inv d -> Forall (SP (moves d)) (open_nodes p d).
Proof. intros I. apply Inv_around in I as [A B]. apply inner_forall, around_fold; auto. apply around_fold; auto. Qed.
Lemma fire_one d x n f tr fs g : forall d', (do y <- dfire p d (fst x) (snd x) n f tr fs g; Some (snd y)) = Some d' -> Inv d -> SP (moves d) x -> Step d d'.
Proof.
  intros d' H I S. destruct (dfire p d (fst x) (snd x) n f tr fs g) as [[y e]|] eqn:F; [|discriminate]. injection H as <-.
  eapply dfire_stands; eauto.
Qed.
Lemma fire_cancel_step d c d' : fire_cancel p d c = Some d' -> Inv d -> Pc (moves d) c -> Step d d'.
Proof.
  unfold fire_cancel. intros H I P. destruct (p_in _ _); [|injection H as <-; apply Step_refl; auto].
  destruct (dfire p d _ _ _ _ T_cancel _ _) as [[x e]|] eqn:F; [|discriminate]. injection H as <-.
  eapply dfire_step; eauto. intros O. exfalso. apply dfire_inv in F as (m & _ & _ & _ & _ & _ & _ & _ & F).
  apply in_rows_fire in F as (r & R & _ & ON & D & _).
  assert (E : every_row (fun m r => negb (on r =t T_cancel) || (dst r =p P_cancelled)) = true) by (vm_compute; reflexivity).
  apply (every_row_in _ E) in R. rewrite ON in R. simpl in R. apply internal_phase_dec_bl in R. rewrite <- D, R in O.
  destruct (mach (N (at_ c))); discriminate.
Qed.
Lemma fire_run_step d tr d' : fire_run d tr = Some d' -> Inv d -> Step d d'.
Proof.
  unfold fire_run. destruct (fire M_run (run d) tr []) as [x|]; [|discriminate]. intros H I; injection H as <-.
  split; [|simpl; intros y; simpl; auto].
  assert (X : Inv (add_move d (Move M_run 0 [] 0 (run d) tr x (if x =p P_completed then result d else None)))).
  { apply Inv_move; auto. intros O. change (owes M_run x = Some O_call) in O. rewrite owes_run in O. discriminate. }
  exact X.
Qed.
Lemma fire_places_step d tr fs l d' : fire_places p d tr fs l = Some d' -> Inv d -> Forall (SP (moves d)) l -> Step d d'.
Proof.
  unfold fire_places. intros H I F. eapply (fold_step _ SP SP_mono); [|exact H|exact I|exact F].
  intros e x e' E. exact (fire_one _ _ _ _ _ _ _ _ E).
Qed.
Lemma cancel_step d d' : cancel p d = Some d' -> Inv d -> Step d d'.
Proof.
  unfold cancel. intros H I. pose proof (open_places _ I) as O.
  destruct (fold_left _ (cursors d) (Some d)) as [e|] eqn:F; [|discriminate].
  assert (S1 : Step d e).
  { eapply (fold_step _ Pc Pc_mono); [|exact F|exact I|apply I]. intros ? ? ?. apply fire_cancel_step. }
  destruct S1 as [S1 S2]. destruct (fire_places p e T_cancel [] _) as [g|] eqn:G; [|discriminate].
  apply fire_places_step in G as [G1 G2]; auto; [|eapply Forall_impl; [|exact O]; intros x; apply SP_mono; auto].
  apply fire_run_step in H as [H1 H2].
  - split; auto. eapply incl_tran; [exact S2|]. eapply incl_tran; [exact G2|]. exact H2.
  - refine (conj _ (conj _ (conj _ (conj _ _)))); simpl; auto. apply G1.
Qed.

Lemma end_early_step d e ins d' : end_early p d e ins = Some d' -> Inv d -> Pe (moves d) e -> Forall (Pc (moves d)) ins -> Step d d'.
Proof.
  unfold end_early. intros H I PE PI.
  destruct (fold_left _ ins (Some _)) as [d1|] eqn:F1; [|discriminate].
  assert (S1 : Step d d1).
  { apply (Step_trans _ (set_cursors d (filter (fun c => negb (inside_ p (e_unit e) (e_tn e) c)) (cursors d)))).
    - split; [|apply incl_refl]. apply Inv_cursors; auto. apply Forall_filter. apply I.
    - eapply (fold_step _ Pc Pc_mono); [|exact F1| |exact PI].
      + intros ? ? ?. apply fire_cancel_step.
      + apply Inv_cursors; auto. apply Forall_filter. apply I. }
  match type of H with match ?F with _ => _ end = _ => destruct F as [d2|] eqn:F2; [|discriminate] end.
  assert (S2 : Step d1 d2).
  { eapply (fold_step _ SP SP_mono); [|exact F2|apply S1|].
    - intros d5 x d6 B I5 P5. unfold end_one in B. destruct (gone_ p (e_unit e) (fst x)).
      + destruct (existsb _ (around _ _ _ _)); exact (fire_one _ _ _ _ _ _ _ _ B I5 P5).
      + injection B as <-. apply Step_refl; auto.
    - eapply Forall_impl; [intros x; apply SP_mono; apply S1|]. apply inner_forall, around_fold.
      + eapply Forall_impl; [|exact PI]. intros c P; apply P.
      + apply around_fold; [apply Inv_around; auto|]. apply around_places; auto. apply PE. }
  pose proof (Step_trans _ _ _ S1 S2) as [I2 IN].
  match type of H with (if _ then Some (set_result ?x _) else _) = _ => set (d4 := x) in * end.
  assert (M4 : moves d4 = moves d2) by reflexivity.
  assert (I4 : Inv d4).
  { unfold d4. apply Inv_endings; [apply Inv_frames; auto; apply Forall_filter; apply I2|]. simpl.
    rewrite Forall_forall. intros y Y. apply in_map_iff in Y as (x & <- & X). apply filter_In in X as [X G].
    assert (PX : Pe (moves d2) x). { destruct I2 as (_ & _ & _ & _ & E2). rewrite Forall_forall in E2. auto. }
    destruct (within p (e_at x) (e_unit e)) eqn:WI; auto. apply within_spec in WI. apply negb_true_iff in G.
    unfold gone_ in G. apply orb_false_iff in G as [G1 G2]. apply Nat.eqb_neq in G1.
    assert (NW : ~ (e_unit e = 0 \/ Anc (e_unit x) (e_unit e))). { rewrite <- within_spec. congruence. }
    destruct WI as [WI|WI]; [tauto|]. destruct PX as (U & A & L). split; [|split]; simpl.
    - destruct U as [U|[U|U]]; auto; [rewrite U in NW; tauto|].
      destruct (anc_linear _ _ U _ WI) as [Q|[Q|Q]]; auto; tauto.
    - intros q Q. rewrite cut_cut; auto. apply A. eapply anc_trans; eauto.
    - rewrite cut_len; [lia|]. apply anc_depth in WI. lia. }
  unfold is_root in H. destruct (Nat.eqb_spec (e_unit e) 0) as [Z|Z].
  - injection H as <-. split; [apply Inv_result; auto|exact IN].
  - destruct (existsb _ (endings d4)); [injection H as <-; split; [exact I4|exact IN]|].
    assert (X : Step d4 d').
    { destruct PE as (U & A & L). eapply past_step; [exact H|auto|..].
      - rewrite M4. eapply around_mono; [exact IN|]. destruct U as [U|[U|U]]; [contradiction|rewrite U; auto|].
        intros q Q. apply A. eapply anc_trans; eauto.
      - destruct U as [U|[U|U]]; [contradiction|rewrite U; auto|]. apply anc_depth in U. lia. }
    destruct X as [X1 X2]. split; auto. eapply incl_tran; [exact IN|]. rewrite <- M4. exact X2.
Qed.
Lemma chosen_nil a : chosen a []. Proof. intros b []. Qed.
Lemma begin_step d c d' : begin p d c = Some d' -> Inv d -> Pc (moves d) c -> Step d d'.
Proof.
  unfold begin. intros H I P. destruct (held p d c).
  - injection H as <-. split; [apply Inv_cursor; auto|apply incl_refl].
  - eapply take_step; eauto. apply chosen_nil.
Qed.
Lemma remove1_in {A} (f : A -> bool) l : forall x r, remove1 f l = Some (x, r) -> f x = true /\ In x l /\ (forall y, In y r -> In y l).
Proof.
  induction l as [|a l IH]; simpl; [discriminate|]. intros x r. destruct (f a) eqn:E.
  - intros H; injection H as <- <-. auto.
  - destruct (remove1 f l) as [[y s]|] eqn:R; [|discriminate]. intros H; injection H as <- <-.
    destruct (IH _ _ eq_refl) as (A1 & B1 & C1). repeat split; auto. simpl. intros z [<-|Z]; auto.
Qed.
Lemma micro_step d o d' : micro p d = Some o -> o = Some d' -> Inv d -> Step d d'.
Proof.
  unfold micro. intros H -> I. destruct (fresh d) as [|c beside] eqn:FR.
  - destruct (find (ripe p d) (endings d)) as [e|] eqn:FE.
    + injection H as H. apply find_some in FE as [FE _]. eapply end_early_step; eauto.
      * destruct I as (_ & _ & _ & _ & E). rewrite Forall_forall in E. auto.
      * apply Forall_filter. apply I.
    + destruct (is_failing d); [discriminate|]. destruct (remove1 _ _) as [[c r]|] eqn:R; [|discriminate]. injection H as H.
      apply remove1_in in R as (_ & A & B). destruct I as (I1 & I2 & I3). pose proof (conj I1 (conj I2 I3)) as I.
      apply (Step_trans _ (set_cursors d r)).
      * split; [|apply incl_refl]. apply Inv_cursors; auto. eapply Forall_sub; eauto.
      * eapply begin_step; eauto; [apply Inv_cursors; auto; eapply Forall_sub; eauto|]. rewrite Forall_forall in I2. simpl. auto.
  - injection H as H. destruct (begin p (set_fresh d []) c) as [e|] eqn:B; [|discriminate]. injection H as <-.
    assert (F : Forall (Pc (moves d)) (c :: beside)). { rewrite <- FR. apply I. } inversion F as [|? ? F1 F2]; subst.
    apply begin_step in B as [B1 B2]; [|apply Inv_freshes; auto|auto].
    split; [|exact B2]. apply Inv_fresh; auto. eapply Forall_impl; [|exact F2]. intros x; apply Pc_mono; auto.
Qed.
Lemma close_run_step d d' : close_run p d = Some d' -> Inv d -> Step d d'.
Proof.
  unfold close_run. intros H I. destruct (joint_on _) as [t|]; [|injection H as <-; apply Step_refl; auto].
  assert (G : forall u, fire_run d u = Some d' -> Step d d') by (intros; eapply fire_run_step; eauto).
  destruct t; eauto.
  - eapply cancel_step; eauto.
  - destruct (fire_places p d T_fail [] (open_nodes p d)) as [e|] eqn:F; [|discriminate].
    apply fire_places_step in F; auto; [|apply open_places; auto]. apply (Step_trans _ e); auto. eapply fire_run_step; eauto. apply F.
Qed.
Lemma settle_step k : forall d d', settle p k d = Some d' -> Inv d -> Step d d'.
Proof.
  induction k; simpl; [discriminate|]. intros d d' H I. destruct (micro p d) as [[e|]|] eqn:M; [|discriminate|].
  - pose proof (micro_step _ _ _ M eq_refl I) as S. apply (Step_trans _ e); auto. apply IHk; auto. apply S.
  - destruct (run d =p P_running); [eapply close_run_step; eauto|]. injection H as <-. apply Step_refl; auto.
Qed.
Definition event_ok v := chosen (v_at v) (v_choices v) /\ NoDup (v_choices v).
Lemma report_step d v d' : report p d v = Some d' -> Inv d -> event_ok v -> Step d d'.
Proof.
  unfold report. intros H I E. destruct ((v_on v =t T_resume) || _); [discriminate|].
  destruct (remove1 (matches v) (cursors d)) as [[c r]|] eqn:R; [|discriminate]. destruct (unfit _ _ _); [discriminate|].
  apply remove1_in in R as (M & A & B). unfold matches in M. apply andb_prop in M as [M _]. apply andb_prop in M as [M _].
  apply Nat.eqb_eq in M. destruct I as (I1 & I2 & I3). pose proof (conj I1 (conj I2 I3)) as I.
  assert (P : Pc (moves d) c). { rewrite Forall_forall in I2; auto. }
  assert (I0 : Inv (set_cursors d r)). { apply Inv_cursors; auto. eapply Forall_sub; eauto. }
  destruct (if run (set_cursors d r) =p P_paused then _ else _) as [e|] eqn:F; [|discriminate].
  assert (S : Step (set_cursors d r) e).
  { destruct (run (set_cursors d r) =p P_paused); [eapply fire_run_step; eauto|injection F as <-; apply Step_refl; auto]. }
  destruct S as [S1 S2]. apply take_step in H as [H1 H2]; auto.
  - split; auto. eapply incl_tran; [exact S2|exact H2].
  - eapply Pc_mono; [exact S2|auto].
  - rewrite M. apply E.
Qed.
Lemma start_step d d' : start p d = Some d' -> Inv d -> Step d d'.
Proof.
  unfold start. intros H I. destruct (fire_run d T_start) as [e|] eqn:F; [|discriminate]. apply fire_run_step in F; auto.
  apply (Step_trans _ e); auto. unfold is_root in H. destruct (Nat.eqb_spec (first p) 0) as [Z|Z].
  - injection H as <-. apply Step_refl, F.
  - injection H as <-. destruct (w_first W Z) as [P D]. split; [|apply incl_refl]. apply Inv_fresh; [apply F|]. constructor; auto.
    apply child_ok; [intros X; rewrite P in X; congruence|symmetry; exact D].
Qed.
Lemma reopen_step d d' : reopen p d = Some d' -> Inv d -> Step d d'.
Proof.
  unfold reopen. intros H I. destruct (negb _); [discriminate|]. destruct (fire_run d T_resume) as [e|] eqn:F; [|discriminate].
  apply fire_run_step in F; auto. destruct F as [F1 F2].
  destruct (fire_places p e T_resume _ _) as [g|] eqn:G; [|discriminate].
  apply fire_places_step in G as [G1 G2]; auto; [|apply Forall_rev, open_places; auto].
  pose proof G1 as (X1 & X2 & X3).
  assert (S : Step (set_cursors g (filter (fun c => negb (failed_ c)) (cursors g))) d').
  { eapply (fold_step _ Pc Pc_mono); [|exact H| |].
    - intros a x b T J Q. eapply take_step; [exact T|exact J|exact Q|apply chosen_nil].
    - apply Inv_cursors; auto. apply Forall_filter; auto.
    - apply Forall_filter; auto. }
  destruct S as [S1 S2]. split; auto. eapply incl_tran; [exact F2|]. eapply incl_tran; [exact G2|exact S2].
Qed.
Lemma apply_step d v d' : apply p d v = Some d' -> Inv d -> event_ok v -> Step d d'.
Proof.
  unfold apply. intros H I E. destruct (is_root _); [|exact (report_step _ _ _ H I E)].
  destruct (v_on v); solve [exact (report_step _ _ _ H I E) | exact (start_step _ _ H I) | exact (cancel_step _ _ H I) | exact (reopen_step _ _ H I)].
Qed.
Lemma sorted_in {A} le (l : list A) x : In x (sorted le l) -> In x l.
Proof.
  induction l as [|a l IH]; simpl; auto. revert IH. generalize (sorted le l). induction l0 as [|b k IH2]; simpl.
  - intros _ [<-|[]]; auto.
  - intros IH. destruct (le a b); simpl; [intros [<-|[<-|H]]; auto|]. intros [<-|H]; [right; apply IH; auto|].
    apply IH2 in H; auto.
Qed.
Lemma tidy_inv d : Inv d -> Inv (tidy d).
Proof.
  intros (A & B & C & D & E). refine (conj A (conj _ (conj (Forall_nil _) (conj _ E)))); simpl;
    (eapply Forall_sub; [intros x X; eapply sorted_in; exact X|auto]).
Qed.
Theorem advance_step k d vs d' : advance p k d vs = Some d' -> Inv d -> Forall event_ok vs -> Step d d'.
Proof.
  unfold advance. intros H I E. destruct (fold_left _ vs (Some d)) as [e|] eqn:F; [|discriminate].
  assert (S : Step d e).
  { eapply (fold_step _ (fun _ => event_ok)); [auto| |exact F|auto|auto]. intros a v b X J V. eapply apply_step; eauto. }
  destruct (settle p k e) as [g|] eqn:G; [|discriminate]. injection H as <-. apply settle_step in G; [|apply S].
  pose proof (Step_trans _ _ _ S G) as [T1 T2]. split; [apply tidy_inv; auto|exact T2].
Qed.
End gates.

(* -- what follows: for every well-formed program, every history of events ------------------------------------------------------------------- *)
Inductive reach (p : program) : draft -> Prop :=
| reach0 : reach p beginning
| reachS d vs k d' : reach p d -> Forall (event_ok p) vs -> advance p k d vs = Some d' -> reach p d'.

Theorem reach_inv p d : wf p -> reach p d -> Inv p d.
Proof.
  intros W. induction 1 as [|d vs k d' R IH E A].
  - repeat split; simpl; auto.
  - eapply advance_step; eauto.
Qed.

Lemma Jok_split p J : Jok p J -> forall later m past, J = later ++ m :: past -> good p past m.
Proof.
  induction J as [|x J IH]; simpl; intros H later m past E; [destruct later; discriminate|].
  destruct later as [|y later]; injection E as -> ->; [apply H|]. eapply IH; [apply H|reflexivity].
Qed.

(* CONF-1, CONF-7, CONF-8: whenever in a run's journal a call begins (of a step, an evaluator, a selector, an end condition, a predicate), then
   for its component and for each one around it that is gated, in that turn, a person had agreed before: the journal up to there has a move out
   of its question, by confirm or input, or by an expiry where the definition says approve, or, of a Condition, by a rejection that takes else. *)
Theorem gates_hold p d later m past q : wf p -> reach p d -> moves d = later ++ m :: past -> owes (m_mach m) (m_dst m) = Some O_call ->
  q = m_at m \/ Anc p (m_at m) q -> gated p q ->
  exists w, In w (m :: past) /\ m_at w = q /\ m_tn w = cut p q (m_tn m) /\ asks_first (m_src w) = true /\ word p q w.
Proof.
  intros W R E O Q G. apply (reach_inv p d W) in R as (J & _). apply (Jok_split p _ J) in E. destruct (E O) as [A B].
  destruct Q as [->|Q]; [apply A|apply B]; auto.
Qed.

(* CONF-6: an error pause, a review, an automatic retry of a gated component, or a failure comes only after its gate. *)
Theorem confirmed_before p d c : wf p -> reach p d -> In c (cursors d) -> beyond (ph c) = true -> gated p (at_ c) ->
  exists w, In w (moves d) /\ m_at w = at_ c /\ m_tn w = cut p (at_ c) (tn c) /\ asks_first (m_src w) = true /\ word p (at_ c) w.
Proof.
  intros W R I B G. apply (reach_inv p d W) in R as (_ & C & _). rewrite Forall_forall in C. destruct (C _ I) as (_ & A & _). apply A; auto.
Qed.
