"""What was gone against is found again by the clinical lead, counted, reviewed and taken away."""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select

from clinic.audit import AuditEntry
from clinic.errors import Forbidden, Invalid, NotFound
from clinic.guidance import commands, overrides
from clinic.migrate import downgrade, upgrade
from clinic.periods import Quarter
from clinic.prescriptions.commands import Stopped, withdraw_decision
from clinic.prescriptions.models import DoseFinding
from clinic.scripts.commands import cancel_script
from tests.factories.base import NOW, a_member_of_staff, an_act
from tests.factories.prescriptions import a_clinic, a_decision, a_lead, an_assessed_patient
from tests.factories.scripts import DAILY, SURE, a_script_clinic, an_issued_script, somebody_dosed

Q4 = Quarter(2026, 4)


@pytest.fixture
def clinic(database, clock):
    return a_clinic(database)


@pytest.fixture
def lead(clinic):
    return a_lead(clinic)


def an_override(clinic, at=NOW, by=None, **more):
    """An alert (M-FD-05) gone against; its patient and decision."""
    patient = an_assessed_patient(clinic, at=at, substance_use=["alcohol"])
    act = clinic.act(by, at=at)
    decision = a_decision(act, patient, "25", **more)
    act.session.close()
    return patient, decision


def a_stop(clinic, patient, at=NOW):
    act = clinic.act(at=at)
    with pytest.raises(Stopped):
        a_decision(act, patient, "60")
    act.session.close()


@pytest.mark.proves("XX-04")
def test_every_finding_is_kept_with_its_order_and_the_coded_reason_with_the_alert(clinic):
    patient, decision = an_override(clinic, reason_code="closer_monitoring")
    a_stop(clinic, an_assessed_patient(clinic))

    with clinic.database.reading() as session:
        rows = session.scalars(select(DoseFinding).order_by(DoseFinding.id)).all()
    saved = [row for row in rows if row.decision_id]
    assert [(row.rule, row.severity, row.reason_code, row.patient_id) for row in saved] == [
        ("M-FD-05", "ALERT", "closer_monitoring", patient)
    ]
    assert {row.severity for row in rows if row.stop_id} >= {"STOP"}
    assert {row.found_on for row in rows} == {date(2026, 11, 4)}


def test_the_register_shows_why_who_and_what_came_of_it(clinic, lead):
    patient, decision = an_override(clinic)
    other, _ = an_override(clinic)
    a_stop(clinic, patient, at=NOW + timedelta(minutes=5))
    act = clinic.act(at=NOW + timedelta(minutes=6))
    withdraw_decision(act, patient, decision, "Patient left before the dose")
    act.session.close()

    found = overrides.register(clinic.act(lead, at=NOW + timedelta(hours=1)), Q4)

    newest, oldest = found.overrides
    assert found.total == 2
    assert (oldest.finding.rule, oldest.prescriber) == ("M-FD-05", "Dr Huw Pugh")
    assert oldest.finding.reason == "Discussed with the patient today"
    assert oldest.reason_words.startswith("The benefit outweighs")
    assert oldest.stopped_since and oldest.taken_back and not newest.taken_back
    assert not newest.stopped_since and newest.finding.patient_id == other
    assert oldest.patient == "MORGAN, Dewi"


def test_whoever_may_not_see_patients_sees_their_numbers_only(clinic, lead, door):
    patient, _ = an_override(clinic)

    auditor = door.by_page("auditor", site=clinic.site).get("/overrides").text

    assert "Morgan" not in auditor and "MORGAN" not in auditor
    assert f"record {patient}" in auditor
    with clinic.database.reading() as session:
        listed = session.scalars(
            select(AuditEntry).where(AuditEntry.action == "guidance.overrides")
        ).all()
    assert [row.detail for row in listed] == [{"patients": [patient]}]


def test_rates_count_what_was_gone_against_among_what_fired_by_rule_and_prescriber(clinic, lead):
    an_override(clinic)
    an_override(clinic, by=lead)
    # Low tolerance and too high a dose: the alert fires beside the STOP and is not gone against.
    a_stop(clinic, an_assessed_patient(clinic, substance_use=["alcohol"]))
    quarter_before = datetime(2026, 9, 30, 9, tzinfo=UTC)
    an_override(clinic, at=quarter_before)

    found = overrides.rates(clinic.act(lead), Q4)

    rule = {each.of: each for each in found.by_rule}
    assert (rule["M-FD-05"].alerts, rule["M-FD-05"].gone_against) == (2, 2)
    assert rule["M-FD-05"].percent == 100
    assert rule["M-FD-01"].stops == 1 and rule["M-FD-01"].percent is None
    people = {each.of: (each.gone_against, each.stops) for each in found.by_prescriber}
    assert people["Dr Mair Ellis"] == (1, 0)
    assert people["Dr Huw Pugh"][0] == 1 and people["Dr Huw Pugh"][1] >= 1
    assert overrides.register(clinic.act(lead), Q4.before()).total == 1


def test_the_lead_reviews_once_or_twice_and_never_their_own(clinic, lead):
    an_override(clinic)
    an_override(clinic, by=lead)
    act = clinic.act(lead)
    own, others = overrides.register(act, Q4).overrides
    act.session.rollback()
    assert overrides.to_review(act) == 1
    act.session.rollback()

    commands.review_override(act, others.id, "Discussed with Dr Pugh; reasonable here")
    commands.review_override(act, others.id, "Looked again after the audit")
    with pytest.raises(Invalid, match="your own"):
        commands.review_override(act, own.id, "I was right of course")

    assert [each.comment for each in overrides.override(act, others.id).reviews] == [
        "Discussed with Dr Pugh; reasonable here", "Looked again after the audit"
    ]  # fmt: skip
    assert overrides.to_review(act) == 0


def test_an_override_that_waits_is_never_said_under_nothing_waiting(clinic, lead, door):
    reader = door.by_page("prescriber", post="clinical_lead", site=clinic.site, level="prescriber")
    before = reader.get("/").get_data(as_text=True).partition("Nothing waiting")
    an_override(clinic)

    after = reader.get("/").get_data(as_text=True).partition("Nothing waiting")

    assert "None of the last 90 days waits for your review." in before[2]
    assert "1 of the last 90 days waits for your review." in after[0]
    assert "Alerts gone against" not in after[2]


def test_a_leads_own_override_waits_for_a_second_lead_of_the_site_who_may_review_it(clinic, lead):
    an_override(clinic, by=lead)
    second = clinic.act(a_lead(clinic, name="Dr Non Rhys"))
    assert overrides.to_review(second) == 1
    (found,) = overrides.register(second, Q4).overrides
    second.session.rollback()

    commands.review_override(second, found.id, "Read with the notes; agreed with Dr Ellis")

    assert [each.by for each in overrides.override(second, found.id).reviews] == ["Dr Non Rhys"]


def test_nobody_but_the_lead_reviews_and_nobody_elsewhere_sees(clinic, lead, database):
    an_override(clinic)
    elsewhere = a_clinic(database)
    manager = a_member_of_staff(database, clinic.site, "manager")
    act = clinic.act(manager)
    (found,) = overrides.register(act, Q4).overrides
    act.session.rollback()

    with pytest.raises(Forbidden):
        commands.review_override(act, found.id, "A manager's opinion of it")
    with pytest.raises(Forbidden):
        overrides.register(clinic.act(), Q4)
    other = elsewhere.act(a_lead(elsewhere))
    assert overrides.register(other, Q4).total == 0
    with pytest.raises(NotFound):
        overrides.override(other, found.id)
    other.session.rollback()
    with pytest.raises(NotFound):
        commands.review_override(other, found.id, "Not of this site at all")


def test_an_alert_on_a_prescription_form_is_among_them_until_the_form_is_cancelled(database, clock):
    clinic = a_script_clinic(database)
    patient, decision = somebody_dosed(clinic)
    act = clinic.act()
    away = dict.fromkeys(DAILY, "taken_away")
    script = an_issued_script(
        act, clinic, patient, decision, days=away, directions=["closed_day"]
    )  # fmt: skip
    act.session.rollback()
    lead = clinic.act(a_lead(clinic))

    mine = [each for each in overrides.register(lead, Q4).overrides if each.finding.script_id]
    rule = [each.finding.rule for each in mine]
    lead.session.rollback()
    cancel_script(act, patient, script, from_on=date(2026, 11, 4), reason="Went to hospital today")
    again = [each for each in overrides.register(lead, Q4).overrides if each.finding.script_id]

    assert {(each.finding.script_id, each.taken_back) for each in mine} == {(script, False)}
    assert "S-01" in rule and len(set(rule)) == len(rule)
    assert mine[0].finding.reason == SURE["reason"]
    assert all(each.taken_back for each in again)


def test_only_an_alert_gone_against_can_be_reviewed(clinic, lead):
    a_stop(clinic, an_assessed_patient(clinic))
    act = clinic.act(lead)
    stop = act.session.scalar(select(DoseFinding.id))
    act.session.rollback()

    with pytest.raises(NotFound):
        commands.review_override(act, stop, "Nobody went against it")


def test_a_quarters_sheet_names_no_patient_and_quotes_nothing_typed(clinic, lead, door):
    patient, _ = an_override(clinic, reason="Morgan asked for it himself")
    a_stop(clinic, patient, at=NOW + timedelta(minutes=5))

    answer = door.by_page("manager", site=clinic.site).get("/overrides/2026-Q4.csv")

    text = answer.get_data(as_text=True)
    rows = list(csv.DictReader(io.StringIO(text)))
    assert "Morgan" not in text and "patient" not in text
    saved = next(row for row in rows if row["order"] == "dose decided on")
    assert (saved["rule"], saved["reason_code"], saved["stopped_since"]) == (
        "M-FD-05", "benefit", "yes"
    )  # fmt: skip
    assert {row["severity"] for row in rows} == {"ALERT", "STOP"}


@pytest.mark.parametrize(
    ("day", "name", "first", "last"),
    [
        (date(2026, 12, 31), "2026-Q4", date(2026, 10, 1), date(2026, 12, 31)),
        (date(2027, 1, 1), "2027-Q1", date(2027, 1, 1), date(2027, 3, 31)),
        (date(2028, 2, 29), "2028-Q1", date(2028, 1, 1), date(2028, 3, 31)),
    ],
)
def test_quarters_are_three_calendar_months(day, name, first, last):
    quarter = Quarter.of(day)

    assert (str(quarter), quarter.first_on, quarter.last_on) == (name, first, last)
    assert Quarter.named(name) == quarter
    assert quarter.next().before() == quarter


@pytest.mark.parametrize("name", ["2026", "2026-Q5", "1999-Q1", "2026-Q4x", ""])
def test_a_quarter_nobody_could_mean_is_not_found(name):
    with pytest.raises(NotFound):
        Quarter.named(name)


def test_a_page_of_the_register_reads_that_page_alone(clinic, lead, monkeypatch):
    monkeypatch.setattr(overrides, "PAGE", 2)
    for _ in range(3):
        an_override(clinic)

    act = clinic.act(lead)
    first, second = overrides.register(act, Q4, 1), overrides.register(act, Q4, 2)

    assert [len(first.overrides), len(second.overrides)] == [2, 1]
    assert (first.total, first.last) == (3, 2)


def test_the_writer_of_an_act_at_another_site_leaves_no_trace_here(clinic, lead, database):
    """A finding belongs to the site the order was written at."""
    elsewhere = a_clinic(database)
    an_override(elsewhere)

    assert overrides.register(clinic.act(lead), Q4).total == 0
    assert an_act(database, lead, clinic.site).may("guidance.review")


def test_what_was_decided_before_findings_had_rows_is_counted_too(fresh_database, fresh_url):
    clinic = a_clinic(fresh_database)
    patient, _ = an_override(clinic)
    a_stop(clinic, patient, at=NOW + timedelta(minutes=5))

    def findings():
        with fresh_database.reading() as session:
            rows = session.scalars(select(DoseFinding).order_by(DoseFinding.id)).all()
        fresh_database.engine.dispose()
        left_out = {"_sa_instance_state", "recorded_at"}  # to the microsecond: the order's own
        return [{name: vars(row)[name] for name in vars(row).keys() - left_out} for row in rows]

    before = findings()
    downgrade(fresh_url, "0010")
    upgrade(fresh_url)

    assert findings() == before
