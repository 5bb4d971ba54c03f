"""Key strings that lie in files and in git history, and whether they still work."""
