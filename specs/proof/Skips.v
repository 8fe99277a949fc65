(* RUN-1, SKIP-1, SKIP-2: what a component finds as the content before it is what the component before it in its list handed on: its output, or
   None where it was skipped and is no transparent group that was skipped by no error. For every history. *)
Require Import List Arith Bool Lia Permutation. Import ListNotations.
Require Import Tables Core Checker Rows Gates Ends Positions Once.

Section skips.
Variable p : program.
Notation N := (get p).
Notation cut := (cut p).
Hypothesis W : wf p.
Hypothesis W2 : wf2 p.
Hypothesis X : wf3 p.

Definition before b a := b <> 0 /\ next (N b) = a /\ next (N b) <> parent (N b).
Definition by_error w := t_in (m_on w) [T_fail; T_skip; T_leave] || (m_src w =p P_errored_paused).
(* what a row that ends a component hands on; nothing is said of a transparent group that is skipped by no error *)
Definition hands b w : option (option source) := match m_dst w with
  | P_completed => Some (m_gives w)
  | P_skipped => if transparent (N b) && negb (by_error w) then None else Some None
  | _ => None end.
Definition told (J : list move) a (t : turn) (pr : option source) := forall b w x, before b a -> In w J -> ends w -> m_at w = b -> m_tn w = cut a t ->
  hands b w = Some x -> x = pr.
Definition Said (J : list move) a (t : turn) (pr : option source) := forall w x, In w J -> ends w -> m_at w = a -> m_tn w = cut a t -> hands a w = Some x -> x = pr.
(* a person gave the step another content in place of the previous one (GATE-11, ERR-12): it is under the step's own name *)
Definition given c := mach (N (at_ c)) = M_step /\ exists n, prev c = Some (Ref (at_ c) (tn c) n).
Definition pvc J c := ~ given c -> told J (at_ c) (tn c) (prev c).
Definition pvf J f := told J (f_at f) (f_tn f) (f_prev f).
Definition left_none e := e_how e = T_leave -> e_prev e = None.
Record PV d EC : Prop := { v_c : Forall (pvc (moves d)) (EC ++ cursors d ++ fresh d); v_f : Forall (pvf (moves d)) (frames d); v_e : Forall left_none (endings d) }.
Notation Way d a t s EC := (Way p d a t s (map (cpos p) EC)).

Lemma before_same b a : before b a -> parent (N b) = parent (N a) /\ depth (N b) = depth (N a) /\ a <> 0.
Proof. intros (_ & <- & NP). destruct (next_parent p W b NP) as [P Z]. split; [auto|]. split; auto. apply (same_depth p W X). auto. Qed.
Lemma before_listed b a : before b a -> listed p (parent (N a)).
Proof.
  intros B. pose proof (before_same _ _ B) as (P & _). destruct B as (_ & _ & NP). rewrite <- P. destruct (Nat.eq_dec (parent (N b)) 0) as [Z|Z]; [left; auto|].
  right. split; intros K; apply NP, (x_beside p X); auto.
Qed.
Lemma told_cut J a t u pr : cut a t = cut a u -> told J a t pr -> told J a u pr.
Proof. intros E H b w x B I D A T. rewrite <- E in T. eauto. Qed.
Lemma told_add J m a t pr : told J a t pr -> (ends m -> before (m_at m) a -> m_tn m = cut a t -> False) -> told (m :: J) a t pr.
Proof. intros H C b w x B [<-|I] D A T; [subst b; destruct (C D B T)|eauto]. Qed.
Lemma no_neighbour x y a : Div p x y -> before (pa x) a -> pa y = a -> cut a (pt y) = cut (pa x) (pt x) -> False.
Proof.
  intros DV B E T. pose proof (before_same _ _ B) as (P & DE & AZ). destruct B as (XZ & NX & NP). subst a.
  destruct (div_split p W _ _ (next (N (pa x))) DV) as [[Q K]|[[Q K]|[Q _]]]; auto; [rewrite <- E; apply At_refl| | |].
  - apply NP, (x_beside p X); rewrite P; auto.
  - apply K. rewrite <- P. right. apply anc1. congruence.
  - destruct Q as [Q|Q].
    + pose proof (x_index p X (pa x) NP) as I. rewrite <- Q in I. lia.
    + apply (anc_at p) in Q. rewrite P in Q. destruct (next_parent p W _ NP) as [P2 _]. pose proof (w_parent p W _ AZ) as L. destruct Q as [Q|Q]; [lia|].
      apply (anc_lt p W) in Q. lia.
Qed.
Lemma no_frame J F x f : Good p J F x -> FrameOk p J f -> before (pa x) (f_at f) -> f_tn f = cut (pa x) (pt x) -> False.
Proof.
  intros G K B T. pose proof (before_same _ _ B) as (P & DE & AZ). pose proof (before_listed _ _ B) as L. destruct B as (XZ & NX & NP).
  destruct (g_levels _ _ _ _ G (pa x) (At_refl _ _)) as [L1 _ _ _]. apply (chain_last p X (pa x) NP). rewrite NX.
  apply (L1 (eq_ind _ (listed p) L _ (eq_sym P)) (f_at f) (f_tn f) (f_at f)); auto; [apply (k_entered _ _ _ K)|apply At_refl|].
  rewrite (cut_same_depth p (f_at f) (pa x)) by auto. rewrite T. apply cut_same.
Qed.
Lemma pv_move d EC m : PV d EC -> ~ ends m -> PV (add_move d m) EC.
Proof.
  intros [A B C] NE. constructor; simpl; auto.
  - eapply Forall_impl; [|exact A]. intros y Y NG. apply told_add; [apply Y; exact NG|contradiction].
  - eapply Forall_impl; [|exact B]. intros y Y. apply told_add; [exact Y|contradiction].
Qed.
Lemma pv_end d EC m a t s : PV d EC -> Way d a t s EC -> m_at m = a -> m_tn m = cut a t -> PV (add_move d m) EC.
Proof.
  intros [A B C] [[G D I] _] MA MT. constructor; simpl; auto.
  - rewrite Forall_forall in *. intros y Y NG. apply told_add; [apply A; auto|]. intros _ BE T. rewrite MA in BE. assert (YI : In (cpos p y) (map (cpos p) EC ++ spots p d)).
    { apply in_app_or in Y as [Y|Y]; apply in_or_app; [left; apply in_map; auto|right; apply spots_in; apply in_app_or in Y as [Y|Y]; eauto 6]. }
    apply (no_neighbour (Pos a t s) (cpos p y) (at_ y)); auto. simpl. congruence.
  - rewrite Forall_forall in *. intros f FI. apply told_add; [apply B; auto|]. intros _ BE T. rewrite MA in BE. pose proof (i_frames _ _ _ _ I) as FO. rewrite Forall_forall in FO.
    pose proof (before_same _ _ BE) as (_ & DE & _). apply (no_frame _ _ (Pos a t s) f G (FO f FI)); auto. simpl. rewrite <- MT, T. symmetry. apply cut_all. apply (k_length _ _ _ (FO f FI)).
Qed.
Lemma chain_step b a : chain p b a -> b = a \/ chain p (next (N b)) a.
Proof. induction 1 as [a|b a H IH NP]; auto. destruct IH as [->|IH]; right; [apply chain0|apply chainS; auto]. Qed.
Lemma told_next d EC a t pr : Way d a t Over EC -> length t = depth (N a) -> next (N a) <> parent (N a) -> Said (moves d) a t pr -> told (moves d) (next (N a)) t pr.
Proof.
  intros [[G D I] _] L NP S b w x B WI WE WA WT H. pose proof (before_same _ _ B) as (P & DE & AZ). destruct (next_parent p W a NP) as [PN _]. pose proof B as (BZ & NB & NPB).
  assert (BA : before a (next (N a))). { split; [exact (g_zero _ _ _ _ G)|auto]. } pose proof (before_listed _ _ BA) as LI. rewrite PN in LI. pose proof (before_same _ _ BA) as (_ & DA & _).
  destruct (g_levels _ _ _ _ G a (At_refl _ _)) as [L1 _ _ _]. simpl in L1.
  assert (CH : chain p b a).
  { apply (L1 LI b (m_tn w) b); auto; [|apply At_refl|congruence|].
    - apply (ended_entered p _ _ _ (i_fair _ _ _ _ I)). exists w. auto.
    - rewrite WT. rewrite (cut_same_depth p b (next (N a))) by auto. rewrite cut_same. apply cut_same_depth. auto. }
  apply chain_step in CH as [->|CH].
  - apply (S w x); auto. rewrite WT. apply cut_same_depth. auto.
  - exfalso. rewrite NB in CH. apply (chain_last p X a NP). exact CH.
Qed.
(* nothing inside a component that has just been opened has ended in the turn in which its child begins *)
Lemma told_first J F a t n b u pr : Good p J F (Pos a t (Open n)) -> Fair p J -> parent (N b) = a -> cut a u = cut a t -> depth (N a) <= depth (N b) ->
  (turns_inside p a -> nth (depth (N a)) (cut b u) 0 = n) -> told J b u pr.
Proof.
  intros G FJ PB T DD NN b2 w x B WI WE WA WT H. exfalso. pose proof (before_same _ _ B) as (P & DE & _). assert (EN : entered J b2 (m_tn w)) by (apply (ended_entered p _ _ _ FJ); exists w; auto).
  assert (C2 : cut b2 (m_tn w) = cut b u) by (rewrite WT, (cut_same_depth p b2 b) by auto; apply cut_same).
  destruct (inside_entry p W _ _ _ _ _ G b2 b2 (m_tn w) (cut b u)) as [TI LT]; auto using At_refl; try congruence.
  - rewrite <- T. apply cut_at; auto. right. apply anc_up; auto. exact (g_zero _ _ _ _ G).
  - rewrite <- (nth_cut p b2 (m_tn w)), C2, NN in LT; auto; [lia|]. pose proof (g_zero _ _ _ _ G) as Z. simpl in Z.
    rewrite (w_depth p W b2) by congruence. rewrite P, PB. destruct TI as [K|K]; rewrite K; simpl; lia.
Qed.

Lemma fires_gives d a t n f tr fs g x d' : dfire p d a t n f tr fs g = Some (x, d') -> exists m, d' = add_move d m /\ m_at m = a /\ m_tn m = cut a t
  /\ m_dst m = x /\ m_on m = tr /\ m_src m = f /\ fire (mach (N a)) f tr fs = Some x /\ (ends m <-> over_ x = true) /\ m_gives m = (if x =p P_completed then g else None).
Proof.
  intros H. pose proof H as H0. apply fires in H0 as (m & E0 & A & B & C & D & F & E); auto. exists m. subst d'.
  assert (Q : m = Move (mach (N a)) a (cut a t) n f tr x (if x =p P_completed then g else None)).
  { unfold dfire in H. rewrite F in H. injection H as H. auto. }
  refine (conj eq_refl (conj A (conj B (conj C (conj D (conj _ (conj F (conj E _)))))))); rewrite Q; reflexivity.
Qed.
Lemma st_add d c EC : PV d EC -> pvc (moves d) c -> PV (add_cursor d c) EC.
Proof.
  intros [A B C] H. constructor; simpl; auto. rewrite !Forall_app in *. destruct A as (A1 & A2 & A3). repeat split; auto.
Qed.
Lemma st_adds d cs EC : PV d EC -> Forall (pvc (moves d)) cs -> PV (add_fresh d cs) EC.
Proof. intros [A B C] H. constructor; simpl; auto. rewrite !Forall_app in *. destruct A as (A1 & A2 & A3). repeat split; auto. Qed.
Lemma st_frame d f EC : PV d EC -> pvf (moves d) f -> PV (add_frame d f) EC.
Proof. intros [A B C] H. constructor; simpl; auto. apply Forall_app; auto. Qed.
Lemma st_pop d f r EC : PV d EC -> Permutation (frames d) (f :: r) -> PV (set_frames d r) EC /\ pvf (moves d) f.
Proof. intros [A B C] H. pose proof (forall_perm _ _ _ H B) as B2. inversion B2; subst. split; auto. constructor; auto. Qed.
Lemma pv_iterate d c d' EC n : iterate p d c = Some d' -> kind_ (N (at_ c)) = K_loop -> Good p (moves d) (frames d) (Pos (at_ c) (tn c) (Open n)) -> Fair p (moves d) ->
  n = number p c -> told (moves d) (at_ c) (tn c) (prev c) -> PV d EC -> PV d' EC.
Proof.
  unfold iterate. intros H K G FJ NE PC V. destruct (exit_ (N (at_ c)) T_enter) as [b|] eqn:EX; [|discriminate]. injection H as <-.
  apply exit_in in EX as [k EX]. apply (w_exits p W) in EX as [Z [PB|[_ PB]]]; [|rewrite K in PB; discriminate].
  pose proof (g_length _ _ _ _ G) as GL. simpl in GL. assert (DB : depth (N b) = S (depth (N (at_ c)))) by (rewrite (w_depth p W b) by congruence; rewrite PB, K; simpl; lia).
  set (nr := if depth (N (at_ c)) <? length (tn c) then S (nth (depth (N (at_ c))) (tn c) 0) else 0). fold nr.
  destruct (cut_snoc p (at_ c) (tn c) nr b GL DB) as (S1 & S2 & S3).
  apply st_adds; [apply st_frame; auto|].
  - unfold pvf, framed. simpl. eapply told_cut; [|exact PC]. symmetry. apply cut_same.
  - constructor; [|constructor]. unfold pvc. simpl. intros _. eapply told_first; eauto; [lia|]. intros _. rewrite nth_cut by lia. rewrite S3. rewrite NE. unfold number. rewrite K. reflexivity.
Qed.
Lemma said_end d EC a t s m pr : Way d a t s EC -> live (Pos a t s) -> m_at m = a -> m_tn m = cut a t -> (m_dst m = P_completed -> m_gives m = pr) ->
  (m_dst m = P_skipped -> hands a m = Some None -> pr = None) -> Said (m :: moves d) a t pr.
Proof.
  intros [[G D I] _] L MA MT C S w x [<-|WI] WE WA WT H.
  - unfold hands in H. destruct WE as [_ [E|[E|E]]]; rewrite E in H; try discriminate.
    + destruct (transparent (N a) && negb (by_error m)) eqn:TT; [discriminate|]. injection H as <-. symmetry. apply S; auto. unfold hands. rewrite E, TT. auto.
    + injection H as <-. auto.
  - exfalso. apply (g_live _ _ _ _ G (live_not _ L)). exists w. auto.
Qed.
Lemma finish_said d EC q t y d' n f fs g : Way d q t Left EC -> dfire p d q t n f T_finish fs g = Some (y, d') -> PV d EC -> PV d' EC /\ Said (moves d') q t g.
Proof.
  intros WY F V. apply fires_gives in F as (m & -> & MA & MT & MD & MO & _ & FI & EN & MG). split; [eapply pv_end; eauto|].
  eapply said_end; eauto; [right; auto| |].
  - intros E. rewrite MG, <- MD, E. reflexivity.
  - intros E _. exfalso. pose proof (way _ _ _ _ _ FI (not_run p W2 q)) as (_ & _ & _ & Y). rewrite <- MD, E in Y. discriminate (Y eq_refl eq_refl).
Qed.
Lemma done_in a pr (dn : list (addr * option source)) brs b : length brs <= length (flat_map (fun b : nat => match option_map snd (find (fun x : nat * option source => fst x =? b) ((a, pr) :: dn)) with
  Some g => [(b, g)] | None => [] end) brs) -> In b brs -> b = a \/ In b (map fst dn).
Proof.
  set (l := (a, pr) :: dn). intros L B. assert (H : In b (map fst (flat_map (fun b : nat => match option_map snd (find (fun x : nat * option source => fst x =? b) l) with
    Some g => [(b, g)] | None => [] end) brs))).
  { apply full; auto. intros z. destruct (option_map snd (find (fun x : nat * option source => fst x =? z) l)); simpl; auto. }
  apply in_map_iff in H as ([c2 v] & <- & CI). apply in_flat_map in CI as (z & _ & CI). simpl.
  destruct (option_map snd (find (fun x : nat * option source => fst x =? z) l)) eqn:FD; [|destruct CI]. destruct CI as [CI|[]]. injection CI as -> ->.
  destruct (find (fun x : nat * option source => fst x =? c2) l) as [[y zz]|] eqn:FF; [|discriminate]. apply find_some in FF as [FI FE]. simpl in FE. apply Nat.eqb_eq in FE. subst y.
  unfold l in FI. destruct FI as [FI|FI]; [injection FI as -> _; auto|]. right. apply in_map_iff. eexists; split; [|exact FI]; auto.
Qed.
Lemma said_cut J q t u pr : cut q t = cut q u -> Said J q t pr -> Said J q u pr.
Proof. intros E S w x WI WE WA WT. rewrite <- E in WT. eauto. Qed.
Lemma go_on_PV k : forall d a t pr la d' EC, go_on p k d a t pr la = Some d' -> length t = depth (N a) -> Way d a t Over EC -> Said (moves d) a t pr -> PV d EC -> PV d' EC.
Proof.
  induction k as [|k IH]; simpl; [discriminate|]. intros d a t pr la d' EC H L WY SA V. pose proof WY as [T HW].
  destruct (Nat.eqb_spec (next (N a)) (parent (N a))) as [NP|NP].
  2: { injection H as <-. apply st_adds; auto. constructor; [|constructor]. intros _; eapply told_next; eauto. }
  unfold is_root in H. destruct (Nat.eqb_spec (parent (N a)) 0) as [Z|Z].
  { injection H as <-. destruct V; constructor; auto. }
  destruct (close p d (parent (N a)) a t pr la) as [[e o]|] eqn:C; [|discriminate].
  set (q := parent (N a)) in *. pose proof (w_depth p W a Z) as DE. fold q in DE.
  unfold close in C. destruct (kind_ (N q)) eqn:K; simpl in DE.
  1,2,6,7,8: unfold close_group in C; destruct (dfire p d q t 0 _ _ _ pr) as [[y g]|] eqn:F; [|discriminate]; injection C as <- <-;
    (assert (LQ : Way d q t Left EC) by (split; [|exact HW]; apply (tr_up p W); auto; [lia|fold q; congruence]));
    destruct (finish_said _ _ _ _ _ _ _ _ _ _ LQ F V) as [V2 S2]; eapply IH; [exact H|lia|eapply way_close; eauto|exact S2|exact V2].
  - assert (L1 : length t = S (depth (N q))) by lia. unfold close_loop in C. rewrite (init_len p q t L1) in C.
    destruct (frame_ d q (cut q t)) as [[f e1]|] eqn:FR; [|discriminate]. apply frame_pop in FR as (r & -> & PM & FA & FT).
    destruct (st_pop _ _ _ _ V PM) as [VR PF].
    destruct (dfire p _ q (cut q t) (f_att f) _ _ _ pr) as [[y g]|] eqn:F; [|discriminate].
    assert (LQ : Way (set_frames d r) q (cut q t) Left EC).
    { split; [|exact HW]. apply (tr_cut p W). eapply tr_less; [exact PM|]. apply (tr_up p W); auto; [lia|fold q; congruence]. }
    destruct (y =p P_completed) eqn:C1.
    + injection C as <- <-. destruct (finish_said _ _ _ _ _ _ _ _ _ _ LQ F VR) as [V2 S2].
      eapply IH; [exact H|apply cut_len; lia|eapply way_close; eauto|exact S2|exact V2].
    + assert (LP : Way (set_frames d r) q t (Open (S (nth (depth (N q)) t 0))) EC).
      { split; [|exact HW]. eapply tr_loop with (f := f); eauto. }
      pose proof F as F2. apply fires in F as (m & -> & A & B & CC & D & FI & EN); auto. rewrite cut_same in B.
      assert (NE : ~ ends m).
      { rewrite EN. intros O. pose proof (way _ _ _ _ _ FI (not_run p W2 q)) as (_ & _ & _ & Y). rewrite (Y eq_refl O) in C1. discriminate. }
      apply (way_move p W _ _ _ _ m) in LP; auto; [|left; eexists; reflexivity|congruence].
      assert (DL : depth (N q) <? length t = true) by (apply Nat.ltb_lt; lia). pose proof (pv_move _ _ _ VR NE) as VM.
      assert (PO : forall x du, told (m :: moves d) (at_ (own_ f x t pr du)) (tn (own_ f x t pr du)) (prev (own_ f x t pr du))).
      { intros x du. unfold own_. simpl. apply told_add; [|contradiction]. unfold pvf in PF. rewrite FA, FT in PF. rewrite FA. eapply told_cut; [|exact PF]. apply cut_same. }
      destruct (y =p P_running) eqn:C2.
      * destruct (iterate p _ _) as [h|] eqn:IT; [|discriminate]. injection C as <- <-. injection H as <-.
        eapply pv_iterate; [exact IT|simpl; rewrite FA; auto| | | |apply PO|exact VM].
        -- simpl. rewrite FA. apply LP.
        -- apply LP.
        -- unfold number. simpl. rewrite FA, K, DL. reflexivity.
      * injection C as <- <-. injection H as <-. apply st_add; auto; intros _; apply PO.
  - assert (L1 : length t = S (depth (N q))) by lia. unfold close_router in C. rewrite (init_len p q t L1) in C.
    destruct (frame_ d q (cut q t)) as [[f e1]|] eqn:FR; [|discriminate]. apply frame_pop in FR as (r & -> & PM & FA & FT).
    destruct (st_pop _ _ _ _ V PM) as [VR PF].
    destruct (dfire p _ q (cut q t) (f_att f) _ _ _ pr) as [[y g]|] eqn:F; [|discriminate].
    assert (LQ : Way (set_frames d r) q (cut q t) Left EC).
    { split; [|exact HW]. apply (tr_cut p W). eapply tr_less; [exact PM|]. apply (tr_up p W); auto; [lia|fold q; congruence]. }
    destruct (y =p P_completed) eqn:C1.
    + injection C as <- <-. destruct (finish_said _ _ _ _ _ _ _ _ _ _ LQ F VR) as [V2 S2].
      eapply IH; [exact H|apply cut_len; lia|eapply way_close; eauto|exact S2|exact V2].
    + pose proof (fires p W2 _ _ _ _ _ _ _ _ _ _ F) as (m & -> & A & B & CC & D & FI & EN).
      assert (NE : ~ ends m).
      { rewrite EN. intros O. pose proof (way _ _ _ _ _ FI (not_run p W2 q)) as (_ & _ & _ & Y). rewrite (Y eq_refl O) in C1. discriminate. }
      pose proof (pv_move _ _ _ VR NE) as VM. unfold pvf in PF. rewrite FA, FT in PF.
      destruct (y =p P_running) eqn:C2.
      * destruct (f_rest f) as [|b more] eqn:RE; [discriminate|]. injection C as <- <-. injection H as <-. apply st_adds.
        -- apply st_frame; auto. unfold pvf. simpl. rewrite FA, FT. apply told_add; [exact PF|contradiction].
        -- constructor; [|constructor]. unfold pvc. simpl. intros _ b2 w x BE _ _ _ _ _. exfalso.
           pose proof (i_frames _ _ _ _ (t_inv _ _ _ _ _ T)) as FO. rewrite Forall_forall in FO.
           assert (FI2 : In f (frames d)) by (eapply Permutation_in; [apply Permutation_sym; exact PM|simpl; auto]).
           destruct (k_rest _ _ _ (FO f FI2) b) as (_ & _ & PB & _); [rewrite RE; simpl; auto|]. rewrite FA in PB.
           pose proof (before_same _ _ BE) as (P2 & _). destruct BE as (_ & _ & NP2). apply NP2, (x_beside p X); rewrite P2, PB; auto.
      * injection C as <- <-. injection H as <-. apply st_add; auto. unfold pvc. simpl. intros _. rewrite FA. apply told_add; [exact PF|contradiction].
  - unfold close_parallel in C. rewrite Nat.add_0_r in DE. assert (CQ : cut q t = t) by (apply cut_all; lia).
    destruct (frame_ d q t) as [[f e1]|] eqn:FR; [|discriminate]. apply frame_pop in FR as (r & -> & PM & FA & FT).
    destruct (st_pop _ _ _ _ V PM) as [VR PF].
    match type of C with (if length ?x <? _ then _ else _) = _ => set (od := x) in * end. set (dn := (a, pr) :: f_done f) in *. set (brs := map snd (exits (N q))) in *.
    destruct (length od <? length brs) eqn:LT.
    + injection C as <- <-. injection H as <-. apply st_frame; auto. 
    + destruct (dfire p _ q t 0 _ _ _ _) as [[y g]|] eqn:F; [|discriminate]. injection C as <- <-.
      assert (LQ : Way (set_frames d r) q t Left EC).
      { split; [|exact HW]. eapply tr_less; [exact PM|]. eapply tr_branches with (f := f); eauto; [lia| |exact (eq_trans FT (eq_sym CQ))|].
        - eapply Permutation_in; [apply Permutation_sym; exact PM|simpl; auto].
        - intros b B. apply (done_in a pr (f_done f) brs b); auto. apply Nat.ltb_ge in LT. exact LT. }
      destruct (finish_said _ _ _ _ _ _ _ _ _ _ LQ F VR) as [V2 S2].
      eapply IH; [exact H|lia|eapply way_close; eauto|exact S2|exact V2].
Qed.

(* a step alone is given another content *)
Definition amend_row (m : machine) (r : row) := negb (on r =t T_amend) || machine_beq m M_step.
Lemma amend_rows : every_row amend_row = true. Proof. vm_compute. reflexivity. Qed.
Lemma amends m f tr fs x : fire m f tr fs = Some x -> tr = T_amend -> m = M_step.
Proof.
  intros F Q. apply in_rows_fire in F as (r & R & _ & O & _). pose proof (every_row_in _ amend_rows _ _ R) as E. unfold amend_row in E.
  rewrite O, Q in E. simpl in E. apply internal_machine_dec_bl. exact E.
Qed.
Lemma pv_c1 d c EC : PV d (c :: EC) -> PV d EC /\ pvc (moves d) c.
Proof. intros [A B C]. simpl in A. inversion A; subst. split; auto. constructor; auto. Qed.
Lemma pv_ending d e EC : PV d EC -> left_none e -> PV (add_ending d e) EC.
Proof. intros [A B C] H. constructor; simpl; auto. apply Forall_app; auto. Qed.
Lemma past_PV d a t pr la d' EC : past p d a (cut a t) pr la = Some d' -> depth (N a) <= length t -> Way d a t Over EC -> Said (moves d) a t pr -> PV d EC -> PV d' EC.
Proof.
  unfold past. intros H L WY S V. eapply go_on_PV; [exact H|apply cut_len; auto|apply over_cut; auto| |exact V]. eapply said_cut; [|exact S]. symmetry. apply cut_same.
Qed.
Lemma take_PV d c tr choices num d' EC : take p d c tr choices num = Some d' -> chosen1 p (at_ c) choices -> tr <> T_leave -> St p d (map (cpos p) (c :: EC)) -> PV d (c :: EC) -> PV d' EC.
Proof.
  intros H CH NL S V. pose proof S as [I HW]. simpl in I. unfold take in H. set (a := at_ c) in *.
  destruct (dfire p d a (tn c) (att c) (ph c) tr _ _) as [[x e]|] eqn:F; [|discriminate].
  apply fires_gives in F as (m & -> & MA & MT & MD & MO & MS & FI & EN & MG).
  destruct (fire_entry _ _ _ _ _ FI (not_run p W2 a)) as (TE & NP & TO & FO).
  assert (NC : ph c <> P_cancelled) by (intros Q; rewrite Q in FO; discriminate).
  set (E := map (cpos p) EC) in *. destruct (pv_c1 _ _ _ V) as [V0 PC].
  assert (W0 : exists s, Way d a (tn c) s EC /\ (ph c <> P_pending -> live (Pos a (tn c) s)) /\ s <> Over).
  { exists (ps (cpos p c)). split; [|split].
    - split; [|exact HW]. fold E. apply (tr_of p _ _ (cpos p c)); [exact I|]. unfold cpos. simpl. destruct (ph c); discriminate || contradiction.
    - intros Q. left. unfold cpos. simpl. destruct (ph c); try contradiction; eauto.
    - unfold cpos. simpl. destruct (ph c); discriminate || contradiction. }
  destruct W0 as (s & WY0 & LV0 & NS).
  assert (ST : (over_ x = true /\ Way (add_move d m) a (tn c) Over EC) \/ (over_ x = false /\ exists n, Way (add_move d m) a (tn c) (Open n) EC
     /\ (ph c = P_pending \/ n = number p c) /\ (ph c = P_pending -> forall n2, Way (add_move d m) a (tn c) (Open n2) EC))).
  { fold E. destruct (phase_beq (ph c) P_pending) eqn:PP.
    - apply internal_phase_dec_bl in PP. right. assert (TR : tr = T_enter) by (apply TE; auto). rewrite (TO TR). split; auto.
      assert (GO : forall n, Once.Way p (add_move d m) a (tn c) (Open n) E).
      { intros n. split; [|exact HW]. unfold cpos in I. rewrite PP in I. apply tr_of; [|simpl; congruence].
        apply (enter_inv p W X _ _ m (Pos a (tn c) Fresh) n); auto; try congruence. intros Q. apply EN in Q. rewrite (TO TR) in Q. discriminate. }
      exists 0. split; auto.
    - assert (NT : tr <> T_enter) by (intros Q; apply TE in Q; rewrite Q in PP; discriminate).
      assert (WY : Once.Way p d a (tn c) (Open (number p c)) E).
      { split; [|exact HW]. apply tr_of; [|simpl; congruence]. unfold cpos in I. destruct (ph c); try discriminate; try exact I; contradiction. }
      destruct (over_ x) eqn:OX.
      + left. split; auto. eapply way_end; [exact W|exact WY|left; eexists; reflexivity|congruence|auto|auto].
      + right. split; auto. exists (number p c). split; [|split; auto; intros Q; rewrite Q in PP; discriminate].
        eapply way_move; [exact W|exact WY|left; eexists; reflexivity|congruence|auto|auto|]. intros Q. apply EN in Q. congruence. }
  assert (VO : PV (add_move d m) EC) by (eapply pv_end; eauto).
  assert (GL : depth (N a) <= length (tn c)) by (destruct WY0 as [T0 _]; exact (g_length _ _ _ _ (t_good _ _ _ _ _ T0))).
  assert (LV : over_ x = true -> live (Pos a (tn c) s)).
  { intros OX. apply LV0. intros Q. apply TE in Q. rewrite (TO Q) in OX. discriminate. }
  destruct ((x =p P_running) && _) eqn:E1.
  - apply andb_prop in E1 as [XR HX]. apply internal_phase_dec_bl in XR. rewrite XR in *. destruct ST as [[Q _]|(_ & n & WY & NN & PN)]; [discriminate|].
    assert (NE : ~ ends m) by (intros Q; apply EN in Q; discriminate). pose proof (pv_move _ _ _ V NE) as VM. destruct (pv_c1 _ _ _ VM) as [_ PCM0].
    assert (PCM : told (moves (add_move d m)) a (tn c) (prev c)).
    { apply PCM0. intros [GS _]. fold a in GS. rewrite (x_leaf p X a GS) in HX. discriminate. }
    assert (WN : Way (add_move d m) a (tn c) (Open (number p c)) EC) by (destruct NN as [NN| <-]; auto).
    pose proof WN as [TN _]. pose proof (t_good _ _ _ _ _ TN) as GN. pose proof (g_own _ _ _ _ GN) as ON. unfold Own in ON. simpl in ON. destruct ON as (OL & _).
    pose proof (i_fair _ _ _ _ (t_inv _ _ _ _ _ TN)) as FJ. destruct CH as [CH _].
    assert (PB0 : forall b, parent (N b) = a -> (kind_ (N a) = K_router \/ kind_ (N a) = K_parallel) -> forall u pr, told (moves (add_move d m)) b u pr).
    { intros b PB K u pr b2 w y BE _ _ _ _ _. exfalso. pose proof (before_same _ _ BE) as (P2 & _). destruct BE as (_ & _ & NP2). apply NP2, (x_beside p X); rewrite P2, PB; auto.
      exact (g_zero _ _ _ _ GN). }
    unfold descend in H. fold a in H. destruct (kind_ (N a)) eqn:K.
    3: { eapply pv_iterate; [exact H|exact K|exact GN|exact FJ|reflexivity|exact PCM|exact VO]. }
    3: { destruct choices as [|b others]; [discriminate|]. injection H as <-. apply st_adds; [apply st_frame; auto|].
         - unfold pvf, framed. simpl. fold a. eapply told_cut; [|exact PCM]. symmetry. apply cut_same.
         - constructor; [|constructor]. intros _. apply PB0; auto. apply (CH b); simpl; auto. }
    3: { injection H as <-. apply st_adds; [apply st_frame; auto|].
         - unfold pvf, framed. simpl. fold a. eapply told_cut; [|exact PCM]. symmetry. apply cut_same.
         - rewrite Forall_forall. intros y Y. apply in_map_iff in Y as ([k b] & <- & Y). apply (w_exits p W) in Y as [_ [Y|[_ Y]]]; [|rewrite K in Y; discriminate]. intros _. apply PB0; auto. }
    all: destruct (exit_ (N a) tr) as [b|] eqn:EX; [|discriminate]; destruct OL as [OL|OL]; [discriminate|]; destruct (Nat.eqb_spec b a) as [EB|EB];
      [ unfold close_group in H; destruct (dfire p _ a (tn c) 0 _ _ _ _) as [[y g]|] eqn:F2; [|discriminate]; pose proof F2 as F3;
        apply fires_gives in F2 as (m2 & -> & A2 & B2 & C2 & D2 & _ & FI2 & _ & G2);
        assert (V2 : PV (add_move (add_move d m) m2) EC) by (eapply pv_end; eauto);
        assert (S2 : Said (m2 :: moves (add_move d m)) a (tn c) (prev c));
        [ eapply said_end; [exact WN|left; eexists; reflexivity|exact A2|exact B2|intros Q; rewrite G2, <- C2, Q; reflexivity|];
          intros Q _; exfalso; pose proof (way _ _ _ _ _ FI2 (not_run p W2 a)) as (_ & _ & _ & Y); rewrite <- C2, Q in Y; discriminate (Y eq_refl eq_refl)
        | unfold past in H; eapply go_on_PV; [exact H|exact OL| |exact S2|exact V2]; eapply way_end; [exact W|exact WN|left; eexists; reflexivity|congruence|auto|auto] ]
      | injection H as <-; apply st_adds; [exact VO|]; apply Forall_cons; [|apply Forall_nil]; apply exit_in in EX as [k EX]; apply (w_exits p W) in EX as [Z [PB|[PB _]]]; [|contradiction];
        (assert (DB : depth (N a) <= depth (N b)) by (assert (PZ : parent (N b) <> 0) by (rewrite PB; exact (g_zero _ _ _ _ GN)); rewrite (w_depth p W b PZ), PB; lia));
        intros _; eapply told_first; [exact GN|exact FJ|exact PB|reflexivity|exact DB|unfold turns_inside; rewrite K; intros [Q|Q]; discriminate] ].
  - assert (SK : m_dst m = P_skipped -> forall z, hands a m = Some z -> z = None).
    { intros Q z HZ. unfold hands in HZ. rewrite Q in HZ. destruct (transparent (N a) && negb (by_error m)); [discriminate|]. injection HZ as <-. auto. }
    destruct (x =p P_completed) eqn:E2.
    + apply internal_phase_dec_bl in E2. rewrite E2 in *. destruct ST as [[_ WY]|[Q _]]; [|discriminate].
      assert (SA : Said (m :: moves d) a (tn c) (gives_ p c tr)).
      { eapply said_end; [exact WY0|auto|exact MA|exact MT|intros _; rewrite MG; reflexivity|]. intros Q. rewrite MD in Q. discriminate. }
      unfold complete in H. fold a in H. match type of H with (if ?q then _ else _) = _ => destruct q end; [injection H as <-; apply pv_ending; auto; intros Q; discriminate|]. eapply past_PV; eauto.
    + destruct (x =p P_skipped) eqn:E3.
      * apply internal_phase_dec_bl in E3. rewrite E3 in *. destruct ST as [[_ WY]|[Q _]]; [|discriminate].
        assert (SN : Said (m :: moves d) a (tn c) None).
        { eapply said_end; [exact WY0|auto|exact MA|exact MT|intros Q; rewrite MD in Q; discriminate|auto]. }
        unfold skip in H. fold a in H. destruct (t_in tr [T_fail; T_skip] || (ph c =p P_errored_paused)) eqn:ER.
        -- match type of H with (if ?q then _ else _) = _ => destruct q end; [eapply past_PV; eauto|]. injection H as <-. apply pv_ending; auto. intros _. reflexivity.
        -- assert (SA : Said (m :: moves d) a (tn c) (if transparent (N a) then prev c else None)).
           { destruct (transparent (N a)) eqn:TR; [|exact SN]. eapply said_end; [exact WY0|auto|exact MA|exact MT|intros Q; rewrite MD in Q; discriminate|].
             intros _ HZ. exfalso. unfold hands in HZ. rewrite MD, TR in HZ. simpl in HZ. assert (BE : by_error m = false).
             { unfold by_error. rewrite MO, MS. apply orb_false_iff in ER as [ER1 ER2]. rewrite ER2, orb_false_r. unfold t_in in *. simpl in *.
               apply orb_false_iff in ER1 as [ER1 ER3]. apply orb_false_iff in ER3 as [ER3 _]. rewrite ER1, ER3. simpl. rewrite orb_false_r.
               apply not_true_is_false. intros Q. apply internal_trigger_dec_bl in Q. contradiction. }
             rewrite BE in HZ. discriminate. }
           eapply past_PV; eauto.
      * injection H as <-. unfold rest. fold a. apply st_add; auto. unfold pvc. simpl. intros NG.
        assert (NA : tr <> T_amend).
        { intros Q. apply NG. split; [simpl; exact (amends _ _ _ _ _ FI Q)|]. simpl. rewrite Q. simpl. eexists. reflexivity. }
        assert (TA : (tr =t T_amend) = false) by (apply not_true_is_false; intros Q; apply internal_trigger_dec_bl in Q; contradiction).
        rewrite TA in *. apply told_add; [apply PC; intros [G1 G2]; apply NG; split; [exact G1|exact G2]|]. intros Q BE T.
        assert (OX : over_ x = true) by (apply EN; auto). rewrite MA in BE. unfold before in BE. destruct BE as (_ & Q1 & Q2). pose proof (x_index p X a Q2) as XI. rewrite Q1 in XI. lia.
Qed.

(* -- a component that ends early --------------------------------------------------------------------------------------------------- *)
Lemma turn_of_new d e w : St p d [] -> fresh d = [] -> In e (endings d) -> e_unit e <> 0 -> New p d e w ->
  Positions.At p (m_at w) (e_unit e) /\ cut (e_unit e) (m_tn w) = cut (e_unit e) (e_tn e) /\ (m_at w = e_unit e -> m_tn w = cut (e_unit e) (e_tn e)).
Proof.
  intros [I HW] FR EI UZ (z & ZI & AZ & TZ & AU & _). unfold hows in HW. rewrite Forall_forall in HW. destruct (HW e EI) as [_ [Q|EU]]; [contradiction|].
  assert (E0 : In (epos e) (spots p d)) by (apply spots_in; eauto 6).
  assert (ZU : Positions.At p (pa z) (e_unit e)) by (eapply At_trans; eauto).
  assert (T : cut (e_unit e) (pt z) = cut (e_unit e) (e_tn e)).
  { destruct (in_apart p _ _ _ (epos e) z I E0 ZI) as [<-|[DV|(_ & _ & Q1 & Q2)]]; auto.
    - destruct (div_lift p W _ _ (e_unit e) DV EU) as [[_ Q]|Q]; [symmetry; exact Q|]. exfalso. apply (div_not_in p W _ _ Q). exact ZU.
    - simpl in Q1, Q2. rewrite <- (cut_at p W (pa z) (e_unit e) (pt z) ZU), <- Q2, Q1. apply cut_at; auto. }
  split; [exact AU|]. split.
  - rewrite TZ, (cut_at p W); auto.
  - intros Q. rewrite TZ, Q. exact T.
Qed.
Lemma at_eqb a b : turn_eqb a b = false -> a <> b. Proof. intros H ->. rewrite turn_refl in H. discriminate. Qed.
Lemma early_PV d e d' : end_early p d e (inside p d (e_unit e) (e_tn e)) = Some d' -> St p d [] -> fresh d = [] -> In e (endings d) -> PV d [] -> PV d' [].
Proof.
  intros H S FR EI V. pose proof S as [I HW]. destruct (end_early_mid p W W2 X _ _ _ H S FR EI) as (d4 & S4 & C4 & F4 & E4 & FF & NW & CASES).
  set (u := e_unit e) in *. pose proof V as [VC VF VE].
  assert (VE4 : Forall left_none (endings d4)).
  { rewrite E4. unfold kept. rewrite Forall_forall in *. intros x XI. apply in_map_iff in XI as (y & <- & YI). apply filter_In in YI as [YI _]. unfold moved. destruct (within p (e_at y) (e_unit e)); [|auto].
    intros Q. simpl in *. apply (VE y YI Q). }
  assert (V4 : PV d4 []).
  { destruct (Nat.eq_dec u 0) as [Z|Z].
    - assert (CZ : cursors d4 = []).
      { assert (IT : forall c, inside_ p 0 (e_tn e) c = true).
        { intros c. unfold inside_, Core.cut. rewrite (x_top p X 0) by apply (w_root p W). reflexivity. }
        rewrite C4. unfold stay. fold u. rewrite Z. clear - IT. induction (cursors d) as [|c l IH]; simpl; auto. rewrite IT. auto. }
    assert (FZ : frames d4 = []).
      { assert (GT : forall f, gone_ p 0 (f_at f) && turn_eqb (cut 0 (f_tn f)) (cut 0 (e_tn e)) = true).
        { intros f. unfold gone_, within, is_root, Core.cut. rewrite (x_top p X 0) by apply (w_root p W). simpl. rewrite orb_true_r. reflexivity. }
        rewrite FF, Z. clear - GT. induction (frames d) as [|f l IH]; simpl; auto. rewrite GT. auto. }
      constructor; [rewrite CZ, F4; constructor|rewrite FZ; constructor|exact VE4].
    - destruct (early_inv p W d e S FR EI Z) as (IU & DU & _). fold u in IU, DU. pose proof (i_good _ _ _ _ IU) as GU. apply Forall_inv in GU.
      constructor; auto.
      + simpl. rewrite F4, app_nil_r, C4. simpl in VC. rewrite FR, app_nil_r in VC. rewrite Forall_forall in *. intros y Y NG b w x BE WI WE WA WT HH.
        destruct (NW Z w WI) as [WI2|WN]; [apply filter_In in Y as [Y _]; apply (VC y Y NG b w x); auto|]. exfalso.
        destruct (turn_of_new _ _ _ S FR EI Z WN) as (AU & TU & TU2). fold u in AU, TU, TU2. rewrite WA in *. pose proof (DU y Y) as DV. destruct AU as [AU|AU].
        * rewrite AU in *. eapply (no_neighbour _ _ (at_ y) DV); [exact BE|reflexivity|]. rewrite (TU2 eq_refl) in WT. etransitivity; [symmetry; exact WT|]. symmetry. apply cut_same.
        * apply (div_up_not p W _ _ _ DV). simpl. pose proof (before_same _ _ BE) as (P2 & _). apply (anc_parent_eq p b); auto.
      + rewrite FF. rewrite Forall_forall in *. intros f FI b w x BE WI WE WA WT HH. apply filter_In in FI as [FI GF].
        destruct (NW Z w WI) as [WI2|WN]; [apply (VF f FI b w x); auto|]. exfalso.
        destruct (turn_of_new _ _ _ S FR EI Z WN) as (AU & TU & TU2). fold u in AU, TU, TU2. rewrite WA in *. pose proof (i_frames _ _ _ _ IU) as FO. rewrite Forall_forall in FO. pose proof (FO f FI) as KF.
        assert (FTN : cut (f_at f) (f_tn f) = f_tn f) by (apply cut_all; apply (k_length _ _ _ KF)). rewrite FTN in WT. destruct AU as [AU|AU].
        * rewrite AU in *. apply (no_frame _ _ _ f GU KF); [exact BE|]. rewrite (TU2 eq_refl) in WT. etransitivity; [symmetry; exact WT|]. symmetry. apply cut_same.
        * pose proof (before_same _ _ BE) as (P2 & _). assert (FU : Anc p (f_at f) u) by (apply (anc_parent_eq p b); auto).
          apply negb_true_iff in GF. apply andb_false_iff in GF as [GF|GF].
          -- unfold gone_ in GF. apply orb_false_iff in GF as [_ GF]. assert (within p (f_at f) u = true); [|congruence]. apply (within_spec p W). auto.
          -- apply at_eqb in GF. apply GF. rewrite <- WT. exact TU. }
  destruct CASES as [(_ & ->)|[->|(UZ & WY & PA)]]; [destruct V4; constructor; auto|auto|].
  eapply go_on_PV; [exact PA| |exact WY| |exact V4].
  - apply cut_len. unfold hows in HW. rewrite Forall_forall in HW. destruct (HW e EI) as [_ [HU|HU]]; [contradiction|]. pose proof (i_good _ _ _ _ I) as GG. rewrite Forall_forall in GG.
    assert (GE : In (epos e) ([] ++ spots p d)) by (apply spots_in; eauto 6). pose proof (g_length _ _ _ _ (GG _ GE)) as GL. simpl in GL. pose proof (anc_depth p W _ _ HU). unfold u. lia.
  - intros w x WI WE WA WT HH. destruct (NW UZ w WI) as [WI2|WN].
    + exfalso. unfold hows in HW. rewrite Forall_forall in HW. destruct (HW e EI) as [_ [HU|HU]]; [contradiction|]. pose proof (i_good _ _ _ _ I) as GG. rewrite Forall_forall in GG.
      assert (GE : In (epos e) ([] ++ spots p d)) by (apply spots_in; eauto 6). apply (g_around _ _ _ _ (GG _ GE) u HU). exists w. repeat split; auto; try apply WE. simpl. rewrite WT. apply cut_same.
    + destruct WN as (_ & _ & _ & _ & _ & NU). destruct (NU WA) as (N1 & N2 & N3). unfold hands in HH. rewrite Forall_forall in VE. destruct WE as [_ [E|[E|E]]]; rewrite E in *; try discriminate.
      * destruct (_ && _); [discriminate|]. injection HH as <-. symmetry. apply (VE e EI). unfold hows in HW. rewrite Forall_forall in HW. destruct (HW e EI) as [[Q|Q] _]; auto. discriminate (N3 Q).
      * injection HH as <-. exact N2.
Qed.
(* -- to rest, and through a history ------------------------------------------------------------------------------------------------ *)
Lemma pv_same d d' EC : moves d' = moves d -> frames d' = frames d -> endings d' = endings d -> (forall c, In c (EC ++ cursors d' ++ fresh d') -> In c (EC ++ cursors d ++ fresh d)) -> PV d EC -> PV d' EC.
Proof. intros A B C S [V1 V2 V3]. constructor; rewrite ?A, ?B, ?C; auto. eapply Forall_sub; eauto. Qed.
Lemma pv_swap d d' EC EC' : moves d' = moves d -> frames d' = frames d -> endings d' = endings d -> (forall c, In c (EC' ++ cursors d' ++ fresh d') -> In c (EC ++ cursors d ++ fresh d)) -> PV d EC -> PV d' EC'.
Proof. intros A B C S [V1 V2 V3]. constructor; rewrite ?A, ?B, ?C; auto. eapply Forall_sub; eauto. Qed.
Lemma begin_PV d c d' EC : begin p d c = Some d' -> St p d (map (cpos p) (c :: EC)) -> PV d (c :: EC) -> PV d' EC.
Proof.
  unfold begin. destruct (held p d c).
  - intros H S V; injection H as <-. destruct (pv_c1 _ _ _ V). apply st_add; auto.
  - intros H S V. eapply take_PV; eauto; [apply chosen1_nil|discriminate].
Qed.
Lemma micro_PV d o d' : micro p d = Some o -> o = Some d' -> St p d [] -> PV d [] -> PV d' [].
Proof.
  unfold micro. intros H -> S V. destruct (fresh d) as [|c beside] eqn:FR.
  - destruct (find (ripe p d) (endings d)) as [e|] eqn:FE.
    + injection H as H. apply find_some in FE as [FE _]. eapply early_PV; eauto.
    + destruct (is_failing d); [discriminate|]. destruct (remove1 _ _) as [[c r]|] eqn:R; [|discriminate]. injection H as H. pose proof (remove1_in _ _ _ _ R) as (_ & CI & SB). apply remove1_perm in R.
      eapply begin_PV; [exact H|simpl; eapply st_remove; eauto|]. eapply pv_swap; [| | | |exact V]; auto. simpl. intros y [<-|Y]; [apply in_or_app; auto|]. apply in_app_or in Y as [Y|Y]; apply in_or_app; auto.
  - injection H as H. destruct (begin p (set_fresh d []) c) as [e|] eqn:B; [|discriminate]. injection H as <-.
    apply begin_PV with (EC := beside) in B.
    + eapply pv_swap; [| | | |exact B]; auto. simpl. intros y Y. rewrite ?in_app_iff in *. tauto.
    + simpl. eapply st_perm; [| | | |exact S]; auto. unfold spots. rewrite FR. simpl.
      etransitivity; [apply (Permutation_app_swap_app (map (cpos p) (cursors d)) (cpos p c :: map (cpos p) beside))|]. simpl. apply perm_skip. apply Permutation_app_head. auto.
    + eapply pv_swap; [| | | |exact V]; auto. simpl. rewrite FR. intros y Y. rewrite ?in_app_iff in *. simpl in *. rewrite ?in_app_iff in *. simpl in *. tauto.
Qed.
Lemma pv_quiet d d' EC : PV d EC -> cursors d' = cursors d -> fresh d' = fresh d -> frames d' = frames d -> endings d' = endings d ->
  (forall w, In w (moves d') -> In w (moves d) \/ ~ ends w) -> PV d' EC.
Proof.
  intros [A B C] E1 E2 E3 E4 M. constructor.
  - rewrite E1, E2. eapply Forall_impl; [|exact A]. intros y Y NG b w x BE WI WE. destruct (M w WI) as [Q|Q]; [exact (Y NG b w x BE Q WE)|contradiction].
  - rewrite E3. eapply Forall_impl; [|exact B]. intros y Y b w x BE WI WE. destruct (M w WI) as [Q|Q]; [exact (Y b w x BE Q WE)|contradiction].
  - rewrite E4. exact C.
Qed.
Lemma run_PV d tr d' EC : fire_run d tr = Some d' -> PV d EC -> PV d' EC.
Proof.
  unfold fire_run. destruct (fire M_run (run d) tr []) as [x|]; [|discriminate]. intros H V; injection H as <-. eapply pv_quiet; eauto. simpl. intros w [<-|WI]; auto. right. intros [Q _]. apply Q. reflexivity.
Qed.
Lemma cancel_PV d d' : cancel p d = Some d' -> PV d' [].
Proof.
  unfold cancel. intros H. repeat match type of H with match ?q with _ => _ end = _ => destruct q; [|discriminate] end. eapply run_PV; [exact H|]. constructor; simpl; constructor.
Qed.
Lemma places_PV d tr l d' : (exists fs, fire_places p d tr fs l = Some d') -> tr = T_fail \/ tr = T_resume -> Forall (Near p (spots p d)) l -> PV d [] -> PV d' [].
Proof.
  intros [fs H] TR NL V. assert (K : forall w, In w (moves d') -> In w (moves d) \/ ~ ends w).
  { unfold fire_places in H. eapply fold_moves with (Q := Near p (spots p d)); [|exact H|exact NL]. intros d1 z d2 B NZ w WI. cbv beta in B.
    match type of B with match ?q with _ => _ end = _ => destruct q as [[y h]|] eqn:F; [|discriminate B] end. injection B as <-. apply fires in F as (m & -> & MA & MT & MD & MO & FI & EN); auto.
    destruct WI as [<-|WI]; auto. right. intros Q. apply EN in Q. destruct (way _ _ _ _ _ FI (not_run p W2 _)) as (_ & WR & WF & _). destruct TR as [->| ->]; [|rewrite WR in Q; discriminate || auto].
    rewrite WF in Q; auto; [discriminate|]. destruct NZ as (s & _ & AQ & _). pose proof (anc_lt p W _ _ AQ) as [_ ZZ]. apply (anc_child p W) in AQ as (b & _ & PB & BZ). rewrite <- PB. apply (x_inner p X). congruence. }
  assert (SM : run d' = run d /\ cursors d' = cursors d /\ fresh d' = fresh d /\ frames d' = frames d /\ endings d' = endings d).
  { clear V K NL. unfold fire_places in H. revert d H. induction l as [|z l IH]; simpl; intros d H; [injection H as <-; auto 6|].
    match type of H with fold_left ?f _ (match ?q with _ => _ end) = _ => destruct q as [[y h]|] eqn:F end.
    - apply IH in H. apply dfire_inv in F as (m & -> & _). simpl in *. exact H.
    - exfalso. clear - H. revert H. match goal with |- fold_left _ _ ?n = _ -> _ => change n with (@None draft) end. induction l; simpl; [discriminate|auto]. }
  eapply pv_quiet; eauto; apply SM.
Qed.

Lemma settle_PV k : forall d d', settle p k d = Some d' -> St p d [] -> PV d [] -> PV d' [].
Proof.
  induction k; simpl; [discriminate|]. intros d d' H S V. destruct (micro p d) as [[e|]|] eqn:M; [|discriminate|].
  - eapply IHk; [exact H|eapply micro_St; eauto|eapply micro_PV; eauto].
  - destruct (run d =p P_running); [|injection H as <-; auto]. unfold close_run in H. destruct (joint_on _) as [t|]; [|injection H as <-; auto].
    assert (G : forall u, fire_run d u = Some d' -> PV d' []) by (intros; eapply run_PV; eauto).
    destruct t; try (eapply G; exact H); [eapply cancel_PV; eauto|]. destruct (fire_places p d T_fail [] _) as [e|] eqn:F; [|discriminate].
    eapply run_PV; [exact H|]. eapply places_PV; [eexists; exact F|auto| |exact V]. rewrite Forall_forall. intros z Z. apply open_near. exact Z.
Qed.
Lemma rests_no_leave c x : rests p c -> fire (mach (N (at_ c))) (ph c) T_leave (facts (N (at_ c))) = Some x -> False.
Proof.
  intros R F. apply in_rows_fire in F as (r & RI & RS & RO & _). assert (E : every_row (fun m r => negb (on r =t T_leave) || ((src r =p P_running) && negb (some (owes m P_running)))) = true) by (vm_compute; reflexivity).
  apply (every_row_in _ E) in RI. rewrite RO in RI. simpl in RI. apply andb_prop in RI as [R1 R2]. rewrite RS in R1. apply internal_phase_dec_bl in R1. unfold rests, owes_ in R. rewrite R1 in R.
  destruct (owes (mach (N (at_ c))) P_running); [discriminate|]. destruct R as [R|[R|[R|R]]]; congruence.
Qed.
Lemma leave_refused d c ch num d' : rests p c -> take p d c T_leave ch num = Some d' -> False.
Proof.
  unfold take. intros R H. destruct (dfire p d (at_ c) _ _ _ T_leave _ _) as [[x e]|] eqn:F; [|discriminate]. apply fires in F as (_ & _ & _ & _ & _ & _ & F & _); auto.
  simpl in F. eapply rests_no_leave; eauto.
Qed.
Lemma report_PV d v d' : report p d v = Some d' -> St p d [] -> event1 p v -> Forall (rests p) (cursors d) -> PV d [] -> PV d' [].
Proof.
  unfold report. intros H S E RS V. destruct ((v_on v =t T_resume) || _); [discriminate|].
  destruct (remove1 (matches v) (cursors d)) as [[c r]|] eqn:R; [|discriminate]. destruct (unfit _ _ _); [discriminate|].
  pose proof (remove1_in _ _ _ _ R) as (M & CI & SB). unfold matches in M. apply andb_prop in M as [M _]. apply andb_prop in M as [M _]. apply Nat.eqb_eq in M.
  apply remove1_perm in R. pose proof (st_remove p d r c r [] R S eq_refl) as S2. rewrite Forall_forall in RS.
  assert (V2 : PV (set_cursors d r) [c]).
  { eapply pv_swap; [| | | |exact V]; auto. simpl. intros y [<-|Y]; [apply in_or_app; auto|]. apply in_app_or in Y as [Y|Y]; apply in_or_app; auto. }
  destruct (if run (set_cursors d r) =p P_paused then _ else _) as [e|] eqn:F; [|discriminate].
  assert (S3 : St p e [cpos p c] /\ PV e [c]). { destruct (run (set_cursors d r) =p P_paused); [split; [eapply fire_run_St; eauto|eapply run_PV; eauto]|injection F as <-; auto]. }
  destruct S3 as [S3 V3]. eapply take_PV; [exact H|rewrite M; exact E| |exact S3|exact V3]. intros Q. rewrite Q in H. eapply leave_refused; eauto.
Qed.
Lemma start_PV d d' : start p d = Some d' -> unbegun p d -> PV d [] -> PV d' [].
Proof.
  unfold start. intros H U V. destruct (fire_run d T_start) as [e|] eqn:F; [|discriminate]. pose proof (run_PV _ _ _ _ F V) as VE.
  destruct (is_root _); injection H as <-; auto. apply st_adds; auto. constructor; [|constructor]. intros _ b w x BE WI WE _ _ _. exfalso.
  pose proof F as F2. apply fire_run_inv in F2 as (F3 & _). apply start_row in F3 as [F3 _]. destruct (U F3) as (M & _). unfold fire_run in F. destruct (fire M_run (run d) T_start []) as [y|]; [|discriminate].
  injection F as <-. simpl in WI. rewrite M in WI. destruct WI as [<-|[]]. destruct WE as [Q _]. apply Q. reflexivity.
Qed.
Lemma reopen_PV d d' : reopen p d = Some d' -> St p d [] -> PV d [] -> PV d' [].
Proof.
  unfold reopen. intros H S V. destruct (negb _); [discriminate|]. destruct (fire_run d T_resume) as [e|] eqn:F; [|discriminate].
  pose proof (fire_run_St p _ _ _ _ F S) as SE. pose proof (run_PV _ _ _ _ F V) as VE. destruct (fire_places p e T_resume _ _) as [g|] eqn:G; [|discriminate].
  assert (NR : Forall (Near p (spots p e)) (rev (open_nodes p e))) by (rewrite Forall_forall; intros z Z; apply in_rev in Z; apply open_near; auto).
  pose proof (fire_places_St p W W2 X _ _ _ _ _ G (or_intror eq_refl) NR SE) as [SG _]. assert (VG : PV g []) by (eapply places_PV; [eexists; exact G|auto|exact NR|exact VE]).
  assert (SP : St p (set_cursors g (filter (fun c => negb (failed_ c)) (cursors g))) (map (cpos p) (filter failed_ (cursors g)))).
  { eapply st_perm; [| | | |exact SG]; auto. unfold spots. simpl. rewrite (app_assoc (map (cpos p) (filter failed_ (cursors g)))). apply Permutation_app_tail. rewrite <- map_app. apply Permutation_map. clear.
    induction (cursors g) as [|c l IH]; simpl; auto. destruct (failed_ c); simpl; [apply perm_skip; auto|]. apply Permutation_cons_app. auto. }
  assert (VP : PV (set_cursors g (filter (fun c => negb (failed_ c)) (cursors g))) (filter failed_ (cursors g))).
  { eapply pv_swap; [| | | |exact VG]; auto. simpl. intros y Y. apply in_app_or in Y as [Y|Y]; [apply filter_In in Y as [Y _]; apply in_or_app; auto|].
    apply in_app_or in Y as [Y|Y]; [apply filter_In in Y as [Y _]; apply in_or_app; auto|apply in_or_app; auto]. }
  revert H SP VP. generalize (set_cursors g (filter (fun c => negb (failed_ c)) (cursors g))). generalize (filter failed_ (cursors g)). clear - W W2 X.
  induction l as [|c l IH]; simpl; intros d H S V; [injection H as <-; exact V|].
  destruct (take p d c T_resume [] 0) as [e|] eqn:T; [|rewrite (fold_none (fun d c => take p d c T_resume [] 0)) in H; discriminate].
  eapply IH; [exact H|eapply take_St; eauto; apply chosen1_nil|eapply take_PV; eauto; [apply chosen1_nil|discriminate]].
Qed.
Lemma apply_PV d v d' : apply p d v = Some d' -> unbegun p d -> St p d [] -> event1 p v -> Forall (rests p) (cursors d) -> PV d [] -> PV d' [].
Proof.
  unfold apply. intros H U S E R V. destruct (is_root _); [|exact (report_PV _ _ _ H S E R V)].
  destruct (v_on v); solve [exact (report_PV _ _ _ H S E R V) | exact (start_PV _ _ H U V) | exact (cancel_PV _ _ H) | exact (reopen_PV _ _ H S V)].
Qed.
Lemma tidy_PV d : fresh d = [] -> PV d [] -> PV (tidy d) [].
Proof.
  intros FR [A B C]. constructor; simpl; auto.
  - rewrite app_nil_r. simpl in A. rewrite FR, app_nil_r in A. eapply Forall_sub; [|exact A]. intros x. apply sorted_in.
  - eapply Forall_sub; [|exact B]. intros x. apply sorted_in.
Qed.
Lemma advance_PV k d v vs d' : advance p k d (v :: vs) = Some d' -> G p d -> unbegun p d -> St p d [] -> Forall (event1 p) (v :: vs) -> PV d [] -> PV d' [].
Proof.
  unfold advance. intros H GD U S E V. destruct (fold_left _ (v :: vs) (Some d)) as [g|] eqn:F; [|discriminate].
  pose proof (events_St p W W2 X _ _ _ _ F GD U S E) as [SG DG].
  assert (VG : PV g []).
  { clear H SG DG. simpl in F. destruct (apply p d v) as [e|] eqn:A; [|rewrite (fold_none (fun d v => apply p d v)) in F; discriminate]. inversion E as [|? ? E1 E2]; subst.
    assert (RS : Forall (rests p) (cursors d)) by apply GD.
    pose proof (apply_St p W W2 X _ _ _ A U S E1) as S1. pose proof (apply_PV _ _ _ A U S E1 RS V) as V1. apply (apply_D p W2) in A; [|exact GD]. clear U S GD E V RS.
    revert e A S1 V1 F. induction vs as [|u vs IH]; simpl; intros e A S1 V1 F; [injection F as <-; auto|]. inversion E2 as [|? ? E3 E4]; subst.
    destruct (apply p e u) as [h|] eqn:AU; [|rewrite (fold_none (fun d v => apply p d v)) in F; discriminate].
    assert (UE : unbegun p e) by (intros Q; exfalso; destruct A as [[A _]|[A _]]; congruence).
    assert (RE : Forall (rests p) (cursors e)) by (destruct A as [(_ & A & _)|(_ & A & _)]; [exact A|rewrite A; constructor]).
    apply (IH E4 h); auto; [eapply apply_DD; eauto|eapply apply_St; eauto|eapply apply_PV; eauto]. }
  destruct (settle p k g) as [h|] eqn:SE; [|discriminate]. injection H as <-. destruct (settle_begun p W2 _ _ _ SE DG) as [_ FR]. apply tidy_PV; auto. eapply settle_PV; eauto.
Qed.
End skips.
