"""The forms of reviews and contact. No decision and no outcome is preset."""

from __future__ import annotations

from typing import Any

from wtforms import HiddenField, SelectMultipleField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, Optional

from clinic.answers import radio
from clinic.forms import DayField, Form, MomentField
from clinic.titration.models import DECISIONS, HOW, REASONS, SEEN

REACHED = {"yes": "Yes", "no": "No: tried, or a message left"}


class ReviewForm(Form):
    """What was decided on seeing somebody, and why. It asks for no amount."""

    decision = radio("Decision", DECISIONS)
    reason_code = radio("Main reason", REASONS)
    reason = TextAreaField(
        "What was found, and why this decision", [InputRequired(), Length(max=2000)]
    )
    seen = radio("How were they seen?", SEEN)
    rests_on = SelectMultipleField(
        "Which observations does it rest on?", [Optional()], coerce=int,
        description="Those of the last two days",
    )  # fmt: skip
    reviewed_at = MomentField("When", [InputRequired()])
    next_review_on = DayField(
        "Next review or contact", [Optional()], description="Needed unless the treatment stops"
    )
    once = HiddenField()

    def given(self) -> dict[str, Any]:
        """What the command takes."""
        return {name: value or None for name, value in self.answers().items()}


class ContactForm(Form):
    """Contact made, or tried."""

    how = radio("How?", HOW)
    reached = radio("Did it come about?", REACHED)
    happened_at = MomentField("When", [InputRequired()])
    note = TextAreaField("Notes", [Optional(), Length(max=2000)])
    once = HiddenField()

    def given(self) -> dict[str, Any]:
        return {
            **self.answers(),
            "reached": self.reached.data == "yes",
            "once": self.once.data or None,
        }


class PlanForm(Form):
    """Contact planned for a day."""

    how = radio("How?", HOW)
    planned_on = DayField("Which day?", [InputRequired()])
    note = StringField("Notes, such as who rings", [Optional(), Length(max=300)])
    once = HiddenField()

    def given(self) -> dict[str, Any]:
        return {**self.answers(), "once": self.once.data or None}
