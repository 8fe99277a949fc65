(* A run comes to rest: every chain of microsteps ends. Each microstep enters a component that was not entered in that turn, of which there are
   finitely many below the numbers that the state and the program know; or it takes a cursor that has just come, or an ending, away. *)
Require Import List Arith Bool Lia Permutation. Import ListNotations.
Require Import Tables Core Checker Rows Gates Ends Positions Once.

Section settle.
Variable p : program.
Notation N := (get p).
Notation cut := (cut p).
Notation Anc := (Anc p).
Hypothesis W : wf p.
Hypothesis W2 : wf2 p.
Hypothesis X : wf3 p.

Inductive Comes (d : draft) : Prop :=
| rests_ : micro p d = None -> Comes d
| refuses : micro p d = Some None -> Comes d
| onward_ e : micro p d = Some (Some e) -> Comes e -> Comes d.
Lemma comes_fuel d : Comes d -> exists k, forall j, k <= j -> settle p j d = settle p k d.
Proof.
  induction 1 as [d M|d M|d e M C (k & IH)].
  - exists 1. intros j L. destruct j; [lia|]. simpl. rewrite M. auto.
  - exists 1. intros j L. destruct j; [lia|]. simpl. rewrite M. auto.
  - exists (S k). intros j L. destruct j; [lia|]. simpl. rewrite M. apply IH. lia.
Qed.

(* -- what has been entered, and what can be ---------------------------------------------------------------------------------------- *)
Definition is_enter m := m_on m =t T_enter.
Definition keys (J : list move) := map (fun m => (m_at m, m_tn m)) (filter is_enter J).
Lemma is_enter_true m : is_enter m = true <-> m_on m = T_enter.
Proof. unfold is_enter. split; intros H; [apply internal_trigger_dec_bl; auto|rewrite H; reflexivity]. Qed.
Lemma keys_in J a t : In (a, t) (keys J) <-> entered J a t.
Proof.
  unfold keys, entered. rewrite in_map_iff. split.
  - intros (m & E & I). injection E as <- <-. apply filter_In in I as [I E]. apply is_enter_true in E. eauto.
  - intros (m & I & E & <- & <-). exists m. split; auto. apply filter_In. split; auto. apply is_enter_true; auto.
Qed.
Lemma keys_nodup J : Fair p J -> NoDup (keys J).
Proof.
  induction J as [|m J IH]; simpl; [constructor|]. intros [F G]. unfold keys. simpl. destruct (is_enter m) eqn:E; [|apply IH; auto]. simpl. constructor; [|apply IH; auto].
  intros I. apply keys_in in I. apply is_enter_true in E. apply (f_once _ _ _ F E _ _ I (At_refl _ _)). symmetry. apply (f_cut _ _ _ F).
Qed.
Fixpoint turns_of (n M : nat) : list turn := match n with 0 => [[]] | S k => [] :: flat_map (fun x => map (cons x) (turns_of k M)) (seq 0 (S M)) end.
Lemma turns_in n M : forall t, length t <= n -> Forall (fun x => x <= M) t -> In t (turns_of n M).
Proof.
  induction n; intros t L F; destruct t as [|x t]; cbn [turns_of length] in *; [left; auto|lia|left; auto|]. right. inversion F; subst. apply in_flat_map. exists x. split.
  - apply in_seq. lia.
  - apply in_map. apply IHn; auto. lia.
Qed.
Section bound.
Variables B M : nat. (* addresses, and the numbers of turns and attempts *)
Hypothesis SIZE : forall a, B < a -> N a = nobody.
Hypothesis FIRST : first p <= B.
Hypothesis MOST : forall a, n_iterations (N a) <= M.
Definition low (t : turn) := Forall (fun x => x <= M) t.
Definition cb c := at_ c <= B /\ low (tn c) /\ att c <= M.
Definition fb f := f_at f <= B /\ low (f_tn f) /\ f_att f <= M /\ Forall (fun b => b <= B) (f_rest f).
Definition eb e := e_at e <= B /\ low (e_tn e).
Definition mb m := m_at m <= B /\ low (m_tn m).
Record Low d : Prop := { o_cursors : Forall cb (cursors d); o_fresh : Forall cb (fresh d); o_frames : Forall fb (frames d); o_endings : Forall eb (endings d);
  o_moves : Forall mb (moves d) }.
Lemma low_cut a t : low t -> low (cut a t).
Proof. unfold low, Core.cut. intros H. rewrite Forall_forall in *. intros x I. apply H. rewrite <- (firstn_skipn (depth (N a)) t). apply in_or_app. auto. Qed.
Lemma low_init t : low t -> low (init_ t).
Proof. intros H. unfold init_. rewrite removelast_firstn_len. unfold low in *. rewrite Forall_forall in *. intros x I. apply H. rewrite <- (firstn_skipn (pred (length t)) t). apply in_or_app. auto. Qed.
Lemma low_snoc t n : low t -> n <= M -> low (t ++ [n]).
Proof. intros H L. apply Forall_app. split; auto. Qed.
Lemma parent_b a : a <= B -> parent (N a) <= B.
Proof. intros H. destruct (Nat.eq_dec a 0) as [->|Z]; [rewrite (w_root p W); lia|]. pose proof (w_parent p W a Z). lia. Qed.
Lemma child_b b a : parent (N b) = a -> a <> 0 -> b <= B.
Proof. intros P Z. destruct (le_lt_dec b B) as [L|L]; auto. rewrite (SIZE b L) in P. simpl in P. congruence. Qed.
Lemma next_b a : next (N a) <> parent (N a) -> next (N a) <= B.
Proof. intros P. destruct (le_lt_dec (next (N a)) B) as [L|L]; auto. pose proof (x_index p X a P) as I. rewrite (SIZE _ L) in I. simpl in I. lia. Qed.
Lemma low_move d m : Low d -> mb m -> Low (add_move d m). Proof. intros [A1 A2 A3 A4 A5] H. constructor; simpl; auto. Qed.
Lemma low_cursor d c : Low d -> cb c -> Low (add_cursor d c). Proof. intros [A1 A2 A3 A4 A5] H. constructor; simpl; auto. apply Forall_app; auto. Qed.
Lemma low_fresh d cs : Low d -> Forall cb cs -> Low (add_fresh d cs). Proof. intros [A1 A2 A3 A4 A5] H. constructor; simpl; auto. apply Forall_app; auto. Qed.
Lemma low_frame d f : Low d -> fb f -> Low (add_frame d f). Proof. intros [A1 A2 A3 A4 A5] H. constructor; simpl; auto. apply Forall_app; auto. Qed.
Lemma low_ending d e : Low d -> eb e -> Low (add_ending d e). Proof. intros [A1 A2 A3 A4 A5] H. constructor; simpl; auto. apply Forall_app; auto. Qed.
Lemma low_pending a t pr la : a <= B -> low t -> Forall cb [pending_ a t pr la]. Proof. intros. repeat constructor; simpl; auto. lia. Qed.

(* what a function adds: moves on top; at most one fresh cursor, or many; the endings as they were *)
Definition Ext d d' := exists l, moves d' = l ++ moves d.
Lemma ext_refl d : Ext d d. Proof. exists []. auto. Qed.
Lemma ext_trans d e f : Ext d e -> Ext e f -> Ext d f.
Proof. intros [l A] [k C]. exists (k ++ l). rewrite C, A, app_assoc. auto. Qed.
Definition Small d d' := Low d' /\ Ext d d' /\ length (fresh d') <= S (length (fresh d)) /\ endings d' = endings d.
Lemma dfire_small d a t n f tr fs g x d' : dfire p d a t n f tr fs g = Some (x, d') -> Low d -> a <= B -> low t ->
  Low d' /\ Ext d d' /\ fresh d' = fresh d /\ endings d' = endings d /\ frames d' = frames d /\ cursors d' = cursors d /\ fire (mach (N a)) f tr fs = Some x.
Proof.
  intros H L A T. apply dfire_inv in H as (m & -> & MA & MT & _ & _ & _ & _ & F). split; [|split; [exists [m]; auto|repeat split; auto]]. apply low_move; auto. split; [congruence|].
  rewrite MT. apply low_cut; auto.
Qed.
Lemma iterate_small d c d' : iterate p d c = Some d' -> kind_ (N (at_ c)) = K_loop -> Low d -> cb c ->
  (depth (N (at_ c)) <? length (tn c) = true -> S (nth (depth (N (at_ c))) (tn c) 0) <= M) -> Small d d'.
Proof.
  unfold iterate. intros H K L (A & T & AT) NM. destruct (exit_ _ _) as [b|] eqn:EX; [|discriminate]. injection H as <-.
  apply exit_in in EX as [k EX]. apply (w_exits p W) in EX as [Z [PB|[_ PB]]]; [|rewrite K in PB; discriminate].
  split; [|split; [exists []; auto|split; [simpl; rewrite app_length; simpl; lia|auto]]]. apply low_fresh.
  - apply low_frame; auto. split; [auto|split; [apply low_cut; auto|split; [auto|constructor]]].
  - apply low_pending; [eapply child_b; eauto|]. apply low_snoc; [apply low_cut; auto|]. destruct (_ <? _); [auto|lia].
Qed.
Lemma loops_again n number : fire M_loop P_running T_finish (after_iteration n number) = Some P_running -> S number <= n_iterations n.
Proof.
  unfold after_iteration. destruct (n_iterations n <=? number + 1) eqn:E.
  - intros H. unfold fire in H. simpl in H. discriminate.
  - intros _. apply Nat.leb_gt in E. lia.
Qed.
Lemma pop_low a t l f r : pop a t l = Some (f, r) -> Forall fb l -> fb f /\ Forall fb r.
Proof. intros H F. apply pop_perm in H. apply (forall_perm _ _ _ H) in F. inversion F; auto. Qed.
Lemma frame_low d a t f d' : frame_ d a t = Some (f, d') -> Low d -> Low d' /\ fb f /\ moves d' = moves d /\ fresh d' = fresh d /\ endings d' = endings d /\ f_at f = a /\ f_tn f = t.
Proof.
  unfold frame_. destruct (pop a t (frames d)) as [[g r]|] eqn:P; [|discriminate]. intros H [A1 A2 A3 A4 A5]; injection H as <- <-.
  pose proof (pop_in _ _ _ _ _ P) as (FA & FT & _). apply pop_low in P as [P1 P2]; auto. split; [constructor; auto|auto 8].
Qed.
Lemma small_same d e : Low e -> Ext d e -> fresh e = fresh d -> endings e = endings d -> Small d e.
Proof. intros L E F G. split; auto. split; auto. rewrite F. auto. Qed.
Lemma close_small d q a t pr la d' o : close p d q a t pr la = Some (d', o) -> Low d -> q <= B -> q <> 0 -> low t -> length t = depth (N q) + extends (kind_ (N q)) ->
  Small d d' /\ match o with None => True | Some (u, _, _) => low u /\ length u = depth (N q) /\ fresh d' = fresh d end.
Proof.
  intros H L QB QZ T LT. unfold close in H. destruct (kind_ (N q)) eqn:K; simpl in LT.
  1,2,6,7,8: unfold close_group in H; destruct (dfire p d q t 0 _ _ _ pr) as [[x e]|] eqn:F; [|discriminate]; injection H as <- <-;
    apply dfire_small in F as (F1 & F2 & F3 & F4 & _); auto; split; [apply small_same; auto|split; [auto|split; [lia|auto]]].
  - assert (IT : init_ t = cut q t) by (apply init_cut; lia).
    unfold close_loop in H. destruct (frame_ d q _) as [[f e]|] eqn:FR; [|discriminate]. apply frame_low in FR as (L1 & FB & M1 & R1 & E1 & FA & FT); auto.
    destruct (dfire p e q _ _ _ _ _ pr) as [[x g]|] eqn:F; [|discriminate]. apply dfire_small in F as (F1 & F2 & F3 & F4 & F5 & F6 & FI); auto; [|apply low_init; auto].
    assert (XT : Ext d g). { destruct F2 as [l F2]. exists l. rewrite F2, M1. auto. }
    destruct (x =p P_completed) eqn:C1.
    + injection H as <- <-. split; [apply small_same; congruence || auto|]. split; [apply low_init; auto|split; [rewrite IT; apply cut_len; lia|congruence]].
    + destruct (x =p P_running) eqn:C2.
      * destruct (iterate p g _) as [h|] eqn:IR; [|discriminate]. injection H as <- <-. split; [|auto]. apply internal_phase_dec_bl in C2. rewrite C2 in FI.
        assert (MQ : mach (N q) = M_loop) by (rewrite (x_mach p X), K; reflexivity). rewrite MQ in FI. apply loops_again in FI.
        assert (LN : List.last t 0 = nth (depth (N q)) t 0) by (apply nth_last; lia).
        apply iterate_small in IR; auto; [|simpl; rewrite FA; auto|split; [simpl; congruence|split; [auto|apply FB]]|simpl; rewrite FA; intros _; pose proof (MOST q); lia].
        destruct IR as (I1 & I2 & I3 & I4). split; [auto|split; [eapply ext_trans; eauto|split; [rewrite F3, R1 in I3; auto|congruence]]].
      * injection H as <- <-. split; [|auto]. split; [apply low_cursor; auto; split; [simpl; congruence|split; [auto|apply FB]]|split; [destruct XT as [l XT]; exists l; auto|simpl; rewrite F3, R1; split; [lia|congruence]]].
  - assert (IT : init_ t = cut q t) by (apply init_cut; lia).
    unfold close_router in H. destruct (frame_ d q _) as [[f e]|] eqn:FR; [|discriminate]. apply frame_low in FR as (L1 & FB & M1 & R1 & E1 & FA & FT); auto.
    destruct (dfire p e q _ _ _ _ _ pr) as [[x g]|] eqn:F; [|discriminate]. apply dfire_small in F as (F1 & F2 & F3 & F4 & F5 & F6 & FI); auto; [|apply low_init; auto].
    assert (XT : Ext d g). { destruct F2 as [l F2]. exists l. rewrite F2, M1. auto. }
    destruct (x =p P_completed) eqn:C1.
    + injection H as <- <-. split; [apply small_same; congruence || auto|]. split; [apply low_init; auto|split; [rewrite IT; apply cut_len; lia|congruence]].
    + destruct (x =p P_running) eqn:C2.
      * destruct (f_rest f) as [|b more] eqn:RE; [discriminate|]. injection H as <- <-. split; [|auto]. destruct FB as (B1 & B2 & B3 & B4). rewrite RE in B4. inversion B4; subst.
        split; [|split; [destruct XT as [l XT]; exists l; auto|simpl; rewrite app_length, F3, R1; simpl; split; [lia|congruence]]].
        apply low_fresh; [apply low_frame; auto; repeat split; auto|apply low_pending; auto].
      * injection H as <- <-. split; [|auto]. split; [apply low_cursor; auto; split; [simpl; congruence|split; [apply low_init; auto|apply FB]]|split; [destruct XT as [l XT]; exists l; auto|simpl; rewrite F3, R1; split; [lia|congruence]]].
  - unfold close_parallel in H. destruct (frame_ d q t) as [[f e]|] eqn:FR; [|discriminate]. apply frame_low in FR as (L1 & FB & M1 & R1 & E1 & FA & FT); auto.
    destruct (length _ <? length _).
    + injection H as <- <-. split; [|auto]. split; [apply low_frame; auto; exact FB|split; [exists []; simpl; auto|simpl; rewrite R1; split; [lia|congruence]]].
    + destruct (dfire p e q t 0 _ _ _ _) as [[x g]|] eqn:F; [|discriminate]. injection H as <- <-. apply dfire_small in F as (F1 & F2 & F3 & F4 & _); auto.
      assert (XT : Ext d g). { destruct F2 as [l F2]. exists l. rewrite F2, M1. auto. }
      split; [apply small_same; congruence || auto|split; [auto|split; [lia|congruence]]].
Qed.

Lemma go_on_small k : forall d a t pr la d', go_on p k d a t pr la = Some d' -> Low d -> a <= B -> low t -> length t = depth (N a) -> Small d d'.
Proof.
  induction k as [|k IH]; simpl; [discriminate|]. intros d a t pr la d' H L AB T LT. destruct (Nat.eqb_spec (next (N a)) (parent (N a))) as [E|E].
  - unfold is_root in H. destruct (Nat.eqb_spec (parent (N a)) 0) as [Z|Z].
    + injection H as <-. apply small_same; auto; [destruct L; constructor; auto|exists []; auto].
    + destruct (close p d (parent (N a)) a t pr la) as [[e o]|] eqn:C; [|discriminate]. apply close_small in C as [C1 C2]; auto; [|apply parent_b; auto|rewrite LT; apply (w_depth p W); auto].
      destruct o as [[[u pr'] la']|]; [|injection H as <-; auto]. destruct C2 as (U1 & U2 & U3). destruct C1 as (C3 & C4 & C5 & C6).
      apply IH in H; auto; [|apply parent_b; auto]. destruct H as (H1 & H2 & H3 & H4). split; [auto|split; [eapply ext_trans; eauto|split; [rewrite U3 in H3; auto|congruence]]].
  - injection H as <-. split; [|split; [exists []; auto|split; [simpl; rewrite app_length; simpl; lia|auto]]]. apply low_fresh; auto. apply low_pending; auto. apply next_b; auto.
Qed.
Lemma enter_small d c d' : take p d c T_enter [] 0 = Some d' -> Low d -> cb c -> at_ c <> 0 -> length (tn c) = depth (N (at_ c)) ->
  Low d' /\ exists l m, moves d' = l ++ m :: moves d /\ m_on m = T_enter.
Proof.
  intros H L CB Z LT. pose proof CB as (A & T & AT). unfold take in H. destruct (dfire p d (at_ c) _ _ _ T_enter _ _) as [[x e]|] eqn:F; [|discriminate].
  pose proof F as F2. apply dfire_inv in F2 as (m & E & _ & _ & _ & _ & _ & MO & FI). apply dfire_small in F as (F1 & F2 & F3 & F4 & F5 & F6 & _); auto.
  destruct (fire_entry _ _ _ _ _ FI (w_mach p W2 _)) as (_ & _ & TO & _). specialize (TO eq_refl).
  assert (G : Low d' /\ Ext e d' -> Low d' /\ exists l m, moves d' = l ++ m :: moves d /\ m_on m = T_enter).
  { intros [G1 [l G2]]. split; auto. exists l, m. split; auto. rewrite G2, E. auto. }
  apply G. clear G. destruct ((x =p P_running) && _).
  - unfold descend in H. destruct (kind_ (N (at_ c))) eqn:K.
    3: { apply iterate_small in H; auto; [split; apply H|]. rewrite LT, Nat.ltb_irrefl. discriminate. }
    3: { discriminate. }
    3: { injection H as <-. split; [|exists []; auto]. apply low_fresh; [apply low_frame; auto; split; [auto|split; [apply low_cut; auto|split; [auto|constructor]]]|].
         rewrite Forall_forall. intros y Y. apply in_map_iff in Y as ([k b] & <- & Y). apply (w_exits p W) in Y as [_ [Y|[_ Y]]]; [|rewrite K in Y; discriminate].
         split; [simpl; eapply child_b; eauto|split; [auto|simpl; lia]]. }
    all: destruct (exit_ (N (at_ c)) T_enter) as [b|] eqn:EX; [|discriminate]; destruct (Nat.eqb_spec b (at_ c)) as [EB|EB];
      [ unfold close_group in H; destruct (dfire p e (at_ c) (tn c) 0 _ _ _ _) as [[y g]|] eqn:F7; [|discriminate]; apply dfire_small in F7 as (G1 & G2 & G3 & G4 & _); auto;
        unfold past in H; apply go_on_small in H; auto; split; [apply H|eapply ext_trans; [exact G2|apply H]]
      | injection H as <-; split; [|exists []; auto]; apply low_fresh; auto; apply low_pending; auto; apply exit_in in EX as [k EX];
        apply (w_exits p W) in EX as [_ [EX|[EX _]]]; [eapply child_b; eauto|contradiction] ].
  - destruct (x =p P_completed) eqn:C1; [apply internal_phase_dec_bl in C1; rewrite C1 in TO; discriminate|].
    destruct (x =p P_skipped) eqn:C2; [apply internal_phase_dec_bl in C2; rewrite C2 in TO; discriminate|].
    injection H as <-. split; [|exists []; auto]. apply low_cursor; auto. split; [auto|split; [auto|]]. simpl. unfold anew, rejected_. simpl.
    destruct (ph c =p P_awaiting_answer) eqn:AA; [|lia]. apply internal_phase_dec_bl in AA.
    destruct (fire_entry _ _ _ _ _ FI (w_mach p W2 _)) as (TE & _). pose proof (proj1 TE eq_refl) as PE. congruence.
Qed.
Record Keep d d' : Prop := { q_low : Low d'; q_ext : Ext d d'; q_fresh : fresh d' = fresh d; q_endings : endings d' = endings d; q_cursors : cursors d' = cursors d; q_frames : frames d' = frames d }.
Lemma keep_refl d : Low d -> Keep d d. Proof. constructor; auto. apply ext_refl. Qed.
Lemma keep_trans d e f : Keep d e -> Keep e f -> Keep d f.
Proof. intros [A1 A2 A3 A4 A5 A6] [C1 C2 C3 C4 C5 C6]. constructor; try congruence; auto. eapply ext_trans; eauto. Qed.
Lemma fold_keep {A} (b : draft -> A -> option draft) (Q : A -> Prop) l : (forall d x d', b d x = Some d' -> Q x -> Low d -> Keep d d') ->
  forall d d', fold_left (fun o x => do d <- o; b d x) l (Some d) = Some d' -> Forall Q l -> Low d -> Keep d d'.
Proof.
  intros BB. induction l as [|x l IH]; simpl; intros d d' H F L.
  - injection H as <-. apply keep_refl; auto.
  - inversion F as [|? ? F1 F2]; subst. destruct (b d x) as [e|] eqn:E; [|rewrite fold_none in H; discriminate].
    pose proof (BB _ _ _ E F1 L) as K. eapply keep_trans; [exact K|]. apply IH; auto. apply K.
Qed.
Lemma fire_keep d a t n f tr fs g d' : (do y <- dfire p d a t n f tr fs g; Some (snd y)) = Some d' -> a <= B -> low t -> Low d -> Keep d d'.
Proof.
  intros H A T L. destruct (dfire p d a t n f tr fs g) as [[x e]|] eqn:F; [|discriminate]. injection H as <-. apply dfire_small in F as (F1 & F2 & F3 & F4 & F5 & F6 & _); auto.
  constructor; auto.
Qed.
Definition zb (z : place) := fst z <= B /\ low (snd z).
Lemma around_zb a t z : a <= B -> low t -> Anc a (fst z) -> snd z = cut (fst z) t -> zb z.
Proof. intros A T Q E. destruct z as [q u]. simpl in *. subst u. apply (anc_lt p W) in Q as [Q _]. split; simpl; [lia|]. apply low_cut; auto. Qed.
Lemma early_small d e d' : end_early p d e (inside p d (e_unit e) (e_tn e)) = Some d' -> Low d -> In e (endings d) -> hows p d -> depth (N (e_at e)) <= length (e_tn e) ->
  Low d' /\ Ext d d' /\ length (fresh d') <= S (length (fresh d)) /\ length (endings d') < length (endings d).
Proof.
  unfold end_early. intros H L EI HW LEN. set (u := e_unit e) in *. set (ins := inside p d u (e_tn e)) in *. pose proof L as [L1 L2 L3 L4 L5].
  unfold hows in HW. rewrite Forall_forall in HW, L4, L1. destruct (L4 e EI) as [EB ET]. destruct (HW e EI) as [_ EU].
  assert (UB : u <= B). { destruct EU as [EU|EU]; [unfold u; rewrite EU; lia|]. apply (anc_lt p W) in EU. unfold u in *. lia. }
  assert (L0 : Low (set_cursors d (filter (fun c => negb (inside_ p u (e_tn e) c)) (cursors d)))).
  { constructor; simpl; auto; [apply Forall_filter; rewrite Forall_forall; auto|rewrite Forall_forall; auto]. }
  destruct (fold_left _ ins (Some _)) as [d1|] eqn:F1; [|discriminate].
  apply fold_keep with (Q := cb) in F1; auto.
  2: { intros a c b FC CB LA. unfold fire_cancel in FC. destruct (p_in _ _); [|injection FC as <-; apply keep_refl; auto]. eapply fire_keep; [exact FC|apply CB|apply CB|auto]. }
  2: { rewrite Forall_forall. intros c C. unfold ins, inside in C. apply filter_In in C as [C _]. auto. }
  match type of H with match ?F with _ => _ end = _ => destruct F as [d2|] eqn:F2; [|discriminate] end.
  apply fold_keep with (Q := zb) in F2; [| | |apply F1].
  2: { intros a z b FO ZB LA. unfold end_one in FO. fold u in FO. destruct (gone_ p u (fst z)); [|injection FO as <-; apply keep_refl; auto].
       destruct (existsb _ (around _ _ _ _)); (eapply fire_keep; [exact FO|apply ZB|apply ZB|auto]). }
  2: { rewrite Forall_forall. intros z Z. apply innermost_in in Z. apply around_fold_in in Z as [Z|(c & C & A & Q)].
       - apply around_fold_in in Z as [Z|(x & C & A & Q)]; [apply around_in in Z as [[]|[A Q]]; apply (around_zb (e_at e) (e_tn e)); auto|]. destruct (L4 x C). apply (around_zb (e_at x) (e_tn x)); auto.
       - unfold ins, inside in C. apply filter_In in C as [C _]. destruct (L1 c C) as (C1 & C2 & _). apply (around_zb (at_ c) (tn c)); auto. }
  pose proof (keep_trans _ _ _ F1 F2) as [K1 K2 K3 K4 K5 K6]. simpl in K3, K4, K5, K6.
  match type of H with (if _ then Some (set_result ?x _) else _) = _ => set (d4 := x) in * end.
  assert (I4 : Low d4).
  { destruct K1 as [A1 A2 A3 A4 A5]. unfold d4. constructor; simpl; auto; [apply Forall_filter; auto|]. rewrite Forall_forall. intros y Y. apply in_map_iff in Y as (x & <- & Y).
    apply filter_In in Y as [Y _]. rewrite Forall_forall in A4. destruct (A4 x Y) as [X1 X2]. destruct (within p (e_at x) u); [|auto]. split; simpl; [auto|apply low_cut; auto]. }
  assert (E4 : length (endings d4) < length (endings d)).
  { unfold d4. simpl. rewrite map_length, K4. assert (G : gone_ p u (e_unit e) = true) by (unfold gone_; fold u; rewrite Nat.eqb_refl; auto). clear - EI G. induction (endings d) as [|x l IH]; simpl; [destruct EI|].
    assert (LE : forall k, length (filter (fun x => negb (gone_ p u (e_unit x))) k) <= length k) by (induction k as [|y k IK]; simpl; auto; destruct (negb _); simpl; lia).
    destruct EI as [->|EI]; [rewrite G; simpl; specialize (LE l); lia|]. apply IH in EI. destruct (negb _); simpl; lia. }
  assert (X4 : Ext d d4) by (destruct K2 as [l K2]; exists l; exact K2).
  assert (R4 : fresh d4 = fresh d) by exact K3.
  unfold is_root in H. destruct (Nat.eqb_spec u 0) as [Z|Z].
  - injection H as <-. split; [destruct I4; constructor; auto|split; [exact X4|split; [simpl; rewrite K3; lia|exact E4]]].
  - destruct (existsb _ (endings d4)); [injection H as <-; split; [auto|split; [auto|split; [rewrite R4; lia|auto]]]|].
    unfold past in H. apply go_on_small in H; auto; [|apply low_cut; auto|].
    + destruct H as (H1 & H2 & H3 & H4). split; [auto|split; [eapply ext_trans; eauto|split; [rewrite R4 in H3; auto|rewrite H4; auto]]].
    + apply cut_len. destruct EU as [EU|EU]; [contradiction|]. pose proof (anc_depth p W _ _ EU). unfold u. lia.
Qed.

(* -- microsteps ends ---------------------------------------------------------------------------------------------------------------- *)
Variable D : nat.
Hypothesis DEEP : forall a, depth (N a) <= D.
Definition all_keys := list_prod (seq 0 (S B)) (turns_of D M).
Definition entries d := length (keys (moves d)).
Definition left_over d := 2 * length (endings d) + length (fresh d).
Lemma keys_app l k : length (keys (l ++ k)) = length (keys l) + length (keys k).
Proof. unfold keys. rewrite filter_app, map_app, app_length. auto. Qed.
Lemma ext_entries d d' : Ext d d' -> entries d <= entries d'.
Proof. intros [l E]. unfold entries. rewrite E, keys_app. lia. Qed.
Lemma entries_bound d : St p d [] -> Low d -> entries d <= length all_keys.
Proof.
  intros [I _] L. unfold entries. apply NoDup_incl_length; [apply keys_nodup; apply I|]. intros [a t] KI. unfold all_keys. apply in_prod.
  - apply keys_in in KI as (m & MI & _ & <- & _). pose proof (o_moves _ L) as F. rewrite Forall_forall in F. destruct (F m MI) as [MB _]. apply in_seq. lia.
  - apply keys_in in KI as (m & MI & _ & _ & <-). pose proof (o_moves _ L) as F. rewrite Forall_forall in F. destruct (F m MI) as [_ MT]. apply turns_in; auto.
    assert (C : m_tn m = cut (m_at m) (m_tn m)).
    { pose proof (i_fair _ _ _ _ I) as FJ. clear - FJ MI. induction (moves d) as [|x l IH]; [destruct MI|]. destruct FJ as [F G]. destruct MI as [<-|MI]; [apply (f_cut _ _ _ F)|auto]. }
    rewrite C. unfold Core.cut. rewrite firstn_length. pose proof (DEEP (m_at m)). lia.
Qed.
Lemma pending_good d c E : St p d (cpos p c :: E) -> ph c = P_pending -> at_ c <> 0 /\ length (tn c) = depth (N (at_ c)).
Proof.
  intros [I _] PP. pose proof (i_good _ _ _ _ I) as G. inversion G as [|? ? G1 _]; subst. pose proof (g_zero _ _ _ _ G1) as Z. pose proof (g_own _ _ _ _ G1) as O.
  unfold cpos, Own in *. rewrite PP in *. simpl in *. split; auto. apply O.
Qed.
Lemma begin_small d c d' E : begin p d c = Some d' -> St p d (cpos p c :: E) -> Low d -> cb c -> ph c = P_pending ->
  Low d' /\ ((entries d < entries d' /\ Ext d d') \/ (moves d' = moves d /\ endings d' = endings d /\ fresh d' = fresh d /\ held p d c = true)).
Proof.
  unfold begin. intros H S L CB PP. destruct (held p d c) eqn:HE.
  - injection H as <-. split; [apply low_cursor; auto|]. right. auto.
  - destruct (pending_good _ _ _ S PP) as [Z LT]. apply enter_small in H; auto. destruct H as (H1 & l & m & H2 & H3). split; auto. left. split.
    + unfold entries. rewrite H2, keys_app. unfold keys at 3. simpl. assert (IE : is_enter m = true) by (apply is_enter_true; auto). rewrite IE. simpl. fold (keys (moves d)).
      unfold keys. lia.
    + exists (l ++ [m]). rewrite H2, <- app_assoc. auto.
Qed.
Lemma filter_sub_length {A} (f : A -> bool) l k : Permutation l k -> length (filter f l) = length (filter f k).
Proof. induction 1; simpl; auto; repeat match goal with |- context [if ?b then _ else _] => destruct b end; simpl; lia. Qed.
Lemma micro_small d e r : micro p d = Some (Some e) -> St p d [] -> R p r d -> Low d -> Low e /\ (entries d < entries e \/ (entries d <= entries e /\ left_over e < left_over d)).
Proof.
  unfold micro. intros H S (R1 & R2 & R3) L. destruct (fresh d) as [|c beside] eqn:FR.
  - destruct (find (ripe p d) (endings d)) as [x|] eqn:FE.
    + injection H as H. apply find_some in FE as [FE _]. assert (LEN : depth (N (e_at x)) <= length (e_tn x)).
      { destruct S as [I _]. pose proof (i_good _ _ _ _ I) as G. rewrite Forall_forall in G. apply (G (epos x)). apply spots_in. eauto 6. }
      apply early_small in H; auto; [|apply S]. destruct H as (H1 & H2 & H3 & H4). split; auto. right. split; [apply ext_entries; auto|]. unfold left_over. rewrite FR in *. simpl in *. lia.
    + destruct (is_failing d) eqn:FA; [discriminate|]. destruct (remove1 (may_begin p d) (cursors d)) as [[c q]|] eqn:RM; [|discriminate]. injection H as H.
      pose proof (remove1_in _ _ _ _ RM) as (MB & CI & SUB). apply remove1_perm in RM. pose proof MB as MB2. unfold may_begin in MB. apply andb_prop in MB as [MB NE]. apply andb_prop in MB as [PP NF].
      apply internal_phase_dec_bl in PP. apply negb_true_iff in NE, NF.
      pose proof (o_cursors _ L) as OC. pose proof (forall_perm _ _ _ RM OC) as OC2. inversion OC2 as [|? ? CB OC3]; subst.
      apply begin_small with (E := []) in H; auto.
      * destruct H as [H1 [[H2 _]|(_ & _ & _ & HE)]]; [split; auto|]. exfalso. unfold held in HE. apply orb_prop in HE as [HE|HE].
        -- unfold is_ending in *. simpl in HE. congruence.
        -- apply andb_prop in HE as [_ HE]. apply orb_prop in HE as [HE|HE].
           ++ unfold is_failing in *. simpl in HE. apply existsb_exists in HE as (y & Y1 & Y2). assert (existsb failed_ (cursors d) = true); [|congruence].
              apply existsb_exists. exists y. auto.
           ++ revert HE NF. unfold is_full. destruct (kind_ (N (parent (N (at_ c))))); try discriminate. destruct (conc (N (parent (N (at_ c))))) as [k|]; [|discriminate].
              intros HE NF. apply Nat.leb_le in HE. apply Nat.leb_gt in NF. revert HE. unfold inside in *. simpl.
              assert (LEQ : length (filter (owes_call p) (filter (inside_ p (parent (N (at_ c))) (tn c)) (c :: q))) = length (filter (owes_call p) (filter (inside_ p (parent (N (at_ c))) (tn c)) (cursors d)))).
              { apply filter_sub_length. clear - RM. symmetry in RM. revert RM. generalize (c :: q) as l, (cursors d) as k. induction 1; simpl; auto;
                repeat match goal with |- context [if ?b then _ else _] => destruct b end; auto; [apply perm_swap|etransitivity; eauto]. }
              simpl in LEQ. assert (NC : owes_call p c = false) by (unfold owes_call, owes_; rewrite PP; destruct (mach (N (at_ c))); auto).
              destruct (inside_ p (parent (N (at_ c))) (tn c) c); simpl in LEQ; rewrite ?NC in LEQ; intros HE; lia.
      * eapply st_remove; eauto.
      * destruct L; constructor; auto.
  - injection H as H. destruct (begin p (set_fresh d []) c) as [g|] eqn:BG; [|discriminate]. injection H as <-.
    pose proof (o_fresh _ L) as OF. rewrite FR in OF. inversion OF as [|? ? CB OF2]; subst. inversion R3 as [|? ? P1 P2]; subst.
    assert (S2 : St p (set_fresh d []) (cpos p c :: map (cpos p) beside)).
    { eapply st_perm; [| | | |exact S]; auto. unfold spots. rewrite FR. simpl.
      etransitivity; [apply (Permutation_app_swap_app (map (cpos p) (cursors d)) (cpos p c :: map (cpos p) beside))|]. simpl. apply perm_skip. apply Permutation_app_head. auto. }
    apply begin_small with (E := map (cpos p) beside) in BG; auto; [|destruct L; constructor; simpl; auto].
    destruct BG as [B1 B2]. split; [apply low_fresh; auto|]. destruct B2 as [[B2 _]|(B2 & B3 & B4 & _)]; [left; exact B2|right]. unfold entries, left_over. simpl. rewrite B2, B3, B4, FR. simpl. lia.
Qed.
Lemma comes n : forall s d r, length all_keys - entries d <= n -> left_over d <= s -> St p d [] -> R p r d -> Low d -> Comes d.
Proof.
  induction n as [n IHn] using lt_wf_ind. induction s as [s IHs] using lt_wf_ind. intros d r A C S RR L. destruct (micro p d) as [[e|]|] eqn:MI.
  - pose proof (micro_small _ _ _ MI S RR L) as [LE MS]. pose proof (micro_St p W W2 X _ _ _ MI eq_refl S) as SE. pose proof (micro_R p W2 _ _ _ _ MI eq_refl RR) as RE.
    apply onward_ with e; auto. pose proof (entries_bound _ SE LE) as BE. pose proof (entries_bound _ S L) as BD. destruct MS as [MS|[M1 M2]].
    + eapply (IHn (length all_keys - entries e)); eauto. lia.
    + destruct (Nat.eq_dec (entries d) (entries e)) as [EQ|NQ].
      * eapply (IHs (left_over e)); eauto; lia.
      * eapply (IHn (length all_keys - entries e)); eauto. lia.
  - apply refuses; auto.
  - apply rests_; auto.
Qed.
End bound.

(* numbers that are large enough for a state *)
Fixpoint most (f : nat -> nat) n := match n with 0 => f 0 | S k => Nat.max (f (S k)) (most f k) end.
Lemma most_le f n a : a <= n -> f a <= most f n.
Proof. induction n; simpl; intros L; [replace a with 0 by lia; auto|]. destruct (Nat.eq_dec a (S n)) as [->|Z]; [lia|]. assert (f a <= most f n) by (apply IHn; lia). lia. Qed.
Definition top (l : list nat) := fold_right Nat.max 0 l.
Lemma top_le l x : In x l -> x <= top l.
Proof. induction l as [|y l IH]; simpl; [intros []|]. intros [->|I]; [lia|]. apply IH in I. lia. Qed.
Definition addrs d := map at_ (cursors d ++ fresh d) ++ map e_at (endings d) ++ map f_at (frames d) ++ flat_map f_rest (frames d) ++ map m_at (moves d).
Definition numbers d := flat_map tn (cursors d ++ fresh d) ++ map att (cursors d ++ fresh d) ++ flat_map e_tn (endings d) ++ flat_map f_tn (frames d) ++ map f_att (frames d)
  ++ flat_map m_tn (moves d).
Ltac skip := apply in_or_app; right.
Ltac here := apply in_or_app; left.
Lemma low_enough d B M : top (addrs d) <= B -> top (numbers d) <= M -> Low B M d.
Proof.
  intros HB HM. assert (AB : forall x, In x (addrs d) -> x <= B) by (intros x I; apply top_le in I; lia).
  assert (NM : forall x, In x (numbers d) -> x <= M) by (intros x I; apply top_le in I; lia).
  unfold addrs, numbers in AB, NM.
  assert (CC : forall c, In c (cursors d ++ fresh d) -> cb B M c).
  { intros c C. split; [|split].
    - apply AB. apply in_or_app. left. apply in_map; auto.
    - unfold low. rewrite Forall_forall. intros x I. apply NM. apply in_or_app. left. apply in_flat_map. eauto.
    - apply NM. apply in_or_app. right. apply in_or_app. left. apply in_map; auto. }
  constructor; rewrite Forall_forall; intros y Y.
  - apply CC. apply in_or_app; auto.
  - apply CC. apply in_or_app; auto.
  - split; [|split; [|split]].
    + apply AB. do 2 skip. here. apply in_map; auto.
    + unfold low. rewrite Forall_forall. intros x I. apply NM. do 3 skip. here. apply in_flat_map. eauto.
    + apply NM. do 4 skip. here. apply in_map; auto.
    + rewrite Forall_forall. intros x I. apply AB. do 3 skip. here. apply in_flat_map. eauto.
  - split.
    + apply AB. skip. here. apply in_map; auto.
    + unfold low. rewrite Forall_forall. intros x I. apply NM. do 2 skip. here. apply in_flat_map. eauto.
  - split.
    + apply AB. do 4 skip. apply in_map; auto.
    + unfold low. rewrite Forall_forall. intros x I. apply NM. do 5 skip. apply in_flat_map. eauto.
Qed.
Theorem comes_to_rest size d r : (forall a, size <= a -> N a = nobody) -> St p d [] -> R p r d -> Comes d.
Proof.
  intros O S RR. set (B := size + first p + top (addrs d)). set (M := most (fun a => n_iterations (N a)) size + top (numbers d)).
  set (D := most (fun a => depth (N a)) size).
  assert (AL : forall (f : node -> nat) a, f nobody = 0 -> f (N a) <= most (fun a => f (N a)) size).
  { intros f a Z. destruct (le_lt_dec size a) as [L|L]; [rewrite (O a L); lia|]. apply (most_le (fun a => f (N a))). lia. }
  assert (SIZE : forall a, B < a -> N a = nobody) by (intros a L; apply O; unfold B in L; lia).
  assert (MOST : forall a, n_iterations (N a) <= M) by (intros a; pose proof (AL n_iterations a eq_refl) as H; simpl in H; unfold M; lia).
  assert (DEEP : forall a, depth (N a) <= D) by (intros a; exact (AL depth a eq_refl)).
  assert (LOW : Low B M d) by (apply low_enough; unfold B, M; lia).
  eapply (comes B M SIZE); eauto; unfold B; lia.
Qed.
End settle.
