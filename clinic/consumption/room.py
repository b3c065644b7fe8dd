"""The doors of this room. Apart from the package itself, whose tables every room imports."""

from clinic.consumption.api import consumption_api, hatch_api
from clinic.consumption.board_pages import board_pages
from clinic.consumption.pages import consumption_pages

api_blueprints = (consumption_api, hatch_api)
page_blueprints = (consumption_pages, board_pages)
