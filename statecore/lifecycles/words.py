"""The words of the tables, and the row. States are adjectives or participles, triggers imperative verbs, guards statements.

A row is an edge; a table is a lifecycle. Nothing here fires: `machine` does.
"""

from __future__ import annotations

from typing import Literal

from attrs import field, frozen

# states
pending = "pending"
awaiting_confirmation = "awaiting_confirmation"
awaiting_input = "awaiting_input"
awaiting_route = "awaiting_route"
awaiting_review = "awaiting_review"
awaiting_answer = "awaiting_answer"
evaluating = "evaluating"
judging = "judging"
running = "running"
backing_off = "backing_off"
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
ask = "ask"
interrupt = "interrupt"
hold = "hold"
refute = "refute"
choose = "choose"
# triggers: what a clock reports
wake = "wake"
expire = "expire"
# triggers: what another definition asks for
renew = "renew"
# triggers: what a person decides
confirm = "confirm"
reject = "reject"
edit = "edit"
give = "input"
answer = "answer"
select = "select"
amend = "amend"
provide = "provide"
retry = "retry"
skip = "skip"
cancel = "cancel"
resume = "resume"

# guards: always, or one of a family
always = "always"
needs_confirmation = "needs_confirmation"
needs_input = "needs_input"
needs_route = "needs_route"
runs_at_once = "runs_at_once"
person_chooses = "person_chooses"
selector_chooses = "selector_chooses"
reject_skips = "reject_skips"
reject_cancels = "reject_cancels"
reject_takes_else = "reject_takes_else"
may_ask = "may_ask"
answers_missing = "answers_missing"
answers_complete = "answers_complete"
keeps_output = "keeps_output"
needs_review = "needs_review"
judges_output = "judges_output"
review_skips = "review_skips"
review_cancels = "review_cancels"
review_retries = "review_retries"
reviews_spent = "reviews_spent"
allows_edit = "allows_edit"
retries_left = "retries_left"
error_fails = "error_fails"
error_skips = "error_skips"
error_pauses = "error_pauses"
interrupt_retries = "interrupt_retries"
interrupt_pauses = "interrupt_pauses"
interrupt_fails = "interrupt_fails"
timeout_cancels = "timeout_cancels"
timeout_skips = "timeout_skips"
timeout_approves = "timeout_approves"
has_else = "has_else"
has_no_else = "has_no_else"
tests_end = "tests_end"
reviews_iterations = "reviews_iterations"
loops_again = "loops_again"
iterations_spent = "iterations_spent"
more_choices = "more_choices"
person_rechooses = "person_rechooses"
selector_rechooses = "selector_rechooses"
selector_failed = "selector_failed"
choice_failed = "choice_failed"
failed_here = "failed_here"
failed_inside = "failed_inside"


OFFERED = frozenset({allows_edit})
"""The guards of rows that a definition may leave out: where they do not hold, their trigger means nothing there."""

Owes = Literal["ask", "call", "timer"]


@frozen
class Row:
    """One edge: in `source`, on the trigger `on`, if `when` holds, go to `dest`; `claim` says which numbered rule wants it."""

    source: str
    on: str
    dest: str
    when: str
    claim: str
    because: str = ""


@frozen
class Table:
    """One lifecycle: its rows, its first state, and what the world owes in each state (a Moore machine).

    `final` states have no exit at all. `failed` is an end too, but a person may reopen it (ERR-1), so it is not in `final`.
    """

    name: str
    initial: str
    rows: tuple[Row, ...]
    final: frozenset[str]
    owes: dict[str, Owes] = field(factory=dict)
    title: str = ""

    @property
    def states(self) -> tuple[str, ...]:
        """All states, in the order in which a run meets them."""
        return tuple(dict.fromkeys([self.initial, *(s for row in self.rows for s in (row.source, row.dest))]))

    @property
    def triggers(self) -> tuple[str, ...]:
        """All triggers, in table order."""
        return tuple(dict.fromkeys(row.on for row in self.rows))

    @property
    def guards(self) -> tuple[str, ...]:
        """All guards but `always`, in table order."""
        return tuple(dict.fromkeys(row.when for row in self.rows if row.when != "always"))
