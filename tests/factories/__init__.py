"""Rows of a story, made by the commands the service itself uses: one file for each room."""
