"""What staff type to hand somebody over. Nothing is preset."""

from __future__ import annotations

from wtforms import IntegerField, RadioField, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, NumberRange, Optional

from clinic.forms import DayField, Form, MomentField, VersionField
from clinic.handovers.commands import LONGEST
from clinic.handovers.models import WHY_NOTHING
from clinic.release.sections import HOW
from scheduling.handover import BASES

_SAFETY = "For a safety decision: who decided, and what was feared. For consent: when and how they were asked"


class PrepareForm(Form):
    to_site_id = SelectField(
        "Service that uses this system", [Optional()], coerce=int, validate_choice=False
    )
    recipient = StringField(
        "Or another service", [Length(max=200)], description="Its name, team and town"
    )
    basis = RadioField(
        "What lets it leave?", [Optional()], choices=list(BASES.items()), validate_choice=False
    )
    because = TextAreaField("What it rests on", [Length(max=LONGEST)], description=_SAFETY)


class VersionedForm(Form):
    version = VersionField()


class BasisForm(VersionedForm):
    basis = RadioField("What lets it leave?", [InputRequired()], choices=list(BASES.items()))
    because = TextAreaField(
        "What it rests on", [InputRequired(), Length(max=LONGEST)], description=_SAFETY
    )


class SendForm(VersionedForm):
    how = RadioField("How did it go?", [InputRequired()], choices=list(HOW.items()))
    who = StringField(
        "To whom", [InputRequired(), Length(max=200)], description="A named person or mailbox"
    )
    at = MomentField("When", [InputRequired()])
    proof = StringField(
        "What proves it", [InputRequired(), Length(max=LONGEST)],
        description="Such as a delivery receipt, a reference, or who confirmed it on the telephone",
    )  # fmt: skip


class AnswerForm(VersionedForm):
    answer = RadioField(
        "What is the answer?", [InputRequired()],
        choices=[
            ("accept", "Accepted: the person is the receiving service's from now on"),
            ("refuse", "Refused"),
        ],
    )  # fmt: skip
    who = StringField("Who gave the answer", [Length(max=200)])
    reason = TextAreaField("If refused, why", [Length(max=LONGEST)])


class ReasonForm(VersionedForm):
    reason = TextAreaField("Why", [InputRequired(), Length(max=LONGEST)])


class SentenceForm(Form):
    sentenced_on = DayField("Day of the sentence", [InputRequired()])
    prison_site_id = SelectField(
        "Prison that uses this system", [Optional()], coerce=int, validate_choice=False
    )
    prison = StringField(
        "Or another prison", [Length(max=200)], description="Leave both empty while it is not known"
    )
    days = IntegerField(
        "Length of the sentence in days", [Optional(), NumberRange(min=1, max=99999)],
        description="Leave it empty where it is not known",
    )  # fmt: skip
    says = TextAreaField(
        "Who said so, and how", [InputRequired(), Length(max=LONGEST)],
        description="Such as the court worker on the telephone",
    )  # fmt: skip


class NothingForm(Form):
    because = RadioField(
        "Why is nothing sent?", [InputRequired()], choices=list(WHY_NOTHING.items())
    )
    says = TextAreaField(
        "What was said, and who decided", [InputRequired(), Length(max=LONGEST)],
    )  # fmt: skip


class WhyForm(Form):
    reason = TextAreaField("Why", [InputRequired(), Length(max=LONGEST)])
