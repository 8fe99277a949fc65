"""The judge of changed definitions: whether a stored run may go on under a program, and why not. Drivers, `check` and `doctor` ask it alone.

`core.adoption` compares the two programs from where the run stands. Added here is what only the store knows: which answers have been given,
to which words. An answer counts only where its question still says the same and the word still leads to the same (GATE-7). While a run
stands in what an answer let begin, that has to stay the same, too (GATE-7b).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING, Literal, TypeAlias

from attrs import frozen

from statecore.codec import decode
from statecore.core import DECISIONS, Ask, Micros, Program, asks, stored_program
from statecore.core.adoption import Difference, differences, new_gates
from statecore.core.ahead import point_of
from statecore.core.evidence import WordSlice, goes_on_the_same, means_the_same, slices
from statecore.core.ways import question_at
from statecore.errors import StaleDecision, StatecoreError
from statecore.lifecycles import RUN, SHOWS
from statecore.lifecycles import words as w
from statecore.lifecycles.decisions import REJECT, SELECT, SKIP
from statecore.stores import PauseFilter
from statecore.stores.frames import questions

from .execution import choices_shown, form_shown

if TYPE_CHECKING:
    from statecore.core import Address, Node
    from statecore.lifecycles import AskKind
    from statecore.stores import Decided, Pause, Record, RunReader

Verdict: TypeAlias = Literal["goes on", "asks more", "asked again", "refused", "stranded"]
ALL = 10_000
BY_PERSON = frozenset(trigger for words in DECISIONS.values() for trigger in words.values())
FIRM = frozenset({REJECT.word, SKIP.word, w.expire})
"""Words that never allow what they did not: no order takes them for something else."""
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
            return list(self.other_answers())
        found = differences(self.old, self.program, self.record.state)
        if any(each.rule == "place" for each in found):
            return found
        return [*found, *self.other_answers(), *self.other_ways()]

    def open_asks(self) -> list[tuple[Ask, Node]]:
        """The open questions, each with its component in the new program."""
        return [(ask, self.program.nodes[ask.at]) for ask in asks(self.old, self.record.state)]

    def other_answers(self) -> Iterator[Difference]:
        """Answers that have been given, and silences that have come, that would mean something else (GATE-7)."""
        if not self.answers and all(ask.due is None for ask in asks(self.old, self.record.state)):
            return  # there may be many questions
        for ask, node in self.open_asks():
            said = self.answers.get(ask.pause_id)
            silent = said is None and ask.due is not None and ask.due <= self.now
            word = said.word if said is not None else w.expire
            why = self.changed(ask, node, word) if said is not None or silent else None
            if why is not None:
                yield Difference("answer", ask.at, sentence(node, word, said, why), firm=word in FIRM or lacks_choice(node, said))

    def changed(self, ask: Ask, node: Node, word: str) -> str | None:
        """The change of a question for one of its words; None where there is none."""
        question = self.question(ask.pause_id)
        if question is not None and not says_the_same(question, node):
            return "the question says something else now"
        if self.old is not self.program and not means_the_same(self.old, self.program, ask.at, ask.kind, word):
            return f"{word!r} leads to something else now"
        return None

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


def sentence(node: Node, word: str, said: Decided | None, why: str) -> str:
    """An answer that does not count, in words."""
    if said is None:
        return f"the deadline of {node.name!r} has passed, and {why}"
    return f"{word!r} of {node.name!r}{f' by {said.by!r}' if said.by else ''} does not count: {why}"


def lacks_choice(node: Node, said: Decided | None) -> bool:
    """Whether a choice that was selected is not there."""
    return (
        said is not None and said.word == SELECT.word and bool(said.value) and not set(decode(str(said.value))) <= node.exits.keys()
    )


def says_the_same(question: Pause, node: Node) -> bool:
    """Whether a stored question has the message, form and choices that its component has now. A program without texts has no opinion."""
    if question.kind not in node.asks:
        return True
    if question.message != node.asks[question.kind]:
        return False
    return question.kind not in FORMS or question.detail == FORMS[question.kind](node)


# -- what a person was shown ---------------------------------------------------------------------------------------------------------


def seen(canonical: str, question: Pause) -> str:
    """The digest of an open question, in hex: what it says and shows, and what each of its words leads to (GATE-6).

    It is made of what is stored: of the question, and of the definition that the run follows. That has no callables, and no salt, because the
    digest is carried and never kept.
    """
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
        slices=slice_digests(canonical, question.at, question.kind),
    )
    return digest.hex()


def hashed(text: str) -> bytes:
    """The SHA-256 of a text."""
    return sha256(text.encode("utf-8", "surrogatepass")).digest()


@lru_cache(maxsize=1_024)
def slice_digests(canonical: str, at: Address, kind: AskKind) -> Mapping[str, bytes]:
    """The digest of the slice of each word of a question, in the definition with this canonical form."""
    return {word: questions.slice_digest(plain_slice(each)) for word, each in slices(stored(canonical), at, kind).items()}


def plain_slice(each: WordSlice) -> questions.Slice:
    """A slice as its digest takes it."""
    return questions.Slice(each.entries, tuple([questions.Component(*part) for part in each.components]), each.stops)


def check_seen(canonical: str, question: Pause, shown: str) -> None:
    """Raise `StaleDecision` where a person was shown another question than the one that stands."""
    if shown != seen(canonical, question):
        raise StaleDecision(question.run_id, question.pause_id)


# -- one table of verdicts ---------------------------------------------------------------------------------------------------------


def judge(db: RunReader, record: Record, program: Program, now: Micros) -> Judgement:
    """Judge a stored run under a program."""
    run_id = record.identity.run_id
    try:
        rows = db.pauses(PauseFilter(run_id=run_id, undecided_only=False, limit=ALL))
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
    """A run that may go on: whether its open questions still stand, and whether it will be asked more."""
    run_id = case.record.identity.run_id
    again = []
    for ask, node in case.open_asks():
        words = [word for word in DECISIONS[ask.kind] if ask.pause_id not in case.answers]
        again += [f"{node.name!r}: {why}" for word in words if (why := case.changed(ask, node, word)) is not None][:1]
    if again:
        return Judgement(run_id, "asked again", tuple(again))
    more = new_gates(case.old, case.program, case.record.state)
    if more:
        return Judgement(run_id, "asks more", tuple(f"{gate.kind} of {gate.name!r}" for gate in more))
    return Judgement(run_id, "goes on")
