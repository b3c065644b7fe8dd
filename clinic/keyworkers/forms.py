"""The forms of keyworkers."""

from __future__ import annotations

from wtforms import IntegerField, RadioField, SelectField, StringField
from wtforms.validators import InputRequired, Length, Optional

from clinic.forms import DayField, Form, MomentField
from clinic.keyworkers.models import CHANGE_WORDS


class KeyworkerForm(Form):
    """Who is the keyworker?"""

    staff_id = RadioField("Keyworker", [InputRequired()], coerce=int)
    named_at = MomentField(
        "When was it settled? (now, if left empty)", [Optional()], called="The naming"
    )


class ChangeKeyworkerForm(KeyworkerForm):
    """Who is the keyworker instead, and why?"""

    reason_code = RadioField(
        "Why does the keyworker change?",
        [InputRequired()],
        choices=list(CHANGE_WORDS.items()),
        description="The first keyworker stays for the whole time at this prison unless there is a reason",
    )
    reason = StringField("More about it (needed for another reason)", [Optional(), Length(max=500)])


class CoverForm(Form):
    """Who looks after whose people, and when?"""

    staff_id = SelectField("Who is away?", [InputRequired()], coerce=int)
    cover_id = RadioField("Who looks after their people?", [InputRequired()], coerce=int)
    from_on = DayField("First day", [InputRequired()])
    to_on = DayField("Last day", [InputRequired()])


class CeilingForm(Form):
    """How many people a keyworker carries at the most."""

    most = IntegerField(
        "People to one keyworker at the most (nothing for the default)", [Optional()]
    )
    from_on = DayField("From which day?", [InputRequired()])
    reason = StringField("Why?", [InputRequired(), Length(max=500)])


class WithdrawForm(Form):
    """Why cover ends."""

    reason = StringField("Why does it end?", [InputRequired(), Length(max=500)])
