"""Pictures of lifecycles and workflows: generated from what runs, never drawn by hand.

Theory of operation. Three parts, each ignorant of the next. *What to draw*: `draw_lifecycle(table)` turns a lifecycle's rows into a
`Picture`; `draw_workflow(program)` turns a compiled workflow into one by letting each component walk its own table under the facts of
its address, so a rule that changes in a table changes in the picture. With a state and a mapping of what became of each address (`Past`),
the same picture shows a run. *The picture* is a plain graph: nodes, arrows, frames, in reading order. All text passes `shown` and all
ids pass `ident` on the way in, so no name can steer a terminal, hide, or grow without end. *Writers*, one for each format, only quote:
`to_mermaid`, `to_dot`, `to_svg` (laid out by Graphviz, the `diagrams` extra), `to_text` for a terminal, `to_markdown` and `outcomes` as
tables. The same picture gives the same bytes.

Kinds, and with them shapes and colours, are one table (`look.LOOKS`); ids and kinds are the `id` and `class` of the SVG's elements:
`<picture>-<node>`, so `step-running` or `publish-review`. Inside a workflow the id of an address is its parts joined by two underscores,
that of a gate has its phase behind three: `publish-review___awaiting_confirmation`.

`python -m specs.tools.draw` writes the folder `diagrams/`: the lifecycles, the floors of the package (`draw_floors`) and the workflows of
`statecore.examples`. With `--check` it fails where the folder differs from what runs. Both need the source of the package.
"""

from .boxes import Past, place
from .dot import to_dot, to_svg
from .picture import Cluster, Edge, Node, Picture, ident, shown
from .text import outcomes, to_markdown, to_mermaid, to_text
from .workflow import draw_lifecycle, draw_workflow

__all__ = [
    "Cluster",
    "Edge",
    "Node",
    "Past",
    "Picture",
    "draw_lifecycle",
    "draw_workflow",
    "ident",
    "outcomes",
    "place",
    "shown",
    "to_dot",
    "to_markdown",
    "to_mermaid",
    "to_svg",
    "to_text",
]
