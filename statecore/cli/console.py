"""The console of a workflow: `print_response` and `cli_app` show runs with the lines of the command line, and end no process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

from attrs import define

from statecore.asking.text import clean
from statecore.definition.outputs import as_text

from . import exits
from .following import EXITS, WITHOUT_END, Following
from .person import Asker, line, login, nobody
from .screen import Screen
from .views import pause_lines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from statecore import Workflow, WorkflowRunOutput
    from statecore.runtime.launching import RunOptions


@define
class Talk(Following):
    """A run of a conversation: at its end its content, or the questions that are left open, and no command to go on with."""

    def leave(self) -> int:
        """Print how the run stands; the exit code that the command line has for it."""
        view = self.view()
        tell_end(self.screen, view)
        return EXITS[view.status]


def tell_end(screen: Screen, view: WorkflowRunOutput) -> None:
    """Print the whole content of a completed run, or the open questions of a paused one."""
    if view.has_completed():
        for each in (as_text(view.content) or "").splitlines():
            screen.say(clean(each))
    elif view.status in WITHOUT_END:
        screen.say(f"Run {clean(view.run_id)} is {view.status.value}.", fg="yellow")
        for requirement in view.requirements:
            for each in pause_lines(requirement):
                screen.say(each)


class TerminalConsole:
    """The performer of the facade's terminal methods."""

    def show(self, workflow: Workflow, run_input: Any, options: RunOptions, *, details: bool) -> None:
        """Run a workflow, and print what happens; its failure is raised."""
        told = Following(workflow, nobody, Screen(quiet=not details), ())
        stream = workflow.run(run_input, stream=True, stream_events=True, **options)
        for event in stream:
            told.line(event)
        tell_end(Screen(), workflow.get_run_output(stream.run_id))

    async def ashow(self, workflow: Workflow, run_input: Any, options: RunOptions, *, details: bool) -> None:
        """The same on asyncio."""
        told = Following(workflow, nobody, Screen(quiet=not details), ())
        stream = workflow.arun(run_input, stream=True, stream_events=True, **options)
        async for event in stream:
            told.line(event)
        tell_end(Screen(), await workflow.aget_run_output(stream.run_id))

    def talk(self, workflow: Workflow, first: Any, user: str, ends: Sequence[str], options: RunOptions) -> None:
        """Run a workflow for each line of a person, in one session, until a word that ends it, the end of the input, or Ctrl-C."""
        said: dict[str, Any] = {"session_id": workflow.session_id or str(uuid4()), **options}
        run_input, code = first, exits.FINE
        while code != exits.INTERRUPTED:
            if run_input is None:
                try:
                    run_input = line(f"{clean(user)}: ")
                except (EOFError, KeyboardInterrupt):
                    return
                if run_input.lower() in ends:
                    return
            talk = Talk(workflow, Asker(login()), Screen(), ())
            talk.named(said.pop("run_id", None))
            code, run_input = talk.start(run_input, **said), None
