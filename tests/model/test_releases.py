"""Two releases that take turns on a run, in TLA+: adoption and lapse beside deciding, applying and expiring; each rule is needed (GATE-7, GATE-8)."""

from __future__ import annotations

import re

import pytest

from specs.model.tlc import SPECS, check

CONFIG = (SPECS / "Releases.cfg").read_text(encoding="utf-8")
NEEDED = {"answers": "RanAsMeant", "gates": "NoGateBypassed"}
"""Each rule, and the invariant that does not hold without it."""


@pytest.mark.spec("GATE-7", "GATE-7a", "GATE-8")
def test_no_gate_is_bypassed_over_two_releases(tmp_path):
    """Over every pair of releases of three steps, in every order of processes, no gate is bypassed, and a yes lets run what it was given to."""
    found = check(tmp_path, "Releases.tla", "Releases.cfg")
    assert found.holds, found.text
    assert "70752 distinct states" in found.text


@pytest.mark.parametrize("rule", NEEDED)
def test_each_rule_is_needed(tmp_path, rule):
    """Without the rule the invariant is refuted by a run."""
    kept = ", ".join(f'"{each}"' for each in NEEDED if each != rule)
    left = re.sub(r"Rules = .*", f"Rules = {{{kept}}}", re.sub(r"INVARIANT \w+\n", "", CONFIG)) + f"INVARIANT {NEEDED[rule]}\n"
    found = check(tmp_path, "Releases.tla", "Releases.cfg", modules={"Releases.cfg": left})
    assert f"Invariant {NEEDED[rule]} is violated" in found.text
