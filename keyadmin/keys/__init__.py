"""What an API key is and what may be done to it."""
