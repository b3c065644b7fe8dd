"""Private calendars: when somebody is booked, and nothing about whom or why."""
