"""The campaign of mutants changes one thing at a time, and notices who notices nothing."""

from __future__ import annotations

import ast
import random

from tests.mutants import __main__ as campaign


def test_a_mutant_is_one_change():
    """Each is Python, and differs from the file that it was made of in one place that is named."""
    every = campaign.mutants()
    assert {each.file.split("/")[1] for each in every} == {"core", "definition"}
    seed = random.randrange(1_000_000)  # noqa: S311  # to be repeatable
    print(f"seed {seed}")  # noqa: T201  # shown where the test fails
    for mutant in random.Random(seed).sample(every, 20):  # noqa: S311  # the same
        whole = ast.unparse(ast.parse((campaign.ROOT / mutant.file).read_text(encoding="utf-8"))).splitlines()
        other = campaign.mutated(mutant).splitlines()
        assert len(whole) == len(other), mutant
        assert sum(a != b for a, b in zip(whole, other, strict=True)) == 1, mutant


def test_survivors_are_told(monkeypatch, capsys, tmp_path):
    """Those that no test notices are printed and written down, and the exit code says so; a budget of nothing judges none."""
    monkeypatch.setattr(campaign, "is_killed", lambda _copy, mutant: mutant.number % 2 == 0)
    assert campaign.main(["--sample", "30", "--seed", "3", "--out", str(tmp_path / "said.json")]) == 1
    assert "survived: statecore/" in capsys.readouterr().out
    assert '"judged": 30' in (tmp_path / "said.json").read_text(encoding="utf-8")
    assert campaign.main(["--sample", "30", "--budget", "0"]) == 0
    assert "0 of 0 judged" in capsys.readouterr().out
