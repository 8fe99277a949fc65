"""A storm of votes on one gate, by threads and processes that share a store and a folder; what was paid lies in a file."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from random import Random
from typing import Any

from statecore import Approval, SqliteDb, Step, Workflow, requester
from statecore.core.authority import Satisfied
from statecore.db.postgres import PostgresDb
from statecore.errors import AlreadyDecided, MayNotDecide, NoVote
from statecore.stores.votes import REFUSAL, VOTE, outcome_of, standing

WORLD = get_context("spawn")
FINANCE = tuple(f"f{n}" for n in range(9))
REVOKED, REQUESTER, STRANGER = "f0", "ada", "zoe"
LONG = 300


def store_at(place: str) -> Any:
    """The store at a URL, or in a file."""
    return PostgresDb(place) if "://" in place else SqliteDb(db_file=place)


def office(place: str, folder: str, k: int) -> Workflow:
    """The workflow with the gate; people have their roles in a file, and each payment is a line of another."""

    def pay(_about: object) -> str:
        with (Path(folder) / "paid").open("a", encoding="utf-8") as paid:
            paid.write("paid\n")
        return "paid"

    def people(name: str) -> set[str]:
        """The roles of now."""
        known = json.loads((Path(folder) / "roles").read_text(encoding="utf-8"))
        return set(known.get(name, ()))

    approval = Approval(k, of="role:finance", exclude=requester)
    step = Step("pay", pay, requires_confirmation=True, on_reject="cancel", approval=approval)
    return Workflow("payout", [step], db=store_at(place), people=people)


def roles(folder: Path, *lost: str) -> None:
    """Write the roles of all people; those who lost theirs have none."""
    known = {name: [] if name in lost else ["finance"] for name in (*FINANCE, REQUESTER)}
    (folder / "new").write_text(json.dumps(known), encoding="utf-8")
    (folder / "new").replace(folder / "roles")


def besieged(place: str, folder: str, k: int, run_id: str, threads: int, seed: int) -> int:  # noqa: PLR0913  # what a process is told
    """One process: each thread votes for people in an order of its own, each twice, some take a vote back, and all apply what votes say.

    Returns how many attempts were refused by the rule.
    """
    flow = office(place, folder, k)
    waits = flow.get_run_output(run_id).requirements
    if not waits:  # the others were quicker
        return 0
    [asked] = waits

    def one(number: int) -> int:
        random, refused = Random(seed * 1_000 + number), 0  # noqa: S311  # an order, no secret
        people = [*FINANCE, REQUESTER, STRANGER] * 2
        random.shuffle(people)
        for name in people:
            try:
                flow.decide(run_id, asked.pause_id, "confirm", by=name, seen=asked.seen)
                if random.random() < 0.2:
                    flow.withdraw(run_id, asked.pause_id, by=name)
            except MayNotDecide:
                refused += 1
            except (AlreadyDecided, NoVote):
                pass
            if random.random() < 0.3:
                list(flow.tick())
        return refused

    with ThreadPoolExecutor(threads) as pool:
        told = sum(pool.map(one, range(threads)))
    flow.db.close()
    return told


def storm(place: str, folder: Path, k: int, processes: int, threads: int) -> dict[str, int]:
    """Storm a gate, and judge what is stored: one opening, by votes that satisfy the pure rule, and every refusal kept or counted."""
    roles(folder)
    flow = office(place, str(folder), k)
    run = flow.run("order", requester=REQUESTER)
    [asked] = run.requirements
    for name in FINANCE[:k]:
        flow.decide(run.run_id, asked.pause_id, "confirm", by=name, seen=asked.seen)
    assert flow.get_run_output(run.run_id).requirements[0].votes_say == "satisfied"
    roles(folder, REVOKED)  # before anybody applies it
    with WORLD.Pool(processes) as pool:
        given = [(place, str(folder), k, run.run_id, threads, seed) for seed in range(processes)]
        refused = sum(pool.starmap_async(besieged, given).get(LONG))
    list(flow.tick())
    while (waits := flow.get_run_output(run.run_id)).is_paused:  # as many took their vote back as would open it
        for name in FINANCE[1:]:
            flow.decide(run.run_id, asked.pause_id, "confirm", by=name, seen=asked.seen)
        list(flow.tick())
    assert waits.status == "COMPLETED"
    assert (folder / "paid").read_text(encoding="utf-8") == "paid\n"
    found = judge(flow, run.run_id, asked.pause_id, refused)
    flow.db.close()
    return found


def judge(flow: Workflow, run_id: str, pause_id: str, refused: int) -> dict[str, int]:
    """What the rows of the gate say; the pure rule is the judge of the votes that were counted."""
    row, [decided] = flow.db.pause(run_id, pause_id), flow.db.decisions(run_id)
    assert row is not None
    votes = standing(row.acts)
    assert len({act.by for act in votes}) == len(votes)
    assert {act.by for act in row.acts if act.kind == VOTE} <= set(FINANCE)
    counted = set(str(decided.by).split(", "))
    assert REVOKED not in counted
    assert counted <= {act.by for act in votes}
    outcome = outcome_of(row, decided.time, lambda name: frozenset() if name == REVOKED else frozenset({"finance"}))
    assert isinstance(outcome, Satisfied)
    assert counted == outcome.deciders
    kept = [act for act in row.acts if act.kind == REFUSAL]
    assert sum(act.times for act in kept) == refused
    assert {act.by for act in kept} <= {REQUESTER, STRANGER, REVOKED}
    return {"votes": len([act for act in row.acts if act.kind == VOTE]), "refusals": refused, "rows of refusals": len(kept)}
