"""A run is followed: each event is shown when it is committed, and each pause is put to the one who answers.

`Following` drives the run in this process. `Watching` (`resume --watch`) waits for a run that another process executes, until it
ends, pauses, or is to be taken over.
"""

from __future__ import annotations

from time import sleep
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import click
from attrs import Factory, define

from statecore import RunStatus, Workflow
from statecore.asking.approvals import rule_in_words
from statecore.asking.outcomes import carried, outcomes
from statecore.asking.questions import particulars, question, shown
from statecore.asking.text import brief, clean, named, short
from statecore.core import Seconds
from statecore.core.rule import ROLE
from statecore.errors import AlreadyDecided, NotPaused, PauseExpired, RunBusy
from statecore.lifecycles import words as w
from statecore.run import workflow as e
from statecore.stores.history import History
from statecore.stores.owner import alive
from statecore.stores.rules import ended

from . import exits
from .person import Answering
from .screen import Option, Screen, command
from .views import print_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from statecore import WorkflowRunOutput
    from statecore.output import Requirement
    from statecore.stores import Record
    from statecore.workflow.streams import Stream

REFUSALS = (AlreadyDecided, NotPaused, PauseExpired)
WITHOUT_END = (RunStatus.paused, RunStatus.running, RunStatus.pending)
OUTCOMES = ("satisfied", "refused")
"""The outcomes of votes that need no more of them."""
EXITS = {
    RunStatus.completed: exits.FINE,
    RunStatus.cancelled: exits.FAILED,
    RunStatus.error: exits.FAILED,
    RunStatus.paused: exits.PAUSED,
    RunStatus.running: exits.UNDETERMINED,
    RunStatus.pending: exits.UNDETERMINED,
}
INTERVAL = 1.0
MOVING = (w.pending, w.running)


@define
class Following:
    """One run, followed by this process until it ends or nobody answers.

    `again` is the command that goes on with the run, and `db` what to write after `--db`, for the hints. With `as_lines` each event is
    printed as a line of JSON instead.
    """

    workflow: Workflow
    answering: Answering
    screen: Screen
    again: tuple[str, ...]
    db: str = ""
    run_id: str = ""
    as_lines: bool = False
    orders: Mapping[str, bool] = Factory(dict)
    """The orders that overrule a refusal, given by `by`."""
    by: str = ""
    tried: set[tuple[str, int]] = Factory(set)
    """The questions whose votes were taken up, each with the number of its votes then."""

    def named(self, run_id: str | None) -> None:
        """The run that is about to begin has this id, or a new one."""
        self.run_id = run_id or str(uuid4())

    def start(self, run_input: Any, **options: Any) -> int:
        """Start a run and follow it; the exit code. Where its idempotency key started a run before, that one is followed."""

        def begin() -> Iterator[e.RunEvent]:
            stream: Stream = self.workflow.run(run_input, run_id=self.run_id, stream=True, stream_events=True, **options)
            self.screen.say(f"Run {short(stream.run_id)} of {named(self.workflow.name)}", bold=True)  # it exists from here on
            if stream.run_id != self.run_id:
                self.screen.say(f"This key started run {short(stream.run_id)} before.", fg="yellow")
                self.again = tuple(short(stream.run_id) if word == short(self.run_id) else word for word in self.again)
                self.run_id = stream.run_id
            return stream

        return self.watch(begin)

    def go_on(self, *, retry_failed: bool = False) -> int:
        """Go on with a stored run and follow it; the exit code. Raises what `continue_run` raises."""
        view = self.view()
        if view.is_paused and not voted(view) and not self.answered(view):
            return self.leave()
        return self.watch(lambda: self.continued(view, retry_failed=retry_failed))

    def watch(self, begin: Callable[[], Iterator[e.RunEvent]]) -> int:
        """Show a stream of events, answer its pauses, and show the next, until there is none."""
        try:
            while True:
                self.show(begin())
                view = self.view()
                if not view.is_paused or not self.answered(view):
                    return self.leave()
                begin = self.continuation(view)
        except KeyboardInterrupt:
            self.screen.say()
            self.screen.say("Interrupted.", fg="yellow")
            self.leave()
            return exits.INTERRUPTED

    def continuation(self, view: WorkflowRunOutput) -> Callable[[], Iterator[e.RunEvent]]:
        """The stream that goes on from a view; where another process was faster, that is said and the store counts."""

        def begin() -> Iterator[e.RunEvent]:
            try:
                return self.continued(view)
            except REFUSALS as refusal:
                self.screen.say(clean(refusal), fg="yellow")
                return iter(())

        return begin

    def continued(self, view: WorkflowRunOutput, *, retry_failed: bool = False) -> Iterator[e.RunEvent]:
        """The stream of the run, going on with the decisions that a view carries."""
        said: dict[str, Any] = {**self.orders, "by": self.by} if self.orders else {}
        going: Stream = self.workflow.continue_run(view, retry_failed=retry_failed, stream=True, stream_events=True, **said)
        return going

    def view(self) -> WorkflowRunOutput:
        """The run as it stands in the store."""
        return self.workflow.get_run_output(self.run_id)

    def answered(self, view: WorkflowRunOutput) -> bool:
        """Whether any of the run's pauses is decided or expired, after whoever answers was asked about the others."""
        program = self.workflow.compiled.program
        voted = [self.voted(requirement) for requirement in view.requirements]
        for requirement, by_votes in zip(view.requirements, voted, strict=True):
            if not requirement.is_resolved and not requirement.is_timed_out and not by_votes:
                answer = self.answering(requirement, outcomes(program, requirement))
                if answer is not None:
                    answer.give(requirement)
        return any(voted) or any(requirement.is_resolved or requirement.is_timed_out for requirement in view.requirements)

    def voted(self, requirement: Requirement) -> bool:
        """Whether votes satisfy or refuse a question, and were not tried before: the roles of now may say something else."""
        if requirement.votes_say not in ("satisfied", "refused"):
            return False
        tried = (requirement.pause_id, len(requirement.votes))
        if tried in self.tried:
            return False
        self.tried.add(tried)
        return True

    def show(self, events: Iterator[e.RunEvent]) -> None:
        """Print events as they come. A step's exception ends them and is shown in a line; the run has stored it."""
        try:
            for event in events:
                self.line(event)
        except Exception as error:
            if self.view().status is RunStatus.error:
                place = self.failed_at()
                if place is not None:
                    self.screen.say(f"{'':>11}in {clean(place)}", dim=True)
            elif isinstance(error, REFUSALS):  # an answer that came too late, found out when it was to be stored
                self.screen.say(clean(error), fg="yellow")
            else:
                raise
        finally:
            getattr(events, "close", lambda: None)()  # releases the run at once, so that it can go on

    def failed_at(self) -> str | None:
        """The place in the user's code where the step of a failed run failed, as it is stored."""
        visits = History().extend(self.workflow.db.journal(self.run_id)).visits.values()
        failures = [visit.failures[-1] for visit in visits if visit.phase == w.failed and visit.failures]
        return failures[-1].get("where") if failures else None

    def line(self, event: e.RunEvent) -> None:
        """One event as a line, where there is something to say."""
        if self.as_lines:
            print_json(event.to_dict())
        describe = LINES.get(type(event))
        if describe is not None:
            word, rest = describe(event)
            self.screen.step(event.step_name or "run", word, rest)

    def leave(self) -> int:
        """Say where the run stands and what to do next; the exit code."""
        view = self.view()
        if view.status in WITHOUT_END:
            for text in self.hints(view):
                self.screen.say(text)
        elif view.status is RunStatus.error:
            self.screen.say(f"Look at it:     {command('show', short(self.run_id), db=self.db)}")
            self.screen.say(f"Try it again:   {command(*self.again, '--retry-failed')}")
        return EXITS[view.status]

    def hints(self, view: WorkflowRunOutput) -> Iterator[str]:
        """The open questions, the commands that decide them, and the command that continues the run."""
        program = self.workflow.compiled.program
        undecided = [requirement for requirement in view.requirements if not requirement.is_resolved]
        yield ""
        yield f"Run {short(self.run_id)} is {view.status.value}" + (": somebody has to decide." if undecided else ".")
        for requirement in undecided:
            yield f"  ? {question(requirement)}"
            yield from (f"    | {line}" for line in shown(requirement))
            yield from (f"    {line}" for line in particulars(requirement))
            if requirement.rule is not None:
                yield f"    who may: {rule_in_words(requirement.rule)}"
            twins = sum(requirement.step_name == other.step_name for other in undecided) > 1
            name = requirement.address if twins else requirement.step_name
            name = name if requirement.put_again is None else requirement.pause_id  # by its step alone it is not answered (GATE-6)
            offered = [
                (self.decide_command(requirement, each.word, name), each.leads_to) for each in outcomes(program, requirement)
            ]
            longest = max(len(line) for line, _ in offered)
            yield from (f"    {line:<{longest}}   # {leads_to}" for line, leads_to in offered)
        yield f"{'Then go on' if undecided else 'Go on'}: {command(*self.again)}"

    def decide_command(self, requirement: Requirement, word: str, name: str) -> str:
        """The command that decides a requirement; a name that a shell cannot take is left out."""
        named = [name] if clean(name) == name and "=" not in name else []
        voter = ["--by", "NAME"] if requirement.rule is not None else []
        role = ["--as-role", "ROLE"] if any(each.startswith(ROLE) for each in requirement.who_may) else []
        return command(word, short(self.run_id), *named, *carried(requirement, word), *voter, *role, db=self.db)


# -- events as lines ---------------------------------------------------------------------------------------------------------------

LINES: dict[type[e.RunEvent], Callable[[Any], tuple[str, str]]] = {
    e.StepStartedEvent: lambda event: ("begins", f"attempt {event.attempt + 1}" if event.attempt else ""),
    e.StepCompletedEvent: lambda event: ("done", brief(event.content) if event.content is not None else ""),
    e.StepErrorEvent: lambda event: ("failed", f"{named(event.error_type)}: {brief(event.error)}"),
    e.StepContinuedEvent: lambda event: (event.decision, f"by {brief(event.by)}" if event.by else ""),
    e.StepSkippedEvent: lambda event: ("skipped", event.reason or ""),
    e.StepOutputReviewEvent: lambda _: ("waits", "for a review"),
    e.RouterExecutionStartedEvent: lambda event: ("takes", ", ".join(map(named, event.selected_steps)) or "nothing"),
    e.LoopIterationStartedEvent: lambda event: ("begins", f"iteration {event.iteration} of at most {event.max_iterations}"),
    e.ConditionExecutionStartedEvent: lambda event: ("takes", event.branch.replace("_", " ")),
    e.WorkflowCompletedEvent: lambda event: ("completed", brief(event.content) if event.content is not None else ""),
    e.WorkflowCancelledEvent: lambda event: ("cancelled", clean(event.reason or "")),
    e.WorkflowErrorEvent: lambda event: ("failed", f"{named(event.error_type)}: {brief(event.error)}"),
}


# -- a run that another process executes -------------------------------------------------------------------------------------------


watch_option: Option = click.option(
    "--watch", is_flag=True, help="Follow the run even if another process executes it; with --json, print each event as a line."
)
interval_option: Option = click.option(
    "--interval",
    type=click.FloatRange(0.01),
    metavar="SECONDS",
    help=f"Seconds between two polls of --watch.  [default: {INTERVAL:g}]",
)


def pace(interval: Seconds | None, *, watch: bool) -> Seconds:
    """The seconds between two looks. Raises `click.UsageError` where nobody looks."""
    if interval is not None and not watch:
        message = "--interval says how often --watch looks; give both."
        raise click.UsageError(message)
    return interval or INTERVAL


def voted(view: WorkflowRunOutput) -> bool:
    """Whether the votes about a question of a run say how it goes on; the store judges them once more."""
    return any(requirement.votes_say in OUTCOMES for requirement in view.requirements)


@define
class Watching:
    """One run, executed here where it may be and watched where another process is at it. `told` counts the events that were shown."""

    following: Following
    interval: Seconds
    told: int = 0

    def go_on(self, *, retry_failed: bool = False) -> int:
        """Follow the run until it ends or waits for a person; the exit code. Raises what `continue_run` raises, but for `RunBusy`."""
        if ended(self.record()) and not retry_failed:
            self.following.screen.say(f"It is {self.following.view().status.value} already.")
            return self.following.leave()
        while True:
            self.told = len(self.following.view().events)
            try:
                return self.following.go_on(retry_failed=retry_failed)
            except RunBusy as busy:
                self.following.screen.say(f"{'':>11}executed by {clean(busy.owner)}; watching", dim=True)
            except NotPaused:
                if retry_failed:
                    raise
            retry_failed = False
            if self.came_to_rest():
                return self.following.leave()

    def came_to_rest(self) -> bool:
        """Show what happens elsewhere until the run rests; False where whoever executed it is gone before."""
        seq = -1
        while True:
            record = self.record()
            if record.seq != seq:
                self.tell()
            seq = record.seq
            if record.state.run not in MOVING:
                return True
            if record.owner is None or not alive(record.owner, record.lease, self.following.workflow.host.clock()):
                return False
            sleep(self.interval)

    def tell(self) -> None:
        """Show the events that were not shown yet."""
        events = self.following.view().events
        for event in events[self.told :]:
            self.following.line(event)
        self.told = len(events)

    def record(self) -> Record:
        """The run's row in the store."""
        return self.following.workflow.db.load(self.following.run_id)
