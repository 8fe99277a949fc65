"""The judge of changed definitions: whether a stored run may go on under a program, and why not. Drivers, `check` and `doctor` ask it alone.

`core.adoption` compares the two programs from where the run stands. Added here is what only the store knows: which answers have been given,
to which words. An answer counts only where its question still says the same and the word still leads to the same (GATE-7). While a run
stands in what an answer let begin, that has to stay the same, too (GATE-7b). An answer that does not count is no difference: it lapses, and
its question is put again (GATE-7a); so is a question without an answer that says, or means, something else now.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING, Literal, TypeAlias

from attrs import frozen

from statecore.core import DECISIONS, Ask, Micros, Program, asks, stored_program
from statecore.core.adoption import Difference, differences, new_gates
from statecore.core.ahead import point_of
from statecore.core.evidence import goes_on_the_same, means_the_same, slices
from statecore.core.ways import question_at
from statecore.errors import StaleDecision, StatecoreError
from statecore.lifecycles import DECISION_WORDS, RUN, SHOWS
from statecore.lifecycles import words as w
from statecore.stores import PauseFilter
from statecore.stores.detail import pause_detail, pause_text
from statecore.stores.frames import questions

from .meanings import slices_of
from .renewals import Renewal
from .showing import choices_shown, form_shown

if TYPE_CHECKING:
    from statecore.core import Node
    from statecore.stores import Decided, Pause, Record, RunReader, Waiting

Verdict: TypeAlias = Literal["goes on", "asks more", "asked again", "refused", "stranded"]
ALL = 10_000
REFUSING = frozenset(each.word for each in DECISION_WORDS if each.refuses)
REMEMBERED = 10_000
"""Of so many questions at most a program remembers that they have its words."""
BY_PERSON = frozenset(trigger for words in DECISIONS.values() for trigger in words.values())
FORMS = {"user_input": form_shown, "route": choices_shown}
"""The questions with a form or choices, and the stored text of these as a component has them now."""


@lru_cache(maxsize=64)
def stored(canonical: str) -> Program:
    """The program of a canonical form; the runs of one definition share it, with the slices that it has made."""
    return stored_program(canonical)


@frozen
class Judgement:
    """The verdict of a program on a stored run, and its reasons."""

    run_id: str
    verdict: Verdict
    why: tuple[str, ...] = ()


@frozen
class Case:
    """A stored run before the judge: what has been answered (by pause), where to find a question as it was put, and the time."""

    db: RunReader
    record: Record
    program: Program
    answers: Mapping[str, Decided]
    question: Callable[[str], Pause | None]
    now: Micros

    @property
    def old(self) -> Program:
        """The program that the run follows."""
        identity = self.record.identity
        return self.program if identity.fingerprint == self.program.fingerprint else stored(identity.canonical)

    def differences(self) -> list[Difference]:
        """Everything that speaks against going on."""
        if self.record.identity.fingerprint == self.program.fingerprint:
            return []
        found = differences(self.old, self.program, self.record.state)
        if any(each.rule == "place" for each in found):
            return found
        return [*found, *self.other_ways()]

    def renewals(self) -> list[Renewal]:
        """The questions that are put again: their answer or their silence does not count, or, unanswered, they ask something else (GATE-7)."""
        old, found = self.old, []
        for ask in asks(old, self.record.state):
            name = ask.pause_id
            said = self.answers.get(name)
            why = self.changed(old, ask, name, said)
            if why is not None:
                found.append(Renewal(ask, why, said))
        return found

    def changed(self, old: Program, ask: Ask, name: str, said: Decided | None) -> str | None:
        """The reason for which an open question is put again, with its answer if it has one; None where it stands."""
        refused = said is not None and said.word in REFUSING  # a no lapses only where what it leads to has changed
        if not refused and not self.says_the_same(name, self.program.nodes[ask.at]):
            return "the question says something else now"
        if old is self.program:
            return None
        silent = said is None and ask.due is not None and ask.due <= self.now
        words = [said.word] if said is not None else [w.expire] if silent else words_of(old, self.program, ask)
        other = next((word for word in words if not means_the_same(old, self.program, ask.at, ask.kind, word)), None)
        return f"{other!r} leads to something else now" if other is not None else None

    def says_the_same(self, pause_id: str, node: Node) -> bool:
        """Whether an open question has the words of the program. One that had them before is not read again: there may be many.

        A program may serve several stores, and each may have a run of this id: the moment of its beginning tells them apart.
        """
        first, worded = self.record.identity, self.program.worded
        key = first.run_id, first.created, pause_id
        if key not in worded:
            question = self.question(pause_id)
            if question is None:
                return True  # there are no words to compare, and nothing is remembered of them
            if not says_the_same(question, node):
                return False
            if len(worded) >= REMEMBERED:
                worded.clear()
            worded.add(key)
        return True

    def other_ways(self) -> Iterator[Difference]:
        """Where the run stands in what an answer let begin, and that has changed up to the next question (GATE-7b)."""
        old, new, state = self.old, self.program, self.record.state
        if state.run == w.pending:
            return
        changed = [
            cursor.at
            for cursor in state.cursors
            if question_at(old, point_of(cursor)) is None and not goes_on_the_same(old, new, point_of(cursor))
        ]
        if changed and self.is_answered():
            for at in changed:
                says = f"what an answer let begin has changed from {old.nodes[at].name!r} up to the next question"
                yield Difference("answer", at, says)

    def is_answered(self) -> bool:
        """Whether an answer of a person, or a silence, has been applied to the run."""
        rows = self.db.journal(self.record.identity.run_id, 0, self.record.seq)
        return any(row.machine != RUN.name and (row.trigger in BY_PERSON or row.trigger == w.expire) for row in rows)


def words_of(old: Program, new: Program, ask: Ask) -> list[str]:
    """The words of a question, and `expire` where one of two definitions has a deadline for it."""
    return list(dict.fromkeys([*slices(old, ask.at, ask.kind), *slices(new, ask.at, ask.kind)]))


def says_the_same(question: Pause, node: Node) -> bool:
    """Whether a stored question has the message, form and choices that its component has now. A program without texts has no opinion."""
    if question.kind not in node.asks:
        return True
    if question.message != node.asks[question.kind]:
        return False
    return question.kind not in FORMS or first_detail(question) == FORMS[question.kind](node)


def first_detail(question: Pause) -> str:
    """The details of a question without why it is put again."""
    said = pause_detail(question.detail)
    return question.detail if said.again is None else pause_text(said._replace(again=None))


# -- what a person was shown ---------------------------------------------------------------------------------------------------------


def seen(canonical: str, question: Pause) -> str:
    """The digest of an open question, in hex: what it says and shows, and what each of its words leads to (GATE-6).

    It is the one that is stored with the question. Where the store keeps none it is made of what is stored: of the question, and of the
    definition that the run follows. That has no callables, and no salt, because this digest is carried and never kept.
    """
    if question.seen is not None:
        return question.seen
    form = hashed(question.detail) if SHOWS[question.kind] == "form" else None
    choices = hashed(question.detail) if SHOWS[question.kind] == "choices" else None
    digest = questions.QUESTION.digest(
        run_id=question.run_id,
        pause_id=question.pause_id,
        kind=question.kind,
        rule=None,
        message=None if question.message is None else hashed(question.message),
        form=form,
        choices=choices,
        names=None,
        shown=[("detail", None, hashed(question.detail))],
        slices=slices_of(stored(canonical), question.at, question.kind),
    )
    return digest.hex()


def hashed(text: str) -> bytes:
    """The SHA-256 of a text."""
    return sha256(text.encode("utf-8", "surrogatepass")).digest()


def check_seen(canonical: str, question: Pause, shown: str) -> None:
    """Raise `StaleDecision` where a person was shown another question than the one that stands."""
    if shown != seen(canonical, question):
        raise StaleDecision(question.run_id, question.pause_id)


# -- one table of verdicts ---------------------------------------------------------------------------------------------------------


def open_questions(db: RunReader, record: Record) -> list[Waiting]:
    """The open questions of a run as they were put, decided or not; a listing has none of a failed run, whose questions wait for its reopening."""
    run_id = record.identity.run_id
    if record.state.run != w.failed:
        return db.pauses(PauseFilter(run_id=run_id, undecided_only=False, limit=ALL))
    found = [db.pause(run_id, ask.pause_id) for ask in asks(stored(record.identity.canonical), record.state)]
    return [row for row in found if row is not None]


def judge(db: RunReader, record: Record, program: Program, now: Micros) -> Judgement:
    """Judge a stored run under a program."""
    run_id = record.identity.run_id
    try:
        rows = open_questions(db, record)
        questions = {row.pause.pause_id: row.pause for row in rows}
        answers = {row.pause.pause_id: row.decided for row in rows if row.decided is not None}
        case = Case(db, record, program, answers, questions.get, now)
        found = case.differences()
        if found:
            return Judgement(run_id, "stranded" if any(each.firm for each in found) else "refused", tuple(map(str, found)))
        return asked(case)
    except (StatecoreError, ValueError) as error:
        return Judgement(run_id, "stranded", (str(error),))


def asked(case: Case) -> Judgement:
    """A run that may go on: whether its open questions and their answers still stand, and whether it will be asked more."""
    run_id = case.record.identity.run_id
    again = [(case.program.nodes[each.ask.at].name, each.why) for each in case.renewals()]
    if again:
        return Judgement(run_id, "asked again", tuple(f"{name!r}: {why}" for name, why in again))
    more = new_gates(case.old, case.program, case.record.state)
    if more:
        return Judgement(run_id, "asks more", tuple(f"{gate.kind} of {gate.name!r}" for gate in more))
    return Judgement(run_id, "goes on")
