"""pydantic-graph: a chain of steps in memory; it has neither a store nor a pause."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from pydantic_graph import GraphBuilder, StepContext

from tests.bench.peers.timing import Work, asked, different, steps, tell


def running(length: int) -> Work:
    """A run of so many trivial steps."""
    builder: Any = GraphBuilder(input_type=str, output_type=str)

    async def trivial(_: StepContext[None, None, str]) -> str:
        return different()

    made = [builder.step(trivial, node_id=f"s{n}") for n in range(length)]
    path = [builder.start_node, *made, builder.end_node]
    builder.add(*[builder.edge_from(before).to(after) for before, after in pairwise(path)])
    graph = builder.build()
    return lambda: graph.run_sync(inputs="")


def main() -> None:
    """Measure and print."""
    lengths, _, _ = asked()
    tell(["pydantic-graph"], memory=steps(running, lengths), setting="in memory only")


if __name__ == "__main__":
    main()
