"""The claims of votes on Postgres: tests of tests/conformance/test_claims_votes.py, with a database each."""

from __future__ import annotations

import pytest

from statecore.db.postgres import PostgresDb
from tests.conformance import test_claims_votes as claims
from tests.conformance import test_claims_votes_again as again

test_a_gate_opens = claims.test_a_gate_opens_with_the_votes_of_as_many_people_as_its_approval_names
test_refusals_are_kept = claims.test_what_the_rule_refuses_is_kept_and_decides_nothing
test_a_name_is_the_same = claims.test_a_name_is_the_same_however_it_is_spelt
test_a_no_counts = claims.test_a_no_counts_until_the_outcome_is_applied
test_a_vote_is_withdrawn = claims.test_a_vote_may_be_withdrawn_until_the_outcome_is_applied
test_a_yes_lapses = claims.test_a_yes_lapses_with_the_role_by_which_it_was_allowed
test_an_earlier_decider = claims.test_a_decider_of_the_earlier_gate_may_not_decide_at_the_later_one
test_beside_a_running_branch = claims.test_votes_that_satisfy_beside_a_running_branch_are_applied_before_the_run_is_parked
test_no_way_around = claims.test_no_decision_gets_past_the_votes
test_an_erasure = claims.test_an_erasure_takes_the_names_of_voters
test_a_lapsed_no_holds = again.test_a_no_that_lapsed_holds_the_question_that_is_put_again
test_another_rule = claims.test_a_release_with_another_rule_takes_no_votes_of_the_former_one


@pytest.fixture
def keeper(database):
    """A store that keeps votes."""
    store = PostgresDb(database)
    yield store
    store.close()
