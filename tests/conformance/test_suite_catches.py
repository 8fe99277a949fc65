"""The shipped suite fails where a store breaks a promise: each fault below is put into a store, and the test that is named finds it."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from attrs import evolve

from statecore.errors import ClaimLost, StatecoreError
from statecore.stores import InMemoryDb
from statecore.stores.owner import SKEW
from statecore.testing.stores import StoreConformance
from statecore.testing.stores.leases import OVER
from statecore.testing.stores.samples import answer, question


class Unfenced(InMemoryDb):
    """Takes a boundary of whoever was taken over."""

    def commit(self, boundary):
        return super().commit(boundary._replace(epoch=self.load(boundary.run_id).epoch))


class Endless(InMemoryDb):
    """Never gives up an owner elsewhere."""

    def commit(self, boundary):
        return super().commit(boundary._replace(time=min(boundary.time, OVER - 1)))


class Hasty(InMemoryDb):
    """Gives an owner elsewhere up as soon as its lease ends, whatever other clocks say."""

    def commit(self, boundary):
        return super().commit(boundary._replace(time=boundary.time + SKEW))


class Forgetful(InMemoryDb):
    """Does not keep the lease of a boundary."""

    def commit(self, boundary):
        return super().commit(boundary._replace(lease=None))


class Generous(InMemoryDb):
    """Renews whatever claim there is."""

    def renew(self, run_id, epoch, lease):
        super().renew(run_id, self.load(run_id).epoch, lease)


class Deaf(InMemoryDb):
    """Says that it has renewed, and has not."""

    def renew(self, run_id, epoch, lease):
        if self.load(run_id).epoch != epoch:
            raise ClaimLost(run_id)


class Keyless(InMemoryDb):
    """Does not look at keys of decisions."""

    def decide(self, decision, *others):
        return super().decide(evolve(decision, key=None), *[evolve(each, key=None) for each in others])


class TwiceStarted(InMemoryDb):
    """Does not look at keys of starts."""

    def commit(self, boundary):
        claim = boundary.claim
        new = claim.identity if claim is not None else None
        if new is None:
            return super().commit(boundary)
        refused = super().commit(boundary._replace(claim=evolve(claim, identity=evolve(new, key=None))))
        self._runs[boundary.run_id].identity = new
        return refused


class LastWins(InMemoryDb):
    """Lets the last decision win."""

    def decide(self, decision, *others):
        with self._lock:
            self._kept(decision.run_id).decisions.pop(decision.pause_id, None)
            return super().decide(decision, *others)


class Halfway(InMemoryDb):
    """Stores the decisions of a boundary that it then refuses."""

    def commit(self, boundary):
        kept = self._runs.get(boundary.run_id)
        if kept is not None:
            kept.decisions.update({each.pause_id: each for each in boundary.decisions if each.pause_id in kept.pauses})
        return super().commit(boundary)


class Parking(InMemoryDb):
    """Parks a run though a question that stays open is decided."""

    def commit(self, boundary):
        return super().commit(boundary._replace(heeds_decisions=False))


class OneByOne(InMemoryDb):
    """Stores several decisions one after the other."""

    def decide(self, decision, *others):
        first = super().decide(decision)
        for each in others:
            super().decide(each)
        return first


SUITE: Any = StoreConformance()
CAUGHT = [
    (Unfenced, SUITE.test_an_owner_that_was_taken_over_stores_nothing),
    (Unfenced, SUITE.test_an_owner_elsewhere_is_given_up_when_its_lease_is_over),
    (Endless, SUITE.test_an_owner_elsewhere_is_given_up_when_its_lease_is_over),
    (Hasty, partial(SUITE.test_an_owner_elsewhere_is_busy_until_its_lease_is_over, time=OVER - 1)),
    (Forgetful, SUITE.test_a_boundary_renews_a_lease),
    (Generous, SUITE.test_only_a_claim_is_renewed),
    (Deaf, SUITE.test_a_heartbeat_renews_a_lease),
    (Keyless, SUITE.test_of_many_decisions_with_a_key_one_is_stored),
    (TwiceStarted, SUITE.test_a_run_is_started_once_by_a_key),
    (TwiceStarted, SUITE.test_of_many_starts_with_a_key_one_begins),
    (LastWins, SUITE.test_of_many_deciders_one_decides),
    (Parking, SUITE.test_a_boundary_that_would_park_names_what_is_decided),
    (Parking, SUITE.test_a_boundary_that_brings_a_decision_may_not_leave_it),
    (OneByOne, partial(SUITE.test_several_are_stored_or_none, last=answer(question("run-1", "nowhere")))),
    (Halfway, partial(SUITE.test_a_refused_boundary_leaves_no_trace, case="a pause closed that never was")),
]


@pytest.mark.parametrize(("store", "test"), CAUGHT, ids=lambda each: getattr(each, "__name__", ""))
def test_a_broken_store_is_caught(store, test):
    """The test passes on the reference, and fails on the store that breaks its promise."""
    test(InMemoryDb())
    with pytest.raises((AssertionError, pytest.fail.Exception, StatecoreError)):
        test(store())
