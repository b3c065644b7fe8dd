"""The forms of the first days on the wing."""

from __future__ import annotations

from wtforms import RadioField, SelectField, StringField
from wtforms.validators import InputRequired, Length, Optional

from clinic.custody.forms import YES_NO_UNKNOWN, yes_no
from clinic.forms import DayField, Form, MomentField
from clinic.observations.models import HELD_KINDS, MOODS, SEEN_WORDS


class ObservationForm(Form):
    """What was seen."""

    at = MomentField("When were they seen?", [InputRequired()], called="The time")
    seen = RadioField("How were they?", [InputRequired()], choices=list(SEEN_WORDS.items()))
    mood = SelectField(
        "Mood and behaviour (for stimulant users)",
        choices=[("", "Not looked at"), *MOODS.items()],
        coerce=lambda text: text or None,
    )
    says = StringField("More about it (if needed)", [Optional(), Length(max=2000)])


class StimulantForm(Form):
    """Do they use stimulants?"""

    uses = RadioField(
        "Do they use stimulants, such as crack or amphetamine?", [InputRequired()],
        choices=[("yes", "Yes"), ("no", "No")],
    )  # fmt: skip


class EndForm(Form):
    """The last day with rounds of observations."""

    last_on = DayField("Until which day, that day included?", [InputRequired()])
    reason = StringField("Why?", [InputRequired(), Length(max=2000)])


class HeldForm(Form):
    """An assessment that is here already."""

    kind = RadioField("What is it?", [InputRequired()], choices=list(HELD_KINDS.items()))
    done_on = DayField("When was it made?", [InputRequired()])
    held_from = StringField("From whom does it come?", [InputRequired(), Length(max=200)])
    covers = StringField(
        "How far does it go? (if known)", [Optional(), Length(max=200)],
        description="Such as: DIR to item 6.2",
    )  # fmt: skip
    consent = RadioField(
        "Does the patient consent to it being shared?", choices=YES_NO_UNKNOWN, default=""
    )

    def given(self) -> dict[str, object]:
        """What `hold_assessment` takes."""
        return self.answers() | {"consent": yes_no(self.consent.data)}


class TaskForm(Form):
    """A task was done."""

    done_at = MomentField("When was it done?", [InputRequired()], called="The time")
    says = StringField("More about it (if needed)", [Optional(), Length(max=2000)])


class StrikeForm(Form):
    """Why an entry no longer counts."""

    reason = StringField("What was wrong?", [InputRequired(), Length(max=500)])
