"""The command line. `statecore --help` lists the commands; `main` runs one and returns its exit code.

Owns: the commands and their screen. A command that runs user code names it by a *target* (`targets`) and follows the run
(`following`): it shows each event as it is committed, and at a pause asks a person (`person`), takes an answer from `--answers`, or
leaves. A command that only reads or decides needs the store (`stores`) and no code. The text about a run comes from the store
(`views`), never from the command's own memory. `console` performs `print_response` and `cli_app` of a workflow.
`main` is the group and the one place where errors become messages; `exits` has the
codes, `screen` the options and the lines, `logs` the lines of the log, `timeline` the bars of a run, `trail` its rows for an auditor,
`nearest` the word that an unknown one may mean. The commands: `running` (run, resume, recover, tick), `demo` (and `demo_inbox`), `listing`
(runs, pending, show), `deciding` (confirm and the other decisions, withdraw,
cancel; `meaning` finds the question that is meant), `care` (verify, doctor, backup), `setting_aside` (quarantine),
`ending` (purge, erase, compact), `rotating` (rotate) and the `keys` that commands take, `auditing` (archive, audit),
`migrating` (migrate), `working` (worker), `reviewing` (inbox), `check` (check, export), `diagram`. Only the modules of the command
that was typed are imported.

May enter: all rooms but `testing`. How a question is put in words is `statecore.asking`.

Start with `main.COMMANDS`.
"""

from .main import main, script

__all__ = ["main", "script"]
