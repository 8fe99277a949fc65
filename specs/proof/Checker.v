(* The checker of well-formed programs, as a function: the theorems hold for every program that it accepts. `specs/proof/wellformed.py` is the
   same function in Python, which the tests ask about every program that they compile; `Theorems.v` proves what it decides. *)
Require Import List Arith Bool. Import ListNotations.
Require Import Tables Core.

(* How many numbers a turn gets inside a component; whether its children are entered by the component itself, not by its own trigger. *)
Definition extends k := match k with K_loop | K_router => 1 | _ => 0 end.
Definition beside k := match k with K_loop | K_router | K_parallel => true | _ => false end.

Definition nobody := Node K_step M_step 0 0 [] 0 [] false 0 0 0 0 0 0 false None false 0.
Definition machine_of k := match k with K_step | K_run => M_step | K_condition => M_condition | K_loop => M_loop | K_router => M_router
  | K_parallel => M_parallel | K_steps | K_workflow => M_group end.
Fixpoint distinct (l : list addr) : bool := match l with [] => true | x :: k => negb (existsb (Nat.eqb x) k) && distinct k end.
Definition of_list (l : list node) (f : addr) := Program (fun a => nth a l nobody) f.

Section checker.
Variable p : program.
Notation N := (get p).
Definition gatedb a := has G_needs_confirmation (facts (N a)) || has G_needs_input (facts (N a)).
Definition ok_at a : bool := let n := N a in
  (if a =? 0 then parent n =? 0 else parent n <? a)
  && ((parent n =? 0) || (depth n =? depth (N (parent n)) + extends (kind_ (N (parent n)))))
  && ((next n =? parent n) || ((parent (N (next n)) =? parent n) && (depth (N (next n)) =? depth n)))
  && forallb (fun x => negb (a =? 0) && ((parent (N (snd x)) =? a) || ((snd x =? a) && negb (beside (kind_ n))))) (exits n)
  && ((leaves n =? a) || (leaves n =? 0) || existsb (Nat.eqb (leaves n)) (anc p a))
  && (negb (gatedb a) || (negb (has G_runs_at_once (facts n)) && negb (has G_needs_route (facts n))))
  && negb (machine_beq (mach n) M_run)
  && (machine_beq (mach n) M_step || match exits n with [] => false | _ => true end)
  && match conc n with Some 0 => false | _ => true end.
(* what a component stands among: lists go forward, branches and choices stand beside each other, a step has nothing inside *)
Definition ok_among a : bool := let n := N a in let q := parent n in
  ((next n =? q) || (index n <? index (N (next n))))
  && (negb (q =? 0) || (depth n =? 0))
  && ((q =? 0) || (negb (machine_beq (mach (N q)) M_step)
    && (negb (is_kind (kind_ (N q)) K_router || is_kind (kind_ (N q)) K_parallel) || (next n =? q))
    && (negb (is_kind (kind_ (N q)) K_parallel) || existsb (Nat.eqb a) (map snd (exits (N q))))))
  && (negb (is_kind (kind_ n) K_parallel) || distinct (map snd (exits n)))
  && (negb (machine_beq (mach n) M_step) || match exits n with [] => true | _ => false end)
  && machine_beq (mach n) (machine_of (kind_ n))
  && negb (has G_retries_left (facts n)) && negb (has G_reviews_spent (facts n)).
Definition wfb (size : nat) : bool := forallb ok_at (seq 0 size) && forallb ok_among (seq 0 size)
  && ((first p =? 0) || ((parent (N (first p)) =? 0) && (depth (N (first p)) =? 0))).
End checker.
