"""Agents as steps, by shape: what `run` is given, whether its result says that it is done, and what of it is the output.

No framework is imported. A result is judged by what it says of itself before it is believed (AGENT-1): `SIGNS` is the table of the names
under which a result may say how it stands, `CONTENT` the names of its content, `OFFERED` the parameters of `run` that are filled in. What
says that it is not done, or says it in a word that this table does not have, is a failure of its step.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from enum import Enum
from json import dumps
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from statecore.codec import CODECS, encode
from statecore.definition import StepOutput
from statecore.definition.agents import OUTCOMES
from statecore.definition.calling import OFFERS
from statecore.errors import AgentFailed, AgentPaused, UnknownAgentResult, UnstorableValue
from statecore.lifecycles import exhaustive

if TYPE_CHECKING:
    from .execution import Execution


class Told(Protocol):
    """The facts of a call that an agent is told."""

    def previous(self) -> Any:
        """The previous content."""

    def run_input(self) -> Any:
        """The run's input."""

    def said(self) -> dict[str, Any]:
        """The answers to the step."""

    def history(self) -> str | None:
        """The text of the session's earlier runs."""

    def session_state(self) -> dict[str, Any]:
        """The session state, to be changed."""

    def media(self, name: str) -> list[Any] | None:
        """The media of a kind."""


CONTENT = ("content", "output", "final_output", "raw")
"""Where a result has its content; the first that is not None counts."""

MEDIA = {"images": "image", "videos": "video", "audio": "response_audio", "files": "file"}
"""Where a `StepOutput` and a result have what is no text, each with the other name that a result may use."""

PLAIN = frozenset({type(None), bool, int, float, str, bytes, list, tuple})
"""Values that say nothing of themselves."""

# -- what a result says of itself --------------------------------------------------------------------------------------------------


class Standing(NamedTuple):
    """How a result says that it stands, and in which word."""

    how: str
    word: str


Sign = Callable[[Any], Standing | None]
"""The meaning of the value under a name; None where it has none."""
DONE, PAUSED, RUNNING, FAILED = "done", "paused", "running", "failed"
WORDS: dict[str, tuple[str, ...]] = {
    DONE: ("COMPLETED", "COMPLETE", "DONE", "SUCCESS", "SUCCEEDED", "SUCCESSFUL", "FINISHED", "ENDED", "OK"),
    PAUSED: ("PAUSED", "INTERRUPTED", "SUSPENDED", "WAITING", "INPUT_REQUIRED", "AUTH_REQUIRED", "REQUIRES_ACTION"),
    RUNNING: ("RUNNING", "PENDING", "QUEUED", "IN_PROGRESS", "WORKING", "SUBMITTED", "STARTED"),
}
"""The words of a status. Any other one is a failure, those for errors and cancellations and those that nobody has heard of."""
HOW = {word: how for how, words in WORDS.items() for word in words}
TROUBLE = re.compile("ERROR|FAIL|CANCEL|ABORT|REJECT")
ENDING = re.compile("RUN_?(COMPLETED|PAUSED|ERROR|CANCELLED)$")


def by_word(status: Any) -> Standing | None:
    """How a status stands: a text or a member of an enum, in any spelling."""
    if isinstance(status, Enum):
        status = status.value if isinstance(status.value, str) else status.name
    if status is None or status == "":
        return None
    if not isinstance(status, str):
        return Standing(FAILED, f"a status of type {type(status).__name__}")
    word = str.__str__(status).strip(" .").rpartition(".")[2].replace("-", "_").replace(" ", "_").upper()
    return Standing(HOW.get(word, FAILED), word)


def by_known_word(state: Any) -> Standing | None:
    """How a state stands, where it is a word that tells it: a state may be anything else, too."""
    stands = by_word(state) if isinstance(state, str | Enum) else None
    return stands if stands is not None and (stands.word in HOW or TROUBLE.search(stands.word)) else None


def by_plain_word(status: Any) -> Standing | None:
    """How a value stands, where its status is one of the words of an agent that is not done."""
    stands = by_word(status) if isinstance(status, str | Enum) else None
    return stands if stands is not None and stands.word in ("PAUSED", "RUNNING", "ERROR", "CANCELLED") else None


def by_event(event: Any) -> Standing | None:
    """How an event of a stream stands that ends a run, by the end of its name."""
    word = by_word(event) if isinstance(event, str | Enum) else None
    ends = ENDING.search(word.word) if word is not None else None
    return by_word(ends[1]) if ends is not None else None


def by_tools(calls: Any) -> Standing | None:
    """Calls of tools that wait for somebody."""
    return Standing(PAUSED, "PAUSED") if isinstance(calls, list) and any(hasattr(each, "tool_call_id") for each in calls) else None


def where_true(how: str, word: str) -> Sign:
    """A sign that stands where a flag, a list or an error is there."""
    return lambda value: Standing(how, word) if value else None


def where_false(how: str, word: str) -> Sign:
    """A sign that stands where a flag is False; True says that it is done."""
    return lambda value: {False: Standing(how, word), True: Standing(DONE, "DONE")}[value] if type(value) is bool else None


# what a result may say -> how it stands; the first that says that it is not done counts
SIGNS: dict[str, Sign] = {
    "is_paused": where_true(PAUSED, "PAUSED"),
    "__interrupt__": where_true(PAUSED, "INTERRUPTED"),
    "interruptions": where_true(PAUSED, "INTERRUPTED"),
    "approvals": by_tools,
    "calls": by_tools,
    "status": by_word,
    "event": by_event,
    "state": by_known_word,
    "is_cancelled": where_true(FAILED, "CANCELLED"),
    "is_error": where_true(FAILED, "ERROR"),
    "is_running": where_true(RUNNING, "RUNNING"),
    "error": where_true(FAILED, "ERROR"),
    "success": where_false(FAILED, "ERROR"),
    "is_done": where_false(RUNNING, "RUNNING"),
    "done": where_false(RUNNING, "RUNNING"),
}
OF_CONTENT: dict[str, Sign] = {name: SIGNS[name] for name in ("approvals", "calls")}
"""The meaning that content gives to its result."""

OF_VALUE: dict[str, Sign] = {"is_paused": SIGNS["is_paused"], "__interrupt__": SIGNS["__interrupt__"], "status": by_plain_word}
"""The meaning of a value that has no content of a result, and can be stored as it is: its status may be that of anything."""


def said(result: Any, name: str) -> Any:
    """The value that a result has under a name, or None. A method that asks for a status or a flag is called."""
    if isinstance(result, Mapping):
        return result.get(name)
    found = getattr(result, name, None)
    if not callable(found):
        return found
    return found() if name == "status" or name.startswith("is_") else None


def names_of(result: Any) -> tuple[str, ...]:
    """The names under which a result has content."""
    return tuple(name for name in CONTENT if (name in result if isinstance(result, Mapping) else hasattr(result, name)))


def standing(result: Any) -> Standing | None:
    """How a result says that it stands; None where it says nothing of it."""
    if type(result) in PLAIN or type(result) is StepOutput:
        return None
    is_value = not names_of(result) and (isinstance(result, Mapping) or is_storable(result))
    return stands_by(result, OF_VALUE if is_value else SIGNS)


def stands_by(result: Any, signs: Mapping[str, Sign]) -> Standing | None:
    """How a result stands by some signs: the first that says that it is not done counts."""
    found = [stands for name, sign in signs.items() if (stands := sign(said(result, name))) is not None]
    return next((each for each in found if each.how != DONE), found[0] if found else None)


def words_of(result: Any) -> str:
    """The text with which a result says more: its error or its content."""
    texts = [said(result, name) for name in ("error", *CONTENT)]
    return next((each for each in texts if isinstance(each, str) and each), "")


# -- the output --------------------------------------------------------------------------------------------------------------------


def output_of(step_name: str, result: Any) -> Any:
    """The output of a step whose agent gave `result`: a value, or a `StepOutput` with its media.

    Raises `AgentPaused` and `AgentFailed` where the result says that it is not done, `UnknownAgentResult` where it has no content.
    """
    for part in parts_of(result):
        believe(step_name, part, standing(part))
    if type(result) is StepOutput:
        return result
    believe(step_name, result, standing(result))
    if type(result) in PLAIN or isinstance(result, Mapping):
        return result
    named = names_of(result)
    if not named:
        if is_storable(result):
            return result
        raise UnknownAgentResult(step_name, result)
    content = next((value for name in named if (value := getattr(result, name)) is not None), None)
    believe(step_name, content, stands_by(content, OF_CONTENT))
    return StepOutput(content=content, **media_of(result))


def parts_of(result: Any) -> list[Any]:
    """The objects in a list or a tuple, or the one in a `StepOutput`, that may be results of agents themselves; plain data is none."""
    parts = [result.content] if type(result) is StepOutput else list(result) if type(result) in (list, tuple) else []
    return [each for each in parts if type(each) not in PLAIN and not isinstance(each, Mapping)]


def believe(step_name: str, result: Any, stands: Standing | None) -> None:
    """Raise `AgentPaused` or `AgentFailed` where a result says that it is not done."""
    if stands is None or stands.how == DONE:
        return
    if stands.how == PAUSED:
        raise AgentPaused(step_name, words_of(result))
    raise AgentFailed(step_name, stands.word, words_of(result))


def media_of(result: Any) -> dict[str, Any]:
    """The media of a result, as far as it has any; objects as the plain data that they make of themselves."""
    found = {
        name: [plain(each) for each in listed(said(result, name)) or listed(said(result, other))] for name, other in MEDIA.items()
    }
    return {name: media for name, media in found.items() if media}


def listed(value: Any) -> list[Any]:
    """None, one or several, as a list."""
    return list(value) if isinstance(value, list | tuple) else [] if value is None else [value]


def plain(medium: Any) -> Any:
    """A medium as it can be stored: the plain data of an object that gives it and has no codec, else itself."""
    made = getattr(medium, "to_dict", None) or getattr(medium, "model_dump", None)
    known = CODECS.by_type.get(type(medium))
    return made() if callable(made) and (known is None or known.family is not None) else medium


def is_storable(value: Any) -> bool:
    """Whether a value can be stored as it is."""
    try:
        encode(value)
    except UnstorableValue:
        return False
    return True


# -- the call ----------------------------------------------------------------------------------------------------------------------


def run_of(agent: Any) -> Callable[..., Any]:
    """An agent's `run`, or its `arun` where it has no other."""
    run: Callable[..., Any] = agent.run if callable(getattr(agent, "run", None)) else agent.arun
    return run


# parameter of `run` -> what it is given; None where there is nothing to give
OFFERED: dict[str, Callable[[Execution, Told], Any]] = {
    "session_id": lambda execution, _: execution.identity.session_id,
    "user_id": lambda execution, _: execution.identity.user_id,
    "session_state": lambda _, values: values.session_state(),
    "dependencies": lambda execution, _: dict(execution.host.dependencies) or None,
    "stream": lambda execution, _: execution.streamed,
    "images": lambda _, values: values.media("images"),
    "videos": lambda _, values: values.media("videos"),
    "audio": lambda _, values: values.media("audio"),
    "files": lambda _, values: values.media("files"),
}
exhaustive("runtime.agents.OFFERED", OFFERED, OFFERS, "definition.calling.OFFERS")


def keywords(run: Callable[..., Any], execution: Execution, values: Told) -> dict[str, Any]:
    """The arguments of `run` beside the prompt: those of `OFFERED` that its signature names. `**kwargs` names nothing."""
    try:
        _prompt, *parameters = inspect.signature(run).parameters.values()
    except (TypeError, ValueError):
        return {}
    found: dict[str, Any] = {}
    for each in parameters:
        if each.name in OFFERED and each.kind in (each.POSITIONAL_OR_KEYWORD, each.KEYWORD_ONLY):
            value = OFFERED[each.name](execution, values)
            if value is not None or each.default is each.empty:
                found[each.name] = value
    return found


def prompt(values: Told) -> Any:
    """The prompt of an agent: the previous content, or the run's input where that is None, with the answers to this step.

    A text is followed by the form, and by the rejected output and the feedback; a dict gets them under the names of `additional_data`.
    The text of earlier runs comes first; in a dict it is `workflow_history`.
    """
    asked, before = answered_prompt(values), values.history()
    if before is None:
        return asked
    if isinstance(asked, dict):
        return {**asked, HISTORY: before}
    return before if asked is None else f"{before}\n{written(asked)}"


HISTORY = "workflow_history"
"""The name of the text of earlier runs, in a prompt that is a dict."""


def answered_prompt(values: Told) -> Any:
    """The prompt of an agent without the session."""
    previous = values.previous()
    asked = previous if previous is not None else values.run_input()
    told = {name: value for name, value in values.said().items() if value is not None and value != {}}
    if not told:
        return asked
    if isinstance(asked, dict):
        return {**asked, **told}
    parts = [f"{heading}:\n{written(told[name])}" for name, heading in TOLD.items() if name in told]
    return "\n\n".join([written(asked), *parts] if asked is not None else parts)


TOLD = {
    "user_input": "A person gave these values",
    "previous_output": "Your previous output was rejected by a person. It was",
    "rejection_feedback": "The person's feedback on it",
}


def written(value: Any) -> str:
    """A value as text: itself, or as JSON where it is none."""
    return value if isinstance(value, str) else dumps(value, ensure_ascii=False, default=str)


# -- streams -----------------------------------------------------------------------------------------------------------------------

NOTHING: Any = object()


def piece_of(each: Any) -> Any:
    """The content of a piece of a stream; `NOTHING` for what is no piece of the output: its end, and what happens beside it."""
    if type(each) in PLAIN or isinstance(each, Mapping):
        return each
    if isinstance(each, OUTCOMES):
        return NOTHING
    stands = standing(each)
    if type(each) is StepOutput or (stands is not None and stands.how != RUNNING):
        return NOTHING
    event = by_word(said(each, "event"))
    if event is not None and not event.word.endswith("CONTENT"):
        return NOTHING
    content = getattr(each, "content", None)
    return content if content is not None else NOTHING


def joined(yielded: list[Any]) -> Any:
    """The result of a stream: the last `StepOutput`, what says last that it is over, else the texts joined, or the last value."""
    outputs = [each for each in yielded if type(each) is StepOutput]
    if outputs:
        return outputs[-1]
    ended = [each for each in yielded if isinstance(each, OUTCOMES)]
    if ended:
        return ended[-1]
    stands = [(each, standing(each)) for each in yielded]
    over = [each for each, how in stands if how is not None and how.how != RUNNING]
    if over or not yielded:
        return over[-1] if over else None
    pieces = [content for each in yielded if (content := piece_of(each)) is not NOTHING]
    if stands[-1][1] is None and pieces and all(type(each) is str for each in pieces):
        return "".join(pieces)
    return yielded[-1]
