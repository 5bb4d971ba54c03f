"""From an error to its cause, and what each cause means."""
