"""What the clinical lead of Riverside did with the rules: a signature, a tighter limit, a review."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from clinic.demo.story import Story
from clinic.guidance import commands, overrides
from clinic.periods import Quarter
from dosing.check import rulebook


def tell(story: Story) -> None:
    """One of each, so that the pages show what they are for."""
    story.say("the rule book")
    lead = story.by("nair", story.now - timedelta(days=30))
    rule = rulebook().rules["M-FD-01"]
    version = next(each for each in rule.versions if each.set == "uk-2017")
    commands.sign(
        lead, rule=rule.id, fingerprint=version.fingerprint(rule.asks),
        registration="GMC 9990001", note="Compared with the warning in the monograph",
    )  # fmt: skip
    commands.tighten(
        lead, rule="M-TI-08", limit="within_days", value=Decimal(5),
        reason="Two near misses after missed weekends, reviewed in our October meeting",
    )  # fmt: skip
    lead.session.close()
    work = story.by("nair")
    quarters = (Quarter.of(story.today), Quarter.of(story.today).before())
    found = [each for quarter in quarters for each in overrides.register(work, quarter).overrides]
    work.session.rollback()
    theirs = [each for each in found if each.finding.recorded_by != work.staff_id]
    if theirs:
        commands.review_override(
            work, theirs[-1].id, "Discussed with Dr Ellery; the plan was sound"
        )
    work.session.close()
