"""`HumanReview`: the questions about a component, and what follows from their answers.

Settings may be written flat (`Step(..., requires_confirmation=True)`), as `human_review=HumanReview(...)`, or with `@pause` on the
step's function; all mean the same. `SUPPORTED` says which component honours which setting; every other pair is refused by name, and so
is a setting without its companion (`needs`): nothing is accepted and ignored.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from inspect import isasyncgenfunction, iscoroutinefunction
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypedDict, TypeVar, overload

from attrs import evolve, field, fields, frozen

from statecore.errors import ConflictingSettings, DefinitionError, UnsupportedSetting, described, quoted, suggest

from .alone import ByItself
from .approval import Approval, as_approval
from .calling import is_count, is_whole, taken
from .fields import OnError, OnReject, OnTimeout, plain_value
from .forms import Form, UserInputField
from .schemas import as_form

if TYPE_CHECKING:
    from enum import Enum
    from typing import Unpack

    from .outputs import StepOutput

Judge: TypeAlias = bool | Callable[["StepOutput"], Any]
"""True, or a predicate that says of an output whether a person has to see it."""
FormCheck: TypeAlias = Callable[[Any], str | bool | None]
"""A rule about the values of a form as a whole: None or True where they fit together, else the reason, or False."""
LONGEST = 1e11
"""More seconds than any deadline has; beyond it calendars end."""
GATE = ("requires_confirmation", "confirmation_message", "on_reject", "on_error", "timeout", "on_timeout", "dangerous", "approval")
INPUT = ("requires_user_input", "user_input_message")
REVIEW = ("requires_output_review", "output_review_message", "max_retries")
ITERATION = ("requires_iteration_review", "iteration_review_message")
NESTED = "Step(workflow)"
"""A Step that runs a workflow, as messages call it."""
SUPPORTED: dict[str, tuple[str, ...]] = {
    "Step": (*GATE, "allow_edit", *INPUT, "user_input_schema", "user_input_check", *REVIEW),
    NESTED: GATE,
    "Steps": GATE,
    "Workflow": GATE,
    "Condition": GATE,
    "Loop": (*GATE, *ITERATION),
    "Router": (*GATE, *INPUT, "allow_multiple_selections", *REVIEW),
    "Parallel": GATE,
}
HAS_ELSE = frozenset({"Condition"})
"""The kinds with an else branch."""
ALIASES = {"hitl_max_retries": "max_retries", "hitl_timeout": "timeout"}
T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])
MARK = "__statecore_pause__"


class ReviewSettings(TypedDict, total=False):
    """The settings of a `HumanReview`, as flat keywords of a component; `hitl_max_retries` and `hitl_timeout` are its max_retries, timeout."""

    requires_confirmation: bool
    confirmation_message: str | None
    allow_edit: bool
    requires_user_input: bool
    user_input_message: str | None
    user_input_schema: Sequence[UserInputField | Mapping[str, Any]] | Mapping[str, Any] | type | None
    user_input_check: FormCheck | None
    allow_multiple_selections: bool
    requires_output_review: Judge
    output_review_message: str | None
    requires_iteration_review: bool
    iteration_review_message: str | None
    on_reject: OnReject | str | None
    on_error: OnError | str | None
    hitl_max_retries: int
    hitl_timeout: float | None
    timeout: float | None
    on_timeout: OnTimeout | str
    dangerous: bool
    approval: Approval | Mapping[str, Any] | None


def word(enum: type[Enum], setting: str) -> Callable[[object], Any]:
    """A converter that takes the enum's member or its plain string, and names the choices otherwise."""

    def convert(value: object) -> Enum | None:
        if value is None or isinstance(value, enum):
            return value
        try:
            return enum(value)
        except ValueError:
            known = [str(member.value) for member in enum]
            message = f"{setting}={quoted(value)} means nothing.{suggest(value, known)}"
            raise DefinitionError(message) from None

    return convert


def must(setting: str, what: str, holds: Callable[[Any], bool]) -> Callable[[Any, Any, Any], None]:
    """A validator that refuses a value of the wrong kind by name."""

    def check(_review: object, _attribute: object, value: object) -> None:
        if not holds(value):
            message = f"{setting} must be {what}, not {quoted(value)}."
            raise DefinitionError(message)

    return check


def is_flag(value: object) -> bool:
    """Whether a value is True or False."""
    return isinstance(value, bool)


def is_text(value: object) -> bool:
    """Whether a value is a sentence that can be stored (a lone surrogate is no character), or nothing."""
    return value is None or (isinstance(value, str) and is_whole(value))


def is_judge(value: object) -> bool:
    """Whether a value is True, False or a predicate."""
    return isinstance(value, bool) or callable(value)


def is_form_check(value: object) -> bool:
    """Whether a value is a function that can be called where a decision is stored, or nothing: no coroutine function."""
    return value is None or (callable(value) and not iscoroutinefunction(value) and not isasyncgenfunction(value))


def is_seconds(value: object) -> bool:
    """Whether a value is a positive number of seconds, or nothing."""
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < LONGEST)


def flag(setting: str) -> Any:
    """An attribute that is True or False."""
    return field(default=False, validator=must(setting, "True or False", is_flag))


def text(setting: str) -> Any:
    """An attribute that is a sentence or nothing."""
    return field(default=None, validator=must(setting, "a string of whole characters", is_text))


def on_reject(value: OnReject | str | None) -> OnReject | None:
    """A word of `OnReject`, or none."""
    found: OnReject | None = word(OnReject, "on_reject")(value)
    return found


def on_error(value: OnError | str | None) -> OnError | None:
    """A word of `OnError`, or none."""
    found: OnError | None = word(OnError, "on_error")(value)
    return found


def on_timeout(value: OnTimeout | str) -> OnTimeout:
    """A word of `OnTimeout`."""
    found: OnTimeout = word(OnTimeout, "on_timeout")(value)
    return found


@frozen(kw_only=True)
class HumanReview:
    """The questions about a component, and the outcome of a rejection, an error or an expired deadline.

    `requires_confirmation` asks before anything of the component runs; where `allow_edit` is set a person may answer this question, and
    an error pause, with the content that the step gets in place of the previous one; `requires_user_input` asks for values (`user_input_schema`;
    the function `user_input_check` judges them as a whole), or of a Router for a route; `requires_output_review` shows the output
    (True, or a predicate of the `StepOutput`, with a `run_context` if it has that parameter); `requires_iteration_review` asks
    after each iteration of a Loop. `on_reject` defaults to the else branch for a Condition and to skip for everything else; `retry`
    runs again with the feedback, at most `max_retries` times. `on_error` unset means that the nearest enclosing component that sets
    it decides, and `fail` where none does. `timeout` is in seconds; an expired pause takes `on_timeout`. `dangerous` marks a
    component that must not begin after a no to another one: `statecore check` names the gates whose no leads on to it.
    `approval` says who decides, and how many (`Approval`), about every question of the component.

    Example: `HumanReview(requires_confirmation=True, on_reject="cancel")`, and in `statecore.examples.cancellation`.
    """

    requires_confirmation: bool = flag("requires_confirmation")
    confirmation_message: str | None = text("confirmation_message")
    allow_edit: bool = flag("allow_edit")
    requires_user_input: bool = flag("requires_user_input")
    user_input_message: str | None = text("user_input_message")
    user_input_schema: Form | None = field(default=None, converter=as_form)
    user_input_check: FormCheck | None = field(
        default=None, validator=must("user_input_check", "a plain function of the values", is_form_check)
    )
    allow_multiple_selections: bool = flag("allow_multiple_selections")
    requires_output_review: Judge = field(
        default=False, validator=must("requires_output_review", "True, False or a predicate", is_judge)
    )
    output_review_message: str | None = text("output_review_message")
    requires_iteration_review: bool = flag("requires_iteration_review")
    iteration_review_message: str | None = text("iteration_review_message")
    on_reject: OnReject | None = field(default=None, converter=on_reject)
    on_error: OnError | None = field(default=None, converter=on_error)
    max_retries: int = field(default=3, validator=must("max_retries", "a whole number from 0", is_count))
    timeout: float | None = field(default=None, validator=must("timeout", "a positive number of seconds", is_seconds))
    on_timeout: OnTimeout = field(default=OnTimeout.cancel, converter=on_timeout)
    dangerous: bool = flag("dangerous")
    approval: Approval | None = field(default=None, converter=as_approval)

    def to_dict(self) -> dict[str, Any]:
        """Plain data: the settings that differ from their defaults; a predicate is named."""
        given = {name: value for name in DEFAULTS if (value := getattr(self, name)) != DEFAULTS[name]}
        return {name: value.to_dict() if isinstance(value, Approval) else plain_value(value) for name, value in given.items()}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> HumanReview:
        """A review from plain data. Raises `DefinitionError` for a value that means nothing, `TypeError` for an unknown setting."""
        return cls(**plain)


class Read(Generic[T]):
    """A setting of a `HumanReview`, read from the component that it was written on."""

    def __init__(self, setting: str) -> None:
        self.setting = setting

    @overload
    def __get__(self, component: None, owner: type) -> Read[T]: ...
    @overload
    def __get__(self, component: object, owner: type) -> T: ...
    def __get__(self, component: Any, owner: type) -> Any:
        """The setting's value; of the class, this descriptor."""
        return self if component is None else getattr(component.human_review, self.setting)


class Reviewed(ByItself):
    """A component whose review settings can be read where they were written, as words of this release: an enum for a word, a form for its fields.

    A setting that the component does not support has its default. `hitl_max_retries` and `hitl_timeout` are the review's `max_retries`, `timeout`.
    """

    __slots__ = ()
    requires_confirmation: Read[bool] = Read("requires_confirmation")
    confirmation_message: Read[str | None] = Read("confirmation_message")
    allow_edit: Read[bool] = Read("allow_edit")
    requires_user_input: Read[bool] = Read("requires_user_input")
    user_input_message: Read[str | None] = Read("user_input_message")
    user_input_schema: Read[Form | None] = Read("user_input_schema")
    user_input_check: Read[FormCheck | None] = Read("user_input_check")
    allow_multiple_selections: Read[bool] = Read("allow_multiple_selections")
    requires_output_review: Read[Judge] = Read("requires_output_review")
    output_review_message: Read[str | None] = Read("output_review_message")
    requires_iteration_review: Read[bool] = Read("requires_iteration_review")
    iteration_review_message: Read[str | None] = Read("iteration_review_message")
    on_reject: Read[OnReject | None] = Read("on_reject")
    on_error: Read[OnError | None] = Read("on_error")
    hitl_max_retries: Read[int] = Read("max_retries")
    hitl_timeout: Read[float | None] = Read("timeout")
    timeout: Read[float | None] = Read("timeout")
    on_timeout: Read[OnTimeout] = Read("on_timeout")
    dangerous: Read[bool] = Read("dangerous")
    approval: Read[Approval | None] = Read("approval")


def merged(
    kind: str, name: str, review: HumanReview | None, flat: Mapping[str, Any], own: HumanReview | None = None
) -> HumanReview:
    """One `HumanReview` out of the spellings, checked against what this kind of component supports.

    `own` is what `@pause` put on the function; like the flat keywords it may say the same as `review`, not the contrary.
    """
    where = f"{kind} {name!r}"
    for given in (review, own):
        if given is not None and not isinstance(given, HumanReview):
            message = f"human_review of {where} must be a HumanReview, not {described(given)}."
            raise DefinitionError(message)
    result = review or HumanReview()
    named = renamed(where, flat)
    result = laid_over(where, result, HumanReview(**named), named)
    if own is not None:
        result = laid_over(where, result, own, [each for each in SETTINGS if getattr(own, each) != DEFAULTS[each]])
    refuse_unsupported(kind, where, result)
    if result.requires_output_review not in (True, False):
        taken(where, "requires_output_review", result.requires_output_review, "output")  # a wrong one is refused here
    if result.user_input_check is not None:
        taken(where, "user_input_check", result.user_input_check, "values")  # a wrong one is refused here
    return result


def renamed(where: str, flat: Mapping[str, Any]) -> dict[str, Any]:
    """The flat keywords under the names of a `HumanReview`. Raises `TypeError` for an unknown one."""
    known = (*SETTINGS, *ALIASES)
    named: dict[str, Any] = {}
    for given, value in flat.items():
        if given == "execution_timeout":
            raise UnsupportedSetting(where, given, "it bounds one call; set it on a Step, also on those inside")
        if given not in known or given == "max_retries":
            message = f"{where} has no keyword {given!r}.{suggest(given, known)}"
            raise TypeError(message)
        named[ALIASES.get(given, given)] = value
    return named


def laid_over(where: str, below: HumanReview, above: HumanReview, names: Sequence[str] | Mapping[str, Any]) -> HumanReview:
    """The settings `names` of one review laid over another. Raises `ConflictingSettings` where both say something else."""
    for name in names:
        wanted, there = getattr(above, name), getattr(below, name)
        if there != DEFAULTS[name] and there != wanted:
            raise ConflictingSettings(where, name, wanted, there)
    return evolve(below, **{name: getattr(above, name) for name in names})


def refuse_unsupported(kind: str, where: str, review: HumanReview) -> None:
    """Raise `UnsupportedSetting` for the first setting that this kind of component cannot honour."""
    for name in SETTINGS:
        if getattr(review, name) != DEFAULTS[name] and name not in SUPPORTED[kind]:
            raise UnsupportedSetting(where, name, "it would be ignored", SUPPORTED[kind])
    if review.on_reject is OnReject.else_branch and kind not in HAS_ELSE:
        raise UnsupportedSetting(where, "on_reject='else'", "only a Condition has an else branch", ["skip", "cancel", "retry"])
    if review.on_timeout is OnTimeout.approve and review.requires_user_input:
        raise UnsupportedSetting(where, "on_timeout='approve'", "a value is needed, and there is none", ["cancel", "skip"])
    if review.approval is not None:
        check_approval(where, review, review.approval)


def check_approval(where: str, review: HumanReview, approval: Approval) -> None:
    """An approval is given by people, and nobody is asked after the deadline (AUTH-5, AUTH-7). Raises `UnsupportedSetting`."""
    if review.on_timeout is OnTimeout.approve:
        why = "the approval says who decides, and silence is nobody"
        raise UnsupportedSetting(where, "on_timeout='approve'", why, ["cancel", "skip"])
    late = max((each.after for each in approval.escalate), default=0)
    if review.timeout is not None and late >= review.timeout:
        why = f"it comes after {late:g} s, and the deadline is over after {review.timeout:g} s. Give an earlier one, or a longer timeout"
        raise UnsupportedSetting(where, "an escalation", why)


DEFAULTS: dict[str, Any] = {attribute.name: attribute.default for attribute in fields(HumanReview)}
SETTINGS = tuple(DEFAULTS)


@frozen
class Mark:
    """The settings and the name that `@pause` gives to a function's step."""

    review: HumanReview
    name: str | None = None


def pause(
    name: str | None = None, *, human_review: HumanReview | None = None, **settings: Unpack[ReviewSettings]
) -> Callable[[F], F]:
    """A decorator: the step of this function has these settings. The function itself is unchanged.

    An explicit `human_review` or keyword of the Step may add to them; the contrary of one is refused.

    Example: `@pause(requires_confirmation=True)` above `def pay(step_input): ...`.
    """
    review = HumanReview(**renamed("@pause", settings)) if human_review is None else human_review

    def mark(function: F) -> F:
        setattr(function, MARK, Mark(review, name))
        return function

    return mark


def mark_of(function: Any) -> Mark | None:
    """The mark that `@pause` put on a function; None where it is not marked."""
    while function is not None:
        mark = getattr(function, MARK, None)
        if isinstance(mark, Mark):
            return mark
        function = getattr(function, "func", None)
    return None
