"""The words of the tables: states are adjectives or participles, triggers imperative verbs, guards statements."""

from __future__ import annotations

# states
pending = "pending"
awaiting_confirmation = "awaiting_confirmation"
evaluating = "evaluating"
running = "running"
errored_paused = "errored_paused"
paused = "paused"
skipped = "skipped"
completed = "completed"
cancelled = "cancelled"
failed = "failed"

# triggers: what the core does by itself
enter = "enter"
start = "start"
finish = "finish"
leave = "leave"
pause = "pause"
# triggers: what a call reports
succeed = "succeed"
stop = "stop"
fail = "fail"
interrupt = "interrupt"
hold = "hold"
refute = "refute"
# triggers: what a person decides
confirm = "confirm"
reject = "reject"
retry = "retry"
skip = "skip"
cancel = "cancel"
resume = "resume"

# guards
always = "always"
needs_confirmation = "needs_confirmation"
runs_at_once = "runs_at_once"
reject_skips = "reject_skips"
reject_cancels = "reject_cancels"
reject_takes_else = "reject_takes_else"
error_fails = "error_fails"
error_skips = "error_skips"
error_pauses = "error_pauses"
interrupt_retries = "interrupt_retries"
interrupt_pauses = "interrupt_pauses"
interrupt_fails = "interrupt_fails"
has_else = "has_else"
has_no_else = "has_no_else"
failed_here = "failed_here"
failed_inside = "failed_inside"
