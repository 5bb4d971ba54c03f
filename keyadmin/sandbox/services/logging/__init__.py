"""Cloud Logging API v2."""
