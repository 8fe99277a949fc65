"""A component by itself: a workflow in memory, whose first steps hand on what the caller's `StepInput` has. No second interpreter."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from attrs import evolve

from statecore.core import Compiled
from statecore.definition import OnError, Step, StepInput, StepOutput
from statecore.definition.plain import plain_component, read_component
from statecore.errors import AsksPeople, DefinitionError, StepFailed

from .workflow import Workflow

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping, MutableMapping

    from statecore.definition.alone import AloneOptions
    from statecore.output import WorkflowRunOutput
    from statecore.output.events import RunEvent

PREVIOUS = "previous"
"""The name of the step that hands on a previous content which is that of no given output."""


def handed(output: StepOutput, _: StepInput) -> StepOutput:
    """The executor of an earlier step: it gives the content and the media that the caller gave for it."""
    return StepOutput(output.content, images=output.images, videos=output.videos, audio=output.audio, files=output.files)


def left_out(_: StepInput) -> None:
    """The executor of an earlier step that was skipped."""
    raise StepFailed(PREVIOUS, "it was skipped")


def earlier(name: str, output: StepOutput) -> list[Step]:
    """The steps whose outputs are an earlier output, the members of a group before it."""
    inside = [step for each in output.steps for step in earlier(each.step_name or PREVIOUS, each)]
    if output.status == "skipped":
        return [*inside, Step(name, left_out, on_error=OnError.skip)]
    if output.status != "completed" or not output.success:
        message = (
            f"The earlier output {name!r} has the status {output.status}; a component begins after completed and skipped ones."
        )
        raise DefinitionError(message)
    return [*inside, Step(name, partial(handed, output))]


def before(component: Any, given: StepInput) -> list[Step]:
    """The steps before a component, which hand on what an input says that came before it."""
    outputs = given.previous_step_outputs
    found = {step.name: step for name, output in outputs.items() for step in earlier(name, output)}
    last = outputs[list(outputs)[-1]].content if outputs else None
    if given.previous_step_content != last:
        found[PREVIOUS] = Step(PREVIOUS, partial(handed, StepOutput(given.previous_step_content)))
    if component.name in found:
        message = f"{component.name!r} is the component itself, and no earlier step: give the outputs of other steps."
        raise DefinitionError(message)
    return list(found.values())


def own_media(given: StepInput, name: str) -> list[Any]:
    """The media of an input without those of the step before, which come with that step's output."""
    every, outputs = getattr(given, name) or [], list(given.previous_step_outputs.values())
    last = getattr(outputs[-1], name) if outputs else []
    return every[: len(every) - len(last)] if last and every[-len(last) :] == last else every


def check_asks_nobody(component: Any, compiled: Compiled) -> None:
    """Refuse a component that asks, or has one inside that does. Raises `AsksPeople`."""
    for each in compiled.components.values():
        review = getattr(each, "human_review", None)
        asked = [name for name in QUESTIONS if getattr(review, name, False) is not False]
        asked += ["may_ask"] if getattr(each, "may_ask", 0) else []
        if asked:
            raise AsksPeople(titled(component), f"{titled(each)} asks: {asked[0]}")


QUESTIONS = ("requires_confirmation", "requires_user_input", "requires_output_review", "requires_iteration_review")


def titled(component: Any) -> str:
    """A component in a message."""
    return f"{type(component).__name__} {component.name!r}"


class Trial:
    """One execution of a component by itself."""

    component: Any
    state: MutableMapping[str, Any] | None
    flow: Workflow
    how: dict[str, Any]
    input: Any

    def __init__(self, component: Any, given: StepInput | None, options: AloneOptions) -> None:
        given = given if given is not None else StepInput()
        if given.decision is not None:
            message = f"A decision is given at a gate of a workflow, and {titled(component)} is executed by itself. Leave it out."
            raise DefinitionError(message)
        self.component, self.state = component, options.get("session_state")
        self.flow = Workflow(component.name, [*before(component, given), component], dependencies=options.get("dependencies"))
        check_asks_nobody(component, self.flow.compiled)
        if given.workflow_session is not None:
            self.flow.host = evolve(self.flow.host, session=lambda _: given.workflow_session)
        media = {name: found for name in ("images", "videos", "audio", "files") if (found := own_media(given, name))}
        self.how = {
            "additional_data": given.additional_data | media,
            "session_id": options.get("session_id"),
            "session_state": self.state,
            "user_id": options.get("user_id"),
        }
        self.input = given.input

    def over(self, run: WorkflowRunOutput) -> StepOutput:
        """The output of the component, once it is over. Raises `AsksPeople` where it failed, and a person was to say how it goes on."""
        if run.is_paused:
            failed = run.error_requirements[0]
            raise AsksPeople(titled(self.component), f"{failed.step_name!r} failed of {failed.error_type}: {failed.error_message}")
        if self.state is not None:
            self.state.clear()
            self.state.update(run.session_state)
        return run.step_results[-1]

    def tells(self, event: RunEvent) -> bool:
        """Whether an event tells of the component, or of what is inside it."""
        compiled = self.flow.compiled
        at = next(at for at, each in compiled.components.items() if each is self.component)
        inside = (node for node in compiled.program.nodes.values() if node.at == at or compiled.program.within(node.at, at))
        return any(node.step_id == event.step_id for node in inside)


class InMemory:
    """The performer of components by themselves."""

    def run(self, component: Any, given: StepInput | None, options: AloneOptions) -> StepOutput:
        """Its output."""
        trial = Trial(component, given, options)
        return trial.over(trial.flow.run(trial.input, **trial.how))

    async def arun(self, component: Any, given: StepInput | None, options: AloneOptions) -> StepOutput:
        """Its output, on asyncio."""
        trial = Trial(component, given, options)
        return trial.over(await trial.flow.arun(trial.input, **trial.how))

    def stream(self, component: Any, given: StepInput | None, options: AloneOptions) -> Iterator[RunEvent | StepOutput]:
        """Its events, and its output at the end."""
        trial = Trial(component, given, options)
        stream = trial.flow.run(trial.input, stream=True, stream_events=True, **trial.how)
        yield from (event for event in stream if trial.tells(event))
        yield trial.over(trial.flow.get_run_output(stream.run_id))

    async def astream(self, component: Any, given: StepInput | None, options: AloneOptions) -> AsyncIterator[RunEvent | StepOutput]:
        """Its events, and its output at the end, on asyncio."""
        trial = Trial(component, given, options)
        stream = trial.flow.arun(trial.input, stream=True, stream_events=True, **trial.how)
        async for event in stream:
            if trial.tells(event):
                yield event
        yield trial.over(trial.flow.get_run_output(stream.run_id))

    def plain(self, component: Any) -> dict[str, Any]:
        """Its plain data."""
        return plain_component(component)

    def read(self, plain: Mapping[str, Any], functions: Mapping[str, Any]) -> Any:
        """The component that plain data describe."""
        return read_component(plain, functions)
