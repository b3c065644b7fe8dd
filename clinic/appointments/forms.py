"""The forms of appointments, in the words of a clinic's front desk."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time
from typing import Any, ClassVar

from flask import request
from wtforms import (
    BooleanField,
    HiddenField,
    IntegerField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length, Optional, StopValidation

from clinic.appointments.chain import CHANGED, Arranged
from clinic.appointments.chain_models import ARRANGED
from clinic.appointments.missed_models import HOW, OUTCOMES
from clinic.appointments.missed_models import REASONS as MISSED_REASONS
from clinic.appointments.models import (
    AWAY_BECAUSE,
    CANCELLED_BECAUSE,
    CANCELLED_BY,
    CLOSED_BECAUSE,
    DRUGS,
    ITEMS,
    KEPT_FOR,
    RESOURCE_KINDS,
    RISKS,
    SENT_TO,
    SOURCES,
)
from clinic.appointments.overrides import Override
from clinic.errors import Invalid
from clinic.forms import CHOOSE, STEP, DayField, Form, MomentField, VersionField, id_or_none
from clinic.patients.access import REASONS
from clinic.patients.models import SEXES
from scheduling.booking import REASONS as OVERRIDE_REASONS
from scheduling.booking import ROUTINE

WEEKDAYS = {
    1: "Monday", 2: "Tuesday", 3: "Wednesday", 4: "Thursday", 5: "Friday", 6: "Saturday",
    7: "Sunday",
}  # fmt: skip
_NOT_KNOWN = SelectChoice("", "Not known")
_note = (Optional(), Length(max=2000))


def _choices(codes: Mapping[Any, str]) -> list[SelectChoice]:
    return [SelectChoice(code, words) for code, words in codes.items()]


class ClockField(StringField):
    """A London time of day on the 24-hour clock. `data` is a time, or None."""

    data: Any

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        return f"{self.data:%H:%M}" if self.data else ""

    def process_formdata(self, valuelist: list[str]) -> None:
        self.data = None
        typed = valuelist[0].strip() if valuelist else ""
        self.raw_data = [typed] if typed else []
        if not typed:
            return
        found = re.fullmatch(r"([01]?[0-9]|2[0-3]):([0-5][0-9])", typed)
        if found is None:
            raise ValueError(f"{self.label.text} must be a time such as 09:30")
        self.data = time(int(found[1]), int(found[2]))

    def pre_validate(self, form: Any) -> None:
        if self.process_errors:
            raise StopValidation


class _PersonFields:
    """Written before the referral's fields, because errors come in the order of the fields."""

    family_name = StringField("Family name", [InputRequired(), Length(max=100)])
    given_name = StringField("Given name", [InputRequired(), Length(max=100)])
    born_on = DayField("Date of birth", [InputRequired()])
    sex = RadioField("Sex", [InputRequired()], choices=_choices(SEXES))
    nhs_number = StringField("NHS number (if known)", [Optional(), Length(max=20)])


class _ReferralFields:
    referred_at = MomentField(
        "Time of the referral",
        [InputRequired()],
        description="The wait is counted from this moment, not from when it is entered",
    )
    source = SelectField("Referred by", [InputRequired()], choices=[CHOOSE, *_choices(SOURCES)])
    drugs = SelectMultipleField(
        "Drugs named in the referral",
        [InputRequired()],
        choices=_choices(DRUGS),
        description="Choose all that are named",
    )
    risk = RadioField(
        "Clinical risk",
        choices=[*_choices(RISKS), _NOT_KNOWN],
        default="",
        description="Decides who comes first among people with the same time left",
    )
    note = TextAreaField("Note (if needed)", _note)


class ReferralForm(_ReferralFields, Form):
    """A referral of somebody on the caseload."""

    def referral(self) -> dict[str, Any]:
        """What `register_referral` takes, the patient aside."""
        return {
            "referred_at": self.referred_at.data,
            "source": self.source.data,
            "drugs": self.drugs.data,
            "risk": self.risk.data or None,
            "note": self.note.data,
        }


class OutsideReferralForm(ReferralForm):
    """A referral of somebody another site looks after: opening the record needs a reason."""

    reason_code = RadioField(
        "Why do you open this record?", [InputRequired()], choices=_choices(REASONS)
    )
    reason = TextAreaField(
        "Say why, in your own words",
        [InputRequired(), Length(min=10, max=500)],
        description="A manager will see it",
    )


class NewPersonForm(_PersonFields, ReferralForm):
    """A referral of somebody nobody has a record of."""

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


class CorrectForm(_ReferralFields, Form):
    """What a referral should have said."""

    note = None
    reason = StringField("What was wrong?", [InputRequired(), Length(max=500)])
    version = VersionField()


class SupportForm(Form):
    """Psychosocial support given during the wait."""

    at = MomentField("When was it given?", [InputRequired()])
    note = TextAreaField("What was done (if needed)", _note)
    version = VersionField()


class SendOnForm(Form):
    """Where a model 1 referral goes."""

    sent_to = RadioField("Sent to", [InputRequired()], choices=_choices(SENT_TO))
    sent_to_name = StringField("Name of the prescriber or practice", [InputRequired()])
    outside_at = MomentField("Appointment there (if known)", [Optional()])
    version = VersionField()


class SeenForm(Form):
    """Seen by a clinician elsewhere."""

    seen_at = MomentField("When were they seen?", [InputRequired()])
    version = VersionField()


class CloseForm(Form):
    """Why somebody no longer waits."""

    reason = RadioField("Why?", [InputRequired()], choices=_choices(CLOSED_BECAUSE))
    note = TextAreaField("Note (if needed)", _note)
    version = VersionField()


class UndoForm(Form):
    """Taking the last step back."""

    reason = StringField("What was wrong?", [InputRequired(), Length(max=500)])
    version = VersionField()


def days_asked(days: Iterable[date]) -> str:
    """For which shut days something was asked, in a field of the form."""
    return " ".join(day.isoformat() for day in days)


class ArrangeFields:
    """Who sees the person while the service is shut. Asked only where a day needs it."""

    arranged_kind = RadioField(
        "Who sees the person while the service is shut?", [Optional()], choices=_choices(ARRANGED)
    )
    arranged_who = StringField("Name, and where", [Optional(), Length(max=200)])
    arranged_contact = StringField(
        "Telephone, or how else to reach them", [Optional(), Length(max=200)]
    )
    arranged_by = ClockField("By when on each day", [Optional()], description="Such as 12:00")
    arranged_note = TextAreaField("What was agreed (if more is to be said)", _note)
    arranged_for = HiddenField()
    preview = HiddenField()

    ARRANGED: ClassVar[tuple[str, ...]] = (
        "arranged_kind", "arranged_who", "arranged_contact", "arranged_by",
    )  # fmt: skip

    def validate_on_submit(self) -> bool:
        """Sent, and sound but for the answers about shut days: the page that asks them says more."""
        sound = super().validate_on_submit()  # type: ignore[misc]
        wrong = [name for name, told in self.errors.items() if told]  # type: ignore[attr-defined]
        return bool(sound or (wrong and all(name in self.apart() for name in wrong)))

    @classmethod
    def apart(cls) -> tuple[str, ...]:
        """The fields of the page that asks about shut days."""
        return (*cls.ARRANGED, "arranged_note")

    def arranged(self, days: Iterable[date]) -> list[Arranged]:
        """What was answered for just these days; nothing until every question is."""
        days = list(days)
        given = {name: self[name].data for name in self.ARRANGED}  # type: ignore[index]
        asked = self["arranged_for"].data or days_asked(days)  # type: ignore[index]
        wrong = any(self[name].errors for name in self.apart())  # type: ignore[index]
        if wrong or asked != days_asked(days) or not all(given.values()):
            return []
        kind, who, contact, by_time = given.values()
        note = self["arranged_note"].data  # type: ignore[index]
        return [Arranged(day, kind, who, contact, by_time, note) for day in days]

    def ask_arranged(self, days: Iterable[date]) -> None:
        """Every question that was left out is said to be needed, and that the days are others now."""
        asked = self["arranged_for"].data  # type: ignore[index]
        if asked and asked != days_asked(days):
            self.form_errors.append(CHANGED)  # type: ignore[attr-defined]
        for name in self.ARRANGED:
            field = self[name]  # type: ignore[index]
            if not field.data and not field.errors:
                field.errors = [f"{field.label.text}: enter an answer"]


class PlaceForm(ArrangeFields, Form):
    """Which place?"""

    place = RadioField("Choose a place", [InputRequired()], choices=[], validate_choice=False)

    @property
    def holding(self) -> bool:
        """Is the place only to be held?"""
        return bool(request.form.get(STEP) == "hold")

    def wanted(self) -> dict[str, Any] | None:
        """The place chosen, as the commands take it; None when it cannot be read."""
        found = re.fullmatch(
            r"([0-9]{8}T[0-9]{4}Z)-([0-9]{1,9})-([0-9]{1,9})", self.place.data or ""
        )
        if found is None:
            return None
        starts_at = _instant(found[1])
        if starts_at is None:
            return None
        return {
            "starts_at": starts_at,
            "doctor_id": int(found[2]),
            "worker_id": int(found[3]),
        }


def _instant(text: str) -> datetime | None:
    try:
        return datetime.strptime(text, "%Y%m%dT%H%MZ").replace(tzinfo=UTC)
    except ValueError:
        return None


class RoutineForm(PlaceForm):
    """Which place, for what."""

    kind = RadioField("What for?", [InputRequired()], choices=_choices(ROUTINE))

    def chosen(self) -> dict[str, Any]:
        """The place chosen. Invalid when it cannot be read."""
        wanted = self.wanted()
        if wanted is None:
            raise Invalid.field("place", "must be one of the places listed")
        return wanted


class _WhyFields:
    reason = RadioField("Why is it given?", [InputRequired()], choices=_choices(OVERRIDE_REASONS))
    note = TextAreaField(
        "Say why this person, and why now", [InputRequired(), Length(min=10, max=500)],
        description="The manager reads this",
    )  # fmt: skip

    def override(self) -> Override:
        """Why a block is passed, as the commands take it."""
        return Override(self.reason.data, self.note.data or "")


class RoutineKeptBackForm(_WhyFields, RoutineForm):
    """A place that is kept back, for routine work."""


class KeptBackForm(_WhyFields, RoutineForm):
    """A place that is kept back, for an induction."""

    kind = None


class RoutineMoveForm(RoutineForm):
    """Which place instead, for routine work."""

    kind = None
    version = VersionField()


class KeptBackMoveForm(_WhyFields, RoutineMoveForm):
    """A place that is kept back, instead of the one the visit has."""

    kind = None


class MoveForm(PlaceForm):
    """Which place instead?"""

    version = VersionField()


class HoldForm(Form):
    """What becomes of a place that is held."""

    version = VersionField()


class ConfirmForm(ArrangeFields, HoldForm):
    """Yes to a place that is held, and what is arranged for shut days."""


class CancelForm(Form):
    """Why a visit is cancelled, and by whom."""

    reason = RadioField("Why?", [InputRequired()], choices=_choices(CANCELLED_BECAUSE))
    by_whom = RadioField("Who cancelled?", [InputRequired()], choices=_choices(CANCELLED_BY))
    note = TextAreaField("Note", _note, description="Needed when the reason is another one")
    keep_rest = BooleanField("Keep the days of this induction after this one")
    preview = HiddenField()
    version = VersionField()


class ReplanForm(ArrangeFields, Form):
    """Yes to what becomes of the days."""


class MoveDayForm(ArrangeFields, Form):
    """Which review instead?"""

    review = RadioField("Choose a time", [InputRequired()], choices=[], validate_choice=False)
    version = VersionField()

    def wanted(self) -> dict[str, Any] | None:
        """The review chosen, as the commands take it; None when it cannot be read."""
        found = re.fullmatch(
            r"([0-9]{8}T[0-9]{4}Z)-([0-9]{1,9})-([0-9]{1,9})", self.review.data or ""
        )
        if found is None:
            return None
        starts_at = _instant(found[1])
        if starts_at is None:
            return None
        return {
            "starts_at": starts_at, "nurse_id": int(found[2]), "doctor_id": int(found[3]) or None
        }  # fmt: skip


class ArrivedForm(Form):
    """When the patient came."""

    arrived_at = MomentField("When did they arrive?", [InputRequired()])
    version = VersionField()


class MissedForm(ArrangeFields, Form):
    """The patient did not come."""

    note = TextAreaField("What is known of the reason (if anything)", _note)
    version = VersionField()

    @property
    def leaving(self) -> bool:
        """Are the other days of the induction left as they are, on purpose?"""
        return bool(request.form.get(STEP) == "leave")


class OfferForm(Form):
    """A freed place offered to the first in order: nothing to answer."""


class OfferLaterForm(OfferForm):
    """A freed place offered to somebody who is not the first in order."""

    reason = TextAreaField(
        "Why not the first in order?", [InputRequired(), Length(min=10, max=500)],
        description="Such as: could not be reached today",
    )  # fmt: skip


class AnswerForm(ArrangeFields, Form):
    """What the person said to an offer."""

    answer = RadioField(
        "What did they say?", [InputRequired()],
        choices=_choices({"accepted": "Yes: book the place", "declined": "No: offer it to the next"}),
    )  # fmt: skip
    note = TextAreaField("Note (if needed)", _note)


class TakeBackForm(Form):
    """Why an entry was wrong."""

    reason = TextAreaField("What was wrong?", [InputRequired(), Length(min=10, max=500)])


class TryForm(Form):
    """What was tried to reach somebody."""

    how = RadioField("What was tried?", [InputRequired()], choices=_choices(HOW))
    outcome = RadioField("What came of it?", [InputRequired()], choices=_choices(OUTCOMES))
    reason = RadioField(
        "Why did they stay away?", [Optional()], choices=_choices(MISSED_REASONS),
        description="Ask whoever you reach. Leave it when nobody was reached",
    )  # fmt: skip
    at = MomentField("When", [InputRequired()])
    note = TextAreaField("Note (if needed)", _note)


class LostContactForm(Form):
    """Since when somebody is lost sight of."""

    missed_at = MomentField(
        "Since when?", [InputRequired()], description="The steps count from this moment"
    )
    note = TextAreaField("What is known", [InputRequired(), Length(min=10, max=2000)])


class SessionForm(Form):
    """A session of the rota."""

    weekday = SelectField(
        "Weekday", [InputRequired()], coerce=id_or_none, choices=[CHOOSE, *_choices(WEEKDAYS)]
    )
    starts = ClockField("Starts", [InputRequired()], description="Such as 09:30")
    ends = ClockField("Ends", [InputRequired()], description="Such as 12:30")
    slot_minutes = IntegerField("Minutes for each person", [InputRequired()])
    doctor_id = SelectField("Doctor", [InputRequired()], coerce=id_or_none)
    worker_id = SelectField("Drugs worker or nurse", [InputRequired()], coerce=id_or_none)
    nurse_id = SelectField(
        "Nurse who follows the people seen",
        coerce=id_or_none,
        description="Needed under model 3, where an induction ends under observation",
    )
    room_id = SelectField("Room", coerce=id_or_none)
    kept_for = RadioField(
        "What are its places for?", choices=_choices(KEPT_FOR), default="rapid",
        description="Inductions may use either",
    )  # fmt: skip
    routine_from_hours = IntegerField(
        "Hours before a rapid place begins from which it may be used for routine visits",
        [Optional()], description="Such as 24. Leave empty for never",
    )  # fmt: skip
    from_on = DayField("First day", [InputRequired()])
    to_on = DayField("Last day (if there is one)", [Optional()])
    despite_holiday = BooleanField("Held although the day is a bank holiday (a single day only)")


class ChangeSessionForm(Form):
    """What is other about a session from a day on."""

    from_on = DayField("From which day?", [InputRequired()])
    nurse_id = SessionForm.nurse_id
    room_id = SessionForm.room_id
    kept_for = SessionForm.kept_for
    routine_from_hours = SessionForm.routine_from_hours
    version = VersionField()


class EndForm(Form):
    """The session's last day."""

    to_on = DayField(
        "Last day", [Optional()], description="Leave empty if the session goes on after all"
    )
    version = VersionField()


class DayOffForm(Form):
    """A day on which the session is not held."""

    on = DayField("Day", [InputRequired()])
    reason = StringField("Reason", [InputRequired(), Length(max=200)])


class ThingForm(Form):
    """A room, an observation place or a piece of kit."""

    kind = RadioField("What is it?", [InputRequired()], choices=_choices(RESOURCE_KINDS))
    name = StringField("Name", [InputRequired(), Length(max=100)])
    item = SelectField(
        "Which kit",
        choices=[SelectChoice("", "Not kit"), *_choices(ITEMS)],
        description="Needed for kit only",
    )

    def thing(self) -> dict[str, Any]:
        """What `add_thing` takes."""
        return {"kind": self.kind.data, "name": self.name.data, "item": self.item.data or None}


class ThingNameForm(Form):
    """What it is called."""

    name = StringField("Name", [InputRequired(), Length(max=100)])
    version = VersionField()


class ThingGoneForm(Form):
    """From when it is no longer there."""

    gone_on = DayField(
        "First day it is no longer there", [Optional()], description="Leave empty if it stays"
    )
    version = VersionField()


class LeaveForm(Form):
    """Somebody is away."""

    staff_id = SelectField("Who is away?", [InputRequired()], coerce=id_or_none)
    starts_at = MomentField("Away from", [InputRequired()])
    ends_at = MomentField(
        "Back again", [InputRequired()], description="The first moment they can be booked again"
    )
    reason = RadioField("Why?", [InputRequired()], choices=_choices(AWAY_BECAUSE))


class OpeningForm(Form):
    """A site's hours on a weekday."""

    weekday = SelectField(
        "Weekday", [InputRequired()], coerce=id_or_none, choices=[CHOOSE, *_choices(WEEKDAYS)]
    )
    opens = ClockField("Opens", [Optional()], description="Such as 09:00")
    closes = ClockField("Closes", [Optional()], description="Such as 17:30")
    from_on = DayField("From", [InputRequired()])


class SureForm(Form):
    """A button that needs no answers."""
