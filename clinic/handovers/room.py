"""The doors of this room."""

from clinic.handovers.api import handovers_api
from clinic.handovers.pages import handovers_pages

api_blueprints = (handovers_api,)
page_blueprints = (handovers_pages,)
