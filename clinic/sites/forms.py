"""What managers type to set up a site."""

from __future__ import annotations

from wtforms import RadioField, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, Optional

from clinic.forms import DayField, Form, VersionField, id_or_none
from clinic.sites.commands import MODELS
from clinic.sites.models import CALENDAR_CHANGES, FEATURES, KINDS, NATIONS, RULE_SETS
from clinic.staff.models import POSTS

FROM_ON = "Leave empty for today"


class _Details(Form):
    name = StringField("Name", [InputRequired(), Length(max=200)])
    ods_code = StringField("ODS code (if known)", [Length(max=20)])
    area = StringField("Area served", [Length(max=200)])
    address = TextAreaField("Address", [Length(max=200)])
    telephone = StringField("Telephone", [Length(max=50)])
    out_of_hours_line = StringField(
        "Line open day and night",
        [Length(max=50)],
        description="Given to patients at assessment and before release",
    )


class SiteForm(_Details):
    kind = RadioField("Kind of site", [InputRequired()], choices=list(KINDS.items()))
    nation = RadioField(
        "Nation", [InputRequired()], choices=list(NATIONS.items()),
        description="Decides which bank holidays count",
    )  # fmt: skip
    rule_set = RadioField(
        "Doses are checked against", [InputRequired()], choices=list(RULE_SETS.items())
    )


class SiteEditForm(_Details):
    version = VersionField()


class ModelForm(Form):
    model = RadioField(
        "Rapid prescribing model", [InputRequired()], coerce=int, choices=list(MODELS.items())
    )
    from_on = DayField("First day", [Optional()], description=FROM_ON)
    reason = TextAreaField(
        "Reason", [Length(max=500)], description="Needed when another model held before"
    )


class RuleSetForm(Form):
    rule_set = RadioField(
        "Doses are checked against", [InputRequired()], choices=list(RULE_SETS.items())
    )
    from_on = DayField("First day", [Optional()], description=FROM_ON)


class FeatureForm(Form):
    feature = RadioField(
        "What does the site have?", [InputRequired()], choices=list(FEATURES.items())
    )
    from_on = DayField("First day", [Optional()], description=FROM_ON)


class ClosureForm(Form):
    on = DayField("Day the site is shut", [InputRequired()])
    reason = StringField("Reason", [InputRequired(), Length(max=200)])


class PostForm(Form):
    post = RadioField("Post", [InputRequired()], choices=list(POSTS.items()))
    staff_id = SelectField("Who holds it from today", [InputRequired()], coerce=id_or_none)


class CalendarForm(Form):
    nation = RadioField("Nation", [InputRequired()], choices=list(NATIONS.items()))
    on = DayField("Day", [InputRequired()])
    change = RadioField("Change", [InputRequired()], choices=list(CALENDAR_CHANGES.items()))
    name = StringField("Name of the holiday", [Length(max=100)])
    announced_on = DayField(
        "Announced on", [Optional()], description="Before this day nobody could plan for it"
    )


class SureForm(Form):
    """Nothing to type: one button."""
