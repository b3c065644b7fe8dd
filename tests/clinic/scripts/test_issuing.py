"""Can a form be issued that a rule stops, that covers a date twice, or that does not add up?"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from threading import Barrier, Thread
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text

from clinic.db import Database
from clinic.errors import Conflict, Forbidden, Invalid, Stale, Trouble
from clinic.prescriptions import commands as prescribing
from clinic.prescriptions.commands import FactsMissing, ReasonNeeded, Stopped
from clinic.release import premises
from clinic.scripts import commands, queries
from clinic.scripts.models import Script, ScriptDay
from dosing.units import as_text
from tests.factories.base import NOW, a_patient
from tests.factories.prescriptions import a_dose_taken, an_assessed_patient
from tests.factories.scripts import (
    DAILY,
    SURE,
    ScriptClinic,
    a_daily_decision,
    a_draft,
    a_script_clinic,
    an_issued_script,
    asking,
    somebody_dosed,
)
from tests.support.people import Door

TODAY = date(2026, 11, 4)  # a Wednesday


@pytest.fixture
def clinic(database: Database) -> ScriptClinic:
    return a_script_clinic(database)


def kept(clinic: ScriptClinic, script_id: int) -> Script:
    with clinic.database.reading() as session:
        return session.get_one(Script, script_id)


def days_of(clinic: ScriptClinic, script_id: int) -> list[date]:
    """The dates a form still covers."""
    with clinic.database.reading() as session:
        return list(
            session.scalars(
                select(ScriptDay.dose_on)
                .where(ScriptDay.script_id == script_id, ScriptDay.released_at.is_(None))
                .order_by(ScriptDay.dose_on)
            )
        )


# -- issuing -------------------------------------------------------------------------------


@pytest.mark.proves("L-03", "L-04", "L-05", "L-06", "L-07")
def test_an_issued_form_carries_its_instalments_total_and_words(clinic: ScriptClinic) -> None:
    patient_id, decision_id = somebody_dosed(clinic)

    script_id = an_issued_script(clinic.act(), clinic, patient_id, decision_id)

    row = kept(clinic, script_id)
    assert (row.status, row.outcome) == ("issued", "PASS")
    assert (row.total_mg, row.total) == (Decimal(420), Decimal(420))
    assert (row.signed_on, row.start_on, row.last_on) == (TODAY, None, date(2026, 11, 17))
    assert row.valid_until_on == TODAY + timedelta(days=28)
    assert row.paper is not None
    assert row.paper["total_in_words"] == "four hundred and twenty millilitres"
    assert row.paper["doses"][0]["text"] == "30 mg (30 ml) by mouth once a day"
    assert [(each.due_on.day, each.amount) for each in row.instalments][:5] == [
        (4, Decimal(30)), (5, Decimal(30)), (6, Decimal(30)), (7, Decimal(60)), (9, Decimal(30)),
    ]  # fmt: skip
    assert days_of(clinic, script_id) == [TODAY + timedelta(days=n) for n in range(14)]
    assert row.judged is not None
    sent = row.judged[0]["request"]["prescription"]
    assert (sent["total_ml"], sent["dose_directions"], sent["written_strength"]) == (
        "420", "stated", "1 mg/ml",
    )  # fmt: skip


@pytest.mark.proves("L-01")
def test_a_form_for_fifteen_days_is_stopped_whoever_asks(clinic: ScriptClinic) -> None:
    patient_id, decision_id = somebody_dosed(clinic, days=20)
    act = clinic.act()
    script_id = a_draft(act, clinic, patient_id, decision_id, to_on=TODAY + timedelta(days=14))

    with pytest.raises(Stopped) as stopped:
        commands.issue_script(act, patient_id, script_id, version=1, **SURE)

    assert [each["rule"] for each in stopped.value.answer["findings"]][0] == "L-01"
    assert kept(clinic, script_id).status == "draft"
    assert days_of(clinic, script_id) == []


@pytest.mark.proves("S-01", "S-07")
def test_an_alert_asks_for_a_typed_reason(clinic: ScriptClinic) -> None:
    patient_id, decision_id = somebody_dosed(clinic)
    act = clinic.act()
    away = dict.fromkeys(DAILY, "taken_away")
    script_id = a_draft(
        act, clinic, patient_id, decision_id, days=away, directions=["closed_day"]
    )  # fmt: skip

    with pytest.raises(ReasonNeeded) as needed:
        commands.issue_script(act, patient_id, script_id, version=1)
    commands.issue_script(act, patient_id, script_id, version=1, **SURE)

    fired = {each["rule"] for each in needed.value.answer["findings"]}
    assert {"S-01", "S-07"} <= fired
    row = kept(clinic, script_id)
    assert (row.outcome, row.reason_code) == ("ALERT", "benefit")


@pytest.mark.proves("S-06")
def test_a_form_over_a_closed_day_needs_the_closed_day_wording(clinic: ScriptClinic) -> None:
    patient_id, decision_id = somebody_dosed(clinic)
    act = clinic.act()
    script_id = a_draft(act, clinic, patient_id, decision_id, directions=["supervise", "three_day"])

    with pytest.raises(Invalid) as refused:
        commands.issue_script(act, patient_id, script_id, version=1, **SURE)

    assert refused.value.faults[0][0] == "directions"
    assert "closed days on a prior suitable day" in refused.value.detail


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"directions": ["Take as directed"]}, "directions"),
        ({"days": {}}, "days"),
        ({"days": {"mon": "perhaps"}}, "days"),
        ({"from_on": TODAY - timedelta(days=1)}, "from_on"),
        ({"to_on": TODAY - timedelta(days=1)}, "to_on"),
        ({"address": "  "}, "address"),
        ({"decision_ids": []}, "decision_ids"),
        ({"premises_id": 2**31 - 1}, "premises_id"),
        ({"form": "fp10"}, "form"),
    ],
)
def test_a_draft_names_what_cannot_stand(
    clinic: ScriptClinic, given: dict[str, Any], field: str
) -> None:
    patient_id, decision_id = somebody_dosed(clinic)

    with pytest.raises(Invalid) as refused:
        a_draft(clinic.act(), clinic, patient_id, decision_id, **given)

    assert refused.value.faults[0][0] == field


def test_a_date_nobody_decided_a_dose_for_is_not_written(clinic: ScriptClinic) -> None:
    patient_id, decision_id = somebody_dosed(clinic, days=10)
    act = clinic.act()
    script_id = a_draft(act, clinic, patient_id, decision_id)

    with pytest.raises(Invalid, match="No dose is decided on for 14 Nov 2026"):
        commands.issue_script(act, patient_id, script_id, version=1, **SURE)


def test_a_dose_already_answered_for_is_not_written_again(clinic: ScriptClinic) -> None:
    patient_id, decision_id = somebody_dosed(clinic)
    a_dose_taken(clinic.act(), patient_id, decision_id)
    act = clinic.act(at=NOW + timedelta(minutes=5))
    script_id = a_draft(act, clinic, patient_id, decision_id)

    with pytest.raises(Invalid, match="must be after 04 Nov 2026"):
        commands.issue_script(act, patient_id, script_id, version=1, **SURE)


def test_what_became_of_an_earlier_dose_must_be_recorded_first(clinic: ScriptClinic) -> None:
    patient_id, decision_id = somebody_dosed(clinic)
    act = clinic.act(at=NOW + timedelta(days=3))
    first = TODAY + timedelta(days=3)
    script_id = a_draft(
        act, clinic, patient_id, decision_id, from_on=first, to_on=TODAY + timedelta(days=13)
    )  # fmt: skip

    assert [each.on for each in commands.check_script(act, patient_id, script_id).missing] == [
        TODAY, TODAY + timedelta(days=1), TODAY + timedelta(days=2),
    ]  # fmt: skip
    with pytest.raises(FactsMissing):
        commands.issue_script(act, patient_id, script_id, version=1, **SURE)


@pytest.mark.proves("M-MD-02", "M-MD-05")
def test_a_form_written_ahead_does_not_pass_over_days_that_were_missed(
    clinic: ScriptClinic,
) -> None:
    """Two, then three days missed: today's dose, still to come, ends no gap for the form from
    tomorrow on."""
    patient_id, decision_id = somebody_dosed(clinic, days=20)
    a_dose_taken(clinic.act(), patient_id, decision_id)
    for day in (1, 2):
        later = clinic.act(at=NOW + timedelta(days=day))
        a_dose_taken(later, patient_id, decision_id, outcome="missed")
    act = clinic.act(at=NOW + timedelta(days=3))
    from_on = TODAY + timedelta(days=4)
    ahead = a_draft(act, clinic, patient_id, decision_id, from_on=from_on, to_on=from_on)

    with pytest.raises(ReasonNeeded) as needed:
        commands.issue_script(act, patient_id, ahead, version=1)

    assert "M-MD-05" in [each["rule"] for each in needed.value.answer["findings"]]
    commands.discard_draft(act, patient_id, ahead, "Seen the next day")
    a_dose_taken(act, patient_id, decision_id, outcome="missed")
    act = clinic.act(at=NOW + timedelta(days=4))
    first = TODAY + timedelta(days=5)
    script_id = a_draft(
        act, clinic, patient_id, decision_id, from_on=first, to_on=first + timedelta(days=3)
    )

    with pytest.raises(Stopped) as stopped:
        commands.issue_script(act, patient_id, script_id, version=1, **SURE)

    assert "M-MD-02" in [each["rule"] for each in stopped.value.answer["findings"]]
    assert kept(clinic, script_id).status == "draft"


@pytest.mark.proves("PF-03")
def test_a_form_begins_within_28_days_and_never_before_today(clinic: ScriptClinic) -> None:
    patient_id, decision_id = somebody_dosed(clinic, days=28)
    act = clinic.act()

    def begins(after: int) -> int:
        day = TODAY + timedelta(days=after)
        return a_draft(act, clinic, patient_id, decision_id, from_on=day, to_on=day)

    for wrong in (-1, 29):
        with pytest.raises(Invalid, match="from_on: must be from today to 28 days from now"):
            begins(wrong)
    assert begins(0) != begins(28)


def test_a_form_written_ahead_counts_the_planned_doses_until_then(clinic: ScriptClinic) -> None:
    patient_id, decision_id = somebody_dosed(clinic, days=28)
    act = clinic.act()
    an_issued_script(act, clinic, patient_id, decision_id)
    first = TODAY + timedelta(days=14)

    script_id = an_issued_script(act, clinic, patient_id, decision_id, from_on=first)

    row = kept(clinic, script_id)
    assert row.judged is not None
    assert row.judged[0]["ahead"] == 14
    assert row.start_on == first
    assert row.valid_until_on == first + timedelta(days=28)
    assert row.outcome == "PASS"


def test_a_nurse_drafts_and_only_a_prescriber_with_a_level_issues(clinic: ScriptClinic) -> None:
    patient_id, decision_id = somebody_dosed(clinic)
    script_id = a_draft(clinic.act(clinic.nurse), clinic, patient_id, decision_id)

    with pytest.raises(Forbidden):
        commands.issue_script(clinic.act(clinic.nurse), patient_id, script_id, version=1)
    commands.issue_script(clinic.act(), patient_id, script_id, version=1, **SURE)

    row = kept(clinic, script_id)
    assert (row.recorded_by, row.issued_by) == (clinic.nurse.id, clinic.prescriber.id)


def test_a_draft_somebody_changed_meanwhile_is_not_issued_unread(clinic: ScriptClinic) -> None:
    patient_id, decision_id = somebody_dosed(clinic)
    act = clinic.act()
    script_id = a_draft(act, clinic, patient_id, decision_id)
    commands.change_draft(
        act, patient_id, script_id, version=1,
        **asking(clinic, decision_id, strength_mg_per_ml=Decimal(1), to_on=TODAY),
    )  # fmt: skip

    with pytest.raises(Stale):
        commands.issue_script(act, patient_id, script_id, version=1, **SURE)
    commands.issue_script(act, patient_id, script_id, version=2, **SURE)

    assert kept(clinic, script_id).total_mg == Decimal(30)


def test_a_liquid_is_written_in_the_strength_it_was_decided_in(clinic: ScriptClinic) -> None:
    patient_id, decision_id = somebody_dosed(clinic)
    act = clinic.act()
    without = a_draft(act, clinic, patient_id, decision_id, strength_mg_per_ml=None)
    concentrate = a_draft(act, clinic, patient_id, decision_id, strength_mg_per_ml=Decimal(10))

    with pytest.raises(Invalid, match="volume alone is not a dose"):
        commands.check_script(act, patient_id, without)
    stopped = commands.check_script(act, patient_id, concentrate)

    assert stopped.answer["findings"][0]["rule"] == "U-03"
    assert stopped.answer["outcome"] == "STOP"


def test_tablets_are_written_by_strength_and_in_words(clinic: ScriptClinic) -> None:
    patient_id = an_assessed_patient(clinic, medicine="buprenorphine")
    act = clinic.act()
    order = {
        "product": "buprenorphine_sublingual", "phase": "induction", "dose_mg": "4",
        "tablets": [{"strength_mg": "2", "count": 2}], "stocked_strengths_mg": ["2", "8"],
    }  # fmt: skip
    decision_id = a_daily_decision(act, patient_id, order=order)

    script_id = an_issued_script(act, clinic, patient_id, decision_id, strength_mg_per_ml=None)

    row = kept(clinic, script_id)
    assert row.paper is not None
    assert row.paper["tablets"] == [
        {"strength": "2 mg", "total": "28", "total_in_words": "twenty-eight tablets"}
    ]
    assert row.paper["doses"][0]["text"] == "4 mg (2 x 2 mg tablets) under the tongue once a day"
    assert row.total_mg == Decimal(56)


def test_a_pharmacy_whose_hours_nobody_knows_is_not_read_as_open(clinic: ScriptClinic) -> None:
    patient_id, decision_id = somebody_dosed(clinic)
    act = clinic.act()
    unknown = premises.add_premises(act, kind="pharmacy", name="Far Pharmacy")
    script_id = a_draft(act, clinic, patient_id, decision_id, premises_id=unknown)

    with pytest.raises(Invalid, match="no opening hours"):
        commands.check_script(act, patient_id, script_id)


# -- one form for each date ----------------------------------------------------------------


def test_a_second_form_for_the_same_dates_is_refused(clinic: ScriptClinic) -> None:
    patient_id, decision_id = somebody_dosed(clinic)
    act = clinic.act()
    an_issued_script(act, clinic, patient_id, decision_id)
    second = a_draft(act, clinic, patient_id, decision_id, from_on=TODAY + timedelta(days=5),
                     to_on=TODAY + timedelta(days=13))  # fmt: skip

    with pytest.raises(Conflict, match="already covers"):
        commands.issue_script(act, patient_id, second, version=1, **SURE)

    assert kept(clinic, second).status == "draft"


def _issue_at_once(clinic: ScriptClinic, patient_id: int, drafts: list[int]) -> list[object]:
    """What each of several prescribers issuing at the same moment got."""
    together, got = Barrier(len(drafts)), [None] * len(drafts)

    def issue(place: int, script_id: int) -> None:
        act = clinic.act()
        try:
            together.wait(timeout=20)
            got[place] = commands.issue_script(act, patient_id, script_id, version=1, **SURE)
        except Trouble as trouble:
            got[place] = trouble
        except Exception as error:  # noqa: BLE001 - told apart below
            got[place] = error
        finally:
            act.session.close()

    threads = [Thread(target=issue, args=each) for each in enumerate(drafts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return list(got)


def _three_drafts(clinic: ScriptClinic) -> tuple[int, list[int]]:
    patient_id, decision_id = somebody_dosed(clinic)
    act = clinic.act()
    drafts = [a_draft(act, clinic, patient_id, decision_id) for _ in range(3)]
    act.session.close()
    return patient_id, drafts


def test_three_prescribers_issuing_at_once_leave_one_form(fresh_database: Database) -> None:
    clinic = a_script_clinic(fresh_database)
    patient_id, drafts = _three_drafts(clinic)

    got = _issue_at_once(clinic, patient_id, drafts)

    assert [isinstance(each, int) for each in got].count(True) == 1
    assert [isinstance(each, Conflict) for each in got].count(True) == 2


def test_without_the_guard_of_the_database_the_race_is_lost(
    fresh_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The index is what holds: without it, and without taking turns, several forms cover one date."""
    clinic = a_script_clinic(fresh_database)
    patient_id, drafts = _three_drafts(clinic)
    with fresh_database.transaction() as session:
        session.execute(text("DROP INDEX uq_script_day_standing"))

    got = _issue_at_once(clinic, patient_id, drafts)

    assert [isinstance(each, int) for each in got].count(True) > 1


# -- replacing and cancelling --------------------------------------------------------------


def test_a_replacement_begins_where_the_old_form_ends(clinic: ScriptClinic) -> None:
    patient_id, decision_id = somebody_dosed(clinic)
    act = clinic.act()
    old = an_issued_script(act, clinic, patient_id, decision_id)
    first = TODAY + timedelta(days=5)

    new = an_issued_script(
        act, clinic, patient_id, decision_id, replaces_id=old, from_on=first,
        to_on=TODAY + timedelta(days=13),
    )  # fmt: skip

    assert days_of(clinic, old) == [TODAY + timedelta(days=n) for n in range(5)]
    assert days_of(clinic, new) == [TODAY + timedelta(days=n) for n in range(5, 14)]
    row = kept(clinic, old)
    assert (row.status, row.last_on, row.ended_from_on) == (
        "replaced", TODAY + timedelta(days=4), first,
    )  # fmt: skip
    assert row.call_due
    assert row.paper is not None  # what was issued stays as it was
    assert row.paper["total"] == "420"


def test_an_instalment_is_never_cut_in_two(clinic: ScriptClinic) -> None:
    patient_id, decision_id = somebody_dosed(clinic)
    act = clinic.act()
    script_id = an_issued_script(act, clinic, patient_id, decision_id)
    sunday = date(2026, 11, 8)  # handed out with Saturday's

    with pytest.raises(Invalid, match="must begin with an instalment"):
        commands.cancel_script(
            act, patient_id, script_id, from_on=sunday, reason="Moves to another pharmacy"
        )  # fmt: skip

    assert kept(clinic, script_id).status == "issued"


def test_a_cancelled_form_waits_for_the_call_to_the_pharmacy(clinic: ScriptClinic) -> None:
    patient_id, decision_id = somebody_dosed(clinic)
    act = clinic.act()
    script_id = an_issued_script(act, clinic, patient_id, decision_id)
    commands.cancel_script(
        act, patient_id, script_id, from_on=date(2026, 11, 9), reason="Taken into hospital"
    )

    before = [each.why for _, each in queries.waiting(clinic.act())]
    commands.record_call(clinic.act(clinic.nurse), patient_id, script_id, who="Mr Rees")
    after = [each.why for _, each in queries.waiting(clinic.act())]

    assert before == [f"Call the pharmacy: form {script_id} is cancelled"]
    assert after == []
    with pytest.raises(Conflict):
        commands.record_call(act, patient_id, script_id, who="Mr Rees")


def test_withdrawing_the_dose_flags_the_form_and_asks_for_the_call(clinic: ScriptClinic) -> None:
    patient_id, decision_id = somebody_dosed(clinic)
    act = clinic.act()
    script_id = an_issued_script(act, clinic, patient_id, decision_id)
    prescribing.withdraw_decision(act, patient_id, decision_id, "Admitted to hospital today")

    found = [each for _, each in queries.waiting(clinic.act())]
    with pytest.raises(Conflict, match="withdrawn"):
        commands.print_script(act, patient_id, script_id)

    assert [(each.script_id, each.risk) for each in found] == [(script_id, queries.VOID)]
    assert "cancel form" in found[0].why
    assert "call the pharmacy" in found[0].why
    commands.cancel_script(
        act, patient_id, script_id, from_on=TODAY, reason="Its dose was withdrawn"
    )
    assert [each.why for _, each in queries.waiting(clinic.act())] == [
        f"Call the pharmacy: form {script_id} is cancelled",
        "No form covers Wed 4 Nov or any day since",
    ]


# -- the end of a form ---------------------------------------------------------------------


@pytest.mark.proves("PF-01", "PF-02")
@pytest.mark.parametrize(
    ("today", "says"),
    [
        (date(2026, 11, 14), None),
        (date(2026, 11, 15), "Write the next form: Wed 18 Nov is the first day without one"),
        (date(2026, 11, 17), "Write the next form: Wed 18 Nov is the first day without one"),
        (date(2026, 11, 18), "No form covers Wed 18 Nov or any day since"),
        (date(2026, 12, 15), "No form covers Wed 18 Nov or any day since"),
        (date(2026, 12, 16), None),
    ],
)
def test_the_end_of_a_form_is_told_with_the_first_day_without_one(
    clinic: ScriptClinic, today: date, says: str | None
) -> None:
    patient_id, decision_id = somebody_dosed(clinic)
    an_issued_script(clinic.act(), clinic, patient_id, decision_id)

    found = queries.waiting(clinic.act(at=NOW + (today - TODAY)))

    assert [each.why for _, each in found] == ([says] if says else [])


def test_a_next_form_or_a_reason_quiets_the_warning(clinic: ScriptClinic) -> None:
    patient_id, decision_id = somebody_dosed(clinic, days=28)
    other_id, other_decision = somebody_dosed(clinic)
    act = clinic.act()
    an_issued_script(act, clinic, patient_id, decision_id)
    other = an_issued_script(act, clinic, other_id, other_decision)
    later = NOW + timedelta(days=12)

    both = queries.waiting(clinic.act(at=later))
    an_issued_script(act, clinic, patient_id, decision_id, from_on=TODAY + timedelta(days=14))
    one = queries.waiting(clinic.act(at=later))
    commands.settle_script(
        clinic.act(clinic.nurse, at=later), other_id, other, reason="Treatment ends as planned"
    )
    none = queries.waiting(clinic.act(at=later))

    assert (len(both), len(one), len(none)) == (2, 1, 0)


def test_a_hole_before_the_next_form_is_told_though_a_later_form_is_there(
    clinic: ScriptClinic,
) -> None:
    patient_id, decision_id = somebody_dosed(clinic, days=28)
    act = clinic.act()
    an_issued_script(act, clinic, patient_id, decision_id, to_on=TODAY)
    an_issued_script(act, clinic, patient_id, decision_id, from_on=TODAY + timedelta(days=2))

    found = queries.waiting(clinic.act())

    assert [each.why for _, each in found] == [
        "Write the next form: Thu 5 Nov is the first day without one"
    ]
    held = queries.held(clinic.act(), patient_id)
    assert held.uncovered_on == {"methadone": date(2026, 11, 5)}


@pytest.mark.proves("S-06")
def test_a_call_and_a_settling_are_taken_back_and_the_form_waits_again(
    clinic: ScriptClinic, clock: Any, door: Door
) -> None:
    patient_id, decision_id = somebody_dosed(clinic, days=3)
    act = clinic.act()
    script_id = an_issued_script(
        act, clinic, patient_id, decision_id, to_on=TODAY + timedelta(days=2)
    )
    commands.settle_script(act, patient_id, script_id, reason="Treatment ends by agreement")
    commands.cancel_script(
        act, patient_id, script_id, from_on=TODAY + timedelta(days=1), reason="They move away"
    )
    commands.record_call(act, patient_id, script_id, who="Mr Evans")
    assert queries.waiting(clinic.act()) == []
    nurse = door.by_token("nurse", site=clinic.site)
    page = door.by_page("nurse", site=clinic.site)
    form = f"/patients/{patient_id}/prescription-forms/{script_id}"

    asked = {"what": "call", "reason": "It was about another form"}
    taken_back = nurse.post(f"/api/v1{form}/undo", json=asked)
    again = nurse.post(f"/api/v1{form}/undo", json=asked)
    by_page = page.post(f"{form}/undo/settling", data={"reason": "They stay in treatment"})
    nothing = page.get(f"{form}/undo/everything")

    assert [each.status_code for each in (taken_back, again, by_page, nothing)] == [
        200, 409, 302, 404,
    ]  # fmt: skip
    whys = {each.why.split(":")[0] for _, each in queries.waiting(clinic.act())}
    assert whys == {"Call the pharmacy", "Write the next form"}
    shown = page.get(form).get_data(as_text=True)
    assert "Mr Evans. It was about another form" in shown and "They stay in treatment" in shown


# -- paper and exactness -------------------------------------------------------------------


def test_the_first_print_is_plain_and_each_further_one_says_why(clinic: ScriptClinic) -> None:
    patient_id, decision_id = somebody_dosed(clinic)
    act = clinic.act()
    script_id = an_issued_script(act, clinic, patient_id, decision_id)

    first = commands.print_script(act, patient_id, script_id)
    with pytest.raises(Invalid):
        commands.print_script(act, patient_id, script_id)
    second = commands.print_script(act, patient_id, script_id, reason="The printer jammed")

    assert (first.number, second.number) == (1, 2)
    with pytest.raises(Forbidden):
        commands.print_script(clinic.act(clinic.nurse), patient_id, script_id, reason="x" * 12)


def test_a_draft_and_a_cancelled_form_are_not_printed(clinic: ScriptClinic) -> None:
    patient_id, decision_id = somebody_dosed(clinic)
    act = clinic.act()
    script_id = a_draft(act, clinic, patient_id, decision_id)

    with pytest.raises(Conflict):
        commands.print_script(act, patient_id, script_id)


def test_a_draft_put_aside_stays_and_is_not_issued(clinic: ScriptClinic) -> None:
    patient_id, decision_id = somebody_dosed(clinic)
    act = clinic.act()
    script_id = a_draft(act, clinic, patient_id, decision_id)
    commands.discard_draft(act, patient_id, script_id, "Written for the wrong week")

    with pytest.raises(Conflict):
        commands.issue_script(act, patient_id, script_id, version=2, **SURE)


def test_nobody_of_another_site_reads_or_writes_a_form(
    clinic: ScriptClinic, database: Database
) -> None:
    patient_id, decision_id = somebody_dosed(clinic)
    script_id = a_draft(clinic.act(), clinic, patient_id, decision_id)
    elsewhere = a_script_clinic(database)

    for work in (
        lambda act: queries.one(act, patient_id, script_id),
        lambda act: commands.check_script(act, patient_id, script_id),
        lambda act: commands.issue_script(act, patient_id, script_id, version=1, **SURE),
    ):  # fmt: skip
        _refused(work, elsewhere)


def _refused(work: Callable[[Any], object], clinic: ScriptClinic) -> None:
    with pytest.raises(Trouble) as refused:
        work(clinic.act())
    assert refused.value.status == 403


def test_a_form_of_somebody_else_is_not_found(clinic: ScriptClinic) -> None:
    patient_id, decision_id = somebody_dosed(clinic)
    script_id = a_draft(clinic.act(), clinic, patient_id, decision_id)
    other = a_patient(clinic.act())

    with pytest.raises(Trouble) as refused:
        queries.one(clinic.act(), other, script_id)

    assert refused.value.status == 404


@pytest.mark.proves("L-04")
def test_a_total_that_no_words_say_is_refused_before_it_is_issued(clinic: ScriptClinic) -> None:
    patient_id, decision_id = somebody_dosed(clinic, "12.5", 13)
    act = clinic.act()
    script_id = a_draft(act, clinic, patient_id, decision_id, to_on=TODAY + timedelta(days=12))

    with pytest.raises(Invalid, match=r"162\.5 millilitres.*L-04"):
        commands.issue_script(act, patient_id, script_id, version=1, **SURE)


@settings(
    max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    # A total in words is a whole number: of so many days each dose is a share of one.
    share=st.integers(1, 200),
    days=st.sampled_from([1, 2, 4, 5, 8, 10]),
)
def test_milligrams_survive_decision_rows_and_paper_exactly(
    clinic: ScriptClinic, share: int, days: int
) -> None:
    dose = min(Decimal(share) / days, Decimal(30))
    patient_id, decision_id = somebody_dosed(clinic, as_text(dose), days)
    act = clinic.act()
    script_id = an_issued_script(
        act, clinic, patient_id, decision_id, to_on=TODAY + timedelta(days=days - 1)
    )
    act.session.close()

    row = kept(clinic, script_id)
    assert row.total_mg == dose * days
    assert sum(each.mg for each in row.instalments) == dose * days
    assert row.paper is not None
    assert Decimal(row.paper["total_mg"]) == dose * days
    assert sum(Decimal(each["mg"]) for each in row.paper["instalments"]) == dose * days
    assert [Decimal(each["mg"]) for each in row.paper["doses"]] == [dose]
