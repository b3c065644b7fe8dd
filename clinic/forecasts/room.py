"""The doors of this room."""

from clinic.forecasts.api import forecasts_api
from clinic.forecasts.pages import forecast_pages

api_blueprints = (forecasts_api,)
page_blueprints = (forecast_pages,)
