"""SC3: a run cannot do what was asked of it."""

from __future__ import annotations

from attrs import define, field

from .base import AS_ERROR, StatecoreError, described, is_empty, listed, quoted, suggest, texts, worded

SOME = 5
"""How many ids tell people enough to give more of one."""


class RunError(StatecoreError):
    """A run cannot do what was asked of it."""

    code = "SC300"


@define(**AS_ERROR)
class UnknownRun(RunError, ValueError):
    """The store holds no such run."""

    code = "SC301"
    says = "No run {run_id!r}{_where} in this store. Check the id and the database; list_runs() shows what is there."
    run_id: str
    session_id: str | None = None

    @property
    def _where(self) -> str:
        return f" in session {quoted(self.session_id)}" if not is_empty(self.session_id) else ""


@define(**AS_ERROR)
class NotPaused(RunError, ValueError):
    """The run has ended, or no question of it is open."""

    code = "SC302"
    says = "Run {run_id!r} is {status}, not paused: there is nothing to continue.{_hint}"
    run_id: str
    status: str

    @property
    def _hint(self) -> str:
        return " A failed run goes on with retry_failed=True." if worded(self.status) == "ERROR" else ""


@define(**AS_ERROR)
class Undecided(RunError, ValueError):
    """A run was to continue, but no decision was made."""

    code = "SC303"
    says = (
        "Nothing of run {run_id!r} is decided, so nothing was changed. Owed: {owed:;}. "
        "Call confirm(), reject(), retry() or skip() on its requirements, or decide(run_id, pause_id, ...)."
    )
    run_id: str
    owed: tuple[str, ...] = field(converter=texts)


@define(**AS_ERROR)
class AlreadyDecided(RunError, ValueError):
    """This pause has its one decision; a different one is refused."""

    code = "SC304"
    says = "Pause {pause_id!r} was decided: {decision} by {by:an unknown person} at {at}. A pause is decided once."
    pause_id: str
    decision: str
    by: str | None
    at: str


@define(**AS_ERROR)
class UnknownPause(RunError, ValueError):
    """The run has no such pause."""

    code = "SC305"
    says = "Run {run_id!r} has no pause {pause_id!r}. Pending: {pending!r:none}."
    run_id: str
    pause_id: str
    pending: tuple[str, ...] = field(converter=texts)


@define(**AS_ERROR)
class UnknownDecision(RunError, ValueError):
    """This kind of pause cannot be answered with this word."""

    code = "SC306"
    says = "{decision!r} is no answer to pause {pause_id!r}, which is of kind {kind}. Use one of: {allowed}."
    pause_id: str
    kind: str
    decision: str
    allowed: tuple[str, ...] = field(converter=texts)


@define(**AS_ERROR)
class RunBusy(RunError):
    """Another process is executing this run. `stored` lists the pauses that the refused call has decided: the other process applies them."""

    code = "SC307"
    says = "Run {run_id!r} is being executed by {owner}{_lease}.{_stored} Wait for it to pause or end; a dead owner is taken over."
    run_id: str
    owner: str
    until: str | None = None
    stored: tuple[str, ...] = field(default=(), converter=texts)

    @property
    def _lease(self) -> str:
        return f", whose lease lasts until {worded(self.until)} and is renewed while it works" if not is_empty(self.until) else ""

    @property
    def _stored(self) -> str:
        return f" Your answers are stored, and it applies them: {listed(map(worded, self.stored))}." if self.stored else ""


@define(**AS_ERROR)
class ClaimLost(RunError):
    """Another process has claimed the run; nothing was stored."""

    code = "SC308"
    says = "Another process took run {run_id!r} over; this one stored nothing more. Read the run from the store."
    run_id: str


@define(**AS_ERROR)
class DefinitionChanged(RunError, ValueError):
    """This definition may not continue the run: it lacks a place or a gate of it, or an answer would mean something else."""

    code = "SC309"
    says = "Run {run_id!r} cannot go on with this definition, and nothing ran: {differences:;}. {_remedy}"
    run_id: str
    differences: tuple[str, ...] = field(converter=texts)
    adoptable: bool = False

    @property
    def _remedy(self) -> str:
        own = "Continue it with the definition that it follows"
        adopted = ", take it over with adopt=True and by (--adopt --by WHO)" if self.adoptable is True else ""
        return f"{own}{adopted}, or cancel it."


@define(**AS_ERROR)
class DuplicateRun(RunError, ValueError):
    """A run with this id exists."""

    code = "SC310"
    says = "A run {run_id!r} exists in this store. Leave run_id out, or choose a new one."
    run_id: str


@define(**AS_ERROR)
class StepFailed(RunError):
    """A step returned `StepOutput(success=False)` where its policy is to fail."""

    code = "SC311"
    says = "Step {step_name!r} said success=False: {error}. See run.error, or set on_error to pause or skip."
    step_name: str
    error: str


@define(**AS_ERROR)
class UnknownStep(RunError, ValueError):
    """A name that no component of the workflow bears."""

    code = "SC312"
    says = "No component is named {name!r}.{_hint}"
    name: str
    known: tuple[str, ...] = field(converter=texts)

    @property
    def _hint(self) -> str:
        return suggest(self.name, self.known)


@define(**AS_ERROR)
class RefusedBoundary(RunError):
    """A boundary contradicts what is stored of its run, or no lifecycle allows it; nothing of it was stored."""

    code = "SC313"
    says = "Nothing of this boundary of run {run_id!r} was stored: {why}. The driver of the run is in error; report it."
    run_id: str
    why: str


@define(**AS_ERROR)
class AmbiguousRun(RunError, ValueError):
    """Several runs begin with the given id."""

    code = "SC314"
    says = "{_count} runs begin with {prefix!r}: {_some}. Give more of the id."
    prefix: str
    found: tuple[str, ...] = field(converter=texts)

    @property
    def _count(self) -> str:
        return str(len(self.found))

    @property
    def _some(self) -> str:
        return listed(map(worded, self.found[:SOME])) + (" ..." if len(self.found) > SOME else "")


@define(**AS_ERROR)
class KeyReused(RunError, ValueError):
    """An idempotency key was used before, for something else; nothing was stored."""

    code = "SC315"
    says = (
        "The idempotency key {key!r} was used before, for {used_for}, and nothing was stored. Repeat a request with its own key and "
        "words; give a new request a new key."
    )
    key: str
    used_for: str


@define(**AS_ERROR)
class DuplicateStart(RunError, ValueError):
    """A run of this workflow was started with this idempotency key before."""

    code = "SC316"
    says = "The idempotency key {key!r} started run {run_id!r} before. Read or continue that run; it is not started again."
    key: str
    run_id: str


@define(**AS_ERROR)
class SetAside(RunError):
    """The run was set aside by a person: no process continues it before it is taken back."""

    code = "SC317"
    says = "Run {run_id!r} was set aside at {since}, and is continued by no process. Take it back: statecore quarantine {run_id} --release"
    run_id: str
    since: str


@define(**AS_ERROR)
class RunsElsewhere(RunError):
    """The runs of this store are executed by its workers; this process cannot drive them."""

    code = "SC318"
    says = (
        "Refused: {what}. The runs of this store are executed by Temporal workers, not in this process. Start and follow them with "
        "statecore.temporal.TemporalWorkflows; `statecore worker TARGET --temporal HOST:PORT` executes them."
    )
    what: str


@define(**AS_ERROR)
class RulesUnknown(RunError):
    """A run follows rules, or is written in a form, that this release does not know."""

    code = "SC319"
    says = (
        "Run {run_id!r} follows rules {found!v}, and this release knows {known!v}. It waits unharmed: let a worker of the release that "
        "it began with run, or upgrade this one."
    )
    run_id: str
    found: object
    known: object


@define(**AS_ERROR)
class InvalidInput(RunError, ValueError):
    """A value that a person gave does not fit the question; nothing was stored. The message names the field, never the value."""

    code = "SC320"
    says = "The input for {step_name!r} was refused, and nothing was stored: {wrong:;}."
    step_name: str
    wrong: tuple[str, ...] = field(converter=texts)


@define(**AS_ERROR)
class PauseExpired(RunError, ValueError):
    """The deadline of a pause is over. The message tells what the silence leads to; nothing was stored."""

    code = "SC321"
    says = "Pause {pause_id!r} expired at {deadline}: without an answer in time {took}. A later decision does not count."
    pause_id: str
    deadline: str
    took: str


@define(**AS_ERROR)
class InvalidAnswer(RunError, ValueError):
    """A selector or evaluator answered with something that means nothing here. The message tells the type of the answer, never its text."""

    code = "SC322"
    says = "{name!r} answered with {_answer}, which is none of its choices, or repeats one. Known choices: {known!r}."
    name: str
    answer: object
    known: tuple[str, ...] = field(converter=texts)

    @property
    def _answer(self) -> str:
        only = self.answer[0] if isinstance(self.answer, list) and len(self.answer) == 1 else self.answer
        return described(only)


@define(**AS_ERROR)
class StaleDecision(RunError, ValueError):
    """The question has changed since it was shown; nothing was stored. `newer` is the pause as which it was put again, if it was."""

    code = "SC323"
    says = "Pause {pause_id!r} of run {run_id!r} no longer asks what was shown{_newer}. Nothing was stored. Read it again and decide anew."
    run_id: str
    pause_id: str
    newer: str | None = None

    @property
    def _newer(self) -> str:
        return f": it was put again as {quoted(self.newer)}" if self.newer is not None else ""


@define(**AS_ERROR)
class NotABool(RunError, ValueError):
    """An evaluator, end condition or review predicate answered a question of yes or no with something else. The message tells its type."""

    code = "SC324"
    says = "The {asked} of {name!r} answered with {answer!t}{_content}, not with True or False. Return a bool, e.g. bool(...) or ... == ..."
    name: str
    asked: str
    answer: object

    @property
    def _content(self) -> str:
        if type(self.answer).__name__ != "StepOutput":  # known by name: this room knows no definitions
            return ""
        return f" (its content: {described(getattr(self.answer, 'content', None))})"
