"""The first 28 days in prison: receptions, their timetables, what was delivered, who is due what."""
