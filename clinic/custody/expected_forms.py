"""The forms about somebody who is to come from a prison outside this system."""

from __future__ import annotations

from typing import Any

from wtforms import RadioField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, Optional

from clinic.custody.elsewhere import LONGEST_NAME, LONGEST_NOTE
from clinic.custody.elsewhere_forms import OUTSIDE, CameFields
from clinic.custody.forms import PersonFields
from clinic.forms import DayField, Form


class ExpectedForm(CameFields, Form):
    """What the prison said of somebody who is to come."""

    asked_first = ("on", "told_by", "told_on")
    came = None
    on = DayField("Day of the move", [InputRequired()])
    told_by = StringField(
        "Who told this prison?", [InputRequired(), Length(max=LONGEST_NAME)],
        description="Name, and by telephone or letter",
    )  # fmt: skip
    told_on = DayField("On which day? (today, if left empty)", [Optional()])
    note = TextAreaField(
        "What else they said (if anything)", [Optional(), Length(max=LONGEST_NOTE)],
        description="Medicine and dose, prescriber, risks, court, as they said it",
    )  # fmt: skip

    @property
    def from_outside(self) -> bool:
        return True

    def validate(self, extra_validators: Any = None) -> bool:
        sound = super().validate(extra_validators)
        return not self.came_faults() and sound

    def expected(self) -> dict[str, Any]:
        """What the commands take."""
        return {
            **self.came_values(), "on": self.on.data, "told_by": self.told_by.data,
            "told_on": self.told_on.data, "note": self.note.data or None,
        }  # fmt: skip

    @classmethod
    def filled(cls, row: Any) -> Any:
        """The form as an entry has it."""
        typed = cls.came_as_typed(row)
        assert typed.pop("came") == OUTSIDE
        return cls(on=row.on, told_by=row.told_by, told_on=row.told_on, note=row.note, **typed)


class ExpectedNewForm(PersonFields, ExpectedForm):
    """The same of somebody nobody has a record of."""

    asked_first = (
        "family_name", "given_name", "born_on", "sex", "nhs_number", *ExpectedForm.asked_first,
    )  # fmt: skip


class ExpectedCorrectionForm(ExpectedForm):
    """What was said, put right."""

    reason = StringField(
        "Why is it changed?",
        [InputRequired(), Length(max=500)],
        description="The first wording is kept, with this reason",
    )


class WhyForm(Form):
    """Why somebody will not come, or will after all."""

    reason = StringField("Why?", [InputRequired(), Length(max=500)])


class ExpectedKeyworkerForm(Form):
    """Who will be their keyworker?"""

    staff_id = RadioField("Keyworker", [InputRequired()], coerce=int)
