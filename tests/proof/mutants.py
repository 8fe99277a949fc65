"""Cores with one line changed, in another process and never on disk; the comparison has to notice each.

`python -m tests.proof.mutants DRIVER NAME SIZE` prints what one mutant makes differ, as JSON.
"""

from __future__ import annotations

import importlib.abc
import importlib.util
import json
import resource
import signal
import subprocess
import sys
from functools import partial
from itertools import zip_longest
from pathlib import Path

ROOT = Path(__file__).parents[2]
CORE = "statecore.core."
PATIENCE = {"sample": 10, "full": 90}
"""Seconds of a processor for one mutant; one that is not noticed takes a third of them."""

# name: (module, what is there, what is there instead)
MUTANTS: dict[str, tuple[str, str, str]] = {
    "a failed run hears its calls": ("reducer", "if draft.run == w.failed:  #", "if False:  #"),
    "a reopening of a paused run is heard": ("reducer", "if draft.run != w.failed:  #", "if False:  #"),
    "a resume at a cursor is heard": ("reducer", " and event.trigger != w.resume:  #", ":  #"),
    "expire without a deadline is heard": ("reducer", "event.trigger == w.expire and cursor.marks.due is None", "False"),
    "the attempt is not compared": ("reducer", " and cursor.attempt == event.attempt", ""),
    "the turn is not compared": ("reducer", " and cursor.turn == event.turn", ""),
    "a failure does not hold others back": ("reducer", "draft.is_failing() or is_full(draft, cursor)", "is_full(draft, cursor)"),
    "one branch more than the bound": ("reducer", ">= limit", "> limit"),
    "an ending holds nobody back": ("reducer", "held = draft.endings and draft.is_ending(cursor)", "held = False"),
    "an ending does not wait for calls": ("reducer", "draft.owes_call(cursor) or cursor.phase in", "cursor.phase in"),
    "an ending does not wait for failures": ("reducer", "cursor.phase in (w.failed, w.cancelled)", "cursor.phase == w.cancelled"),
    "branches begin together": ("reducer", "draft.fresh += beside  #", "draft.fresh[:0] = beside  #"),
    "waiting branches begin under an ending": ("reducer", " and not draft.is_ending(cursor):", ":"),
    "a cancelled run keeps its result": ("reducer", "    draft.result = None\n", ""),
    "a cancelled run keeps its frames": (
        "reducer",
        "draft.cursors, draft.fresh, draft.frames, draft.endings = [], [], [], []",
        "draft.cursors, draft.fresh, draft.endings = [], [], []",
    ),
    "a reopened run does not fire its groups": (
        "reducer",
        "for node, turn in reversed(draft.open_nodes()):",
        "for node, turn in ():",
    ),
    "a failed run does not fire its groups": ("reducer", "for node, turn in draft.open_nodes():", "for node, turn in ():"),
    "a paused run is not resumed by a word": ("reducer", "if draft.run == w.paused:", "if False:"),
    "a skip hands on what was there": ("path", "cursor.prev if node.transparent else None", "cursor.prev"),
    "an error skip hands on what was there": (
        "path",
        "go_on(draft, node, cursor.turn[: node.depth], None, cursor.last)",
        "go_on(draft, node, cursor.turn[: node.depth], cursor.prev, cursor.last)",
    ),
    "a step that stops is any step": ("path", "trigger == w.stop or cursor.marks.stopping", "trigger == w.stop"),
    "the frame keeps deaths": (
        "path",
        "evolve(cursor.marks, interrupts=0, output=None, due=None, deaths=0)",
        "evolve(cursor.marks, output=None, due=None)",
    ),
    "a choice is judged before the last": ("path", "node.facts if not frame.rest else", "node.facts if True else"),
    "choices run twice": ("path", "rest=frame.rest[1:]", "rest=frame.rest"),
    "forwarding is the rule": ("path", "if number and node.limits.forwards else", "if number else"),
    "a word does not reset the retries": ("path", "0 if trigger in BY_PERSON else was.retries", "was.retries"),
    "one retry more": ("facts", "cursor.marks.retries < node.limits.retries", "cursor.marks.retries <= node.limits.retries"),
    "one death more": ("facts", "MAX_INTERRUPTS = 3", "MAX_INTERRUPTS = 4"),
    "one iteration more": ("facts", "iteration + 1 >= node.limits.iterations", "iteration >= node.limits.iterations"),
    "one review more": ("facts", "cursor.marks.reviews >= node.limits.reviews", "cursor.marks.reviews > node.limits.reviews"),
    "the innermost is left last": ("draft", "(-each[0].at.count", "(each[0].at.count"),
    "an ending inside goes on twice": ("path", "elif all(e.at != unit.at for e in draft.endings):", "else:"),
}


class Loader(importlib.abc.Loader):
    """Loads a module from a changed text."""

    def __init__(self, text: str, file: Path) -> None:
        self.text, self.file = text, file

    def create_module(self, spec):
        """Python makes the module."""

    def exec_module(self, module):
        """Run the changed text."""
        exec(compile(self.text, str(self.file), "exec"), module.__dict__)  # noqa: S102  # the core's own text, changed


class Finder(importlib.abc.MetaPathFinder):
    """Finds one module changed; all others are found as always. Raises LookupError where there is nothing to change."""

    def __init__(self, name: str) -> None:
        module, old, new = MUTANTS[name]
        self.name, self.file = CORE + module, ROOT / "statecore/core" / f"{module}.py"
        text = self.file.read_text(encoding="utf-8")
        if old not in text:
            message = f"{name}: {module}.py has no {old!r}"
            raise LookupError(message)
        self.text = text.replace(old, new)

    def find_spec(self, name, path, target=None):
        """The changed module, where it is asked for."""
        return (
            importlib.util.spec_from_loader(name, Loader(self.text, self.file), origin=str(self.file))
            if name == self.name
            else None
        )


def judged(driver: Path, name: str, size: str = "sample") -> dict[str, int]:
    """What a mutant makes differ: answers in all, in runs that are over; whether the core broke down, or does not come to rest."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.proof.mutants", str(driver), name, size],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=partial(limited, PATIENCE[size]),  # no thread of this process holds a lock that the child needs
    )
    if done.returncode == -signal.SIGXCPU:
        return {"differences": 1, "endless": 1}
    if done.returncode != 0:
        raise RuntimeError(done.stderr[-2000:])
    found: dict[str, int] = json.loads(done.stdout)
    return found


def limited(seconds: int) -> None:
    """Bound the processor time of this process: a changed core may go round for ever."""
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 10))


def main(driver: str, name: str, size: str) -> int:
    """Compare the changed core with the model until something differs, and print the counts."""
    if name:
        sys.meta_path.insert(0, Finder(name))
    from specs.model.programs import ending, pausing, random_programs
    from specs.proof import tables
    from specs.proof.model import Model
    from tests.proof.comparing import Comparison, compared
    from tests.proof.workflows import larger, telling

    few = size == "sample"
    walked = [[*ending(), *pausing()], *([program] for program in larger(15 if few else 200, 1))]
    drawn = [[program] for program in (*ending(), *telling(), *random_programs(4 if few else 20, 7))]
    walks = (1 if few else 2, 16 if few else 25, 100 if few else 400)
    with Model(Path(driver)) as model:
        found = Comparison(model)
        try:
            for number, (walking, drawing) in enumerate(zip_longest(walked, drawn, fillvalue=())):
                if not found.differences:
                    compared(model, walking, drawing, number, walks, found)
        except Exception as error:  # noqa: BLE001  # a changed core may break down anywhere, and is noticed by that, too
            found.counts["breakdowns"] += 1
            found.differ(repr(error))
    counts = {
        what: found.counts[what]
        for what in ("differences", "differences in runs that are over", "answers", "refusals", "breakdowns")
    }
    sys.stdout.write(json.dumps(counts | {"drift": len(tables.drift())}) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
