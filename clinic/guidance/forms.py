"""What a clinical lead types about a rule, and what anybody tries on one."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from wtforms import HiddenField, StringField, TextAreaField, ValidationError
from wtforms.validators import InputRequired, Length, Optional

from clinic.forms import DayField, Form
from dosing.shape import DecimalText, Refused

FROM_ON = "Leave empty for today. The day a dose is taken counts"
LONGEST_REQUEST = 60_000


class TightenForm(Form):
    value = StringField(
        "The limit here from then on", [InputRequired(), Length(max=12)],
        description="A number alone, such as 15 or 2.5. It can only be stricter than as shipped",
    )  # fmt: skip
    from_on = DayField("First day", [Optional()], description=FROM_ON)
    reason = TextAreaField("Why?", [InputRequired(), Length(max=500)])

    def validate_value(self, field: StringField) -> None:
        try:
            self.amount()
        except Refused:
            raise ValidationError(
                "The limit must be a number such as 15 or 2.5, more than 0, with up to 3 decimal places"
            ) from None

    def amount(self) -> Decimal:
        """The value as typed, exact. Refused when it is no number."""
        read: Decimal = DecimalText(zero_allowed=False).read(
            (self.value.data or "").strip(), "value"
        )
        return read


class EndTighteningForm(Form):
    """Back to the shipped limit."""

    from_on = DayField("First day", [Optional()], description=FROM_ON)
    reason = TextAreaField("Why?", [InputRequired(), Length(max=500)])


class SignForm(Form):
    fingerprint = HiddenField()
    registration = StringField(
        "Your professional registration number", [InputRequired(), Length(max=50)],
        description="With its register, such as GMC 1234567. It is shown beside your name",
    )  # fmt: skip
    note = TextAreaField(
        "What you compared it with (if you wish)", [Length(max=500)],
        description="Such as the edition and page of the original",
    )  # fmt: skip


class ReviewForm(Form):
    comment = TextAreaField("What do you make of it?", [InputRequired(), Length(max=500)])


class RunForm(Form):
    """One button: try the worked examples now."""


class TryForm(Form):
    request = TextAreaField(
        "Request", [InputRequired(), Length(max=LONGEST_REQUEST)],
        description="One order as JSON, in the words of the dose-check contract. Only made-up people: "
        "nothing is stored",
    )  # fmt: skip

    def validate_request(self, field: TextAreaField) -> None:
        try:
            self.parsed()
        except ValueError as wrong:
            raise ValidationError(f"Request must be JSON: {wrong}") from None

    def parsed(self) -> Any:
        return json.loads(self.request.data or "")
