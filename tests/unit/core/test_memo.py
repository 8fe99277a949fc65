"""What is remembered of the core's answers, and what is not: a run that comes again is not computed again."""

from __future__ import annotations

from statecore import Parallel, Step, Workflow
from statecore.core import BEGINNING, START, Event, advance
from statecore.core.loop import LEAST, recall

BORN = START._replace(body="a body")


def program_of(**settings):
    """The program of one step."""
    return Workflow("flow", [Step("a", lambda _: 1, **settings)]).compiled.program


def test_an_answer_is_given_again():
    """The state is the very one that was computed before, with the body of the event of this time."""
    program = program_of()
    first, again = recall(program, BEGINNING, (BORN,)), recall(program, BEGINNING, (BORN._replace(body="another"),))
    assert (len(program.memo), again.state is first.state) == (1, True)
    assert [first.moves[0].body, again.moves[0].body] == ["a body", "another"]


def test_what_has_an_instant_is_computed_each_time():
    """A question with a deadline, an event without a body, and several events at once are not remembered."""
    program = program_of(requires_confirmation=True, hitl_timeout=60)
    recall(program, BEGINNING, (BORN,))
    assert program.memo == {}
    plain = program_of()
    recall(plain, BEGINNING, (START,))
    assert plain.memo == {}
    wide = Workflow("wide", [Parallel(Step("a", lambda _: 1), Step("b", lambda _: 1))]).compiled.program
    running = advance(wide, BEGINNING, START).state
    both = tuple(Event("succeed", each.at, each.turn, each.attempt, body="a body") for each in running.cursors)
    assert recall(wide, running, both) == advance(wide, running, *both)
    assert wide.memo == {}


def test_no_more_is_remembered_than_is_allowed():
    """Where the memory is full, answers are computed and not kept."""
    program = program_of()
    program.memo.update(dict.fromkeys(range(LEAST)))
    assert recall(program, BEGINNING, (BORN,)) == advance(program, BEGINNING, BORN)
    assert len(program.memo) == LEAST
