(* Each component is entered once in each turn, and nothing of a component that is over begins again in it: for every well-formed program.
   A state is seen as positions: a cursor, or an ending, each with what may still begin from there. Two positions part at a Parallel (DIV), so
   that they agree on the turns around both (TURNS); what comes later in a list has not been entered (AFTER); a branch that is done has no
   position in it (DONE). Every function of the core keeps that. *)
Require Import List Arith Bool Lia Permutation. Import ListNotations.
Require Import Tables Core Checker Rows Gates.

Section once.
Variable p : program.
Notation N := (get p).
Notation cut := (cut p).
Notation Anc := (Anc p).
Record wf3 : Prop := {
  x_index : forall a, next (N a) <> parent (N a) -> index (N a) < index (N (next (N a)));
  x_top : forall a, parent (N a) = 0 -> depth (N a) = 0;
  x_inner : forall a, parent (N a) <> 0 -> mach (N (parent (N a))) <> M_step;
  x_beside : forall a, parent (N a) <> 0 -> kind_ (N (parent (N a))) = K_router \/ kind_ (N (parent (N a))) = K_parallel ->
    next (N a) = parent (N a);
  x_branch : forall a, parent (N a) <> 0 -> kind_ (N (parent (N a))) = K_parallel -> In a (map snd (exits (N (parent (N a)))));
  x_distinct : forall a, kind_ (N a) = K_parallel -> NoDup (map snd (exits (N a)));
  x_leaf : forall a, mach (N a) = M_step -> exits (N a) = [];
  x_mach : forall a, mach (N a) = machine_of (kind_ (N a)) }.
Hypothesis W : wf p.
Hypothesis X : wf3.

(* -- the tree ---------------------------------------------------------------------------------------------------------------------- *)
Definition At a q := a = q \/ Anc a q. (* a is q, or inside it *)
Definition listed q := q = 0 \/ (kind_ (N q) <> K_router /\ kind_ (N q) <> K_parallel).
Inductive chain : addr -> addr -> Prop :=
| chain0 a : chain a a
| chainS a b : chain a b -> next (N b) <> parent (N b) -> chain a (next (N b)).
Lemma At_refl a : At a a. Proof. left; auto. Qed.
Lemma At_trans a b c : At a b -> At b c -> At a c.
Proof. intros [->|A] [->|B]; unfold At; auto. right. eapply anc_trans; eauto. Qed.
Lemma anc_at a q : Anc a q -> At (parent (N a)) q.
Proof. intros H. apply anc_inv in H as [_ [->|H]]; [apply At_refl|right; auto]. Qed.
Lemma at_anc a b q : At a b -> Anc b q -> Anc a q.
Proof. intros [->|A] B; auto. eapply anc_trans; eauto. Qed.
Lemma anc_up a q : parent (N a) = q -> q <> 0 -> Anc a q. Proof. intros <- Z. apply anc1; auto. Qed.
Lemma at_lin a b c : At a b -> At a c -> b = c \/ Anc b c \/ Anc c b.
Proof.
  intros [->|A] [->|B]; auto. destruct (anc_linear p _ _ A _ B) as [->|[C|C]]; auto.
Qed.
Lemma anc_less a q : Anc a q -> q < a /\ q <> 0. Proof. apply anc_lt; auto. Qed.
Lemma parent_less a : a <> 0 -> parent (N a) < a. Proof. apply (w_parent p W). Qed.
Lemma uniq a b c : At a b -> At a c -> parent (N b) = parent (N c) -> b <> 0 -> c <> 0 -> b = c.
Proof.
  intros A B E Z1 Z2. destruct (at_lin _ _ _ A B) as [H|[H|H]]; auto; exfalso; apply anc_at in H; pose proof (parent_less _ Z1); pose proof (parent_less _ Z2);
    (destruct H as [H|H]; [|apply anc_less in H]; lia).
Qed.
Lemma anc_child a q : Anc a q -> exists b, At a b /\ parent (N b) = q /\ b <> 0.
Proof.
  induction 1 as [a Z|a q Z H IH].
  - exists a. split; [apply At_refl|]. split; auto. intros ->. rewrite (w_root p W) in Z. auto.
  - destruct IH as (b & B1 & B2 & B3). exists b. split; auto. destruct B1 as [<-|B1]; right; [apply anc1; auto|apply ancS; auto].
Qed.
Lemma ext_depth b : parent (N b) <> 0 -> depth (N b) = depth (N (parent (N b))) + extends (kind_ (N (parent (N b)))).
Proof. apply (w_depth p W). Qed.
Lemma at_depth a q : At a q -> depth (N q) <= depth (N a).
Proof. intros [->|H]; auto. eapply anc_depth; eauto. Qed.
Lemma cut_at a q t : At a q -> cut q (cut a t) = cut q t.
Proof. intros [->|H]; [apply cut_same|apply cut_cut; auto]. Qed.
Lemma same_depth a b : parent (N a) = parent (N b) -> depth (N a) = depth (N b).
Proof.
  intros E. destruct (Nat.eq_dec (parent (N a)) 0) as [Z|Z].
  - rewrite (x_top X a Z), (x_top X b); congruence.
  - rewrite (ext_depth a Z), (ext_depth b), E; congruence.
Qed.
Lemma cut_same_depth a b t : depth (N a) = depth (N b) -> cut a t = cut b t.
Proof. intros E. unfold Core.cut. rewrite E. auto. Qed.
Lemma nth_cut q t k : k < depth (N q) -> nth k (cut q t) 0 = nth k t 0.
Proof.
  unfold Core.cut. generalize (depth (N q)). revert t. induction k; intros t n L; (destruct n; [lia|]); destruct t; simpl; auto. apply IHk. lia.
Qed.
Lemma chain_index a b : chain a b -> a = b \/ index (N a) < index (N b).
Proof.
  induction 1 as [|a b H IH Z]; auto. right. pose proof (x_index X b Z). destruct IH as [->|IH]; lia.
Qed.
Lemma chain_last b : next (N b) <> parent (N b) -> ~ chain (next (N b)) b.
Proof. intros Z H. apply chain_index in H. pose proof (x_index X b Z). destruct H as [H|H]; [rewrite H in *|]; lia. Qed.
Lemma next_parent a : next (N a) <> parent (N a) -> parent (N (next (N a))) = parent (N a) /\ next (N a) <> 0.
Proof. intros Z. destruct (w_next p W a Z) as [P _]. split; auto. intros E. rewrite E, (w_root p W) in P. congruence. Qed.
Lemma child_not0 b q : parent (N b) = q -> q <> 0 -> b <> 0.
Proof. intros P Z ->. rewrite (w_root p W) in P. congruence. Qed.

(* -- the journal ------------------------------------------------------------------------------------------------------------------- *)
Definition ends m := m_mach m <> M_run /\ (m_dst m = P_skipped \/ m_dst m = P_cancelled \/ m_dst m = P_completed).
Definition entered (J : list move) a t := exists m, In m J /\ m_on m = T_enter /\ m_at m = a /\ m_tn m = t.
Definition ended (J : list move) a t := exists m, In m J /\ ends m /\ m_at m = a /\ m_tn m = t.
Definition begins m := m_on m = T_enter \/ owes (m_mach m) (m_dst m) = Some O_call.
Record fair J m : Prop := {
  f_once : m_on m = T_enter -> forall b u, entered J b u -> At b (m_at m) -> cut (m_at m) u <> m_tn m;
  f_over : begins m -> forall q, At (m_at m) q -> ~ ended J q (cut q (m_tn m));
  f_list : m_on m = T_enter -> forall b u, entered J b u -> b <> 0 -> parent (N b) = parent (N (m_at m)) -> listed (parent (N b)) ->
    u = m_tn m -> chain b (m_at m);
  f_ends : ends m -> m_on m <> T_enter /\ entered J (m_at m) (m_tn m);
  f_cut : m_tn m = cut (m_at m) (m_tn m) }.
Fixpoint Fair J := match J with [] => True | m :: past => fair past m /\ Fair past end.
Lemma entered_cons J m a t : entered (m :: J) a t <-> (m_on m = T_enter /\ m_at m = a /\ m_tn m = t) \/ entered J a t.
Proof.
  split.
  - intros (w & [<-|I] & E). auto. right. exists w. auto.
  - intros [E|(w & I & E)]; [exists m|exists w]; simpl; auto.
Qed.
Lemma ended_cons J m a t : ended (m :: J) a t <-> (ends m /\ m_at m = a /\ m_tn m = t) \/ ended J a t.
Proof.
  split.
  - intros (w & [<-|I] & E). auto. right. exists w. auto.
  - intros [E|(w & I & E)]; [exists m|exists w]; simpl; auto.
Qed.
Lemma ended_entered J a t : Fair J -> ended J a t -> entered J a t.
Proof.
  induction J as [|m J IH]; simpl; [intros _ (w & [] & _)|]. intros [F G] H. apply entered_cons. apply ended_cons in H as [(E & <- & <-)|H]; auto.
  right. apply (f_ends _ _ F E).
Qed.

(* -- positions --------------------------------------------------------------------------------------------------------------------- *)
(* Fresh: not entered. Open n: entered, and of what is inside only turns below n, of a Loop or a Router. Left: entered, its last child is
   over. Over: over, and on its way. *)
Inductive st := Fresh | Open (n : nat) | Left | Over.
Record pos := Pos { pa : addr; pt : turn; ps : st }.
Definition turns_inside q := kind_ (N q) = K_loop \/ kind_ (N q) = K_router.
Record Level (J : list move) (F : list frame) (a : addr) (t : turn) : Prop := {
  l_list : listed (parent (N a)) -> forall b u b0, entered J b u -> At b b0 -> b0 <> 0 -> parent (N b0) = parent (N a) -> cut b0 u = cut a t -> chain b0 a;
  l_loop : parent (N a) <> 0 -> kind_ (N (parent (N a))) = K_loop -> forall b u, entered J b u -> Anc b (parent (N a)) ->
    cut (parent (N a)) u = cut (parent (N a)) t -> nth (depth (N (parent (N a)))) u 0 <= nth (depth (N (parent (N a)))) t 0;
  l_router : parent (N a) <> 0 -> kind_ (N (parent (N a))) = K_router -> forall f, In f F -> f_at f = parent (N a) ->
    f_tn f = cut (parent (N a)) t -> f_att f = nth (depth (N (parent (N a)))) t 0 /\ ~ In a (f_rest f);
  l_parallel : parent (N a) <> 0 -> kind_ (N (parent (N a))) = K_parallel -> forall f, In f F -> f_at f = parent (N a) ->
    f_tn f = cut (parent (N a)) t -> ~ In a (map fst (f_done f)) }.
Definition Own (J : list move) (F : list frame) x := let a := pa x in let t := pt x in match ps x with
  | Fresh => (forall b u, entered J b u -> At b a -> cut a u <> cut a t) /\ length t = depth (N a)
  | Open n => (kind_ (N a) = K_loop \/ length t = depth (N a)) /\ entered J a (cut a t)
    /\ (forall f, In f F -> f_at f = a -> f_tn f <> cut a t)
    /\ (forall b u, entered J b u -> Anc b a -> cut a u = cut a t -> turns_inside a /\ nth (depth (N a)) u 0 < n)
  | Left => entered J a (cut a t)
  | Over => True end.
Record Good (J : list move) (F : list frame) (x : pos) : Prop := {
  g_zero : pa x <> 0;
  g_length : depth (N (pa x)) <= length (pt x);
  g_levels : forall a, At (pa x) a -> Level J F a (pt x);
  g_around : forall q, Anc (pa x) q -> ~ ended J q (cut q (pt x)) /\ entered J q (cut q (pt x));
  g_live : ps x <> Over -> ~ ended J (pa x) (cut (pa x) (pt x));
  g_own : Own J F x }.
Definition Div x y := exists b c, b <> c /\ parent (N b) = parent (N c) /\ parent (N b) <> 0 /\ kind_ (N (parent (N b))) = K_parallel
  /\ At (pa x) b /\ At (pa y) c /\ cut (parent (N b)) (pt x) = cut (parent (N b)) (pt y).
Definition Same x y := ps x = Over /\ ps y = Over /\ pa x = pa y /\ cut (pa x) (pt x) = cut (pa y) (pt y).
Definition Apart x y := Div x y \/ Same x y.
Record FrameOk (J : list move) f : Prop := {
  k_entered : entered J (f_at f) (f_tn f);
  k_length : length (f_tn f) = depth (N (f_at f));
  k_before : kind_ (N (f_at f)) = K_router -> forall b u, entered J b u -> Anc b (f_at f) -> cut (f_at f) u = f_tn f ->
    nth (depth (N (f_at f))) u 0 <= f_att f;
  k_distinct : NoDup (f_rest f);
  k_rest : forall b, In b (f_rest f) -> kind_ (N (f_at f)) = K_router /\ f_at f <> 0 /\ parent (N b) = f_at f
    /\ forall c u, entered J c u -> At c b -> cut b u <> f_tn f ++ [f_att f] }.
Definition key f := (f_at f, f_tn f).
Record Inv1 (J : list move) (F : list frame) (P : list pos) : Prop := {
  i_fair : Fair J;
  i_apart : ForallOrdPairs Apart P;
  i_good : Forall (Good J F) P;
  i_keys : NoDup (map key F);
  i_frames : Forall (FrameOk J) F }.

Lemma div_sym x y : Div x y -> Div y x.
Proof. intros (b & c & A & B & C & D & E & F & G). exists c, b. rewrite <- B. repeat split; auto. Qed.
Lemma apart_sym x y : Apart x y -> Apart y x.
Proof. intros [A|(A & B & C & D)]; [left; apply div_sym; auto|right; repeat split; auto; congruence]. Qed.
Lemma apart_live x y : Apart x y -> ps x <> Over -> Div x y.
Proof. intros [A|(A & _)]; auto. congruence. Qed.
Lemma div_not_in x y : Div x y -> ~ At (pa y) (pa x).
Proof.
  intros (b & c & A & B & C & D & E & F & _) H. apply A.
  apply (uniq (pa y)); auto; [eapply At_trans; eauto|..]; intros ->; rewrite (w_root p W) in *; congruence.
Qed.
(* where two positions part: a place around the one is the branch itself, inside its branch and so away from the other, or around both *)
Lemma div_split x y a : Div x y -> At (pa y) a -> a <> 0 ->
  (parent (N a) <> 0 /\ kind_ (N (parent (N a))) = K_parallel)
  \/ (parent (N a) <> 0 /\ ~ At (pa x) (parent (N a)))
  \/ (At (pa x) a /\ cut a (pt x) = cut a (pt y) /\ forall k, k < depth (N a) -> nth k (pt x) 0 = nth k (pt y) 0).
Proof.
  intros (b & c & NE & PE & PZ & PK & B & C & T) A Z.
  assert (CZ : c <> 0) by (intros ->; rewrite (w_root p W) in *; congruence).
  assert (BZ : b <> 0) by (intros ->; rewrite (w_root p W) in *; congruence).
  destruct (at_lin _ _ _ A C) as [->|[H|H]].
  - left. rewrite <- PE. auto.
  - right; left. apply anc_at in H. pose proof H as H2. split.
    + intros E. rewrite E in H2. destruct H2 as [H2|H2]; [congruence|apply anc_less in H2; lia].
    + intros D. apply NE. apply (uniq (pa x)); auto. eapply At_trans; eauto.
  - right; right. apply anc_at in H as H2. rewrite <- PE in H2.
    assert (AX : At (pa x) a). { right. eapply at_anc; [exact B|]. destruct H2 as [<-|H2]; [apply anc1; auto|apply ancS; auto]. }
    split; auto. assert (E : cut a (pt x) = cut a (pt y)).
    { rewrite <- (cut_at (parent (N b)) a (pt x)), <- (cut_at (parent (N b)) a (pt y)); auto. congruence. }
    split; auto. intros k K. rewrite <- (nth_cut a _ k), <- (nth_cut a (pt y) k), E; auto.
Qed.

Lemma forall_perm {A} (Q : A -> Prop) l k : Permutation l k -> Forall Q l -> Forall Q k.
Proof. intros H. rewrite !Forall_forall. intros G x I. apply G. eapply Permutation_in; [apply Permutation_sym; eauto|auto]. Qed.
Lemma pairs_perm l k : Permutation l k -> ForallOrdPairs Apart l -> ForallOrdPairs Apart k.
Proof.
  induction 1; intros H1; auto.
  - inversion H1; subst. constructor; auto. eapply forall_perm; eauto.
  - inversion H1 as [|? ? A B]; subst. inversion B as [|? ? C D]; subst. inversion A; subst. constructor; [constructor; [apply apart_sym|]; auto|].
    constructor; auto.
Qed.
Lemma inv_perm J F P Q : Permutation P Q -> Inv1 J F P -> Inv1 J F Q.
Proof. intros H [A B C D E]. constructor; auto; [eapply pairs_perm; eauto|eapply forall_perm; eauto]. Qed.
Lemma inv_drop J F x P : Inv1 J F (x :: P) -> Inv1 J F P.
Proof. intros [A B C D E]. inversion B; inversion C; subst. constructor; auto. Qed.

(* -- moves ------------------------------------------------------------------------------------------------------------------------- *)
Lemma level_frames J F G a t : (forall f, In f G -> In f F) -> Level J F a t -> Level J G a t.
Proof. intros I [A B C D]. constructor; auto. Qed.
Lemma own_frames J F G x : (forall f, In f G -> In f F) -> Own J F x -> Own J G x.
Proof. unfold Own. intros I. destruct (ps x); auto. intros (A & B & C & D). split; [exact A|split; [exact B|split; [|exact D]]]. intros f Q. apply C; auto. Qed.
Lemma good_frames J F G x : (forall f, In f G -> In f F) -> Good J F x -> Good J G x.
Proof. intros I [A B C D E H]. constructor; auto; [intros; eapply level_frames; eauto|eapply own_frames; eauto]. Qed.
Lemma inv_frames J F G P : (forall f, In f G -> In f F) -> NoDup (map key G) -> Inv1 J F P -> Inv1 J G P.
Proof.
  intros I D [A B C _ E]. constructor; auto; [eapply Forall_impl; [|exact C]; intros x; apply good_frames; auto|].
  rewrite Forall_forall in *. auto.
Qed.

Lemma level_move J F m a t : m_on m <> T_enter -> Level J F a t -> Level (m :: J) F a t.
Proof.
  intros E [A B C D]. constructor; auto.
  - intros L b u b0 H. apply entered_cons in H as [(H & _)|H]; [contradiction|]. eauto.
  - intros Z K b u H. apply entered_cons in H as [(H & _)|H]; [contradiction|]. eauto.
Qed.
Lemma own_move J F m x : m_on m <> T_enter -> Own J F x -> Own (m :: J) F x.
Proof.
  unfold Own. intros E. destruct (ps x); auto.
  - intros [A B]. split; auto. intros b u H. apply entered_cons in H as [(H & _)|H]; [contradiction|]. eauto.
  - intros (A & B & C & D). split; auto. split; [apply entered_cons; auto|]. split; auto. intros b u H.
    apply entered_cons in H as [(H & _)|H]; [contradiction|]. eauto.
  - intros A. apply entered_cons; auto.
Qed.
Lemma frame_move J m f : m_on m <> T_enter -> FrameOk J f -> FrameOk (m :: J) f.
Proof.
  intros E [A B C D G]. constructor; auto.
  - apply entered_cons; auto.
  - intros K b u H. apply entered_cons in H as [(H & _)|H]; [contradiction|]. eauto.
  - intros b I. destruct (G b I) as (G1 & G2 & G3 & G4). split; auto. split; auto. split; auto. intros c u H.
    apply entered_cons in H as [(H & _)|H]; [contradiction|]. eauto.
Qed.
(* a place that a position lies in, or at, unless it is over there *)
Definition Lives x q t := (Anc (pa x) q \/ (pa x = q /\ ps x <> Over)) /\ cut q (pt x) = t.
Lemma good_move J F m x : m_on m <> T_enter -> (ends m -> ~ Lives x (m_at m) (m_tn m)) -> Good J F x -> Good (m :: J) F x.
Proof.
  intros E L [A B C D G H]. constructor; auto.
  - intros a I. apply level_move; auto.
  - intros q Q. destruct (D q Q) as [D1 D2]. split; [|apply entered_cons; auto]. intros R.
    apply ended_cons in R as [(R & <- & R2)|R]; [|contradiction]. apply (L R). split; auto.
  - intros O R. apply ended_cons in R as [(R & R1 & R2)|R]; [|exact (G O R)]. apply (L R). split; [right; auto|congruence].
  - apply own_move; auto.
Qed.
Lemma move_inv J F m P : m_on m <> T_enter -> fair J m -> (ends m -> forall x, In x P -> ~ Lives x (m_at m) (m_tn m)) -> Inv1 J F P ->
  Inv1 (m :: J) F P.
Proof.
  intros E R L [A B C D G]. constructor; auto.
  - split; auto.
  - rewrite Forall_forall in *. intros x I. apply good_move; auto.
  - eapply Forall_impl; [|exact G]. intros f. apply frame_move; auto.
Qed.

Lemma enter_others J F m x y : m_on m = T_enter -> m_at m = pa x -> m_tn m = cut (pa x) (pt x) -> ~ ends m -> Good J F x -> Div x y ->
  Good J F y -> Good (m :: J) F y.
Proof.
  intros ON AT TN NE GX DV [A B C D G H].
  assert (NI : ~ At (pa x) (pa y)) by (apply div_not_in, div_sym; auto).
  constructor; auto.
  - intros a I. pose proof (C a I) as [L1 L2 L3 L4].
    assert (AZ : a <> 0) by (destruct I as [<-|I]; [auto|apply anc_less in I; lia]). constructor; auto.
    + intros LI b u b0 EN B0 Z0 P0 T0. apply entered_cons in EN as [(_ & <- & <-)|EN]; [|eauto]. rewrite AT in B0. rewrite TN, cut_at in T0 by auto.
      destruct (div_split _ _ _ DV I AZ) as [[Q K]|[[Q K]|(Q & K & _)]].
      * destruct LI as [LI|LI]; [contradiction|]. tauto.
      * exfalso. apply K. rewrite <- P0. right. eapply at_anc; eauto. apply anc_up; congruence.
      * rewrite (uniq (pa x) b0 a); auto. constructor.
    + intros Z K b u EN B0 T0. apply entered_cons in EN as [(_ & <- & <-)|EN]; [|eauto]. rewrite AT in B0.
      destruct (div_split _ _ _ DV I AZ) as [[Q K2]|[[Q K2]|(Q & K2 & K3)]].
      * congruence.
      * exfalso. apply K2. right; auto.
      * rewrite TN. pose proof (ext_depth a Z) as DE. rewrite K in DE. simpl in DE. pose proof (at_depth _ _ Q).
        rewrite nth_cut by lia. rewrite K3 by lia. auto.
  - intros q Q. destruct (D q Q) as [D1 D2]. split; [|apply entered_cons; auto]. intros R. apply ended_cons in R as [(R & _)|R]; contradiction.
  - intros O R. apply ended_cons in R as [(R & _)|R]; [contradiction|exact (G O R)].
  - unfold Own in *. destruct (ps y); auto.
    + destruct H as [H H2]. split; auto. intros b u EN B0. apply entered_cons in EN as [(_ & <- & <-)|EN]; [|eauto]. rewrite AT in B0. contradiction.
    + destruct H as (H1 & H2 & H3 & H4). split; auto. split; [apply entered_cons; auto|]. split; auto. intros b u EN B0.
      apply entered_cons in EN as [(_ & <- & <-)|EN]; [|eauto]. exfalso. apply NI. rewrite <- AT. right; auto.
    + apply entered_cons; auto.
Qed.
Lemma enter_self J F m x n : m_on m = T_enter -> m_at m = pa x -> m_tn m = cut (pa x) (pt x) -> ~ ends m -> ps x = Fresh -> Good J F x ->
  Forall (FrameOk J) F -> Good (m :: J) F (Pos (pa x) (pt x) (Open n)).
Proof.
  intros ON AT TN NE FR [A B C D G H] FO. unfold Own in H. rewrite FR in H. destruct H as [H1 H2]. constructor; simpl; auto.
  - intros a I. pose proof (C a I) as [L1 L2 L3 L4].
    assert (AZ : a <> 0) by (destruct I as [<-|I]; [auto|apply anc_less in I; lia]). constructor; auto.
    + intros LI b u b0 EN B0 Z0 P0 T0. apply entered_cons in EN as [(_ & <- & <-)|EN]; [|eauto]. rewrite AT in B0.
      rewrite (uniq (pa x) b0 a); auto. constructor.
    + intros Z K b u EN B0 T0. apply entered_cons in EN as [(_ & <- & <-)|EN]; [|eauto].
      pose proof (ext_depth a Z) as DE. rewrite K in DE. simpl in DE. pose proof (at_depth _ _ I). rewrite TN, nth_cut by lia. auto.
  - intros q Q. destruct (D q Q) as [D1 D2]. split; [|apply entered_cons; auto]. intros R. apply ended_cons in R as [(R & _)|R]; contradiction.
  - intros _ R. apply ended_cons in R as [(R & _)|R]; [contradiction|]. apply G in R; auto. congruence.
  - unfold Own. simpl. split; auto. split; [apply entered_cons; auto|]. split.
    + intros f I FA FT. rewrite Forall_forall in FO. destruct (FO f I) as [K1 _ _ _ _]. apply (H1 (f_at f) (f_tn f)); auto.
      * left; auto.
      * rewrite FT. apply cut_same.
    + intros b u EN B0 T0. exfalso. apply entered_cons in EN as [(_ & <- & <-)|EN].
      * rewrite AT in B0. apply anc_less in B0. lia.
      * apply (H1 b u); auto. right; auto.
Qed.
Lemma enter_fair J F m x : m_on m = T_enter -> m_at m = pa x -> m_tn m = cut (pa x) (pt x) -> ~ ends m -> ps x = Fresh -> Good J F x -> fair J m.
Proof.
  intros ON AT TN NE FR [A B C D G H]. unfold Own in H. rewrite FR in H. destruct H as [H1 H2]. constructor.
  - intros _ b u EN I. rewrite AT, TN. apply (H1 b u); auto. rewrite <- AT; auto.
  - intros _ q Q. rewrite AT in Q. rewrite TN, cut_at by auto. destruct Q as [<-|Q]; [apply G; congruence|apply D; auto].
  - intros _ b u EN Z P LI U. rewrite AT in *. rewrite P in LI. destruct (C (pa x) (At_refl _)) as [L1 _ _ _]. apply (L1 LI b u b EN (At_refl _) Z P).
    rewrite U, TN. rewrite (cut_same_depth b (pa x)) by (apply same_depth; auto). apply cut_same.
  - intros E. contradiction.
  - rewrite TN, AT, cut_same. auto.
Qed.
Lemma enter_inv J F m x n P : m_on m = T_enter -> m_at m = pa x -> m_tn m = cut (pa x) (pt x) -> ~ ends m -> ps x = Fresh ->
  Inv1 J F (x :: P) -> Inv1 (m :: J) F (Pos (pa x) (pt x) (Open n) :: P).
Proof.
  intros ON AT TN NE FR [A B C D G]. inversion B as [|? ? B1 B2]; subst. inversion C as [|? ? C1 C2]; subst.
  assert (DV : forall y, In y P -> Div x y). { intros y I. rewrite Forall_forall in B1. apply apart_live; auto. congruence. }
  constructor; auto.
  - split; auto. eapply enter_fair; eauto.
  - constructor; auto. rewrite Forall_forall. intros y I. left. apply DV in I. exact I.
  - constructor; [eapply enter_self; eauto|]. rewrite Forall_forall in *. intros y I. eapply enter_others; eauto.
  - rewrite Forall_forall in *. intros f I. destruct (G f I) as [K1 K2 K3 K4 K5]. destruct C1 as [X1 X2 X3 X4 X5 X6]. constructor; auto.
    + apply entered_cons; auto.
    + intros K b u EN B0 T0. apply entered_cons in EN as [(_ & <- & <-)|EN]; [|eauto]. rewrite AT in B0. rewrite TN in T0.
      destruct (anc_child _ _ B0) as (c & E1 & E2 & E3). apply anc_less in B0 as [_ FZ].
      destruct (X3 c E1) as [_ _ L3 _]. rewrite E2 in L3.
      assert (CQ : f_tn f = cut (f_at f) (pt x)). { rewrite <- T0. apply cut_at. apply (At_trans _ c); auto. right. apply anc_up; auto. }
      destruct (L3 FZ K f I eq_refl CQ) as [-> _]. pose proof (ext_depth c) as DE. rewrite E2, K in DE. simpl in DE.
      pose proof (at_depth _ _ E1). specialize (DE FZ). rewrite TN, nth_cut by lia. auto.
    + intros b I2. destruct (K5 b I2) as (G1 & G2 & G3 & G4). split; auto. split; auto. split; auto. intros c u EN B0 T0.
      apply entered_cons in EN as [(_ & <- & <-)|EN]; [|exact (G4 c u EN B0 T0)]. rewrite AT in B0. rewrite TN, cut_at in T0 by auto.
      destruct (X3 b B0) as [_ _ L3 _]. rewrite G3 in L3.
      assert (CQ : f_tn f = cut (f_at f) (pt x)).
      { rewrite <- (cut_at b (f_at f)) by (right; apply anc_up; auto). rewrite T0. unfold Core.cut. rewrite <- K2, firstn_app, Nat.sub_diag. simpl.
        rewrite app_nil_r, firstn_all. auto. }
      destruct (L3 G2 G1 f I eq_refl CQ) as [_ L4]. contradiction.
Qed.

(* -- one position on its way, the others at rest ----------------------------------------------------------------------------------- *)
Record Tr J F x P : Prop := { t_good : Good J F x; t_div : Forall (Div x) P; t_inv : Inv1 J F P }.
Lemma tr_of J F x P : Inv1 J F (x :: P) -> ps x <> Over -> Tr J F x P.
Proof.
  intros I O. pose proof (inv_drop _ _ _ _ I) as D. destruct I as [A B C K E]. inversion B as [|? ? B1 B2]; inversion C; subst. constructor; auto.
  eapply Forall_impl; [|exact B1]. intros y Y. apply apart_live; auto.
Qed.
Lemma tr_inv J F x P : Tr J F x P -> Inv1 J F (x :: P).
Proof.
  intros [G D [A B C K E]]. constructor; auto. constructor; auto. eapply Forall_impl; [|exact D]. intros y Y. left; auto.
Qed.
Definition over x := Pos (pa x) (pt x) Over.
Definition live x := (exists n, ps x = Open n) \/ ps x = Left.
Lemma live_not x : live x -> ps x <> Over. Proof. intros [[n E]|E]; congruence. Qed.
Lemma good_status J F x s : Good J F x -> Own J F (Pos (pa x) (pt x) s) -> (s <> Over -> ps x <> Over) -> Good J F (Pos (pa x) (pt x) s).
Proof. intros [A B C D G H] O L. constructor; simpl; auto. Qed.
Lemma good_over J F x : Good J F x -> Good J F (over x).
Proof. intros G. apply good_status; auto; try exact I; intros E; destruct (E eq_refl). Qed.
Lemma live_entered J F x : Good J F x -> live x -> entered J (pa x) (cut (pa x) (pt x)).
Proof. intros [_ _ _ _ _ H] L. unfold Own in H. destruct L as [[n L]|L]; rewrite L in H; [apply H|auto]. Qed.
Lemma fire_fair J F x m : Good J F x -> live x -> m_on m <> T_enter -> m_at m = pa x -> m_tn m = cut (pa x) (pt x) -> fair J m.
Proof.
  intros G L ON AT TN. constructor; try contradiction.
  - intros _ q Q. rewrite AT in Q. rewrite TN, cut_at by auto. destruct Q as [<-|Q]; [apply (g_live _ _ _ G), live_not; auto|apply (g_around _ _ _ G); auto].
  - intros _. split; auto. rewrite AT, TN. eapply live_entered; eauto.
  - rewrite TN, AT, cut_same. auto.
Qed.
Lemma place_fair J F x m q : Good J F x -> Anc (pa x) q -> m_on m <> T_enter -> m_at m = q -> m_tn m = cut q (pt x) -> fair J m.
Proof.
  intros G Q ON AT TN. constructor; try contradiction.
  - intros _ r R. rewrite AT in R. rewrite TN, cut_at by auto. apply (g_around _ _ _ G). destruct R as [<-|R]; auto. eapply anc_trans; eauto.
  - intros _. split; auto. rewrite AT, TN. apply (g_around _ _ _ G); auto.
  - rewrite TN, AT, cut_same. auto.
Qed.
Lemma lives_at x q t : Lives x q t -> At (pa x) q. Proof. intros [[H|[H _]] _]; unfold At; auto. Qed.
Lemma tr_move J F x m P : Tr J F x P -> m_on m <> T_enter -> fair J m -> ~ ends m -> Tr (m :: J) F x P.
Proof.
  intros [G D I] ON R E. constructor; auto; [apply good_move; auto; contradiction|apply move_inv; auto; contradiction].
Qed.
Lemma tr_end J F x m P : Tr J F x P -> live x -> m_on m <> T_enter -> m_at m = pa x -> m_tn m = cut (pa x) (pt x) -> Tr (m :: J) F (over x) P.
Proof.
  intros [G D I] L ON AT TN. constructor.
  - apply good_move; auto; [|apply good_over; auto]. intros _ [[H|[_ H]] _]; simpl in H; [|congruence]. rewrite AT in H. apply anc_less in H. lia.
  - eapply Forall_impl; [|exact D]. intros y Y. exact Y.
  - apply move_inv; auto; [eapply fire_fair; eauto|]. intros _ y Y H. apply lives_at in H. rewrite Forall_forall in D.
    apply (div_not_in _ _ (D y Y)). rewrite <- AT. auto.
Qed.
Lemma frames_perm J F f r P : Permutation F (f :: r) -> Inv1 J F P -> Inv1 J r P.
Proof.
  intros H I. eapply inv_frames; [| |exact I].
  - intros g G. eapply Permutation_in; [apply Permutation_sym; exact H|simpl; auto].
  - destruct I as [_ _ _ K _]. apply (Permutation_map key) in H. apply (Permutation_NoDup H) in K. inversion K; auto.
Qed.

(* along a list *)
Lemma tr_next J F a t P : Tr J F (Pos a t Over) P -> length t = depth (N a) -> next (N a) <> parent (N a) -> Tr J F (Pos (next (N a)) t Fresh) P.
Proof.
  intros [G D I] L NP. destruct (next_parent a NP) as [PN NZ]. pose proof (same_depth _ _ PN) as DN. set (b := next (N a)) in *.
  destruct G as [G1 G2 G3 G4 G5 G6]. simpl in *.
  assert (LI : listed (parent (N a))).
  { destruct (Nat.eq_dec (parent (N a)) 0) as [Z|Z]; [left; auto|]. right. split; intros K; apply NP, (x_beside X); auto. }
  assert (UN : forall c u, entered J c u -> At c b -> cut b u <> cut b t).
  { intros c u EN B0 T0. destruct (G3 a (At_refl _)) as [L1 _ _ _].
    apply (chain_last a NP). apply (L1 LI c u b); auto. rewrite T0. apply cut_same_depth; auto. }
  assert (AA : forall q, Anc b q <-> Anc a q) by (split; apply anc_parent_eq; auto).
  constructor; auto.
  - constructor; simpl; [exact NZ|lia| | | |].
    + intros c [<-|C].
      * destruct (G3 a (At_refl _)) as [L1 L2 L3 L4]. constructor; rewrite PN.
        -- intros _ c u b0 EN B0 Z0 P0 T0. apply chainS; auto. apply (L1 LI c u b0); auto. rewrite T0. apply cut_same_depth; auto.
        -- exact L2.
        -- intros Z K. exfalso. apply NP, (x_beside X); auto.
        -- intros Z K. exfalso. apply NP, (x_beside X); auto.
      * apply G3. right. apply AA; auto.
    + intros q Q. apply G4, AA; auto.
    + intros _ E. apply ended_entered in E; [|apply I]. apply (UN b (cut b t)); auto using At_refl. apply cut_same.
    + unfold Own. simpl. split; auto. lia.
  - rewrite Forall_forall in *. intros y Y. destruct (D y Y) as (c & e & A1 & A2 & A3 & A4 & A5 & A6 & A7). exists c, e. simpl in *.
    repeat split; auto. destruct A5 as [<-|A5]; [exfalso; apply NP, (x_beside X); auto|]. right. apply AA; auto.
Qed.

(* out of a component *)
Lemma tr_up J F a t P : Tr J F (Pos a t Over) P -> depth (N a) <= length t -> next (N a) = parent (N a) -> parent (N a) <> 0 ->
  kind_ (N (parent (N a))) <> K_parallel -> Tr J F (Pos (parent (N a)) t Left) P.
Proof.
  intros [G D I] L NP Z K. set (q := parent (N a)) in *. assert (AQ : Anc a q) by (apply anc1; auto).
  destruct G as [G1 G2 G3 G4 G5 G6]. simpl in *. constructor; auto.
  - constructor; simpl; [exact Z|pose proof (anc_depth p W _ _ AQ); lia| | | |].
    + intros c C. apply G3. right. destruct C as [<-|C]; auto. eapply anc_trans; eauto.
    + intros c C. apply G4. eapply anc_trans; eauto.
    + intros _. apply G4; auto.
    + unfold Own. simpl. apply G4; auto.
  - rewrite Forall_forall in *. intros y Y. destruct (D y Y) as (c & e & A1 & A2 & A3 & A4 & A5 & A6 & A7). exists c, e. simpl in *.
    repeat split; auto. destruct A5 as [<-|A5]; [contradiction|]. apply anc_at in A5. exact A5.
Qed.
Lemma tr_status J F a t s u P : Tr J F (Pos a t s) P -> Own J F (Pos a t u) -> (u <> Over -> s <> Over) -> Tr J F (Pos a t u) P.
Proof. intros [G D I] O L. constructor; auto. exact (good_status J F (Pos a t s) u G O L). Qed.
Lemma good_cut J F a t : Good J F (Pos a t Left) -> Good J F (Pos a (cut a t) Left).
Proof.
  intros [G1 G2 G3 G4 G5 G6]. simpl in *. constructor; simpl; auto.
  - rewrite cut_len; auto.
  - intros b B. destruct (G3 b B) as [L1 L2 L3 L4]. pose proof (at_depth _ _ B) as DB.
    assert (CP : parent (N b) <> 0 -> cut (parent (N b)) (cut a t) = cut (parent (N b)) t).
    { intros Z. apply cut_at. eapply At_trans; eauto. right. apply anc1; auto. }
    constructor.
    + rewrite cut_at by auto. exact L1.
    + intros Z K. rewrite CP by auto. intros c u EN C T. pose proof (ext_depth b Z) as DE. rewrite K in DE. simpl in DE. rewrite nth_cut by lia. eauto.
    + intros Z K. rewrite CP by auto. intros f I FA FT. pose proof (ext_depth b Z) as DE. rewrite K in DE. simpl in DE. rewrite nth_cut by lia. eauto.
    + intros Z K. rewrite CP by auto. eauto.
  - intros q Q. rewrite cut_at by (right; auto). auto.
  - intros _. rewrite cut_same. apply G5. discriminate.
  - unfold Own in *. simpl in *. rewrite cut_same. auto.
Qed.
Lemma tr_cut J F a t P : Tr J F (Pos a t Left) P -> Tr J F (Pos a (cut a t) Left) P.
Proof.
  intros [G D I]. constructor; auto; [apply good_cut; auto|]. rewrite Forall_forall in *. intros y Y.
  destruct (D y Y) as (c & e & A1 & A2 & A3 & A4 & A5 & A6 & A7). exists c, e. simpl in *. repeat split; auto.
  rewrite cut_at; auto. eapply At_trans; eauto. right. apply anc1; auto.
Qed.
Lemma tr_less J F f r x P : Permutation F (f :: r) -> Tr J F x P -> Tr J r x P.
Proof.
  intros H [G D I]. constructor; auto; [|eapply frames_perm; eauto]. eapply good_frames; [|exact G].
  intros g Q. eapply Permutation_in; [apply Permutation_sym; exact H|simpl; auto].
Qed.
Lemma key_once F f r : Permutation F (f :: r) -> NoDup (map key F) -> forall g, In g r -> f_at g = f_at f -> f_tn g <> f_tn f.
Proof.
  intros H K g G E T. apply (Permutation_map key) in H. apply (Permutation_NoDup H) in K. simpl in K. inversion K as [|? ? K1 K2]; subst.
  apply K1. apply in_map_iff. exists g. unfold key. rewrite E, T. auto.
Qed.
(* a Loop whose iteration is over, and a Router whose choice is: their own cursor again *)
Lemma tr_loop J F a t f r P : Tr J F (Pos a t Over) P -> length t = depth (N a) -> next (N a) = parent (N a) -> parent (N a) <> 0 ->
  kind_ (N (parent (N a))) = K_loop -> Permutation F (f :: r) -> f_at f = parent (N a) -> f_tn f = cut (parent (N a)) t ->
  Tr J r (Pos (parent (N a)) t (Open (S (nth (depth (N (parent (N a)))) t 0)))) P.
Proof.
  intros T L NP Z K H FA FT. pose proof (t_good _ _ _ _ T) as G. pose proof (i_keys _ _ _ (t_inv _ _ _ _ T)) as KE.
  apply tr_up in T; auto; [|lia|congruence]. apply (tr_less _ _ _ _ _ _ H) in T. apply tr_status with (s := Left); auto; [|discriminate].
  pose proof (g_own _ _ _ (t_good _ _ _ _ T)) as O. unfold Own in *. simpl in *. split; auto. split; auto. split.
  - intros g I GA GT. apply (key_once _ _ _ H KE g I); congruence.
  - intros b u EN B T0. split; [left; auto|]. destruct (g_levels _ _ _ G a (At_refl _)) as [_ L2 _ _]. simpl in L2. apply le_n_S.
    apply (L2 Z K b u); auto.
Qed.
Lemma tr_router J F a t f r P : Tr J F (Pos a t Over) P -> length t = depth (N a) -> next (N a) = parent (N a) -> parent (N a) <> 0 ->
  kind_ (N (parent (N a))) = K_router -> Permutation F (f :: r) -> f_at f = parent (N a) -> f_tn f = cut (parent (N a)) t ->
  Tr J r (Pos (parent (N a)) (cut (parent (N a)) t) (Open (S (f_att f)))) P.
Proof.
  intros T L NP Z K H FA FT. pose proof (t_good _ _ _ _ T) as G. pose proof (t_inv _ _ _ _ T) as [_ _ _ KE FO].
  apply tr_up in T; auto; [|lia|congruence]. apply (tr_less _ _ _ _ _ _ H) in T. apply tr_cut in T. apply tr_status with (s := Left); auto; [|discriminate].
  pose proof (g_own _ _ _ (t_good _ _ _ _ T)) as O. unfold Own in *. simpl in *.
  assert (DA : depth (N (parent (N a))) <= length t) by (rewrite L, (ext_depth a Z); lia).
  split; [right; apply cut_len; auto|]. split; auto. rewrite cut_same. split.
  - intros g I GA GT. apply (key_once _ _ _ H KE g I); congruence.
  - intros b u EN B T0. split; [right; auto|]. rewrite Forall_forall in FO. assert (FI : In f F).
    { eapply Permutation_in; [apply Permutation_sym; exact H|simpl; auto]. }
    destruct (FO f FI) as [_ _ K3 _ _]. apply le_n_S. rewrite <- FA in *. apply (K3 K b u); auto. congruence.
Qed.
Lemma nth_last t n : length t = S n -> last t 0 = nth n t 0.
Proof. revert n. induction t as [|x t IH]; simpl; [discriminate|]. intros n E. injection E as E. destruct t as [|y t]; [simpl in E; subst; auto|]. destruct n; [discriminate|]. rewrite (IH n); auto. Qed.
Lemma cut_nth q t : length t = S (depth (N q)) -> t = cut q t ++ [nth (depth (N q)) t 0].
Proof.
  unfold Core.cut. generalize (depth (N q)). intros n. revert t. induction n; intros t E; (destruct t as [|x t]; [discriminate|]); simpl in *.
  - destruct t; [auto|discriminate].
  - f_equal. apply IHn. lia.
Qed.

(* -- frames that are put down ------------------------------------------------------------------------------------------------------ *)
Definition Fits g y :=
  (forall a, At (pa y) a -> parent (N a) = f_at g -> f_at g <> 0 -> f_tn g = cut (f_at g) (pt y) ->
     (kind_ (N (f_at g)) = K_router -> f_att g = nth (depth (N (f_at g))) (pt y) 0 /\ ~ In a (f_rest g))
     /\ (kind_ (N (f_at g)) = K_parallel -> ~ In a (map fst (f_done g))))
  /\ (forall n, ps y = Open n -> pa y = f_at g -> f_tn g <> cut (pa y) (pt y)).
Lemma fits_outside g y : ~ At (pa y) (f_at g) -> Fits g y.
Proof.
  intros H. split.
  - intros a A E Z _. exfalso. apply H. eapply At_trans; eauto. right. apply anc_up; auto.
  - intros n _ E. exfalso. apply H. left; auto.
Qed.
Lemma in_snoc {A} (x y : A) l : In x (l ++ [y]) <-> In x l \/ x = y.
Proof. rewrite in_app_iff. simpl. intuition. Qed.
Lemma good_add J F g y : Good J F y -> Fits g y -> Good J (F ++ [g]) y.
Proof.
  intros [A B C D E H] [Q1 Q2]. constructor; auto.
  - intros a I. destruct (C a I) as [L1 L2 L3 L4]. constructor; auto.
    + intros Z K f FI FA FT. apply in_snoc in FI as [FI| ->]; [auto|]. rewrite <- FA in *. apply (Q1 a); auto.
    + intros Z K f FI FA FT. apply in_snoc in FI as [FI| ->]; [eapply L4; eauto|]. rewrite <- FA in *. apply (Q1 a); auto.
  - unfold Own in *. destruct (ps y) eqn:S; auto. destruct H as (H1 & H2 & H3 & H4). split; auto. split; auto. split; auto.
    intros f FI FA. apply in_snoc in FI as [FI| ->]; [auto|]. apply (Q2 n); auto.
Qed.
Lemma inv_add J F g P : Inv1 J F P -> FrameOk J g -> (forall f, In f F -> f_at f = f_at g -> f_tn f <> f_tn g) -> Forall (Fits g) P ->
  Inv1 J (F ++ [g]) P.
Proof.
  intros [A B C D E] O K Q. constructor; auto.
  - rewrite Forall_forall in *. intros y Y. apply good_add; auto.
  - rewrite map_app. simpl. apply (Permutation_NoDup (Permutation_cons_append _ _)). constructor; auto. intros I. apply in_map_iff in I as (f & FE & FI).
    unfold key in FE. injection FE as E1 E2. eapply K; eauto.
  - apply Forall_app; auto.
Qed.
Lemma tr_add J F g x P : Tr J F x P -> FrameOk J g -> (forall f, In f F -> f_at f = f_at g -> f_tn f <> f_tn g) -> Fits g x -> Forall (Fits g) P ->
  Tr J (F ++ [g]) x P.
Proof. intros [G D I] O K Q R. constructor; auto; [apply good_add; auto|apply inv_add; auto]. Qed.
Lemma div_outside x P : Forall (Div x) P -> forall y, In y P -> ~ At (pa y) (pa x).
Proof. intros D y Y. rewrite Forall_forall in D. apply div_not_in; auto. Qed.
Lemma fits_others J F x P g : Tr J F x P -> f_at g = pa x -> Forall (Fits g) P.
Proof. intros [_ D _] E. rewrite Forall_forall. intros y Y. apply fits_outside. rewrite E. eapply div_outside; eauto. Qed.

(* -- into a component -------------------------------------------------------------------------------------------------------------- *)
Lemma level_same J F a t u : cut a t = cut a u -> Level J F a t -> Level J F a u.
Proof.
  intros E [L1 L2 L3 L4].
  assert (CP : parent (N a) <> 0 -> cut (parent (N a)) t = cut (parent (N a)) u).
  { intros Z. rewrite <- (cut_at a (parent (N a)) t), <- (cut_at a (parent (N a)) u), E by (right; apply anc1; auto). auto. }
  assert (CN : parent (N a) <> 0 -> turns_inside (parent (N a)) -> nth (depth (N (parent (N a)))) t 0 = nth (depth (N (parent (N a)))) u 0).
  { intros Z K. pose proof (ext_depth a Z) as DE. assert (depth (N (parent (N a))) < depth (N a)) by (destruct K as [K|K]; rewrite K in DE; simpl in DE; lia).
    rewrite <- (nth_cut a t), <- (nth_cut a u), E; auto. }
  constructor.
  - rewrite <- E. exact L1.
  - intros Z K. rewrite <- CP, <- CN by (auto; left; auto). exact (L2 Z K).
  - intros Z K. rewrite <- CP, <- CN by (auto; right; auto). exact (L3 Z K).
  - intros Z K. rewrite <- CP by auto. exact (L4 Z K).
Qed.
Lemma good_child J F a t n b u : Good J F (Pos a t (Open n)) -> parent (N b) = a -> cut a u = cut a t -> length u = depth (N b) ->
  (forall c w, entered J c w -> At c b -> cut b w <> u) -> Fair J -> Level J F b u -> Good J F (Pos b u Fresh).
Proof.
  intros [G1 G2 G3 G4 G5 G6] P T L U FA LV. simpl in *. assert (BZ : b <> 0) by (eapply child_not0; eauto).
  assert (AB : Anc b a) by (apply anc_up; auto). constructor; simpl; auto.
  - rewrite L. auto.
  - intros c [<-|C]; auto. apply anc_at in C. rewrite P in C. apply level_same with (t := t); [|auto].
    rewrite <- (cut_at a c t), <- (cut_at a c u), T; auto.
  - intros q Q. apply anc_at in Q. rewrite P in Q. rewrite <- (cut_at a q u), T, cut_at by auto. destruct Q as [<-|Q]; auto.
    split; [apply G5; discriminate|apply G6].
  - intros _ E. apply ended_entered in E; auto. apply (U _ _ E (At_refl _)). rewrite cut_same. apply cut_all; auto.
  - unfold Own. simpl. split; [|auto]. intros c w EN C. rewrite (cut_all p b u); auto. apply (U c w); auto.
Qed.
Lemma div_child a t s b u s2 y : Div (Pos a t s) y -> parent (N b) = a -> a <> 0 -> cut a u = cut a t -> Div (Pos b u s2) y.
Proof.
  intros (c & e & A1 & A2 & A3 & A4 & A5 & A6 & A7) P Z T. exists c, e. simpl in *.
  assert (AQ : At a (parent (N c))). { eapply At_trans; [exact A5|]. right. apply anc1; auto. }
  repeat split; auto.
  - eapply At_trans; [|exact A5]. right. apply anc_up; auto.
  - rewrite <- A7, <- (cut_at a _ u), T, cut_at; auto.
Qed.
Lemma inside_entry J F a t n : Good J F (Pos a t (Open n)) -> forall b c w u, parent (N b) = a -> entered J c w -> At c b -> cut b w = u -> cut a u = cut a t ->
  depth (N a) <= depth (N b) -> turns_inside a /\ nth (depth (N a)) w 0 < n.
Proof.
  intros G b c w u P EN C T E DD. pose proof (g_own _ _ _ G) as O. unfold Own in O. simpl in O. destruct O as (_ & _ & _ & O).
  pose proof (g_zero _ _ _ G) as Z. simpl in Z. apply (O c w EN); [eapply at_anc; [exact C|apply anc_up; auto]|].
  rewrite <- E, <- T. symmetry. apply cut_at. right. apply anc_up; auto.
Qed.
Lemma tr_list J F a t n b P : Tr J F (Pos a t (Open n)) P -> parent (N b) = a -> length t = depth (N a) -> ~ turns_inside a ->
  kind_ (N a) <> K_parallel -> Tr J F (Pos b t Fresh) P.
Proof.
  intros [G D I] PB L NT NP. pose proof (g_zero _ _ _ G) as Z. simpl in Z. assert (DB : depth (N b) = depth (N a)).
  { rewrite (ext_depth b) by congruence. rewrite PB. unfold turns_inside in NT. destruct (kind_ (N a)); simpl; try lia; exfalso; apply NT; auto. }
  assert (NO : forall c w b0, entered J c w -> At c b0 -> parent (N b0) = a -> cut b0 w <> t).
  { intros c w b0 EN C P0 T0. apply NT. eapply (inside_entry _ _ _ _ _ G b0 c w t); eauto. rewrite (same_depth b0 b) by congruence. lia. }
  constructor; auto.
  - eapply good_child; eauto; [lia|apply I|]. constructor; rewrite PB.
    + intros _ c w b0 EN C Z0 P0 T0. exfalso. apply (NO c w b0); auto. rewrite T0. apply cut_all; lia.
    + intros _ K. exfalso. apply NT. left; auto.
    + intros _ K. exfalso. apply NT. right; auto.
    + intros _ K. contradiction.
  - eapply Forall_impl; [|exact D]. intros y Y. eapply div_child; eauto.
Qed.
Lemma cut_snoc a t n b : depth (N a) <= length t -> depth (N b) = S (depth (N a)) ->
  length (cut a t ++ [n]) = depth (N b) /\ cut a (cut a t ++ [n]) = cut a t /\ nth (depth (N a)) (cut a t ++ [n]) 0 = n.
Proof.
  intros L D. assert (CL := cut_len p a t L). split; [rewrite app_length, CL; simpl; lia|]. split.
  - rewrite cut_app by lia. apply cut_same.
  - rewrite app_nth2 by lia. rewrite CL, Nat.sub_diag. auto.
Qed.
(* the next iteration of a Loop, the first choice of a Router *)
Lemma tr_turn J F a t n g b P : Tr J F (Pos a t (Open n)) P -> turns_inside a -> f_at g = a -> f_tn g = cut a t -> f_att g = n \/ kind_ (N a) = K_loop ->
  parent (N b) = a -> NoDup (b :: f_rest g) -> (forall c, In c (f_rest g) -> kind_ (N a) = K_router /\ parent (N c) = a) ->
  Tr J (F ++ [g]) (Pos b (cut a t ++ [n]) Fresh) P.
Proof.
  intros T TI FA FT AT PB ND CH. pose proof T as [G D I]. pose proof (g_zero _ _ _ G) as Z. simpl in Z.
  pose proof (g_length _ _ _ G) as L. simpl in L. pose proof (g_own _ _ _ G) as O. unfold Own in O. simpl in O. destruct O as (_ & O2 & O3 & O4).
  assert (DC : forall c, parent (N c) = a -> depth (N c) = S (depth (N a))).
  { intros c PC. rewrite (ext_depth c) by congruence. rewrite PC. destruct TI as [K|K]; rewrite K; simpl; lia. }
  destruct (cut_snoc a t n b L (DC b PB)) as (S1 & S2 & S3).
  assert (NO : forall c w b0, entered J c w -> At c b0 -> parent (N b0) = a -> cut b0 w <> cut a t ++ [n]).
  { intros c w b0 EN C P0 T0. pose proof (DC b0 P0) as D0. destruct (inside_entry _ _ _ _ _ G b0 c w _ P0 EN C T0 S2) as [_ H]; [lia|].
    rewrite <- (nth_cut b0 w), T0, S3 in H by lia. lia. }
  assert (FO : FrameOk J g).
  { constructor.
    - rewrite FA, FT. exact O2.
    - rewrite FA, FT. apply cut_len; auto.
    - rewrite FA. intros K c w EN C T0. destruct AT as [->|AT]; [|congruence]. apply Nat.lt_le_incl, (O4 c w); auto. congruence.
    - inversion ND; auto.
    - intros c C. destruct (CH c C) as [K PC]. rewrite FA. split; auto. split; auto. split; auto. intros e w EN E0. destruct AT as [->|AT]; [|congruence].
      rewrite FT. eapply NO; eauto. }
  assert (KF : forall f, In f F -> f_at f = f_at g -> f_tn f <> f_tn g) by (rewrite FA, FT; auto).
  assert (GB : Good J (F ++ [g]) (Pos b (cut a t ++ [n]) Fresh)).
  { assert (NB : Good J F (Pos b (cut a t ++ [n]) Fresh)).
    { eapply good_child; eauto; [apply I|]. constructor; rewrite PB.
      - intros _ c w b0 EN C Z0 P0 T0. exfalso. apply (NO c w b0); auto. rewrite T0. apply cut_all; auto.
      - intros _ K c w EN C T0. rewrite S3. apply Nat.lt_le_incl, (O4 c w); auto. congruence.
      - intros _ K f FI FA2 FT2. exfalso. apply (O3 f FI FA2). congruence.
      - intros _ K. exfalso. destruct TI; congruence. }
    apply good_add; auto. split; simpl.
    - intros c C PC _ _. rewrite FA in *. assert (c = b) as ->.
      { apply (uniq b); auto; [apply At_refl|congruence|eapply child_not0; eauto..]. }
      split; [|intros K; destruct TI; congruence]. intros K. rewrite S3. split; [destruct AT; congruence|]. inversion ND; auto.
    - discriminate. }
  constructor; auto.
  - eapply Forall_impl; [|exact D]. intros y Y. eapply div_child; eauto.
  - apply inv_add; auto. eapply fits_others; eauto.
Qed.
(* all branches of a Parallel *)
Lemma inv_branches J F a t n g l P : Tr J F (Pos a t (Open n)) P -> kind_ (N a) = K_parallel -> f_at g = a -> f_tn g = cut a t -> f_rest g = [] ->
  f_done g = [] -> NoDup l -> (forall b, In b l -> parent (N b) = a) -> Inv1 J (F ++ [g]) (map (fun b => Pos b t Fresh) l ++ P).
Proof.
  intros T K FA FT FR FD ND CH. pose proof T as [G D I]. pose proof (g_zero _ _ _ G) as Z. simpl in Z.
  pose proof (g_own _ _ _ G) as O. unfold Own in O. simpl in O. destruct O as (O1 & O2 & O3 & O4).
  assert (L : length t = depth (N a)) by (destruct O1; congruence).
  assert (DC : forall c, parent (N c) = a -> depth (N c) = depth (N a)).
  { intros c PC. rewrite (ext_depth c) by congruence. rewrite PC, K. simpl; lia. }
  assert (NT : ~ turns_inside a) by (unfold turns_inside; rewrite K; intros [E|E]; discriminate).
  assert (NO : forall c w b0, entered J c w -> At c b0 -> parent (N b0) = a -> cut b0 w <> t).
  { intros c w b0 EN C P0 T0. apply NT. eapply (inside_entry _ _ _ _ _ G b0 c w t); eauto. rewrite (DC b0); auto. }
  assert (FO : FrameOk J g).
  { constructor; try (rewrite FR); try (rewrite FA); try (rewrite FT); auto; [apply cut_len; lia|congruence|constructor|intros b []]. }
  assert (KF : forall f, In f F -> f_at f = f_at g -> f_tn f <> f_tn g) by (rewrite FA, FT; auto).
  assert (GB : forall b, In b l -> Good J (F ++ [g]) (Pos b t Fresh)).
  { intros b B. pose proof (CH b B) as PB. pose proof (DC b PB) as DB. apply good_add.
    - eapply good_child; eauto; [lia|apply I|]. constructor; rewrite PB.
      + intros [E|[_ E]]; contradiction.
      + rewrite K; discriminate.
      + rewrite K; discriminate.
      + intros _ _ f FI FA2 FT2. exfalso. apply (O3 f FI FA2). congruence.
    - split; simpl.
      + intros c C PC _ _. rewrite FA, FD. split; [rewrite K; discriminate|intros _ []].
      + discriminate. }
  assert (I2 : Inv1 J (F ++ [g]) P) by (apply inv_add; auto; eapply fits_others; eauto).
  clear - W X ND CH GB I2 D K Z FA FT. revert ND CH GB. induction l as [|b l IH]; simpl; intros ND CH GB; auto. inversion ND as [|? ? NI ND2]; subst.
  assert (I3 : Inv1 J (F ++ [g]) (map (fun b => Pos b t Fresh) l ++ P)) by (apply IH; auto). destruct I3 as [A B C E H]. constructor; auto.
  constructor; auto. apply Forall_app. split.
  - rewrite Forall_forall. intros y Y. apply in_map_iff in Y as (c & <- & CI). left. exists b, c. pose proof (CH b (or_introl eq_refl)) as P1.
    pose proof (CH c (or_intror CI)) as P2. simpl. rewrite P1, P2. repeat split; auto using At_refl; congruence.
  - eapply Forall_impl; [|exact D]. intros y Y. left. eapply div_child; eauto.
Qed.

(* the next choice of a Router; a branch that is done, and the last one *)
Lemma tr_choice J F a t f r b more P : Tr J F (Pos a t Over) P -> length t = depth (N a) -> next (N a) = parent (N a) -> parent (N a) <> 0 ->
  kind_ (N (parent (N a))) = K_router -> Permutation F (f :: r) -> f_at f = parent (N a) -> f_tn f = cut (parent (N a)) t -> f_rest f = b :: more ->
  Tr J (r ++ [Frame (f_at f) (f_tn f) (f_prev f) (f_last f) (f_att f) (f_mk f) more (f_done f)]) (Pos b t Fresh) P.
Proof.
  intros T L NP Z K H FA FT FR. set (q := parent (N a)) in *. pose proof T as [G D I].
  assert (FI : In f F) by (eapply Permutation_in; [apply Permutation_sym; exact H|simpl; auto]).
  assert (FO : FrameOk J f) by (destruct I as [_ _ _ _ FO]; rewrite Forall_forall in FO; auto). pose proof FO as [K1 K2 K3 K4 K5].
  destruct (g_levels _ _ _ G a (At_refl _)) as [_ _ L3 _]. simpl in L3. destruct (L3 Z K f FI FA FT) as [AT NA]. fold q in AT.
  assert (DQ : depth (N a) = S (depth (N q))) by (rewrite (ext_depth a Z); fold q; rewrite K; simpl; lia).
  assert (TE : t = f_tn f ++ [f_att f]) by (rewrite FT, AT; apply cut_nth; lia).
  pose proof (tr_router J F a t f r P T L NP Z K H FA FT) as T2. fold q in T2. rewrite <- FT in T2. set (g := Frame _ _ _ _ _ _ more _).
  (* as if the choice were the first of a Router that has not chosen yet *)
  assert (RB : forall c, In c (b :: more) -> parent (N c) = q /\ forall e w, entered J e w -> At e c -> cut c w <> t).
  { intros c C. rewrite <- FR in C. destruct (K5 c C) as (_ & _ & PC & UC). rewrite TE. split; [congruence|exact UC]. }
  destruct (RB b (or_introl eq_refl)) as [PB UB]. pose proof T2 as [G2 D2 I2].
  assert (BZ : b <> 0) by (eapply child_not0; eauto).
  assert (DB : depth (N b) = S (depth (N q))) by (rewrite (ext_depth b) by congruence; rewrite PB, K; simpl; lia).
  assert (CQ : cut q t = f_tn f) by auto.
  assert (GO : FrameOk J g).
  { constructor; simpl; auto; [rewrite FR in K4; inversion K4; auto|]. intros c C. apply K5. rewrite FR. simpl; auto. }
  pose proof (i_keys _ _ _ I) as KE.
  assert (GB : Good J (r ++ [g]) (Pos b t Fresh)).
  { assert (NB : Good J r (Pos b t Fresh)).
    { eapply good_child; [exact G2|auto| |lia|exact UB|apply I|].
      - rewrite <- CQ. symmetry. apply cut_same.
      - constructor; rewrite PB.
        + intros [E|[E _]]; contradiction.
        + rewrite K; discriminate.
        + intros _ _ h HI HA HT. exfalso. apply (key_once _ _ _ H KE h HI); congruence.
        + rewrite K; discriminate. }
    apply good_add; auto. split; simpl.
    - intros c C PC _ _. assert (c = b) as ->.
      { apply (uniq b); auto; [apply At_refl|congruence|eapply child_not0; eauto; congruence]. }
      rewrite FA. split; [|rewrite K; discriminate]. intros _. split; [exact AT|]. rewrite FR in K4. inversion K4; auto.
    - discriminate. }
  constructor; auto.
  - eapply Forall_impl; [|exact D2]. intros y Y. eapply div_child; [exact Y|auto|exact Z|]. rewrite <- CQ. symmetry. apply cut_same.
  - apply inv_add; auto.
    + intros h HI HA. apply (key_once _ _ _ H KE h HI HA).
    + eapply fits_others; eauto.
Qed.
Lemma inv_branch J F a t f r dn P : Tr J F (Pos a t Over) P -> next (N a) = parent (N a) -> parent (N a) <> 0 -> 
  kind_ (N (parent (N a))) = K_parallel -> Permutation F (f :: r) -> f_at f = parent (N a) -> f_tn f = cut (parent (N a)) t ->
  (forall c, In c (map fst dn) -> c = a \/ In c (map fst (f_done f))) ->
  Inv1 J (r ++ [Frame (f_at f) (f_tn f) (f_prev f) (f_last f) (f_att f) (f_mk f) (f_rest f) dn]) P.
Proof.
  intros [G D I] NP Z K H FA FT DN. pose proof I as [_ _ GP KE FO].
  assert (FI : In f F) by (eapply Permutation_in; [apply Permutation_sym; exact H|simpl; auto]).
  rewrite Forall_forall in FO, GP. destruct (FO f FI) as [K1 K2 K3 K4 K5]. pose proof (g_zero _ _ _ G) as AZ. simpl in AZ.
  apply inv_add.
  - eapply frames_perm; eauto.
  - constructor; simpl; auto.
  - intros h HI HA. apply (key_once _ _ _ H KE h HI HA).
  - rewrite Forall_forall. intros y Y. rewrite Forall_forall in D. pose proof (D y Y) as DY. split; simpl.
    + intros c C PC _ T. rewrite FA. split; [rewrite K; discriminate|]. intros _ Q. apply DN in Q as [->|Q].
      * apply (div_not_in _ _ DY). exact C.
      * destruct (g_levels _ _ _ (GP y Y) c C) as [_ _ _ L4]. rewrite PC in L4. revert Q. apply (L4 ltac:(congruence) ltac:(congruence) f FI eq_refl T).
    + intros n S E T. pose proof (g_own _ _ _ (GP y Y)) as O; unfold Own in O; rewrite S in O. destruct O as (_ & _ & O & _). apply (O f FI); auto.
Qed.
Lemma tr_branches J F a t f P : Tr J F (Pos a t Over) P -> depth (N a) <= length t -> next (N a) = parent (N a) -> parent (N a) <> 0 ->
  kind_ (N (parent (N a))) = K_parallel -> In f F -> f_at f = parent (N a) -> f_tn f = cut (parent (N a)) t ->
  (forall b, In b (map snd (exits (N (parent (N a))))) -> b = a \/ In b (map fst (f_done f))) -> Tr J F (Pos (parent (N a)) t Left) P.
Proof.
  intros [G D I] L NP Z K FI FA FT ALL. set (q := parent (N a)) in *. assert (AQ : Anc a q) by (apply anc1; auto).
  pose proof I as [_ _ GP _ _]. rewrite Forall_forall in GP. destruct G as [G1 G2 G3 G4 G5 G6]. simpl in *. constructor; auto.
  - constructor; simpl; [exact Z|pose proof (anc_depth p W _ _ AQ); lia| | | |].
    + intros c C. apply G3. right. destruct C as [<-|C]; auto. eapply anc_trans; eauto.
    + intros c C. apply G4. eapply anc_trans; eauto.
    + intros _. apply G4; auto.
    + unfold Own. simpl. apply G4; auto.
  - rewrite Forall_forall in *. intros y Y. destruct (D y Y) as (c & e & A1 & A2 & A3 & A4 & A5 & A6 & A7). exists c, e. simpl in *.
    repeat split; auto. destruct A5 as [<-|A5]; [|apply anc_at in A5; exact A5]. exfalso. fold q in A2, A3, A4, A7.
    assert (BR : In e (map snd (exits (N (parent (N e)))))). { apply (x_branch X); rewrite <- A2; auto. }
    rewrite <- A2 in BR. destruct (ALL e BR) as [->|Q]; [congruence|].
    destruct (g_levels _ _ _ (GP y Y) e A6) as [_ _ _ L4]. rewrite <- A2 in L4. revert Q. apply (L4 Z K f FI FA). rewrite FT. exact A7.
Qed.
End once.
