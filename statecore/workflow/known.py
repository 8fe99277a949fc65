"""The types that a workflow makes known: those of its `types`, and those that the annotations of its callables name (VALUE-1)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from statecore.codec import learn_from, register_type
from statecore.definition.agents import is_adapter
from statecore.errors import RefusedCodec, UnsupportedSetting, described
from statecore.lifecycles import KINDS
from statecore.runtime import agents

if TYPE_CHECKING:
    from statecore.core import Compiled


def learn(where: str, compiled: Compiled, types: Sequence[Any], input_schema: Any) -> None:
    """Make the types of a workflow known in this process. Raises `UnsupportedSetting` for an item of `types` that is no type of values."""
    if isinstance(types, str) or not isinstance(types, Sequence):
        raise UnsupportedSetting(where, "types", f"it is a list of classes and modules, not {described(types)}")
    for kind in types:
        try:
            register_type(kind)
        except RefusedCodec as refusal:
            raise UnsupportedSetting(where, f"types=[{refusal.kind}]", refusal.why) from refusal
    learn_from(callables(compiled))
    if isinstance(input_schema, type):
        learn_from([input_schema])


def callables(compiled: Compiled) -> Iterator[Any]:
    """The callables of a workflow: executors, evaluators, selectors, end conditions, predicates, and how agents are asked."""
    for at, component in compiled.components.items():
        for code in KINDS[compiled.program.nodes[at].kind].calls.values():
            called = attrgetter(code.setting)(component)
            if callable(called):
                yield called
        agent = getattr(component, "agent", None)
        if agent is not None:
            yield agent.start if is_adapter(agent) else agents.run_of(agent)
