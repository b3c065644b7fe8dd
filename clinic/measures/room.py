"""The doors of this room."""

from clinic.measures.api import measures_api
from clinic.measures.pages import measure_pages

api_blueprints = (measures_api,)
page_blueprints = (measure_pages,)
