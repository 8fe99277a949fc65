"""A question to a person, as the user sees it. A requirement records a decision and changes nothing: `continue_run` takes it from there."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from attrs import Factory, asdict, define, field, fields

from statecore.asking.outcomes import Outcome, outcomes
from statecore.asking.questions import again_line
from statecore.codec import decode_plain
from statecore.definition import UserInputField
from statecore.definition.forms import checked
from statecore.definition.schemas import json_schema
from statecore.errors import InvalidInput, UnknownDecision
from statecore.lifecycles import DECISION_WORDS, SHOWS, DecisionWord, exhaustive
from statecore.lifecycles.decisions import ANSWER, CONFIRM, EDIT, INPUT, PROVIDE, REJECT, RETRY, SELECT, SKIP
from statecore.runtime.answers import chosen_names, plain_words
from statecore.runtime.verdicts import meant
from statecore.stores.detail import NO_PAUSE_DETAIL, pause_detail
from statecore.stores.rules import check_texts, clock_text, words_of

from .kinds import Kinds
from .place import Place
from .posted import ANSWERED, agent_told, answered, said_of, take_posted
from .voted import Authority, authority, is_told

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from statecore.definition import StepInput, StepOutput
    from statecore.stores import Waiting


@define(kw_only=True)
class _Shared(Authority):
    """The attributes of both kinds of requirement. `words` answer it; `decision` is the one that was chosen, None while none is.

    `seen` is the digest of the question as it was shown; `shown()` is it in any case. `put_again` says why it is put again (GATE-7a).
    """

    run_id: str
    pause_id: str
    kind: str
    step_name: str
    step_id: str
    step_type: str
    step_index: int
    address: str
    created_at: str | None = None
    words: tuple[str, ...] = field(default=Factory(lambda self: plain_words(self.kind), takes_self=True), converter=tuple)
    decision: str | None = None
    value: Any = None
    comment: str | None = None
    by: str | None = None
    decided_at: str | None = None
    timeout_at: datetime | None = None
    on_timeout: str | None = None
    seen: str | None = field(default=None, eq=False)
    put_again: str | None = None
    _place: Place | None = field(default=None, repr=False, eq=False)
    _told: Mapping[str, Any] = field(factory=dict, repr=False, eq=False)

    @property
    def is_resolved(self) -> bool:
        """Whether a decision is recorded."""
        return self.decision is not None

    @property
    def is_timed_out(self) -> bool:
        """Whether the deadline is over and nothing is decided."""
        clock = self._place.clock if self._place is not None else None
        now = datetime.now(UTC) if clock is None else datetime.fromtimestamp(clock() / 1_000_000, UTC)
        return self.timeout_at is not None and not self.is_resolved and now >= self.timeout_at

    @property
    def step_input(self) -> StepInput | None:
        """The input with which the step was, or will be, called; None on a requirement read from plain data."""
        return self._place.read_input() if self._place is not None and self._place.read_input is not None else None

    @property
    def ends_workflow(self) -> bool:
        """Whether the step under review said stop, so that its workflow ends with it (RUN-3)."""
        return self._place is not None and self._place.stopping

    @property
    def outcomes(self) -> list[Outcome]:
        """The words that answer this question, with consequences: `leads_to` is the sentence; `consequence.code`, `.components`, `.then` are data.

        The list is empty on a requirement read from plain data.
        """
        program = self._place.program if self._place is not None else None
        return outcomes(program, self) if program is not None else []

    @property
    def about(self) -> dict[str, Any] | None:
        """All that the person decides about, whole, as plain data (GATE-12); None where the question is over.

        `run_input`, `requested_by` (the user of the run), `previous_step_content`, and `output` where one is under review.
        `unreadable` says why, in place of values that are damaged in their store, or that it cannot read now.
        """
        if self._place is None or self._place.read_about is None:
            return self._told.get("about")
        return self._place.read_about()

    def decide(self, decision: str, value: Any = None, *, by: str | None = None, comment: str | None = None) -> None:
        """Record a decision by its word. Raises `UnknownDecision` for a word that does not answer this kind of question."""
        if decision not in self.words:
            raise UnknownDecision(self.pause_id, self.kind, decision, self.words)
        check_texts("A decision", by=by, comment=comment)
        self.decision, self.value, self.by, self.comment = decision, value, by, comment

    def shown(self, canonical: str | None = None) -> str | None:
        """The digest of the question as it was shown, for `decide(..., seen=)`; None where it is unknown, or shown under this very form."""
        place = self._place
        if self.seen is not None or place is None or place.read_seen is None:
            return self.seen
        return None if place.program is not None and place.program.canonical == canonical else place.read_seen()

    def _is(self, said: DecisionWord) -> bool:
        return self.decision == said.word

    def to_dict(self) -> dict[str, Any]:
        """Plain data; `from_dict` reads it. `outcomes` has the sentence of each word."""
        plain = asdict(self, filter=lambda each, _: is_told(self, each.name)) | {"seen": self.shown()}
        plain["timeout_at"] = self.timeout_at.isoformat() if self.timeout_at is not None else None
        leads_to = {each.word: each.leads_to for each in self.outcomes}
        plain["about"], plain["outcomes"] = self.about, leads_to or self._told.get("outcomes", {})
        return plain

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Any:
        """A requirement from plain data; only its decision is ever used, everything else comes from the store."""
        known = {attribute.name for attribute in fields(cls) if attribute.init and not attribute.name.startswith("_")}
        given = {name: value for name, value in plain.items() if name in known}
        if given.get("timeout_at") is not None:
            given["timeout_at"] = datetime.fromisoformat(given["timeout_at"])
        if given.get("user_input_schema") is not None:
            given["user_input_schema"] = [UserInputField(**each) for each in given["user_input_schema"]]
        return cls(**given, told={name: plain[name] for name in ("about", "outcomes") if plain.get(name) is not None})


@define(kw_only=True)
class StepRequirement(_Shared, Kinds):
    """A requirement is a question about a component; its `kind` determines the methods that answer it.

    confirmation: `confirm`, `reject`. user_input: `set_user_input`, `reject`. route: `select`, `reject`. output_review: `confirm`, `edit`,
    `reject`. iteration_review: `confirm`, `reject`. question, put by the code of a step: `answer`, `reject`; `question` is its sentence, `wants`
    the kind of answer, `key` its key, `options` its choices, `user_input_schema` its form. One of the kind `tool_call` is about a call of an
    agent, `tool_name` with `tool_args`: `confirm`, `reject` with words for the agent, and `edit` with other arguments.
    The last call before the run continues counts.

    Example: `statecore.examples.output_review`.
    """

    confirmation_message: str | None = None
    user_input_message: str | None = None
    user_input_schema: list[UserInputField] | None = None
    output_review_message: str | None = None
    question: str | None = None
    wants: str | None = None
    key: str | None = None
    options: list[Any] = field(factory=list)
    call: dict[str, Any] | None = None
    available_choices: list[str] = field(factory=list)
    allow_multiple_selections: bool = False
    on_reject: str | None = None
    retry_count: int = 0
    max_retries: int = 0

    # -- what was answered -------------------------------------------------------------------------------------------------------

    @property
    def confirmed(self) -> bool | None:
        """True after a confirmation, False after a rejection, None before a decision."""
        if self.wants == "tool_call":
            return bool(self.value["approved"]) if isinstance(self.value, dict) else None
        return None if self.decision is None else not self._is(REJECT)

    @property
    def user_input(self) -> dict[str, Any] | None:
        """The values that were given."""
        return dict(self.value) if self.decision == INPUT.word and isinstance(self.value, dict) else None

    @property
    def selected_choices(self) -> list[str] | None:
        """The choices that were made."""
        return list(self.value) if self._is(SELECT) else None

    @property
    def rejection_feedback(self) -> str | None:
        """The feedback of a rejection."""
        return said_of(self.value, "words") if self.wants == "tool_call" else self.value if self._is(REJECT) else None

    @property
    def edited_output(self) -> Any:
        """The output that replaces the reviewed one."""
        return self.value if self._is(EDIT) else None

    @property
    def step_output(self) -> StepOutput | None:
        """The output under review; None where there is none. Raises `UnreadableValue` for a type that this process does not know."""
        return self._place.read_output() if self._place is not None and self._place.read_output is not None else None

    def shown_output(self) -> StepOutput | None:
        """The output under review for people: a value of a type that this process does not know is its plain data (VALUE-2)."""
        return self._place.show_output() if self._place is not None and self._place.show_output is not None else None

    def to_dict(self) -> dict[str, Any]:
        """Plain data, with what was answered; `from_dict` reads it."""
        return _Shared.to_dict(self) | {name: getattr(self, name) for name in ANSWERED} | agent_told(self)

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Any:
        """A requirement from plain data; an answer under a name that `to_dict` writes is the decision. Raises `InvalidInput` for two of them."""
        asked: StepRequirement = super().from_dict(plain)
        take_posted(asked, plain)
        return asked

    def decide(self, decision: str, value: Any = None, *, by: str | None = None, comment: str | None = None) -> None:
        """Record a decision by its word. Raises `UnknownDecision`, and `InvalidInput` for a verdict on a tool call that does not fit."""
        word, said = meant(decision, value) if self.wants == "tool_call" else (decision, value)
        if self.wants == "tool_call" and word == ANSWER.word:
            said = answered(self, said)
        _Shared.decide(self, word, said, by=by, comment=comment)

    def confirm(self, *, by: str | None = None, comment: str | None = None) -> None:
        """Record a confirmation: the component runs, the output is kept, or the result of the iteration is accepted."""
        self.decide(CONFIRM.word, by=by, comment=comment)

    def reject(self, feedback: str | None = None, *, by: str | None = None, comment: str | None = None) -> None:
        """Record a rejection, with the feedback of the person."""
        self.decide(REJECT.word, feedback, by=by, comment=comment)

    def answer(self, value: Any, *, by: str | None = None, comment: str | None = None) -> None:
        """Record the answer to a question of a step's code. Raises `InvalidInput` at once for a value that does not fit."""
        self.decide(ANSWER.word, answered(self, value) if self.requires_answer else value, by=by, comment=comment)

    def edit(self, output: Any, *, by: str | None = None, comment: str | None = None) -> None:
        """Record another output in place of the one under review, or, before a step with `allow_edit`, another input; None and "" are values."""
        self.decide(EDIT.word, output, by=by, comment=comment)

    def set_user_input(
        self, values: Mapping[str, Any] | None = None, /, *, by: str | None = None, comment: str | None = None, **named: Any
    ) -> None:
        """Record the values of the form, by name or as one mapping; a later call adds to them.

        A keyword `by` or `comment` is the value of the form's field of that name where it has one, unless the values come as a mapping.
        Raises `InvalidInput` at once for a wrong value and for a required one that is left out.
        """
        asked = {each.name for each in self.user_input_schema or ()} if values is None else set()
        if "by" in asked and by is not None:
            named["by"], by = by, None
        if "comment" in asked and comment is not None:
            named["comment"], comment = comment, None
        given = {**(self.user_input or {}), **checked(self.step_name, None, values or {}), **named}
        self.decide(INPUT.word, checked(self.step_name, self.user_input_schema, given), by=by, comment=comment)

    @property
    def json_schema(self) -> dict[str, Any] | None:
        """The JSON Schema of the values that are asked for; None where there is no form, or one without fields."""
        return json_schema(self.user_input_schema) if self.user_input_schema is not None else None

    def get_user_input(self, name: str) -> Any:
        """One of the values that were given."""
        return (self.user_input or {}).get(name)

    def select(self, *choices: str, by: str | None = None, comment: str | None = None) -> None:
        """Record the choices, in the order in which they are to run. Raises `InvalidInput` for an unknown or empty selection."""
        names = chosen_names(self.step_name, choices, self.available_choices, multiple=self.allow_multiple_selections)
        self.decide(SELECT.word, names, by=by, comment=comment)

    def select_single(self, choice: str, *, by: str | None = None, comment: str | None = None) -> None:
        """Record one choice."""
        self.select(choice, by=by, comment=comment)

    def select_multiple(self, choices: Sequence[str], *, by: str | None = None, comment: str | None = None) -> None:
        """Record several choices. Raises `InvalidInput` where only one is asked for."""
        if not self.allow_multiple_selections:
            raise InvalidInput(self.step_name, ["one choice is asked for; allow_multiple_selections is not set"])
        self.select(*choices, by=by, comment=comment)


@define(kw_only=True)
class ErrorRequirement(_Shared):
    """A step failed, or its process died in it: call `retry()` or `skip()`; the last call before the run continues counts.

    `error_message` is `str(exception)` and `error_type` its class; `retry_count` counts the retries a person has ordered so far.

    Example: `statecore.examples.error_pause`.
    """

    error_message: str
    error_type: str
    retry_count: int

    @property
    def needs_decision(self) -> bool:
        """Whether a decision is still owed."""
        return not self.is_resolved

    @property
    def traceback(self) -> str | None:
        """The bounded traceback of the failure, with its causes, notes and members; `>` marks the frames of the user's own code.

        It is read from the journal when asked for. None where the failure has none, and on a requirement read from plain data.
        """
        return self._place.read_traceback() if self._place is not None and self._place.read_traceback is not None else None

    @property
    def should_retry(self) -> bool:
        """Whether it was decided to run the step again."""
        return self._is(RETRY)

    @property
    def should_skip(self) -> bool:
        """Whether it was decided to skip the step."""
        return self._is(SKIP)

    def retry(self, *, by: str | None = None, comment: str | None = None) -> None:
        """Record that the step is to run again, with the same input."""
        self.decide(RETRY.word, by=by, comment=comment)

    def edit(self, value: Any, *, by: str | None = None, comment: str | None = None) -> None:
        """Record that a step with `allow_edit` is to run again, with this value as its previous content."""
        self.decide(EDIT.word, value, by=by, comment=comment)

    def provide(self, output: Any, *, by: str | None = None, comment: str | None = None) -> None:
        """Record the output of the step: it counts as completed, and nothing of it runs. None and "" are values."""
        self.decide(PROVIDE.word, output, by=by, comment=comment)

    def skip(self, *, by: str | None = None, comment: str | None = None) -> None:
        """Record that the step is to be skipped."""
        self.decide(SKIP.word, by=by, comment=comment)


Requirement = StepRequirement | ErrorRequirement

MESSAGES = {
    "nothing": "confirmation_message",
    "form": "user_input_message",
    "choices": "user_input_message",
    "output": "output_review_message",
    "question": "question",
}
"""The attribute that has the message of a question, by what it shows; an error is told by itself."""
exhaustive("output.requirement.MESSAGES", MESSAGES, set(SHOWS.values()) - {"error"})
exhaustive(
    "output.requirement",
    (each.word for each in DECISION_WORDS if hasattr(StepRequirement, each.verb) or hasattr(ErrorRequirement, each.verb)),
    (each.word for each in DECISION_WORDS),
)


def requirement_of(waiting: Waiting, place: Place) -> Requirement:
    """The requirement that a row of the inbox stands for."""
    pause, decided = waiting.pause, waiting.decided
    said = pause_detail(pause.detail) if pause.detail else NO_PAUSE_DETAIL
    shared: dict[str, Any] = {
        "run_id": pause.run_id,
        "pause_id": pause.pause_id,
        "kind": pause.kind,
        "step_name": pause.step_name,
        "step_id": place.step_id,
        "step_type": place.step_type,
        "step_index": place.index,
        "address": pause.at,
        "created_at": clock_text(pause.opened),
        "timeout_at": datetime.fromtimestamp(pause.deadline / 1_000_000, UTC) if pause.deadline is not None else None,
        "on_timeout": pause.on_timeout if pause.deadline is not None else None,
        "retry_count": said.retry_count or 0,
        "words": words_of(pause),
        "put_again": again_line(said.again) if said.again is not None else None,
        "place": place,
    }
    if pause.rule is not None:
        shared |= authority(waiting, place.clock)
    if decided is not None:
        shared |= {
            "decision": decided.word,
            "value": decode_plain(decided.value) if decided.value is not None else None,
            "comment": decided.comment,
            "by": decided.by,
            "decided_at": clock_text(decided.time),
        }
    if SHOWS[pause.kind] == "error":
        return ErrorRequirement(**shared, error_message=said.error or "", error_type=said.error_type or "")
    return StepRequirement(
        **{**shared, MESSAGES[SHOWS[pause.kind]]: pause.message},
        on_reject=place.on_reject,
        user_input_schema=[UserInputField(**each) for each in said.schema] if said.schema is not None else None,
        available_choices=list(said.choices or ()),
        options=list(said.options or ()),
        wants=said.wants,
        key=said.key,
        call=None if said.call is None else dict(said.call),
        allow_multiple_selections=said.multiple or False,
        max_retries=said.max_retries or 0,
    )
