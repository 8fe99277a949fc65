"""The command line. `statecore --help` lists the commands; `main` runs one and returns its exit code.

Theory of operation. A command that runs user code (`run`, `resume`, `tick`, `recover`, `demo`) names it by a *target* and follows the run: it shows
each event as it is committed, and at a pause asks a person, takes an answer from `--answers`, or leaves. A command that only reads or
decides needs the store and nothing else. What a command prints about a run comes from the store, never from its own memory. Modules:
`main` the group and its exits, `targets` and `stores` what is named, `screen` what is printed, `person` who answers, `following` a run as it
happens, `views` stored runs; and the commands. How a question is put in words is `statecore.asking`.
"""

from .main import main, script

__all__ = ["main", "script"]
