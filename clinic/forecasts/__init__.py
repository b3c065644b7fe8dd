"""What lies ahead of the wait list: who will breach, what would prevent it, a year of each model."""
