"""Settings read once from the environment, and the pinned bank holidays."""
