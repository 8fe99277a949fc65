"""Drivers perform the effects of `core.loop`, and nothing else; they alone run user code.

Theory of operation. An `Execution` is a claimed run in this process: it turns a `Commit` into the boundary that the store takes, and the end
of a call into the event that the reducer takes. `sync.drive` and `aio.drive` differ only in how a call is made and waited for. Both are
streams of what was committed; whoever wants only the end exhausts them. The commit comes first: a call begins when the intention is durable.
"""

from .execution import Execution, of_record
from .host import Host, wall_clock

__all__ = ["Execution", "Host", "of_record", "wall_clock"]
