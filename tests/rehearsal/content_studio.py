"""A content team, as users of the reference framework write one: agents, a Condition, a Router, a Loop, a Parallel, session state in branches."""

from dataclasses import dataclass, field
from typing import Any

from statecore.db.sqlite import SqliteDb
from statecore.run import RunContext
from statecore.workflow import Condition, Loop, Parallel, Router, Step, StepInput, StepOutput, Steps, Workflow


@dataclass
class Reply:
    """The result of an agent's run."""

    content: Any
    status: str = "COMPLETED"


@dataclass
class Agent:
    """A stand-in for an agent: it answers by a script, and remembers what it was asked."""

    name: str
    script: dict[str, str]
    asked: list[str] = field(default_factory=list)

    def run(self, message: str, **_: Any) -> Reply:
        self.asked.append(message)
        for word, answer in self.script.items():
            if word in message:
                return Reply(answer)
        return Reply(f"{self.name}: {message}")


hackernews = Agent("hackernews", {"owls": "owls hunt at night"})
web = Agent("web", {"owls": "owls turn their heads", "release": "version 2 is out"})
writer = Agent("writer", {"too short": "a longer draft about owls, with sources"})
planner = Agent("planner", {})


def is_about_animals(step_input: StepInput) -> bool:
    """Evaluator: whether the topic needs the animal desk."""
    topic = step_input.input or ""
    return any(word in topic.lower() for word in ("owl", "fox", "animal"))


def choose_style(step_input: StepInput) -> list[Step]:
    """Selector: short topics become a thread, others an article and a thread."""
    if len(str(step_input.input)) < 10:
        return [write_thread]
    return [write_article, write_thread]


def is_good_enough(outputs: list[StepOutput]) -> bool:
    """End condition: stop as soon as a draft is long."""
    return any(len(str(output.content)) > 30 for output in outputs)


def plan(step_input: StepInput) -> StepOutput:
    """Custom function: put the research into a prompt and ask the planner."""
    message = step_input.input
    research = step_input.previous_step_content or "no results"
    prompt = f"STRATEGIC PLAN\n\nTopic: {message}\n\nResearch: {str(research)[:200]}"
    try:
        response = planner.run(prompt)
        return StepOutput(content=f"## Plan\n\n{response.content}", success=True)
    except ValueError as error:
        return StepOutput(content=f"Planning failed: {error}", success=False)


def remember_topic(step_input: StepInput, run_context: RunContext) -> StepOutput:
    """Keep every topic of the session."""
    run_context.session_state.setdefault("topics", []).append(step_input.input)
    return StepOutput(content=step_input.input)


def count_sources(step_input: StepInput, session_state: dict[str, Any]) -> str:
    """Branch of a Condition that writes the session state."""
    session_state["sources"] = session_state.get("sources", 0) + 2
    return f"{step_input.previous_step_content} ({session_state['sources']} sources)"


def draft(step_input: StepInput) -> str:
    """One draft of the loop: the writer is told when the last one was too short."""
    before = step_input.previous_step_content
    return writer.run("too short" if "draft" in str(before) else f"draft {step_input.input}").content


def article(step_input: StepInput) -> str:
    """An article out of the plan."""
    return f"article on {step_input.input}: {step_input.get_step_content('plan')}"


def thread(step_input: StepInput) -> StepOutput:
    """A thread out of whatever came before."""
    return StepOutput(content=f"thread on {step_input.input}")


research_web = Step(name="research web", agent=web, description="Search the web")
research_news = Step(name="research news", agent=hackernews)
write_article = Step(name="article", executor=article)
write_thread = Step(name="thread", executor=thread)


def build(db_file: str) -> Workflow:
    """The workflow."""
    return Workflow(
        name="Content Studio",
        description="Research, plan and write",
        db=SqliteDb(db_file=db_file),
        session_state={"topics": []},
        steps=[
            Step(name="remember", executor=remember_topic),
            Parallel(research_web, research_news, name="research", description="Everywhere at once"),
            Condition(
                name="animals",
                description="The animal desk counts its sources",
                evaluator=is_about_animals,
                steps=[Step(name="count", executor=count_sources)],
            ),
            Step(name="plan", executor=plan),
            Loop(
                name="drafts",
                steps=[Step(name="draft", executor=draft)],
                end_condition=is_good_enough,
                max_iterations=3,
                forward_iteration_output=True,
            ),
            Router(name="style", selector=choose_style, choices=[write_article, write_thread]),
            Steps(
                name="publish",
                steps=[Step(name="archive", executor=lambda step_input: f"archived: {step_input.previous_step_content}")],
            ),
        ],
    )
