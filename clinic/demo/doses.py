"""Assessments, doses saved and doses waiting, in the demonstration."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from clinic.demo.load import Story


def tell(story: Story) -> None:
    story.say("assessments and doses")
