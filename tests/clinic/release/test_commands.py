"""Who may record what of a release, what is refused, and what each fact does to its flag."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import delete, select, text, update
from sqlalchemy.exc import DBAPIError

from clinic.audit import AuditEntry
from clinic.errors import Conflict, Forbidden, Invalid, NotFound, OutsideCaseload, Stale
from clinic.patients.access import break_glass
from clinic.release import commands, following, premises, queries
from clinic.release.models import ReleaseAssessment, ReleaseFact, ReleaseFlag, ReleasePlan
from tests.factories.base import a_member_of_staff, a_patient, a_site
from tests.factories.release import (
    WEEK,
    a_fact,
    a_hearing,
    a_pharmacy,
    a_release_plan,
    a_stay,
    a_transfer,
    corrected,
    instalment,
    struck,
    version_of,
)

HOUR = timedelta(hours=1)


def audited(story, action: str) -> list[AuditEntry]:
    return list(story.act().session.scalars(select(AuditEntry).where(AuditEntry.action == action)))


# -- the plan ------------------------------------------------------------------------------


@pytest.mark.proves("RC-01")
def test_a_plan_opens_on_any_day_of_custody_and_is_audited(story):
    patient_id = story.patient()

    plan_id = a_release_plan(story.act(), patient_id)

    [entry] = audited(story, "release.plan_opened")
    assert (entry.patient_id, entry.staff_id) == (patient_id, story.staff.id)
    assert story.now(plan_id).plan.version == 1


def test_one_person_has_one_open_plan(story):
    patient_id = story.patient()
    plan_id = a_release_plan(story.act(), patient_id)

    with pytest.raises(Conflict) as refusal:
        a_release_plan(story.act(), patient_id)

    assert refusal.value.more == {"plan_id": plan_id}


def test_the_database_refuses_a_second_open_plan_too(story):
    plan_id = a_release_plan(story.act())
    act = story.act()
    first = act.session.get_one(ReleasePlan, plan_id)
    columns = {
        column.name: getattr(first, column.name)
        for column in ReleasePlan.__table__.columns
        if column.name != "id"
    }

    with pytest.raises(DBAPIError, match="release_plan"):
        act.session.execute(ReleasePlan.__table__.insert().values(**columns))
    act.session.rollback()


def test_a_plan_is_for_leaving_a_prison(story):
    service = a_site(story.database)

    with pytest.raises(Invalid) as refusal:
        commands.open_release_plan(story.act(), story.patient(), site_id=service.id)

    assert refusal.value.faults[0][0] == "site_id"


@pytest.mark.parametrize("role", ["pharmacist", "manager"])
def test_who_may_only_read_records_nothing(story, role):
    plan_id = a_release_plan(story.act())
    reader = a_member_of_staff(story.database, story.prison, role)

    with pytest.raises(Forbidden):
        a_fact(story.act(reader), plan_id, "consent", given=True)

    assert queries.plan_now(story.act(reader), plan_id).plan.id == plan_id


def test_another_site_needs_a_reason_first(story):
    plan_id = a_release_plan(story.act())
    elsewhere = a_site(story.database)
    stranger = a_member_of_staff(story.database, elsewhere, "nurse")

    with pytest.raises(OutsideCaseload):
        queries.plan_now(story.act(stranger, elsewhere), plan_id)
    with pytest.raises(OutsideCaseload):
        a_fact(story.act(stranger, elsewhere), plan_id, "consent", given=True)

    patient_id = story.now(plan_id).patient.id
    break_glass(story.act(stranger, elsewhere), patient_id, "emergency", "Found unwell at the gate")
    assert queries.plan_now(story.act(stranger, elsewhere), plan_id).plan.id == plan_id


def test_the_service_they_go_to_sees_and_fills_the_plan_once_sharing_is_agreed(story):
    service = a_site(story.database)
    worker = a_member_of_staff(story.database, service, "drugs_worker")
    plan_id = a_release_plan(story.act(), destination={"site_id": service.id, "area": "Taff"})

    assert queries.coming_here(story.act(worker, service)) == []
    with pytest.raises(OutsideCaseload):
        queries.plan_now(story.act(worker, service), plan_id)

    consent = a_fact(story.act(), plan_id, "consent", given=True)
    assert [each.plan_id for each in queries.coming_here(story.act(worker, service))] == [plan_id]
    a_fact(story.act(worker, service), plan_id, "prescriber", name="Dr B", service="Taff")
    assert story.now(plan_id).request["prescriber"]["name"] == "Dr B"

    struck(story.act(), consent)
    assert queries.coming_here(story.act(worker, service)) == []
    with pytest.raises(OutsideCaseload):
        queries.plan_now(story.act(worker, service), plan_id)


def test_a_stale_version_is_refused_and_names_who_was_first(story):
    plan_id = a_release_plan(story.act())
    a_fact(story.act(), plan_id, "consent", given=True)

    with pytest.raises(Stale, match="Ann Probert changed this plan"):
        commands.record(story.act(), plan_id, "prescriber", {"name": "Dr A"}, version=1)


@pytest.mark.proves("RC-08")
def test_a_plan_is_not_finished_while_red_flags_stand_and_can_be_reopened(story):
    plan_id = a_release_plan(
        story.act(), release={"confirmed_on": "2026-08-17"}, treatment={"on_ost": True}
    )
    act = story.act()
    with pytest.raises(Conflict, match="Not while these stand.*RG-16"):
        commands.close_release_plan(
            act, plan_id, version=version_of(act, plan_id), closed_as="finished", reason="Gone"
        )

    act = story.act()
    commands.close_release_plan(
        act, plan_id, version=version_of(act, plan_id), closed_as="opened_in_error",
        reason="Another person",
    )  # fmt: skip
    with pytest.raises(Conflict, match="closed"):
        a_fact(story.act(), plan_id, "consent", given=True)

    act = story.act()
    commands.reopen_release_plan(act, plan_id, version=version_of(act, plan_id))
    a_fact(story.act(), plan_id, "consent", given=True)
    assert story.now(plan_id).plan.closed_at is None


# -- facts ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("section", "says", "field"),
    [
        ("appointment", {"at": "2026-09-01 10:00"}, "at"),
        ("appointment", {"booked_at": "2026-08-01T10:00:00+01:00"}, "at"),
        ("appointment", {"at": "2026-09-01T09:00:00Z", "booked_at": "2026-09-01T09:00:00Z"},
         "booked_at"),
        ("consent", {"given": "yes"}, "given"),
        ("consent", {"agreed": True}, "agreed"),
        ("consent", {}, "given"),
        ("treatment", {"medicine": "heroin"}, "medicine"),
        ("dose", {"where": "prison"}, "at"),
        ("dose", {"where": "prison", "on": "2026-08-18"}, "on"),
        ("naloxone", {"outcome": "issued", "on": "2026-08-18"}, "on"),
        ("supply", {"form": "fp10", "instalments": []}, "instalments"),
        ("supply", {"form": "fp10", "instalments": [{"collect_on": "2026-08-18"}]}, "instalments"),
        ("release", {"confirmed_on": "2099-01-01"}, "confirmed_on"),
        ("prescriber", {"name": "x" * 201}, "name"),
        ("court_pack", {"court_on": "2026-08-25", "slot_on": "2026-08-26"}, "court_on"),
        ("transfer_information", {"transfer_on": "2026-08-25", "drug": "x"}, "transfer_on"),
        ("arrival", {"claims_ost": True}, "received_at"),
        ("pharmacy", {}, "premises_id"),
        ("possible_earlier", {"on": "2026-08-18", "why": "luck"}, "why"),
        ("supply", {"form": "fp10", "instalments": [instalment("2026-08-18")]}, "instalments"),
        ("release", {"calculated_on": "2026-09-18", "sentenced_on": "2026-08-18"}, "sentenced_on"),
        ("release", {"calculated_on": "2026-09-18", "drr_ends_on": "2026-09-17"}, "drr_ends_on"),
    ],
)  # fmt: skip
def test_what_the_rules_cannot_read_is_refused_by_field_and_not_kept(story, section, says, field):
    plan_id = a_release_plan(story.act())

    with pytest.raises(Invalid) as refusal:
        a_fact(story.act(), plan_id, section, **says)

    assert refusal.value.faults[0][0] == field
    assert story.now(plan_id).facts[section] == []
    assert story.now(plan_id).plan.version == 1


def test_no_appointment_and_no_release_is_dated_before_they_arrived(story):
    patient_id = story.patient()
    a_stay(story.act(), patient_id, datetime(2026, 8, 10, 15, tzinfo=UTC))
    plan_id = a_release_plan(story.act(), patient_id)

    with pytest.raises(Invalid, match="before they arrived, Mon 10 Aug 2026"):
        a_fact(story.act(), plan_id, "appointment", at="2025-09-01T09:00:00Z")
    with pytest.raises(Invalid, match="before they arrived"):
        a_fact(story.act(), plan_id, "release", confirmed_on="2025-09-01")

    a_fact(story.act(), plan_id, "appointment", at="2026-08-10T15:30:00Z")
    assert story.now(plan_id).facts["release"] == []


def test_an_unknown_section_or_fact_is_not_found(story):
    plan_id = a_release_plan(story.act())

    with pytest.raises(NotFound):
        a_fact(story.act(), plan_id, "weather", sunny=True)
    with pytest.raises(NotFound):
        commands.strike(story.act(), 999_999, version=1, reason="Why")
    with pytest.raises(NotFound):
        queries.plan_now(story.act(), 999_999)


def test_a_section_that_stands_is_corrected_and_not_recorded_twice(story):
    plan_id = a_release_plan(story.act(), consent={"given": True})

    with pytest.raises(Conflict, match="Correct what stands"):
        a_fact(story.act(), plan_id, "consent", given=False)


def test_a_correction_keeps_what_it_corrects_with_who_when_and_why(story):
    plan_id = a_release_plan(story.act())
    first = a_fact(story.act(), plan_id, "consent", given=True)
    story.at += HOUR

    second = corrected(story.act(), first, reason="Withdrawn today", given=False)

    old = story.act().session.get_one(ReleaseFact, first)
    assert (old.struck_reason, old.struck_by) == ("Withdrawn today", story.staff.id)
    assert old.struck_at == story.at
    assert [row.id for row in story.now(plan_id).facts["consent"]] == [second]
    assert story.flags(plan_id)["RG-19"] == "amber"


def test_a_correction_needs_a_reason(story):
    plan_id = a_release_plan(story.act())
    fact_id = a_fact(story.act(), plan_id, "consent", given=True)

    with pytest.raises(Invalid) as refusal:
        corrected(story.act(), fact_id, reason=" ", given=False)

    assert refusal.value.faults == (("reason", "is required"),)
    assert story.now(plan_id).facts["consent"][0].id == fact_id


def test_what_was_struck_out_by_mistake_is_put_back(story):
    plan_id = a_release_plan(story.act())
    fact_id = a_fact(story.act(), plan_id, "consent", given=True)
    struck(story.act(), fact_id)
    assert "RG-19" in story.flags(plan_id)

    act = story.act()
    commands.put_back(act, fact_id, version=version_of(act, plan_id))

    assert "RG-19" not in story.flags(plan_id)
    act = story.act()
    with pytest.raises(Conflict, match="stands in its place"):
        commands.put_back(act, fact_id, version=version_of(act, plan_id))


def test_the_database_lets_nobody_rewrite_or_remove_a_fact_or_a_scoring(story):
    plan_id = a_release_plan(story.act(), consent={"given": True})
    for statement in (
        update(ReleaseFact).where(ReleaseFact.plan_id == plan_id).values(says={"given": False}),
        delete(ReleaseFact).where(ReleaseFact.plan_id == plan_id),
        update(ReleaseAssessment).values(answer={}),
        delete(ReleaseAssessment),
    ):
        act = story.act()
        with pytest.raises(DBAPIError, match="release_history"), act.session.begin_nested():
            act.session.execute(statement)


def test_every_change_of_a_plan_is_audited_by_ids_alone(story):
    plan_id = a_release_plan(story.act())
    fact_id = a_fact(story.act(), plan_id, "prescriber", name="Dr Secret", service="S")
    fact_id = corrected(story.act(), fact_id, name="Dr Secret", service="T")
    struck(story.act(), fact_id)
    story.now(plan_id)
    act = story.act()
    queries.plan_now(act, plan_id)
    from clinic.audit import write_queued

    write_queued(act.session)
    act.session.commit()

    entries = list(
        story.act().session.scalars(select(AuditEntry).where(AuditEntry.action.like("release.%")))
    )
    assert {"release.plan_opened", "release.fact_recorded", "release.fact_corrected",
            "release.fact_struck", "release.plan_seen"} <= {entry.action for entry in entries}  # fmt: skip
    assert all(entry.patient_id is not None for entry in entries)
    assert not any("Secret" in str(entry.detail) for entry in entries)


# -- each closing fact and its flag --------------------------------------------------------

INSIDE = {"release": {"confirmed_on": "2026-08-18"}, "treatment": {"on_ost": True}}
ON_THE_DAY = {"release": {"confirmed_on": "2026-08-17"}, "treatment": {"on_ost": True}}
LEFT = {"exit": {"at": "2026-08-17T08:00:00Z", "how": "release"},
        "dose": {"at": "2026-08-17T07:00:00Z", "where": "prison"}}  # fmt: skip
LEFT_LONG_AGO = {"exit": {"at": "2026-08-01T08:00:00Z", "how": "release"}}
TUESDAY = {"at": "2026-08-18T13:00:00Z", "booked_at": "2026-08-16T09:00:00Z",
           "acknowledged_at": "2026-08-16T10:00:00Z"}  # fmt: skip
CLOSING = [
    ("RG-01", {}, "prescriber", {"name": "Dr A", "service": "S"}),
    ("RG-02", INSIDE, "appointment", TUESDAY),
    ("RG-03", {**ON_THE_DAY, "appointment": {**TUESDAY, "at": "2026-08-19T13:00:00Z"}},
     "supply", {"form": "gate_pack", "instalments": [
         instalment("2026-08-17", "2026-08-17", "2026-08-18")]}),
    ("RG-05", {"release": {"confirmed_on": "2026-08-21"},
               "last_dose": {"dose_on_release_day": True},
               "supply": {"form": "gate_pack", "instalments": [
                   instalment("2026-08-21", "2026-08-22", "2026-08-23")]},
               "appointment": {"at": "2026-08-24T09:00:00Z"}},
     "weekend", {"weekend_cover_acknowledged_at": "2026-08-17T08:00:00Z"}),
    ("RG-08", {**LEFT, "exit": {"at": "2026-08-17T08:00:00Z", "how": "court"},
               "appointment": TUESDAY},
     "dose_letter", {"prepared_at": "2026-08-17T08:00:00Z", "sent_at": "2026-08-17T08:30:00Z",
                     "sent_to": "S"}),
    ("RG-11", ON_THE_DAY, "naloxone", {"outcome": "issued", "on": "2026-08-17"}),
    ("RG-12", INSIDE, "notification", {"sent_at": "2026-08-16T09:00:00Z",
                                       "acknowledged_at": "2026-08-16T10:00:00Z"}),
    ("RG-13", {}, "destination", {"area": "A", "contact": "B"}),
    ("RG-16", ON_THE_DAY, "overdose_session", {"outcome": "declined", "on": "2026-08-17"}),
    ("RG-19", {}, "consent", {"lawful_basis": "Vital interests"}),
    ("RG-20", ON_THE_DAY, "dose_letter", {"sent_at": "2026-08-17T08:30:00Z", "sent_to": "S"}),
    ("RG-21", LEFT_LONG_AGO, "engagement", {"engaged_on": "2026-08-14"}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("flag", "sections", "section", "says"), CLOSING, ids=[each[0] for each in CLOSING]
)
def test_a_flag_goes_with_the_fact_that_closes_it_and_comes_back_when_that_is_struck_out(
    story, flag, sections, section, says
):
    plan_id = a_release_plan(story.act(), **sections)
    assert flag in story.flags(plan_id)

    fact_id = a_fact(story.act(), plan_id, section, **says)
    assert flag not in story.flags(plan_id)
    struck(story.act(), fact_id)

    assert flag in story.flags(plan_id)
    rows = story.act().session.scalars(
        select(ReleaseFlag)
        .where(ReleaseFlag.plan_id == plan_id, ReleaseFlag.flag == flag)
        .order_by(ReleaseFlag.id)
    )
    assert [row.cleared_at is None for row in rows] == [False, True]


@pytest.mark.proves("RG-07", "RG-09")
def test_a_hearing_asks_for_its_pack_and_the_pack_clears_it(story):
    patient_id = story.patient()
    stay = a_stay(story.act(), patient_id, datetime(2026, 6, 1, 15, 0, tzinfo=UTC))
    for clock in (9, 14):
        a_hearing(story.act(), stay, datetime(2026, 8, 18, clock, 0, tzinfo=UTC))
    a_transfer(story.act(), stay, on=date(2026, 8, 18), booked_on=date(2026, 8, 14))
    plan_id = a_release_plan(story.act(), patient_id)
    raised = [flag.flag for flag in story.now(plan_id).flags]
    assert raised.count("RG-07") == 2  # one each, although both are on one day
    assert raised.count("RG-09") == 1

    now = "2026-08-17T08:00:00Z"
    a_fact(story.act(), plan_id, "court_pack", court_on="2026-08-18", slot_on="2026-08-19",
           cjit_contact_at=now, dose_letter_at=now, bridging_decided_at=now,
           naloxone_at=now)  # fmt: skip
    a_fact(story.act(), plan_id, "transfer_information", transfer_on="2026-08-18",
           confirmed_at=now)  # fmt: skip

    assert not {"RG-07", "RG-09"} & set(story.flags(plan_id))


@pytest.mark.proves("RC-06")
def test_every_possible_earlier_date_stands_with_its_own_flag(story):
    plan_id = a_release_plan(story.act(), release={"confirmed_on": "2026-12-01"})
    first = a_fact(story.act(), plan_id, "possible_earlier", on="2026-10-01", why="hdc")
    a_fact(story.act(), plan_id, "possible_earlier", on="2026-11-02", why="early_release")
    assert [flag.facts["on"] for flag in story.now(plan_id).flags if flag.flag == "RG-18"] == [
        "2026-10-01", "2026-11-02",
    ]  # fmt: skip

    corrected(story.act(), first, on="2026-10-01", why="hdc", ruled_out_at="2026-08-17T08:00:00Z")

    assert [flag.facts["on"] for flag in story.now(plan_id).flags if flag.flag == "RG-18"] == [
        "2026-11-02"
    ]


@pytest.mark.proves("A26")
def test_without_a_release_date_the_plan_says_what_leaving_today_would_mean(story):
    plan_id = a_release_plan(story.act(), treatment={"on_ost": True})
    a_fact(story.act(), plan_id, "dose", at="2026-08-17T07:00:00Z", where="prison")

    today = story.now(plan_id).answer["released_today"]

    assert today["cover_ends_on"] == "2026-08-17"
    assert "RG-02" in {flag["flag"] for flag in today["flags"]}


def test_a_flag_that_stands_keeps_its_row_while_its_words_change(story):
    plan_id = a_release_plan(story.act())
    raised_at = story.at
    story.at += HOUR
    a_fact(story.act(), plan_id, "destination", area="Northborough")

    [row] = story.act().session.scalars(
        select(ReleaseFlag).where(ReleaseFlag.plan_id == plan_id, ReleaseFlag.flag == "RG-01")
    )
    assert (row.raised_at, row.message) == (raised_at, "No prescriber named in Northborough")


def test_the_worst_flag_comes_first_and_names_whose_it_is(story):
    patient_id = story.patient()
    plan_id = a_release_plan(story.act(), patient_id, **INSIDE)

    flags = story.now(plan_id).flags

    assert flags[0].severity == "critical"
    assert flags == sorted(flags, key=lambda flag: -flag.gravity)
    assert all(flag.owner and flag.sections for flag in flags)
    assert "Keyworker, nobody named yet" in {flag.owner for flag in flags}


# -- pharmacies ----------------------------------------------------------------------------


@pytest.fixture
def relying(story):
    """A plan whose cover hangs on a pharmacy's Saturday; its id and the pharmacy's."""
    act = story.act()
    pharmacy = a_pharmacy(act)
    plan_id = a_release_plan(
        act, pharmacy={"premises_id": pharmacy}, release={"confirmed_on": "2026-08-28"},
        last_dose={"dose_on_release_day": True}, appointment={"at": "2026-09-01T09:00:00Z"},
        supply={"form": "fp10", "in_hand": True, "instalments": [
            instalment("2026-08-29", "2026-08-29", "2026-08-30", "2026-08-31")]},
    )  # fmt: skip
    return plan_id, pharmacy


def stored(story, plan_id):
    rows = story.act().session.scalars(
        select(ReleaseFlag).where(ReleaseFlag.plan_id == plan_id, ReleaseFlag.cleared_at.is_(None))
    )
    return {row.flag: row.severity for row in rows}


@pytest.mark.proves("A27")
def test_closing_a_pharmacy_scores_every_plan_that_uses_it_at_once(story, relying):
    plan_id, pharmacy = relying
    assert "RG-15" not in stored(story, plan_id)

    [closure] = premises.close_premises(
        story.act(), pharmacy, date(2026, 8, 29), date(2026, 8, 29), reason="Refit"
    )
    assert stored(story, plan_id)["RG-15"] == "critical"
    assert stored(story, plan_id)["RG-03"] == "critical"

    story.at += HOUR
    premises.strike_premises_fact(story.act(), closure, reason="The refit is put off")
    assert not {"RG-15", "RG-03"} & set(stored(story, plan_id))

    story.at += HOUR
    week = {key: hours for key, hours in WEEK.items() if key != "sat"}
    premises.set_week(
        story.act(), pharmacy, week, nation="scotland", reason="Closed on Saturdays from now on"
    )
    assert "RG-15" in stored(story, plan_id)

    story.at += HOUR
    premises.open_premises(
        story.act(), pharmacy, date(2026, 8, 29), ["10:00-12:00"], reason="For the holiday"
    )
    assert "RG-15" not in stored(story, plan_id)


@pytest.mark.parametrize(
    ("work", "field"),
    [
        (lambda act, it: premises.add_premises(act, kind="shop", name="A"), "kind"),
        (lambda act, it: premises.add_premises(act, kind="clinic", name=" "), "name"),
        (lambda act, it: premises.set_week(
            act, it, {"mon": ["9-5"]}, nation="scotland", reason="x"), "mon"),
        (lambda act, it: premises.set_week(
            act, it, {"mon": ["09:00-17:00"]}, nation="scotland", reason=""), "reason"),
        (lambda act, it: premises.set_week(
            act, it, {"mon": ["09:00-17:00"]}, nation="wales", reason="x"), "nation"),
        (lambda act, it: premises.close_premises(
            act, it, date(2026, 8, 29), date(2026, 8, 28), reason="x"), "last_on"),
        (lambda act, it: premises.open_premises(
            act, it, date(2026, 8, 29), ["later"], reason="x"), "hours"),
    ],
)  # fmt: skip
def test_hours_that_cannot_be_read_are_refused_by_field(story, work, field):
    pharmacy = a_pharmacy(story.act())

    with pytest.raises(Invalid) as refusal:
        work(story.act(), pharmacy)

    assert refusal.value.faults[0][0] == field


def test_a_day_has_one_closure_or_opening(story):
    pharmacy = a_pharmacy(story.act())
    day = date(2026, 8, 29)
    premises.close_premises(story.act(), pharmacy, day, day, reason="Refit")

    with pytest.raises(Conflict, match="already recorded"):
        premises.open_premises(story.act(), pharmacy, day, ["10:00-12:00"], reason="No")


# -- lists ---------------------------------------------------------------------------------


def test_the_list_of_a_prison_goes_by_worst_flag_then_by_release_date(story):
    calm = a_release_plan(story.act(), story.patient())
    late = a_release_plan(story.act(), story.patient(), release={"confirmed_on": "2026-08-19"})
    soon = a_release_plan(story.act(), story.patient(), release={"confirmed_on": "2026-08-18"})

    listed = queries.coming_exits(story.act())

    assert [each.plan_id for each in listed] == [soon, late, calm]


def test_a_list_read_after_the_clock_moved_is_not_behind_it(story):
    plan_id = a_release_plan(
        story.act(), story.patient(), release={"confirmed_on": "2026-09-16"},
        prescriber={"name": "Dr A", "service": "S"},
    )  # fmt: skip
    [before] = queries.coming_exits(story.act())
    story.at = datetime(2026, 9, 16, 8, 0, tzinfo=UTC)

    [after] = queries.coming_exits(story.act())

    assert (before.worst, after.worst) == ("amber", "critical")
    assert after.plan_id == plan_id


def test_who_has_no_plan_is_listed_by_the_prison_that_holds_them(story):
    with_plan, without = story.patient(), story.patient()
    a_release_plan(story.act(), with_plan)
    elsewhere = a_site(story.database, kind="prison")
    nurse = a_member_of_staff(story.database, elsewhere, "prison_healthcare")
    a_patient(story.act(nurse, elsewhere))

    assert [patient.id for patient in queries.patients_without_a_plan(story.act())] == [without]


def test_facts_nobody_can_read_are_said_and_clear_nothing(story):
    patient_id = story.patient()
    plan_id = a_release_plan(story.act(), patient_id)
    before = stored(story, plan_id)
    stay = a_stay(story.act(), patient_id, datetime(2026, 6, 1, 15, 0, tzinfo=UTC))
    a_hearing(story.act(), stay, datetime(2099, 8, 18, 9, 0, tzinfo=UTC))  # no bank holidays known

    story.at += HOUR
    following.follow_patient(story.act(), patient_id)
    a_fact(story.act(), plan_id, "last_dose", dose_on_release_day=True)  # still kept

    now = story.now(plan_id)
    assert now.answer is None
    assert "courts[0].starts_at" in now.fault
    assert stored(story, plan_id) == before
    assert queries.coming_exits(story.act())[0].fault == now.fault


def test_what_another_room_records_reaches_the_flags_in_its_own_transaction(story):
    patient_id = story.patient()
    plan_id = a_release_plan(story.act(), patient_id)
    stay = a_stay(story.act(), patient_id, datetime(2026, 6, 1, 15, 0, tzinfo=UTC))
    a_hearing(story.act(), stay, datetime(2026, 8, 18, 9, 0, tzinfo=UTC))
    assert "RG-07" not in stored(story, plan_id)

    following.follow_patient(story.act(), patient_id)

    assert stored(story, plan_id)["RG-07"] == "red"


def test_no_flag_of_one_cause_can_stand_twice(story):
    plan_id = a_release_plan(story.act())
    act = story.act()

    with pytest.raises(DBAPIError), act.session.begin_nested():
        act.session.execute(
            text(
                "INSERT INTO release_flag (plan_id, flag, cause, severity, message, clears_when, "
                "facts, owner, raised_at) SELECT plan_id, flag, cause, severity, message, "
                "clears_when, facts, owner, raised_at FROM release_flag WHERE plan_id = :plan"
            ),
            {"plan": plan_id},
        )
