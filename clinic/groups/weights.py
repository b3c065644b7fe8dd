"""What a prison's plans of groups weigh: its own numbers, or the defaults of GP-12."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select

from clinic.act import Act, command
from clinic.custody.stays import prison_of, said_why
from clinic.errors import Invalid
from clinic.groups.models import PlannerWeights
from clinic.staff.models import Staff
from scheduling.group_plan import weights_refused
from scheduling.groups import WEIGHTS

WEIGHT_WORDS = {
    "short_hard_ppo": "A session a PPO lacks in a week that must be kept",
    "short_hard": "A session anybody else lacks in such a week",
    "short_ppo": "A session a PPO lacks in another week",
    "short": "A session anybody else lacks in another week",
    "short_again": "More for the second session missing in one week",
    "seat_moved": "A seat moved against what people were told",
    "staff_changed": "A facilitator changed",
    "room_changed": "A room changed",
    "topic_rank": "Each topic needed more than the one given",
    "same_day": "Two sessions on one day",
    "session_held": "Each session held",
}
assert set(WEIGHT_WORDS) == set(WEIGHTS), "every weight of GP-12 has its words"


@dataclass(frozen=True)
class Weights:
    """What stands today. `row` None: the defaults. `rows`: all that was set, the newest first."""

    now: dict[str, int]
    row: PlannerWeights | None
    rows: Sequence[PlannerWeights]
    names: Mapping[int, str]


def weights_here(act: Act) -> Weights:
    """The weights of this prison today."""
    rows = act.session.scalars(
        select(PlannerWeights)
        .where(PlannerWeights.site_id == act.site_id)
        .order_by(PlannerWeights.from_on.desc(), PlannerWeights.id.desc())
    ).all()
    row = next((each for each in rows if each.from_on <= act.today), None)
    if row is not None and not row.weights:
        row = None
    names = act.session.execute(
        select(Staff.id, Staff.name).where(Staff.id.in_({each.recorded_by for each in rows}))
    )
    return Weights(
        {**WEIGHTS, **(row.weights if row else {})}, row, rows,
        dict(names.tuples().all()),
    )  # fmt: skip


@command
def set_weights(act: Act, *, weights: Mapping[str, int], from_on: date, reason: str) -> int:
    """What plans asked for from a day on weigh here. Returns the row's id; what was set before stays.

    `weights`: those that differ from the defaults; none of them means the defaults again.
    """
    act.need("custody.allocate")
    site = prison_of(act)
    if faults := weights_refused(weights):
        raise Invalid("These weights cannot stand.", faults=faults)
    if from_on < act.today:
        raise Invalid.field("from_on", "must be today or later: days that have passed are history")
    kept = {name: each for name, each in weights.items() if each != WEIGHTS[name]}
    row = PlannerWeights(
        site_id=site.id, weights=kept, from_on=from_on, reason=said_why(reason),
        recorded_at=act.at, recorded_by=act.staff_id,
    )  # fmt: skip
    act.session.add(row)
    act.session.flush()
    act.note("groups.weights_set", site_id=site.id, weights=row.id)
    return row.id
