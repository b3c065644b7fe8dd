"""What staff type to sign in and to look after accounts."""

from __future__ import annotations

from wtforms import (
    EmailField,
    IntegerField,
    PasswordField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
)
from wtforms.validators import InputRequired, Length, NumberRange, Optional

from clinic.forms import DayField, Form, VersionField, id_or_none
from clinic.roles import ROLES
from clinic.sites.models import KINDS, NATIONS, RULE_SETS
from clinic.staff.commands import LONGEST_TOKEN_DAYS, SHORTEST_PASSWORD
from clinic.staff.models import COMPETENCES, LEVELS

PASSWORD_HINT = f"{SHORTEST_PASSWORD} characters or more; a few words you remember are best"


class SignInForm(Form):
    email = EmailField("E-mail address", [InputRequired()])
    password = PasswordField("Password", [InputRequired()])


class SiteChoiceForm(Form):
    site_id = RadioField("Where are you working?", [InputRequired()], coerce=int)


class SetUpForm(Form):
    code = PasswordField(
        "Set-up code", description="From whoever installed the service, used this once"
    )
    site_name = StringField("Name of the first site", [InputRequired(), Length(max=200)])
    kind = RadioField("Kind of site", [InputRequired()], choices=list(KINDS.items()))
    nation = RadioField("Nation", [InputRequired()], choices=list(NATIONS.items()))
    rule_set = RadioField(
        "Doses are checked against", [InputRequired()], choices=list(RULE_SETS.items())
    )
    name = StringField("Your name", [InputRequired(), Length(max=100)])
    email = EmailField("Your e-mail address", [InputRequired(), Length(max=200)])
    password = PasswordField("Your password", [InputRequired()], description=PASSWORD_HINT)


class StaffForm(Form):
    name = StringField("Name", [InputRequired(), Length(max=100)])
    email = EmailField("E-mail address", [InputRequired(), Length(max=200)])
    registration = StringField(
        "Professional registration", [Length(max=50)], description="Such as GMC 1234567"
    )
    password = PasswordField("First password", [InputRequired()], description=PASSWORD_HINT)


class RegistrationForm(Form):
    registration = StringField(
        "Professional registration", [Length(max=50)],
        description="Such as GMC 1234567. Signatures and prescription forms from now on show it",
    )  # fmt: skip
    reason = StringField("Why?", [InputRequired(), Length(max=200)])
    version = VersionField()


class RoleForm(Form):
    site_id = SelectField("Site", [InputRequired()], coerce=id_or_none)
    role = RadioField(
        "Role", [InputRequired()], choices=[(name, title) for name, (title, _) in ROLES.items()]
    )
    from_on = DayField("First day", [Optional()], description="Leave empty for today")


class LevelForm(Form):
    level = RadioField(
        "Prescriber level", [InputRequired()],
        choices=[*LEVELS.items(), ("none", "Does not prescribe")],
    )  # fmt: skip


class CompetenceForm(Form):
    competence = RadioField("Competence", [InputRequired()], choices=list(COMPETENCES.items()))
    from_on = DayField("Trained on", [Optional()], description="Leave empty for today")


class LeaveForm(Form):
    last_on = DayField("Last day", [InputRequired()])


class PasswordForm(Form):
    password = PasswordField("New password", [InputRequired()], description=PASSWORD_HINT)


class OwnPasswordForm(Form):
    current = PasswordField("Password you have now", [InputRequired()])
    new = PasswordField("New password", [InputRequired()], description=PASSWORD_HINT)


class TokenForm(Form):
    site_id = SelectField("Site", [InputRequired()], coerce=id_or_none)
    label = StringField(
        "What is it for?", [InputRequired(), Length(max=100)], description="Such as Pharmacy till"
    )
    scopes = SelectMultipleField("What may it do?")
    days = IntegerField(
        "Days until it ends", [InputRequired(), NumberRange(1, LONGEST_TOKEN_DAYS)], default=90
    )


class SureForm(Form):
    """Nothing to type: one button."""
