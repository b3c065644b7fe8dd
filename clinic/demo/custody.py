"""Telling states of a prison: cover, moves under way, sessions missed, a review and a certificate."""

from __future__ import annotations

from datetime import date, timedelta

from sqlalchemy import select

from clinic.casework import commands as casework
from clinic.custody import commands as custody
from clinic.custody import deliveries, expected_commands, fact_commands
from clinic.custody.models import Reception, Wing
from clinic.demo import careplans
from clinic.demo.people import GLENMOOR, MARLFIELD
from clinic.demo.story import Story
from clinic.keyworkers import commands as keyworkers
from clinic.keyworkers import queries as caseloads
from clinic.observations import commands as observations
from clinic.observations import queries as watched
from dosing.days import ONE_DAY


def tell(story: Story) -> None:
    """After the receptions of both prisons, in the order of the days."""
    _cover(story)
    here = _stays(story, "marsh", MARLFIELD)
    _missed(story, here)
    _observe(story)
    careplans.write(story, [stay for stay, _ in here[:7]])
    _complete(story, here)
    _move_out(story, here)
    _move_in(story)
    _from_outside(story)
    _expected(story)
    _before(story)


def _stays(story: Story, key: str, site: str) -> list[tuple[int, int]]:
    """Stay and day of custody of everybody with a keyworker there, the longest there first."""
    work = story.by(key)
    rows = [
        (each.reception_id, each.day)
        for each in caseloads.caseload(work)
        if work.session.get_one(Reception, each.reception_id).site_id == story.site_ids[site]
    ]
    work.session.close()
    return sorted(rows, key=lambda row: (-row[1], row[0]))


def _cover(story: Story) -> None:
    """One keyworker is away: a colleague looks after their people."""
    work = story.by("stone")
    keyworkers.arrange_cover(
        work, story.staff_ids["vale"], story.staff_ids["marsh"], from_on=story.today,
        to_on=story.today + timedelta(days=4),
    )  # fmt: skip
    work.session.close()


def _missed(story: Story, here: list[tuple[int, int]]) -> None:
    """Tried and not held: it counts for nothing, and is in the file."""
    for (stay, day), (kind, reason) in zip(
        here[3:6], (("missed", "lock_down"), ("light", "withdrawal"), ("moved", "visit")),
        strict=False,
    ):  # fmt: skip
        at = story.at(-min(day - 1, 2), "14:15")
        work = story.by("marsh", at + timedelta(hours=1))
        casework.record_entry(work, stay, kind=kind, item="relaxation", at=at, reason=reason)
        work.session.close()


def _observe(story: Story) -> None:
    """Everybody's rounds but some; two use stimulants, one brought a DIR."""
    work = story.by("byrne")
    people = watched.this_round(work)
    work.session.close()
    for number, each in enumerate(people):
        for place, missed in enumerate(each.missed):
            if (number + place) % 5 == 4:
                continue
            at = missed.opens_at + timedelta(hours=9 if missed.part == "morning" else 7)
            work = story.by("byrne", at + timedelta(minutes=5))
            seen = ("settled", "withdrawal", "asleep", "unwell")[(number + place) % 4]
            observations.observe(work, each.reception_id, at=at, seen=seen)
            work.session.close()
    for each, uses in zip(people, (True, False, True), strict=False):
        work = story.by("byrne")
        observations.say_stimulants(work, each.reception_id, uses=uses)
        if uses:
            observations.hold_assessment(
                work, each.reception_id, kind="dir", done_on=story.today - timedelta(days=20),
                held_from="CJIT Riverside", covers="to item 6.2", consent=True,
            )  # fmt: skip
        work.session.close()


def _complete(story: Story, here: list[tuple[int, int]]) -> None:
    """Near day 28: sessions were attended, the review is held and the certificate given."""
    stay, day = here[0]
    for back, topic, mode in ((12, "crack", "group"), (9, "alcohol", "group"),
                              (6, "relapse_prevention", "one_to_one")):  # fmt: skip
        at = story.at(-min(day - 2, back), "10:00")
        work = story.by("marsh", at + timedelta(hours=2))
        deliveries.record_delivery(
            work, stay, item="group_session", done_at=at, by=["carat", "healthcare"],
            topic=topic, mode=mode,
        )  # fmt: skip
        work.session.close()
    work = story.by("marsh")
    casework.complete(
        work, stay, reviewed_at=story.at(-1, "11:00"), next_step="carat_goes_on",
        exit_strategy="Keeps the job in the kitchens and sees the nurse about sleep. Rings a "
        "sister on Sundays.",
    )  # fmt: skip
    casework.certify(work, stay)
    work.session.close()


def _move_out(story: Story, here: list[tuple[int, int]]) -> None:
    """Booked to move north on the next working day: that prison sees who comes."""
    stay, _ = here[-1]
    work = story.by("byrne")
    fact_commands.record_transfer(
        work, stay, on=_working_day(story.today + ONE_DAY), booked_on=story.today,
        receiving_site_id=story.site_ids[GLENMOOR], prescriber_cover=None,
    )  # fmt: skip
    work.session.close()


def _move_in(story: Story) -> None:
    """Came yesterday from the north, a keyworker named here first, not accepted yet."""
    here = _stays(story, "kerr", GLENMOOR)
    stay, _ = next(each for each in here if 4 <= each[1] <= 20)
    work = story.by("rennie", story.at(-2, "09:00"))
    fact_commands.record_transfer(
        work, stay, on=story.today - ONE_DAY, booked_on=story.today - 2 * ONE_DAY,
        receiving_site_id=story.site_ids[MARLFIELD], prescriber_cover=True,
    )  # fmt: skip
    work.session.close()
    work = story.by("kerr", story.at(-2, "10:00"))
    for item in ("tell_receiving_team", "file_sent"):
        deliveries.record_delivery(work, stay, item=item, done_at=work.at, by=["carat"])
    work.session.close()
    work = story.by("stone", story.at(-2, "15:00"))
    keyworkers.name_keyworker(work, stay, story.staff_ids["marsh"])
    work.session.close()
    work = story.by("byrne", story.at(-1, "16:30"))
    wing = work.session.scalar(select(Wing.id).where(
        Wing.site_id == work.site_id, Wing.name == "First night centre"))  # fmt: skip
    custody.receive_transfer(
        work, stay, arrived_at=story.at(-1, "16:00"), wing_id=wing, cell="1-30"
    )
    work.session.close()


def _from_outside(story: Story) -> None:
    """Two came from a prison that does not run this system: of one the day first received is known."""
    came = story.at(-1, "17:20")
    faraway = {"came_from": "HMP Faraway", "came_from_nation": "england_and_wales"}
    known = {"first_received_on": story.today - timedelta(days=9), "count_said_by": "paper_file",
             "keyworker_there": "J. Doe"}  # fmt: skip
    for cell, more in (("1-31", known), ("1-32", {})):
        work = story.by("byrne", came + timedelta(minutes=40))
        wing = work.session.scalar(select(Wing.id).where(
            Wing.site_id == work.site_id, Wing.name == "First night centre"))  # fmt: skip
        work.session.close()
        patient = story.patient("byrne", came, prison=True)
        work = story.by("byrne", came + timedelta(minutes=40))
        stay = custody.receive_prisoner(
            work, patient_id=patient, received_at=came, screening="positive",
            screened_at=came + timedelta(minutes=30), wing_id=wing, cell=cell, demo=True,
            **faraway, **more,
        )  # fmt: skip
        work.session.close()
        if not more:
            continue
        for item, back, topic in (("smta", 8, None), ("initial_keywork", 6, None),
                                  ("group_session", 2, "harm_reduction")):  # fmt: skip
            work = story.by("marsh", came + timedelta(hours=1))
            fact_commands.report_elsewhere(
                work, stay, item=item, on=story.today - timedelta(days=back),
                said_by="paper_file", by=["carat"], topic=topic, mode="group" if topic else None,
            )  # fmt: skip
            work.session.close()
        work = story.by("marsh", came + timedelta(hours=1))
        fact_commands.report_elsewhere(
            work, stay, item="joint_care_plan", said_by="patient",
            note="Says that a plan was written; the file holds none",
        )  # fmt: skip
        work.session.close()


def _expected(story: Story) -> None:
    """One is to come from the same prison on the next working day, a keyworker named already."""
    patient = story.patient("byrne", story.at(-1, "10:00"), prison=True)
    work = story.by("marsh", story.at(-1, "11:00"))
    row = expected_commands.expect_arrival(
        work, patient_id=patient, on=_working_day(story.today + ONE_DAY),
        told_by="A. Smith, CARATs, by telephone", came_from="HMP Faraway",
        came_from_nation="england_and_wales", count_said_by="prison",
        first_received_on=story.today - timedelta(days=12), keyworker_there="J. Doe",
        note="Methadone 40 mg daily, taken at 08:30; court on no day known",
    )  # fmt: skip
    work.session.close()
    work = story.by("stone", story.at(-1, "12:00"))
    expected_commands.name_for_expected(work, row, story.staff_ids["marsh"])
    work.session.close()


def _before(story: Story) -> None:
    """Came and left before anybody of today: what a prison plans its places from."""
    for number, stayed in enumerate((28, 6, 19, 40, 3, 25, 11, 28, 17, 35, 9, 22)):
        came = story.at(-78 + 4 * number, "15:30")
        patient = story.patient("byrne", came, prison=True)
        work = story.by("byrne", came + timedelta(minutes=30))
        stay = custody.receive_prisoner(
            work, patient_id=patient, received_at=came, screening="positive",
            screened_at=came + timedelta(minutes=20), demo=True,
        )  # fmt: skip
        work.session.close()
        if came + timedelta(days=stayed) < story.at(-1):
            left = story.at(-78 + 4 * number + stayed, "09:00")
            work = story.by("byrne", left + timedelta(minutes=10))
            fact_commands.record_exit(work, stay, at=left, how="release")
            work.session.close()


def _working_day(on: date) -> date:
    while on.weekday() > 4:
        on += ONE_DAY
    return on
