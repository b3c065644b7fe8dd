"""What lies ahead, over the API: the wait list's outlook, and a year of each model."""

from __future__ import annotations

from typing import Any

from flask_smorest import Blueprint
from marshmallow import Schema, fields, validate

from clinic.auth import act, needs
from clinic.forecasts import queries
from clinic.forecasts.presenters import FATES
from scheduling.forecast import Rate
from scheduling.simulation import MODELS

forecasts_api = Blueprint(
    "forecasts_api", __name__, url_prefix="/api/v1/forecast",
    description="Who will breach, the smallest change of the rota, a year of each model",
)  # fmt: skip


class RateSchema(Schema):
    """A share from 0 to 1; `own` says that it is the service's, and not a default."""

    value = fields.Float(required=True)
    cases = fields.Integer(required=True)
    own = fields.Boolean(required=True)


class AheadSchema(Schema):
    """One person waiting: their first place, and the chance (0 to 1) of breaking the limit."""

    referral_id = fields.Integer(required=True)
    patient_id = fields.Integer(required=True)
    last_on = fields.Date(required=True, allow_none=True)
    first_place_at = fields.AwareDateTime(required=True, allow_none=True, format="iso")
    late = fields.Boolean(required=True, allow_none=True)
    chance = fields.Float(required=True, allow_none=True)


class OutlookSchema(Schema):
    """The weeks ahead. `extra_sessions`: dates; null when none keeps the model."""

    model = fields.Integer(required=True, allow_none=True)
    first = fields.Date(required=True)
    last = fields.Date(required=True)
    people = fields.List(fields.Nested(AheadSchema), required=True)
    extra_sessions = fields.List(fields.Date(), required=True, allow_none=True)
    beyond_help = fields.Integer(required=True)
    rates = fields.Dict(keys=fields.String(), values=fields.Nested(RateSchema), required=True)


class YearRequestSchema(Schema):
    """So many places a week under each model."""

    model_1, model_2, model_3 = (
        fields.Integer(required=True, strict=True, validate=validate.Range(1, queries.MOST_A_WEEK))
        for _ in MODELS
    )


class YearSchema(Schema):
    """A year under one model. Waits in days; places by what became of them; hours a person."""

    model = fields.Integer(required=True)
    people = fields.Float(required=True)
    mean_wait = fields.Float(required=True, allow_none=True)
    half_within = fields.Integer(required=True, allow_none=True)
    nine_of_ten_within = fields.Integer(required=True, allow_none=True)
    over_limit = fields.Float(required=True, allow_none=True)
    keeps_up = fields.Boolean(required=True)
    places = fields.Dict(
        keys=fields.String(validate=validate.OneOf(list(FATES))), values=fields.Float(),
        required=True,
    )  # fmt: skip
    hours = fields.Dict(keys=fields.String(), values=fields.Float(), required=True)


@forecasts_api.get("")
@needs("appointments.read")
@forecasts_api.response(200, OutlookSchema)
def outlook() -> dict[str, Any]:
    """Who will breach, how likely, and the fewest extra sessions that prevent it."""
    found = queries.outlook(act())
    rates = found.rates
    return {
        "model": found.model,
        "first": found.first,
        "last": found.last,
        "people": [
            {
                "referral_id": row.waiting.referral_id,
                "patient_id": row.waiting.patient_id,
                "last_on": row.waiting.wait.last_on,
                "first_place_at": row.prospect.place and row.prospect.place.starts_at,
                "late": row.prospect.late,
                "chance": row.prospect.chance,
            }
            for row in found.rows
        ],
        "extra_sessions": None if found.change is None else list(found.change),
        "beyond_help": found.beyond_help,
        "rates": {name: each for name, each in vars(rates).items() if isinstance(each, Rate)},
    }


@forecasts_api.post("/year")
@needs("appointments.read")
@forecasts_api.arguments(YearRequestSchema)
@forecasts_api.response(200, YearSchema(many=True))
def year(given: dict[str, int]) -> list[dict[str, Any]]:
    """A year from today under models 1, 2 and 3, from the service's own referrals. Saves nothing."""
    found = queries.years(act(), {model: given[f"model_{model}"] for model in MODELS})
    return [{**vars(each), "model": each.access.model, "keeps_up": each.keeps_up} for each in found]
