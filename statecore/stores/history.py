"""`History` is the fold of a run's journal: what became of each component, in each turn. Built only when somebody looks back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from attrs import define, field

from statecore.codec import decode
from statecore.core import DECISIONS
from statecore.core.owed import ASK_OF, pause_id
from statecore.definition import Decision, StepOutput
from statecore.definition.questions import Answered, AnswersByKey
from statecore.errors import UnreadableValue
from statecore.lifecycles import DECISION_WORDS, KINDS, RUN, SHOWS
from statecore.lifecycles import words as w

from .detail import NO_DETAIL, Detail, detail_of, name_of
from .records import FAR, NEAR, Body
from .rules import clock_text, is_about

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from statecore.core import Address, Micros
    from statecore.core.state import Turn

    from .records import Entry, Pause, RunReader, Text, Waiting

Key: TypeAlias = "tuple[Address, Turn]"

OVER = frozenset({w.completed, w.skipped, w.failed, w.cancelled})

WORD_OF: dict[tuple[str, str], str] = {
    (kind, trigger): each.word for each in DECISION_WORDS for kind, trigger in each.fires.items()
}
"""The word of a person that fires a trigger, by the kind of the question."""
ANSWERS = frozenset({trigger for _, trigger in WORD_OF} | {w.expire})
AT_THE_GATE = frozenset({kind for kind, shows in SHOWS.items() if shows not in ("output", "error")})
"""The questions that are put before anything of a component runs."""
ITERATE = frozenset({kind.table.name for kind in KINDS.values() if kind.holds == "iterations"})
"""The tables of components that run their children again and again."""


def entry_at(store: RunReader, run_id: str, seq: int) -> Entry:
    """One row of a journal, of which a state or another row says that it is there. Raises `UnknownRun`; `UnreadableValue` where it is missing."""
    rows = store.journal(run_id, seq - 1, seq)
    if not rows:
        why = f"row {seq} of the journal of run {run_id!r} is missing"
        raise UnreadableValue(why)
    return rows[0]


TYPE_OF = {kind.table.name: kind.title for kind in reversed(KINDS.values())}
"""The type of a component by its table; a nested workflow has that of a group."""

# why a component was skipped, by the state it was in and the trigger that ended it
SKIP_REASONS = {
    (w.awaiting_confirmation, w.reject): "rejected",
    (w.running, w.fail): "failed, and its error policy is skip",
    (w.evaluating, w.fail): "failed, and its error policy is skip",
    (w.errored_paused, w.skip): "failed, and a person skipped it",
    (w.evaluating, w.refute): "not taken",
    (w.running, w.leave): "left by its error policy",
    (w.judging, w.fail): "its review predicate failed, and its error policy is skip",
    (w.awaiting_input, w.reject): "rejected",
    (w.awaiting_route, w.reject): "rejected",
    (w.awaiting_review, w.reject): "its output was rejected",
    (w.awaiting_answer, w.reject): "a question of it was rejected",
}


ASKING = frozenset({w.ask, w.answer, w.renew})
"""The triggers of rows in which code asks, is answered, or a question is put again."""


class Closing(NamedTuple):
    """A question that is over: its kind, its pause, and the row that says how it ended."""

    kind: str
    pause_id: str
    entry: Entry


@define
class Visit:
    """One component in one turn: its phase, its newest row, what went wrong on the way, and how often its open question was put."""

    machine: str
    at: Address
    turn: Turn
    attempt: int
    phase: str
    newest: Entry
    first: int
    value: Text | None = None
    of: Any = None
    failures: list[dict[str, Any]] = field(factory=list)
    answers: list[Closing] = field(factory=list)
    put: int = 1
    worked: Micros = 0
    waited: Micros = 0
    rounds: int = 0
    """How many rounds of questions of its code were answered, those included that have lapsed (KEY-2)."""
    asked: list[Entry] = field(factory=list)
    """The rows in which the code of a step asked, and those that answered it, in this visit; none of those that have lapsed (ASK-8)."""

    @property
    def reason(self) -> str | None:
        """Why it was skipped, or who gave its output (ERR-12); None for anything else."""
        if self.phase == w.completed and self.newest.trigger == w.provide:
            return f"provided by {particulars(self.newest).by or 'somebody'}"
        if self.phase != w.skipped:
            return None
        return skip_reason(self.newest.source, self.newest.trigger)

    @property
    def name(self) -> str:
        """The component's name: the last part of its address."""
        return name_of(self.at)

    def is_put_again(self, entry: Entry) -> bool:
        """Whether a row puts the same question once more; else it is noted that code has asked, or was answered.

        Where questions of code lapse, only the last notes are left: the values of the answers go (ASK-8).
        """
        if entry.trigger == w.renew and entry.dest == entry.source:
            self.put += 1
            return True
        self.rounds += entry.trigger == w.answer and entry.dest == w.running
        if entry.trigger == w.renew:
            noted = [each for each in self.asked if each.trigger == w.ask and each.body.value is not None]
            self.asked = [each._replace(body=Body("", each.body.value)) for each in noted[-1:]]
        else:
            self.asked.append(entry)
        return False


def skip_reason(source: str, trigger: str) -> str:
    """Why a component was skipped, in words."""
    if trigger == w.expire:
        return "nobody decided in time"
    return SKIP_REASONS.get((source, trigger), trigger)


def is_used(waiting: Waiting, entries: Iterable[Entry]) -> bool:
    """Whether the decision of a pause was applied: where its pause was closed, a journal row has what the word means."""
    pause, decided = waiting.pause, waiting.decided
    if decided is None or pause.closed is None:
        return False
    moved = (pause.at, pause.attempt, pause.closed, DECISIONS[pause.kind].get(decided.word))
    return any((row.at, row.attempt, row.time, row.trigger) == moved and is_about(row, pause) for row in entries)


def particulars(entry: Entry) -> Detail:
    """The detail of a row."""
    return detail_of(entry.body.detail)


@define
class History:
    """The visits of a run in the order in which they began, and the values of its rows.

    `times` says when a pause was decided; the journal knows only when a decision was applied. `read` reads stored values. `fetch` gives the
    value of a row by its number: with it, long values are not held here.
    """

    visits: dict[Key, Visit] = field(factory=dict)
    named: dict[str, Key] = field(factory=dict)
    by_name: dict[str, list[Visit]] = field(factory=dict)
    """The visits of each name, in the order in which they began."""
    seq: int = 0
    """The number of the last row that was folded in."""
    values: dict[int, Text] = field(factory=dict)
    media: dict[int, Text] = field(factory=dict)
    times: Callable[[str], Micros | None] = lambda _: None
    read: Callable[[str], Any] = decode
    fetch: Callable[[int], Text | None] | None = None

    def extend(self, entries: Iterable[Entry]) -> History:
        """Fold further rows in, in order."""
        for entry in entries:
            self.seq = entry.seq
            if entry.machine != RUN.name:
                self.add(entry)
        return self

    def add(self, entry: Entry) -> None:
        """Fold one row of a component in."""
        if self.fetch is not None and entry.body.value is not None and len(entry.body.value) > NEAR:
            entry = entry._replace(body=Body(entry.body.detail, FAR))
        key = (entry.at, entry.turn)
        visit = self.visits.get(key)
        if visit is None:
            visit = Visit(entry.machine, entry.at, entry.turn, entry.attempt, entry.dest, entry, entry.seq)
            self.visits[key] = visit
            self.by_name.setdefault(visit.name, []).append(visit)
        if entry.trigger in ASKING and visit.is_put_again(entry):
            return
        if entry.trigger in ANSWERS and (entry.machine, entry.source) in ASK_OF:
            visit.answers.append(self.answer(visit, entry))
            visit.put = 1
        passed = entry.time - visit.newest.time
        if (entry.machine, visit.phase) in ASK_OF:
            visit.waited += passed
        else:
            visit.worked += passed
        visit.phase, visit.newest, visit.attempt = entry.dest, entry, entry.attempt
        said = particulars(entry) if entry.body.detail else NO_DETAIL  # few rows say anything
        if entry.body.value is not None:
            self.values[entry.seq] = entry.body.value
        if said.media is not None:
            self.media[entry.seq] = said.media
        if said is not NO_DETAIL and said.tells_error:
            visit.failures.append({**said.plain(), "attempt": entry.attempt})
        if entry.dest == w.completed:
            visit.value, visit.of = entry.body.value, said.of
        self.named[visit.name] = key

    def answer(self, visit: Visit, entry: Entry) -> Closing:
        """The end of the question that a component had put."""
        kind = ASK_OF[entry.machine, entry.source]
        if entry.source == w.errored_paused and visit.newest.trigger == w.interrupt:
            kind = "interrupted"
        turn = entry.turn
        if entry.machine in ITERATE and kind not in AT_THE_GATE:  # the question is about an iteration, the row is not
            inside = [each.turn[: len(turn) + 1] for each in self.visits.values() if each.at.startswith(f"{entry.at}/")]
            turn = max(each for each in inside if each[:-1] == turn)
        number = particulars(entry).number if entry.source == w.awaiting_answer else None
        return Closing(kind, pause_id(kind, entry.at, turn, entry.attempt, visit.put, number), entry)

    def decision(self, answer: Closing) -> Decision:
        """The answer to a question, its value freshly decoded."""
        kind, asked, entry = answer
        said, expired = particulars(entry), entry.trigger == w.expire
        time = None if expired else self.times(asked)
        return Decision(
            kind=kind,
            word=WORD_OF.get((kind, entry.trigger)),  # expiry has none
            value=self.value(entry.body.value, entry.seq),
            by=said.by,
            comment=said.comment,
            time=clock_text(entry.time if time is None else time),
            expired=expired,
        )

    def answers(self, at: Address, turn: Turn) -> AnswersByKey:
        """The answers to what the code of a step has asked in a visit, in the order of its questions, with their values freshly decoded."""
        visit = self.visits.get((at, turn))
        questions: list[Any] = []
        found: dict[int, tuple[Entry, Detail]] = {}
        for entry in visit.asked if visit is not None else ():
            said = particulars(entry)
            if entry.trigger == w.ask:
                questions += self.read(said.questions) if said.questions is not None else []
            elif said.number is not None:
                found[said.number] = (entry, said)
        return AnswersByKey(
            [self.answer_to(questions[number][0], questions[number][1], *found[number]) for number in sorted(found)]
        )

    def answer_to(self, key: str, message: str, entry: Entry, said: Detail) -> Answered:
        """One answer of a person to the code of a step."""
        asked = pause_id("question", entry.at, entry.turn, entry.attempt, 1, said.number)
        time = self.times(asked)
        value = self.value(entry.body.value, entry.seq)
        return Answered(key, message, value, said.by, said.comment, clock_text(entry.time if time is None else time))

    def rounds(self, at: Address, turn: Turn) -> int:
        """How many rounds of questions of a step's code were answered in a visit."""
        visit = self.visits.get((at, turn))
        return visit.rounds if visit is not None else 0

    def notes(self, at: Address, turn: Turn) -> Any:
        """The last notes of the questions of a visit; None where there are none."""
        visit = self.visits.get((at, turn))
        noted = [
            each for each in (visit.asked if visit is not None else ()) if each.trigger == w.ask and each.body.value is not None
        ]
        return self.value(noted[-1].body.value, noted[-1].seq) if noted else None

    def at_the_gate(self, at: Address, turn: Turn) -> Decision | None:
        """The last answer before a component ran; None where there was no question."""
        visit = self.visits.get((at, turn))
        answers = [each for each in visit.answers if each.kind in AT_THE_GATE] if visit is not None else []
        return self.decision(answers[-1]) if answers else None

    def content(self, visit: Visit) -> Any:
        """The content that a completed component handed on, freshly decoded; None where it handed nothing on."""
        if visit.phase != w.completed:
            return None
        return self.value(visit.value, visit.newest.seq) if visit.value is not None else self.of(visit.of)

    def value(self, text: Text | None, seq: int) -> Any:
        """The value of a text, freshly decoded; a far one is that of its row."""
        if text == FAR and self.fetch is not None:
            text = self.fetch(seq)
        return self.read(text) if text is not None else None

    def of(self, rows: Any) -> Any:
        """The outputs of journal rows: one, or for a Parallel one for each branch."""
        if isinstance(rows, dict):
            return {name: self.of(row) for name, row in rows.items()}
        return self.value(self.values[rows], rows) if rows is not None else None

    def iteration(self, at: Address, turn: Turn) -> list[StepOutput]:
        """The outputs of one iteration of a Loop, in order."""
        return [self.output(v) for v in self.visits.values() if v.turn == turn and v.at.rpartition("/")[0] == at]

    def output(self, visit: Visit) -> StepOutput:
        """The outcome of one component, its content freshly decoded; without what is inside it."""
        error = visit.failures[-1] if visit.failures and visit.phase != w.completed else {}
        said = particulars(visit.newest) if visit.phase == w.completed else NO_DETAIL
        return StepOutput(
            content=self.content(visit),
            step_name=visit.name,
            success=visit.phase != w.failed and said.success,
            error=error.get("error", said.error),
            error_type=error.get("error_type"),
            stop=visit.newest.trigger == w.stop,
            status=visit.phase,
            reason=visit.reason,
            attempt=visit.attempt,
            address=visit.at,
            failures=list(visit.failures),
            decisions=[self.decision(each) for each in visit.answers],
            step_type=TYPE_OF[visit.machine],
            metrics={"duration": visit.worked / 1_000_000, "waited": visit.waited / 1_000_000},
            **self.beside(visit),
        )

    def beside(self, visit: Visit) -> dict[str, Any]:
        """The media of what a completed component handed on, freshly decoded."""
        row = visit.of if visit.value is None else visit.newest.seq
        text = self.media.get(row) if visit.phase == w.completed and type(row) is int else None
        kept: dict[str, Any] = self.read(text) if text is not None else {}
        return kept

    def traceback(self, pause: Pause) -> str | None:
        """The traceback of the failure that a question is about."""
        visit = self.visits.get((pause.at, pause.turn))
        failures = [each for each in visit.failures if each["attempt"] == pause.attempt] if visit is not None else []
        return failures[-1].get("traceback") if failures else None

    def tree(self) -> list[StepOutput]:
        """The outcome of every component, each with what is inside it."""
        children = self.children()
        outputs = {key: self.output(visit) for key, visit in self.visits.items()}
        for key, visits in children.items():
            if key is not None:
                outputs[key].steps = [outputs[visit.at, visit.turn] for visit in visits]
        return [outputs[visit.at, visit.turn] for visit in children.get(None, [])]

    def tree_at(self, at: Address, turn: Turn) -> list[StepOutput]:
        """The outcomes inside one component, in its newest turn or in the one given."""
        children = self.children()
        inside = [visit for key, visits in children.items() if key is not None and key[0] == at for visit in visits]
        return [self.output(visit) for visit in inside if visit.turn[: len(turn)] == turn]

    def children(self) -> dict[Key | None, list[Visit]]:
        """Every visit under the nearest visited component around it, in order; the top level under None."""
        tree: dict[Key | None, list[Visit]] = {}
        for visit in self.visits.values():
            tree.setdefault(self.around(visit), []).append(visit)
        return tree

    def around(self, visit: Visit) -> Key | None:
        """The nearest visited component around a visit."""
        at = visit.at
        while "/" in at:
            at = at.rpartition("/")[0]
            for cut in range(len(visit.turn), -1, -1):
                if (at, visit.turn[:cut]) in self.visits:
                    return at, visit.turn[:cut]
        return None
