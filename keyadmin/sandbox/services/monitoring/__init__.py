"""Cloud Monitoring v3."""
