"""IAM v1."""
