"""API Keys API v2."""
