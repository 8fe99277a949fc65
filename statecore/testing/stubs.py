"""The user code of a workflow, replaced: each step, evaluator, selector, end condition and predicate answers as a test says."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from attrs import define, field

from statecore.core import ROOT
from statecore.core.program import below
from statecore.definition import StepOutput
from statecore.definition.plain import plain_definition, read_definition

if TYPE_CHECKING:
    from statecore.definition.components import Definition

Key: TypeAlias = tuple[str, str]
"""What is called and where: execute, evaluate, select, test or judge, and the address."""

CALLED = {
    "Step": ("executor", "execute"),
    "Condition": ("evaluator", "evaluate"),
    "Loop": ("end_condition", "test"),
    "Router": ("selector", "select"),
}
CHILDREN = {"steps": "", "choices": "", "else_steps": "else"}


class Planned(Exception):
    """What a stub raises where a test says that it fails."""


def copied(planned: Mapping[Key, Sequence[Any]]) -> dict[Key, list[Any]]:
    """The plan, to be used up."""
    return {key: list(answers) for key, answers in planned.items()}


@define
class Stubs:
    """Answers call by call: "succeed", "stop" and "fail" for steps, True, False, names or "fail" for what decides.

    What is not planned is `default(kind, at)`: steps succeed, evaluators and predicates say no, selectors choose nothing, end conditions end
    their loop. A step hands on its address. `called` remembers each call, in order.
    """

    planned: dict[Key, list[Any]] = field(factory=dict, converter=copied)
    default: Callable[[str, str], Any] = field(default=lambda kind, at: defaults(kind, at))  # noqa: PLW0108  # defined below
    called: list[Key] = field(factory=list)

    def answer(self, kind: str, at: str) -> Any:
        """The next answer; a planned failure is raised."""
        self.called.append((kind, at))
        answers = self.planned.get((kind, at))
        found = answers.pop(0) if answers else self.default(kind, at)
        if isinstance(found, BaseException):
            raise found
        if found == "fail":
            raise Planned(at)
        return found

    def stub(self, kind: str, at: str) -> Callable[..., Any]:
        """The function that stands where user code stood."""
        if kind != "execute":
            return lambda _about: self.answer(kind, at)
        return lambda _step_input: StepOutput(content=at, stop=self.answer(kind, at) == "stop")


def defaults(kind: str, _at: str) -> Any:
    """What a stub answers where nothing is planned."""
    return DEFAULTS[kind]


DEFAULTS: dict[str, Any] = {"execute": "succeed", "evaluate": False, "select": None, "test": True, "judge": False}


def stubbed(definition: Definition, stubs: Stubs) -> Definition:
    """The same definition with stubs in place of its code; what it holds as a constant (`evaluator=True`) stays."""
    plain = plain_definition(definition)
    functions: dict[str, Callable[..., Any]] = {}
    replace(plain["steps"], ROOT, stubs, functions)
    return read_definition(plain, functions)


def replace(children: Sequence[dict[str, Any]], prefix: str, stubs: Stubs, functions: dict[str, Callable[..., Any]]) -> None:
    """Put stubs into a list of plain components, and into all that is inside them."""
    for plain in children:
        at, kind = below(prefix, plain["name"]), plain["type"]
        if "workflow" in plain:
            replace(plain["workflow"]["steps"], at, stubs, functions)
        elif kind in CALLED:
            setting, call = CALLED[kind]
            plain.pop("agent", None)
            if kind == "Step" or not isinstance(plain.get(setting), bool | None):
                plain[setting] = named(call, at, stubs, functions)
        review = plain.get("human_review", {})
        if isinstance(review.get("requires_output_review"), Mapping):
            review["requires_output_review"] = named("judge", at, stubs, functions)
        for name, branch in CHILDREN.items():
            inside = (
                below(at, "then" if kind == "Condition" and name == "steps" else branch) if branch or kind == "Condition" else at
            )
            replace(plain.get(name, ()), inside, stubs, functions)


def named(call: str, at: str, stubs: Stubs, functions: dict[str, Callable[..., Any]]) -> dict[str, str]:
    """A stub as a plain definition names a function."""
    name = f"{call} {at}"
    functions[name] = stubs.stub(call, at)
    return {"function": name}
