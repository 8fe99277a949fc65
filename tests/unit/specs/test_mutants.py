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
    """Those that no test notices are printed and written down, and the exit code says so; what a budget leaves out is not judged."""
    blind = tmp_path / "test_blind.py"
    blind.write_text("def test_nothing():\n    assert True\n", encoding="utf-8")
    monkeypatch.setattr(campaign, "STAGES", ([str(blind)],))
    said = tmp_path / "said.jsonl"
    assert campaign.main(["--sample", "2", "--seed", "3", "--out", str(said)]) == 1
    assert capsys.readouterr().out.count("survived: ") == 2
    assert len(said.read_text(encoding="utf-8").splitlines()) == 2
    monkeypatch.setattr(campaign, "judged", lambda drawn, *_: [(each, True) for each in drawn])  # whatever is not written there
    assert campaign.main(["--sample", "3", "--seed", "3", "--out", str(said)]) == 1
    assert "1 of 3 judged" in capsys.readouterr().out
    monkeypatch.undo()
    monkeypatch.setattr(campaign, "STAGES", ([str(blind)],))
    assert campaign.main(["--sample", "3", "--seed", "3", "--budget", "0"]) == 1
    assert "0 of 1 judged" in capsys.readouterr().out


def test_what_a_test_notices_is_killed(monkeypatch, tmp_path, capsys):
    """A test sees the changed module, whatever lies on the disk, and one that never ends is ended."""
    mutant = next(each for each in campaign.mutants() if each.file == "statecore/core/loop.py" and "raised" in each.what)
    whole = ast.unparse(ast.parse((campaign.ROOT / mutant.file).read_text(encoding="utf-8")))
    seen = {}
    for name, text in (("changed", campaign.mutated(mutant)), ("whole", whole)):
        see = tmp_path / f"test_{name}.py"
        lines = ["def test_it():"]
        lines += [
            "    import sys, statecore.core",
            f"    assert sys.modules['statecore.core.loop'].__loader__.get_data('') == {text.encode()!r}",
        ]
        see.write_text("\n".join([*lines, ""]), encoding="utf-8")
        monkeypatch.setattr(campaign, "STAGES", ([str(see)],))
        seen[name] = campaign.is_killed(mutant)
    assert seen == {"changed": False, "whole": True}
    endless = tmp_path / "test_endless.py"
    endless.write_text("def test_it():\n    while True:\n        pass\n", encoding="utf-8")
    monkeypatch.setattr(campaign, "STAGES", ([str(endless)],))
    monkeypatch.setattr(campaign, "LONGEST", 1)
    assert campaign.is_killed(mutant)
    assert capsys.readouterr().out == ""


def test_tests_that_fail_anyway_judge_nothing(monkeypatch, capsys, tmp_path):
    """Before the mutants, the tests run on what was not changed."""
    broken = tmp_path / "test_broken.py"
    broken.write_text("def test_it():\n    assert not True\n", encoding="utf-8")
    monkeypatch.setattr(campaign, "STAGES", ([str(broken)],))
    assert campaign.main(["--sample", "3"]) == 2
    assert "nothing can be judged" in capsys.readouterr().out
