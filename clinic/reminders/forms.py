"""The forms of reminders. Nothing about consent is preset."""

from __future__ import annotations

from wtforms import BooleanField, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import Length, Optional

from clinic.answers import radio
from clinic.forms import Form
from clinic.reminders.models import CHANNELS
from scheduling.reminders import LANGUAGES


class ChoiceForm(Form):
    """May we remind you, how, and in which words?"""

    channel = radio(
        "Ask: may we remind you of appointments?", CHANNELS,
        description="Say that whoever else reads their phone or e-mail may see it",
    )  # fmt: skip
    address = StringField(
        "E-mail address or mobile number", [Optional(), Length(max=254)],
        description="Not needed when they said no",
    )  # fmt: skip
    language = SelectField(
        "Words they read best", choices=[SelectChoice(*each) for each in LANGUAGES.items()]
    )
    large_print = BooleanField("Large print (e-mail only)")
    needs = TextAreaField(
        "What else helps them to understand (if anything)", [Optional(), Length(max=500)],
        description="Such as an interpreter, or to be rung rather than written to",
    )  # fmt: skip


class WithdrawForm(Form):
    """They no longer want to be reminded: a button that needs no answers."""


class RetryForm(Form):
    """Send a reminder again."""


class SureForm(RetryForm):
    """Send a reminder again that may have gone already."""

    sure = radio(
        "It may have gone already, and may arrive twice. Send it all the same?",
        {"yes": "Yes, send it again", "no": "No, leave it"},
    )  # fmt: skip
