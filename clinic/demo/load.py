"""Fill an empty demonstration service: about sixty synthetic people in telling states.

Nothing here inserts a row. Every step is the command a person's click calls, done by the member of
staff who would do it, at the moment it would have been done.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import select

from clinic.act import Act
from clinic.appointments import commands as visits
from clinic.appointments import outcome_commands
from clinic.appointments import place_queries as places
from clinic.appointments.chain import Arranged
from clinic.appointments.hours_commands import record_leave, set_opening
from clinic.appointments.models import Referral
from clinic.appointments.referral_commands import record_support, register_referral
from clinic.appointments.rota_commands import add_session
from clinic.appointments.taking import Booked
from clinic.appointments.things_commands import add_thing
from clinic.careplans import clinical_review_commands
from clinic.custody import commands as custody
from clinic.custody import deliveries, fact_commands
from clinic.custody.wing_commands import add_wing
from clinic.db import Database
from clinic.demo import assessments, doses, groups, releases, rules, scripts, titration, waits
from clinic.demo import custody as prison
from clinic.demo.people import (
    CASTLE_STREET,
    GLENMOOR,
    MARLFIELD,
    PASSWORD,
    RIVERSIDE,
    STAFF,
    Member,
)
from clinic.demo.story import Story
from clinic.errors import Conflict, Trouble
from clinic.keyworkers import commands as keyworkers
from clinic.patients.commands import add_alert
from clinic.roles import RIGHTS, title_of
from clinic.sites import commands as sites
from clinic.staff import commands as staff
from clinic.staff.models import Staff
from dosing.days import at_london, london_day

SETTLED = timedelta(days=40)
"""How long before the loading the service was set up."""

SITES = (
    (RIVERSIDE, "community", "england_and_wales", "Northborough", "01632 960010"),
    (CASTLE_STREET, "community", "england_and_wales", "Castleford East", "01632 960020"),
    (MARLFIELD, "prison", "england_and_wales", "Marlfield", "01632 960030"),
    (GLENMOOR, "prison", "scotland", "Glenmoor", "01632 960040"),
)


def is_empty(database: Database) -> bool:
    with database.reading() as session:
        return session.scalar(select(Staff.id).limit(1)) is None


def load(database: Database, say: Callable[[str], object]) -> None:
    """Tell the whole demonstration into an empty, migrated database."""
    story = Story(database, say)
    _set_up(story)
    _model_2(story)
    _model_3(story)
    _prison(story, "byrne", ("marsh", "vale"), "stone", 20)
    _prison(story, "rennie", ("kerr",), "boyd", 10)
    prison.tell(story)
    releases.tell(story)
    groups.tell(story)
    doses.tell(story)
    assessments.tell(story)
    titration.tell(story)
    scripts.tell(story)
    rules.tell(story)
    waits.tell(story)
    print_sign_ins(say)


def _set_up(story: Story) -> None:
    story.say("sites and staff")
    start = story.now - SETTLED
    first, *others = SITES
    act = Act(session=story.database.session(), at=start, staff_id=None, rights=frozenset(RIGHTS))
    admin = next(each for each in STAFF if each.role == "administrator")
    story.staff_ids[admin.key] = act.staff_id = staff.set_up(
        act, site_name=first[0], kind=first[1], nation=first[2], rule_set="uk-2017",
        name=admin.name, email=admin.email, password=PASSWORD,
    )  # fmt: skip
    story.site_ids[first[0]] = act.site_id or 0
    for name, kind, nation, area, telephone in others:
        story.site_ids[name] = sites.add_site(
            act, name=name, kind=kind, nation=nation, rule_set="uk-2017", area=area,
            telephone=telephone,
        )  # fmt: skip
    sites.set_model(act, story.site_ids[RIVERSIDE], 2)
    for feature in ("specialist_service", "supervised_dispensing", "on_site_titration_protocol"):
        sites.add_feature(act, story.site_ids[CASTLE_STREET], feature)
    sites.set_model(act, story.site_ids[CASTLE_STREET], 3)
    for member in STAFF:
        if member.key != admin.key:
            _engage(story, act, member)
    act.session.close()


def _engage(story: Story, act: Act, member: Member) -> None:
    site_id = story.site_ids[member.site]
    someone = staff.add_staff(act, name=member.name, email=member.email, password=PASSWORD)
    story.staff_ids[member.key] = someone
    staff.give_role(act, someone, site_id, member.role)
    if member.level:
        staff.set_level(act, someone, member.level)
    if member.competence:
        staff.record_competence(act, someone, member.competence)
    if member.post:
        staff.give_post(act, site_id, member.post, someone)


# -- community -----------------------------------------------------------------------------


def _rota(
    story: Story,
    key: str,
    weekdays: tuple[int, ...],
    teams: tuple[tuple[str, ...], ...],
    room_id: int | None = None,
) -> None:
    """Teams of a doctor, a worker and under model 3 a nurse: one in the morning, one after noon."""
    work = story.by(key, story.now - SETTLED)
    for weekday in weekdays:
        for place, (doctor, worker, *nurse) in enumerate(teams):
            add_session(
                work, weekday=weekday, starts=time(9 + 4 * place), ends=time(12 + 4 * place),
                slot_minutes=90, doctor_id=story.staff_ids[doctor],
                worker_id=story.staff_ids[worker], from_on=london_day(work.at),
                nurse_id=story.staff_ids[nurse[0]] if nurse else None, room_id=room_id,
            )  # fmt: skip
    work.session.close()


def _refer(story: Story, key: str, patient: int, at: datetime, **more: Any) -> int:
    work = story.by(key, at)
    given = {"source": "arrest_referral", "drugs": ["heroin"], "risk": "medium", **more}
    referral = register_referral(work, patient_id=patient, referred_at=at, **given)
    work.session.close()
    return referral


def _book(story: Story, key: str, referral: int, at: datetime, nth: int = 0) -> Booked | None:
    """Book the nth feasible place from a moment; None when there is none in a month."""
    work = story.by(key, at)
    found = places.free_places(work, work.site_id or 0, work.today, work.today + timedelta(days=28))
    found = [place for place in found if place.starts_at > at]
    work.session.rollback()
    booked = None
    for place in found[nth:]:
        wanted = {
            "referral_id": referral, "starts_at": place.starts_at, "doctor_id": place.doctor_id,
            "worker_id": place.worker_id,
        }  # fmt: skip
        try:
            booked = _with_arrangements(work, wanted)
            break
        except Conflict:  # one of its next days is taken
            continue
    work.session.close()
    return booked


def _with_arrangements(work: Act, wanted: dict[str, Any]) -> Booked:
    """Book it; under model 3 the on-call doctor sees the person on each shut day of the first."""
    try:
        return visits.book_visit(work, **wanted)
    except Conflict as refused:
        days = refused.more.get("to_arrange")
        if days is None:
            raise
    return visits.book_visit(
        work, **wanted,
        arrangements=[
            Arranged(
                date.fromisoformat(day), "on_call_doctor", "Dr Leila Aziz, Northborough Hospital",
                "01632 960090", time(12),
            )
            for day in days
        ],
    )  # fmt: skip


def _model_2(story: Story) -> None:
    story.say("a Model 2 service: referrals, bookings, arrivals")
    _rota(story, "frost", (1, 3, 5), (("nair", "osei"), ("ellery", "doyle")))
    alerts = ("Penicillin: rash", "Needs a Polish interpreter")
    for number in range(18):
        days = -1 - number % 9
        at = story.at(days, f"{9 + number % 7:02d}:15")
        patient = story.patient("price", at)
        drugs = [["heroin"], ["heroin", "crack"], ["heroin", "alcohol"]][number % 3]
        referral = _refer(
            story,
            "price",
            patient,
            at,
            drugs=drugs,
            risk=("high", "medium", "low", None)[number % 4],
        )
        if number % 5 == 4:  # still waiting for a place
            continue
        visit = _book(story, "price", referral, at + timedelta(minutes=20), nth=number % 2)
        if visit is None or visit.place.starts_at > story.now:
            continue
        later = story.by("price", min(visit.place.starts_at + timedelta(minutes=70), story.now))
        if number % 4 == 3:
            outcome_commands.record_did_not_attend(later, visit.id, version=visit.version)
        else:
            outcome_commands.record_arrived(later, visit.id, version=visit.version)
        later.session.close()
    for number in range(2):
        work = story.by("price", story.at(-1, "15:00"))
        add_alert(work, number + 1, "alert" if number else "allergy", alerts[number])
        work.session.close()
    # One whose referral is crack only: no induction place is used for them (RP-31).
    _refer(story, "osei", story.patient("osei", story.at(-2)), story.at(-2), drugs=["crack"])


def _model_3(story: Story) -> None:
    story.say("a Model 3 service: rooms, nurses, observation places, kit, leave")
    work = story.by("teller", story.now - SETTLED)
    room = add_thing(work, kind="room", name="Consulting room 1").id
    for name in ("Chair by the window", "Chair by the door"):
        add_thing(work, kind="observation", name=name)
    for name, item in (("Testing kit, cupboard A", "testing_kit"), ("Alcometer", "breathalyser")):
        add_thing(work, kind="kit", name=name, item=item)
    for weekday in range(1, 6):
        set_opening(work, weekday=weekday, opens=time(8, 30), closes=time(18), from_on=work.today)
    work.session.close()
    teams = (("okafor", "lund", "hale"), ("reyes", "barr", "innes"))
    _rota(story, "teller", (1, 2, 3, 4, 5), teams, room)
    for number in range(9):
        at = story.at(-number % 5 - 1, "11:00")
        referral = _refer(story, "lund", story.patient("lund", at), at, source="court")
        if number % 3:
            _book(story, "lund", referral, at + timedelta(minutes=30))
        else:
            work = story.by("barr", at + timedelta(hours=2))
            version = work.session.get_one(Referral, referral).version
            work.session.rollback()
            record_support(work, referral, version=version, at=work.at)
            work.session.close()
    # Somebody who is away in ten days: a visit booked then would stand without staff.
    work = story.by("teller", story.at(0))
    record_leave(
        work, staff_id=story.staff_ids["reyes"],
        starts_at=at_london(story.today + timedelta(days=10), time(0)),
        ends_at=at_london(story.today + timedelta(days=12), time(0)), reason="annual",
    )  # fmt: skip
    work.session.close()


# -- prison --------------------------------------------------------------------------------


def _prison(
    story: Story, healthcare: str, keyworkers: tuple[str, ...], manager: str, people_in: int
) -> None:
    story.say("receptions and the first 28 days")
    work = story.by(manager, story.now - SETTLED)
    wings = [add_wing(work, name) for name in ("First night centre", "A", "B", "Healthcare")]
    work.session.close()
    for number in range(people_in):
        days = -((number * 5) % 26)
        received = story.at(days, ("16:20", "19:40", "14:05")[number % 3])
        patient = story.patient(healthcare, received, prison=True)
        work = story.by(healthcare, received + timedelta(minutes=40))
        stay = custody.receive_prisoner(
            work, patient_id=patient, received_at=received, screening="positive",
            screened_at=min(received + timedelta(minutes=35), work.at),
            heightened_risk=number % 6 == 0, ppo=number % 7 == 0, demo=True,
            wing_id=wings[0] if number % 9 else None, cell=f"1-{number + 1:02d}" if number % 9 else None,
        )  # fmt: skip
        work.session.close()
        if number % 4 != 3:  # the fourth was not asked yet: the worklist says so
            assessments.entry(story, healthcare, patient, received + timedelta(minutes=45), "arrival", {
                "where": "prison", "in_treatment": number % 4 == 1, "dose_taken_today": False,
                "surgery": "High Street Surgery", "prescriber_continues": number % 4 == 1,
                "community_prescription": "stopped" if number % 4 == 1 else "none",
                "told": "High Street Pharmacy, by telephone" if number % 4 == 1 else None,
                "overdose_information": True,
            })  # fmt: skip
        if days == 0 or number % 6 == 5:  # nobody named yet: this is what the worklist is for
            continue
        _first_days(
            story, stay, healthcare, keyworkers[number % len(keyworkers)], manager, received, number
        )
        if days < -2:  # off the first night centre
            work = story.by(healthcare, story.at(days + 2, "11:30"))
            fact_commands.record_location(
                work, stay, wing_id=wings[1 + number % 2], cell=f"{1 + number % 3}-{number + 4:02d}"
            )
            work.session.close()


def _first_days(
    story: Story,
    stay: int,
    healthcare: str,
    keyworker: str,
    manager: str,
    received: datetime,
    number: int,
) -> None:
    morning = at_london(london_day(received) + timedelta(days=1), time(9, 30))
    if morning > story.now:
        return
    work = story.by(manager, morning)
    keyworkers.name_keyworker(work, stay, story.staff_ids[keyworker], named_at=morning)
    work.session.close()
    done = [
        (1, healthcare, "smta", ["healthcare"]),
        (2, keyworker, "initial_keywork", ["carat", "patient"]),
        (2, keyworker, "collate_assessments", ["carat"]),
        (3, keyworker, "csma", ["carat", "patient"]),
        (4, healthcare, "clinical_review", ["healthcare", "carat"]),
        (4, keyworker, "joint_care_plan", ["carat", "healthcare", "patient"]),
        (5, keyworker, "harm_minimisation", ["carat", "healthcare"]),
        (5, keyworker, "overdose_session", ["carat", "healthcare"]),
        (5, keyworker, "community_referral", ["carat"]),
        (6, keyworker, "relaxation", ["carat"]),
        (10, keyworker, "keywork_week_2", ["carat"]),
    ]
    for days, key, item, parties in done[: len(done) - number % 4]:
        at = at_london(london_day(received) + timedelta(days=days), time(11))
        if at > story.now:
            break
        work = story.by(key, at + timedelta(minutes=30))
        try:
            if item == "clinical_review":
                clinical_review_commands.hold_review(work, stay, held_at=at, carat="attended")
            else:
                explained = {"explained": True} if item == "initial_keywork" else {}
                deliveries.record_delivery(
                    work, stay, item=item, done_at=at, by=parties, **explained
                )
        except Trouble:
            work.session.rollback()
        work.session.close()


# -- release -------------------------------------------------------------------------------


def print_sign_ins(say: Callable[[str], object]) -> None:
    """Who to sign in as, one for each role at each site."""
    say(f"\nSign in with the password {PASSWORD} as:")
    for member in STAFF:
        say(f"  {member.email:34} {title_of(member.role):30} {member.site}")
