(* Each component is entered once in each turn, and nothing of what is over begins again: through every function of the core. *)
Require Import List Arith Bool Lia Permutation. Import ListNotations.
Require Import Tables Core Checker Rows Gates Ends Positions.

Section once.
Variable p : program.
Notation N := (get p).
Notation cut := (cut p).
Notation Anc := (Anc p).
Notation At := (At p).
Notation Good := (Good p).
Notation Inv1 := (Inv1 p).
Notation Tr := (Tr p).
Hypothesis W : wf p.
Hypothesis W2 : wf2 p.
Hypothesis X : wf3 p.

(* -- rows -------------------------------------------------------------------------------------------------------------------------- *)
Definition over_ (x : phase) := match x with P_skipped | P_cancelled | P_completed => true | _ => false end.
Definition enter_row (m : machine) (r : row) := machine_beq m M_run ||
  (eqb (on r =t T_enter) (src r =p P_pending) && negb (dst r =p P_pending) && (negb (on r =t T_enter) || negb (over_ (dst r))) && negb (over_ (src r))).
Lemma enter_rows : every_row enter_row = true. Proof. vm_compute. reflexivity. Qed.
Definition choosing f := match f with P_pending | P_awaiting_confirmation | P_awaiting_route | P_evaluating | P_running => true | _ => false end.
Definition router_row (m : machine) (r : row) := negb (machine_beq m M_router) ||
  ((negb (dst r =p P_running) || choosing (src r) || (src r =p P_failed))
  
   && (negb (on r =t T_finish) || (dst r =p P_running) || negb (choosing (dst r))) && (negb (src r =p P_failed) || (on r =t T_resume))
   && (negb (choosing (dst r)) || (dst r =p P_running) || choosing (src r) || t_in (on r) new_attempt || ((on r =t T_reject) && (src r =p P_awaiting_review)))).
Lemma router_rows : every_row router_row = true. Proof. vm_compute. reflexivity. Qed.
Definition answer_row (m : machine) (r : row) := machine_beq m M_step || negb (src r =p P_awaiting_answer).
Lemma answer_rows : every_row answer_row = true. Proof. vm_compute. reflexivity. Qed.
Lemma fire_unasked m f t fs x : fire m f t fs = Some x -> m <> M_step -> (f =p P_awaiting_answer) = false.
Proof.
  intros H M. apply in_rows_fire in H as (r & R & <- & _). apply (every_row_in _ answer_rows) in R. unfold answer_row in R.
  apply orb_prop in R as [R|R]; [apply internal_machine_dec_bl in R; contradiction|]. apply negb_true_iff in R. exact R.
Qed.
Lemma fire_entry m f t fs x : fire m f t fs = Some x -> m <> M_run -> (t = T_enter <-> f = P_pending) /\ x <> P_pending
  /\ (t = T_enter -> over_ x = false) /\ over_ f = false.
Proof.
  intros H M. apply in_rows_fire in H as (r & R & <- & <- & <- & _). apply (every_row_in _ enter_rows) in R. unfold enter_row in R.
  apply orb_prop in R as [R|R]; [apply internal_machine_dec_bl in R; contradiction|].
  apply andb_prop in R as [R R4]. apply andb_prop in R as [R R3]. apply andb_prop in R as [R1 R2]. apply eqb_prop in R1. apply negb_true_iff in R2, R4.
  split; [|split; [|split]].
  - split; intros E; rewrite E in R1; [symmetry in R1; apply internal_phase_dec_bl in R1; auto|].
    rewrite beq_refl_p in R1. apply internal_trigger_dec_bl in R1. auto.
  - intros E. rewrite E in R2. discriminate.
  - intros E. rewrite E in R3. simpl in R3. apply negb_true_iff in R3. auto.
  - auto.
Qed.
Lemma router_finish fs y : fire M_router P_running T_finish fs = Some y -> (y =p P_running) = false -> choosing y = false.
Proof.
  intros H E. apply in_rows_fire in H as (r & R & S & O & D & _). apply (every_row_in _ router_rows) in R. unfold router_row in R. rewrite S, O, D, E in R.
  simpl in R. repeat (apply andb_prop in R as [R ?]). apply negb_true_iff; auto.
Qed.
Lemma reopened_router n x : fire M_router P_failed T_resume (after_failure n) = Some x -> mach n = M_router -> x <> P_running.
Proof.
  intros H M. unfold after_failure in H. rewrite M in H. change (machine_beq M_router M_router) with true in H. cbv iota in H.
  destruct (has G_person_chooses (facts n)); unfold fire, rows in H; simpl in H;
  repeat match type of H with context [if ?b then _ else _] => destruct b end; simpl in H; injection H as <-; discriminate.
Qed.
Lemma finish_early m x : fire m P_running T_finish ends_early = Some x -> over_ x = true \/ m = M_run.
Proof. destruct m; vm_compute; intros H; try discriminate; injection H as <-; auto. Qed.
Definition way_row (m : machine) (r : row) := machine_beq m M_run || ((negb (on r =t T_cancel) || over_ (dst r)) && (negb (on r =t T_leave) || over_ (dst r))
  && (negb (on r =t T_resume) || negb (over_ (dst r))) && (negb (on r =t T_fail) || negb (src r =p P_running) || machine_beq m M_step || negb (over_ (dst r)))
  && (negb (on r =t T_finish) || negb (over_ (dst r)) || (dst r =p P_completed))).
Lemma way_rows : every_row way_row = true. Proof. vm_compute. reflexivity. Qed.
Lemma not_run a : mach (N a) <> M_run. Proof. apply (w_mach p W2). Qed.
Lemma way m f t fs x : fire m f t fs = Some x -> m <> M_run -> (t = T_cancel \/ t = T_leave -> over_ x = true) /\ (t = T_resume -> over_ x = false)
  /\ (t = T_fail -> f = P_running -> m <> M_step -> over_ x = false) /\ (t = T_finish -> over_ x = true -> x = P_completed).
Proof.
  intros H M. apply in_rows_fire in H as (r & R & <- & <- & <- & _). apply (every_row_in _ way_rows) in R. unfold way_row in R.
  apply orb_prop in R as [R|R]; [apply internal_machine_dec_bl in R; contradiction|].
  repeat (apply andb_prop in R as [R ?]).
  split; [|split; [|split]].
  - intros [E|E]; rewrite E in *; simpl in *; auto.
  - intros E; rewrite E in *; simpl in *. apply negb_true_iff; auto.
  - intros E F S. rewrite E, F in *. simpl in *. apply orb_prop in H0 as [H0|H0]; [apply internal_machine_dec_bl in H0; contradiction|apply negb_true_iff; auto].
  - intros E F. rewrite E, F in *. simpl in *. apply internal_phase_dec_bl; auto.
Qed.

(* -- a state as positions ---------------------------------------------------------------------------------------------------------- *)
Definition number c := let a := at_ c in match kind_ (N a) with
  | K_loop => if depth (N a) <? length (tn c) then S (nth (depth (N a)) (tn c) 0) else 0
  | K_router => if choosing (ph c) then att c else S (att c)
  | _ => 0 end.
Definition cpos c := Pos (at_ c) (tn c) (match ph c with P_pending => Fresh | P_cancelled => Over | _ => Open (number c) end).
Definition epos e := Pos (e_at e) (e_tn e) Over.
Definition spots d := map cpos (cursors d) ++ map cpos (fresh d) ++ map epos (endings d).
Definition how e := (e_how e = T_finish \/ e_how e = T_leave) /\ (e_unit e = 0 \/ Anc (e_at e) (e_unit e)).
Definition hows d := Forall how (endings d).
Definition St d E := Inv1 (moves d) (frames d) (E ++ spots d) /\ hows d.
Definition Way d a t s E := Tr (moves d) (frames d) (Pos a t s) (E ++ spots d) /\ hows d.
Lemma way_st d a t s E : Way d a t s E -> Inv1 (moves d) (frames d) (Pos a t s :: E ++ spots d) /\ hows d.
Proof. intros [T H]. split; auto. apply tr_inv; auto. Qed.
Lemma spots_add_cursor d c : Permutation (cpos c :: spots d) (spots (add_cursor d c)).
Proof. unfold spots. simpl. rewrite map_app. simpl. rewrite <- !app_assoc. simpl. apply Permutation_middle. Qed.
Lemma spots_add_fresh d cs : Permutation (map cpos cs ++ spots d) (spots (add_fresh d cs)).
Proof.
  unfold spots. simpl. rewrite map_app, <- !app_assoc.
  etransitivity; [apply Permutation_app_swap_app|]. apply Permutation_app_head. apply Permutation_app_swap_app.
Qed.
Lemma spots_add_ending d e : Permutation (epos e :: spots d) (spots (add_ending d e)).
Proof.
  unfold spots. simpl. rewrite map_app. simpl. rewrite !app_assoc. apply Permutation_cons_append.
Qed.
Lemma under (E : list pos) x l k : Permutation (x :: l) k -> Permutation (x :: E ++ l) (E ++ k).
Proof. intros H. etransitivity; [apply Permutation_middle|]. apply Permutation_app_head; auto. Qed.
Lemma unders (E : list pos) xs l k : Permutation (xs ++ l) k -> Permutation (xs ++ E ++ l) (E ++ k).
Proof. intros H. etransitivity; [apply Permutation_app_swap_app|]. apply Permutation_app_head; auto. Qed.
Lemma st_cursor d c a t s E : Way d a t s E -> cpos c = Pos a t s -> St (add_cursor d c) E.
Proof. intros H P. apply way_st in H as [I HW]. split; [|exact HW]. rewrite <- P in I. eapply inv_perm; [|exact I]; auto. apply under, spots_add_cursor. Qed.
Lemma st_fresh1 d a t pr la E : Way d a t Fresh E -> St (add_fresh d [pending_ a t pr la]) E.
Proof. intros H. apply way_st in H as [I HW]. split; [|exact HW]. eapply inv_perm; [|exact I]; auto. apply under, (spots_add_fresh d [pending_ a t pr la]). Qed.
Lemma st_ending d e a t E : Way d a t Over E -> e_at e = a -> e_tn e = t -> how e -> St (add_ending d e) E.
Proof.
  intros H A T HO. apply way_st in H as [I HW]. split; [|apply Forall_app; auto]. eapply inv_perm; [|exact I]; auto. subst a t. apply under, spots_add_ending.
Qed.
Lemma fires d a t n f tr fs g x d' : dfire p d a t n f tr fs g = Some (x, d') -> exists m, d' = add_move d m /\ m_at m = a /\ m_tn m = cut a t
  /\ m_dst m = x /\ m_on m = tr /\ fire (mach (N a)) f tr fs = Some x /\ (ends m <-> over_ x = true).
Proof.
  intros H. apply dfire_inv in H as (m & A & B & C & D & E & _ & F & G). exists m. repeat split; auto.
  - intros [_ Q]. rewrite <- D. destruct Q as [->|[->| ->]]; auto.
  - rewrite E. apply not_run.
  - rewrite D. destruct x; try discriminate; auto.
Qed.

(* a component whose last child is over finishes, and the way goes on *)
Lemma way_end d a t s m E : Way d a t s E -> live (Pos a t s) -> m_on m <> T_enter -> m_at m = a -> m_tn m = cut a t ->
  Way (add_move d m) a t Over E.
Proof. intros [T H] L ON A B. split; [|exact H]. apply (tr_end p W _ _ _ m _ T); auto. Qed.
Lemma way_move d a t s m E : Way d a t s E -> live (Pos a t s) -> m_on m <> T_enter -> m_at m = a -> m_tn m = cut a t -> ~ ends m ->
  Way (add_move d m) a t s E.
Proof. intros [T H] L ON A B C. split; [|exact H]. apply tr_move; auto. eapply fire_fair; eauto. apply T. Qed.
Lemma pop_perm a t l : forall f r, pop a t l = Some (f, r) -> Permutation l (f :: r).
Proof.
  induction l as [|g k IH]; simpl; [discriminate|]. intros f r. destruct ((f_at g =? a) && turn_eqb (f_tn g) t).
  - intros H; injection H as <- <-. auto.
  - destruct (pop a t k) as [[h s]|] eqn:P; [|discriminate]. intros H; injection H as <- <-. rewrite (IH _ _ eq_refl). apply perm_swap.
Qed.
Lemma frame_pop d a t f e : frame_ d a t = Some (f, e) -> exists r, e = set_frames d r /\ Permutation (frames d) (f :: r) /\ f_at f = a /\ f_tn f = t.
Proof.
  unfold frame_. destruct (pop a t (frames d)) as [[g r]|] eqn:P; [|discriminate]. intros H; injection H as <- <-. exists r.
  pose proof (pop_in _ _ _ _ _ P) as (A & B & _). split; auto. split; auto. apply pop_perm in P; auto.
Qed.
Lemma iterate_St d c d' E : iterate p d c = Some d' -> kind_ (N (at_ c)) = K_loop -> Way d (at_ c) (tn c) (Open (number c)) E -> St d' E.
Proof.
  unfold iterate. intros H K [T HW]. destruct (exit_ (N (at_ c)) T_enter) as [b|] eqn:EX; [|discriminate]. injection H as <-.
  apply exit_in in EX as [k EX]. apply (w_exits p W) in EX as [Z [PB|[_ PB]]]; [|rewrite K in PB; discriminate].
  apply st_fresh1. split; [|exact HW]. apply (tr_turn p W _ _ _ _ _ (framed p c []) b) in T; auto.
  - unfold number in T. rewrite K in T. exact T.
  - left; auto.
  - constructor; [intros []|constructor].
  - intros ? [].
Qed.

Lemma way_close d q t d' y n f fs g E : Way d q t Left E -> dfire p d q t n f T_finish fs g = Some (y, d') -> Way d' q t Over E.
Proof.
  intros H F. apply fires in F as (m & -> & A & B & C & D & _). apply way_end with (s := Left); auto; [right; auto|congruence].
Qed.
Lemma full (h : addr -> list (addr * option source)) l : (forall b, (length (h b) = 1 /\ map fst (h b) = [b]) \/ h b = []) ->
  length l <= length (flat_map h l) -> forall b, In b l -> In b (map fst (flat_map h l)).
Proof.
  intros H1. assert (G : forall k, length (flat_map h k) <= length k).
  { induction k as [|x k IH]; simpl; auto. rewrite app_length. destruct (H1 x) as [[Q _]|Q]; rewrite Q; simpl; lia. }
  induction l as [|x l IH]; simpl; intros LT b B; [destruct B|]. rewrite app_length in LT. specialize (G l).
  rewrite map_app, in_app_iff. destruct (H1 x) as [[Q Q2]|Q]; rewrite Q in LT; simpl in LT; [|lia].
  destruct B as [<-|B]; [left; rewrite Q2; simpl; auto|]. right. apply IH; auto. lia.
Qed.
Lemma init_len q t : length t = S (depth (N q)) -> init_ t = cut q t. Proof. apply init_cut. Qed.
Lemma go_on_St k : forall d a t pr la d' E, go_on p k d a t pr la = Some d' -> length t = depth (N a) -> Way d a t Over E -> St d' E.
Proof.
  induction k as [|k IH]; simpl; [discriminate|]. intros d a t pr la d' E H L WY. pose proof WY as [T HW].
  destruct (Nat.eqb_spec (next (N a)) (parent (N a))) as [NP|NP].
  2: { injection H as <-. apply st_fresh1. split; [|exact HW]. apply (tr_next p W X); auto. }
  unfold is_root in H. destruct (Nat.eqb_spec (parent (N a)) 0) as [Z|Z].
  { injection H as <-. split; [apply T|exact HW]. }
  destruct (close p d (parent (N a)) a t pr la) as [[e o]|] eqn:C; [|discriminate].
  set (q := parent (N a)) in *. pose proof (w_depth p W a Z) as DE. fold q in DE.
  unfold close in C. destruct (kind_ (N q)) eqn:K; simpl in DE.
  1,2,6,7,8: unfold close_group in C; destruct (dfire p d q t 0 _ _ _ pr) as [[y g]|] eqn:F; [|discriminate]; injection C as <- <-;
    apply (IH _ _ _ _ _ _ E) in H; auto; [lia|]; eapply way_close; [|exact F]; split; [|exact HW];
    apply (tr_up p W); auto; [lia|fold q; congruence].
  - assert (L1 : length t = S (depth (N q))) by lia. unfold close_loop in C. rewrite (init_len q t L1) in C.
    destruct (frame_ d q (cut q t)) as [[f e1]|] eqn:FR; [|discriminate]. apply frame_pop in FR as (r & -> & PM & FA & FT).
    destruct (dfire p _ q (cut q t) (f_att f) _ _ _ pr) as [[y g]|] eqn:F; [|discriminate].
    destruct (y =p P_completed) eqn:C1.
    + injection C as <- <-. apply (IH _ _ _ _ _ _ E) in H; auto; [apply cut_len; lia|]. eapply way_close; [|exact F].
      split; [|exact HW]. apply (tr_cut p W). eapply tr_less; [exact PM|]. apply (tr_up p W); auto; [lia|fold q; congruence].
    + assert (LP : Way (set_frames d r) q t (Open (S (nth (depth (N q)) t 0))) E).
      { split; [|exact HW]. eapply tr_loop with (f := f); eauto. }
      pose proof F as F2. apply fires in F as (m & -> & A & B & CC & D & FI & EN). rewrite cut_same in B.
      assert (NE : ~ ends m).
      { rewrite EN. intros O. pose proof (way _ _ _ _ _ FI (not_run q)) as (_ & _ & _ & Y). rewrite (Y eq_refl O) in C1. discriminate. }
      apply (way_move _ _ _ _ m) in LP; auto; [|left; eexists; reflexivity|congruence].
      assert (DL : depth (N q) <? length t = true) by (apply Nat.ltb_lt; lia).
      destruct (y =p P_running) eqn:C2.
      * destruct (iterate p _ _) as [h|] eqn:IT; [|discriminate]. injection C as <- <-. injection H as <-.
        eapply iterate_St; [exact IT|simpl; rewrite FA; auto|]. simpl. unfold number. simpl. rewrite FA, K, DL. exact LP.
      * injection C as <- <-. injection H as <-. eapply st_cursor; [exact LP|]. unfold cpos, number, own_. simpl. rewrite FA, K, DL.
        pose proof (fire_entry _ _ _ _ _ FI (not_run q)) as (_ & NPE & _). rewrite EN in NE. destruct y; try contradiction; try discriminate; auto; destruct (NE eq_refl).
  - assert (L1 : length t = S (depth (N q))) by lia. unfold close_router in C. rewrite (init_len q t L1) in C.
    destruct (frame_ d q (cut q t)) as [[f e1]|] eqn:FR; [|discriminate]. apply frame_pop in FR as (r & -> & PM & FA & FT).
    destruct (dfire p _ q (cut q t) (f_att f) _ _ _ pr) as [[y g]|] eqn:F; [|discriminate].
    destruct (y =p P_completed) eqn:C1.
    + injection C as <- <-. apply (IH _ _ _ _ _ _ E) in H; auto; [apply cut_len; lia|]. eapply way_close; [|exact F].
      split; [|exact HW]. apply (tr_cut p W). eapply tr_less; [exact PM|]. apply (tr_up p W); auto; [lia|fold q; congruence].
    + assert (LP : Way (set_frames d r) q (cut q t) (Open (S (f_att f))) E).
      { split; [|exact HW]. eapply tr_router with (f := f); eauto. }
      pose proof (fires _ _ _ _ _ _ _ _ _ _ F) as (m & -> & A & B & CC & D & FI & EN).
      assert (NE : ~ ends m).
      { rewrite EN. intros O. pose proof (way _ _ _ _ _ FI (not_run q)) as (_ & _ & _ & Y). rewrite (Y eq_refl O) in C1. discriminate. }
      destruct (y =p P_running) eqn:C2.
      * destruct (f_rest f) as [|b more] eqn:RE; [discriminate|]. injection C as <- <-. injection H as <-.
        apply st_fresh1. split; [|exact HW]. simpl. rewrite cut_same in B.
        eapply tr_choice with (a := a) (f := f); eauto. apply tr_move; auto; [congruence|].
        eapply place_fair with (q := q); [exact W|apply T|apply anc1; auto|congruence|auto|auto].
      * injection C as <- <-. injection H as <-. apply (way_move _ _ _ _ m) in LP; auto; [|left; eexists; reflexivity|congruence].
        eapply st_cursor; [exact LP|]. unfold cpos, number, own_. simpl. rewrite FA, K.
        assert (NC : choosing y = false). { eapply router_finish; [|exact C2]. rewrite <- FI. f_equal. symmetry. rewrite (x_mach p X), K. reflexivity. }
        rewrite NC. pose proof (fire_entry _ _ _ _ _ FI (not_run q)) as (_ & NPE & _). rewrite EN in NE. destruct y; try contradiction; try discriminate; auto; destruct (NE eq_refl).
  - unfold close_parallel in C. rewrite Nat.add_0_r in DE. assert (CQ : cut q t = t) by (apply cut_all; lia).
    destruct (frame_ d q t) as [[f e1]|] eqn:FR; [|discriminate]. apply frame_pop in FR as (r & -> & PM & FA & FT).
    set (dn := (a, pr) :: f_done f) in *. set (brs := map snd (exits (N q))) in *.
    match type of C with (if length ?x <? _ then _ else _) = _ => set (od := x) in * end.
    assert (OD : forall c, In c (map fst od) -> c = a \/ In c (map fst (f_done f))).
    { intros c CI. apply in_map_iff in CI as ([c2 v] & <- & CI). unfold od in CI. apply in_flat_map in CI as (b & _ & CI). simpl.
      destruct (option_map snd (find (fun x => fst x =? b) dn)) eqn:FD; [|destruct CI]. destruct CI as [CI|[]]. injection CI as -> ->.
      destruct (find (fun x => fst x =? c2) dn) as [[z zz]|] eqn:FF; [|discriminate]. apply find_some in FF as [FI FE]. simpl in FE. apply Nat.eqb_eq in FE.
      subst z. unfold dn in FI. destruct FI as [FI|FI]; [injection FI as -> _; auto|]. right. apply in_map_iff. eexists; split; [|exact FI]; auto. }
    destruct (length od <? length brs) eqn:LT.
    + injection C as <- <-. injection H as <-. split; [|exact HW]. eapply inv_branch with (a := a) (t := t); eauto; try exact (eq_trans FT (eq_sym CQ)); try exact OD.
    + destruct (dfire p _ q t 0 _ _ _ _) as [[y g]|] eqn:F; [|discriminate]. injection C as <- <-.
      apply (IH _ _ _ _ _ _ E) in H; auto; [lia|]. eapply way_close; [|exact F]. split; [|exact HW]. eapply tr_less; [exact PM|].
      eapply tr_branches with (f := f); eauto; [lia| |exact (eq_trans FT (eq_sym CQ))|].
      * eapply Permutation_in; [apply Permutation_sym; exact PM|simpl; auto].
      * intros b B. apply OD. apply Nat.ltb_ge in LT. apply full; auto. intros z. destruct (option_map snd (find (fun x : nat * option source => fst x =? z) dn)); simpl; auto.
Qed.

Lemma past_St d a t pr la d' E : past p d a (cut a t) pr la = Some d' -> depth (N a) <= length t -> Way d a (cut a t) Over E -> St d' E.
Proof. unfold past. intros H L. eapply go_on_St; eauto. apply cut_len; auto. Qed.
Lemma way_cut d a t E : Way d a t Left E -> Way d a (cut a t) Left E.
Proof. intros [T H]. split; auto. apply tr_cut; auto. Qed.

(* -- one event at a cursor --------------------------------------------------------------------------------------------------------- *)
Definition chosen1 a (cs : list addr) := chosen p a cs /\ NoDup cs.
Lemma over_cut d a t E : Way d a t Over E -> Way d a (cut a t) Over E.
Proof.
  intros [[[G1 G2 G3 G4 G5 G6] D I] H]. simpl in *. pose proof Logic.I as I0. split; auto. constructor; auto.
  - constructor; simpl; [exact G1|rewrite cut_len; auto| | |congruence|exact I0].
    + intros b B. eapply level_same; [exact W| |apply G3; exact B]. symmetry. apply cut_at; auto.
    + intros q Q. rewrite (cut_at p W a q) by (right; auto). auto.
  - eapply Forall_impl; [|exact D]. intros y (c & e & A1 & A2 & A3 & A4 & A5 & A6 & A7). exists c, e. simpl in *. repeat split; auto.
    rewrite (cut_at p W a); auto. eapply At_trans; eauto. right. apply anc1; auto.
Qed.
Lemma loose d a t n n2 E : Way d a t (Open n) E -> n <= n2 -> Way d a t (Open n2) E.
Proof.
  intros [T H] L. split; auto. eapply tr_status; eauto; [|congruence]. pose proof (g_own _ _ _ _ (t_good _ _ _ _ _ T)) as O. unfold Own in *. simpl in *.
  destruct O as (O1 & O2 & O3 & O4). split; [exact O1|split; [exact O2|split; [exact O3|]]]. intros b u B1 B2 B3. destruct (O4 b u B1 B2 B3). split; auto. lia.
Qed.
Lemma descend_St d c tr choices d' E : descend p d c tr choices = Some d' -> chosen1 (at_ c) choices -> tr <> T_enter \/ True ->
  Way d (at_ c) (tn c) (Open (match kind_ (N (at_ c)) with K_router => att c | _ => number c end)) E -> St d' E.
Proof.
  intros H [CH ND] _ WY. pose proof WY as [T HW]. pose proof (t_good _ _ _ _ _ T) as G. pose proof (g_own _ _ _ _ G) as O. unfold Own in O. simpl in O.
  destruct O as (OL & _). pose proof (g_length _ _ _ _ G) as GL. simpl in GL.
  unfold descend in H. destruct (kind_ (N (at_ c))) eqn:K.
  3: { eapply iterate_St; eauto. }
  3: { destruct choices as [|b others]; [discriminate|]. injection H as <-. destruct OL as [OL|OL]; [discriminate|]. destruct (CH b (or_introl eq_refl)) as [PB Z].
    apply st_fresh1. split; [|exact HW]. assert (T2 : Tr (moves d) (frames d ++ [framed p c others]) (Pos b (cut (at_ c) (tn c) ++ [att c]) Fresh) (E ++ spots d)).
    { eapply tr_turn; eauto; [right; auto|]. simpl. intros x I. split; auto. apply CH. right; auto. }
    rewrite (cut_all p (at_ c) (tn c)) in T2; auto. }
  3: { injection H as <-. split; [|exact HW]. assert (I2 := inv_branches p W _ _ _ _ _ (framed p c []) (map snd (exits (N (at_ c)))) _ T K eq_refl eq_refl eq_refl eq_refl (x_distinct p X _ K)).
    assert (CH2 : forall b, In b (map snd (exits (N (at_ c)))) -> parent (N b) = at_ c).
    { intros b B. apply in_map_iff in B as ([k b2] & <- & B). apply (w_exits p W) in B as [_ [B|[_ B]]]; [auto|rewrite K in B; discriminate]. }
    specialize (I2 CH2). eapply inv_perm; [|exact I2].
    replace (map (fun b => Pos b (tn c) Fresh) (map snd (exits (N (at_ c))))) with (map cpos (map (fun x => pending_ (snd x) (tn c) (prev c) (last_ c)) (exits (N (at_ c))))).
    - apply (unders E _ (spots d)), (spots_add_fresh (add_frame d (framed p c []))).
    - rewrite !map_map. reflexivity. }
  all: destruct (exit_ (N (at_ c)) tr) as [b|] eqn:EX; [|discriminate]; destruct OL as [OL|OL]; [discriminate|];
    destruct (Nat.eqb_spec b (at_ c)) as [EB|EB];
    [ unfold close_group in H; destruct (dfire p d (at_ c) (tn c) 0 _ _ _ _) as [[x e]|] eqn:F; [|discriminate];
      apply fires in F as (m & -> & A & B & C & D & _); unfold past in H; eapply go_on_St; [exact H|auto|];
      eapply way_end; [exact WY|left; eexists; reflexivity|congruence|auto|auto]
    | injection H as <-; apply st_fresh1; split; [|exact HW]; apply exit_in in EX as [k EX]; apply (w_exits p W) in EX as [Z [PB|[PB _]]]; [|contradiction];
      eapply tr_list; eauto; unfold turns_inside; rewrite K; [intros [Q|Q]; discriminate|discriminate] ].
Qed.
Lemma take_St d c tr choices num d' E : take p d c tr choices num = Some d' -> chosen1 (at_ c) choices -> St d (cpos c :: E) -> St d' E.
Proof.
  intros H CH [I HW]. simpl in I. unfold take in H. set (a := at_ c) in *.
  destruct (dfire p d a (tn c) (att c) (ph c) tr _ _) as [[x e]|] eqn:F; [|discriminate].
  apply fires in F as (m & -> & MA & MT & MD & MO & FI & EN).
  destruct (fire_entry _ _ _ _ _ FI (not_run a)) as (TE & NP & TO & FO).
  assert (NC : ph c <> P_cancelled) by (intros Q; rewrite Q in FO; discriminate).
  (* the component is entered, or was: after its row it is over, or open *)
  assert (ST : (over_ x = true /\ Way (add_move d m) a (tn c) Over E) \/ (over_ x = false /\ exists n, Way (add_move d m) a (tn c) (Open n) E
     /\ (ph c = P_pending \/ n = number c) /\ (ph c = P_pending -> forall n2, Way (add_move d m) a (tn c) (Open n2) E))).
  { destruct (phase_beq (ph c) P_pending) eqn:PP.
    - apply internal_phase_dec_bl in PP. right. assert (TR : tr = T_enter) by (apply TE; auto). rewrite (TO TR). split; auto.
      assert (GO : forall n, Way (add_move d m) a (tn c) (Open n) E).
      { intros n. split; [|exact HW]. unfold cpos in I. rewrite PP in I. apply tr_of; [|simpl; congruence].
        apply (enter_inv p W X _ _ m (Pos a (tn c) Fresh) n); auto; try congruence. intros Q. apply EN in Q. rewrite (TO TR) in Q. discriminate. }
      exists 0. split; auto.
    - assert (NT : tr <> T_enter) by (intros Q; apply TE in Q; rewrite Q in PP; discriminate).
      assert (WY : Way d a (tn c) (Open (number c)) E).
      { split; [|exact HW]. apply tr_of; [|simpl; congruence]. unfold cpos in I. destruct (ph c); try discriminate; try exact I; contradiction. }
      destruct (over_ x) eqn:OX.
      + left. split; auto. eapply way_end; [exact WY|left; eexists; reflexivity|congruence|auto|auto].
      + right. split; auto. exists (number c). split; [|split; auto; intros Q; rewrite Q in PP; discriminate].
        eapply way_move; [exact WY|left; eexists; reflexivity|congruence|auto|auto|]. intros Q. apply EN in Q. congruence. }
  destruct ((x =p P_running) && _) eqn:E1.
  - apply andb_prop in E1 as [XR _]. apply internal_phase_dec_bl in XR. rewrite XR in *. destruct ST as [[Q _]|(_ & n & WY & NN & PN)]; [discriminate|].
    eapply descend_St; [exact H|exact CH|auto|]. fold a. destruct NN as [NN|NN]; [auto|]. rewrite NN in WY. destruct (kind_ (N a)) eqn:K; auto.
    replace (att c) with (number c); auto. unfold number. fold a. rewrite K.
    assert (MR : mach (N a) = M_router) by (rewrite (x_mach p X), K; reflexivity).
    destruct (choosing (ph c)) eqn:CC; auto. exfalso. rewrite MR in FI. pose proof FI as FI2. apply in_rows_fire in FI as (r & R & S & O & D & _).
    apply (every_row_in _ router_rows) in R. unfold router_row in R. rewrite S, O, D, CC in R. simpl in R. repeat (apply andb_prop in R as [R ?]).
    apply internal_phase_dec_bl in R. rewrite R in *. simpl in *. apply internal_trigger_dec_bl in H1. rewrite H1 in FI2. simpl in FI2.
    apply reopened_router in FI2; auto.
  - assert (GL : depth (N a) <= length (tn c)).
    { destruct ST as [[_ [T _]]|(_ & n & [T _] & _)]; pose proof (g_length _ _ _ _ (t_good _ _ _ _ _ T)) as GL; exact GL. }
    destruct (x =p P_completed) eqn:E2.
    + apply internal_phase_dec_bl in E2. rewrite E2 in *. destruct ST as [[_ WY]|[Q _]]; [|discriminate]. unfold complete in H.
      destruct (_ || _); [injection H as <-; eapply st_ending; eauto; split; [left; auto|apply home_anc; auto]|]. eapply past_St; [exact H|exact GL|apply over_cut; auto].
    + destruct (x =p P_skipped) eqn:E3.
      * apply internal_phase_dec_bl in E3. rewrite E3 in *. destruct ST as [[_ WY]|[Q _]]; [|discriminate]. unfold skip in H.
        destruct (_ || _); [|eapply past_St; [exact H|exact GL|apply over_cut; auto]].
        destruct (Nat.eqb_spec (leaves (N (at_ c))) (at_ c)) as [LV|LV]; [eapply past_St; [exact H|exact GL|apply over_cut; auto]|].
        injection H as <-; eapply st_ending; eauto. split; [right; auto|]. simpl. destruct (w_leaves p W (at_ c)) as [Q|[Q|Q]]; [contradiction|auto|auto].
      * injection H as <-. unfold rest. fold a. set (c' := Cursor a x (tn c) _ _ _ _).
        destruct ST as [[OX WY]|(OX & n & WY & NN & PN)].
        -- eapply st_cursor; [exact WY|]. unfold cpos. simpl. destruct x; try discriminate; auto.
        -- assert (W3 : Way (add_move d m) a (tn c) (Open (number c')) E).
           { destruct NN as [NN|NN]; [auto|]. eapply loose; [exact WY|]. rewrite NN. unfold number. simpl. fold a. destruct (kind_ (N a)) eqn:K; auto.
             assert (MR : mach (N a) = M_router) by (rewrite (x_mach p X), K; reflexivity). rewrite MR in FI.
             assert (UA : (ph c =p P_awaiting_answer) = false) by (eapply fire_unasked; [exact FI|discriminate]).
             apply in_rows_fire in FI as (r & R & S & O & D & _).
             apply (every_row_in _ router_rows) in R. unfold router_row in R. rewrite S, O, D in R. simpl in R. repeat (apply andb_prop in R as [R ?]).
             destruct (choosing (ph c)); [destruct (choosing x); lia|]. destruct (choosing x) eqn:CX; [|lia]. simpl in H.
             assert (XR : (x =p P_running) = false).
             { destruct (x =p P_running) eqn:XR; auto. simpl in E1. destruct (exits (N a)) eqn:EX; [|discriminate]. exfalso.
               apply (w_exit p W2 a); auto. rewrite MR. discriminate. }
             rewrite XR in H. simpl in H. unfold anew, rejected_. rewrite UA. simpl. rewrite H. lia. }
           eapply st_cursor; [exact W3|]. unfold cpos. simpl. destruct x; try discriminate; try contradiction; auto.
Qed.

(* -- what fires rows at places ----------------------------------------------------------------------------------------------------- *)
Record Rel d d' : Prop := { r_cursors : cursors d' = cursors d; r_fresh : fresh d' = fresh d; r_frames : frames d' = frames d; r_endings : endings d' = endings d;
  r_entered : forall a t, entered (moves d) a t -> entered (moves d') a t }.
Lemma rel_refl d : Rel d d. Proof. constructor; auto. Qed.
Lemma rel_trans d e f : Rel d e -> Rel e f -> Rel d f.
Proof. intros [A B C D E] [F G H I J]. constructor; congruence || auto. Qed.
Lemma rel_move d m : Rel d (add_move d m). Proof. constructor; auto. intros. apply entered_cons; auto. Qed.
Lemma over_owes m x : over_ x = true -> owes m x <> Some O_call. Proof. destruct x; try discriminate; destruct m; discriminate. Qed.
Lemma fold_rel {A} (b : draft -> A -> option draft) (Q : A -> Prop) P d0 l :
  (forall d x d', b d x = Some d' -> Q x -> Rel d0 d -> Inv1 (moves d) (frames d) P -> Inv1 (moves d') (frames d') P /\ Rel d d') ->
  forall d d', fold_left (fun o x => do d <- o; b d x) l (Some d) = Some d' -> Forall Q l -> Rel d0 d -> Inv1 (moves d) (frames d) P ->
  Inv1 (moves d') (frames d') P /\ Rel d0 d'.
Proof.
  intros B. induction l as [|x l IH]; simpl; intros d d' H F R I.
  - injection H as <-. auto.
  - inversion F as [|? ? F1 F2]; subst. destruct (b d x) as [e|] eqn:E; [|rewrite fold_none in H; discriminate].
    destruct (B _ _ _ E F1 R I) as [I2 R2]. eapply IH; eauto. eapply rel_trans; eauto.
Qed.
Lemma fire_over d a t n f tr fs g y d' P : dfire p d a t n f tr fs g = Some (y, d') -> tr <> T_enter -> over_ y = true ->
  entered (moves d) a (cut a t) -> (forall x, In x P -> ~ Lives p x a (cut a t)) -> Inv1 (moves d) (frames d) P -> Inv1 (moves d') (frames d') P /\ Rel d d'.
Proof.
  intros F NT O EN LV I. apply fires in F as (m & -> & A & B & C & D & FI & _). split; [|apply rel_move]. apply move_inv; auto; [congruence| |].
  - constructor; try congruence.
    + intros [Q|Q]; [congruence|]. exfalso. rewrite C in Q. exact (over_owes _ _ O Q).
    + intros _. rewrite A, B. split; [congruence|auto].
    + rewrite B, A, cut_same. auto.
  - intros _ x X2. rewrite A, B. auto.
Qed.
Definition Near P (z : place) := exists x, In x P /\ Anc (pa x) (fst z) /\ snd z = cut (fst z) (pt x).
Lemma fire_place d z n f tr fs g y d' P : dfire p d (fst z) (snd z) n f tr fs g = Some (y, d') -> tr <> T_enter -> over_ y = false -> Near P z ->
  Inv1 (moves d) (frames d) P -> Inv1 (moves d') (frames d') P /\ Rel d d'.
Proof.
  intros F NT O (x & X1 & X2 & X3) I. apply fires in F as (m & -> & A & B & C & D & FI & EN). split; [|apply rel_move].
  assert (NE : ~ ends m) by (intros Q; apply EN in Q; congruence). apply move_inv; [congruence| |contradiction|auto].
  pose proof (i_good _ _ _ _ I) as G. rewrite Forall_forall in G. eapply place_fair; [exact W|exact (G x X1)|exact X2|congruence|auto|].
  rewrite B, X3. apply cut_same.
Qed.
Lemma around_in a t into z : In z (around p a t into) -> In z into \/ (Anc a (fst z) /\ snd z = cut (fst z) t).
Proof.
  unfold around. assert (G : forall z, In z (map (fun q => (q, cut q t)) (anc p a)) -> Anc a (fst z) /\ snd z = cut (fst z) t).
  { intros y Y. apply in_map_iff in Y as (q & <- & Y). apply ancf_sound in Y. auto. }
  revert into G. generalize (map (fun q => (q, cut q t)) (anc p a)). induction l as [|y l IH]; simpl; auto. intros into G H.
  apply IH in H; [|intros; apply G; auto]. destruct H as [H|H]; auto. unfold put_place in H. match type of H with In _ (if ?b then _ else _) => destruct b end; auto.
  apply in_app_or in H as [H|[<-|[]]]; auto.
Qed.
Lemma around_fold_in {A} (f : A -> addr) (g : A -> turn) l z : forall into, In z (fold_left (fun k x => around p (f x) (g x) k) l into) ->
  In z into \/ exists x, In x l /\ Anc (f x) (fst z) /\ snd z = cut (fst z) (g x).
Proof.
  induction l as [|y l IH]; simpl; auto. intros into H. apply IH in H as [H|(x & H & Q)]; [|right; exists x; auto].
  apply around_in in H as [H|H]; auto. right. exists y. auto.
Qed.
Lemma insert_in x l z : In z (insert p x l) -> z = x \/ In z l.
Proof. induction l as [|y l IH]; simpl; [intros [H|[]]; auto|]. destruct (inner p x y); simpl; [intros [H|[H|H]]; auto|]. intros [H|H]; auto. apply IH in H as [H|H]; auto. Qed.
Lemma innermost_in l z : In z (innermost_first p l) -> In z l.
Proof. induction l as [|y l IH]; simpl; auto. intros H. apply insert_in in H as [H|H]; auto. Qed.
Lemma spots_in d x : In x (spots d) <-> (exists c, In c (cursors d) /\ x = cpos c) \/ (exists c, In c (fresh d) /\ x = cpos c) \/ (exists e, In e (endings d) /\ x = epos e).
Proof.
  unfold spots. rewrite !in_app_iff, !in_map_iff. split.
  - intros [(c & <- & H)|[(c & <- & H)|(e & <- & H)]]; eauto 6.
  - intros [(c & H & ->)|[(c & H & ->)|(e & H & ->)]]; eauto 6.
Qed.
Lemma open_near d z : In z (open_nodes p d) -> Near (spots d) z.
Proof.
  unfold open_nodes. intros H. apply innermost_in in H. apply around_fold_in in H as [H|(e & H & A & B)].
  - apply around_fold_in in H as [[]|(c & H & A & B)]. exists (cpos c). split; [|auto]. apply spots_in. apply in_app_or in H as [H|H]; eauto 6.
  - exists (epos e). split; [|auto]. apply spots_in. eauto 6.
Qed.
Lemma near_entered J F P z : Inv1 J F P -> Near P z -> entered J (fst z) (cut (fst z) (snd z)).
Proof.
  intros I (x & X1 & X2 & X3). pose proof (i_good _ _ _ _ I) as G. rewrite Forall_forall in G. rewrite X3, cut_same. apply (g_around _ _ _ _ (G x X1)); auto.
Qed.
Lemma cursor_entered d c P : Inv1 (moves d) (frames d) P -> In (cpos c) P -> p_in (ph c) (cancellable (mach (N (at_ c)))) = true ->
  entered (moves d) (at_ c) (cut (at_ c) (tn c)).
Proof.
  intros I C H. pose proof (i_good _ _ _ _ I) as G. rewrite Forall_forall in G. pose proof (g_own _ _ _ _ (G _ C)) as O. unfold Own, cpos in O. simpl in O.
  destruct (ph c); try apply O; exfalso; revert H; destruct (mach (N (at_ c))); discriminate.
Qed.
Lemma fire_cancel_over d c d' P : fire_cancel p d c = Some d' -> (p_in (ph c) (cancellable (mach (N (at_ c)))) = true -> entered (moves d) (at_ c) (cut (at_ c) (tn c))) ->
  (forall x, In x P -> ~ Lives p x (at_ c) (cut (at_ c) (tn c))) -> Inv1 (moves d) (frames d) P -> Inv1 (moves d') (frames d') P /\ Rel d d'.
Proof.
  unfold fire_cancel. intros H EN LV I. destruct (p_in _ _); [|injection H as <-; split; [auto|apply rel_refl]].
  destruct (dfire p d _ _ _ _ T_cancel _ _) as [[y e]|] eqn:F; [|discriminate]. injection H as <-.
  eapply fire_over; [exact F|discriminate| |auto|auto|auto]. apply fires in F as (m & _ & _ & _ & _ & _ & FI & _).
  apply (way _ _ _ _ _ FI (not_run _)). auto.
Qed.
Lemma fire_run_St d tr d' E : fire_run d tr = Some d' -> St d E -> St d' E.
Proof.
  unfold fire_run. destruct (fire M_run (run d) tr []) as [x|] eqn:FI; [|discriminate]. intros H [I HW]; injection H as <-. split; [|exact HW].
  assert (NT : tr <> T_enter) by (intros ->; destruct (run d); discriminate).
  apply (move_inv p _ _ (Move M_run 0 [] 0 (run d) tr x (if x =p P_completed then result d else None))); auto.
  - constructor; simpl; try congruence.
    + intros [Q|Q]; [simpl in Q; congruence|]. change (owes M_run x = Some O_call) in Q. rewrite owes_run in Q. discriminate.
    + intros [Q _]. simpl in Q. congruence.
    + unfold Core.cut. destruct (depth (N 0)); reflexivity.
  - intros [Q _]. simpl in Q. congruence.
Qed.
Lemma cancel_St d d' : cancel p d = Some d' -> Inv1 (moves d) (frames d) (spots d) -> St d' [].
Proof.
  unfold cancel. intros H I. set (open := open_nodes p d) in *. assert (ON : Forall (Near (spots d)) open) by (rewrite Forall_forall; apply open_near).
  assert (I0 : Inv1 (moves d) (frames d) []) by (destruct I; constructor; auto; constructor).
  destruct (fold_left _ (cursors d) (Some d)) as [e|] eqn:F1; [|discriminate].
  assert (Q1 : Inv1 (moves e) (frames e) [] /\ Rel d e).
  { eapply fold_rel with (Q := fun c => In c (cursors d)); [|exact F1|rewrite Forall_forall; auto|apply rel_refl|exact I0].
    intros d1 c d2 B C R I1. eapply fire_cancel_over; [exact B| |intros x []|exact I1]. intros PI. apply (r_entered _ _ R).
    apply (cursor_entered d c (spots d) I); auto. apply spots_in. eauto. }
  destruct Q1 as [I1 R1]. destruct (fire_places p e T_cancel [] open) as [g|] eqn:F2; [|discriminate]. unfold fire_places in F2.
  assert (Q2 : Inv1 (moves g) (frames g) [] /\ Rel e g).
  { eapply fold_rel with (Q := Near (spots d)); [|exact F2|auto|apply rel_refl|exact I1]. intros d1 z d2 B NZ R J1.
    cbv beta in B. match type of B with match ?q with _ => _ end = _ => destruct q as [[y h]|] eqn:F; [|discriminate B] end. injection B as <-.
    eapply fire_over; [exact F|discriminate| | |intros x []|exact J1].
    - apply fires in F as (m & _ & _ & _ & _ & _ & FI & _). apply (way _ _ _ _ _ FI (not_run _)). auto.
    - apply (r_entered _ _ R), (r_entered _ _ R1). exact (near_entered _ _ _ z I NZ). }
  destruct Q2 as [I2 _]. eapply fire_run_St; [exact H|]. split; [|constructor]. simpl. eapply inv_frames; [| |exact I2]; [intros ? []|constructor].
Qed.
Lemma fire_places_St d tr fs l d' : fire_places p d tr fs l = Some d' -> tr = T_fail \/ tr = T_resume -> Forall (Near (spots d)) l -> St d [] -> St d' [] /\ Rel d d'.
Proof.
  unfold fire_places. intros H TR NL [I HW]. simpl in I.
  assert (Q : Inv1 (moves d') (frames d') (spots d) /\ Rel d d').
  { eapply fold_rel with (Q := Near (spots d)); [|exact H|exact NL|apply rel_refl|exact I]. intros d1 z d2 B NZ R J1.
    cbv beta in B. match type of B with match ?q with _ => _ end = _ => destruct q as [[y h]|] eqn:F; [|discriminate B] end. injection B as <-.
    eapply fire_place; [exact F|destruct TR; congruence| |exact NZ|exact J1].
    apply fires in F as (m & _ & _ & _ & _ & _ & FI & _). destruct (way _ _ _ _ _ FI (not_run _)) as (_ & WR & WF & _).
    destruct TR as [->| ->]; [|auto]. apply WF; auto. destruct NZ as (x & _ & AQ & _). pose proof (anc_lt p W _ _ AQ) as [_ ZZ].
    apply (anc_child p W) in AQ as (b & _ & PB & BZ). rewrite <- PB. apply (x_inner p X). congruence. }
  destruct Q as [J R]. split; auto. split.
  - simpl. unfold spots in *. rewrite (r_cursors _ _ R), (r_fresh _ _ R), (r_endings _ _ R). exact J.
  - unfold hows. rewrite (r_endings _ _ R). exact HW.
Qed.

Lemma nodup_map_filter {A B} (g : A -> B) h l : NoDup (map g l) -> NoDup (map g (filter h l)).
Proof.
  induction l as [|x l IH]; simpl; auto. intros H. inversion H; subst. destruct (h x); simpl; auto. constructor; auto. intros Q. apply H2.
  apply in_map_iff in Q as (y & Y1 & Y2). apply filter_In in Y2 as [Y2 _]. apply in_map_iff. eauto.
Qed.

(* -- a component that ends early --------------------------------------------------------------------------------------------------- *)
Lemma div_lift x y u : Div p x y -> Anc (pa x) u -> (Anc (pa y) u /\ cut u (pt x) = cut u (pt y)) \/ Div p (Pos u (cut u (pt x)) Over) y.
Proof.
  intros (b & c & NE & PE & PZ & PK & B & C & T) A. destruct (at_lin p _ _ _ B (or_intror A)) as [<-|[H|H]].
  - right. exists b, c. simpl. repeat split; auto using At_refl. rewrite (cut_at p W b); auto. right. apply anc1; auto.
  - left. apply (anc_at p) in H. split.
    + rewrite PE in H. eapply at_anc; [exact C|]. rewrite PE in PZ. destruct H as [<-|H]; [apply anc1; auto|apply ancS; auto].
    + rewrite <- (cut_at p W (parent (N b)) u (pt x)), <- (cut_at p W (parent (N b)) u (pt y)), T; auto.
  - right. exists b, c. simpl. repeat split; auto; [right; auto|]. rewrite (cut_at p W u); auto. apply (At_trans p _ b); [right; auto|right; apply anc1; auto].
Qed.
Lemma div_up_not u t y : Div p (Pos u t Over) y -> ~ Anc (pa y) u.
Proof. intros H Q. apply (div_not_in p W _ _ H). right. exact Q. Qed.
Lemma turn_refl t : turn_eqb t t = true. Proof. induction t; simpl; auto. rewrite Nat.eqb_refl. auto. Qed.
Lemma inside_true u t c : Anc (at_ c) u -> cut u (tn c) = cut u t -> inside_ p u t c = true.
Proof.
  intros A T. unfold inside_. rewrite T, turn_refl. apply (within_spec p W). auto.
Qed.
Definition moved u x := if within p (e_at x) u then Ending (e_unit x) u (cut u (e_tn x)) (e_how x) (e_prev x) (e_last x) else x.
Definition stay d e := filter (fun c => negb (inside_ p (e_unit e) (e_tn e) c)) (cursors d).
Definition kept d e := map (moved (e_unit e)) (filter (fun x => negb (gone_ p (e_unit e) (e_unit x))) (endings d)).
Lemma in_apart J F P x y : Inv1 J F P -> In x P -> In y P -> x = y \/ Apart p x y.
Proof.
  intros [_ A _ _ _]. revert A. induction P as [|z P IH]; simpl; [intros _ []|]. intros A. inversion A as [|? ? A1 A2]; subst. rewrite Forall_forall in A1.
  intros [<-|IX] [<-|IY]; auto. right. apply apart_sym; auto.
Qed.
Inductive Thin (U : pos) : list pos -> list pos -> Prop :=
| thin0 : Thin U [] []
| thin_drop y l k : Thin U l k -> Thin U (y :: l) k
| thin_keep y l k : Div p U y -> Thin U l k -> Thin U (y :: l) (y :: k)
| thin_up y l k : Thin U l k -> Thin U (y :: l) (U :: k).
Lemma thin_app U l k l2 k2 : Thin U l k -> Thin U l2 k2 -> Thin U (l ++ l2) (k ++ k2).
Proof. induction 1; simpl; intros; auto; [apply thin_drop|apply thin_keep|apply thin_up]; auto. Qed.
Lemma thin_in U l k : Thin U l k -> forall y, In y k -> y = U \/ (In y l /\ Div p U y).
Proof. induction 1; simpl; [intros ? []| | |]; intros z Z; [apply IHThin in Z as [Z|[Z Z2]]; auto| |]; destruct Z as [<-|Z]; auto; apply IHThin in Z as [Z|[Z Z2]]; auto. Qed.
Lemma thin_apart U l k : ps U = Over -> Thin U l k -> ForallOrdPairs (Apart p) l -> ForallOrdPairs (Apart p) (U :: k).
Proof.
  intros O T. induction T as [|y l k T IH|y l k D T IH|y l k T IH]; intros A.
  - constructor; constructor.
  - inversion A; auto.
  - inversion A as [|? ? A1 A2]; subst. apply IH in A2. inversion A2 as [|? ? B1 B2]; subst. constructor; [constructor; auto; left; auto|]. constructor; auto.
    rewrite Forall_forall in *. intros z Z. destruct (thin_in _ _ _ T z Z) as [->|[Z1 Z2]]; [left; apply div_sym; auto|auto].
  - inversion A as [|? ? A1 A2]; subst. apply IH in A2. inversion A2 as [|? ? B1 B2]; subst.
    assert (SU : Apart p U U) by (right; repeat split; auto). constructor; [constructor; auto|]. constructor; auto.
Qed.
Lemma early_inv d e : St d [] -> fresh d = [] -> In e (endings d) -> e_unit e <> 0 -> let U := Pos (e_unit e) (cut (e_unit e) (e_tn e)) Over in
  Inv1 (moves d) (frames d) (U :: map cpos (stay d e) ++ map epos (kept d e)) /\ (forall c, In c (stay d e) -> Div p U (cpos c))
  /\ (forall x, In x (kept d e) -> (Div p U (epos x) \/ epos x = U) /\ how x).
Proof.
  intros [I HW] FR EI UZ U. simpl in I. unfold spots in I. rewrite FR in I. simpl in I. unfold hows in HW. rewrite Forall_forall in HW.
  destruct (HW e EI) as [_ [Z|AU]]; [contradiction|]. set (u := e_unit e) in *. set (x0 := epos e).
  assert (X0 : In x0 (map cpos (cursors d) ++ map epos (endings d))) by (apply in_or_app; right; apply in_map; auto).
  pose proof (i_good _ _ _ _ I) as GG. rewrite Forall_forall in GG.
  assert (SC : forall c, In c (stay d e) -> Div p U (cpos c)).
  { intros c C. apply filter_In in C as [C NI]. apply negb_true_iff in NI. fold u in NI. assert (CI : In (cpos c) (map cpos (cursors d) ++ map epos (endings d))) by (apply in_or_app; left; apply in_map; auto).
    assert (NA : Anc (at_ c) u -> cut u (tn c) = cut u (e_tn e) -> False) by (intros A T; rewrite (inside_true _ _ _ A T) in NI; discriminate).
    assert (SM : at_ c = e_at e -> cut (at_ c) (tn c) = cut (at_ c) (e_tn e) -> False).
    { intros A T. apply NA; [rewrite A; auto|]. rewrite <- (cut_at p W (at_ c) u (tn c)), <- (cut_at p W (at_ c) u (e_tn e)), T by (right; rewrite A; auto). auto. }
    destruct (in_apart _ _ _ x0 (cpos c) I X0 CI) as [Q|[Q|(_ & _ & Q1 & Q2)]].
    - exfalso. unfold x0, epos, cpos in Q. injection Q as Q1 Q2 _. apply SM; congruence.
    - destruct (div_lift _ _ u Q AU) as [[Q1 Q2]|Q1]; [|exact Q1]. exfalso. simpl in Q1, Q2. apply NA; auto.
    - exfalso. simpl in Q1, Q2. apply SM; [auto|]. rewrite <- Q1 in *. auto. }
  assert (EC : forall x, In x (endings d) -> gone_ p u (e_unit x) = false -> (within p (e_at x) u = true /\ epos (moved u x) = U) \/ (within p (e_at x) u = false /\ Div p U (epos x))).
  { intros x XI NG. assert (CI : In (epos x) (map cpos (cursors d) ++ map epos (endings d))) by (apply in_or_app; right; apply in_map; auto).
    assert (SM : e_at x = e_at e -> cut (e_at x) (e_tn x) = cut (e_at x) (e_tn e) -> within p (e_at x) u = true /\ epos (moved u x) = U).
    { intros A T. assert (WI : within p (e_at x) u = true) by (apply (within_spec p W); rewrite A; auto). split; auto. unfold moved, epos, U. rewrite WI. simpl. f_equal.
      rewrite <- (cut_at p W (e_at x) u (e_tn x)), <- (cut_at p W (e_at x) u (e_tn e)), T by (right; rewrite A; auto). auto. }
    destruct (in_apart _ _ _ x0 (epos x) I X0 CI) as [Q|[Q|(_ & _ & Q1 & Q2)]].
    - left. unfold x0, epos in Q. injection Q as Q1 Q2. apply SM; congruence.
    - destruct (div_lift _ _ u Q AU) as [[Q1 Q2]|Q1].
      + left. simpl in Q1, Q2. assert (WI : within p (e_at x) u = true) by (apply (within_spec p W); auto). split; auto. unfold moved, epos, U. rewrite WI. simpl. congruence.
      + right. split; [|exact Q1]. apply not_true_is_false. intros WI. apply (within_spec p W) in WI as [WI|WI]; [contradiction|]. exact (div_up_not _ _ _ Q1 WI).
    - left. simpl in Q1, Q2. apply SM; [auto|]. rewrite <- Q1 in *. auto. }
  assert (EH : forall x, In x (endings d) -> gone_ p u (e_unit x) = false -> how (moved u x)).
  { intros x XI NG. destruct (HW x XI) as [H1 H2]. unfold moved. destruct (within p (e_at x) u) eqn:WI; [|split; auto]. split; [exact H1|]. simpl.
    destruct H2 as [H2|H2]; auto. apply (within_spec p W) in WI as [WI|WI]; [contradiction|]. unfold gone_ in NG. apply orb_false_iff in NG as [N1 N2]. apply Nat.eqb_neq in N1.
    destruct (anc_linear p _ _ H2 _ WI) as [Q|[Q|Q]]; [contradiction| |right; auto]. exfalso. assert (within p (e_unit x) u = true); [|congruence]. apply (within_spec p W); auto. }
  split; [|split; [exact SC|]].
  - assert (TH : Thin U (map cpos (cursors d) ++ map epos (endings d)) (map cpos (stay d e) ++ map epos (kept d e))).
    { apply thin_app.
      - unfold stay in *. fold u in SC |- *. revert SC. generalize (cursors d) as l. induction l as [|c l IH]; simpl; intros SC; [constructor|].
        destruct (negb (inside_ p u (e_tn e) c)) eqn:NI; simpl in *; [apply thin_keep|apply thin_drop]; auto.
      - unfold kept. fold u. clear - EC. revert EC. generalize (endings d) as l. induction l as [|x l IH]; simpl; intros EC; [constructor|].
        destruct (gone_ p u (e_unit x)) eqn:NG; simpl; [apply thin_drop; auto|]. destruct (EC x (or_introl eq_refl) NG) as [[_ Q]|[Q1 Q2]].
        + rewrite Q. apply thin_up; auto.
        + unfold moved at 1. rewrite Q1. apply thin_keep; auto. }
    assert (GU : Good (moves d) (frames d) U).
    { destruct (GG x0 X0) as [G1 G2 G3 G4 G5 G6]. simpl in *. pose proof (anc_depth p W _ _ AU). constructor; simpl; [exact UZ|rewrite cut_len; lia| | |congruence|exact Logic.I].
      - intros b B. eapply level_same; [exact W| |apply G3; right; destruct B as [<-|B]; [exact AU|eapply anc_trans; eauto]]. symmetry. apply cut_at; auto.
      - intros q Q. rewrite (cut_at p W u q) by (right; auto). apply G4. eapply anc_trans; eauto. }
    destruct I as [A B C D E]. constructor; auto; [eapply thin_apart; eauto|]. constructor; auto. rewrite Forall_forall. intros y Y.
    destruct (thin_in _ _ _ TH y Y) as [->|[Q _]]; auto.
  - intros x XI. unfold kept in XI. fold u in XI. apply in_map_iff in XI as (z & <- & ZI). apply filter_In in ZI as [ZI NG]. apply negb_true_iff in NG. split; [|auto].
    destruct (EC z ZI NG) as [[_ Q]|[Q1 Q2]]; [right; exact Q|left]. unfold moved. rewrite Q1. exact Q2.
Qed.
Lemma put_keeps l y z : existsb (fun x : place => fst x =? z) l = true -> existsb (fun x : place => fst x =? z) (put_place l y) = true.
Proof. intros H. unfold put_place. match goal with |- context [if ?b then _ else _] => destruct b end; auto. rewrite existsb_app, H. auto. Qed.
Lemma fold_put l : forall into z, existsb (fun x : place => fst x =? z) into = true \/ In z (map fst l) -> existsb (fun x : place => fst x =? z) (fold_left put_place l into) = true.
Proof.
  induction l as [|y l IH]; simpl; intros into z H; [destruct H as [H|[]]; auto|]. apply IH. destruct H as [H|[<-|H]]; auto; left; [apply put_keeps; auto|].
  unfold put_place. match goal with |- context [if ?b then _ else _] => destruct b eqn:E end; auto. rewrite existsb_app. simpl. rewrite Nat.eqb_refl, orb_true_r. auto.
Qed.
Lemma own_has a t u : Anc a u -> existsb (fun y : place => fst y =? u) (around p a t []) = true.
Proof.
  intros H. unfold around. apply fold_put. right. rewrite map_map. simpl. rewrite map_id. apply (ancf_complete p W); auto.
Qed.
(* the rows that an early end fires: at a place in the unit, in the turn of a position there; the unit's own row hands on what ended it *)
Definition New d e w := exists z, In z (spots d) /\ At (pa z) (m_at w) /\ m_tn w = cut (m_at w) (pt z) /\ At (m_at w) (e_unit e)
  /\ (m_at w = e_unit e -> m_on w = e_how e /\ m_gives w = (if m_dst w =p P_completed then e_prev e else None)
      /\ (e_how e = T_finish -> m_dst w = P_completed)).
Lemma fold_moves {A} (b : draft -> A -> option draft) (Q : A -> Prop) (M : move -> Prop) l :
  (forall d x d', b d x = Some d' -> Q x -> forall w, In w (moves d') -> In w (moves d) \/ M w) ->
  forall d d', fold_left (fun o x => do d <- o; b d x) l (Some d) = Some d' -> Forall Q l -> forall w, In w (moves d') -> In w (moves d) \/ M w.
Proof.
  intros B. induction l as [|x l IH]; simpl; intros d d' H F w WI; [injection H as <-; auto|]. inversion F; subst.
  destruct (b d x) as [e|] eqn:E; [|rewrite fold_none in H; discriminate]. destruct (IH _ _ H H3 w WI) as [Q2|Q2]; auto. eapply B; eauto.
Qed.
Lemma end_early_mid d e d' : end_early p d e (inside p d (e_unit e) (e_tn e)) = Some d' -> St d [] -> fresh d = [] -> In e (endings d) ->
  exists d4, St d4 [] /\ cursors d4 = stay d e /\ fresh d4 = [] /\ endings d4 = kept d e
  /\ frames d4 = filter (fun f => negb (gone_ p (e_unit e) (f_at f) && turn_eqb (cut (e_unit e) (f_tn f)) (cut (e_unit e) (e_tn e)))) (frames d)
  /\ (e_unit e <> 0 -> forall w, In w (moves d4) -> In w (moves d) \/ New d e w)
  /\ ((e_unit e = 0 /\ d' = set_result d4 (e_last e)) \/ d' = d4
      \/ (e_unit e <> 0 /\ Way d4 (e_unit e) (cut (e_unit e) (e_tn e)) Over [] /\ past p d4 (e_unit e) (cut (e_unit e) (e_tn e)) (e_prev e) (e_last e) = Some d')).
Proof.
  unfold end_early. intros H S FR EI. set (u := e_unit e) in *. set (ins := inside p d u (e_tn e)) in *. pose proof S as [I HW]. simpl in I.
  pose proof HW as HW2. unfold hows in HW2. rewrite Forall_forall in HW2. destruct (HW2 e EI) as [HOW HU].
  (* what stays, and where the unit was *)
  assert (EX : exists P, Inv1 (moves d) (frames d) P /\ (forall y q, In y P -> q = u \/ u = 0 \/ Anc q u -> forall t, ~ Lives p y q t)
    /\ ((u = 0 /\ P = [] /\ stay d e = [] /\ kept d e = []) \/ (u <> 0 /\ P = Pos u (cut u (e_tn e)) Over :: map cpos (stay d e) ++ map epos (kept d e)))).
  { destruct (Nat.eq_dec u 0) as [Z|Z].
    - exists []. split; [destruct I; constructor; auto; constructor|]. split; [intros y q []|]. left. repeat split; auto.
      + assert (IT : forall c, inside_ p 0 (e_tn e) c = true).
        { intros c. unfold inside_, Core.cut. rewrite (x_top p X 0) by apply (w_root p W). reflexivity. }
        unfold stay. fold u. rewrite Z. clear - IT. induction (cursors d) as [|c l IH]; simpl; auto. rewrite IT. auto.
      + assert (GT : forall a, gone_ p 0 a = true) by (intros a; unfold gone_, within, is_root; simpl; apply orb_true_r).
        unfold kept. fold u. rewrite Z. clear - GT. induction (endings d) as [|x l IH]; simpl; auto. rewrite GT. auto.
    - destruct (early_inv d e S FR EI Z) as (A & B & C). eexists. split; [exact A|]. split; [|right; auto].
      intros y q Y Q t LV. fold u in Y. assert (QU : At q u) by (destruct Q as [->|[Q|Q]]; [left; auto|contradiction|right; auto]).
      assert (DV : y = Pos u (cut u (e_tn e)) Over \/ Div p (Pos u (cut u (e_tn e)) Over) y).
      { destruct Y as [<-|Y]; auto. apply in_app_or in Y as [Y|Y]; apply in_map_iff in Y as (z & <- & Y); [right; apply B; auto|].
        destruct (C z Y) as [[Q1|Q1] _]; auto. }
      destruct DV as [->|DV].
      + destruct LV as [[LV|[LV LV2]] _]; simpl in *; [|congruence]. apply (anc_lt p W) in LV. destruct QU as [QU|QU]; [lia|]. apply (anc_lt p W) in QU. lia.
      + apply lives_at in LV. apply (div_not_in p W _ _ DV). simpl. eapply At_trans; eauto. }
  destruct EX as (P & I0 & LV & PE).
  destruct (fold_left _ ins (Some _)) as [d1|] eqn:F1; [|discriminate].
  match type of H with match ?F with _ => _ end = _ => destruct F as [d2|] eqn:F2; [|discriminate] end.
  assert (WU : forall a, within p a u = true -> a = u \/ u = 0 \/ Anc a u) by (intros a A; apply (within_spec p W) in A; tauto).
  assert (Q1 : Inv1 (moves d1) (frames d1) P /\ Rel (set_cursors d (stay d e)) d1).
  { eapply fold_rel with (Q := fun c => In c ins); [|exact F1|rewrite Forall_forall; auto|apply rel_refl|exact I0].
    intros x c y B C R J. unfold ins, inside in C. apply filter_In in C as [C IN]. unfold inside_ in IN. apply andb_prop in IN as [_ IN].
    eapply fire_cancel_over; [exact B| |intros z Z; apply LV; auto|exact J]. intros PI. apply (r_entered _ _ R). simpl.
    apply (cursor_entered d c (spots d) I); auto. apply spots_in. eauto. }
  destruct Q1 as [I1 R1].
  match type of F2 with fold_left _ (innermost_first p ?x) _ = _ => assert (NEARS : Forall (Near (spots d)) (innermost_first p x)) end.
  { rewrite Forall_forall. intros z Z. apply innermost_in in Z. apply around_fold_in in Z as [Z|(c & C & A & B)].
      + apply around_fold_in in Z as [Z|(x & C & A & B)].
        * apply around_in in Z as [[]|[A B]]. exists (epos e). split; [|auto]. apply spots_in. eauto 6.
        * exists (epos x). split; [|auto]. apply spots_in. eauto 6.
      + exists (cpos c). split; [|auto]. apply spots_in. unfold ins, inside in C. apply filter_In in C as [C _]. eauto. }
  assert (Q2 : Inv1 (moves d2) (frames d2) P /\ Rel d1 d2).
  { eapply fold_rel with (Q := Near (spots d)); [|exact F2| |apply rel_refl|exact I1].
    - intros x z y B NZ R J. unfold end_one in B. fold u in B. cbv beta in B. destruct (gone_ p u (fst z)) eqn:GZ; [|injection B as <-; split; [exact J|apply rel_refl]].
      assert (GU : fst z = u \/ u = 0 \/ Anc (fst z) u). { unfold gone_ in GZ. apply orb_prop in GZ as [GZ|GZ]; [apply Nat.eqb_eq in GZ; auto|auto]. }
      assert (EN : entered (moves x) (fst z) (cut (fst z) (snd z))). { apply (r_entered _ _ R), (r_entered _ _ R1). exact (near_entered _ _ _ z I NZ). }
      destruct (existsb _ (around _ _ _ _)); match type of B with match ?q with _ => _ end = _ => destruct q as [[v h]|] eqn:F; [|discriminate B] end; injection B as <-;
        (eapply fire_over; [exact F| | |exact EN|intros r R2; apply LV; auto|exact J]).
      + destruct HOW as [HOW|HOW]; rewrite HOW; discriminate.
      + apply fires in F as (m & _ & _ & _ & _ & _ & FI & _). destruct HOW as [HOW|HOW]; rewrite HOW in FI; simpl in FI.
        * apply finish_early in FI as [FI|FI]; [exact FI|]. exfalso. apply (not_run _ FI).
        * apply (way _ _ _ _ _ FI (not_run _)). auto.
      + discriminate.
      + apply fires in F as (m & _ & _ & _ & _ & _ & FI & _). apply (way _ _ _ _ _ FI (not_run _)). auto.
    - exact NEARS. }
  destruct Q2 as [I2 R2]. pose proof (rel_trans _ _ _ R1 R2) as [RC RF RR RE _]. simpl in RC, RF, RR, RE.
  match type of H with (if _ then Some (set_result ?x _) else _) = _ => set (d4 := x) in * end.
  assert (I4 : Inv1 (moves d4) (frames d4) P).
  { unfold d4. simpl. eapply inv_frames; [|apply nodup_map_filter; eapply i_keys; eauto|exact I2]. intros f FI. apply filter_In in FI. tauto. }
  assert (S4 : spots d4 = map cpos (stay d e) ++ map epos (kept d e)).
  { unfold spots, d4. simpl. rewrite RC, RF, RE, FR. reflexivity. }
  assert (H4 : hows d4).
  { unfold hows. rewrite Forall_forall. intros x XI. unfold d4 in XI. simpl in XI. rewrite RE in XI. destruct PE as [(_ & _ & _ & KE)|(Z & _)].
    - unfold kept in KE. fold u in KE. unfold moved in KE. rewrite KE in XI. destruct XI.
    - apply (early_inv d e S FR EI Z). exact XI. }
  assert (ST : St d4 []).
  { split; [|exact H4]. simpl. rewrite S4. destruct PE as [(Z & EP & E1 & E2)|(Z & EP)].
    - rewrite E1, E2. rewrite EP in I4. exact I4.
    - rewrite EP in I4. eapply inv_drop; eauto. }
  assert (NW : u <> 0 -> forall w, In w (moves d4) -> In w (moves d) \/ New d e w).
  { intros Z w WI. change (moves d4) with (moves d2) in WI.
    assert (M1 : forall w, In w (moves d1) -> In w (moves (set_cursors d (stay d e))) \/ New d e w).
    { eapply fold_moves with (Q := fun c => In c ins); [|exact F1|rewrite Forall_forall; auto]. intros x c y B C v VI. unfold ins, inside in C. apply filter_In in C as [C IN].
      unfold inside_ in IN. apply andb_prop in IN as [_ IN]. apply (within_spec p W) in IN as [IN|IN]; [contradiction|].
      unfold fire_cancel in B. destruct (p_in _ _); [|injection B as <-; auto]. destruct (dfire p x _ _ _ _ T_cancel _ _) as [[q g]|] eqn:F; [|discriminate]. injection B as <-.
      apply fires in F as (m & -> & MA & MT & _). destruct VI as [<-|VI]; auto. right. exists (cpos c). split; [apply spots_in; eauto|]. rewrite MA. split; [apply At_refl|]. split; [exact MT|].
      split; [right; exact IN|]. intros Q. exfalso. apply (anc_lt p W) in IN. fold u in Q. lia. }
    assert (M2 : forall w, In w (moves d2) -> In w (moves d1) \/ New d e w).
    { eapply fold_moves with (Q := Near (spots d)); [|exact F2|].
      - intros x z y B NZ v VI. unfold end_one in B. fold u in B. destruct (gone_ p u (fst z)) eqn:GZ; [|injection B as <-; auto].
        assert (GU : At (fst z) u). { unfold gone_ in GZ. apply orb_prop in GZ as [GZ|GZ]; [apply Nat.eqb_eq in GZ; left; auto|]. apply (within_spec p W) in GZ as [GZ|GZ]; [contradiction|right; auto]. }
        destruct NZ as (s & S1 & S2 & S3). assert (NN : forall m, m_at m = fst z -> m_tn m = cut (fst z) (snd z) -> (fst z = u -> m_on m = e_how e
          /\ m_gives m = (if m_dst m =p P_completed then e_prev e else None) /\ (e_how e = T_finish -> m_dst m = P_completed)) -> New d e m).
        { intros m MA MT MU. exists s. split; [exact S1|]. rewrite MA. split; [right; exact S2|]. split; [rewrite MT, S3; apply cut_same|]. split; [exact GU|exact MU]. }
        destruct (existsb (fun y : place => fst y =? fst z) (around p (e_at e) (e_tn e) [])) eqn:OWN.
        + destruct (dfire p x _ _ _ _ (e_how e) _ _) as [[q g]|] eqn:F; [|discriminate]. injection B as <-. pose proof F as F0. apply fires in F as (m & -> & MA & MT & MD & MO & FI & EN).
          destruct VI as [<-|VI]; auto. right. apply NN; auto. intros _. split; [exact MO|]. assert (MG : m_gives m = (if q =p P_completed then e_prev e else None)).
          { unfold dfire in F0. rewrite FI in F0. injection F0 as F0. rewrite <- F0. reflexivity. }
          split; [rewrite MG, MD; reflexivity|]. intros HF. rewrite HF in FI. simpl in FI. destruct (finish_early _ _ FI) as [O|O]; [|exfalso; apply (not_run _ O)].
          rewrite MD. apply (way _ _ _ _ _ FI (not_run _)); auto.
        + destruct (dfire p x _ _ _ _ T_cancel _ _) as [[q g]|] eqn:F; [|discriminate]. injection B as <-. apply fires in F as (m & -> & MA & MT & _).
          destruct VI as [<-|VI]; auto. right. apply NN; auto. intros EU. exfalso. destruct HU as [HU|HU]; [contradiction|].
          assert (QQ : existsb (fun y : place => fst y =? fst z) (around p (e_at e) (e_tn e) []) = true); [|congruence]. rewrite EU. apply own_has; auto.
      - exact NEARS. }
    destruct (M2 w WI) as [Q|Q]; auto. }
  exists d4. split; [exact ST|]. split; [exact RC|]. split; [unfold d4; simpl; rewrite RF; exact FR|]. split; [unfold d4; simpl; rewrite RE; reflexivity|].
  split; [unfold d4; simpl; rewrite RR; reflexivity|]. split; [exact NW|].
  unfold is_root in H. destruct (Nat.eqb_spec u 0) as [Z|Z].
  - left. injection H as <-. auto.
  - destruct (existsb _ (endings d4)) eqn:EB; [right; left; injection H as <-; reflexivity|]. destruct PE as [(Z2 & _)|(_ & EP)]; [contradiction|].
    right; right. split; [exact Z|]. split; [|exact H].
    split; [|exact H4]. rewrite EP in I4. pose proof (i_good _ _ _ _ I4) as G4. inversion G4 as [|? ? G5 _]; subst. constructor.
      * exact G5.
      * simpl. rewrite S4. destruct (early_inv d e S FR EI Z) as (_ & B & C). fold u in B, C. rewrite Forall_forall. intros y Y.
        apply in_app_or in Y as [Y|Y]; apply in_map_iff in Y as (z & <- & Y); [auto|]. destruct (C z Y) as [[Q|Q] _]; [exact Q|]. exfalso.
        assert (EX : existsb (fun x => e_at x =? u) (endings d4) = true); [|congruence]. apply existsb_exists. exists z. split.
        -- unfold d4. simpl. rewrite RE. exact Y.
        -- unfold epos in Q. injection Q as Q _. rewrite Q. apply Nat.eqb_refl.
      * simpl. rewrite S4. eapply inv_drop; eauto.
Qed.
Lemma end_early_St d e d' : end_early p d e (inside p d (e_unit e) (e_tn e)) = Some d' -> St d [] -> fresh d = [] -> In e (endings d) -> St d' [].
Proof.
  intros H S FR EI. destruct (end_early_mid _ _ _ H S FR EI) as (d4 & ST & _ & _ & _ & _ & _ & [(_ & ->)|[->|(UZ & WY & PA)]]); auto.
  unfold past in PA. eapply go_on_St; [exact PA| |exact WY]. apply cut_len. destruct S as [I HW]. unfold hows in HW. rewrite Forall_forall in HW.
  destruct (HW e EI) as [_ [HU|HU]]; [contradiction|]. pose proof (i_good _ _ _ _ I) as GG. rewrite Forall_forall in GG.
  assert (GE : In (epos e) ([] ++ spots d)) by (apply spots_in; eauto 6). pose proof (g_length _ _ _ _ (GG _ GE)) as GL. simpl in GL. pose proof (anc_depth p W _ _ HU). lia.
Qed.

(* -- to rest, and through a history ------------------------------------------------------------------------------------------------- *)
Lemma st_perm d E d2 E2 : moves d2 = moves d -> frames d2 = frames d -> endings d2 = endings d -> Permutation (E ++ spots d) (E2 ++ spots d2) -> St d E -> St d2 E2.
Proof. intros A B C P [I H]. split; [|unfold hows; rewrite C; exact H]. rewrite A, B. eapply inv_perm; eauto. Qed.
Lemma remove1_perm {A} (f : A -> bool) l : forall x r, remove1 f l = Some (x, r) -> Permutation l (x :: r).
Proof.
  induction l as [|a l IH]; simpl; [discriminate|]. intros x r. destruct (f a).
  - intros H; injection H as <- <-. auto.
  - destruct (remove1 f l) as [[y s]|]; [|discriminate]. intros H; injection H as <- <-. rewrite (IH _ _ eq_refl). apply perm_swap.
Qed.
Lemma chosen1_nil a : chosen1 a []. Proof. split; [intros b []|constructor]. Qed.
Lemma begin_St d c d' E : begin p d c = Some d' -> St d (cpos c :: E) -> St d' E.
Proof.
  unfold begin. destruct (held p d c).
  - intros H S; injection H as <-. eapply st_perm; [| | | |exact S]; auto. simpl. apply under, spots_add_cursor.
  - intros H S. eapply take_St; eauto. apply chosen1_nil.
Qed.
Lemma st_remove d l c r E : Permutation (cursors d) (c :: r) -> St d E -> l = r -> St (set_cursors d l) (cpos c :: E).
Proof.
  intros P S ->. eapply st_perm; [| | | |exact S]; auto. unfold spots. simpl. apply (Permutation_map cpos) in P. simpl in P.
  etransitivity; [apply Permutation_app_head, Permutation_app_tail; exact P|]. simpl. symmetry. apply Permutation_middle.
Qed.
Lemma micro_St d o d' : micro p d = Some o -> o = Some d' -> St d [] -> St d' [].
Proof.
  unfold micro. intros H -> S. destruct (fresh d) as [|c beside] eqn:FR.
  - destruct (find (ripe p d) (endings d)) as [e|] eqn:FE.
    + injection H as H. apply find_some in FE as [FE _]. eapply end_early_St; eauto.
    + destruct (is_failing d); [discriminate|]. destruct (remove1 _ _) as [[c r]|] eqn:R; [|discriminate]. injection H as H. apply remove1_perm in R.
      eapply begin_St; [exact H|]. eapply st_remove; eauto.
  - injection H as H. destruct (begin p (set_fresh d []) c) as [e|] eqn:B; [|discriminate]. injection H as <-.
    apply begin_St with (E := map cpos beside) in B.
    + eapply st_perm; [| | | |exact B]; auto. apply (spots_add_fresh e beside).
    + eapply st_perm; [| | | |exact S]; auto. unfold spots. rewrite FR. simpl.
      etransitivity; [apply (Permutation_app_swap_app (map cpos (cursors d)) (cpos c :: map cpos beside))|]. simpl. apply perm_skip. apply Permutation_app_head. auto.
Qed.
Lemma st_run d E r : St d E -> St (Draft r (cursors d) (result d) (frames d) (endings d) (fresh d) (moves d)) E. Proof. auto. Qed.
Lemma close_run_St d d' : close_run p d = Some d' -> St d [] -> St d' [].
Proof.
  unfold close_run. intros H S. destruct (joint_on _) as [t|]; [|injection H as <-; auto].
  assert (G : forall u, fire_run d u = Some d' -> St d' []) by (intros; eapply fire_run_St; eauto).
  destruct t; try (eapply G; exact H).
  - eapply cancel_St; [exact H|apply S].
  - destruct (fire_places p d T_fail [] (open_nodes p d)) as [e|] eqn:F; [|discriminate].
    apply fire_places_St in F as [F _]; auto; [eapply fire_run_St; eauto|]. rewrite Forall_forall. apply open_near.
Qed.
Lemma settle_St k : forall d d', settle p k d = Some d' -> St d [] -> St d' [].
Proof.
  induction k; simpl; [discriminate|]. intros d d' H S. destruct (micro p d) as [[e|]|] eqn:M; [|discriminate|].
  - eapply IHk; eauto. eapply micro_St; eauto.
  - destruct (run d =p P_running); [eapply close_run_St; eauto|]. injection H as <-; auto.
Qed.
Definition event1 v := event_ok p v.
Lemma report_St d v d' : report p d v = Some d' -> St d [] -> event1 v -> St d' [].
Proof.
  unfold report. intros H S E. destruct ((v_on v =t T_resume) || _); [discriminate|].
  destruct (remove1 (matches v) (cursors d)) as [[c r]|] eqn:R; [|discriminate]. destruct (unfit _ _ _); [discriminate|].
  pose proof (remove1_in _ _ _ _ R) as (M & _). unfold matches in M. apply andb_prop in M as [M _]. apply andb_prop in M as [M _]. apply Nat.eqb_eq in M.
  apply remove1_perm in R. pose proof (st_remove d r c r [] R S eq_refl) as S2.
  destruct (if run (set_cursors d r) =p P_paused then _ else _) as [e|] eqn:F; [|discriminate].
  assert (S3 : St e [cpos c]). { destruct (run (set_cursors d r) =p P_paused); [eapply fire_run_St; eauto|injection F as <-; auto]. }
  eapply take_St; eauto. rewrite M. exact E.
Qed.
Lemma reopen_St d d' : reopen p d = Some d' -> St d [] -> St d' [].
Proof.
  unfold reopen. intros H S. destruct (negb _); [discriminate|]. destruct (fire_run d T_resume) as [e|] eqn:F; [|discriminate].
  apply (fire_run_St _ _ _ _ F) in S. destruct (fire_places p e T_resume _ _) as [g|] eqn:G; [|discriminate].
  apply fire_places_St in G as [G _]; auto.
  2: { rewrite Forall_forall. intros z Z. apply in_rev in Z. apply open_near; auto. }
  assert (SP : St (set_cursors g (filter (fun c => negb (failed_ c)) (cursors g))) (map cpos (filter failed_ (cursors g)))).
  { eapply st_perm; [| | | |exact G]; auto. unfold spots. simpl. rewrite (app_assoc (map cpos (filter failed_ (cursors g)))).  apply Permutation_app_tail. rewrite <- map_app. apply Permutation_map. clear.
    induction (cursors g) as [|c l IH]; simpl; auto. destruct (failed_ c); simpl; [apply perm_skip; auto|]. apply Permutation_cons_app. auto. }
  revert H SP. generalize (set_cursors g (filter (fun c => negb (failed_ c)) (cursors g))). generalize (filter failed_ (cursors g)). clear - W W2 X.
  induction l as [|c l IH]; simpl; intros d H S; [injection H as <-; exact S|].
  destruct (take p d c T_resume [] 0) as [e|] eqn:T; [|rewrite (fold_none (fun d c => take p d c T_resume [] 0)) in H; discriminate].
  eapply IH; [exact H|]. eapply take_St; eauto. apply chosen1_nil.
Qed.
(* a run that has not begun has no journal *)
Definition unbegun d := run d = P_pending -> moves d = [] /\ spots d = [] /\ frames d = [].
Lemma start_St d d' : start p d = Some d' -> unbegun d -> St d [] -> St d' [].
Proof.
  unfold start. intros H U S. destruct (fire_run d T_start) as [e|] eqn:F; [|discriminate]. pose proof F as F2. apply (fire_run_St _ _ _ _ F) in S.
  unfold is_root in H. destruct (Nat.eqb_spec (first p) 0) as [Z|Z]; [injection H as <-; auto|]. injection H as <-.
  apply fire_run_inv in F2 as (F3 & _). apply start_row in F3 as [F3 _]. destruct (U F3) as (M & SP & FR).
  unfold fire_run in F. destruct (fire M_run (run d) T_start []) as [x|]; [|discriminate]. injection F as <-. unfold spots in SP. simpl in SP.
  apply app_eq_nil in SP as [SP1 SP2]. apply app_eq_nil in SP2 as [SP2 SP3].
  destruct (w_first p W Z) as [PF DF]. apply st_fresh1. destruct S as [I HW]. split; [|exact HW]. unfold spots in *. simpl in *. rewrite SP1, SP2, SP3, M, FR in *. simpl in *.
  assert (NE : forall a t, ~ entered [Move M_run 0 [] 0 (run d) T_start x (if x =p P_completed then result d else None)] a t).
  { intros a t (m & [<-|[]] & Q & _). discriminate. }
  constructor; [|constructor|exact I]. constructor; simpl; auto.
  - lia.
  - intros a A. assert (a = first p) as ->. { destruct A as [<-|A]; auto. apply (anc_inv p) in A as [A _]. congruence. }
    constructor; try congruence. intros _ b u b0 EN. exfalso. exact (NE _ _ EN).
  - intros q Q. apply (anc_inv p) in Q as [Q _]. congruence.
  - intros _ (m & [<-|[]] & [Q _] & _). simpl in Q. congruence.
  - split; [|simpl; auto]. intros b u EN. exfalso. exact (NE _ _ EN).
Qed.
Lemma sorted_perm {A} le (l : list A) : Permutation l (sorted le l).
Proof.
  induction l as [|a l IH]; simpl; auto. etransitivity; [apply perm_skip; exact IH|]. generalize (sorted le l). clear. induction l as [|b l IH]; simpl; auto.
  destruct (le a b); auto. etransitivity; [apply perm_swap|]. apply perm_skip; auto.
Qed.
Lemma tidy_St d : fresh d = [] -> St d [] -> St (tidy d) [].
Proof.
  intros FR [I HW]. split; [|exact HW]. simpl in *. unfold tidy. simpl. unfold spots in *. simpl in *. rewrite FR in I. simpl in I.
  eapply inv_perm; [apply Permutation_app_tail, Permutation_map, sorted_perm|]. eapply inv_frames; [| |exact I].
  - intros f FI. eapply Permutation_in; [symmetry; apply sorted_perm|exact FI].
  - eapply Permutation_NoDup; [apply Permutation_map, sorted_perm|]. eapply i_keys; eauto.
Qed.
Lemma apply_St d v d' : apply p d v = Some d' -> unbegun d -> St d [] -> event1 v -> St d' [].
Proof.
  unfold apply. intros H U S E. destruct (is_root _); [|exact (report_St _ _ _ H S E)].
  destruct (v_on v); solve [exact (report_St _ _ _ H S E) | exact (start_St _ _ H U S) | exact (cancel_St _ _ H (proj1 S)) | exact (reopen_St _ _ H S)].
Qed.

(* a run that has begun does not become one that has not *)
Lemma run_begun r t x : fire M_run r t [] = Some x -> x <> P_pending.
Proof. destruct r, t; vm_compute; intros H; try discriminate; injection H as <-; discriminate. Qed.
Lemma fire_run_begun d t d' : fire_run d t = Some d' -> run d' <> P_pending.
Proof. intros H. apply fire_run_inv in H as (H & _). eapply run_begun; eauto. Qed.
Lemma settle_begun k : forall d d', settle p k d = Some d' -> D p d -> run d' <> P_pending /\ fresh d' = [].
Proof.
  intros d d' H I. split; [|eapply settle_G; eauto]. revert d d' H I. induction k; simpl; [discriminate|]. intros d d' H I. destruct (micro p d) as [[e|]|] eqn:M; [|discriminate|].
  - destruct I as [I|(O1 & O2 & O3 & O4)].
    + apply (IHk e); auto. left. eapply micro_R; eauto.
    + unfold micro, is_failing in M. rewrite O2, O3, O4 in M. simpl in M. discriminate.
  - assert (B : run d <> P_pending) by (destruct I as [[I _]|[I _]]; rewrite I; discriminate).
    destruct (run d =p P_running); [|injection H as <-; auto]. unfold close_run in H. destruct (joint_on _) as [t|]; [|injection H as <-; auto].
    assert (G : forall u, fire_run d u = Some d' -> run d' <> P_pending) by (intros u; apply fire_run_begun).
    destruct t; try (eapply G; exact H).
    + unfold cancel in H. repeat match type of H with match ?q with _ => _ end = _ => destruct q; [|discriminate] end. eapply fire_run_begun; eauto.
    + destruct (fire_places p d T_fail [] _); [|discriminate]. eapply fire_run_begun; eauto.
Qed.
Lemma events_St d v vs g : fold_left (fun o v => do d <- o; apply p d v) (v :: vs) (Some d) = Some g -> G p d -> unbegun d -> St d [] -> Forall event1 (v :: vs) ->
  St g [] /\ D p g.
Proof.
  intros F GD U S E. simpl in F. inversion E as [|? ? E1 E2]; subst. destruct (apply p d v) as [e|] eqn:A.
  2: { rewrite (fold_none (fun d v => apply p d v)) in F. discriminate. }
  pose proof (apply_St _ _ _ A U S E1) as S1. apply (apply_D p W2) in A; [|exact GD]. clear U S GD E.
  revert e A S1 F. induction vs as [|u vs IH]; simpl; intros e A S1 F; [injection F as <-; auto|]. inversion E2 as [|? ? E3 E4]; subst.
  destruct (apply p e u) as [h|] eqn:AU; [|rewrite (fold_none (fun d v => apply p d v)) in F; discriminate].
  apply (IH E4 h); auto; [eapply apply_DD; eauto|]. eapply apply_St; eauto. intros Q. exfalso. destruct A as [[A _]|[A _]]; congruence.
Qed.
Lemma advance_St k d v vs d' : advance p k d (v :: vs) = Some d' -> G p d -> unbegun d -> St d [] -> Forall event1 (v :: vs) -> St d' [] /\ unbegun d'.
Proof.
  unfold advance. intros H GD U S E. destruct (fold_left _ (v :: vs) (Some d)) as [g|] eqn:F; [|discriminate].
  destruct (events_St _ _ _ _ F GD U S E) as [SG DG]. destruct (settle p k g) as [h|] eqn:SE; [|discriminate]. injection H as <-.
  destruct (settle_begun _ _ _ SE DG) as [B FR]. split; [|intros Q; simpl in Q; contradiction]. apply tidy_St; auto. eapply settle_St; eauto.
Qed.
Lemma start_of_all : St beginning [] /\ unbegun beginning.
Proof. split; [|intros _; auto]. split; [|constructor]. constructor; simpl; auto; constructor. Qed.
Lemma fair_split J : Fair p J -> forall later m past, J = later ++ m :: past -> fair p past m.
Proof.
  induction J as [|x J IH]; simpl; intros H later m past E; [destruct later; discriminate|].
  destruct later as [|y later]; injection E as -> ->; [apply H|]. eapply IH; [apply H|reflexivity].
Qed.
End once.
