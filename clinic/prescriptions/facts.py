"""What may the rules know of this patient? Stored rows -> the request of the dose-check contract.

One function serves a new order and the replay of an old one: rows count as they stood at
`known_at`. Nothing is filled in: what the check cannot do without and nobody has recorded is
listed as missing.

A dose decided on for the day and not yet recorded as taken or not counts as taken, so that two
prescribers cannot each order half of what nobody may have. So does one recorded as taken and
struck out again, until a second person has agreed to that. Neither is known to have been taken:
where days were missed before, the order is judged without them as well (see judging).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime
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
from clinic.prescriptions.doses import Doses, taken_home
from clinic.prescriptions.leaving import of_the_release_plan
from clinic.prescriptions.models import DoseDecision
from clinic.sites.queries import Here
from dosing.days import london_day
from dosing.reading import read_request
from dosing.request import DoseRequest

Data = dict[str, Any]


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
    history = Doses(doses, decisions, supplied, known_at, decided_at)
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
        *_unanswered(history.unanswered(of.all("steady_dose"), asking)),
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
    return _history(Entries(entries), Doses(doses, [], supplied, at, at))


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


def _history(of: Entries, history: Doses, *, unsure: bool = True) -> Data:
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


def _on_arrival(of: Entries, about: Data, history: Doses, on: date) -> Iterable[Missing]:
    """Nobody who came from elsewhere is given a second dose of the day unasked (RC-24)."""
    came = about.get("arrived")  # a decision saved before this was asked says nothing of it
    arrived = came and Arrived(came[0], datetime.fromisoformat(came[1]))
    for kind, says in dose_waits_for(of, arrived, on, {row.dose_on for row in history.elsewhere()}):
        yield Missing(kind, says)


def _unanswered(found: Iterable[tuple[DoseDecision, date]]) -> Iterable[Missing]:
    for decision, day in found:
        says = f"Was the {decision.drug} of {day:%a} {day.day} {day:%b %Y} taken?"
        yield Missing("dose", says, decision.id, day)
