"""Permissions: what a feature needs, who lacks what, the smallest grant that mends it, and what an error means."""
