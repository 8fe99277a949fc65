(* The model as OCaml: natural numbers become machine integers, which are large enough for every address, turn and count. *)
Require Import Tables Core Checker.
Require Extraction.
Require Import ExtrOcamlBasic ExtrOcamlNatInt.
Extraction Language OCaml.
Extraction "model.ml" advance beginning nobody of_list wfb all_machines all_phases all_triggers all_guards phase_beq trigger_beq guard_beq machine_beq.
