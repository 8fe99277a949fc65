"""The campaigns by the number that the contract gives them."""

from __future__ import annotations

from types import ModuleType

from tests.faults import (
    abandoned,
    boundaries,
    clocks,
    cuts,
    damage,
    forged,
    frozen,
    growth,
    injected,
    kills,
    mutants,
    names,
    redefined,
    scale,
    signals,
    simulation,
    soak,
    storm,
    values,
)

CAMPAIGNS: dict[str, ModuleType] = {
    "T1": boundaries,
    "T1-real": injected,
    "T2": kills,
    "T3": cuts,
    "T4": storm,
    "T5": frozen,
    "T7": redefined,
    "T8": values,
    "T9": damage,
    "T11": signals,
    "T12": clocks,
    "T14": scale,
    "T16": forged,
    "T16-names": names,
    "T18": abandoned,
    "T20": soak,
    "T24": mutants,
    "SIM": simulation,
    "I12": growth,
}
