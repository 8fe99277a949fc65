"""The details of a journal row and of a question, beside their columns: typed records, and the one way to their stored JSON text and back.

Stores keep the text and never read it. A name that this release does not know, or whose value it does not expect, is kept in `more` and
written back, so that nothing that another release stored is lost.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from json import dumps, loads
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from statecore.codec import decode, encode
from statecore.errors import UnreadableValue
from statecore.lifecycles import SHOWS
from statecore.lifecycles.decisions import ANSWER

if TYPE_CHECKING:
    from typing import Protocol

    from statecore.core.state import Death

    class Asked(Protocol):
        """A question as it is stored: its kind and its details."""

        @property
        def kind(self) -> str:
            """The kind."""

        @property
        def detail(self) -> str:
            """The details, as text."""


Rows: TypeAlias = "int | dict[str, Rows] | None"
"""The journal rows of a value: one, for a Parallel one for each branch, None for no value."""

NONE: Mapping[str, Any] = MappingProxyType({})
HANDS_ON, SHORT = '{"of": ', 32
"""How most rows begin that say anything, and how long a text may be that is remembered: runs of one workflow say the same."""
VERDICT_WORDS = (ANSWER.word,)
"""The words that a question about a tool call takes: a no is an answer there (TOOL-3)."""
MAX_QUESTION = 1 << 30
"""A form and the names of choices are the definition's: no longer than it, and no value whose size a user limits."""


class Detail(NamedTuple):
    """The particulars of a journal row.

    `by` and `comment` are a person's; `error`, `error_type` and `retry_count` are those of a failure, `where` is the user's frame nearest to
    it and `traceback` its bounded traceback; `success` is False for a step that failed and said stop. `choices` are what a selector chose,
    `of` the rows whose values are handed on, `definition` the fingerprint that the run follows from here on, `adopted_by` the person who took
    the run over for it in spite of what speaks against it, and `code` what the answers in which the run stood lead to in it, as a hash for
    each question, names of functions included. `session` is a change of the session state that waits for the review of the output.
    `death` says of an interruption that the process died in the call, and whether others were in flight beside it. `lapsed` says of a
    question that is put again why, and the answer that lapses with it: `why`, `word`, `by`, `comment`. `late` says what came too late of a
    call that was given up, `left` is the process in which such a call goes on though its run was cancelled. `traceparent` is the trace of the
    slice whose first row this is; a run that no program traces has none.
    `number` says which question of a step's code a row is about, or how many are asked; `questions` are those that are asked, as an encoded
    list (`definition.questions`).
    """

    success: bool = True
    error: str | None = None
    error_type: str | None = None
    retry_count: int | None = None
    by: str | None = None
    comment: str | None = None
    choices: tuple[str, ...] = ()
    of: Rows = None
    definition: str | None = None
    media: str | None = None
    adopted_by: str | None = None
    where: str | None = None
    traceback: str | None = None
    session: str | None = None
    death: Death | None = None
    lapsed: Mapping[str, Any] | None = None
    late: str | None = None
    left: str | None = None
    traceparent: str | None = None
    number: int | None = None
    questions: str | None = None
    code: Mapping[str, str] | None = None
    more: Mapping[str, Any] = NONE

    @property
    def tells_error(self) -> bool:
        """Whether the row tells of an error, known by name or not."""
        return self.error is not None or not self.success or "error" in self.more

    def plain(self) -> dict[str, Any]:
        """The names that say something, in the order in which they are stored."""
        said: dict[str, Any] = {}
        if not self.success:
            said |= {"success": False, "error": self.error}
        for name, value in zip(ROW_NAMES, self[1:-1], strict=True):
            if value is not None and value != ():
                said[name] = list(value) if type(value) is tuple else value
        said.update(self.more)
        return said


class PauseDetail(NamedTuple):
    """The particulars of a question, as a person is shown them.

    `error`, `error_type` and `retry_count` are those of a failure; `schema` is the form of an input, as plain fields; `choices` and `multiple`
    are a route's; `retry_count` and `max_retries` count the rejections of an output, `iteration` and `max_iterations` those of a loop.
    `again` is to a question that is put again what `Detail.lapsed` is to its row. A question of a step's code has `wants`, the kind of answer
    that it takes, its `key`, and its `options`, which are any values; a tool call has its `call`, plain data. `words` are those that it
    offers besides what its kind does.
    """

    error: str | None = None
    error_type: str | None = None
    schema: tuple[Mapping[str, Any], ...] | None = None
    choices: tuple[str, ...] | None = None
    multiple: bool | None = None
    retry_count: int | None = None
    max_retries: int | None = None
    iteration: int | None = None
    max_iterations: int | None = None
    again: Mapping[str, Any] | None = None
    wants: str | None = None
    key: str | None = None
    options: tuple[Any, ...] | None = None
    words: tuple[str, ...] | None = None
    call: Mapping[str, Any] | None = None
    more: Mapping[str, Any] = NONE

    def plain(self) -> dict[str, Any]:
        """The names that say something, in the order in which they are stored."""
        said: dict[str, Any] = {}
        for name in PAUSE_NAMES:
            value = getattr(self, name)
            if value is not None:
                said[name] = list(value) if type(value) is tuple else value
        return {**said, **self.more}


Reader: TypeAlias = Callable[[Any], bool]


def is_text(value: Any) -> bool:
    """Whether a value is a text."""
    return type(value) is str


def is_number(value: Any) -> bool:
    """Whether a value is a whole number."""
    return type(value) is int


def is_flag(value: Any) -> bool:
    """Whether a value is True or False."""
    return type(value) is bool


def is_rows(value: Any) -> bool:
    """Whether a value says which rows are handed on."""
    return type(value) is int or type(value) is dict


def is_told(value: Any) -> bool:
    """Whether a value is an object of texts."""
    return type(value) is dict and all(type(each) is str for each in value.values())


def is_names(value: Any) -> bool:
    """Whether a value is a list of texts."""
    return type(value) is list and all(type(name) is str for name in value)


def is_form(value: Any) -> bool:
    """Whether a value is a list of fields."""
    return type(value) is list and all(type(each) is dict for each in value)


ROW_NAMES: dict[str, Reader] = {
    "error": is_text,
    "error_type": is_text,
    "retry_count": is_number,
    "by": is_text,
    "comment": is_text,
    "choices": lambda value: is_names(value) and value != [],
    "of": is_rows,
    "definition": is_text,
    "media": is_text,
    "adopted_by": is_text,
    "where": is_text,
    "traceback": is_text,
    "session": is_text,
    "death": lambda value: value in ("alone", "beside"),
    "lapsed": is_told,
    "late": is_text,
    "left": is_text,
    "traceparent": is_text,
    "number": is_number,
    "questions": is_text,
    "code": is_told,
}
PAUSE_NAMES: dict[str, Reader] = {
    "error": is_text,
    "error_type": is_text,
    "schema": is_form,
    "choices": is_names,
    "multiple": is_flag,
    "retry_count": is_number,
    "max_retries": is_number,
    "iteration": is_number,
    "max_iterations": is_number,
    "again": is_told,
    "wants": is_text,
    "key": is_text,
    "options": lambda value: type(value) is list,
    "words": is_names,
    "call": lambda value: type(value) is dict,
}
NO_DETAIL, NO_PAUSE_DETAIL = Detail(), PauseDetail()


def name_of(at: str) -> str:
    """The name at the end of an address."""
    return at.rpartition("/")[2].replace("~1", "/").replace("~0", "~")


# -- rows --------------------------------------------------------------------------------------------------------------------------


def detail_text(detail: Detail) -> str:
    """The stored text of a row's particulars: "" where there are none. Raises `TypeError` for a value that JSON has not."""
    said = detail.plain()
    return dumps(said) if said else ""


def detail_of(text: str) -> Detail:
    """The particulars that a row's text stands for."""
    if not text:
        return NO_DETAIL
    return read_before(text) if len(text) <= SHORT and text.startswith(HANDS_ON) else read(text)


def read(text: str) -> Detail:
    """The particulars of a text, read anew."""
    known, more = sorted_out(loads(text), ROW_NAMES)
    if more and more.get("success") is False and ("error" in known or "error" in more):
        # a step that says stop may give any error of itself, or none
        known["success"] = more.pop("success")
        known.setdefault("error", more.pop("error", None))
    return Detail(**known, more=more)


@lru_cache(maxsize=1_024)
def read_before(text: str) -> Detail:
    """The same, remembered."""
    return read(text)


@lru_cache(maxsize=1_024)
def of_text(row: int) -> str:
    """The text of a row that says no more than which row it hands on: each run of a workflow says the same numbers."""
    return detail_text(Detail(of=row))


@lru_cache(maxsize=256)
def definition_text(fingerprint: str) -> str:
    """The text of a row that says no more than which definition its run follows: the first row of each run."""
    return detail_text(Detail(definition=fingerprint))


# -- questions ---------------------------------------------------------------------------------------------------------------------


def pause_text(detail: PauseDetail) -> str:
    """The stored text of a question's particulars: "" where there are none. Raises `UnstorableValue` for a form that cannot be stored."""
    said = detail.plain()
    return encode(said, limit=MAX_QUESTION) if said else ""


def pause_detail(text: str) -> PauseDetail:
    """The particulars that a question's text stands for."""
    if not text:
        return NO_PAUSE_DETAIL
    said = decode(text)
    if not isinstance(said, dict):
        why = "the particulars of a question are no object"
        raise UnreadableValue(why)
    known, more = sorted_out(said, PAUSE_NAMES)
    return PauseDetail(**known, more=more)


def sorted_out(said: dict[str, Any], names: Mapping[str, Reader]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The known names with a value of their kind, and the others as they were."""
    known, more = {}, {}
    for name, value in said.items():
        fits = names.get(name)
        if fits is None or not fits(value):
            more[name] = value
        else:
            known[name] = tuple(value) if type(value) is list else value
    return known, more


def is_tool_call(pause: Asked) -> bool:
    """Whether a question is about a tool call of an agent: a no is an answer to it, and not a rejection of its step (TOOL-3)."""
    try:
        return SHOWS.get(pause.kind) == "question" and pause_detail(pause.detail).wants == "tool_call"
    except UnreadableValue:  # the store takes any text
        return False
