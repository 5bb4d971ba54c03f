"""The variables by which Gemini's libraries find a key: where they are set, and setting them."""
