"""A word that is added to the table of decisions alone is refused by each place that needs code for it, and the guide lists these places."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "specs" / "guide" / "adding-to-it.md"
TOY = """
import importlib, json, pkgutil, sys
from statecore import lifecycles
toy = lifecycles.DecisionWord("toy", {"confirmation": "confirm"}, "value", "toy", "Play.", "toy:1")
lifecycles.DECISION_WORDS = (*lifecycles.DECISION_WORDS, toy)
"""
EVERYWHERE = """
import statecore
said, check = [], lifecycles.exhaustive
def told(*arguments):
    try:
        check(*arguments)
    except ValueError as error:
        said.append(str(error))
lifecycles.exhaustive = told
for package in ("output", "asking", "runtime", "workflow", "cli", "stores", "draw", "check", "testing"):
    found = importlib.import_module(f"statecore.{package}")
    for each in pkgutil.iter_modules(found.__path__, found.__name__ + "."):
        importlib.import_module(each.name)
print(json.dumps(said))
"""


def python(script: str) -> subprocess.CompletedProcess[str]:
    """A script in a fresh process, which has imported nothing of the package."""
    return subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)


def places() -> list[str]:
    """The places that the guide's table for a word lists."""
    section = PAGE.read_text(encoding="utf-8").partition("\n## A component")[0]
    return re.findall(r"^\| `([a-zA-Z_.]+)` \|", section, re.MULTILINE)


def test_the_places_that_refuse_a_new_word_are_those_of_the_guide():
    """With a toy word in the table, exactly the places that the guide lists refuse, each naming itself and the word that it lacks."""
    done = python(TOY + EVERYWHERE)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert sorted(re.sub(r" lacks 'toy'\. .*", "", each) for each in said) == sorted(places())


def test_an_import_ends_with_the_refusal():
    """The first place that lacks the word ends the import of each module that has such a table."""
    modules = {"output.requirement", "cli.deciding"}
    found = {module: python(f"{TOY}importlib.import_module('statecore.{module}')") for module in modules}
    assert {
        module for module, done in found.items() if re.search(r"^ValueError: [\w.]+ lacks 'toy'\.", done.stderr, re.MULTILINE)
    } == modules


def test_without_a_new_word_no_place_refuses():
    """The table as it is satisfies every place."""
    done = python(TOY.rpartition("lifecycles.DECISION_WORDS =")[0] + EVERYWHERE)
    assert (done.returncode, done.stdout.strip()) == (0, "[]"), done.stderr
