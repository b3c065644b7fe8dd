"""People whose dose is being built up: on site on day 1, in their second week, and lost to contact."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from clinic.assessments.commands import record_entry
from clinic.consumption.commands import record_dose
from clinic.consumption.supply_commands import set_place
from clinic.demo.assessments import COWS, assess, sign
from clinic.demo.doses import REASON
from clinic.demo.story import Story
from clinic.errors import Trouble
from clinic.patients.queries import same_person
from clinic.prescriptions.commands import save_dose_decision
from clinic.titration import commands
from clinic.titration.queries import review_counting
from dosing.days import london_day, start_of
from dosing.units import as_text

CALM = {**dict.fromkeys(COWS, 0), "pulse": 1, "anxiety": 2}
DAY = timedelta(days=1)


class Team:
    """Prescriber and nurse of a site; each step is theirs, at its moment."""

    def __init__(self, story: Story, prescriber: str, nurse: str, patient: int) -> None:
        self.story, self.prescriber, self.nurse, self.patient = story, prescriber, nurse, patient

    def _by(self, key: str, at: datetime, work: Callable[[Any], Any]) -> Any:
        act = self.story.by(key, at)
        try:
            return work(act)
        except Trouble as trouble:
            self.story.say(f"  titration: {trouble.detail}")
            return None
        finally:
            act.session.close()

    def look(self, at: datetime, scores: dict[str, int], sedation: str = "1") -> None:
        """Withdrawal, sedation and alcohol, seen by the nurse."""
        data = {
            "withdrawal_scale": "cows", "withdrawal_score": sum(scores.values()),
            "cows_items": scores, "sedation": sedation, "clinical_view": "none",
            "breath_alcohol_micrograms_per_100ml": "0",
        }  # fmt: skip
        self._by(
            self.nurse, at,
            lambda act: record_entry(act, self.patient, "observation", data, happened_at=act.at),
        )  # fmt: skip

    def review(self, at: datetime, decision: str, code: str, reason: str, days: int = 1) -> None:
        self._by(
            self.prescriber, at,
            lambda act: commands.record_review(
                act, self.patient, decision=decision, reason_code=code, reason=reason,
                seen="in_person", reviewed_at=act.at, next_review_on=london_day(act.at) + days * DAY,
            ),
        )  # fmt: skip

    def dose(self, at: datetime, mg: int, taken: bool = True) -> int | None:
        """A dose decided on and, unless it still waits, seen to be swallowed. The decision's id."""
        text = as_text(Decimal(mg))
        order = {
            "product": "methadone_oral_solution", "phase": "induction", "dose_mg": text,
            "volume_ml": text, "strength_mg_per_ml": "1",
        }  # fmt: skip
        decision = self._by(
            self.prescriber, at,
            lambda act: save_dose_decision(
                act, self.patient, order=order, decided_at=act.at, **REASON,
                supply={
                    "collections": [
                        {"collect_on": london_day(act.at).isoformat(), "supervised": True}
                    ]
                },
            ),
        )  # fmt: skip
        if decision is not None and taken:
            self._by(
                self.nurse, at + timedelta(minutes=2),
                lambda act: self._give(act, decision),
            )  # fmt: skip
        return decision  # type: ignore[no-any-return]

    def missed(self, at: datetime, decision: int | None) -> None:
        """The person did not come for it, written down at the end of the day."""
        if decision is not None:
            self._by(
                self.nurse, at,
                lambda act: record_dose(
                    act, self.patient, decision, outcome="missed", consumed_at=act.at
                ),
            )  # fmt: skip

    def _give(self, act: Any, decision: int) -> None:
        """Seen, looked at and given, as the hatch asks for it."""
        if review_counting(act, same_person(act, self.patient), act.at) is None:
            commands.record_review(
                act, self.patient, decision="hold", reason_code="settled", seen="in_person",
                reason="Awake and settled; nothing speaks against the dose", reviewed_at=act.at,
                next_review_on=london_day(act.at) + DAY,
            )  # fmt: skip
        record_dose(
            act, self.patient, decision, outcome="taken", consumed_at=act.at,
            supervision="supervised", observer="Duty pharmacist",
            identity={"how": "name_and_birth"}, intoxication={"result": "clear"},
        )  # fmt: skip

    def contact(self, at: datetime, how: str, reached: bool, note: str) -> None:
        self._by(
            self.nurse, at,
            lambda act: commands.record_contact(
                act, self.patient, how=how, happened_at=act.at, reached=reached, note=note
            ),
        )  # fmt: skip


def tell(story: Story) -> None:
    """Four people in telling states, by the commands their own staff would use."""
    story.say("doses being built up")
    _on_site(story)
    _second_week(story)
    _lost(story)
    _missed_yesterday(story)


def _person(story: Story, prescriber: str, nurse: str, at: datetime) -> Team:
    patient = story.patient(nurse, at - timedelta(minutes=30))
    assess(story, nurse, patient, at)
    sign(story, prescriber, patient, at + timedelta(minutes=4))
    nurses = story.by(nurse, at)
    set_place(nurses, patient, kind="on_site", from_on=nurses.today)
    nurses.session.close()
    return Team(story, prescriber, nurse, patient)


def _on_site(story: Story) -> None:
    """Day 1 on site: a dose five hours ago, looked at since, the second an hour and a half ago."""
    began = max(story.now - timedelta(hours=5, minutes=10), start_of(story.today))
    team = _person(story, "okafor", "lund", began)
    first = began + timedelta(minutes=10)
    team.review(first, "start", "withdrawal", "Marked withdrawal, no sedation, breath clear")
    team.dose(first, 20)
    team.look(first + timedelta(minutes=60), COWS)
    second = first + timedelta(hours=3, minutes=30)
    team.look(second - timedelta(minutes=5), COWS)
    team.dose(second, 10)


def _second_week(story: Story) -> None:
    """Day 9 of a community start: raised twice, one day missed, calmer since."""
    began = story.at(-8, "10:00")
    team = _person(story, "nair", "price", began)
    amounts = (20, 20, 25, 25, None, 25, 30, 30)
    for number, mg in enumerate(amounts):
        at = began + number * DAY + timedelta(minutes=20)
        if mg is None:
            continue
        if number:
            team.look(at, COWS if number < 3 else CALM)
        raised = number > 0 and amounts[number - 1] is not None and mg > (amounts[number - 1] or mg)
        raised = raised or number == 6
        decision = "start" if number == 0 else ("raise" if raised else "hold")
        code = {"start": "withdrawal", "raise": "using", "hold": "still_building"}[decision]
        team.review(at, decision, code, "Seen before the dose; sleep and use talked over")
        team.dose(at, mg)
    team.look(story.now, CALM)
    team.review(story.now, "hold", "settled", "Seen before today's dose; comfortable")
    team.dose(story.now, 30, taken=False)  # still to come today, with a review that counts


def _lost(story: Story) -> None:
    """Three doses, then nothing since the day before the weekend but a message left."""
    began = story.at(-6, "11:00")
    team = _person(story, "nair", "price", began)
    for number in range(3):
        at = began + number * DAY + timedelta(minutes=20)
        if number:
            team.look(at, CALM)
        team.review(
            at, "start" if number == 0 else "hold", "withdrawal" if number == 0 else "settled",
            "Comfortable at night, sweats in the morning",
        )  # fmt: skip
        team.dose(at, 20)
    team.contact(story.at(-2, "15:00"), "phone", False, "Voicemail, asked to ring back")


def _missed_yesterday(story: Story) -> None:
    """Two doses, none yesterday, and today's still to be reviewed and given."""
    began = story.at(-3, "10:00")
    team = _person(story, "ellery", "price", began)
    for number in range(2):
        at = began + number * DAY + timedelta(minutes=20)
        if number:
            team.look(at, CALM)
        team.review(
            at, "start" if number == 0 else "hold", "withdrawal" if number == 0 else "settled",
            "Sleeps a little better; no sedation",
        )  # fmt: skip
        team.dose(at, 20)
    yesterday = story.at(-1, "09:00")
    team.missed(story.at(-1, "17:00"), team.dose(yesterday, 20, taken=False))
    team.look(story.now, COWS)
    team.dose(story.now, 20, taken=False)
