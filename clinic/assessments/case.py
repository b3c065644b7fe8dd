"""Where does a person's assessment stand? The entries of the current case, and what follows.

A case begins with a finding and ends with a closing outcome, or when for long enough there was
neither a finding nor a dose (scheduling/assessment.toml, AS-02). It may run over several days
(RP-28); what an earlier case found stays on the record and does not count for this one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property

from clinic.act import Act
from clinic.assessments import words
from clinic.assessments.arrival import Arrived
from clinic.assessments.claims import Claim, claims_of
from clinic.assessments.entries import Entries
from clinic.assessments.kinds import KINDS, in_micrograms
from clinic.assessments.models import ClinicalEntry
from clinic.consumption.models import SWALLOWED, DoseEvent
from clinic.consumption.supply_models import DispensedDose
from clinic.sites.queries import Here
from dosing import alcohol
from dosing.check import rulebook
from dosing.complexity import Case as CaseFacts
from dosing.complexity import Complexity, complexity
from dosing.days import london_day, start_of
from dosing.request import RULE_SETS
from scheduling import assessment
from scheduling.assessment import actions_missing, begins_anew


@dataclass(frozen=True)
class Place:
    """What this room needs to know of the site an act is done at."""

    id: int | None
    in_prison: bool
    holds: bool
    """Are first doses held until the assessment allows them? In the community, under every model."""
    rule_set: str


def place_of(act: Act, here: Here) -> Place:
    return Place(
        act.site_id,
        here.kind == "prison",
        here.kind == "community",
        here.rule_set_on(act.today) or RULE_SETS[-1],
    )


class Case:
    """One person's current case as it stood at a moment. `of`: all that stands; `own`: this case's.

    `began_on` None: no case is open. `arrived`: from elsewhere, where somebody asks about that.
    """

    def __init__(
        self, rows: list[ClinicalEntry], doses: Iterable[DoseEvent], place: Place, sex: str,
        at: datetime, supplied: Sequence[DispensedDose] = (), arrived: Arrived | None = None,
    ) -> None:  # fmt: skip
        self.arrived = arrived
        self.place, self.sex, self.at, self.today = place, sex, at, london_day(at)
        self.of = Entries(rows)
        self.doses = [row for row in doses if row.struck_at is None]
        self.supplied = list(supplied)  # doses handed over to take home
        since = self._since()
        self.own = Entries([row for row in rows if since is not None and row.happened_at >= since])
        days = [london_day(row.happened_at) for row in self.own.rows if _is_finding(row)]
        self.began_on: date | None = min(days, default=None)

    def _since(self) -> datetime | None:
        """The moment from which entries belong to this case."""
        events: list[tuple[datetime, ClinicalEntry | None]] = [
            (row.happened_at, row) for row in self.of.rows if _is_finding(row) or _closes(row)
        ]
        events += [(row.consumed_at, None) for row in self.doses if row.outcome in SWALLOWED]
        since: datetime | None = None
        closed: datetime | None = None
        last_on: date | None = None
        for at, row in sorted(events, key=lambda event: event[0]):
            on = london_day(at)
            if row is not None and _closes(row):
                closed, since = at, None
                continue
            if last_on is not None and begins_anew(last_on, on):
                since = None
            last_on = on
            if row is not None and since is None:
                since = start_of(on)
                if closed is not None and closed >= since:
                    since = closed + timedelta(microseconds=1)
        if last_on is not None and begins_anew(last_on, self.today):
            return None
        return since

    # -- what was found ------------------------------------------------------------------------

    @cached_property
    def first_visit_on(self) -> date | None:
        """The day of this case's first finding at this site."""
        days = [
            london_day(row.happened_at)
            for row in self.own.rows
            if _is_finding(row) and row.site_id == self.place.id
        ]
        return min(days, default=None)

    def item(self, item: str) -> ClinicalEntry | None:
        """The newest entry of this case for a part of the assessment."""
        return self.own.last("assessment", item=item)

    @cached_property
    def on_site_test(self) -> ClinicalEntry | None:
        return self.own.last("drug_test", method="on_site")

    @property
    def dependence_established(self) -> bool:
        """History, clinical examination and an on-site test result are all recorded (RP-21)."""
        items = ("opioid_use_history", "physical_examination", "dependence_evidence")
        test = self.on_site_test
        return all(self.item(each) for each in items) and (
            test is not None and test.data["result"] != "pending"
        )

    @property
    def outcome(self) -> ClinicalEntry | None:
        """The outcome in force: the newest that stands, of whichever case."""
        return self.of.last("outcome")

    @property
    def own_outcome(self) -> ClinicalEntry | None:
        """The outcome signed in this case; None while it has none."""
        return self.own.last("outcome")

    @property
    def refused_by_outcome(self) -> ClinicalEntry | None:
        """The outcome under which nothing may be prescribed, until another is signed (RP-38)."""
        row = self.outcome
        return row if row and row.data["outcome"] in words.NO_PRESCRIPTION else None

    @property
    def consent_refused(self) -> ClinicalEntry | None:
        row = self.of.last("consent")
        return row if row and row.data["decision"] != "given" else None

    @property
    def crack_only(self) -> bool:
        row = self.outcome
        return row is not None and row.data["outcome"] == words.CRACK_ONLY

    # -- claims, risks, help -------------------------------------------------------------------

    @cached_property
    def claims(self) -> list[Claim]:
        """Treatment elsewhere, as claimed."""
        elsewhere = [r for r in self.doses if r.elsewhere and r.outcome in SWALLOWED]
        return claims_of(self.of, elsewhere)

    @cached_property
    def current_claims(self) -> list[Claim]:
        """Claims not broken by so many days that a new episode would begin anyway."""
        missed = rulebook().defined(self.place.rule_set, self.today)["missed-days"]
        most = missed.whole("new_episode_from")
        return [each for each in self.claims if (self.today - each.last_on).days - 1 < most]

    @cached_property
    def risks(self) -> list[tuple[ClinicalEntry, list[ClinicalEntry], list[tuple[str, ...]]]]:
        """Each risk found, its actions, and what it still needs (DR-07)."""
        actions: dict[int, list[ClinicalEntry]] = {}
        for row in self.of.all("risk_action"):
            actions.setdefault(row.data["risk_id"], []).append(row)
        return [
            (
                row,
                actions.get(row.id, []),
                actions_missing(
                    row.data["risk"], {each.data["action"] for each in actions.get(row.id, [])}
                ),
            )
            for row in self.of.all("risk")
        ]

    @cached_property
    def ended_actions(self) -> set[int]:
        return {row.data["action_id"] for row in self.of.all("action_done")}

    def help(self, item: str) -> ClinicalEntry | None:
        """What happened last about a help or plan item."""
        return self.of.last("help", item=item)

    @cached_property
    def reminded_on(self) -> date | None:
        """The day the overdose reminder was last complete, with what was checked (DR-05)."""
        row = self.of.last("help", item=assessment.REMINDER, response=words.GIVEN)
        return None if row is None else london_day(row.happened_at)

    @cached_property
    def drugs_used(self) -> set[str]:
        """Every drug beside opioids that is on record, whoever said it."""
        history = self.own.newest("medical_history")
        used = {*history.get("substance_use", ()), *history.get("stimulants", ())}
        for row in self.own.all("main_drugs"):
            used |= {row.data["primary_drug"], row.data.get("secondary_drug") or "none"}
        return used - OPIOID_DRUGS - {"none"}

    @cached_property
    def uses_opioids(self) -> bool:
        main = {row.data["primary_drug"] for row in self.own.all("main_drugs")}
        return bool(self.own.all("opioid_use") or main & OPIOID_DRUGS)

    @cached_property
    def plan_gaps(self) -> list[tuple[str, str]]:
        """(rule, item) pairs the plan lacks. Declined is an answer; unasked is not."""
        if self.began_on is None:
            return []
        held = {each for each in assessment.HELP if self.help(each) is not None}
        return assessment.plan_missing(self.drugs_used, held, opioids=self.uses_opioids)

    # -- complexity ----------------------------------------------------------------------------

    def complexity(self, medicine: str | None = None) -> Complexity:
        """Why this case is complex, and what nobody knows yet (A21). `medicine`: that planned."""
        history = self.own.last("medical_history")
        told = history.data if history else {}
        seen = self._seen_lately()
        problems = self.own.last("mental_health")
        outcome = self.own_outcome
        planned = medicine or (outcome.data.get("medicine") if outcome else None)
        limit = rulebook().in_force(self.place.rule_set, self.today)["G-AL-01"]
        return complexity(
            CaseFacts(
                substances=tuple(told["substance_use"]) if history else None,
                serious_poly_substance=told.get("serious_poly_substance"),
                conditions=tuple(told["conditions"]) if history else None,
                sedation=seen.get("sedation"),
                hard_to_rouse=bool(seen.get("hard_to_rouse_or_heavy_snoring")),
                breath_alcohol=seen.get("alcohol"),
                clinical_view=seen.get("clinical_view"),
                mental_health=tuple(problems.data["problems"]) if problems else None,
                pregnancy=self.pregnancy,
                treatment=self._treatment(),
                medicine=planned,
            ),
            limit.number("from_micrograms"),
        )

    @property
    def pregnancy(self) -> str | None:
        if self.sex == "male":
            return "not_possible"
        return self.own.pregnancy().get("status")

    def _treatment(self) -> str | None:
        if any(not each.verified for each in self.current_claims):
            return "unverified"
        if self.current_claims:
            return "verified"
        return "none" if self.own.asked("treatment_elsewhere") else None

    def _seen_lately(self) -> dict[str, object]:
        """Sedation, intoxication and alcohol, each as last seen within its hours."""
        within = rulebook().defined(self.place.rule_set, self.today)["last-reading"]
        seen: dict[str, object] = {}
        for row in self.own.all("observation"):
            if row.happened_at < self.at - within.hours("within_hours"):
                continue
            for name in ("sedation", "hard_to_rouse_or_heavy_snoring", "clinical_view"):
                if row.data.get(name) is not None:
                    seen[name] = row.data[name]
            for unit in alcohol.UNITS:
                if row.data.get(unit) is not None:
                    seen["alcohol"] = in_micrograms(row.data, unit)
        return seen

    @property
    def seriously_intoxicated(self) -> bool:
        return self._seen_lately().get("clinical_view") == "serious"


OPIOID_DRUGS = {"heroin", "methadone", "buprenorphine", "other_opioid"}


def _is_finding(row: ClinicalEntry) -> bool:
    """Does this entry begin a case or go on with it? A laboratory's answer arrives by itself."""
    return KINDS[row.kind].finding and row.data.get("confirms_id") is None


def _closes(row: ClinicalEntry) -> bool:
    return row.kind == "outcome" and row.data["outcome"] in words.NO_PRESCRIPTION
