"""A small sample of each campaign; `python -m tests.faults` runs them at their size."""

from __future__ import annotations

import pytest

from tests.faults.campaigns import CAMPAIGNS
from tests.faults.report import Order


@pytest.mark.parametrize("name", CAMPAIGNS)
def test_a_sample_of_each_campaign_finds_nothing(name, tmp_path):
    """Whatever is done to the runs of a campaign's sample, every invariant holds afterwards."""
    tally = CAMPAIGNS[name].run(Order(tmp_path, "sample"))
    assert tally.violations == []
    assert tally.counts["points"] > 0 or tally.missing
