"""Keyworkers: naming, changing, cover, caseloads."""
