"""What the tests stand on: a PostgreSQL, a browser, a served service, the trace."""
