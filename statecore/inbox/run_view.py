"""The page of a run from the document of the API: its values, its steps as a list, its decisions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from statecore.asking.text import short

from . import question_view as questions
from .values_shown import shown
from .words import STATUS, Say


def run_view(doc: Mapping[str, Any], say: Say) -> dict[str, Any]:
    """A run in words."""
    status = doc["status"]
    error = doc.get("error")
    return {
        **{name: doc.get(name) for name in ("run_id", "workflow", "requester", "started_at", "ended_at")},
        "short": short(doc["run_id"]),
        "status_label": say(STATUS.get(status, status)),
        "cls": {"completed": "yes", "error": "no", "failed": "no", "cancelled": "no", "paused": "mine"}.get(status, ""),
        "error": (error.get("text") if isinstance(error, Mapping) else error) or questions.text_of(doc.get("reason")),
        "input": shown(doc["input"]) if doc.get("input") else None,
        "output": shown(doc["output"]) if doc.get("output") else None,
        "open": doc.get("open_questions") or [],
    }


def run_steps(doc: Mapping[str, Any], say: Say) -> list[dict[str, Any]]:
    """The steps of a run, as the list of a question has them."""
    known = {"completed": "done", "running": "here", "pending": "ahead"}
    position = [
        {
            **step,
            "state": "here" if "await" in step["state"] or "paused" in step["state"] else known.get(step["state"], step["state"]),
            "at": step.get("ended_at") or step.get("started_at"),
        }
        for step in doc.get("steps") or ()
    ]
    return questions.steps_of(position, say)


def run_history(doc: Mapping[str, Any], say: Say) -> list[dict[str, Any]]:
    """The decisions of a run."""
    return [questions.decided_line(each, say) for each in doc.get("decisions") or ()]
