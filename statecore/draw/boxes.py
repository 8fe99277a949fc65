"""The texts of a picture of a workflow: what a box says of a component, and what a run has made of it.

A box is a phase of a component, by its lifecycle table and the facts at its address; no kind is known by hand. Numbers are read
beside the tables, where a limit decides: reviews, retries, iterations. `Past` says of a component in a run its state, its attempt,
its iteration, and the person who decided.
"""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING

from attrs import field, frozen

from statecore.core.facts import after_iteration, knows
from statecore.lifecycles import KINDS, TABLES, allowed, fire
from statecore.lifecycles import words as w

from .picture import ident, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from statecore.core import Address, Program
    from statecore.core import Node as Component
    from statecore.lifecycles import Holds, Table

FAULTS = (w.fail, w.interrupt)
EVERYWHERE = frozenset({*FAULTS, w.expire, w.stop, w.cancel, w.leave, w.resume, w.renew})
"""Triggers that are no choice of the way: faults and deadlines are written in the box, the others can come anywhere."""

# what the reader calls a trigger, a phase that is reached; any other is called by its own name
SAID = {w.succeed: "", w.finish: "", w.hold: "true", w.refute: "false", w.fail: "error"}
BECOMES = {w.failed: "fail", w.skipped: "skip", w.cancelled: "cancel"}
UNITS = ((86_400_000_000, "d"), (3_600_000_000, "h"), (60_000_000, "min"), (1_000_000, "s"))
NAME, MESSAGE_WIDTH, MESSAGE_LINES = 40, 38, 3
OVER = frozenset({w.completed, w.skipped, w.failed, w.cancelled})
WAITS = "waits for an answer"
STATES = {
    w.completed: "completed",
    w.skipped: "skipped",
    w.failed: "failed",
    w.cancelled: "cancelled",
    w.errored_paused: "failed",
    w.running: "running",
    w.evaluating: "running",
    w.judging: "running",
    w.backing_off: "waits to be tried again",
}
WHY = frozenset({w.skipped, w.failed, w.errored_paused, w.backing_off})


# -- what a component is, by its table and its facts -------------------------------------------------------------------------------


def table(node: Component) -> Table:
    """The lifecycle of a component."""
    return TABLES[node.machine]


def holds(node: Component) -> Holds:
    """The members of a component."""
    return KINDS[node.kind].holds


def facts_of(node: Component) -> frozenset[str]:
    """The guards that hold at a component as long as no limit is reached."""
    if holds(node) == "iterations" and node.limits.iterations == 1:
        return after_iteration(node, 0)
    if w.review_retries in node.facts and knows(node, w.person_rechooses):
        return node.facts | {w.person_rechooses if w.person_chooses in node.facts else w.selector_rechooses}
    return node.facts


def leads(node: Component, phase: str, trigger: str) -> str:
    """The phase to which a trigger leads."""
    return fire(node.machine, phase, trigger, facts_of(node))


def triggers(node: Component, phase: str) -> tuple[str, ...]:
    """The triggers for which a row holds here."""
    return allowed(node.machine, phase, facts_of(node))


def choices(node: Component, phase: str) -> tuple[str, ...]:
    """The triggers that choose the way."""
    return tuple(trigger for trigger in triggers(node, phase) if trigger not in EVERYWHERE)


def asks(node: Component, phase: str) -> bool:
    """Whether a person owes an answer in a phase."""
    return table(node).owes.get(phase) == "ask"


def pauses(node: Component, phase: str) -> bool:
    """Whether a fault leads to a pause."""
    return any(asks(node, leads(node, phase, each)) for each in FAULTS if each in triggers(node, phase))


def skips(node: Component, phase: str, trigger: str) -> bool:
    """Whether a fault can end in a skip, at once or by a person's word."""
    if trigger not in triggers(node, phase):
        return False
    dest = leads(node, phase, trigger)
    return dest == w.skipped or (asks(node, dest) and w.skip in triggers(node, dest))


def before(node: Component) -> tuple[str, ...]:
    """The phases that owe something and are met without a fault before a component's children run; all phases of a leaf."""
    return owing(node, met(node, table(node).initial))


def after(node: Component) -> tuple[str, ...]:
    """The phases that owe something and are met when a component's children are over."""
    earlier = before(node)
    found = [dest for trigger in choices(node, w.running) for dest in met(node, leads(node, w.running, trigger))]
    return tuple(phase for phase in owing(node, found) if phase not in earlier)


def met(node: Component, phase: str) -> list[str]:
    """The phases that are met from one on, in order; where a component has children they are not passed."""
    found = [phase]
    for one in found:
        if not (one == w.running and node.exits):
            found += [dest for dest in dict.fromkeys(leads(node, one, each) for each in choices(node, one)) if dest not in found]
    return found


def owing(node: Component, phases: list[str]) -> tuple[str, ...]:
    """Those of some phases in which the world owes something."""
    return tuple(phase for phase in dict.fromkeys(phases) if phase in table(node).owes)


# -- what is written -----------------------------------------------------------------------------------------------------------------


def written(program: Program, node: Component, phase: str) -> tuple[str, ...]:
    """The lines of a component's box in a phase."""
    if asks(node, phase):
        name = called(node)
        name += "" if name.endswith("?") else "?"
        says = (*message(node, phase), *authority(node), *rejections(node, phase), *deadline(node, phase))
        return name, phase.replace("_", " "), *says
    faults = [fault(program, node, phase, each) for each in FAULTS if each in triggers(node, phase)]
    late = deadline(node, w.errored_paused, "pause: ") if pauses(node, phase) else ()
    code = KINDS[node.kind].calls.get(phase)
    what = (code.says,) if code is not None and code.says else ()
    return called(node), *what, *again(node, phase), *faults, *late


def said(node: Component, phase: str, trigger: str) -> str:
    """The text on the arrow of a trigger."""
    says = KINDS[node.kind].says.get((phase, trigger), SAID.get(trigger, trigger))
    return f"{says}: skipped" if says and leads(node, phase, trigger) == w.skipped else says


def fault(program: Program, node: Component, phase: str, trigger: str) -> str:
    """The outcome of a fault, in words: `error → pause: retry, skip`."""
    dest = leads(node, phase, trigger)
    if dest == phase:
        becomes = w.retry
    elif asks(node, dest):
        becomes = f"pause: {', '.join(answer for answer in triggers(node, dest) if answer not in EVERYWHERE)}"
    else:
        becomes = BECOMES.get(dest, dest)
    left = f" (leaves {shown(program.nodes[node.leaves].name, NAME // 2)})" if node.leaves != node.at else ""
    then = "then " if trigger == w.fail and again(node, phase) else ""
    return f"{then}{SAID.get(trigger, trigger)} → {becomes}{left if skips(node, phase, trigger) else ''}"


def message(node: Component, phase: str) -> tuple[str, ...]:
    """The sentence that a person is shown, in lines short enough for a box."""
    sentence = node.asks.get(KINDS[node.kind].asks(phase))
    if not sentence:
        return ()
    return tuple(wrap(f"“{shown(sentence, MESSAGE_WIDTH * MESSAGE_LINES)}”", MESSAGE_WIDTH, break_on_hyphens=False))


def authority(node: Component) -> tuple[str, ...]:
    """The rule of who may decide: how many of whom, who may not, and who may later; a line each."""
    rule = node.rule
    if rule is None:
        return ()
    of = "people to be named" if rule.of is None else people(rule.of) if rule.of else "anybody"
    barred = [*(["the requester"] if rule.requester else []), *(f"deciders of {shown(at, NAME // 2)}" for at in rule.gates)]
    lines = [" and ".join([f"{rule.k} of {of}", *(f"1 of {people([each])}" for each in rule.also)])]
    lines += [f"not {', '.join(barred)}"] if barred else []
    for each in rule.escalations:
        more = "only " if each.instead else ""
        lines.append(f"after {duration(each.after)} {more}{people(each.to)}{'' if each.instead else ', too'}{number(each.k)}")
    lines += ["identified people only"] if rule.identified else []
    return tuple(lines)


def people(who: Iterable[str]) -> str:
    """People and roles, in words."""
    return " or ".join(shown(each, NAME) for each in who)


def number(k: int | None) -> str:
    """How many are needed from then on, where that is another number."""
    return "" if k is None else f", {k} needed"


def rejections(node: Component, phase: str) -> tuple[str, ...]:
    """How often a reviewed output may be rejected, and what follows then; a Loop's iterations are limited by themselves."""
    if phase != w.awaiting_review or w.review_retries not in node.facts or not knows(node, w.reviews_spent):
        return ()
    return (f"reject → again, at most {times(node.limits.reviews)}, then cancel",)


def deadline(node: Component, phase: str, where: str = "") -> tuple[str, ...]:
    """The outcome of silence: `timeout 2 h → skip`."""
    if node.limits.timeout is None or w.expire not in triggers(node, phase):
        return ()
    return (f"{where}timeout {duration(node.limits.timeout)} → {BECOMES.get(leads(node, phase, w.expire), 'approve')}",)


def again(node: Component, phase: str) -> tuple[str, ...]:
    """How often a call is tried again by itself, and after which delay."""
    if phase != w.running or not node.limits.retries:
        return ()
    late = f", after {duration(node.limits.delay)}" if node.limits.delay else ""
    later = f", each time {node.limits.backoff:g}-fold" if node.limits.delay and node.limits.backoff > 1 else ""
    return (f"error → again, at most {times(node.limits.retries)}{late}{later}",)


def times(number: int) -> str:
    """How often."""
    return "once" if number == 1 else f"{number} times"


def duration(micros: int) -> str:
    """A time in the largest unit in which it is a whole number."""
    size, unit = next(((size, unit) for size, unit in UNITS if micros and micros % size == 0), UNITS[-1])
    return f"{micros / size:.10g} {unit}"


def called(node: Component) -> str:
    """The name of a component, so that it can be seen."""
    return shown(node.name, NAME) or "(blank)"


def title(node: Component) -> str:
    """The heading of a frame."""
    kind = KINDS[node.kind]
    limit = f", at most {times(node.limits.iterations)}" if kind.holds == "iterations" else ""
    return f"{kind.title}: {called(node)}{limit}"


# -- ids -----------------------------------------------------------------------------------------------------------------------------


def place(at: Address) -> str:
    """The id of an address: its parts, joined by two underscores."""
    return "__".join(map(ident, at.split("/")))


def box(node: Component, phase: str) -> str:
    """The id of a box: the component's own for the call of a leaf, else with the phase behind it."""
    return place(node.at) if phase == w.running and not node.exits else f"{place(node.at)}___{phase}"


# -- what a run has made of a component --------------------------------------------------------------------------------------------


@frozen
class Past:
    """A component in a run: the phase it is in, and how it came there.

    `attempt` counts from 0, as a journal does; `iteration`, of the loop around it, from 1, and is 0 where there is none. `why` is the reason of
    a skip, or the name of the error that it failed of. `said` is what was decided in each phase: `confirm by ada`; `answer` what is decided of its
    open question, and counts when the run goes on.
    """

    phase: str
    attempt: int = 0
    iteration: int = 0
    why: str = ""
    said: Mapping[str, str] = field(factory=dict)
    answer: str = ""

    @property
    def waits(self) -> str:
        """The thing that its open question waits for."""
        return f"{self.answer}, when the run goes on" if self.answer else WAITS

    def lines(self) -> tuple[str, ...]:
        """Its state in a line; empty where it only waits at a gate, which says so itself, or has not begun."""
        says = STATES.get(self.phase, "")
        if not says:
            return ()
        why = f": {self.why}" if self.why and self.phase in WHY else ""
        asks = f", {self.waits}" if self.phase == w.errored_paused else ""
        attempt = f", attempt {self.attempt + 1}" if self.attempt else ""
        iteration = f", iteration {self.iteration}" if self.iteration else ""
        return (f"{says}{why}{attempt}{iteration}{asks}",)
