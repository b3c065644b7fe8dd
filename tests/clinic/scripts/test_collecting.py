"""How does somebody collect, judged by the supervision rules, and never as a dose?"""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import select

from clinic.consumption.supply_models import ConsumptionPlace
from clinic.db import Database
from clinic.errors import Conflict, Forbidden, Invalid
from clinic.release.premises import close_premises
from clinic.scripts import queries, regimen_commands
from clinic.scripts.models import CollectionRegimen
from tests.factories.base import NOW
from tests.factories.prescriptions import an_assessed_patient
from tests.factories.scripts import DAILY, ScriptClinic, a_script_clinic, somebody_dosed

TODAY = date(2026, 11, 4)
TAKEN_AWAY = dict.fromkeys(DAILY, "taken_away")
WHY = "Works early shifts; two clear tests"


@pytest.fixture
def clinic(database: Database) -> ScriptClinic:
    return a_script_clinic(database)


def set_from(clinic: ScriptClinic, patient_id: int, on: date, days: dict[str, str]) -> int:
    return regimen_commands.set_regimen(clinic.act(), patient_id, from_on=on, days=days, reason=WHY)


def kept(clinic: ScriptClinic, regimen_id: int) -> CollectionRegimen:
    with clinic.database.reading() as session:
        return session.get_one(CollectionRegimen, regimen_id)


def collects_at_the_pharmacy(clinic: ScriptClinic, patient_id: int) -> None:
    with clinic.database.transaction() as session:
        session.add(
            ConsumptionPlace(
                patient_id=patient_id, site_id=clinic.site.id, kind="pharmacy",
                premises_id=clinic.pharmacy_id, from_on=TODAY, note=None, recorded_at=NOW,
                recorded_by=clinic.nurse.id,
            )
        )  # fmt: skip


def rules(row: CollectionRegimen) -> list[str]:
    assert row.answer is not None
    return [each["rule"] for each in row.answer["findings"]]


def test_supervised_daily_meets_no_rule_though_the_pharmacy_shuts_on_sundays(
    clinic: ScriptClinic,
) -> None:
    patient_id, _ = somebody_dosed(clinic)
    collects_at_the_pharmacy(clinic, patient_id)

    row = kept(clinic, set_from(clinic, patient_id, TODAY, DAILY))

    assert (row.outcome, rules(row)) == ("PASS", [])


@pytest.mark.proves("S-01")
def test_a_day_without_collection_is_excused_by_a_closed_pharmacy_and_by_nothing_else(
    clinic: ScriptClinic,
) -> None:
    """Where the pharmacy is not known, no Sunday is taken for a closed one."""
    patient_id, _ = somebody_dosed(clinic)
    but_sunday = {day: how for day, how in DAILY.items() if day != "sun"}

    before = kept(clinic, set_from(clinic, patient_id, TODAY, but_sunday))
    collects_at_the_pharmacy(clinic, patient_id)
    after = kept(clinic, set_from(clinic, patient_id, TODAY + timedelta(days=1), but_sunday))

    assert ("S-01" in rules(before), "S-01" in rules(after)) == (True, False)


@pytest.mark.proves("S-01")
def test_taking_away_in_the_first_two_weeks_is_told(clinic: ScriptClinic) -> None:
    patient_id, _ = somebody_dosed(clinic)

    row = kept(clinic, set_from(clinic, patient_id, TODAY, TAKEN_AWAY))

    assert (row.outcome, row.reason) == ("ALERT", WHY)
    assert "S-01" in rules(row)


@pytest.mark.proves("S-02")
@pytest.mark.parametrize(
    ("era", "day", "told"),
    [("era-2003", 60, True), ("uk-2017", 60, True), ("uk-2017", 120, False)],
)
def test_a_step_to_take_home_is_judged_as_on_the_day_it_begins(
    database: Database, era: str, day: int, told: bool
) -> None:
    clinic = a_script_clinic(database, rule_set=era)
    patient_id, _ = somebody_dosed(clinic, days=150, dose_mg="20")

    row = kept(
        clinic, set_from(clinic, patient_id, TODAY + timedelta(days=day), TAKEN_AWAY)
    )  # fmt: skip

    assert ("S-02" in rules(row)) is told
    assert "S-01" not in rules(row)


@pytest.mark.proves("S-03")
def test_a_collection_moved_before_a_closed_day_may_take_too_much_home(
    clinic: ScriptClinic,
) -> None:
    patient_id, _ = somebody_dosed(clinic)
    collects_at_the_pharmacy(clinic, patient_id)
    weekly = {"wed": "taken_away"}
    friday, then = date(2026, 11, 6), date(2026, 11, 11)

    before = kept(clinic, set_from(clinic, patient_id, TODAY, weekly))
    close_premises(clinic.act(), clinic.pharmacy_id, friday, then, reason="Stocktaking")
    after = kept(clinic, set_from(clinic, patient_id, TODAY + timedelta(days=1), weekly))

    assert "S-03" not in rules(before)  # seven days are a week
    assert "S-03" in rules(after)


def test_without_a_dose_there_is_nothing_to_judge_and_that_is_said(clinic: ScriptClinic) -> None:
    patient_id = an_assessed_patient(clinic)

    row = kept(clinic, set_from(clinic, patient_id, TODAY, DAILY))

    assert (row.answer, row.outcome) == (None, None)


def test_the_newest_row_begun_holds_and_a_struck_one_gives_way(clinic: ScriptClinic) -> None:
    patient_id, _ = somebody_dosed(clinic)
    first = set_from(clinic, patient_id, TODAY, DAILY)
    step = set_from(clinic, patient_id, TODAY + timedelta(days=90), TAKEN_AWAY)
    act = clinic.act()

    def held(day: date) -> int | None:
        row = queries.regimen_on(act, [patient_id], day)
        return row and row.id

    assert held(TODAY - timedelta(days=1)) is None
    assert held(TODAY + timedelta(days=89)) == first
    assert held(TODAY + timedelta(days=90)) == step
    act.session.rollback()
    regimen_commands.strike_regimen(clinic.act(), patient_id, step, "Agreed for another patient")
    act = clinic.act()
    assert held(TODAY + timedelta(days=90)) == first
    with clinic.database.reading() as session:
        assert len(list(session.scalars(select(CollectionRegimen)))) == 2


def test_two_arrangements_cannot_begin_on_one_day(clinic: ScriptClinic) -> None:
    patient_id, _ = somebody_dosed(clinic)
    set_from(clinic, patient_id, TODAY, DAILY)

    with pytest.raises(Conflict, match="Another arrangement"):
        set_from(clinic, patient_id, TODAY, TAKEN_AWAY)


def test_only_a_prescriber_sets_how_somebody_collects_and_says_why(clinic: ScriptClinic) -> None:
    patient_id, _ = somebody_dosed(clinic)
    given = {"from_on": TODAY, "days": DAILY}

    with pytest.raises(Forbidden):
        regimen_commands.set_regimen(
            clinic.act(clinic.nurse), patient_id, **given, reason=WHY
        )  # fmt: skip
    with pytest.raises(Invalid):
        regimen_commands.set_regimen(clinic.act(), patient_id, **given, reason="ok")
    with pytest.raises(Invalid):
        regimen_commands.set_regimen(
            clinic.act(at=NOW), patient_id, **{**given, "from_on": date(2031, 1, 1)}, reason=WHY
        )  # fmt: skip
