"""What does a form rest on? Rows -> its instalments, and the whole of it as the dose check reads it.

Doses come from the decisions a form is written from, opening days from what is recorded of the
pharmacy. A form may begin some days from now: it is judged as on its first day, with the doses
planned until then counted as taken as planned. What should already be recorded and is not stays
missing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import asdict, dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from clinic.act import Act
from clinic.assessments.entries import entries_at
from clinic.calendars import bank_holidays_of
from clinic.consumption.models import DoseEvent
from clinic.consumption.supply_models import ConsumptionPlace
from clinic.errors import Invalid
from clinic.guidance.facts import Stored, read_limits
from clinic.patients.models import Patient
from clinic.patients.queries import same_person
from clinic.prescriptions import facts as dosing_facts
from clinic.prescriptions.commands import FactsMissing
from clinic.prescriptions.doses import days_of
from clinic.prescriptions.findings import together
from clinic.prescriptions.judging import about_missed_days, judged, stops_for_missed
from clinic.prescriptions.models import DoseDecision
from clinic.release.models import Premises, ReleasePlan
from clinic.release.places import nation_of, premises_object
from clinic.scripts.models import SUPERVISED, Script, ScriptDay
from clinic.sites.models import Site
from clinic.sites.queries import what_holds
from clinic.staff.models import Staff
from dosing.check import check, rulebook
from dosing.days import ONE_DAY, at_london, days_between, london_time
from dosing.forms import last_supply_on
from dosing.medicines import PRODUCTS, Product
from dosing.shape import Refused
from dosing.units import as_text
from dosing.words import in_words
from scheduling.instalments import (
    WRITTEN,
    CannotWrite,
    DayDose,
    Pattern,
    Plan,
    Written,
    millilitres,
    plan,
)
from scheduling.release_cover import Pharmacy
from scheduling.release_request import PHARMACY_SHAPE, WEEKDAYS

Data = dict[str, Any]


@dataclass(frozen=True)
class Home:
    """Where medicine would be kept. `children`: as last asked, None when nobody has."""

    children: bool | None
    storage_recorded: bool


def home_of(act: Act, patient_id: int) -> Home:
    """What is recorded of the home a dose would be taken to."""
    entries = entries_at(act, same_person(act, patient_id), act.at)
    asked = [row.data for row in entries if row.kind == "medical_history"]
    stored = [
        row for row in entries if row.kind == "assessment" and row.data["item"] == "safe_storage"
    ]
    return Home(asked[-1].get("children_at_home") if asked else None, bool(stored))


@dataclass(frozen=True)
class Made:
    """A form worked out: whose doses it writes on which date, and its instalments.

    `strength`: mg per ml of a liquid; None for tablets, which each decision's order counts.
    """

    patient: Patient
    product: Product
    written: Written
    strength: Decimal | None
    by_day: dict[date, DoseDecision]
    doses: dict[date, DayDose]
    plan: Plan
    for_release: bool

    @property
    def steps(self) -> list[tuple[DoseDecision, date, date]]:
        """Each decision with the first and the last of its dates, in order."""
        out: list[tuple[DoseDecision, date, date]] = []
        for day, decision in sorted(self.by_day.items()):
            if out and out[-1][0] is decision:
                out[-1] = (decision, out[-1][1], day)
            else:
                out.append((decision, day, day))
        return out

    @property
    def strength_words(self) -> str:
        if self.strength is not None:
            return f"{as_text(self.strength)} mg/ml"
        return " and ".join(f"{as_text(each)} mg" for each in tablets_of(self))


# -- doses ---------------------------------------------------------------------------------


def decisions_in_force(act: Act, patient: Patient, since: date) -> list[DoseDecision]:
    """Decisions not withdrawn, of medicines a form may carry, with a dose on or after a date."""
    return list(
        act.session.scalars(
            select(DoseDecision)
            .where(
                DoseDecision.patient_id.in_(same_person(act, patient.id)),
                DoseDecision.withdrawn_at.is_(None),
                DoseDecision.last_on >= since,
                DoseDecision.product.in_(WRITTEN),
            )
            .order_by(DoseDecision.dose_on, DoseDecision.id)
        )
    )


def make(act: Act, patient: Patient, script: Script) -> Made:
    """The form of a draft, worked out from the rows as they stand. Invalid names what is wrong."""
    asked = script.asked
    known = {row.id: row for row in decisions_in_force(act, patient, script.from_on)}
    chosen = [known.get(each) for each in asked["decision_ids"]]
    decisions = [each for each in chosen if each is not None]
    if len(decisions) < len(chosen) or not decisions:
        raise Invalid.field(
            "decision_ids", "must be decisions of this patient that are in force for these dates"
        )
    product = PRODUCTS[decisions[0].product]
    if any(each.product != product.name for each in decisions):
        raise Invalid.field("decision_ids", "must all be of one product")
    written = WRITTEN[product.name]
    strength = _strength(asked, decisions) if written.unit == "millilitres" else None
    by_day = {
        day: _decided_for(decisions, day) for day in days_between(script.from_on, script.to_on)
    }
    release_on = _release_on(act, patient)
    try:
        doses = {day: _day_dose(each, strength) for day, each in by_day.items()}
        made = plan(
            doses,
            pattern_of(asked["days"]),
            opening(act, script.premises_id).is_open,
            act.today if release_on is None else max(act.today, release_on),
        )
    except CannotWrite as cannot:
        raise Invalid.field("from_on", str(cannot)) from cannot
    if made.total != int(made.total):
        raise Invalid.field(
            "to_on",
            f"The total would be {as_text(made.total)} {written.unit}. A form says its total in words,"
            " and rule L-04 reads whole numbers only: choose dates whose doses add up to one",
        )
    return Made(
        patient, product, written, strength, by_day, doses, made, release_on is not None
    )  # fmt: skip


def pattern_of(days: Data) -> Pattern:
    return Pattern(
        collects=frozenset(WEEKDAYS.index(day) for day in days),
        supervised=frozenset(WEEKDAYS.index(day) for day, how in days.items() if how == SUPERVISED),
    )


def _strength(asked: Data, decisions: list[DoseDecision]) -> Decimal:
    """The strength the form states: as ordered, where the order says; else as the writer chose."""
    ordered = {each.asked["order"].get("strength_mg_per_ml") for each in decisions} - {None}
    stated = asked.get("strength_mg_per_ml")
    found = {Decimal(each) for each in ordered} | ({Decimal(stated)} if stated else set())
    if not found:
        raise Invalid.field("strength_mg_per_ml", "is required: volume alone is not a dose")
    if len(found) > 1:
        raise Invalid.field("strength_mg_per_ml", "must be the strength the dose was decided in")
    return found.pop()


def _decided_for(decisions: list[DoseDecision], day: date) -> DoseDecision:
    found = [each for each in decisions if day in days_of(each)]
    if not found:
        raise Invalid.field("to_on", f"No dose is decided on for {day:%d %b %Y}")
    if len(found) > 1:
        raise Invalid.field("decision_ids", f"Two of these have a dose for {day:%d %b %Y}")
    return found[0]


def _day_dose(decision: DoseDecision, strength: Decimal | None) -> DayDose:
    mg = decision.dose_mg * decision.doses_that_day
    if strength is not None:
        return DayDose(mg, millilitres(decision.dose_mg, strength) * decision.doses_that_day)
    counts = tablet_counts(decision)
    return DayDose(mg, Decimal(sum(counts.values()) * decision.doses_that_day))


def tablet_counts(decision: DoseDecision) -> dict[Decimal, int]:
    """Tablets of one dose, by strength in mg, the largest first. Invalid unless they make it."""
    counts: dict[Decimal, int] = {}
    for each in decision.asked["order"].get("tablets") or ():
        strength = Decimal(each["strength_mg"])
        counts[strength] = counts.get(strength, 0) + each["count"]
    if sum((mg * count for mg, count in counts.items()), Decimal(0)) != decision.dose_mg:
        raise Invalid.field(
            "decision_ids", "must say which tablets make the dose: decide on it again with them"
        )
    return dict(sorted(counts.items(), reverse=True))


def tablets_of(made: Made) -> dict[Decimal, int]:
    """All tablets of a form, by strength in mg, the largest first."""
    total: dict[Decimal, int] = {}
    for decision in made.by_day.values():
        for strength, count in tablet_counts(decision).items():
            total[strength] = total.get(strength, 0) + count * decision.doses_that_day
    return dict(sorted(total.items(), reverse=True))


def withdrawn_decisions(act: Act, script: Script) -> list[int]:
    """Decisions a form still rests on that have been withdrawn since."""
    return list(
        act.session.scalars(
            select(DoseDecision.id)
            .join(ScriptDay, ScriptDay.decision_id == DoseDecision.id)
            .where(
                ScriptDay.script_id == script.id, ScriptDay.released_at.is_(None),
                ScriptDay.dose_on >= act.today, DoseDecision.withdrawn_at.is_not(None),
            )
            .distinct()
            .order_by(DoseDecision.id)
        )
    )  # fmt: skip


# -- where and when ------------------------------------------------------------------------


def opening(act: Act, premises_id: int) -> Pharmacy:
    """The opening days of a pharmacy: its own week and days, and the bank holidays it keeps.

    Those of its own nation: a service near a border sends people over it.
    """
    premises = act.session.get(Premises, premises_id)
    if premises is None or premises.kind != "pharmacy":
        raise Invalid.field("premises_id", "must be a pharmacy that is recorded here")
    known = premises_object(act.session, premises, act.at)
    if "hours" not in known:
        raise Invalid.field("premises_id", "has no opening hours recorded: record them first")
    nation = nation_of(act.session, premises_id, act.at)
    if nation is None:
        raise Invalid.field(
            "premises_id",
            "does not say whose bank holidays it keeps: record its opening hours again",
        )
    return Pharmacy(
        PHARMACY_SHAPE.read(known, "pharmacy"), nation, bank_holidays_of(act.session, nation), None
    )


def pharmacy_of(act: Act, records: list[int], day: date) -> int | None:
    """Where this person collects on a date: the pharmacy's id; None elsewhere, or not known."""
    row = act.session.scalar(
        select(ConsumptionPlace)
        .where(
            ConsumptionPlace.patient_id.in_(records), ConsumptionPlace.struck_at.is_(None),
            ConsumptionPlace.from_on <= day,
        )
        .order_by(ConsumptionPlace.from_on.desc())
        .limit(1)
    )  # fmt: skip
    return None if row is None else row.premises_id


def open_days(act: Act, patient: Patient, day: date) -> Callable[[date], bool]:
    """Is the person's pharmacy open? Where its hours are not known every day counts as open: then
    no dose taken away is excused by a closed day."""
    premises_id = pharmacy_of(act, same_person(act, patient.id), day)
    try:
        return opening(act, premises_id).is_open if premises_id else lambda _: True
    except Invalid:
        return lambda _: True


def _release_on(act: Act, patient: Patient) -> date | None:
    """In prison, the day of release a form is for; None in the community."""
    if act.session.get_one(Site, act.site_id).kind != "prison":
        return None
    found = act.session.scalar(
        select(ReleasePlan.release_on).where(
            ReleasePlan.patient_id.in_(same_person(act, patient.id)),
            ReleasePlan.closed_at.is_(None),
        )
    )
    if found is None:
        raise Invalid.field("from_on", "needs a release date: record it in the release plan first")
    return found


# -- the check -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Judged:
    """What was asked of the rules and what they answered; `ahead` doses counted before taken.

    `beside`: what was judged with the request, as clinic/prescriptions/facts.py says.
    """

    decision_id: int
    request: Data
    answer: Data
    ahead: int
    beside: Data | None = None

    def as_json(self) -> Data:
        return asdict(self)


def judge(act: Act, script: Script, made: Made, known_at: datetime) -> list[Judged]:
    """The whole form judged by the dose check, once for each decision it rests on.

    FactsMissing where something is not recorded that the check has no default for.
    """
    records = same_person(act, made.patient.id)
    _not_yet_recorded(act, records, made)
    return [
        each
        for decision, first, _ in made.steps
        for each in _judged(act, script, made, decision, first, known_at)
    ]


def _not_yet_recorded(act: Act, records: list[int], made: Made) -> None:
    """A form is for doses to come: none of them may already be answered for."""
    found = act.session.scalar(
        select(DoseEvent.dose_on)
        .where(
            DoseEvent.patient_id.in_(records), DoseEvent.drug == made.product.drug,
            DoseEvent.dose_on >= min(made.by_day), DoseEvent.struck_at.is_(None),
        )
        .order_by(DoseEvent.dose_on.desc())
        .limit(1)
    )  # fmt: skip
    if found is not None:
        raise Invalid.field(
            "from_on", f"must be after {found:%d %b %Y}: what became of that dose is recorded"
        )


def _judged(
    act: Act, script: Script, made: Made, decision: DoseDecision, first: date, known_at: datetime
) -> list[Judged]:
    """A decision's doses judged as on their first day, and for the days missed up to now."""
    asked = {"order": _order(made, decision), "supply": supply_of(made.plan)}
    chosen = {each.id for each in made.by_day.values()}
    missed = _missed_up_to_now(act, made, decision, asked, chosen, known_at)
    if stops_for_missed(missed.answer):
        return [missed]
    every_day = made.by_day[min(made.by_day)] if made.for_release else None
    request, limits, ahead = request_on(
        act, made.patient, decision, first, asked, chosen, known_at, every_day
    )
    request["prescription"] = _prescription(act, script, made)
    judged = Judged(decision.id, request, answer_to(request, limits), ahead)
    return [judged, missed] if missed.answer["findings"] else [judged]


def _missed_up_to_now(
    act: Act,
    made: Made,
    decision: DoseDecision,
    asked: Data,
    chosen: Collection[int],
    known_at: datetime,
) -> Judged:
    """What the rules about missed days say now; where they stop, all that is said with them.

    Doses still to come count as taken for what is written ahead: they cannot end a gap there is.
    """
    about = {
        **dosing_facts.outside(act, what_holds(act), made.patient, act.at),
        **_IN_THE_COMMUNITY,
    }
    gathered = dosing_facts.dose_request(act, asked, act.at, known_at, about, chosen)
    try:
        beside, answer = judged(gathered, read_limits(about["site_limits"]))
    except Refused as refused:
        raise Invalid.field(refused.field, refused.message) from refused
    if not stops_for_missed(answer):
        answer = together([about_missed_days(answer)])
    return Judged(decision.id, gathered.request, answer, 0, beside)


def answer_to(request: Data, site_limits: Stored) -> Data:
    """The check's answer under this site's limits. Invalid where the request cannot be read."""
    try:
        return check(request, read_limits(site_limits))
    except Refused as refused:
        raise Invalid.field(refused.field, refused.message) from refused


_IN_THE_COMMUNITY: Data = {"setting": "community", "received_at": None, "arrived": None}
"""A form is for a pharmacy in the community, from a prison as well; no dose is given by it today."""


def request_on(
    act: Act,
    patient: Patient,
    decision: DoseDecision,
    first: date,
    asked: Data,
    chosen: Collection[int],
    known_at: datetime,
    every_day: DoseDecision | None = None,
) -> tuple[Data, Stored, int]:
    """A decision's order judged again as on a date to come; the site's limits; doses counted ahead.

    `chosen`: decisions that are themselves on the order, and count only before that date.
    `every_day`: whose dose counts for a day until then that nobody has decided on yet.
    """
    decided_at = _first_dose_at(act, decision, first)
    about = {**dosing_facts.outside(act, what_holds(act), patient, decided_at), **_IN_THE_COMMUNITY}
    everything = dosing_facts.dose_request(act, asked, decided_at, known_at, about)
    missing = tuple(
        each
        for each in everything.missing
        if each.kind != "dose" or each.on is None or each.on < act.today
    )
    if missing:
        raise FactsMissing(missing)
    request = dosing_facts.dose_request(act, asked, decided_at, known_at, about, chosen).request
    ahead = _taken_ahead(act, patient, decision.drug, first, every_day)
    request["treatment_history"]["doses"] += ahead
    return request, about["site_limits"], len(ahead)


def _first_dose_at(act: Act, decision: DoseDecision, first: date) -> datetime:
    if first == act.today:
        return max(act.at, decision.decided_at) if decision.dose_on == first else act.at
    return at_london(first, london_time(decision.decided_at).time())


def _order(made: Made, decision: DoseDecision) -> Data:
    order: Data = decision.asked["order"]
    if made.strength is None:
        return order
    volume = as_text(millilitres(decision.dose_mg, made.strength))
    return {**order, "strength_mg_per_ml": as_text(made.strength), "volume_ml": volume}


def supply_of(of: Plan) -> Data:
    """The collections of a plan in the words of the dose-check contract."""
    return {
        "collections": [each.collection() for each in of.instalments],
        "pharmacy_closed_on": [day.isoformat() for day in of.closed],
    }


def _taken_ahead(
    act: Act, patient: Patient, drug: str, first: date, every_day: DoseDecision | None
) -> list[Data]:
    """Doses of a drug planned from today until a date, as if taken."""
    answered = set(
        act.session.scalars(
            select(DoseEvent.dose_on).where(
                DoseEvent.patient_id.in_(same_person(act, patient.id)), DoseEvent.drug == drug,
                DoseEvent.dose_on >= act.today, DoseEvent.struck_at.is_(None),
            )
        )
    )  # fmt: skip
    planned = [
        (row, days_of(row))
        for row in decisions_in_force(act, patient, act.today)
        if row.drug == drug
    ]
    out: list[Data] = []
    for day in days_between(act.today, first - ONE_DAY):
        if day in answered:
            continue
        doses = [row for row, days in planned if day in days]
        if not doses and every_day is not None:
            doses = [every_day]
        out += [
            {
                "product": row.product,
                "dose_mg": as_text(row.dose_mg),
                "consumed_at": at_london(day, london_time(row.decided_at).time()).isoformat(),
                "recorded_by": "this_service",
            }
            for row in doses
            for _ in range(row.doses_that_day)
        ]
    return out


def _prescription(act: Act, script: Script, made: Made) -> Data:
    """The form in the words of the dose-check contract."""
    staff = act.session.get(Staff, act.staff_id)
    unit = "ml" if made.written.unit == "millilitres" else "tablets"
    start_on = start_of_form(act.today, made)
    return {
        "form": script.form,
        "signed_on": act.today.isoformat(),
        **({"start_on": start_on.isoformat()} if start_on else {}),
        "supply_from_on": script.from_on.isoformat(),
        "supply_to_on": script.to_on.isoformat(),
        "items": [{"name": made.written.item, "schedule": made.written.schedule}],
        "dose_directions": "stated",
        "written_form": made.written.form,
        "written_strength": made.strength_words,
        f"total_{unit}": as_text(made.plan.total),
        "total_in_words": in_words(made.plan.total, made.written.unit),
        "instalments": [
            {"due_on": each.due_on.isoformat(), f"amount_{unit}": as_text(each.amount)}
            for each in made.plan.instalments
        ],
        "directions": list(script.asked["directions"]),
        "for_release": made.for_release,
        "prescriber_number": staff.registration if staff else None,
    }


def start_of_form(signed_on: date, made: Made) -> date | None:
    """The start date written on a form, when it is later than the signature."""
    first = made.plan.instalments[0].due_on
    return first if first > signed_on else None


def valid_until(rule_set: str, on: date, signed_on: date, appropriate_on: date) -> date:
    """The last day a form may first be supplied against, by the rules in force (L-09)."""
    version = rulebook().in_force(rule_set, on)["L-09"]
    return last_supply_on(version, signed_on, appropriate_on)
