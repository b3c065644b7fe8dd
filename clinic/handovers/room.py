"""The doors of this room."""

from clinic.handovers.api import handovers_api
from clinic.handovers.custody_api import custody_handovers_api
from clinic.handovers.custody_pages import custody_handovers_pages
from clinic.handovers.pages import handovers_pages

api_blueprints = (handovers_api, custody_handovers_api)
page_blueprints = (handovers_pages, custody_handovers_pages)
