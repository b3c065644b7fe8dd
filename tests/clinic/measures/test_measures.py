"""What do the measures say of a real service, who is behind them, and what does a reason change?"""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from clinic.audit import AuditEntry
from clinic.errors import Conflict, Forbidden, Invalid, NotFound
from clinic.keyworkers.commands import name_keyworker
from clinic.measures import commands, queries
from clinic.periods import Month, Quarter, ending, named
from clinic.roles import RIGHTS
from tests.factories import base
from tests.factories.appointments import a_clinic, a_referral
from tests.factories.custody import RECEIVED, a_prison
from tests.factories.release import a_fact, a_release_plan

A_DAY = timedelta(days=1)
NOVEMBER = Month(2026, 11)


@pytest.fixture
def prison(database, clock):
    clock.set(RECEIVED)
    made = a_prison(database)
    yield made
    made.close()


def manager(prison, days=0):
    return prison.act(prison.manager, at=RECEIVED + days * A_DAY)


def two_receptions(prison):
    """One person given a keyworker the same hour, one never; the second's case is late from the 6th."""
    first, second = prison.receives(), prison.receives()
    name_keyworker(manager(prison), first, prison.keyworker.id)
    return first, second


@pytest.mark.proves("KPI-11", "KPI-07")
def test_a_keyworker_named_in_time_counts_and_one_never_named_is_the_shortfall(prison):
    first, second = two_receptions(prison)

    found = queries.measure(manager(prison, 5), "keyworker_named", NOVEMBER)

    told = found.measured.count
    assert (told.numerator, told.denominator, told.shortfall, told.small) == (1, 2, 1, True)
    assert [each.case.key for each in found.people] == [
        f"stay-{second}-keyworker_named",
        f"stay-{first}-keyworker_named",
    ]
    assert [each.stands for each in found.people] == ["late", "in_time"]


def test_a_duty_whose_time_is_not_up_counts_in_neither_number(prison):
    two_receptions(prison)

    told = queries.measure(manager(prison), "joint_care_plan", NOVEMBER).measured.count

    assert (told.denominator, told.running) == (0, 2)


@pytest.mark.proves("KPI-11")
def test_a_reason_explains_a_breach_and_removes_nothing(prison):
    _, second = two_receptions(prison)
    key = f"stay-{second}-keyworker_named"
    given = {"code": "staff_away", "note": "Nobody was on duty"}

    made = commands.explain(manager(prison, 5), "keyworker_named", key, NOVEMBER, **given)

    found = queries.measure(manager(prison, 5), "keyworker_named", NOVEMBER)
    assert found.people[0].reason.id == made
    assert found.measured.count.shortfall == 1
    with pytest.raises(Conflict):
        commands.explain(manager(prison, 5), "keyworker_named", key, NOVEMBER, **given)

    commands.withdraw(manager(prison, 5), made, reason="Somebody was on duty")
    commands.explain(manager(prison, 5), "keyworker_named", key, NOVEMBER, code="no_place")
    with pytest.raises(NotFound):
        commands.withdraw(manager(prison, 5), made, reason="Twice")


def test_only_a_late_case_has_a_reason_and_another_reason_needs_words(prison):
    first, second = two_receptions(prison)
    act = manager(prison, 5)

    with pytest.raises(NotFound):
        commands.explain(
            act, "keyworker_named", f"stay-{first}-keyworker_named", NOVEMBER, code="no_place"
        )
    with pytest.raises(Invalid, match="what the reason was"):
        commands.explain(
            act, "keyworker_named", f"stay-{second}-keyworker_named", NOVEMBER, code="other"
        )
    with pytest.raises(Forbidden):
        queries.measures(prison.act(prison.healthcare), NOVEMBER)


def test_a_wait_is_late_from_the_day_after_the_models_limit(database, clock):
    clock.set(base.NOW)
    clinic = a_clinic(database)
    referral = a_referral(clinic)
    period = Month.of(clinic.act.today + 3 * A_DAY)

    def looking(days):
        return replace(clinic.at(base.NOW + days * A_DAY), rights=frozenset(RIGHTS))

    def standing(days):
        found = queries.measure(looking(days), "wait", period)
        return [(each.case.key, each.stands) for each in found.people]

    assert standing(3) == [(f"referral-{referral}", "running")]
    assert standing(4) == [(f"referral-{referral}", "late")]
    targets = queries.measure(looking(9), "on_treatment", period)
    assert targets.measured.count.shortfall == 1
    with pytest.raises(NotFound):
        queries.measure(looking(9), "keyworker_named", period)


def test_somebody_who_left_without_known_cover_is_not_counted_as_covered(prison):
    act = prison.act(at=RECEIVED)
    plan = a_release_plan(act, exit={"at": RECEIVED.isoformat(), "how": "unplanned"})

    found = queries.measure(manager(prison, 5), "release_covered", NOVEMBER)

    assert [(each.case.key, each.stands) for each in found.people] == [(f"release-{plan}", "late")]


@pytest.mark.proves("KPI-11")
def test_treatment_begun_by_day_21_after_release_is_counted_and_nobody_else_is_left_out(prison):
    act = prison.act(at=RECEIVED)
    left = {"exit": {"at": RECEIVED.isoformat(), "how": "release"}}
    began = a_release_plan(act, **left)
    late = a_release_plan(act, **left)
    never = a_release_plan(act, **left)
    a_release_plan(act, treatment={"on_ost": False}, **left)
    for plan, days in ((began, 21), (late, 22)):
        on = (RECEIVED + days * A_DAY).date().isoformat()
        a_fact(prison.act(at=RECEIVED + 23 * A_DAY), plan, "engagement", engaged_on=on)

    found = queries.measure(manager(prison, 23), "engaged", named("2026-Q4"))

    assert {each.case.key: each.stands for each in found.people} == {
        f"engaged-{began}": "in_time", f"engaged-{late}": "late", f"engaged-{never}": "late",
    }  # fmt: skip
    told = found.measured.count
    assert (told.numerator, told.denominator) == (1, 3)


def test_pages_and_api_tell_the_same_numbers_and_a_reason_is_given_and_taken_back(
    prison, door, clock
):
    _, second = two_receptions(prison)
    clock.set(RECEIVED + 5 * A_DAY)
    page = door.by_page("manager", site=prison.site)
    api = door.by_token("manager", site=prison.site)

    listed = api.get("/api/v1/measures?period=2026-11").get_json()
    told = next(each for each in listed if each["measure"]["key"] == "keyworker_named")
    assert (told["count"]["numerator"], told["count"]["denominator"]) == (1, 2)
    assert "1 of 2 in time (50\u00a0%)" in page.get("/measures?period=2026-11").text
    assert "1 of 2 in time (50\u00a0%)" in page.get("/measures/sheet/2026-Q4").text
    rows = list(csv.DictReader(io.StringIO(page.get("/measures/2026-11.csv").text)))
    assert [row["Of"] for row in rows if "24 hours" in row["Measure"]][-1] == "2"

    why = f"/measures/keyworker_named/2026-11/stay-{second}-keyworker_named/why"
    assert "Say what the reason was" in page.post(why, data={"code": "other"}).text
    page.post(why, data={"code": "told_late"})
    one = api.get("/api/v1/measures/keyworker_named?period=2026-11").get_json()
    reason = one["people"][0]["reason"]
    assert (reason["code"], one["measured"]["count"]["shortfall"]) == ("told_late", 1)
    taken = api.post(f"/api/v1/measure-reasons/{reason['id']}/withdraw", json={"reason": "Wrong"})
    assert taken.status_code == 204
    body = {"case": f"stay-{second}-keyworker_named", "period": "2026-11", "code": "declined"}
    assert api.post("/api/v1/measures/keyworker_named/reasons", json=body).status_code == 201
    assert api.get("/api/v1/measures?period=2026-13").status_code == 422
    assert page.get("/measures/keyworker_named/2026-99").status_code == 404
    assert door.by_page("nurse", site=prison.site).get("/measures").status_code == 403
    with prison.database.reading() as session:
        actions = set(session.scalars(select(AuditEntry.action)))
    assert {"measures.counted", "measures.people", "measures.explained"} <= actions


def test_periods_are_named_and_follow_one_another_over_the_year():
    assert [str(each) for each in ending(Month(2026, 1), 3)] == ["2025-11", "2025-12", "2026-01"]
    assert (named("2026-Q4"), named("2026-12")) == (Quarter(2026, 4), Month(2026, 12))
    assert Month(2028, 2).last_on.day == 29
    for wrong in ("2026-00", "2026-13", "2026-Q5", "26-11"):
        with pytest.raises(NotFound):
            named(wrong)
