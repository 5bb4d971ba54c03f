"""IAM Service Account Credentials v1."""
