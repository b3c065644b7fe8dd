"""What may the rules know of this patient? Stored rows -> the request of the dose-check contract.

One function serves a new order and the replay of an old one: rows count as they stood at
`known_at`. Nothing is filled in: what the check cannot do without and nobody has recorded is
listed as missing.

A dose decided on for the day and not yet recorded as taken or not counts as taken, so that two
prescribers cannot each order half of what nobody may have. So does one recorded as taken and
struck out again, until a second person has agreed to that. Neither is known to have been taken:
where days were missed before, the order is judged without them as well (see `judged`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any

from sqlalchemy import BindParameter, bindparam, select

from clinic.act import Act
from clinic.assessments.arrival import Arrived, arrived_here, dose_waits_for
from clinic.assessments.claims import Claim, claims_of, earlier_claims_as_use, settled
from clinic.assessments.entries import Entries, entries_at
from clinic.assessments.kinds import CONFIRMERS, GATE_ITEMS, KINDS
from clinic.assessments.models import ClinicalEntry
from clinic.consumption.models import SWALLOWED, DoseEvent
from clinic.consumption.supply_models import DispensedDose
from clinic.errors import Invalid
from clinic.guidance.facts import site_limits_on
from clinic.patients.models import Patient
from clinic.patients.queries import same_person
from clinic.prescriptions.findings import together
from clinic.prescriptions.leaving import of_the_release_plan
from clinic.prescriptions.models import DoseDecision
from clinic.sites.queries import Here
from dosing.check import check
from dosing.continuation import treatment_of
from dosing.days import at_london, days_between, london_day
from dosing.medicines import PRODUCTS
from dosing.reading import read_request
from dosing.request import DoseRequest
from dosing.tightening import SiteLimit
from dosing.units import as_text, mg_from_micrograms

Data = dict[str, Any]
MISSED = "-MD-"
"""In the id of every rule about missed days."""


@dataclass(frozen=True)
class Missing:
    """A fact the check cannot do without. `kind` says where it is recorded: an entry's kind,
    `dose` for what became of a dose (then `decision_id` and `on` say which), `elsewhere` for a dose
    taken elsewhere, or `reception`."""

    kind: str
    says: str
    decision_id: int | None = None
    on: date | None = None


@dataclass(frozen=True)
class Gathered:
    """The request as far as it can be made; what it lacks; which plans of the day it counts.

    `happened`: the same without the day's doses nobody knows to have been taken, planned or in
    doubt; None where there are none.
    """

    request: Data
    happened: Data | None
    missing: tuple[Missing, ...]
    planned: tuple[DoseDecision, ...]
    newest_at: datetime | None
    """The newest thing known to have happened: an order may not be timed before it."""
    entries: list[ClinicalEntry]
    doses: list[DoseEvent]
    decisions: list[DoseDecision]
    """Every decision of the person, by id: withdrawn ones and those left out as well."""

    @cached_property
    def read(self) -> DoseRequest:
        """The request, read once for everybody who asks. Raises Refused."""
        return read_request(self.request)

    @cached_property
    def read_as_happened(self) -> DoseRequest:
        """The same as it is known to have happened."""
        return self.read if self.happened is None else read_request(self.happened)


def outside(act: Act, here: Here, patient: Patient, decided_at: datetime) -> Data:
    """What other rooms say now: the site and its rules that day, the prescriber, the person.

    The prescriber's level and the setting come from here and never from a form. Saved with the
    decision, because those rooms keep their history in their own ways.
    """
    on = london_day(decided_at)
    rule_set = here.rule_set_on(on)
    if rule_set is None:
        raise Invalid.field("rule_set", "is not chosen for this site on that day: ask a manager")
    records = same_person(act, patient.id)
    came = came_from_elsewhere(act, records, in_prison=here.kind == "prison")
    return {
        "rule_set": rule_set,
        "site_limits": site_limits_on(act, act.site_id, rule_set, on),
        "setting": setting_of(here, on),
        "on_site_titration_protocol": here.has("on_site_titration_protocol", on),
        "experienced": here.level_on(act.today) == "experienced",
        "date_of_birth": patient.born_on.isoformat(),
        "sex": patient.sex,
        "records": records,
        "received_at": came[1] if came and here.kind == "prison" else None,
        "arrived": came,
    }


def came_from_elsewhere(act: Act, records: list[int], *, in_prison: bool) -> list[str] | None:
    """Where they came to and when, as `about` holds it: it is asked anew for each dose given."""
    arrived = arrived_here(act, records, in_prison=in_prison)
    return arrived and [arrived.where, arrived.at.isoformat()]


def setting_of(here: Here, on: date) -> str:
    if here.kind == "prison":
        return "prison"
    return "on_site" if here.has("supervised_dispensing", on) else "community"


def dose_request(
    act: Act,
    asked: Data,
    decided_at: datetime,
    known_at: datetime,
    about: Data,
    but: Collection[int] = (),
    *,
    without: Collection[int] = (),
    looking_back: bool = False,
) -> Gathered:
    """The request for an order, from the rows as they stood at `known_at`.

    `asked`: `order` and `supply` as given. `about`: see `outside`. `but`: decisions left out, such
    as the one replayed or the one this order replaces. `without`: dose events left out, such as one
    that is being put right. `looking_back`: what happened after `decided_at` is left out too, to
    judge a dose that was taken earlier.
    """
    records: list[int] = about["records"]
    entries = entries_at(act, records, known_at)
    doses = [
        row
        for row in act.session.scalars(_DOSES, {"records": records, "known_at": known_at})
        if row.id not in without
    ]
    supplied = taken_home(act, records, known_at)
    if looking_back:
        entries = [row for row in entries if row.happened_at <= decided_at]
        doses = [row for row in doses if row.consumed_at <= decided_at]
        supplied = [row for row in supplied if row.handed_at <= decided_at]
    every_decision = list(
        act.session.scalars(_DECISIONS, {"records": records, "known_at": known_at})
    )
    decisions = [row for row in every_decision if row.id not in but]
    history = _Doses(doses, decisions, supplied, known_at, decided_at)
    of = Entries(entries)
    setting = about["setting"]
    request: Data = {
        "case": f"patient {records[0]}",
        "rule_set": about["rule_set"],
        "decided_at": decided_at.isoformat(),
        "setting": setting,
        "on_site_titration_protocol": about["on_site_titration_protocol"],
        "patient": _patient(of, about),
        "prescriber": {"experienced": about["experienced"]},
        "assessment": _assessment(of),
        "drug_tests": _drug_tests(of),
        "observations": [_observation(row) for row in of.all("observation")],
        "opioid_use": [
            *(row.data for row in of.all("opioid_use")),
            *earlier_claims_as_use(claims_of(of, history.elsewhere())),
        ],
        "treatment_history": {
            **_history(of, history),
            "ever_taken_buprenorphine": of.newest("medical_history").get(
                "ever_taken_buprenorphine"
            ),
        },
        "order": _order(asked["order"], of),
    }
    supply = _supply(asked.get("supply"), of)
    if supply:
        request["supply"] = supply
    if setting == "prison":
        leaving = of_the_release_plan(act, records, known_at)
        request["prison"] = _prison(of, about, leaving, london_day(decided_at))
    # A dose given on a decision asks about that decision's own earlier days as well.
    asking = every_decision if looking_back else decisions
    missing = (
        *_not_recorded(of, about), *_on_arrival(of, about, history, london_day(decided_at)),
        *history.unanswered(of.all("steady_dose"), asking),
    )  # fmt: skip
    newest = [row.happened_at for row in entries]
    newest += [row.consumed_at for row in doses if row.outcome in SWALLOWED]
    planned = tuple(history.planned())
    happened = None
    if planned or history.doubtful():
        past = {**request["treatment_history"], **_history(of, history, unsure=False)}
        happened = {**request, "treatment_history": past}
    return Gathered(
        request, happened, missing, planned, max(newest, default=None), entries, doses,
        every_decision,
    )  # fmt: skip


def recorded_history(
    entries: Iterable[ClinicalEntry],
    doses: list[DoseEvent],
    supplied: list[DispensedDose],
    at: datetime,
) -> Data:
    """What was taken up to a moment, in the contract's words, from rows already read.

    Plans for the day are left out: this is what happened, not what an order must reckon with.
    """
    return _history(Entries(entries), _Doses(doses, [], supplied, at, at))


def taken_home(
    act: Act, records: Collection[int], known_at: datetime | None = None
) -> list[DispensedDose]:
    """The doses handed over to be taken home, as they stood at a moment (now), by their dates."""
    if known_at is None:
        return list(act.session.scalars(_AT_HOME_NOW, {"records": list(records)}))
    return list(act.session.scalars(_AT_HOME, {"records": list(records), "known_at": known_at}))


# Asked whenever a dose is judged, so they are built once. What was read before the turn is read anew.
_RECORDS = bindparam("records", expanding=True)
_KNOWN_AT: BindParameter[datetime] = bindparam("known_at")
_ANEW = {"populate_existing": True}
_DOSES = (
    select(DoseEvent)
    .where(DoseEvent.patient_id.in_(_RECORDS), DoseEvent.recorded_at <= _KNOWN_AT)
    .order_by(DoseEvent.consumed_at, DoseEvent.id)
    .execution_options(**_ANEW)
)
_DECISIONS = (
    select(DoseDecision)
    .where(DoseDecision.patient_id.in_(_RECORDS), DoseDecision.recorded_at <= _KNOWN_AT)
    .order_by(DoseDecision.id)
    .execution_options(**_ANEW)
)
_HOME = (
    select(DispensedDose)
    .where(DispensedDose.patient_id.in_(_RECORDS), DispensedDose.how == "take_home")
    .order_by(DispensedDose.dose_on, DispensedDose.id)
    .execution_options(**_ANEW)
)
_AT_HOME_NOW = _HOME.where(DispensedDose.struck_at.is_(None))
_AT_HOME = _HOME.where(DispensedDose.standing_at(_KNOWN_AT))


def judged(gathered: Gathered, limits: tuple[SiteLimit, ...]) -> tuple[Data | None, Data]:
    """What was judged beside the request, if anything, and the rules' answer to all of it.

    A dose of the day that nobody knows to have been taken counts in every total, so that no two
    orders add up to too much; it does not end the days that were missed. One request cannot say
    both, so where days were missed there are two more: see `beside`.
    """
    answer = check(gathered.read, limits)
    if gathered.happened is None or not treatment_of(gathered.read_as_happened).missed_days:
        return None, answer
    more = beside(gathered)
    return more, answer_beside(answer, more, limits)


def beside(gathered: Gathered) -> Data | None:
    """The order as if no dose of the day in doubt were taken, and, for the rules about missed days,
    as if all of them were part of it: they read how long the gap is and how much ends it."""
    if gathered.happened is None:
        return None
    return {"happened": gathered.happened, "at_once": _at_once(gathered)}


def _at_once(gathered: Gathered) -> Data:
    assert gathered.happened is not None
    order = gathered.happened["order"]
    mg = _ordered_mg(order)
    if mg is None:
        return gathered.happened
    drug = PRODUCTS[order["product"]].drug
    in_doubt = _daily_mg(gathered.request, drug) - _daily_mg(gathered.happened, drug)
    whole = {
        "dose_mg": as_text(mg + in_doubt), "dose_micrograms": None, "doses_remaining_today": 1,
    }  # fmt: skip
    return {**gathered.happened, "order": {**order, **whole}}


def _ordered_mg(order: Data) -> Decimal | None:
    """The day's mg of an order; None where it does not say one amount in one unit (U-06)."""
    mg, micrograms = order.get("dose_mg"), order.get("dose_micrograms")
    if (mg is None) == (micrograms is None) or order.get("dose_without_unit") is not None:
        return None
    one = Decimal(mg) if mg is not None else mg_from_micrograms(Decimal(micrograms))
    return one * (order.get("doses_remaining_today") or 1)


def _daily_mg(request: Data, drug: str) -> Decimal:
    """All the mg of a drug's daily doses in a request's history."""
    return sum(
        (
            Decimal(dose["dose_mg"])
            for dose in request["treatment_history"]["doses"]
            if (product := PRODUCTS[dose["product"]]).drug == drug and not product.depot
        ),
        Decimal(0),
    )


def answer_beside(
    answer: Data, more: Data, limits: tuple[SiteLimit, ...], edition: str | None = None
) -> Data:
    """One answer to a request and to what is judged beside it: each rule once, at its gravest."""
    at_once = about_missed_days(check(more["at_once"], limits, edition))
    return together([at_once, answer, check(more["happened"], limits, edition)])


def about_missed_days(answer: Data) -> Data:
    """What the rules about missed days say, and no other."""
    return {**answer, "findings": [f for f in answer["findings"] if MISSED in f["rule"]]}


def stops_for_missed(answer: Data) -> bool:
    """Do the rules stop because days were missed?"""
    return any(f["severity"] == "STOP" for f in about_missed_days(answer)["findings"])


def _history(of: Entries, history: _Doses, *, unsure: bool = True) -> Data:
    claims, apart = settled(claims_of(of, history.elsewhere()))
    return {
        "doses": history.taken({each.row for each in apart}, unsure=unsure),
        "steady_doses": [each.steady() for each in claims if isinstance(each.row, ClinicalEntry)],
        **_confirmed(of, claims),
    }


def _patient(of: Entries, about: Data) -> Data:
    history = KINDS["medical_history"].in_contract(of.newest("medical_history"))
    if pregnancy := of.pregnancy():
        history["pregnancy"] = pregnancy
    return {
        "date_of_birth": about["date_of_birth"],
        "sex": about["sex"],
        **history,
        "medicines": [row.data for row in of.all("medicine")],
        "ecgs": [
            {**row.data, "recorded_on": london_day(row.happened_at).isoformat()}
            for row in of.all("ecg")
        ],
    }


def _assessment(of: Entries) -> Data:
    out: Data = {
        f"{item}_at": of.items(item)[-1].isoformat() for item in GATE_ITEMS if of.items(item)
    }
    out["prescriber_assessed_at"] = [at.isoformat() for at in of.items("prescriber_assessed")]
    if plan := of.newest("monitoring_plan"):
        out["sedative_monitoring_plan"] = plan
    return {**out, **of.newest("tolerance")}


def _drug_tests(of: Entries) -> list[Data]:
    """Every test, but for an on-site result the laboratory has since answered in its place."""
    rows = of.all("drug_test")
    answered = {
        row.data.get("confirms_id") for row in rows if row.data["result"] != "pending"
    }  # fmt: skip
    return [
        {
            **KINDS["drug_test"].in_contract(row.data),
            "sample_taken_at": row.happened_at.isoformat(),
        }
        for row in rows
        if row.id not in answered
    ]


def _observation(row: ClinicalEntry) -> Data:
    return {**KINDS["observation"].in_contract(row.data), "at": row.happened_at.isoformat()}


def _confirmed(of: Entries, claims: list[Claim]) -> Data:
    """When prescriber and pharmacy confirmed what is claimed, each as last heard."""
    out: Data = {}
    for by in CONFIRMERS:
        asked = [each.answer(by) for each in claims] or [of.last("confirmation", by=by)]
        answers = [row for row in asked if row is not None and row.data["outcome"] == "verified"]
        if answers and len(answers) == len(asked):
            last = max(row.happened_at for row in answers)
            out[f"elsewhere_confirmed_by_{by}_at"] = last.isoformat()
    return out


def _order(order: Data, of: Entries) -> Data:
    plans = of.items("retitration_plan")
    return {**order, "retitration_plan_recorded_at": plans[-1].isoformat()} if plans else order


def _supply(supply: Data | None, of: Entries) -> Data:
    stored = of.items("safe_storage")
    kept = {"safe_storage_recorded_on": london_day(stored[-1]).isoformat()} if stored else {}
    return {**(supply or {}), **kept}


def _prison(of: Entries, about: Data, leaving: Data, on: date) -> Data:
    """The stay and the way out of it; what the release plan knows of that goes before (leaving.py)."""
    offered = leaving.pop("naloxone_offered_on", None)
    out: Data = {**of.newest("custody"), **leaving, "received_at": about["received_at"]}
    if offered is not None and offered <= on.isoformat():
        out["naloxone_offered_on"] = offered
    if of.items("informed_choice"):
        out["informed_choice_recorded_at"] = of.items("informed_choice")[-1].isoformat()
    if of.items("naloxone_offered") and "naloxone_offered_on" not in out:
        out["naloxone_offered_on"] = london_day(of.items("naloxone_offered")[-1]).isoformat()
    out["maintenance_justified_on"] = [
        london_day(at).isoformat() for at in of.items("maintenance_justified")
    ]
    out["reviews_held"] = [
        {"review": review, "held_on": london_day(at).isoformat()}
        for review in ("day_5", "day_28", "week_13")
        for at in of.items(f"review_{review}")
    ]
    return out


def _not_recorded(of: Entries, about: Data) -> Iterable[Missing]:
    if not of.all("medical_history"):
        yield Missing("medical_history", "Health, home and other substances: not asked yet")
    if not of.asked("medicines"):
        yield Missing("medicines", "Medicines: nobody has said that the list is whole")
    if not of.asked("opioid_use"):
        yield Missing("opioid_use", "Opioid use: nobody has said that the list is whole")
    if about["setting"] == "prison":
        if not of.all("custody"):
            yield Missing("custody", "Sentence and treatment plan: not recorded")
        if about["received_at"] is None:
            yield Missing("reception", "Reception at this prison: not recorded")


def _on_arrival(of: Entries, about: Data, history: _Doses, on: date) -> Iterable[Missing]:
    """Nobody who came from elsewhere is given a second dose of the day unasked (RC-24)."""
    came = about.get("arrived")  # a decision saved before this was asked says nothing of it
    arrived = came and Arrived(came[0], datetime.fromisoformat(came[1]))
    for kind, says in dose_waits_for(of, arrived, on, {row.dose_on for row in history.elsewhere()}):
        yield Missing(kind, says)


# -- doses ---------------------------------------------------------------------------------


def _stands(row: DoseEvent, known_at: datetime) -> bool:
    return row.struck_at is None or row.struck_at > known_at


class _Doses:
    """What was taken, what is planned, and what nobody has said, as known at one moment.

    A dose handed over to take home counts as taken on its date, unless something is recorded of it.
    """

    def __init__(
        self,
        doses: list[DoseEvent],
        decisions: list[DoseDecision],
        supplied: list[DispensedDose],
        known_at: datetime,
        decided_at: datetime,
    ) -> None:
        self._doses = doses
        self._decisions = decisions
        self._known_at = known_at
        self._decided_at = decided_at
        self._on = london_day(decided_at)
        said = {_dose_of(row) for row in doses if not row.elsewhere and self._said(row)}
        self._at_home = [
            row for row in supplied if row.dose_on <= self._on and _dose_of(row) not in said
        ]

    def _said(self, row: DoseEvent) -> bool:
        """Is it said what became of this dose, if only in doubt?"""
        return _stands(row, self._known_at) or self._in_doubt(row)

    def _in_doubt(self, row: DoseEvent) -> bool:
        """Struck out today's dose, and nobody else has agreed that it was not taken."""
        return (
            not _stands(row, self._known_at)
            and row.dose_on == self._on
            and row.outcome in SWALLOWED
            and (row.agreed_at is None or row.agreed_at > self._known_at)
        )

    def doubtful(self) -> bool:
        """Is a dose of the day struck out and not agreed on?"""
        return any(self._in_doubt(row) for row in self._doses)

    def _counting(self, *, unsure: bool = True) -> list[tuple[DoseEvent, Decimal]]:
        """Each dose swallowed, with its mg: of a dose and its doubtful correction the larger.

        `unsure`: with those in doubt.
        """
        best: dict[Any, tuple[DoseEvent, Decimal]] = {}
        for row in self._doses:
            if row.outcome not in SWALLOWED or row.dose_mg is None:
                continue
            if not (self._said(row) if unsure else _stands(row, self._known_at)):
                continue
            key = row.id if row.elsewhere else _dose_of(row)
            if key not in best or row.dose_mg > best[key][1]:
                best[key] = row, row.dose_mg
        return list(best.values())

    def planned(self) -> list[DoseDecision]:
        """Decisions in force whose days include the day of the order, not all of it recorded."""
        return [
            row
            for row in self._decisions
            if self._in_force(row) and self._on in days_of(row) and self._open(row)
        ]

    def _in_force(self, row: DoseDecision) -> bool:
        return row.withdrawn_at is None or row.withdrawn_at > self._known_at

    def _open(self, decision: DoseDecision) -> list[int]:
        """The doses of a decision, by increment, of which nothing is recorded for the day."""
        answered = {_dose_of(row) for row in self._doses if not row.elsewhere and self._said(row)}
        answered |= {_dose_of(row) for row in self._at_home}
        return [
            each
            for each in increments_of(decision)
            if (decision.drug, self._on, each) not in answered
        ]

    def elsewhere(self) -> list[DoseEvent]:
        """The doses said to have been taken elsewhere."""
        return [row for row, _ in self._counting() if row.elsewhere]

    def taken(self, but: Collection[Any] = (), *, unsure: bool = True) -> list[Data]:
        """Every dose for the request: recorded, and planned for the day. `but`: rows left out.

        `unsure`: with the day's doses nobody knows to have been taken.
        """
        out = [
            {
                "product": row.product,
                "dose_mg": as_text(dose),
                "consumed_at": row.consumed_at.isoformat(),
                "supervision": row.supervision,
                "recorded_by": "elsewhere" if row.elsewhere else "this_service",
            }
            for row, dose in self._counting(unsure=unsure)
            if row not in but
        ]
        out += [
            {
                "product": row.product,
                "dose_mg": as_text(row.dose_mg),
                "consumed_at": self._taken_at_home(row).isoformat(),
                "supervision": "take_home",
                "recorded_by": "this_service",
            }
            for row in self._at_home
        ]
        for decision in self.planned() if unsure else ():
            # One timed after this order counts as taken at its moment: it cannot be waited out.
            first_day = decision.dose_on == self._on
            at = min(decision.decided_at, self._decided_at) if first_day else self._decided_at
            out += [
                {
                    "product": decision.product,
                    "dose_mg": as_text(decision.dose_mg),
                    "consumed_at": at.isoformat(),
                    "recorded_by": "this_service",
                }
                for _ in self._open(decision)
            ]
        return out

    def _taken_at_home(self, row: DispensedDose) -> datetime:
        """At noon of its date; today at the moment of the order, for nobody knows better."""
        if row.dose_on == self._on:
            return self._decided_at
        return max(row.handed_at, at_london(row.dose_on, time(12)))

    def unanswered(
        self, steady: list[ClinicalEntry], decisions: list[DoseDecision]
    ) -> Iterable[Missing]:
        """Days before the order's for which a dose was decided on and its outcome is not known.

        Counted as taken it could hide missed days, as missed it could hide methadone still there.
        """
        standing = [row for row in self._doses if _stands(row, self._known_at)]
        known = {(row.drug, row.dose_on) for row in standing if row.elsewhere}
        said = {_dose_of(row) for row in (*standing, *self._at_home)}
        for row in steady:
            for day in days_between(
                date.fromisoformat(row.data["from_on"]), date.fromisoformat(row.data["to_on"])
            ):
                known.add((PRODUCTS[row.data["product"]].drug, day))
        for decision in decisions:
            for day in sorted(days_of(decision)):
                ended = not self._in_force(decision) and day >= london_day(_withdrawn(decision))
                whole = all((decision.drug, day, each) in said for each in increments_of(decision))
                if day < self._on and not (ended or whole or (decision.drug, day) in known):
                    known.add((decision.drug, day))
                    yield Missing(
                        "dose",
                        f"Was the {decision.drug} of {day:%a} {day.day} {day:%b %Y} taken?",
                        decision.id,
                        day,
                    )


def _dose_of(row: DoseEvent | DispensedDose) -> tuple[str, date, int]:
    """Which dose of which day of which medicine."""
    return row.drug, row.dose_on, row.increment


def _withdrawn(decision: DoseDecision) -> datetime:
    assert decision.withdrawn_at is not None
    return decision.withdrawn_at


def increments_of(decision: DoseDecision) -> range:
    """The numbers of this decision's doses among the day's doses of the drug."""
    return range(decision.first_increment, decision.first_increment + decision.doses_that_day)


def days_of(decision: DoseDecision) -> set[date]:
    """The London dates this decision has a dose for."""
    return supplied_days(decision.dose_on, decision.asked.get("supply"))


def supplied_days(dose_on: date, supply: Data | None) -> set[date]:
    """The date of the dose itself, and every date its supply has a dose for.

    Take-home doses follow a supervised collection; unsupervised, collection day is the first.
    """
    days = {dose_on}
    for each in (supply or {}).get("collections") or ():
        first = date.fromisoformat(each["collect_on"])
        last = date.fromisoformat(each.get("daily_until_on") or each["collect_on"])
        days.update(days_between(first, last))
        home = (each.get("take_home_days") or 0) - (0 if each["supervised"] else 1)
        for day in days_between(first, last):
            days.update(day + timedelta(days=number) for number in range(1, home + 1))
    return days


def days_at_home(decision: DoseDecision) -> set[date]:
    """The dates whose dose this decision lets be taken home, by its own supply."""
    home: set[date] = set()
    for each in (decision.asked.get("supply") or {}).get("collections") or ():
        days = supplied_days(date.fromisoformat(each["collect_on"]), {"collections": [each]})
        if each["supervised"]:
            last = date.fromisoformat(each.get("daily_until_on") or each["collect_on"])
            days = {day for day in days if day > last}
        home |= days
    return home


def later_decision(
    decisions: Iterable[DoseDecision], on: date, but: Collection[int] = ()
) -> DoseDecision | None:
    """The first in force that begins after this day: an order before it would go unseen by it."""
    later = [
        row
        for row in decisions
        if row.withdrawn_at is None and row.dose_on > on and row.id not in but
    ]
    return min(later, key=lambda row: row.dose_on, default=None)
