"""The forms of custody, in the words of reception and the wing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wtforms import (
    IntegerField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.validators import InputRequired, Length, Optional

from clinic.custody.elsewhere_forms import CameFields
from clinic.custody.models import (
    DAY_COUNTS,
    DELIVERY_OUTCOMES,
    HEARING_OUTCOMES,
    MODES,
    PARTIES,
    PLACES_APART,
    SCREENINGS,
    SUITABILITIES,
    TOPIC_NAMES,
    WAYS_OUT,
)
from clinic.custody.words import DUTIES, JOINT_TOPICS
from clinic.errors import Invalid
from clinic.forms import DayField, Form, MomentField, VersionField
from clinic.patients.identifiers import prison_number
from clinic.patients.models import SEXES
from clinic.sites.models import NATIONS

YES_NO_UNKNOWN = [("yes", "Yes"), ("no", "No"), ("", "Not asked or not known")]
AGREEING = ("patient", "carat", "healthcare")


def _choices(codes: Mapping[str, str]) -> list[tuple[str, str]]:
    return list(codes.items())


def yes_no(text: str | None) -> bool | None:
    """A yes, a no, or None for what was not asked."""
    return {"yes": True, "no": False}.get(text or "")


def as_text(answer: bool | None) -> str:
    """The choice that stands for a yes, a no or an unknown."""
    return "" if answer is None else ("yes" if answer else "no")


def _risk_question() -> RadioField:
    return RadioField(
        "At heightened risk, such as of self-harm?", choices=YES_NO_UNKNOWN, default=""
    )


def _ppo_question() -> RadioField:
    return RadioField(
        "Prolific and other priority offender (PPO)?",
        choices=YES_NO_UNKNOWN,
        default="",
        description="Ask: it is never assumed",
    )


def _wing_question(label: str, validators: list[Any]) -> SelectField:
    """The choices are the prison's own, so the page fills them in."""
    return SelectField(label, validators, coerce=lambda chosen: int(chosen) if chosen else None)


def _cell_question() -> StringField:
    return StringField("Cell (if known)", [Optional(), Length(max=20)], description="Such as 2-14")


class ReasonForm(Form):
    """Why something is struck out or undone."""

    reason = StringField("What was wrong?", [InputRequired(), Length(max=500)])
    version = VersionField()


class ArrivalForm(CameFields, Form):
    """A reception of somebody with a record."""

    received_at = MomentField(
        "When did they arrive?",
        [InputRequired()],
        called="The arrival",
        description="When they came through reception, not when this is entered",
    )
    prison_number = StringField(
        "Prison number (if known)", [Optional(), Length(max=20)], description="Such as A1234BC"
    )
    screening = RadioField("Reception screening", [InputRequired()], choices=_choices(SCREENINGS))
    screened_at = MomentField(
        "When was the screening done? (if it was)", [Optional()], called="The screening"
    )
    heightened_risk = _risk_question()
    ppo = _ppo_question()
    wing_id = _wing_question("Wing (if settled)", [Optional()])
    cell = _cell_question()

    def reception(self, *, demo: bool) -> dict[str, Any]:
        """What `receive_prisoner` takes, the patient aside."""
        return {
            "received_at": self.received_at.data,
            "prison_number": self.prison_number.data or None,
            "screening": self.screening.data,
            "screened_at": self.screened_at.data,
            "heightened_risk": yes_no(self.heightened_risk.data),
            "ppo": yes_no(self.ppo.data),
            **self.place(),
            **self.came_values(),
            "demo": demo,
        }

    def validate(self, extra_validators: Any = None) -> bool:
        sound = super().validate(extra_validators)
        sound = not self.came_faults() and sound
        return not self._refused_later() and sound

    def _refused_later(self) -> bool:
        """Would the command refuse it? Said here, so that nobody checks what cannot be saved."""
        late = [self.prison_number, self.screened_at]
        if any(each.errors for each in late):
            return True
        if self.prison_number.data:
            try:
                prison_number(self.prison_number.data)
            except Invalid as refusal:
                self.refuse(refusal.detail, refusal.faults)
        done, at = self.screening.data, self.screened_at.data
        if done == "not_done" and at is not None:
            says = "must be left empty until the screening is done"
            self.refuse(says, [("screened_at", says)])
        elif done in SCREENINGS and done != "not_done" and at is None:
            says = "When was the screening done? Enter a day and a time, as it has a result"
            self.screened_at.errors = [says]
        return any(each.errors for each in late)

    def place(self) -> dict[str, Any]:
        """Where they were put."""
        return {"wing_id": self.wing_id.data, "cell": self.cell.data or None}


class MovedArrivalForm(ArrivalForm):
    """A reception of somebody who is in custody elsewhere, as far as is known."""

    asked_first = ("moved", "received_at", "came", "prison_number", "screening")
    moved = RadioField(
        "Is this a move within the same time in custody?",
        [InputRequired()],
        choices=[
            ("yes", "Yes: their 28 days go on", {"hint": "Only the time, wing and cell are taken"}),
            ("no", "No: they were out, and this is a new stay with a new day 1"),
        ],
    )
    came = RadioField(
        CameFields.came.args[0], [Optional()], choices=CameFields.came.kwargs["choices"],
        validate_choice=False,
    )  # fmt: skip
    screening = RadioField(
        "Reception screening", [Optional()], choices=_choices(SCREENINGS), validate_choice=False,
        description="For a new stay: a move takes the screening along",
    )  # fmt: skip

    def _refused_later(self) -> bool:
        return not self.goes_on and super()._refused_later()

    @property
    def goes_on(self) -> bool:
        """Is it a move, so that the days and what was found at reception go on?"""
        return bool(self.moved.data == "yes")

    def validate(self, extra_validators: Any = None) -> bool:
        sound = super().validate(extra_validators)
        if self.moved.data != "no":
            return sound
        if self.came.data is None:
            self.came.errors = [*self.came.errors, f"{self.came.label.text} Choose an answer"]
        if self.screening.data not in SCREENINGS:
            self.screening.errors = ["Reception screening: choose an answer"]
        return sound and not (self.came.errors or self.screening.errors)


class PersonFields:
    """Who it is, of somebody nobody has a record of."""

    asked_first = (
        "family_name", "given_name", "born_on", "sex", "nhs_number", "received_at", "came",
    )  # fmt: skip

    family_name = StringField("Family name", [InputRequired(), Length(max=100)])
    given_name = StringField("Given name", [InputRequired(), Length(max=100)])
    born_on = DayField("Date of birth", [InputRequired()])
    sex = RadioField("Sex", [InputRequired()], choices=_choices(SEXES))
    nhs_number = StringField("NHS number (if known)", [Optional(), Length(max=20)])

    def person(self, *, demo: bool) -> dict[str, Any]:
        """What `register_patient` takes."""
        return {
            "family_name": self.family_name.data or "",
            "given_name": self.given_name.data or "",
            "born_on": self.born_on.data,
            "sex": self.sex.data,
            "numbers": {"nhs": self.nhs_number.data or ""},
            "demo": demo,
        }


class NewArrivalForm(PersonFields, ArrivalForm):
    """A reception of somebody nobody has a record of."""


class ScreeningForm(Form):
    """The result of a screening that was not done at reception."""

    screening = RadioField(
        "Result",
        [InputRequired()],
        choices=[each for each in _choices(SCREENINGS) if each[0] != "not_done"],
    )
    screened_at = MomentField("When was it done?", [InputRequired()], called="The screening")


class _SessionFields:
    topic = SelectField(
        "Topic", [InputRequired()], choices=[("", "Choose"), *_choices(TOPIC_NAMES)]
    )
    mode = RadioField("How?", [InputRequired()], choices=_choices(MODES))


class DeliveryForm(Form):
    """What was done, or offered and declined."""

    done_at = MomentField("When?", [InputRequired()], called="The time")
    outcome = RadioField("What happened?", [InputRequired()], choices=_choices(DELIVERY_OUTCOMES))
    by = SelectMultipleField("Who took part?", [InputRequired()], choices=_choices(PARTIES))
    done_by = SelectField("Who did it?", [InputRequired()], coerce=int)
    note = TextAreaField("Note for the casework file (if needed)", [Optional(), Length(max=4000)])


class DutyForm(DeliveryForm):
    """A duty of the staff, which nobody can decline."""

    outcome = None


class FirstKeyworkForm(DeliveryForm):
    """The first keywork session, in which IDTS and the treatment there is are explained (PS-14)."""

    explained = RadioField(
        "Were IDTS and the treatment there is in custody explained?",
        choices=[*YES_NO_UNKNOWN[:2], ("", "Not said, or the session was declined")],
        default="",
    )

    def answers(self) -> dict[str, Any]:
        return super().answers() | {"explained": yes_no(self.explained.data)}


class GroupForm(_SessionFields, DeliveryForm):
    """A session that counts towards the week's groups, in a group or one to one."""


class JointSessionForm(DeliveryForm):
    """Harm minimisation and overdose: one session may cover both, each ticked for itself (A8)."""

    topics = SelectMultipleField(
        "What was it about?", [InputRequired()],
        choices=[(item, DUTIES[item]) for item in JOINT_TOPICS],
        description="Tick both where one session, together with healthcare, covered both",
    )  # fmt: skip


class CarePlanForm(DeliveryForm):
    """Who agreed the joint care plan."""

    by = SelectMultipleField(
        "Who agreed?",
        [InputRequired()],
        choices=[(party, PARTIES[party]) for party in AGREEING],
        description="All three must agree. Agreements given at different times are entered one by one",
    )
    outcome = RadioField(
        "What happened?", [InputRequired()], choices=[("delivered", "Agreed"),
        ("declined", "Offered and declined")],
    )  # fmt: skip


class _HearingFields:
    starts_at = MomentField("When is the hearing?", [InputRequired()], called="The hearing")
    court = StringField("Court (if known)", [Optional(), Length(max=100)])
    known_at = MomentField(
        "When did the prison learn of this day? (now, if left empty)",
        [Optional()],
        called="Learning of it",
    )
    outcome = RadioField(
        "How did it end?",
        choices=[*_choices(HEARING_OUTCOMES), ("", "Not yet held, or not known")],
        default="",
    )


class HearingForm(_HearingFields, Form):
    """A court hearing."""


class _ReleaseFields:
    on = DayField(
        "Day of release",
        [InputRequired()],
        description="The day they will walk out, after any weekend or Friday rule",
    )
    known_at = MomentField(
        "When did the prison learn of this day? (now, if left empty)",
        [Optional()],
        called="Learning of it",
    )


class ReleaseForm(_ReleaseFields, Form):
    """A known day of release."""


class _TransferFields:
    on = DayField("Day of the move", [InputRequired()])
    booked_on = DayField("When was it booked? (today, if left empty)", [Optional()])
    receiving_site_id = SelectField(
        "Receiving prison", [InputRequired()],
        coerce=lambda chosen: None if chosen in ("", None) else int(chosen),  # 0: not in the list
    )  # fmt: skip
    receiving_prison = StringField(
        "Name of the prison, if it is not in the list", [Optional(), Length(max=100)]
    )
    nation = SelectField(
        "Where is that prison?", choices=[("", "Choose"), *_choices(NATIONS)], default=""
    )
    prescriber_cover = RadioField(
        "Will a prescriber be there on arrival?", choices=YES_NO_UNKNOWN, default=""
    )


class TransferForm(_TransferFields, Form):
    """A booked move to another prison."""


class _AwayFields:
    from_on = DayField("First day", [InputRequired()])
    to_on = DayField("Last day (leave empty if not known)", [Optional()])
    place = RadioField("Where are they?", [InputRequired()], choices=_choices(PLACES_APART))


class AwayForm(_AwayFields, Form):
    """Days away from groups."""


class _LocationFields:
    wing_id = _wing_question("Wing", [InputRequired()])
    cell = _cell_question()
    from_at = MomentField(
        "Since when? (now, if left empty)", [Optional()], called="The move to the wing"
    )


class LocationForm(_LocationFields, Form):
    """On which wing they live."""


class WingForm(Form):
    """A wing of this prison."""

    name = StringField(
        "Name of the wing",
        [InputRequired(), Length(max=30)],
        description="As staff call it, such as B or First night centre",
    )


class _ExitFields:
    at = MomentField("When did they leave?", [InputRequired()], called="The exit")
    how = RadioField("How?", [InputRequired()], choices=_choices(WAYS_OUT))


class ExitForm(_ExitFields, Form):
    """They left."""


class DayCountForm(Form):
    """How this prison numbers the days."""

    day_count = RadioField("Which day is day 1?", [InputRequired()], choices=_choices(DAY_COUNTS))
    from_on = DayField("For receptions from", [InputRequired()])
    reason = StringField("Why?", [InputRequired(), Length(max=500)])


class CompletionForm(Form):
    """On which day completion begins."""

    begins = IntegerField(
        "On which day of custody does completion begin?",
        [InputRequired()],
        description="The guidance says from day 8 onwards in one place and after day 28 in another",
    )
    from_on = DayField("For receptions from", [InputRequired()])
    reason = StringField("Why?", [InputRequired(), Length(max=500)])


class _ReceptionFields:
    received_at = MomentField("When did they arrive?", [InputRequired()], called="The arrival")
    screening = RadioField("Reception screening", [InputRequired()], choices=_choices(SCREENINGS))
    heightened_risk = _risk_question()
    ppo = _ppo_question()
    group_suitability = RadioField(
        "Group work", choices=[*_choices(SUITABILITIES), ("", "Not decided")], default=""
    )
    needs_post_28_programme = RadioField(
        "Do they need a programme after day 28?", choices=YES_NO_UNKNOWN, default=""
    )


class _Correction:
    """What every correction carries: why, and the version it was made from."""

    reason = StringField(
        "Why is it changed?",
        [InputRequired(), Length(max=500)],
        description="The first wording is kept, with this reason",
    )
    version = VersionField()


class ReceptionCorrectionForm(_ReceptionFields, _Correction, Form):
    """What a reception should have said."""

    def details(self) -> dict[str, Any]:
        """What `correct_reception` takes."""
        return {
            "received_at": self.received_at.data,
            "screening": self.screening.data,
            "heightened_risk": yes_no(self.heightened_risk.data),
            "ppo": yes_no(self.ppo.data),
            "group_suitability": self.group_suitability.data or None,
            "needs_post_28_programme": yes_no(self.needs_post_28_programme.data),
        }


class HearingCorrectionForm(_HearingFields, _Correction, Form):
    """What was recorded of a hearing, put right."""


class ReleaseCorrectionForm(_ReleaseFields, _Correction, Form):
    """A day of release that moved or was wrong."""


class TransferCorrectionForm(_TransferFields, _Correction, Form):
    """A move that changed or was wrong."""


class AwayCorrectionForm(_AwayFields, _Correction, Form):
    """Days away from groups, put right."""


class LocationCorrectionForm(_LocationFields, _Correction, Form):
    """The wing, cell or time that was wrong."""


class ExitCorrectionForm(_ExitFields, _Correction, Form):
    """An exit that was recorded wrongly."""


class DeliveryCorrectionForm(DeliveryForm, _Correction):
    """What was recorded as done, put right."""


class FirstKeyworkCorrectionForm(FirstKeyworkForm, _Correction):
    """The first keywork session, put right."""


class DutyCorrectionForm(DutyForm, _Correction):
    """A duty of the staff, put right."""


class GroupCorrectionForm(GroupForm, _Correction):
    """A session that counts towards the week's groups, put right."""


class CarePlanCorrectionForm(CarePlanForm, _Correction):
    """An agreement to the joint care plan, put right."""
