"""Release plans of a story, made and filled by the room's own commands."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from clinic.act import Act
from clinic.custody.models import Exit, Hearing, Reception, ReceptionDetail, Transfer
from clinic.db import Base
from clinic.release import commands, premises
from clinic.release.models import ReleaseFact, ReleasePlan
from tests.factories.base import a_patient

WEEK = {weekday: ["09:00-18:00"] for weekday in ("mon", "tue", "wed", "thu", "fri", "sat")}


def a_release_plan(act: Act, patient_id: int | None = None, **sections: Any) -> int:
    """An open plan at the act's prison. `sections`: a section's fields, or a list of such."""
    plan_id = commands.open_release_plan(act, patient_id or a_patient(act))
    for section, given in sections.items():
        for says in given if isinstance(given, list) else [given]:
            a_fact(act, plan_id, section, **says)
    return plan_id


def version_of(act: Act, plan_id: int) -> int:
    """The version somebody reads who looks now."""
    with act.session.no_autoflush:
        return act.session.get_one(ReleasePlan, plan_id).version


def a_fact(
    act: Act,
    plan_id: int,
    section: str,
    *,
    premises_id: int | None = None,
    site_id: int | None = None,
    **says: Any,
) -> int:
    """A fact of a section, recorded by whoever acts, on the plan as it stands. Returns its id."""
    return commands.record(
        act, plan_id, section, says, version=version_of(act, plan_id), premises_id=premises_id,
        site_id=site_id,
    )  # fmt: skip


def corrected(act: Act, fact_id: int, *, reason: str = "Entered wrongly", **says: Any) -> int:
    """Another fact in the place of one that stands. Returns its id."""
    row = act.session.get_one(ReleaseFact, fact_id)
    return commands.correct(
        act, fact_id, says, version=version_of(act, row.plan_id), reason=reason,
        premises_id=row.premises_id, site_id=row.site_id,
    )  # fmt: skip


def struck(act: Act, fact_id: int, *, reason: str = "Entered wrongly") -> None:
    row = act.session.get_one(ReleaseFact, fact_id)
    commands.strike(act, fact_id, version=version_of(act, row.plan_id), reason=reason)


def a_pharmacy(act: Act, name: str = "High Street Pharmacy", kind: str = "pharmacy") -> int:
    """A pharmacy (or a clinic) with the default week."""
    premises_id = premises.add_premises(act, kind=kind, name=name)
    premises.set_week(act, premises_id, WEEK, nation="england_and_wales", reason="As on its door")
    return premises_id


def instalment(collect_on: str, *covers: str) -> dict[str, Any]:
    return {"collect_on": collect_on, "covers": list(covers)}


# -- the stay, as rows: what a plan reads and does not own ----------------------------------


def a_stay(act: Act, patient_id: int, received_at: datetime) -> int:
    """A reception at the act's site. Returns its id."""
    reception = Reception(
        patient_id=patient_id, site_id=act.site_id, day_count="reception_is_day_1",
        plan_made_on=act.today, left_at=None, undone_at=None, undone_by=None, undone_reason=None,
        version=1, changed_at=act.at, changed_by=act.staff_id, changed_what="reception",
        recorded_at=act.at, recorded_by=act.staff_id,
    )  # fmt: skip
    _add(act, reception)
    _fact(act, ReceptionDetail, reception.id, received_at=received_at, screening="positive",
          heightened_risk=None, ppo=None, group_suitability=None,
          needs_post_28_programme=None)  # fmt: skip
    return reception.id


def a_hearing(act: Act, reception_id: int, starts_at: datetime, outcome: str | None = None) -> int:
    """A hearing of the stay, known since it is recorded."""
    return _fact(act, Hearing, reception_id, starts_at=starts_at, known_at=act.at, court=None,
                 outcome=outcome)  # fmt: skip


def a_transfer(act: Act, reception_id: int, **details: Any) -> int:
    """A planned move; `details`: on, booked_on, and any other column."""
    return _fact(
        act, Transfer, reception_id,
        **{"receiving_site_id": None, "receiving_prison": "HMP Other",
           "nation": "england_and_wales", "prescriber_cover": None, **details},
    )  # fmt: skip


def an_exit(act: Act, reception_id: int, at: datetime, how: str) -> int:
    return _fact(act, Exit, reception_id, at=at, how=how)


def _fact(act: Act, model: type[Base], reception_id: int, **columns: Any) -> int:
    row = model(
        reception_id=reception_id, known_from=1, known_until=None, struck_at=None, struck_by=None,
        struck_reason=None, recorded_at=act.at, recorded_by=act.staff_id, **columns,
    )  # fmt: skip
    _add(act, row)
    return row.id


def _add(act: Act, row: Base) -> None:
    act.session.add(row)
    act.session.commit()
