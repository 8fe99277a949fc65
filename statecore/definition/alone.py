"""`ByItself`: a component by itself, executed with an input that its caller makes, or written as plain data and read back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, Self, TypedDict

from statecore.errors import DefinitionError
from statecore.lazy import load

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine, Iterator, Mapping, MutableMapping
    from typing import Unpack

    from .outputs import StepOutput
    from .step_io import StepInput


class AloneOptions(TypedDict, total=False):
    """Beside the input of a component that is executed by itself: the session state, changed in place, whose run it is, and live objects."""

    session_state: MutableMapping[str, Any] | None
    session_id: str | None
    user_id: str | None
    dependencies: Mapping[str, Any] | None


class FacadeAlone(Protocol):
    """The part of the facade that runs, writes and reads a component by itself; the floor of definitions does not know it."""

    def run(self, component: Any, given: StepInput | None, options: AloneOptions) -> StepOutput:
        """Its output, once it is over."""

    def arun(self, component: Any, given: StepInput | None, options: AloneOptions) -> Coroutine[Any, Any, StepOutput]:
        """The same on asyncio."""

    def stream(self, component: Any, given: StepInput | None, options: AloneOptions) -> Iterator[Any]:
        """Its events."""

    def astream(self, component: Any, given: StepInput | None, options: AloneOptions) -> AsyncIterator[Any]:
        """The same on asyncio."""

    def plain(self, component: Any) -> dict[str, Any]:
        """Its plain data."""

    def read(self, plain: Mapping[str, Any], functions: Mapping[str, Any]) -> Any:
        """The component that plain data describe."""


HOME = "statecore.workflow.alone"
"""The home of the performer, which is loaded at its first use, as the flat names of the package are."""


def performer() -> FacadeAlone:
    """The performer of the facade."""
    made: FacadeAlone = load("execute", HOME, "InMemory", None)()
    return made


class ByItself:
    """The methods of a component by itself.

    It runs in memory, by the same core as in a workflow, and its code is called with the values of `step_input`. No person is asked: a component
    that asks raises `AsksPeople`, and is to be run as `Workflow("try", steps=[component])`. A failure raises what the step raised.
    Example: `Step("pay", pay).execute(StepInput(input="ada", previous_step_content=12)).content`.
    """

    __slots__ = ()

    def execute(self, step_input: StepInput | None = None, **options: Unpack[AloneOptions]) -> StepOutput:
        """The output of this component. A `session_state` that is given is changed in place. Raises `AsksPeople` before any code is called."""
        return performer().run(self, step_input, options)

    async def aexecute(self, step_input: StepInput | None = None, **options: Unpack[AloneOptions]) -> StepOutput:
        """`execute`, on asyncio."""
        return await performer().arun(self, step_input, options)

    def execute_stream(self, step_input: StepInput | None = None, **options: Unpack[AloneOptions]) -> Iterator[Any]:
        """The events of this component, as they happen, and its `StepOutput` at the end."""
        return performer().stream(self, step_input, options)

    def aexecute_stream(self, step_input: StepInput | None = None, **options: Unpack[AloneOptions]) -> AsyncIterator[Any]:
        """`execute_stream`, on asyncio."""
        return performer().astream(self, step_input, options)

    def to_dict(self) -> dict[str, Any]:
        """Plain data; functions are named, as `{"function": "module.name"}`."""
        return performer().plain(self)

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any], functions: Mapping[str, Any] | None = None) -> Self:
        """The component that `to_dict` wrote; `functions` are its functions and agents by name. Raises `DefinitionError`."""
        made = performer().read({"type": cls.__name__, **plain}, functions or {})
        if not isinstance(made, cls):
            message = f"This is the plain data of a {type(made).__name__}, and not of a {cls.__name__}. Write {type(made).__name__}.from_dict."
            raise DefinitionError(message)
        return made
