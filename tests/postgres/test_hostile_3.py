"""A decider's login in hostile hands: random SQL with every grant that it has. `python -m tests.postgres --only hostile` makes it longer."""

from __future__ import annotations

import pytest

from tests.postgres.hostile import attack


@pytest.mark.parametrize("seed", [1])
def test_random_sql_opens_no_gate(server, seed):
    """Two hundred random statements of a decider's login, beside honest deciders: each decision is one that a call stored, and no run moves."""
    found = attack(server, "hostile_3", 200, seed)
    assert found["decided by the attacker"] > 0
    assert found["by the honest"] > 0
    assert found["refused"] > 50  # statements, of 200
