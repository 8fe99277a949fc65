"""The runtime performs the effects of `core.loop`; it alone calls user code, and it knows no facade.

Owns: one run in one process, from the request to the boundary that parks it. `host` has what varies around a run, and `Runnable`, a workflow as far
as this room knows it. `launching` begins a run or resumes one; `answers` checks an answer against its question, `asked` one to a question that code
asks; `ready` reads, checks and claims a stored run, `judge` says whether this definition may continue it, `standing` in which answers it stands,
`renewals` which questions are put again, and `meanings` has the hashes of what their words lead to;
`voting` has what votes say. An `Execution` (`execution`) is a claimed run
in this process: it turns a `Commit` into the boundary that the store takes; `forms` has what plain ones have in common, `showing` the data of
questions. `calls` calls user code, which `past` lets look back, `agents` judges the results of agents, `toolcalls` lets one go on with the
`verdicts` on its tool calls, `pieces` exhausts generators, `cel` evaluates an expression, and `ends` turns the end of a call, or what a person
said, into the event that the reducer takes; `sharing` lays what a call did to the session state over what others left; `traces` words the traceback
of a failure. `storing` commits, renews and gives back. `sync` and `aio` are the two drivers; they differ only in how a call is made and waited for,
and both are streams of commits. `flights` are the calls on their way; `hands` has the threads and event loops on which they run, `stopping` the
request that tells one to stop, and `delays` the waiting for a retry. `observing` tells the log, and the `observers` of the host, of each boundary
and call. `keyboard` holds Ctrl-C back; `limits` keeps the calls that were given up, `suspects` are those that a death has marked. `worker` drives
many runs, which `jobs` describes; `backoff` repeats what fails with growing distance, `doctor` names the runs that nothing moves. One rule: the
commit comes first, and a call begins when the intention is durable.

May enter: the core, its codec, definitions and stores. No facade, no screen, no database.

Start with `sync.drive`; the guide page "A step's result travels" follows one value through these files.
"""

from .execution import Execution, of_record
from .host import Host

__all__ = ["Execution", "Host", "of_record"]
