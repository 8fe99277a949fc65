------------------------------ MODULE Releases ------------------------------
(* Two releases of one workflow take turns on a run: adoption and lapse beside deciding, applying and expiring (GATE-7, GATE-7a, GATE-8).   *)
(*                                                                                                                                          *)
(* A release is a list of steps. Each has a gate or none, and a meaning: the number of what its code does. A yes at a gate stands for its   *)
(* slice: the meanings up to the next gate. A process of a release continues the run; it adopts the run where no gate ahead is dropped,     *)
(* applies an answer whose slice is the same in its release, and puts the question again otherwise. `Rules` leaves rules out, to be refuted.*)
EXTENDS Naturals, Sequences, FiniteSets

CONSTANTS Steps, Meanings, Rules

VARIABLES old, new, followed, place, put, shown, answer, agreed, ran, ever

vars == <<old, new, followed, place, put, shown, answer, agreed, ran, ever>>

Releases == [1..Steps -> [gated : BOOLEAN, means : Meanings]]
Nothing == << >>
End == Steps + 1
Most == 3  \* so often a question is put: a bound of the model

\* The first gate from a place on, and the meanings before it.
NextGate(r, i) == IF \E j \in i..Steps : r[j].gated THEN CHOOSE j \in i..Steps : r[j].gated /\ \A k \in i..(j - 1) : ~r[k].gated ELSE End
Slice(r, i) == <<NextGate(r, i + 1), [k \in i..(NextGate(r, i + 1) - 1) |-> r[k].means]>>

\* GATE-8: no gate ahead is dropped.
Fits(r) == r = followed \/ "gates" \notin Rules \/ \A j \in place..Steps : followed[j].gated => r[j].gated
\* GATE-7: a yes counts where it leads to what it led to when the question was put; a no skips its step alone, and silence ends the run.
Counts(r) == "answers" \notin Rules \/ answer = "no" \/ Slice(r, place) = Slice(shown, place)

Init == /\ old \in Releases /\ new \in Releases /\ old[1].gated
        /\ followed = old /\ place = 1 /\ put = 1 /\ shown = old /\ answer = "none" /\ agreed = {} /\ ran = {} /\ ever = {old}

Decide == /\ place < End /\ answer = "none" /\ answer' \in {"yes", "no"}
          /\ UNCHANGED <<old, new, followed, place, put, shown, agreed, ran, ever>>

\* The run goes on under a release from a place, which a yes has opened, to the next gate; that question is put in the words of the release.
Goes(r, from) == LET to == NextGate(r, IF answer = "no" THEN from ELSE from + 1) IN
    /\ ran' = ran \cup {[at |-> k, means |-> r[k].means, gated |-> \E each \in ever \cup {r} : each[k].gated] : k \in from..(to - 1)}
    /\ place' = to /\ put' = 1 /\ shown' = r /\ answer' = "none"
Follows(r) == followed' = r /\ ever' = ever \cup {r} /\ UNCHANGED <<old, new>>

Apply(r) == /\ answer \in {"yes", "no"} /\ Fits(r) /\ Counts(r) /\ Follows(r)
            /\ IF answer = "no" THEN Goes(r, place + 1) /\ UNCHANGED agreed
               ELSE Goes(r, place) /\ agreed' = agreed \cup {[at |-> place, means |-> Slice(shown, place)[2]]}

\* An answer that does not count, or an unanswered question that means something else: it is put again, in the words of the release.
Lapse(r) == /\ place < End /\ put < Most /\ Fits(r) /\ "answers" \in Rules
            /\ \/ answer \in {"yes", "no"} /\ ~Counts(r)
               \/ answer = "none" /\ Slice(r, place) # Slice(shown, place)
            /\ put' = put + 1 /\ shown' = r /\ answer' = "none" /\ Follows(r) /\ UNCHANGED <<place, agreed, ran>>

Expire == /\ place < End /\ answer = "none" /\ place' = End
          /\ UNCHANGED <<old, new, followed, put, shown, answer, agreed, ran, ever>>

Next == place < End /\ (Decide \/ Expire \/ \E r \in {old, new} : Apply(r) \/ Lapse(r))
Spec == Init /\ [][Next]_vars

(* -- what holds ------------------------------------------------------------------------------------------------------------------------ *)

\* A step with a gate of its own, in any release that the run had followed when the step ran, has a yes of its own. (GATE-8)
NoGateBypassed == \A x \in ran : x.gated => \E a \in agreed : a.at = x.at

\* What a yes let run is what it led to when its question was put. (GATE-7)
RanAsMeant == \A a \in agreed : \A x \in ran : x.at \in DOMAIN a.means => x.means = a.means[x.at]

\* A run that is not over stands at a question of the release that it follows, which is put in its words or in equal ones. (GATE-7a)
StandsAtAQuestion == place < End => followed[place].gated /\ shown[place].gated
=============================================================================
