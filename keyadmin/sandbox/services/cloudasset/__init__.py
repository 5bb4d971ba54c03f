"""Cloud Asset Inventory v1."""
