"""Model checking of a user's own workflow, through the real core: `check(workflow, [never(ran("pay")).unless(confirmed("approve"))])`.

Owns: graphs, properties and their verdicts. `world` plays the world against the core, which is asked once for each situation and
event; `graph` has all situations; `symmetry` makes situations equal that allow the same futures, so cycles close and no bound on
attempts is needed. A large workflow is checked in `parts`: in `branches` a step stands for a branch that no property names. A property
is a small automaton over moments of a run (`properties`, over `atoms`; `people` has what a rule says of those who decide); `wording`
reads it from text. `search` walks over pairs of a
situation and the property's memory, so each property carries just the facts that it names. Laws of one event are judged while the graph
is drawn; the other built-in properties follow from the graph (`builtin`), and one from the definition (`advice`). A refutation is the
shortest run there is, unless the check was in parts: `story` tells it, `replay` writes it as a test, `tla` writes the workflow for a
second checker.

Only control flow is checked: the value that user code returns is a choice. So a proof holds for all data, and a refutation is a
possible run. May enter: the core, lifecycles, definitions and errors. No store, no driver.

Start with `search.check`.
"""

from .atoms import (
    All,
    Atom,
    accepted,
    amended,
    answered,
    asked,
    cancelled,
    completed,
    confirmed,
    dies,
    edited,
    ended,
    errored,
    evaluated,
    expired,
    failed,
    fails,
    given,
    holds,
    left,
    provided,
    ran,
    refutes,
    rejected,
    retried,
    run_cancelled,
    run_completed,
    run_failed,
    selected,
    skipped,
    stops,
)
from .properties import Property, after, always_can_reach, at_most, mutually_exclusive, never, precedes, reachable, responds
from .replay import pytest_file
from .search import check
from .story import document, junit, mermaid, sarif, story
from .wording import Finding, Report, Verdict, parse

__all__ = [
    "All",
    "Atom",
    "Finding",
    "Property",
    "Report",
    "Verdict",
    "accepted",
    "after",
    "always_can_reach",
    "amended",
    "answered",
    "asked",
    "at_most",
    "cancelled",
    "check",
    "completed",
    "confirmed",
    "dies",
    "document",
    "edited",
    "ended",
    "errored",
    "evaluated",
    "expired",
    "failed",
    "fails",
    "given",
    "holds",
    "junit",
    "left",
    "mermaid",
    "mutually_exclusive",
    "never",
    "parse",
    "precedes",
    "provided",
    "pytest_file",
    "ran",
    "reachable",
    "refutes",
    "rejected",
    "responds",
    "retried",
    "run_cancelled",
    "run_completed",
    "run_failed",
    "sarif",
    "selected",
    "skipped",
    "stops",
    "story",
]
