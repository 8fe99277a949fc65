----------------------------- MODULE Properties -----------------------------
(* What holds of every run, each sentence with the claim (semantics.md) that it stands for; and when a run ends.                      *)
(* `decided` is history that no run needs: which question was answered how. It lives here, so that Engine stays small.                *)
EXTENDS Engine

VARIABLE decided

all == <<vars, decided>>
AskedFirst == {"awaiting_confirmation", "awaiting_input"}
Answered(c) == c \in cursors /\ c.phase \in AskedFirst /\ Len(did') > 1 /\ did'[2] = c.at
PInit == Init /\ decided = {}
PNext == Next /\ decided' = decided \cup {<<c.at, Outer(c.turn, c.at), did'[1]>> : c \in {c \in cursors : Answered(c)}}
PSpec == PInit /\ [][PNext]_all

Ended == run \in {"completed", "cancelled", "failed"}
\* The world goes on answering until the run has ended. As a run that is not over can always move (CancelPossible), this is weak fairness
\* of PNext, said without ENABLED, which TLC finds hard. A question that is put again (GATE-7a) is no answer of the world.
Fair  == PSpec /\ ([]<>Ended \/ []<><<did'[1] # "renew">>_all)
Gated(at) == Node(at).facts \cap {"needs_confirmation", "needs_input"} # {}
Agreed(at, turn) == \E on \in {"confirm", "amend", "input", "expire"} : <<at, turn, on>> \in decided
Refused(at, turn) == <<at, turn, "reject">> \in decided
Entered(c) == c.phase \notin AskedFirst \cup {"pending"}
Asking(c) == Owes[Node(c.at).machine][c.phase] = "ask"

(* -- safety ------------------------------------------------------------------------------------------------------------------------ *)

\* CONF-1: the run stops before the component; nothing of it runs before a person has decided. (S2, S3, S9)
GatesHold == \A c \in cursors : Gated(c.at) /\ Entered(c) /\ c.phase # "cancelled" => Agreed(c.at, Outer(c.turn, c.at))

\* CONF-1, at every nesting: inside a gated component runs only what its answer lets run. (S30)
GatesHoldAround == \A c \in cursors : \A at \in Around(c.at) : Gated(at) =>
    Agreed(at, Outer(c.turn, at)) \/ (Node(at).kind = "condition" /\ Refused(at, Outer(c.turn, at)))

\* CONF-1: only a component that wants a decision asks for one. (S4)
AsksOnlyIfConfigured == \A c \in cursors : c.phase \in AskedFirst => Gated(c.at)

\* CONF-4, INPUT-2: a rejection under policy cancel stops the whole run. (S6)
RejectCancels == did # << >> /\ did[1] = "reject" /\ run # "cancelled" =>
    ~\E d \in decided : d[3] = "reject" /\ d[1] = did[2] /\ "reject_cancels" \in Node(d[1]).facts

\* ERR-1: a run fails only where a step under policy fail has failed, and that step is still there to be reopened. (S10)
FailedOnlyByPolicy == \A c \in cursors : c.phase = "failed" => Node(c.at).facts \cap {"error_fails", "interrupt_fails"} # {}
FailedRunHasFailedStep == (run = "failed") => \E c \in cursors : c.phase = "failed"

\* ERR-3, CRASH-2: a person is asked about an error only under policy pause, or after an interruption. (S12)
PausedOnlyByPolicy == \A c \in cursors : c.phase = "errored_paused" =>
    "error_pauses" \in Node(c.at).facts \/ c.marks.deaths > 0

\* RUN-2, REV-1, ASK-4: never more automatic retries, reviews, or questions of a step's code, than were asked for. (S33)
Bounded == \A c \in cursors : c.marks.retries <= Node(c.at).retries /\ c.marks.reviews <= Node(c.at).reviews
                                 /\ c.marks.asked <= Node(c.at).asks /\ c.marks.open <= c.marks.asked

\* The cursor that came to stand right behind the component of the last event: nothing but that event led to it.
Behind(c, on) == /\ Len(did) = 2 /\ did[1] \in on /\ c.at = Node(did[2]).next /\ c.at # Node(did[2]).parent
                 /\ c.marks = Unmarked /\ c.attempt = 0

\* SKIP-1: a skipped step hands on None, whatever the cause: a person, a policy, a rejection, a rejected review, an expired pause. (S15)
\* SKIP-2: a component that was entered and left by an error does so too. Where an answer can lead on without a skip, its policy says so.
SkipGivesNone == \A c \in cursors :
    /\ Behind(c, {"skip"}) /\ Node(did[2]).leaves = did[2] => c.prev = << >>
    /\ Behind(c, {"fail"}) /\ "error_skips" \in Node(did[2]).facts /\ Node(did[2]).leaves = did[2] => c.prev = << >>
    /\ Behind(c, {"reject"}) /\ Node(did[2]).machine = "step" => c.prev = << >>
    /\ Behind(c, {"expire"}) /\ "timeout_skips" \in Node(did[2]).facts /\ Node(did[2]).machine = "step" => c.prev = << >>

\* RUN-1, RUN-4: what follows a step that succeeded sees its output, and a run that it completes hands it on.
HandsOn == /\ \A c \in cursors : Behind(c, {"succeed"}) /\ Node(did[2]).machine = "step" => c.prev = <<did[2]>> /\ c.last = <<did[2]>>
           /\ Len(did) = 2 /\ did[1] = "succeed" /\ run = "completed" /\ Node(did[2]).machine = "step"
              /\ (\A at \in Around(did[2]) : Node(at).kind # "parallel") => result = <<did[2]>>

\* RUN-3: stop ends the innermost workflow around the step, as soon as no code runs in it, and nothing outside it.
StopEndsItsWorkflow == Len(did) = 2 /\ did[1] = "stop" /\ "keeps_output" \in Node(did[2]).facts =>
    LET home == Home(did[2])
        over == \A c \in cursors : ~Within(c.at, home)
    IN /\ over \/ \E c \in cursors : Within(c.at, home) /\ (Calls(c) \/ c.phase = "failed")
       /\ (run = "completed" /\ home # Root => Node(home).next = Node(home).parent)

\* Every part of a state is of its kind: a phase of its lifecycle, counts, sequences.
TypeOK == /\ run \in {"pending", "running", "paused", "completed", "cancelled", "failed"}
          /\ \A c \in cursors : c.phase \in DOMAIN Owes[Node(c.at).machine] /\ Len(c.turn) >= Node(c.at).depth
          /\ \A c \in cursors : {c.attempt, c.marks.deaths, c.marks.retries, c.marks.reruns, c.marks.reviews} \subseteq Nat
          /\ \A f \in frames : Node(f.at).kind \in {"loop", "router", "parallel"} /\ Len(f.turn) = Node(f.at).depth
          /\ \A f \in frames : \E c \in cursors : f.at \in Around(c.at)

\* PAR-3: a run is paused if and only if a person owes something and nothing runs. (S18)
Working(c) == Owes[Node(c.at).machine][c.phase] \in {"call", "timer"}
PausedIff == run \in {"running", "paused"} => (run = "paused" <=> (\E c \in cursors : Asking(c)) /\ (\A c \in cursors : ~Working(c)))

\* RUN-4, CANCEL-1: a run that is completed or cancelled owes nothing. (S22, S24)
OverOwesNothing == run \in {"completed", "cancelled"} => cursors = {} /\ frames = {} /\ endings = << >>

\* A run that is not over waits for somebody: no run is ever stuck. (L1)
NeverStuck == run \in {"running", "paused"} => \E c \in cursors : Owes[Node(c.at).machine][c.phase] # "nothing"

\* CANCEL-1: a run that is not over can always be cancelled. (S25)
CancelPossible == run \in {"running", "paused"} => ENABLED Cancel

\* ERR-5: skip is always a way out of an error pause. (L3)
SkipIsAWayOut == \A c \in cursors : c.phase = "errored_paused" => Takes(Node(c.at).machine, c.phase, "skip", Facts(c, "skip")) # {}

\* T3: for each event at most one row holds, so no run ever has two futures for one answer.
OneRow == \A c \in cursors : \A r \in Leaving[Node(c.at).machine][c.phase] :
    \A s, t \in Takes(Node(c.at).machine, c.phase, r.on, Facts(c, r.on)) : s = t

\* T1, S23: completed and cancelled are the end.
EndsStay == [][(run \in {"completed", "cancelled"}) => (run' = run)]_all

(* -- liveness ---------------------------------------------------------------------------------------------------------------------- *)

\* If the world goes on answering, every run ends: provided that nobody says retry for ever (Endless = FALSE bounds it).
Terminates == <>Ended

\* The same without that proviso does not hold, and TLC's lasso is retry, fail, retry, fail ... (Endless = TRUE).
=============================================================================
