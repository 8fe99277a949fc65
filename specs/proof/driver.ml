(* The extracted model as a program that answers line by line. In: `program FIRST NODES`, answered by whether the checker accepts it; then
   `from STATE to PLACE EVENTS`, answered by `refused` or by the state and the moves as JSON. Names are their places in the enumerations of
   Words.v. State 0 is the beginning; the state that is found is kept at PLACE, unless PLACE is negative. *)
open Model
let tokens = ref []
let rec next_token () = match !tokens with
  | x :: k -> tokens := k; x
  | [] -> tokens := List.filter (fun s -> s <> "") (String.split_on_char ' ' (input_line stdin)); next_token ()
let int () = int_of_string (next_token ())
let rec times n f = if n = 0 then [] else let x = f () in x :: times (n - 1) f
let many f = let n = int () in times n f
let flag () = int () = 1
let nth l = List.nth l (int ())
let rec index eq x l i = match l with [] -> -1 | y :: k -> if eq x y then i else index eq x k (i + 1)
let kinds = [K_step; K_condition; K_loop; K_router; K_parallel; K_steps; K_workflow; K_run]
let arr f l = "[" ^ String.concat "," (List.map f l) ^ "]"
let i = string_of_int
let phs x = i (index phase_beq x all_phases 0)
let trg x = i (index trigger_beq x all_triggers 0)
let mch x = i (index machine_beq x all_machines 0)
let turn = arr i
let rec source = function
  | None -> "null" | Some (Ref (a, t, n)) -> Printf.sprintf "[\"r\",%d,%s,%d]" a (turn t) n
  | Some (Gather l) -> Printf.sprintf "[\"g\",%s]" (arr (fun (a, s) -> Printf.sprintf "[%d,%s]" a (source s)) l)
let b x = if x then "true" else "false"
let marks m = arr (fun x -> x) [i m.deaths; i m.retries; i m.reruns; i m.reviews; source m.output; source m.rejected; b m.stopping; b m.due; i m.asked; arr i m.open_]
let cursor c = arr (fun x -> x) [i c.at_; phs c.ph; turn c.tn; i c.att; source c.prev; source c.last_; marks c.mk]
let frame f = arr (fun x -> x) [i f.f_at; turn f.f_tn; source f.f_prev; source f.f_last; i f.f_att; marks f.f_mk; arr i f.f_rest;
  arr (fun (a, s) -> Printf.sprintf "[%d,%s]" a (source s)) f.f_done]
let ending e = arr (fun x -> x) [i e.e_unit; i e.e_at; turn e.e_tn; trg e.e_how; source e.e_prev; source e.e_last]
let move m = arr (fun x -> x) [mch m.m_mach; i m.m_at; turn m.m_tn; i m.m_att; phs m.m_src; trg m.m_on; phs m.m_dst; source m.m_gives]
let state d = arr (fun x -> x) [phs d.run; arr cursor d.cursors; source d.result; arr frame d.frames; arr ending d.endings; arr move (List.rev d.moves)]
let node () =
  let kind_ = nth kinds in let mach = nth all_machines in let parent = int () in let next = int () in let leaves = int () in
  let transparent = flag () in let depth = int () in let level = int () in let index = int () in let n_retries = int () in let n_reviews = int () in
  let n_iterations = int () in let forwards = flag () in let c = int () in let timeout = flag () in let n_asks = int () in
  let facts = many (fun () -> nth all_guards) in
  let exits = many (fun () -> let t = nth all_triggers in let a = int () in (t, a)) in
  { kind_; mach; parent; next; facts; leaves; exits; transparent; depth; level; index; n_retries; n_reviews; n_iterations; forwards;
    conc = (if c < 0 then None else Some c); timeout; n_asks }
let event () =
  let v_on = nth all_triggers in let v_at = int () in let v_tn = many int in let v_att = int () in let v_choices = many int in
  let v_num = int () in { v_on; v_at; v_tn; v_att; v_choices; v_num }
let saved : (int, draft) Hashtbl.t = Hashtbl.create 1000
let fuel = 100000
let () =
  let p = ref { get = (fun _ -> failwith "no program"); first = 0 } in
  try while true do
    match next_token () with
    | "program" -> let first = int () in let nodes = Array.of_list (many node) in
        p := { get = (fun a -> if a < Array.length nodes then nodes.(a) else nobody); first };
        Hashtbl.reset saved; Hashtbl.replace saved 0 beginning;
        Printf.printf "%s\n%!" (if wfb !p (Array.length nodes) then "accepted" else "not accepted")
    | "from" -> let before = Hashtbl.find saved (int ()) in
        if next_token () <> "to" then failwith "to is missing";
        let place = int () in let vs = many event in
        (match advance !p fuel before vs with
         | None -> Printf.printf "refused\n%!"
         | Some d -> if place >= 0 then Hashtbl.replace saved place { d with moves = [] }; Printf.printf "%s\n%!" (state d))
    | x -> failwith x
  done with End_of_file -> ()
