"""The doors of this room. Apart from the package itself, whose tables every room imports."""

from clinic.assessments.api import assessments_api
from clinic.assessments.pages import assessments_pages

api_blueprints = (assessments_api,)
page_blueprints = (assessments_pages,)
