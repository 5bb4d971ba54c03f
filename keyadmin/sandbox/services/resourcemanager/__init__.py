"""Resource Manager v3, v1 and v2."""
