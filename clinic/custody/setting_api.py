"""How a prison counts the 28 days, over HTTP."""

from __future__ import annotations

from typing import Any

from clinic.auth import act, needs
from clinic.custody import setting_commands
from clinic.custody import settings as held
from clinic.custody.prison_schemas import CompletionDaySchema, DayCountSchema, SettingsSchema
from clinic.custody.wing_api import wings_api

_refused = wings_api.alt_response(422, description="A value that cannot stand, by field")


@wings_api.get("/custody-settings")
@needs("custody.read")
@wings_api.response(200, SettingsSchema)
def settings() -> held.Settings:
    """The conventions of this prison and the calendar its dates follow, with who chose what and why."""
    return held.settings(act())


@wings_api.post("/custody-settings/day-count")
@needs("sites.manage")
@wings_api.arguments(DayCountSchema)
@wings_api.response(204)
@_refused
def set_day_count(given: dict[str, Any]) -> None:
    """Number the days otherwise, for receptions from a day on."""
    setting_commands.set_day_count(act(), **given)


@wings_api.post("/custody-settings/completion-day")
@needs("sites.manage")
@wings_api.arguments(CompletionDaySchema)
@wings_api.response(204)
@_refused
def set_completion_day(given: dict[str, Any]) -> None:
    """Let completion begin on another day, for receptions from a day on."""
    setting_commands.set_completion_day(act(), **given)
