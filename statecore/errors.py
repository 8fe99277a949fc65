"""Every refusal has a name: one tree of errors under `StatecoreError`.

Each message says what happened, why, and what to do next; the parts of the message are attributes, so that no caller has to parse
a sentence. A class carries a stable `code`. Errors of bad input are `ValueError`s too, because that is what callers already catch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def suggest(word: str, known: Iterable[str]) -> str:
    """A misspelt name gets the nearest known one, as the end of a sentence; an unrelated one gets the list."""
    from difflib import get_close_matches  # noqa: PLC0415  # only who misspells pays for it

    names = sorted(set(known))
    near = get_close_matches(word, names, n=1)
    if near:
        return f" Did you mean {near[0]!r}?"
    return f" Known: {', '.join(map(repr, names))}." if names else ""


class StatecoreError(Exception):
    """Something in statecore was refused."""

    code = "SC000"

    def __str__(self) -> str:
        """Return the code and the sentence."""
        return f"{self.code} {super().__str__()}"


# -- definitions: what the user wrote ----------------------------------------------------------------------------------------------


class DefinitionError(StatecoreError, ValueError):
    """A workflow's definition cannot mean anything."""

    code = "SC100"


class UnsupportedSetting(DefinitionError):
    """A setting was given to a component that cannot honour it."""

    code = "SC101"
    component: str
    setting: str
    supported: tuple[str, ...]

    def __init__(self, component: str, setting: str, why: str, supported: Iterable[str] = ()) -> None:
        self.component, self.setting, self.supported = component, setting, tuple(supported)
        known = f" Supported here: {', '.join(self.supported)}." if self.supported else ""
        super().__init__(f"{component} does not support {setting}: {why}.{known}")


class ConflictingSettings(DefinitionError):
    """One setting was given twice with different values."""

    code = "SC102"
    component: str
    setting: str
    flat: object
    review: object

    def __init__(self, component: str, setting: str, flat: object, review: object) -> None:
        self.component, self.setting, self.flat, self.review = component, setting, flat, review
        super().__init__(
            f"{component} got {setting}={flat!r} as a keyword and {setting}={review!r} in human_review. Give it once, or the same."
        )


class DuplicateNames(DefinitionError):
    """Two components of one list share a name, so neither has an address."""

    code = "SC103"
    parent: str
    name: str

    def __init__(self, parent: str, name: str) -> None:
        self.parent, self.name = parent, name
        super().__init__(
            f"{parent or 'the workflow'} has two components named {name!r}. A paused run is found again by name: "
            f"give each its own, e.g. Step(name=...)."
        )


class NotAComponent(DefinitionError):
    """Something that is no component stands in a list of steps."""

    code = "SC104"
    where: str
    found: object

    def __init__(self, where: str, found: object) -> None:
        self.where, self.found = where, found
        super().__init__(f"{where} contains {found!r}, which is no Step, component, Workflow, callable or list of these.")


# -- lifecycles and the core -------------------------------------------------------------------------------------------------------


class LifecycleError(StatecoreError):
    """The tables do not allow what was asked."""

    code = "SC200"


class RefusedTrigger(LifecycleError):
    """No row of the lifecycle allows this trigger here."""

    code = "SC201"
    machine: str
    phase: str
    trigger: str
    facts: tuple[str, ...]

    def __init__(self, machine: str, phase: str, trigger: str, facts: Iterable[str]) -> None:
        self.machine, self.phase, self.trigger, self.facts = machine, phase, trigger, tuple(sorted(facts))
        super().__init__(
            f"The {machine} lifecycle has no row for {trigger!r} in {phase!r} where {', '.join(self.facts) or 'nothing'} holds."
        )


class StaleEvent(LifecycleError):
    """An event speaks of a step, turn or attempt that the run is no longer at."""

    code = "SC202"
    address: str
    turn: tuple[int, ...]
    attempt: int
    trigger: str

    def __init__(self, address: str, turn: tuple[int, ...], attempt: int, trigger: str) -> None:
        self.address, self.turn, self.attempt, self.trigger = address, turn, attempt, trigger
        super().__init__(f"{trigger!r} for {address!r}, attempt {attempt}, came too late: the run is not there any more.")


# -- runs and decisions ------------------------------------------------------------------------------------------------------------


class RunError(StatecoreError):
    """A run cannot do what was asked of it."""

    code = "SC300"


class UnknownRun(RunError, ValueError):
    """The store holds no such run."""

    code = "SC301"
    run_id: str
    session_id: str | None

    def __init__(self, run_id: str, session_id: str | None = None) -> None:
        self.run_id, self.session_id = run_id, session_id
        where = f" in session {session_id!r}" if session_id else ""
        super().__init__(f"No run {run_id!r}{where} in this store. Check the id and the database; list_runs() shows what is there.")


class NotPaused(RunError, ValueError):
    """The run has ended, or waits for nobody."""

    code = "SC302"
    run_id: str
    status: str

    def __init__(self, run_id: str, status: str) -> None:
        self.run_id, self.status = run_id, status
        hint = " A failed run goes on with retry_failed=True." if status == "ERROR" else ""
        super().__init__(f"Run {run_id!r} is {status}, not paused: there is nothing to continue.{hint}")


class Undecided(RunError, ValueError):
    """A run was to continue but nobody has decided anything."""

    code = "SC303"
    run_id: str
    owed: tuple[str, ...]

    def __init__(self, run_id: str, owed: Iterable[str]) -> None:
        self.run_id, self.owed = run_id, tuple(owed)
        super().__init__(
            f"Nothing of run {run_id!r} is decided, so nothing was changed. Owed: {'; '.join(self.owed)}. "
            f"Call confirm(), reject(), retry() or skip() on its requirements, or decide(run_id, pause_id, ...)."
        )


class AlreadyDecided(RunError, ValueError):
    """This pause has its one decision; a different one is refused."""

    code = "SC304"
    pause_id: str
    decision: str
    by: str | None
    at: str

    def __init__(self, pause_id: str, decision: str, by: str | None, at: str) -> None:
        self.pause_id, self.decision, self.by, self.at = pause_id, decision, by, at
        super().__init__(f"Pause {pause_id!r} was decided: {decision} by {by or 'somebody'} at {at}. A pause is decided once.")


class UnknownPause(RunError, ValueError):
    """The run has no such pause."""

    code = "SC305"
    run_id: str
    pause_id: str
    pending: tuple[str, ...]

    def __init__(self, run_id: str, pause_id: str, pending: Iterable[str]) -> None:
        self.run_id, self.pause_id, self.pending = run_id, pause_id, tuple(pending)
        super().__init__(f"Run {run_id!r} has no pause {pause_id!r}. Pending: {', '.join(map(repr, self.pending)) or 'none'}.")


class UnknownDecision(RunError, ValueError):
    """This kind of pause cannot be answered with this word."""

    code = "SC306"
    pause_id: str
    kind: str
    decision: str
    allowed: tuple[str, ...]

    def __init__(self, pause_id: str, kind: str, decision: str, allowed: Iterable[str]) -> None:
        self.pause_id, self.kind, self.decision, self.allowed = pause_id, kind, decision, tuple(allowed)
        super().__init__(
            f"{decision!r} is no answer to pause {pause_id!r}, which is of kind {kind}. Use one of: {', '.join(self.allowed)}."
        )


class RunBusy(RunError):
    """Another process is executing this run."""

    code = "SC307"
    run_id: str
    owner: str
    until: str | None

    def __init__(self, run_id: str, owner: str, until: str | None = None) -> None:
        self.run_id, self.owner, self.until = run_id, owner, until
        lease = f", whose lease lasts until {until} and is renewed while it works" if until else ""
        super().__init__(
            f"Run {run_id!r} is being executed by {owner}{lease}. Wait for it to pause or end; a dead owner is taken over."
        )


class ClaimLost(RunError):
    """This process's claim on the run was taken by another; nothing was stored."""

    code = "SC308"

    def __init__(self, run_id: str) -> None:
        self.run_id = run_id
        super().__init__(f"Another process took run {run_id!r} over; this one stored nothing more. Read the run from the store.")


class DefinitionChanged(RunError, ValueError):
    """The paused address of a run is gone from the definition, or is of another kind."""

    code = "SC309"
    run_id: str
    differences: tuple[str, ...]

    def __init__(self, run_id: str, differences: Iterable[str]) -> None:
        self.run_id, self.differences = run_id, tuple(differences)
        super().__init__(
            f"Run {run_id!r} cannot go on with this definition, and nothing ran: {'; '.join(self.differences)}. "
            f"Restore these components, or cancel the run."
        )


class DuplicateRun(RunError, ValueError):
    """A run with this id exists."""

    code = "SC310"

    def __init__(self, run_id: str) -> None:
        self.run_id = run_id
        super().__init__(f"A run {run_id!r} exists in this store. Leave run_id out, or choose a new one.")


class StepFailed(RunError):
    """A step returned `StepOutput(success=False)` where its policy is to fail."""

    code = "SC311"
    step_name: str
    error: str

    def __init__(self, step_name: str, error: str) -> None:
        self.step_name, self.error = step_name, error
        super().__init__(f"Step {step_name!r} said success=False: {error}. See run.error, or set on_error to pause or skip.")


class UnknownStep(RunError, ValueError):
    """A name that no component of the workflow bears."""

    code = "SC312"
    name: str
    known: tuple[str, ...]

    def __init__(self, name: str, known: Iterable[str]) -> None:
        self.name, self.known = name, tuple(known)
        super().__init__(f"No component is named {name!r}.{suggest(name, self.known)}")


class InvalidInput(RunError, ValueError):
    """What a person gave does not fit what was asked; nothing was stored."""

    code = "SC320"
    step_name: str
    wrong: tuple[str, ...]

    def __init__(self, step_name: str, wrong: Iterable[str]) -> None:
        self.step_name, self.wrong = step_name, tuple(wrong)
        super().__init__(f"The input for {step_name!r} was refused, and nothing was stored: {'; '.join(self.wrong)}.")


class PauseExpired(RunError, ValueError):
    """The deadline of a pause is over; its expiry has been or will be applied."""

    code = "SC321"
    pause_id: str
    deadline: str
    took: str

    def __init__(self, pause_id: str, deadline: str, took: str) -> None:
        self.pause_id, self.deadline, self.took = pause_id, deadline, took
        super().__init__(f"Pause {pause_id!r} expired at {deadline}: {took}. A later decision does not count.")


class InvalidAnswer(RunError, ValueError):
    """A selector or evaluator answered with something that means nothing here."""

    code = "SC322"
    name: str
    answer: object
    known: tuple[str, ...]

    def __init__(self, name: str, answer: object, known: Iterable[str]) -> None:
        self.name, self.answer, self.known = name, answer, tuple(known)
        super().__init__(f"{name!r} answered {answer!r}. Known choices: {', '.join(map(repr, self.known))}.")


class RefusedBoundary(RunError):
    """A boundary contradicts what is stored of its run, or no lifecycle allows it; nothing of it was stored."""

    code = "SC313"
    run_id: str
    why: str

    def __init__(self, run_id: str, why: str) -> None:
        self.run_id, self.why = run_id, why
        super().__init__(
            f"Nothing of this boundary of run {run_id!r} was stored: {why}. What drives the run is in error; report it."
        )


class AmbiguousRun(RunError, ValueError):
    """Several runs begin with what was given as an id."""

    code = "SC314"
    prefix: str
    found: tuple[str, ...]

    def __init__(self, prefix: str, found: Iterable[str]) -> None:
        self.prefix, self.found = prefix, tuple(found)
        some = ", ".join(self.found[:5]) + (" ..." if len(self.found) > 5 else "")  # noqa: PLR2004  # enough to tell them apart
        super().__init__(f"{len(self.found)} runs begin with {prefix!r}: {some}. Give more of the id.")


class KeyReused(RunError, ValueError):
    """An idempotency key was used before, for something else; nothing was stored."""

    code = "SC315"
    key: str
    used_for: str

    def __init__(self, key: str, used_for: str) -> None:
        self.key, self.used_for = key, used_for
        super().__init__(
            f"The idempotency key {key!r} was used before, for {used_for}, and nothing was stored. Repeat a request with its own key and "
            f"words; give a new request a new key."
        )


class DuplicateStart(RunError, ValueError):
    """A run of this workflow was started with this idempotency key before."""

    code = "SC316"
    key: str
    run_id: str

    def __init__(self, key: str, run_id: str) -> None:
        self.key, self.run_id = key, run_id
        super().__init__(
            f"The idempotency key {key!r} started run {run_id!r} before. Read or continue that run; it is not started again."
        )


class RunsElsewhere(RunError):
    """The runs of this store are executed by its workers; this process cannot drive them."""

    code = "SC318"
    what: str

    def __init__(self, what: str) -> None:
        self.what = what
        super().__init__(
            f"Refused: {what}. The runs of this store are executed by Temporal workers, not in this process. Start and follow them with "
            f"statecore.temporal.TemporalWorkflows; `statecore worker TARGET --temporal HOST:PORT` executes them."
        )


class RulesUnknown(RunError):
    """A run follows rules, or is written in a form, that this release does not know."""

    code = "SC319"
    run_id: str
    found: object
    known: object

    def __init__(self, run_id: str, found: object, known: object) -> None:
        self.run_id, self.found, self.known = run_id, found, known
        super().__init__(
            f"Run {run_id!r} follows rules {found!r}, and this release knows {known!r}. It waits unharmed: let a worker of the release that "
            f"it began with run, or upgrade this one."
        )


# -- values ------------------------------------------------------------------------------------------------------------------------


class UnstorableValue(StatecoreError, ValueError):
    """A value cannot be stored so that it comes back equal."""

    code = "SC400"
    path: str
    why: str

    def __init__(self, path: str, why: str) -> None:
        self.path, self.why = path, why
        super().__init__(f"{path}: {why}. Return plain data (numbers, text, bytes, dates, lists, dicts ...) or register a codec.")


class UnreadableValue(StatecoreError, ValueError):
    """Stored bytes are no value that this release can read."""

    code = "SC401"

    def __init__(self, why: str) -> None:
        self.why = why
        super().__init__(f"A stored value cannot be read: {why}. Nothing was guessed; check the store with `statecore verify`.")


class RefusedCodec(StatecoreError, ValueError):
    """A codec cannot be registered: its type or its tag is taken, or can have none."""

    code = "SC402"
    kind: str
    tag: str
    why: str

    def __init__(self, kind: str, tag: str, why: str) -> None:
        self.kind, self.tag, self.why = kind, tag, why
        super().__init__(f"No codec for {kind} with the tag {tag!r}: {why}. Nothing was registered; a type keeps its one tag.")


class ValueTooLarge(StatecoreError, ValueError):
    """A value is too large for the engine that would carry it; it was not sent."""

    code = "SC403"
    what: str
    size: int
    limit: int

    def __init__(self, what: str, size: int, limit: int) -> None:
        self.what, self.size, self.limit = what, size, limit
        super().__init__(
            f"{what} has {size:,} bytes, and at most {limit:,} are sent; nothing was. Keep large values elsewhere and hand on their "
            f"name, or give every client and worker the same values store (TemporalDb(values=...))."
        )


class ValuesMissing(StatecoreError, LookupError):
    """A value was moved to a values store that this process does not have, or that does not have it."""

    code = "SC404"
    key: str
    why: str

    def __init__(self, key: str, why: str) -> None:
        self.key, self.why = key, why
        super().__init__(
            f"The value {key!r} cannot be read: {why}. Give this process the values store of the run's clients and workers: "
            f"TemporalDb(values=...), or STATECORE_VALUES=FOLDER."
        )


# -- stores ------------------------------------------------------------------------------------------------------------------------


class StoreError(StatecoreError):
    """A store cannot be used."""

    code = "SC500"


class NotAStatecoreStore(StoreError):
    """The file is something else."""

    code = "SC501"
    path: str
    why: str

    def __init__(self, path: str, why: str) -> None:
        self.path, self.why = path, why
        super().__init__(f"{path!r} is not a statecore store ({why}); it was left untouched. Name another file.")


class StoreCorrupt(StoreError):
    """The file is a damaged store."""

    code = "SC502"
    path: str
    why: str

    def __init__(self, path: str, why: str) -> None:
        self.path, self.why = path, why
        super().__init__(f"The store {path!r} is damaged: {why}. Restore a backup; `statecore verify` names the first bad row.")


class StoreTooNew(StoreError):
    """The store was written by a newer release."""

    code = "SC503"
    path: str
    found: int
    known: int

    def __init__(self, path: str, found: int, known: int) -> None:
        self.path, self.found, self.known = path, found, known
        super().__init__(f"The store {path!r} has schema {found}; this release knows up to {known}. Upgrade statecore.")


class ReplayFailed(StoreError, ValueError):
    """A journal is no history of its workflow."""

    code = "SC506"
    seq: int
    why: str

    def __init__(self, seq: int, why: str) -> None:
        self.seq, self.why = seq, why
        super().__init__(f"Row {seq} of the journal does not follow from the rows before it: {why}. See `statecore verify`.")


class StoreForked(StoreError):
    """A forked child used its parent's connection."""

    code = "SC504"

    def __init__(self, path: str) -> None:
        self.path = path
        super().__init__(f"The store {path!r} was opened before a fork. Open it anew in the child process.")


class StoreUnavailable(StoreError):
    """The store cannot be read or written now; what was acknowledged before is safe."""

    code = "SC505"
    path: str
    why: str

    def __init__(self, path: str, why: str) -> None:
        self.path, self.why = path, why
        super().__init__(f"The store {path!r} cannot be used: {why}. Nothing that was acknowledged is lost; mend it and try again.")


class NotPermitted(StoreError):
    """The database lets this role not do that."""

    code = "SC507"

    def __init__(self, path: str, why: str) -> None:
        self.path: str = path
        self.why: str = why
        super().__init__(f"The store {path!r} does not permit this: {why}. Nothing was changed; use a role that may, or grant it.")


class MissingExtra(StatecoreError, ImportError):
    """An optional package is needed for this."""

    code = "SC600"
    what: str
    extra: str

    def __init__(self, what: str, extra: str) -> None:
        self.what, self.extra = what, extra
        super().__init__(f"{what} needs an optional package. Install it: pip install 'statecore[{extra}]'")


class DrawingFailed(StatecoreError):
    """Graphviz gave up on a picture."""

    code = "SC601"
    program: str
    why: str

    def __init__(self, program: str, why: str) -> None:
        self.program, self.why = program, why
        super().__init__(f"{program} did not draw the picture: {why or 'no reason given'}. Write Mermaid, DOT or text instead.")


class UnknownFormat(StatecoreError, ValueError):
    """A picture was asked for in a format that there is not."""

    code = "SC602"
    spec: str
    known: list[str]

    def __init__(self, spec: str, known: Iterable[str]) -> None:
        self.spec, self.known = spec, list(known)
        super().__init__(f"{spec!r} is no format; write one of {', '.join(self.known)}.{suggest(spec, self.known)}")


class TargetError(StatecoreError, ValueError):
    """The command line names a workflow that cannot be found."""

    code = "SC700"
    target: str
    why: str

    def __init__(self, target: str, why: str) -> None:
        self.target, self.why = target, why
        super().__init__(f"Cannot load {target!r}: {why}. Write module:attribute or file.py:attribute.")


class InvalidProperty(StatecoreError, ValueError):
    """A property to be checked cannot be read."""

    code = "SC701"
    text: str
    why: str

    def __init__(self, text: str, why: str) -> None:
        self.text, self.why = text, why
        stop = "" if why.endswith(("?", ".")) else "."
        super().__init__(f"The property {text!r} cannot be read: {why}{stop} Write e.g. never ran(pay) unless confirmed(approve).")


class Unanswered(StatecoreError, LookupError):
    """A scripted reviewer was asked what its script has no answer for."""

    code = "SC702"
    kind: str
    step_name: str
    answers: list[str]

    def __init__(self, kind: str, step_name: str, answers: Iterable[str]) -> None:
        self.kind, self.step_name, self.answers = kind, step_name, list(answers)
        known = ", ".join(map(repr, self.answers)) or "none"
        super().__init__(
            f"The {kind} of {step_name!r} has no answer (or no more). Answers: {known}. Add one for {step_name!r} or {kind!r}."
        )


class TooManyPaths(StatecoreError, ValueError):
    """A workflow has more situations than a test wants to look at."""

    code = "SC703"
    name: str
    most: int

    def __init__(self, name: str, most: int) -> None:
        self.name, self.most = name, most
        super().__init__(f"Workflow {name!r} has more than {most} situations. Raise most=, or let `statecore check` look at it.")
