"""The nearest word: what an unknown command or option may have meant, by its letters or because people call the same thing so (OBS-6)."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

import click

from statecore.lifecycles.decisions import CONFIRM, EDIT, INPUT, REJECT, RETRY, SELECT

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from statecore.lifecycles import DecisionWord

WORDS: dict[str, DecisionWord] = {
    **dict.fromkeys(("accept", "allow", "approve", "yes"), CONFIRM),
    **dict.fromkeys(("decline", "deny", "refuse", "no"), REJECT),
    **dict.fromkeys(("fill", "give"), INPUT),
    **dict.fromkeys(("choose", "pick"), SELECT),
    **dict.fromkeys(("fix", "replace"), EDIT),
    "rerun": RETRY,
}
"""The words of people for a decision."""
COMMANDS = {
    **{said: meant.word for said, meant in WORDS.items()},
    "abort": "cancel", "kill": "cancel", "stop": "cancel", "terminate": "cancel",
    "continue": "resume", "go": "resume", "start": "run", "submit": "run",
    "history": "show", "inspect": "show", "logs": "show", "status": "show", "trace": "show",
    "list": "runs", "ls": "runs", "questions": "pending", "waiting": "pending",
    "health": "doctor", "repair": "doctor", "upgrade": "migrate", "serve": "worker", "work": "worker", "draw": "diagram",
}  # fmt: skip
OPTIONS = {
    "--reason": "--comment", "--note": "--comment", "--message": "--comment", "--why": "--comment", "-m": "--comment",
    "--user": "--by", "--who": "--by", "--as": "--by", "--name": "--by",
    "--store": "--db", "--file": "--db", "--database": "--db", "--url": "--db",
    "--follow": "--watch", "--tail": "--watch", "--format": "--json", "--output": "--json",
    "--verbose": "--log-level", "-v": "--log-level", "--debug": "--log-level", "--workers": "--concurrency", "--port": "--metrics",
}  # fmt: skip


def nearest(word: str, known: Iterable[str], synonyms: dict[str, str]) -> str | None:
    """The known word that a word, or one that it nearly spells, stands for; None where none is near."""
    names = list(known)
    meant = {said: name for said, name in synonyms.items() if name in names} | {name: name for name in names}
    near = [word.lower()] if word.lower() in meant else get_close_matches(word.lower(), meant, 1)
    return meant[near[0]] if near else None


def no_command(word: str, known: Sequence[str], ctx: click.Context) -> click.UsageError:
    """The refusal of an unknown command, with the nearest one."""
    from statecore.asking.text import clean  # noqa: PLC0415  # only a refusal needs it

    near = nearest(word, known, COMMANDS)
    end = f" Did you mean {near!r}?" if near else " `statecore --help` lists the commands."
    return click.UsageError(f"No such command {clean(word)!r}.{end}", ctx)


def no_option(error: click.NoSuchOption, command: click.Command) -> click.UsageError:
    """The refusal of an unknown option, with the nearest one of its command."""
    from statecore.asking.text import clean  # noqa: PLC0415  # the same

    known = [name for each in command.params if isinstance(each, click.Option) for name in each.opts]
    near = nearest(error.option_name, known, OPTIONS)
    end = f" Did you mean {near}?" if near else f" `statecore {command.name} --help` lists the options."
    return click.UsageError(f"No such option {clean(error.option_name)}.{end}", error.ctx)
