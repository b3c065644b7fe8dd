"""The first days on the wing: rounds of observations, the stimulant watch, what is held already, tasks."""
