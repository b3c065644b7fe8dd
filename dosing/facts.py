"""What may a rule know? Everything the contract derives from a request, worked out once.

Days are differences of London dates, hours exact elapsed time up to the decision. Steady doses
span years, so history is kept as spans and never expanded day by day.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any, Final

from dosing.alcohol import UNITS, micrograms
from dosing.days import ONE_DAY, end_of, london_day
from dosing.medicines import METHADONE, MONTHLY_DEPOT, Product
from dosing.request import (
    Dose,
    DoseRequest,
    Ecg,
    Medicine,
    Observation,
    SteadyDose,
    TreatmentHistory,
)
from dosing.rulebook import RuleVersion

Definitions = Mapping[str, RuleVersion]

UNUSABLE: Final = Decimal("NaN")
"""Stands for a dose without one unit. Comparing it raises, so no rule can judge it by accident."""

START, INCREASE, REDUCTION, SAME = "start", "increase", "reduction", "same"
LOST, LOW, UNCERTAIN, HIGH = "lost", "low", "uncertain", "high"
DONE_POSITIVE, DONE_NEGATIVE = "opioid_positive", "opioid_negative"


@dataclass(frozen=True, slots=True)
class Span:
    """The same daily total on every date from first_on to last_on, both included."""

    first_on: date
    last_on: date
    total_mg: Decimal
    products: tuple[Product, ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """One observed value and when it was taken."""

    value: Decimal
    at: datetime


@dataclass(frozen=True, slots=True)
class DrugTestKnown:
    """The test that counts: `result` is positive, negative or pending."""

    result: str
    sample_taken_at: datetime
    undetectable_opioid: str


@dataclass(frozen=True, slots=True)
class MethadoneBefore:
    """The last methadone before a buprenorphine start. An unknown total_mg is None."""

    last_at: datetime
    last_on: date
    total_mg: Decimal | None


@dataclass(frozen=True, slots=True)
class Facts:
    """The request and what follows from it. None is unknown or none, as each name says.

    `day` is D's place in the episode (its first date is day 1); `missed_days` the dates strictly
    between the last covered date and D. `previous_*` speak of the last dosing day before D in
    the episode. Lists of doses hold only what counts, of the ordered drug.
    """

    request: DoseRequest
    on: date
    drug: str
    depot: bool
    dose_mg: Decimal
    total_mg: Decimal
    consumed_today: tuple[Dose, ...]
    first_dose: bool
    episode_from: date
    day: int
    missed_days: int
    last_covered_on: date | None
    spans: tuple[Span, ...]
    depots: tuple[Dose, ...]
    earlier_doses: bool
    covered: tuple[tuple[date, date], ...]
    change: str | None
    previous: Span | None
    previous_on: date | None
    last_increase_on: date | None
    last_reduction_on: date | None
    confirmed: bool
    opioid_free_days: int | None
    tolerance: str
    risk_modifiers: tuple[str, ...]
    qt_risks: tuple[str, ...]
    cows: Reading | None
    withdrawal_at: datetime | None
    sedation: str | None
    sedation_at: datetime | None
    hard_to_rouse: bool
    alcohol: Reading | None
    drug_test: DrugTestKnown | None
    ecg: Ecg | None
    age: int
    gestation_days: int | None
    trimester: int | None
    short_acting_at: datetime | None
    methadone_before: MethadoneBefore | None
    methadone_counts: bool
    observed_at: tuple[datetime, ...]
    prison_day: int | None
    first_in_prison: bool
    last_outside_supervised: bool
    last_dose_at: datetime | None
    missed_dose_order: bool
    depot_week_days: int
    depot_extra_mg: Decimal
    sublingual_dates: int

    @property
    def low_tolerance(self) -> bool:
        """Low or uncertain; lost tolerance reads as low."""
        return self.tolerance in (LOST, LOW, UNCERTAIN)

    @property
    def cautious(self) -> bool:
        """Low or uncertain tolerance, or any risk modifier."""
        return self.low_tolerance or bool(self.risk_modifiers)

    @property
    def starts_or_raises(self) -> bool:
        return self.change in (START, INCREASE)

    @property
    def last_covered_before(self) -> date | None:
        """The last covered date before D, whatever was taken on D itself."""
        return max((last for first, last in self.covered if first < self.on), default=None)

    @property
    def missed_before(self) -> int:
        """The dates missed before D; a dose taken on D itself does not make them good."""
        return days_missed(self.last_covered_before, self.on)

    @property
    def further_dose(self) -> bool:
        """Is this a further dose on day 1?"""
        return self.day == 1 and bool(self.consumed_today)

    @property
    def divided_day_1(self) -> bool:
        """Is this a day-1 total made of more than one dose?"""
        return self.day == 1 and (
            bool(self.consumed_today) or self.request.order.doses_remaining_today > 1
        )

    @property
    def rise_mg(self) -> Decimal:
        """The total less the previous dosing day's; only where there is a previous day."""
        assert self.previous is not None
        return self.total_mg - self.previous.total_mg

    def total_on_or_before(self, day: date) -> Decimal | None:
        """The total on a date of the episode, or on the last dosing day before it."""
        for span in reversed(self.spans):
            if span.first_on <= day:
                return span.total_mg
        return None

    def taken_daily_on(self, day: date) -> Span | None:
        """The daily doses taken on a date of this episode."""
        return next((s for s in reversed(self.spans) if s.first_on <= day <= s.last_on), None)

    def on_sublingual(self, day: date) -> bool:
        """Was daily buprenorphine taken on each of the dates just before `day`?"""
        return all(
            self.taken_daily_on(day - timedelta(days=back + 1))
            for back in range(self.sublingual_dates)
        )

    def missed_within(self, days: int) -> list[date]:
        """The missed dates of the episode from D - days to D - 1."""
        dates = (self.on - timedelta(days=back) for back in range(days, 0, -1))
        return [
            day
            for day in dates
            if day > self.episode_from
            and not any(first <= day <= last for first, last in self.covered)
        ]

    def taking(self, *classes: str) -> list[Medicine]:
        """Current medicines of any of these classes."""
        return [
            medicine
            for medicine in self.request.patient.medicines
            if any(name in classes for name in medicine.classes) and is_current(medicine, self.on)
        ]

    def within_days(self, day: date | None, days: int) -> bool:
        """Was this date D or up to so many days before it? Unknown is not."""
        return day is not None and 0 <= (self.on - day).days <= days

    def day_number(self, day: date) -> int:
        """The place of a date in the episode; its first date is day 1."""
        return (day - self.episode_from).days + 1


def is_current(medicine: Medicine, on: date) -> bool:
    """Started by this date, or at an unknown one, and not stopped before it."""
    return (medicine.started_on is None or medicine.started_on <= on) and (
        medicine.stopped_on is None or medicine.stopped_on >= on
    )


# -- deriving -----------------------------------------------------------------------------


def derive(request: DoseRequest, defined: Definitions) -> Facts:
    """All facts of one request, under the definitions in force on D."""
    order, on, history = request.order, request.on, request.treatment_history
    drug, depot = order.product.drug, order.product.depot
    missed = defined["missed-days"]
    new_episode_from = missed.whole("new_episode_from")

    doses = tuple(d for d in history.doses if _counts(d, history) and d.product.drug == drug)
    steady = tuple(
        s for s in history.steady_doses if _counts(s, history) and s.product.drug == drug
    )
    spans = _spans(doses, steady)
    depots = tuple(sorted((d for d in doses if d.product.depot), key=lambda d: d.consumed_at))
    covered = [(s.first_on, s.last_on) for s in spans]
    covered += [(d.on, d.on + timedelta(days=_covers(d.product, missed))) for d in depots]
    covered.sort()

    episode_from, after_break, covered_to = on, False, None
    for first_on, last_on in covered:
        if covered_to is None:
            episode_from = first_on
        elif (first_on - covered_to).days - 1 >= new_episode_from:
            episode_from, after_break = first_on, True
        covered_to = last_on if covered_to is None else max(covered_to, last_on)
    missed_days = days_missed(covered_to, on)
    lapsed = missed_days >= new_episode_from
    first_dose = covered_to is None or (lapsed and order.phase == "re_induction")
    if first_dose:
        episode_from, after_break = on, lapsed
    earlier_doses = any(first_on < episode_from for first_on, _ in covered)
    spans = [s for s in spans if s.first_on >= episode_from]
    depots = tuple(d for d in depots if d.on >= episode_from)
    doses = tuple(d for d in doses if d.on >= episode_from)
    steady = tuple(s for s in steady if s.from_on >= episode_from)
    day = (on - episode_from).days + 1

    consumed_today = tuple(
        sorted(
            (d for d in doses if d.on == on and not d.product.depot), key=lambda d: d.consumed_at
        )
    )
    dose_mg = UNUSABLE if order.dose_mg is None else order.dose_mg
    total_mg = sum((d.dose_mg for d in consumed_today), dose_mg * order.doses_remaining_today)
    before = [s for s in spans if s.first_on < on]
    previous = before[-1] if before else None
    rises, falls = _last_changes(before)

    free_days = _opioid_free_days(request, first_dose, doses, steady)
    gestation = _gestation(request, defined["pregnancy"])
    methadone_before = _methadone_before(request)
    return Facts(
        request=request,
        on=on,
        drug=drug,
        depot=depot,
        dose_mg=dose_mg,
        total_mg=total_mg,
        consumed_today=consumed_today,
        first_dose=first_dose,
        episode_from=episode_from,
        day=day,
        missed_days=missed_days,
        last_covered_on=covered_to,
        spans=tuple(spans),
        depots=depots,
        earlier_doses=earlier_doses,
        covered=tuple(covered),
        change=_change(day, depot, order.dose_mg is not None, total_mg, previous),
        previous=previous,
        previous_on=previous.last_on if previous else None,
        last_increase_on=rises,
        last_reduction_on=falls,
        # A claim nobody confirmed does not count, so whatever is from elsewhere here is confirmed.
        confirmed=any(d.elsewhere for d in doses) or any(s.elsewhere for s in steady),
        opioid_free_days=free_days,
        tolerance=_tolerance(request, free_days, after_break, defined["tolerance"]),
        risk_modifiers=_factors(request, defined["risk-modifier"], on)
        + request.patient.substance_use,
        qt_risks=_factors(request, defined["qt-risk"], on),
        **_observed(request, defined),
        drug_test=_drug_test(request),
        ecg=max(request.patient.ecgs or (), key=lambda e: (e.recorded_on, e.qtc_ms), default=None),
        age=_age(request.patient.date_of_birth, on),
        gestation_days=gestation,
        trimester=_trimester(gestation, defined["pregnancy"]),
        short_acting_at=_last_use(request, "heroin", "other_short_acting"),
        methadone_before=methadone_before,
        methadone_counts=methadone_before is not None
        and (on - methadone_before.last_on).days - 1
        < defined["methadone-before-buprenorphine"].whole("fewer_than"),
        observed_at=tuple(
            seen.at
            for seen in request.observations
            if seen.sedation is not None or seen.withdrawal_score is not None
        ),
        **_prison(request, drug),
        last_dose_at=max(
            (*(d.consumed_at for d in doses), *(end_of(s.to_on) for s in steady)), default=None
        ),
        missed_dose_order=missed_days >= missed.whole("prescriber_from"),
        depot_week_days=defined["depot-week-1"].whole("days"),
        depot_extra_mg=defined["depot-week-1"].number("extra_mg"),
        sublingual_dates=defined["on-sublingual"].whole("dates_before"),
    )


def days_missed(covered_to: date | None, on: date) -> int:
    """The dates strictly between the last covered one and `on`; none when nothing ever covered."""
    return 0 if covered_to is None else max(0, (on - covered_to).days - 1)


def _counts(dose: Dose | SteadyDose, history: TreatmentHistory) -> bool:
    """A dose from elsewhere is a claim until both the prescriber and the pharmacy confirm."""
    return history.confirmed or not dose.elsewhere


def _covers(product: Product, missed: RuleVersion) -> int:
    form = "monthly" if product.form == MONTHLY_DEPOT else "weekly"
    return missed.whole(f"{form}_depot_covers")


def _spans(doses: Iterable[Dose], steady: Iterable[SteadyDose]) -> list[Span]:
    """Daily doses as spans in date order, the doses of one date added together."""
    by_date: dict[date, list[Dose]] = {}
    for dose in doses:
        if not dose.product.depot:
            by_date.setdefault(dose.on, []).append(dose)
    spans = [
        Span(
            on,
            on,
            sum((d.dose_mg for d in taken), Decimal(0)),
            tuple(d.product for d in sorted(taken, key=lambda d: d.consumed_at)),
        )
        for on, taken in by_date.items()
    ]
    spans += [Span(s.from_on, s.to_on, s.daily_dose_mg, (s.product,)) for s in steady]
    return sorted(spans, key=lambda s: s.first_on)


def _change(
    day: int, depot: bool, usable: bool, total_mg: Decimal, previous: Span | None
) -> str | None:
    """What does the order do to the daily total? None for a later depot, or when unknown."""
    if day == 1:
        return START
    if depot or not usable or previous is None:
        return None
    if total_mg > previous.total_mg:
        return INCREASE
    return REDUCTION if total_mg < previous.total_mg else SAME


def _last_changes(spans: list[Span]) -> tuple[date | None, date | None]:
    """The last dosing dates before D whose total rose, and fell, from the dosing day before."""
    rose = fell = None
    for earlier, now in pairwise(spans):
        if now.total_mg > earlier.total_mg:
            rose = now.first_on
        elif now.total_mg < earlier.total_mg:
            fell = now.first_on
    return rose, fell


def _opioid_free_days(
    request: DoseRequest, first_dose: bool, doses: tuple[Dose, ...], steady: tuple[SteadyDose, ...]
) -> int | None:
    """London days from the last opioid to the episode's first dose; None when none is known.

    Every dose and claim of either drug is an opioid, as is use outside treatment. What was only
    dated is timed at the end of its date, or at the decision when that comes sooner.
    """
    decided_at = request.decided_at
    if first_dose:
        # A moment past the decision, so that use timed at the decision itself still comes before.
        began, began_on = decided_at + timedelta(microseconds=1), request.on
    else:
        began = min((*(d.consumed_at for d in doses), *(end_of(s.from_on) for s in steady)))
        began_on = min((*(d.on for d in doses), *(s.from_on for s in steady)))
    used = [
        on
        for at, on in (
            *(_used_at(u.last_used_at, u.last_used_on, decided_at) for u in request.opioid_use),
            *((dose.consumed_at, dose.on) for dose in request.treatment_history.doses),
        )
        if at < began
    ]
    for range_ in request.treatment_history.steady_doses:
        on = min(range_.to_on, began_on)
        while end_of(on) >= began:
            on -= ONE_DAY
        if on >= range_.from_on:
            used.append(on)
    return (began_on - max(used)).days if used else None


def _used_at(at: datetime | None, on: date | None, decided_at: datetime) -> tuple[datetime, date]:
    """When an opioid was last used, and on which London date."""
    if at is not None:
        return at, london_day(at)
    assert on is not None, "a use carries a moment or a date"
    return min(end_of(on), decided_at), on


def _tolerance(
    request: DoseRequest, free_days: int | None, after_break: bool, defined: RuleVersion
) -> str:
    recorded = request.assessment.tolerance or UNCERTAIN
    if free_days is not None and free_days >= defined.whole("lost_from"):
        return LOST
    if after_break or (free_days is not None and free_days >= defined.whole("low_from")):
        return LOW
    if free_days is None:
        return LOW if recorded == LOW else UNCERTAIN
    return recorded


def _factors(request: DoseRequest, defined: RuleVersion, on: date) -> tuple[str, ...]:
    """The conditions, and the current medicines of the classes, that a definition lists."""
    patient = request.patient
    conditions, classes = defined.words("conditions"), defined.words("classes")
    factors = tuple(c for c in patient.conditions if c in conditions)
    for medicine in patient.medicines:
        if is_current(medicine, on) and any(c in classes for c in medicine.classes):
            factors += (medicine.name,)
    return factors


def _observed(request: DoseRequest, defined: Definitions) -> dict[str, Any]:
    """The last COWS, withdrawal score, sedation and alcohol, each within its hours."""
    decided_at = request.decided_at
    oldest = decided_at - defined["last-reading"].hours("within_hours")
    cows = alcohol = None
    withdrawal_at = sedation_at = None
    sedation = None
    hard_to_rouse = False
    for seen in sorted(request.observations, key=lambda o: o.at):
        if seen.at < oldest:
            continue
        if seen.withdrawal_score is not None:
            withdrawal_at = seen.at
            if seen.withdrawal_scale == "cows":
                cows = Reading(Decimal(seen.withdrawal_score), seen.at)
        if seen.sedation is not None:
            sedation, sedation_at = seen.sedation, seen.at
        if seen.sedation is not None or seen.hard_to_rouse_or_heavy_snoring is not None:
            hard_to_rouse = bool(seen.hard_to_rouse_or_heavy_snoring)
        breath = _breath_alcohol(seen, defined["alcohol-units"])
        if breath is not None:
            alcohol = Reading(breath, seen.at)
    return {
        "cows": cows,
        "withdrawal_at": withdrawal_at,
        "sedation": sedation,
        "sedation_at": sedation_at,
        "hard_to_rouse": hard_to_rouse,
        "alcohol": alcohol,
    }


def _breath_alcohol(seen: Observation, defined: RuleVersion) -> Decimal | None:
    """The alcohol reading in micrograms per 100 ml of breath, exactly."""
    for unit in UNITS:
        reading: Decimal | None = getattr(seen, unit)
        if reading is not None:
            return micrograms(reading, unit, defined)
    return None


def _drug_test(request: DoseRequest) -> DrugTestKnown | None:
    """The latest sample with a result; failing that the latest pending; failing that None."""
    test = max(
        request.drug_tests,
        key=lambda t: (t.result != "pending", t.sample_taken_at),
        default=None,
    )
    if test is None:
        return None
    return DrugTestKnown(
        test.result, test.sample_taken_at, (test.undetectable_opioid or "").strip()
    )


def _age(born: date, on: date) -> int:
    """Whole years. Someone born on 29 February is a year older on 1 March in a common year."""
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))


def _gestation(request: DoseRequest, defined: RuleVersion) -> int | None:
    """Days of gestation on D, from the expected date of delivery; None when that is unknown."""
    pregnancy = request.patient.pregnancy
    if pregnancy is None or pregnancy.expected_delivery_on is None:
        return None
    return defined.whole("term") - (pregnancy.expected_delivery_on - request.on).days


def _trimester(gestation_days: int | None, defined: RuleVersion) -> int | None:
    """1, 2 or 3; None when the date of delivery is unknown."""
    if gestation_days is None:
        return None
    if gestation_days < defined.whole("second_trimester_from"):
        return 1
    return 2 if gestation_days < defined.whole("third_trimester_from") else 3


def _last_use(request: DoseRequest, *opioids: str) -> datetime | None:
    """The moment one of these opioids was last used outside treatment."""
    return max(
        (
            _used_at(use.last_used_at, use.last_used_on, request.decided_at)[0]
            for use in request.opioid_use
            if use.opioid in opioids
        ),
        default=None,
    )


def _methadone_before(request: DoseRequest) -> MethadoneBefore | None:
    """The last methadone of any kind: doses, claims, or use outside treatment.

    The amount is everything taken on its last day; one unknown part leaves the whole unknown.
    """
    taken: list[tuple[datetime, date, Decimal | None]] = []
    for use in request.opioid_use:
        if use.opioid == METHADONE:
            at, on = _used_at(use.last_used_at, use.last_used_on, request.decided_at)
            taken.append((at, on, use.daily_dose_mg))
    for dose in request.treatment_history.doses:
        if dose.product.drug == METHADONE:
            taken.append((dose.consumed_at, dose.on, dose.dose_mg))
    for steady in request.treatment_history.steady_doses:
        if steady.product.drug == METHADONE:
            taken.append((end_of(steady.to_on), steady.to_on, steady.daily_dose_mg))
    if not taken:
        return None
    last_on = max(on for _, on, _ in taken)
    amounts = [mg for _, on, mg in taken if on == last_on]
    known = [mg for mg in amounts if mg is not None]
    return MethadoneBefore(
        max(at for at, _, _ in taken),
        last_on,
        sum(known, Decimal(0)) if len(known) == len(amounts) else None,
    )


def _prison(request: DoseRequest, drug: str) -> dict[str, Any]:
    """The prison day, and what was last taken before reception."""
    if request.prison is None:
        return {"prison_day": None, "first_in_prison": False, "last_outside_supervised": False}
    received_at = request.prison.received_at
    received_on = london_day(received_at)
    history = request.treatment_history
    inside: list[date] = []
    outside: list[tuple[datetime, str | None]] = []
    for dose in history.doses:
        if dose.product.drug == drug and _counts(dose, history):
            if dose.consumed_at >= received_at:
                inside.append(dose.on)
            else:
                outside.append((dose.consumed_at, dose.supervision))
    for steady in history.steady_doses:
        if steady.product.drug == drug and _counts(steady, history):
            # On the day of reception a dose from elsewhere came before it; this service's, timed
            # at the end of its date, after it.
            inside_from = received_on + ONE_DAY if steady.elsewhere else received_on
            if steady.to_on >= inside_from:
                inside.append(max(steady.from_on, inside_from))
            if steady.from_on < inside_from:
                last = min(steady.to_on, inside_from - ONE_DAY)
                outside.append((end_of(last), steady.supervision))
    first = min(inside, default=request.on)
    last_outside = max(outside, key=lambda taken: taken[0], default=None)
    return {
        "prison_day": (request.on - first).days + 1,
        "first_in_prison": not inside,
        "last_outside_supervised": last_outside is not None and last_outside[1] == "supervised",
    }
