"""The runtime performs the effects of `core.loop`, and nothing else; it alone runs user code. It knows no facade.

Theory of operation. `launching` turns a call of `run` or `continue_run` into words of this room, `ready` makes a run ready: stored, checked,
claimed. An `Execution` is a claimed run in this process: it turns a `Commit` into the boundary that the store takes, and the end of a call into
the event that the reducer takes. `sync.drive` and `aio.drive` differ only in how a call is made and waited for; both are streams of what was
committed. `storing` commits, renews and gives back; `calls` and `inputs` are what user code sees. `worker` drives many runs, `doctor` names those
that nothing moves. The commit comes first: a call begins when the intention is durable. Start at `sync.drive`.
"""

from .execution import Execution, of_record
from .host import Host

__all__ = ["Execution", "Host", "of_record"]
