"""The doors of this room, and its sweep."""

from clinic.release import fact_pages, premises_pages, sweeps  # noqa: F401 - each adds its own
from clinic.release.api import release_api
from clinic.release.care_api import release_care_api
from clinic.release.care_pages import release_care_pages
from clinic.release.pages import release_pages

api_blueprints = (release_api, release_care_api)
page_blueprints = (release_pages, release_care_pages)
