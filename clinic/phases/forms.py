"""The forms of the phases."""

from __future__ import annotations

from wtforms import RadioField, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length

from clinic.custody.forms import YES_NO_UNKNOWN, yes_no
from clinic.forms import DayField, Form, MomentField
from clinic.phases.models import PARTY_WORDS

_YES_NO = [("yes", "Yes"), ("no", "No")]


class MoveForm(Form):
    """A phase begins on another day."""

    from_on = DayField("On which day does it begin?", [InputRequired()])
    reason = StringField("Why?", [InputRequired(), Length(max=500)])


class ConsentForm(Form):
    """May the triage assessment be shared?"""

    consents = RadioField(
        "Does the patient consent to the triage assessment (SMTA) being shared with others?",
        [InputRequired()],
        choices=_YES_NO,
        description="Healthcare and CARATs of the prisons need no consent between them",
    )


class TellForm(Form):
    """Who was told?"""

    party = SelectField(
        "Who was told, or talked with?",
        [InputRequired()],
        choices=[("", "Choose"), *PARTY_WORDS.items()],
    )
    at = MomentField("When?", [InputRequired()], called="The time")
    says = TextAreaField("What about?", [InputRequired(), Length(max=2000)])
    with_triage = RadioField(
        "Did the triage assessment (SMTA) go along?", [InputRequired()], choices=_YES_NO
    )

    def given(self) -> dict[str, object]:
        """What `tell` takes."""
        return self.answers() | {"with_triage": self.with_triage.data == "yes"}


class PeerForm(Form):
    """A peer supporter."""

    name = StringField("Name of the peer supporter", [InputRequired(), Length(max=200)])
    from_on = DayField("From which day?", [InputRequired()])
    past_participant = RadioField(
        "Were they in the programme themselves?", choices=YES_NO_UNKNOWN, default=""
    )

    def given(self) -> dict[str, object]:
        """What `attach_peer` takes."""
        return self.answers() | {"past_participant": yes_no(self.past_participant.data)}


class EndForm(Form):
    """Peer support ends."""

    to_on = DayField("Which was the last day?", [InputRequired()])


class StrikeForm(Form):
    """Why an entry no longer counts."""

    reason = StringField("What was wrong?", [InputRequired(), Length(max=500)])
