"""The needs of each setting: a setting that can have no effect is refused where it is written (GATE-1).

`NEEDS` is the one table. It drives the refusal (`refuse_idle`), the page `specs/guide/settings.md` and the test over every component and
setting. A setting is set if it differs from its default; a default that is written out sets nothing. A companion stands on the component
itself: an error pause that is only inherited gives no deadline its effect, so that each refusal comes from a constructor.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any, TypeAlias

from attrs import frozen

from statecore.errors import UnsupportedSetting

from .fields import OnError, OnReject
from .review import DEFAULTS, HAS_ELSE, HumanReview

Given: TypeAlias = Mapping[str, Any]
"""The settings of one component under their flat names."""

OWN: dict[str, Any] = {
    "evaluator": True,
    "end_condition": None,
    "selector": None,
    "forward_iteration_output": False,
    "max_iterations": 3,
    "max_retries": 0,
    "retry_delay": 0,
    "backoff": 1,
    "on_interrupt": None,
    "may_ask": 0,
}
"""The settings that are not part of a `HumanReview` and take part in the table, with their defaults."""

REVIEW_NAMES = {name: {"max_retries": "hitl_max_retries"}.get(name, name) for name in DEFAULTS}
STANDARD = {**{REVIEW_NAMES[name]: default for name, default in DEFAULTS.items()}, **OWN}


@frozen
class Beside:
    """Something that gives a setting its effect: how a user writes it, when it is there, and settings that make it so."""

    says: str
    holds: Callable[[Given], bool]
    example: Mapping[str, Any]


@frozen
class Need:
    """One row: `setting` (or only one `value` of it) on these kinds of component needs one of the companions."""

    setting: str
    kinds: tuple[str, ...]
    companions: tuple[Beside, ...]
    why: str = ""
    value: Enum | None = None

    @property
    def says(self) -> str:
        """The setting, as the user writes it."""
        return self.setting if self.value is None else f"{self.setting}={self.value.value!r}"

    @property
    def without(self) -> str:
        """The reason of a refusal: which companion is missing."""
        reason = f", because {self.why}" if self.why else ""
        needed = " or ".join(each.says for each in self.companions)
        return f"it has no effect {f'without {needed}' if needed else 'here'}{reason}"

    def idle(self, kind: str, given: Given) -> bool:
        """Whether the setting is set and has no effect."""
        if kind not in self.kinds or not is_set(kind, self.setting, given[self.setting]):
            return False
        if self.value is not None and given[self.setting] != self.value:
            return False
        return not any(companion.holds(given) for companion in self.companions)


def is_set(kind: str, setting: str, value: Any) -> bool:
    """Whether a value differs from the default; the word that `on_reject` defaults to is a default, too."""
    if setting == "on_reject":
        return value not in (None, OnReject.else_branch if kind in HAS_ELSE else OnReject.skip)
    standard = STANDARD[setting]
    return value is not standard if standard is None or isinstance(standard, bool) else bool(value != standard)


# -- companions --------------------------------------------------------------------------------------------------------------------


def flag(setting: str) -> Beside:
    """A question that is switched on, by True or by a predicate."""
    return Beside(f"{setting}=True", lambda given: given[setting] is not False, {setting: True})


def present(setting: str, example: Any) -> Beside:
    """A setting that is set."""
    return Beside(setting, lambda given: given[setting] != STANDARD[setting], {setting: example})


def at_least(setting: str, least: int) -> Beside:
    """A number that is large enough."""
    return Beside(f"{setting} of at least {least}", lambda given: given[setting] >= least, {setting: least})


def lacking(setting: str) -> Beside:
    """A setting that must be left out."""
    return Beside(f"leaving {setting} out", lambda given: given[setting] in (None, False), {})


def error_pause(code: str | None) -> Beside:
    """The error pause of a component that calls user code."""

    def holds(given: Given) -> bool:
        called = code is None or (given[code] is not None and not isinstance(given[code], bool))
        return called and given["on_error"] is OnError.pause

    says = "on_error='pause' of its own" + (f" and code in its {code}" if code else "")
    return Beside(says, holds, {"on_error": OnError.pause, **({code: asked} if code else {})})


asked = bool
"""The stand-in for user code in the examples of the table."""


GATE, INPUT, REVIEW, ITERATION = map(
    flag, ("requires_confirmation", "requires_user_input", "requires_output_review", "requires_iteration_review")
)
ASKS = at_least("may_ask", 1)
TWICE = at_least("max_iterations", 2)
INSIDE = "the steps inside it have their own retries"
NEXT = "nothing follows the only iteration"
JUDGED = Beside(
    "a predicate as requires_output_review",
    lambda given: callable(given["requires_output_review"]),
    {"requires_output_review": asked},
)
ONE_MESSAGE = Beside(
    "leaving user_input_message out", lambda given: not (given["requires_user_input"] and given["user_input_message"]), {}
)
RETRIED = Beside("on_reject='retry'", lambda given: given["on_reject"] is OnReject.retry, {"on_reject": OnReject.retry})

# -- the table -----------------------------------------------------------------------------------------------------------------------

QUESTIONS: dict[str, tuple[Beside, ...]] = {
    "Step": (GATE, INPUT, REVIEW, ASKS),
    "Step(workflow)": (GATE,),
    "Steps": (GATE,),
    "Condition": (GATE,),
    "Loop": (GATE, ITERATION),
    "Router": (GATE, INPUT, REVIEW),
    "Parallel": (GATE,),
}
"""The questions that a component itself may put, besides that of an error."""
CODE: dict[str, str | None] = {"Step": None, "Condition": "evaluator", "Loop": "end_condition", "Router": "selector"}
"""The components that call user code, and the setting that holds it; a Step always does."""

NEEDS: tuple[Need, ...] = (
    Need("confirmation_message", tuple(title for title in QUESTIONS if title != "Step"), (GATE,)),
    Need("confirmation_message", ("Step",), (GATE, INPUT)),
    Need(
        "confirmation_message",
        ("Step",),
        (ONE_MESSAGE,),
        "a step that asks for input shows user_input_message",
    ),
    Need("allow_edit", ("Step",), (GATE, error_pause(None)), "no question of the step takes another input"),
    Need("user_input_message", ("Step", "Router"), (INPUT,)),
    Need("user_input_schema", ("Step",), (INPUT,)),
    Need("user_input_check", ("Step",), (INPUT,)),
    Need("allow_multiple_selections", ("Router",), (INPUT,), "a selector may choose several as it is"),
    Need("output_review_message", ("Step", "Router"), (REVIEW,)),
    Need("iteration_review_message", ("Loop",), (ITERATION,)),
    Need("requires_iteration_review", ("Loop",), (TWICE,), NEXT),
    Need("end_condition", ("Loop",), (TWICE,), NEXT),
    Need("forward_iteration_output", ("Loop",), (TWICE,), NEXT),
    Need(
        "forward_iteration_output", ("Loop",), (lacking("requires_iteration_review"), RETRIED), "a yes to its review ends the loop"
    ),
    Need("evaluator", ("Condition",), (lacking("requires_confirmation"),), "a person chooses and the evaluator is never called"),
    Need("on_reject", ("Step", "Router"), (REVIEW,), "there is no output to make again", OnReject.retry),
    Need("on_reject", ("Loop",), (ITERATION,), "there is no iteration to repeat", OnReject.retry),
    Need("on_reject", ("Step(workflow)", "Steps", "Condition", "Parallel"), (), "nothing could run again", OnReject.retry),
    *(Need("on_reject", (kind,), questions) for kind, questions in QUESTIONS.items()),
    Need("hitl_max_retries", ("Step", "Router"), (REVIEW,)),
    Need("hitl_max_retries", ("Step", "Router"), (RETRIED,), "it counts the times that a rejected output is made again"),
    *(
        Need("timeout", (kind,), (*questions, *((error_pause(CODE[kind]),) if kind in CODE else ())), "nothing would wait")
        for kind, questions in QUESTIONS.items()
    ),
    *(
        Need("approval", (kind,), (*questions, *((error_pause(CODE[kind]),) if kind in CODE else ())), "no person would be asked")
        for kind, questions in QUESTIONS.items()
    ),
    Need("on_timeout", tuple(QUESTIONS), (present("timeout", 60),)),
    Need("retry_delay", ("Step",), (at_least("max_retries", 1),)),
    Need("backoff", ("Step",), (present("retry_delay", 1),)),
    Need("backoff", ("Step",), (at_least("max_retries", 2),), "only the delay of a second retry can grow"),
    Need("retry_delay", ("Step(workflow)",), (), INSIDE),
    Need("backoff", ("Step(workflow)",), (), INSIDE),
    Need("on_interrupt", ("Condition",), (lacking("requires_confirmation"),), "a person chooses and no code is called"),
    Need("on_interrupt", ("Loop",), (present("end_condition", asked),), "a Loop calls no other code itself"),
    Need("on_interrupt", ("Router",), (present("selector", asked), JUDGED), "a Router calls no other code itself"),
)


def refuse_idle(kind: str, name: str, review: HumanReview, own: Mapping[str, Any] | None = None) -> None:
    """Raise `UnsupportedSetting` for the first setting that can have no effect; `own` has the component's settings beside its review."""
    given = {**OWN, **{REVIEW_NAMES[each]: getattr(review, each) for each in DEFAULTS}, **(own or {})}
    where = f"{kind} {name!r}"
    for need in NEEDS:
        if need.idle(kind, given):
            raise UnsupportedSetting(where, need.says, need.without)
