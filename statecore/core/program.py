"""A program is the user's workflow compiled: a mapping from symbolic address to node. It holds no user code and no positions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from hashlib import sha256
from json import dumps, loads
from operator import attrgetter
from typing import Any, TypeAlias

from attrs import field, fields, frozen

from .rule import Rule, read_rule

Address: TypeAlias = str
Micros: TypeAlias = int
"""An instant or a length of time, in whole microseconds; an instant counts from 1970, UTC."""
Seconds: TypeAlias = float
"""A length of time, or an instant of a monotonic clock, in seconds."""

ROOT: Address = ""
DANGEROUS = "dangerous"
"""The fact of a component that its user marked; no row asks for it. It is in the canonical form, as all facts are, only where it is set."""


def below(parent: Address, name: str) -> Address:
    """The address of `name` inside `parent`; a slash in a name is written `~1` and a tilde `~0`."""
    part = name.replace("~", "~0").replace("/", "~1")
    return f"{parent}/{part}" if parent else part


@frozen
class Limits:
    """The numbers of a node: how often, how long, how many at once. Times are whole microseconds; None means no limit."""

    retries: int = 0
    delay: Micros = 0
    backoff: float = 1.0
    reviews: int = 0
    iterations: int = 0
    forwards: bool = False
    concurrency: int | None = None
    timeout: Micros | None = None
    asks: int = 0
    """How many questions the code of a step may ask in one visit (ASK-4)."""


UNLIMITED = Limits()
NUMBERS = attrgetter(*[part.name for part in fields(Limits) if part.name != "asks"])
"""The numbers of a node, in their order, but for `asks`: it is in the canonical form only where it is set."""


@frozen
class Node:
    """One component at its address: `kind` is a name of `lifecycles.KINDS`, `machine` one of `lifecycles.TABLES`.

    `next` is the address after it: its sibling, or its `parent` where it is the last. `exits` says where a component is entered: by
    the trigger that enters it (`confirm` -> the first of its steps), for a Router or Parallel by the name of a choice or branch. `facts`
    are the guards that hold here. `leaves` is the component that is left as a unit when an error here is skipped. A `transparent`
    component that is not entered lets the previous content flow through. `depth` counts the loops and routers around it. `asks` are the sentences
    shown with each kind of question, `label` is the name that outsiders know a step by, `form` are the fields of a user input as plain data,
    `multiple` says whether several choices may be made, `callable` names the user code (`module:qualname`); none of them decides anything.
    A stored program has none of them: they are None. `version` is the user's number for what the code means; None where none is set.
    `rule` says who may decide about its questions; None where every person may.
    """

    at: Address
    name: str
    kind: str
    machine: str
    parent: Address
    next: Address
    index: int
    facts: frozenset[str]
    leaves: Address
    exits: Mapping[str, Address] = field(factory=dict)
    transparent: bool = False
    depth: int = 0
    limits: Limits = UNLIMITED
    asks: Mapping[str, str | None] = field(factory=dict)
    label: str | None = None
    form: tuple[Mapping[str, Any], ...] | None = None
    multiple: bool | None = None
    callable: str | None = None
    version: int | None = None
    rule: Rule | None = None

    @property
    def step_id(self) -> str:
        """The public name of this component: the `step_id` that its step was given, or else its address."""
        return self.label or self.at


@frozen
class Program:
    """A compiled workflow: its nodes by address, and the fingerprint of all that the semantics depends on."""

    name: str
    nodes: Mapping[Address, Node]
    first: Address
    canonical: str
    fingerprint: str
    named: Mapping[str, tuple[Address, ...]]
    version: int | None = None
    """The version of the workflow, where one is set."""
    memo: dict[Any, Any] = field(factory=dict, init=False, eq=False, repr=False)
    """The memory of `memo.recall`."""
    slices: dict[Any, Any] = field(factory=dict, init=False, eq=False, repr=False)
    """The slices that `evidence.slices` has made."""
    worded: set[Any] = field(factory=set, init=False, eq=False, repr=False)
    """Questions of runs that were found to be put in the words of this very program: they need not be read again."""
    ruled: tuple[Node, ...] = field(init=False, eq=False, repr=False)
    """The components that say who may decide (AUTH-1), found once: a run asks for them as often as it is looked at."""

    @ruled.default
    def _find_ruled(self) -> tuple[Node, ...]:
        return tuple([node for node in self.nodes.values() if node.rule is not None])

    def __getitem__(self, at: Address) -> Node:
        """The node at an address."""
        return self.nodes[at]

    def ancestors(self, at: Address) -> Iterator[Node]:
        """The components around `at`, innermost first, without the run itself."""
        at = self.nodes[at].parent
        while at != ROOT:
            node = self.nodes[at]
            yield node
            at = node.parent

    def within(self, at: Address, unit: Address) -> bool:
        """Whether `at` lies inside the component `unit`; everything lies inside the run."""
        return unit == ROOT or any(node.at == unit for node in self.ancestors(at))


def assemble(name: str, nodes: Mapping[Address, Node], first: Address, version: int | None = None) -> Program:
    """A program from its nodes: canonical form, fingerprint and index of names are derived. A version is in the form where it is set."""
    whole = [name, first, [row_of(node) for node in nodes.values()], *([] if version is None else [version])]
    return of_form(name, nodes, first, version, dumps(whole, ensure_ascii=True, separators=(",", ":")))


def of_form(name: str, nodes: Mapping[Address, Node], first: Address, version: int | None, canonical: str) -> Program:
    """A program from its nodes and the canonical form that says the same."""
    named: dict[str, tuple[Address, ...]] = {}
    for node in nodes.values():
        named[node.name] = (*named.get(node.name, ()), node.at)
    return Program(name, nodes, first, canonical, sha256(canonical.encode()).hexdigest(), named, version)


def row_of(node: Node) -> list[Any]:
    """A node as a row of the canonical form: all that the semantics depends on; not the sentences that people are shown."""
    place = [
        node.at,
        node.name,
        node.kind,
        node.machine,
        node.parent,
        node.next,
        node.index,
        node.leaves,
        node.transparent,
        node.depth,
    ]
    version = [] if node.version is None and node.rule is None else [node.version]
    rule = [] if node.rule is None else [node.rule.plain()]
    asks = [node.limits.asks] if node.limits.asks else []
    return [*place, sorted(node.facts), dict(node.exits), [*NUMBERS(node.limits), *asks], *version, *rule]


def stored_program(canonical: str) -> Program:
    """The program that a canonical form was written of; equal to it but for the sentences that people are shown, which pauses carry."""
    name, first, rows, *versions = loads(canonical)
    nodes: dict[Address, Node] = {}
    for at, label, kind, machine, parent, after, index, leaves, transparent, depth, facts, exits, limits, *more in rows:
        nodes[at] = Node(
            at, label, kind, machine, parent, after, index, frozenset(facts), leaves, exits, transparent, depth, limited(*limits),
            version=next(iter(more), None), rule=read_rule(more[1]) if len(more) > 1 else None,
        )  # fmt: skip
    return of_form(name, nodes, first, next(iter(versions), None), canonical)


@lru_cache(maxsize=64, typed=True)
def limited(*numbers: Any) -> Limits:
    """The numbers of a node, made once: many nodes have the same."""
    return Limits(*numbers)
