------------------------------- MODULE Engine -------------------------------
(* What a run does: an interpreter of any program over the generated lifecycles. Written by hand; no workflow changes it.             *)
(*                                                                                                                                    *)
(* Lifecycle gives the edges (Rows), what each state owes (Owes), the joint table (Joint). Program gives the workflows: Programs[w]   *)
(* has the nodes by address. One action is one event of the world, followed to the next state that waits for the world. `did` is the  *)
(* event that led here: it makes the dumped graph a labelled one. Sources are sequences of addresses: << >> is no content.            *)
EXTENDS Naturals, Sequences, TLC, Lifecycle, Program

CONSTANT Endless  \* TRUE: a person's retries are not counted, so they may go on for ever

VARIABLES w, run, cursors, frames, endings, result, did

vars == <<w, run, cursors, frames, endings, result, did>>

Root  == ""
Node(at) == Programs[w].nodes[at]
Calls(c) == Owes[Node(c.at).machine][c.phase] = "call"
Unmarked == [deaths |-> 0, retries |-> 0, reruns |-> 0, reviews |-> 0, output |-> << >>, stopping |-> FALSE, asked |-> 0, open |-> 0]
Cursor(at, turn, prev, last) == [at |-> at, phase |-> "pending", turn |-> turn, attempt |-> 0, prev |-> prev, last |-> last, marks |-> Unmarked]
Count(n) == IF Endless THEN n ELSE n + 1

(* -- places ------------------------------------------------------------------------------------------------------------------------ *)

RECURSIVE Around(_)  \* the components around an address, without the run itself
Around(at) == IF Node(at).parent = Root THEN {} ELSE {Node(at).parent} \cup Around(Node(at).parent)
Within(at, unit) == unit = Root \/ unit \in Around(at)
RECURSIVE Home(_)    \* RUN-3: what stop ends, the innermost workflow
Home(at) == LET up == Node(at).parent IN IF up = Root THEN Root ELSE IF Node(up).kind = "workflow" THEN up ELSE Home(up)
Outer(turn, unit) == SubSeq(turn, 1, Node(unit).depth)
Same(turn, other, unit) == Outer(turn, unit) = Outer(other, unit)
Goes(node, on) == node.exits[CHOOSE i \in 1..Len(node.exits) : node.exits[i].on = on].at

(* -- rows -------------------------------------------------------------------------------------------------------------------------- *)

Leaving == [machine \in DOMAIN Rows |-> [phase \in DOMAIN Owes[machine] |-> {r \in Rows[machine] : r.source = phase}]]  \* TLC makes it once
Takes(machine, phase, on, facts) == {r \in Leaving[machine][phase] : r.on = on /\ r.when \in facts \cup {"always"}}
Dest(machine, phase, on, facts) == (CHOOSE r \in Takes(machine, phase, on, facts) : TRUE).dest

Errors == {"error_fails", "error_skips", "error_pauses"}
Kept   == {"keeps_output", "needs_review", "judges_output"}
Facts(c, on) ==  \* what holds at the node, but for the six things that only the cursor knows
    LET node == Node(c.at)  f == node.facts IN
    CASE on = "interrupt" /\ c.marks.deaths >= 2 -> (f \ {"interrupt_retries", "interrupt_fails"}) \cup {"interrupt_pauses"}
      [] on = "fail" /\ c.phase = "running" /\ c.marks.retries < node.retries -> (f \ Errors) \cup {"retries_left"}
      [] on = "reject" /\ c.phase = "awaiting_review" /\ "review_retries" \in f /\ node.machine # "loop" ->
            IF c.marks.reviews >= node.reviews THEN (f \ {"review_retries"}) \cup {"reviews_spent"}
            ELSE IF node.machine = "step" THEN f
            ELSE (f \ {"review_retries"}) \cup {IF "person_chooses" \in f THEN "person_rechooses" ELSE "selector_rechooses"}
      [] on = "answer" -> f \cup {IF c.marks.open > 1 THEN "answers_missing" ELSE "answers_complete"}
      [] on = "ask" /\ c.marks.asked >= node.asks -> f \ {"may_ask"}
      [] on = "resume" /\ node.machine = "router" -> f \cup {IF "person_chooses" \in f THEN "choice_failed" ELSE "selector_failed"}
      [] on = "resume" /\ node.machine # "router" -> f \cup {"failed_here"}
      [] OTHER -> f
IterationFacts(node, number) ==
    LET f == node.facts \ {"tests_end", "reviews_iterations", "loops_again"} IN
    CASE number + 1 >= node.iterations -> f \cup {"iterations_spent"}
      [] number + 1 < node.iterations /\ "tests_end" \in node.facts -> f \cup {"tests_end"}
      [] OTHER -> node.facts

(* -- a run in the making: [run, cursors, frames, endings, result] ------------------------------------------------------------------- *)

Put(d, c)   == [d EXCEPT !.cursors = @ \cup {c}]
Remember(d, f) == [d EXCEPT !.frames = @ \cup {f}]
Forget(d, f)   == [d EXCEPT !.frames = @ \ {f}]
FrameOf(d, at, turn) == CHOOSE f \in d.frames : f.at = at /\ f.turn = turn
Framed(c, rest) == [at |-> c.at, turn |-> Outer(c.turn, c.at), prev |-> c.prev, last |-> c.last, attempt |-> c.attempt,
                    marks |-> [c.marks EXCEPT !.deaths = 0, !.output = << >>], rest |-> rest, done |-> {}]
OwnOf(f, phase, turn, output) == [at |-> f.at, phase |-> phase, turn |-> turn, attempt |-> f.attempt, prev |-> f.prev, last |-> f.last,
                                  marks |-> [f.marks EXCEPT !.output = output]]
Failing(d) == \E c \in d.cursors : c.phase = "failed"
Ends(e, c) == Within(c.at, e.unit) /\ Same(c.turn, e.turn, e.unit)
Ending(d, c) == \E i \in 1..Len(d.endings) : Ends(d.endings[i], c)
EndWith(d, unit, c, how, prev, last) ==
    [d EXCEPT !.endings = Append(@, [unit |-> unit, at |-> c.at, turn |-> c.turn, how |-> how, prev |-> prev, last |-> last])]
RECURSIVE Gathered(_, _, _)
Gathered(exits, done, i) == IF i > Len(exits) THEN <<")">>
    ELSE <<exits[i].on>> \o (CHOOSE p \in done : p[1] = exits[i].at)[2] \o Gathered(exits, done, i + 1)

RECURSIVE Take(_, _, _, _), GoOn(_, _, _, _, _), Iterate(_, _), BeginAll(_, _, _, _)

Begin(d, c) == IF Ending(d, c) \/ Failing(d) THEN Put(d, c) ELSE Take(d, c, "enter", << >>)
BeginAll(d, exits, c, i) == IF i > Len(exits) THEN d ELSE BeginAll(Begin(d, Cursor(exits[i].at, c.turn, c.prev, c.last)), exits, c, i + 1)

Rest(d, c, on, phase, asks) ==  \* of ask, `asks` has a sign for each question; which of several is answered makes no difference
    LET rejected == on = "reject" /\ c.phase = "awaiting_review"
        again    == on \in {"retry", "resume", "wake", "amend"} \/ rejected \/ (c.phase = "awaiting_answer" /\ phase = "running")
        m        == c.marks
        output   == IF on \in {"succeed", "stop"} THEN <<c.at>> ELSE m.output
        person   == on \in {"retry", "resume"} \/ (on = "amend" /\ c.phase = "errored_paused")
    IN Put(d, [c EXCEPT !.phase = phase, !.prev = IF on = "amend" THEN <<c.at>> ELSE @, !.attempt = IF person THEN Count(@) ELSE IF again THEN @ + 1 ELSE @,
        !.marks = [deaths   |-> IF on = "interrupt" THEN m.deaths + 1 ELSE IF on = "renew" THEN m.deaths ELSE 0,
                   retries  |-> IF on = "wake" THEN m.retries + 1 ELSE IF person \/ on \in {"reject", "answer", "amend"} THEN 0 ELSE m.retries,
                   reruns   |-> IF person THEN Count(m.reruns) ELSE m.reruns,
                   reviews  |-> IF rejected THEN m.reviews + 1 ELSE m.reviews,
                   output   |-> IF phase \in {"judging", "awaiting_review"} \/ Node(c.at).machine = "loop" THEN output ELSE << >>,
                   stopping |-> (m.stopping \/ on = "stop") /\ phase \in {"judging", "awaiting_review"},
                   asked    |-> IF on = "ask" THEN m.asked + Len(asks) ELSE IF on = "renew" /\ phase = "running" THEN 0 ELSE m.asked,
                   open     |-> IF on = "ask" THEN Len(asks) ELSE IF phase = "awaiting_answer" THEN m.open - 1 ELSE 0]])

Descend(d, c, on, choices) ==
    LET node == Node(c.at) IN
    CASE node.kind = "loop" -> Iterate(d, c)
      [] node.kind = "router" ->
            Begin(Remember(d, Framed(c, Tail(choices))), Cursor(choices[1], Append(c.turn, c.attempt), c.prev, c.last))
      [] node.kind = "parallel" -> BeginAll(Remember(d, Framed(c, << >>)), node.exits, c, 1)
      [] OTHER -> IF Goes(node, on) = c.at THEN GoOn(d, node, c.turn, c.prev, c.prev)  \* STEPS-1: an empty list hands on what it got
                  ELSE Begin(d, Cursor(Goes(node, on), c.turn, c.prev, c.last))

Iterate(d, c) ==  \* LOOP-1: the first iteration, or the one after that which was tested or reviewed
    LET node == Node(c.at)
        number == IF Len(c.turn) > node.depth THEN c.turn[node.depth + 1] + 1 ELSE 0
        prev == IF number > 0 /\ node.forwards THEN c.marks.output ELSE c.prev
    IN Begin(Remember(d, Framed(c, << >>)), Cursor(Goes(node, "enter"), Append(Outer(c.turn, c.at), number), prev, c.last))

Take(d, c, on, choices) ==  \* fire a row at a cursor that is already taken out of d, and follow it
    LET node  == Node(c.at)
        phase == Dest(node.machine, c.phase, on, Facts(c, on))
        gives == IF on = "edit" \/ (c.marks.output = << >> /\ node.machine = "step") THEN <<c.at>> ELSE c.marks.output
        outer == Outer(c.turn, c.at)
    IN CASE phase = "running" /\ node.exits # << >> -> Descend(d, c, on, choices)
         [] phase = "completed" -> IF on = "stop" \/ c.marks.stopping THEN EndWith(d, Home(c.at), c, "finish", gives, gives)
                                   ELSE GoOn(d, node, outer, gives, gives)
         [] phase = "skipped" -> IF on \in {"fail", "skip"} \/ c.phase = "errored_paused"
                                 THEN IF node.leaves = c.at THEN GoOn(d, node, outer, << >>, c.last)  \* SKIP-1: a skipped step gives None
                                      ELSE EndWith(d, node.leaves, c, "leave", << >>, c.last)
                                 ELSE GoOn(d, node, outer, IF node.transparent THEN c.prev ELSE << >>, c.last)
         [] OTHER -> Rest(d, c, on, phase, choices)

CloseLoop(d, up, turn, prev) ==
    LET outer == SubSeq(turn, 1, Len(turn) - 1)  number == turn[Len(turn)]  f == FrameOf(d, up.at, outer)
        phase == Dest("loop", "running", "finish", IterationFacts(up, number))
    IN CASE phase = "completed" -> GoOn(Forget(d, f), up, outer, prev, prev)
         [] phase = "running" -> Iterate(Forget(d, f), OwnOf(f, phase, turn, prev))
         [] OTHER -> Put(Forget(d, f), OwnOf(f, phase, turn, prev))

CloseRouter(d, up, turn, prev, last) ==
    LET outer == SubSeq(turn, 1, Len(turn) - 1)  f == FrameOf(d, up.at, outer)
        phase == Dest("router", "running", "finish", IF f.rest = << >> THEN up.facts ELSE (up.facts \ Kept) \cup {"more_choices"})
    IN CASE phase = "completed" -> GoOn(Forget(d, f), up, outer, prev, prev)
         [] phase = "running" -> Begin(Remember(Forget(d, f), [f EXCEPT !.rest = Tail(@)]), Cursor(f.rest[1], turn, prev, last))
         [] OTHER -> Put(Forget(d, f), OwnOf(f, phase, outer, prev))

CloseParallel(d, up, child, turn, prev) ==
    LET f == FrameOf(d, up.at, turn)  done == f.done \cup {<<child.at, prev>>}  all == <<"(">> \o Gathered(up.exits, done, 1)
    IN IF \E i \in 1..Len(up.exits) : \A p \in done : p[1] # up.exits[i].at THEN Remember(Forget(d, f), [f EXCEPT !.done = done])
       ELSE GoOn(Forget(d, f), up, turn, all, all)

GoOn(d, node, turn, prev, last) ==  \* past a component: to its sibling, or out of what is around it
    IF node.next # node.parent THEN Begin(d, Cursor(node.next, turn, prev, last))
    ELSE IF node.parent = Root THEN [d EXCEPT !.result = last]
    ELSE LET up == Node(node.parent) IN
         CASE up.kind = "loop" -> CloseLoop(d, up, turn, prev)
           [] up.kind = "router" -> CloseRouter(d, up, turn, prev, last)
           [] up.kind = "parallel" -> CloseParallel(d, up, node, turn, prev)
           [] OTHER -> GoOn(d, up, turn, prev, prev)

(* -- to rest ----------------------------------------------------------------------------------------------------------------------- *)

Ripe(d, e) == \A c \in d.cursors : Ends(e, c) => ~Calls(c) /\ c.phase \notin {"failed", "cancelled"}
EndEarly(d, e) ==
    LET Gone(at) == at = e.unit \/ Within(at, e.unit)
        kept == SelectSeq(d.endings, LAMBDA x : ~Gone(x.unit))
        moved == [i \in 1..Len(kept) |-> IF Within(kept[i].at, e.unit)
                                         THEN [kept[i] EXCEPT !.at = e.unit, !.turn = Outer(@, e.unit)] ELSE kept[i]]
        left == [d EXCEPT !.cursors = {c \in @ : ~Ends(e, c)}, !.frames = {f \in @ : ~(Gone(f.at) /\ Same(f.turn, e.turn, e.unit))},
                          !.endings = moved]
    IN IF e.unit = Root THEN [left EXCEPT !.result = e.last]
       ELSE IF \E i \in 1..Len(moved) : moved[i].at = e.unit THEN left  \* that one goes on from further out, once
       ELSE GoOn(left, Node(e.unit), Outer(e.turn, e.unit), e.prev, e.last)

Cancelled == [run |-> "cancelled", cursors |-> {}, frames |-> {}, endings |-> << >>, result |-> << >>]
Lines == [call |-> "calls_owed", timer |-> "timers_owed", ask |-> "answers_owed", nothing |-> "not_begun"]
LineOf(c) == IF c.phase = "cancelled" THEN "some_cancelled" ELSE IF c.phase = "failed" THEN "some_failed" ELSE Lines[Owes[Node(c.at).machine][c.phase]]
Judged(d) ==  \* what the cursors are decides what becomes of the run
    LET lines == IF d.cursors = {} THEN {"none_live"} ELSE {LineOf(c) : c \in d.cursors}
        first == CHOOSE i \in 1..Len(Joint) : Joint[i].line \in lines /\ \A j \in 1..(i - 1) : Joint[j].line \notin lines
        on    == Joint[first].on
    IN IF on = "cancel" THEN Cancelled ELSE IF on = "nothing" THEN d ELSE [d EXCEPT !.run = Dest("run", @, on, {})]

RECURSIVE Settle(_)
Settle(d) ==
    LET ripe == {i \in 1..Len(d.endings) : Ripe(d, d.endings[i])}
        free == IF Failing(d) THEN {} ELSE {c \in d.cursors : c.phase = "pending" /\ ~Ending(d, c)}
    IN IF ripe # {} THEN Settle(EndEarly(d, d.endings[CHOOSE i \in ripe : \A j \in ripe : i <= j]))
       ELSE IF free # {} THEN LET c == CHOOSE c \in free : TRUE IN Settle(Begin([d EXCEPT !.cursors = @ \ {c}], c))
       ELSE Judged(d)

(* -- events ------------------------------------------------------------------------------------------------------------------------ *)

Now == [run |-> run, cursors |-> cursors, frames |-> frames, endings |-> endings, result |-> result]
Becomes(d, label) == /\ run' = d.run /\ cursors' = d.cursors /\ frames' = d.frames /\ endings' = d.endings /\ result' = d.result
                     /\ did' = label /\ w' = w

Init == w \in 1..Len(Programs) /\ run = "pending" /\ cursors = {} /\ frames = {} /\ endings = << >> /\ result = << >> /\ did = << >>

Started == [Now EXCEPT !.run = "running"]
Start == /\ run = "pending"
         /\ LET first == Programs[w].first IN
            Becomes(Settle(IF first = Root THEN Started ELSE Begin(Started, Cursor(first, << >>, << >>, << >>))), <<"start">>)
Cancel == run \in {"running", "paused"} /\ Becomes(Cancelled, <<"cancel">>)

RECURSIVE Resume(_, _)
Resume(d, failed) == IF failed = {} THEN d ELSE LET c == CHOOSE c \in failed : TRUE IN Resume(Take(d, c, "resume", << >>), failed \ {c})
Reopen == /\ run = "failed" /\ \A c \in cursors : c.marks.reruns < Programs[w].attempts
          /\ LET failed == {c \in cursors : c.phase = "failed"} IN
             Becomes(Settle(Resume([Now EXCEPT !.run = "running", !.cursors = @ \ failed], failed)), <<"resume">>)

Internal == {"enter", "start", "finish", "leave", "pause", "cancel"}
Reported(c, on, choices) ==
    /\ Takes(Node(c.at).machine, c.phase, on, Facts(c, on)) # {}
    /\ on \in {"retry", "amend"} => c.marks.reruns < Programs[w].attempts
    /\ on = "interrupt" => c.marks.deaths < Programs[w].deaths
    /\ on = "renew" /\ c.phase = "awaiting_answer" => c.attempt < Programs[w].attempts
    /\ on = "expire" => Node(c.at).expires /\ Owes[Node(c.at).machine][c.phase] = "ask"
    /\ \/ Becomes(Settle(Take([Now EXCEPT !.run = "running", !.cursors = @ \ {c}], c, on, choices)), <<on, c.at>> \o choices)
       \/ Calls(c) /\ Becomes(Cancelled, <<on, c.at>> \o choices \o <<"and cancel">>)  \* the cancellation came with the result
Report == /\ run \in {"running", "paused"}
          /\ \E c \in cursors :
             /\ Owes[Node(c.at).machine][c.phase] # "nothing"
             /\ \E on \in {r.on : r \in Leaving[Node(c.at).machine][c.phase]} \ Internal :
                \E choices \in CASE on \in {"select", "choose"} -> Node(c.at).routes
                                  [] on = "ask" -> {[i \in 1..n |-> "?"] : n \in 1..(Node(c.at).asks - c.marks.asked)}
                                  [] OTHER -> {<< >>} : Reported(c, on, choices)

Next == Start \/ Report \/ Reopen \/ Cancel
Spec == Init /\ [][Next]_vars
=============================================================================
