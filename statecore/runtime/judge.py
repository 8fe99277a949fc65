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

from statecore.core import DECISIONS, Micros, OpenQuestion, Program, asks, stored_program
from statecore.core.adoption import Difference, differences, new_gates
from statecore.core.ahead import point_of
from statecore.core.evidence import PHASES, goes_on_the_same, means_the_same, slices
from statecore.core.owed import ASK_OF
from statecore.core.ways import ASKED_BEFORE, question_at
from statecore.errors import StaleDecision, StatecoreError, quoted
from statecore.lifecycles import DECISION_WORDS, RUN, SHOWS
from statecore.lifecycles import words as w
from statecore.stores import PauseFilter
from statecore.stores.detail import Detail, detail_of, pause_detail, pause_text
from statecore.stores.frames import questions
from statecore.stores.votes import against

from .meanings import other_meanings, slices_of
from .renewals import WORDED, Renewal
from .showing import choices_shown, form_shown
from .standing import WORD_OF, agreed_for

if TYPE_CHECKING:
    from statecore.core import Cursor, Node
    from statecore.stores import Decided, Entry, Pause, Record, RunReader, Waiting

Verdict: TypeAlias = Literal["goes on", "asks more", "asked again", "refused", "stranded"]
ALL = 10_000
REFUSING = frozenset(each.word for each in DECISION_WORDS if each.refuses)
ANSWERING = frozenset(trigger for words in DECISIONS.values() for trigger in words.values()) | {w.expire}
"""The triggers of what a person answers, and of a silence."""
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
            return list(self.other_code())
        found = differences(self.old, self.program, self.record.state)
        if any(each.rule == "place" for each in found):
            return found
        return [*found, *self.other_ways(), *self.other_code()]

    def renewals(self) -> list[Renewal]:
        """The questions that are put again: their answer or their silence does not count, or, unanswered, they ask something else (GATE-7)."""
        old, found, refused = self.old, [], set()
        for ask in asks(old, self.record.state):
            name = ask.pause_id
            said = self.answers.get(name)
            why = self.changed(old, ask, name, said)
            if why is not None:
                found.append(Renewal(ask, why, said, self.against(name)))
            elif said is not None and said.word in REFUSING:
                refused.add((ask.at, ask.turn))
        return [each for each in found if (each.ask.at, each.ask.turn) not in refused]  # a no to one closes the others (ASK-2)

    def against(self, name: str) -> tuple[str, ...]:
        """The people whose no stands at a question that takes votes, or has stood at one before it: it holds the next one, too."""
        row = self.db.pause(self.record.identity.run_id, name)
        return () if row is None or row.pause.rule is None else against(row)

    def changed(self, old: Program, ask: OpenQuestion, name: str, said: Decided | None) -> str | None:
        """The reason for which an open question is put again, with its answer if it has one; None where it stands."""
        question = self.changed_question(name)
        if question is None and old is self.program:
            return None
        refused = said is not None and said.word in REFUSING  # a no lapses only where what it leads to has changed
        if question is not None and not refused and not says_the_same(question, self.program.nodes[ask.at]):
            return "the question says something else now"
        if not refused and old.nodes[ask.at].rule != self.program.nodes[ask.at].rule:
            return "the rule of who may decide is another one now"
        silent = said is None and ask.due is not None and ask.due <= self.now
        words = [said.word] if said is not None else [w.expire] if silent else words_of(old, self.program, ask)
        if old is not self.program:
            other = next((word for word in words if not means_the_same(old, self.program, ask.at, ask.kind, word)), None)
            if other is not None:
                return f"{other!r} leads to something else now"
        meant = other_meanings(self.program, question) if question is not None else ()
        other = next((word for word in words if word in meant), None)
        return f"{other!r} leads to other code now" if other is not None else None

    def changed_question(self, pause_id: str) -> Pause | None:
        """An open question that has not the words of the program, or whose words do not mean the same; None for one that has not changed.

        One that had not changed before is not read again: there may be many. A program may serve several stores, and each may have a run of
        this id: the moment of its beginning tells them apart.
        """
        first, worded = self.record.identity, self.program.worded
        key = first.run_id, first.created, pause_id
        if key in worded:
            return None
        question = self.question(pause_id)
        if question is None:
            return None  # there are no words to compare, and nothing is remembered of them
        if not says_the_same(question, self.program.nodes[question.at]) or other_meanings(self.program, question):
            return question
        if len(worded) >= WORDED:
            worded.clear()
        worded.add(key)
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
        rows = self.applied() if changed else []
        for at in changed if rows else ():
            row = next((row for row in reversed(rows) if at in let_begin(old, row)), rows[-1])
            says = f"{old.nodes[at].name!r}, or what follows it up to the next question, has changed since {told(old, row)}"
            yield Difference("answer", at, says)

    def other_code(self) -> Iterator[Difference]:
        """Where the run stands in what a yes let begin, and that is not what it was when the question was put, functions included (GATE-7b)."""
        for cursor, question, said, word in self.agreed():
            if word not in other_meanings(self.program, question):
                continue
            taken = self.taken_since(question)
            if taken is None or (taken.code is not None and taken.code.get(question.pause_id) != self.code_of(question, word)):
                says = f"the code of {self.old.nodes[cursor.at].name!r}, or of what comes with it, is not that {agreed(said)}"
                yield Difference("answer", cursor.at, says)

    def agreed(self) -> Iterator[tuple[Cursor, Pause, Decided | None, str]]:
        """The places that an answer let begin, each with the question, what was said of it, and the word."""
        old, state = self.old, self.record.state
        begun = [each for each in state.cursors if each.phase not in ASKED_BEFORE] if state.run != w.pending else []
        for cursor in begun:
            if question_at(old, point_of(cursor)) is not None:
                continue
            for row, words in agreed_for(self.db, self.record, old, cursor):
                word = row.decided.word if row.decided is not None else w.expire
                if row.pause.closed is not None and word in words and row.pause.at in self.program.nodes:
                    yield cursor, row.pause, row.decided, word

    def code_taken(self) -> dict[str, str]:
        """For each answer in which the run stands, by its question, what the word leads to in this program, names of functions included."""
        return {question.pause_id: self.code_of(question, word) for _, question, _, word in self.agreed()}

    def code_of(self, question: Pause, word: str) -> str:
        """The hash of what a word leads to in this program, in hex; "" where it has no such word."""
        return slices_of(self.program, question.at, question.kind).get(word, b"").hex()

    def taken_since(self, question: Pause) -> Detail | None:
        """The row in which a person has last taken the run over since a question was answered: then other code was agreed to, that of the row."""
        rows = self.db.journal(self.record.identity.run_id, 0, self.record.seq)
        here = [row for row in rows if (row.at, row.turn) == (question.at, question.turn) and row.source == PHASES[question.kind]]
        applied = max((row.seq for row in here if row.trigger in ANSWERING), default=0)
        taken = [said for row in rows if row.seq > applied and (said := detail_of(row.body.detail)).adopted_by]
        return taken[-1] if taken else None

    def applied(self) -> list[Entry]:
        """The rows that applied an answer of a person, or a silence, to the run; but for answers that lapse with the questions beside them (ASK-8)."""
        rows = self.db.journal(self.record.identity.run_id, 0, self.record.seq)
        said = [row for row in rows if row.machine != RUN.name and row.trigger in ANSWERING]
        own = {(cursor.at, cursor.turn) for cursor in self.record.state.cursors if cursor.phase == w.awaiting_answer}
        return [row for row in said if row.source != w.awaiting_answer or (row.at, row.turn) not in own]


def agreed(said: Decided | None) -> str:
    """To what a person, or a silence, agreed, in words."""
    if said is None:
        return "which a silence approved"
    return f"to which {quoted(said.by) if said.by else 'a person'} said {said.word}"


def let_begin(program: Program, row: Entry) -> frozenset[str]:
    """The addresses to which an applied answer led, up to the next certain question; none where its question is no longer defined."""
    kind = ASK_OF.get((row.machine, row.source))
    if kind is None or row.at not in program.nodes or program.nodes[row.at].machine != row.machine:
        return frozenset()
    word = WORD_OF[kind].get(row.trigger, row.trigger)
    found = slices(program, row.at, kind).get(word)
    return frozenset() if found is None else frozenset(each.at for each in found.components)


def told(program: Program, row: Entry) -> str:
    """An applied answer in words: who said what to which component."""
    name = program.nodes[row.at].name if row.at in program.nodes else row.at
    if row.trigger == w.expire:
        return f"the silence at {name!r} was applied"
    word = WORD_OF.get(ASK_OF.get((row.machine, row.source), ""), {}).get(row.trigger, row.trigger)
    person = quoted(who) if (who := detail_of(row.body.detail).by) else "a person"
    return f"{person} said {word} to {name!r}"


def words_of(old: Program, new: Program, ask: OpenQuestion) -> list[str]:
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
