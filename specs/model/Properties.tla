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
\* of PNext, said without ENABLED, which TLC finds hard.
Fair  == PSpec /\ ([]<>Ended \/ []<><<TRUE>>_all)
Gated(at) == Node(at).facts \cap {"needs_confirmation", "needs_input"} # {}
Agreed(at, turn) == \E on \in {"confirm", "input", "expire"} : <<at, turn, on>> \in decided
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

\* RUN-2, REV-1: never more automatic retries, or reviews, than were asked for. (S33)
Bounded == \A c \in cursors : c.marks.retries <= Node(c.at).retries /\ c.marks.reviews <= Node(c.at).reviews

\* SKIP-1: a skipped step hands on None: what follows it in its list has no previous content. (S15)
SkipGivesNone == \A c \in cursors : did # << >> /\ did[1] = "skip" /\ c.phase # "pending" /\ Len(did) = 2
    /\ Node(did[2]).next = c.at /\ c.at # Node(did[2]).parent /\ Node(did[2]).leaves = did[2] => c.prev = << >>

\* PAR-3: a run is paused if and only if a person owes something and nothing runs. (S18)
PausedIff == (run = "paused") => (\E c \in cursors : Asking(c)) /\ (\A c \in cursors : ~Calls(c))

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
