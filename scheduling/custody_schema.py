"""What do a timetable's request and answer look like? JSON Schema 2020-12, for the API's page."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from dosing.shape import Day, Instant, JsonSchema
from scheduling.custody_request import (
    DAY_AFTER_RECEPTION_IS_DAY_1,
    RECEPTION_IS_DAY_1,
    REQUEST,
    TOPICS,
)
from scheduling.custody_rules import ITEMS, RULES, WEEKS

STATUSES: Final = ("done", "not_required", "overdue", "closed_left", "due")
OUTCOMES: Final = ("outside", "delivered", "group", "one_to_one", "not_needed")
BARS: Final = (
    "TT-F9",
    "TT-F10",
    "court_day",
    "transfer_day",
    "not_working_day",
    "full",
    "one_to_one_only",
)

_TEXT: Final[JsonSchema] = {"type": "string"}
_COUNT: Final[JsonSchema] = {"type": "integer", "minimum": 0}
_YES_NO: Final[JsonSchema] = {"type": "boolean"}
_DAY: Final = Day().schema()
_MOMENT: Final = Instant().schema()


def _one_of(words: Iterable[str]) -> JsonSchema:
    return {"type": "string", "enum": list(dict.fromkeys(words))}


def _nullable(schema: JsonSchema) -> JsonSchema:
    return {"anyOf": [schema, {"type": "null"}]}


def _list(schema: JsonSchema) -> JsonSchema:
    return {"type": "array", "items": schema}


def _object(**fields: JsonSchema) -> JsonSchema:
    """An object in which every key is always present."""
    return {
        "type": "object",
        "additionalProperties": False,
        "required": list(fields),
        "properties": fields,
    }


def request_schema() -> JsonSchema:
    """The request of `timetable plan`, from the same declaration that reads it."""
    return REQUEST.schema()


def response_schema() -> JsonSchema:
    """The answer of `timetable plan`: every key always present, null where it does not apply."""
    week: JsonSchema = {"type": "integer", "enum": list(WEEKS)}
    owners = [owner for item in ITEMS for owner in (item.owner, item.owner_from_due_day) if owner]
    return _object(
        case=_TEXT,
        day_count=_one_of([RECEPTION_IS_DAY_1, DAY_AFTER_RECEPTION_IS_DAY_1]),
        day_1=_DAY,
        day_5=_DAY,
        day_28=_DAY,
        day_29=_DAY,
        weeks=_list(_object(week=week, from_on=_DAY, to_on=_DAY, working_days=_COUNT)),
        observations=_object(rule=_TEXT, from_on=_DAY, to_on=_DAY, per_day=_COUNT),
        placing=_one_of(["first", "normal"]),
        items=_list(
            _object(
                rule=_one_of(item.rule for item in ITEMS),
                item=_one_of(item.key for item in ITEMS),
                owner=_one_of(owners),
                escalate_to=_nullable(
                    _one_of(item.escalate_to for item in ITEMS if item.escalate_to)
                ),
                hard=_YES_NO,
                due_on=_nullable(_DAY),
                due_at=_nullable(_MOMENT),
                amber_from=_nullable(_MOMENT),
                original_due_on=_nullable(_DAY),
                moved_by=_list(_one_of(rule for rule in RULES if "moved" in RULES[rule])),
                status=_one_of(STATUSES),
                done_at=_nullable(_MOMENT),
                on_time=_nullable(_YES_NO),
                required=_nullable(_COUNT),
                counted=_nullable(_COUNT),
                for_on=_nullable(_DAY),
                prison=_nullable(_one_of(["sending", "receiving"])),
                why=_TEXT,
            )
        ),
        sessions=_list(
            _object(
                starts_at=_MOMENT,
                topic=_one_of(TOPICS),
                week=_nullable(week),
                outcome=_one_of(OUTCOMES),
                by_on=_nullable(_DAY),
                barred_by=_list(_one_of(BARS)),
            )
        ),
        reuse_offers=_list(_object(rule=_TEXT, item=_TEXT, done_on=_DAY)),
        flags=_list(
            _object(
                flag=_one_of(rule for rule in RULES if rule.startswith("TT-F")),
                week=_nullable(week),
                on=_nullable(_DAY),
                message=_TEXT,
            )
        ),
        calendar_version=_TEXT,
    )
