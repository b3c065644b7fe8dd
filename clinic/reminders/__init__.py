"""Reminders of visits, and how somebody wants to be reached."""
