"""The doors of this room. Apart from the package itself, whose tables every room imports."""

from clinic.titration.api import board_api, titration_api
from clinic.titration.chart_pages import chart_pages
from clinic.titration.pages import titration_pages
from clinic.titration.sheet_pages import sheet_pages

api_blueprints = (titration_api, board_api)
page_blueprints = (titration_pages, sheet_pages, chart_pages)
