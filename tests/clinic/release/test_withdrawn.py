"""What closed a flag is withdrawn by a command: the flag is back before the command ends."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from clinic.assessments.commands import strike_entry
from clinic.errors import Conflict
from clinic.release import commands, following, presenters, scoring
from clinic.release.models import ReleaseFact, ReleasePlan
from scheduling.release_rules import RULES
from tests.factories.assessments import a_claim, an_answer
from tests.factories.release import (
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

# Monday 17 August 2026; released on the Friday, seen on the Monday after.
THEN = "2026-08-16T10:00:00+01:00"
LETTER = {"prepared_at": THEN, "sent_at": THEN, "sent_to": "The service"}
SEEN = {"at": "2026-08-24T10:00:00+01:00", "booked_at": THEN, "acknowledged_at": THEN}
FRIDAY = {"calculated_on": "2026-08-21", "kind": "determinate", "sentenced_on": "2024-01-08"}
INSIDE: dict[str, Any] = {
    "treatment": {"on_ost": True, "opioid_history": True, "medicine": "methadone"},
    "release": {**FRIDAY, "confirmed_on": "2026-08-21"},
    "possible_earlier": {"on": "2026-08-19", "why": "hdc", "ruled_out_at": THEN},
    "last_dose": {"dose_on_release_day": True},
    "prescriber": {"name": "Dr A", "service": "S"},
    "appointment": SEEN,
    "supply": {"form": "fp10mda", "in_hand": True, "written_at": THEN,
               "instalments": [instalment("2026-08-22", "2026-08-22", "2026-08-23")]},
    "destination": {"area": "Northborough", "contact": "01632 960001",
                    "nation": "england_and_wales"},
    "consent": {"given": True},
    "notification": {"sent_at": THEN, "acknowledged_at": THEN},
    "dose_letter": LETTER,
    "weekend": {"weekend_cover_acknowledged_at": THEN},
    "court_pack": {"court_on": "2026-08-18", "cjit_contact_at": THEN, "slot_on": "2026-08-19",
                   "dose_letter_at": THEN, "bridging_decided_at": THEN, "naloxone_at": THEN},
    "transfer_information": {"transfer_on": "2026-08-18", "drug": "methadone",
                             "dose_form": "mixture", "last_dose_at": THEN,
                             "next_dose_at": "2026-08-19T08:00:00+01:00"},
    "naloxone": {"outcome": "issued", "on": "2026-08-16"},
    "overdose_session": {"outcome": "delivered", "on": "2026-08-16"},
}  # fmt: skip
STRUCK: None = None
BEFORE = [
    ("RG-01", "prescriber", STRUCK),
    ("RG-02", "appointment", STRUCK),
    ("RG-03", "supply", STRUCK),
    ("RG-04", "appointment", {**SEEN, "at": "2026-08-23T10:00:00+01:00"}),
    ("RG-05", "weekend", STRUCK),
    ("RG-07", "court_pack", STRUCK),
    ("RG-09", "transfer_information", STRUCK),
    ("RG-12", "notification", STRUCK),
    ("RG-13", "destination", STRUCK),
    ("RG-15", "pharmacy", STRUCK),
    ("RG-18", "possible_earlier", {"on": "2026-08-19", "why": "hdc"}),
    ("RG-19", "consent", STRUCK),
    ("RG-06", "release", FRIDAY),  # the last: it moves the date that the others were made for
]
THAT_DAY = [
    ("RG-11", "naloxone", STRUCK),
    ("RG-16", "overdose_session", STRUCK),
    ("RG-20", "dose_letter", STRUCK),
]
FROM_COURT = [("RG-08", "dose_letter", STRUCK), ("RG-08", "appointment", STRUCK)]
AFTER = [
    ("RG-17", "appointment", {**SEEN, "attended": False}),
    ("RG-21", "engagement", STRUCK),
]


def standing(act, plan_id):
    return {row.flag for row in scoring.standing_flags(act, plan_id)}


def fact_of(act, plan_id, section):
    (row,) = commands.standing_facts(act, plan_id, section)
    return row


def assert_each_comes_back(act, plan_id, closed):
    """With its fact withdrawn each flag stands again, and goes when the fact is put back."""
    for rule, section, instead in closed:
        row = fact_of(act, plan_id, section)
        says = dict(row.says)
        assert rule not in standing(act, plan_id)

        if instead is None:
            struck(act, row.id)
        else:
            corrected(act, row.id, **instead)

        assert rule in standing(act, plan_id), (rule, section)
        if instead is None:
            commands.put_back(act, row.id, version=version_of(act, plan_id))
        else:
            corrected(act, fact_of(act, plan_id, section).id, **says)
        assert rule not in standing(act, plan_id), (rule, section)


@pytest.fixture
def plan_id(story):
    act = story.act()
    patient_id = story.patient()
    stay = a_stay(act, patient_id, datetime(2026, 8, 10, 12, 0, tzinfo=UTC))
    a_hearing(act, stay, datetime(2026, 8, 18, 9, 0, tzinfo=UTC))
    a_transfer(act, stay, on=date(2026, 8, 18), booked_on=date(2026, 8, 16),
               prescriber_cover=True)  # fmt: skip
    plan_id = a_release_plan(act, patient_id, **INSIDE)
    a_fact(act, plan_id, "pharmacy", premises_id=a_pharmacy(act))
    return plan_id


def test_every_flag_of_a_release_plan_has_its_fact_withdrawn_here():
    tried = {rule for rule, *_ in (*BEFORE, *THAT_DAY, *FROM_COURT, *AFTER)}

    assert tried | {"RG-10", "RG-14"} == set(RULES)


@pytest.mark.proves("RC-02")
def test_a_fact_withdrawn_before_leaving_brings_its_flag_back_at_once(story, plan_id):
    assert standing(story.act(), plan_id) == set()

    assert_each_comes_back(story.act(), plan_id, BEFORE)


def test_a_fact_withdrawn_on_the_day_of_release_brings_its_flag_back_at_once(story, plan_id):
    story.at = datetime(2026, 8, 21, 8, 0, tzinfo=UTC)
    following.follow_plan(story.act(), plan_id)

    assert_each_comes_back(story.act(), plan_id, THAT_DAY)


def test_a_fact_withdrawn_after_leaving_brings_its_flag_back_at_once(story, plan_id):
    story.at = datetime(2026, 8, 21, 12, 0, tzinfo=UTC)
    act = story.act()
    a_fact(act, plan_id, "exit", at="2026-08-21T10:00:00+01:00", how="court")
    a_fact(act, plan_id, "dose", at="2026-08-21T08:00:00+01:00", where="prison")
    corrected(act, fact_of(act, plan_id, "dose_letter").id,
              **{**LETTER, "sent_at": "2026-08-21T11:00:00+01:00"})  # fmt: skip
    assert_each_comes_back(act, plan_id, FROM_COURT)

    story.at = datetime(2026, 9, 7, 12, 0, tzinfo=UTC)
    act = story.act()
    a_fact(act, plan_id, "engagement", engaged_on="2026-08-24")
    assert_each_comes_back(act, plan_id, AFTER[1:])
    struck(act, fact_of(act, plan_id, "engagement").id)
    corrected(act, fact_of(act, plan_id, "appointment").id, **SEEN, attended=True)
    assert_each_comes_back(act, plan_id, AFTER[:1])


def test_what_was_reconfirmed_for_a_new_date_is_asked_about_again_without_it(story, plan_id):
    act = story.act()
    corrected(act, fact_of(act, plan_id, "release").id, confirmed_on="2026-08-24")
    stale = ("appointment", "notification", "supply")
    assert "RG-14" in standing(act, plan_id)
    for section in stale:
        commands.reconfirm(act, fact_of(act, plan_id, section).id, version=version_of(act, plan_id))

    for section in stale:
        row = fact_of(act, plan_id, section)
        assert "RG-14" not in standing(act, plan_id)
        says = dict(act.session.get_one(ReleaseFact, row.id).says)

        corrected(act, row.id, **{k: v for k, v in says.items() if k != "reconfirmed_at"})

        assert "RG-14" in standing(act, plan_id), section
        corrected(act, fact_of(act, plan_id, section).id, **says)


@pytest.mark.proves("RG-10")
def test_a_confirmation_withdrawn_from_the_record_of_the_arrival_brings_its_flag_back(
    story, plan_id
):
    """What was claimed on arrival has one source: the plan of somebody received takes none of its own."""
    act = story.act()
    patient = act.session.get_one(ReleasePlan, plan_id).patient_id
    with pytest.raises(Conflict, match="recorded with their arrival"):
        a_fact(act, plan_id, "arrival", claims_ost=False)
    claim = a_claim(act, patient, "40", "2026-08-01", "2026-08-09")
    assert "RG-10" in standing(act, plan_id)
    answer = an_answer(act, patient, claim, "prescriber")
    assert "RG-10" not in standing(act, plan_id)

    strike_entry(act, patient, answer, "Another person's record was read out")

    assert "RG-10" in standing(act, plan_id)
    an_answer(act, patient, claim, "prescriber")
    assert "RG-10" not in standing(act, plan_id)
    now = story.now(plan_id)
    assert presenters.on_arrival(now)[:2] == [
        ("Do they say they are in treatment", "Yes"), ("Confirmed by", "Prescriber"),
    ]  # fmt: skip
    assert "What was claimed and confirmed on arrival" not in presenters.unknown(now)
