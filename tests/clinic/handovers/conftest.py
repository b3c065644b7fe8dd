"""The same prison and its healthcare as a release plan's."""

from tests.clinic.release.conftest import story

__all__ = ["story"]
