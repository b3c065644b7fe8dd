"""What staff type to sign in and to look after accounts."""

from __future__ import annotations

from wtforms import EmailField, PasswordField, RadioField, StringField
from wtforms.validators import InputRequired

from clinic.forms import Form


class SignInForm(Form):
    email = EmailField("E-mail address", [InputRequired()])
    password = PasswordField("Password", [InputRequired()])


class SiteChoiceForm(Form):
    site_id = RadioField("Where are you working?", [InputRequired()], coerce=int)
