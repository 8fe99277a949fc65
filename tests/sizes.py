"""How many random examples a test draws: few in the ordinary run, as many times more as `STATECORE_EXAMPLES` says in a campaign."""

from __future__ import annotations

import os

TIMES = float(os.environ.get("STATECORE_EXAMPLES", "1"))


def examples(number: int) -> int:
    """So many examples in the ordinary run; new ones are drawn each time, so that runs add up."""
    return max(int(number * TIMES), 1)
