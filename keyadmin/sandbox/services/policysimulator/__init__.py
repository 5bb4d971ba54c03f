"""Policy Simulator API v1."""
