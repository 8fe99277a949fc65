"""The documents of the API. A field is always there; what is unknown or does not apply is None, and a list is never None (API-2).

Names that end in `_at` are instants: RFC 3339, UTC, six digits, `Z`. Names that end in `_seconds` are lengths of time. Fields are only ever
added: a reader ignores what it does not know.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from attrs import frozen

Instant: TypeAlias = str
"""An instant: `2026-11-30T10:02:11.123456Z`."""
QuestionId: TypeAlias = str
"""`q_` and 26 characters of `[a-z2-7]`."""
Digest: TypeAlias = str
"""`sha256:` and 64 hexadecimal digits."""


@frozen(kw_only=True)
class SentenceDocument:
    """A sentence for people: `text` in their language, `code` and `args` for other languages and for programs. No program parses `text`."""

    text: str
    code: str
    args: Mapping[str, Any]


@frozen(kw_only=True)
class ErasureDocument:
    """When a value was erased, and by whom; None where the store does not tell."""

    at: Instant | None
    by: str | None


@frozen(kw_only=True)
class ValueDocument:
    """A value of a user. `plain` is for people and forms, `typed` the tagged form of the store, which comes on demand.

    `bytes` is the size of what `href` gives. A value above 64 kB is cut: `plain` and `typed` are None, and `href` gives the whole. Of an erased
    or secret value all three are None. `digest` is the store's commitment, where it tells it.
    """

    media_type: str
    plain: Any
    typed: Any
    bytes: int
    digest: Digest | None
    cut: bool
    href: str | None
    erased: ErasureDocument | None
    secret: bool


@frozen(kw_only=True)
class ByDocument:
    """A person, and how the person was authenticated; `via` is None where that was not stored."""

    name: str | None
    via: str | None


@frozen(kw_only=True)
class VotesDocument:
    """How many confirmations a question needs, how many it has, and what is still needed, in words."""

    needed: int
    confirmed: int
    says: SentenceDocument


@frozen(kw_only=True)
class ItemDocument:
    """A question in a list. `place` is the pause id of the library; `state` is open, expired, decided, superseded or withdrawn."""

    question_id: QuestionId
    run_id: str
    place: str
    workflow: str
    step: str
    kind: str
    state: str
    title: str
    asked_at: Instant
    due_at: Instant | None
    requester: str | None
    mine: bool
    votes: VotesDocument | None
    href: str


@frozen(kw_only=True)
class TakesDocument:
    """The data that an answer has besides its word: `comment` is `optional` or `required`; `value` says what the value is, None for none."""

    comment: str
    value: str | None


@frozen(kw_only=True)
class AnswerDocument:
    """A word that may be answered, where it leads, and whether this person may answer it now."""

    word: str
    leads_to: SentenceDocument
    takes: TakesDocument
    open_to_you: bool
    why_not: SentenceDocument | None


@frozen(kw_only=True)
class OtherwiseDocument:
    """The consequence of giving no answer before the deadline."""

    at: Instant
    word: str
    leads_to: SentenceDocument


@frozen(kw_only=True)
class WideningDocument:
    """From when on others may decide, too."""

    at: Instant
    of: Sequence[str]


@frozen(kw_only=True)
class RuleDocument:
    """The rule of a question: the persons and roles that decide."""

    text: str
    needed: int
    of: Sequence[str]
    also: Sequence[str]
    exclude: Sequence[str]
    widens: Sequence[WideningDocument]


@frozen(kw_only=True)
class VoteDocument:
    """A vote, whether it counts, and why it lapsed."""

    by: ByDocument
    word: str
    at: Instant
    comment: str | None
    counts: bool
    lapsed: SentenceDocument | None


@frozen(kw_only=True)
class DecisionDocument:
    """The one decision of a question."""

    question_id: QuestionId
    word: str
    by: ByDocument
    at: Instant
    comment: str | None
    value: ValueDocument | None
    seen: Digest | None


@frozen(kw_only=True)
class ShownDocument:
    """A value that is shown with a question: `input` of the run, or `output_of` a step."""

    name: str
    step: str | None
    value: ValueDocument


@frozen(kw_only=True)
class PositionDocument:
    """A component on the way of a run: done, skipped, failed, here, running or ahead; `at` is when it was over."""

    address: str
    name: str
    state: str
    at: Instant | None


@frozen(kw_only=True)
class FailureDocument:
    """A failure: its type, its text, the user's own frame, and how often the step was called."""

    type: str
    text: str
    frame: str | None
    tries: int
    traceback_href: str | None


@frozen(kw_only=True)
class ReviewDocument:
    """An output under review: which attempt it is, of how many, the output before it, and the feedback that led to it."""

    attempt: int
    of: int
    output: ValueDocument | None
    previous: ValueDocument | None
    feedback: str | None


@frozen(kw_only=True)
class ToolCallDocument:
    """A tool call of an agent that waits for a decision."""

    agent: str
    name: str
    arguments: ValueDocument
    schema: Mapping[str, Any] | None
    words: str | None


@frozen(kw_only=True)
class QuestionDocument(ItemDocument):
    """A question, open or not. `seen` is sent back with the decision; `form` is a JSON Schema (2020-12) of the value."""

    seen: Digest | None
    message: str | None
    lang: str | None
    shown: Sequence[ShownDocument]
    form: Mapping[str, Any] | None
    answers: Sequence[AnswerDocument]
    otherwise: OtherwiseDocument | None
    rule: RuleDocument | None
    votes_cast: Sequence[VoteDocument]
    decision: DecisionDocument | None
    superseded_by: QuestionId | None
    position: Sequence[PositionDocument]
    tool_call: ToolCallDocument | None
    error: FailureDocument | None
    review: ReviewDocument | None


@frozen(kw_only=True)
class CountDocument:
    """How many there are: exactly, or at least so many."""

    exact: int | None
    at_least: int | None


@frozen(kw_only=True)
class QuestionsDocument:
    """A page of questions."""

    items: Sequence[ItemDocument]
    count: CountDocument
    next: str | None


@frozen(kw_only=True)
class RunItemDocument:
    """A run in a list."""

    run_id: str
    workflow: str
    status: str
    requester: str | None
    session_id: str
    started_at: Instant
    ended_at: Instant | None
    href: str


@frozen(kw_only=True)
class RunsDocument:
    """A page of runs."""

    items: Sequence[RunItemDocument]
    count: CountDocument
    next: str | None


@frozen(kw_only=True)
class RunStepDocument:
    """The outcome of a component in one turn; `attempt` counts from 1, `turn` counts the iterations around it from 0."""

    address: str
    name: str
    kind: str
    state: str
    turn: Sequence[int]
    attempt: int
    started_at: Instant
    ended_at: Instant | None
    waited_seconds: float
    worked_seconds: float
    output: ValueDocument | None
    reason: SentenceDocument | None


@frozen(kw_only=True)
class LinksDocument:
    """The addresses of what belongs to a run, relative to the API's own."""

    journal: str
    audit: str | None
    picture: str


@frozen(kw_only=True)
class RunDocument:
    """A run as it stands. `taken_up_at` is when a worker last applied an answer, `waits_since` since when the oldest open question is put."""

    run_id: str
    workflow: str
    version: int | None
    status: str
    requester: str | None
    session_id: str
    started_at: Instant
    ended_at: Instant | None
    taken_up_at: Instant | None
    waits_since: Instant | None
    input: ValueDocument
    output: ValueDocument | None
    error: FailureDocument | None
    reason: SentenceDocument | None
    open_questions: Sequence[QuestionId]
    steps: Sequence[RunStepDocument]
    decisions: Sequence[DecisionDocument]
    head: Digest
    links: LinksDocument


@frozen(kw_only=True)
class StoredDocument:
    """A decision that is stored, what the votes say now (`needs_more`, `satisfied`, `refused`), and the question after it."""

    decision: DecisionDocument
    votes_say: str
    question: QuestionDocument


@frozen(kw_only=True)
class CancelledDocument:
    """Whether a run is cancelled or will be, and the run; False where it had ended already."""

    cancelled: bool
    run: RunDocument


@frozen(kw_only=True)
class MoveDocument:
    """One row of a run's journal, without its values: a component's move from a state to another."""

    number: int
    address: str
    turn: Sequence[int]
    attempt: int
    source: str
    trigger: str
    dest: str
    at: Instant


@frozen(kw_only=True)
class JournalDocument:
    """A page of a run's journal."""

    items: Sequence[MoveDocument]
    count: CountDocument
    next: str | None
