"""The campaigns by the number that the contract gives them."""

from __future__ import annotations

from types import ModuleType

from tests.faults import boundaries

CAMPAIGNS: dict[str, ModuleType] = {"T1": boundaries}
