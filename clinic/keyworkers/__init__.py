"""Who holds whose care plan in a prison: naming, changing, cover, and what each carries."""
