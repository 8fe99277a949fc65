"""Pictures of lifecycles and workflows: generated from what runs, never drawn by hand.

Owns: three parts, each ignorant of the next. *What to draw* (`workflow`, with the words of `boxes`): `draw_lifecycle(table)` turns a
lifecycle's rows into a `Picture`; `draw_workflow(program)` lets each component walk its own table under the facts of its address, so
a rule that changes in a table changes in the picture. With a state and a `Past` for each address the same picture shows a run. *The
picture* (`picture`) is a plain graph: nodes, arrows, frames, in reading order. All text passes `shown` and all ids pass `ident` on
the way in, so no name can steer a terminal, hide, or grow without end. *Writers* only quote: `dot` (`to_dot`, and `to_svg` with the
`diagrams` extra) and `text` (`to_text`, `to_mermaid`, `to_markdown`, `outcomes`). The same picture gives the same bytes.

Kinds, and with them shapes and colours, are one table (`picture.LOOKS`); ids and kinds are the `id` and `class` of the SVG's
elements: `<picture>-<node>`, so `step-running` or `publish-review`. In a workflow the id of an address is its parts joined by two
underscores; that of a gate has its phase behind three: `publish-review___awaiting_confirmation`.

May enter: the core, lifecycles and errors. No store, no driver. `python -m specs.tools.draw` writes the folder `diagrams/`, and with
`--check` fails where it differs.

Start with `workflow.draw_lifecycle`.
"""

from .boxes import Past, place
from .dot import to_dot, to_svg
from .picture import Arrow, Box, Cluster, Picture, ident, shown
from .text import outcomes, to_markdown, to_mermaid, to_text
from .workflow import draw_lifecycle, draw_workflow

__all__ = [
    "Arrow",
    "Box",
    "Cluster",
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
