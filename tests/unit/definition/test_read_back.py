"""Each setting is read back where it was written, in each spelling: enumerated from the code, component by component."""

from __future__ import annotations

from typing import Any

import pytest

from statecore import HumanReview
from statecore.definition.review import ALIASES, DEFAULTS, SUPPORTED, Reviewed, pause
from statecore.errors import DefinitionError
from tests.unit.definition.test_effects import CLASSES, VALUES, code, made, settings_of

COMPANIONS: dict[str, dict[str, Any]] = {
    "confirmation_message": {"requires_confirmation": True},
    "allow_edit": {"requires_confirmation": True},
    "user_input_message": {"requires_user_input": True},
    "user_input_schema": {"requires_user_input": True},
    "user_input_check": {"requires_user_input": True},
    "allow_multiple_selections": {"requires_user_input": True},
    "output_review_message": {"requires_output_review": True},
    "iteration_review_message": {"requires_iteration_review": True},
    "on_reject": {"requires_confirmation": True},
    "hitl_max_retries": {"requires_output_review": True, "on_reject": "retry"},
    "timeout": {"requires_confirmation": True},
    "hitl_timeout": {"requires_confirmation": True},
    "on_timeout": {"requires_confirmation": True, "timeout": 60},
    "approval": {"requires_confirmation": True},
    "retry_delay": {"max_retries": 1},
    "backoff": {"max_retries": 2, "retry_delay": 1},
    "forward_iteration_output": {"max_iterations": 2},
}
"""Settings that a setting needs beside it."""
REFUSED = {
    ("Step(workflow)", setting)
    for setting in ("max_retries", "retry_delay", "backoff", "on_interrupt", "execution_timeout", "may_ask")
}
"""Settings that a kind takes no value of: the steps inside the nested workflow have them."""
PLACES = [(kind, setting) for kind in CLASSES for setting in (*settings_of(kind), "hitl_timeout") if setting != "selector"]


def built(kind: str, setting: str, value: Any) -> Any:
    """A component with the setting and its companions; None where the kind refuses the value by its name."""
    asked = {"end_condition": code} if kind == "Loop" and setting == "on_interrupt" else {}
    for more in (COMPANIONS.get(setting, {}), {"requires_user_input": True, **COMPANIONS.get(setting, {})}, asked):
        try:
            return made(kind, {**more, setting: value})
        except DefinitionError:
            continue
    return None


@pytest.mark.parametrize(("kind", "setting"), PLACES)
def test_a_setting_is_read_where_it_was_written(kind, setting):
    """`component.setting` is the value, a word of its enum, or the form with these fields; a value of each setting is taken, but of those refused."""
    taken = [(value, it) for value in VALUES.get(setting, (60,)) if (it := built(kind, setting, value)) is not None]
    assert (taken == []) is ((kind, setting) in REFUSED)
    for value, it in taken:
        found = getattr(it, setting)
        if setting == "user_input_schema":
            assert [each.name for each in found] == [each["name"] for each in value]
        else:
            assert found == value


@pytest.mark.parametrize("kind", CLASSES)
def test_a_review_is_read_in_both_spellings(kind):
    """What is given as `human_review=` is read as flat settings, and the reverse; a setting that was not given has its default."""
    aliases = {review: flat for flat, review in ALIASES.items()}
    it = made(kind, {"human_review": HumanReview(requires_confirmation=True, timeout=60)} if kind != "Router" else {})
    for setting, default in DEFAULTS.items():
        flat = aliases.get(setting, setting)
        given = {"requires_confirmation": True, "timeout": 60} if kind != "Router" else {}
        assert getattr(it, flat) == getattr(it.human_review, setting) == given.get(setting, default)


def test_every_setting_of_a_review_can_be_read():
    """The readable names are those of `HumanReview`, with the flat spellings of its retries and its deadline."""
    readable = {name for name in vars(Reviewed) if not name.startswith("_")}
    assert readable == {*DEFAULTS, *ALIASES} - {"max_retries"}
    assert {setting for kind in SUPPORTED.values() for setting in kind} <= {*readable, "max_retries"}


def test_settings_of_a_marked_function_are_read_on_its_step():
    """`@pause` writes on the step of the function."""

    @pause(requires_confirmation=True, on_reject="cancel")
    def pay(step_input):
        return code(step_input)

    it = CLASSES["Step"]("pay", pay)
    assert (it.requires_confirmation, it.on_reject.value, it.skip_on_failure) == (True, "cancel", False)
